"""Shall somebody be told? A function of values, `now` and the watermark included, with a named reason.

The rule, from which every case below follows: nobody is told anything from stale knowledge.

- A deadline that lay ahead when it was first seen is told when the watermark and now are both `GRACE_S` past it.
- One already past when first seen, at s, is told when the watermark has reached s and the settling time, with the
  project quiet that long; at the latest `LATEST_S` after s, however busy the project.
- A stall is over when the project as known is no longer red and the watermark has reached the moment this became known.
- A change of rules alone is told only where something turns red that was not known as red: a stall that ends by it ends
  without a message, and goes on without one where the rules are changed back and nothing else has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from luodi.domain.days import END_OF_TIME, instant, last_ordinal, parse_instant
from services.notify.matters import RULES_CHANGED, Matter
from services.notify.watches import Deadline, Red, Watch

GRACE_S = 5.0  # for clocks that differ a little, and for a report that arrives at the last moment
LATEST_S = 60.0  # a project that is edited all the time is told about all the same
NO_LONGER_DUE = "no-longer-due"  # the clearing of an episode that a correction ended


class Act(StrEnum):
    """What is to be done with a matter."""

    OPEN = "open"  # a new episode: tell that it is stalled
    FINISH = "finish"  # the last change is not complete: write its messages
    CLEAR = "clear"  # the episode is over: all clear
    RESUME = "resume"  # the episode that other rules ended goes on: whoever needs to know has been told


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, why, and the instant (for watermark and now) at which to look again if nothing changes."""

    act: Act | None
    reason: str
    again: str = END_OF_TIME


def decide(watch: Watch, matter_id: str, matter: Matter | None, w: str | None, now: str, settle_s: float) -> Decision:
    """Decide on one matter of a project.

    `matter` is its record, None when it was never opened; `w` the usable watermark of the project's partition, None
    when there is none. All instants are business time.
    """
    if watch.unreadable:
        return Decision(None, "unreadable")
    if matter is not None and matter.state == "cleared" and not matter.complete:
        return Decision(Act.FINISH, "all-clear-not-complete", now)
    deadline = watch.deadline(matter_id)
    red = deadline.red_at(now) if deadline is not None else None
    if matter is not None and matter.state == "open":
        return _of_open(watch, deadline, red, matter, w, now)
    if deadline is None:
        return Decision(None, "no-deadline")
    if red is None:
        return Decision(None, "in-time", _next_look(deadline, now))
    decision = _of_red(watch, deadline, red, w, now, settle_s)
    came_by_rules = deadline.seen >= red.since  # a light that turns in its own time is news under any rules
    if decision.act is Act.OPEN and matter is not None and came_by_rules and _is_known(watch, matter):
        return Decision(Act.RESUME, "known-before-rules-changed", decision.again)
    return decision


def _is_known(watch: Watch, matter: Matter) -> bool:
    """Whether everybody was told of the matter's last episode, which other rules ended, with nothing new since."""
    clearing = matter.clearing or {}
    return clearing.get("code") == RULES_CHANGED and bool(clearing.get("told")) and clearing["events"] == watch.events


def after(text: str, seconds: float) -> str:
    """The instant `seconds` later."""
    return instant(parse_instant(text) + timedelta(seconds=seconds))


def _of_open(
    watch: Watch, deadline: Deadline | None, red: Red | None, matter: Matter, w: str | None, now: str
) -> Decision:
    if red is not None and deadline is not None:
        if matter.complete:
            return Decision(None, "already-told", red.until)
        return Decision(Act.FINISH, "not-completely-told", now)
    over_since = max(watch.changed_at, (deadline.ended(now) if deadline is not None else None) or "")
    if w is None:
        return Decision(None, "clearing-without-watermark", over_since)
    if w < over_since:
        return Decision(None, "clearing-before-watermark", over_since)
    why = clearing_of(watch, matter)
    if why == NO_LONGER_DUE and watch.changed_at < over_since:
        why = RULES_CHANGED  # without any news a red ends only where the next version of its rule begins
    return Decision(Act.CLEAR, why, now)


def _of_red(watch: Watch, deadline: Deadline, red: Red, w: str | None, now: str, settle_s: float) -> Decision:
    if deadline.seen < red.since:
        ready, waits, fires = after(red.since, GRACE_S), "in-grace", "stalled"
    else:
        calm = after(max(deadline.seen, watch.changed_at), settle_s)
        latest = after(deadline.seen, LATEST_S)
        ready, waits = min(calm, latest), "settling"
        fires = "stalled-when-first-seen" if calm <= latest else "stalled-and-never-quiet"
    if w is None:
        return Decision(None, "without-watermark", ready)
    if now < ready:
        return Decision(None, waits, ready)
    if w < ready:
        return Decision(None, "before-watermark", ready)
    return Decision(Act.OPEN, fires, now)


def _next_look(deadline: Deadline, now: str) -> str:
    ahead = deadline.next_red(now)
    return after(ahead.since, GRACE_S) if ahead is not None else END_OF_TIME


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
        case "blocker-cleared":
            return watch.blockers[matter.facts["blocker"]]
        case "promise-postponed":
            return _promised(watch, matter)
        case _:
            return None


def _stage_reached(watch: Watch, matter: Matter) -> bool:
    gap = matter.facts.get("gap")
    return gap is not None and gap[1] in watch.reached


def _blocker_cleared(watch: Watch, matter: Matter) -> bool:
    blocker = matter.facts.get("blocker")
    return blocker is not None and watch.blockers.get(blocker) is not None


def _promised_anew(watch: Watch, matter: Matter) -> bool:
    promised = _promised(watch, matter)
    return promised is not None and last_ordinal(promised) > last_ordinal(matter.facts["due"])


def _promised(watch: Watch, matter: Matter) -> str | None:
    """The day that the promise of a matter is due now."""
    deadline = watch.deadline(matter.id) if matter.facts.get("blocker") is not None else None
    return None if deadline is None else max((red.due for red in deadline.reds), key=last_ordinal)


CLEARINGS: dict[str, Callable[[Watch, Matter], bool]] = {
    "withdrawn": lambda watch, _matter: watch.status == "withdrawn",
    "stage-reached": _stage_reached,
    "blocker-cleared": _blocker_cleared,
    "promise-postponed": _promised_anew,
    RULES_CHANGED: lambda watch, matter: matter.id in watch.lifted,
    NO_LONGER_DUE: lambda _watch, _matter: True,
}
"""Why a stall is over: the first that holds."""
