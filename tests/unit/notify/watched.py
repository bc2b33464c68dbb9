"""What a notifier that watches itself needs in a test: its stores in memory, and the watch put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from luodi.domain.days import instant
from luodi.runtime.clock import ManualClock
from luodi.runtime.metrics import Metrics
from services.notify.beats import BOUNDS_S, Beat, Pulse
from services.notify.channels import Outcome
from services.notify.matters import NO_PARTITION
from services.notify.notifications import Notification
from services.notify.reach import Failing, Reach, Reached
from services.notify.selfwatch import SelfWatch
from tests.unit.notify.builders import HOUR
from tests.unit.notify.fakes import MemoryMatters, Receiver
from tests.unit.notify.world import Notifier, World

JOBS = tuple(BOUNDS_S)


class MemoryBeats:
    """See `BeatStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Beat] = {}

    def note(self, beat: Beat) -> None:
        self.rows[beat.slot] = beat

    def read(self) -> list[Beat]:
        return [self.rows[slot] for slot in sorted(self.rows)]

    def forget(self, slots: Sequence[str], at_or_before: str) -> None:
        for slot in slots:
            if slot in self.rows and self.rows[slot].at <= at_or_before:
                del self.rows[slot]


class MemoryReach:
    """See `ReachStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Failing] = {}
        self.taken: dict[str, str] = {}

    def add(self, failed: Sequence[Failing]) -> None:
        for row in failed:
            before = self.rows.get(row.endpoint)
            both = before.and_then(row) if before is not None else row
            self.rows[row.endpoint] = replace(both, last=max(row.last, before.last if before is not None else ""))

    def read(self) -> Reached:
        return Reached([self.rows[e] for e in sorted(self.rows)], dict(self.taken) if self.rows else {})

    def note_taken(self, channels: Mapping[str, str]) -> None:
        for channel, at in channels.items():
            self.taken[channel] = max(at, self.taken.get(channel, ""))

    def forget(self, endpoints: Collection[str], until: str) -> None:
        for endpoint in endpoints:
            if endpoint in self.rows and self.rows[endpoint].since <= until:
                del self.rows[endpoint]


def receiver(recipient: str | None, channel: str = "wecom", key: str = "k") -> Receiver:
    """The address of a person on a channel; None: the operator's own receiver."""
    made = Receiver(channel, f"{channel}/{recipient or key}")
    made.recipient = recipient
    return made


class Notifiers:
    """Several notifiers that watch themselves and one another, over one set of stores."""

    def __init__(self) -> None:
        self.world = World(webhook=False)
        self.clock: ManualClock = self.world.clock
        self.matters: MemoryMatters = self.world.matters
        self.beats = MemoryBeats()
        self.reach = MemoryReach()
        self.unused: set[str] = set()
        self.metrics = Metrics()
        self.pulses: dict[str, Pulse] = {}
        self.heard: dict[str, Reach] = {}
        self.watches: dict[str, SelfWatch] = {}

    def begins(self, slot: str, partitions: Callable[[], Collection[int]]) -> SelfWatch:
        """Another notifier."""
        self.pulses[slot], self.heard[slot] = Pulse(self.clock, JOBS), Reach()
        sweep = Notifier(self.world).sweeper
        self.watches[slot] = SelfWatch(
            slot=slot,
            pulse=self.pulses[slot],
            beats=self.beats,
            heard=self.heard[slot],
            reached=self.reach,
            in_use=lambda rows: {row.endpoint for row in rows} - self.unused,
            matters=self.matters,
            finish=lambda: sweep.finish([NO_PARTITION]),
            passed=lambda: dict.fromkeys(partitions(), ""),
            clock=self.clock,
            metrics=self.metrics,
        )
        return self.watches[slot]

    def passes(self, seconds: float, *, hang: Collection[tuple[str, str]] = (), gone: Collection[str] = ()) -> None:
        """Time passes, every five seconds each notifier looks; (slot, job) that hang do nothing meanwhile."""
        for _ in range(int(seconds // 5)):
            self.clock.advance(5)
            for slot, watch in self.watches.items():
                if slot in gone:
                    continue
                for job in JOBS:
                    if (slot, job) not in hang:
                        self.pulses[slot].beat(job)
                watch.run()

    def tries(self, to: Receiver, outcome: Outcome, slot: str = "a") -> None:
        """An attempt at an address."""
        self.heard[slot].heard(to, outcome, self.clock.wall_text())

    def told(self) -> list[Notification]:
        """What the operators read, in order."""
        return sorted(self.world.inbox(), key=lambda row: (row.created_at, row.matter, row.order))

    def kinds(self) -> list[tuple[str, str]]:
        return [(row.matter.removeprefix("operations:"), row.kind) for row in self.told()]


def after(seconds: float) -> str:
    """Wall time so many seconds after the hour of the story."""
    return instant(HOUR + timedelta(seconds=seconds))
