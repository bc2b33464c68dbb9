"""The money of a year beside its plan: what belongs to the year, what was due of it, and the sentence of both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.domain.days import day_text
from luodi.domain.investing import by_year, pace, planned_through, share, through, together

WAN = 10_000
YI = 10**8


def totals(**by_date: int) -> dict[str, dict[str, int | None]]:
    """`_2026_03_31=5` as a report of that day."""
    return {
        date.strip("_").replace("_", "-"): {"invested_total": total, "arrived_total": None}
        for date, total in by_date.items()
    }


def test_a_year_opens_with_the_total_told_last_before_it() -> None:
    (before, year) = by_year(totals(_2025_11_30=40, _2025_12_20=50, _2026_03_31=70, _2026_05_31=65), None)
    assert before["year"] == 2025
    assert before["invested"] == {"opening": 40, "since": "2025-11-30", "by_month": [None] * 10 + [0, 10]}
    assert year["invested"]["opening"] == 50
    assert year["invested"]["since"] == "2025-12-20"
    assert [through(year["invested"], month) for month in (2, 3, 4, 5, 12)] == [None, 20, 20, 15, 15]
    assert year["arrived"] is None


def test_a_project_signed_in_the_year_opened_it_with_nothing() -> None:
    ((year),) = by_year(totals(_2026_02_28=30), "2026-01-09")
    assert year["invested"] == {"opening": 0, "since": None, "by_month": [None, 30, *[None] * 10]}


@pytest.mark.parametrize("signed", [None, "2024-05", "2025-12-31"])
def test_of_an_older_project_the_first_report_of_the_year_opens_it_so_nothing_older_counts(signed: str | None) -> None:
    ((year),) = by_year(totals(_2026_02_28=30, _2026_04=45), signed)
    assert year["invested"]["opening"] == 30
    assert year["invested"]["since"] == "2026-02-28"
    assert through(year["invested"], 12) == 15


def test_a_total_known_to_the_month_counts_on_its_last_day() -> None:
    ((year),) = by_year(totals(_2026_04=45, _2026_04_29=44), "2026")
    assert year["invested"]["by_month"][3] == 45


def test_a_plan_without_months_asks_for_an_equal_share_of_each() -> None:
    assert planned_through({"amount": 1200, "by_month": None}, 3) == 300
    assert planned_through({"amount": 1200, "by_month": [0, 0, 500, *[0] * 8, 700]}, 3) == 500
    assert planned_through({"amount": 1200}, 0) == 0


def test_the_pace_sets_what_was_invested_beside_what_was_due() -> None:
    plan = {"year": 2026, "amount": 12 * YI // 10, "by_month": [1000 * WAN] * 12}
    money = by_year(totals(_2026_03_30=2400 * WAN), "2026-01-05")
    found = pace(plan, money, 3)
    assert found.answer() == {
        "amount": 120_000_000,
        "planned": 30_000_000,
        "invested": 24_000_000,
        "percent": 20.0,
        "expected": 25.0,
        "points": -5.0,
    }
    assert found.is_behind
    assert found.sentence("zh-CN") == (
        "2026年计划投资1.2亿元；至3月底序时应完成0.3亿元（25.0%），实际完成0.24亿元（20.0%），慢于序时5.0个百分点"
    )
    assert found.sentence("en").endswith("5.0 points behind schedule")


def test_ahead_and_on_schedule_are_said_so() -> None:
    plan = {"year": 2026, "amount": 1200, "by_month": None}
    ahead = pace(plan, by_year(totals(_2026_03_30=360), "2026"), 3)
    level = pace(plan, by_year(totals(_2026_03_30=300), "2026"), 3)
    assert "快于序时5.0个百分点" in ahead.sentence("zh-CN")
    assert "5.0 points ahead of schedule" in ahead.sentence("en")
    assert "与序时持平" in level.sentence("zh-CN")
    assert not level.is_behind


def test_projects_of_which_nothing_was_told_stand_in_the_sum_and_are_counted() -> None:
    plan = {"year": 2026, "amount": 1200, "by_month": None}
    told = pace(plan, by_year(totals(_2026_03_30=600), "2026"), 6)
    silent = pace(plan, [], 6)
    both = together(2026, 6, [told, silent])
    assert (both.plans, both.unreported, both.behind) == (2, 1, 1)
    assert (both.amount, both.planned, both.invested, both.points) == (2400, 1200, 600, -25.0)


def test_without_a_plan_there_is_no_share_and_the_sentence_says_so() -> None:
    none = together(2026, 6, [])
    assert (none.percent, none.expected, none.points) == (None, None, None)
    assert none.sentence("zh-CN") == "2026年没有投资计划"


@pytest.mark.parametrize(("part", "whole", "percent"), [(1, 3, 33.3), (1, 8, 12.5), (-1, 8, -12.5), (5, 0, None)])
def test_a_share_is_told_to_one_decimal_half_up(part: int, whole: int, percent: float | None) -> None:
    assert share(part, whole) == percent


reports = st.dictionaries(
    st.integers(738_000, 740_200).map(day_text),
    st.fixed_dictionaries({"invested_total": st.integers(0, 10**12), "arrived_total": st.none()}),
    max_size=12,
)


@given(reports)
def test_the_years_of_a_project_add_up_to_the_difference_of_its_first_and_last_total(
    told: dict[str, dict[str, int | None]],
) -> None:
    years = by_year(told, None)
    totals_ = [row["invested_total"] for _, row in sorted(told.items())]
    whole = sum(through(row["invested"], 12) or 0 for row in years)
    assert whole == ((totals_[-1] or 0) - (totals_[0] or 0) if totals_ else 0)
