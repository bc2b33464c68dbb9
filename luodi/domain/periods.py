"""Periods that performance is reported for: a year ``2026`` or a quarter ``2026-Q3``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from luodi.domain import days

PERIOD = re.compile(r"[0-9]{4}(-Q[1-4])?", re.ASCII)
QUARTERS = ("Q1", "Q2", "Q3", "Q4")

_LAST_MONTHS = {"Q1": "03", "Q2": "06", "Q3": "09", "Q4": "12"}


def is_quarter(text: str) -> bool:
    """Whether a period, or a business date, is a quarter."""
    return "Q" in text


@lru_cache(maxsize=1 << 10)
def last_ordinal(text: str) -> int:
    """The last day of a period or of a business date, as an ordinal. Raises ValueError for anything that is neither."""
    return days.last_ordinal(_last_month(text) if is_quarter(text) else text)


def quarters(year: str) -> Sequence[str]:
    """The quarters of a year, first to last."""
    return [f"{year}-{quarter}" for quarter in QUARTERS]


def _last_month(text: str) -> str:
    if PERIOD.fullmatch(text) is None:
        raise ValueError(f"not a period: {text!r}")
    year, _, quarter = text.partition("-")
    return f"{year}-{_LAST_MONTHS[quarter]}"
