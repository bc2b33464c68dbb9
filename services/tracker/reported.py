"""Reported figures as answered: 上报数, 系统数, 差额 side by side, in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from luodi.domain.figures import YUAN, Breakdown, Figure, part_of_year, year_of
from luodi.domain.measures import MEASURES
from luodi.domain.stages import Language

Number = int | float | None


@dataclass(frozen=True, slots=True)
class Own:
    """What the system itself counts of a measure; `amount` in yuan, None where the measure has none."""

    count: int
    amount: int | None = None

    def number(self, measure: str) -> int | None:
        """The one number of a measure: its money where it counts money."""
        return self.amount if MEASURES[measure].counts == "money" else self.count


Owns = Mapping[str, Own]  # by measure


def figure_item(figure: Figure | Breakdown, owns: Owns, language: Language, *, linked: bool = True) -> dict[str, Any]:
    """What was reported beside our own count where there is one; `linked`: with the list behind that count."""
    own = owns.get(figure.measure or "")
    if isinstance(figure, Breakdown):
        return _sum(figure, own, language, linked=linked)
    return _number(figure, own, language, linked=linked)


def behind(measure: str, zone: str, year: int | None, **named: str | None) -> str:
    """The address of the list behind one of our own numbers; `named`: of whom, or of which period."""
    query = {"zone": zone, "year": year if MEASURES[measure].yearly else None, **named}
    told = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
    return f"/v1/measures/{measure}?{told}"


def _number(figure: Figure, own: Own | None, language: Language, *, linked: bool) -> dict[str, Any]:
    counted = None if own is None else own.amount if figure.unit == YUAN else own.count
    difference = None if counted is None or figure.value is None else round(figure.value - counted, 4)
    return {
        "kind": "figure",
        **_head(figure, language, linked=linked),
        "value": figure.value,
        "unit": figure.unit or None,
        "word": figure.word or None,
        "before": figure.before,
        "before_word": figure.before_word or None,
        "change": figure.change,
        "period": figure.period,
        "project_id": figure.project,
        "words": list(figure.words),
        "own": counted,
        "difference": difference,
    }


def _sum(sum_: Breakdown, own: Own | None, language: Language, *, linked: bool) -> dict[str, Any]:
    """A reported sum beside the sum of its parts and beside our own."""
    zh = language == "zh-CN"
    return {
        "kind": "sum",
        **_head(sum_, language, linked=linked),
        "period": sum_.period,
        "word": sum_.word if zh else sum_.word_en,
        "reported": {"count": sum_.count, "amount": sum_.amount},
        "parts": [
            {"name": part.name if zh else part.name_en, "count": part.count, "amount": part.amount}
            for part in sum_.parts
        ],
        "parts_sum": {"count": sum_.parts_count, "amount": sum_.parts_amount},
        "difference": {"count": sum_.difference_count, "amount": sum_.difference},
        "named_amounts": list(sum_.named_amounts),
        "own": None if own is None else {"count": own.count, "amount": own.amount},
        "own_difference": None
        if own is None
        else {
            "count": sum_.count - own.count,
            "amount": None if own.amount is None else sum_.amount - own.amount,
        },
        "text": sum_.sentence(language),
    }


def _list(row: Figure | Breakdown, measure: str) -> str:
    part = MEASURES[measure].yearly and part_of_year(row.period)
    return behind(measure, row.zone, year_of(row.period or row.as_of), period=row.period if part else None)


def _head(row: Figure | Breakdown, language: Language, *, linked: bool) -> dict[str, Any]:
    zh = language == "zh-CN"
    known = row.measure in MEASURES  # one that only a newer version knows has no words yet
    return {
        "zone": row.zone,
        "id": row.id,
        "name": row.name if zh else row.name_en,
        "source": row.source,
        "as_of": row.as_of,
        "definition": row.definition if zh else row.definition_en or row.definition,
        "measure": MEASURES[row.measure].words(language) if row.measure is not None and known else None,
        "list": _list(row, row.measure) if linked and row.measure is not None and known else None,
        "event_id": row.event_id,
        "recorded_at": row.recorded_at,
        "corrected": row.corrected,
    }
