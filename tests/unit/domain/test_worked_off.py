"""Blockers worked off: replied to, cleared, confirmed by the enterprise; who had to act on which day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from luodi.domain.events import BLOCKER_CLEARED, BLOCKER_RAISED
from luodi.domain.worked_off import (
    BLOCKER_CONFIRMED,
    BLOCKER_GRADED,
    BLOCKER_REPLIED,
    Owed,
    Tally,
    mark_range,
    marks,
    marks_of,
    owed,
    urgency,
    week_of,
)
from tests.unit.domain.builders import Story

CAUSES = ("government", "utility", "force_majeure")
TODAY, NOW = date(2026, 6, 3), "2026-06-03T04:00:00.000Z"  # a Wednesday


def raised(story: Story, **more: Any) -> str:
    told = {"kind": "用电", "cause": "utility", "owner": "power", "date": "2026-05-01", "promise": "2026-06-01"} | more
    return story.tell(BLOCKER_RAISED, **told)


def confirmed(story: Story, blocker: str, **more: Any) -> None:
    """The enterprise speaks."""
    story.tell(BLOCKER_CONFIRMED, "p-1", **{"blocker_id": blocker, "satisfied": True} | more)
    told = story.events.pop()
    story.events.append(replace(told, data={**told.data, "by": "p-1"}))


def only(story: Story) -> Owed:
    (item,) = owed(story.document(), CAUSES, NOW, TODAY)
    return item


def statuses(story: Story) -> set[str]:
    item = only(story)
    return {status for status in ("open", "overdue", "unclaimed", "cleared", "confirmed") if item.is_(status)}


def test_a_blocker_is_open_then_overdue_then_cleared_and_dealt_with_when_the_enterprise_says_so() -> None:
    story = Story()
    story.registered()
    blocker = raised(story)
    assert statuses(story) == {"open", "overdue"}
    assert only(story).days_over(TODAY) == 2
    story.cleared(blocker, "2026-06-02")
    assert statuses(story) == {"cleared"}
    confirmed(story, blocker, satisfied=False)
    assert statuses(story) == {"cleared"}, "the enterprise says that it is not"
    confirmed(story, blocker, note="已送电")
    assert statuses(story) == {"confirmed"}
    confirmation = only(story).confirmation
    assert confirmation is not None
    assert (confirmation["by"], confirmation["note"]) == ("p-1", "已送电")


def test_a_confirmation_speaks_of_the_clear_before_it() -> None:
    story = Story()
    story.registered()
    blocker = raised(story)
    confirmed(story, blocker)
    assert only(story).confirmation is None, "nothing is cleared yet"
    clear = story.cleared(blocker, "2026-06-02")
    assert statuses(story) == {"cleared"}
    confirmed(story, blocker)
    story.cleared(blocker, "2026-06-01")
    assert statuses(story) == {"confirmed"}, "another day is the same clear"
    story.retracted(clear)
    assert statuses(story) == {"cleared"}, "of the clears that are left none was told before the confirmation"


def test_a_confirmation_counts_no_longer_when_its_clear_was_taken_back_and_told_anew() -> None:
    story = Story()
    story.registered()
    blocker = raised(story)
    clear = story.cleared(blocker, "2026-06-02")
    confirmed(story, blocker)
    story.retracted(clear)
    assert statuses(story) == {"open", "overdue"}
    story.cleared(blocker, "2026-06-03")
    assert statuses(story) == {"cleared"}


def test_replies_stand_with_their_blocker_oldest_first_whichever_was_recorded_first() -> None:
    story = Story()
    story.registered()
    first = story.tell(BLOCKER_REPLIED, "u-power", blocker_id="e3", text="待勘察")
    blocker = raised(story)
    assert blocker == "e3"
    story.tell(BLOCKER_REPLIED, blocker_id="another", text="与此无关")
    story.tell(BLOCKER_REPLIED, "u-power", blocker_id=blocker, text="已列入检修计划")
    replies = only(story).replies
    assert [row["text"] for row in replies] == ["待勘察", "已列入检修计划"]
    assert (replies[0]["id"], replies[0]["actor"]) == (first, "u-power")


def test_the_last_level_told_holds() -> None:
    story = Story()
    story.registered()
    blocker = raised(story, level="一般")
    assert only(story).blocker["level"] == "一般"
    story.tell(BLOCKER_GRADED, blocker_id=blocker, level="协调")
    raise_again = story.tell(BLOCKER_GRADED, blocker_id=blocker, level="重大")
    assert only(story).blocker["level"] == "重大"
    story.retracted(raise_again)
    assert only(story).blocker["level"] == "协调"


def test_a_project_is_found_by_every_unit_that_has_or_had_to_act() -> None:
    story = Story()
    story.registered()
    blocker = raised(story)
    raised(story, owner=None)
    assert marks(story.document()["blockers"]) == ["open:", "open:power"]
    story.updated(blocker, owner="grid")
    story.updated(blocker, owner="grid", promise="2026-07-01")
    story.cleared(blocker, "2026-06-02")
    assert marks(story.document()["blockers"]) == ["done:grid", "done:power", "open:"]
    assert only_held_by(story, blocker) == [{"owner": "power", "to": "2026-06-01"}], "told twice is one change"
    assert marks_of(["grid"], []) == ["done:grid", "open:grid"]
    assert marks_of(["grid", "power"], ["overdue", "unclaimed"]) == ["open:grid", "open:power"]
    for asked in ([], ["open"], ["confirmed"], ["cleared", "open"]):
        begin, end = mark_range(asked)
        within = [mark for mark in marks(story.document()["blockers"]) if begin <= mark < end]
        wanted = {"open:"} if asked == ["open"] else {"done:grid", "done:power"} if asked == ["confirmed"] else None
        assert wanted is None or set(within) == wanted


def only_held_by(story: Story, blocker: str) -> list[dict[str, Any]]:
    (found,) = (row for row in story.document()["blockers"] if row["id"] == blocker)
    earlier: list[dict[str, Any]] = found["held_by"]
    return earlier


def test_a_day_under_two_pauses_is_charged_once_to_whom_began_first_and_to_nobody_where_the_cause_may_not_pause() -> (
    None
):
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    one = raised(story, date="2026-05-01", approver="l", until="2026-05-10", promise=None)
    two = raised(story, date="2026-05-06", approver="l", until="2026-05-12", promise=None, owner="water")
    three = raised(story, date="2026-05-01", approver="l", until="2026-05-12", promise=None, cause="enterprise")
    days = {item.blocker["id"]: dict(item.charged) for item in owed(story.document(), CAUSES, NOW, TODAY)}
    assert days == {one: {"power": 10}, two: {"water": 2}, three: {}}


def test_days_are_charged_up_to_today_only() -> None:
    story = Story()
    story.registered()
    raised(story, date="2026-06-02", approver="l", until="2026-06-20", promise=None)
    assert only(story).charged == {"power": 2}


def test_the_numbers_of_a_week_run_from_monday_to_sunday() -> None:
    assert week_of(date(2026, 6, 7)) == week_of(TODAY) == (date(2026, 6, 1), date(2026, 6, 7))
    story, tally = Story(), Tally()
    story.registered()
    for promise in ("2026-05-31", "2026-06-01", "2026-06-07", "2026-06-08", "2026-06", None):
        raised(story, promise=promise)
    for item in owed(story.document(), CAUSES, NOW, TODAY):
        tally.add(item, TODAY)
    assert (tally.blockers, tally.overdue, tally.due_this_week, tally.unanswered) == (6, 2, 2, 6)


def test_what_is_due_first_comes_first_and_what_is_dealt_with_last() -> None:
    story = Story()
    story.registered()
    done = raised(story)
    cleared = raised(story)
    month = raised(story, promise="2026-06")
    soon = raised(story, promise="2026-06-29")
    bare = raised(story, promise=None)
    story.cleared(done, "2026-05-20")
    story.cleared(cleared, "2026-05-30")
    confirmed(story, done)
    items = sorted(owed(story.document(), CAUSES, NOW, TODAY), key=urgency)
    assert [item.blocker["id"] for item in items] == [soon, month, bare, cleared, done]


def test_published_and_given_up_projects_owe_nothing_in_time() -> None:
    story = Story()
    story.registered(source="published", as_of="2024-09-30")
    raised(story, promise="2025-01-01", date="2024-12-01")
    assert statuses(story) == {"open"}, "facts from the press are never late"


def test_a_clear_told_of_a_blocker_that_nobody_raised_confirms_nothing() -> None:
    story = Story()
    story.registered()
    story.tell(BLOCKER_CLEARED, blocker_id="nobody", date="2026-06-01")
    confirmed(story, "nobody")
    assert owed(story.document(), CAUSES, NOW, TODAY) == []
