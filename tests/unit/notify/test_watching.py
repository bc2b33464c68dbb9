"""Reading states: what is taken over, in which order, and what happens when something in the way fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from luodi.domain.days import instant
from luodi.runtime.clock import ManualClock
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from schemas import states
from services.notify.watches import Watch
from services.notify.watching import COMMIT_S, FRESH_S, LAG_S, Mark, Polled, Watching
from tests.unit.notify.builders import HOUR, PROJECT, at, clock, state
from tests.unit.notify.fakes import MemoryDirectory, MemoryWatches


@dataclass(frozen=True)
class Kept:
    """A record."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    leader_epoch: int = 4


@dataclass
class Topic:
    """The partitions of the topic, and a consumer on all of them."""

    logs: dict[int, list[Kept]] = field(default_factory=lambda: {0: [], 1: []})
    positions: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})
    committed: dict[int, Mark] = field(default_factory=dict)
    assignment: frozenset[int] | None = frozenset({0, 1})
    ends_fail: bool = False
    asked: list[list[int]] = field(default_factory=list)
    closed: bool = False
    most: int = 100

    def state(self, partition: int = 0, key: str = PROJECT, **fields: object) -> None:
        record = state(key, **fields)  # type: ignore[arg-type]  # fields by name
        headers = states.guard_headers(record)
        self.write(partition, key.encode(), states.encode_state({"_id": key, **record}), headers)

    def watermark(self, seconds: float, partition: int = 0) -> None:
        self.write(partition, states.WATERMARK_KEY, states.encode_watermark(at(seconds)))

    def write(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        self.logs[partition].append(Kept(len(self.logs[partition]), key, value, headers))

    # -- the port

    def poll(self, timeout_s: float) -> Polled:
        assignment, self.assignment = self.assignment, None
        found = {p: log[self.positions[p] :][: self.most] for p, log in self.logs.items()}
        found = {p: batch for p, batch in found.items() if batch}
        for p, batch in found.items():
            self.positions[p] = batch[-1].offset + 1
        return Polled(found, assignment)

    def seek(self, partition: int, offset: int) -> None:
        self.positions[partition] = offset

    def position(self, partition: int) -> int | None:
        return self.positions[partition]

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        if self.ends_fail:
            raise TransientError("Kafka", "away")
        self.asked.append(list(partitions))
        return {p: len(self.logs[p]) for p in partitions}

    def commit(self, marks: Mapping[int, Mark]) -> bool:
        self.committed.update(marks)
        return True

    def close(self) -> None:
        self.closed = True


class Reader:
    """A notifier's reading side on a topic in memory."""

    def __init__(self) -> None:
        self.topic = Topic()
        self.clock = ManualClock(HOUR)
        self.watches = MemoryWatches()
        self.stop = Stop()
        self.metrics = Metrics()
        self.directory = MemoryDirectory()
        self.watching = Watching(self.watches, self.directory, self.clock, self.metrics, self.stop)

    def step(self) -> None:
        self.watching.step(self.topic)

    def kept(self, project_id: str = PROJECT) -> Watch | None:
        return self.watches.rows.get(project_id)


def test_states_become_watches_and_the_watermark_behind_them_usable() -> None:
    reader = Reader()
    reader.topic.state(clocks=[clock(at(100))])
    reader.topic.watermark(3)
    reader.step()
    kept = reader.kept()
    assert kept is not None
    assert (kept.partition, kept.changed_at) == (0, at(0))
    assert [d.seen for d in kept.deadlines] == [at(0)]
    assert reader.watching.gate.usable(0) == at(3)
    assert reader.watching.gate.usable(1) is None


def test_it_says_so_at_once_when_the_gate_of_a_partition_opens_further_and_only_then() -> None:
    reader, said = Reader(), []
    reader.watching.opened = lambda: said.append(reader.watching.gate.usable(0))
    reader.topic.state()
    reader.step()
    reader.step()
    assert said == []
    reader.topic.watermark(1)
    reader.step()
    assert said == [at(1)]
    reader.topic.watermark(1)
    reader.topic.state(events=2)
    reader.step()
    assert said == [at(1)]
    reader.topic.ends_fail = True
    reader.topic.watermark(2)
    with pytest.raises(TransientError):
        reader.step()
    assert said == [at(1)]
    reader.topic.ends_fail = False
    reader.step()
    assert said == [at(1), at(2)]


def test_a_watermark_is_not_believed_while_records_behind_it_are_unread() -> None:
    reader = Reader()
    reader.topic.most = 1
    reader.topic.watermark(3)
    reader.topic.state()
    reader.step()
    assert reader.watching.gate.usable(0) is None
    reader.step()
    assert reader.watching.gate.usable(0) == at(3)


def test_of_several_states_of_a_project_in_a_batch_the_one_that_knows_most_is_kept() -> None:
    reader = Reader()
    reader.topic.state(events=1, clocks=[clock(at(100))])
    reader.topic.state(events=3, clocks=[clock(at(100))])
    reader.topic.state(events=2)
    reader.step()
    kept = reader.kept()
    assert kept is not None
    assert kept.events == 3


def test_the_trace_of_the_record_stays_with_the_watch() -> None:
    reader = Reader()
    record = state()
    reader.topic.write(
        0,
        PROJECT.encode(),
        states.encode_state({"_id": PROJECT, **record}),
        [("guard", b"1.1"), ("traceparent", b"00-ab")],
    )
    reader.step()
    kept = reader.kept()
    assert kept is not None
    assert kept.traceparent == "00-ab"


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"id": "x"}',
        states.encode_state({"_id": "another", **state("another")}),
        states.encode_state({"_id": PROJECT, **state(clocks=[{"gap": ["signed"]}])}),
        states.encode_state({"_id": PROJECT, **state(clocks=[{"gap": ["signed", "started"], "lights": 7}])}),
        states.encode_state({"_id": PROJECT, **state(blockers=["b1"])}),
        states.encode_state({"_id": PROJECT, **state(reached=["signed"], clocks=7)}),
        states.encode_state({"_id": PROJECT, **state(withdrawn="yesterday")}),
    ],
)
def test_what_cannot_be_read_marks_its_project_and_holds_up_nobody(value: bytes | None) -> None:
    reader = Reader()
    reader.topic.state(clocks=[clock(at(100))])
    reader.step()
    reader.topic.write(0, PROJECT.encode(), value)
    reader.topic.state(key="p-other")
    reader.step()
    kept, other = reader.kept(), reader.kept("p-other")
    assert kept is not None
    assert other is not None
    assert (kept.unreadable, len(kept.deadlines), other.unreadable) == (True, 1, False)
    assert b"luodi_notify_states_skipped_total" in reader.metrics.render()


@pytest.mark.parametrize("value", [None, b"{", b'{"w": 3}', b'{"w": "soon"}', b"{}"])
def test_a_watermark_that_cannot_be_read_leaves_the_older_one_in_force(value: bytes | None) -> None:
    reader = Reader()
    reader.topic.watermark(3)
    reader.step()
    reader.topic.write(0, states.WATERMARK_KEY, value)
    reader.step()
    assert reader.watching.gate.usable(0) == at(3)


def test_other_subjects_and_records_without_a_key_are_left_alone() -> None:
    reader = Reader()
    reader.topic.write(0, b"enterprise:e-1", b"{}")
    reader.topic.write(0, None, b"{}")
    reader.step()
    assert reader.watches.rows == {}


def test_positions_are_committed_after_what_they_cover_and_not_at_every_turn() -> None:
    reader = Reader()
    reader.clock.advance(100)
    reader.topic.state()
    reader.step()
    assert reader.topic.committed == {0: Mark(1, 4)}
    reader.topic.state(events=2)
    reader.step()
    assert reader.topic.committed == {0: Mark(1, 4)}
    reader.clock.advance(COMMIT_S)
    reader.step()
    assert reader.topic.committed == {0: Mark(2, 4)}


class Failing(MemoryWatches):
    """A server that is away for the first write."""

    def __init__(self, failures: int = 1) -> None:
        super().__init__()
        self.failures = failures

    def put(self, watches: Sequence[Watch]) -> None:
        if self.failures:
            self.failures -= 1
            raise TransientError("MongoDB", "away")
        super().put(watches)


def test_when_watches_cannot_be_written_nothing_is_believed_or_committed_and_all_is_read_again() -> None:
    reader = Reader()
    reader.clock.advance(100)
    reader.watching._watches = reader.watches = Failing()
    reader.topic.state()
    reader.topic.watermark(3)
    reader.topic.state(partition=1, key="p-1")
    with pytest.raises(TransientError):
        reader.step()
    assert reader.topic.committed == {}
    assert reader.watching.gate.usable(0) is None
    reader.step()
    assert set(reader.watches.rows) == {PROJECT, "p-1"}
    assert reader.watching.gate.usable(0) == at(3)


def test_when_the_end_cannot_be_asked_no_watermark_is_believed() -> None:
    reader = Reader()
    reader.topic.ends_fail = True
    reader.topic.watermark(3)
    with pytest.raises(TransientError):
        reader.step()
    assert reader.watching.gate.usable(0) is None
    reader.topic.ends_fail = False
    reader.step()
    assert reader.watching.gate.usable(0) == at(3)


def test_a_rebalance_forgets_what_was_known() -> None:
    reader = Reader()
    reader.topic.watermark(3)
    reader.step()
    reader.topic.assignment = frozenset({1})
    reader.step()
    assert set(reader.watching.gate.partitions) == {1}
    reader.topic.assignment = frozenset({0, 1})
    reader.clock.advance(9)
    reader.step()
    assert reader.watching.gate.usable(0) is None
    assert reader.watching.gate.partitions[0].since == instant(reader.clock.now())


def test_the_lag_is_asked_for_now_and_then_and_readiness_needs_a_fresh_one() -> None:
    reader = Reader()
    assert reader.watching.missing() is not None
    reader.step()
    assert reader.watching.missing() is None
    asked = len(reader.topic.asked)
    reader.step()
    assert len(reader.topic.asked) == asked
    reader.clock.advance(LAG_S)
    reader.step()
    assert len(reader.topic.asked) == asked + 1
    assert reader.watching.lags == {0: 0, 1: 0}
    reader.clock.advance(FRESH_S + 1)
    assert "lag" in str(reader.watching.missing())


def test_a_notifier_without_partitions_stands_by_and_is_ready() -> None:
    reader = Reader()
    reader.topic.assignment = frozenset()
    reader.step()
    assert reader.watching.missing() is None


def test_the_loop_waits_out_passing_faults_and_ends_when_asked() -> None:
    reader = Reader()
    attempts: list[str] = []

    def connect() -> Topic:
        attempts.append("")
        if len(attempts) < 3:
            raise TransientError("Kafka", "away")
        return reader.topic

    class Ending(MemoryWatches):
        def put(self, watches: Sequence[Watch]) -> None:
            super().put(watches)
            reader.stop.ask()

    reader.watching._watches = reader.watches = Ending()
    reader.topic.state()
    reader.watching.run(connect)
    assert len(attempts) == 3
    assert reader.topic.closed
    assert reader.topic.committed == {0: Mark(1, 4)}
    assert reader.watching.gate.partitions == {}


def test_anything_else_leaves_the_loop() -> None:
    reader = Reader()

    def connect() -> Topic:
        raise FatalError("another member has our name")

    with pytest.raises(FatalError):
        reader.watching.run(connect)


def subject_state(subject: str, events: int = 1, **told: object) -> dict[str, object]:
    guard = {"id": subject, "events": events, "ruleset": 1}
    return {**guard, "registered": True, "updated_at": at(0), **told}


def write_subject(reader: Reader, subject: str, events: int = 1, **told: object) -> None:
    document = {"_id": subject, **subject_state(subject, events, **told)}
    reader.topic.write(0, subject.encode(), states.encode_state(document), states.guard_headers(document))


def test_units_persons_and_posts_go_into_the_directory_and_never_become_watches() -> None:
    reader = Reader()
    write_subject(reader, "unit:power", head="head")
    write_subject(reader, "unit:power", 3, head="head")
    write_subject(reader, "unit:power", 2, head="nobody")
    write_subject(reader, "post:head", holders=[])
    reader.topic.state()
    reader.step()
    assert list(reader.watches.rows) == [PROJECT]
    assert reader.directory.rows.keys() == {"unit:power", "post:head"}
    assert reader.directory.rows["unit:power"].events == 3


def test_an_entry_that_cannot_be_read_leaves_what_was_known_and_holds_up_nobody() -> None:
    reader = Reader()
    write_subject(reader, "unit:power", head="head")
    reader.topic.write(0, b"unit:power", b"{")
    reader.topic.write(0, b"unit:water", b'{"id": "unit:power"}')
    reader.topic.write(0, b"unit:water", None)
    reader.topic.state()
    reader.step()
    assert list(reader.watches.rows) == [PROJECT]
    assert reader.directory.rows["unit:power"].told["head"] == "head"
    assert reader.topic.positions[0] == 5
