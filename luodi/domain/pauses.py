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


_made = tuple.__new__  # a named tuple in a third of the time that its own call takes


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
    last, reached = last_ordinal(until), last_ordinal(begin) + MAX_PAUSE_DAYS - 1
    return last if last < reached else reached  # noqa: FURB136  # asked for every pause of every clock


def approved(
    blockers: Iterable[Mapping[str, Any]], causes: Collection[str], *, needs_document: bool = False
) -> list[Pause]:
    """The paused days in order and without overlap, of blockers with one of the causes."""
    return allowed(approvals(blockers), causes, needs_document=needs_document)


def approvals(blockers: Iterable[Mapping[str, Any]]) -> list[Pause]:
    """Every approved pause of at least a day, by its beginning, then by when it was recorded; they may overlap."""
    found: list[Pause] = []
    latest, ordered = 0, True
    for blocker in blockers:
        for approval in blocker["pauses"]:
            begin, end = last_ordinal(approval["from"]), last_ordinal(approval["end"])
            if begin < end:
                found.append(_made(Pause, (begin, end, blocker, approval)))
                ordered, latest = ordered and begin > latest, begin
    if not ordered:
        found.sort(key=_begun)
    return found


def allowed(approvals: Iterable[Pause], causes: Collection[str], *, needs_document: bool = False) -> list[Pause]:
    """Those that may pause a clock, without overlap: a day under several belongs to the first of ``approvals``.

    ``needs_document``: an approval without the reference of a document does not count.
    """
    pauses: list[Pause] = []
    covered = 0
    for pause in approvals:
        _, end, blocker, approval = pause
        if blocker["cause"] not in causes or (needs_document and not approval["document"]):
            continue
        if end > covered:
            pauses.append(pause if pause.begin >= covered else Pause(covered, *pause[1:]))
            covered = pause.end
    return pauses


def _begun(pause: Pause) -> tuple[int, int]:
    return (pause.begin, pause.approval["number"])


def after(pauses: Sequence[Pause], start: int) -> list[Pause]:
    """The paused days after day 0; earlier ones and day 0 itself do not matter to a clock."""
    return [pause if pause.begin > start else Pause(start + 1, *pause[1:]) for pause in pauses if pause.end > start + 1]


def notice_day(pause: Pause, count: Callable[[int], int], nth: Callable[[int], int]) -> int | None:
    """The day from which a pause says that it runs out: ``NOTICE_WORKDAYS`` before its last day.

    ``count`` numbers the working days, ``nth`` is its inverse. None where nothing runs out: the blocker was cleared.
    """
    begin, end, _, approval = pause
    if end <= last_paused(approval["from"], approval["until"]):
        return None
    return max(begin, nth(count(end - 1) - NOTICE_WORKDAYS))


def told(pause: Pause) -> dict[str, Any]:
    """The paused days as stored, ``to`` exclusive: by which approval, of which blocker, at whose charge."""
    begin, end, blocker, approval = pause
    return {
        "from": day_text(begin),
        "to": day_text(end),
        "blocker": blocker["id"],
        "owner": blocker["owner"],
        "approval": approval["number"],
    }


HeldBy = Mapping[str, Sequence[Mapping[str, Any]]]
"""Blocker -> the units that had to act on it before the one in force, each with the day from which it no longer had."""

_HELD_BY: HeldBy = {}


def held_by(blockers: Iterable[Mapping[str, Any]]) -> HeldBy:
    """Of those blockers that changed hands."""
    return {blocker["id"]: blocker["held_by"] for blocker in blockers if "held_by" in blocker}


def charged(paused_by: Iterable[Mapping[str, Any]], today: int, held_by: HeldBy = _HELD_BY) -> list[dict[str, Any]]:
    """The calendar days up to and including ``today`` charged to each unit, the longest first; owner None: 待认领.

    A day is charged to the unit that had to act on it: whoever takes a blocker over is not charged with earlier days.
    """
    days: dict[str | None, int] = {}
    for pause in paused_by:
        begin, end = last_ordinal(pause["from"]), min(last_ordinal(pause["to"]), today + 1)
        for earlier in held_by.get(pause["blocker"], ()):
            until = min(last_ordinal(earlier["to"]), end)
            if begin < until:
                days[earlier["owner"]] = days.get(earlier["owner"], 0) + until - begin
                begin = until
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
    for begin, end, _, _ in pauses:
        before = count(begin - 1)
        if before >= target:
            break
        target += count(end - 1) - before
    return nth(target)


def reach_calendar_days(start: int, amount: int, pauses: Sequence[Pause]) -> int:
    """The same where every day counts."""
    if amount <= 0:
        return start
    day = start + amount
    for begin, end, _, _ in pauses:
        if begin > day:
            break
        day += end - begin
    return day
