from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.domain.days import (
    BEGINNING,
    END_OF_TIME,
    add_months,
    days_over,
    first_day,
    instant,
    is_approximate,
    last_day,
    last_ordinal,
    parse_instant,
)
from tests.unit.domain.builders import UNHURRIED
from tests.unit.domain.oracle import months_later


def test_an_instant_is_utc_with_three_decimals_and_never_rounded_up() -> None:
    east = timezone(timedelta(hours=8))
    assert instant(datetime(2026, 3, 5, 9, 2, 3, 4999, east)) == "2026-03-05T01:02:03.004Z"
    assert instant(datetime(2026, 12, 31, 23, 59, 59, 999999, UTC)) == "2026-12-31T23:59:59.999Z"


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        instant(datetime(2026, 3, 5))  # noqa: DTZ001 - that is the point


@UNHURRIED
@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30)))  # noqa: DTZ001 - the zone is added below
def test_an_instant_is_read_back_to_the_millisecond(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1000 * 1000)
    assert parse_instant(instant(moment)) == moment


@UNHURRIED
@given(st.lists(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)), max_size=8))  # noqa: DTZ001 - hypothesis adds the zone
def test_the_order_of_the_texts_is_the_order_of_time(moments: list[datetime]) -> None:
    cut = [moment.replace(microsecond=moment.microsecond // 1000 * 1000) for moment in moments]
    assert sorted(map(instant, cut)) == [instant(moment) for moment in sorted(cut)]
    assert all(BEGINNING <= instant(moment) < END_OF_TIME for moment in cut)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-05",
        "2026-03-05T01:02:03Z",
        "2026-03-05T01:02:03.004+00:00",
        "2026-03-05T01:02:03.0040Z",
        "2026-03-05t01:02:03.004z",
        "2026-02-30T01:02:03.004Z",
        "２026-03-05T01:02:03.004Z",
        "2026-03-05T24:00:00.000Z\n",
    ],
)
def test_an_instant_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the calendar's own message differs from ours
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-03-05", date(2026, 3, 5), date(2026, 3, 5)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_business_date_is_a_period_of_whole_days(text: str, first: date, last: date) -> None:
    assert (first_day(text), last_day(text)) == (first, last)
    assert last_ordinal(text) == last.toordinal()
    assert is_approximate(text) == (first != last)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-3", "2026-13", "2026-02-30", "2026-03-05T00", "2026/03/05", "２０２６", "2026-03-05\n"]
)
def test_what_is_not_a_business_date_is_refused(text: str) -> None:
    for read in (first_day, last_day, last_ordinal):
        with pytest.raises(ValueError):  # noqa: PT011 - the calendar's own message differs from ours
            read(text)


@UNHURRIED
@given(st.dates(date(1980, 1, 1), date(2100, 12, 31)), st.integers(0, 60))
def test_months_are_added_as_a_person_counts_them(start: date, months: int) -> None:
    assert add_months(start, months) == months_later(start, months)


def test_days_over_is_nothing_on_the_due_date_and_one_on_the_next() -> None:
    assert days_over(date(2026, 3, 5), date(2026, 3, 4)) == 0
    assert days_over("2026-03-05", date(2026, 3, 5)) == 0
    assert days_over("2026-03-05", date(2026, 3, 6)) == 1
    assert days_over("2026-02", date(2026, 3, 12)) == 12
