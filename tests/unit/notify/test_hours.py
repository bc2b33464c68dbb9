"""Working hours at their boundaries: the first minute, the last, weekends, holidays, worked weekend days."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.days import instant
from services.notify.hours import Hours, begins_week, closing, opening, wait_s

SHANGHAI = ZoneInfo("Asia/Shanghai")
SPRING = YearDays(
    off=frozenset(date(2026, 2, day) for day in (16, 17, 18, 19, 20, 23)),
    made_up=frozenset({date(2026, 2, 14), date(2026, 2, 28)}),
)
CALENDAR = Calendar.build(SHANGHAI, {2026: SPRING})
USUAL = Hours()


def local(day: str, clock: str) -> str:
    return instant(datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), SHANGHAI))


@pytest.mark.parametrize(
    ("day", "clock", "next_day", "next_clock"),
    [
        ("2026-03-05", "08:30:00.000", "2026-03-05", "08:30"),  # the first moment
        ("2026-03-05", "17:59:59.999", "2026-03-05", "17:59:59.999"),  # the last one
        ("2026-03-05", "08:29:59.999", "2026-03-05", "08:30"),
        ("2026-03-05", "18:00", "2026-03-06", "08:30"),
        ("2026-03-06", "18:00", "2026-03-09", "08:30"),  # a Friday evening
        ("2026-03-07", "10:00", "2026-03-09", "08:30"),  # a Saturday
        ("2026-02-14", "10:00", "2026-02-14", "10:00"),  # a Saturday that is worked
        ("2026-02-14", "18:30", "2026-02-24", "08:30"),  # the evening before the holidays
        ("2026-02-27", "20:00", "2026-02-28", "08:30"),  # a Friday before a worked Saturday
        ("2026-03-05", "00:00", "2026-03-05", "08:30"),
    ],
)
def test_something_may_be_sent_within_the_hours_of_a_working_day(
    day: str, clock: str, next_day: str, next_clock: str
) -> None:
    now, wanted = local(day, clock), local(next_day, next_clock)
    seconds = (datetime.fromisoformat(wanted) - datetime.fromisoformat(now)).total_seconds()
    assert wait_s(now, USUAL, CALENDAR) == pytest.approx(seconds)


def test_the_hours_are_those_of_the_zones_clock() -> None:
    assert opening(date(2026, 3, 5), USUAL, CALENDAR) == "2026-03-05T00:30:00.000Z"
    assert closing(date(2026, 3, 5), USUAL, CALENDAR) == "2026-03-05T10:00:00.000Z"
    assert opening(date(2026, 3, 5), Hours(time(9), time(12)), CALENDAR) == "2026-03-05T01:00:00.000Z"


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        ("2026-03-02", True),
        ("2026-03-03", False),
        ("2026-02-24", True),  # its Monday is a holiday
        ("2026-02-23", False),
        ("2026-02-28", False),  # worked, but not the first day worked in its week
        ("2026-03-01", False),
    ],
)
def test_a_week_begins_with_its_first_working_day(day: str, begins: bool) -> None:
    assert begins_week(date.fromisoformat(day), CALENDAR) is begins
