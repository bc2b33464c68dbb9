"""The presets beside the zone's default, the other ways to limit a gap, and the verdicts on closed ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.assess import assess, days_used, in_force
from luodi.domain.days import last_day
from luodi.domain.events import (
    ANNUAL_PLAN_SET,
    BLOCKER_CLEARED,
    BLOCKER_PAUSED,
    BLOCKER_RAISED,
    LAND_CONTRACT_RECORDED,
    MILESTONE_REPORTED,
    PLAN_SET,
    PROGRESS_REPORTED,
    PROJECT_WITHDRAWN,
    STATISTICS_REPORTED,
    SUSPENSION_BEGUN,
    SUSPENSION_ENDED,
    Event,
)
from luodi.domain.fold import fold
from luodi.domain.reasons import text
from luodi.domain.rules import Case, Limit, Rules, Version, Yellow
from luodi.domain.stages import STAGES
from tests.rules import DEFAULT_RULES, ONLY, rules_of, with_limit, with_presets
from tests.unit.domain.builders import SUBJECT, UNHURRIED, Document, Story, light_on, published, whole
from tests.unit.domain.strategies import histories

YI = 100_000_000
STARTED, COMPLETED = "started", "completed"
DATED = (MILESTONE_REPORTED, PLAN_SET, BLOCKER_RAISED, BLOCKER_PAUSED, BLOCKER_CLEARED)
GOVERNMENT, PAPER = "government", "示例园管函1号"


def supplied(day: str = "2025-05-20", **fields: Any) -> Story:
    story = Story()
    story.registered(**fields)
    story.reached("land_supplied", day)
    return story


def begun(day: str = "2026-03-10", **fields: Any) -> Story:
    story = Story()
    story.registered(**fields)
    story.reached("started", day)
    return story


def clock_of(document: Document, rule: str) -> Document:
    found: Document = next(clock for clock in document["clocks"] if clock["rule"] == rule)
    return found


def lit(clock: Document, day: str) -> str:
    return str(light_on(clock["lights"], day)["light"])


def turns(clock: Document) -> list[tuple[str, str]]:
    """Each light but the first with the business date on which it begins, from the rule's first version on; the same
    light again is told once."""
    found: list[tuple[str, str]] = []
    steps = [step for step in clock["lights"] if step["reason"]["code"] != "no-limit"]
    light = steps[0]["light"]
    for step in steps[1:]:
        if step["light"] != light:
            light = step["light"]
            found.append((published().business_date(step["from"]).isoformat(), light))
    return found


def said(clock: Document, day: str) -> tuple[str, str]:
    reason, today = light_on(clock["lights"], day)["reason"], date.fromisoformat(day)
    return text(reason, "zh-CN", today), text(reason, "en", today)


ALL = with_presets("zone-default", "idle-land", "yinchuan-2025", "handan-2024", "jiangdong")


@settings(UNHURRIED, max_examples=50)
@given(histories())
def test_under_all_presets_every_light_can_be_said(events: list[Event]) -> None:
    state = fold(events)
    document = assess(SUBJECT, state, ALL, published())
    assert orjson.dumps(assess(SUBJECT, orjson.loads(orjson.dumps(state)), ALL, published())) == orjson.dumps(document)
    for clock in whole(document)["clocks"]:
        assert clock["rule"] in ("plan", *(version.rule for version in ALL.versions()))
        for step in clock["lights"]:
            for language in ("zh-CN", "en"):
                assert text(step["reason"], language, date(2026, 3, 5))
    for entry in document["closed"]:
        assert entry["over"] == max(0, (last_day(entry["closed"]) - last_day(entry["due"])).days)
        assert entry["verdict"] in ("in_time", "late")
        assert entry["days"] >= 0


# Several clocks on one gap.


def test_a_zone_that_lists_more_presets_has_a_clock_for_each_rule_the_default_first() -> None:
    story = supplied(agreed_start_date="2025-05-31")
    document = story.document(with_presets("zone-default", "idle-land"))
    assert [(clock["rule"], clock["preset"], clock["version"], clock["due"]) for clock in document["clocks"]] == [
        ("zone-default", "zone-default", "1980-01-01", "2025-08-13"),
        ("idle-land-fee", "idle-land", "2012-07-01", "2026-05-31"),
        ("idle-land-recovery", "idle-land", "2012-07-01", "2027-05-31"),
    ]
    assert all(clock["basis"]["zh"] and clock["basis"]["en"] for clock in document["clocks"])
    assert document["clocks"][1]["consequence"]["en"].startswith("an idle fee")


def test_the_project_shows_the_worst_of_its_clocks_and_why() -> None:
    story = supplied("2026-04-01", agreed_start_date="2025-05-31")
    lights = story.document(with_presets("zone-default", "idle-land"))["lights"]
    shown = light_on(lights, "2026-06-01")
    assert (shown["light"], shown["reason"]["rule"]) == ("red", "idle-land-fee")
    assert light_on(lights, "2026-03-31")["light"] == "green"
    assert light_on(lights, "2026-05-31")["reason"]["rule"] == "idle-land-fee"  # yellow like no other yet


def test_a_project_of_another_zone_has_the_default_alone() -> None:
    rules = Rules(DEFAULT_RULES.presets, {"mine": ("zone-default", "idle-land")})
    story = supplied(agreed_start_date="2025-05-31")
    assert [clock["rule"] for clock in story.document(rules)["clocks"]] == ["zone-default"]
    story.registered(zone="mine", agreed_start_date="2025-05-31")
    assert len(story.document(rules)["clocks"]) == 3


def test_a_rule_that_is_not_yet_in_force_hides_no_other_light() -> None:
    late = Version("late", "late", date(2026, 3, 1), (Case(Limit(10, "months")),), {"zh": "依据", "en": "basis"})
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    document = story.document(rules_of(ONLY, late))
    clock = clock_of(document, "late")
    assert [(step["light"], step["reason"]["code"]) for step in clock["lights"][:2]] == [
        ("grey", "no-limit"),
        ("green", "in-time"),
    ]
    assert light_on(document["lights"], "2026-02-28")["reason"]["rule"] == "zone-default"
    assert light_on(document["lights"], "2026-02-28")["light"] == "green"


def test_where_no_rule_is_in_force_the_project_is_grey_beside_its_promises() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    story.blocked("2026-01-10", promise="2026-12-31")
    rules = rules_of(ONLY, with_limit("land", "land_supplied", None, date(2026, 3, 1)))
    lights = story.document(rules)["lights"]
    assert (light_on(lights, "2026-03-01")["light"], light_on(lights, "2026-03-01")["reason"]["code"]) == (
        "grey",
        "no-limit",
    )


# Idle land.


def idle(story: Story, rule: str = "idle-land-fee") -> Document:
    return clock_of(story.document(with_presets("zone-default", "idle-land")), rule)


def test_land_is_idle_a_year_after_the_agreed_start_and_warns_60_days_before() -> None:
    clock = idle(supplied(agreed_start_date="2025-05-31"))
    assert (clock["start"], clock["due"], clock["warn"]) == ("2025-05-31", "2026-05-31", "2026-04-01")
    assert turns(clock) == [("2026-04-01", "yellow"), ("2026-06-01", "red")]
    assert days_used(clock, published(), date(2026, 6, 3)) == 368
    assert said(clock, "2026-06-03") == (
        "应于2026-05-31前开工，已超期3天（闲置土地（满一年）：约定动工日2025-05-31，限12个月）",
        "Overdue: the start of construction was due by 2026-05-31, 3 days over"
        " (idle land, one year: 12 months from the agreed start on 2025-05-31)",
    )


def test_the_land_contract_names_the_agreed_start_before_the_registration_does() -> None:
    story = supplied(agreed_start_date="2025-05-31")
    story.tell(LAND_CONTRACT_RECORDED, contract_no="1", start_by="2025-08-31")
    assert idle(story)["start"] == "2025-08-31"
    story.tell(LAND_CONTRACT_RECORDED, contract_no="1")
    assert idle(story)["start"] == "2025-05-31"


def test_without_an_agreed_start_no_clock_of_law_runs() -> None:
    document = supplied().document(with_presets("zone-default", "idle-land"))
    assert [clock["rule"] for clock in document["clocks"]] == ["zone-default"]


def test_a_plan_never_moves_the_limit_of_law() -> None:
    story = supplied(agreed_start_date="2025-05-31")
    before = idle(story)
    story.planned("started", "2027-01-31")
    assert idle(story) == before


@pytest.mark.parametrize(
    ("cause", "document", "due"),
    [
        ("government", PAPER, "2026-06-30"),
        ("force_majeure", PAPER, "2026-06-30"),
        ("preliminary_work", PAPER, "2026-06-30"),
        ("government", None, "2026-05-31"),
        ("utility", PAPER, "2026-05-31"),
        ("enterprise", PAPER, "2026-05-31"),
    ],
)
def test_only_a_delay_that_the_law_excuses_moves_its_limit_and_only_with_a_paper(
    cause: str, document: str | None, due: str
) -> None:
    story = supplied(agreed_start_date="2025-05-31")
    story.approved(story.blocked("2025-09-01", cause), "2025-09-01", "2025-09-30", document)
    clock = idle(story)
    assert clock["due"] == due
    assert lit(clock, "2025-09-15") == ("grey" if due == "2026-06-30" else "green")


def test_a_delay_before_the_agreed_start_moves_nothing() -> None:
    story = supplied(agreed_start_date="2025-05-31")
    story.approved(story.blocked("2025-05-02", GOVERNMENT), "2025-05-02", "2025-06-10", PAPER)
    assert idle(story)["due"] == "2026-06-10"  # 1 to 10 June alone


def test_land_on_which_work_stopped_for_a_year_is_idle_while_little_is_invested() -> None:
    story = begun("2025-01-10", investment=4 * YI)
    story.tell(PROGRESS_REPORTED, date="2025-02-01", invested_total=YI - 1)
    rules = with_presets("zone-default", "idle-land")
    assert [clock["rule"] for clock in story.document(rules)["clocks"]] == ["zone-default"]
    stop = story.tell(SUSPENSION_BEGUN, date="2025-03-01", reason="资金")
    clock = clock_of(story.document(rules), "idle-land-stopped")
    assert (clock["start"], clock["due"], clock["counted_from"]) == ("2025-03-01", "2026-03-01", "suspension")
    assert said(clock, "2026-03-05") == (
        "应于2026-03-01前恢复建设，已超期4天（闲置土地（中止开发满一年）：停工2025-03-01，限12个月）",
        "Overdue: the resumption of work was due by 2026-03-01, 4 days over"
        " (idle land, work stopped for a year: 12 months from the stop of work on 2025-03-01)",
    )
    story.tell(PROGRESS_REPORTED, date="2025-02-02", invested_total=YI)
    assert len(story.document(rules)["clocks"]) == 1  # a quarter is invested
    story.tell(PROGRESS_REPORTED, date="2025-02-03", invested_total=1)
    assert len(story.document(rules)["clocks"]) == 2
    story.tell(SUSPENSION_ENDED, suspension_id=stop, date="2025-06-01")
    assert len(story.document(rules)["clocks"]) == 1


# Monthly rounds.


def yinchuan(story: Story, what: str = "start") -> Document:
    return clock_of(story.document(with_presets("zone-default", "yinchuan-2025")), f"yinchuan-2025-{what}")


@pytest.mark.parametrize("planned", ["2026-03", "2026-03-01", "2026-03-31"])
def test_a_planned_month_that_passed_is_yellow_on_the_next_first_and_red_at_the_third_round(planned: str) -> None:
    story = supplied("2025-12-01")
    story.planned("started", planned)
    clock = yinchuan(story)
    assert turns(clock) == [("2026-04-01", "yellow"), ("2026-06-01", "red")]
    assert (clock["due"], clock["warn"]) == ("2026-03-31" if planned == "2026-03" else planned, "2026-04-01")
    assert said(clock, "2026-05-02")[0] == f"计划开工：2026年4月研判：已过计划日期{planned}，尚未开工；连续2个月"
    assert said(clock, "2026-06-01") == (
        f"计划开工：2026年5月研判为红：已过计划日期{planned}，尚未开工；连续3个月",
        f"planned start: judged red for May 2026: the start of construction was planned for {planned} and has not been"
        " reported; 3 months in a row",
    )


def test_without_a_plan_nothing_is_judged_in_rounds() -> None:
    document = supplied().document(with_presets("zone-default", "yinchuan-2025"))
    assert [clock["rule"] for clock in document["clocks"]] == ["zone-default"]


def test_a_month_whose_last_day_is_paused_neither_counts_nor_breaks_the_row() -> None:
    story = supplied("2025-12-01")
    story.planned("started", "2026-03")
    story.paused("2026-04-20", "2026-05-10")  # the end of April
    clock = yinchuan(story)
    assert [turn for turn in turns(clock) if turn[1] != "grey"] == [
        ("2026-04-01", "yellow"),
        ("2026-05-11", "yellow"),
        ("2026-07-01", "red"),
    ]
    assert lit(clock, "2026-05-01") == "grey"
    assert lit(clock, "2026-06-30") == "yellow"


def test_a_pause_from_the_day_of_a_round_comes_too_late_for_it() -> None:
    story = supplied("2025-12-01")
    story.planned("started", "2026-03")
    story.paused("2026-06-01", "2026-06-20")
    clock = yinchuan(story)
    assert lit(clock, "2026-06-01") == "red"
    assert light_on(clock["lights"], "2026-06-01")["reason"]["code"] == "overdue-paused"


def building(percents: dict[str, int], plan: str = "2026-12-31", **fields: Any) -> Story:
    """Begun on the last day of 2025: of 365 days to the plan every month takes its share."""
    story = begun("2025-12-31", **fields)
    story.planned("completed", plan)
    for day, percent in percents.items():
        story.tell(PROGRESS_REPORTED, date=day, percent=percent)
    return story


def test_ten_points_behind_plan_are_yellow_over_thirty_red_and_three_rounds_in_a_row() -> None:
    # Planned at the end of each month: 8, 16, 24, 32, 41, 49, 58, …
    clock = yinchuan(building({"2026-01-15": 7, "2026-03-15": 15, "2026-05-31": 31, "2026-06-30": 18}), "progress")
    assert turns(clock) == [("2026-05-01", "yellow"), ("2026-07-01", "red")]
    assert said(clock, "2026-05-01")[0] == "形象进度：2026年4月研判：形象进度落后计划17个百分点（计划32%，已报15%）"
    assert said(clock, "2026-06-01")[0].endswith("落后计划10个百分点（计划41%，已报31%）；连续2个月")
    assert said(clock, "2026-07-01")[1] == (
        "progress: judged red for June 2026: progress is 31 points behind plan (18 % reported of 49 % planned);"
        " 3 months in a row"
    )


def test_far_behind_is_red_at_once_and_a_report_that_catches_up_makes_it_green_at_the_next_round() -> None:
    clock = yinchuan(building({"2026-01-15": 8, "2026-06-30": 10, "2026-07-20": 58}), "progress")
    reds = {turn for turn in turns(clock) if turn[1] != "yellow"}
    assert ("2026-06-01", "red") in reds  # 41 - 8: three more than thirty
    assert ("2026-08-01", "green") in reds


def test_nine_points_behind_are_in_order_and_thirty_are_not_yet_far() -> None:
    assert lit(yinchuan(building({"2026-01-15": 7, "2026-04-30": 23}), "progress"), "2026-05-01") == "green"
    assert lit(yinchuan(building({"2026-04-30": 2}), "progress"), "2026-05-01") == "yellow"
    assert lit(yinchuan(building({"2026-04-30": 1}), "progress"), "2026-05-01") == "red"


def test_where_no_percent_was_ever_reported_no_point_is_missing() -> None:
    story = building({})
    story.tell(PROGRESS_REPORTED, date="2026-03-01", appearance="桩基")
    assert turns(yinchuan(story, "progress")) == []


def test_the_annual_plan_says_what_each_month_should_bring() -> None:
    story = building({"2026-01-15": 1}, investment=10 * YI)
    story.tell(ANNUAL_PLAN_SET, year=2026, amount=10 * YI, by_month=[0, 0, 0, 0, 0, 0, 5 * YI, 0, 0, 0, 0, 5 * YI])
    assert turns(yinchuan(story, "progress"))[0] == ("2026-08-01", "red")  # 50 planned, 1 reported
    linear = building({"2026-01-15": 1})
    linear.tell(ANNUAL_PLAN_SET, year=2026, amount=10 * YI, by_month=[0] * 12)
    assert turns(yinchuan(linear, "progress"))[0] == ("2026-03-01", "yellow")  # the investment is not known


def test_the_second_year_goes_on_from_what_the_first_should_have_brought() -> None:
    story = begun("2025-06-30", investment=10 * YI)
    story.planned("completed", "2026-12-31")
    for year, months in ((2025, [0] * 11 + [4 * YI]), (2026, [YI, *[0] * 11])):
        story.tell(ANNUAL_PLAN_SET, year=year, amount=sum(months), by_month=months)
    story.tell(PROGRESS_REPORTED, date="2025-12-31", percent=38)
    clock = yinchuan(story, "progress")
    assert lit(clock, "2026-01-31") == "green"  # 2 behind
    assert said(clock, "2026-02-01")[0].endswith("落后计划12个百分点（计划50%，已报38%）")


def test_a_plan_beyond_all_measure_costs_a_bounded_number_of_rounds() -> None:
    story = begun("2026-01-10")
    story.planned("completed", "9998-12-31")
    story.tell(PROGRESS_REPORTED, date="2026-01-15", percent=0)
    assert turns(yinchuan(story, "progress")) == []


def test_a_project_that_is_not_in_the_library_a_month_after_its_start_is_yellow_and_red_after_two() -> None:
    clock = yinchuan(begun("2026-03-10"), "statistics")
    assert turns(clock) == [("2026-05-01", "yellow"), ("2026-06-01", "red")]
    assert said(clock, "2026-06-01") == (
        "应于2026-05-10前入库，已超期22天（开工入库：2026-03-10开工，限2个月）",
        "Overdue: entry into the statistical library was due by 2026-05-10, 22 days over"
        " (entry into the statistical library: 2 months from the start of construction on 2026-03-10)",
    )
    month_end = yinchuan(begun("2026-03-31"), "statistics")
    assert turns(month_end) == [("2026-05-01", "yellow"), ("2026-06-01", "red")]


def test_once_in_the_library_its_clock_is_green_for_good() -> None:
    story = begun("2026-03-10")
    story.tell(STATISTICS_REPORTED, in_library=True, since="2026-05-20")
    clock = yinchuan(story, "statistics")
    assert turns(clock) == [("2026-05-01", "yellow"), ("2026-05-20", "green")]
    assert said(clock, "2026-12-01") == ("开工入库：已入库（2026-05-20）", said(clock, "2026-12-01")[1])
    story.tell(STATISTICS_REPORTED, in_library=False)
    assert turns(yinchuan(story, "statistics"))[-1] == ("2026-06-01", "red")
    story.tell(STATISTICS_REPORTED, in_library=True)
    assert turns(yinchuan(story, "statistics")) == []


def jiangdong(story: Story) -> Document:
    return clock_of(story.document(with_presets("zone-default", "jiangdong")), "jiangdong")


def test_a_plan_that_was_put_off_is_behind_from_the_round_after_it_was() -> None:
    story = supplied("2026-03-01")
    story.planned("started", "2026-09-30")
    assert turns(jiangdong(story)) == [("2026-10-01", "yellow"), ("2026-11-01", "red")]
    story.planned("started", "2026-12-31", reason="雨季", approver="u-chief")  # recorded on 1 June
    clock = jiangdong(story)
    assert turns(clock) == [("2026-07-01", "yellow"), ("2026-08-01", "red")]
    assert said(clock, "2026-07-01")[0].endswith("开工计划已由原定日期推迟至2026-12-31")
    story.planned("started", "2026-09-01", reason="赶工", approver="u-chief")  # earlier than ever planned
    assert turns(jiangdong(story))[0] == ("2026-10-01", "yellow")


def test_a_red_of_jiangdong_is_told_the_leader_the_same_day() -> None:
    version = DEFAULT_RULES.in_force("jiangdong", date(2026, 1, 1))
    assert version is not None
    assert version.ladder is not None
    assert version.ladder.same_day


# Reports.


def handan(story: Story, rule: str = "progress") -> Document:
    return clock_of(story.document(with_presets("zone-default", "handan-2024")), f"handan-2024-{rule}")


def test_two_months_without_a_report_are_yellow_and_three_red() -> None:
    clock = handan(supplied("2025-10-31"))
    assert turns(clock) == [("2026-01-01", "yellow"), ("2026-02-01", "red")]
    assert (clock["start"], clock["due"]) == ("2025-10-31", "2026-01-31")
    assert turns(handan(supplied("2025-10-31"), "pool")) == [("2026-05-01", "red")]
    assert said(clock, "2026-02-01") == (
        "应于2026-01-31前报告新进展，已超期1天（无进展：最近一次进展2025-10-31，限3个月）",
        "Overdue: a new report of progress was due by 2026-01-31, 1 day over"
        " (no progress: 3 months from the last report on 2025-10-31)",
    )


def test_every_report_begins_the_count_anew_and_what_was_late_stays_late() -> None:
    story = supplied("2025-01-10")
    for day in ("2025-01-20", "2025-03-30", "2025-04-10", "2025-08-01"):
        story.tell(PROGRESS_REPORTED, date=day, appearance="现场")
    clock = handan(story)
    assert turns(clock) == [
        ("2025-03-21", "yellow"),
        ("2025-03-30", "green"),
        ("2025-06-11", "yellow"),
        ("2025-07-11", "red"),
        ("2025-08-01", "green"),
        ("2025-10-02", "yellow"),
        ("2025-11-02", "red"),
    ]
    assert (clock["start"], clock["due"]) == ("2025-08-01", "2025-11-01")


def test_a_report_from_before_the_stage_was_reached_counts_for_nothing() -> None:
    story = supplied("2026-01-10")
    story.tell(PROGRESS_REPORTED, date="2025-01-20", percent=3)
    assert handan(story)["start"] == "2026-01-10"


def test_a_paused_day_is_no_day_without_a_report() -> None:
    story = supplied("2025-10-31")
    story.paused("2025-11-10", "2025-11-19")
    clock = handan(story)
    assert clock["due"] == "2026-02-10"
    assert lit(clock, "2025-11-19") == "grey"


# Dates that were agreed or planned.


def rule(**more: Any) -> Version:
    told: dict[str, Any] = {"rule": "own", "preset": "own", "valid_from": date(1980, 1, 1), "cases": (Case(),)}
    told |= {"basis": {"zh": "依据", "en": "basis"}, "title": {"zh": "约定", "en": "agreed"}}
    return Version(**(told | more))


def own(story: Story, **more: Any) -> Document:
    return clock_of(story.document(rules_of(rule(**more))), "own")


def test_a_clock_may_run_until_an_agreed_date_which_no_pause_moves() -> None:
    story = begun("2026-03-01")
    story.tell(LAND_CONTRACT_RECORDED, contract_no="1", complete_by="2026-06-09", produce_by="2026-12-31")
    story.paused("2026-04-01", "2026-04-30")
    clock = own(story, until="agreed_completion", yellow=Yellow(used_percent=80), pausing_causes=frozenset({"utility"}))
    assert turns(clock) == [("2026-05-20", "yellow"), ("2026-06-10", "red")]
    assert said(clock, "2026-06-10")[0] == "约定应于2026-06-09前竣工，已超期1天（约定：2026-03-01开工，限100天）"
    days_before = own(story, until="agreed_completion", yellow=Yellow(days_before=10))
    assert turns(days_before) == [("2026-05-30", "yellow"), ("2026-06-10", "red")]
    silent = own(story, until="agreed_completion")
    assert (turns(silent), silent["warn"]) == ([("2026-06-10", "red")], None)
    monthly = own(story, until="agreed_completion", yellow=Yellow(days_before=10), monthly=True)
    assert turns(monthly) == [("2026-06-01", "yellow"), ("2026-07-01", "red")]


def test_a_clock_until_a_date_that_nobody_agreed_does_not_run() -> None:
    assert begun().document(rules_of(rule(until="agreed_completion")))["clocks"] == []
    assert begun().document(rules_of(rule(until="plan")))["lights"][0]["reason"]["code"] == "no-limit"


def test_a_limit_may_run_from_the_planned_date() -> None:
    story = begun("2026-03-01")
    story.planned("completed", "2026-05")
    clock = own(story, since="plan", cases=(Case(Limit(30, "calendar_days")),))
    assert (clock["start"], clock["due"], clock["approximate"]) == ("2026-05-31", "2026-06-30", True)
    assert turns(clock) == [("2026-07-01", "red")]


def test_a_limit_may_run_from_the_agreed_production() -> None:
    story = begun("2026-03-01")
    story.reached("completed", "2026-04-01")
    story.tell(LAND_CONTRACT_RECORDED, contract_no="1", complete_by="2026-06-09", produce_by="2026-12-31")
    clock = own(story, since="agreed_production", cases=(Case(Limit(10, "working_days")),))
    assert (clock["due"], clock["provisional"]) == ("2027-01-14", True)


def test_a_plan_takes_a_limits_place_only_where_the_rule_says_so() -> None:
    story = begun("2026-03-01")
    story.planned("completed", "2026-12-31")
    assert own(story, cases=(Case(Limit(3, "months")),))["due"] == "2026-06-01"
    document = story.document(rules_of(rule(cases=(Case(Limit(3, "months")),), plan_for=frozenset({"completed"}))))
    assert [(clock["rule"], clock["preset"], clock["due"]) for clock in document["clocks"]] == [
        ("plan", "own", "2026-12-31")
    ]


def test_a_limit_judged_monthly_turns_on_the_first_of_a_month() -> None:
    story = begun("2026-03-10")
    clock = own(story, cases=(Case(Limit(2, "months")),), monthly=True, yellow=Yellow(used_percent=50))
    assert turns(clock) == [("2026-05-01", "yellow"), ("2026-06-01", "red")]
    on_the_first = own(begun("2026-03-31"), cases=(Case(Limit(1, "months")),), monthly=True)
    assert turns(on_the_first) == [("2026-05-01", "red")]
    story.paused("2026-05-20", "2026-05-31")
    paused = own(story, cases=(Case(Limit(2, "months")),), monthly=True, pausing_causes=frozenset({"utility"}))
    assert turns(paused)[-1] == ("2026-07-01", "red")


def test_a_case_of_a_class_holds_for_that_class_alone() -> None:
    cases = (Case(Limit(3, "months")), Case(Limit(2, "months"), traits={"class": "A"}))
    assert own(begun("2026-03-01"), cases=cases)["due"] == "2026-06-01"
    assert own(begun("2026-03-01", **{"class": "A"}), cases=cases)["due"] == "2026-05-01"


# Closed gaps.


@settings(UNHURRIED, max_examples=50)
@given(histories(types=(*DATED, "project.registered")), st.sampled_from(["land", "plant"]))
def test_a_closed_gap_ends_as_its_clock_stood_on_that_day(events: list[Event], route: str) -> None:
    """The verdict is made by a short way; the long one is to open the gap again and to look at the clock."""
    state = fold(events)
    state["fields"] = {"route": route}
    document = assess(SUBJECT, state, DEFAULT_RULES, published())
    for entry in document["closed"]:
        reopened = state | {"milestones": dict(state["milestones"])}
        later = STAGES[STAGES.index(entry["gap"][1]) :]
        for stage in later:
            reopened["milestones"].pop(stage, None)
        (clock,) = assess(SUBJECT, reopened, DEFAULT_RULES, published())["clocks"]
        day = date.fromisoformat(entry["closed"])
        assert (entry["rule"], entry["start"], entry["due"]) == (clock["rule"], clock["start"], clock["due"])
        assert entry["days"] == days_used(clock, published(), day)
        assert (entry["verdict"] == "late") is (light_on(clock["lights"], day)["light"] == "red")


def finished(**fields: Any) -> Story:
    story = Story()
    story.registered(**fields)
    story.reached("signed", "2025-01-10")  # due 2025-04-10
    story.reached("land_supplied", "2025-04-11")  # due 2025-07-09 in 60 working days
    story.reached("started", "2025-07-08")
    return story


def closed(document: Document) -> list[tuple[Any, ...]]:
    return [
        (entry["gap"][1], entry["rule"], entry["due"], entry["days"], entry["over"], entry["verdict"])
        for entry in document["closed"]
    ]


def test_a_closed_gap_says_how_it_ended() -> None:
    document = finished().document()
    assert closed(document) == [
        ("land_supplied", "zone-default", "2025-04-10", 91, 1, "late"),
        ("started", "zone-default", "2025-07-09", 59, 0, "in_time"),
    ]
    assert document["closed"][0] == {
        "gap": ["signed", "land_supplied"],
        "rule": "zone-default",
        "preset": "zone-default",
        "version": "1980-01-01",
        "start": "2025-01-10",
        "closed": "2025-04-11",
        "due": "2025-04-10",
        "days": 91,
        "over": 1,
        "verdict": "late",
    }


def test_paused_days_are_left_out_of_a_closed_gap_as_they_were_of_the_open_one() -> None:
    story = finished()
    story.paused("2025-04-01", "2025-04-10")
    assert closed(story.document())[0] == ("land_supplied", "zone-default", "2025-04-20", 81, 0, "in_time")
    story.paused("2025-06-28", "2025-07-30")  # ends after the gap was closed; 5 and 6 July are a weekend
    assert closed(story.document())[1][3:] == (52, 0, "in_time")


def test_a_pause_counts_in_a_closed_gap_up_to_the_day_that_closed_it() -> None:
    def pausing(begin: str, until: str) -> tuple[Any, ...]:
        story = finished()  # land on 2025-04-11, a Friday
        story.paused(begin, until)
        return closed(story.document())[0]

    unpaused = closed(finished().document())[0]
    assert unpaused[3] == 91
    assert pausing("2025-04-11", "2025-04-30")[3] == 90
    assert pausing("2025-04-12", "2025-04-30") == unpaused
    assert pausing("2025-04-20", "2025-04-30") == unpaused, "days after the gap was closed are none of it"
    story = finished()  # works begun on 2025-07-08, of which each working day counts
    story.paused("2025-07-14", "2025-07-30")
    assert closed(story.document()) == closed(finished().document())


def test_a_closed_gap_with_a_plan_is_held_against_the_plan() -> None:
    story = finished()
    story.planned("completed", "2026-01-31")
    story.reached("completed", "2026-02-10")
    assert closed(story.document())[2] == ("completed", "plan", "2026-01-31", 217, 10, "late")
    story.retracted(story.planned("completed", "2026-02-10", reason="雨季", approver="u-chief"))
    assert closed(story.document())[2][5] == "late"
    story.planned("completed", "2026-02-10", reason="雨季", approver="u-chief")
    assert closed(story.document())[2][4:] == (0, "in_time")


def test_a_closed_gap_keeps_the_version_of_the_day_on_which_it_closed() -> None:
    story = finished()
    strict = with_limit("land", "land_supplied", Limit(60, "calendar_days"), date(2025, 4, 12))
    assert closed(story.document(rules_of(ONLY, strict)))[0][2:] == ("2025-04-10", 91, 1, "late")
    just_then = with_limit("land", "land_supplied", Limit(60, "calendar_days"), date(2025, 4, 11))
    document = story.document(rules_of(ONLY, just_then))
    assert closed(document)[0][2:] == ("2025-03-11", 91, 31, "late")
    assert document["closed"][0]["version"] == "2025-04-11"
    assert document["closed"][1]["version"] == "2025-04-11"


def test_a_rule_that_was_not_in_force_judges_no_gap_that_closed_before() -> None:
    story = finished(agreed_start_date="2024-01-31")
    document = story.document(with_presets("zone-default", "idle-land", "yinchuan-2025", "handan-2024"))
    assert closed(document) == [
        ("land_supplied", "zone-default", "2025-04-10", 91, 1, "late"),
        ("land_supplied", "handan-2024-progress", "2025-04-10", 91, 1, "late"),
        ("land_supplied", "handan-2024-pool", "2025-07-10", 91, 0, "in_time"),
        ("started", "zone-default", "2025-07-09", 59, 0, "in_time"),
        ("started", "idle-land-fee", "2025-01-31", 524, 158, "late"),
        ("started", "idle-land-recovery", "2026-01-31", 524, 0, "in_time"),
        ("started", "handan-2024-progress", "2025-07-11", 88, 0, "in_time"),
        ("started", "handan-2024-pool", "2025-10-11", 88, 0, "in_time"),
    ]
    late = Version("late", "late", date(2025, 7, 9), (Case(Limit(1, "months")),), {"zh": "依据", "en": "basis"})
    assert all(entry["rule"] != "late" for entry in story.document(rules_of(ONLY, late))["closed"])


def test_a_monthly_rule_finds_a_gap_late_only_when_a_round_was_red() -> None:
    story = supplied("2025-12-01")
    story.planned("started", "2026-03")
    story.reached("started", "2026-05-31")
    rules = with_presets("zone-default", "yinchuan-2025")
    assert [entry["verdict"] for entry in story.document(rules)["closed"]] == ["late", "in_time"]
    story.reached("started", "2026-06-01")
    assert [entry["verdict"] for entry in story.document(rules)["closed"]] == ["late", "late"]


def test_a_gap_whose_dates_are_not_both_known_has_no_verdict() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2025-01-10")
    story.reached("started", "2025-07-08")
    assert story.document()["closed"] == []
    story.reached("land_supplied", None)
    assert story.document()["closed"] == []


def test_a_stage_dated_before_the_one_before_it_was_in_time() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2025-01-10")
    story.reached("land_supplied", "2025-01-05")
    assert closed(story.document()) == [("land_supplied", "zone-default", "2025-04-10", 0, 0, "in_time")]


def test_a_withdrawn_project_keeps_its_verdicts_and_what_runs_no_clock_has_none() -> None:
    story = finished()
    story.tell(PROJECT_WITHDRAWN, date="2025-08-01", reason="x")
    assert len(story.document()["closed"]) == 2
    for fields in ({"phased": True}, {"source": "published"}, {"kind": "agreement"}):
        assert finished(**fields).document()["closed"] == []


def test_an_open_clock_has_the_version_of_the_day_looked_at() -> None:
    later = with_limit("land", "land_supplied", Limit(60, "calendar_days"), date(2026, 3, 1))
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    (clock,) = story.document(rules_of(ONLY, later))["clocks"]
    assert in_force(clock, date(2026, 2, 28))["version"] == "1980-01-01"
    assert in_force(clock, date(2026, 3, 1))["version"] == "2026-03-01"
