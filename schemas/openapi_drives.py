"""The five drives, commitments and reports of performance as the tracker answers them, as OpenAPI."""

from __future__ import annotations

from luodi.domain.drives import COUNTED, DRIVES
from luodi.domain.explain import ROLES
from luodi.domain.performance import FIGURES, MEASURES
from schemas.openapi import INSTANT, Json, an_object, nullable, query

_TEXT: Json = {"type": "string"}
_DAY: Json = {"type": "string", "format": "date"}
_DATE: Json = {"type": "string", "description": "A day, or a month or year where no better is known."}
_COUNT: Json = {"type": "integer", "minimum": 0}
_COUNTS: Json = dict.fromkeys(COUNTED, _COUNT)


def questions() -> dict[str, tuple[str, str, list[Json], Json]]:
    """Path -> operation, summary, parameters and answer."""
    return {
        "/v1/drives": (
            "drives",
            "五个抓 · The five drives: what is open, the worst of it, who acts next, and the last eight weeks",
            [query("zone", "园区")],
            {"$ref": "#/components/schemas/Drives"},
        )
    }


def chapters() -> Json:
    """What a project tells of its commitments and of what was reported."""
    number = nullable({"type": "number", "minimum": 0})
    commitment = an_object(
        {
            "measure": {"type": "string", "enum": list(MEASURES)},
            "value": nullable(_COUNT) | {"description": "Yuan; per mu where the measure is."},
            "due": _DATE,
            "first_due": _DATE,
            "postponed": _COUNT | {"description": "How often it was moved to a later day."},
            "area_mu": number,
            "reported": number | {"description": "What was reached by the end of `period`, in the same unit."},
            "period": nullable(_TEXT),
            "met": nullable(_DAY) | {"description": "The last day of the first period by which it was reached."},
            **dict.fromkeys(("document", "reason", "note", "actor"), nullable(_TEXT)),
            "recorded_at": INSTANT,
        }
    )
    report = an_object({"period": _TEXT, **dict.fromkeys(FIGURES, number)})
    return {
        "commitments": {"type": "array", "items": commitment, "description": "What the agreement commits it to."},
        "performance": {"type": "array", "items": report, "description": "What was reported, by period."},
    }


def schemas(light: Json, reason: Json, gap: Json) -> Json:
    """The schemas that the answers name."""
    acts = an_object(
        {"role": {"type": "string", "enum": list(ROLES)}, "who": nullable(_TEXT), "acting": nullable(_TEXT)}
    ) | {"description": "`acting`: who that is today; null where it is nobody's post."}
    worst = an_object(
        {
            "project_id": _TEXT,
            **dict.fromkeys(("name", "zone", "parent"), nullable(_TEXT)),
            "gap": nullable(gap),
            "blocker": nullable(_TEXT),
            "light": light,
            "due": _DATE,
            "days_over": _COUNT,
            **dict.fromkeys(("leader", "officer"), nullable(_TEXT)),
            "reason": reason,
            "rule": _TEXT,
            "next": acts,
        }
    )
    week = an_object({"week_end": _DAY, "known": an_object(_COUNTS), "actual": an_object(_COUNTS)})
    drive = an_object(
        {
            "drive": {"type": "string", "enum": list(DRIVES)},
            "name": _TEXT,
            "definition": _TEXT,
            "gaps": {"type": "array", "items": gap},
            **_COUNTS,
            "worst": {"type": "array", "items": worst, "maxItems": 10},
            "trend": {"type": "array", "items": week, "minItems": 8, "maxItems": 8},
        }
    )
    return {
        "Drives": an_object(
            {
                "as_of": _DAY,
                "zone": nullable(_TEXT),
                "drives": {"type": "array", "items": drive, "minItems": len(DRIVES), "maxItems": len(DRIVES)},
                "definitions": {"type": "object", "additionalProperties": _TEXT},
            }
        )
    }
