"""Clocks and their lights: how long may the gap to the next stage last, and what colour is it on which day.

Day 0 is the day the stage was reached and is not counted. ``used`` on a day is the number of counted days after day 0
up to and including it. The due date itself is still in time: the light changes when the next business day begins.
A light is a step function of the day, never of "now": it is computed once and read at any time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.days import (
    BEGINNING,
    END_OF_TIME,
    add_months,
    day_text,
    is_approximate,
    last_day,
    last_ordinal,
)
from luodi.domain.pauses import Pause, after, approved, notice_day, reach, told, union
from luodi.domain.rules import PLANNED_STAGES, Limit, Rules, Version

RED = "red"
YELLOW = "yellow"
GREY = "grey"
GREEN = "green"
BLUE = "blue"
LIGHTS = (RED, YELLOW, GREY, GREEN, BLUE)  # worst first: a project shows the worst of its lights

ZONE_DEFAULT = "zone-default"
PLAN = "plan"

Step = Mapping[str, Any]  # {"light", "from", "to" (exclusive), "reason"}: instants and data, as stored
DayStep = tuple[int, str, Mapping[str, Any]]  # (first day as an ordinal, light, reason)

FIRST_DAY = date(1970, 1, 1).toordinal()  # stands for BEGINNING
_BADNESS = {light: place for place, light in enumerate(LIGHTS)}


@dataclass(frozen=True, slots=True)
class Gap:
    """The open gap of a project: the stage reached, the one awaited, and what bears on the time between them."""

    route: str
    reached: str
    awaited: str
    start: str  # business date on which the stage was reached


@dataclass(frozen=True, slots=True)
class Facts:
    """All that bears on an open gap besides its own dates; the entries are those of the folded state."""

    plan: Mapping[str, Any] | None = None  # of the awaited stage: {"baseline", "date", "changes", …}
    blockers: Sequence[Mapping[str, Any]] = ()  # with their clears and pauses, in the order they were recorded
    fields: Mapping[str, Any] = field(default_factory=dict)  # as registered: lanes, class, industry, investment, …
    land_contract: Mapping[str, Any] | None = None
    annual_plans: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by year
    statistics: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None  # as last reported
    milestones: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by stage

    @property
    def last_report(self) -> str | None:
        """The newest business date on which a milestone was reached or progress was reported."""
        days = [milestone["date"] for milestone in self.milestones.values() if milestone["date"] is not None]
        if self.progress is not None and self.progress["date"] is not None:
            days.append(self.progress["date"])
        return max(days, key=last_ordinal, default=None)


def gap_clocks(gap: Gap, facts: Facts, rules: Rules, calendar: Calendar) -> list[tuple[dict[str, Any], list[DayStep]]]:
    """The clocks of an open gap, each with its lights by day; none when no version of the rules sets it a limit.

    The zone's default (or the plan in its place) comes first. Each version of the rules gives the lights of the days
    it is in force. A clock shows the figures of the newest; when there are several, ``versions`` holds those of each
    (see ``in_force``).
    """
    runs: list[tuple[Version, dict[str, Any], list[DayStep]]] = []
    plan = None if facts.plan is None else facts.plan["date"]
    for version in rules.versions:
        run = _run(gap, plan, facts, version, calendar)
        if run is not None:
            runs.append((version, *run))
    if not runs:
        return []
    _, clock, steps = runs[-1]
    if len(rules.versions) > 1:
        clock = clock | {"versions": [figures | {"from": str(version.valid_from)} for version, figures, _ in runs]}
        steps = _piece(rules, runs, no_limit(gap))
    clock["lights"] = render(steps, calendar)
    return [(clock, steps)]


def in_force(clock: Mapping[str, Any], today: date) -> Mapping[str, Any]:
    """The clock with the figures of the rule version that is in force on a day."""
    day = today.isoformat()
    for figures in reversed(clock.get("versions", ())):
        if figures["from"] <= day:
            return {**clock, **figures}
    return {**clock, **clock["versions"][0]} if "versions" in clock else clock


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
        (_share(start, due - start, (4, 5)), YELLOW, {"code": "promise-due-soon", **basis}),
        (max(start, due) + 1, RED, {"code": "promise-overdue", **basis}),
    ]


def no_limit(gap: Gap) -> dict[str, Any]:
    """The reason of a gap for which the rules set no limit."""
    return {"code": "no-limit", "route": gap.route, "gap": [gap.reached, gap.awaited]}


def steady(light: str, reason: Mapping[str, Any]) -> list[DayStep]:
    """One light for all time."""
    return [(FIRST_DAY, light, reason)]


def worst(tracks: Sequence[list[DayStep]]) -> list[DayStep]:
    """The worst light of several on every day, with its reason; of equal ones the first track's."""
    if len(tracks) == 1:
        return tracks[0]
    changes = [(step[0], track, step) for track, steps in enumerate(tracks) for step in steps]
    changes.sort(key=itemgetter(0, 1))
    shown: list[DayStep | None] = [None] * len(tracks)
    merged: list[DayStep] = []
    for place, (day, track, step) in enumerate(changes):
        shown[track] = step
        if place + 1 < len(changes) and changes[place + 1][0] == day:
            continue  # more changes on this day
        first = min((step for step in shown if step is not None), key=_badness)
        if not merged or merged[-1][2] is not first[2]:
            merged.append((day, first[1], first[2]))
    return merged


def _badness(step: DayStep) -> int:
    return _BADNESS[step[1]]


def render(steps: Iterable[DayStep], calendar: Calendar) -> list[dict[str, Any]]:
    """Steps as stored: without a hole from BEGINNING to END_OF_TIME, each from the midnight its first day begins."""
    lights: list[dict[str, Any]] = []
    for day, light, reason in steps:
        begin = calendar.midnight_of(day) if lights else BEGINNING
        if lights:
            if begin <= lights[-1]["from"]:
                lights.pop()  # nothing is left of the step before
            else:
                lights[-1]["to"] = begin
        lights.append({"light": light, "from": begin, "to": END_OF_TIME, "reason": reason})
    return lights


def light_at(lights: Sequence[Step], now: str) -> Step:
    """The step in which an instant lies; the first or last one for an instant outside all of them."""
    return lights[max(0, bisect_right(lights, now, key=itemgetter("from")) - 1)]


def days_used(clock: Mapping[str, Any], calendar: Calendar, today: date) -> int:
    """Counted days of a stored clock after day 0 up to and including ``today``; 0 before."""
    start, day = last_ordinal(clock["start"]), today.toordinal()
    if day <= start:
        return 0
    works = clock["unit"] == "working_days"
    used = calendar.count(day) - calendar.count(start) if works else day - start
    for begin_text, end_text in clock["paused"]:
        begin, end = last_ordinal(begin_text) - 1, min(last_ordinal(end_text) - 1, day)
        if begin < end:
            used -= calendar.count(end) - calendar.count(begin) if works else end - begin
    return used


def _run(
    gap: Gap, plan: str | None, facts: Facts, version: Version, calendar: Calendar
) -> tuple[dict[str, Any], list[DayStep]] | None:
    """The clock under one version of the rules, its lights by day."""
    if plan is not None and gap.awaited in PLANNED_STAGES:
        return _plan_run(gap, plan, version)
    limit = version.limit(gap.route, gap.awaited, facts.fields.get("lanes") or ())
    if limit is None:
        return None
    pauses = approved(facts.blockers, version.pausing_causes) if facts.blockers else []
    return _limit_run(gap, limit, plan, pauses, version, calendar)


def _plan_run(gap: Gap, plan: str, version: Version) -> tuple[dict[str, Any], list[DayStep]]:
    """A plan in the place of the zone's default: calendar days to the planned date, which no pause moves."""
    start, due = last_ordinal(gap.start), last_ordinal(plan)
    length = due - start
    warn = due - version.warn_days if length > version.long_plan_days else _share(start, length, version.warn_share)
    basis = _basis(gap, PLAN, due, Limit(length, "calendar_days"), approximate=is_approximate(plan))
    steps: list[DayStep] = [
        (FIRST_DAY, GREEN, {"code": "plan-in-time", **basis}),
        (warn, YELLOW, {"code": "plan-due-soon", **basis}),
        (max(start, due) + 1, RED, {"code": "plan-overdue", **basis}),
    ]
    return _figures(basis, warn, length, provisional=False, pauses=[]), steps


def _limit_run(
    gap: Gap, limit: Limit, plan: str | None, pauses: Sequence[Pause], version: Version, calendar: Calendar
) -> tuple[dict[str, Any], list[DayStep]]:
    """The zone's limit, with its pauses left out of the count.

    A limit in months is the calendar days from day 0 to its date before pauses. To move that date by the paused days
    up to the moved date, until it is stable, is the same as to leave paused days out of those calendar days.
    """
    start = last_ordinal(gap.start)
    works = limit.unit == "working_days"
    count, nth = (calendar.count, calendar.nth) if works else (int, int)
    length = limit.amount
    if limit.unit == "months":
        length = add_months(last_day(gap.start), limit.amount).toordinal() - start
    pauses = after(pauses, start) if pauses else pauses
    due = reach(start, length, pauses, count, nth)
    if limit.unit == "months" and limit.amount > version.long_months:
        warn = due - version.warn_days
    else:
        warn = reach(start, _ceil(length, version.warn_share), pauses, count, nth)
    red = due + 1

    basis = _basis(gap, ZONE_DEFAULT, due, limit)
    paused_days = sum(pause.end - pause.begin for pause in pauses if pause.begin < red)
    if paused_days:
        basis["paused_days"] = paused_days
    overdue = {"code": "overdue", **basis}
    steps: list[DayStep] = [(FIRST_DAY, GREEN, {"code": "in-time", **basis})]
    behind = last_ordinal(plan) + 1 if plan is not None else red
    if behind < min(warn, red):
        steps.append((max(behind, FIRST_DAY), YELLOW, {"code": "behind-plan", "plan": plan, **basis}))
    steps += [(warn, YELLOW, {"code": "due-soon", **basis}), (red, RED, overdue)]
    if pauses:
        steps = _overlay(steps, pauses, red, basis, calendar)
    provisional = works and length > 0 and due > calendar.last_published_day
    return _figures(basis, min(warn, behind), length, provisional=provisional, pauses=pauses), steps


def _overlay(
    steps: list[DayStep], pauses: Sequence[Pause], red: int, basis: Mapping[str, Any], calendar: Calendar
) -> list[DayStep]:
    """Lay pauses over lights: grey while in time; what was overdue when the pause began stays red and says so.

    A grey whose approval runs out says so some days before: who needs longer must ask again.
    Every pause lies wholly before ``red`` or wholly from it on: a paused day is never the due date.
    """
    overlaid: list[DayStep] = []
    end = FIRST_DAY
    for place, pause in enumerate(pauses):
        overlaid += _between(steps, end, pause.begin)
        code, light = ("paused", GREY) if pause.begin < red else ("overdue-paused", RED)
        blocker = pause.blocker
        reason = {
            "code": code,
            **basis,
            "blocker": blocker["id"],
            "kind": blocker["kind"],
            "cause": blocker["cause"],
            "owner": blocker["owner"],
            "from": day_text(pause.begin),
            "until": day_text(pause.end - 1),
        }
        notice = notice_day(pauses, place, calendar.count, calendar.nth) if light is GREY else None
        if notice != pause.begin:
            overlaid.append((pause.begin, light, reason))
        if notice is not None:
            overlaid.append((notice, light, reason | {"code": "pause-ending"}))
        end = pause.end
    return overlaid + _between(steps, end, None)


def _between(steps: Sequence[DayStep], begin: int, end: int | None) -> list[DayStep]:
    """The part of the steps that lies in ``[begin, end)``."""
    if end is not None and begin >= end:
        return []
    inside = [step for step in steps if begin < step[0] and (end is None or step[0] < end)]
    _, light, reason = [step for step in steps if step[0] <= begin][-1]
    return [(begin, light, reason), *inside]


def _piece(
    rules: Rules, runs: Sequence[tuple[Version, dict[str, Any], list[DayStep]]], otherwise: Mapping[str, Any]
) -> list[DayStep]:
    """Of each version's lights those of the days on which it is in force."""
    by_version = {version.valid_from: steps for version, _, steps in runs}
    pieced: list[DayStep] = []
    starts = [FIRST_DAY, *(version.valid_from.toordinal() for version in rules.versions[1:]), None]
    for place, version in enumerate(rules.versions):
        steps = by_version.get(version.valid_from, steady(GREY, otherwise))
        begin = starts[place]
        assert begin is not None
        pieced += _between(steps, begin, starts[place + 1])
    return pieced


def _basis(gap: Gap, rule: str, due: int, limit: Limit, *, approximate: bool = False) -> dict[str, Any]:
    """What every reason of a clock tells."""
    basis: dict[str, Any] = {
        "route": gap.route,
        "gap": [gap.reached, gap.awaited],
        "rule": rule,
        "start": last_day(gap.start).isoformat(),
        "due": day_text(due),
        "limit": limit.amount,
        "unit": limit.unit,
    }
    if approximate or is_approximate(gap.start):
        basis["approximate"] = True
    return basis


def _figures(
    basis: Mapping[str, Any], warn: int, length: int, *, provisional: bool, pauses: Sequence[Pause]
) -> dict[str, Any]:
    return {
        "gap": basis["gap"],
        "rule": basis["rule"],
        "kind": "gap",
        "start": basis["start"],
        "due": basis["due"],
        "warn": day_text(warn),
        "limit": basis["limit"],
        "unit": basis["unit"],
        "limit_days": length,
        "provisional": provisional,
        "approximate": "approximate" in basis,
        "paused": union(pauses),
        "paused_by": told(pauses),
    }


def _ceil(length: int, share: tuple[int, int]) -> int:
    return -(-length * share[0] // share[1])


def _share(start: int, length: int, share: tuple[int, int]) -> int:
    """The day on which a share of so many calendar days is used; day 0 where there are none."""
    return start + max(0, _ceil(length, share))
