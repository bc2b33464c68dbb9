"""What callers see of a stored procedure: its light and reason as of now, in their language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from luodi.domain import reasons
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import light_at
from luodi.domain.days import days_over
from luodi.domain.procedures import days_used
from luodi.domain.reasons import ZH
from luodi.domain.stages import Language

_LEFT_OUT = frozenset({"lights", "name", "basis"})


def procedure(row: Mapping[str, Any], now: str, today: date, language: Language, calendar: Calendar) -> dict[str, Any]:
    """A procedure as answered. `calendar` is that of the project's zone. `days` are counted ones, null without a clock;
    `days_over` are calendar days past its due date, 0 while in time or decided in time."""
    step = light_at(row["lights"], now)
    limit, used = row["limit"], days_used(row, calendar, today)
    over = row["over"] if row["ended"] is not None else days_over(row["due"], today) if row["due"] else None
    spoken = "zh" if language == ZH else "en"
    return {
        **{name: value for name, value in row.items() if name not in _LEFT_OUT},
        "name": row["name"][spoken],
        "basis": None if row["basis"] is None else row["basis"][spoken],
        "days": None if limit is None else {"used": used, "limit": limit["amount"], "unit": limit["unit"]},
        "days_over": over or 0,
        "light": step["light"],
        "reason": {"code": step["reason"]["code"], "text": reasons.text(step["reason"], language, today)},
    }
