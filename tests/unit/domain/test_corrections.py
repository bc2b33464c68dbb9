"""What was corrected after a publication, and by which events: each difference is laid to the events that made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.assess import assess
from luodi.domain.corrections import Change, changes, corrections, sentence, summary
from luodi.domain.days import day_text
from luodi.domain.events import EVENT_RETRACTED, MILESTONE_REPORTED, PROJECT_AMENDED, PROJECT_REGISTERED, Event
from luodi.domain.handlers import State
from luodi.domain.history import state_at
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import UNHURRIED, published
from tests.unit.domain.strategies import histories

DAY = "2026-04-30"
SINCE, UNTIL = "2026-05-02T01:00:00.000Z", "2026-06-01T00:00:00.000Z"
MOMENT = "2026-04-30T15:59:59.999Z"


def assessed(state: State) -> dict[str, Any]:
    return assess("p", state, DEFAULT_RULES, published())


def ordinal(day: str) -> int:
    return next(number for number in range(739_000, 741_000) if day_text(number) == day)


AS_OF = ordinal(DAY)


def told(number: int, recorded: str, type_: str, **data: Any) -> Event:
    return Event("p", f"e{number}", type_, f"{recorded}T01:00:00.000Z", 0, "u", data)


BEGUN = (
    told(1, "2026-04-01", PROJECT_REGISTERED, name="项目", zone="demo", route="land", investment=100),
    told(2, "2026-04-01", MILESTONE_REPORTED, stage="signed", date="2026-04-01"),
)


def found(*later: Event) -> list[tuple[str, list[str]]]:
    made = corrections([*BEGUN, *later], SINCE, UNTIL, AS_OF, MOMENT, assessed, published())
    return [(each.event.id, [change.field for change in each.changes]) for each in made]


def test_a_late_report_of_the_period_is_a_correction_and_one_of_a_later_day_is_none() -> None:
    late = told(3, "2026-05-05", MILESTONE_REPORTED, stage="land_supplied", date="2026-04-20")
    later = told(4, "2026-05-05", MILESTONE_REPORTED, stage="started", date="2026-05-04")
    assert found(late, later) == [("e3", ["stage", "reached.land_supplied"])]


def test_a_correction_that_was_taken_back_stands_with_what_took_it_back() -> None:
    raised = told(3, "2026-05-05", PROJECT_AMENDED, investment=200)
    back = told(4, "2026-05-06", EVENT_RETRACTED, event_id="e3", reason="误改")
    assert found(raised, back) == [("e3", ["investment"]), ("e4", ["investment"])]


def test_what_no_published_number_depends_on_is_no_correction() -> None:
    assert found(told(3, "2026-05-05", PROJECT_AMENDED, content="另一种产品", officer="u-li")) == []


def test_what_was_known_before_the_publication_and_after_the_question_is_left_out() -> None:
    known = told(3, "2026-05-02", PROJECT_AMENDED, investment=200)
    ahead = told(4, "2026-06-02", PROJECT_AMENDED, investment=300)
    assert found(known, ahead) == []


def test_a_project_that_nobody_knew_of_differs_in_all_that_is_said_of_it() -> None:
    (first, *_) = corrections(
        [told(1, "2026-05-05", PROJECT_REGISTERED, name="补登", zone="demo", route="land", investment=7)],
        *(SINCE, UNTIL, ordinal("2026-05-31"), "2026-05-31T15:59:59.999Z", assessed, published()),
    )
    assert Change("registered", None, True) in first.changes
    assert Change("investment", None, 7) in first.changes


@settings(UNHURRIED, max_examples=100)
@given(events=histories(), cut=st.integers(0, 20))
def test_the_corrections_of_any_history_add_up_to_what_differs(events: Sequence[Event], cut: int) -> None:
    ordered = sorted(events, key=lambda event: event.order)
    instants = sorted({event.recordedtime for event in ordered})
    since = instants[cut % len(instants)] if instants else SINCE

    def said(until: str) -> dict[str, Any]:
        state = state_at(ordered, until, AS_OF, published())
        return summary(None if state is None else assessed(state), MOMENT)

    made = list(corrections(ordered, since, "9999", AS_OF, MOMENT, assessed, published()))
    assert all(each.event.recordedtime > since for each in made)
    now = said(since)
    for each in made:
        for change in each.changes:
            assert now.get(change.field) == change.before
            now[change.field] = change.after
    assert changes(now, said("9999")) == ()


def test_what_differs_is_said_in_the_words_of_the_zones_and_a_word_of_later_times_as_it_is() -> None:
    found = [
        Change("status", "active", "suspended"),
        Change("route", "land", "plant"),
        Change("kind", None, "carrier"),
        Change("status", "active", "of-later-times"),
    ]
    assert sentence(found, "land", "zh-CN") == (
        "状态由推进中改为停工；路径由供地改为厂房；类别由无改为载体；状态由推进中改为of-later-times"
    )
