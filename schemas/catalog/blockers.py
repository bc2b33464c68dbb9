"""What is told of what stands in a project's way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from luodi.domain import events as domain
from luodi.domain import worked_off
from luodi.domain.days import first_day, is_approximate, last_day
from luodi.domain.pauses import MAX_PAUSE_DAYS
from luodi.domain.rules import CAUSES
from luodi.domain.subjects import PROJECT
from schemas.catalog.rows import (
    LINE,
    NOTE,
    REASON,
    SHORT,
    SUBJECT,
    Data,
    EventType,
    a_note,
    given,
    says_something,
    some,
)
from schemas.fields import (
    EVENT_ID,
    ONE_DAY,
    Choice,
    Day,
    Flag,
    Json,
    Name,
    Text,
)
from schemas.invalid import Fault
from schemas.loading import Record

BLOCKER_KINDS = ("资金", "用水", "用电", "用能", "用地", "用工", "环评", "规划", "其他")


class BlockerRaised(Record):
    """Something stands in the way. Without `owner` nobody has taken it; with `approver` and `until` it also pauses."""

    also: ClassVar[Json] = {"allOf": [given("approver", "until"), given("until", "approver", "cause")]}

    kind = Choice("value", BLOCKER_KINDS, required=True)
    cause = Choice("value", CAUSES, allow_none=True)
    owner = Name(allow_none=True)
    date = Day(partial=True, required=True)
    promise = Day(partial=True, allow_none=True)
    level = Text(SHORT, allow_none=True)
    approver = Name(allow_none=True)
    until = Day(allow_none=True)
    note = a_note()


class BlockerPaused(Record):
    """A pause is approved for a blocker: from `date` to `until`, both included, or until the blocker is cleared.

    `document` is the paper behind the approval; a clock of law is not paused without one.
    """

    blocker_id = Name(EVENT_ID, required=True)
    date = Day(required=True)
    approver = Name(required=True)
    until = Day(required=True)
    document = Text(LINE, allow_none=True)
    note = a_note()


class BlockerUpdated(Record):
    """Another unit must act, or the unit promises another day; the first promise is kept and postponements counted."""

    also: ClassVar[Json] = {"anyOf": [some("owner"), some("promise")]}

    blocker_id = Name(EVENT_ID, required=True)
    owner = Name(allow_none=True)
    promise = Day(partial=True, allow_none=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class BlockerGraded(Record):
    """The blocker is of another level (一般, 协调, 重大): a broken promise climbs by the ladder of that from now on."""

    blocker_id = Name(EVENT_ID, required=True)
    level = Text(SHORT, required=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class BlockerReplied(Record):
    """What the unit that must act says about it. A reply promises nothing: another day is told by an update."""

    blocker_id = Name(EVENT_ID, required=True)
    text = Text(NOTE, lines=True, required=True)
    note = a_note()


class BlockerCleared(Record):
    """The blocker is out of the way; the day counts again. It is dealt with (销号) when the enterprise confirms it."""

    blocker_id = Name(EVENT_ID, required=True)
    date = Day(partial=True, required=True)
    note = a_note()


class BlockerConfirmed(Record):
    """The enterprise says whether the blocker is out of the way. `by`: who says so for it, by id.

    It speaks of the clear before it; of several the last recorded counts.
    """

    blocker_id = Name(EVENT_ID, required=True)
    by = Name(required=True)
    satisfied = Flag(required=True)
    note = a_note()


def _pause_is_whole(data: Data) -> Iterator[tuple[str, Fault]]:
    until, approver = data.get("until"), data.get("approver")
    if (until is None) != (approver is None):
        yield ("until" if until is None else "approver"), Fault("together")
    if until is not None:
        if is_approximate(data["date"]):
            yield "date", Fault("day-needed")
        else:
            yield from _pause_is_short(data)
        if data.get("cause") is None:
            yield "cause", Fault("needed-for-pause")


def _pause_is_short(data: Data) -> Iterator[tuple[str, Fault]]:
    length = first_day(data["until"]) - first_day(data["date"]) + ONE_DAY
    if length < ONE_DAY:
        yield "until", Fault("before-date")
    elif length > timedelta(days=MAX_PAUSE_DAYS):
        yield "until", Fault("pause-too-long", limit=MAX_PAUSE_DAYS)


def _promise_is_not_before_blocker(data: Data) -> Iterator[tuple[str, Fault]]:
    promise = data.get("promise")
    if promise is not None and last_day(promise) < first_day(data["date"]):
        yield "promise", Fault("before-date")


ROWS = (
    EventType(
        domain.BLOCKER_RAISED,
        PROJECT,
        BlockerRaised,
        f"{SUBJECT}/blockers",
        "报困难 · Raise a blocker",
        rules=(_pause_is_whole, _promise_is_not_before_blocker),
    ),
    EventType(
        domain.BLOCKER_PAUSED,
        PROJECT,
        BlockerPaused,
        f"{SUBJECT}/blockers/{{blocker_id}}/pause",
        "批准暂停计时 · Approve a pause for a blocker",
        rules=(_pause_is_short,),
    ),
    EventType(
        domain.BLOCKER_UPDATED,
        PROJECT,
        BlockerUpdated,
        f"{SUBJECT}/blockers/{{blocker_id}}/update",
        "更换责任单位或承诺时限 · Change the unit or the promise of a blocker",
        rules=(says_something("owner", "promise"),),
    ),
    EventType(
        worked_off.BLOCKER_GRADED,
        PROJECT,
        BlockerGraded,
        f"{SUBJECT}/blockers/{{blocker_id}}/level",
        "调整问题等级 · Grade a blocker",
    ),
    EventType(
        worked_off.BLOCKER_REPLIED,
        PROJECT,
        BlockerReplied,
        f"{SUBJECT}/blockers/{{blocker_id}}/reply",
        "责任单位回复 · Reply to a blocker",
    ),
    EventType(
        domain.BLOCKER_CLEARED,
        PROJECT,
        BlockerCleared,
        f"{SUBJECT}/blockers/{{blocker_id}}/clear",
        "困难解决 · Clear a blocker",
    ),
    EventType(
        worked_off.BLOCKER_CONFIRMED,
        PROJECT,
        BlockerConfirmed,
        f"{SUBJECT}/blockers/{{blocker_id}}/confirm",
        "企业确认 · Have the enterprise confirm that a blocker is out of the way",
    ),
)
