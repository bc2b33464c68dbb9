"""The records of `project-states` and of the rejected topic.

`project-states` holds, per subject (a project, a unit …), the tracker's document without its fold and, per partition, a
watermark: every event acknowledged before that instant is contained in what stands before the watermark.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import orjson
from marshmallow import ValidationError

from luodi.domain.subjects import is_project
from schemas.fields import Instant
from schemas.invalid import Invalid

WATERMARK_KEY = b"~watermark"  # no subject begins with a tilde
GUARD_HEADER = "guard"
PART_HEADER = "part-of"

Document = Mapping[str, Any]
Headers = Iterable[tuple[str, bytes]]

_INTERNAL = frozenset({"_id", "fold"})

REQUIRED: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "id": (str,),
        "events": (int,),
        "ruleset": (int,),
        "registered": (bool,),
        "status": (str,),
        "stage": (str, type(None)),
        "lights": (list,),
        "clocks": (list,),
        "blockers": (list,),
        "updated_at": (str,),
    }
)
"""What a reader may rely on at the top of a project's state; everything else it must be able to miss."""

REQUIRED_OF_OTHERS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {name: REQUIRED[name] for name in ("id", "events", "ruleset", "registered", "updated_at")}
)
"""The same of the state of any other kind of subject; its `id` is its subject, `<kind>:<id>`."""


def encode_state(document: Document) -> bytes:
    """The value of a state record: the document as stored, `_id` as `id`, the fold left out."""
    return orjson.dumps(
        {"id": document["_id"], **{name: value for name, value in document.items() if name not in _INTERNAL}}
    )


def decode_state(value: bytes) -> dict[str, Any]:
    """The document of a state record. Raises Invalid when it lacks what every reader relies on."""
    state = _object(value)
    id_ = state.get("id")
    required = REQUIRED if not isinstance(id_, str) or is_project(id_) else REQUIRED_OF_OTHERS
    for name, types in required.items():
        held = state.get(name, _ABSENT)
        if type(held) not in types:
            raise Invalid("missing-field" if held is _ABSENT else "wrong-type", f"/{name}")
    return state


def guard_headers(document: Document) -> list[tuple[str, bytes]]:
    """The headers of a state record, readable without opening the value: its guard, and what it is a part of."""
    headers = [(GUARD_HEADER, f"{document['events']}.{document['ruleset']}".encode())]
    links = [link for link in (document.get("parent"), document.get("carrier")) if link]
    if links:
        headers.append((PART_HEADER, ",".join(links).encode()))  # an id holds no comma
    return headers


def read_guard(headers: Headers) -> tuple[int, int] | None:
    """`(events, ruleset)` of a state record, None when the headers hold no guard."""
    for name, value in headers:
        if name == GUARD_HEADER:
            events, dot, ruleset = value.partition(b".")
            if dot and events.isdigit() and ruleset.isdigit():
                return int(events), int(ruleset)
    return None


def read_parts(headers: Headers) -> list[str]:
    """The parent and the carrier that a state record names; most name none."""
    for name, value in headers:
        if name == PART_HEADER:
            return value.decode(errors="replace").split(",")
    return []


def encode_watermark(instant: str) -> bytes:
    """The value of a watermark record."""
    return orjson.dumps({"w": instant})


def decode_watermark(value: bytes) -> str:
    """The instant of a watermark record; raises Invalid."""
    try:
        return _INSTANT.check(_object(value).get("w"))
    except ValidationError as exc:
        raise Invalid("bad-instant", "/w") from exc


def encode_rejected(
    *,
    topic: str,
    partition: int,
    offset: int,
    reason: str,
    detail: str,
    rejected_at: str,
    key: bytes | None,
    value: bytes | None,
) -> bytes:
    """The value of a rejected record: where it came from, why it was refused, and what it held, byte for byte.

    `key` and `value` stand as text; when either is not UTF-8 both stand in base64, and `encoding` says so.
    """
    rejected: dict[str, Any] = {
        "id": rejected_id(topic, partition, offset),
        "reason": reason,
        "detail": detail,
        "origin": {"topic": topic, "partition": partition, "offset": offset},
        "rejected_at": rejected_at,
    }
    try:
        rejected["key"] = None if key is None else key.decode()
        rejected["value"] = None if value is None else value.decode()
    except UnicodeDecodeError:
        rejected["key"] = None if key is None else base64.b64encode(key).decode()
        rejected["value"] = None if value is None else base64.b64encode(value).decode()
        rejected["encoding"] = "base64"
    return orjson.dumps(rejected)


def rejected_id(topic: str, partition: int, offset: int) -> str:
    """The identity of a rejected record: the place it came from, so that rejecting it twice is one reject."""
    return f"{topic}-{partition}-{offset}"


def decode_rejected(value: bytes) -> dict[str, Any]:
    """A rejected record as written. Raises Invalid when it lacks what identifies it."""
    rejected = _object(value)
    for name in ("id", "reason", "detail", "origin", "key", "value"):
        if name not in rejected:
            raise Invalid("missing-field", f"/{name}")
    return rejected


def original(rejected: Mapping[str, Any]) -> tuple[bytes | None, bytes | None]:
    """The key and the value that the refused record held."""
    in_base64 = rejected.get("encoding") == "base64"

    def held(text: str | None) -> bytes | None:
        if text is None:
            return None
        return base64.b64decode(text) if in_base64 else text.encode()

    return held(rejected["key"]), held(rejected["value"])


def _object(value: bytes) -> dict[str, Any]:
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError as exc:
        raise Invalid("bad-json", str(exc)) from exc
    if not isinstance(parsed, dict):
        raise Invalid("wrong-type", "not an object")
    return parsed


_ABSENT = object()
_INSTANT = Instant()
