"""How long a project has been grey, and for which reasons that counts."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.domain.events import BLOCKER_CLEARED, BLOCKER_PAUSED, BLOCKER_RAISED, PROJECT_WITHDRAWN
from luodi.domain.greys import grey_since
from tests.unit.domain.builders import Story, published

LONG_AFTER = "2027-01-01T00:00:00.000Z"


def days(document: dict[str, Any]) -> list[tuple[str, str]]:
    """The runs of grey as business dates, the end exclusive; "" for an end that is not known yet."""
    calendar = published()
    return [
        (
            calendar.business_date(run["from"]).isoformat(),
            "" if run["to"] > "9999" else calendar.business_date(run["to"]).isoformat(),
        )
        for run in document["greys"]
    ]


def signed() -> Story:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    return story


def test_pauses_without_a_day_between_are_one_grey() -> None:
    story = signed()
    blocker = story.tell(BLOCKER_RAISED, kind="用电", cause="utility", owner="u-power", date="2026-02-01")
    for begin, until in (("2026-02-01", "2026-02-20"), ("2026-02-21", "2026-03-10"), ("2026-03-20", "2026-03-25")):
        story.tell(BLOCKER_PAUSED, blocker_id=blocker, date=begin, approver="u-chief", until=until)
    assert days(story.document()) == [("2026-02-01", "2026-03-11"), ("2026-03-20", "2026-03-26")]


def test_a_clear_ends_the_grey() -> None:
    story = signed()
    story.paused("2026-02-01", "2026-03-10", cleared="2026-02-11")
    assert days(story.document()) == [("2026-02-01", "2026-02-11")]


def test_grey_behind_a_broken_promise_is_red_and_so_not_grey() -> None:
    story = signed()
    raised = {"kind": "用电", "cause": "utility", "owner": "u-power", "date": "2026-02-01", "promise": "2026-02-11"}
    story.tell(BLOCKER_RAISED, **raised, approver="u-chief", until="2026-03-10")
    assert days(story.document()) == [("2026-02-01", "2026-02-09")]  # yellow from the 9th, red from the 12th


def test_without_a_milestone_it_has_been_grey_since_it_became_known() -> None:
    story = Story()
    story.registered()
    assert days(story.document()) == [("2026-06-01", "")]


def test_with_a_date_unknown_it_has_been_grey_since_that_was_reported() -> None:
    story = Story()
    story.registered()
    story.reached("signed", None)
    (run,) = story.document()["greys"]
    assert run["from"] == story.events[-1].recordedtime


@pytest.mark.parametrize("fields", [{"kind": "agreement"}, {"phased": True}, {"source": "published"}])
def test_grey_by_nature_is_nothing_to_hide(fields: dict[str, Any]) -> None:
    story = Story()
    story.registered(**fields)
    story.reached("signed", "2026-01-10")
    assert story.document()["greys"] == []


def test_a_withdrawn_project_hides_nothing() -> None:
    story = signed()
    story.tell(PROJECT_WITHDRAWN, date="2026-02-01", reason="投资方放弃")
    assert story.document()["greys"] == []


def test_since_when_it_has_been_grey_is_told_on_a_grey_day_only() -> None:
    story = signed()
    blocker = story.paused("2026-02-01", "2026-02-20")
    runs = story.document()["greys"]
    assert grey_since(runs, "2026-01-31T15:59:59.999Z") is None
    assert grey_since(runs, "2026-01-31T16:00:00.000Z") == "2026-01-31T16:00:00.000Z"
    assert grey_since(runs, "2026-02-20T15:59:59.999Z") == "2026-01-31T16:00:00.000Z"
    assert grey_since(runs, "2026-02-20T16:00:00.000Z") is None
    story.tell(BLOCKER_CLEARED, blocker_id=blocker, date="2026-02-01")
    assert grey_since(story.document()["greys"], LONG_AFTER) is None
