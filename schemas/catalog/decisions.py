"""What is told of decisions (交办) of meetings and leaders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from luodi.domain.days import first_day, last_day
from luodi.domain.decisions import (
    DECISION_AMENDED,
    DECISION_DONE,
    DECISION_EXTENDED,
    DECISION_REGISTERED,
    DECISION_REPORTED,
)
from luodi.domain.subjects import DECISION
from schemas.catalog.rows import (
    LINE,
    NOTE,
    REASON,
    SHORT,
    SUBJECT,
    Data,
    EventType,
    a_note,
    amends_something,
    fields_of,
    some,
)
from schemas.fields import Day, Json, Name, Text
from schemas.invalid import Fault
from schemas.loading import Record


class DecisionRegistered(Record):
    """A meeting or a leader has decided that somebody (a unit, a post, a person) must do something by a day.

    `supervisor` follows it up (督办); it climbs to `leader`, who decided it. `level` picks the ladder.
    """

    also: ClassVar[Json] = {"anyOf": [some("meeting"), some("leader")]}

    text = Text(NOTE, lines=True, required=True)
    date = Day(partial=True, allow_none=True)
    meeting = Text(LINE, allow_none=True)
    leader = Name(allow_none=True)
    zone = Name(required=True)
    project_id = Name(allow_none=True)
    owner = Name(required=True)
    supervisor = Name(allow_none=True)
    level = Text(SHORT, allow_none=True)
    due = Day(partial=True, required=True)
    note = a_note()


class DecisionAmended(DecisionRegistered):
    """Some fields of a decision change; a null clears. What each must have can change but not be cleared.

    A later day is counted as an extension, however it is told.
    """

    also: ClassVar[Json] = {}

    text = Text(NOTE, lines=True)
    zone = Name()
    owner = Name()
    due = Day(partial=True)


class DecisionExtended(Record):
    """It is due on another day, for a reason and with somebody's approval; the first day is kept, and each counted."""

    due = Day(partial=True, required=True)
    reason = Text(REASON, lines=True, required=True)
    approver = Name(required=True)
    note = a_note()


class DecisionReported(Record):
    """How far it has come, in the words of whoever must act."""

    text = Text(NOTE, lines=True, required=True)
    note = a_note()


class DecisionDone(Record):
    """It is done (办结); taken back, it is open again."""

    date = Day(partial=True, required=True)
    note = a_note()


def _comes_from_somebody(data: Data) -> Iterator[tuple[str, Fault]]:
    if data.get("meeting") is None and data.get("leader") is None:
        yield "meeting", Fault("required")


def _is_not_due_before_it_was_decided(data: Data) -> Iterator[tuple[str, Fault]]:
    begun, due = data.get("date"), data.get("due")
    if begun is not None and due is not None and last_day(due) < first_day(begun):
        yield "due", Fault("before-date")


ROWS = (
    EventType(
        DECISION_REGISTERED,
        DECISION,
        DecisionRegistered,
        "/v1/decisions",
        "登记交办事项 · Register a decision",
        happened=("date",),
        rules=(_comes_from_somebody, _is_not_due_before_it_was_decided),
    ),
    EventType(
        DECISION_AMENDED,
        DECISION,
        DecisionAmended,
        SUBJECT,
        "修改交办事项 · Amend a decision",
        method="PATCH",
        happened=("date",),
        nulls=fields_of(DecisionAmended),
        rules=(amends_something, _is_not_due_before_it_was_decided),
    ),
    EventType(
        DECISION_EXTENDED,
        DECISION,
        DecisionExtended,
        f"{SUBJECT}/extend",
        "延长办结时限 · Move the day of a decision",
    ),
    EventType(
        DECISION_REPORTED,
        DECISION,
        DecisionReported,
        f"{SUBJECT}/report",
        "报交办进展 · Report on a decision",
    ),
    EventType(
        DECISION_DONE,
        DECISION,
        DecisionDone,
        f"{SUBJECT}/done",
        "交办事项办结 · Report a decision as done",
        happened=("date",),
    ),
)
