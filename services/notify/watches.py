"""What notify knows of each project: when its open gaps and promises turn red, and since when that is known.

A watch is made from one record of `project-states` and the watch before it, by a pure function: `watch_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from luodi.domain.clocks import reason_of
from luodi.domain.days import END_OF_TIME, instant, last_ordinal, parse_instant
from luodi.domain.stages import PERFORMING
from services.notify.decisions import DECISION_RULE
from services.notify.milestone_reports import MilestoneReport, reports_of
from services.notify.outlines import Outline, outline_of

MatterKind = Literal["gap", "promise", "decision", "unit", "operations"]

PEOPLE = ("officer", "group_head", "lead_unit", "leader", "vice_leader", "owner", "supervisor")
"""Fields of a project, or of a decision, that name who is responsible, by id."""

PROMISE = "promise"  # the rule of a deadline that a unit has set itself
OVERDUE_PAUSED = "overdue-paused"  # the reason of a red that goes on under an approved pause
GRACE_S = 5.0  # for clocks that differ a little, and for a report that arrives at the last moment
STATUSES_WITHOUT_CLOCKS = frozenset({"withdrawn", "pool"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """One stretch of time in which a clock shows one light: from `since`, up to and without `until`."""

    since: str
    until: str
    rule: str
    due: str
    reason: Mapping[str, Any]

    def covers(self, now: str) -> bool:
        return self.since <= now < self.until


@dataclass(frozen=True, slots=True)
class Broken:
    """A stretch of red of one rule, of whatever preset.

    `paused`: under an approved pause all the while. `quiet`: other rules alone brought it where it was red already, and
    of that nobody is told.
    """

    stretch: Stretch
    preset: str | None
    paused: bool = False
    quiet: bool = False

    @property
    def rule(self) -> str:
        return self.stretch.rule


@dataclass(frozen=True, slots=True)
class Deadline:
    """One matter's red stretches, ascending and apart: of the worst of all clocks on a gap, or of one promise.

    `seen` is the instant, on notify's clock, at which this deadline was first known as it stands. `yellows` are its
    stretches of warning, and `yellow_seen` their instant; None where other rules alone brought the warning, of which
    nobody is told. `broken` says which rules are red when.
    """

    matter: str
    kind: MatterKind
    gap: tuple[str, str] | None
    blocker: str | None
    owner: str | None
    reds: tuple[Stretch, ...]
    seen: str
    yellows: tuple[Stretch, ...] = ()
    yellow_seen: str | None = None
    broken: tuple[Broken, ...] = ()
    level: str | None = None  # of the blocker that was promised about

    def red_at(self, now: str) -> Stretch | None:
        """The stretch that covers `now`."""
        return next((red for red in self.reds if red.covers(now)), None)

    def yellow_at(self, now: str) -> Stretch | None:
        """The stretch of warning that covers `now`, where it is not red."""
        return None if self.red_at(now) else next((yellow for yellow in self.yellows if yellow.covers(now)), None)

    def next_yellow(self, now: str) -> Stretch | None:
        """The first stretch of warning that begins after `now`."""
        return next((yellow for yellow in self.yellows if yellow.since > now), None)

    def broken_at(self, now: str) -> tuple[Broken, ...]:
        """The rules that are broken at `now`."""
        return tuple(broken for broken in self.broken if broken.stretch.covers(now))

    def paused_until(self, now: str) -> str | None:
        """When an approved pause ends that holds every rule broken at `now`; None where one of them is not paused."""
        broken = self.broken_at(now)
        return min(b.stretch.until for b in broken) if broken and all(b.paused for b in broken) else None

    def worse_than(self, rules: Collection[str], now: str) -> Broken | None:
        """A rule that is broken besides these, and of which people must hear."""
        found = (b for b in self.broken_at(now) if b.rule not in rules and not b.paused and not b.quiet)
        return next(found, None)

    def next_broken(self, now: str) -> str:
        """When another rule is broken, or the same one under other circumstances."""
        return min((b.stretch.since for b in self.broken if b.stretch.since > now), default=END_OF_TIME)

    def next_red(self, now: str) -> Stretch | None:
        """The first stretch that begins after `now`."""
        return next((red for red in self.reds if red.since > now), None)

    def ended(self, now: str) -> str | None:
        """When the last stretch before `now` ended of itself, without any event."""
        return max((red.until for red in self.reds if red.until <= now), default=None)


@dataclass(frozen=True, slots=True)
class Recovered:
    """A stall that began and ended before anybody could be told: its red, and the business date on which it ended.

    `seen` is the instant, on notify's clock, at which this was first known.
    """

    matter: str
    kind: MatterKind
    gap: tuple[str, str] | None
    blocker: str | None
    owner: str | None
    red: Stretch
    ended: str
    seen: str


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
    key: bool = False  # a key project: its ladder goes up to the top
    parent: str | None = None  # a silence on the parent holds for its parts
    recovered: tuple[Recovered, ...] = ()  # stalls that were over when notify heard of the end, told before or not
    outline: Outline | None = None  # for reports: written with the watch, read apart
    reports: tuple[MilestoneReport, ...] = ()  # of milestones, of which somebody is to be told
    acting: Mapping[str, str] = field(default_factory=dict)  # who acts today for each id named; never stored
    confirmed: frozenset[str] = frozenset()  # blockers of which the enterprise says, too, that they are cleared
    performed: Mapping[str, str] = field(default_factory=dict)  # commitments met, by the rule of their clock: when
    done: str | None = None  # of a decision: the day on which it was done
    reported_at: str = ""  # when anything was last recorded about the project; "" in a row of an earlier version

    @property
    def responsible(self) -> Mapping[str, str]:
        """Who acts for the people that the project names, by the field that names them."""
        return {name: self.acting.get(who, who) for name, who in self.people.items()}

    @property
    def owners(self) -> frozenset[str]:
        """The units that have promised something, as the project names them: ids, or no more than names."""
        owners = (*(d.owner for d in self.deadlines), *(r.owner for r in self.recovered))
        return frozenset(owner for owner in owners if owner is not None)

    @property
    def matters(self) -> tuple[str, ...]:
        """The matters that it says anything about."""
        return (*(d.matter for d in self.deadlines), *(r.matter for r in self.recovered))

    def deadline(self, matter: str) -> Deadline | None:
        return next((d for d in self.deadlines if d.matter == matter), None)

    def recovery(self, matter: str) -> Recovered | None:
        return next((r for r in self.recovered if r.matter == matter), None)

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
    people = {field: state[field] for field in PEOPLE if state.get(field)}
    key = bool(state.get("key"))
    reports = reports_of(state, now)
    same = (
        before is not None
        and (before.people, before.key) == (people, key)
        and _essence(before.deadlines) == _essence(deadlines)
        and before.reports == reports
    )
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
        people=people,
        reached=dict(state.get("reached") or {}),
        blockers={blocker["id"]: blocker.get("cleared") for blocker in state.get("blockers") or ()},
        deadlines=deadlines,
        changed_at=now,
        next_due=before.next_due if same and before is not None and not before.unreadable else now,
        traceparent=traceparent,
        lifted=_lifted(state, before, deadlines, now),
        key=key,
        parent=state.get("parent"),
        recovered=tuple(_recovered(state, before, deadlines, now)),
        reports=reports,
        outline=outline_of(state, now) if "decision" not in state else None,
        done=(state.get("decision") or {}).get("done"),
        confirmed=frozenset(row["blocker_id"] for row in state.get("confirmations") or () if row["satisfied"]),
        performed=_performed(state),
        reported_at=state["updated_at"],
    )


def _performed(state: Mapping[str, Any]) -> dict[str, str]:
    """The commitments that are met, by the rule of their clock, with the business date on which they were."""
    closed = state.get("closed") or ()
    return {clock["rule"]: clock["closed"] for clock in closed if clock["gap"][1] == PERFORMING}


def _recovered(
    state: Mapping[str, Any], before: Watch | None, deadlines: tuple[Deadline, ...], now: str
) -> Iterable[Recovered]:
    """Stalls that the watch before knew as red, or as told so, and that are over by a date after the day they were due.

    Only of those that were to turn red when they were first seen, and whose end was recorded later than they would have
    been told: whatever was entered belatedly as one, or reported in time, is no stall that anybody missed. Whether it
    was told in its time after all, the matter knows.
    """
    if before is None:
        return
    lit = {deadline.matter for deadline in deadlines}
    known = {r.matter: r for r in before.recovered}
    if not before.unreadable and state["events"] > before.events:
        for deadline in before.deadlines:
            red, broken = deadline.red_at(now), deadline.broken_at(now)
            paused = bool(broken) and all(b.paused for b in broken)
            if red is None or paused or deadline.seen >= red.since or state["updated_at"] <= after(red.since, GRACE_S):
                continue
            d = deadline
            known[d.matter] = Recovered(d.matter, d.kind, d.gap, d.blocker, d.owner, red, "", now)
    for matter, found in known.items():
        ended = _ended(state, found)
        if matter not in lit and ended is not None and last_ordinal(ended) > last_ordinal(found.red.due):
            yield replace(found, ended=ended)


def _ended(state: Mapping[str, Any], found: Recovered) -> str | None:
    """The business date on which the stage or what was committed was reached, or the blocker cleared, where both are
    so and known."""
    if state["status"] in STATUSES_WITHOUT_CLOCKS:
        return None
    if found.gap is not None and found.gap[1] == PERFORMING:
        return _performed(state).get(found.red.rule)
    if found.kind == "decision":
        done: str | None = (state.get("decision") or {}).get("done")
        return done
    if found.gap is not None:
        date: str | None = (state.get("reached") or {}).get(found.gap[1])
        return date
    return next((b.get("cleared") for b in state.get("blockers") or () if b["id"] == found.blocker), None)


def after(text: str, seconds: float) -> str:
    """The instant `seconds` later."""
    return instant(parse_instant(text) + timedelta(seconds=seconds))


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
    if _by_rules_alone(state, before):
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
    by_rules = _by_rules_alone(state, before)
    by_gap: dict[tuple[str, str], _Lights] = {}
    for clock in state.get("clocks") or ():
        gap = (clock["gap"][0], clock["gap"][1])
        if gap[1] not in reached:  # a gap that was passed keeps its verdict, but nobody must act on it
            by_gap.setdefault(gap, _Lights()).take(clock, clock["rule"], clock["due"], state)
    for gap, lights in by_gap.items():
        fresh = lights.deadline(gap_matter(project_id, gap), "gap", now, gap=gap)
        yield from _carried_on(fresh, before, now, by_rules=by_rules)
    for blocker in state.get("blockers") or ():
        if blocker.get("cleared") is None and blocker.get("lights"):
            lights = _Lights()
            lights.take(blocker, PROMISE, blocker["promise"], state)
            matter = promise_matter(project_id, blocker["id"])
            fresh = lights.deadline(matter, "promise", now, blocker=blocker["id"], owner=blocker.get("owner"))
            fresh = replace(fresh, level=blocker.get("level"))
            yield from _carried_on(fresh, before, now, by_rules=by_rules)
    decision = state.get("decision")
    if decision is not None and decision["lights"]:
        lights = _Lights()
        lights.take(decision, DECISION_RULE, decision["due"], state)
        fresh = lights.deadline(project_id, "decision", now, owner=state.get("owner"))
        yield from _carried_on(replace(fresh, level=decision["level"]), before, now, by_rules=by_rules)


class _Lights:
    """The lights of the clocks of one gap, or of one promise, as they are put together."""

    def __init__(self) -> None:
        self._reds: list[Stretch] = []
        self._yellows: list[Stretch] = []
        self._broken: list[Broken] = []

    def take(self, clock: Mapping[str, Any], rule: str, due: str, state: Mapping[str, Any]) -> None:
        """Add one clock's."""
        for step in clock["lights"]:
            if step["light"] not in ("red", "yellow"):
                continue
            stretch = Stretch(step["from"], step["to"], rule, due, reason_of(step, state))
            if step["light"] == "yellow":
                self._yellows.append(stretch)
                continue
            self._reds.append(stretch)
            paused = stretch.reason["code"] == OVERDUE_PAUSED
            self._broken.append(Broken(stretch, clock.get("preset"), paused))

    def deadline(
        self,
        matter: str,
        kind: MatterKind,
        now: str,
        *,
        gap: tuple[str, str] | None = None,
        blocker: str | None = None,
        owner: str | None = None,
    ) -> Deadline:
        """What they make, as if first seen now."""
        reds, yellows = tuple(_united(self._reds)), tuple(_united(self._yellows))
        return Deadline(matter, kind, gap, blocker, owner, reds, now, yellows, now, tuple(self._broken))


def _carried_on(fresh: Deadline, before: Watch | None, now: str, *, by_rules: bool) -> Iterable[Deadline]:
    """The deadline with since when it is known; none where nothing ever turns yellow or red."""
    if not fresh.reds and not fresh.yellows:
        return
    known = before.deadline(fresh.matter) if before is not None else None
    if known is not None and _is_continued(known.red_at, known.next_red, fresh.red_at, fresh.next_red, now):
        fresh = replace(fresh, seen=known.seen)
    if known is not None and _is_continued(known.yellow_at, known.next_yellow, fresh.yellow_at, fresh.next_yellow, now):
        fresh = replace(fresh, yellow_seen=known.yellow_seen)
    elif by_rules and fresh.yellow_at(now) is not None:
        fresh = replace(fresh, yellow_seen=None)
    if known is not None and known.red_at(now) is not None:
        fresh = replace(fresh, broken=tuple(_with_quiet(fresh.broken, known, now, by_rules=by_rules)))
    yield fresh


def _with_quiet(broken: Iterable[Broken], known: Deadline, now: str, *, by_rules: bool) -> Iterable[Broken]:
    """The rules as they are broken now, with which of them are no news; what was quiet stays so while it is red."""
    before = {b.rule: b.quiet for b in known.broken_at(now)}
    for b in broken:
        yield replace(b, quiet=b.stretch.covers(now) and before.get(b.rule, by_rules))


def _by_rules_alone(state: Mapping[str, Any], before: Watch | None) -> bool:
    """Whether nothing has happened since the watch before but a change of rules or of the calendar."""
    return (
        before is not None
        and not before.unreadable
        and before.events == state["events"]
        and before.ruleset < state["ruleset"]
    )


_At = Callable[[str], Stretch | None]


def _is_continued(was_at: _At, was_ahead: _At, is_at: _At, is_ahead: _At, now: str) -> bool:
    """Whether what is known now was known before: the same first instant ahead, or lit then and lit now."""
    was, is_now = was_at(now), is_at(now)
    if was is not None and is_now is not None:
        return True
    if was is not None or is_now is not None:
        return False
    ahead, still_ahead = was_ahead(now), is_ahead(now)
    return ahead is not None and still_ahead is not None and ahead.since == still_ahead.since


def _united(stretches: list[Stretch]) -> Iterable[Stretch]:
    """Overlapping and adjoining stretches as one; the clock that was first gives its name and reason."""
    current: Stretch | None = None
    for stretch in sorted(stretches, key=lambda s: (s.since, s.until)):
        if current is None:
            current = stretch
        elif stretch.since <= current.until:
            current = replace(current, until=max(current.until, stretch.until))
        else:
            yield current
            current = stretch
    if current is not None:
        yield current


def _essence(deadlines: tuple[Deadline, ...]) -> list[tuple[object, ...]]:
    """Everything of the deadlines that decides when to look again."""
    return [
        (
            d.matter,
            [(red.since, red.until) for red in d.reds],
            [(yellow.since, yellow.until) for yellow in d.yellows],
            [(b.rule, b.stretch.since, b.stretch.until, b.paused) for b in d.broken],
            d.level,
        )
        for d in deadlines
    ]
