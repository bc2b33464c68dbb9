"""Approved pauses of a clock, read from the blockers they were approved for.

A pause is an approved act: a blocker pauses only with an approver and an ``until``, and only for a cause that the rules
allow. It covers whole business days, from the day of the blocker up to the day before it was cleared or up to
``until``, whichever is earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from luodi.domain.days import day_text, last_ordinal

MAX_PAUSE_DAYS = 90  # of one approval, both ends included: whoever needs more must ask again


@dataclass(frozen=True, slots=True)
class Pause:
    """Days (ordinals, ``end`` exclusive) in which a clock stands still, and the blocker charged with them."""

    begin: int
    end: int
    blocker: Mapping[str, Any]


def is_paused(blocker: Mapping[str, Any]) -> bool:
    """Whether a pause was approved for a blocker, whatever its cause."""
    return bool(blocker["approver"] and blocker["until"])


def is_too_long(begin: str, until: str) -> bool:
    """Whether a pause from a business date until another (both included) is longer than one approval may be."""
    return last_ordinal(until) - last_ordinal(begin) >= MAX_PAUSE_DAYS


def last_paused(blocker: Mapping[str, Any]) -> int:
    """The last day of an approved pause; never later than one approval reaches."""
    return min(last_ordinal(blocker["until"]), last_ordinal(blocker["date"]) + MAX_PAUSE_DAYS - 1)


def approved(blockers: Iterable[Mapping[str, Any]], causes: Collection[str]) -> list[Pause]:
    """The paused days in order and without overlap; ``blockers`` come in the order they were recorded.

    A day under several pauses belongs to the one begun first, then to the one recorded first.
    """
    candidates = []
    for blocker in blockers:
        if not is_paused(blocker) or blocker["cause"] not in causes:
            continue
        begin, end = last_ordinal(blocker["date"]), last_paused(blocker) + 1
        if blocker["cleared"] is not None:
            end = min(end, last_ordinal(blocker["cleared"]))
        if begin < end:
            candidates.append(Pause(begin, end, blocker))
    candidates.sort(key=attrgetter("begin"))  # stable: those begun on one day stay in recorded order
    pauses: list[Pause] = []
    covered = 0
    for pause in candidates:
        if pause.end > covered:
            pauses.append(pause if pause.begin >= covered else Pause(covered, pause.end, pause.blocker))
            covered = pause.end
    return pauses


def after(pauses: Sequence[Pause], start: int) -> list[Pause]:
    """The paused days after day 0; earlier ones and day 0 itself do not matter to a clock."""
    return [
        pause if pause.begin > start else Pause(start + 1, pause.end, pause.blocker)
        for pause in pauses
        if pause.end > start + 1
    ]


def union(pauses: Sequence[Pause]) -> list[list[str]]:
    """The paused days as intervals ``[from, to)`` of business dates, adjoining ones joined."""
    joined: list[list[int]] = []
    for pause in pauses:
        if joined and joined[-1][1] == pause.begin:
            joined[-1][1] = pause.end
        else:
            joined.append([pause.begin, pause.end])
    return [[day_text(begin), day_text(end)] for begin, end in joined]


def reach(
    start: int, amount: int, pauses: Sequence[Pause], count: Callable[[int], int], nth: Callable[[int], int]
) -> int:
    """The day on which ``amount`` counted days are used, paused ones left out; ``start`` for an amount of 0 or less.

    ``count`` numbers the days that count, ``nth`` is its inverse. ``pauses`` lie after ``start``.
    """
    if amount <= 0:
        return start
    target = count(start) + amount
    for pause in pauses:
        if count(pause.begin - 1) >= target:
            break
        target += count(pause.end - 1) - count(pause.begin - 1)
    return nth(target)
