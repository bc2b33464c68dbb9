"""What is told: from a project as it is known, and the decision about one of its matters, to the matter as it becomes.

Everything here is a function of values, so two notifiers that know the same make the same matter of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.rules import Rules
from luodi.runtime.configuration import Zone
from services.notify.decide import Act, Circumstances, Decision, clearing_date
from services.notify.hours import Hours, next_opening
from services.notify.ladder import Rung, ladder_of, quickest, standing
from services.notify.matters import (
    HANDOVER,
    RECOVERED_UNSEEN,
    Facts,
    Matter,
    Opening,
    Telling,
    TellingKind,
    ended_unseen,
    opened,
)
from services.notify.recipients import ladder_steps, recipients, role_of, told_again
from services.notify.watches import Deadline, Recovered, Stretch, Watch

ROLL_CALL = Hours(opens=time(7))  # of a working day: by its digest, whoever has taken over since knows


@dataclass(frozen=True, slots=True)
class Teller:
    """Knows the zones, their working days and their rules."""

    zones: Mapping[str, Zone]
    calendar: Calendar
    rules: Rules

    def circumstances(self, watch: Watch, w: str | None, now: str, settle_s: float) -> Circumstances:
        """On what a decision about this project depends besides."""
        return Circumstances(w, now, settle_s, self.calendar.of(watch.zone), self.head_of(watch.zone))

    def roll_call(self, watch: Watch, now: str) -> str:
        """When an open stall is next held against who is responsible then: nothing else tells of a handover."""
        return next_opening(now, ROLL_CALL, self.calendar.of(watch.zone))

    def head_of(self, zone: str | None) -> str | None:
        """Who stands at the top of the zone's ladder, if its row names anybody."""
        known = self.zones.get(zone) if zone is not None else None
        return known.head if known is not None else None

    def changed(self, watch: Watch, matter_id: str, matter: Matter | None, decision: Decision, now: str) -> Matter:
        """The matter after the act that was decided; the same one where its messages are only to be finished."""
        match decision.act:
            case Act.WARN:
                return self._opened(watch, matter_id, matter, "warning", decision.reason, now)
            case Act.OPEN:
                return self._opened(watch, matter_id, matter, "stalled", decision.reason, now)
            case Act.RECOVER:
                return self._recovered(watch, matter_id, matter, now)
        if matter is None:
            raise ValueError(f"{matter_id} was never opened")
        match decision.act:
            case Act.HAND_OVER if decision.to is not None:
                return self._handed_over(watch, matter, decision.to, decision.reason, now)
            case Act.CLIMB if decision.to is not None:
                return self._climbed(watch, matter, decision.to, decision.reason, now)
            case Act.REOPEN:
                return self._reopened(watch, matter, decision.reason, now)
            case Act.REGRADE if (deadline := watch.deadline(matter_id)) is not None:
                return matter.regraded(**self._broken(deadline, now))
            case Act.CLEAR:
                return matter.cleared(now, _clearing(watch, matter, decision), watch.traceparent)
            case Act.RESUME:
                return matter.resumed()
            case _:
                return matter

    def _opened(
        self, watch: Watch, matter_id: str, matter: Matter | None, kind: TellingKind, reason: str, now: str
    ) -> Matter:
        deadline = watch.deadline(matter_id)
        lit = None
        if deadline is not None:
            lit = deadline.yellow_at(now) if kind == "warning" else deadline.red_at(now)
        if deadline is None or lit is None:
            raise ValueError(f"{matter_id} is not lit")
        opening = _opening(watch, matter_id, deadline, lit, kind, reason)
        if kind == "stalled":
            opening = replace(opening, facts={**opening.facts, **self._broken(deadline, now)})
        after = opened(matter, opening, now)
        return after if kind == "warning" else self._dated(watch, after)

    def _recovered(self, watch: Watch, matter_id: str, matter: Matter | None, now: str) -> Matter:
        """An episode that begins and ends at once, with one telling of both."""
        found = watch.recovery(matter_id)
        if found is None:
            raise ValueError(f"{matter_id} has not recovered")
        opening = _opening(watch, matter_id, found, found.red, "recovered", RECOVERED_UNSEEN)
        over = {"code": RECOVERED_UNSEEN, "date": found.ended, "events": watch.events, "ruleset": watch.ruleset}
        return ended_unseen(matter, opening, now, over)

    def _climbed(self, watch: Watch, matter: Matter, to: Rung, why: str, now: str) -> Matter:
        last = matter.last_telling
        # Where nobody stands above, the same are told again: in a new round, for else it would be the same message.
        round_ = matter.round if to.level > last.level else matter.round + 1
        telling = Telling("escalated", to.level, round_, now, to.role, (to.recipient,), why)
        return self._dated(watch, matter.told(telling, watch.traceparent))

    def _handed_over(self, watch: Watch, matter: Matter, to: Rung, why: str, now: str) -> Matter:
        """The same is told to whoever stands now on a step that had been told."""
        told = recipients(watch)[0]
        facts = {"told": told, "role": role_of(watch, told)}
        telling = Telling(HANDOVER, to.level, matter.round, now, to.role, (to.recipient,), why, facts)
        return self._dated(watch, matter.told(telling, watch.traceparent))

    def _reopened(self, watch: Watch, matter: Matter, why: str, now: str) -> Matter:
        """Told on the step it had reached, and to those who are told first."""
        deadline, last = watch.deadline(matter.id), matter.last_telling
        worse = deadline.worse_than(matter.facts["rules"], now) if deadline is not None else None
        if deadline is None or worse is None:
            raise ValueError(f"{matter.id} breaks no other rule")
        told = told_again(watch, last.level, self.head_of(watch.zone), deadline.owner)
        facts = {"told": told[0], "role": role_of(watch, told[0])}
        telling = Telling("stalled", last.level, matter.round + 1, now, last.role, told, why, facts)
        changed = {**_lit(worse.stretch), **self._broken(deadline, now)}
        return self._dated(watch, matter.told(telling, watch.traceparent, **changed))

    def _broken(self, deadline: Deadline, now: str) -> Facts:
        """Which rules are broken, and the ladder by which that climbs."""
        broken = deadline.broken_at(now)
        day = self.calendar.business_date(now)
        ladder = quickest(ladder_of(self.rules, one.preset, one.rule, day, deadline.level) for one in broken)
        return {
            "rules": sorted({one.rule for one in broken}),
            "level": deadline.level,
            "ladder": {"waits": list(ladder.waits), "same_day": ladder.same_day},
        }

    def _dated(self, watch: Watch, matter: Matter) -> Matter:
        """The matter whose newest telling says by when it must be acted on, and who is told next when nobody does."""
        last = matter.newest_telling
        stands = standing(matter, ladder_steps(watch, self.head_of(watch.zone)), self.calendar.of(watch.zone))
        facts: dict[str, Any] = {
            "by": stands.by.isoformat() if stands.by is not None else None,
            "next": stands.next.recipient if stands.next is not None else None,
            "next_role": stands.next.role if stands.next is not None else None,
        }
        dated = replace(last, facts={**last.facts, **facts})
        return replace(matter, tellings=(*matter.all_tellings[:-1], dated))


def _opening(
    watch: Watch, matter_id: str, of: Deadline | Recovered, lit: Stretch, telling: TellingKind, why: str
) -> Opening:
    """An episode of one of the project's matters, told first to those whom a light concerns first."""
    told = recipients(watch, of.owner)
    return Opening(
        id=matter_id,
        kind=of.kind,
        partition=watch.partition,
        project_id=watch.project_id,
        zone=watch.zone,
        recipients=told,
        people=tuple(dict.fromkeys([*told, *watch.people.values(), *watch.responsible.values()])),
        facts={
            "name": watch.name,
            "route": watch.route,
            "gap": list(of.gap) if of.gap else None,
            "blocker": of.blocker,
            "owner": of.owner,
            **_lit(lit),
            "red_since": None if telling == "warning" else lit.since,
            "told": told[0],
            "role": role_of(watch, told[0]),
            "decided": why,
            "guard": [watch.events, watch.ruleset],
        },
        traceparent=watch.traceparent,
        telling=telling,
        why=why,
    )


def _lit(stretch: Stretch) -> dict[str, Any]:
    return {"rule": stretch.rule, "due": stretch.due, "reason": dict(stretch.reason)}


def _clearing(watch: Watch, matter: Matter, decision: Decision) -> dict[str, Any]:
    date = clearing_date(watch, matter, decision.reason)
    return {"code": decision.reason, "date": date, "events": watch.events, "ruleset": watch.ruleset}
