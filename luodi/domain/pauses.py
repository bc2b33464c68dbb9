"""Approved pauses of a clock, read from the blockers they were approved for.

A pause is an approved act: it has an approver and a last day ``until``, and only some causes may pause a rule's clock.
It covers whole business days, from its first day up to ``until`` or to the day before its blocker was cleared,
whichever is earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from luodi.domain.days import day_text, last_ordinal

MAX_PAUSE_DAYS = 90  # of one approval, both ends included: whoever needs more must ask again


@dataclass(frozen=True, slots=True)
class Pause:
    """Days (ordinals, ``end`` exclusive) in which a clock stands still, the blocker charged with them, its approval."""

    begin: int
    end: int
    blocker: Mapping[str, Any]
    approval: Mapping[str, Any]


def is_too_long(begin: str, until: str) -> bool:
    """Whether a pause from a business date until another (both included) is longer than one approval may be."""
    return last_ordinal(until) - last_ordinal(begin) >= MAX_PAUSE_DAYS


def last_paused(begin: str, until: str) -> int:
    """The last day of an approved pause; never later than one approval reaches."""
    return min(last_ordinal(until), last_ordinal(begin) + MAX_PAUSE_DAYS - 1)


def approved(
    blockers: Iterable[Mapping[str, Any]], causes: Collection[str], *, needs_document: bool = False
) -> list[Pause]:
    """The paused days in order and without overlap, of blockers with one of the causes.

    ``needs_document``: an approval without the reference of a document does not count. A day under several pauses
    belongs to the one begun first, then to the one recorded first.
    """
    candidates = []
    for blocker in blockers:
        if not blocker["pauses"] or blocker["cause"] not in causes:
            continue
        for approval in blocker["pauses"]:
            begin, end = last_ordinal(approval["from"]), last_ordinal(approval["end"])
            if begin < end and (approval["document"] or not needs_document):
                candidates.append(Pause(begin, end, blocker, approval))
    if len(candidates) > 1:
        candidates.sort(key=_begun)
    pauses: list[Pause] = []
    covered = 0
    for pause in candidates:
        if pause.end > covered:
            pauses.append(pause if pause.begin >= covered else replace(pause, begin=covered))
            covered = pause.end
    return pauses


def _begun(pause: Pause) -> tuple[int, int]:
    return (pause.begin, pause.approval["number"])


def after(pauses: Sequence[Pause], start: int) -> list[Pause]:
    """The paused days after day 0; earlier ones and day 0 itself do not matter to a clock."""
    return [
        pause if pause.begin > start else replace(pause, begin=start + 1) for pause in pauses if pause.end > start + 1
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
