"""The gate: a watermark is believed only when nothing that it vouches for can still lie ahead."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.notify.gate import MAX_WAITING, Gate
from tests.unit.notify.builders import at


def owned(*partitions: int) -> Gate:
    return Gate().assigned(partitions, at(0))


def test_a_new_partition_knows_nothing() -> None:
    assert owned(3).usable(3) is None


def test_a_partition_that_is_not_owned_is_unknown_whatever_is_said_of_it() -> None:
    gate = owned(3).read(4, at(1)).asked(4, at(1), 1).reached(4, 9, at(1))
    assert gate == owned(3)
    assert gate.usable(4) is None


def test_a_watermark_is_not_usable_before_the_end_was_asked_for() -> None:
    gate = owned(0).read(0, at(1)).reached(0, 10, at(1))
    assert gate.usable(0) is None
    assert gate.to_ask() == {0: at(1)}


def test_a_watermark_is_not_usable_before_the_end_asked_after_it_is_reached() -> None:
    gate = owned(0).read(0, at(1)).reached(0, 10, at(1)).asked(0, at(1), 12)
    assert gate.usable(0) is None
    assert gate.reached(0, 11, at(2)).usable(0) is None
    assert gate.reached(0, 12, at(2)).usable(0) == at(1)


def test_at_the_end_already_it_is_usable_at_once() -> None:
    assert owned(0).read(0, at(1)).reached(0, 10, at(1)).asked(0, at(1), 10).usable(0) == at(1)


def test_an_empty_partition_with_no_watermark_stays_unknown() -> None:
    assert owned(0).reached(0, 0, at(1)).usable(0) is None


def test_the_newest_watermark_is_asked_about_once() -> None:
    gate = owned(0).read(0, at(1)).read(0, at(2))
    assert gate.to_ask() == {0: at(2)}
    assert gate.asked(0, at(2), 5).to_ask() == {}


def test_a_watermark_read_while_the_end_was_asked_for_is_asked_about_next() -> None:
    gate = owned(0).read(0, at(1))
    asked = gate.to_ask()
    gate = gate.read(0, at(2)).asked(0, asked[0], 5)
    assert gate.to_ask() == {0: at(2)}


def test_an_older_watermark_says_nothing_new() -> None:
    gate = owned(0).read(0, at(5)).asked(0, at(5), 3).reached(0, 3, at(5))
    assert gate.read(0, at(4)) == gate
    assert gate.read(0, at(5)) == gate


def test_what_was_revoked_is_forgotten_also_when_it_comes_back() -> None:
    gate = owned(0, 1).read(0, at(1)).asked(0, at(1), 1).reached(0, 1, at(1))
    assert gate.usable(0) == at(1)
    back = gate.revoked([0]).assigned([0], at(9))
    assert back.usable(0) is None
    assert back.partitions[0].since == at(9)
    assert 1 in back.partitions


def test_behind_a_long_backlog_only_so_many_watermarks_wait() -> None:
    gate = owned(0)
    for number in range(MAX_WAITING + 5):
        gate = gate.read(0, at(number))
        for partition, watermark in gate.to_ask().items():
            gate = gate.asked(partition, watermark, 1000 + number)
    assert len(gate.partitions[0].waiting) == MAX_WAITING
    assert gate.reached(0, 1000, at(99)).usable(0) == at(0)
    caught_up = gate.reached(0, 10_000, at(99))
    assert caught_up.to_ask() == {0: at(MAX_WAITING + 4)}


@dataclass
class Log:
    """A compacted partition: records by offset, `("state", key)` or `("watermark", instant)`."""

    records: dict[int, tuple[str, object]] = field(default_factory=dict)
    end: int = 0

    def append(self, record: tuple[str, object]) -> None:
        self.records[self.end] = record
        self.end += 1

    def compact(self) -> None:
        """Keep the newest record of each key; watermarks share one."""
        newest: dict[object, int] = {}
        for offset, (kind, what) in self.records.items():
            newest["~watermark" if kind == "watermark" else what] = offset
        self.records = {offset: self.records[offset] for offset in sorted(newest.values())}


class CompactedTopic(RuleBasedStateMachine):
    """A tracker writes, the broker compacts whenever it likes, notify reads: is the gate ever too early?"""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.clock = 0
        self.published: list[tuple[int, int]] = []  # (clock, key) of every state, in order
        self.gate = owned(0)
        self.position = 0
        self.taken: dict[object, int] = {}  # key -> highest publication number taken over
        self.numbers: dict[int, int] = {}  # offset -> publication number
        self.best: str | None = None

    @rule(key=st.integers(0, 3))
    def publish_state(self, key: int) -> None:
        self.clock += 1
        self.numbers[self.log.end] = len(self.published)
        self.published.append((self.clock, key))
        self.log.append(("state", key))

    @rule()
    def publish_watermark(self) -> None:
        self.clock += 1
        self.log.append(("watermark", at(self.clock)))

    @rule()
    def compact(self) -> None:
        self.log.compact()

    @rule(many=st.integers(1, 5))
    def read(self, many: int) -> None:
        for offset in [o for o in sorted(self.log.records) if o >= self.position][:many]:
            kind, what = self.log.records[offset]
            if kind == "watermark":
                self.gate = self.gate.read(0, str(what))
            else:
                self.taken[what] = max(self.taken.get(what, -1), self.numbers[offset])
            self.position = offset + 1
        self.gate = self.gate.reached(0, self.position, at(self.clock))

    @precondition(lambda self: self.gate.to_ask())
    @rule()
    def ask(self) -> None:
        for partition, watermark in self.gate.to_ask().items():
            self.gate = self.gate.asked(partition, watermark, self.log.end)

    @rule()
    def rebalance(self) -> None:
        self.gate = self.gate.revoked([0]).assigned([0], at(self.clock))
        self.best = None

    @invariant()
    def everything_before_a_usable_watermark_is_taken_over(self) -> None:
        w = self.gate.usable(0)
        if w is None:
            return
        for number, (clock, key) in enumerate(self.published):
            if at(clock) < w:  # published before the watermark: that state or a newer one of its key is known
                assert self.taken.get(key, -1) >= number

    @invariant()
    def it_never_falls(self) -> None:
        w = self.gate.usable(0)
        assert self.best is None or (w is not None and w >= self.best)
        self.best = w


TestCompactedTopic = CompactedTopic.TestCase


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=20), st.integers(0, 60))
def test_of_pairs_in_any_order_the_highest_done_one_is_usable(pairs: list[tuple[int, int]], position: int) -> None:
    gate = owned(0)
    for w, end in pairs:
        gate = gate.asked(0, at(w), end)
    done = [at(w) for w, end in pairs if end <= position]
    assert gate.reached(0, position, at(99)).usable(0) == max(done, default=None)
