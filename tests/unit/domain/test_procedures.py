"""Procedures: states, the clock of the unit that decides, what is missing and by when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.assess import assess
from luodi.domain.fold import fold
from luodi.domain.procedures import (
    PROCEDURE_BEGUN,
    PROCEDURE_EXTENDED,
    PROCEDURE_MOVED,
    PROCEDURE_PAUSED,
    PROCEDURE_RESUMED,
    PROCEDURE_SUPPLIED,
    STATES,
    days_used,
    marks_of,
)
from luodi.domain.reasons import text
from luodi.domain.rules import Rules
from luodi.domain.statutes import Statute, Statutes
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, UNHURRIED, Story, light_on, published

TWENTY = Statute(
    "施工许可",
    "construction permit",
    date(2000, 1, 1),
    20,
    "working_days",
    extendable=10,
    pledged=1,
    lanes={"绿色通道": 10},
    basis={"zh": "依据", "en": "basis"},
)
SIXTY = Statute("环评", "environmental assessment", date(2000, 1, 1), 60, "calendar_days")
RULES = replace(DEFAULT_RULES, statutes=Statutes((TWENTY, SIXTY), {"demo": {"施工许可": "u-housing"}}))


class Case:
    """One procedure of a project, told step by step. 2026-03-02 is a Monday."""

    def __init__(self, state: str = "受理", day: str = "2026-03-02", kind: str = "施工许可", **more: Any) -> None:
        self.story = Story()
        self.story.registered(**more.pop("fields", {}))
        self.id = self.story.tell(PROCEDURE_BEGUN, kind=kind, state=state, date=day, **more)

    def moved(self, state: str, day: str, **more: Any) -> str:
        return self.story.tell(PROCEDURE_MOVED, procedure_id=self.id, state=state, date=day, **more)

    def supplied(self, what: str, day: str) -> str:
        return self.story.tell(PROCEDURE_SUPPLIED, procedure_id=self.id, what=what, date=day)

    def paused(self, day: str, **more: Any) -> str:
        return self.story.tell(PROCEDURE_PAUSED, procedure_id=self.id, date=day, **{"why": "听证"} | more)

    def resumed(self, day: str) -> str:
        return self.story.tell(PROCEDURE_RESUMED, procedure_id=self.id, date=day)

    def extended(self, days: int) -> str:
        more = {"approver": "u-chief", "reason": "情况复杂"}
        return self.story.tell(PROCEDURE_EXTENDED, procedure_id=self.id, days=days, **more)

    def row(self, rules: Rules = RULES) -> dict[str, Any]:
        (row,) = assess(SUBJECT, fold(self.story.events), rules, published())["procedures"]
        return dict(row)

    def light(self, day: str) -> tuple[str, str]:
        step = light_on(self.row()["lights"], day)
        return step["light"], step["reason"]["code"]

    def used(self, day: str) -> int | None:
        return days_used(self.row(), published(), date.fromisoformat(day))


def test_a_project_without_procedures_has_no_such_chapter() -> None:
    story = Story()
    story.registered()
    assert "procedures" not in assess(SUBJECT, fold(story.events), RULES, published())


def test_the_clock_runs_from_the_acceptance_in_working_days_and_is_charged_to_the_unit_of_the_zone() -> None:
    case = Case()
    row = case.row()
    assert (row["unit"], row["start"]) == ("u-housing", "2026-03-02")
    assert (row["due"], row["warn"]) == ("2026-03-30", "2026-03-24")
    assert row["limit"] == {"amount": 20, "unit": "working_days", "statutory": 20, "extended": 0, "lane": None}
    assert [case.light(day)[0] for day in ("2026-03-23", "2026-03-24", "2026-03-30", "2026-03-31")] == [
        *("green", "yellow", "yellow", "red")
    ]
    assert [case.used(day) for day in ("2026-03-02", "2026-03-03", "2026-03-08", "2026-03-30")] == [0, 1, 4, 20]


def test_the_light_of_the_project_does_not_depend_on_its_procedures() -> None:
    case = Case(day="2025-01-06")
    document = assess(SUBJECT, fold(case.story.events), RULES, published())
    assert light_on(document["procedures"][0]["lights"], "2026-06-01")["light"] == "red"
    assert light_on(document["lights"], "2026-06-01")["light"] == "grey"


def test_talks_before_the_acceptance_start_no_clock() -> None:
    case = Case("提前介入", "2026-02-02")
    assert case.row()["due"] is None
    assert case.light("2026-06-01") == ("grey", "procedure-early")
    case.moved("受理", "2026-03-02")
    assert case.row()["due"] == "2026-03-30"
    assert [state["state"] for state in case.row()["states"]] == ["提前介入", "受理"]


def test_papers_sent_back_before_the_acceptance_start_no_clock_either() -> None:
    case = Case("补正", "2026-03-02")
    assert case.light("2026-06-01") == ("grey", "procedure-correcting")
    assert case.used("2026-06-01") is None


def test_a_decision_ends_the_clock_and_keeps_its_verdict() -> None:
    case = Case()
    case.moved("办结", "2026-03-30", document="建字第1号")
    row = case.row()
    assert (row["state"], row["ended"], row["over"], row["verdict"]) == ("办结", "2026-03-30", 0, "in_time")
    assert (row["result"], row["document"]) == ("granted", "建字第1号")
    assert case.light("2027-01-01") == ("blue", "procedure-ended-in-time")
    assert case.used("2027-01-01") == 20


def test_a_decision_a_day_after_the_due_date_is_late() -> None:
    case = Case()
    case.moved("办结", "2026-03-31", result="refused")
    assert (case.row()["over"], case.row()["verdict"], case.row()["result"]) == (1, "late", "refused")
    assert case.light("2027-01-01") == ("blue", "procedure-ended-late")


def test_of_two_decisions_the_one_recorded_last_holds_and_nothing_comes_after_it() -> None:
    case = Case()
    case.moved("办结", "2026-04-20")
    case.moved("办结", "2026-03-20")
    case.moved("补正", "2026-03-25")
    assert (case.row()["state"], case.row()["ended"], case.row()["over"]) == ("办结", "2026-03-20", 0)


def test_a_state_recorded_late_takes_its_place_by_its_date() -> None:
    case = Case()
    case.moved("受理", "2026-03-12")
    case.moved("补正", "2026-03-10")
    row = case.row()
    assert [state["state"] for state in row["states"]] == ["受理", "补正", "受理"]
    assert row["paused_by"] == [{"from": "2026-03-10", "to": "2026-03-12", "why": "补正"}]


def test_talks_that_are_told_after_the_acceptance_stand_before_it() -> None:
    case = Case(day="2026-03-10")
    case.moved("提前介入", "2026-03-02")
    row = case.row()
    assert [state["state"] for state in row["states"]] == ["提前介入", "受理"]
    assert (row["state"], row["since"], row["start"]) == ("受理", "2026-03-10", "2026-03-10")


def test_correcting_papers_stops_the_clock_on_its_day_and_it_goes_on_on_the_day_they_are_back() -> None:
    case = Case()
    case.moved("补正", "2026-03-10")
    assert (case.row()["due"], case.row()["warn"]) == (None, None)
    assert [case.light(day) for day in ("2026-03-09", "2026-03-10", "2026-12-31")] == [
        ("green", "procedure-in-time"),
        ("grey", "procedure-stopped"),
        ("grey", "procedure-stopped"),
    ]
    case.moved("受理", "2026-03-12")
    assert case.row()["due"] == "2026-04-01"
    assert case.light("2026-03-12") == ("green", "procedure-in-time")
    assert case.used("2026-03-12") == 6  # 3, 4, 5, 6, 9 and 12 March


def test_hearings_and_reviews_do_not_count_until_they_are_over_or_their_last_day() -> None:
    case = Case()
    case.paused("2026-03-10", until="2026-03-11")
    assert case.row()["due"] == "2026-04-01"
    case.paused("2026-03-16", why="专家评审")
    assert case.row()["due"] is None
    case.resumed("2026-03-17")
    assert case.row()["due"] == "2026-04-02"
    assert [stop["why"] for stop in case.row()["paused_by"]] == ["听证", "专家评审"]


def test_a_hearing_that_ends_before_its_last_day_counts_again_from_then() -> None:
    case = Case()
    case.paused("2026-03-10", until="2026-03-31")
    case.resumed("2026-03-11")
    assert case.row()["due"] == "2026-03-31"


def test_hearings_that_overlap_with_corrections_are_left_out_once() -> None:
    case = Case()
    case.moved("补正", "2026-03-10")
    case.moved("受理", "2026-03-12")
    case.paused("2026-03-11", until="2026-03-12")
    assert case.row()["due"] == "2026-04-02"  # 10, 11 and 12 March do not count


def test_what_was_overdue_when_the_clock_stopped_stays_red() -> None:
    case = Case()
    case.paused("2026-04-10")
    assert case.row()["due"] == "2026-03-30"
    assert case.light("2026-06-01") == ("red", "procedure-overdue")


def test_a_decision_ends_a_hearing_that_nobody_ended() -> None:
    case = Case()
    case.paused("2026-03-10")
    case.moved("办结", "2026-03-20")
    assert case.row()["paused_by"] == [{"from": "2026-03-10", "to": "2026-03-20", "why": "听证"}]
    assert (case.row()["verdict"], case.used("2026-06-01")) == ("in_time", 6)


def test_an_extension_adds_days_up_to_what_the_law_allows() -> None:
    case = Case()
    case.extended(5)
    assert case.row()["due"] == "2026-04-07"
    case.extended(20)
    assert case.row()["limit"] | {"statutory": 20} == case.row()["limit"]
    assert (case.row()["limit"]["amount"], case.row()["limit"]["extended"]) == (30, 10)


def test_a_lane_of_the_project_shortens_the_days_by_data() -> None:
    case = Case(fields={"lanes": ["拿地即开工", "绿色通道"]})
    limit = case.row()["limit"]
    assert limit == {"amount": 10, "unit": "working_days", "statutory": 20, "extended": 0, "lane": "绿色通道"}
    assert case.row()["due"] == "2026-03-16"
    assert "绿色通道" in text(light_on(case.row()["lights"], "2026-03-03")["reason"], "zh-CN")


def test_a_pledge_in_the_place_of_papers_is_decided_at_once() -> None:
    case = Case("告知承诺", fields={"lanes": ["绿色通道"]})
    assert (case.row()["limit"]["amount"], case.row()["limit"]["lane"]) == (1, None)
    assert case.row()["due"] == "2026-03-03"


def test_days_that_the_law_counts_by_the_calendar_are_so_counted() -> None:
    case = Case(kind="环评", unit="u-green")
    assert (case.row()["unit"], case.row()["due"]) == ("u-green", "2026-05-01")
    assert case.used("2026-03-08") == 6


def test_a_kind_that_is_on_no_file_has_no_clock() -> None:
    case = Case(kind="水保方案")
    assert case.light("2026-06-01") == ("grey", "procedure-no-limit")
    assert (case.row()["limit"], case.row()["unit"]) == (None, None)
    case.moved("办结", "2026-06-02")
    assert case.light("2026-06-02") == ("blue", "procedure-ended")


def test_the_statute_of_the_day_of_acceptance_holds() -> None:
    seven = replace(TWENTY, valid_from=date(2026, 3, 3), amount=7)
    rules = replace(RULES, statutes=Statutes((TWENTY, seven)))
    assert Case(day="2026-03-02").row(rules)["limit"]["amount"] == 20
    assert Case(day="2026-03-03").row(rules)["limit"]["amount"] == 7


def test_what_is_missing_has_a_due_date_of_its_own_and_is_over_when_it_comes() -> None:
    missing = [{"what": "资金证明", "due": "2026-03-12"}, {"what": "承诺书"}]
    case = Case("容缺受理", missing=missing)
    assert case.row()["missing"] == [
        {"what": "资金证明", "asked": "2026-03-02", "due": "2026-03-12", "supplied": None},
        {"what": "承诺书", "asked": "2026-03-02", "due": None, "supplied": None},
    ]
    assert case.row()["missing_due"] == "2026-03-12"
    assert [case.light(day) for day in ("2026-03-09", "2026-03-10", "2026-03-12", "2026-03-13")] == [
        ("green", "procedure-in-time"),
        ("yellow", "missing-due-soon"),
        ("yellow", "missing-due-soon"),
        ("red", "missing-overdue"),
    ]
    case.supplied("资金证明", "2026-03-13")
    assert case.row()["missing_due"] is None
    assert case.light("2026-03-13") == ("green", "procedure-in-time")


def test_a_paper_pledged_is_still_awaited_after_the_decision() -> None:
    case = Case("告知承诺", missing=[{"what": "检测报告", "due": "2026-03-20"}])
    case.moved("办结", "2026-03-03")
    assert case.light("2026-03-04") == ("green", "missing-in-time")
    assert case.light("2026-03-21") == ("red", "missing-overdue")
    case.supplied("检测报告", "2026-03-21")
    assert case.light("2026-03-22") == ("blue", "procedure-ended-in-time")


@pytest.mark.parametrize("result", ["refused", "withdrawn"])
def test_of_what_was_not_granted_no_paper_is_awaited_any_more(result: str) -> None:
    case = Case("容缺受理", missing=[{"what": "资金证明", "due": "2026-03-12"}])
    case.moved("办结", "2026-03-11", result=result)
    assert (case.row()["missing_due"], case.light("2026-03-13")) == (None, ("blue", "procedure-ended-in-time"))


def test_a_paper_that_came_and_is_asked_for_again_is_missing_again() -> None:
    case = Case("容缺受理", missing=[{"what": "资金证明", "due": "2026-03-12"}])
    case.supplied("资金证明", "2026-03-09")
    case.moved("补正", "2026-03-10", missing=[{"what": "资金证明", "due": "2026-03-20"}])
    assert (case.row()["missing_due"], case.row()["missing"][0]["supplied"]) == ("2026-03-20", None)
    case.supplied("资金证明", "2026-03-18")
    assert (case.row()["missing_due"], case.row()["missing"][0]["supplied"]) == (None, "2026-03-18")


def test_a_later_due_date_for_what_is_missing_takes_the_place_of_the_first() -> None:
    case = Case("容缺受理", missing=[{"what": "资金证明", "due": "2026-03-12"}])
    case.moved("容缺受理", "2026-03-11", missing=[{"what": "资金证明", "due": "2026-03-20"}])
    (item,) = case.row()["missing"]
    assert (item["asked"], item["due"]) == ("2026-03-02", "2026-03-20")


def test_a_paper_that_nobody_asked_for_stands_there_as_supplied() -> None:
    case = Case()
    case.supplied("图纸", "2026-03-05")
    assert case.row()["missing"] == [{"what": "图纸", "due": None, "asked": None, "supplied": "2026-03-05"}]


def test_lists_find_a_project_by_the_states_of_its_procedures_and_the_units_that_decide() -> None:
    case = Case()
    case.story.tell(PROCEDURE_BEGUN, kind="环评", state="提前介入", date="2026-03-02")
    found = marks_of(assess(SUBJECT, fold(case.story.events), RULES, published()))
    assert found == ["@u-housing", "受理", "提前介入"]


def test_what_is_told_of_a_procedure_before_it_is_known_counts_when_it_is() -> None:
    case = Case()
    case.moved("补正", "2026-03-10")
    case.moved("受理", "2026-03-12")
    case.supplied("图纸", "2026-03-05")
    registered, *told = case.story.events
    stamps = [(event.recordedtime, event.sequence) for event in told]
    for order in permutations(told):
        moved = [replace(event, recordedtime=at, sequence=n) for event, (at, n) in zip(order, stamps, strict=True)]
        (row,) = assess(SUBJECT, fold([registered, *moved]), RULES, published())["procedures"]
        assert (row["due"], row["state"]) == ("2026-04-01", "受理")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_light_says_why(language: Any) -> None:
    case = Case("容缺受理", missing=[{"what": "资金证明", "due": "2026-03-12"}])
    case.paused("2026-03-10", until="2026-03-11")
    case.moved("办结", "2026-04-20", result="withdrawn")
    for step in case.row()["lights"]:
        assert text(step["reason"], language, date(2026, 3, 5))


DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(str)


@settings(UNHURRIED, max_examples=150)
@given(
    st.sampled_from(STATES),
    DAYS,
    st.lists(st.tuples(st.sampled_from(STATES), DAYS), max_size=5),
    st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=3),
    st.lists(DAYS, max_size=2),
)
def test_whatever_is_told_the_days_left_out_do_not_overlap_and_the_lights_have_no_hole(
    first: str, day: str, moves: list[tuple[str, str]], pauses: list[tuple[str, str | None]], resumed: list[str]
) -> None:
    case = Case(first, day)
    for state, when in moves:
        case.moved(state, when)
    for begin, until in pauses:
        case.paused(begin, until=until)
    for when in resumed:
        case.resumed(when)
    row = case.row()
    ends = [stop["to"] or "9999-12-31" for stop in row["paused_by"]]
    begins = [stop["from"] for stop in row["paused_by"]]
    assert all(begin < end for begin, end in zip(begins, ends, strict=True))
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False))
    for before, after in zip(row["lights"], row["lights"][1:], strict=False):
        assert before["to"] == after["from"]
        assert before["reason"] != after["reason"]
    if row["due"] is not None:
        used = days_used(row | {"ended": None}, published(), date.fromisoformat(row["due"]))
        assert used == row["limit"]["amount"]
