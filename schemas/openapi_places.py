"""What the tracker answers about land and buildings, carriers, and who waits for them, as OpenAPI."""

from __future__ import annotations

from luodi.domain import carriers, resources
from luodi.domain.matching import SEEKS
from luodi.domain.stages import STAGES
from luodi.domain.subjects import RESOURCE
from schemas.catalog.resources import ResourceRegistered
from schemas.events import SUBJECTS
from schemas.fields import ID
from schemas.openapi import (
    CURSOR,
    DATE,
    INSTANT,
    LIMIT,
    Json,
    an_object,
    nullable,
    page,
    path_parameter,
    query,
)
from schemas.openapi_people import registered_fields

_TEXT: Json = {"type": "string"}
_DAY: Json = {"type": "string", "format": "date"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_SIZE: Json = {"type": "number", "minimum": 0}
_RATE: Json = {"type": "number", "minimum": 0, "maximum": 1}
_FLAG: Json = {"type": "string", "enum": ["true", "false"]}
_STAGE: Json = nullable({"type": "string", "enum": list(STAGES)})
_STATE: Json = {"type": "string", "enum": list(resources.STATES)}
_SEEKS: Json = {"type": "string", "enum": list(SEEKS)}
_MEASURE: Json = {"type": "string", "enum": [resources.MU, resources.M2]}

_FILTERS = {
    "zone": "园区",
    "industry": "行业",
    "chain": "产业链",
    "park": "园区/载体",
    "parcel": "地块",
    "lead_unit": "牵头单位",
    "group_head": "专班组长",
    "officer": "专员",
    "unit": "责任单位",
    "holder": "使用人",
    "carrier": "所在载体",
}

_ON = query("on", "How it stands on this business date; today when absent.", _DAY)


def _filters(*names: str) -> list[Json]:
    return [query(name, _FILTERS[name]) for name in names]


_RESOURCES = SUBJECTS[RESOURCE]

QUERIES: dict[str, tuple[str, str, list[Json], Json]] = {
    _RESOURCES.resource: (
        "resource.list",
        "三块地 · Land and buildings as they stand on a day",
        [
            *_filters("zone", "park", "parcel", "unit", "holder", "carrier"),
            query("kind", "类别", {"type": "string", "enum": list(resources.RESOURCE_KINDS)}),
            query("industry", "That take this industry, or any."),
            query("state", "状态", _STATE),
            query("project_id", "That are assigned to this project on the day."),
            _ON,
            query("q", "Part of the name or the id."),
            LIMIT,
            CURSOR,
        ],
        {"$ref": "#/components/schemas/ListedResources"},
    ),
    _RESOURCES.path: (
        "resource.one",
        "资源 · Land or a building, as of a day",
        [path_parameter(_RESOURCES.id_field), _ON],
        {"$ref": "#/components/schemas/Resource"},
    ),
    f"{_RESOURCES.path}/timeline": (
        "resource.timeline",
        "资源时间线 · Every event of land or a building",
        [path_parameter(_RESOURCES.id_field)],
        page({"$ref": "#/components/schemas/TimelineItem"}),
    ),
    "/v1/carriers": (
        "carriers",
        "载体 · Carriers with their tenants, and what is vacant",
        [
            *_filters("zone", "park", "industry", "chain", "lead_unit", "officer"),
            query("built", "Whether it is built.", _FLAG),
            query("vacant", "Whether anything of it is vacant.", _FLAG),
            query("q", "Part of the name or the id."),
            LIMIT,
            CURSOR,
        ],
        {"$ref": "#/components/schemas/ListedCarriers"},
    ),
    "/v1/matches": (
        "matches",
        "供需匹配 · Projects that wait for land or a plant, each with what fits, and why",
        [
            *_filters("zone", "park", "industry", "chain", "lead_unit", "group_head", "officer"),
            query("project_id", "项目"),
            query("seeks", "What they wait for.", _SEEKS),
            query("pool", "Also those in the pool before signing.", _FLAG),
            query(
                "state",
                "Places in these states; 可供 when absent.",
                {"type": "string", "enum": [state for state in resources.STATES if state != resources.TAKEN]},
            ),
            query("best", "At most so many places per project.", {"type": "integer", "minimum": 1, "maximum": 20}),
            LIMIT,
            CURSOR,
        ],
        {"allOf": [page({"$ref": "#/components/schemas/Matched"}), an_object({"on": _DAY})]},
    ),
}
"""Address -> operation, summary, parameters, answer."""

OF_ONE = frozenset({_RESOURCES.path, f"{_RESOURCES.path}/timeline"})
"""The addresses that answer 404 where there is no such thing."""


def schemas() -> Json:
    """The schemas that the answers name."""
    return {
        "Resource": _resource(),
        "ListedResources": _listed_resources(),
        "ListedCarriers": _listed_carriers(),
        "Matched": _matched(),
    }


def _resource() -> Json:
    free = nullable(_SIZE) | {"description": "What is not assigned, in its measure; null: its size is not known."}
    stand: Json = {
        "state": _STATE,
        "free": free,
        "over": _SIZE | {"description": "How much more is assigned than there is."},
        "projects": {"type": "array", "items": _TEXT, "description": "The projects it is assigned to."},
    }
    step = an_object({**stand, "from": _DAY, "to": _DAY | {"description": "Exclusive."}})
    assignment = an_object(
        {
            "id": _TEXT,
            "project_id": _TEXT,
            "date": _DAY,
            "area_mu": _SIZE,
            "floor_m2": _SIZE,
            "note": _TEXT,
            "ended": nullable(_DAY) | {"description": "The day of its release."},
            "reason": nullable(_TEXT),
            "actor": nullable(_TEXT),
            "recorded_at": INSTANT,
        },
        ["id", "project_id", "date", "ended", "reason", "actor", "recorded_at"],
    )
    return an_object(
        {
            "id": {"type": "string", "pattern": f"^{ID.pattern}$"},
            "registered": {"type": "boolean", "description": "false: events came in before the registration."},
            **registered_fields(ResourceRegistered),
            "on": _DAY,
            **stand,
            "measure": _MEASURE,
            "stands": {"type": "array", "items": step, "description": "Day by day; empty: nothing was told of it."},
            "assignments": {"type": "array", "items": assignment},
            "version": {"type": "integer", "minimum": 1},
            "updated_at": INSTANT,
        }
    )


def _listed_resources() -> Json:
    row = an_object(
        {
            "kind": {"type": "string", "enum": list(resources.RESOURCE_KINDS)},
            "state": _STATE,
            "measure": _MEASURE,
            "count": _COUNT,
            "unknown": _COUNT | {"description": "Of unknown size; they add nothing to it."},
            "size": _SIZE,
            "free": _SIZE,
        }
    )
    summary: Json = {"type": "array", "items": row, "description": "All that match, by kind and state."}
    return {"allOf": [page({"$ref": "#/components/schemas/Resource"}), an_object({"on": _DAY, "summary": summary})]}


def _listed_carriers() -> Json:
    words = carriers.definitions("en")
    tenant = an_object(
        {"id": _TEXT, "name": nullable(_TEXT), "status": _TEXT, "stage": _STAGE, "floor_m2": nullable(_SIZE)}
    )
    let: Json = {
        "floor_m2": nullable(_SIZE),
        "let_m2": _SIZE | {"description": words["let_m2"]},
        "vacant_m2": nullable(_SIZE) | {"description": words["vacant_m2"]},
        "over_m2": _SIZE | {"description": "More is let than there is, by so much."},
        "rate": nullable(_RATE) | {"description": words["rate"]},
        "tenants": _COUNT | {"description": words["tenants"]},
        "untold": _COUNT | {"description": words["untold"]},
    }
    names = ("name", "zone", "parent", "park", "parcel", "industry", "chain", "lead_unit", "officer", "source", "as_of")
    item = an_object(
        {
            "project_id": _TEXT,
            **{name: nullable(_TEXT) for name in names},
            "status": _TEXT,
            "stage": _STAGE,
            "investment": nullable(_COUNT),
            "built": {"type": "boolean"},
            **let,
            "items": {"type": "array", "items": tenant},
        }
    )
    sums: Json = {
        name: (nullable(_RATE) if name == "rate" else _SIZE if name.endswith("_m2") else _COUNT) | {"description": said}
        for name, said in words.items()
    }
    definitions: Json = {"type": "object", "additionalProperties": _TEXT}
    return {"allOf": [page(item), an_object({"summary": an_object(sums), "definitions": definitions})]}


def _matched() -> Json:
    place = an_object(
        {
            "kind": {"type": "string", "enum": ["resource", "carrier"]},
            "id": _TEXT,
            "name": nullable(_TEXT),
            "what": nullable({"type": "string", "enum": list(resources.RESOURCE_KINDS)}),
            "measure": _MEASURE,
            "free": _SIZE,
            "state": _STATE,
            "ready_by": nullable(DATE),
            "park": nullable(_TEXT),
            "parcel": nullable(_TEXT),
            "trades": {"type": "array", "items": _TEXT, "description": "The industries it takes; none named: all."},
            "spare": _SIZE | {"description": "What would be left of it."},
            "why": {"type": "array", "items": _TEXT, "description": "Codes of the reasons."},
            "text": _TEXT | {"description": "The reasons in a sentence."},
        }
    )
    names = ("name", "zone", "industry", "chain", "park", "parcel", "lead_unit", "group_head", "officer")
    return an_object(
        {
            "project_id": _TEXT,
            **{name: nullable(_TEXT) for name in names},
            "status": _TEXT,
            "stage": _STAGE,
            "stage_since": nullable(DATE),
            "seeks": _SEEKS,
            "area_mu": nullable(_SIZE),
            "floor_m2": nullable(_SIZE),
            "investment": nullable(_COUNT),
            "matches": {"type": "array", "items": place, "description": "The best first."},
            "none": nullable(an_object({"code": _TEXT, "text": _TEXT})) | {"description": "Why nothing fits."},
        }
    )
