"""A small world in which people have addresses of their own: nights, mornings, digests, and notifiers that die."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.runtime.clock import ManualClock
from services.notify.channels import Outcome, Unshaped
from services.notify.composing import Composer, OwnChannels
from services.notify.contacts import Contact, Way
from services.notify.digesting import Digesting, Topic
from services.notify.directory import ActingWatches, Directory
from services.notify.gate import Gate
from services.notify.hours import Hours, HoursOf
from services.notify.ledger import Ledger
from services.notify.looking import Looks
from services.notify.notifications import Group, Notification
from services.notify.sweep import Sweep
from services.notify.telling import Teller
from services.notify.watches import watch_of
from services.notify.weekly import Weekly
from tests.unit.notify.builders import CALENDAR, RULES, ZONES, clock, state
from tests.unit.notify.fakes import (
    CallCounter,
    Crashing,
    MemoryDigests,
    MemoryDirectory,
    MemoryEndpoints,
    MemoryMatters,
    MemoryNotifications,
    MemorySilences,
    MemoryWatches,
)
from tests.unit.notify.world import METRICS

NIGHT = datetime(2026, 3, 4, 16, 10, tzinfo=UTC)  # ten past midnight of a Thursday, local time
SINCE = "2026-03-04T16:00:00.000Z"
WHO = "u-zhang"
WECOM = "wecom"


class Mailbox(Unshaped):
    """The address of one person; remembers what it took."""

    threads = 1

    def __init__(self, world: Mornings, recipient: str) -> None:
        self.name = WECOM
        self.recipient: str | None = recipient
        self.endpoint: str | None = f"wecom/{recipient}"
        self.shown = "…"
        self._world = world

    def send(self, row: Notification) -> Outcome:
        answer = self._world.answers.pop(0) if self._world.answers else Outcome("sent")
        self._world.got.append(row)
        return answer


class Mailboxes:
    """A channel on which those with a contact have an address."""

    name = WECOM
    threads = 1

    def __init__(self, world: Mornings) -> None:
        self._world = world

    def to(self, rows: Sequence[Notification]) -> list[Mailbox | None]:
        """The mailbox of each."""
        return [Mailbox(self._world, r.recipient) if r.recipient in self._world.people else None for r in rows]


class Mornings:
    """Everything that outlives a notifier."""

    def __init__(self, calendar: Calendar = CALENDAR, partitions: int = 1) -> None:
        self.clock = ManualClock(NIGHT)
        self.calendar = calendar
        self.partitions = partitions
        self.stuck: set[int] = set()  # partitions that bring nothing new
        self.watches = MemoryWatches()
        self.silences = MemorySilences()
        self.matters = MemoryMatters()
        self.notifications = MemoryNotifications()
        self.endpoints = MemoryEndpoints()
        self.digests = MemoryDigests(self.notifications)
        self.directory = MemoryDirectory()
        self.people = [WHO]
        self.own_hours: dict[str, tuple[str, str]] = {}
        self.answers: list[Outcome] = []
        self.got: list[Notification] = []
        self.events = 0

    # -- what happens outside -----------------------------------------------------------------------------------------

    def hears(self, project: str = "p-1", **fields: Any) -> None:
        self.events += 1
        record = state(project, events=self.events, **{"zone": "real", **fields})
        before = self.watches.get_many([project]).get(project)
        self.watches.put([watch_of(record, before, self.clock.now_text(), 0)])

    def overdue(self, project: str = "p-1", **fields: Any) -> None:
        self.hears(project, clocks=[clock("2026-03-01T00:00:00.000Z")], **fields)

    def woken(self, project: str = "p-1") -> None:
        """A red that the leader hears of the same day, at any hour."""
        row = clock("2026-03-01T00:00:00.000Z", rule="jiangdong")
        self.hears(project, clocks=[{**row, "preset": "jiangdong"}], leader=WHO)

    def reported(self, project: str = "p-1") -> None:
        self.hears(project, reached={"signed": "2025-12-01", "started": "2026-03-04"})

    def until(self, day: int, hour: int, minute: int = 0) -> None:
        """Local time in March."""
        wanted = datetime(2026, 3, day, hour, minute, tzinfo=CALENDAR.timezone)
        self.clock.advance((wanted - self.clock.now()) / timedelta(seconds=1))

    def gate(self) -> Gate:
        owned = Gate().assigned(range(self.partitions), SINCE)
        now = self.clock.now_text()
        for partition in set(range(self.partitions)) - self.stuck:
            owned = owned.read(partition, now).asked(partition, now, 1).reached(partition, 1, now)
        return owned

    # -- what a test looks at -----------------------------------------------------------------------------------------

    def heard(self, recipient: str = WHO) -> list[list[tuple[Group, str | None]]]:
        """The lines of each digest that arrived, copies left out."""
        seen: dict[str, Notification] = {}
        for row in self.got:
            if row.recipient == recipient and row.sheet is not None:
                seen.setdefault(row.id, row)
        return [[(line.group, line.project_id) for line in _lines(row)] for row in seen.values()]


def _lines(row: Notification) -> Sequence[Any]:
    assert row.sheet is not None
    return row.sheet.lines


class Notifier:
    """One process."""

    def __init__(self, world: Mornings, counter: CallCounter | None = None) -> None:
        self.world = world
        counter = counter or CallCounter()
        wrapped: dict[str, Any] = {
            name: Crashing(getattr(world, name), counter)
            for name in ("watches", "matters", "notifications", "endpoints", "digests", "directory")
        }
        composer = Composer(ZONES, world.calendar, "https://luodi.example", digested=[WECOM])
        teller = Teller(ZONES, world.calendar, RULES)
        acting = ActingWatches(wrapped["watches"], Directory(world.directory), self._today, teller.head_of)
        self.sweeper = Sweep(
            watches=acting,
            matters=wrapped["matters"],
            notifications=wrapped["notifications"],
            gate=world.gate,
            given_up=list,
            channels=lambda: ["inbox"],
            own=self._own,
            teller=teller,
            composer=composer,
            clock=world.clock,
            settle_s=10,
            metrics=METRICS,
        )
        addressed = {WECOM: Mailboxes(world)}
        self.ledger = Ledger(
            notifications=wrapped["notifications"],
            matters=wrapped["matters"],
            watches=wrapped["watches"],
            silences=world.silences,
            endpoints=wrapped["endpoints"],
            channels={},
            addressed=addressed,
            clock=world.clock,
            metrics=METRICS,
            owned=lambda: range(world.partitions),
            jitter=lambda: 0.0,
        )
        self.digesting = Digesting(
            notifications=wrapped["notifications"],
            digests=wrapped["digests"],
            matters=wrapped["matters"],
            contacts=self,
            own=self._own,
            addressed=addressed,
            looks=Looks(wrapped["notifications"], wrapped["endpoints"], wrapped["matters"], acting, world.silences),
            composer=composer,
            weekly=Weekly(wrapped["watches"], Directory(wrapped["directory"]), composer),
            topic=lambda: Topic(world.partitions, self.sweeper.passed),
            hours=HoursOf(Hours(), self),
            head_of=teller.head_of,
            clock=world.clock,
            metrics=METRICS,
        )

    def _today(self) -> date:
        return self.world.calendar.business_date(self.world.clock.now_text())

    def page(self, after: str | None, limit: int) -> list[Contact]:
        """The contacts."""
        way = Way(WECOM, "https://…", None, None, None, "00")
        people = [who for who in sorted(self.world.people) if after is None or who > after]
        return [Contact(who, None, None, "zh-CN", (way,), SINCE) for who in people[:limit]]

    def hours(self, persons: Collection[str]) -> dict[str, tuple[str, str]]:
        """Those that some have for themselves."""
        return {who: hours for who, hours in self.world.own_hours.items() if who in persons}

    def beginnings(self) -> set[str]:
        """When they begin."""
        return {begin for begin, _ in self.world.own_hours.values()}

    def _own(self, recipients: Collection[str]) -> OwnChannels:
        gone = self.world.endpoints.rows
        return {who: [WECOM] for who in recipients if who in self.world.people and f"wecom/{who}" not in gone}

    def sweep(self) -> None:
        self.sweeper.run()

    def morning(self) -> int:
        """Sweep, then write the digests that are due."""
        self.sweeper.run()
        return self.digesting.run()

    def deliver(self) -> None:
        self.ledger.deliver(self.ledger.due(WECOM), WECOM)


def rests(world: Mornings, make: Callable[[Mornings], Notifier] = Notifier) -> None:
    """Let notifiers run for some days until nothing waits."""
    notifier = make(world)
    today = world.clock.now().astimezone(CALENDAR.timezone)
    for day in range(today.day, today.day + 4):
        wanted = datetime(2026, 3, day, 8, 31, tzinfo=CALENDAR.timezone)
        if wanted <= world.clock.now():
            continue
        world.until(day, 8, 31)
        for _ in range(2):
            notifier.morning()
            world.clock.advance(61)
            notifier.deliver()
