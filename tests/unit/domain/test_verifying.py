"""已报, 已核实, 退回: what a report counts for once another person has looked at it."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings

from luodi.domain import history
from luodi.domain.assess import assess
from luodi.domain.events import MILESTONE_REPORTED, MILESTONE_VERIFIED, NOTE_ADDED, Event
from luodi.domain.fold import advance, fold, standing
from luodi.domain.verifying import RETURNED, may_verify
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, UNHURRIED, Document, Story, published
from tests.unit.domain.strategies import histories


def begun() -> tuple[Story, str]:
    """A project that was signed, and the report of its start; u-zhang reported both."""
    story = Story()
    story.registered(route="plant")
    story.reached("signed", "2026-01-05")
    return story, story.reached("started", "2026-03-02")


def start(document: Document) -> tuple[str | None, str | None]:
    """The date that counts as the start, and what was said of its report."""
    found = [milestone for milestone in document["milestones"] if milestone["stage"] == "started"]
    if not found:
        return None, None
    verified = found[0]["verified"]
    return found[0]["date"], verified and f"{verified['result']} by {verified['by']}"


def test_a_report_moves_the_stage_at_once_and_is_not_verified() -> None:
    story, _ = begun()
    document = story.document()
    assert (document["stage"], document["verified"]) == ("started", [])
    assert start(document) == ("2026-03-02", None)


def test_another_person_verifies_it() -> None:
    story, report = begun()
    verification = story.verified(report, note="现场核实")
    document = story.document()
    assert document["verified"] == ["started"]
    assert document["milestones"][1]["verified"] == {
        "result": "confirmed",
        "by": "u-li",
        "at": story.events[-1].recordedtime,
        "reason": None,
        "event_id": verification,
    }


def test_a_returned_report_no_longer_counts_and_is_shown_with_the_reason_and_by_whom() -> None:
    story, report = begun()
    before = story.document()["lights"]
    without = Story()
    without.registered(route="plant")
    without.reached("signed", "2026-01-05")
    story.returned(report, reason="只有围挡")
    document = story.document()
    assert (document["stage"], document["reached"]) == ("signed", {"signed": "2026-01-05"})
    assert document["lights"] == without.document()["lights"] != before
    (shown,) = document["returned"]
    assert (shown["stage"], shown["date"], shown["event_id"], shown["actor"]) == (
        "started",
        "2026-03-02",
        report,
        "u-zhang",
    )
    assert (shown["verified"]["result"], shown["verified"]["by"], shown["verified"]["reason"]) == (
        RETURNED,
        "u-li",
        "只有围挡",
    )


def test_where_a_report_is_returned_the_one_before_it_counts_again_with_its_verification() -> None:
    story, first = begun()
    story.verified(first, "u-wang")
    second = story.reached("started", "2026-02-20")
    assert start(story.document()) == ("2026-02-20", None)
    story.returned(second)
    assert start(story.document()) == ("2026-03-02", "confirmed by u-wang")


def test_a_report_that_a_later_one_replaced_can_be_verified_and_returned_too() -> None:
    story, first = begun()
    second = story.reached("started", "2026-02-20")
    story.returned(first)
    assert start(story.document()) == ("2026-02-20", None)
    story.returned(second)
    assert start(story.document()) == (None, None)
    assert [shown["event_id"] for shown in story.document()["returned"]] == [first, second]
    story.verified(first)
    assert start(story.document()) == ("2026-03-02", "confirmed by u-li")


def test_the_last_recorded_verification_of_a_report_holds() -> None:
    story, report = begun()
    story.verified(report)
    story.returned(report, "u-wang")
    assert start(story.document()) == (None, None)
    story.verified(report, "u-li")
    assert start(story.document()) == ("2026-03-02", "confirmed by u-li")
    assert story.document()["returned"] == []


def test_a_verification_that_is_retracted_is_as_if_it_had_never_been() -> None:
    story, report = begun()
    story.verified(report)
    wrong = story.returned(report, "u-wang")
    story.retracted(wrong)
    assert start(story.document()) == ("2026-03-02", "confirmed by u-li")


def test_a_reporter_cannot_verify_or_return_his_own_report() -> None:
    for result in ("confirmed", "returned"):
        story, report = begun()
        story.verified(report, "u-zhang", result, reason="我自己看过")
        assert start(story.document()) == ("2026-03-02", None)
        assert story.document()["returned"] == []


def test_his_own_word_does_not_undo_that_of_another() -> None:
    story, report = begun()
    story.returned(report, "u-li")
    story.verified(report, "u-zhang")
    assert start(story.document()) == (None, None)


def test_nobody_known_is_not_another_person() -> None:
    assert not may_verify(None, "u-zhang")
    assert not may_verify(None, None)
    assert may_verify("u-li", None)


def test_a_correction_is_a_new_report_that_nobody_has_verified() -> None:
    story, report = begun()
    story.verified(report)
    story.reached("started", "2026-03-03")
    assert start(story.document()) == ("2026-03-03", None)
    assert [milestone["corrects"] for milestone in story.document()["milestones"]] == [None, report]


def test_a_report_says_which_one_it_took_the_place_of_when_that_counts_no_more_it_is_the_first() -> None:
    story, first = begun()
    second = story.reached("started", "2026-03-03")
    third = story.reached("started", "2026-03-04")
    story.returned(second)
    assert story.document()["milestones"][1]["corrects"] == first
    story.retracted(first)
    assert (story.document()["milestones"][1]["event_id"], story.document()["milestones"][1]["corrects"]) == (
        third,
        None,
    )


@pytest.mark.parametrize("target", ["unknown", "of another type", "retracted", "recorded later"])
def test_a_verification_of_what_is_no_report_is_harmless(target: str) -> None:
    story, report = begun()
    note = story.tell(NOTE_ADDED, text="走访")
    if target == "retracted":
        story.retracted(report)
    before = story.document()
    named = {"unknown": "nobody", "of another type": note, "retracted": report, "recorded later": "e6"}[target]
    story.returned(named)
    if target == "recorded later":
        assert story.reached("completed", "2026-05-04") == "e6"
        assert story.document()["stage"] == "completed"
    else:
        after = story.document()
        kept = ("stage", "reached", "milestones", "returned", "lights", "verified")
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_verifications_and_reports_fold_to_one_state_in_whatever_order_they_arrive() -> None:
    story, report = begun()
    story.reached("started", "2026-02-20")
    story.verified(report)
    story.returned(report, "u-wang")
    state = fold(story.events)
    for order in permutations(story.events):
        assert fold(order) == state


@settings(UNHURRIED, max_examples=200)
@given(histories(types=(MILESTONE_REPORTED, MILESTONE_REPORTED, MILESTONE_VERIFIED, MILESTONE_VERIFIED)))
def test_what_is_returned_counts_as_little_as_what_was_never_reported(events: list[Event]) -> None:
    """Against another way to say it: leave out what was returned, and every verification."""
    state = fold(events)
    stood = standing(events)
    returned = {id_ for id_, verdict in stood.verified.items() if verdict["result"] == RETURNED}
    left = [e for e in events if e.type == MILESTONE_REPORTED and e.id not in returned]
    plain = fold(left)["milestones"]
    assert {s: m | {"verified": None} for s, m in state["milestones"].items()} == plain
    assert set(state["returned"]) == returned
    for milestone in state["milestones"].values():
        assert milestone["verified"] == stood.verified.get(milestone["event_id"])


def test_the_quick_way_takes_a_confirmation_of_what_counts_and_leaves_the_rest_to_a_fold() -> None:
    story, report = begun()
    state = fold(story.events)
    story.verified(report)
    assert advance(state, story.events[-1]) == fold(story.events)
    story.returned(report)
    assert advance(fold(story.events[:-1]), story.events[-1]) is None
    own, report = begun()
    own.returned(report, "u-zhang")
    assert advance(state, own.events[-1]) == fold(own.events)


def test_a_timeline_says_what_became_of_each_verification() -> None:
    story, report = begun()
    first = story.verified(report, "u-wang")
    last = story.returned(report)
    own = story.verified(report, "u-zhang")
    wrong = story.verified("nobody")
    gone = story.verified(report)
    story.retracted(gone)
    old = story.reached("completed", "2026-05-04")
    story.retracted(old)
    late = story.verified(old)
    stood = standing(story.events)
    assert {id_: verdict["event_id"] for id_, verdict in stood.verified.items()} == {report: last}
    assert stood.retracted == {gone, old}
    assert stood.without_effect == {
        first: "verified-again",
        own: "own-report",
        wrong: "no-report",
        late: "report-retracted",
    }


# In time.


def test_by_date_a_report_counts_as_verified_once_that_is_known() -> None:
    story, report = begun()
    story.verified(report)
    calendar = published()
    day = calendar.business_day("2026-04-01T04:00:00.000Z")
    state = history.state_at(story.events, None, day, calendar)
    assert state is not None
    document = assess(SUBJECT, state, DEFAULT_RULES, calendar)
    assert document["verified"] == ["started"]
    state = history.state_at(story.events, story.events[2].recordedtime, day, calendar)
    assert state is not None
    assert assess(SUBJECT, state, DEFAULT_RULES, calendar)["verified"] == []


def test_a_returned_report_is_shown_from_its_day_on_and_begins_nothing() -> None:
    story = Story()
    story.registered(route="plant")
    report = story.reached("signed", "2026-01-05")
    story.returned(report)
    calendar = published()
    spans = history.track(story.events, lambda state: assess(SUBJECT, state, DEFAULT_RULES, calendar), calendar)
    assert spans[0].begin == calendar.business_day(story.events[0].recordedtime)
    assert history.state_at(story.events, None, calendar.business_day("2026-01-06T04:00:00.000Z"), calendar) is None
    other = story.reached("started", "2026-06-05")
    story.returned(other)
    for day, shown in (("2026-06-04", [report]), ("2026-06-05", [report, other])):
        state = history.state_at(story.events, None, calendar.business_day(f"{day}T04:00:00.000Z"), calendar)
        assert state is not None
        assert [*state["returned"]] == shown
