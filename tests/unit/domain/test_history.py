"""What was known, and what was true: each date of a fact on its own, and the two together."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain import events, history
from luodi.domain.assess import assess
from luodi.domain.clocks import light_at, reason_of
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.handlers import State
from luodi.domain.history import as_text, known, reporting, span_on, state_at, track, was_red
from luodi.domain.performance import COMMITMENT_MADE, PERFORMANCE_REPORTED
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, UNHURRIED, published
from tests.unit.domain.strategies import INSTANTS, histories

NOW = "2026-11-20T02:00:00.000Z"
TODAY = date(2026, 11, 20).toordinal()


def assessed(state: State) -> dict[str, Any]:
    return assess(SUBJECT, state, DEFAULT_RULES, published())


def ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


def as_of(recorded: list[Event], day: str, known_at: str | None = None) -> dict[str, Any] | None:
    state = state_at(recorded, known_at, ordinal(day), published())
    return None if state is None else assessed(state)


def on(recorded: list[Event], day: str) -> tuple[str | None, str, str]:
    """(stage, status, light) as of a day."""
    document = as_of(recorded, day)
    assert document is not None
    step = light_at(document["lights"], published().midnight(date.fromisoformat(day)))
    return document["stage"], document["status"], step["light"]


def at(id_: str, recorded: str, type_: str = events.MILESTONE_REPORTED, **data: Any) -> Event:
    return Event(SUBJECT, id_, type_, recorded, 0, "u-zhang", data)


REGISTERED = at("r", "2026-01-05T01:00:00.000Z", events.PROJECT_REGISTERED, name="一号项目", zone="demo", route="land")
SIGNED = at("s", "2026-01-05T01:00:01.000Z", stage="signed", date="2026-01-05")
# 90 calendar days from 5 January: due on 5 April.
LATE_LAND = at("l", "2026-04-20T01:00:00.000Z", stage="land_supplied", date="2026-04-01")


def test_a_stage_counts_from_its_own_day_on_whenever_it_was_reported() -> None:
    recorded = [REGISTERED, SIGNED, LATE_LAND]
    assert on(recorded, "2026-03-31") == ("signed", "active", "yellow")
    assert on(recorded, "2026-04-01") == ("land_supplied", "active", "green")
    assert on(recorded, "2026-04-10") == ("land_supplied", "active", "green"), "no red by what is known now"


def test_what_was_known_is_the_record_as_it_stood() -> None:
    recorded = [REGISTERED, SIGNED, LATE_LAND]
    before = state_at(recorded, "2026-04-20T00:59:59.999Z", None, published())
    after = state_at(recorded, "2026-04-20T01:00:00.000Z", None, published())
    assert before is not None
    assert after is not None
    assert [*before["milestones"]] == ["signed"]
    assert [*after["milestones"]] == ["signed", "land_supplied"]
    assert light_at(assessed(before)["lights"], "2026-04-19T02:00:00.000Z")["light"] == "red"


def test_the_two_dates_together_ask_what_was_thought_true() -> None:
    recorded = [REGISTERED, SIGNED, LATE_LAND]
    document = as_of(recorded, "2026-04-10", known_at="2026-04-15T00:00:00.000Z")
    assert document is not None
    assert document["stage"] == "signed"
    assert light_at(document["lights"], "2026-04-10T02:00:00.000Z")["light"] == "red"


def test_a_project_begins_with_its_first_fact_and_nothing_is_known_before_its_first_event() -> None:
    recorded = [REGISTERED, at("s", "2026-01-05T01:00:01.000Z", stage="signed", date="2025-12-20")]
    assert as_of(recorded, "2025-12-19") is None
    assert on(recorded, "2025-12-20")[0] == "signed"
    assert state_at(recorded, "2026-01-05T00:59:59.999Z", None, published()) is None


def test_a_corrected_date_holds_for_every_day() -> None:
    recorded = [
        REGISTERED,
        SIGNED,
        at("a", "2026-02-01T01:00:00.000Z", stage="land_supplied", date="2026-01-20"),
        at("b", "2026-02-05T01:00:00.000Z", stage="land_supplied", date="2026-01-30"),
    ]
    assert on(recorded, "2026-01-25")[0] == "signed"
    document = as_of(recorded, "2026-01-25", known_at="2026-02-02T00:00:00.000Z")
    assert document is not None
    assert document["stage"] == "land_supplied", "so it was thought before the correction"


def test_a_stage_of_a_month_counts_from_its_first_day_and_one_without_a_date_from_its_report() -> None:
    recorded = [
        REGISTERED,
        SIGNED,
        at("l", "2026-03-10T01:00:00.000Z", stage="land_supplied", date="2026-02"),
        at("t", "2026-03-11T16:00:00.000Z", stage="started", date=None),
    ]
    assert on(recorded, "2026-01-31")[0] == "signed"
    assert on(recorded, "2026-02-01")[0] == "land_supplied"
    assert on(recorded, "2026-03-11")[0] == "land_supplied"
    assert on(recorded, "2026-03-12")[0] == "started", "recorded at midnight of the zone"


def test_blockers_suspensions_and_a_withdrawal_hold_by_their_own_days() -> None:
    recorded = [
        REGISTERED,
        SIGNED,
        at("b", "2026-03-01T01:00:00.000Z", events.BLOCKER_RAISED, kind="用电", cause="utility", date="2026-02-01",
           approver="u-chief", until="2026-02-20"),
        at("c", "2026-03-01T01:00:01.000Z", events.BLOCKER_CLEARED, blocker_id="b", date="2026-02-11"),
        at("h", "2026-03-01T01:00:02.000Z", events.SUSPENSION_BEGUN, date="2026-03-01", reason="停"),
        at("e", "2026-03-20T01:00:02.000Z", events.SUSPENSION_ENDED, suspension_id="h", date="2026-03-10"),
        at("w", "2026-06-01T01:00:02.000Z", events.PROJECT_WITHDRAWN, date="2026-05-20", reason="不来了"),
    ]  # fmt: skip
    assert on(recorded, "2026-01-31") == ("signed", "active", "green")
    assert on(recorded, "2026-02-10") == ("signed", "active", "grey")
    document = as_of(recorded, "2026-02-10")
    assert document is not None
    assert document["blockers"][0]["cleared"] is None, "it was cleared on the next day"
    assert on(recorded, "2026-02-11") == ("signed", "active", "green")
    assert on(recorded, "2026-03-09")[1] == "suspended"
    assert on(recorded, "2026-03-10")[1] == "active"
    assert on(recorded, "2026-05-19") == ("signed", "active", "red")
    assert on(recorded, "2026-05-20") == ("signed", "withdrawn", "grey")


def test_progress_is_that_of_the_last_report_of_the_day_or_before() -> None:
    recorded = [
        REGISTERED,
        at("a", "2026-02-01T01:00:00.000Z", events.PROGRESS_REPORTED, date="2026-01-31", percent=10),
        at("b", "2026-03-01T01:00:00.000Z", events.PROGRESS_REPORTED, date="2026-02-28", percent=30),
        at("c", "2026-03-02T01:00:00.000Z", events.PROGRESS_REPORTED, date="2026-01-31", percent=12),
        at("d", "2026-03-03T01:00:00.000Z", events.PROGRESS_REPORTED, date="2026-03-31", percent=99),
        at("x", "2026-03-04T01:00:00.000Z", events.EVENT_RETRACTED, event_id="d"),
    ]
    percent = {day: (as_of(recorded, day) or {})["progress"] for day in ("2026-01-30", "2026-02-01", "2026-03-31")}
    assert percent["2026-01-30"] is None
    assert percent["2026-02-01"]["percent"] == 12
    assert percent["2026-03-31"]["percent"] == 12, "what was recorded last of what had happened"


def test_the_track_tells_every_day_once() -> None:
    story = [REGISTERED, SIGNED, LATE_LAND]
    spans = track(story, assessed, published())
    assert [(as_text(s, TODAY)["from"], s.light, s.document["stage"]) for s in spans[:3]] == [
        ("2026-01-05", "green", "signed"),
        ("2026-03-18", "yellow", "signed"),  # 72 of 90 days
        ("2026-04-01", "green", "land_supplied"),
    ]
    assert as_text(spans[-1], TODAY)["to"] is None
    assert span_on(spans, ordinal("2026-01-04")) is None


def test_a_red_that_a_late_report_took_out_of_the_record_is_remembered() -> None:
    stretches = was_red([REGISTERED, SIGNED, LATE_LAND], assessed, published(), NOW)
    first = stretches[0]
    assert first["gap"] == ["signed", "land_supplied"]
    assert (first["known_from"], first["known_to"]) == ("2026-04-05T16:00:00.000Z", "2026-04-20T01:00:00.000Z")
    assert (first["from"], first["to"], first["days"], first["days_red_as_known"]) == (
        "2026-04-06",
        "2026-04-20",
        15,
        0,
    )


def test_a_red_that_still_shows_has_no_end_and_stands() -> None:
    (stretch,) = was_red([REGISTERED, SIGNED], assessed, published(), NOW)
    assert stretch["known_to"] is None
    assert stretch["days"] == stretch["days_red_as_known"] == TODAY - ordinal("2026-04-06") + 1


def test_a_red_until_midnight_did_not_show_on_the_next_day() -> None:
    paused = at("b", "2026-04-07T16:00:00.000Z", stage="land_supplied", date="2026-04-08")
    stretch = was_red([REGISTERED, SIGNED, paused], assessed, published(), NOW)[0]
    assert (stretch["from"], stretch["to"]) == ("2026-04-06", "2026-04-07")


def test_nobody_was_told_of_a_red_that_an_import_ran_through() -> None:
    recorded = [
        REGISTERED,
        at("s", "2026-01-05T01:00:01.000Z", stage="signed", date="2024-01-05"),
        at("l", "2026-01-05T01:00:02.000Z", stage="land_supplied", date="2025-12-20"),
    ]
    assert was_red(recorded, assessed, published(), "2026-01-06T00:00:00.000Z") == []


@pytest.mark.parametrize(
    ("day", "recorded", "workdays", "late"),
    [
        ("2026-03-05", "2026-03-05T10:00:00.000Z", 0, False),
        ("2026-03-05", "2026-03-10T15:59:59.999Z", 3, False),  # Thursday to Tuesday
        ("2026-03-05", "2026-03-10T16:00:00.000Z", 4, True),  # Wednesday in the zone
        ("2026-02-13", "2026-02-25T02:00:00.000Z", 3, False),  # the holiday between does not count; 14 Feb was worked
        ("2026-03-06", "2026-03-05T10:00:00.000Z", 0, False),  # dated tomorrow
    ],
)
def test_a_report_is_late_after_three_working_days(day: str, recorded: str, workdays: int, late: bool) -> None:
    told = reporting([REGISTERED, at("l", recorded, stage="land_supplied", date=day)], published())
    assert (told["counted"], told["late"]) == (1, int(late))
    assert told["items"][0]["workdays"] == workdays


def test_what_was_taken_over_retracted_or_not_known_to_the_day_is_not_late() -> None:
    told = reporting(
        [
            REGISTERED,
            at("s", "2026-02-20T01:00:00.000Z", stage="signed", date="2025-12-01"),
            at("l", "2026-04-20T01:00:00.000Z", stage="land_supplied", date="2026-02"),
            at("t", "2026-06-20T01:00:00.000Z", stage="started", date="2026-03-01"),
            at("x", "2026-06-21T01:00:00.000Z", events.EVENT_RETRACTED, event_id="t"),
        ],
        published(),
    )
    assert told == {"counted": 0, "late": 0, "items": []}


def test_a_correction_does_not_make_the_first_report_late() -> None:
    told = reporting(
        [
            REGISTERED,
            at("a", "2026-03-06T01:00:00.000Z", stage="land_supplied", date="2026-03-05"),
            at("b", "2026-06-06T01:00:00.000Z", stage="land_supplied", date="2026-03-04"),
        ],
        published(),
    )
    assert (told["counted"], told["late"]) == (1, 0)


# -- for every history ------------------------------------------------------------------------------------------------

DAYS = st.integers(date(2024, 12, 1).toordinal(), date(2027, 6, 30).toordinal())


@given(histories(), DAYS)
@settings(UNHURRIED, max_examples=50)
def test_the_track_is_what_a_fold_of_that_day_says(recorded: list[Event], day: int) -> None:
    span = span_on(track(recorded, assessed, published()), day) if recorded else None
    state = state_at(recorded, None, day, published())
    if state is None:
        assert span is None
        return
    document = assessed(state)
    assert span is not None
    step = light_at(document["lights"], published().midnight_of(day))
    assert (span.light, span.reason) == (step["light"], reason_of(step, document))
    assert (span.document["stage"], span.document["status"]) == (document["stage"], document["status"])


@given(histories(), st.sampled_from([*INSTANTS, "2026-03-01T01:30:00.000Z", "2026-02-01T00:00:00.000Z"]))
@settings(UNHURRIED, max_examples=50)
def test_what_was_known_is_the_fold_of_what_was_recorded(recorded: list[Event], moment: str) -> None:
    state = state_at(recorded, moment, None, published())
    earlier = [event for event in recorded if event.recordedtime <= moment]
    assert state == (fold(earlier) if earlier else None)


@given(histories())
@settings(UNHURRIED, max_examples=50)
def test_known_now_and_true_at_the_end_of_time_are_the_live_document(recorded: list[Event]) -> None:
    if not recorded:
        return
    live = assessed(fold(recorded))
    now_known = state_at(recorded, NOW, None, published())
    at_the_end = state_at(recorded, None, history.LAST_DAY, published())
    assert now_known is not None
    assert at_the_end is not None
    assert assessed(now_known) == live
    assert assessed(at_the_end) == live


@given(histories())
@settings(UNHURRIED, max_examples=50)
def test_what_was_shown_is_what_each_instant_knew(recorded: list[Event]) -> None:
    lights = history.shown(recorded, assessed, NOW)
    for earlier, later in itertools.pairwise(lights):
        assert earlier.end == later.begin, "without a hole"
    for light in lights:
        state = fold(known(recorded, light.begin))
        assert light_at(assessed(state)["lights"], light.begin)["light"] == light.light


# -- figures of a period ----------------------------------------------------------------------------------------------


def test_the_figures_of_a_period_count_from_its_last_day_on() -> None:
    recorded = [
        at("r", "2026-01-05T01:00:00.000Z", events.PROJECT_REGISTERED, name="一号项目", zone="demo", route="plant"),
        at("p", "2026-01-05T01:00:01.000Z", stage="producing", date="2025-12-20"),
        at("c", "2026-01-05T01:00:02.000Z", COMMITMENT_MADE, measure="full_production", due="2026-09-30"),
        at("f", "2026-10-20T01:00:00.000Z", PERFORMANCE_REPORTED, period="2026-Q3", capacity_percent=100),
    ]
    assert on(recorded, "2026-09-29") == ("producing", "active", "yellow")
    assert on(recorded, "2026-09-30") == ("producing", "active", "blue")
    assert on(recorded, "2026-10-05") == ("producing", "active", "blue"), "by what is known now"
    thought = as_of(recorded, "2026-10-05", known_at="2026-10-10T00:00:00.000Z")
    assert thought is not None
    assert light_at(thought["lights"], "2026-10-05T02:00:00.000Z")["light"] == "red"
    before = as_of(recorded, "2026-09-29")
    assert before is not None
    assert "performance" not in before
    assert [span.light for span in track(recorded, assessed, published())][-1] == "blue"
