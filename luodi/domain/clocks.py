"""Clocks: the lights of an open gap under all rules that run on it, the verdicts on closed ones, and promises.

A light is a step function of the day, never of "now": it is computed once and read at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from luodi.domain.rules import PLAN, ZONE_DEFAULT, Profile, Rules, Track

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
    "light_at",
    "no_limit",
    "present",
    "promise_steps",
    "render",
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
    made = []
    for track in rules.tracks((gap.reached, gap.awaited), profile):
        clock = _tracked(track, gap, facts, calendar)
        if clock is not None:
            made.append(clock)
    return made


def closed_clocks(
    gap: Gap, facts: Facts, profile: Profile, rules: Rules, calendar: Calendar
) -> Iterator[dict[str, Any]]:
    """How a closed gap ended: under each rule, by the version valid on the business date on which it closed."""
    assert gap.closed is not None  # or there is nothing to judge
    day = last_ordinal(gap.closed)
    for track in rules.tracks((gap.reached, gap.awaited), profile):
        held = track.on(day)
        if held is None:
            continue
        version, case = held
        ended = verdict(gap, day, facts, version, case, calendar)
        if ended is not None:
            yield {
                "gap": [gap.reached, gap.awaited],
                "rule": ended.rule,
                "preset": version.preset,
                "version": version.tags["version"],
                "start": day_text(ended.start),
                "closed": day_text(day),
                "due": day_text(ended.due),
                "days": ended.used,
                "over": max(0, day - ended.due),
                "verdict": LATE if ended.late else IN_TIME,
            }


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


def promise_steps(blocker: Mapping[str, Any]) -> list[DayStep]:
    """The lights of a blocker's promise: calendar days from the blocker's date, never paused.

    None (an empty list) once it is cleared, or where nothing was promised.
    """
    if blocker["promise"] is None or blocker["cleared"] is not None:
        return []
    start, due = last_ordinal(blocker["date"]), last_ordinal(blocker["promise"])
    basis = {
        "blocker": blocker["id"],
        "kind": blocker["kind"],
        "owner": blocker["owner"],
        "start": day_text(start),
        "due": day_text(due),
        "limit": due - start,
        "unit": "calendar_days",
    }
    if is_approximate(blocker["promise"]) or is_approximate(blocker["date"]):
        basis["approximate"] = True
    return [
        (FIRST_DAY, GREEN, {"code": "promise-in-time", **basis}),
        (share(start, due - start, PROMISE_YELLOW_PERCENT), YELLOW, {"code": "promise-due-soon", **basis}),
        (max(start, due) + 1, RED, {"code": "promise-overdue", **basis}),
    ]


def no_limit(gap: Gap) -> dict[str, Any]:
    """The reason of a gap for which the rules set no limit."""
    return {"code": "no-limit", "route": gap.route, "gap": [gap.reached, gap.awaited]}


def _tracked(track: Track, gap: Gap, facts: Facts, calendar: Calendar) -> Run | None:
    """The clock of one rule through those of its versions that are in force after the gap began."""
    pieces = track.pieces
    if len(pieces) > 1:
        start = last_ordinal(gap.start)
        pieces = pieces[max((place for place, piece in enumerate(pieces) if piece[0] <= start), default=0) :]
    runs: list[tuple[int, Run | None]] = [
        (begin, None if version is None or case is None else run(gap, facts, version, case, calendar))
        for begin, version, case in pieces
    ]
    found = [made for _, made in runs if made is not None]
    if not found:
        return None
    clock, steps = found[-1]
    if len(found) > 1:
        clock = clock | {"versions": [figures for figures, _ in found]}
    if len(runs) > 1:
        steps = _pieced(runs, no_limit(gap))
        clock["lights"] = render(present(steps), calendar)
    else:
        clock["lights"] = render(steps, calendar)
    return clock, steps


def _pieced(runs: list[tuple[int, Run | None]], otherwise: Mapping[str, Any]) -> list[DayStep]:
    """Of each version's lights those of the days on which it is in force."""
    pieced: list[DayStep] = []
    ends = [begin for begin, _ in runs[1:]]
    for (begin, made), end in zip(runs, [*ends, None], strict=True):
        steps = steady(ABSENT, otherwise) if made is None else made[1]
        pieced += between(steps, max(begin, FIRST_DAY), end)
    return pieced
