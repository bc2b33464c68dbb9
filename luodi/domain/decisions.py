"""Decisions (交办): what a meeting or a leader has decided, who must do it and by when, and how far that has come.

A decision is a subject of its own. Its day is a clock like that of a promise: calendar days from the day of the
decision to the day by which it is due, never paused, charged to whoever must act. Done, it has no light; when that is
taken back, it has one again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.chapters import Chapter, Row, Telling
from luodi.domain.clocks import PROMISE_YELLOW_PERCENT, RED, light_at
from luodi.domain.courses import share
from luodi.domain.days import day_text, days_over, is_approximate, last_day, last_ordinal
from luodi.domain.events import Event
from luodi.domain.handlers import Handler, State, amend, entry, register
from luodi.domain.lights import FIRST_DAY, GREEN, YELLOW, DayStep, render
from luodi.domain.subjects import DECISION
from luodi.domain.worked_off import week_of

DECISION_REGISTERED = "decision.registered"
DECISION_AMENDED = "decision.amended"
DECISION_EXTENDED = "decision.extended"
DECISION_REPORTED = "decision.reported"
DECISION_DONE = "decision.done"

DUES = "dues"
REPORTS = "reports"
DONES = "dones"

OPEN = "open"
OVERDUE = "overdue"
DONE = "done"
STATUSES = (OPEN, OVERDUE, DONE)
"""What a list of decisions can be asked for; an overdue one is open, too."""

NAMES = ("text", "date", "meeting", "leader", "zone", "project_id", "owner", "supervisor", "level", "due")

Document = Mapping[str, Any]

_REGISTER, _AMEND, _KEEP_DUE = register(NAMES), amend(NAMES), entry(DUES)


def _registered(state: State, event: Event) -> None:
    _REGISTER.apply(state, event)
    _KEEP_DUE.apply(state, event)


def _amended(state: State, event: Event) -> None:
    """Whichever way a day is moved, it is counted."""
    _AMEND.apply(state, event)
    if event.data.get("due") is not None:
        _KEEP_DUE.apply(state, event)


def _extended(state: State, event: Event) -> None:
    state["fields"]["due"] = event.data["due"]
    _KEEP_DUE.apply(state, event)


def _course(telling: Telling) -> Row:
    """How far it has come: since when, how often its day was moved, what was reported, and its lights.

    ``first_due`` is the day given first, ``extended`` how often it was moved to a later one.
    """
    dues = [*telling.rows(DUES)]
    extended = 0
    for before, row in pairwise(dues):
        extended += last_ordinal(row["due"]) > last_ordinal(before["due"])
    dones = [*telling.rows(DONES)]
    done = None if not dones else telling.day_of(dones[-1])
    due = telling.fields.get("due")
    begun = telling.fields.get("date") or (telling.day_of(dues[0]) if dues else None)
    lights: list[Row] = []
    if due is not None and begun is not None and done is None:
        lights = _lights(begun, due, telling.fields.get("owner"), telling.calendar)
    return {
        "status": OPEN if done is None else DONE,
        "begun": begun,
        "first_due": dues[0]["due"] if dues else None,
        "extended": extended,
        "extensions": [_told(row, "due", "reason", "approver") for row in dues[1:]],
        "reports": [_told(row, "text") for row in telling.rows(REPORTS)],
        "done": done,
        "lights": lights,
    }


def _told(row: Row, *names: str) -> Row:
    return {name: row.get(name) for name in ("id", *names, "note", "actor", "recorded_at")}


def _lights(begun: str, due: str, owner: str | None, calendar: Calendar) -> list[Row]:
    start, end = last_ordinal(begun), last_ordinal(due)
    about: dict[str, Any] = {
        "owner": owner,
        "start": day_text(start),
        "due": day_text(end),
        "limit": end - start,
        "unit": "calendar_days",
    }
    if is_approximate(due) or is_approximate(begun):
        about["approximate"] = True
    steps: list[DayStep] = [
        (FIRST_DAY, GREEN, {"code": "decision-in-time", **about}),
        (share(start, end - start, PROMISE_YELLOW_PERCENT), YELLOW, {"code": "decision-due-soon", **about}),
        (max(start, end) + 1, RED, {"code": "decision-overdue", **about}),
    ]
    return render(steps, calendar)


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision as it stands at an instant; one of which only later events are recorded is open, without a day."""

    decision: Document
    now: str

    @property
    def course(self) -> Mapping[str, Any]:
        course: Mapping[str, Any] = self.decision.get("course") or {}
        return course

    @property
    def done(self) -> str | None:
        """The day on which it was done."""
        done: str | None = self.course.get("done")
        return done

    @property
    def due(self) -> str | None:
        """The day by which it is due, as last moved."""
        due: str | None = self.decision.get("due")
        return due

    @property
    def lit(self) -> Mapping[str, Any] | None:
        """Its light now, with the reason; None where there is none."""
        lights = self.course.get("lights")
        return light_at(lights, self.now) if lights else None

    @property
    def overdue(self) -> bool:
        """Whether it is past its day and not done."""
        lit = self.lit
        return lit is not None and lit["light"] == RED

    def is_(self, status: str) -> bool:
        """Whether it is one of those that a list of this status holds."""
        if status == OVERDUE:
            return self.overdue
        return (status == DONE) == (self.done is not None)

    @property
    def urgency(self) -> str:
        """What lists are sorted by: the open ones by their days, then those done, each from the oldest day."""
        if self.done is not None:
            return f"1 {self.done}"
        return f"0 {last_day(self.due).isoformat() if self.due is not None else ''}"


@dataclass(slots=True)
class Tally:
    """Decisions counted; see `DEFINITIONS`."""

    decisions: int = 0
    open: int = 0
    overdue: int = 0
    due_this_week: int = 0
    unreported: int = 0
    done: int = 0
    done_late: int = 0
    extended: int = 0

    def add(self, item: Standing, today: date) -> None:
        """Count one more."""
        monday, sunday = week_of(today)
        is_open, due = item.done is None, None if item.due is None else last_day(item.due)
        self.decisions += 1
        self.open += is_open
        self.overdue += item.overdue
        self.due_this_week += is_open and due is not None and monday <= due <= sunday
        self.unreported += is_open and not item.course.get("reports")
        self.done += not is_open
        self.done_late += item.done is not None and due is not None and days_over(due, last_day(item.done)) > 0
        self.extended += item.course.get("extended", 0)


DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "decisions": ("符合条件的全部交办事项", "All decisions that match"),
    "open": ("未办结", "Not done"),
    "overdue": ("其中已过办结时限", "Of the open ones those past their day"),
    "due_this_week": (
        "其中办结时限在本周（周一至周日）内，含本周内已过的",
        "Of the open ones those due on a day of this week, Monday to Sunday, days past included",
    ),
    "unreported": ("其中责任单位尚未报过进展", "Of the open ones those of which nothing was reported"),
    "done": ("已办结", "Done"),
    "done_late": ("其中办结日晚于办结时限（以现行时限计）", "Of those done the ones done after the day then in force"),
    "extended": ("延期次数合计：时限推迟一次计一次", "How often their days were moved to a later one, in all"),
}
"""What the numbers mean, in Chinese and English."""

HANDLERS: Mapping[str, Handler] = {
    DECISION_REGISTERED: Handler(_registered, slots=("fields", "entries")),
    DECISION_AMENDED: Handler(_amended, slots=("fields", "entries")),
    DECISION_EXTENDED: Handler(_extended, slots=("fields", "entries")),
    DECISION_REPORTED: entry(REPORTS),
    DECISION_DONE: entry(DONES),
}

CHAPTERS: tuple[Chapter, ...] = (Chapter(DECISION, "course", (DUES, REPORTS, DONES), _course),)

FIELDS: Mapping[str, tuple[str, ...]] = {DECISION: NAMES}
