"""Lights as step functions of the day: the worst of several, one laid into another, and how they are stored."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.days import BEGINNING, END_OF_TIME

RED = "red"
YELLOW = "yellow"
GREY = "grey"
GREEN = "green"
BLUE = "blue"
LIGHTS = (RED, YELLOW, GREY, GREEN, BLUE)  # worst first: a project shows the worst of its lights

ABSENT = "absent"  # while a rule sets no limit: any light is worse; shown as grey where there is no other

Step = Mapping[str, Any]  # {"light", "from", "to" (exclusive), "reason"}: instants and data, as stored
DayStep = tuple[int, str, Mapping[str, Any]]  # (first day as an ordinal, light, reason)

FIRST_DAY = date(1970, 1, 1).toordinal()  # stands for BEGINNING
_BADNESS = {light: place for place, light in enumerate((*LIGHTS, ABSENT))}


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


def present(steps: list[DayStep]) -> list[DayStep]:
    """The same with grey where no rule sets a limit."""
    return [(day, GREY if light == ABSENT else light, reason) for day, light, reason in steps]


def between(steps: Sequence[DayStep], begin: int, end: int | None) -> list[DayStep]:
    """The part of the steps that lies in ``[begin, end)``."""
    if end is not None and begin >= end:
        return []
    inside = [step for step in steps if begin < step[0] and (end is None or step[0] < end)]
    _, light, reason = step_on(steps, begin)
    return [(begin, light, reason), *inside]


def step_on(steps: Sequence[DayStep], day: int) -> DayStep:
    """The step in which a day lies; of several that begin on one day the last. The first one for an earlier day."""
    found = steps[0]
    for step in steps:
        if step[0] > day:
            break
        found = step
    return found


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


def _badness(step: DayStep) -> int:
    return _BADNESS[step[1]]
