"""A tracker in memory: real steps on ports that a test can hold up, break or look behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from luodi.domain.calendar import Calendar
from luodi.domain.days import instant
from luodi.domain.events import MILESTONE_REPORTED, PROJECT_REGISTERED, Event
from luodi.domain.fold import fold
from luodi.domain.kinds import KINDS
from luodi.domain.subjects import kind_of
from luodi.runtime.clock import ManualClock
from luodi.runtime.metrics import Metrics
from schemas import codec
from services.tracker import rulesets
from services.tracker.folding import Folder
from services.tracker.ports import Mark
from services.tracker.projector import Hands, Outboxes, Projector, Stores
from services.tracker.renewal import Renewal
from services.tracker.rollups import Follower
from services.tracker.rulesets import Content, Regime
from services.tracker.tail import Published, Tail
from services.tracker.visibility import Visibility
from tests.parity.tracker.fakes import (
    Eager,
    Faults,
    MemoryFuses,
    MemoryGroup,
    MemoryJournal,
    MemoryOutbox,
    MemoryPositions,
    MemoryProjects,
    MemoryRollUps,
    MemoryRulesets,
    MemorySource,
    MemoryTailSource,
    MemoryTopic,
)
from tests.rules import DEFAULT_RULES

HandsKind = tuple[int, type[Executor], type[Executor]]  # how many events are few; the scribe; the hand and the keeper

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar.build(ZONE, {})
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NO_FAULTS = Faults(0, lambda _: None, after=False)


def event(subject: str, id_: str, at_s: int, type_: str = MILESTONE_REPORTED, **data: Any) -> Event:
    """An event recorded `at_s` seconds after the start."""
    if type_ == MILESTONE_REPORTED:
        data = {"stage": "signed", "date": "2026-01-05", **data}
    elif type_ == PROJECT_REGISTERED:
        data = {"name": subject, "zone": "demo", "route": "land", **data}
    return Event(subject, id_, type_, instant(START + timedelta(seconds=at_s)), 0, "u-test", data)


@dataclass
class Plant:
    """Everything that outlives a process: the topics, the group, the stores. `worker` makes a process."""

    partitions: int = 2
    events: MemoryTopic = field(init=False)
    states: MemoryTopic = field(init=False)
    rejected: MemoryTopic = field(default_factory=lambda: MemoryTopic(1))
    group: MemoryGroup = field(default_factory=MemoryGroup)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    projects: MemoryProjects = field(default_factory=MemoryProjects)
    positions: MemoryPositions = field(default_factory=MemoryPositions)
    fuses: MemoryFuses = field(default_factory=MemoryFuses)
    rollups: MemoryRollUps = field(init=False)
    rulesets: MemoryRulesets = field(default_factory=MemoryRulesets)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START + timedelta(days=1)))

    def __post_init__(self) -> None:
        self.events = MemoryTopic(self.partitions)
        self.states = MemoryTopic(self.partitions)
        self.rollups = MemoryRollUps(self.projects)
        self.journal.primary = self.projects.primary

    def fail_over(self) -> int:
        """Another primary is elected, which has only what a majority held; says how many documents are lost."""
        primary = self.projects.primary
        lost = len(primary.ahead)
        for subject, held in primary.ahead.items():
            if held is None:
                self.projects.documents.pop(subject, None)
            else:
                self.projects.documents[subject] = held
        primary.ahead.clear()
        primary.elected += 1
        return lost

    def partition(self, subject: str) -> int:
        return sum(subject.encode()) % self.partitions

    def arrive(self, *events: Event) -> None:
        for arrived in events:
            self.events.append(self.partition(arrived.subject), arrived.subject.encode(), codec.encode(arrived))

    def arrive_raw(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        self.events.append(partition, key, value)

    def worker(
        self,
        faults: Faults = NO_FAULTS,
        max_poll_records: int = 500,
        hands: HandsKind = (100, Eager, Eager),
        behind: Faults = NO_FAULTS,
    ) -> Worker:
        """A process; `faults` stand in the way of its projector, `behind` in that of what follows it."""
        return Worker(self, faults, max_poll_records, hands, behind)

    # -- what must hold -----------------------------------------------------------------------------------------------

    def histories(self, up_to: Mapping[int, int] | None = None) -> dict[str, list[Event]]:
        """The valid events of each subject as the topic has them (below the offsets in `up_to`), one per identity."""
        found: dict[str, dict[str, Event]] = {}
        for partition in range(self.partitions):
            end = self.events.end(partition) if up_to is None else up_to.get(partition, 0)
            for record in self.events.read(partition)[:end]:
                try:
                    arrived = codec.decode(record.value, record.key, ZONE)
                except codec.Invalid:
                    continue
                found.setdefault(arrived.subject, {}).setdefault(arrived.id, arrived)
        return {subject: list(events.values()) for subject, events in found.items()}

    def check_commit(self, marks: Mapping[int, Mark]) -> None:
        """Nothing is committed that is not journaled, stored and published."""
        published = self.states.last_states()
        for subject, events in self.histories({p: mark.offset for p, mark in marks.items()}).items():
            for expected in events:
                assert (subject, expected.id) in self.journal.rows, f"{subject}/{expected.id} is not journaled"
            assert self.projects.documents[subject]["events"] >= len(events), f"{subject} is not stored"
            assert published[subject]["events"] >= len(events), f"{subject} is not published"

    def check_end(self) -> None:
        """All that arrived is applied: documents and the last states are those of the set of events."""
        assert self.group.committed == {p: self.events.end(p) for p in range(self.partitions) if self.events.end(p)}
        published = self.states.last_states()
        histories = self.histories()
        assert self.projects.documents.keys() == histories.keys() == published.keys()
        for subject, events in histories.items():
            document = self.projects.documents[subject]
            kind = KINDS[kind_of(subject)]
            expected = kind.document(subject, fold(events, kind.empty), DEFAULT_RULES, CALENDAR)
            assert {name: document[name] for name in expected} == expected
            assert published[subject] == {
                "id": subject,
                **{name: value for name, value in document.items() if name not in {"_id", "fold"}},
            }


class Worker:
    """One process: everything that a crash takes with it."""

    def __init__(self, plant: Plant, faults: Faults, max_poll_records: int, hands: HandsKind, behind: Faults) -> None:
        self.plant = plant
        self.metrics = Metrics()
        content = Content.of(DEFAULT_RULES, CALENDAR)
        number = rulesets.at_start(plant.rulesets, content, plant.clock.wall_text(), plant.clock.now().date())
        self.regime = Regime(plant.rulesets, Folder(DEFAULT_RULES, CALENDAR, number))
        self.published = Published()
        self.visibility = Visibility(plant.positions)
        self.source = MemorySource(plant.events, plant.group, max_poll_records, plant.check_commit)
        self.outbox = MemoryOutbox(plant.states, plant.rejected)
        self.projector = Projector(
            faults.through(self.source),
            Outboxes(faults.through(MemoryOutbox(plant.states, plant.rejected)), faults.through(self.outbox)),
            Stores(
                faults.through(plant.journal),
                faults.through(plant.projects),
                faults.through(plant.positions),
                faults.through(plant.fuses),
                plant.projects.primary,
            ),
            self.regime,
            self.published,
            self.visibility,
            Hands(hands[1](), hands[2](), hands[2](), few=hands[0]),
            plant.clock,
            self.metrics,
            ZONE,
        )
        self.follower = Follower(behind.through(plant.rollups), behind.through(plant.projects), self.metrics)
        self.tail = Tail(
            MemoryTailSource(plant.states, plant.group),
            plant.projects,
            MemoryOutbox(plant.states, plant.rejected),
            self.published,
            plant.clock,
            self.metrics,
            [self.follower],
        )
        self.renewal = Renewal(
            self.regime,
            plant.journal,
            plant.projects,
            MemoryOutbox(plant.states, plant.rejected),
            self.metrics,
        )

    def work(self, turns: int = 40) -> None:
        """Turn until everything is committed, letting time pass."""
        for _ in range(turns):
            self.projector.turn()
            self.plant.clock.advance(1.5)
            if self.done():
                return
        raise AssertionError(f"not done in {turns} turns: {self.plant.group.committed}")

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.projector.turn()
            self.plant.clock.advance(1.5)

    def done(self) -> bool:
        plant = self.plant
        return all(plant.group.committed.get(p, 0) == plant.events.end(p) for p in range(plant.partitions))

    def heal(self, turns: int = 6) -> None:
        for _ in range(turns):
            self.tail.turn(0)
            self.plant.clock.advance(1.5)


def rejected_ids(plant: Plant) -> Iterable[str]:
    """The identities in the rejected topic, each once."""
    return {record.key.decode() for record in plant.rejected.read(0) if record.key is not None}
