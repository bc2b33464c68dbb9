"""The OpenAPI document of the tracker: the queries and what they answer."""

from __future__ import annotations

from typing import get_args

from luodi.domain.forecast import MIN_ENDED
from luodi.domain.rules import Since
from luodi.domain.stages import KINDS, ROUTES, STAGES
from luodi.domain.verifying import RESULTS
from schemas import (
    openapi_blockers,
    openapi_decisions,
    openapi_drives,
    openapi_enterprises,
    openapi_people,
    openapi_places,
    openapi_pool,
    openapi_procedures,
    openapi_taskforce,
    openapi_zones,
)
from schemas.catalog.blockers import BLOCKER_KINDS
from schemas.catalog.projects import ProjectRegistered
from schemas.fields import ID
from schemas.openapi import (
    AFTER,
    CURSOR,
    DATE,
    INSTANT,
    LANGUAGE,
    LIMIT,
    Json,
    an_object,
    answer,
    document,
    nullable,
    page,
    path_parameter,
    problems,
    query,
)

LIGHTS = ("green", "yellow", "red", "grey", "blue")
STATUSES = ("active", "suspended", "withdrawn", "pool")
GROUPS = ("industry", "chain", "park", "leader", "lead_unit", "month", "origin")
SORTS_TEXT = "A field to sort by, `-` before it for descending; `id` when absent."

_DESCRIPTION = (
    "Answers what is known of the projects, and of the units, persons and posts that work on them. A parameter that may"
    " have several values takes them repeated or with commas"
    " between. Answers carry an ETag; lights turn at midnight without an event, so it includes the business date."
)

_KNOWN_AT = query(
    "known_at",
    "What was known at this instant, or at the end of this business date: the record as it stood, lights read then.",
)
_AS_OF = query(
    "as_of",
    "What was true at the end of this business date by what is known now, or was known at `known_at`.",
    {"type": "string", "format": "date"},
)

_ASKED: Json = an_object({"known_at": INSTANT, "as_of": DATE}, []) | {"description": "When the past was asked for."}

_VERIFICATION_FILTERS = frozenset(
    {
        *("zone", "class", "industry", "chain", "park", "leader", "vice_leader", "lead_unit", "group_head", "officer"),
        *("parent", "carrier", "route", "kind", "status", "key", "q"),
    }
)

_TEXT_FILTERS = (
    ("industry", "行业"),
    ("class", "分类"),
    ("chain", "产业链"),
    ("park", "园区/载体"),
    ("leader", "责任领导"),
    ("vice_leader", "分管领导"),
    ("lead_unit", "牵头单位"),
    ("group_head", "专班组长"),
    ("officer", "专员"),
    ("parent", "上级项目"),
    ("carrier", "所在载体"),
)


def build() -> Json:
    """The whole document."""
    paths: Json = {
        "/v1/projects": {
            "get": _query(
                "projects",
                "项目列表 · Projects",
                [*_filters(), query("sort", SORTS_TEXT), LIMIT, CURSOR],
                _page_of_the_past(page(_ref("Project"))),
            )
        },
        "/v1/projects/{project_id}": {
            "get": _of_one("project", "项目 · One project", _ref("Project"), _KNOWN_AT, _AS_OF)
        },
        "/v1/projects/{project_id}/timeline": {
            "get": _of_one(
                "timeline", "时间线 · Every event of a project, oldest first", page(_ref("TimelineItem")), _KNOWN_AT
            )
        },
        "/v1/projects/{project_id}/clock": {
            "get": _of_one("clock", "时钟 · The clocks of a project, explained", _ref("Clocks"), _KNOWN_AT, _AS_OF)
        },
        "/v1/projects/{project_id}/history": {
            "get": _of_one(
                "history",
                "历史 · What was true on each day, when red was shown, how late was reported",
                _ref("History"),
                _KNOWN_AT,
            )
        },
        "/v1/stalled": {
            "get": _query(
                "stalled",
                "滞后清单 · Every clock past due, or with the lights asked for",
                [*_filters(), query("sort", SORTS_TEXT), LIMIT, CURSOR],
                _page_of_the_past(page(_ref("Stalled"))),
            )
        },
        "/v1/forecast": {
            "get": _query(
                "forecast",
                "预测依据 · How long each gap takes: what like projects of the zone took",
                [query("zone", "园区")],
                _ref("Outlooks"),
            )
        },
        "/v1/funnel": {
            "get": _query(
                "funnel",
                "漏斗 · Projects by stage",
                [
                    query("zone", "园区"),
                    query("group_by", "One funnel per value of this.", {"type": "string", "enum": list(GROUPS)}),
                    _KNOWN_AT,
                    _AS_OF,
                ],
                _ref("Funnel"),
            )
        },
        "/v1/verifications": {
            "get": _query(
                "verifications",
                "待核实 · Reports of milestones that wait for verification, the oldest first",
                [
                    *(each for each in _filters() if each["name"] in _VERIFICATION_FILTERS),
                    LIMIT,
                    CURSOR,
                ],
                page(_ref("AwaitingReport")),
            )
        },
        "/v1/blockers": {
            "get": _query(
                "blockers",
                "问题清单 · The blockers of all projects, with what is owed in numbers",
                openapi_blockers.PARAMETERS,
                _ref("ListedBlockers"),
            )
        },
    }
    for path, asked in (openapi_pool.QUERIES | openapi_places.QUERIES | openapi_decisions.QUERIES).items():
        paths[path] = {"get": _query(*asked)}
        if path in openapi_places.OF_ONE | openapi_decisions.OF_ONE:
            paths[path]["get"]["responses"] |= problems(404)
    for path, question, may_be_missing in openapi_zones.questions():
        paths[path] = {"get": _query(*question)}
        if may_be_missing:
            paths[path]["get"]["responses"] |= problems(404)
    for subject, name, path in openapi_people.addresses():
        paths[path] = {"get": _query(*openapi_people.question(subject, name))}
        if name != "list":
            paths[path]["get"]["responses"] |= problems(404)
    paths |= {path: {"get": _query(*asked)} for path, asked in openapi_drives.questions().items()}
    paths |= openapi_enterprises.tracker_paths(_query)
    for path, name, summary, parameters, schema in openapi_procedures.questions():
        paths[path] = {"get": _query(name, summary, parameters, schema)}
    for path, asked, missing in openapi_taskforce.questions():
        paths[path] = {"get": _query(*asked)}
        paths[path]["get"]["responses"] |= problems(404) if missing else {}
    named = openapi_people.schemas() | openapi_procedures.schemas() | openapi_zones.schemas(_funnel())
    return document("tracker", _DESCRIPTION, paths, _schemas() | named | openapi_taskforce.schemas())


def _query(name: str, summary: str, parameters: list[Json], schema: Json) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["queries"],
        "parameters": [*parameters, AFTER, LANGUAGE],
        "responses": {
            "200": answer("The answer", schema)
            | {"headers": {"ETag": {"schema": {"type": "string"}, "description": "For If-None-Match."}}},
            "304": {"description": "Nothing has changed since the ETag in If-None-Match"},
            **problems(400, 401, 503),
        },
    }


def _of_one(name: str, summary: str, schema: Json, *parameters: Json) -> Json:
    operation = _query(name, summary, [path_parameter("project_id"), *parameters], schema)
    operation["responses"] |= problems(404)
    return operation


def _page_of_the_past(schema: Json) -> Json:
    """A page that says what it was asked for where that was the past."""
    return {**schema, "properties": {**schema["properties"], "asked": _ASKED}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _filters() -> list[Json]:
    return [
        query("zone", "园区"),
        query("stage", "当前节点", {"type": "string", "enum": list(STAGES)}),
        query("light", "灯色", {"type": "string", "enum": list(LIGHTS)}),
        query("status", "状态; withdrawn ones only when asked for", {"type": "string", "enum": list(STATUSES)}),
        query("route", "路径", {"type": "string", "enum": list(ROUTES)}),
        query("kind", "类别", {"type": "string", "enum": list(KINDS)}),
        query("key", "重点", {"type": "boolean"}),
        *(query(name, title) for name, title in _TEXT_FILTERS),
        query("lane", "通道, e.g. 拿地即开工; of the present only."),
        query("blocker", "有未解决困难的类别", {"type": "string", "enum": list(BLOCKER_KINDS)}),
        query("due_before", "Clocks due before this day.", {"type": "string", "format": "date"}),
        query("updated_before", "No event since this day or instant."),
        query(
            "grey_over",
            "长期灰灯 · Grey for more than so many days and for a reason that somebody could end.",
            {"type": "integer", "minimum": 0, "maximum": 10_000},
        ),
        query(
            "stale",
            "未更新 · Not kept up: nothing recorded for 5 (key projects) or 20 working days.",
            {"type": "boolean"},
        ),
        query("team", "专班 · The projects that a task force follows."),
        query("q", "Part of the name or the id."),
        _KNOWN_AT,
        _AS_OF,
    ]


def _schemas() -> Json:
    text: Json = {"type": "string"}
    reason = an_object({"code": text, "text": text})
    light: Json = {"type": "string", "enum": list(LIGHTS)}
    days = an_object(
        {
            "used": {"type": "integer"},
            "limit": {"type": "integer"},
            "unit": {"type": "string", "enum": ["working_days", "calendar_days"]},
        }
    )
    gap: Json = {"type": "array", "items": text, "minItems": 2, "maxItems": 2}
    clock = an_object(
        {
            "gap": gap,
            "rule": text,
            "preset": text,
            "version": DATE | {"description": "The date from which this version of the rule holds."},
            "basis": text,
            "title": nullable(text) | {"description": "What the rule is called; the zone's default needs no name."},
            "consequence": nullable(text) | {"description": "What follows when the rule is broken."},
            "link": nullable(text),
            "light": light,
            "counted_from": {"type": "string", "enum": list(get_args(Since))},
            "start": DATE,
            "due": DATE,
            "warn": nullable(DATE),
            "days": days,
            "charged": {
                "type": "array",
                "items": an_object({"owner": nullable(text), "days": {"type": "integer", "minimum": 1}}),
                "description": "Paused calendar days up to today by the unit they are charged to.",
            },
            "provisional": {"type": "boolean", "description": "暂估: a year whose holidays are not published."},
            "reason": reason,
        }
    )
    closed = an_object(
        {
            "gap": gap,
            "rule": text,
            "preset": text,
            "version": DATE,
            "start": DATE,
            "closed": DATE,
            "due": DATE,
            "days": {"type": "integer", "minimum": 0, "description": "Counted days, as the rule counts."},
            "over": {"type": "integer", "minimum": 0, "description": "Calendar days past the due date."},
            "verdict": {"type": "string", "enum": ["in_time", "late"]},
        }
    )
    verdict = _verdict()
    milestone = an_object(
        {
            "stage": {"type": "string", "enum": list(STAGES)},
            "date": nullable(DATE),
            "recorded_at": INSTANT,
            "event_id": text,
            "actor": nullable(text),
            "note": nullable(text),
            "corrects": nullable(text) | {"description": "The report that counted before it; null: it is the first."},
            "first_recorded_at": INSTANT | {"description": "Of the first of the reports that it corrects."},
            "verified": nullable(verdict) | {"description": "已核实; null: 已报, nobody else has looked at it yet."},
        }
    )
    pause = an_object(
        {
            "from": DATE,
            "until": DATE,
            "end": DATE | {"description": "The first day that counts again: after `until`, or the day of the clear."},
            "approver": text,
            "reason": nullable(text),
            "document": nullable(text),
            "number": {"type": "integer", "minimum": 1, "description": "Its place among the project's approvals."},
            "event_id": text,
            "recorded_at": INSTANT,
        }
    )
    blocker = openapi_blockers.blocker(pause, light, reason)
    return {
        "Project": _project(clock, closed, milestone, blocker, reason, light),
        **openapi_blockers.schemas(blocker),
        **openapi_decisions.schemas(light, reason),
        "RollUp": _rollup(light),
        **openapi_pool.schemas(),
        **openapi_places.schemas(),
        "Clocks": an_object(
            {
                "project_id": text,
                "as_of": DATE,
                "light": nullable(light),
                "reason": nullable(reason),
                "clocks": {"type": "array", "items": _ref("ExplainedClock")},
                "promises": {"type": "array", "items": {"allOf": [blocker, _explained(reason, light)]}},
                "closed": {
                    "type": "array",
                    "items": {"allOf": [closed, an_object({"name": text, "text": text})]},
                    "description": "The gaps that were closed, each with its verdict under the rules of that day.",
                },
            }
        ),
        "History": _history(light, reason, gap),
        "ExplainedClock": {
            "allOf": [clock, _explained(reason, light), _counting(), an_object({"forecast": _forecast()})]
        },
        "Outlooks": _outlooks(gap),
        **openapi_drives.schemas(light, reason, gap),
        "TimelineItem": an_object(
            {
                "id": text,
                "type": text,
                "date": nullable(DATE),
                "recorded_at": INSTANT,
                "actor": nullable(text),
                "data": {"type": "object"},
                "retracted": {"type": "boolean"},
                "verified": nullable(verdict) | {"description": "Of a report of a milestone; see `result`."},
                "without_effect": nullable(reason) | {"description": "Why a verification changes nothing."},
            }
        ),
        "Stalled": an_object(
            {
                "project_id": text,
                "name": nullable(text),
                "parent": nullable(text),
                "gap": nullable(gap),
                "light": light,
                "due": DATE,
                "days_over": {"type": "integer", "minimum": 0},
                "leader": nullable(text),
                "officer": nullable(text),
                "holders": _holders(),
                "reason": reason,
                "rule": text,
            }
        ),
        "AwaitingReport": _awaiting_report(reason),
        "Funnel": _funnel(),
    }


def _holders() -> Json:
    return {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Who holds on the day looked at what the project names: by field (`officer`, `group_head`, "
        "`lead_unit`, `leader`, `vice_leader`), the holder of the post, the head of the unit, or whoever took over "
        "from the person; leave is no part of it.",
    }


def _verdict() -> Json:
    """What another person said of a report of a milestone."""
    text: Json = {"type": "string"}
    return an_object(
        {
            "result": {"type": "string", "enum": list(RESULTS)},
            "by": text,
            "at": INSTANT,
            "reason": nullable(text),
            "event_id": text,
        }
    )


def _waiting(reason: Json) -> Json:
    """A report that somebody other than its reporter should look at."""
    text: Json = {"type": "string"}
    return an_object(
        {
            "event_id": text,
            "stage": {"type": "string", "enum": list(STAGES)},
            "date": nullable(DATE),
            "recorded_at": INSTANT,
            "actor": nullable(text),
            "note": nullable(text),
            "reasons": {
                "type": "array",
                "items": reason,
                "minItems": 1,
                "description": "`reported-late`: dated over 5 working days back; `ended-red`: it ended a red light.",
            },
        }
    )


def _awaiting_report(reason: Json) -> Json:
    text: Json = {"type": "string"}
    named: Json = {"project_id": text}
    named |= {name: nullable(text) for name in ("name", "zone", "parent", "lead_unit", "group_head", "officer")}
    waiting = _waiting(reason)
    return an_object({**named, "holders": _holders(), **waiting["properties"]})


def _forecast() -> Json:
    """What is to be expected of a clock."""
    text: Json = {"type": "string"}
    return nullable(
        an_object(
            {
                "route": nullable(text),
                "industry": nullable(text) | {"description": "null: the projects of the route, or of all routes."},
                "n": {"type": "integer", "description": "Cases, those still open included."},
                "ended": {"type": "integer", "minimum": MIN_ENDED},
                "p50": nullable(DATE) | {"description": "Half of the like projects get there by then."},
                "p85": nullable(DATE) | {"description": "null: beyond what any of them took."},
                "chance": nullable({"type": "number", "minimum": 0, "maximum": 1})
                | {"description": "That the stage is reached by the due date."},
                "text": text,
            }
        )
    ) | {"description": f"null while fewer than {MIN_ENDED} like projects have reached the stage."}


def _outlooks(gap: Json) -> Json:
    days = nullable({"type": "integer", "minimum": 0})
    item = an_object(
        {
            "zone": {"type": "string"},
            "gap": gap,
            "route": nullable({"type": "string"}),
            "industry": nullable({"type": "string"}),
            "n": {"type": "integer", "description": "Cases, those still open included."},
            "ended": {"type": "integer", "minimum": MIN_ENDED},
            "p50": days | {"description": "Net days by which half of them get there; null: not seen yet."},
            "p85": days,
        }
    )
    return an_object(
        {
            "items": {"type": "array", "items": item},
            "next": {"type": "null"},
            "least": {"type": "integer", "description": "A group of fewer cases that came to their end is silent."},
        }
    )


def _explained(reason: Json, light: Json) -> Json:
    """What every explanation tells: a text, and the changes ahead."""
    told = an_object(
        {
            "role": {"type": "string", "description": "The field under which the project names them."},
            "who": nullable({"type": "string"}),
        }
    )
    change = an_object({"on": DATE, "light": light, "reason": reason, "tell": {"type": "array", "items": told}})
    return an_object(
        {
            "text": {"type": "string", "description": "The clock in a few sentences, for people."},
            "next": {"type": "array", "items": change, "description": "If nobody acts, up to the first red."},
        }
    )


def _counting() -> Json:
    """Which days a clock counted, and which it left out."""
    text: Json = {"type": "string"}
    days: Json = {"type": "integer", "minimum": 0}
    left_out = an_object(
        {
            "why": {"type": "string", "enum": ["holiday", "weekend", "pause"]},
            "days": days,
            "text": text,
            "name": nullable(text),
            "from": DATE,
            "to": DATE,
            "blocker": text,
            "kind": text,
            "owner": nullable(text),
        },
        ["why", "days", "text"],
    )
    counting = an_object(
        {
            "from": DATE | {"description": "The first day that may count: the day after day 0."},
            "through": DATE,
            "calendar_days": days | {"description": "From `from` to `through`: `counted` and all that is left out."},
            "counted": days,
            "unit": {"type": "string", "enum": ["working_days", "calendar_days"]},
            "excluded": {"type": "array", "items": left_out},
            "made_up": {
                "type": "array",
                "items": an_object({"date": DATE, "name": nullable(text)}),
                "description": "补班: weekend days that counted.",
            },
        }
    )
    pause = an_object(
        {
            "from": DATE,
            "to": DATE | {"description": "The last paused day."},
            "open": {"type": "boolean"},
            "blocker": text,
            "kind": text,
            "kind_name": text,
            "cause": text,
            "owner": nullable(text),
            "approver": text,
            "document": nullable(text),
            "until": DATE,
            "reason": nullable(text),
        }
    )
    return an_object(
        {
            "name": text,
            "counting": counting,
            "pauses": {"type": "array", "items": pause},
        }
    )


def _project(clock: Json, closed: Json, milestone: Json, blocker: Json, reason: Json, light: Json) -> Json:
    registered = openapi_people.registered_fields(ProjectRegistered)
    stage = nullable({"type": "string", "enum": list(STAGES)})
    derived: Json = {
        "id": {"type": "string", "pattern": f"^{ID.pattern}$"},
        "registered": {"type": "boolean", "description": "false: events came in before the registration."},
        "status": {"type": "string", "enum": list(STATUSES)},
        "stage": stage,
        "stage_since": nullable(DATE),
        "next_stage": stage,
        "light": nullable(light) | {"description": "null in the pool."},
        "reason": nullable(reason),
        "grey_since": nullable(DATE)
        | {"description": "Since when it has been grey for a reason that somebody could end."},
        "missing": {
            "type": "array",
            "items": {"type": "string"},
            "description": "缺报: earlier stages never reported.",
        },
        "warnings": {
            "type": "array",
            "items": reason,
            "description": "What in the record does not fit together; `likely-duplicate`: one investor, one parcel.",
        },
        "reached": {"type": "object", "additionalProperties": nullable(DATE)},
        "clocks": {"type": "array", "items": clock},
        "closed": {"type": "array", "items": closed},
        "verified": {
            "type": "array",
            "items": {"type": "string", "enum": list(STAGES)},
            "description": "已核实: of the stages reached on the route those whose report another person verified.",
        },
        "milestones": {"type": "array", "items": milestone},
        "returned": {
            "type": "array",
            "items": milestone,
            "description": "退回: reports that another person returned, with the reason; they count for nothing.",
        },
        "plans": {"type": "array", "items": {"type": "object"}},
        "progress": {"type": ["object", "null"]},
        "blockers": {"type": "array", "items": blocker},
        "suspensions": {"type": "array", "items": {"type": "object"}},
        "withdrawn": {"type": ["object", "null"]},
        "land_contract": {"type": ["object", "null"]},
        "annual_plans": {"type": "array", "items": {"type": "object"}},
        "statistics": {"type": ["object", "null"]},
        **openapi_drives.chapters(),
        "version": {"type": "integer", "minimum": 1},
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "awaiting": {
            "type": "array",
            "items": _waiting(reason),
            "description": "待核实: reports that wait for verification now; empty in answers about the past.",
        },
        "pool": nullable(_ref("Pooled")) | {"description": "储备与对接: what is known from before its signature."},
        "procedures": {"type": "array", "items": _ref("Procedure"), "description": "审批事项."},
        "services": nullable(openapi_enterprises.SERVICES) | {"description": "Services given for the project."},
        "measures": openapi_enterprises.MEASURES,
        "holders": _holders(),
        "stale": nullable(an_object({"since": DATE, "workdays": {"type": "integer", "minimum": 0}, "reason": reason}))
        | {"description": "未更新: nothing was recorded for so many working days. null: it is kept up."},
        "followups": nullable(_ref("Followups")),
        "rollup": nullable(_ref("RollUp"))
        | {"description": "Phases and tenants; follows them within about a second. null where there are none."},
    }
    return an_object({**derived, **registered, "asked": _ASKED}, [*derived, *registered])


def _history(light: Json, reason: Json, gap: Json) -> Json:
    text: Json = {"type": "string"}
    count: Json = {"type": "integer", "minimum": 0}
    span = an_object(
        {
            "from": DATE,
            "to": nullable(DATE) | {"description": "The last day; null while it holds."},
            "stage": nullable({"type": "string", "enum": list(STAGES)}),
            "status": {"type": "string", "enum": list(STATUSES)},
            "light": nullable(light) | {"description": "null in the pool."},
            "reason": reason,
        }
    )
    red = an_object(
        {
            "gap": nullable(gap),
            "blocker": nullable(text),
            "from": DATE,
            "to": DATE,
            "known_from": INSTANT,
            "known_to": nullable(INSTANT) | {"description": "null while red still shows."},
            "days": count,
            "days_red_as_known": count | {"description": "Of these days, those that were red by what is known now."},
        }
    )
    report = an_object(
        {
            "stage": {"type": "string", "enum": list(STAGES)},
            "date": DATE,
            "recorded_at": INSTANT,
            "workdays": count,
            "late": {"type": "boolean"},
        }
    )
    return an_object(
        {
            "project_id": text,
            "known_at": INSTANT,
            "track": {"type": "array", "items": span},
            "was_red": {"type": "array", "items": red},
            "reporting": an_object({"counted": count, "late": count, "items": {"type": "array", "items": report}}),
        }
    )


def _rollup(light: Json) -> Json:
    count: Json = {"type": "integer", "minimum": 0}
    stage = nullable({"type": "string", "enum": list(STAGES)})
    member: Json = {
        "id": {"type": "string"},
        "name": nullable({"type": "string"}),
        "status": {"type": "string", "enum": list(STATUSES)},
        "stage": stage,
        "stage_since": nullable(DATE),
        "investment": nullable(count),
        "light": nullable(light) | {"description": "null in the pool."},
        "floor_m2": nullable({"type": "number", "minimum": 0}),
    }
    phase = an_object(
        {**member, "parent": {"type": "string"}, "depth": {"type": "integer", "minimum": 1, "maximum": 3}}
    )
    members: Json = {
        "count": {**count, "description": "Withdrawn ones, and those in the pool, left out."},
        "withdrawn": count,
        "lights": {"type": "object", "additionalProperties": count},
    }
    return an_object(
        {
            "light": nullable(light) | {"description": "The worst of its phases; null where it has only tenants."},
            "stage": stage | {"description": "The furthest that the project or a phase of it has reached."},
            "stage_since": nullable(DATE),
            "next_stage": stage,
            "all_producing": {"type": "boolean", "description": "全部投产: every phase produces."},
            "all_producing_since": nullable(DATE),
            "spread": {"type": "array", "items": an_object({"stage": stage, "phases": count})},
            "money": an_object(
                {
                    "investment": {**count, "description": "Of the phases, shown and never added to a total."},
                    "unknown": count,
                    "difference": nullable({"type": "integer"})
                    | {"description": "The project's own investment less that of its phases, where all are known."},
                    "arrived": nullable(count),
                }
            ),
            "phases": an_object({**members, "items": {"type": "array", "items": phase}}),
            "tenants": an_object(
                {
                    **members,
                    "items": {"type": "array", "items": an_object(member)},
                    "enterprises": count,
                    "producing": count,
                }
            ),
        }
    )


def _funnel() -> Json:
    count: Json = {"type": "integer", "minimum": 0}
    total = an_object(
        dict.fromkeys(
            (
                "projects",
                "withdrawn",
                "agreements",
                "increments",
                "enterprises",
                "enterprises_producing",
                "investment",
                "investment_unknown",
                "increment_investment",
            ),
            count,
        )
    )
    stage = an_object(
        {
            "stage": {"type": "string", "enum": list(STAGES)},
            "reached": count,
            "verified": count,
            "current": count,
            "missing": count,
            "not_applicable": count,
            "investment": count,
        }
    )
    rate = an_object(
        {
            "numerator": count,
            "verified": nullable(count),
            "denominator": count,
            "percent": nullable({"type": "number", "minimum": 0}),
        }
    )
    rates = an_object(dict.fromkeys(("landed", "started", "producing", "funds_arrived"), rate))
    stages: Json = {"type": "array", "items": stage}
    return an_object(
        {
            "as_of": DATE,
            "zone": nullable({"type": "string"}),
            "asked": _ASKED,
            "total": total,
            "stages": stages,
            "rates": rates,
            "group_by": {"type": "string", "enum": list(GROUPS)},
            "groups": {
                "type": "array",
                "items": an_object(
                    {"key": nullable({"type": "string"}), "total": total, "stages": stages, "rates": rates}
                ),
            },
            "definitions": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        ["as_of", "zone", "total", "stages", "rates", "definitions"],
    )
