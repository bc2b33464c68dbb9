"""Lights as step functions of the day: the worst of several, one laid into another, and how they are stored."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
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
_NEVER = date.max.toordinal() + 1
_NONE: DayStep = (_NEVER, ABSENT, {})  # behind the last step
_BADNESS = {light: place for place, light in enumerate((*LIGHTS, ABSENT))}


PAUSE_CODES = ("overdue-paused", "paused", "pause-ending")


class Because(dict[Any, Any]):
    """Why a clock shows a light: the reasons of the clock at one place of its document, by code; and by the place of a
    pause in the clock the three that come with a pause. All documents share them: nobody may change one.
    """

    def __init__(self, clock: int) -> None:
        self._clock = clock

    def __missing__(self, key: str | int) -> Any:
        made: Any
        if isinstance(key, str):
            made = {"code": key, "clock": self._clock}
        else:
            made = tuple({"code": code, "clock": self._clock, "pause": key} for code in PAUSE_CODES)
        self[key] = made  # idempotent, so that threads may race
        return made


because = lru_cache(maxsize=1 << 10)(Because)


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
    ours, theirs = iter(one), iter(other)
    left, right = next(ours), next(theirs)
    next_left, next_right = next(ours, _NONE), next(theirs, _NONE)
    left_on, right_on = next_left[0], next_right[0]
    left_is, right_is = _BADNESS[left[1]], _BADNESS[right[1]]
    day, shown = left[0], None
    while True:
        while left_on <= day:  # of several steps that begin on one day the last holds
            left, next_left = next_left, next(ours, _NONE)
            left_on, left_is = next_left[0], _BADNESS[left[1]]
        while right_on <= day:
            right, next_right = next_right, next(theirs, _NONE)
            right_on, right_is = next_right[0], _BADNESS[right[1]]
        first = left if left_is <= right_is else right
        reason = first[2]
        if reason is not shown:
            shown = reason
            merged.append(first if first[0] == day else (day, first[1], reason))
        if left_on == _NEVER and (right_on == _NEVER or left_is == 0):  # nothing is worse than red
            return merged
        day = left_on if left_on < right_on else right_on  # noqa: FURB136  # a call would cost as much as the rest


def present(steps: list[DayStep]) -> list[DayStep]:
    """The same with grey where no rule sets a limit."""
    if ABSENT not in [light for _, light, _ in steps]:
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
    midnight_of = calendar.midnight_of
    for day, following, why in steps[1:]:
        end = midnight_of(day)
        if end > begin:  # or nothing is left of the step before
            lights.append({"light": light, "from": begin, "to": end, "reason": reason})
            begin = end
        light, reason = following, why
    lights.append({"light": light, "from": begin, "to": END_OF_TIME, "reason": reason})
    return lights


def light_at(lights: Sequence[Step], now: str) -> Step:
    """The step in which an instant lies; the first or last one for an instant outside all of them."""
    return lights[max(0, bisect_right(lights, now, key=itemgetter("from")) - 1)]
