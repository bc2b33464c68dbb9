"""The OpenAPI document of ingest, made from the same schemas that check the requests."""

from __future__ import annotations

from schemas import openapi_enterprises
from schemas.codec import SPEC_VERSION
from schemas.events import ANY_KIND, ENDPOINTS, REQUESTS, SUBJECT_PATTERNS, SUBJECTS, Endpoint, EventType
from schemas.fields import EVENT_ID, ID
from schemas.loading import object_rule
from schemas.openapi import (
    LANGUAGE,
    POSITION,
    Json,
    an_object,
    answer,
    document,
    json_content,
    path_parameter,
    problems,
)

MAX_ITEMS = 1_000

_DESCRIPTION = (
    "Takes what staff and systems report. 202 means durable. 503 means unknown: the answer carries the ids that were "
    "chosen, and a retry with them is the same event. Unknown fields and duplicate keys are refused."
)
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Ids follow from it, the caller, the path and the place in the array: a retry is the same event.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}
_TRACEPARENT: Json = {
    "name": "traceparent",
    "in": "header",
    "description": "W3C Trace Context; carried in the event.",
    "schema": {"type": "string"},
}
_ID: Json = {"type": "string", "pattern": f"^{EVENT_ID.pattern}$"}
_NAME: Json = {"type": "string", "pattern": f"^{ID.pattern}$"}
_NAMED: Json = {subject.id_field: _NAME for subject in SUBJECTS.values()}
_ONE_NAMED: Json = {"oneOf": [{"required": [name]} for name in _NAMED]}  # by the kind of what the event is about
_PROBLEMS = problems(400, 401, 403, 409, 413, 415, 422, 429, 503)


def build() -> Json:
    """The whole document."""
    paths: Json = {}
    schemas: Json = {
        "Receipt": _receipt(),
        "BatchAnswer": _batch_answer(),
        "CloudEvent": _cloudevent(),
    }
    for endpoint in ENDPOINTS:
        row = endpoint.row
        schemas[_name(row)] = object_rule(REQUESTS[row.type]) | {"description": _described(row)}
        paths.setdefault(endpoint.path, {})[row.method.lower()] = _operation(endpoint)
    paths["/v1/events"] = {"post": _cloudevents()}
    paths |= openapi_enterprises.ingest_paths(_IDEMPOTENCY_KEY)
    return document("ingest", _DESCRIPTION, paths, schemas)


def _name(row: EventType) -> str:
    return REQUESTS[row.type].__name__


def _described(row: EventType) -> str:
    return (row.schema.__doc__ or "").strip()


def _operation(endpoint: Endpoint) -> Json:
    row = endpoint.row
    one: Json = {"$ref": f"#/components/schemas/{_name(row)}"}
    takes_arrays = row.method == "POST"
    body = (
        {"oneOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_ITEMS}]} if takes_arrays else one
    )
    pattern = {endpoint.subject.id_field: ID}
    return {
        "operationId": endpoint.name,
        "summary": row.summary,
        "description": _described(row) + f" Recorded as `{row.type}`.",
        "tags": ["events"],
        "parameters": [
            *(path_parameter(name, f"^{pattern.get(name, EVENT_ID).pattern}$") for name in endpoint.path_names),
            _IDEMPOTENCY_KEY,
            LANGUAGE,
            _TRACEPARENT,
        ],
        "requestBody": {"required": True, "content": json_content(body)},
        "responses": _responses(batch=takes_arrays),
    }


def _responses(*, batch: bool) -> Json:
    receipt: Json = {"$ref": "#/components/schemas/Receipt"}
    many: Json = {"$ref": "#/components/schemas/BatchAnswer"}
    if not batch:
        return {"202": answer("Durable", receipt), **_PROBLEMS}
    responses: Json = {
        "202": answer("Durable; of an array, every item", {"oneOf": [receipt, many]}),
        "207": answer("An array with mixed outcomes, told item by item", many),
        **_PROBLEMS,
    }
    for status in ("422", "503"):
        described = responses[status]
        responses[status] = {**described, "content": {**described["content"], **json_content(many)}}
    return responses


def _receipt() -> Json:
    return (
        an_object(
            {
                "id": _ID,
                **_NAMED,
                "stage": {"type": "string", "description": "Of a milestone."},
                "partition": {"type": "integer", "minimum": 0},
                "offset": {"type": "integer", "minimum": 0},
                "position": POSITION,
            },
            ["id", "partition", "offset", "position"],
        )
        | _ONE_NAMED
    )


def _batch_answer() -> Json:
    accepted = _ONE_NAMED | an_object(
        {
            "status": {"const": 202},
            "id": _ID,
            **_NAMED,
            "stage": {"type": "string"},
            "partition": {"type": "integer"},
            "offset": {"type": "integer"},
        },
        ["status", "id", "partition", "offset"],
    )
    refused = an_object(
        {
            "status": {"enum": [403, 409, 422]},
            "code": {"type": "string"},
            "id": _ID,
            "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
        },
        ["status", "code", "errors"],
    )
    unknown = _ONE_NAMED | an_object(
        {"status": {"const": 503}, "code": {"type": "string"}, "id": _ID, **_NAMED}, ["status", "code", "id"]
    )
    return an_object(
        {
            "position": {"anyOf": [POSITION, {"type": "null"}], "description": "null when nothing was accepted."},
            "accepted": {"type": "integer"},
            "refused": {"type": "integer"},
            "unknown": {"type": "integer"},
            "items": {
                "type": "array",
                "description": "One per item, in the order of the request.",
                "items": {"oneOf": [accepted, refused, unknown]},
            },
        }
    )


def _cloudevent() -> Json:
    return {
        "type": "object",
        "description": (
            "CloudEvents 1.0, JSON format. `recordedtime` and `sequence` are set by ingest and overwritten. `data` is "
            "the body of the type's own endpoint without `id`, `actor` and what names the subject (`project_id` …), "
            "and with the other ids of its path."
        ),
        "properties": {
            "specversion": {"const": SPEC_VERSION},
            "id": _ID,
            "source": {"type": "string", "minLength": 1, "maxLength": 256},
            "type": {"enum": list(REQUESTS)},
            "subject": {
                "type": "string",
                "pattern": f"^{SUBJECT_PATTERNS[ANY_KIND].pattern}$",
                "description": "A project: its id. Anything else: `<kind>:<id>`.",
            },
            "datacontenttype": {"const": "application/json"},
            "time": {"type": "string"},
            "dataschema": {"type": "string"},
            "actor": _NAME,
            "traceparent": {"type": "string"},
            "data": {"type": "object"},
        },
        "required": ["specversion", "id", "source", "type", "subject", "data"],
    }


def _cloudevents() -> Json:
    one: Json = {"$ref": "#/components/schemas/CloudEvent"}
    many: Json = {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_ITEMS}
    return {
        "operationId": "events",
        "summary": "任意事件 · Any event, as CloudEvents 1.0 in structured, batched or binary mode",
        "tags": ["events"],
        "parameters": [LANGUAGE, _TRACEPARENT],
        "requestBody": {
            "required": True,
            "content": {
                "application/cloudevents+json": {"schema": one},
                "application/cloudevents-batch+json": {"schema": many},
                "application/json": {
                    "schema": {"type": "object", "description": "Binary mode: the data; attributes are `ce-` headers."}
                },
            },
        },
        "responses": _responses(batch=True),
    }
