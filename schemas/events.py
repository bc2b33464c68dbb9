"""The event types as HTTP and Kafka meet them: endpoints, request bodies, and loading what was told.

The types themselves stand in `schemas.catalog`, one row each; endpoints, the codec and the generated contract follow
from it. A new type needs a row there and a handler in the domain, nothing else. A new kind of subject needs a row in
`SUBJECTS` and one in the domain's `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from marshmallow import ValidationError

from luodi.domain import events as domain
from luodi.domain.days import first_day
from luodi.domain.money import needs_confirmation
from luodi.domain.periods import last_ordinal
from luodi.domain.subjects import PROJECT
from schemas.catalog import ROWS
from schemas.catalog.rows import ANY_KIND, SUBJECT, SUBJECT_PATTERNS, SUBJECTS, Data, EventType, SubjectKind
from schemas.fields import EVENT_ID, ONE_DAY, Name
from schemas.invalid import Fault, FieldError, Invalid, flatten
from schemas.loading import REFUSE, TOLERATE, Record, Unknown, loader

__all__ = [
    "ANY_KIND",
    "ENDPOINTS",
    "EVENT_TYPES",
    "ROWS",
    "SUBJECTS",
    "SUBJECT_PATTERNS",
    "Endpoint",
    "EventType",
    "FieldError",
    "Invalid",
    "Request",
    "SubjectKind",
    "load_http",
    "load_record",
    "load_request",
]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address that takes events of one type about subjects of one kind."""

    row: EventType
    subject: SubjectKind

    @property
    def path(self) -> str:
        return self.row.path.replace(SUBJECT, self.subject.path)

    @property
    def name(self) -> str:
        """What tells it from all others: the type, with the kind where other kinds have an endpoint of their own."""
        shared = self.row.kind == ANY_KIND and self.subject.kind != PROJECT
        return f"{self.row.type}.{self.subject.kind}" if shared else self.row.type

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names in the address."""
        return tuple(_PATH_NAME.findall(self.path))

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Data fields that the endpoint takes from its address, not from its body."""
        return tuple(name for name in self.path_names if name != self.subject.id_field)

    @property
    def subject_in_path(self) -> bool:
        return self.subject.id_field in self.path_names


class Request(NamedTuple):
    """What one item of a request says: the event's data and the envelope the caller may choose."""

    id: str | None
    subject_id: str | None
    actor: str | None
    data: Data


_PATH_NAME = re.compile(r"\{([a-z_]+)\}")


EVENT_TYPES: Mapping[str, EventType] = MappingProxyType({row.type: row for row in ROWS})

ENDPOINTS = tuple(Endpoint(row, subject) for row in ROWS if row.path for subject in row.kinds)
"""Every address that takes events."""


def _envelope(endpoint: Endpoint) -> dict[str, Any]:
    row = endpoint.row
    chosen: dict[str, Any] = {"id": Name(EVENT_ID, allow_none=True)}
    if not endpoint.subject_in_path:
        # A project being registered may leave its id to us; any other event must say whom it is about.
        left_to_us = row.type == domain.PROJECT_REGISTERED
        chosen[endpoint.subject.id_field] = Name(required=not left_to_us, allow_none=left_to_us)
    left_out = row.ours.union(endpoint.path_fields)
    chosen |= {name: field for name, field in row.schema.declared().items() if name not in left_out}
    return chosen | {"actor": Name(allow_none=True)}


def _request_schema(endpoint: Endpoint) -> type[Record]:
    """The body of an endpoint: envelope and data in one object, without what stands in the address."""
    schema = endpoint.row.schema
    return type(f"{schema.__name__}Request", (Record,), {**_envelope(endpoint), "also": schema.also})


REQUESTS: Mapping[str, type[Record]] = MappingProxyType(
    {endpoint.row.type: _request_schema(endpoint) for endpoint in ENDPOINTS}
)
"""Event type -> the body of its endpoints, where callers may tell it: those about several kinds take the same."""


def load_http(type_: str, payload: object, today: date) -> Data:
    """The data of an event as a caller sent it: unknown fields are refused.

    `today` is the business date now. Raises Invalid with a pointer for every fault.
    """
    return _load(_row(type_), payload, today, REFUSE)


def load_record(type_: str, payload: object, today: date) -> Data:
    """The data of an event as a record carries it: unknown fields are left out. `today`: the day it was recorded."""
    return _load(_row(type_), payload, today, TOLERATE)


def load_request(endpoint: Endpoint, payload: object, today: date, from_path: Mapping[str, str]) -> Request:
    """One item of the body of an endpoint. `from_path` holds the `path_fields` of the address.

    Raises Invalid with a pointer for every fault, relative to the item.
    """
    row = endpoint.row
    try:
        loaded = loader(REQUESTS[row.type], REFUSE).load(payload)
    except ValidationError as exc:
        raise _invalid(exc.messages) from exc
    event_id, actor = loaded.pop("id", None), loaded.pop("actor", None)
    subject_id = loaded.pop(endpoint.subject.id_field, None)
    if from_path:
        # In the schema's order: the same content is the same bytes, whichever way it came in.
        try:
            loaded = loader(row.schema, REFUSE).load({**loaded, **from_path})
        except ValidationError as exc:
            raise _invalid(exc.messages) from exc
    return Request(event_id, subject_id, actor, _finish(row, loaded, today))


def unconfirmed(data: Data) -> list[FieldError]:
    """The amounts of a registered or amended project that look like a slip and are not named in its `confirm`."""
    return [FieldError(f"/{name}", doubt, {"name": name}) for name, doubt in needs_confirmation(data)]


def _row(type_: str) -> EventType:
    row = EVENT_TYPES.get(type_)
    if row is None:
        raise Invalid(
            "unknown-type",
            f"no event type {type_[:64]!r}",
            [FieldError("/type", "unknown-type", {"allowed": ", ".join(EVENT_TYPES)})],
        )
    return row


def _load(row: EventType, payload: object, today: date, unknown: Unknown) -> Data:
    try:
        loaded = loader(row.schema, unknown).load(payload)
    except ValidationError as exc:
        raise _invalid(exc.messages) from exc
    return _finish(row, loaded, today)


def _finish(row: EventType, loaded: Data, today: date) -> Data:
    faults: list[tuple[str, Fault]] = []
    for name in row.happened:
        day = loaded.get(name)
        if day is not None and first_day(day) > today + ONE_DAY:
            faults.append((name, Fault("date-in-future", latest=(today + ONE_DAY).isoformat())))
    end = (today + ONE_DAY).toordinal()
    faults += [(name, Fault("period-not-over")) for name in row.over if last_ordinal(loaded[name]) > end]
    for rule in row.rules:
        faults.extend(rule(loaded))
    if faults:
        raise Invalid(
            str(faults[0][1]),
            f"{faults[0][0] or 'the body'}: {faults[0][1]}",
            [FieldError(f"/{name}" if name else "", str(fault), fault.params) for name, fault in faults],
        )
    if None not in loaded.values():
        return loaded
    return {name: value for name, value in loaded.items() if value is not None or name in row.nulls}


def _invalid(messages: Any) -> Invalid:
    errors = flatten(messages)
    first = errors[0]
    return Invalid(first.code, f"{first.pointer or 'the body'}: {first.code}", errors)
