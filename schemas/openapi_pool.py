"""What the tracker answers about the pool before signing, as OpenAPI."""

from __future__ import annotations

from luodi.domain import pool
from luodi.domain.stages import ROUTES, STAGES
from schemas.openapi import CURSOR, DATE, INSTANT, LIMIT, Json, an_object, nullable, page, query

_TEXT: Json = {"type": "string"}
_DAY: Json = {"type": "string", "format": "date"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_SIZE: Json = {"type": "number", "minimum": 0}
_RATE: Json = {"type": "number", "minimum": 0, "maximum": 1}
_INTRODUCER: Json = {"type": "string", "enum": list(pool.INTRODUCERS)}
_STANDING: Json = {"type": "string", "enum": list(pool.STANDINGS)}

QUERIES: dict[str, tuple[str, str, list[Json], Json]] = {
    "/v1/pool": (
        "pool",
        "储备项目 · The pool before signing, with the success of its talks",
        [
            query("zone", "园区"),
            query("industry", "行业"),
            query("chain", "产业链"),
            query("park", "园区/载体"),
            query("lead_unit", "牵头单位"),
            query("group_head", "专班组长"),
            query("officer", "专员"),
            query(
                "standing",
                "储备, 在谈, 已签约, 已放弃. The first two when absent. It narrows the list, not the numbers.",
                _STANDING,
            ),
            query("introducer", "引荐方", _INTRODUCER),
            query("route", "路径", {"type": "string", "enum": list(ROUTES)}),
            query("next_before", "Whose next step was due before this day.", _DAY),
            query("quiet_since", "With which nobody has talked since this day.", _DAY),
            query("from", "That entered the pool on this day or later.", _DAY),
            query("to", "That entered the pool on this day or before.", _DAY),
            query("q", "Part of the name or the id."),
            LIMIT,
            CURSOR,
        ],
        {"$ref": "#/components/schemas/ListedPool"},
    ),
}
"""Address -> operation, summary, parameters, answer."""


def schemas() -> Json:
    """The schemas that the answers name."""
    return {"Pooled": _pooled(), "ListedPool": _listed_pool()}


def _told() -> Json:
    """What is told of a project that is or was in the pool, wherever it is answered."""
    return {
        "standing": nullable(_STANDING) | {"description": "null: it never was in the pool."},
        "date": nullable(DATE) | {"description": "When it entered the pool."},
        "introducer": nullable(_INTRODUCER),
        "introduced_by": nullable(_TEXT),
        "contacts": {"type": "array", "items": _TEXT, "description": "Ids of persons."},
        "note": nullable(_TEXT),
        "talks": _COUNT,
        "last_talk": nullable(_DAY),
        "next": nullable(_TEXT),
        "next_date": nullable(_DAY),
        "signed": nullable(an_object({"stage": {"type": "string", "enum": list(STAGES)}, "date": nullable(DATE)})),
        "dropped": nullable(an_object({"date": DATE, "reason": nullable(_TEXT), "actor": nullable(_TEXT)})),
    }


def _pooled() -> Json:
    talk = an_object(
        {
            "id": _TEXT,
            "date": _DAY,
            "way": {"type": "string", "enum": list(pool.WAYS)},
            "text": _TEXT,
            **dict.fromkeys(("contact", "next", "note"), _TEXT),
            "next_date": _DAY,
            "actor": nullable(_TEXT),
            "recorded_at": INSTANT,
        },
        ["id", "date", "way", "text", "actor", "recorded_at"],
    )
    log = {"type": "array", "items": talk, "description": f"The last {pool.TALKS_KEPT} recorded, oldest first."}
    return an_object({**_told(), "log": log})


def _listed_pool() -> Json:
    words = pool.definitions("en")
    numbers: Json = {name: _COUNT | {"description": words[name]} for name in words if name != "success"}
    rate = an_object({"numerator": _COUNT, "denominator": _COUNT, "rate": nullable(_RATE)})
    numbers["success"] = rate | {"description": words["success"]}
    item = an_object(
        {
            "project_id": _TEXT,
            **{
                name: nullable(_TEXT)
                for name in (
                    *("name", "zone", "route", "industry", "chain", "park", "parcel", "investor", "enterprise"),
                    *("origin", "lead_unit", "group_head", "officer", "company_contact"),
                )
            },
            "investment": nullable(_COUNT),
            "area_mu": nullable(_SIZE),
            "floor_m2": nullable(_SIZE),
            "updated_at": INSTANT,
            **_told(),
        }
    )
    by = an_object({"introducer": nullable(_INTRODUCER), **numbers})
    summary = an_object({**numbers, "by_introducer": {"type": "array", "items": by}})
    definitions: Json = {"type": "object", "additionalProperties": _TEXT}
    return {"allOf": [page(item), an_object({"summary": summary, "definitions": definitions})]}
