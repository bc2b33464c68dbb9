"""专班: task forces, the follow-ups they log on projects, and when a project counts as not updated (未更新).

A follow-up says what was done (a visit, a call, a look at the site, a meeting), what comes next and by when, and
whether a leader is needed. 本周无变化 is a follow-up, too: it says that what the last one said still stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.chapters import Chapter, Telling
from luodi.domain.days import day_text
from luodi.domain.handlers import Handler, State, amend, entry, register
from luodi.domain.stages import AGREEMENT
from luodi.domain.subjects import PROJECT, TEAM

FOLLOWUP_LOGGED = "followup.logged"
TEAM_REGISTERED = "team.registered"
TEAM_AMENDED = "team.amended"

WAYS = ("走访", "电话", "现场", "例会")

KEPT = 20  # follow-ups in the state: at one a week what stands is found behind months of 本周无变化
SHOWN = 5  # of them in the document; all stand in the timeline

STALE_AFTER_WORKDAYS = {True: 5, False: 20}
"""Whether a project is a key project -> the working days after which it counts as not updated."""

_FOLLOWUPS = "followups"
DATED = (_FOLLOWUPS,)  # these have a day of their own, their `date`

FIELDS: Mapping[str, tuple[str, ...]] = {TEAM: ("name", "zone", "chain", "head", "members")}

HANDLERS: Mapping[str, Handler] = {
    FOLLOWUP_LOGGED: entry(_FOLLOWUPS, keep=KEPT),
    TEAM_REGISTERED: register(FIELDS[TEAM]),
    TEAM_AMENDED: amend(FIELDS[TEAM]),
}
"""Event type -> what it does."""


def staleness(state: State, document: Mapping[str, Any], calendar: Calendar) -> dict[str, Any] | None:
    """From which instant a project counts as not updated, if nothing more is recorded of it, and the reason then.

    It begins the working day after so many on which nothing was recorded; the day of the last record is not counted.
    None for what nobody is to keep up: what is not registered, published facts, agreements, what stands before the
    signature or was withdrawn, has reached the end of its route, or is kept up in its phases.
    """
    fields = state["fields"]
    if (
        not state["registered"]
        or document["status"] not in _KEPT_UP
        or document["next_stage"] is None
        or fields.get("source") == "published"
        or fields.get("kind") == AGREEMENT
        or fields.get("phased")
    ):
        return None
    calendar = calendar.of(fields.get("zone"))
    told = calendar.business_day(state["last"][0])
    workdays = STALE_AFTER_WORKDAYS[bool(fields.get("key"))]
    return {
        "from": calendar.midnight_of(calendar.nth(calendar.count(told) + workdays + 1)),
        "reason": {"code": "not-updated", "date": day_text(told), "workdays": workdays},
    }


def followed_on(document: Mapping[str, Any]) -> str | None:
    """The business date of a project's latest follow-up."""
    told = document.get(_FOLLOWUPS)
    return None if told is None else told["items"][0]["date"]


def _followed(telling: Telling) -> dict[str, Any]:
    """The latest follow-ups, newest first, and the one that stands: the last but for those that said 本周无变化."""
    rows = [row | {"date": telling.day_of(row)} for row in telling.rows(_FOLLOWUPS)]
    rows.sort(key=_date)  # of one day the last recorded is the latest
    rows.reverse()
    items = [followup(row) for row in rows]
    return {
        "count": telling.state["counted"][_FOLLOWUPS],
        "stands": next((item for item in items if not item["unchanged"]), None),
        "items": items[:SHOWN],
    }


def followup(row: Mapping[str, Any]) -> dict[str, Any]:
    """A follow-up as it is told: every field, null where nothing was said."""
    return {
        "id": row["id"],
        "date": row["date"],
        "way": row.get("way"),
        "done": row.get("done"),
        "next": row.get("next"),
        "next_date": row.get("next_date"),
        "needs_leader": bool(row.get("needs_leader")),
        "unchanged": bool(row.get("unchanged")),
        "note": row.get("note"),
        "actor": row["actor"],
        "recorded_at": row["recorded_at"],
    }


def _date(row: Mapping[str, Any]) -> str:
    date: str = row["date"]
    return date


_KEPT_UP = frozenset({"active", "suspended"})

CHAPTERS: tuple[Chapter, ...] = (Chapter(PROJECT, _FOLLOWUPS, (_FOLLOWUPS,), _followed),)
"""The parts of documents that tell of it."""
