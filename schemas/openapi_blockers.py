"""What the tracker answers about the blockers of all projects, as OpenAPI."""

from __future__ import annotations

from luodi.domain import worked_off
from luodi.domain.rules import CAUSES
from schemas.catalog.blockers import BLOCKER_KINDS
from schemas.openapi import CURSOR, DATE, INSTANT, LIMIT, Json, an_object, nullable, page, query

GROUPS = ("owner", "kind", "cause", "level", "zone")

_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_CAUSE: Json = {"type": "string", "enum": list(CAUSES)}

PARAMETERS: list[Json] = [
    query("zone", "园区"),
    query("project_id", "项目"),
    query("owner", "责任单位: the unit that must act"),
    query("kind", "类别", {"type": "string", "enum": list(BLOCKER_KINDS)}),
    query("side", "成因方: on whose side the cause lies; the same as `cause`", _CAUSE),
    query("cause", "成因", _CAUSE),
    query("level", "等级: 一般, 协调, 重大, or what else the zone uses"),
    query(
        "status",
        "`open` with `overdue` and `unclaimed` (待认领) among them; `cleared`: waits for the enterprise; `confirmed`: "
        "dealt with (销号). All when absent.",
        {"type": "string", "enum": list(worked_off.STATUSES)},
    ),
    query("due_before", "Promised for a day before this one.", {"type": "string", "format": "date"}),
    query("group_head", "专班组长"),
    query("officer", "专员"),
    query("group_by", "Divide the numbers by this, too.", {"type": "string", "enum": list(GROUPS)}),
    LIMIT,
    CURSOR,
]


def blocker(pause: Json, light: Json, reason: Json) -> Json:
    """A blocker, as it stands with its project and in the list."""
    said: Json = {"id": _TEXT, "note": nullable(_TEXT), "actor": nullable(_TEXT), "recorded_at": INSTANT}
    return an_object(
        {
            "id": _TEXT,
            "kind": {"type": "string", "enum": list(BLOCKER_KINDS)},
            "cause": nullable(_CAUSE),
            "owner": nullable(_TEXT) | {"description": "The unit that must act now; null: 待认领."},
            "held_by": {
                "type": "array",
                "items": an_object({"owner": nullable(_TEXT), "to": DATE}),
                "description": "The units before it, each with the day from which it no longer had to act.",
            },
            "date": DATE,
            "promise": nullable(DATE),
            "first_promise": nullable(DATE),
            "postponed": _COUNT | {"description": "How often the promise was moved back."},
            "level": nullable(_TEXT) | {"description": "Picks the ladder by which a broken promise climbs."},
            "cleared": nullable(DATE),
            "pauses": {"type": "array", "items": pause},
            "updates": {"type": "array", "items": {"type": "object"}},
            "replies": {"type": "array", "items": an_object({**said, "text": _TEXT}), "description": "Oldest first."},
            "confirmation": nullable(an_object({**said, "by": _TEXT, "satisfied": {"type": "boolean"}}))
            | {"description": "What the enterprise said last about the clear."},
            "light": nullable(light),
            "reason": nullable(reason),
        },
        ["id", "kind", "owner", "promise", "light"],
    )


def schemas(blocker: Json) -> Json:
    """The schemas that the answer names."""
    tally: Json = {name: _COUNT | {"description": english} for name, (_, english) in worked_off.DEFINITIONS.items()}
    item: Json = {
        "allOf": [
            blocker,
            an_object(
                {
                    "project_id": _TEXT,
                    **{
                        name: nullable(_TEXT)
                        for name in ("name", "zone", "lead_unit", "leader", "group_head", "officer", "company_contact")
                    },
                    "status": {
                        "type": "string",
                        "enum": [worked_off.OPEN, worked_off.CLEARED, worked_off.CONFIRMED],
                    },
                    "overdue": {"type": "boolean"},
                    "days_over": _COUNT | {"description": "Calendar days past the promise."},
                    "charged": {
                        "type": "array",
                        "items": an_object({"owner": nullable(_TEXT), "days": _COUNT}),
                        "description": "The days for which it stopped a clock, by the unit that had to act on them.",
                    },
                }
            ),
        ]
    }
    listed = page({"$ref": "#/components/schemas/ListedBlocker"})
    listed["properties"] |= {
        "as_of": DATE,
        "summary": an_object(tally),
        "group_by": {"type": "string", "enum": list(GROUPS)},
        "groups": {
            "type": "array",
            "items": an_object({"key": nullable(_TEXT), **tally}),
            "description": "With `group_by`: the same numbers of each.",
        },
        "definitions": {"type": "object", "additionalProperties": _TEXT},
    }
    listed["required"] += ["as_of", "summary", "definitions"]
    return {"ListedBlocker": item, "ListedBlockers": listed}
