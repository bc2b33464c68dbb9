from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.events import (
    BLOCKER_CLEARED,
    EVENT_RETRACTED,
    MILESTONE_REPORTED,
    MILESTONE_VERIFIED,
    NOTE_ADDED,
    PROGRESS_REPORTED,
    PROJECT_AMENDED,
    PROJECT_REGISTERED,
    PROJECT_WITHDRAWN,
    SUSPENSION_BEGUN,
    Event,
)
from luodi.domain.fold import advance, empty, fold
from luodi.domain.handlers import State
from luodi.domain.kinds import KINDS
from luodi.domain.subjects import PROJECT
from schemas.events import EVENT_TYPES
from tests.unit.domain.builders import UNHURRIED, Story
from tests.unit.domain.strategies import DATA, DATA_OF_OTHERS, UNKNOWN_TYPE, histories


def as_bytes(state: State | None) -> bytes:
    return orjson.dumps(state)


# Whatever the order of arrival.


@settings(UNHURRIED, max_examples=150)
@given(histories(), st.data())
def test_any_order_and_any_repetition_of_the_events_folds_to_the_same_bytes(
    events: list[Event], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    assert as_bytes(fold(shuffled)) == as_bytes(fold(events))
    assert json.dumps(fold(shuffled)) == json.dumps(fold(events))


@settings(UNHURRIED, max_examples=150)
@given(histories())
def test_advancing_event_by_event_gives_the_bytes_of_the_fold(events: list[Event]) -> None:
    ordered = sorted(events, key=lambda event: event.order)
    state = empty()
    for place, event in enumerate(ordered):
        stored: State = orjson.loads(as_bytes(state))
        before = as_bytes(stored)
        after = advance(stored, event)
        assert as_bytes(stored) == before, "the state given is left as it was"
        expected = fold(ordered[: place + 1])
        if event.type == EVENT_RETRACTED:
            assert after is None
        elif event.type != MILESTONE_VERIFIED or after is not None:
            assert as_bytes(after) == as_bytes(expected)
        state = expected


@UNHURRIED
@given(histories())
def test_a_state_is_json_and_keeps_its_bytes_through_a_store(events: list[Event]) -> None:
    state = fold(events)
    assert as_bytes(orjson.loads(as_bytes(state))) == as_bytes(state)


@UNHURRIED
@given(histories())
def test_the_fold_leaves_the_events_as_they_were(events: list[Event]) -> None:
    before = [orjson.dumps(event.data) for event in events]
    fold(events)
    assert [orjson.dumps(event.data) for event in events] == before


def test_the_histories_of_these_tests_hold_every_type_of_event_and_one_unknown() -> None:
    others = {type_ for data in DATA_OF_OTHERS.values() for type_ in data}
    assert set(DATA) | others == {*EVENT_TYPES, UNKNOWN_TYPE}
    assert set(DATA_OF_OTHERS) | {PROJECT} <= set(KINDS)


def test_nothing_folds_to_the_empty_state() -> None:
    assert fold([]) == empty()


def test_an_event_recorded_before_the_last_one_asks_for_a_fold() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    state = fold(story.events)
    assert advance(state, story.events[0]) is None
    assert advance(state, story.events[1]) is None


def test_of_two_claims_to_one_id_the_one_recorded_first_counts() -> None:
    first = Event("p", "e1", PROJECT_AMENDED, "2026-03-05T01:00:00.000Z", 0, None, {"name": "一"})
    second = Event("p", "e1", PROJECT_AMENDED, "2026-03-05T02:00:00.000Z", 0, None, {"name": "二"})
    assert fold([second, first])["fields"] == {"name": "一"}


def test_what_only_a_newer_version_knows_is_counted_and_ignored() -> None:
    story = Story()
    story.registered()
    story.tell(UNKNOWN_TYPE, anything=1)
    state = fold(story.events)
    assert (state["ignored"], state["events"]) == (1, 2)
    assert advance(fold(story.events[:1]), story.events[1]) == state


# Retractions.


def retraction(number: int, target: str) -> Event:
    return Event("p", f"r{number}", EVENT_RETRACTED, f"2026-03-05T01:00:0{number}.000Z", 0, None, {"event_id": target})


NAMED = Event("p", "e1", PROJECT_AMENDED, "2026-03-05T01:00:02.000Z", 0, None, {"name": "一"})


@pytest.mark.parametrize(
    ("retractions", "stands", "sentence"),
    [
        ([], True, "nothing retracted it"),
        ([retraction(3, "e1")], False, "a retraction acts on what was recorded before it"),
        ([retraction(1, "e1")], True, "not on what was recorded after it"),
        ([retraction(3, "r4"), retraction(4, "e1")], False, "nor on a later retraction"),
        ([retraction(3, "e1"), retraction(4, "r3")], True, "a retraction can be retracted"),
        ([retraction(3, "e1"), retraction(4, "r3"), retraction(5, "r4")], False, "and so can that one"),
        ([retraction(3, "e1"), retraction(4, "e1"), retraction(5, "r3")], False, "of two, one left is enough"),
        ([retraction(3, "r3")], True, "one that names itself does nothing"),
        ([retraction(3, "nobody")], True, "one that names nothing known does nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_retraction(retractions: list[Event], stands: bool, sentence: str) -> None:
    state = fold([NAMED, *retractions])
    assert (state["fields"] == {"name": "一"}) is stands, sentence
    assert fold([*reversed(retractions), NAMED]) == state


@settings(UNHURRIED, max_examples=150)
@given(histories(types=(EVENT_RETRACTED, EVENT_RETRACTED, MILESTONE_REPORTED, PROJECT_AMENDED)))
def test_what_is_retracted_is_as_if_it_had_never_been_reported(events: list[Event]) -> None:
    """Against another way to say it: take away, from the last retraction to the first, what each one names."""
    left = sorted(events, key=lambda event: event.order)
    for event in reversed(list(left)):
        if event in left and event.type == EVENT_RETRACTED:
            earlier = left[: left.index(event)]
            left = [other for other in left if other not in earlier or other.id != event.data["event_id"]]
    plain = [event for event in left if event.type != EVENT_RETRACTED]
    kept = ("last", "first", "events", "retracted")
    state, expected = fold(events), fold(plain)
    assert {key: state[key] for key in state if key not in kept} == {
        key: expected[key] for key in expected if key not in kept
    }
    assert state["retracted"] == len(events) - len(left)


# What each kind of event does.


def folded(*told: tuple[str, dict[str, Any]]) -> State:
    story = Story()
    for type_, data in told:
        story.tell(type_, **data)
    return fold(story.events)


def test_per_field_the_last_recorded_value_holds_and_null_clears() -> None:
    state = folded(
        (PROJECT_REGISTERED, {"name": "一", "zone": "demo", "route": "land", "officer": "u-li", "jobs": 100}),
        (PROJECT_AMENDED, {"name": "二", "officer": None, "confirm": ["investment"], "unheard_of": 1}),
        (PROJECT_AMENDED, {"note": "改名"}),
    )
    assert state["fields"] == {"name": "二", "zone": "demo", "route": "land", "jobs": 100}


def test_a_later_registration_amends_the_fields_it_names() -> None:
    state = folded(
        (PROJECT_REGISTERED, {"name": "一", "zone": "demo", "route": "land", "jobs": 100}),
        (PROJECT_REGISTERED, {"name": "一", "zone": "demo", "route": "plant"}),
    )
    assert state["fields"] == {"name": "一", "zone": "demo", "route": "plant", "jobs": 100}


def test_an_amendment_alone_does_not_register() -> None:
    state = folded((PROJECT_AMENDED, {"name": "一"}))
    assert state["registered"] is False
    assert state["fields"] == {"name": "一"}


def test_a_milestone_set_again_is_a_correction_and_its_retraction_restores_the_one_before() -> None:
    story = Story()
    story.reached("signed", "2026-01-10", note="一", evidence=[{"kind": "合同", "ref": "1"}])
    correction = story.reached("signed", "2026-01-12")
    assert fold(story.events)["milestones"]["signed"]["date"] == "2026-01-12"
    story.retracted(correction)
    kept = fold(story.events)["milestones"]["signed"]
    assert kept["date"] == "2026-01-10"
    assert kept["evidence"] == [{"kind": "合同", "ref": "1"}]


def test_the_first_planned_date_is_the_baseline_and_a_change_needs_reason_and_approver() -> None:
    story = Story()
    story.planned("completed", "2026-09")
    story.planned("completed", "2026-10", reason="雨季")
    story.planned("completed", "2026-11", approver="u-chief")
    story.planned("completed", "2026-12", reason="", approver="u-chief")
    plan = fold(story.events)["plans"]["completed"]
    assert (plan["baseline"], plan["date"], plan["refused"], plan["changes"]) == ("2026-09", "2026-09", 3, [])
    story.planned("completed", "2027-01", reason="设计变更", approver="u-chief")
    plan = fold(story.events)["plans"]["completed"]
    assert (plan["baseline"], plan["date"], plan["refused"], len(plan["changes"])) == ("2026-09", "2027-01", 3, 1)


def test_a_plan_said_again_is_neither_a_change_nor_a_refusal() -> None:
    story = Story()
    story.planned("completed", "2026-09")
    story.planned("completed", "2026-09", reason="重报", approver="u-chief")
    story.planned("completed", "2026-09")
    plan = fold(story.events)["plans"]["completed"]
    assert (plan["refused"], plan["changes"]) == (0, [])


def test_a_plan_moved_back_to_its_baseline_is_a_change() -> None:
    story = Story()
    story.planned("completed", "2026-09")
    story.planned("completed", "2026-10", reason="雨季", approver="u-chief")
    story.planned("completed", "2026-09")
    story.planned("completed", "2026-09", reason="赶工", approver="u-chief")
    plan = fold(story.events)["plans"]["completed"]
    assert (plan["date"], plan["refused"], len(plan["changes"])) == ("2026-09", 1, 2)


def test_when_the_baseline_is_retracted_the_next_plan_is_the_baseline() -> None:
    story = Story()
    first = story.planned("completed", "2026-09")
    story.planned("completed", "2026-10", reason="雨季", approver="u-chief")
    story.retracted(first)
    plan = fold(story.events)["plans"]["completed"]
    assert (plan["baseline"], plan["date"], plan["changes"]) == ("2026-10", "2026-10", [])


def test_a_clear_recorded_before_its_blocker_is_kept_for_it() -> None:
    story = Story()
    clear = story.tell(BLOCKER_CLEARED, blocker_id="e2", date="2026-02-11")
    story.paused("2026-02-01", "2026-03-01")
    state = fold(story.events)
    assert state["clears"]["e2"]["event_id"] == clear
    assert list(state["blockers"]) == ["e2"]


def test_the_progress_recorded_last_holds() -> None:
    state = folded(
        (PROGRESS_REPORTED, {"date": "2026-03-01", "percent": 20}),
        (PROGRESS_REPORTED, {"date": "2026-02-01", "percent": 10}),
    )
    assert (state["progress"]["date"], state["progress"]["percent"]) == ("2026-02-01", 10)


def test_a_report_without_a_percentage_leaves_that_of_the_same_day_as_it_was() -> None:
    state = folded(
        (PROGRESS_REPORTED, {"date": "2026-03-01", "percent": 20}),
        (PROGRESS_REPORTED, {"date": "2026-03-01", "appearance": "主体封顶"}),
        (PROGRESS_REPORTED, {"date": "2026-03-02", "appearance": "外墙"}),
    )
    assert state["reports"] == {"2026-03-01": 20, "2026-03-02": None}


def test_a_milestone_after_the_withdrawal_does_not_undo_it_but_a_retraction_does() -> None:
    story = Story()
    withdrawal = story.tell(PROJECT_WITHDRAWN, date="2026-02-01", reason="投资方放弃")
    story.reached("started", "2026-03-01")
    assert fold(story.events)["withdrawn"]["reason"] == "投资方放弃"
    story.retracted(withdrawal)
    assert fold(story.events)["withdrawn"] is None


def test_notes_are_counted_and_suspensions_kept() -> None:
    state = folded(
        (NOTE_ADDED, {"text": "走访"}), (NOTE_ADDED, {"text": "电话"}), (SUSPENSION_BEGUN, {"date": "2026-02-01"})
    )
    assert state["notes"] == 2
    assert list(state["suspensions"]) == ["e3"]


def test_the_first_and_last_recorded_instants_count_retracted_events_too() -> None:
    story = Story()
    first = story.tell(NOTE_ADDED, text="误")
    story.retracted(first)
    state = fold(story.events)
    assert state["first"] == story.events[0].recordedtime
    assert state["last"] == [story.events[1].recordedtime, 0, "e2"]
    assert (state["events"], state["retracted"], state["notes"]) == (2, 1, 0)
