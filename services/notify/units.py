"""Units that report nothing: first told to the heads of their task forces, later to whoever leads the unit.

A unit that leads projects with an open clock, and about none of whose projects anything was recorded for some working
days, is a matter: 1. to the group heads of those projects, 2. after as many working days again to the unit's own head
and the operators; and anything that is recorded ends it. It is told like all that is not urgent, in the inbox and in
the digest. Who reports late is between the unit and its group heads: it stands in no list of the zone.

Nobody is told from stale knowledge: that nothing was reported up to an instant is known when every partition's news up
to that instant is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from luodi.domain.calendar import Calendar
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from services.notify.beats import Beat
from services.notify.matters import NO_PARTITION, Matter, Opening, Telling, opened
from services.notify.recipients import OPERATORS, zone_desk
from services.notify.watches import GRACE_S, after

LOOK_EVERY_S = 60.0
UNIT = "unit"
RULE = "unit-silent"

log = logging.get("units")


@dataclass(frozen=True, slots=True)
class Lead:
    """What a unit leads with an open clock: in which zone, and who heads the task forces of those projects.

    `changed_at`: when the last of its projects changed of which it is not known when anything was recorded; "": none.
    """

    zone: str | None
    group_heads: tuple[str, ...]
    changed_at: str = ""


class UnitStore(Protocol):
    """What is known of units from the projects they lead. Every call may raise TransientError."""

    def latest(self) -> dict[str, str]:
        """Each unit that leads a project -> when anything was last recorded about one of its projects."""

    def lead(self, unit: str) -> Lead | None:
        """What it leads with an open clock; None: nothing."""


class MatterStore(Protocol):
    """What is asked of the matters."""

    def get(self, matter_id: str) -> Matter | None:
        """One matter."""

    def open_of_units(self) -> list[Matter]:
        """All open matters of the kind `unit`."""

    def compare_and_set(self, changes: Sequence[tuple[Matter | None, Matter]]) -> None:
        """Make each change whose matter is still as it was read."""


def matter_of(unit: str) -> str:
    """The id of the matter of a unit."""
    return f"unit:{unit}"


def falls_silent(reported_at: str, days: int, calendar: Calendar) -> str:
    """The instant at which nothing has been reported for so many whole working days: the midnight that begins the
    working day after them. The day of the last report is not counted.
    """
    day = datetime.fromisoformat(reported_at).astimezone(calendar.timezone).date().toordinal()
    last = calendar.nth(calendar.count(day) + days)
    return calendar.midnight_of(calendar.nth(calendar.count(last) + 1))


def known_until(beats: Collection[Beat], partitions: int) -> str:
    """The instant up to which the news of every partition is known; "": of one of them nothing is."""
    found: dict[int, str] = {}
    for beat in beats:
        for partition, until in beat.passed.items():
            found[partition] = max(until, found.get(partition, ""))
    return min((found.get(partition, "") for partition in range(partitions)), default="")


class SilentUnits:
    """One notifier's look at all units; any of them may look, and the first one tells."""

    def __init__(
        self,
        *,
        days: int,
        units: UnitStore,
        matters: MatterStore,
        known: Callable[[], str],
        acting: Callable[[Collection[str]], Mapping[str, str]],
        calendar: Calendar,
        finish: Callable[[], object],
        clock: Clock,
    ) -> None:
        """`days`: working days without any report, 0: nobody is told. `known`: up to when all news is known, "": not
        known; `acting`: who acts today for ids; `finish` writes the messages of matters that changed.
        """
        self._days = days
        self._units = units
        self._matters = matters
        self._known = known
        self._acting = acting
        self._calendar = calendar
        self._finish = finish
        self._clock = clock
        self._looked_at = float("-inf")

    def run(self) -> None:
        """Look, if it is time. Raises TransientError; the next look begins again."""
        if self._clock.monotonic() - self._looked_at < LOOK_EVERY_S:
            return
        self.look()
        self._looked_at = self._clock.monotonic()

    def look(self) -> None:
        """Look at every unit."""
        still_open = {matter.id: matter for matter in self._matters.open_of_units()}
        if not self._days and not still_open:
            return
        known = self._known()  # before the units are read: what they say is as new at least
        latest = self._units.latest()
        changes: list[tuple[Matter | None, Matter]] = []
        for matter in still_open.values():
            changed = self._goes_on(matter, latest, known)
            if changed is not None:
                changes.append((matter, changed))
        for unit in self._candidates(latest, known):
            if matter_of(unit) not in still_open:
                changes += self._opened(unit, latest[unit], known)
        if changes:
            self._matters.compare_and_set(changes)
            log.info("units.told", changed=len(changes))
        self._finish()

    def _candidates(self, latest: Mapping[str, str], known: str) -> list[str]:
        """Units that may have been silent for long enough: so many working days are as many days at least."""
        if not known or not self._days:
            return []
        bound = after(known, -timedelta(days=self._days).total_seconds())
        return sorted(unit for unit, reported_at in latest.items() if reported_at <= bound)

    def _opened(self, unit: str, reported_at: str, known: str) -> list[tuple[Matter | None, Matter]]:
        lead = self._units.lead(unit)
        if lead is None:
            return []
        reported_at = max(reported_at, lead.changed_at)
        calendar = self._calendar.of(lead.zone)
        if known < after(falls_silent(reported_at, self._days, calendar), GRACE_S):
            return []
        before = self._matters.get(matter_of(unit))
        if before is not None and (before.state != "cleared" or not before.complete):
            return []
        told, role = self._first_told(unit, lead)
        opening = Opening(
            id=matter_of(unit),
            kind="unit",
            partition=NO_PARTITION,
            project_id=None,
            zone=lead.zone,
            recipients=told,
            people=(*told, *([unit] if unit not in told else [])),
            facts={
                "owner": unit,
                "rule": RULE,
                "days": self._days,
                "reported_at": reported_at,
                "since": calendar.business_date(reported_at).isoformat(),
                "told": told[0],
                "role": role,
            },
            why=RULE,
        )
        return [(before, opened(before, opening, self._clock.now_text()))]

    def _first_told(self, unit: str, lead: Lead) -> tuple[tuple[str, ...], str]:
        acting = self._acting([*lead.group_heads, unit])
        heads = tuple(dict.fromkeys(acting[head] for head in lead.group_heads))
        if heads:
            return heads, "group_head"
        if acting[unit] != unit:
            return (acting[unit],), "lead_unit"
        return ((zone_desk(lead.zone),), "zone") if lead.zone else ((OPERATORS,), OPERATORS)

    def _goes_on(self, matter: Matter, latest: Mapping[str, str], known: str) -> Matter | None:
        """An open matter as it becomes; None where nothing is due."""
        unit, now = str(matter.facts["owner"]), self._clock.now_text()
        reported_at = latest.get(unit, "")
        if reported_at > matter.facts["reported_at"]:
            since = self._calendar.of(matter.zone).business_date(reported_at).isoformat()
            return matter.cleared(now, {"code": "reported", "date": since}, None)
        if not self._days or self._units.lead(unit) is None:
            return matter.cleared(now, {"code": "nothing-to-report"}, None)
        last = matter.last_telling
        if not matter.complete or last.level > 0:
            return None
        if not known or known < after(
            falls_silent(last.at, matter.facts["days"], self._calendar.of(matter.zone)), GRACE_S
        ):
            return None
        head = self._acting([unit])[unit]
        told = tuple(dict.fromkeys([*([head] if head != unit else []), OPERATORS]))
        role = "lead_unit" if head != unit else OPERATORS
        return matter.told(Telling("escalated", 1, matter.round, now, role, told, RULE), None)
