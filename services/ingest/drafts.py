"""What a caller asks to have recorded, before it has a time and a place: read out of a request, strictly.

An event comes in through the endpoint of its type, or as a CloudEvent (version 1.0, HTTP binding, JSON format).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import unquote

from marshmallow import ValidationError

from luodi.domain.subjects import subject_of
from luodi.runtime import trace
from schemas.codec import SPEC_VERSION
from schemas.events import EVENT_TYPES, REQUESTS, SUBJECT_PATTERNS, Endpoint, EventType, load_http, load_request
from schemas.fields import EVENT_ID, Choice, Free, Name, Text
from schemas.invalid import FieldError, Invalid, flatten
from schemas.loading import REFUSE, Record, loader

DATA = "/data"


class Draft(NamedTuple):
    """One event as the caller told it. None: ingest chooses."""

    row: EventType
    id: str | None
    subject: str | None
    actor: str | None
    data: dict[str, Any]
    traceparent: str | None = None
    at: str = ""  # where the data stands in the item, as a JSON pointer


Reader = Callable[[object, date], Draft]
"""Reads one item of a request, given today's business date; raises Invalid."""


def body_reader(endpoint: Endpoint, address: Mapping[str, str]) -> Reader:
    """Reads the items of a body of an endpoint; `address` holds the names of its path."""
    row, kind = endpoint.row, endpoint.subject
    in_path = address.get(kind.id_field)
    from_path = {name: value for name, value in address.items() if name != kind.id_field}

    def read(item: object, today: date) -> Draft:
        event_id, in_body, actor, data = load_request(endpoint, item, today, from_path)
        id_ = in_path or in_body
        return Draft(row, event_id, None if id_ is None else subject_of(kind.kind, id_), actor, data)

    return read


class CloudEvent(Record):
    """The attributes of a CloudEvent that ingest takes; those it sets itself are read and dropped."""

    specversion = Choice("version", (SPEC_VERSION,), required=True)
    id = Name(EVENT_ID, required=True)
    source = Text(256, required=True)
    type = Choice("type", tuple(REQUESTS), required=True)
    subject = Text(130, required=True)
    datacontenttype = Choice("value", ("application/json",), allow_none=True)
    dataschema = Free(allow_none=True)
    time = Free(allow_none=True)
    actor = Name(allow_none=True)
    traceparent = Free(allow_none=True)
    tracestate = Free(allow_none=True)
    recordedtime = Free(allow_none=True)
    sequence = Free(allow_none=True)
    data = Free(required=True)


def from_cloudevent(item: object, today: date) -> Draft:
    """The draft in a CloudEvent of the JSON format. Raises Invalid."""
    try:
        event = loader(CloudEvent, REFUSE).load(item)
    except ValidationError as exc:
        errors = flatten(exc.messages)
        raise Invalid(errors[0].code, f"{errors[0].pointer}: {errors[0].code}", errors) from exc
    row = EVENT_TYPES[event["type"]]
    subject = event["subject"]
    pattern = SUBJECT_PATTERNS[row.kind]
    if not pattern.fullmatch(subject):
        wrong = FieldError("/subject", "bad-id", {"pattern": pattern.pattern})
        raise Invalid("bad-id", f"/subject: not a subject of {row.type}", [wrong])
    try:
        data = load_http(row.type, event["data"], today)
    except Invalid as exc:
        inside = [replace(error, pointer=DATA + error.pointer) for error in exc.errors]
        raise Invalid(exc.code, exc.detail, inside) from exc
    traceparent = event.get("traceparent")
    known = traceparent if isinstance(traceparent, str) and trace.trace_id(traceparent) else None
    return Draft(row, event["id"], subject, event.get("actor"), data, known, DATA)


def binary_cloudevent(headers: Mapping[str, str], data: object) -> dict[str, Any]:
    """A CloudEvent of the binary mode, whose attributes are `ce-` headers, in the form of the JSON format."""
    attributes: dict[str, Any] = {
        name.lower().removeprefix("ce-"): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith("ce-")
    }
    return {**attributes, "data": data}
