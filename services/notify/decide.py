"""Shall somebody be told? A function of values, `now` and the watermark included, with a named reason.

The rule, from which every case below follows: nobody is told anything from stale knowledge.

- A light that was still to turn when it was first seen is told when the watermark and now are both `GRACE_S` past it.
- One that had turned when first seen, at s, is told when the watermark has reached s and the settling time, with the
  project quiet that long; at the latest `LATEST_S` after s, however busy the project.
- A stall is over when the project as known is no longer red and the watermark has reached the moment this became known.
- A change of rules alone is told only where something turns red that was not known as red: a stall that ends by it ends
  without a message, and goes on without one where the rules are changed back and nothing else has happened. A warning
  that comes by it is none.
- A stall that began and ended while the system itself was behind, so that nobody could be told, is told once as
  recovered, when the watermark has reached the moment this became known and the project has settled.
- Whoever has taken over a step that had been told is told, and that leaves the ladder as it stands.
- A stall that was told climbs its ladder at the instant that `ladder.standing` names, known to be red up to then. An
  approved pause holds every message but the all-clear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from luodi.domain.calendar import Calendar
from luodi.domain.days import END_OF_TIME, last_ordinal
from luodi.domain.stages import PERFORMING
from services.notify.ladder import Rung, standing
from services.notify.matters import RULES_CHANGED, Matter
from services.notify.recipients import ladder_steps, taken_over
from services.notify.watches import GRACE_S, Deadline, Recovered, Stretch, Watch, after

LATEST_S = 60.0  # a project that is edited all the time is told about all the same
NO_LONGER_DUE = "no-longer-due"  # the clearing of an episode that a correction ended

WAITING = {
    "to-verify": "waits-for-verification",
    "to-sign": "waits-for-signature",
    "signed": "waits-for-feedback",
    "in-review": "waits-for-review",
    "held": "held-until-recovery",
    "told-all": "everybody-told",
}
"""Where a stall stands on its ladder -> why nobody is told now."""


class Act(StrEnum):
    """What is to be done with a matter."""

    WARN = "warn"  # a new episode: tell that it is about to stall
    OPEN = "open"  # a new episode, or the one that was warned of: tell that it is stalled
    HAND_OVER = "hand-over"  # somebody has taken over a step that had been told, and was not told yet
    CLIMB = "climb"  # the step was not signed for in time, or what was promised did not come: tell the next one
    REGRADE = "regrade"  # its blocker has another level now: it climbs by the ladder of that
    REOPEN = "reopen"  # another rule is broken: a new round, for what was signed does not cover it
    RECOVER = "recover"  # an episode that was over before anybody could be told: tell that it was, and is over
    FINISH = "finish"  # the last change is not complete: write its messages
    CLEAR = "clear"  # the episode is over: all clear, where it was red
    RESUME = "resume"  # the episode that other rules ended goes on: whoever needs to know has been told


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, why, and the instant (for watermark and now) at which to look again if nothing changes.

    `to`: the step of the ladder that is told next.
    """

    act: Act | None
    reason: str
    again: str = END_OF_TIME
    to: Rung | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision depends on besides the project and the matter.

    `w` is the usable watermark of the project's partition, None when there is none; `calendar` that of its zone, `head`
    who stands at the top of the zone's ladder. All instants are business time.
    """

    w: str | None
    now: str
    settle_s: float
    calendar: Calendar
    head: str | None = None


def decide(watch: Watch, matter_id: str, matter: Matter | None, at: Circumstances) -> Decision:
    """Decide on one matter of a project. `matter` is its record, None when it was never opened."""
    if watch.unreadable:
        return Decision(None, "unreadable")
    if matter is not None and matter.state == "cleared" and not matter.complete:
        return Decision(Act.FINISH, "all-clear-not-complete", at.now)
    deadline = watch.deadline(matter_id)
    red = deadline.red_at(at.now) if deadline is not None else None
    if matter is not None and matter.state == "open":
        return _of_open(watch, deadline, red, matter, at)
    recovered = watch.recovery(matter_id)
    if recovered is not None and _is_untold(recovered, matter):
        return _of_recovered(watch, recovered, at)
    if matter is not None and matter.state == "warned" and red is None:
        return _of_warned(watch, deadline, matter, at)
    if deadline is None:
        return Decision(None, "no-deadline")
    if red is None:
        return _of_yellow(watch, deadline, at)
    paused = deadline.paused_until(at.now)
    if paused is not None:
        return Decision(None, "paused", min(red.until, paused))
    decision = _of_lit(Act.OPEN, "stalled", watch, deadline.seen, red, at)
    came_by_rules = deadline.seen >= red.since  # a light that turns in its own time is news under any rules
    if decision.act is Act.OPEN and matter is not None and came_by_rules and _is_known(watch, matter):
        return Decision(Act.RESUME, "known-before-rules-changed", decision.again)
    return decision


def _is_untold(recovered: Recovered, matter: Matter | None) -> bool:
    """Whether the matter was not open when its end became known: an episode cleared before is another one.

    That red itself is one it was told of, whatever the clocks of two notifiers make of before and after.
    """
    if matter is None or matter.state == "warned":
        return True
    told = matter.facts.get("red_since") == recovered.red.since
    return not told and matter.cleared_at is not None and matter.cleared_at < recovered.seen


def _of_recovered(watch: Watch, recovered: Recovered, at: Circumstances) -> Decision:
    calm = after(max(recovered.seen, watch.changed_at), at.settle_s)
    latest = after(recovered.seen, LATEST_S)
    return _when(Act.RECOVER, "recovered-unseen", min(calm, latest), "recovered-settling", at)


def _is_known(watch: Watch, matter: Matter) -> bool:
    """Whether everybody was told of the matter's last stall, which other rules ended, with nothing new since."""
    clearing = matter.clearing or {}
    told = clearing.get("code") == RULES_CHANGED and bool(clearing.get("told")) and matter.was_red
    return told and clearing["events"] == watch.events


def _of_open(
    watch: Watch, deadline: Deadline | None, red: Stretch | None, matter: Matter, at: Circumstances
) -> Decision:
    if red is None or deadline is None:
        return _of_over(watch, deadline.ended(at.now) if deadline is not None else None, matter, at)
    if not matter.complete:
        return Decision(Act.FINISH, "not-completely-told", at.now)
    ahead = min(red.until, _past_grace(deadline.next_broken(at.now)))
    paused = deadline.paused_until(at.now)
    if paused is not None:
        return Decision(None, "paused", min(ahead, paused))
    known = matter.facts.get("rules")  # an episode that an earlier version opened never knew which
    worse = deadline.worse_than(known, at.now) if known is not None else None
    if worse is not None:
        return _when(
            Act.REOPEN, "another-rule-broken", _calm(watch, worse.stretch.since, at), "another-rule-settling", at
        )
    if known is not None and deadline.level != matter.facts.get("level"):
        return Decision(Act.REGRADE, "another-level", at.now)
    newcomer = taken_over(watch, matter, at.head)
    if newcomer is not None:
        calm = after(watch.changed_at, min(at.settle_s, LATEST_S))
        return _when(Act.HAND_OVER, "handed-over", calm, "handover-settling", at, newcomer)
    stands = standing(matter, ladder_steps(watch, at.head), at.calendar)
    if stands.climbs is None:
        return Decision(None, WAITING[stands.phase], ahead)
    decision = _when(Act.CLIMB, stands.why, after(stands.climbs, GRACE_S), WAITING[stands.phase], at, stands.next)
    return decision if decision.act is not None else Decision(None, decision.reason, min(ahead, decision.again))


def _of_warned(watch: Watch, deadline: Deadline | None, matter: Matter, at: Circumstances) -> Decision:
    """Of a matter that was only warned of and is not red."""
    yellow = deadline.yellow_at(at.now) if deadline is not None else None
    if deadline is None or yellow is None:
        ended = max((y.until for y in deadline.yellows if y.until <= at.now), default=None) if deadline else None
        return _of_over(watch, ended, matter, at)
    if not matter.complete:
        return Decision(Act.FINISH, "not-completely-warned", at.now)
    return Decision(None, "already-warned", min(yellow.until, _next_red(deadline, at.now)))


def _of_over(watch: Watch, ended: str | None, matter: Matter, at: Circumstances) -> Decision:
    over_since = max(watch.changed_at, ended or "")
    if at.w is None:
        return Decision(None, "clearing-without-watermark", over_since)
    if at.w < over_since:
        return Decision(None, "clearing-before-watermark", over_since)
    why = clearing_of(watch, matter)
    if why == NO_LONGER_DUE and watch.changed_at < over_since:
        why = RULES_CHANGED  # without any news a red ends only where the next version of its rule begins
    return Decision(Act.CLEAR, why, at.now)


def _of_yellow(watch: Watch, deadline: Deadline, at: Circumstances) -> Decision:
    """Of a matter that is not red and nobody was warned of."""
    ahead = _next_red(deadline, at.now)
    yellow = deadline.yellow_at(at.now)
    if yellow is None:
        coming = deadline.next_yellow(at.now)
        return Decision(None, "in-time", min(ahead, _past_grace(coming.since) if coming else END_OF_TIME))
    if deadline.yellow_seen is None:
        return Decision(None, "warned-by-rules-alone", min(ahead, yellow.until))
    decision = _of_lit(Act.WARN, "warned", watch, deadline.yellow_seen, yellow, at)
    return decision if decision.act is not None else Decision(None, decision.reason, min(ahead, decision.again))


def _of_lit(act: Act, word: str, watch: Watch, seen: str, lit: Stretch, at: Circumstances) -> Decision:
    """A light that has turned and is not told yet; `seen`: since when it is known."""
    if seen < lit.since:
        return _when(act, word, after(lit.since, GRACE_S), "in-grace", at)
    calm = after(max(seen, watch.changed_at), at.settle_s)
    latest = after(seen, LATEST_S)
    fires = f"{word}-when-first-seen" if calm <= latest else f"{word}-and-never-quiet"
    return _when(act, fires, min(calm, latest), "settling", at)


def _when(act: Act, reason: str, ready: str, waits: str, at: Circumstances, to: Rung | None = None) -> Decision:
    """Act as soon as now and the watermark have both reached an instant."""
    if at.w is None:
        return Decision(None, "without-watermark", ready)
    if at.now < ready:
        return Decision(None, waits, ready)
    if at.w < ready:
        return Decision(None, "before-watermark", ready)
    return Decision(act, reason, at.now, to)


def _calm(watch: Watch, since: str, at: Circumstances) -> str:
    """When a further red may be told: past its grace, and the project settled."""
    return max(after(since, GRACE_S), after(watch.changed_at, min(at.settle_s, LATEST_S)))


def _next_red(deadline: Deadline, now: str) -> str:
    ahead = deadline.next_red(now)
    return after(ahead.since, GRACE_S) if ahead is not None else END_OF_TIME


def _past_grace(moment: str) -> str:
    return after(moment, GRACE_S) if moment < END_OF_TIME else END_OF_TIME


def clearing_of(watch: Watch, matter: Matter) -> str:
    """Why a stall is over, as the code that its all-clear is worded by."""
    return next(code for code, holds in CLEARINGS.items() if holds(watch, matter))


def clearing_date(watch: Watch, matter: Matter, code: str) -> str | None:
    """The business date on which what ended the stall happened, where there is one; of a promise the day now given."""
    match code:
        case "withdrawn":
            return watch.withdrawn
        case "stage-reached":
            return watch.reached[matter.facts["gap"][1]]
        case "performance-reached":
            return watch.performed[matter.facts["rule"]]
        case "blocker-cleared":
            return watch.blockers[matter.facts["blocker"]]
        case "decision-done":
            return watch.done
        case "promise-postponed":
            return _promised(watch, matter)
        case _:
            return None


def _stage_reached(watch: Watch, matter: Matter) -> bool:
    gap = matter.facts.get("gap")
    return gap is not None and gap[1] in watch.reached


def _performance_reached(watch: Watch, matter: Matter) -> bool:
    gap = matter.facts.get("gap")
    return gap is not None and gap[1] == PERFORMING and matter.facts["rule"] in watch.performed


def _blocker_cleared(watch: Watch, matter: Matter) -> bool:
    blocker = matter.facts.get("blocker")
    return blocker is not None and watch.blockers.get(blocker) is not None


def _promised_anew(watch: Watch, matter: Matter) -> bool:
    promised = _promised(watch, matter)
    return promised is not None and last_ordinal(promised) > last_ordinal(matter.facts["due"])


def _promised(watch: Watch, matter: Matter) -> str | None:
    """The day that the promise of a matter is due now."""
    promised = matter.facts.get("blocker") is not None or matter.kind == "decision"
    deadline = watch.deadline(matter.id) if promised else None
    return None if deadline is None else max((red.due for red in deadline.reds), key=last_ordinal, default=None)


CLEARINGS: dict[str, Callable[[Watch, Matter], bool]] = {
    "withdrawn": lambda watch, _matter: watch.status == "withdrawn",
    "stage-reached": _stage_reached,
    "performance-reached": _performance_reached,
    "blocker-cleared": _blocker_cleared,
    "decision-done": lambda watch, matter: matter.kind == "decision" and watch.done is not None,
    "promise-postponed": _promised_anew,
    RULES_CHANGED: lambda watch, matter: matter.id in watch.lifted,
    NO_LONGER_DUE: lambda _watch, _matter: True,
}
"""Why a stall is over: the first that holds."""
