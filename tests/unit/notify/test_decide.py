"""Shall somebody be told? One sentence a case; seconds count from the hour, the settling time is 10 s."""

# ruff: noqa: E501  # a table of sentences is read by the line

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from luodi.domain.days import END_OF_TIME
from services.notify.decide import Act, Circumstances, clearing_date, clearing_of, decide
from services.notify.matters import Matter
from services.notify.watches import Deadline, Watch
from tests.unit.notify.builders import (
    CALENDAR,
    MATTER,
    SETTLE_S,
    at,
    cleared_matter,
    deadline,
    lifted_matter,
    open_matter,
    red,
    watch,
)

AHEAD = deadline(red(100), seen=0)  # turns red at 100, known since 0
LATE = deadline(red(0), seen=50)  # was red since 0 when first seen at 50
ENDING = deadline(red(100, until=at(200)), seen=0)  # red only from 100 to 200
LIFTED = lifted_matter()  # the first episode was ended by other rules, after everybody had been told of it
MONDAY = "2026-03-08T16:00:05.000Z"  # told on Thursday: Friday is for verifying, and then it climbs
AGAIN = deadline(red(100, until=at(200)), red(300), seen=0)


@dataclass(frozen=True)
class Case:
    sentence: str
    deadline: Deadline | None
    matter: Matter | None
    w: float | None
    now: float
    act: Act | None
    reason: str
    again: str | None = None  # when given, the instant of the next look
    changed: float = 0
    settle: float = SETTLE_S


CASES = [
    # -- a deadline that lies ahead when it is first seen
    Case("a project without any deadline is left alone", None, None, 10, 10, None, "no-deadline", END_OF_TIME),
    Case("before its deadline nothing is told", AHEAD, None, 99, 99, None, "in-time", at(105)),
    Case("one millisecond before the light turns nothing is told", AHEAD, None, 99, 99.999, None, "in-time", at(105)),
    Case("the light has turned but grace has begun", AHEAD, None, 100, 100, None, "in-grace", at(105)),
    Case("one millisecond before grace ends nothing is told", AHEAD, None, 200, 104.999, None, "in-grace", at(105)),
    Case("now has passed grace, the watermark has not", AHEAD, None, 104.999, 120, None, "before-watermark", at(105)),
    Case("the watermark has passed grace, now has not", AHEAD, None, 120, 104, None, "in-grace", at(105)),
    Case("both at the very end of grace: it is told", AHEAD, None, 105, 105, Act.OPEN, "stalled"),
    Case("both long past: it is told", AHEAD, None, 500, 501, Act.OPEN, "stalled"),
    Case("without a watermark nothing is told, however late", AHEAD, None, None, 9999, None, "without-watermark", at(105)),
    Case("a watermark that stands still tells nothing", AHEAD, None, 60, 9999, None, "before-watermark", at(105)),
    Case(
        "an event in grace that changes nothing does not delay it", AHEAD, None, 105, 105, Act.OPEN, "stalled", changed=104
    ),
    Case("a longer settling time means nothing to it", AHEAD, None, 105, 105, Act.OPEN, "stalled", settle=3600),
    Case("no settling time means nothing to it", AHEAD, None, 104, 104, None, "in-grace", at(105), settle=0),
    Case("a deadline seen in the millisecond before it is one ahead", deadline(red(100), seen=99.999), None, 105, 105, Act.OPEN, "stalled"),
    # -- a deadline already past when it is first seen
    Case("a late entry settles first", LATE, None, 55, 55, None, "settling", at(60), changed=50),
    Case("one millisecond before it has settled nothing is told", LATE, None, 70, 59.999, None, "settling", at(60), changed=50),
    Case("it has settled, but the watermark lags", LATE, None, 59.999, 61, None, "before-watermark", at(60), changed=50),
    Case("it has settled and the watermark agrees: it is told", LATE, None, 60, 60, Act.OPEN, "stalled-when-first-seen", changed=50),
    Case("an edit while it settles starts the quiet time anew", LATE, None, 62, 62, None, "settling", at(68), changed=58),
    Case("quiet since the edit: it is told", LATE, None, 68, 68, Act.OPEN, "stalled-when-first-seen", changed=58),
    Case("an edit every few seconds cannot hold it back for ever", LATE, None, 110, 110, Act.OPEN, "stalled-and-never-quiet", changed=109),
    Case("one millisecond before the latest moment it still waits", LATE, None, 109.999, 109.999, None, "settling", at(110), changed=109),
    Case("the latest moment waits for the watermark too", LATE, None, 100, 111, None, "before-watermark", at(110), changed=109),
    Case("without a watermark a late entry waits", LATE, None, None, 500, None, "without-watermark", at(60), changed=50),
    Case("seen at the very instant it turns red counts as late", deadline(red(100), seen=100), None, 105, 105, None, "settling", at(110), changed=100),
    Case("no settling time: told as soon as the watermark has reached it", LATE, None, 50, 50, Act.OPEN, "stalled-when-first-seen", changed=50, settle=0),
    Case("no settling time, the watermark just before", LATE, None, 49.999, 50, None, "before-watermark", at(50), changed=50, settle=0),
    Case("a settling time over a minute ends at the minute", LATE, None, 110, 110, Act.OPEN, "stalled-and-never-quiet", changed=50, settle=600),
    Case("the outage was ours: back after hours it settles like any late entry", deadline(red(0), seen=9000), None, 8000, 9001, None, "settling", at(9010), changed=9000),
    # -- a light that turns back by itself
    Case("red for a time only: told while it lasts", ENDING, None, 150, 150, Act.OPEN, "stalled"),
    Case("red for a time only, over before anybody could be told", ENDING, None, 250, 250, None, "in-time", END_OF_TIME),
    Case("between two stretches of red the next one is awaited", AGAIN, None, 250, 250, None, "in-time", at(305)),
    Case("the second stretch is told like the first", AGAIN, None, 305, 305, Act.OPEN, "stalled"),
    # -- an open matter
    Case("what was told is not told again", AHEAD, open_matter(), 200, 200, None, "waits-for-verification", MONDAY),
    Case("what was told is looked at when its red ends by itself", ENDING, open_matter(), 150, 150, None, "waits-for-verification", at(200)),
    Case("an opening that broke off is finished", AHEAD, open_matter(complete=False), 200, 200, Act.FINISH, "not-completely-told"),
    Case("an opening that broke off is finished without any watermark", AHEAD, open_matter(complete=False), None, 200, Act.FINISH, "not-completely-told"),
    Case("a correction that keeps it red keeps the episode", LATE, open_matter(), 300, 300, None, "waits-for-verification", changed=299),
    # -- clearing
    Case("the deadline is gone: all clear", None, open_matter(), 300, 300, Act.CLEAR, "no-longer-due", changed=290),
    Case("the deadline moved ahead: all clear", deadline(red(900)), open_matter(), 300, 300, Act.CLEAR, "no-longer-due", changed=290),
    Case("the all-clear waits until the watermark reaches the change", None, open_matter(), 289.999, 300, None, "clearing-before-watermark", at(290), changed=290),
    Case("the watermark at the very moment of the change suffices", None, open_matter(), 290, 300, Act.CLEAR, "no-longer-due", changed=290),
    Case("no all-clear without a watermark", None, open_matter(), None, 300, None, "clearing-without-watermark", at(290), changed=290),
    Case("a red that ended by itself ended with its rule", ENDING, open_matter(), 200, 200, Act.CLEAR, "rules-changed"),
    Case("a red that ended with its rule, and then came news", ENDING, open_matter(), 300, 300, Act.CLEAR, "no-longer-due", changed=250),
    Case("a red that ended by itself clears behind the watermark only", ENDING, open_matter(), 199.999, 210, None, "clearing-before-watermark", at(200)),
    Case("an opening that broke off and is over is cleared", None, open_matter(complete=False), 300, 300, Act.CLEAR, "no-longer-due", changed=290),
    Case("an opening that broke off and seems over waits for the watermark", None, open_matter(complete=False), 280, 300, None, "clearing-before-watermark", at(290), changed=290),
    # -- after the all-clear
    Case("a cleared matter without a deadline rests", None, cleared_matter(), 300, 300, None, "no-deadline", END_OF_TIME),
    Case("an all-clear that broke off is finished", None, cleared_matter(complete=False), 300, 300, Act.FINISH, "all-clear-not-complete"),
    Case("an all-clear that broke off comes before anything new", LATE, cleared_matter(complete=False), 300, 300, Act.FINISH, "all-clear-not-complete"),
    Case("an all-clear that broke off needs no watermark", None, cleared_matter(complete=False), None, 300, Act.FINISH, "all-clear-not-complete"),
    Case("a stall that returns settles first", LATE, cleared_matter(), 55, 55, None, "settling", at(60), changed=50),
    Case("a stall that returns is told again", LATE, cleared_matter(), 60, 60, Act.OPEN, "stalled-when-first-seen", changed=50),
    # -- a change of rules alone
    Case("what other rules ended goes on untold when they are changed back", LATE, LIFTED, 60, 60, Act.RESUME, "known-before-rules-changed", changed=50),
    Case("it goes on only once it has settled, like any other", LATE, LIFTED, 55, 55, None, "settling", at(60), changed=50),
    Case("what other rules ended and put off is told when its time comes", AHEAD, LIFTED, 105, 105, Act.OPEN, "stalled"),
    Case("what other rules ended before everybody was told is told", LATE, lifted_matter(told=False), 60, 60, Act.OPEN, "stalled-when-first-seen", changed=50),
    Case("what other rules ended is told when something happened since", LATE, lifted_matter(events=0), 60, 60, Act.OPEN, "stalled-when-first-seen", changed=50),
    Case("a new deadline after the all-clear is told in its time", AHEAD, cleared_matter(), 105, 105, Act.OPEN, "stalled"),
]  # fmt: skip


def circumstances(case: Case) -> Circumstances:
    """What a decision depends on besides, in this case."""
    return Circumstances(None if case.w is None else at(case.w), at(case.now), case.settle, CALENDAR)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_the_decision(case: Case) -> None:
    known = watch(*([case.deadline] if case.deadline else []), changed=case.changed)
    decision = decide(known, MATTER, case.matter, circumstances(case))
    assert (decision.act, decision.reason) == (case.act, case.reason)
    if case.again is not None:
        assert decision.again == case.again


def test_every_sentence_is_said_once_and_there_are_enough_of_them() -> None:
    sentences = [case.sentence for case in CASES]
    assert len(sentences) == len(set(sentences)) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_a_project_whose_record_cannot_be_read_is_never_concluded_about(case: Case) -> None:
    known = replace(watch(*([case.deadline] if case.deadline else []), changed=case.changed), unreadable=True)
    decision = decide(known, MATTER, case.matter, circumstances(replace(case, w=9999, now=9999)))
    assert (decision.act, decision.reason, decision.again) == (None, "unreadable", END_OF_TIME)


@pytest.mark.parametrize("case", [case for case in CASES if case.act is None], ids=lambda case: case.sentence)
def test_a_look_that_does_nothing_never_asks_for_another_at_the_same_moment(case: Case) -> None:
    # A watch that stayed due after a look that changed nothing would be looked at for ever.
    known = watch(*([case.deadline] if case.deadline else []), changed=case.changed)
    w = None if case.w is None else at(case.w)
    decision = decide(known, MATTER, case.matter, circumstances(case))
    assert w is None or decision.again > min(w, at(case.now))


LATER = deadline(red(900, due="2026-03-20"))

PERFORMANCE = {"gap": ["producing", "performing"], "rule": "full_production"}

CLEARINGS = [
    ("the project withdrew", {"status": "withdrawn", "withdrawn": "2026-03-04"}, {}, "withdrawn", "2026-03-04"),
    ("the stage is reached", {"reached": {"signed": "2025-12-01", "started": "2026-03-03"}}, {}, "stage-reached", "2026-03-03"),
    ("the stage is reached, date unknown", {"reached": {"started": None}}, {}, "stage-reached", None),
    ("the blocker is cleared", {"blockers": {"b1": "2026-03-02"}}, {"gap": None, "blocker": "b1"}, "blocker-cleared", "2026-03-02"),
    ("the unit promises a later day", {"deadlines": (LATER,)}, {"gap": None, "blocker": "b1"}, "promise-postponed", "2026-03-20"),
    ("cleared outweighs promised anew", {"deadlines": (LATER,), "blockers": {"b1": "2026-03-02"}}, {"gap": None, "blocker": "b1"}, "blocker-cleared", "2026-03-02"),
    ("the promise was taken back", {"blockers": {"b1": None}}, {"gap": None, "blocker": "b1"}, "no-longer-due", None),
    ("a gap with a later due date is no promise", {"deadlines": (LATER,)}, {}, "no-longer-due", None),
    ("what was committed is reached", {"performed": {"full_production": "2026-03-31"}}, PERFORMANCE, "performance-reached", "2026-03-31"),
    ("another commitment is reached", {"performed": {"tax_per_mu": "2026-03-31"}}, PERFORMANCE, "no-longer-due", None),
    ("the record was corrected", {}, {}, "no-longer-due", None),
    ("the rules were changed", {"lifted": (MATTER,)}, {}, "rules-changed", None),
    ("the rules of another matter were changed", {"lifted": ("demo:signed-land_supplied",)}, {}, "no-longer-due", None),
    ("the stage outweighs the rules", {"lifted": (MATTER,), "reached": {"started": "2026-03-03"}}, {}, "stage-reached", "2026-03-03"),
    ("withdrawn outweighs the stage", {"status": "withdrawn", "reached": {"started": "2026-03-03"}}, {}, "withdrawn", None),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "known", "facts", "code", "date"), CLEARINGS, ids=[row[0] for row in CLEARINGS])
def test_an_all_clear_says_why(
    sentence: str, known: dict[str, Any], facts: dict[str, Any], code: str, date: str | None
) -> None:
    known = dict(known)
    moved_on: Watch = watch(*known.pop("deadlines", ()), **known)
    matter = open_matter(**facts)
    assert clearing_of(moved_on, matter) == code
    assert clearing_date(moved_on, matter, code) == date
