"""Our own outages: three hundred stories of a part that stands still for a second up to two hours, and of what is told.

A model of the whole way in virtual time: reports are acknowledged into a log, a tracker publishes states and
watermarks, a notifier reads, sweeps and delivers. Each story draws which parts are away, when and for how long, and a
handful of projects whose reports fall before, into and behind the outage. Nobody may be told anything that was not so
by all that had been acknowledged; nobody may be left untold; and what overran and recovered unseen is told once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from luodi.domain.days import instant
from luodi.runtime.clock import ManualClock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.notify.ledger import Ledger
from services.notify.sweep import Sweep
from services.notify.watches import GRACE_S, gap_matter
from services.notify.watching import Mark, Polled, Watching
from tests.unit.notify.builders import COMPOSER, GAP, HOUR, SETTLE_S, TELLER, at, clock
from tests.unit.notify.fakes import (
    MemoryDirectory,
    MemoryEndpoints,
    MemoryMatters,
    MemoryNotifications,
    MemorySilences,
    MemoryWatches,
    Receiver,
)
from tests.unit.notify.test_watching import Topic

STORIES = 300
SHARES = 10
PARTS = ("tracker", "kafka", "mongodb", "notify")
IN_TIME, LATE = "2026-03-05", "2026-03-06"  # the day that is due, and the one after
WARM_UP_S = 60.0
METRICS = Metrics()
QUIET_S = 40.0  # a step where nothing happens
AFTER_S = 260.0  # by then everything has come to rest
CLOSE_S = 8.0  # around what happens, time goes by single seconds


@dataclass
class Report:
    """What is acknowledged at an instant: the project as it is from then on."""

    at: float
    project: str
    fields: dict[str, Any]


@dataclass
class Fate:
    """One project: when it turns red, and what is reported of it."""

    project: str
    red: float
    reports: list[Report]

    @property
    def acknowledged(self) -> float | None:
        """When its end was, where the last word is that it has ended."""
        if "reached" not in self.reports[-1].fields:
            return None
        return next(report.at for report in self.reports if "reached" in report.fields)

    def allowed(self) -> set[tuple[str, ...]]:
        """What people may have heard of it, in order, when all is over."""
        ended = self.acknowledged
        if ended is None:  # it stalls; whoever was told before that it does, and does not, is told again
            return {("stalled",), ("stalled", "cleared", "stalled")}
        if self.red < 0 or ended <= self.red + GRACE_S:  # history, or in time by all that was acknowledged
            return {()}
        late = self.reports[-1].fields["reached"]["started"] == LATE
        return {("stalled", "cleared"), ("recovered",)} if late else {("stalled", "cleared"), ()}


@dataclass
class Story:
    """One run."""

    seed: int
    clock: ManualClock = field(default_factory=lambda: ManualClock(HOUR))
    outages: list[tuple[str, float, float]] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    topic: Topic = field(default_factory=Topic)
    log: list[Report] = field(default_factory=list)  # what Kafka has acknowledged, and the tracker has not yet folded
    pending: list[Report] = field(default_factory=list)  # what people will still report
    events: dict[str, int] = field(default_factory=dict)
    told_on: dict[str, str] = field(default_factory=dict)  # message -> the watermark it was told on
    calls: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.watches, self.matters = MemoryWatches(), MemoryMatters()
        self.notifications, self.endpoints = MemoryNotifications(), MemoryEndpoints()
        self.receiver, self.directory = Receiver(), MemoryDirectory()
        self.stop = Stop()
        self.notifier: Notifier | None = None
        self._draw()

    # -- what is drawn ------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        dice = self.dice
        begin = WARM_UP_S + dice.uniform(0, 60)
        parts = dice.sample(PARTS, dice.choice((1, 1, 1, 2)))
        for part in parts:
            start = begin + dice.uniform(0, 20)
            self.outages.append((part, start, start + 7200 ** dice.random()))  # from a second to two hours
        end = max(stop for _, _, stop in self.outages)
        for number in range(10):
            project, moment = f"p-{number}", _around(dice, begin, end)
            if number < 8:
                self.fates.append(Fate(project, moment, dice.choice(FATES)(project, dice, moment)))
            else:  # first heard of around the outage, and overdue since yesterday
                reports = history(project, moment) if number == 8 else [Report(moment, project, {})]
                self.fates.append(Fate(project, -86_400, reports))
        self.pending = sorted((r for fate in self.fates for r in fate.reports), key=lambda r: r.at)

    @property
    def seconds(self) -> float:
        return (self.clock.now() - HOUR).total_seconds()

    def away(self, part: str) -> bool:
        return any(name == part and start <= self.seconds < stop for name, start, stop in self.outages)

    # -- time ---------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        marks = sorted(
            {0.0}
            | {moment for _, start, stop in self.outages for moment in (start, stop)}
            | {report.at for report in self.pending}
            | {fate.red for fate in self.fates}
        )
        while self.seconds < marks[-1] + AFTER_S:
            now = self.seconds
            near = any(mark - 2 <= now <= mark + CLOSE_S for mark in marks)
            ahead = min((mark - 1 - now for mark in marks if mark - 1 > now), default=QUIET_S)
            self.clock.advance(1.0 if near else max(1.0, min(ahead, QUIET_S)))
            self._people()
            self._tracker()
            self._notifier()

    def _people(self) -> None:
        """Reports are acknowledged when their time has come, or as soon as Kafka takes them again."""
        while self.pending and self.pending[0].at <= self.seconds and not self.away("kafka"):
            report = self.pending.pop(0)
            report.at = self.seconds
            self.log.append(report)

    def _tracker(self) -> None:
        if any(map(self.away, ("tracker", "kafka", "mongodb"))):
            return
        began = self.seconds
        for report in self.log:
            fate = next(fate for fate in self.fates if fate.project == report.project)
            number = self.events[report.project] = self.events.get(report.project, 0) + 1
            partition = self.fates.index(fate) % 2
            fields = {"clocks": [clock(at(fate.red))], **report.fields}
            self.topic.state(partition, report.project, events=number, updated_at=at(report.at), **fields)
        self.log.clear()
        for partition in self.topic.logs:
            self.topic.watermark(began, partition)

    def _notifier(self) -> None:
        if self.away("notify"):
            self.notifier = None  # the process is gone, and with it what it knew
            return
        if self.notifier is None:
            self.topic.assignment = frozenset(self.topic.logs)
            self.topic.positions = {
                p: mark.offset if (mark := self.topic.committed.get(p)) else 0 for p in self.topic.logs
            }
            self.notifier = Notifier(self)
        # MongoDB may go away in the middle of whatever is being done, and come back in the middle, too.
        self.calls = self.dice.randrange(12) if self.away("mongodb") and self.dice.random() < 0.5 else 0
        for act in (self.notifier.read, self.notifier.sweep, self.notifier.deliver):
            try:
                act()
            except TransientError:
                continue

    # -- what was told ------------------------------------------------------------------------------------------------

    def told(self, project: str) -> tuple[str, ...]:
        rows = [
            row
            for row in self.notifications.rows.values()
            if row.matter == gap_matter(project, GAP) and "inbox" in row.attempted
        ]
        return tuple(row.kind for row in sorted(rows, key=lambda row: row.order))

    def judge(self) -> None:
        """What must hold at the end."""
        for fate in self.fates:
            told = self.told(fate.project)
            where = f"seed {self.seed}, {self.outages}, {fate}: {told}"
            assert told in fate.allowed(), where
            ended = fate.acknowledged
            for row in self.notifications.rows.values():
                if row.matter == gap_matter(fate.project, GAP) and row.kind == "stalled" and "inbox" in row.attempted:
                    assert ended is None or self.told_on[row.id] <= at(ended), where  # else it was known by then
        messages = [message for message, *_ in self.receiver.got]
        if all(part != "mongodb" for part, _, _ in self.outages):  # else one may be sent and not marked: it goes again
            assert len(messages) == len(set(messages)), f"seed {self.seed}: a message twice"
        shown = {row.message_id for row in self.notifications.rows.values() if "inbox" in row.attempted}
        assert set(messages) <= shown, f"seed {self.seed}: somebody heard what stands in no inbox"
        pending = [d for row in self.notifications.rows.values() for d in row.deliveries if d.pending]
        assert pending == [], f"seed {self.seed}: not at its end"


class Port:
    """A store behind a connection that is away when MongoDB is."""

    def __init__(self, inner: Any, story: Story) -> None:
        self._inner = inner
        self._story = story

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._story.away("mongodb"):
                if self._story.calls <= 0:
                    raise TransientError("mongodb", "away")
                self._story.calls -= 1
            return value(*args, **kwargs)

        return call


class KafkaPort:
    """The topic behind a connection that is away when Kafka is."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def poll(self, timeout_s: float) -> Polled:
        return self._topic().poll(timeout_s)

    def seek(self, partition: int, offset: int) -> None:
        self._story.topic.seek(partition, offset)

    def position(self, partition: int) -> int | None:
        return self._story.topic.position(partition)

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        return self._topic().ends(partitions)

    def commit(self, marks: Mapping[int, Mark]) -> bool:
        return self._topic().commit(marks)

    def close(self) -> None:
        """A process that is gone leaves nothing to close."""

    def _topic(self) -> Topic:
        if self._story.away("kafka"):
            raise TransientError("kafka", "away")
        return self._story.topic


class Notifier:
    """One process."""

    def __init__(self, story: Story) -> None:
        self.story = story
        watches, matters = Port(story.watches, story), Port(story.matters, story)
        notifications, endpoints = Port(story.notifications, story), Port(story.endpoints, story)
        self.watching = Watching(watches, Port(story.directory, story), story.clock, METRICS, story.stop)
        self.source = KafkaPort(story)
        self.sweeper = Sweep(
            watches=watches,
            matters=matters,
            notifications=notifications,
            gate=lambda: self.watching.gate,
            given_up=list,
            channels=lambda: ["inbox", "webhook"],
            teller=TELLER,
            composer=COMPOSER,
            clock=story.clock,
            settle_s=SETTLE_S,
            metrics=METRICS,
        )
        self.ledger = Ledger(
            notifications=notifications,
            matters=matters,
            watches=watches,
            silences=MemorySilences(),
            endpoints=endpoints,
            channels={"webhook": story.receiver},
            clock=story.clock,
            metrics=METRICS,
            owned=lambda: list(self.watching.gate.partitions),
            jitter=lambda: 0.0,
        )

    def read(self) -> None:
        self.watching.step(self.source)

    def sweep(self) -> None:
        before = set(self.story.notifications.rows)
        usable = {p: self.watching.gate.usable(p) for p in self.watching.gate.partitions}
        try:
            self.sweeper.run()
        finally:
            for row_id in set(self.story.notifications.rows) - before:
                row = self.story.notifications.rows[row_id]
                self.story.told_on[row_id] = usable.get(row.partition) or instant(HOUR)

    def deliver(self) -> None:
        self.ledger.deliver(self.ledger.due("webhook"), "webhook")


# -- the fates: how a project's reports fall ---------------------------------------------------------------------------


def _entered(project: str, dice: random.Random) -> Report:
    return Report(dice.uniform(1, 30), project, {})


def _reached(project: str, moment: float, day: str) -> Report:
    return Report(moment, project, {"reached": {"signed": "2025-12-01", "started": day}})


def _around(dice: random.Random, begin: float, end: float) -> float:
    """An instant in the outage, or a little before or behind it."""
    return dice.choice(
        (dice.uniform(begin, end), dice.uniform(begin - 20, begin + 20), dice.uniform(end - 5, end + 30))
    )


def _later(dice: random.Random) -> float:
    """Seconds until a stall ends that people could have heard of: mostly minutes, at most an hour."""
    return GRACE_S + 2 + 3600 * dice.random() ** 3


def in_time(project: str, dice: random.Random, red: float) -> list[Report]:
    """Reached and reported before it is red, wherever the report waits."""
    done = max(31.0, red - dice.choice((0.5, 3, 30, 600)) * dice.random())
    return [_entered(project, dice), _reached(project, done, IN_TIME)]


def in_grace(project: str, dice: random.Random, red: float) -> list[Report]:
    """Reported when it was red already, but inside the grace."""
    return [_entered(project, dice), _reached(project, red + dice.uniform(0, GRACE_S - 1), LATE)]


def never_reached(project: str, dice: random.Random, red: float) -> list[Report]:
    """A stall that nobody ends."""
    return [_entered(project, dice)]


def overran(project: str, dice: random.Random, red: float) -> list[Report]:
    """A stall that ends later: told in its time, or once as recovered."""
    return [_entered(project, dice), _reached(project, red + _later(dice), LATE)]


def reported_late(project: str, dice: random.Random, red: float) -> list[Report]:
    """Reached in time, reported when it had been red for a while: told if it was believed to stall, else nothing."""
    return [_entered(project, dice), _reached(project, red + _later(dice), IN_TIME)]


def taken_back(project: str, dice: random.Random, red: float) -> list[Report]:
    """Reported in time, and the report is taken back after the day: then it is a stall."""
    back = Report(red + dice.uniform(30, 900), project, {})
    return [_entered(project, dice), _reached(project, max(31.0, red - 10), IN_TIME), back]


def corrected(project: str, dice: random.Random, red: float) -> list[Report]:
    """Reported late with a late date, at once corrected to one in time: no stall that anybody missed."""
    done = red + _later(dice)
    return [_entered(project, dice), _reached(project, done, LATE), _reached(project, done + 1, IN_TIME)]


FATES: tuple[Callable[[str, random.Random, float], list[Report]], ...] = (
    in_time,
    in_time,
    in_grace,
    never_reached,
    overran,
    overran,
    reported_late,
    taken_back,
    corrected,
)


def history(project: str, moment: float) -> list[Report]:
    """Both stages are reported at once, long after: nobody missed anything."""
    return [Report(moment, project, {}), _reached(project, moment, LATE)]


@pytest.mark.parametrize("share", range(SHARES))
def test_in_three_hundred_outages_nothing_false_is_told_and_nothing_is_hidden(share: int) -> None:
    for seed in range(share, STORIES, SHARES):
        story = Story(seed)
        story.run()
        story.judge()


def test_the_stories_hold_every_part_every_length_and_every_ending() -> None:
    made = [Story(seed) for seed in range(STORIES)]
    lengths = [stop - start for story in made for _, start, stop in story.outages]
    assert {part for story in made for part, _, _ in story.outages} == set(PARTS)
    assert min(lengths) < 5
    assert max(lengths) > 3600
    for story in made[:40]:
        story.run()
    told = {story.told(fate.project) for story in made[:40] for fate in story.fates}
    assert told >= {(), ("stalled",), ("stalled", "cleared"), ("recovered",)}
