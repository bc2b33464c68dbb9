"""Every day of every published year as another library, made by other people from the same notices, knows it.

The package ``holidays`` guesses years that are not published; only published ones are compared.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import chinese_calendar
import holidays

from luodi.domain.calendar import Calendar
from luodi.runtime import calendars
from tests.unit.domain.builders import FIRST_PUBLISHED, LAST_PUBLISHED, SHANGHAI

EXPLAINED: dict[date, str] = {
    date(
        2005, 12, 31
    ): "worked: 国办发明电〔2005〕35号 moves the rest day of this Saturday to 3 January 2006, a Tuesday. "
    "chinesecalendar has that Tuesday free and forgot the Saturday; seeds/calendars/2005.toml mends it",
}
"""Each day on which the two libraries differ, with which of them is right and by what notice."""


@cache
def ours() -> Calendar:
    """The calendar as a running service has it, packaged files included."""
    faults: list[str] = []
    found = calendars.load(SHANGHAI, None, (), faults)
    assert faults == []
    return found


@cache
def theirs() -> holidays.HolidayBase:
    """The other library's China with the years beside, for a year's notice may make the December before it work."""
    return holidays.country_holidays("CN", years=range(FIRST_PUBLISHED - 1, LAST_PUBLISHED + 2))


def published_days() -> list[date]:
    first, last = date(FIRST_PUBLISHED, 1, 1), date(LAST_PUBLISHED, 12, 31)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def test_every_published_day_is_worked_or_free_as_the_other_library_knows_it() -> None:
    assert [day for day in published_days() if ours().is_workday(day) != theirs().is_working_day(day)] == []


def test_the_libraries_themselves_differ_on_the_explained_days_alone() -> None:
    differing = [d for d in published_days() if chinese_calendar.is_workday(d) != theirs().is_working_day(d)]
    assert differing == list(EXPLAINED)


def test_a_year_of_published_days_is_counted_as_the_other_library_counts_it() -> None:
    for year in range(FIRST_PUBLISHED, LAST_PUBLISHED + 1):
        first, last = date(year, 1, 1), date(year, 12, 31)
        counted = theirs().get_working_days_count(first, last)
        assert ours().workdays_between(first - timedelta(days=1), last) == counted, year


def test_adding_working_days_arrives_where_the_other_library_arrives() -> None:
    day = date(FIRST_PUBLISHED, 1, 1)
    while day < date(LAST_PUBLISHED, 9, 1):
        for number in (1, 5, 20, 60):
            assert ours().add_workdays(day, number) == theirs().get_nth_working_day(day, number), (day, number)
        day += timedelta(days=11)  # a stride prime to the week: every weekday, every holiday is begun from


def test_the_years_compared_are_all_that_are_published() -> None:
    years = {day.year for day in chinese_calendar.constants.holidays}
    assert (min(years), max(years), len(years)) == (
        FIRST_PUBLISHED,
        LAST_PUBLISHED,
        len(range(min(years), max(years) + 1)),
    )
    assert ours().last_published == LAST_PUBLISHED
