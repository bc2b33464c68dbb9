"""Instants and business dates as the rest of the product writes them: text whose order is the order of time.

An *instant* is RFC 3339 in UTC with exactly three decimals (``2026-03-05T01:02:03.004Z``, 24 characters).
A *business date* is ``2026-03-05``, or ``2026-03`` or ``2026`` where no better is known. Inside the rules a day is a
``date`` or, in the counting, its proleptic Gregorian ordinal (``date.toordinal()``): integers are quick and never
carry a time zone by accident.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

BEGINNING = "1970-01-01T00:00:00.000Z"  # no fact is older: business dates begin in 1980
END_OF_TIME = "9999-12-31T00:00:00.000Z"

_BUSINESS_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", re.ASCII)
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", re.ASCII)
_CACHED_DATES = 1 << 14  # distinct dates: 45 years of days in 3 MB

MONTH_NAMES = (  # in English; strftime would follow the locale of the process
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def instant(moment: datetime) -> str:
    """Write an aware moment as an instant; microseconds are cut off, never rounded up into the future."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def parse_instant(text: str) -> datetime:
    """Read an instant. Raises ValueError unless it has the one form this module writes."""
    if _INSTANT.fullmatch(text) is None:
        raise ValueError(f"not an instant: {text!r}")
    return datetime.fromisoformat(text)


@lru_cache(maxsize=_CACHED_DATES)
def first_day(text: str) -> date:
    """The first day of a business date's period. Raises ValueError for anything that is not one."""
    if _BUSINESS_DATE.fullmatch(text) is None:
        raise ValueError(f"not a business date: {text!r}")
    return date(int(text[:4]), int(text[5:7] or 1), int(text[8:10] or 1))


@lru_cache(maxsize=_CACHED_DATES)
def last_day(text: str) -> date:
    """The last day of a business date's period: what clocks count from and plans are due on."""
    first = first_day(text)
    if len(text) == len("2026-03-05"):
        return first
    if len(text) == len("2026"):
        return date(first.year, 12, 31)
    return date(first.year + first.month // 12, first.month % 12 + 1, 1) - timedelta(days=1)


@lru_cache(maxsize=_CACHED_DATES)
def last_ordinal(text: str) -> int:
    """The ordinal of ``last_day(text)``."""
    return last_day(text).toordinal()


def is_approximate(text: str) -> bool:
    """Whether a business date is known to the month or year only (shown as 约)."""
    return len(text) < len("2026-03-05")


@lru_cache(maxsize=_CACHED_DATES)
def day_text(ordinal: int) -> str:
    """The business date of an ordinal."""
    return date.fromordinal(ordinal).isoformat()


def add_months(start: date, months: int) -> date:
    """Move by whole months; the end of the month is kept inside: 31 January + 1 month is the last of February."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = last_day(f"{year:04d}-{month + 1:02d}")
    return last if start.day >= last.day else last.replace(day=start.day)


def days_over(due: date | str, today: date) -> int:
    """Calendar days by which ``today`` is past the due date; 0 while in time."""
    end = last_day(due) if isinstance(due, str) else due
    return max(0, (today - end).days)
