"""Clocks: the lights of an open gap under all rules that run on it, the verdicts on closed ones, and promises.

A light is a step function of the day, never of "now": it is computed once and read at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from luodi.domain import courses
from luodi.domain.calendar import Calendar
from luodi.domain.courses import Run, run, share, verdict
from luodi.domain.days import day_text, is_approximate, last_ordinal
from luodi.domain.gaps import Facts, Gap
from luodi.domain.lights import (
    ABSENT,
    BLUE,
    FIRST_DAY,
    GREEN,
    GREY,
    LIGHTS,
    RED,
    YELLOW,
    DayStep,
    Step,
    between,
    light_at,
    present,
    render,
    steady,
    worst,
)
from luodi.domain.rules import PLAN, ZONE_DEFAULT, Piece, Profile, Rules
from luodi.domain.stages import LAND, ROUTES

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "LIGHTS",
    "PLAN",
    "RED",
    "YELLOW",
    "ZONE_DEFAULT",
    "DayStep",
    "Facts",
    "Gap",
    "Step",
    "closed_clocks",
    "days_used",
    "gap_clocks",
    "in_force",
    "is_always_set",
    "light_at",
    "no_limit",
    "present",
    "promise_steps",
    "reason_of",
    "render",
    "shown_at",
    "steady",
    "worst",
]

IN_TIME = "in_time"
LATE = "late"

PROMISE_YELLOW_PERCENT = 80  # of the days from a blocker's date to its promise


def gap_clocks(gap: Gap, facts: Facts, profile: Profile, rules: Rules, calendar: Calendar) -> list[Run]:
    """The clocks of an open gap, each with its lights by day; none where no rule sets it a limit.

    The zone's default (or the plan in its place) comes first. Each version of a rule gives the lights of the days it is
    in force. A clock shows the figures of the newest; when there are several, ``versions`` holds those of each (see
    ``in_force``). Days on which a rule sets no limit are ABSENT in the lights by day, and grey in the clock.
    """
    made: list[Run] = []
    begin = last_ordinal(gap.start)
    for track in rules.tracks((gap.reached, gap.awaited), profile):
        pieces = track.from_day(begin)
        if len(pieces) > 1:
            clock = _pieced_clock(pieces, gap, facts, calendar, len(made))
        else:  # most often one version holds from the gap's first day on
            _, version, case = pieces[0]
            if version is None or case is None:
                continue
            clock = run(gap, facts, version, case, calendar, len(made))
            if clock is not None:
                clock[0]["lights"] = render(clock[1], calendar)
        if clock is not None:
            made.append(clock)
    return made


def closed_clocks(gap: Gap, facts: Facts, profile: Profile, rules: Rules, calendar: Calendar) -> list[dict[str, Any]]:
    """How a closed gap ended: under each rule, by the version valid on the business date on which it closed."""
    assert gap.closed is not None  # or there is nothing to judge
    day = last_ordinal(gap.closed)
    found: list[dict[str, Any]] = []
    for track in rules.tracks((gap.reached, gap.awaited), profile):
        held = track.on(day)
        if held is None:
            continue
        version, case = held
        ended = verdict(gap, day, facts, version, case, calendar)
        if ended is None:
            continue
        rule, start, due, used, late = ended
        found.append(
            {
                "gap": [gap.reached, gap.awaited],
                "rule": rule,
                "preset": version.preset,
                "version": version.tags["version"],
                "start": day_text(start),
                "closed": day_text(day),
                "due": day_text(due),
                "days": used,
                "over": max(0, day - due),
                "verdict": LATE if late else IN_TIME,
            }
        )
    return found


def in_force(clock: Mapping[str, Any], today: date) -> Mapping[str, Any]:
    """The clock with the figures of the rule version that is in force on a day."""
    day = today.isoformat()
    for figures in reversed(clock.get("versions", ())):
        if figures["version"] <= day:
            return {**clock, **figures}
    return {**clock, **clock["versions"][0]} if "versions" in clock else clock


def days_used(clock: Mapping[str, Any], calendar: Calendar, today: date) -> int:
    """Counted days of a stored clock after day 0 up to and including ``today``; 0 before."""
    return courses.days_used(clock, calendar, today.toordinal())


def promise_steps(blocker: Mapping[str, Any], number: int) -> list[DayStep]:
    """The lights of the promise that an open blocker has: calendar days from the blocker's date, never paused.
    ``number`` is the place of the blocker among the project's.
    """
    start, due = last_ordinal(blocker["date"]), last_ordinal(blocker["promise"])
    return [
        (FIRST_DAY, GREEN, {"code": "promise-in-time", "promise": number}),
        (share(start, due - start, PROMISE_YELLOW_PERCENT), YELLOW, {"code": "promise-due-soon", "promise": number}),
        (max(start, due) + 1, RED, {"code": "promise-overdue", "promise": number}),
    ]


REASON_READ = (
    "route",
    *(f"clocks.{name}" for name in ("gap", "rule", "start", "due", "limit", "unit", "title", "counted_from")),
    *(f"clocks.{name}" for name in ("awaits", "approximate", "paused_by", "plan", "versions", "commitment")),
    *(f"blockers.{name}" for name in ("id", "kind", "cause", "owner", "date", "promise")),
)
"""The fields of a document that ``reason_of`` reads."""


def reason_of(step: Step, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The whole reason of one of a document's lights.

    What is stored with a light is what it has of its own; which clock, pause or promise it belongs to, it says by the
    place of that in the document. A reason that names no place is whole.
    """
    reason: Mapping[str, Any] = step["reason"]
    if "clock" in reason:
        return _clock_reason(reason, document)
    return _promise_reason(reason, document["blockers"][reason["promise"]]) if "promise" in reason else reason


def shown_at(lights: Sequence[Step], now: str, document: Mapping[str, Any]) -> Step:
    """The step of one of a document's lights in which an instant lies, with its whole reason."""
    step = light_at(lights, now)
    return {**step, "reason": reason_of(step, document)}


def _clock_reason(reason: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    clock = document["clocks"][reason["clock"]]
    figures = clock["versions"][reason["version"]] if "version" in reason and "versions" in clock else clock
    route = document.get("route")
    whole = {
        "route": route if route in ROUTES else LAND,
        **{name: figures[name] for name in ("gap", "rule", "start", "due", "limit", "unit")},
        **{name: figures[name] for name in ("title", "awaits", "plan", "commitment") if name in figures},
    }
    if figures["counted_from"] != "stage":
        whole["counted_from"] = figures["counted_from"]
    if figures["approximate"]:
        whole["approximate"] = True
    whole |= {name: value for name, value in reason.items() if name not in _PLACES}
    stops = reason.get("paused_by", figures["paused_by"])
    if "plan" not in figures:  # or the date is a planned one, which no pause moves
        paused = [
            last_ordinal(stop["to"]) - last_ordinal(stop["from"]) for stop in stops if stop["from"] <= whole["due"]
        ]
        if paused:
            whole["paused_days"] = sum(paused)
    if "pause" in reason:
        stop = stops[reason["pause"]]
        blocker = next(blocker for blocker in document["blockers"] if blocker["id"] == stop["blocker"])
        whole |= {"blocker": blocker["id"], "kind": blocker["kind"], "cause": blocker["cause"], "owner": stop["owner"]}
        whole |= {"from": stop["from"], "until": day_text(last_ordinal(stop["to"]) - 1)}
    return whole


_PLACES = frozenset({"clock", "version", "pause", "paused_by"})


def _promise_reason(reason: Mapping[str, Any], blocker: Mapping[str, Any]) -> dict[str, Any]:
    start, due = last_ordinal(blocker["date"]), last_ordinal(blocker["promise"])
    whole = {
        "code": reason["code"],
        "blocker": blocker["id"],
        "kind": blocker["kind"],
        "owner": blocker["owner"],
        "start": day_text(start),
        "due": day_text(due),
        "limit": due - start,
        "unit": "calendar_days",
    }
    if is_approximate(blocker["promise"]) or is_approximate(blocker["date"]):
        whole["approximate"] = True
    return whole


def is_always_set(clock: Mapping[str, Any]) -> bool:
    """Whether one version of the clock's rule sets it a limit on all days, as most do."""
    reason = clock["lights"][0]["reason"]
    return "clock" in reason and "version" not in reason


def no_limit(gap: Gap) -> dict[str, Any]:
    """The reason of a gap for which the rules set no limit."""
    return {"code": "no-limit", "route": gap.route, "gap": [gap.reached, gap.awaited]}


def _pieced_clock(pieces: Sequence[Piece], gap: Gap, facts: Facts, calendar: Calendar, number: int) -> Run | None:
    """The clock of one rule through those of its versions that are in force after the gap began; it will stand at this
    place among the project's clocks."""
    runs: list[tuple[int, Run | None]] = []
    found: list[Run] = []
    for begin, version, case in pieces:
        made = None if version is None or case is None else run(gap, facts, version, case, calendar, number)
        if made is not None:
            place = {"version": len(found)}
            made = made[0], [(day, light, {**reason, **place}) for day, light, reason in made[1]]
            found.append(made)
        runs.append((begin, made))
    if not found:
        return None
    clock, _ = found[-1]
    if len(found) > 1:
        clock = clock | {"versions": [figures for figures, _ in found]}
    steps = _pieced(runs, no_limit(gap))
    clock["lights"] = render(present(steps), calendar)
    return clock, steps


def _pieced(runs: list[tuple[int, Run | None]], otherwise: Mapping[str, Any]) -> list[DayStep]:
    """Of each version's lights those of the days on which it is in force."""
    pieced: list[DayStep] = []
    ends = [begin for begin, _ in runs[1:]]
    for (begin, made), end in zip(runs, [*ends, None], strict=True):
        steps = steady(ABSENT, otherwise) if made is None else made[1]
        pieced += between(steps, max(begin, FIRST_DAY), end)
    return pieced
