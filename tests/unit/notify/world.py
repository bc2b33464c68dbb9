"""A small world for notify: stores in memory, a clock turned by hand, notifiers that can be killed at any call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from luodi.domain.days import instant
from luodi.runtime.clock import ManualClock
from luodi.runtime.metrics import Metrics
from services.notify.alarms import Endpoint
from services.notify.channels.log import LogChannel
from services.notify.gate import Gate
from services.notify.ledger import Ledger, Result
from services.notify.notifications import Notification
from services.notify.sweep import Sweep, Swept
from services.notify.watches import Watch, watch_of
from tests.unit.notify.builders import COMPOSER, HOUR, MATTER, PROJECT, SETTLE_S, TELLER, clock, state
from tests.unit.notify.fakes import (
    CallCounter,
    Crashing,
    MemoryEndpoints,
    MemoryMatters,
    MemoryNotifications,
    MemorySilences,
    MemoryWatches,
    Receiver,
)

METRICS = Metrics()  # nobody looks at them here, and a notifier is made for every step


class World:
    """Everything that outlives a notifier."""

    def __init__(self, webhook: bool = True) -> None:
        self.clock = ManualClock(HOUR)
        self.watches = MemoryWatches()
        self.matters = MemoryMatters()
        self.notifications = MemoryNotifications()
        self.endpoints = MemoryEndpoints()
        self.silences = MemorySilences()
        self.receiver = Receiver()
        self.channels = {"webhook": self.receiver} if webhook else {}
        self.w = ""
        self.events = 0
        self.ruleset = 1
        self.red_guards: set[tuple[int, int]] = set()

    # -- what happens outside -----------------------------------------------------------------------------------------

    def hears(self, **fields: Any) -> Watch:
        """The next state of the project arrives."""
        self.events += 1
        return self._takes(state(events=self.events, ruleset=self.ruleset, **fields))

    def rules_change(self, **fields: Any) -> Watch:
        """The same project as other rules see it."""
        self.ruleset += 1
        return self._takes(state(events=self.events, ruleset=self.ruleset, **fields))

    def _takes(self, record: dict[str, Any]) -> Watch:
        before = self.watches.get_many([PROJECT]).get(PROJECT)
        made = watch_of(record, before, self.clock.now_text(), 0, "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01")
        self.watches.put([made])
        if made.deadlines:
            self.red_guards.add((made.events, made.ruleset))
        return made

    def turns_red(self) -> Watch:
        """The record says that the stage is overdue since long ago."""
        return self.hears(clocks=[clock("2026-03-01T00:00:00.000Z")])

    def stage_is_reached(self) -> Watch:
        """The awaited stage is reported."""
        return self.hears(reached={"signed": "2025-12-01", "started": "2026-03-04"})

    def passes(self, seconds: float) -> None:
        """Time passes and the watermark keeps up."""
        self.clock.advance(seconds)
        self.watermark_keeps_up()

    def watermark_keeps_up(self) -> None:
        self.w = self.clock.now_text()

    def gate(self) -> Gate:
        gate = Gate().assigned([0], instant(HOUR))
        return gate.read(0, self.w).asked(0, self.w, 1).reached(0, 1, self.w) if self.w else gate

    # -- what a test looks at -----------------------------------------------------------------------------------------

    def inbox(self, kind: str | None = None) -> list[Notification]:
        """Messages that people see, oldest episode first; rows that only block an id are none."""
        rows = [r for r in self.notifications.rows.values() if "inbox" in r.attempted and kind in (None, r.kind)]
        return sorted(rows, key=lambda r: (r.matter, r.order))

    def told(self) -> list[tuple[str, int]]:
        """Kinds and episodes of the project's stall in the inbox."""
        return [(row.kind, row.episode) for row in self.inbox() if row.matter == MATTER]

    def heard(self) -> list[tuple[str, int]]:
        """What the receiver took, each message once, in the order of its first arrival."""
        seen: dict[str, tuple[str, int]] = {}
        for message, kind, matter, episode in self.receiver.got:
            if matter == MATTER:
                seen.setdefault(message, (kind, episode))
        return list(seen.values())


class Notifier:
    """One process: killed, it is simply forgotten and another is made."""

    def __init__(self, world: World, counter: CallCounter | None = None) -> None:
        self.world = world
        self.counter = counter or CallCounter()
        wrapped = {
            name: Crashing(getattr(world, name), self.counter)
            for name in ("watches", "matters", "notifications", "endpoints")
        }
        channels: dict[str, Any] = {
            name: Crashing(channel, self.counter) if isinstance(channel, Receiver) else channel
            for name, channel in {**world.channels, "log": LogChannel()}.items()
            if name == "webhook"
        }
        self.sweeper = Sweep(
            watches=wrapped["watches"],
            matters=wrapped["matters"],
            notifications=wrapped["notifications"],
            gate=world.gate,
            given_up=lambda: self._given_up(channels),
            channels=lambda: ["inbox", *channels],
            teller=TELLER,
            composer=COMPOSER,
            clock=world.clock,
            settle_s=SETTLE_S,
            metrics=METRICS,
        )
        self.ledger = Ledger(
            notifications=wrapped["notifications"],
            matters=wrapped["matters"],
            watches=wrapped["watches"],
            silences=world.silences,
            endpoints=wrapped["endpoints"],
            channels=channels,
            clock=world.clock,
            metrics=METRICS,
            owned=lambda: list(world.gate().partitions),
            jitter=lambda: 0.0,
        )

    def _given_up(self, channels: dict[str, Any]) -> list[Endpoint]:
        return [
            Endpoint(channel.endpoint, channel.shown)
            for channel in channels.values()
            if self.world.endpoints.is_disabled(channel.endpoint)
        ]

    def sweep(self) -> Swept:
        return self.sweeper.run()

    def deliver(self) -> list[Result]:
        """One round over everything that is due on the webhook."""
        if "webhook" not in self.world.channels:
            return []
        return self.ledger.deliver(self.ledger.due("webhook"), "webhook")


def settled(world: World, rounds: int = 60, make: Callable[[World], Notifier] = Notifier) -> None:
    """Let the world run, nothing new happening, until nothing is left to do. Fails when that never comes."""
    notifier = make(world)
    for _ in range(rounds):
        world.passes(61)
        swept = notifier.sweep()
        results = notifier.deliver()
        pending = [d for row in world.notifications.rows.values() for d in row.deliveries if d.pending]
        if swept.idle and not results and not pending:
            return
    raise AssertionError("the world never came to rest")
