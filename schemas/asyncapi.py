"""The AsyncAPI 3 document: the three topics and what their records hold; and a JSON Schema per event type."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.codec import CONTENT_TYPE, REASONS, Envelope
from schemas.events import EVENT_TYPES, SUBJECT_PATTERNS, EventType
from schemas.loading import object_rule
from schemas.openapi import INSTANT, VERSION, Json, an_object, nullable
from schemas.states import REQUIRED, REQUIRED_OF_OTHERS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_JSON_TYPES: Mapping[type, str] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    list: "array",
    type(None): "null",
}
_GUARD = {"guard": "`<events>.<ruleset>`, never falling"}


def build() -> Json:
    """The whole document."""
    messages = {row.type: _event_message(row) for row in EVENT_TYPES.values()}
    schemas = {row.type: event_schema(row) for row in EVENT_TYPES.values()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Luodi topics",
            "version": VERSION,
            "description": (
                "Events are CloudEvents 1.0 in structured JSON. Readers leave out what they do not know and must be "
                "able to meet any record twice. `LUODI_TOPIC_PREFIX` stands before every topic where it is set."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "project-events",
                "description": "Key: the subject. Retention off; stamped by the broker; never a null value.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            },
            "states": {
                "address": "project-states",
                "description": (
                    "Compacted. Key: the subject (a project's id, or `<kind>:<id>`), or `~watermark`, once per "
                    "partition. As many partitions as `project-events`."
                ),
                "messages": {
                    "state": {"$ref": "#/components/messages/state"},
                    "subject": {"$ref": "#/components/messages/subject"},
                    "watermark": {"$ref": "#/components/messages/watermark"},
                },
            },
            "rejected": {
                "address": "project-events.rejected",
                "description": "Records of `project-events` that could not be read, each with its reason and origin.",
                "messages": {"rejected": {"$ref": "#/components/messages/rejected"}},
            },
        },
        "operations": {
            "recordEvent": {"action": "send", "channel": {"$ref": "#/channels/events"}},
            "readEvents": {"action": "receive", "channel": {"$ref": "#/channels/events"}},
            "publishStates": {"action": "send", "channel": {"$ref": "#/channels/states"}},
            "readStates": {"action": "receive", "channel": {"$ref": "#/channels/states"}},
            "reject": {"action": "send", "channel": {"$ref": "#/channels/rejected"}},
        },
        "components": {
            "messages": {
                **messages,
                "state": _message("A project as it stands", "state", _GUARD),
                "subject": _message("A unit, a person or a post as it stands", "subject", _GUARD),
                "watermark": _message("Everything acknowledged before `w` stands before this record", "watermark"),
                "rejected": _message("A record that was refused", "rejected"),
            },
            "schemas": {
                **schemas,
                "state": _state(REQUIRED),
                "subject": _state(REQUIRED_OF_OTHERS),
                "watermark": an_object({"w": INSTANT}),
                "rejected": _rejected(),
            },
        },
    }


def event_schema(row: EventType) -> Json:
    """The JSON Schema of a record of this type, as tolerant as its readers."""
    envelope = object_rule(Envelope, closed=False)
    properties = dict(envelope["properties"])
    properties["type"] = {"const": row.type}
    properties["subject"] = {"type": "string", "pattern": f"^{SUBJECT_PATTERNS[row.kind].pattern}$"}
    properties["traceparent"] = {"description": "W3C Trace Context; left out by readers when malformed."}
    properties["data"] = object_rule(row.schema, closed=False) | {"description": (row.schema.__doc__ or "").strip()}
    return {
        "$schema": DIALECT,
        "$id": f"urn:luodi:schema:{row.type}:v1",
        "title": row.summary,
        **envelope,
        "properties": properties,
    }


def _event_message(row: EventType) -> Json:
    return {
        "name": row.type,
        "title": row.summary,
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{row.type}"},
    }


def _message(title: str, schema: str, headers: Mapping[str, str] | None = None) -> Json:
    message: Json = {"name": schema, "title": title, "payload": {"$ref": f"#/components/schemas/{schema}"}}
    if headers:
        described = {name: {"type": "string", "description": text} for name, text in headers.items()}
        message["headers"] = {"type": "object", "properties": described}
    return message


def _state(required: Mapping[str, tuple[type, ...]]) -> Json:
    return an_object({name: {"type": [_JSON_TYPES[kind] for kind in kinds]} for name, kinds in required.items()})


def _rejected() -> Json:
    text: Json = {"type": "string"}
    origin = an_object({"topic": text, "partition": {"type": "integer"}, "offset": {"type": "integer"}})
    return an_object(
        {
            "id": {**text, "description": "`<topic>-<partition>-<offset>` of the refused record."},
            "reason": {**text, "examples": sorted(REASONS)},
            "detail": text,
            "origin": origin,
            "rejected_at": INSTANT,
            "key": nullable(text),
            "value": nullable(text),
            "encoding": {"const": "base64", "description": "Present when key and value are not UTF-8."},
        },
        ["id", "reason", "detail", "origin", "rejected_at", "key", "value"],
    )
