"""Approved pauses of a clock, read from the blockers they were approved for.

A pause is an approved act: it has an approver and a last day ``until``, and only some causes may pause a rule's clock.
It covers whole business days, from its first day up to ``until`` or to the day before its blocker was cleared,
whichever is earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from luodi.domain.days import day_text, last_ordinal

MAX_PAUSE_DAYS = 90  # of one approval, both ends included: whoever needs more must ask again
NOTICE_WORKDAYS = 3  # so long before an approval runs out its pause says so


class Pause(NamedTuple):
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
            pauses.append(pause if pause.begin >= covered else Pause(covered, *pause[1:]))
            covered = pause.end
    return pauses


def _begun(pause: Pause) -> tuple[int, int]:
    return (pause.begin, pause.approval["number"])


def after(pauses: Sequence[Pause], start: int) -> list[Pause]:
    """The paused days after day 0; earlier ones and day 0 itself do not matter to a clock."""
    return [pause if pause.begin > start else Pause(start + 1, *pause[1:]) for pause in pauses if pause.end > start + 1]


def union(pauses: Sequence[Pause]) -> list[list[str]]:
    """The paused days as intervals ``[from, to)`` of business dates, adjoining ones joined."""
    joined: list[list[int]] = []
    for pause in pauses:
        if joined and joined[-1][1] == pause.begin:
            joined[-1][1] = pause.end
        else:
            joined.append([pause.begin, pause.end])
    return [[day_text(begin), day_text(end)] for begin, end in joined]


def notice_day(
    pauses: Sequence[Pause], place: int, count: Callable[[int], int], nth: Callable[[int], int]
) -> int | None:
    """The day from which the pause at ``place`` says that it runs out: ``NOTICE_WORKDAYS`` before its last day.

    ``count`` numbers the working days, ``nth`` is its inverse. None where nothing runs out: the blocker was cleared,
    or another pause goes on without a day between.
    """
    pause = pauses[place]
    if pause.end <= last_paused(pause.approval["from"], pause.approval["until"]):
        return None
    if place + 1 < len(pauses) and pauses[place + 1].begin == pause.end:
        return None
    return max(pause.begin, nth(count(pause.end - 1) - NOTICE_WORKDAYS))


def told(pauses: Sequence[Pause]) -> list[dict[str, Any]]:
    """The paused days as stored, ``to`` exclusive: by which approval, of which blocker, at whose charge."""
    return [
        {
            "from": day_text(pause.begin),
            "to": day_text(pause.end),
            "blocker": pause.blocker["id"],
            "owner": pause.blocker["owner"],
            "approval": pause.approval["number"],
        }
        for pause in pauses
    ]


def charged(paused_by: Iterable[Mapping[str, Any]], today: int) -> list[dict[str, Any]]:
    """The calendar days up to and including ``today`` charged to each unit, the longest first; owner None: 待认领."""
    days: dict[str | None, int] = {}
    for pause in paused_by:
        begin, end = last_ordinal(pause["from"]), min(last_ordinal(pause["to"]), today + 1)
        if begin < end:
            days[pause["owner"]] = days.get(pause["owner"], 0) + end - begin
    return [{"owner": owner, "days": number} for owner, number in sorted(days.items(), key=_most)]


def _most(entry: tuple[str | None, int]) -> tuple[int, str]:
    return (-entry[1], entry[0] or "")


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
