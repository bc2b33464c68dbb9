"""What is told of units, persons and posts."""

from __future__ import annotations

from collections.abc import Iterator

from luodi.domain import events as domain
from luodi.domain.subjects import PERSON, POST, UNIT
from schemas.catalog.rows import (
    LINE,
    SHORT,
    SUBJECT,
    Data,
    EventType,
    a_note,
    amendment,
    ends_after_it_begins,
)
from schemas.fields import (
    Day,
    Items,
    Name,
    Text,
    TimeOfDay,
)
from schemas.invalid import Fault
from schemas.loading import Record


class UnitRegistered(Record):
    """A unit that acts: a department, a task force, a utility. `head` is the post, or the person, that leads it."""

    name = Text(LINE, required=True)
    zone = Name(allow_none=True)
    kind = Text(SHORT, allow_none=True)
    parent = Name(allow_none=True)
    head = Name(allow_none=True)
    group_head = Name(allow_none=True)
    note = a_note()


class UnitAmended(UnitRegistered):
    """Some fields of a unit change; a null clears. Its name can change but not be cleared."""

    name = Text(LINE)


class PersonRegistered(Record):
    """Somebody who works on projects, by an id alone: a name, a telephone number, an address stand in contacts only."""

    zone = Name(allow_none=True)
    unit = Name(allow_none=True)
    role = Text(SHORT, allow_none=True)
    works_from = TimeOfDay(allow_none=True)
    works_until = TimeOfDay(allow_none=True)
    deputies = Items(Name(), 5, allow_none=True)
    note = a_note()


class PersonAmended(PersonRegistered):
    """Some fields of a person change; a null clears."""


class LeaveGranted(Record):
    """A person is away, first and last day included. `deputy` stands in, before the person's usual deputies."""

    date = Day(required=True)
    until = Day(required=True)
    deputy = Name(allow_none=True)
    note = a_note()


class PostRegistered(Record):
    """A post that one person after another holds: named in a project, it means whoever holds it on the day."""

    name = Text(LINE, required=True)
    zone = Name(allow_none=True)
    unit = Name(allow_none=True)
    note = a_note()


class PostAmended(PostRegistered):
    """Some fields of a post change; a null clears. Its name can change but not be cleared."""

    name = Text(LINE)


class PostHandedOver(Record):
    """From `date` on the post is held by this person, or by nobody (null); with `until`, up to and including that day.

    It ends the tenure before it. Again with the same `date`: a correction.
    """

    holder = Name(required=True, allow_none=True)
    date = Day(required=True)
    until = Day(allow_none=True)
    note = a_note()


class PersonHandedOver(Record):
    """From `date` on everything that names this person is another's, or a post's, or the person's own again (null);
    with `until`, up to and including that day.

    The days before stay with the person. Again with the same `date`: a correction.
    """

    to = Name(required=True, allow_none=True)
    date = Day(required=True)
    until = Day(allow_none=True)
    note = a_note()


def _hours_are_whole(data: Data) -> Iterator[tuple[str, Fault]]:
    begin, end = data.get("works_from"), data.get("works_until")
    if (begin is None) != (end is None) or ("works_from" in data) != ("works_until" in data):
        yield ("works_until" if end is None else "works_from"), Fault("hours-together")
    elif begin is not None and end is not None and begin >= end:
        yield "works_until", Fault("before-begin")


ROWS = (
    EventType(domain.UNIT_REGISTERED, UNIT, UnitRegistered, "/v1/units", "登记单位 · Register a unit"),
    amendment(domain.UNIT_AMENDED, UNIT, UnitAmended, "修改单位 · Amend a unit"),
    EventType(
        domain.PERSON_REGISTERED,
        PERSON,
        PersonRegistered,
        "/v1/people",
        "登记人员 · Register a person",
        rules=(_hours_are_whole,),
    ),
    amendment(domain.PERSON_AMENDED, PERSON, PersonAmended, "修改人员 · Amend a person", _hours_are_whole),
    EventType(
        domain.LEAVE_GRANTED,
        PERSON,
        LeaveGranted,
        f"{SUBJECT}/leave",
        "请假 · Grant a leave",
        rules=(ends_after_it_begins,),
    ),
    EventType(
        domain.PERSON_HANDED_OVER,
        PERSON,
        PersonHandedOver,
        f"{SUBJECT}/handover",
        "工作交接 · Hand everything over to another person",
        nulls=frozenset({"to"}),
        rules=(ends_after_it_begins,),
    ),
    EventType(domain.POST_REGISTERED, POST, PostRegistered, "/v1/posts", "登记岗位 · Register a post"),
    amendment(domain.POST_AMENDED, POST, PostAmended, "修改岗位 · Amend a post"),
    EventType(
        domain.POST_HANDED_OVER,
        POST,
        PostHandedOver,
        f"{SUBJECT}/holders",
        "岗位交接 · Hand a post over",
        nulls=frozenset({"holder"}),
        rules=(ends_after_it_begins,),
    ),
)
