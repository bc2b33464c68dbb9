"""Working hours: when a message that is not urgent may leave the house, in the zone's own working days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from luodi.domain.calendar import Calendar
from luodi.domain.days import instant, parse_instant


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a working day, local time: from `opens`, up to and without `closes`."""

    opens: time = time(8, 30)
    closes: time = time(18, 0)


def opening(day: date, hours: Hours, calendar: Calendar) -> str:
    """The instant at which the hours of a day begin."""
    return _at(day, hours.opens, calendar)


def closing(day: date, hours: Hours, calendar: Calendar) -> str:
    """The instant at which they are over."""
    return _at(day, hours.closes, calendar)


def wait_s(now: str, hours: Hours, calendar: Calendar) -> float:
    """Seconds from `now` until something may be sent; 0 within the hours of a working day (补班 included)."""
    day = calendar.business_date(now)
    if calendar.is_workday(day) and opening(day, hours, calendar) <= now < closing(day, hours, calendar):
        return 0.0
    return (parse_instant(next_opening(now, hours, calendar)) - parse_instant(now)).total_seconds()


def next_opening(now: str, hours: Hours, calendar: Calendar) -> str:
    """The first instant after `now` at which the hours of a working day begin."""
    day = calendar.business_date(now)
    if calendar.is_workday(day) and now < opening(day, hours, calendar):
        return opening(day, hours, calendar)
    return opening(calendar.add_workdays(day, 1), hours, calendar)


def begins_week(day: date, calendar: Calendar) -> bool:
    """Whether the day is the first one worked in its week, Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return calendar.is_workday(day) and calendar.workdays_between(monday - timedelta(days=1), day) == 1


def _at(day: date, moment: time, calendar: Calendar) -> str:
    return instant(datetime.combine(day, moment, calendar.timezone))
