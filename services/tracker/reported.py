"""Reported figures as answered: 上报数, 系统数, 差额 side by side, in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from luodi.domain.figures import MEASURES, Breakdown, Figure
from luodi.domain.stages import Language

Number = int | float | None


@dataclass(frozen=True, slots=True)
class Own:
    """What the system itself counts of a measure; `amount` in yuan, None where the measure has none."""

    count: int
    amount: int | None = None


Owns = Mapping[str, Own]  # by measure


def figure_item(figure: Figure, owns: Owns, language: Language) -> dict[str, Any]:
    """A number as it was reported, beside our own count where there is one."""
    own = owns.get(figure.measure or "")
    difference = None if own is None or figure.value is None else figure.value - own.count
    return {
        "kind": "figure",
        **_head(figure, language),
        "value": _number(figure.value),
        "unit": figure.unit or None,
        "word": figure.word or None,
        "before": _number(figure.before),
        "before_word": figure.before_word or None,
        "change": _number(figure.change),
        "period": figure.period,
        "project_id": figure.project,
        "words": list(figure.words),
        "own": own.count if own is not None else None,
        "difference": _number(difference),
    }


def sum_item(sum_: Breakdown, owns: Owns, language: Language) -> dict[str, Any]:
    """A reported sum beside the sum of its parts and beside our own."""
    zh, own = language == "zh-CN", owns.get(sum_.measure or "")
    return {
        "kind": "sum",
        **_head(sum_, language),
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


def _head(row: Figure | Breakdown, language: Language) -> dict[str, Any]:
    zh = language == "zh-CN"
    measure = None if row.measure is None else MEASURES[row.measure][0 if zh else 1]
    return {
        "zone": row.zone,
        "id": row.id,
        "name": row.name if zh else row.name_en,
        "source": row.source,
        "as_of": row.as_of,
        "measure": measure,
    }


def _number(value: int | Decimal | None) -> Number:
    return float(value) if isinstance(value, Decimal) else value
