"""What the tracker answers about decisions (交办), as OpenAPI."""

from __future__ import annotations

from luodi.domain import decisions
from schemas.catalog.decisions import DecisionRegistered
from schemas.openapi import CURSOR, DATE, INSTANT, LIMIT, Json, an_object, nullable, page, path_parameter, query
from schemas.openapi_people import registered_fields

GROUPS = ("owner", "leader", "meeting", "zone", "level")

_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_OF_ONE = path_parameter("decision_id")

QUERIES: dict[str, tuple[str, str, list[Json], Json]] = {
    "/v1/decisions": (
        "decisions",
        "交办清单 · The decisions of meetings and leaders, with what is open in numbers",
        [
            query("zone", "园区"),
            query("owner", "责任单位: who must do it"),
            query("leader", "交办领导"),
            query("supervisor", "督办人"),
            query("meeting", "会议"),
            query("project_id", "项目"),
            query("level", "等级"),
            query(
                "status",
                "`open`, with `overdue` among them, or `done`. All when absent.",
                {"type": "string", "enum": list(decisions.STATUSES)},
            ),
            query("due_before", "Due before this day.", {"type": "string", "format": "date"}),
            query("group_by", "Divide the numbers by this, too.", {"type": "string", "enum": list(GROUPS)}),
            LIMIT,
            CURSOR,
        ],
        {"$ref": "#/components/schemas/ListedDecisions"},
    ),
    "/v1/decisions/{decision_id}": (
        "decision",
        "交办事项 · One decision",
        [_OF_ONE],
        {"$ref": "#/components/schemas/Decision"},
    ),
    "/v1/decisions/{decision_id}/timeline": (
        "decision.timeline",
        "交办事项时间线 · Every event of a decision, oldest first",
        [_OF_ONE],
        page({"$ref": "#/components/schemas/TimelineItem"}),
    ),
}
"""Address -> operation, summary, parameters, answer."""

OF_ONE = frozenset(path for path in QUERIES if "{" in path)


def schemas(light: Json, reason: Json) -> Json:
    """The schemas that the answers name."""
    tally: Json = {name: _COUNT | {"description": english} for name, (_, english) in decisions.DEFINITIONS.items()}
    said: Json = {"id": _TEXT, "note": nullable(_TEXT), "actor": nullable(_TEXT), "recorded_at": INSTANT}
    extension = an_object({**said, "due": DATE, "reason": nullable(_TEXT), "approver": nullable(_TEXT)})
    decision = an_object(
        {
            "id": _TEXT,
            "registered": {"type": "boolean", "description": "false: events came in before the registration."},
            **registered_fields(DecisionRegistered),
            "status": {"type": "string", "enum": [decisions.OPEN, decisions.DONE]},
            "first_due": nullable(DATE) | {"description": "The day given first; `due` is the one in force."},
            "extended": _COUNT | {"description": "How often the day was moved to a later one."},
            "extensions": {"type": "array", "items": extension},
            "reports": {"type": "array", "items": an_object({**said, "text": _TEXT}), "description": "Oldest first."},
            "done": nullable(DATE),
            "overdue": {"type": "boolean"},
            "days_over": _COUNT,
            "light": nullable(light),
            "reason": nullable(reason),
            "version": {"type": "integer", "minimum": 1},
            "updated_at": INSTANT,
        }
    )
    listed = page({"$ref": "#/components/schemas/Decision"})
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
    return {"Decision": decision, "ListedDecisions": listed}
