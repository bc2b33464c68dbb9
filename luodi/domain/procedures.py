"""Procedures (审批事项) of a project: states, what is missing and by when, and a clock charged to the deciding unit.

* The clock runs from the day of acceptance (受理, 容缺受理 or 告知承诺), which is day 0, to the decision (办结), under
  the statute valid on that day. Talks before it (提前介入) start no clock.
* It stands still while papers are being corrected (补正), and through what does not count by law: hearings, reviews by
  experts, inspections. The day it stops is not counted, the day it goes on is.
* What is missing (容缺) has a due date of its own, which the applicant must keep: it is charged to nobody else.

Of the states of one procedure the one dated last holds, of equal dates the one recorded last; a decision ends it. The
light of a procedure is its own: that of the project does not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from luodi.domain import courses
from luodi.domain.calendar import Calendar
from luodi.domain.chapters import Chapter, Row, Telling
from luodi.domain.days import day_text, last_day, last_ordinal
from luodi.domain.handlers import Handler, entry
from luodi.domain.lights import BLUE, FIRST_DAY, GREEN, GREY, RED, YELLOW, DayStep, render, steady, worst
from luodi.domain.pauses import Pause, reach, reach_calendar_days
from luodi.domain.statutes import Statute, Statutes
from luodi.domain.subjects import PROJECT

PROCEDURE_BEGUN = "procedure.begun"
PROCEDURE_MOVED = "procedure.moved"
PROCEDURE_SUPPLIED = "procedure.supplied"
PROCEDURE_EXTENDED = "procedure.extended"
PROCEDURE_PAUSED = "procedure.paused"
PROCEDURE_RESUMED = "procedure.resumed"

EARLY = "提前介入"
ACCEPTED = "受理"
INCOMPLETE = "容缺受理"
PLEDGED = "告知承诺"
CORRECTING = "补正"
ENDED = "办结"
STATES = (EARLY, ACCEPTED, INCOMPLETE, PLEDGED, CORRECTING, ENDED)
OPEN = STATES[:-1]
RUNNING = (ACCEPTED, INCOMPLETE, PLEDGED)

GRANTED = "granted"
REFUSED = "refused"
WITHDRAWN = "withdrawn"
RESULTS = (GRANTED, REFUSED, WITHDRAWN)

HEARING = "听证"
REVIEW = "专家评审"
INSPECTION = "检验检测"
NOT_COUNTED = (HEARING, REVIEW, INSPECTION)
"""What does not count towards the time of an administrative licence (行政许可法, article 45)."""

LANES = ("拿地即开工", "绿色通道")
"""The fast lanes that ship with limits or shorter days; a zone's files may name others."""

IN_TIME, LATE = "in_time", "late"
YELLOW_PERCENT = 80  # of the limit used, and of the days given to bring what is missing

BEGUN, MOVES, SUPPLIES = "procedures", "procedure_moves", "procedure_supplies"
EXTENSIONS, PAUSES, RESUMPTIONS = "procedure_extensions", "procedure_pauses", "procedure_resumptions"
DATED = (BEGUN, MOVES, SUPPLIES, PAUSES, RESUMPTIONS)  # these have a day of their own, their `date`

_FOR_EVER = date.max.toordinal()

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Course:
    """The states of one procedure in their order, and when its clock stood still."""

    states: Sequence[Row]  # {"state", "date", …}
    stops: Sequence[tuple[int, int, str]]  # [begin, end) and why, by their beginning; an open one never ends

    @property
    def accepted(self) -> Row | None:
        """The state in which its clock began to run."""
        return next((state for state in self.states if state["state"] in RUNNING), None)

    @property
    def end(self) -> Row | None:
        """The decision; None while it is awaited."""
        last = self.states[-1]
        return last if last["state"] == ENDED else None

    @property
    def pledged(self) -> bool:
        """Whether the applicant's pledge stands in the place of papers."""
        return any(state["state"] == PLEDGED for state in self.states)


@dataclass(frozen=True, slots=True)
class _Term:
    """How long a procedure may take, and until when that is. Days as ordinals; ``due`` None while nobody can tell,
    for the clock stands still without an end."""

    due: int | None
    warn: int | None


def told(telling: Telling) -> list[Row]:
    """All procedures of a project, in the order they were recorded, each with all that was told of it.

    A row's ``limit`` is None where no statute is on file or nothing is accepted yet; ``due`` is None then, and while
    the clock stands still without an end. ``missing_due`` is the first due date of what is still missing.
    """
    beside = {slot: telling.by(slot, "procedure_id") for slot in (MOVES, SUPPLIES, EXTENSIONS, PAUSES, RESUMPTIONS)}
    return [
        _row(
            begun,
            {slot: found.get(begun["id"], []) for slot, found in beside.items()},
            telling.fields,
            telling.rules.statutes,
            telling.calendar,
        )
        for begun in telling.rows(BEGUN)
    ]


def _row(
    begun: Row,
    beside: Mapping[str, Sequence[Row]],
    fields: Mapping[str, Any],
    statutes: Statutes,
    calendar: Calendar,
) -> Row:
    kind, course = begun["kind"], _course(begun, beside)
    now, accepted, end = course.states[-1], course.accepted, course.end
    statute = statutes.on(kind, last_day((accepted or now)["date"]))
    unit = begun.get("unit") or statutes.unit_of(kind, fields.get("zone"))
    limit = _limit(statute, course, beside[EXTENSIONS], fields.get("lanes") or ())
    term = None if limit is None or accepted is None else _term(accepted["date"], limit, course, calendar)
    over = None
    if term is not None and end is not None and term.due is not None:
        over = max(0, last_ordinal(end["date"]) - term.due)
    missing = _missing(course.states, beside[SUPPLIES])
    # Of what was refused or withdrawn nothing is awaited any more.
    awaited = missing if end is None or _result(end) == GRANTED else ()
    wanted = [item["due"] for item in awaited if item["supplied"] is None and item["due"] is not None]
    due = None if term is None or term.due is None else day_text(term.due)
    name = {"zh": kind, "en": kind} if statute is None else statute.name
    start = None if accepted is None else accepted["date"]
    known = {"procedure": name, "owner": unit, "start": start, "due": due, "limit": limit}
    said = {name: value for name, value in known.items() if value is not None}
    return {
        "id": begun["id"],
        "kind": kind,
        "name": name,
        "unit": unit,
        "number": begun.get("number"),
        "state": now["state"],
        "since": now["date"],
        "start": start,
        "limit": limit,
        "basis": None if limit is None or statute is None else dict(statute.basis),
        "due": due,
        "warn": None if term is None or term.warn is None else day_text(term.warn),
        "provisional": _is_provisional(term, limit, calendar),
        "paused_by": [
            {"from": day_text(begin), "to": None if until == _FOR_EVER else day_text(until), "why": why}
            for begin, until, why in course.stops
        ],
        "ended": None if end is None else end["date"],
        "result": None if end is None else _result(end),
        "document": None if end is None else end.get("document"),
        "over": over,
        "verdict": None if over is None else LATE if over else IN_TIME,
        "missing": missing,
        "missing_due": min(wanted, key=last_ordinal, default=None),
        "states": [_state(state) for state in course.states],
        "lights": render(worst([_steps(course, term, said, over), *_missing_steps(awaited, name)]), calendar),
        "note": begun.get("note"),
        "actor": begun["actor"],
        "recorded_at": begun["recorded_at"],
    }


# States.


def _course(begun: Row, beside: Mapping[str, Sequence[Row]]) -> _Course:
    """The states in the order of their dates, of equal ones in that of recording; nothing follows the decision."""
    moves = beside[MOVES]
    end = next((move for move in reversed(moves) if move["state"] == ENDED), None)
    if begun["state"] == ENDED and end is None:
        end = begun
    last = _FOR_EVER if end is None else last_ordinal(end["date"])
    between = [move for move in moves if move["state"] != ENDED and last_ordinal(move["date"]) <= last]
    if begun["state"] != ENDED:
        between.insert(0, begun)  # what came before it may be told after it: its date alone is its place
    states = sorted(between, key=_day_of)
    if end is not None:
        states.append(end)
    accepted = next((_day_of(state) for state in states if state["state"] in RUNNING), _FOR_EVER)
    return _Course(states, _stops(states, beside, accepted + 1, last))


def _day_of(entry: Entry) -> int:
    return last_ordinal(entry["date"])


def _stops(
    states: Sequence[Row], beside: Mapping[str, Sequence[Row]], first: int, last: int
) -> list[tuple[int, int, str]]:
    """When the clock stood still, from its first counted day up to the decision: while papers were corrected, and
    through what does not count."""
    found: list[tuple[int, int, str]] = []
    for place, state in enumerate(states):
        if state["state"] == CORRECTING:
            follows = _day_of(states[place + 1]) if place + 1 < len(states) else _FOR_EVER
            found.append((_day_of(state), follows, CORRECTING))
    resumed = sorted(_day_of(entry) for entry in beside[RESUMPTIONS])
    for pause in beside[PAUSES]:
        begin, until = _day_of(pause), pause.get("until")
        ends = [day for day in resumed if day >= begin][:1] + ([last_ordinal(until) + 1] if until else [])
        found.append((begin, min(ends, default=_FOR_EVER), pause["why"]))
    united: list[tuple[int, int, str]] = []
    covered = first
    for begun, until, why in sorted(found, key=lambda stop: stop[:2]):
        begin, end = max(begun, covered), min(until, last)
        if begin < end:
            united.append((begin, end, why))
            covered = end
    return united


def _result(end: Entry) -> str:
    """How it was decided: granted, where nothing else was told."""
    return str(end.get("result") or GRANTED)


def _state(state: Row) -> Row:
    names = ("state", "date", "result", "document", "note", "actor", "recorded_at")
    return {**{name: state.get(name) for name in names}, "event_id": state["id"]}


# Time.


def _limit(
    statute: Statute | None, course: _Course, extensions: Sequence[Entry], lanes: Iterable[str]
) -> dict[str, Any] | None:
    """The days there are: by law or by a lane, and by how many of them it was extended, as far as the law allows."""
    if statute is None or course.accepted is None:
        return None
    amount, lane = statute.limit(lanes, pledged=course.pledged)
    extended = min(sum(extension["days"] for extension in extensions), statute.extendable)
    return {
        "amount": amount + extended,
        "unit": statute.unit,
        "statutory": statute.amount,
        "extended": extended,
        "lane": lane,
    }


def _term(since: str, limit: Mapping[str, Any], course: _Course, calendar: Calendar) -> _Term:
    start = last_ordinal(since)
    pauses = [Pause(begin, end, {}, {}) for begin, end, _ in course.stops]
    amount = limit["amount"]

    def used_up(days: int) -> int | None:
        """The day on which so many days are used; None while it is not known."""
        closed = [pause for pause in pauses if pause.end != _FOR_EVER]
        if limit["unit"] == "working_days":
            day = reach(start, days, closed, calendar.count, calendar.nth)
        else:
            day = reach_calendar_days(start, days, closed)
        return None if closed != pauses and pauses[-1].begin <= day else day

    due, warn = used_up(amount), used_up(-(-amount * YELLOW_PERCENT // 100))
    return _Term(due, warn)


def _is_provisional(term: _Term | None, limit: Mapping[str, Any] | None, calendar: Calendar) -> bool:
    """Whether the due date looks at a year whose holidays are not published."""
    if term is None or limit is None or term.due is None:
        return False
    return bool(limit["unit"] == "working_days" and term.due > calendar.last_published_day)


def days_used(row: Mapping[str, Any], calendar: Calendar, today: date) -> int | None:
    """The counted days of a procedure up to and including a day, or to its decision; None where none are counted."""
    if row["limit"] is None:
        return None
    day = today.toordinal() if row["ended"] is None else min(today.toordinal(), last_ordinal(row["ended"]))
    never = day_text(_FOR_EVER)
    stops = [{"from": stop["from"], "to": stop["to"] or never} for stop in row["paused_by"]]
    clock = {"start": row["start"], "unit": row["limit"]["unit"], "paused_by": stops}
    return courses.days_used(clock, calendar, day)


# Lights.


def _steps(course: _Course, term: _Term | None, said: Mapping[str, Any], over: int | None) -> list[DayStep]:
    """The lights of the clock of a procedure."""
    now, end = course.states[-1], course.end
    if end is not None:
        in_time, late, no_clock = _ENDED_CODES
        code = no_clock if over is None else late if over else in_time
        return steady(BLUE, {"code": code, **said, "date": end["date"], "over": over, "result": _result(end)})
    if course.accepted is None:
        early, correcting = _WAITING_CODES
        return steady(GREY, {"code": early if now["state"] == EARLY else correcting, **said})
    if term is None:
        return steady(GREY, {"code": "procedure-no-limit", **said})
    return _running(course, term, said)


_ENDED_CODES = ("procedure-ended-in-time", "procedure-ended-late", "procedure-ended")
_WAITING_CODES = ("procedure-early", "procedure-correcting")


def _running(course: _Course, term: _Term, said: Mapping[str, Any]) -> list[DayStep]:
    """Green, yellow and red by the days used, grey while the clock stands still and is not overdue."""
    red = _FOR_EVER if term.due is None else term.due + 1
    warn = _FOR_EVER if term.warn is None else term.warn
    days = {FIRST_DAY, warn, red, *(day for begin, end, _ in course.stops for day in (begin, end))}
    steps: list[DayStep] = []
    for day in sorted(days - {_FOR_EVER}):
        stopped = next((why for begin, end, why in course.stops if begin <= day < end), None)
        if day >= red:
            light, reason = RED, {"code": "procedure-overdue", **said}
        elif stopped is not None:
            light, reason = GREY, {"code": "procedure-stopped", **said, "why_stopped": stopped}
        elif day >= warn:
            light, reason = YELLOW, {"code": "procedure-due-soon", **said}
        else:
            light, reason = GREEN, {"code": "procedure-in-time", **said}
        if not steps or steps[-1][2] != reason:
            steps.append((day, light, reason))
    return steps


# What is missing.


def _missing(states: Sequence[Row], supplies: Sequence[Entry]) -> list[Row]:
    """Every paper asked for, by its name: when, by which day (the last told holds), and when it came.

    One that is asked for again after it came is missing again. A paper that came without having been asked for stands
    there, too.
    """
    found: dict[str, Row] = {}
    again: dict[str, Row] = {}  # the state in which a paper was asked for once more
    for state in states:
        for item in state.get("missing") or ():
            what, known = item["what"], found.get(item["what"])
            if known is not None:
                again[what] = state
            asked = state["date"] if known is None else known["asked"]
            found[what] = {"what": what, "asked": asked, "due": item.get("due"), "supplied": None}
    for supply in supplies:
        what = supply["what"]
        if what not in again or not _is_before(supply, again[what]):
            found[what] = found.get(what, {"what": what, "asked": None, "due": None}) | {"supplied": supply["date"]}
    return list(found.values())


def _is_before(supply: Entry, state: Entry) -> bool:
    """Whether a paper came before a state, and was known to: what is told of it afterwards speaks of the new one."""
    return _day_of(supply) < _day_of(state) and bool(supply["recorded_at"] < state["recorded_at"])


def _missing_steps(missing: Iterable[Entry], name: Mapping[str, str]) -> Iterator[list[DayStep]]:
    """The lights of every paper that is still missing and has a due date."""
    for item in missing:
        if item["supplied"] is not None or item["due"] is None:
            continue
        start, due = last_ordinal(item["asked"]), last_ordinal(item["due"])
        said = {"procedure": dict(name), "what": item["what"], "due": item["due"]}
        yield [
            (FIRST_DAY, GREEN, {"code": "missing-in-time", **said}),
            (courses.share(start, due - start, YELLOW_PERCENT), YELLOW, {"code": "missing-due-soon", **said}),
            (max(start, due) + 1, RED, {"code": "missing-overdue", **said}),
        ]


def marks_of(document: Mapping[str, Any]) -> list[str]:
    """What lists find a project by: the states its procedures are in, and the units that decide, each once."""
    rows = document["procedures"]
    return sorted({row["state"] for row in rows} | {of_unit(row["unit"]) for row in rows if row["unit"] is not None})


def of_unit(unit: str) -> str:
    """The mark of a unit; no state is written like it."""
    return f"@{unit}"


HANDLERS: Mapping[str, Handler] = {
    PROCEDURE_BEGUN: entry(BEGUN),
    PROCEDURE_MOVED: entry(MOVES),
    PROCEDURE_SUPPLIED: entry(SUPPLIES),
    PROCEDURE_EXTENDED: entry(EXTENSIONS),
    PROCEDURE_PAUSED: entry(PAUSES),
    PROCEDURE_RESUMED: entry(RESUMPTIONS),
}

CHAPTERS: tuple[Chapter, ...] = (Chapter(PROJECT, "procedures", (BEGUN,), told),)

FIELDS: Mapping[str, tuple[str, ...]] = {}
