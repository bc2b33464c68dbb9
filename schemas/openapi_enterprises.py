"""What is answered about enterprises beside their register, and what they are asked through their links, as OpenAPI."""

from __future__ import annotations

from collections.abc import Callable

from luodi.domain import enterprises, qualifications, services
from schemas.catalog.blockers import BLOCKER_KINDS
from schemas.catalog.enterprises import LinkRequest
from schemas.fields import EVENT_ID
from schemas.loading import object_rule
from schemas.openapi import (
    AFTER,
    CURSOR,
    DATE,
    INSTANT,
    LANGUAGE,
    LIMIT,
    POSITION,
    Json,
    an_object,
    answer,
    json_content,
    nullable,
    page,
    path_parameter,
    problems,
    query,
)

Query = Callable[[str, str, list[Json], Json], Json]

_TEXT: Json = {"type": "string"}
_DAY: Json = {"type": "string", "format": "date"}
_MONTH: Json = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_COUNTS: Json = {"type": "object", "additionalProperties": _COUNT}
_NUMBER: Json = nullable({"type": "number"})
_FLAG: Json = {"type": "boolean"}
_LIGHT: Json = {"type": "string", "enum": ["green", "yellow", "red", "grey"]}
_REASON: Json = an_object({"code": _TEXT, "text": _TEXT})
_TOLD: Json = {"actor": nullable(_TEXT), "recorded_at": INSTANT}
_NOTE: Json = nullable(_TEXT)
_STATES: Json = {"type": "string", "enum": list(enterprises.STATES)}
_HELD: Json = {"type": "string", "enum": list(qualifications.STATES.values())}
_KINDS: Json = {"type": "string", "enum": list(services.KINDS)}
_FIRM: Json = {"enterprise_id": _TEXT, "enterprise": nullable(_TEXT), "zone": nullable(_TEXT)}
_LADDERS: Json = {"type": "string", "enum": [ladder.id for ladder in qualifications.LADDERS]}

_BLOCKER: Json = {
    "project_id": _TEXT,
    "project": nullable(_TEXT),
    "id": _TEXT,
    "kind": nullable(_TEXT),
    "owner": nullable(_TEXT),
    "date": nullable(DATE),
    "promise": nullable(DATE),
    "cleared": nullable(DATE),
}
_REQUEST: Json = {
    "id": _TEXT,
    "kind": nullable({"type": "string", "enum": list(BLOCKER_KINDS)}),
    "text": _TEXT,
    "project_id": nullable(_TEXT),
    "by_link": _FLAG | {"description": "The enterprise raised it itself, through its link."},
    "note": _NOTE,
    **_TOLD,
    "state": _STATES | {"description": "resolved: accepted, and the blocker is cleared."},
    "due": _DAY | {"description": "The last day for the first answer: one working day."},
    "first_answer_at": nullable(INSTANT),
    "in_time": nullable(_FLAG) | {"description": "Whether the first answer was; null while there is none."},
    "answers": {
        "type": "array",
        "items": an_object({"id": _TEXT, "text": _TEXT, "unit": nullable(_TEXT), "note": _NOTE, **_TOLD}),
    },
    "accepted": nullable(an_object({"id": _TEXT, "project_id": _TEXT, "blocker_id": _TEXT, "note": _NOTE, **_TOLD})),
    "light": nullable(_LIGHT) | {"description": "Of the first answer; null once there is one."},
    "reason": nullable(_REASON),
    "blocker": nullable(an_object(_BLOCKER))
    | {"description": "What it was accepted as; null also where that is not in a project of this enterprise."},
}
_OWN_REQUEST: Json = {
    **{name: _REQUEST[name] for name in ("id", "kind", "text", "project_id", "recorded_at", "state", "due")},
    "light": _REQUEST["light"],
    "reason": _REQUEST["reason"],
    "answers": {"type": "array", "items": an_object({"text": _TEXT, "recorded_at": INSTANT})},
    "accepted_at": nullable(INSTANT),
    "blocker": nullable(
        an_object({name: _BLOCKER[name] for name in ("project_id", "project", "kind", "date", "promise", "cleared")})
    ),
}
_QUALIFICATION: Json = {
    "id": _TEXT,
    "level": _TEXT,
    "level_id": _TEXT | {"description": "The level's id on its ladder (`/v1/ladders`), else the level as told."},
    "ladder": nullable(_TEXT),
    "step": nullable({"type": "integer", "minimum": 1}),
    "date": nullable(DATE),
    "valid_until": nullable(_DAY),
    "by_rule": _FLAG | {"description": "The end is not on the paper: it follows from the rule behind the level."},
    "certificate": nullable(_TEXT),
    "issuer": nullable(_TEXT),
    "note": _NOTE,
    **_TOLD,
    "renewals": {
        "type": "array",
        "items": an_object(
            {"id": _TEXT, "date": nullable(DATE), "valid_until": nullable(DATE), "note": _NOTE, **_TOLD}
        ),
    },
    "ended": nullable(an_object({"date": nullable(DATE), "reason": nullable(_TEXT), "note": _NOTE, **_TOLD})),
    "state": _HELD | {"description": "recheck: within 90 days of the last day."},
    "light": _LIGHT,
    "reason": _REASON,
}
_SERVICE: Json = {
    "id": _TEXT,
    "kind": _KINDS,
    "date": _DAY,
    "text": _TEXT,
    "unit": _TEXT,
    "partner": _TEXT,
    "note": _TEXT,
    **_TOLD,
}
SERVICES: Json = an_object(
    {
        "count": _COUNT,
        "months": {"type": "array", "items": an_object({"month": _MONTH, "count": _COUNT, "kinds": _COUNTS})},
        "latest": {
            "type": "array",
            "items": an_object(_SERVICE, ("id", "kind", "date", "actor", "recorded_at")),
            "description": "The last 60; all stand in the timeline.",
        },
    }
)
"""The services given to an enterprise, or for a project."""

MEASURES: Json = {
    "type": "array",
    "items": an_object(
        {
            "id": _TEXT,
            "name": _TEXT,
            "unit": nullable(_TEXT),
            "before": _NUMBER,
            "before_word": nullable(_TEXT),
            "after": _NUMBER,
            "word": nullable(_TEXT),
            "change": _NUMBER,
            "change_unit": nullable({"type": "string", "enum": ["%", "points"]}),
            "reckoned": _FLAG | {"description": "The change is worked out from before and after."},
            "date": nullable(DATE),
            "source": nullable(_TEXT),
            "note": _NOTE,
            **_TOLD,
        }
    ),
}
"""What an upgrade has changed."""

CHAPTERS: Json = {
    "requests": {"type": "array", "items": an_object(_REQUEST)},
    "qualifications": {"type": "array", "items": an_object(_QUALIFICATION)},
    "holds": {
        "type": "array",
        "items": an_object(
            {
                "level": _TEXT,
                "level_id": _TEXT,
                "ladder": nullable(_TEXT),
                "step": nullable(_COUNT),
                "valid_until": nullable(_DAY),
                "next": nullable(_TEXT) | {"description": "The level above it."},
            }
        ),
        "description": "Of each ladder the highest level that holds today.",
    },
    "services": nullable(SERVICES) | {"description": "Those recorded of the enterprise itself."},
    "link": an_object({"generation": _COUNT, "refused": _COUNT}),
}
"""What an enterprise tells beyond its fields."""


def tracker_paths(asked: Query) -> Json:
    """The tracker's addresses; `asked` makes an operation as all its queries are."""
    zone = query("zone", "园区")
    firm = query("enterprise_id", "企业编号")
    paging = [LIMIT, CURSOR]
    paths: Json = {
        "/v1/enterprises/{enterprise_id}/projects": asked(
            "enterprise.projects",
            "企业的项目 · The projects of an enterprise: by its credit code, else by its name or id",
            [path_parameter("enterprise_id"), *paging],
            page({"$ref": "#/components/schemas/Project"}),
        ),
        "/v1/requests": asked(
            "requests",
            "企业诉求清单 · Requests of enterprises, the one that has waited longest first",
            [
                zone,
                firm,
                query("state", "状态", _STATES),
                query("light", "首次答复的灯色", _LIGHT),
                query("kind", "类别", {"type": "string", "enum": list(BLOCKER_KINDS)}),
                query("due_before", "Open ones whose first answer is due before this day.", _DAY),
                *paging,
            ],
            _with_summary(
                {**_FIRM, **_REQUEST},
                {
                    **dict.fromkeys(enterprises.STATES, _COUNT),
                    **dict.fromkeys(("overdue", "due_today", "answered_in_time", "answered_late"), _COUNT),
                },
            ),
        ),
        "/v1/qualifications": asked(
            "qualifications",
            "资质清单 · Qualifications, the first to end first, counted by level",
            [
                zone,
                firm,
                query("level", "级别, by its id or name"),
                query("ladder", "梯度", _LADDERS),
                query("state", "状态", _HELD),
                query("due_before", "Whose last day is before this day.", _DAY),
                query("year", "The year that `new` counts; this year when absent.", {"type": "integer"}),
                *paging,
            ],
            _with_summary({**_FIRM, **_QUALIFICATION}, {"year": {"type": "integer"}, "levels": _LEVEL_COUNTS}),
        ),
        "/v1/ladders": asked("ladders", "资质梯度 · The ladders of qualifications", [], page(_LADDER)),
        "/v1/services": asked(
            "services",
            "企业服务统计 · Services given, by enterprise, those helped most often first",
            [
                zone,
                firm,
                query("project_id", "项目编号"),
                query("kind", "类别", _KINDS),
                query("since", "The first month.", _MONTH),
                query("until", "The last month.", _MONTH),
                *paging,
            ],
            _with_summary(
                {
                    **_FIRM,
                    "enterprise_id": nullable(_TEXT)
                    | {"description": "null: the project's enterprise is not registered."},
                    "count": _COUNT,
                    "kinds": _COUNTS,
                    "months": _COUNTS,
                },
                {"count": _COUNT, "enterprises": _COUNT, "kinds": _COUNTS, "months": _COUNTS},
            ),
        ),
        "/v1/measures": asked(
            "measures",
            "改造前后对比 · What upgrades have changed, by project",
            [zone, query("project_id", "项目编号"), *paging],
            page(
                an_object(
                    {
                        "project_id": _TEXT,
                        **{name: nullable(_TEXT) for name in ("name", "zone", "kind", "enterprise")},
                        "measures": MEASURES,
                    }
                )
            ),
        ),
    }
    paths["/v1/enterprises/{enterprise_id}/projects"]["responses"] |= problems(404)
    return {path: {"get": operation} for path, operation in paths.items()} | {"/v1/link/requests": {"get": _own()}}


_LEVEL_COUNTS: Json = {
    "type": "array",
    "items": an_object(
        {
            "level_id": _TEXT,
            "level": _TEXT,
            "ladder": nullable(_TEXT),
            **dict.fromkeys(("new", "valid", "recheck", "expired", "ended"), _COUNT),
        }
    ),
}
_LADDER: Json = an_object(
    {
        "id": _TEXT,
        "name": _TEXT,
        "basis": nullable(_TEXT),
        "levels": {
            "type": "array",
            "items": an_object({"id": _TEXT, "name": _TEXT, "step": _COUNT, "years": nullable(_COUNT)}),
        },
    }
)
_BY_LINK: list[Json] = [{"link": []}]


def _with_summary(item: Json, summary: Json) -> Json:
    listed = page(an_object(item))
    listed["properties"]["summary"] = an_object(summary)
    listed["required"] = [*listed["required"], "summary"]
    return listed


def _own() -> Json:
    listed = page(an_object(_OWN_REQUEST))
    listed["properties"] |= {"enterprise": nullable(_TEXT), "good_until": _DAY}
    listed["required"] = [*listed["required"], "enterprise", "good_until"]
    return {
        "operationId": "link.requests",
        "summary": "本企业的诉求 · What became of the requests of the enterprise whose link it is",
        "tags": ["link"],
        "security": _BY_LINK,
        "parameters": [AFTER, LANGUAGE],
        "responses": {"200": answer("The answer", listed), **problems(400, 401, 429, 503)},
    }


def ingest_paths(idempotency_key: Json) -> Json:
    """Ingest's address for enterprises themselves."""
    receipt = an_object({"id": {"type": "string", "pattern": f"^{EVENT_ID.pattern}$"}, "position": POSITION})
    operation: Json = {
        "operationId": "link.request",
        "summary": "企业提交诉求 · An enterprise raises a request, with the token of its link",
        "description": f"{(LinkRequest.__doc__ or '').strip()} Recorded as `{enterprises.REQUEST_RAISED}`.",
        "tags": ["link"],
        "security": _BY_LINK,
        "parameters": [idempotency_key, LANGUAGE],
        "requestBody": {"required": True, "content": json_content(object_rule(LinkRequest))},
        "responses": {
            "202": answer("Durable", receipt),
            **problems(400, 401, 409, 413, 415, 422, 429, 503),
        },
    }
    return {"/v1/link/requests": {"post": operation}}
