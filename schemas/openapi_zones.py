"""What the tracker answers about what stands on zones, as OpenAPI: figures, our own counts, targets, plans, 月报."""

from __future__ import annotations

from collections.abc import Iterator

from luodi.domain.corrections import COUNTED
from luodi.domain.measures import MEASURES
from luodi.domain.stages import STAGES
from schemas.fields import EVENT_ID, SPAN_PATTERN
from schemas.openapi import CURSOR, DATE, INSTANT, LIMIT, Json, an_object, nullable, page, path_parameter, query

_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "number"}
_WHOLE: Json = {"type": "integer"}
_COUNT: Json = {"type": "integer", "minimum": 0}
_MEASURE: Json = {"type": "string", "enum": list(MEASURES)}
_LINK = nullable(_TEXT) | {"description": "The address of the list behind our own number; null: there is none."}
_ZONE = query("zone", "园区")
_YEAR = query("year", "年度 · The year; this one when absent.", {"type": "integer", "minimum": 1980, "maximum": 2100})
_MONTH = query(
    "month",
    "序时至 · Up to the end of which month; when absent of those that are over.",
    {"type": "integer", "minimum": 1, "maximum": 12},
)
_PERIOD = query(
    "period",
    "期间 · Only what happened in this part of a year: 2026-05, 2026-01/2026-10.",
    {"type": "string", "pattern": SPAN_PATTERN},
)
_TRUE_OR_FALSE: Json = {"type": "boolean"}

Question = tuple[str, str, list[Json], Json]

GROUPS = ("lead_unit", "leader", "group_head", "industry", "chain", "park")
FILTERS = ("lead_unit", "leader", "group_head", "officer", "industry", "chain", "park")


def questions() -> Iterator[tuple[str, Question, bool]]:
    """Every address with operation, summary, parameters and answer, and whether it may not be found."""
    yield (
        "/v1/figures",
        (
            "figures",
            "上报数 · Reported figures beside the sum of their parts and beside our own count",
            [
                _ZONE,
                query("figure", "指标编号 · Only these figures."),
                query("period", "期间 · What was reported for this period, not the newest."),
                query("history", "Every period, not only the newest.", _TRUE_OR_FALSE),
            ],
            page(_ref("ReportedFigure")),
        ),
        False,
    )
    yield (
        "/v1/measures/{measure}",
        (
            "measure",
            "系统数清单 · The list behind one of our own numbers",
            [
                {"name": "measure", "in": "path", "required": True, "schema": _MEASURE},
                query("zone", "园区") | {"required": True},
                _YEAR,
                _PERIOD,
                query("unit", "牵头单位 · Only projects of this lead unit."),
                query("leader", "责任领导 · Only projects of this leader."),
                LIMIT,
                CURSOR,
            ],
            _ref("Counted"),
        ),
        True,
    )
    yield (
        "/v1/targets",
        (
            "targets",
            "年度目标 · Targets beside what was reached",
            [
                _ZONE,
                _YEAR,
                _MONTH,
                query("measure", "Only targets of this measure.", _MEASURE),
                query("unit", "Only those of this unit."),
                query("leader", "Only those of this leader."),
            ],
            _ref("Targets"),
        ),
        False,
    )
    yield (
        "/v1/annual-plans",
        (
            "annualPlans",
            "序时进度 · Investment plans of a year beside what was invested, those furthest behind first",
            [
                _ZONE,
                _YEAR,
                _MONTH,
                *(query(name, f"Only projects whose {name} is this.") for name in FILTERS),
                query("behind", "Only projects behind schedule.", _TRUE_OR_FALSE),
                query("group_by", "The sums by this, too.", {"type": "string", "enum": list(GROUPS)}),
                LIMIT,
                CURSOR,
            ],
            _ref("AnnualPlans"),
        ),
        False,
    )
    yield (
        "/v1/publications",
        (
            "publications",
            "月报 · What was published, the newest first",
            [_ZONE, query("period", "期间"), LIMIT, CURSOR],
            page(_ref("PublicationHead")),
        ),
        False,
    )
    of_one = [path_parameter("zone_id"), path_parameter("publication_id", f"^{EVENT_ID.pattern}$")]
    yield (
        "/v1/zones/{zone_id}/publications/{publication_id}",
        ("publication", "月报 · The numbers as they were known when they were published", of_one, _ref("Publication")),
        True,
    )
    yield (
        "/v1/zones/{zone_id}/publications/{publication_id}/corrections",
        (
            "corrections",
            "差异说明 · What was corrected since, by project and event",
            [
                *of_one,
                query("known_at", "Corrections known at this instant, or by the end of this day; now when absent."),
                LIMIT,
                CURSOR,
            ],
            _ref("Corrections"),
        ),
        True,
    )


def schemas(funnel: Json) -> Json:
    """The schemas that the answers name; `funnel`: that of a funnel's answer."""
    own = an_object({"count": _WHOLE, "amount": nullable(_WHOLE)})
    return {
        "ReportedFigure": _reported(own),
        "Counted": an_object(
            {
                "measure": _MEASURE,
                "name": _TEXT | {"description": "What is counted, in words."},
                "zone": _TEXT,
                "year": nullable(_WHOLE) | {"description": "null: how things stand."},
                "period": nullable(_TEXT) | {"description": "null: the whole year."},
                "unit": nullable(_TEXT),
                "leader": nullable(_TEXT),
                "own": own | {"description": "系统数: the sum of `counts` and of `amount` over the whole list."},
                "items": {"type": "array", "items": {"oneOf": [_counted_project(), _counted_enterprise()]}},
                "next": nullable(_TEXT),
            }
        ),
        "Targets": an_object(
            {
                "year": _WHOLE,
                "month": {"type": "integer", "minimum": 0, "maximum": 12},
                "items": {"type": "array", "items": _target()},
                "next": nullable(_TEXT),
            }
        ),
        "AnnualPlans": _plans(),
        "PublicationHead": an_object(_head()),
        "Publication": an_object(
            {**_head(), "settled": _SETTLED, **_numbers(funnel, own), "definitions": {"type": "object"}}
        ),
        "Corrections": _corrections(),
    }


_SETTLED: Json = {
    "type": "boolean",
    "description": "Whether everything recorded until then has arrived; true within seconds, and then for ever.",
}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _reported(own: Json) -> Json:
    number = nullable(_NUMBER)
    sums = an_object({"count": _WHOLE, "amount": _WHOLE})
    head: Json = {
        "zone": _TEXT,
        "id": _TEXT,
        "name": _TEXT,
        "source": _TEXT,
        "as_of": DATE,
        "definition": nullable(_TEXT) | {"description": "口径"},
        "measure": nullable(_TEXT) | {"description": "What of our own count it is set beside, in words."},
        "list": _LINK,
        "event_id": _TEXT,
        "recorded_at": INSTANT,
        "corrected": _COUNT | {"description": "How often it was reported before for the same period."},
        "period": nullable({"type": "string", "pattern": SPAN_PATTERN}),
    }
    figure = an_object(
        {
            "kind": {"const": "figure"},
            **head,
            "value": number,
            "unit": nullable(_TEXT),
            "word": nullable(_TEXT) | {"description": "Stands before the value: 超过, 约."},
            "before": number,
            "before_word": nullable(_TEXT),
            "change": number | {"description": "On the year before, in percent."},
            "project_id": nullable(_TEXT),
            "words": {"type": "array", "items": _TEXT},
            "own": nullable(_WHOLE) | {"description": "系统数"},
            "difference": number | {"description": "差额: reported less own."},
        }
    )
    whole = an_object(
        {
            "kind": {"const": "sum"},
            **head,
            "word": _TEXT | {"description": "How the parts stand to the whole: 主要, the main ones only."},
            "reported": sums | {"description": "上报数; amounts in yuan."},
            "parts": {"type": "array", "items": an_object({"name": _TEXT, "count": _WHOLE, "amount": _WHOLE})},
            "parts_sum": sums,
            "difference": sums | {"description": "差额: reported less the sum of the parts."},
            "named_amounts": {"type": "array", "items": _WHOLE},
            "own": nullable(own) | {"description": "系统数"},
            "own_difference": nullable(own),
            "text": _TEXT,
        }
    )
    return {"oneOf": [figure, whole]}


def _counted_project() -> Json:
    return an_object(
        {
            "id": _TEXT,
            "kind": {"const": "project"},
            "counts": _COUNT | {"description": "0: an increment, which adds its money alone."},
            "amount": nullable(_WHOLE) | {"description": "Yuan."},
            "date": nullable(DATE) | {"description": "When it reached the stage that is counted."},
            "name": nullable(_TEXT),
            "status": _TEXT,
            "stage": nullable({"type": "string", "enum": list(STAGES)}),
            "enterprise": nullable(_TEXT),
            "lead_unit": nullable(_TEXT),
            "leader": nullable(_TEXT),
        }
    )


def _counted_enterprise() -> Json:
    return an_object(
        {
            "id": _TEXT,
            "kind": {"const": "enterprise"},
            "counts": _COUNT,
            "name": nullable(_TEXT),
            "credit_code": nullable(_TEXT),
            "projects": {"type": "array", "items": _TEXT},
        }
    )


def _target() -> Json:
    number = nullable(_NUMBER)
    return an_object(
        {
            "id": _TEXT,
            "zone": _TEXT,
            "year": _WHOLE,
            "measure": nullable(_TEXT),
            "figure": nullable(_TEXT),
            "name": _TEXT,
            "owner": nullable(_TEXT) | {"description": "The unit whose target it is; null: the zone's or a leader's."},
            "leader": nullable(_TEXT),
            "value": _NUMBER,
            "unit": nullable(_TEXT),
            "first": _NUMBER | {"description": "原定: the value set first."},
            "changes": _COUNT,
            "by_month": nullable({"type": "array", "items": _NUMBER}),
            "own": number | {"description": "系统数, or the reported figure of the year; null: nothing is known yet."},
            "reported": number | {"description": "上报数: the figure of the year that the target names."},
            "difference": number | {"description": "差额: reached less the target."},
            "percent": number,
            "reached": nullable({"type": "boolean"}),
            "month": {"type": "integer", "minimum": 0, "maximum": 12},
            "expected": number | {"description": "序时: what is due by the end of the month."},
            "points": number | {"description": "Percentage points ahead of schedule; negative: behind."},
            "list": _LINK,
            "text": _TEXT,
        }
    )


def _pace() -> Json:
    return {
        "amount": _WHOLE | {"description": "Planned for the year, in yuan."},
        "planned": _WHOLE | {"description": "序时: planned up to the end of the month."},
        "invested": _WHOLE | {"description": "Invested in the year up to the end of the month, as reported."},
        "percent": nullable(_NUMBER) | {"description": "Invested ÷ the year's plan."},
        "expected": nullable(_NUMBER) | {"description": "Planned up to the month ÷ the year's plan."},
        "points": nullable(_NUMBER) | {"description": "Percentage points ahead; negative: behind."},
    }


def _plans() -> Json:
    together = {**_pace(), "plans": _COUNT, "unreported": _COUNT, "behind": _COUNT, "text": _TEXT}
    project = an_object(
        {
            "project_id": _TEXT,
            "name": nullable(_TEXT),
            "zone": nullable(_TEXT),
            "status": _TEXT,
            "stage": nullable(_TEXT),
            "parent": nullable(_TEXT),
            "officer": nullable(_TEXT),
            **dict.fromkeys(GROUPS, nullable(_TEXT)),
            **_pace(),
            "reported": {"type": "boolean"},
            "counted_since": nullable(DATE)
            | {"description": "The report with which the year opened; null: it opened with nothing, or none was made."},
            "in_sums": {"type": "boolean", "description": "false: a project above it has a plan of its own."},
            "text": _TEXT,
        }
    )
    return an_object(
        {
            "year": _WHOLE,
            "month": {"type": "integer", "minimum": 0, "maximum": 12},
            "zone": nullable(_TEXT),
            "summary": an_object(together),
            "group_by": {"type": "string", "enum": list(GROUPS)},
            "groups": {"type": "array", "items": an_object({"key": nullable(_TEXT), **together})},
            "items": {"type": "array", "items": project},
            "next": nullable(_TEXT),
        },
        ["year", "month", "zone", "summary", "items", "next"],
    )


def _head() -> Json:
    return {
        "id": _TEXT,
        "zone": _TEXT,
        "period": {"type": "string", "pattern": SPAN_PATTERN},
        "title": nullable(_TEXT),
        "as_of": DATE,
        "known_at": INSTANT | {"description": "The numbers are what was known at this instant."},
        "number": {"type": "integer", "minimum": 1, "description": "Which publication of its period it is."},
        "replaces": nullable(_TEXT) | {"description": "The publication of the same period before it."},
        "actor": nullable(_TEXT),
        "note": nullable(_TEXT),
        "url": _TEXT,
        "corrections": _TEXT,
    }


def _numbers(funnel: Json, own: Json) -> Json:
    counted = {name: funnel["properties"][name] for name in ("total", "stages", "rates")}
    return {
        "funnel": an_object(counted),
        "lights": {"type": "object", "additionalProperties": _COUNT, "description": "Projects by light."},
        "own": {"type": "object", "additionalProperties": own, "description": "系统数 by measure."},
        "figures": {"type": "array", "items": _ref("ReportedFigure")},
    }


def _corrections() -> Json:
    change = an_object({"field": _TEXT, "title": _TEXT, "published": {}, "now": {}})
    event = an_object(
        {
            "id": _TEXT,
            "type": _TEXT,
            "date": nullable(DATE),
            "recorded_at": INSTANT,
            "actor": nullable(_TEXT),
            "reason": nullable(_TEXT),
            "changes": {
                "type": "array",
                "items": _TEXT,
                "description": f"What it changed: {', '.join(COUNTED[:3])} …, or a stage's date or verification.",
            },
        }
    )
    return an_object(
        {
            "publication": _ref("PublicationHead"),
            "until": INSTANT,
            "text": _TEXT | {"description": "差异说明"},
            "numbers": {
                "type": "array",
                "items": an_object(
                    {
                        "name": _TEXT,
                        "title": _TEXT,
                        "published": nullable(_NUMBER),
                        "now": nullable(_NUMBER),
                        "difference": nullable(_NUMBER),
                    }
                ),
            },
            "figures": {
                "type": "array",
                "items": an_object(
                    {
                        "id": _TEXT,
                        "name": _TEXT,
                        "published": {},
                        "now": {},
                        "event_id": _TEXT,
                        "recorded_at": INSTANT,
                    }
                ),
            },
            "items": {
                "type": "array",
                "items": an_object(
                    {
                        "project_id": _TEXT,
                        "name": nullable(_TEXT),
                        "changes": {"type": "array", "items": change},
                        "events": {"type": "array", "items": event},
                        "text": _TEXT,
                    }
                ),
            },
            "next": nullable(_TEXT),
        }
    )
