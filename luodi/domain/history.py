"""Truth, twice dated: what was known at an instant, and what was true on a business date by what is known.

``known_at`` asks for the record as it stood: only events recorded until that instant count, and lights are read at it.
``as_of`` asks what was true at the end of a business date: of the facts that have a day of their own (milestones,
progress, blockers, pauses, suspensions, withdrawals, procedures, the figures of a period by its last day) only those of
that day or before count. What has no day of its own (fields, plans, promises, contracts, commitments, verifications)
holds as it is known. The two may be combined.

A fact dated to a month or year counts from its first day, as it does on the day it is reported; one without a date from
the business date on which it was recorded. A project begins with the first of its facts, at the latest on the day it
was first recorded; before that there is nothing to show as of any date.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from luodi.domain import events, performance, periods, procedures, taskforce
from luodi.domain.assess import POOL
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import RED, Step, reason_of
from luodi.domain.days import day_text, first_day, is_approximate, parse_instant
from luodi.domain.events import Event
from luodi.domain.fold import fold, retracted
from luodi.domain.handlers import State

Document = dict[str, Any]
Assess = Callable[[State], Document]  # ``assess`` of one subject under the rules and calendar that hold for it

LAST_DAY = 3_652_059  # 9999-12-31 as an ordinal: stands for END_OF_TIME


def known(recorded: Iterable[Event], known_at: str) -> list[Event]:
    """The events recorded until an instant, that instant included."""
    return [event for event in recorded if event.recordedtime <= known_at]


def state_at(recorded: Sequence[Event], known_at: str | None, as_of: int | None, calendar: Calendar) -> State | None:
    """The folded state by the events known at an instant (None: all of them) as of a business date, an ordinal (None:
    whatever date its facts bear). None when nothing was known then, or the project had not begun."""
    counted = list(recorded) if known_at is None else known(recorded, known_at)
    if not counted:
        return None
    state = fold(counted)
    if as_of is not None:
        dated = _Dated.of(counted, calendar)
        if as_of < dated.days(state)[0]:
            return None
        state = dated.state(state, as_of)
    return state


@dataclass(frozen=True, slots=True)
class Span:
    """Business days ``[begin, end)`` (ordinals) on which one summary holds."""

    begin: int
    end: int
    step: Step  # the light; it reaches further than these days
    document: Document  # as of these days
    opens: bool = False  # something happened on its first day

    @property
    def light(self) -> str:
        shown: str = self.step["light"]
        return shown

    @property
    def reason(self) -> Mapping[str, Any]:
        return reason_of(self.step, self.document)


def track(recorded: Sequence[Event], assessed: Assess, calendar: Calendar, state: State | None = None) -> list[Span]:
    """What was true on every business day by these events, from the project's first day on, without a hole.

    Between two days on which something happened the record is the same, so it is assessed once for each such stretch
    and its light read from the steps: the number of days costs nothing. ``state`` is the fold of the events where the
    caller has it already.
    """
    dated = _Dated.of(recorded, calendar)
    whole = fold(recorded) if state is None else state
    begins = dated.days(whole)
    spans: list[Span] = []
    for begin, end in zip(begins, [*begins[1:], LAST_DAY], strict=True):
        first, *more = _lit(assessed(dated.state(whole, begin)), begin, end, calendar)
        spans += [replace(first, opens=True), *more]
    return spans


def live_spans(document: Document, since: int, calendar: Calendar) -> list[Span]:
    """The lights of a document from a business date on, whatever date its facts bear: what ``known_at`` shows."""
    return _lit(document, since, LAST_DAY, calendar)


def span_on(spans: Sequence[Span], day: int) -> Span | None:
    """The span in which a business day (an ordinal) lies; None before the first."""
    place = bisect_right(spans, day, key=_begin) - 1
    return spans[place] if place >= 0 else None


def _lit(document: Document, begin: int, end: int, calendar: Calendar) -> list[Span]:
    """The lights of a document between two days."""
    first = calendar.midnight_of(begin)
    spans: list[Span] = []
    for step in document["lights"]:
        if step["to"] <= first:
            continue
        day = begin if step["from"] <= first else calendar.business_day(step["from"])
        if day >= end:
            break
        if spans:
            spans[-1] = _until(spans[-1], day)
        spans.append(Span(day, end, step, document))
    return spans


def _until(span: Span, end: int) -> Span:
    return Span(span.begin, end, span.step, span.document)


def _begin(span: Span) -> int:
    return span.begin


# -- facts and their days ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Dated:
    """The calendar and what the folded state does not keep: every report of progress, in the order of recording."""

    calendar: Calendar
    progress: tuple[tuple[int, Event], ...]

    @classmethod
    def of(cls, recorded: Sequence[Event], calendar: Calendar) -> _Dated:
        reports = [event for event in recorded if event.type == events.PROGRESS_REPORTED]
        if not reports:
            return cls(calendar, ())
        gone = retracted(recorded)
        reports = sorted((event for event in reports if event.id not in gone), key=_order)
        return cls(calendar, tuple((_day_of(event, calendar), event) for event in reports))

    def days(self, state: State) -> list[int]:
        """The days on which something happened, that of the first record among them, in order."""
        found = {self.calendar.business_day(state["first"]), *(day for day, _ in self.progress)}
        for slot in DATED_ENTRIES:
            found |= {_day(entry, self.calendar) for entry in state[slot].values()}
        for slot, date in DATED_SLOTS.items():
            if state[slot] is not None:
                found.add(_day(state[slot], self.calendar, date))
        if state["entries"]:
            for slot, day_of in DATED_KEPT.items():
                found |= {day_of(entry) for entry in state["entries"].get(slot, {}).values()}
        return sorted(found)

    def state(self, state: State, day: int) -> State:
        """The state without what happened after a day. A returned report tells of no day on which anything happened,
        but it is shown from its day on."""
        before = state.copy()
        for slot in (*DATED_ENTRIES, "returned"):
            if state[slot]:
                before[slot] = {key: e for key, e in state[slot].items() if _day(e, self.calendar) <= day}
        for slot, date in DATED_SLOTS.items():
            if state[slot] is not None and _day(state[slot], self.calendar, date) > day:
                before[slot] = None
        if state["entries"]:
            before["entries"] = _kept_until(state["entries"], day)
            before["counted"] = {
                slot: number - len(state["entries"].get(slot, ())) + len(before["entries"].get(slot, ()))
                for slot, number in state["counted"].items()
            }
        for slot in ("reports", "money"):
            if state[slot]:
                before[slot] = {d: told for d, told in state[slot].items() if first_day(d).toordinal() <= day}
        if self.progress and self.progress[-1][0] > day:
            before["progress"] = self._progress(day)
        return before

    def _progress(self, day: int) -> dict[str, Any] | None:
        reported = [event for happened, event in self.progress if happened <= day]
        progress: dict[str, Any] | None = fold(reported[-1:])["progress"] if reported else None
        return progress


def _kept_until(entries: Mapping[str, Mapping[str, Any]], day: int) -> dict[str, Any]:
    """What is kept as it was told, without what a day of its own puts after a day; no slot is left empty."""
    before: dict[str, Any] = dict(entries)
    for slot, day_of in (*DATED_KEPT.items(), *DATED_BESIDE.items()):
        if slot in entries:
            before[slot] = {key: entry for key, entry in entries[slot].items() if day_of(entry) <= day}
            if not before[slot]:
                del before[slot]
    return before


def _order(event: Event) -> tuple[str, int, str]:
    return event.order


def _day(entry: Mapping[str, Any], calendar: Calendar, name: str = "date") -> int:
    """The first day of an entry's date; the business date of its recording where none was given."""
    date: str | None = entry[name]
    if date is None:
        return calendar.business_day(entry["recorded_at"])
    return first_day(date).toordinal()


def _day_of(event: Event, calendar: Calendar) -> int:
    return _day({"date": event.data.get("date"), "recorded_at": event.recordedtime}, calendar)


DATED_ENTRIES = ("milestones", "blockers", "pauses", "clears", "suspensions", "suspension_ends")
"""Slots of the state that hold facts by key, each with its `date`."""

DATED_SLOTS: Mapping[str, str] = {"withdrawn": "date", "statistics": "since"}
"""Slots that hold one fact, or none, and the name of its date."""

DATED_KEPT: Mapping[str, Callable[[Mapping[str, Any]], int]] = {
    performance.REPORTS: lambda report: periods.last_ordinal(report["period"]),  # whose figures are known at its end
}
"""Slots of entries that have a day of their own, and how it is found."""

DATED_BESIDE: Mapping[str, Callable[[Mapping[str, Any]], int]] = dict.fromkeys(
    (*procedures.DATED, *taskforce.DATED), lambda entry: first_day(entry["date"]).toordinal()
)
"""The same of what bears on no light of the project: its track does not turn on these days."""


# -- what was shown, and how late it was reported ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A light as people saw it between two instants, ``end`` exclusive."""

    begin: str
    end: str
    light: str
    reason: Mapping[str, Any]


def shown(recorded: Sequence[Event], assessed: Assess, now: str) -> list[Shown]:
    """The lights as the system showed them, from the first event until ``now``, whatever was corrected, retracted or
    reported late afterwards."""
    ordered = sorted(known(recorded, now), key=_order)
    lights: list[Shown] = []
    for place, event in enumerate(ordered):
        until = ordered[place + 1].recordedtime if place + 1 < len(ordered) else now
        if event.recordedtime == until and place + 1 < len(ordered):
            continue  # recorded in one instant with the next: nobody saw what lay between them
        document = assessed(fold(ordered[: place + 1]))
        for step in document["lights"]:
            begin, end = max(step["from"], event.recordedtime), min(step["to"], until)
            if begin < end:
                lights.append(Shown(begin, end, step["light"], reason_of(step, document)))
    return lights


NOTICED_AFTER_S = 10.0  # a project is left so long to settle before anybody is told


def was_red(recorded: Sequence[Event], assessed: Assess, calendar: Calendar, now: str) -> list[dict[str, Any]]:
    """When the system showed red, and for how many of those days the project was red by what is known now.

    A notice sent meanwhile was right by what was known, also where a later report, correction or retraction has taken
    the red out of the record. ``known_to`` is None while it still shows. What an import ran through on its way, in less
    than NOTICED_AFTER_S, nobody was told of.
    """
    stretches: list[dict[str, Any]] = []
    for light in shown(recorded, assessed, now):
        if light.light != RED:
            continue
        cause = {"gap": light.reason.get("gap"), "blocker": light.reason.get("blocker")}
        cause["blocker"] = None if cause["gap"] else cause["blocker"]
        last = stretches[-1] if stretches else None
        if last is not None and last["known_to"] == light.begin and {name: last[name] for name in cause} == cause:
            last["known_to"] = light.end
        else:
            stretches.append({**cause, "known_from": light.begin, "known_to": light.end})
    noticed = [s for s in stretches if _seconds(s["known_from"], s["known_to"]) >= NOTICED_AFTER_S]
    spans = track(known(recorded, now), assessed, calendar) if noticed else []
    return [_told(stretch, spans, calendar, now) for stretch in noticed]


def _seconds(begin: str, end: str) -> float:
    return (parse_instant(end) - parse_instant(begin)).total_seconds()


def _told(stretch: Mapping[str, Any], spans: Sequence[Span], calendar: Calendar, now: str) -> dict[str, Any]:
    begin = calendar.business_day(stretch["known_from"])
    # A stretch that ends at a midnight did not show on the day that begins there.
    end = calendar.business_day(stretch["known_to"])
    if end > begin and calendar.midnight_of(end) == stretch["known_to"]:
        end -= 1
    red = [min(span.end, end + 1) - max(span.begin, begin) for span in spans if span.light == RED]
    return {
        "gap": stretch["gap"],
        "blocker": stretch["blocker"],
        "from": day_text(begin),
        "to": day_text(end),
        "known_from": stretch["known_from"],
        "known_to": None if stretch["known_to"] == now else stretch["known_to"],
        "days": end + 1 - begin,
        "days_red_as_known": sum(days for days in red if days > 0),
    }


LATE_AFTER_WORKDAYS = 3  # a report of a milestone is late from the next working day on


def reporting(recorded: Sequence[Event], calendar: Calendar) -> dict[str, Any]:
    """How late the milestones were first reported: counted ones, late ones, and working days beyond those allowed.

    What happened before the project was first recorded was taken over, not reported late, and is left out; so is a
    date known to the month or year, and what was retracted. A figure for the unit and its group head: no ranking is
    made of it, for one would breed invented dates.
    """
    gone = retracted(recorded)
    ordered = sorted(recorded, key=_order)
    if not ordered:
        return {"counted": 0, "late": 0, "items": []}
    first_known = calendar.business_day(ordered[0].recordedtime)
    items: dict[str, dict[str, Any]] = {}
    for event in ordered:
        date = event.data.get("date")
        if event.type != events.MILESTONE_REPORTED or event.id in gone or event.data["stage"] in items:
            continue
        if date is None or is_approximate(date) or first_day(date).toordinal() < first_known:
            continue
        day, told = first_day(date).toordinal(), calendar.business_day(event.recordedtime)
        waited = max(0, calendar.count(told) - calendar.count(day))
        items[event.data["stage"]] = {
            "stage": event.data["stage"],
            "date": date,
            "recorded_at": event.recordedtime,
            "workdays": waited,
            "late": waited > LATE_AFTER_WORKDAYS,
        }
    return {
        "counted": len(items),
        "late": sum(item["late"] for item in items.values()),
        "items": list(items.values()),
    }


def as_text(span: Span, today: int) -> dict[str, Any]:
    """A span as people and programs read it: business dates, the last one included; None where it still holds."""
    return {
        "from": day_text(span.begin),
        "to": None if span.end > today else day_text(span.end - 1),
        "stage": span.document["stage"],
        "status": span.document["status"],
        "light": None if span.document["status"] == POOL else span.light,  # before the signature there is none
        "reason": span.reason,
    }
