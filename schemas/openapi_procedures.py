"""What the tracker answers about procedures, as OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator

from luodi.domain.lights import LIGHTS
from luodi.domain.procedures import NOT_COUNTED, RESULTS, STATES
from schemas.openapi import CURSOR, DATE, INSTANT, LIMIT, Json, an_object, nullable, page, query

_TEXT: Json = {"type": "string"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_STATE: Json = {"type": "string", "enum": list(STATES)}
_LIGHT: Json = {"type": "string", "enum": list(LIGHTS)}
_UNIT: Json = {"type": "string", "enum": ["working_days", "calendar_days"]}
_GROUPS = ("unit", "kind")

_FILTERS: tuple[Json, ...] = (
    query("state", "状态", _STATE),
    query("kind", "事项, e.g. 施工许可"),
    query("unit", "责任单位 · The unit that decides."),
    query("light", "灯色", _LIGHT),
    query("lane", "通道 · Lane of the project, e.g. 绿色通道"),
    query("zone", "园区"),
    query("project_id", "项目"),
    query("status", "Status of the project; withdrawn ones only when asked for."),
    query("due_before", "To be decided before this day, or something missing is due before it.", DATE),
    query("q", "Part of the project's name or id."),
)


def questions() -> Iterator[tuple[str, str, str, list[Json], Json]]:
    """Every address: its path, operation, summary, parameters and answer."""
    yield (
        "/v1/procedures",
        "procedures",
        "审批事项 · Procedures across projects; those not decided unless a state is asked for",
        [*_FILTERS, LIMIT, CURSOR],
        page({"$ref": "#/components/schemas/ProcedureOfProject"}),
    )
    grouped = query("group_by", "`unit` when absent.", {"type": "string", "enum": list(_GROUPS)})
    yield (
        "/v1/procedures/summary",
        "procedures.summary",
        "审批汇总 · What each unit (or kind) has to decide on, what is overdue, and how it decided",
        [*_FILTERS, grouped],
        {"$ref": "#/components/schemas/ProcedureSummary"},
    )


def schemas() -> Json:
    """The schemas that the answers name."""
    of_project: Json = {
        "project_id": _TEXT,
        "project_name": nullable(_TEXT),
        **{name: nullable(_TEXT) for name in ("zone", "parent", "lead_unit", "group_head", "officer")},
        "lanes": nullable({"type": "array", "items": _TEXT}),
    }
    procedure = _procedure()
    listed = {**of_project, **procedure["properties"]}
    return {
        "Procedure": procedure,
        "ProcedureOfProject": an_object(listed),
        "ProcedureSummary": _summary(),
    }


def _procedure() -> Json:
    item = an_object(
        {
            "what": _TEXT,
            "asked": nullable(DATE) | {"description": "null: it came without having been asked for."},
            "due": nullable(DATE),
            "supplied": nullable(DATE),
        }
    )
    state = an_object(
        {
            "state": _STATE,
            "date": _TEXT,
            "result": nullable({"type": "string", "enum": list(RESULTS)}),
            "document": nullable(_TEXT),
            "note": nullable(_TEXT),
            "actor": nullable(_TEXT),
            "recorded_at": INSTANT,
            "event_id": _TEXT,
        }
    )
    stop = an_object(
        {
            "from": DATE,
            "to": nullable(DATE) | {"description": "The first day that counts again; null while nobody can tell."},
            "why": {"type": "string", "enum": [*NOT_COUNTED, "补正"]},
        }
    )
    limit = an_object(
        {
            "amount": _COUNT,
            "unit": _UNIT,
            "statutory": _COUNT | {"description": "By law, before any lane, pledge or extension."},
            "extended": _COUNT,
            "lane": nullable(_TEXT) | {"description": "The lane that shortened it."},
        }
    )
    return an_object(
        {
            "id": _TEXT,
            "kind": _TEXT,
            "name": _TEXT,
            "unit": nullable(_TEXT) | {"description": "The unit that decides; its clock is charged to it."},
            "number": nullable(_TEXT),
            "state": _STATE,
            "since": _TEXT,
            "start": nullable(_TEXT) | {"description": "受理: the day of acceptance, which is not counted."},
            "limit": nullable(limit) | {"description": "null: not accepted, or no statute is on file."},
            "basis": nullable(_TEXT),
            "due": nullable(DATE) | {"description": "null also while the clock stands still without an end."},
            "warn": nullable(DATE),
            "provisional": {"type": "boolean", "description": "暂估: a year whose holidays are not published."},
            "paused_by": {"type": "array", "items": stop},
            "ended": nullable(_TEXT),
            "result": nullable({"type": "string", "enum": list(RESULTS)}),
            "document": nullable(_TEXT),
            "over": nullable(_COUNT) | {"description": "Calendar days by which it was decided late."},
            "verdict": nullable({"type": "string", "enum": ["in_time", "late"]}),
            "missing": {"type": "array", "items": item},
            "missing_due": nullable(DATE) | {"description": "The first due date of what is still missing."},
            "states": {"type": "array", "items": state},
            "days": nullable(an_object({"used": _COUNT, "limit": _COUNT, "unit": _UNIT})),
            "days_over": _COUNT | {"description": "Calendar days past the due date, now or when decided."},
            "light": _LIGHT,
            "reason": an_object({"code": _TEXT, "text": _TEXT}),
            "note": nullable(_TEXT),
            "actor": nullable(_TEXT),
            "recorded_at": INSTANT,
        }
    )


def _summary() -> Json:
    row = an_object(
        {
            "unit": nullable(_TEXT) | {"description": "null: no unit is named."},
            "kind": _TEXT,
            **dict.fromkeys(("open", "overdue", "days_over", "missing_overdue", "ended", "in_time", "late"), _COUNT),
            "percent_used": nullable({"type": "number"}),
            "states": an_object(dict.fromkeys(STATES, _COUNT)),
            "lights": an_object(dict.fromkeys(LIGHTS, _COUNT)),
        },
        ["open", "overdue", "days_over", "missing_overdue", "ended", "percent_used", "states", "lights"],
    )
    return an_object(
        {
            "as_of": DATE,
            "group_by": {"type": "string", "enum": list(_GROUPS)},
            "items": {"type": "array", "items": row},
            "next": {"type": "null"},
            "definitions": {"type": "object", "additionalProperties": _TEXT},
        }
    )
