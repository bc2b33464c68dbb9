"""What the tracker answers about follow-ups, weekly reports, and the days a person held something, as OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator

from luodi.domain.taskforce import WAYS
from schemas.openapi import CURSOR, DATE, INSTANT, LIMIT, Json, an_object, nullable, page, path_parameter, query

LIGHTS = ("green", "yellow", "red", "grey", "blue")
HELD = ("officer", "group_head", "lead_unit", "leader", "vice_leader")

_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_FLAG: Json = {"type": "boolean"}
_DAY: Json = {"type": "string", "format": "date"}

_PROJECT: Json = {
    "project_id": _TEXT,
    "name": nullable(_TEXT),
    "zone": nullable(_TEXT),
    "parent": nullable(_TEXT),
    "key": nullable(_FLAG),
    "officer": nullable(_TEXT),
    "group_head": nullable(_TEXT),
    "lead_unit": nullable(_TEXT),
}

Question = tuple[str, str, list[Json], Json]


def questions() -> Iterator[tuple[str, Question, bool]]:
    """Every address: its path; operation, summary, parameters and answer; whether what is asked for may be missing."""
    yield (
        "/v1/followups",
        (
            "followups",
            "跟进记录 · What task forces logged, the project followed up last first, of each the newest first",
            [
                *(query(name, title) for name, title in _FILTERS),
                query("way", "方式", {"type": "string", "enum": list(WAYS)}),
                query("actor", "跟进人 · Who logged it."),
                query("since", "Not before this business date.", _DAY),
                query("until", "Not after this business date.", _DAY),
                query("needs_leader", "需领导协调 · Only the one of each project that stands, and says so.", _FLAG),
                query("next_before", "Only the one that stands, where its next date is before this day.", _DAY),
                query("key", "重点", _FLAG),
                query("q", "Part of the name or the id of the project."),
                LIMIT,
                CURSOR,
            ],
            page({"$ref": "#/components/schemas/LoggedFollowup"}),
        ),
        True,
    )
    yield (
        "/v1/weekly",
        (
            "weekly",
            "周报 · The weekly report of a project, or of all that a task force follows",
            [
                query("project_id", "One project."),
                query("team", "专班 · All projects that a task force follows, but for those withdrawn."),
                query("week", "`2026-W10`, or a business date of the week; this week when absent."),
                LIMIT,
                CURSOR,
            ],
            {"$ref": "#/components/schemas/Weekly"},
        ),
        True,
    )
    yield (
        "/v1/people/{person_id}/days",
        (
            "person.days",
            "任职天数 · On which days a person held what projects named, by light",
            [
                path_parameter("person_id"),
                query("zone", "园区"),
                query("since", "From this business date on.", _DAY),
                query("until", "Up to and including this business date; today when absent.", _DAY),
                LIMIT,
                CURSOR,
            ],
            {"$ref": "#/components/schemas/PersonDays"},
        ),
        False,
    )


def schemas() -> Json:
    """The schemas that the answers name."""
    followup = _followup()
    return {
        "Followups": an_object(
            {
                "count": {"type": "integer", "minimum": 1, "description": "All that were logged."},
                "stands": nullable(followup)
                | {"description": "The last but for those that said 本周无变化: its next step and date stand."},
                "items": {
                    "type": "array",
                    "items": followup,
                    "minItems": 1,
                    "description": "The latest, newest first.",
                },
            }
        ),
        "LoggedFollowup": an_object({**_PROJECT, **followup["properties"]}),
        "Weekly": _weekly(),
        "PersonDays": _days(),
    }


def _followup() -> Json:
    return an_object(
        {
            "id": _TEXT,
            "date": DATE,
            "way": nullable({"type": "string", "enum": list(WAYS)}),
            "done": nullable(_TEXT),
            "next": nullable(_TEXT),
            "next_date": nullable(DATE),
            "needs_leader": _FLAG,
            "unchanged": _FLAG | {"description": "本周无变化"},
            "note": nullable(_TEXT),
            "actor": nullable(_TEXT),
            "recorded_at": INSTANT,
        }
    )


def _weekly() -> Json:
    line = an_object({"text": _TEXT, "date": nullable(DATE), "event_id": nullable(_TEXT), "actor": nullable(_TEXT)})
    lines: Json = {"type": "array", "items": line}
    report = an_object(
        {
            **_PROJECT,
            "updated": _FLAG | {"description": "Something was recorded in the week."},
            "unchanged": _FLAG | {"description": "本周无变化 was all of it."},
            "progress": lines | {"description": "本周进展"},
            "plan": lines | {"description": "下周计划"},
            "problems": lines | {"description": "存在问题"},
            "coordination": lines | {"description": "需协调"},
            "text": _TEXT,
        }
    )
    team = an_object({"id": _TEXT, "name": _TEXT, "zone": _TEXT, "chain": nullable(_TEXT), "head": nullable(_TEXT)})
    counted = ("projects", "updated", "unchanged", "not_updated", "with_problems", "to_coordinate")
    return an_object(
        {
            "week": {"type": "string", "pattern": "^[0-9]{4}-W[0-9]{2}$"},
            "from": DATE,
            "to": DATE,
            "team": nullable(team),
            "counts": an_object(dict.fromkeys(counted, _COUNT)) | {"description": "Of the items of this page."},
            "items": {"type": "array", "items": report},
            "next": nullable(_TEXT),
        }
    )


def _days() -> Json:
    days = an_object({"held": _COUNT, **dict.fromkeys(LIGHTS, _COUNT)})
    item = an_object(
        {
            **{name: _PROJECT[name] for name in ("project_id", "name", "zone")},
            "field": {"type": "string", "enum": list(HELD)},
            "from": DATE,
            "to": DATE,
            "days": days,
        }
    )
    total = an_object({"projects": _COUNT, "days": days})
    return an_object(
        {
            "person_id": _TEXT,
            "known_at": INSTANT | {"description": "The days are those true by what was known then."},
            "from": nullable(DATE),
            "to": DATE,
            "totals": {
                "type": "object",
                "properties": dict.fromkeys(HELD, total),
                "description": "By the field of the project that names the person, or what comes down to the person.",
            },
            "items": {"type": "array", "items": item},
            "next": nullable(_TEXT),
        }
    )


_FILTERS = (
    ("project_id", "项目"),
    ("team", "专班"),
    ("zone", "园区"),
    ("industry", "行业"),
    ("chain", "产业链"),
    ("park", "园区/载体"),
    ("leader", "责任领导"),
    ("vice_leader", "分管领导"),
    ("lead_unit", "牵头单位"),
    ("group_head", "专班组长"),
    ("officer", "专员"),
)
