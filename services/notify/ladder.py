"""The ladder: who must sign for a stall, by when, and to whom it climbs when nobody does. Pure functions of values.

A key project climbs from its officer over the group head, the lead unit and the responsible leader to the head of the
zone; any other ends at the vice leader. Steps are taken at the midnight that begins a working day, as lights turn: the
day named to people is still in time, and what is sent in the morning knows of every step of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal

from luodi.domain.calendar import Calendar
from luodi.domain.days import last_ordinal
from luodi.domain.rules import ZONE_DEFAULT, Ladder, Rules
from services.notify.matters import FEEDBACK, REVIEWED, SIGNED, Entry, Matter

DEFAULT_LADDER = Ladder((1, 3, 5, 5))  # of a stall whose rule names none
OPENS = time(8, 30)  # whoever is told before a working day opens has the whole of it
MAX_HOLDS = 2  # a recovery date holds the ladder at most so often in an episode
MAX_HOLD_DAYS = 90  # and so far ahead, as long as an approved pause may last
LEADER_LEVEL = 3  # of the responsible or vice leader: where a rule says "the same day", it is told up to here
TOP_LEVEL = 4

CLOSE = ("officer", "group_head", "owner", "supervisor")
"""The fields that name who is told first; a project has the first two, a decision the others."""

NAMED_STEPS = ((1, "group_head"), (1, "supervisor"), (2, "lead_unit"))
"""The steps below the leaders: level, and the field that names who stands on it."""

Phase = Literal["to-verify", "to-sign", "signed", "in-review", "held", "told-all"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a project's ladder: its level, the role that stands on it, and who that is."""

    level: int
    role: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an open matter stands on its ladder.

    `climbs`: the instant from which it climbs if nothing happens (None: never by itself), `why` the reason it then
    climbs for, `next` where to; `by`: the last day on which what is awaited is in time.
    """

    phase: Phase
    climbs: str | None
    by: date | None
    why: str
    next: Rung | None


def first_told(people: Mapping[str, str], desk: str) -> tuple[str, ...]:
    """Who is told of a new stall: the officer and the group head, else the first above them, else the desk; of a
    decision whoever must do it and whoever follows it up."""
    close = tuple(dict.fromkeys(people[role] for role in CLOSE if people.get(role)))
    if close:
        return close
    return (next((people[role] for role in ("lead_unit", "leader", "vice_leader") if people.get(role)), desk),)


def rungs(people: Mapping[str, str], desk: str, head: str | None, *, key: bool) -> tuple[Rung, ...]:
    """The steps above those who are told first. A step nobody stands on is left out; the last one always has somebody:
    in place of a leader, or of the head of the zone, the zone's desk is told.
    """
    leaders = ("leader", "vice_leader") if key else ("vice_leader", "leader")
    named = [Rung(level, role, people[role]) for level, role in NAMED_STEPS if people.get(role)]
    leader = next((Rung(LEADER_LEVEL, role, people[role]) for role in leaders if people.get(role)), None)
    if key:
        top = Rung(TOP_LEVEL, "head" if head else "zone", head or desk)
        return (*named, *([leader] if leader else []), top)
    return (*named, leader or Rung(LEADER_LEVEL, "zone", desk))


def ladder_of(rules: Rules, preset: str | None, rule: str, day: date, level: str | None = None) -> Ladder:
    """The ladder of a rule as it is in force on a day.

    A plan that has taken a limit's place, and a promise, climb by the ladder of the preset they stand in; a promise
    about a blocker of a `level` that has a ladder of its own there, by that; a commitment, which stands in no preset,
    by that of the zone's default.
    """
    versions = rules.presets.get(preset or ZONE_DEFAULT) or rules.presets.get(ZONE_DEFAULT, ())
    known = [version for version in versions if version.valid_from <= day and version.ladder is not None]
    own = [version for version in known if version.rule == rule] or known
    newest = max(own, key=lambda version: version.valid_from, default=None)
    if newest is None or newest.ladder is None:
        return DEFAULT_LADDER
    return newest.levels.get(level, newest.ladder) if level is not None else newest.ladder


def quickest(ladders: Iterable[Ladder]) -> Ladder:
    """The ladder of a stall that breaks several rules."""
    return min(ladders, key=lambda ladder: (not ladder.same_day, ladder.waits), default=DEFAULT_LADDER)


def ladder_from(facts: Mapping[str, Any]) -> Ladder:
    """The ladder that a matter was opened with."""
    told = facts.get("ladder")
    return DEFAULT_LADDER if told is None else Ladder(tuple(told["waits"]), told["same_day"])


def standing(matter: Matter, steps: Sequence[Rung], calendar: Calendar) -> Standing:
    """Where an open matter stands: what is awaited since the last telling, and what follows when it does not come.

    1. A signature gives the signer the step's wait again, to say what is being done.
    2. Feedback gives the group head the same time to review it; refused, the signature's time holds as before.
    3. Accepted, its recovery date holds the ladder through that day.
    """
    ladder, last = ladder_from(matter.facts), matter.last_telling
    above = next((rung for rung in steps if rung.level > last.level), None)
    wait = _wait(ladder, steps, last.level)
    here = above or steps[-1]  # told again where there is nobody above
    now = _Since(matter.entries_since())
    if now.held_until is not None:
        through = last_ordinal(now.held_until)
        if now.asked_at is not None:
            through = max(through, _last_day(now.asked_at, max(wait, 1), calendar))
        return _standing("held", through, "recovery-date-passed", here, calendar)
    if now.asked_at is not None:
        through = _last_day(now.asked_at, max(wait, 1), calendar)
        return _standing("in-review", through, "feedback-not-reviewed", here, calendar)
    if now.signed_at is not None:
        why = "feedback-refused" if now.refused else "signature-expired"
        return _standing("signed", _last_day(now.signed_at, max(wait, 1), calendar), why, here, calendar)
    if above is None:
        return Standing("told-all", None, None, "not-signed", None)
    if wait == 0:
        return Standing("to-sign", last.at, calendar.business_date(last.at), "same-day", above)
    phase: Phase = "to-verify" if last.level == 0 and last.round == 1 else "to-sign"
    why = "not-verified" if phase == "to-verify" else "not-signed"
    return _standing(phase, _last_day(last.at, wait, calendar), why, above, calendar)


def holds_used(matter: Matter) -> int:
    """How often an accepted recovery date has held the ladder in this episode."""
    return sum(entry.kind == REVIEWED and bool(entry.data["accepted"]) for entry in matter.entries)


class _Since:
    """What was done since the last telling."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.signed_at: str | None = None
        self.asked_at: str | None = None  # the first feedback that nobody has reviewed: a later one wins no time
        self.held_until: str | None = None
        self.refused = False
        recovery: str | None = None
        for entry in entries:
            if entry.kind in (SIGNED, FEEDBACK):
                self.signed_at = self.signed_at or entry.at
            if entry.kind == FEEDBACK:
                self.asked_at = self.asked_at or entry.at
                recovery = entry.data["recovery"]
            if entry.kind == REVIEWED:
                self.asked_at = None
                self.refused = not entry.data["accepted"]
                if not self.refused:
                    self.held_until = recovery


def _wait(ladder: Ladder, steps: Sequence[Rung], level: int) -> int:
    """The working days that a step waits before the one above it is told."""
    if ladder.same_day and level < LEADER_LEVEL:
        return 0
    place = sum(rung.level <= level for rung in steps)
    return ladder.waits[min(place, len(ladder.waits) - 1)]


def _last_day(told_at: str, wait: int, calendar: Calendar) -> int:
    """The last of `wait` whole working days after an instant, as an ordinal."""
    local = datetime.fromisoformat(told_at).astimezone(calendar.timezone)
    before = local.date().toordinal() - (local.time() < OPENS)
    return calendar.nth(calendar.count(before) + wait)


def _standing(phase: Phase, through: int, why: str, rung: Rung, calendar: Calendar) -> Standing:
    """It climbs at the midnight that begins the first working day after `through`."""
    climbs = calendar.midnight_of(calendar.nth(calendar.count(through) + 1))
    return Standing(phase, climbs, date.fromordinal(through), why, rung)
