"""What the OpenAPI documents of all services share: the frame, the probes, problems, parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.fields import DATE_PATTERN, ID

Json = dict[str, Any]

VERSION = "1.0.0"
PROBLEM_TYPE = "application/problem+json"
POSITION_PATTERN = r"^[A-Za-z0-9._~-]+$"
INSTANT: Json = {"type": "string", "format": "date-time", "examples": ["2026-03-05T01:02:03.004Z"]}
DATE: Json = {"type": "string", "pattern": DATE_PATTERN, "examples": ["2026-03-05", "2026-03", "2026"]}
POSITION: Json = {
    "type": "string",
    "pattern": POSITION_PATTERN,
    "description": "Opaque: what `after` of a query takes.",
}

_PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable; meant for programs."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
    },
    "required": ["type", "title", "status", "detail", "instance", "code"],
}
_FIELD_ERROR: Json = {
    "type": "object",
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into the body, or the name of a query parameter."},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["pointer", "code", "detail"],
}

_STATUS_TEXT = {
    400: "The body is not valid JSON, or a parameter is wrong",
    401: "A key is needed",
    403: "It is for others to do",
    404: "Not found",
    409: "The same id already carries another content",
    413: "The body is too large",
    415: "The content type is not supported",
    422: "The content does not fit the rules",
    429: "Too many requests",
    503: "Unavailable, or the outcome is unknown: retry with the ids in the answer",
}
_RETRYABLE = (429, 503)


def document(service: str, description: str, paths: Json, schemas: Json) -> Json:
    """An OpenAPI 3.1 document of one service."""
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Luodi {service}", "version": VERSION, "description": description},
        "security": [{}, {"key": []}],
        "paths": {**paths, **_probes()},
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "LUODI_API_KEY, where one is set."},
                "link": {"type": "http", "scheme": "bearer", "description": "The token of an enterprise's link."},
            },
            "schemas": {**schemas, "Problem": _PROBLEM, "FieldError": _FIELD_ERROR},
        },
    }


def json_content(schema: Json) -> Json:
    """A JSON body of this schema."""
    return {"application/json": {"schema": schema}}


def answer(description: str, schema: Json) -> Json:
    """A JSON response."""
    return {"description": description, "content": json_content(schema)}


def problems(*statuses: int) -> Json:
    """The problem responses of an operation, by status."""
    responses: Json = {}
    for status in statuses:
        response: Json = {
            "description": _STATUS_TEXT[status],
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status in _RETRYABLE:
            response["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
        responses[str(status)] = response
    return responses


def query(name: str, description: str, schema: Json | None = None) -> Json:
    """A query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema or {"type": "string"}}


def path_parameter(name: str, pattern: str = f"^{ID.pattern}$") -> Json:
    """A part of the address."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


LANGUAGE: Json = {
    "name": "Accept-Language",
    "in": "header",
    "description": "zh-CN (default) or en: the language of texts and problems.",
    "schema": {"type": "string", "default": "zh-CN"},
}

AFTER = query(
    "after",
    "A position from ingest: the answer shows everything up to it, or is 503 `not-yet-visible` after 5 s.",
    {"type": "string", "pattern": POSITION_PATTERN},
)
LIMIT = query("limit", "At most so many items.", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100})
CURSOR = query("cursor", "The `next` of the page before.")


def page(item: Json) -> Json:
    """A list as every service answers it."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"], "description": "The cursor of the next page; null on the last one."},
        },
        "required": ["items", "next"],
    }


def nullable(schema: Mapping[str, Any]) -> Json:
    """The schema, or null."""
    return {"anyOf": [dict(schema), {"type": "null"}]}


def an_object(properties: Json, required: Iterable[str] | None = None) -> Json:
    """An object; every property is required unless `required` names fewer."""
    names = list(properties) if required is None else list(required)
    return {"type": "object", "properties": properties} | ({"required": names} if names else {})


def _probes() -> Json:
    plain: Json = {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {
        "/live": {"get": _probe("live", "The process answers", answer("Alive", an_object({"live": {"const": True}})))},
        "/ready": {
            "get": {
                "operationId": "ready",
                "summary": "Whether the service can do its work; what is missing when not",
                "security": [],
                "tags": ["operations"],
                "responses": {
                    "200": answer("Ready", an_object({"ready": {"const": True}})),
                    **problems(503),
                },
            }
        },
        "/metrics": {"get": _probe("metrics", "Metrics", plain)},
        "/v1/openapi.json": {"get": _probe("openapi", "This document", answer("OpenAPI 3.1", {"type": "object"}))},
    }


def _probe(name: str, summary: str, response: Json) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "tags": ["operations"],
        "responses": {"200": response},
    }
