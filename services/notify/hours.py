"""Working hours: when a message that is not urgent may leave the house, in the zone's own working days."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from luodi.domain.calendar import Calendar
from luodi.domain.days import instant, parse_instant


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours of a working day, local time: from `opens`, up to and without `closes`."""

    opens: time = time(8, 30)
    closes: time = time(18, 0)


USUAL = Hours()


class OwnHours(Protocol):
    """What the directory knows of people's own hours. Every call may raise TransientError."""

    def hours(self, persons: Collection[str]) -> Mapping[str, tuple[str, str]]:
        """The working hours of those who have some of their own, `("08:30", "17:30")`."""

    def beginnings(self) -> Collection[str]:
        """The times at which anybody's own hours begin."""


@dataclass(frozen=True, slots=True)
class HoursOf:
    """Whose hours are which: people's own ones, else the usual ones. Every call may raise TransientError."""

    usual: Hours
    own: OwnHours

    def of(self, recipients: Collection[str]) -> dict[str, Hours]:
        """The hours of each."""
        own = self.own.hours(recipients)
        return {who: Hours(*map(time.fromisoformat, own[who])) if who in own else self.usual for who in recipients}

    def beginnings(self) -> set[time]:
        """All times at which somebody's day begins."""
        return {self.usual.opens, *map(time.fromisoformat, self.own.beginnings())}


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
