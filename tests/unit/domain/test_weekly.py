"""The weekly report: read off the events, in both languages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from luodi.domain import events
from luodi.domain.assess import assess
from luodi.domain.fold import fold, retracted
from luodi.domain.history import known
from luodi.domain.performance import PERFORMANCE_REPORTED
from luodi.domain.procedures import PROCEDURE_BEGUN, PROCEDURE_MOVED
from luodi.domain.services import SERVICE_GIVEN
from luodi.domain.stages import Language
from luodi.domain.taskforce import FOLLOWUP_LOGGED
from luodi.domain.weekly import Scene, Week, report
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, Story, published

WEEK = Week.parse("2026-W23")  # Monday, 1 June 2026: the day on which stories are recorded
NOW = "2026-06-03T02:00:00.000Z"


def told(story: Story, week: Week = WEEK, moment: str = NOW, language: Language = "zh-CN") -> dict[str, Any]:
    recorded = known(story.events, moment)
    document = assess(SUBJECT, fold(recorded), DEFAULT_RULES, published())
    return report(Scene(document, recorded, retracted(recorded), week, moment, published(), language))


def texts(found: dict[str, Any], part: str) -> list[str]:
    return [line["text"] for line in found[part]]


def a_week() -> Story:
    story = Story()
    story.registered(key=True)
    story.reached("signed", "2026-04-01")
    story.reached("land_supplied", "2026-05-29")
    story.tell(
        events.PROGRESS_REPORTED, date="2026-05-31", percent=12, appearance="桩基完成", invested_total=150_000_000
    )
    story.tell(
        FOLLOWUP_LOGGED,
        date="2026-06-01",
        way="现场",
        done="核对用电方案",
        next="供电公司踏勘",
        next_date="2026-06-05",
        needs_leader=True,
    )
    story.blocked("2026-05-20", promise="2026-06-10", note="接入点未定", level="重大")
    story.tell(events.BLOCKER_RAISED, kind="用水", date="2026-05-30")
    story.cleared(story.blocked("2026-05-10"), "2026-05-30")
    return story


def test_what_was_recorded_in_the_week_is_its_progress_whatever_day_it_speaks_of() -> None:
    found = told(a_week())
    assert texts(found, "progress") == [
        "签约（2026-04-01）",
        "供地（2026-05-29）",
        "桩基完成，形象进度12%，累计完成投资1.5亿元",
        "现场：核对用电方案",
        "用电问题已解决",
    ]
    assert all(line["event_id"] for line in found["progress"]), "each line can be traced"
    assert (found["updated"], found["unchanged"]) == (True, False)


def test_the_plan_holds_the_next_step_and_the_promises_up_to_the_end_of_the_week_after() -> None:
    assert texts(told(a_week()), "plan") == ["供电公司踏勘（2026-06-05前）", "u-power2026-06-10前解决用电"]


def test_problems_are_the_open_blockers_and_coordination_what_needs_somebody_above() -> None:
    found = told(a_week())
    assert texts(found, "problems") == [
        "用电（接入点未定），u-power，承诺2026-06-10",
        "用水，责任单位（待认领），未承诺时限",
    ]
    assert texts(found, "coordination") == ["请领导协调：供电公司踏勘", "重大：用电，u-power", "用水待认领"]


def test_the_whole_is_one_paragraph_in_either_language() -> None:
    assert told(a_week())["text"].startswith("本周进展：签约（2026-04-01）；供地（2026-05-29）；")
    english = told(a_week(), language="en")["text"]
    assert english.startswith("This week: Signed (2026-04-01); Land supplied (2026-05-29); ")
    assert "on site: 核对用电方案" in english
    assert (
        "To be coordinated: a leader is needed: 供电公司踏勘; grave: power, u-power; nobody has taken on water."
        in english
    )


def test_a_promise_that_is_over_and_a_red_clock_are_problems() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2025-12-01")
    story.blocked("2026-05-01", promise="2026-05-25")
    problems = texts(told(story), "problems")
    assert len(problems) == 2
    assert problems[0].startswith("应于2026-03-01前供地，已超期94天")
    assert problems[1] == "用电，u-power，承诺2026-05-25，已超9天"


def test_a_clock_that_is_due_in_the_week_after_stands_in_the_plan() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-03-12")  # and 90 days: 10 June, in the week after
    assert texts(told(story), "plan") == ["签约→供地期限2026-06-10"]


def test_a_week_of_nothing_but_no_change_says_so_and_one_of_nothing_at_all_is_not_updated() -> None:
    story = Story()
    story.registered()
    story.events.clear()
    story.tell(FOLLOWUP_LOGGED, date="2026-06-01", unchanged=True)
    assert texts(told(story), "progress") == ["本周无变化"]
    after = told(story, Week.parse("2026-W24"), "2026-06-10T00:00:00.000Z")
    assert (after["updated"], after["unchanged"], after["progress"]) == (False, False, [])
    assert after["text"] == "本周进展：无。下周计划：无。存在问题：无。需协调：无。"


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("zh-CN", "2026年第1季度：产值1.2亿元，税收0.07亿元，达产率77.5%，用工120人"),
        ("en", "the quarter 2026-Q1: output 1.2 亿 yuan, tax 0.07 亿 yuan, 77.5% of the capacity, 120 jobs"),
    ],
)
def test_the_figures_of_a_quarter_are_progress(language: Language, line: str) -> None:
    story = Story()
    story.registered()
    figures: dict[str, Any] = {"output": 120_000_000, "tax": 7_000_000, "capacity_percent": 77.5, "jobs": 120}
    story.tell(PERFORMANCE_REPORTED, period="2026-Q1", **figures)
    assert texts(told(story, language=language), "progress") == [line]


def test_that_nothing_changed_is_said_by_whoever_logged_it() -> None:
    story = Story()
    story.registered()
    said = story.tell(FOLLOWUP_LOGGED, date="2026-06-01", unchanged=True)
    story.blocked("2026-05-20")
    (line,) = told(story)["progress"]
    assert (line["text"], line["event_id"], line["date"]) == ("本周无变化", said, "2026-06-01")


def test_procedures_and_services_are_progress_and_a_late_procedure_is_a_problem() -> None:
    story = Story()
    story.registered()
    permit = story.tell(PROCEDURE_BEGUN, kind="施工许可", state="受理", date="2026-03-02", unit="u-build")
    story.tell(PROCEDURE_BEGUN, kind="环评", state="提前介入", date="2026-06-01")
    story.tell(SERVICE_GIVEN, kind="代办", date="2026-06-01", text="代办备案")
    late = told(story)
    assert texts(late, "progress") == ["施工许可受理", "环评提前介入", "代办手续：代办备案"]
    (problem,) = texts(late, "problems")
    assert problem.startswith("u-build应于2026-03-11前办结施工许可，尚未办结，已超期84天")
    story.tell(PROCEDURE_MOVED, procedure_id=permit, state="办结", date="2026-06-01")
    english = told(story, language="en")
    assert english["progress"][-1]["text"].endswith(": decided")
    assert english["problems"] == []


def test_what_was_retracted_is_told_in_no_week() -> None:
    story = Story()
    story.registered()
    story.retracted(story.reached("signed", "2026-05-29"))
    assert told(story)["progress"] == []


@pytest.mark.parametrize("text", ["2026-W23", "2026-06-01", "2026-06-07"])
def test_a_week_is_named_by_its_number_or_by_any_of_its_days(text: str) -> None:
    week = Week.parse(text)
    assert (week.text, week.first, week.last) == ("2026-W23", date(2026, 6, 1), date(2026, 6, 7))


@pytest.mark.parametrize("text", ["2026-W54", "2026-23", "W23", "2026-06", ""])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Week.parse(text)


def test_the_first_days_of_january_may_belong_to_the_last_week_of_the_year_before() -> None:
    assert Week.of(date(2027, 1, 1)).text == "2026-W53"
