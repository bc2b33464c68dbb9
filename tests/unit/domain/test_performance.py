"""What was committed against what is reported: the clocks after the last stage, and when a commitment is met."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from luodi.domain import explain, periods
from luodi.domain.events import EVENT_RETRACTED, PROGRESS_REPORTED, PROJECT_WITHDRAWN
from luodi.domain.performance import COMMITMENT_MADE, PERFORMANCE_REPORTED
from luodi.domain.reasons import text
from luodi.domain.stages import Language
from tests.unit.domain.builders import Story, light_on, published

WAN = 10_000


def producing(day: str | None = "2026-01-15", **fields: Any) -> Story:
    """A project on 34.5 mu that produces."""
    story = Story()
    story.registered(**{"area_mu": 34.5, **fields})
    for stage, when in (("signed", "2024-01-10"), ("land_supplied", "2024-03-01"), ("started", "2024-05-10")):
        story.reached(stage, when)
    story.reached("completed", "2025-10-10")
    story.reached("producing", day)
    return story


def commits(story: Story, measure: str, due: str, **more: Any) -> str:
    return story.tell(COMMITMENT_MADE, measure=measure, due=due, **more)


def reports(story: Story, period: str, **figures: Any) -> str:
    return story.tell(PERFORMANCE_REPORTED, period=period, **figures)


def shown(story: Story, day: str) -> tuple[str, str]:
    step = light_on(story.document()["lights"], day)
    return step["light"], step["reason"]["code"]


def test_without_commitments_a_project_that_produces_stays_blue() -> None:
    document = producing().document()
    assert [step["light"] for step in document["lights"]] == ["blue"]
    assert "commitments" not in document


def test_a_commitment_turns_the_blue_into_a_clock_from_production_to_the_agreed_date() -> None:
    story = producing()
    commits(story, "full_production", "2026-12-31")
    document = story.document()
    (clock,) = document["clocks"]
    assert clock["gap"] == ["producing", "performing"]
    assert (clock["rule"], clock["start"], clock["due"], clock["warn"]) == (
        *("full_production", "2026-01-15", "2026-12-31", "2026-12-01"),
    )
    assert (document["stage"], document["next_stage"]) == ("producing", None)


@pytest.mark.parametrize(
    ("day", "light", "code"),
    [
        ("2026-06-01", "green", "committed-in-time"),
        ("2026-11-30", "green", "committed-in-time"),
        ("2026-12-01", "yellow", "committed-due-soon"),
        ("2026-12-31", "yellow", "committed-due-soon"),
        ("2027-01-01", "red", "committed-overdue"),
    ],
)
def test_it_warns_as_a_plan_does_and_is_red_from_the_day_after_the_agreed_date(day: str, light: str, code: str) -> None:
    story = producing()
    commits(story, "full_production", "2026-12-31")
    assert shown(story, day) == (light, code)


def test_a_commitment_of_half_a_year_or_less_warns_from_four_fifths() -> None:
    story = producing()
    commits(story, "full_production", "2026-04-25")  # 100 days
    assert story.document()["clocks"][0]["warn"] == "2026-04-05"


def test_full_production_is_reached_when_the_designed_capacity_is() -> None:
    story = producing()
    commits(story, "full_production", "2026-12-31")
    reports(story, "2026-Q1", capacity_percent=60)
    assert story.document()["clocks"][0]["commitment"]["reported"] == 60
    reports(story, "2026-Q3", capacity_percent=100)
    document = story.document()
    assert document["clocks"] == []
    assert only(document)["reason"]["code"] == "commitments-met"
    (closed,) = [clock for clock in document["closed"] if clock["gap"] == ["producing", "performing"]]
    assert (closed["closed"], closed["verdict"], closed["over"]) == ("2026-09-30", "in_time", 0)
    assert document["commitments"][0]["met"] == "2026-09-30"


def only(document: dict[str, Any]) -> dict[str, Any]:
    (step,) = document["lights"]
    assert step["light"] == "blue"
    return step  # type: ignore[no-any-return]  # a document is JSON


def test_an_annual_output_that_was_agreed_is_judged_by_the_output_of_a_year() -> None:
    story = producing()
    commits(story, "full_production", "2027-12-31", value=80_000_000)
    reports(story, "2026", capacity_percent=100, output=79_999_999)
    assert story.document()["commitments"][0]["met"] is None
    reports(story, "2027", output=80_000_000)
    assert story.document()["commitments"][0]["met"] == "2027-12-31"


def test_four_quarters_make_a_year_and_three_do_not() -> None:
    story = producing()
    commits(story, "tax_per_mu", "2027-12-31", value=10 * WAN)
    for quarter in ("2026-Q1", "2026-Q2", "2026-Q3"):
        reports(story, quarter, tax=2_000_000)
    assert story.document()["commitments"][0]["reported"] is None
    reports(story, "2026-Q4", tax=2_000_000)
    (commitment,) = story.document()["commitments"]
    assert (commitment["reported"], commitment["period"], commitment["met"]) == (231_884, "2026", "2026-12-31")


def test_an_amount_per_mu_is_compared_to_the_last_yuan() -> None:
    story = producing(area_mu=33.3333)
    commits(story, "tax_per_mu", "2027-12-31", value=200_000)
    reports(story, "2026", tax=6_666_659)
    assert story.document()["commitments"][0]["met"] is None
    reports(story, "2026", tax=6_666_660)
    assert story.document()["commitments"][0]["met"] == "2026-12-31"


def test_the_intensity_of_investment_counts_what_the_site_reported_too() -> None:
    story = producing()
    commits(story, "investment_intensity", "2026-12-31", value=400 * WAN)
    story.tell(PROGRESS_REPORTED, date="2025-09-30", percent=100, invested_total=138_000_000)
    (commitment,) = story.document()["commitments"]
    assert (commitment["reported"], commitment["met"]) == (400 * WAN, "2025-09-30")


def test_a_commitment_met_late_keeps_its_verdict_and_its_days() -> None:
    story = producing()
    commits(story, "full_production", "2026-06-30")
    reports(story, "2026-Q3", capacity_percent=103)
    closed = story.document()["closed"][-1]
    assert (closed["rule"], closed["verdict"], closed["over"]) == ("full_production", "late", 92)


@pytest.mark.parametrize(
    ("language", "running", "ended"),
    [
        (
            "zh-CN",
            "投产→达产达效（亩均税收达标）",
            "投产→达产达效（达产）：2026-01-15至2026-09-30，用258天，期限2026-06-30，超期92天。",
        ),
        (
            "en",
            "Producing → Performing (the tax per mu)",
            "Producing → Performing (full production): 2026-01-15 to 2026-09-30, 258 days used, due by 2026-06-30, 92 "
            "days late.",
        ),
    ],
)
def test_the_clocks_of_commitments_are_called_by_their_measure(language: Language, running: str, ended: str) -> None:
    story = producing()
    commits(story, "full_production", "2026-06-30")
    commits(story, "tax_per_mu", "2028-12-31", value=20 * WAN)
    reports(story, "2026-Q3", capacity_percent=103)
    document = story.document()
    told = explain.clock(document["clocks"][0], document, date(2026, 11, 20), published(), language)
    assert told["name"] == running
    assert explain.closed(document["closed"][-1], document, language)["text"] == ended


def test_what_was_reached_once_stays_reached() -> None:
    story = producing()
    commits(story, "full_production", "2026-12-31")
    reports(story, "2026-Q2", capacity_percent=100)
    reports(story, "2026-Q4", capacity_percent=70)
    assert story.document()["commitments"][0]["met"] == "2026-06-30"


def test_a_report_told_again_corrects_it_and_a_retracted_one_opens_the_clock_again() -> None:
    story = producing()
    commits(story, "full_production", "2026-12-31")
    report = reports(story, "2026-Q2", capacity_percent=100)
    corrected = reports(story, "2026-Q2", capacity_percent=80)
    assert story.document()["clocks"][0]["commitment"]["reported"] == 80
    story.tell(EVENT_RETRACTED, event_id=corrected, reason="误报")
    assert story.document()["clocks"] == []
    story.tell(EVENT_RETRACTED, event_id=report, reason="误报")
    assert shown(story, "2027-01-01") == ("red", "committed-overdue")


def test_two_tell_one_period_and_each_figure_counts() -> None:
    story = producing()
    reports(story, "2026", tax=5_000_000)
    reports(story, "2026", output=90_000_000, jobs=120)
    (row,) = story.document()["performance"]
    assert (row["period"], row["tax"], row["output"], row["jobs"]) == ("2026", 5_000_000, 90_000_000, 120)


def test_of_several_commitments_every_one_has_a_clock_and_the_worst_shows() -> None:
    story = producing()
    commits(story, "full_production", "2026-12-31")
    commits(story, "tax_per_mu", "2028-12-31", value=20 * WAN)
    document = story.document()
    assert [clock["rule"] for clock in document["clocks"]] == ["full_production", "tax_per_mu"]
    assert shown(story, "2027-01-01") == ("red", "committed-overdue")
    reports(story, "2026-Q4", capacity_percent=100)
    document = story.document()
    assert [clock["rule"] for clock in document["clocks"]] == ["tax_per_mu"]
    assert shown(story, "2027-01-01") == ("green", "committed-in-time")


def test_a_commitment_made_again_holds_and_its_first_day_is_kept() -> None:
    story = producing()
    commits(story, "full_production", "2026-06-30")
    commits(story, "full_production", "2026-12-31", reason="补充协议")
    (commitment,) = story.document()["commitments"]
    assert (commitment["due"], commitment["first_due"], commitment["postponed"]) == ("2026-12-31", "2026-06-30", 1)
    assert story.document()["clocks"][0]["due"] == "2026-12-31"


def test_before_production_no_clock_of_a_commitment_runs() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    commits(story, "full_production", "2026-12-31")
    document = story.document()
    assert [clock["rule"] for clock in document["clocks"]] == ["zone-default"]
    assert document["commitments"][0]["met"] is None


def test_production_of_unknown_date_has_no_clock() -> None:
    story = producing(None)
    commits(story, "full_production", "2026-12-31")
    document = story.document()
    assert document["clocks"] == []
    assert [(step["light"], step["reason"]["code"]) for step in document["lights"]] == [("grey", "date-unknown")]


def test_nothing_is_asked_of_a_project_that_was_given_up() -> None:
    story = producing()
    commits(story, "full_production", "2026-12-31")
    story.tell(PROJECT_WITHDRAWN, date="2026-02-01")
    document = story.document()
    assert document["clocks"] == []
    assert document["lights"][0]["reason"]["code"] == "withdrawn"


def test_a_tax_per_mu_of_an_unknown_area_is_never_met_and_says_why() -> None:
    story = producing(area_mu=None)
    commits(story, "tax_per_mu", "2027-12-31", value=20 * WAN)
    reports(story, "2026", tax=90_000_000)
    step = light_on(story.document()["lights"], "2028-01-01")
    assert step["light"] == "red"
    assert "用地面积未知" in text(step["reason"], "zh-CN")
    commits(story, "tax_per_mu", "2027-12-31", value=20 * WAN, area_mu=40)
    assert story.document()["commitments"][0]["met"] == "2026-12-31"


def test_the_sentence_tells_what_is_committed_and_what_was_reported() -> None:
    story = producing()
    commits(story, "tax_per_mu", "2027-12-31", value=20 * WAN)
    reports(story, "2026", tax=4_312_500)
    reason = light_on(story.document()["lights"], "2028-01-01")["reason"]
    assert text(reason, "zh-CN") == (
        "承诺于2027-12-31前亩均税收达到20万元/亩，2026年上报为12.5万元/亩（2026-01-15投产，限715天）"
    )
    assert text(reason, "en") == (
        "Overdue: an annual tax of 200,000 yuan per mu was committed by 2027-12-31; 125,000 yuan per mu reported for "
        "2026 (715 days from production on 2026-01-15)"
    )


@pytest.mark.parametrize(
    ("period", "last"),
    [
        *(("2026", "2026-12-31"), ("2026-Q1", "2026-03-31"), ("2024-Q4", "2024-12-31"), ("2026-02", "2026-02-28")),
        ("2026-02-03", "2026-02-03"),
    ],
)
def test_a_period_has_a_last_day(period: str, last: str) -> None:
    assert periods.last_ordinal(period) == date.fromisoformat(last).toordinal()


@pytest.mark.parametrize("text_", ["2026-Q5", "Q1", "2026Q1", "2026-Q", "26-Q1"])
def test_anything_else_is_no_period(text_: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        periods.last_ordinal(text_)
