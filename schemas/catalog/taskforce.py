"""What is told of task forces (专班), and what they log on projects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from luodi.domain import taskforce as domain
from luodi.domain.subjects import PROJECT, TEAM
from schemas.catalog.rows import LINE, NOTE, SUBJECT, Data, EventType, a_note, amendment, some
from schemas.fields import Choice, Day, Flag, Items, Json, Name, Text
from schemas.invalid import Fault
from schemas.loading import Record

MAX_MEMBERS = 50


class FollowupLogged(Record):
    """A task force has followed a project up: what was done, what comes next, by when, whether a leader is needed.

    `unchanged`: 本周无变化, what the follow-up before it says still stands; then nothing else need be said.
    """

    also: ClassVar[Json] = {
        "anyOf": [some("done"), {"properties": {"unchanged": {"const": True}}, "required": ["unchanged"]}]
    }

    date = Day(required=True)
    way = Choice("value", domain.WAYS, allow_none=True)
    done = Text(NOTE, lines=True, allow_none=True)
    next = Text(NOTE, lines=True, allow_none=True)
    next_date = Day(allow_none=True)
    needs_leader = Flag(allow_none=True)
    unchanged = Flag(allow_none=True)
    note = a_note()


class TeamRegistered(Record):
    """A task force: who heads it and who belongs to it, by id of persons or posts.

    With a `chain` it follows the projects of that chain in its zone, else those that name its people.
    """

    name = Text(LINE, required=True)
    zone = Name(required=True)
    chain = Text(LINE, allow_none=True)
    head = Name(allow_none=True)
    members = Items(Name(), MAX_MEMBERS, allow_none=True)
    note = a_note()


class TeamAmended(TeamRegistered):
    """Some fields of a task force change; a null clears. Its name and its zone can change but not be cleared."""

    name = Text(LINE)
    zone = Name()


def _says_what_was_done(data: Data) -> Iterator[tuple[str, Fault]]:
    if data.get("done") is None and data.get("unchanged") is not True:
        yield "done", Fault("required")


ROWS = (
    EventType(
        domain.FOLLOWUP_LOGGED,
        PROJECT,
        FollowupLogged,
        f"{SUBJECT}/followups",
        "跟进记录 · Log a follow-up",
        happened=("date",),
        rules=(_says_what_was_done,),
    ),
    EventType(domain.TEAM_REGISTERED, TEAM, TeamRegistered, "/v1/teams", "登记专班 · Register a task force"),
    amendment(domain.TEAM_AMENDED, TEAM, TeamAmended, "修改专班 · Amend a task force"),
)
