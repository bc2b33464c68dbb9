"""The document of a project: its stage, its lights, and what shows when no clock runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain import clocks
from luodi.domain.assess import assess, days_used, in_force, light_at
from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.days import BEGINNING, END_OF_TIME
from luodi.domain.events import (
    ANNUAL_PLAN_SET,
    BLOCKER_CLEARED,
    BLOCKER_RAISED,
    NOTE_ADDED,
    PROGRESS_REPORTED,
    PROJECT_AMENDED,
    PROJECT_WITHDRAWN,
    SUSPENSION_BEGUN,
    SUSPENSION_ENDED,
    Event,
)
from luodi.domain.fold import fold
from luodi.domain.lights import FIRST_DAY
from luodi.domain.reasons import text
from luodi.domain.rules import Limit, Rules
from tests.rules import DEFAULT_RULES, ONLY, rules_of, with_limit
from tests.unit.domain.builders import SHANGHAI, SUBJECT, UNHURRIED, Story, light_on, published
from tests.unit.domain.strategies import DATA, histories

BADNESS = {light: place for place, light in enumerate(("red", "yellow", "grey", "green", "blue"))}


def signed(**fields: Any) -> Story:
    """A project signed on 2026-01-10: its land is due by 2026-04-10, yellow from 2026-03-23."""
    story = Story()
    story.registered(**fields)
    story.reached("signed", "2026-01-10")
    return story


def only_light(document: dict[str, Any]) -> tuple[str, str]:
    (step,) = document["lights"]
    return step["light"], step["reason"]["code"]


# Where the project stands.


def test_the_document_has_every_registered_field_and_null_where_there_is_none() -> None:
    document = signed(investment=120_000_000, lanes=["拿地即开工"]).document()
    assert document["_id"] == SUBJECT
    assert document["registered"] is True
    assert (document["name"], document["investment"], document["lanes"]) == ("一号项目", 120_000_000, ["拿地即开工"])
    assert document["leader"] is None
    assert document["kind"] == "factory"
    assert document["created_at"] == "2026-06-01T01:00:01.000Z"
    assert document["updated_at"] == "2026-06-01T01:00:02.000Z"
    assert document["version"] == document["events"] == 2


def test_the_current_stage_is_the_furthest_reached_whatever_the_order_of_reports() -> None:
    story = signed()
    story.reached("started", "2026-05-01")
    story.reached("land_supplied", "2026-03-01")
    document = story.document()
    assert (document["stage"], document["stage_since"], document["next_stage"]) == (
        "started",
        "2026-05-01",
        "completed",
    )
    assert document["reached"] == {"signed": "2026-01-10", "land_supplied": "2026-03-01", "started": "2026-05-01"}
    assert document["clocks"][0]["gap"] == ["started", "completed"]


def test_an_earlier_stage_without_a_report_is_missing_and_has_no_clock() -> None:
    story = signed()
    story.reached("completed", "2026-05-01")
    document = story.document()
    assert document["missing"] == ["land_supplied", "started"]
    assert [clock["gap"] for clock in document["clocks"]] == [["completed", "producing"]]


def test_a_project_not_yet_registered_runs_on_the_land_route() -> None:
    story = Story()
    story.reached("signed", "2026-01-10")
    document = story.document()
    assert (document["registered"], document["route"], document["kind"]) == (False, None, None)
    assert document["clocks"][0]["due"] == "2026-04-10"


def test_a_stage_that_is_not_on_the_route_is_a_warning_and_not_the_current_stage() -> None:
    story = Story()
    story.registered(route="plant")
    story.reached("land_supplied", "2026-03-01")
    document = story.document()
    assert document["stage"] is None
    assert only_light(document) == ("grey", "no-milestone")
    assert document["warnings"] == [{"code": "stage-not-on-route", "stage": "land_supplied", "date": "2026-03-01"}]
    assert [milestone["stage"] for milestone in document["milestones"]] == ["land_supplied"]


def test_a_change_of_route_shows_the_record_on_the_new_route() -> None:
    story = signed()
    story.tell(PROJECT_AMENDED, route="plant")
    clock = story.document()["clocks"][0]
    assert (clock["gap"], clock["limit"], clock["unit"]) == (["signed", "started"], 60, "working_days")


def test_dates_out_of_order_are_a_warning_only() -> None:
    story = signed()
    story.reached("land_supplied", "2025-12-01")
    document = story.document()
    assert document["stage"] == "land_supplied"
    (warning,) = document["warnings"]
    assert (warning["code"], warning["stage"], warning["later"]) == ("dates-out-of-order", "signed", "land_supplied")


def test_production_before_completion_is_a_warning_only() -> None:
    story = Story()
    story.registered()
    story.reached("completed", "2026-05-01")
    story.reached("producing", "2026-03")
    document = story.document()
    assert only_light(document) == ("blue", "finished")
    assert [warning["code"] for warning in document["warnings"]] == ["dates-out-of-order"]


@pytest.mark.parametrize(
    ("signed_on", "land_on"),
    [("2026-01-10", "2026-01"), ("2026-01", "2026-01-10"), ("2026-01-10", "2026-01-10"), ("2026", "2026-01-10")],
)
def test_dates_that_may_be_in_order_are_no_warning(signed_on: str, land_on: str) -> None:
    story = Story()
    story.registered()
    story.reached("signed", signed_on)
    story.reached("land_supplied", land_on)
    assert story.document()["warnings"] == []


def test_milestones_keep_their_papers_and_are_not_verified() -> None:
    story = Story()
    story.registered()
    milestone = story.reached("signed", "2026-01", note="框架", evidence=[{"kind": "合同", "ref": "1"}])
    assert story.document()["milestones"] == [
        {
            "stage": "signed",
            "date": "2026-01",
            "recorded_at": "2026-06-01T01:00:02.000Z",
            "event_id": milestone,
            "actor": "u-zhang",
            "note": "框架",
            "evidence": [{"kind": "合同", "ref": "1"}],
            "corrects": None,
            "first_recorded_at": "2026-06-01T01:00:02.000Z",
            "verified": None,
        }
    ]


# Going back and correcting.


def test_a_back_dated_start_closes_a_red_gap() -> None:
    story = signed()
    story.reached("land_supplied", "2026-04-01")
    document = story.document()
    assert light_on(document["lights"], "2026-04-11")["light"] == "green"
    assert document["clocks"][0]["start"] == "2026-04-01"


def test_the_retraction_of_a_stage_reopens_the_gap_before_as_if_never_closed() -> None:
    story = signed()
    before = story.document()
    mistaken = story.reached("land_supplied", "2026-03-01")
    story.retracted(mistaken)
    after = story.document()
    assert after["clocks"] == before["clocks"]
    assert after["lights"] == before["lights"]


def test_a_correction_moves_the_clock_and_its_retraction_moves_it_back() -> None:
    story = signed()
    correction = story.reached("signed", "2026-01-20")
    assert story.document()["clocks"][0]["due"] == "2026-04-20"
    story.retracted(correction)
    assert story.document()["clocks"][0]["due"] == "2026-04-10"


def test_the_retraction_of_the_only_milestone_leaves_none() -> None:
    story = Story()
    story.registered()
    story.retracted(story.reached("signed", "2026-01-10"))
    document = story.document()
    assert (document["stage"], document["next_stage"], document["reached"]) == (None, "signed", {})
    assert document["missing"] == []
    assert only_light(document) == ("grey", "no-milestone")


def test_a_stage_of_tomorrow_counts_at_once() -> None:
    story = signed()
    story.reached("land_supplied", "2026-06-02")  # recorded on 2026-06-01
    assert story.document()["stage"] == "land_supplied"


# No clock.


@pytest.mark.parametrize(
    ("fields", "stage", "day", "light", "code"),
    [
        ({}, None, None, "grey", "no-milestone"),
        ({}, "signed", None, "grey", "date-unknown"),
        ({}, "producing", None, "blue", "finished"),
        ({}, "producing", "2026-03-01", "blue", "finished"),
        ({"kind": "agreement"}, "signed", "2026-01-10", "grey", "no-clock"),
        ({"kind": "agreement"}, None, None, "grey", "no-clock"),
        ({"phased": True}, "signed", "2026-01-10", "grey", "phased"),
        ({"source": "published", "as_of": "2024-09-30"}, "started", "2024-09-01", "grey", "published"),
        ({"source": "published"}, "producing", "2024-09-01", "grey", "published"),
        ({"source": "published", "phased": True}, None, None, "grey", "published"),
    ],
)
def test_without_a_clock_the_light_says_why(
    fields: dict[str, Any], stage: str | None, day: str | None, light: str, code: str
) -> None:
    story = Story()
    story.registered(**fields)
    if stage is not None:
        story.reached(stage, day)
    document = story.document()
    assert only_light(document) == (light, code)
    assert document["clocks"] == []


def test_published_facts_tell_as_of_when() -> None:
    story = Story()
    story.registered(source="published", as_of="2024-09-30")
    assert story.document()["lights"][0]["reason"]["as_of"] == "2024-09-30"


def test_another_source_has_its_clocks() -> None:
    assert signed(source="import").document()["clocks"]


@pytest.mark.parametrize("fields", [{"source": "published"}, {"phased": True}])
def test_published_and_phased_projects_are_grey_whatever_their_blockers(fields: dict[str, Any]) -> None:
    story = signed(**fields)
    story.tell(BLOCKER_RAISED, kind="用电", cause="utility", owner="u-power", date="2026-01-10", promise="2026-02-01")
    document = story.document()
    assert [step["light"] for step in document["lights"]] == ["grey"]
    assert document["blockers"][0]["lights"] == []


def test_a_withdrawn_project_is_grey_and_keeps_its_stage() -> None:
    story = signed()
    story.tell(BLOCKER_RAISED, kind="用电", cause="utility", owner="u-power", date="2026-01-10", promise="2026-02-01")
    story.tell(PROJECT_WITHDRAWN, date="2026-02-01", reason="投资方放弃")
    document = story.document()
    assert only_light(document) == ("grey", "withdrawn")
    assert (document["status"], document["stage"], document["clocks"]) == ("withdrawn", "signed", [])
    assert document["withdrawn"]["reason"] == "投资方放弃"
    assert document["blockers"][0]["lights"] == []


def test_a_retracted_withdrawal_brings_the_clock_back() -> None:
    story = signed()
    story.retracted(story.tell(PROJECT_WITHDRAWN, date="2026-02-01", reason="误报"))
    document = story.document()
    assert document["status"] == "active"
    assert document["clocks"][0]["due"] == "2026-04-10"


def test_a_gap_without_a_limit_is_grey() -> None:
    bare = rules_of(replace(ONLY, cases=()))
    document = signed().document(bare)
    assert only_light(document) == ("grey", "no-limit")
    assert document["clocks"] == []


def test_an_agreement_with_an_overdue_promise_is_red() -> None:
    story = signed(kind="agreement")
    story.tell(BLOCKER_RAISED, kind="用电", cause="utility", owner="u-power", date="2026-01-10", promise="2026-02-01")
    lights = story.document()["lights"]
    assert light_on(lights, "2026-02-02")["reason"]["code"] == "promise-overdue"
    assert light_on(lights, "2026-01-11")["reason"]["code"] == "no-clock"


# Suspensions.


def test_a_suspension_shows_and_pauses_nothing() -> None:
    story = signed()
    before = story.document()["lights"]
    suspension = story.tell(SUSPENSION_BEGUN, date="2026-02-01", reason="资金")
    document = story.document()
    assert document["status"] == "suspended"
    assert document["suspensions"] == [{"id": suspension, "date": "2026-02-01", "reason": "资金", "ended": None}]
    assert document["lights"] == before
    story.tell(SUSPENSION_ENDED, suspension_id=suspension, date="2026-03-01")
    document = story.document()
    assert document["status"] == "active"
    assert document["suspensions"][0]["ended"] == "2026-03-01"


def test_one_open_suspension_of_several_is_enough() -> None:
    story = signed()
    first = story.tell(SUSPENSION_BEGUN, date="2026-02-01", reason=None)
    story.tell(SUSPENSION_BEGUN, date="2026-03-01", reason=None)
    story.tell(SUSPENSION_ENDED, suspension_id=first, date="2026-03-01")
    assert story.document()["status"] == "suspended"


def test_withdrawn_goes_before_suspended() -> None:
    story = signed()
    story.tell(SUSPENSION_BEGUN, date="2026-02-01", reason=None)
    story.tell(PROJECT_WITHDRAWN, date="2026-02-02", reason=None)
    assert story.document()["status"] == "withdrawn"


# Blockers and their promises.


def blocked(story: Story, **more: Any) -> str:
    return story.tell(
        BLOCKER_RAISED, **{"kind": "用电", "cause": "utility", "owner": "u-power", "date": "2026-02-01"} | more
    )


@pytest.mark.parametrize(
    ("promise", "on"),
    [
        ("2026-02-11", {"2026-02-08": "green", "2026-02-09": "yellow", "2026-02-11": "yellow", "2026-02-12": "red"}),
        ("2026-02-02", {"2026-02-01": "green", "2026-02-02": "yellow", "2026-02-03": "red"}),
        ("2026-02-01", {"2026-01-31": "green", "2026-02-01": "yellow", "2026-02-02": "red"}),
        ("2026-01-20", {"2026-01-31": "green", "2026-02-01": "yellow", "2026-02-02": "red"}),
        ("2026-02", {"2026-02-22": "green", "2026-02-23": "yellow", "2026-02-28": "yellow", "2026-03-01": "red"}),
    ],
)
def test_a_promise_is_a_clock_of_calendar_days(promise: str, on: dict[str, str]) -> None:
    story = signed()
    blocked(story, promise=promise)
    (blocker,) = story.document()["blockers"]
    assert {day: light_on(blocker["lights"], day)["light"] for day in on} == on


def test_an_overdue_promise_makes_the_project_red_and_names_the_unit() -> None:
    story = signed()
    blocker = blocked(story, promise="2026-02-11")
    reason = light_on(story.document()["lights"], "2026-02-12")["reason"]
    assert (reason["code"], reason["owner"], reason["blocker"]) == ("promise-overdue", "u-power", blocker)


def test_a_pause_does_not_pause_the_promise_it_came_with() -> None:
    story = signed()
    blocked(story, promise="2026-02-11", approver="u-chief", until="2026-03-31")
    document = story.document()
    assert light_on(document["clocks"][0]["lights"], "2026-02-12")["light"] == "grey"
    assert light_on(document["lights"], "2026-02-12")["light"] == "red"


def test_a_cleared_blocker_has_no_light_even_when_its_clear_was_recorded_first() -> None:
    story = signed()
    story.tell(BLOCKER_CLEARED, blocker_id="e4", date="2026-02-20")
    blocked(story, promise="2026-02-11")
    document = story.document()
    assert document["blockers"][0]["cleared"] == "2026-02-20"
    assert document["blockers"][0]["lights"] == []
    assert document["warnings"] == []
    assert light_on(document["lights"], "2026-02-12")["light"] == "green"


def test_the_retraction_of_a_clear_opens_the_promise_again() -> None:
    story = signed()
    blocker = blocked(story, promise="2026-02-11")
    story.retracted(story.tell(BLOCKER_CLEARED, blocker_id=blocker, date="2026-02-05"))
    assert light_on(story.document()["lights"], "2026-02-12")["light"] == "red"


def test_a_clear_or_an_end_of_something_unknown_is_a_warning() -> None:
    story = signed()
    story.tell(BLOCKER_CLEARED, blocker_id="nobody", date="2026-02-20")
    story.tell(SUSPENSION_ENDED, suspension_id="nothing", date="2026-02-20")
    assert story.document()["warnings"] == [
        {"code": "unknown-blocker", "blocker": "nobody"},
        {"code": "unknown-suspension", "suspension": "nothing"},
    ]


def test_raising_a_blocker_alone_never_pauses() -> None:
    for more in ({}, {"approver": "u-chief"}, {"until": "2026-03-31"}):
        story = signed()
        blocked(story, **more)
        assert light_on(story.document()["lights"], "2026-02-01")["light"] == "green"


def test_what_is_left_of_a_pause_that_may_not_be_is_a_warning() -> None:
    story = signed()
    refused = blocked(story, cause="enterprise", approver="u-chief", until="2026-02-10")
    endless = blocked(story, approver="u-chief", until="2026-12-31")
    assert story.document()["warnings"] == [
        {"code": "pause-not-allowed", "blocker": refused, "cause": "enterprise"},
        {"code": "pause-too-long", "blocker": endless, "until": "2026-05-01"},
    ]


@pytest.mark.parametrize(("until", "codes"), [("2026-05-01", []), ("2026-05-02", ["pause-too-long"])])
def test_a_pause_may_be_ninety_days_long_and_not_a_day_more(until: str, codes: list[str]) -> None:
    story = signed()
    blocked(story, approver="u-chief", until=until)
    assert [warning["code"] for warning in story.document()["warnings"]] == codes


def test_a_blocker_without_a_date_counts_from_the_day_it_was_recorded() -> None:
    story = signed()
    story.tell(BLOCKER_RAISED, kind="用电", cause="utility", owner=None, promise="2026-06-11")
    (blocker,) = story.document()["blockers"]
    assert blocker["date"] == "2026-06-01"


def test_a_refused_change_of_plan_is_a_warning() -> None:
    story = signed()
    story.planned("completed", "2026-09")
    story.planned("completed", "2026-10")
    document = story.document()
    assert [(warning["code"], warning["times"]) for warning in document["warnings"]] == [("plan-change-refused", 1)]
    assert document["plans"] == [
        {"stage": "completed", "baseline": "2026-09", "date": "2026-09", "changes": 0, "refused": 1, "history": []}
    ]


def test_a_changed_plan_moves_the_clock_and_keeps_the_baseline() -> None:
    story = signed()
    story.reached("started", "2026-03-05")
    story.planned("completed", "2026-09-30")
    story.planned("completed", "2026-10-31", reason="雨季", approver="u-chief")
    document = story.document()
    (plan,) = document["plans"]
    assert (plan["baseline"], plan["date"], plan["changes"]) == ("2026-09-30", "2026-10-31", 1)
    assert (document["clocks"][0]["rule"], document["clocks"][0]["due"]) == ("plan", "2026-10-31")
    assert document["clocks"][0]["limit_days"] == 240


def test_the_progress_is_shown_and_changes_no_light() -> None:
    story = signed()
    before = story.document()["lights"]
    story.tell(PROGRESS_REPORTED, date="2026-02-01", percent=0)
    document = story.document()
    assert document["progress"]["percent"] == 0
    assert document["lights"] == before


# The worst of all.


@settings(UNHURRIED, max_examples=150)
@given(histories(), st.lists(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=20))
def test_the_project_shows_the_worst_of_its_lights_on_every_day(events: list[Event], days: list[date]) -> None:
    calendar = published()
    document = assess(SUBJECT, fold(events), DEFAULT_RULES, calendar)
    tracks = [clock["lights"] for clock in document["clocks"]]
    tracks += [blocker["lights"] for blocker in document["blockers"] if blocker["lights"]]
    for lights in [document["lights"], *tracks]:
        assert lights[0]["from"] == BEGINNING
        assert lights[-1]["to"] == END_OF_TIME
        assert all(step["from"] < step["to"] for step in lights)
        assert all(step["to"] == following["from"] for step, following in pairwise(lights))
    for day in days:
        now = calendar.midnight(day)
        shown = light_at(document["lights"], now)
        others = [light_at(lights, now) for lights in tracks]
        if document["clocks"]:
            worst = min(others, key=lambda step: BADNESS[step["light"]])
            assert (shown["light"], shown["reason"]) == (worst["light"], worst["reason"])
        else:
            assert all(BADNESS[shown["light"]] <= BADNESS[other["light"]] for other in others)


@settings(UNHURRIED, max_examples=60)
@given(histories(max_size=8), DATA[NOTE_ADDED])
def test_a_note_changes_no_light(events: list[Event], data: dict[str, Any]) -> None:
    noted = [*events, Event(SUBJECT, "note", NOTE_ADDED, "2026-03-02T03:00:00.000Z", 0, None, data)]
    before = assess(SUBJECT, fold(events), DEFAULT_RULES, published())
    after = assess(SUBJECT, fold(noted), DEFAULT_RULES, published())
    assert after["lights"] == before["lights"]
    assert after["clocks"] == before["clocks"]


@settings(UNHURRIED, max_examples=60)
@given(histories())
def test_a_document_is_the_same_bytes_every_time_and_leaves_the_state_alone(events: list[Event]) -> None:
    state = fold(events)
    stored = orjson.dumps(state)
    first = orjson.dumps(assess(SUBJECT, state, DEFAULT_RULES, published()))
    assert orjson.dumps(state) == stored
    assert orjson.dumps(assess(SUBJECT, orjson.loads(stored), DEFAULT_RULES, published())) == first


def test_of_two_equal_lights_the_clock_gives_the_reason() -> None:
    story = signed()
    blocked(story, promise="2026-04-10")
    assert light_on(story.document()["lights"], "2026-04-11")["reason"]["code"] == "overdue"


# Versions of the rules.


def two_versions() -> Rules:
    """From 2026-03-01 on only 60 calendar days for the land."""
    return rules_of(ONLY, with_limit("land", "land_supplied", Limit(60, "calendar_days"), date(2026, 3, 1)))


def test_each_version_of_the_rules_gives_the_lights_of_its_own_days() -> None:
    document = signed().document(two_versions())
    lights = document["lights"]
    assert light_on(lights, "2026-02-28")["light"] == "green"  # under the new one it would be yellow since 02-27
    assert light_on(lights, "2026-02-28")["reason"]["due"] == "2026-04-10"
    assert light_on(lights, "2026-03-01")["light"] == "yellow"
    assert light_on(lights, "2026-03-11")["light"] == "yellow"
    assert light_on(lights, "2026-03-12")["light"] == "red"
    assert light_on(lights, "2026-03-12")["reason"]["due"] == "2026-03-11"


def test_a_version_to_come_needs_no_second_fold() -> None:
    """The light turns by itself on the day from which a version holds."""
    lights = signed().document(two_versions())["lights"]
    assert [step["light"] for step in lights] == ["green", "yellow", "red"]
    assert lights[1]["from"] == published().midnight(date(2026, 3, 1))


def test_the_figures_of_a_clock_are_those_in_force_on_the_day() -> None:
    (clock,) = signed().document(two_versions())["clocks"]
    assert (clock["limit"], clock["due"]) == (60, "2026-03-11")
    assert in_force(clock, date(2026, 2, 28))["due"] == "2026-04-10"
    assert in_force(clock, date(2026, 3, 1))["due"] == "2026-03-11"
    assert in_force(clock, date(1979, 1, 1))["due"] == "2026-04-10"
    (single,) = signed().document()["clocks"]
    assert in_force(single, date(2026, 3, 1)) == single
    assert days_used(in_force(clock, date(2026, 3, 1)), published(), date(2026, 3, 1)) == 50


def test_days_without_a_limit_between_versions_are_grey() -> None:
    document = signed().document(rules_of(ONLY, with_limit("land", "land_supplied", None, date(2026, 3, 1))))
    assert [(step["light"], step["reason"]["code"]) for step in document["lights"]] == [
        ("green", "in-time"),
        ("grey", "no-limit"),
    ]
    assert document["clocks"][0]["due"] == "2026-04-10"


def test_the_causes_that_pause_are_those_of_the_version() -> None:
    strict = replace(ONLY, valid_from=date(2026, 3, 1), pausing_causes=frozenset({"government"}))
    story = signed()
    story.paused("2026-02-20", "2026-03-10")
    lights = story.document(rules_of(ONLY, strict))["lights"]
    assert light_on(lights, "2026-02-28")["light"] == "grey"
    assert light_on(lights, "2026-03-01")["light"] == "green"


# Steps that no real date can make.


def test_lights_that_begin_before_all_time_leave_no_empty_step() -> None:
    steps: list[clocks.DayStep] = [
        (FIRST_DAY, "green", {"code": "in-time"}),
        (FIRST_DAY, "yellow", {"code": "due-soon"}),
        (FIRST_DAY + 5, "red", {"code": "overdue"}),
    ]
    lights = clocks.render(steps, published())
    assert [(step["light"], step["from"]) for step in lights] == [
        ("yellow", BEGINNING),
        ("red", "1970-01-05T16:00:00.000Z"),
    ]


def test_a_zone_with_its_own_calendar_counts_by_it_and_the_others_by_the_countrys() -> None:
    own = published().with_zones(
        {"mine": Calendar.build(SHANGHAI, {2026: YearDays(off=frozenset({date(2026, 3, 5)}))})}
    )
    due = {}
    for zone in ("demo", "mine"):
        story = Story()
        story.registered(zone=zone, lanes=["拿地即开工"])
        story.reached("land_supplied", "2026-03-02")
        due[zone] = story.document(calendar=own)["clocks"][0]["due"]
    assert due == {"demo": "2026-03-30", "mine": "2026-03-31"}


def test_an_annual_plan_whose_months_do_not_add_up_is_a_warning_with_the_difference() -> None:
    story = signed()
    story.tell(ANNUAL_PLAN_SET, year=2025, amount=12, by_month=[1] * 12)
    story.tell(ANNUAL_PLAN_SET, year=2026, amount=400_000_000, by_month=[30_000_000] * 12)
    story.tell(ANNUAL_PLAN_SET, year=2027, amount=12)
    document = story.document()
    assert document["warnings"] == [
        {"code": "annual-plan-differs", "year": 2026, "amount": 400_000_000, "sum": 360_000_000}
    ]
    sentence = text(document["warnings"][0], "zh-CN")
    assert sentence == "2026年度计划投资400,000,000元，分月合计360,000,000元，差额40,000,000元"
    assert [plan["year"] for plan in document["annual_plans"]] == [2025, 2026, 2027]
