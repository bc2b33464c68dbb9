"""What notify knows of each project: when its open gaps and promises turn red, and since when that is known.

A watch is made from one record of `project-states` and the watch before it, by a pure function: `watch_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from luodi.domain.clocks import reason_of
from luodi.domain.days import END_OF_TIME

MatterKind = Literal["gap", "promise", "operations"]

PEOPLE = ("officer", "group_head", "lead_unit", "leader", "vice_leader")
"""Fields of a project that name who is responsible, by id."""

STATUSES_WITHOUT_CLOCKS = frozenset({"withdrawn", "pool"})


@dataclass(frozen=True, slots=True)
class Red:
    """One stretch of time in which a clock is red: from `since`, up to and without `until`."""

    since: str
    until: str
    rule: str
    due: str
    reason: Mapping[str, Any]

    def covers(self, now: str) -> bool:
        return self.since <= now < self.until


@dataclass(frozen=True, slots=True)
class Deadline:
    """One matter's red stretches, ascending and apart: of the worst of all clocks on a gap, or of one promise.

    `seen` is the instant, on notify's clock, at which this deadline was first known as it stands.
    """

    matter: str
    kind: MatterKind
    gap: tuple[str, str] | None
    blocker: str | None
    owner: str | None
    reds: tuple[Red, ...]
    seen: str

    def red_at(self, now: str) -> Red | None:
        """The stretch that covers `now`."""
        return next((red for red in self.reds if red.covers(now)), None)

    def next_red(self, now: str) -> Red | None:
        """The first stretch that begins after `now`."""
        return next((red for red in self.reds if red.since > now), None)

    def ended(self, now: str) -> str | None:
        """When the last stretch before `now` ended of itself, without any event."""
        return max((red.until for red in self.reds if red.until <= now), default=None)


@dataclass(frozen=True, slots=True)
class Watch:
    """One project as notify last heard of it. `events` and `ruleset` are the guard: neither ever falls."""

    project_id: str
    partition: int
    events: int
    ruleset: int
    name: str | None
    zone: str | None
    route: str | None
    status: str
    registered: bool
    withdrawn: str | None  # the date of withdrawal
    people: Mapping[str, str]
    reached: Mapping[str, str | None]  # stages reached, with their dates (None: date unknown)
    blockers: Mapping[str, str | None]  # blockers by id, with the date they were cleared
    deadlines: tuple[Deadline, ...]
    changed_at: str  # notify's clock when the project last changed
    next_due: str  # look at it when the watermark and now have both reached this instant
    traceparent: str | None = None
    unreadable: bool = False  # the newest record could not be read: nothing is concluded until the next one
    lifted: tuple[str, ...] = ()  # matters that were red until other rules, and nothing else, said otherwise
    acting: Mapping[str, str] = field(default_factory=dict)  # who acts today for whom `people` names; never stored

    @property
    def responsible(self) -> Mapping[str, str]:
        """Who acts for the people that the project names, by the field that names them."""
        return {name: self.acting.get(who, who) for name, who in self.people.items()}

    def deadline(self, matter: str) -> Deadline | None:
        return next((d for d in self.deadlines if d.matter == matter), None)

    def may_be_replaced_by(self, other: Watch) -> bool:
        """Whether `other` knows at least as much, and more in one respect. A readable one mends an unreadable."""
        if other.unreadable:
            return not self.unreadable and (self.events, self.ruleset) == (other.events, other.ruleset)
        if self.events > other.events or self.ruleset > other.ruleset:
            return False
        return self.unreadable or (self.events, self.ruleset) != (other.events, other.ruleset)


def gap_matter(project_id: str, gap: tuple[str, str]) -> str:
    """The id of the matter of a project's gap."""
    return f"{project_id}:{gap[0]}-{gap[1]}"


def promise_matter(project_id: str, blocker_id: str) -> str:
    """The id of the matter of a blocker's promise."""
    return f"{project_id}:blocker:{blocker_id}"


def watch_of(
    state: Mapping[str, Any], before: Watch | None, now: str, partition: int, traceparent: str | None = None
) -> Watch:
    """The watch that a project's state makes, carrying over from the one before since when its deadlines are known.

    Published facts, withdrawn projects, those not signed yet and phased ones (whose phases are projects of their own)
    have no deadlines.
    """
    project_id: str = state["id"]
    clockless = (
        state["status"] in STATUSES_WITHOUT_CLOCKS or state.get("source") == "published" or bool(state.get("phased"))
    )
    deadlines = () if clockless else tuple(_deadlines(project_id, state, before, now))
    same = before is not None and _essence(before.deadlines) == _essence(deadlines)
    return Watch(
        project_id=project_id,
        partition=partition,
        events=state["events"],
        ruleset=state["ruleset"],
        name=state.get("name"),
        zone=state.get("zone"),
        route=state.get("route"),
        status=state["status"],
        registered=bool(state.get("registered")),
        withdrawn=(state.get("withdrawn") or {}).get("date"),
        people={field: state[field] for field in PEOPLE if state.get(field)},
        reached=dict(state.get("reached") or {}),
        blockers={blocker["id"]: blocker.get("cleared") for blocker in state.get("blockers") or ()},
        deadlines=deadlines,
        changed_at=now,
        next_due=before.next_due if same and before is not None and not before.unreadable else now,
        traceparent=traceparent,
        lifted=_lifted(state, before, deadlines, now),
    )


def _lifted(
    state: Mapping[str, Any], before: Watch | None, deadlines: tuple[Deadline, ...], now: str
) -> tuple[str, ...]:
    """Matters that are not red now, and were so last because of other rules or another calendar alone.

    The same events under a higher ruleset: then nothing has happened but a change of rules.
    """
    if before is None:
        return ()
    were_red = {deadline.matter for deadline in before.deadlines if deadline.red_at(now) is not None}
    lifted = set(before.lifted) - were_red  # one that turned red again since ends by what ends it now
    if not before.unreadable and before.events == state["events"] and before.ruleset < state["ruleset"]:
        lifted |= were_red
    return tuple(sorted(lifted - {deadline.matter for deadline in deadlines if deadline.red_at(now) is not None}))


def unreadable(project_id: str, before: Watch | None, partition: int, now: str) -> Watch:
    """The watch of a project whose newest record could not be read: what was known stands still."""
    if before is not None:
        return replace(before, unreadable=True)
    return Watch(
        project_id=project_id,
        partition=partition,
        events=0,
        ruleset=0,
        name=None,
        zone=None,
        route=None,
        status="active",
        registered=False,
        withdrawn=None,
        people={},
        reached={},
        blockers={},
        deadlines=(),
        changed_at=now,
        next_due=END_OF_TIME,
        unreadable=True,
    )


def _deadlines(project_id: str, state: Mapping[str, Any], before: Watch | None, now: str) -> Iterable[Deadline]:
    reached = state.get("reached") or {}
    by_gap: dict[tuple[str, str], list[Red]] = {}
    for clock in state.get("clocks") or ():
        gap = (clock["gap"][0], clock["gap"][1])
        if gap[1] not in reached:  # a gap that was passed keeps its verdict, but nobody must act on it
            by_gap.setdefault(gap, []).extend(_reds(clock, clock["rule"], clock["due"], state))
    for gap, reds in by_gap.items():
        matter = gap_matter(project_id, gap)
        yield from _deadline(matter, "gap", gap, None, None, reds, before, now)
    for blocker in state.get("blockers") or ():
        if blocker.get("cleared") is None and blocker.get("lights"):
            matter = promise_matter(project_id, blocker["id"])
            reds = list(_reds(blocker, "promise", blocker["promise"], state))
            yield from _deadline(matter, "promise", None, blocker["id"], blocker.get("owner"), reds, before, now)


def _reds(clock: Mapping[str, Any], rule: str, due: str, state: Mapping[str, Any]) -> Iterable[Red]:
    for step in clock["lights"]:
        if step["light"] == "red":
            yield Red(step["from"], step["to"], rule, due, reason_of(step, state))


def _deadline(
    matter: str,
    kind: MatterKind,
    gap: tuple[str, str] | None,
    blocker: str | None,
    owner: str | None,
    reds: list[Red],
    before: Watch | None,
    now: str,
) -> Iterable[Deadline]:
    united = tuple(_united(reds))
    if not united:
        return
    fresh = Deadline(matter, kind, gap, blocker, owner, united, now)
    known = before.deadline(matter) if before is not None else None
    if known is not None and _is_continued(known, fresh, now):
        fresh = replace(fresh, seen=known.seen)
    yield fresh


def _is_continued(known: Deadline, fresh: Deadline, now: str) -> bool:
    """Whether what is known now was known before: the same first instant ahead, or red then and red now."""
    was, is_now = known.red_at(now), fresh.red_at(now)
    if was is not None and is_now is not None:
        return True
    if was is not None or is_now is not None:
        return False
    ahead, still_ahead = known.next_red(now), fresh.next_red(now)
    return ahead is not None and still_ahead is not None and ahead.since == still_ahead.since


def _united(reds: list[Red]) -> Iterable[Red]:
    """Overlapping and adjoining stretches as one; the clock that was red first gives its name and reason."""
    current: Red | None = None
    for red in sorted(reds, key=lambda r: (r.since, r.until)):
        if current is None:
            current = red
        elif red.since <= current.until:
            current = replace(current, until=max(current.until, red.until))
        else:
            yield current
            current = red
    if current is not None:
        yield current


def _essence(deadlines: tuple[Deadline, ...]) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [(d.matter, tuple((red.since, red.until) for red in d.reds)) for d in deadlines]
