"""The working calendar of a zone: which days count as working days, and when a business day begins.

There is one calendar of the country; a zone that departs from it has one of its own (``Calendar.of``). In a year
whose holidays are not published Monday to Friday are working days; nothing is guessed. Counting is arithmetic on
whole weeks plus the days that differ from them (holidays on weekdays, worked weekend days 补班), kept as running
totals: every question is one bisection, for any year. Answers for the days that projects live in are remembered: there
are few of them, and a document asks dozens of times.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from itertools import accumulate
from typing import TypeVar

from luodi.domain.days import BEGINNING, END_OF_TIME, instant

FRIDAY = 4  # date.weekday() of the last weekday
T = TypeVar("T")
REMEMBERED = range(date(1980, 1, 1).toordinal(), date(2101, 1, 1).toordinal())  # days whose answers are kept


@dataclass(frozen=True, slots=True)
class DayName:
    """What a day that differs from Monday to Friday is called: its holiday, or the holiday it makes up for."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class YearDays:
    """The days of one year that differ from Monday to Friday, and what they are called."""

    off: frozenset[date] = frozenset()  # weekdays that are not worked: 法定节假日 and its bridges
    made_up: frozenset[date] = frozenset()  # weekend days that are worked: 补班
    names: Mapping[date, DayName] = field(default_factory=dict)  # weekend days within a holiday have one too

    @classmethod
    def observed(
        cls, year: int, is_workday: Callable[[date], bool], names: Mapping[date, DayName] | None = None
    ) -> YearDays:
        """Read a published year day by day from any source that can say whether a day is worked."""
        days = [date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)]
        return cls(
            off=frozenset(day for day in days if day.weekday() <= FRIDAY and not is_workday(day)),
            made_up=frozenset(day for day in days if day.weekday() > FRIDAY and is_workday(day)),
            names={day: name for day, name in (names or {}).items() if day.year == year},
        )

    def overlaid(self, other: YearDays) -> YearDays:
        """These days with what ``other`` says of single days in the place of what was known of them."""
        said = other.off | other.made_up
        return YearDays(
            off=(self.off - said) | other.off,
            made_up=(self.made_up - said) | other.made_up,
            names={day: name for day, name in self.names.items() if day not in said} | dict(other.names),
        )


class _Known(dict[int, T]):
    """Answers by day (an ordinal), each worked out once; no more of them are kept than there are days in REMEMBERED."""

    def __init__(self, work_out: Callable[[int], T], kept: range) -> None:
        self._work_out = work_out
        self._kept = kept

    def __missing__(self, key: int) -> T:
        answer = self._work_out(key)
        if key in self._kept:
            self[key] = answer  # idempotent, so that threads may race
        return answer


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Working days and midnights of one time zone; made by ``Calendar.build``.

    ``of(zone)`` is the calendar of a zone: this one unless the zone departs from it. Midnights are everybody's.
    """

    timezone: tzinfo
    last_published: int  # year; 0 when no year is published
    last_published_day: int  # the ordinal of its 31 December; a count that looks beyond it is provisional
    _exceptions: tuple[int, ...]  # ordinals of the days that differ from Monday to Friday, ascending
    _shifts: tuple[int, ...]  # _shifts[i]: what the first i exceptions add to the count of weekdays
    _counts: tuple[int, ...]  # _counts[i]: working days from 0001-01-01 up to and including _exceptions[i]
    _fingerprint: str
    _names: Mapping[int, DayName]  # by ordinal
    _zones: Mapping[str, Calendar] = field(default_factory=dict)
    count: Callable[[int], int] = field(init=False, repr=False)
    """Working days from 0001-01-01 up to and including an ordinal; differences count an interval."""
    nth: Callable[[int], int] = field(init=False, repr=False)
    """The ordinal of the working day whose ``count`` is first so many (≥ 1): the inverse of ``count``."""
    midnight_of: Callable[[int], str] = field(init=False, repr=False)
    """The instant at which the business day with an ordinal begins; kept within BEGINNING and END_OF_TIME."""

    def __post_init__(self) -> None:
        numbers = range(self._counted(REMEMBERED.start), self._counted(REMEMBERED.stop))
        object.__setattr__(self, "count", _Known(self._counted, REMEMBERED).__getitem__)
        object.__setattr__(self, "nth", _Known(self._numbered, numbers).__getitem__)
        object.__setattr__(self, "midnight_of", _Known(self._begun, REMEMBERED).__getitem__)

    @classmethod
    def build(cls, timezone: tzinfo, years: Mapping[int, YearDays], last_published: int | None = None) -> Calendar:
        """Make a calendar from the days that are known to differ from Monday to Friday.

        ``last_published`` is the last year whose whole arrangement is known, when single days of later years are known
        too; by default the last of ``years``. Days that do not differ from Monday to Friday change nothing.
        """
        steps = {day.toordinal(): -1 for year in years.values() for day in year.off if day.weekday() <= FRIDAY} | {
            day.toordinal(): 1 for year in years.values() for day in year.made_up if day.weekday() > FRIDAY
        }
        exceptions = tuple(sorted(steps))
        shifts = tuple(accumulate((steps[day] for day in exceptions), initial=0))
        counts = tuple(_weekdays(day) + shift for day, shift in zip(exceptions, shifts[1:], strict=True))
        last = max(years, default=0) if last_published is None else last_published
        last_day = date(last, 12, 31).toordinal() if last else 0
        fingerprint = _digest([str(timezone), last, [[day, steps[day]] for day in exceptions]])
        names = {day.toordinal(): name for year in years.values() for day, name in year.names.items()}
        return cls(timezone, last, last_day, exceptions, shifts, counts, fingerprint, names)

    def with_zones(self, zones: Mapping[str, Calendar]) -> Calendar:
        """This calendar with the zones that have their own; its fingerprint covers them."""
        if not zones:
            return self
        own = dict(sorted(zones.items()))
        fingerprint = _digest([self._fingerprint, [[zone, calendar.fingerprint()] for zone, calendar in own.items()]])
        return replace(self, _zones=own, _fingerprint=fingerprint)

    def of(self, zone: str | None) -> Calendar:
        """The calendar of a zone; this one for a zone that does not depart from it, and for a project without zone."""
        return self._zones.get(zone, self) if zone is not None else self

    def fingerprint(self) -> str:
        """A digest of everything a document depends on: the time zone's name, the last published year, each day that
        differs. What days are called is left out: it changes explanations, never a light."""
        return self._fingerprint

    def name_of(self, day: date) -> DayName | None:
        """The holiday that the day belongs to or, of a worked weekend day, makes up for; None where nothing is told."""
        return self._names.get(day.toordinal())

    def _counted(self, day: int) -> int:
        return _weekdays(day) + self._shifts[bisect_right(self._exceptions, day)]

    def _numbered(self, number: int) -> int:
        index = bisect_left(self._counts, number)  # the first exception at or before which the number is reached
        weeks, rest = divmod(number - self._shifts[index] - 1, 5)
        day = weeks * 7 + rest + 1
        return day if index == len(self._exceptions) else min(day, self._exceptions[index])

    def is_workday(self, day: date) -> bool:
        """Whether the day is worked."""
        ordinal = day.toordinal()
        return self.count(ordinal) > self.count(ordinal - 1)

    def workdays_between(self, start: date, day: date) -> int:
        """Working days after ``start`` up to and including ``day``; negative when ``day`` is the earlier one."""
        return self.count(day.toordinal()) - self.count(start.toordinal())

    def add_workdays(self, start: date, number: int) -> date:
        """The ``number``-th working day after ``start``; ``start`` itself for 0."""
        if number <= 0:
            return start
        return date.fromordinal(self.nth(self.count(start.toordinal()) + number))

    def business_date(self, moment: str) -> date:
        """The business date of an instant."""
        return datetime.fromisoformat(moment).astimezone(self.timezone).date()

    def business_day(self, moment: str) -> int:
        """The same as an ordinal."""
        return self.business_date(moment).toordinal()

    def midnight(self, day: date) -> str:
        """The instant at which the business day begins."""
        return self.midnight_of(day.toordinal())

    def _begun(self, day: int) -> str:
        # Where clocks are put forward at midnight 00:00 does not exist; the offset from before the change then gives
        # the first moment of the day, which is what is meant.
        local = datetime.combine(date.fromordinal(day), datetime.min.time(), self.timezone)
        return min(max(instant(local), BEGINNING), END_OF_TIME)


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def _weekdays(day: int) -> int:
    """Mondays to Fridays from 0001-01-01 (a Monday) up to and including the ordinal."""
    return day // 7 * 5 + _OF_A_WEEK[day % 7]


_OF_A_WEEK = (0, 1, 2, 3, 4, 5, 5)  # weekdays among the first so many days of a week
