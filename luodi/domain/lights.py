"""Lights as step functions of the day: the worst of several, one laid into another, and how they are stored."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
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
    merged = tracks[0]
    for track in tracks[1:]:
        merged = _worse(merged, track)
    return merged


def _worse(one: Sequence[DayStep], other: Sequence[DayStep]) -> list[DayStep]:
    """The worse of two; both begin with the beginning of time."""
    merged: list[DayStep] = []
    left, right = one[0], other[0]
    day, i, j, shown = left[0], 1, 1, None
    while True:
        while i < len(one) and one[i][0] <= day:  # of several steps that begin on one day the last holds
            left = one[i]
            i += 1
        while j < len(other) and other[j][0] <= day:
            right = other[j]
            j += 1
        first = left if _BADNESS[left[1]] <= _BADNESS[right[1]] else right
        if first[2] is not shown:
            shown = first[2]
            merged.append((day, first[1], shown))
        if i < len(one):
            day = one[i][0] if j == len(other) or one[i][0] < other[j][0] else other[j][0]
        elif j < len(other):
            day = other[j][0]
        else:
            return merged


def present(steps: list[DayStep]) -> list[DayStep]:
    """The same with grey where no rule sets a limit."""
    if all(light != ABSENT for _, light, _ in steps):
        return steps
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


def render(steps: Sequence[DayStep], calendar: Calendar) -> list[dict[str, Any]]:
    """Steps as stored: without a hole from BEGINNING to END_OF_TIME, each from the midnight its first day begins."""
    lights: list[dict[str, Any]] = []
    begin, (_, light, reason) = BEGINNING, steps[0]
    for day, following, why in steps[1:]:
        end = calendar.midnight_of(day)
        if end > begin:  # or nothing is left of the step before
            lights.append({"light": light, "from": begin, "to": end, "reason": reason})
            begin = end
        light, reason = following, why
    lights.append({"light": light, "from": begin, "to": END_OF_TIME, "reason": reason})
    return lights


def light_at(lights: Sequence[Step], now: str) -> Step:
    """The step in which an instant lies; the first or last one for an instant outside all of them."""
    return lights[max(0, bisect_right(lights, now, key=itemgetter("from")) - 1)]
