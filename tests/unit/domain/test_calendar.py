from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.days import BEGINNING, END_OF_TIME, instant, parse_instant
from tests.unit.domain.builders import SHANGHAI, UNHURRIED, published
from tests.unit.domain.oracle import is_workday

DATES = st.dates(date(1980, 1, 1), date(2100, 12, 31))


def test_every_published_day_is_as_published() -> None:
    calendar = published()
    day = date(2004, 1, 1)
    while day.year <= 2026:
        assert calendar.is_workday(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


@UNHURRIED
@given(DATES)
def test_outside_the_published_years_monday_to_friday_are_worked(day: date) -> None:
    assert published().is_workday(day) == is_workday(day, last_published=2026)


@UNHURRIED
@given(DATES, st.integers(1, 800))
def test_adding_working_days_lands_on_the_working_day_with_that_count(start: date, number: int) -> None:
    calendar = published()
    day = calendar.add_workdays(start, number)
    assert calendar.is_workday(day)
    assert calendar.workdays_between(start, day) == number


@UNHURRIED
@given(DATES, st.integers(0, 400))
def test_working_days_between_two_dates_are_those_after_the_first(start: date, length: int) -> None:
    days = [start + timedelta(days=number) for number in range(1, length + 1)]
    expected = sum(is_workday(day, last_published=2026) for day in days)
    assert published().workdays_between(start, start + timedelta(days=length)) == expected


def test_no_working_days_lead_nowhere() -> None:
    assert published().add_workdays(date(2026, 10, 1), 0) == date(2026, 10, 1)


@UNHURRIED
@given(
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 3, 31)), max_size=70),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 3, 31)), max_size=30),
    st.integers(1, 60),
)
def test_any_year_of_holidays_is_counted_right(off: frozenset[date], made_up: frozenset[date], number: int) -> None:
    calendar = Calendar.build(SHANGHAI, {2026: YearDays(off=off, made_up=made_up)})
    day, found = date(2025, 12, 31), 0
    while found < number:
        day += timedelta(days=1)
        worked = day not in off if day.weekday() < 5 else day in made_up
        assert calendar.is_workday(day) == worked
        found += worked
    assert calendar.add_workdays(date(2025, 12, 31), number) == day


def test_a_calendar_knows_its_last_published_year() -> None:
    assert published().last_published == 2026
    assert published().last_published_day == date(2026, 12, 31).toordinal()
    assert Calendar.build(SHANGHAI, {}).last_published_day == 0


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-04T15:59:59.999Z", date(2026, 3, 4)),
        ("2026-03-04T16:00:00.000Z", date(2026, 3, 5)),
        ("2026-12-31T16:00:00.000Z", date(2027, 1, 1)),
        ("1990-07-14T15:30:00.000Z", date(1990, 7, 15)),  # Shanghai kept summer time then
    ],
)
def test_the_business_date_of_an_instant_is_that_of_the_zone(moment: str, day: date) -> None:
    assert published().business_date(moment) == day


@UNHURRIED
@given(DATES, st.sampled_from(["Asia/Shanghai", "UTC", "America/Havana", "Asia/Beirut", "Pacific/Apia"]))
def test_midnight_is_the_first_moment_of_its_day_in_any_time_zone(day: date, zone: str) -> None:
    calendar = Calendar.build(ZoneInfo(zone), {})
    begin = calendar.midnight(day)
    assert begin == calendar.midnight_of(day.toordinal()) == calendar.midnight(day)
    if (zone, day) != ("Pacific/Apia", date(2011, 12, 30)):  # the day that Samoa left out
        assert calendar.business_date(begin) == day
    before = instant(parse_instant(begin) - timedelta(milliseconds=1))
    assert calendar.business_date(before) < day


def test_midnights_stay_within_all_time() -> None:
    calendar = published()
    assert calendar.midnight(date(1970, 1, 1)) == BEGINNING
    assert calendar.midnight(date(9999, 12, 31)) < END_OF_TIME
    assert Calendar.build(UTC, {}).midnight(date(9999, 12, 31)) == END_OF_TIME


def test_equal_calendars_have_equal_fingerprints_and_others_differ() -> None:
    prints = {
        published().fingerprint(),
        published(last=2025).fingerprint(),
        Calendar.build(ZoneInfo("Asia/Urumqi"), {}).fingerprint(),
        Calendar.build(SHANGHAI, {}).fingerprint(),
        Calendar.build(SHANGHAI, {2027: YearDays()}).fingerprint(),
        Calendar.build(SHANGHAI, {2027: YearDays(off=frozenset({date(2027, 1, 1)}))}).fingerprint(),
    }
    assert len(prints) == 6
    again = Calendar.build(SHANGHAI, {2027: YearDays(off=frozenset({date(2027, 1, 1)}))})
    assert again.fingerprint() in prints
