"""Events on the wire: CloudEvents 1.0 in structured JSON, one record each on `project-events`, keyed by subject.

Writing is exact: the same event is the same bytes. Reading is tolerant of attributes and fields of a newer version,
which are left out; what is known must be right, for nobody can be asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import orjson
from marshmallow import ValidationError

from luodi.domain.events import Event
from schemas.events import EVENT_TYPES, SUBJECT_PATTERNS, load_record
from schemas.fields import EVENT_ID, Choice, Free, Instant, Name, Text, Whole
from schemas.invalid import FieldError, Invalid, flatten
from schemas.loading import TOLERATE, Record, loader

__all__ = ["CONTENT_TYPE", "REASONS", "FieldError", "Invalid", "decode", "encode"]

CONTENT_TYPE = "application/cloudevents+json"
SPEC_VERSION = "1.0"
DATA_CONTENT_TYPE = "application/json"
SOURCE = "/luodi/ingest"
MAX_SEQUENCE = 2**31 - 1


class Envelope(Record):
    """The attributes of CloudEvents 1.0 that the system uses, with its extensions."""

    specversion = Choice("version", (SPEC_VERSION,), required=True)
    id = Name(EVENT_ID, required=True)
    source = Text(256)
    type = Text(64, required=True)
    subject = Text(130, required=True)
    datacontenttype = Text(128, allow_none=True)
    recordedtime = Instant(required=True)
    sequence = Whole(0, MAX_SEQUENCE, required=True)
    actor = Name(allow_none=True)
    traceparent = Free(allow_none=True)  # a broken trace must not cost us the event
    data = Free(required=True)


def encode(event: Event, source: str = SOURCE) -> bytes:
    """The record's value. Raises TypeError for data that is not JSON or holds half a character."""
    attributes: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": event.id,
        "source": source,
        "type": event.type,
        "subject": event.subject,
        "datacontenttype": DATA_CONTENT_TYPE,
        "recordedtime": event.recordedtime,
        "sequence": event.sequence,
    }
    if event.actor is not None:
        attributes["actor"] = event.actor
    if event.traceparent is not None:
        attributes["traceparent"] = event.traceparent
    attributes["data"] = event.data
    return orjson.dumps(attributes)


def decode(value: bytes | None, key: bytes | None, timezone: tzinfo) -> Event:
    """The event that a record carries. `timezone` tells the business date on which it was recorded.

    Raises Invalid, its code one of `REASONS`; the verdict depends on the arguments alone, so a replay repeats it.
    """
    if value is None:
        raise Invalid("null-value", "the record has no value")
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError as exc:
        raise Invalid("bad-json", str(exc)) from exc
    try:
        envelope = _ENVELOPE.load(parsed)
    except ValidationError as exc:
        raise _classified(flatten(exc.messages)) from exc
    type_, subject = envelope["type"], envelope["subject"]
    row = EVENT_TYPES.get(type_)
    if row is None:
        raise Invalid("unknown-type", f"no event type {type_!r}")
    if not SUBJECT_PATTERNS[row.kind].fullmatch(subject):
        raise Invalid("bad-id", f"/subject: not a subject of {type_}")
    if key != subject.encode():
        raise Invalid("key-mismatch", f"the key is not the subject {subject!r}")
    recorded = envelope["recordedtime"]
    try:
        data = load_record(type_, envelope["data"], business_date(recorded, timezone))
    except Invalid as exc:
        raise _classified(exc.errors, "/data") from exc
    traceparent = envelope.get("traceparent")
    return Event(
        subject=subject,
        id=envelope["id"],
        type=type_,
        recordedtime=recorded,
        sequence=envelope["sequence"],
        actor=envelope.get("actor"),
        data=data,
        traceparent=traceparent if isinstance(traceparent, str) and len(traceparent) == TRACEPARENT_CHARS else None,
    )


TRACEPARENT_CHARS = 55  # version 00 of W3C Trace Context has one length


def business_date(instant: str, timezone: tzinfo) -> date:
    """The date in `timezone` at an instant in text form."""
    return _date_of_minute(instant[:16], timezone)


@lru_cache(maxsize=4096)
def _date_of_minute(minute: str, timezone: tzinfo) -> date:
    # Offsets of time zones are whole minutes since 1972, so a date never turns within a minute.
    return datetime.fromisoformat(minute).replace(tzinfo=UTC).astimezone(timezone).date()


def _classified(errors: list[FieldError], at: str = "") -> Invalid:
    first = errors[0]
    reason = _REASON_OF_FAULT.get(first.code, "wrong-value")
    told = "; ".join(f"{at}{error.pointer}: {error.code}" for error in errors[:5])
    return Invalid(reason, told, errors)


_REASON_OF_FAULT: Mapping[str, str] = MappingProxyType(
    {
        "required": "missing-field",
        "null": "missing-field",
        "wrong-type": "wrong-type",
        "unknown-stage": "unknown-stage",
        "unknown-route": "unknown-route",
        "unknown-version": "wrong-version",
        "bad-date": "bad-date",
        "date-too-early": "bad-date",
        "date-too-late": "bad-date",
        "date-in-future": "bad-date",
        "before-date": "bad-date",
        "bad-period": "bad-date",
        "bad-span": "bad-date",
        "period-not-over": "bad-date",
        "day-needed": "bad-date",
        "bad-instant": "bad-instant",
        "bad-id": "bad-id",
    }
)

REASONS = frozenset(
    {"null-value", "bad-json", "unknown-type", "key-mismatch", "wrong-value", *_REASON_OF_FAULT.values()}
)
"""Every code that `decode` can raise: the closed list of labels of the rejected counter's `reason`."""

_ENVELOPE = loader(Envelope, TOLERATE)
