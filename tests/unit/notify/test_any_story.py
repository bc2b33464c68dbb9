"""Anything in any order, people's mornings included: digests, urgent reds, silences, pauses, posts handed over, own
hours, lost answers, kills. Nobody is left out, nobody is told twice, and no end is told before its beginning."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from luodi.domain.days import END_OF_TIME, parse_instant
from services.notify.channels import Outcome
from services.notify.directory import Entry
from services.notify.hours import Hours, wait_s
from services.notify.matters import Matter
from services.notify.notifications import Notification
from services.notify.recipients import ladder_steps, recipients
from services.notify.silences import Silence
from services.notify.watches import gap_matter
from tests.unit.notify.builders import CALENDAR, GAP, clock
from tests.unit.notify.fakes import CallCounter, CrashError
from tests.unit.notify.mornings import WECOM, Mornings, Notifier

HOUR_S, DAY_S = 3600.0, 86_400.0
OVER_A_WEEKEND = 3  # days: the next roll call may be as far away
LONG_AGO = "2026-03-01T00:00:00.000Z"
PROJECTS = ("p-1", "p-2")
HOLDERS = ("u-a", "u-b")
LIVELY = ("red", "urgent", "reached", "paused", "silence", "unsilence")
WORDS = [f"{what} {project}" for what in LIVELY for project in PROJECTS]
OTHERS = ["hand over", "late hours", "an hour", "a day", "morning", "night", "run", "run", "deliver", "refused", "lost"]
HAPPENINGS = st.sampled_from([*WORDS, *OTHERS])
ROUNDS = st.sampled_from(
    [
        ["morning", "run", "deliver"],
        ["a day", "morning", "run", "deliver"],
        ["red p-1", "a day", "morning", "run", "deliver", "reached p-1", "an hour", "run"],
        ["reached p-1", "an hour", "run", "deliver"],
    ]
)
KILLS = st.tuples(st.sampled_from(["run", "deliver"]), st.integers(1, 60), st.booleans())


class Mayhem(Mornings):
    """A world in which a post is the officer of two projects, and whoever holds it has an address."""

    def __init__(self) -> None:
        super().__init__()
        self.people = [*HOLDERS, "u-head"]
        self.holder = 0
        self.handed_over: list[dict[str, Any]] = []
        self.fields: dict[str, dict[str, Any]] = {}
        self.repeats = 0  # attempts of which nobody knows whether they arrived
        self.sent_at: list[str] = []
        self.notifier = Notifier(self)
        self._hands_over()
        for project in PROJECTS:
            self._becomes(project, clocks=[clock(None)])

    # -- what happens -------------------------------------------------------------------------------------------------

    def happens(self, what: str) -> None:
        word, _, about = what.partition(" ")
        if about in PROJECTS:
            self._happens_to(about, word)
        elif what in ("an hour", "a day"):
            self.clock.advance(HOUR_S if what == "an hour" else DAY_S)
        elif what in ("morning", "night"):
            self._goes_to(time(8, 31) if what == "morning" else time(21))
        elif what == "hand over":
            self.holder = 1 - self.holder
            self._hands_over()
        elif what == "late hours":
            self.own_hours = {} if self.own_hours else {HOLDERS[0]: ("10:00", "16:00")}
        else:
            self.works(what)

    def works(self, what: str) -> None:
        """A notifier at its work."""
        match what:
            case "run":
                self.notifier.morning()
            case "deliver":
                self.notifier.deliver()
            case "refused" | "lost":
                self.answers.append(Outcome("retry", "http-503"))
                self.repeats += 1
                self.notifier.deliver()
                self.answers.clear()
        self._note()

    def killed(self, what: str, number: int, after: bool) -> None:
        counter = CallCounter()
        counter.crash_at, counter.after = number, after
        self.notifier = Notifier(self, counter)
        with contextlib.suppress(CrashError):
            self.works(what)
        self._note()
        self.repeats += what == "deliver"
        self.notifier = Notifier(self)

    def _note(self) -> None:
        self.sent_at += [self.clock.now_text()] * (len(self.got) - len(self.sent_at))

    def _happens_to(self, project: str, word: str) -> None:
        match word:
            case "red":
                self._becomes(project, clocks=[clock(LONG_AGO)])
            case "urgent":
                self._becomes(project, clocks=[{**clock(LONG_AGO, rule="jiangdong"), "preset": "jiangdong"}])
            case "paused":
                row = clock(LONG_AGO)
                row["lights"][-1]["reason"] = {"code": "overdue-paused"}
                self._becomes(project, clocks=[row])
            case "reached":
                self._becomes(project, reached={"signed": "2025-12-01", "started": "2026-03-04"})
            case "silence":
                now = self.clock.now_text()
                self.silences.rows[project] = Silence(project, project, None, 0, "u-head", "…", "", now, END_OF_TIME)
            case _:
                self.silences.rows.pop(project, None)

    def _becomes(self, project: str, **fields: Any) -> None:
        self.fields[project] = fields
        people = {"officer": "desk", "group_head": "u-head", "vice_leader": "u-vice"}
        self.hears(project, **people, **fields)

    def _hands_over(self) -> None:
        today = self.clock.now().astimezone(CALENDAR.timezone).date().isoformat()
        self.handed_over = [row for row in self.handed_over if row["date"] < today]
        if self.handed_over:
            self.handed_over[-1]["until"] = (date.fromisoformat(today) - timedelta(days=1)).isoformat()
        self.handed_over.append({"holder": HOLDERS[self.holder], "date": today, "until": None})
        held = [dict(row) for row in self.handed_over]
        self.events += 1
        self.directory.put([Entry("post:desk", 0, self.events, 1, {"registered": True, "holders": held})])

    def _goes_to(self, moment: time) -> None:
        local = self.clock.now().astimezone(CALENDAR.timezone)
        wanted = datetime.combine(local.date(), moment, CALENDAR.timezone)
        self.clock.advance(((wanted if wanted > local else wanted + timedelta(days=1)) - local) / timedelta(seconds=1))

    def rest(self) -> None:
        """Nothing more happens; silences and pauses end, and the mornings go by until nothing waits."""
        self.silences.rows.clear()
        for project in PROJECTS:
            if self._is_paused(project):
                self.happens(f"red {project}")
        for day in range(40):
            for moment in (time(7, 1), time(8, 31), time(10, 1)):
                self._goes_to(moment)
                for _ in range(3):
                    self.works("run")
                    self.works("deliver")
                    self.clock.advance(61)
            waiting = [
                d for row in self.notifications.rows.values() for d in row.deliveries if d.pending or d.status == "held"
            ]
            if (
                day >= OVER_A_WEEKEND
                and not waiting
                and all(not row.in_digest for row in self.notifications.rows.values())
            ):
                return
        raise AssertionError("the world never came to rest")

    # -- what came of it ----------------------------------------------------------------------------------------------

    def is_red(self, project: str) -> bool:
        return any(step["light"] == "red" for step in self._lights(project))

    def _is_paused(self, project: str) -> bool:
        return any(step["reason"]["code"] == "overdue-paused" for step in self._lights(project))

    def _lights(self, project: str) -> list[dict[str, Any]]:
        return [step for row in self.fields[project].get("clocks", ()) for step in row["lights"]]

    def arrived(self) -> Iterator[tuple[Notification, Notification, str]]:
        """Each message that arrived, copies left out: the request that brought it, itself, and when."""
        seen: set[str] = set()
        for request, at in zip(self.got, self.sent_at, strict=True):
            if request.id in seen:
                continue
            seen.add(request.id)
            if request.sheet is None:
                yield request, request, at
            for carried in request.sheet.carries if request.sheet is not None else ():
                yield request, self.notifications.rows[carried], at


def assert_sound(world: Mayhem) -> None:
    """What holds at rest."""
    copies = Counter(row.id for row in world.got)
    assert sum(n - 1 for n in copies.values()) <= world.repeats  # and each under one id
    told: dict[tuple[str, int, str], list[str]] = defaultdict(list)
    by: dict[str, set[str]] = defaultdict(set)
    for request, row, at in world.arrived():
        told[row.matter, row.episode, row.recipient].append(row.kind)
        by[row.id].add(request.id)
        if request.sheet is None:  # by itself goes only what may wake people, and its end
            assert row.urgent or row.kind == "cleared", row.id
        elif copies[request.id] == 1:
            hours = Hours(*map(time.fromisoformat, world.own_hours.get(row.recipient, ("08:30", "18:00"))))
            usual = wait_s(at, Hours(), CALENDAR) == 0 or wait_s(at, hours, CALENDAR) == 0
            assert usual or _was_late(request, at), (request.id, at)
    assert {row: names for row, names in by.items() if len(names) > 1} == {}  # in one digest, or by itself
    for (matter_id, episode, who), kinds in told.items():
        matter = world.matters.rows[matter_id]
        over = episode < matter.episode or matter.state == "cleared"
        assert "cleared" not in kinds[:-1], (matter_id, episode, who, kinds)  # the end comes last, and once
        if any(kind != "warning" for kind in kinds):
            assert kinds.count("cleared") == over, (matter_id, episode, who, kinds)
            assert kinds[0] != "cleared", (matter_id, episode, who, kinds)
    for project in PROJECTS:
        if world.is_red(project):
            assert_told(world, project)


def _was_late(request: Notification, at: str) -> bool:
    """A digest that was written in time and whose attempt was made by a notifier that came later."""
    return parse_instant(at) - parse_instant(request.created_at) > timedelta(minutes=1)


def assert_told(world: Mayhem, project: str) -> None:
    """No stall is silent: whoever stands on a step that it has reached knows, in the inbox and at the own address."""
    matter: Matter | None = world.matters.rows.get(gap_matter(project, GAP))
    assert matter is not None
    assert (matter.state, matter.complete) == ("open", True)
    (watch,) = world.notifier.sweeper._watches.get_many([project]).values()  # as it says who acts
    reached = [rung.recipient for rung in ladder_steps(watch, None) if rung.level <= matter.last_telling.level]
    for who in {*recipients(watch), *reached}:
        mine = [
            row
            for row in world.notifications.rows.values()
            if (row.matter, row.episode, row.recipient) == (matter.id, matter.episode, who)
        ]
        assert any("inbox" in row.attempted for row in mine), (project, who)
        if who in world.people:
            ways = [delivery.status for row in mine if (delivery := row.delivery(WECOM)) is not None]
            assert "sent" in ways, (project, who, ways)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(HAPPENINGS, ROUNDS, KILLS), max_size=20))
@example(["red p-1", "morning", "run", "deliver", "hand over", "a day", "morning", "run", "deliver"])
@example(["red p-1", "morning", "morning", "run", "hand over"])  # on a Friday, after its roll call
@example(["red p-1", "morning", "run", "deliver", "silence p-1", "a day", "morning", "run", "reached p-1"])
@example(["urgent p-1", "night", "run", "deliver", "reached p-1", "an hour", "run", "deliver"])
def test_whatever_happens_to_people_s_mornings_nobody_is_left_out_or_told_twice(story: Sequence[Any]) -> None:
    world = Mayhem()
    for happening in story:
        match happening:
            case str(alone):
                world.happens(alone)
            case (str(step), int(number), bool(after)):
                world.killed(step, number, after)
            case [*more]:
                for what in more:
                    world.happens(what)
    world.rest()
    assert_sound(world)


HANDOVER = (
    "red p-1",
    "morning",
    "run",
    "deliver",
    "hand over",
    "a day",
    "run",
    "deliver",
    "reached p-1",
    "a day",
    "run",
)
TOLD = {("u-a", "stalled"), ("u-b", "handover"), ("u-head", "stalled")}
ENDS = {(who, "cleared") for who in ("u-a", "u-b", "u-head")}


def handed_over_through(crash_at: int | None, after: bool) -> tuple[Mayhem, int]:
    """A post is handed over while a stall is open; killed at one call, another notifier does the step again."""
    world, counter = Mayhem(), CallCounter()
    counter.crash_at, counter.after = crash_at, after
    world.notifier = Notifier(world, counter)
    for step in HANDOVER:
        try:
            world.happens(step)
        except CrashError:
            world._note()  # what had arrived by then
            world.notifier = Notifier(world)
            world.repeats += 1
            world.clock.advance(61)  # the lease of the dead one runs out
            world.happens(step)
    return world, counter.count


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_at_any_call_a_handover_is_told_once_and_its_end_to_all(after: bool) -> None:
    _, calls = handed_over_through(None, after)
    assert calls > 60
    for number in range(1, calls + 1):
        world, _ = handed_over_through(number, after)
        world.rest()
        assert_sound(world)
        arrived = Counter((row.recipient, row.kind) for _, row, _ in world.arrived())
        assert arrived == dict.fromkeys(TOLD | ENDS, 1), number
