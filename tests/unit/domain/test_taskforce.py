"""Follow-ups, and when a project counts as not updated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from luodi.domain.assess import assess
from luodi.domain.events import NOTE_ADDED, PROJECT_WITHDRAWN
from luodi.domain.fold import fold
from luodi.domain.history import state_at
from luodi.domain.taskforce import FOLLOWUP_LOGGED, KEPT, SHOWN, followed_on, staleness
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, Story, published


def stale(story: Story) -> dict[str, Any] | None:
    """What a story recorded on Monday, 1 June 2026 makes of it."""
    state = fold(story.events)
    return staleness(state, assess(SUBJECT, state, DEFAULT_RULES, published()), published())


def followed(story: Story) -> dict[str, Any]:
    told: dict[str, Any] = story.document()["followups"]
    return told


@pytest.mark.parametrize(
    ("key", "workdays", "begins"),
    [
        (True, 5, "2026-06-08T16:00:00.000Z"),  # 2 to 8 June are worked; 9 June begins at 16:00 UTC of the 8th
        (False, 20, "2026-06-30T16:00:00.000Z"),  # 19 June is the Dragon Boat Festival
    ],
)
def test_a_project_is_stale_from_the_working_day_after_so_many_without_any_record(
    key: bool, workdays: int, begins: str
) -> None:
    story = Story()
    story.registered(key=key)
    story.reached("signed", "2026-05-20")
    assert stale(story) == {
        "from": begins,
        "reason": {"code": "not-updated", "date": "2026-06-01", "workdays": workdays},
    }


def test_a_weekend_and_a_holiday_put_it_off() -> None:
    story = Story()
    story.registered(key=True)
    story.events = [replace(story.events[0], recordedtime="2026-09-28T02:00:00.000Z")]
    found = stale(story)
    assert found is not None
    # Worked are 29 and 30 September, 8, 9 and (made up for) Saturday, 10 October; the next one is Monday, the 12th.
    assert found["from"] == "2026-10-11T16:00:00.000Z"


@pytest.mark.parametrize(
    "fields",
    [{"source": "published"}, {"kind": "agreement"}, {"phased": True}],
    ids=lambda fields: next(iter(fields)),
)
def test_what_nobody_keeps_up_is_never_stale(fields: dict[str, Any]) -> None:
    story = Story()
    story.registered(**fields)
    story.reached("signed", "2026-05-20")
    assert stale(story) is None


def test_nor_is_what_was_withdrawn_or_has_come_to_the_end_of_its_route_or_was_never_registered() -> None:
    withdrawn, finished, unknown = Story(), Story(), Story()
    withdrawn.registered()
    withdrawn.tell(PROJECT_WITHDRAWN, date="2026-05-20")
    finished.registered()
    finished.reached("producing", "2026-05-20")
    unknown.reached("signed", "2026-05-20")
    assert [stale(story) for story in (withdrawn, finished, unknown)] == [None, None, None]


def test_anything_recorded_keeps_it_up() -> None:
    story = Story()
    story.registered(key=True)
    before = stale(story)
    later = Story()
    later.events = [*story.events]
    later.tell(NOTE_ADDED, text="电话")
    later.events[-1] = replace(later.events[-1], recordedtime="2026-06-05T01:00:00.000Z", id="n")
    after = stale(later)
    assert before is not None
    assert after is not None
    assert before["from"] < after["from"]


def test_the_last_follow_up_by_its_day_stands_and_one_that_says_nothing_changed_leaves_it_standing() -> None:
    story = Story()
    story.registered()
    story.tell(FOLLOWUP_LOGGED, date="2026-05-28", done="走访企业", next="协调供电", next_date="2026-06-03", way="走访")
    story.tell(FOLLOWUP_LOGGED, date="2026-05-20", done="补记例会", needs_leader=True)
    story.tell(FOLLOWUP_LOGGED, date="2026-06-01", unchanged=True)
    told = followed(story)
    assert [item["date"] for item in told["items"]] == ["2026-06-01", "2026-05-28", "2026-05-20"]
    assert told["count"] == 3
    assert (told["stands"]["next"], told["stands"]["needs_leader"]) == ("协调供电", False)
    assert followed_on(story.document()) == "2026-06-01"


def test_where_all_said_that_nothing_changed_none_stands() -> None:
    story = Story()
    story.tell(FOLLOWUP_LOGGED, date="2026-06-01", unchanged=True)
    assert followed(story)["stands"] is None


def test_a_document_tells_the_latest_few_and_how_many_there_were() -> None:
    story = Story()
    for number in range(KEPT + 3):
        story.tell(FOLLOWUP_LOGGED, date=f"2026-05-{1 + number:02d}", done=f"第{number}次")
    told = followed(story)
    assert (told["count"], len(told["items"])) == (KEPT + 3, SHOWN)
    assert told["items"][0]["done"] == f"第{KEPT + 2}次"


def test_as_of_a_day_what_was_done_later_is_left_out() -> None:
    story = Story()
    story.registered()
    story.tell(FOLLOWUP_LOGGED, date="2026-05-20", done="走访")
    story.tell(FOLLOWUP_LOGGED, date="2026-05-30", done="电话")

    def shown(as_of: str) -> list[str] | None:
        state = state_at(story.events, None, date.fromisoformat(as_of).toordinal(), published())
        assert state is not None
        told = assess(SUBJECT, state, DEFAULT_RULES, published()).get("followups")
        if told is None:
            return None
        assert told["count"] == len(told["items"])
        return [item["done"] for item in told["items"]]

    story.reached("signed", "2026-05-01")
    assert [shown(day) for day in ("2026-05-30", "2026-05-29", "2026-05-19")] == [["电话", "走访"], ["走访"], None]


def test_a_follow_up_that_is_retracted_never_was() -> None:
    story = Story()
    wrong = story.tell(FOLLOWUP_LOGGED, date="2026-06-01", done="误报")
    story.retracted(wrong)
    document = story.document()
    assert "followups" not in document
    assert followed_on(document) is None
