"""Measures of an upgrade (技改, 智改): what a number was before and what it is after.

Each is told as it is known, both numbers or only the change; where the change follows from the two it is worked out: in
percent of what was before, and of a measure in percent in points. Where one of them is only about right (超过, 约, 余)
the change is left open.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from luodi.domain.chapters import Chapter, Row, Telling
from luodi.domain.handlers import Handler, entry
from luodi.domain.subjects import PROJECT

MEASURE_REPORTED = "measure.reported"

PERCENT = "%"
POINTS = "points"
_HUNDREDTH = Decimal("0.01")


def told(telling: Telling) -> list[Row]:
    """The measures by name, in the order in which each was first told; told again the last one holds."""
    latest: dict[str, Row] = {}
    for row in telling.rows("measures"):
        latest[row["name"]] = row
    return [_measure(row) for row in latest.values()]


def _measure(row: Row) -> Row:
    given = row.get("change")
    exact = row.get("before_word") is None and row.get("word") is None
    reckoned = _change(row.get("before"), row.get("after"), row.get("unit")) if exact else None
    change = reckoned if given is None else given
    return {
        **{name: row.get(name) for name in ("id", "name", "unit", "before", "before_word", "after", "word")},
        "change": change,
        "change_unit": None if change is None else POINTS if given is None and row.get("unit") == PERCENT else PERCENT,
        "reckoned": given is None and change is not None,
        **{name: row.get(name) for name in ("date", "source", "note", "actor", "recorded_at")},
    }


def _change(before: Any, after: Any, unit: str | None) -> int | float | None:
    """By how much it changed, rounded half away from zero as people round; None where that does not follow."""
    if before is None or after is None:
        return None
    # As they were written: 98.7 − 97 is 1.7, not 1.7000000000000028.
    old, new = Decimal(str(before)), Decimal(str(after))
    if unit == PERCENT:
        change = new - old
    elif old > 0:
        change = (new - old) / old * 100
    else:
        return None
    value = float(change.quantize(_HUNDREDTH, ROUND_HALF_UP))
    return int(value) if value.is_integer() else value


HANDLERS: Mapping[str, Handler] = {MEASURE_REPORTED: entry("measures")}

CHAPTERS: tuple[Chapter, ...] = (Chapter(PROJECT, "measures", ("measures",), told),)

FIELDS: Mapping[str, tuple[str, ...]] = {}
