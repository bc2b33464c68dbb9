"""What is told of a project before its signature."""

from __future__ import annotations

from collections.abc import Iterator

from luodi.domain.pool import INTRODUCERS, PROJECT_DROPPED, PROJECT_POOLED, TALK_HELD, WAYS
from luodi.domain.subjects import PROJECT
from schemas.catalog.rows import LINE, NOTE, REASON, SUBJECT, Data, EventType, a_note
from schemas.fields import Choice, Day, Items, Name, Text
from schemas.invalid import Fault
from schemas.loading import Record


class ProjectPooled(Record):
    """入库: the project enters the pool. Told again, also of one that was dropped: all that holds from then on.

    `introducer` says what kind of somebody brought it, `introduced_by` who. `contacts` are ids of persons.
    """

    date = Day(partial=True, required=True)
    introducer = Choice("value", INTRODUCERS, allow_none=True)
    introduced_by = Text(LINE, allow_none=True)
    contacts = Items(Name(), 10, allow_none=True)
    note = a_note()


class ProjectDropped(Record):
    """放弃: nothing came of it before anything was signed. What was signed is withdrawn instead."""

    date = Day(partial=True, required=True)
    reason = Text(REASON, lines=True, required=True)
    note = a_note()


class TalkHeld(Record):
    """对接: a talk with the enterprise, what was said, and what comes next."""

    date = Day(required=True)
    way = Choice("value", WAYS, required=True)
    text = Text(NOTE, lines=True, required=True)
    contact = Name(allow_none=True)
    next = Text(REASON, lines=True, allow_none=True)
    next_date = Day(allow_none=True)
    note = a_note()


def _next_is_not_before_the_talk(data: Data) -> Iterator[tuple[str, Fault]]:
    following = data.get("next_date")
    if following is not None and following < data["date"]:
        yield "next_date", Fault("before-date")


ROWS = (
    EventType(
        PROJECT_POOLED,
        PROJECT,
        ProjectPooled,
        f"{SUBJECT}/pool",
        "储备项目入库 · Enter a project into the pool",
        happened=("date",),
    ),
    EventType(
        PROJECT_DROPPED,
        PROJECT,
        ProjectDropped,
        f"{SUBJECT}/drop",
        "放弃储备项目 · Drop a project of the pool",
        happened=("date",),
    ),
    EventType(
        TALK_HELD,
        PROJECT,
        TalkHeld,
        f"{SUBJECT}/talks",
        "对接记录 · Log a talk",
        happened=("date",),
        rules=(_next_is_not_before_the_talk,),
    ),
)
