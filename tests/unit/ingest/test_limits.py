from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from luodi.runtime.clock import ManualClock
from luodi.runtime.rates import RateLimit
from services.ingest.limits import Gate, Recent, content_digest


def limit(per_second: float, burst: float) -> tuple[RateLimit, ManualClock]:
    clock = ManualClock(datetime(2026, 3, 5, tzinfo=UTC))
    return RateLimit(clock.monotonic, per_second, burst), clock


def test_a_caller_may_burst_and_then_waits_for_its_rate() -> None:
    rate, clock = limit(10, 100)
    assert rate.take("a", 100) == 0
    assert rate.take("a", 5) == 0.5
    clock.advance(0.5)
    assert rate.take("a", 5) == 0


def test_what_was_refused_costs_nothing() -> None:
    rate, _ = limit(10, 100)
    rate.take("a", 60)
    assert rate.take("a", 60) > 0
    assert rate.take("a", 40) == 0


def test_callers_do_not_pay_for_each_other() -> None:
    rate, _ = limit(10, 100)
    rate.take("a", 100)
    assert rate.take("b", 100) == 0


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 100)), max_size=40))
def test_no_caller_gets_more_than_burst_and_rate(asked: list[tuple[float, int]]) -> None:
    rate, clock = limit(10, 100)
    elapsed = granted = 0.0
    for pause, events in asked:
        clock.advance(pause)
        elapsed += pause
        if rate.take("a", events) == 0:
            granted += events
    assert granted <= 100 + 10 * elapsed + 1e-6


def test_the_gate_counts_who_is_inside() -> None:
    gate = Gate(1)
    with gate.enter() as first:
        assert first
        with gate.enter() as second:
            assert not second
    with gate.enter() as third:
        assert third


def test_another_content_under_a_known_id_is_noticed() -> None:
    recent = Recent()
    one, two = content_digest(b"one"), content_digest(b"two")
    assert not recent.differs("p1", "e1", one)
    recent.remember("p1", "e1", one)
    assert not recent.differs("p1", "e1", one)
    assert recent.differs("p1", "e1", two)
    assert not recent.differs("p2", "e1", two)
    recent.remember("p1", "e1", two)
    assert recent.differs("p1", "e1", two)


def test_workers_share_what_they_know(tmp_path: Path) -> None:
    mine, other = Recent(tmp_path / "recent"), Recent(tmp_path / "recent")
    mine.remember("p1", "e1", content_digest(b"one"))
    assert other.differs("p1", "e1", content_digest(b"two"))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=60))
def test_a_full_table_forgets_and_never_accuses_wrongly(writes: list[tuple[int, int]]) -> None:
    recent = Recent(slots=2)
    first: dict[int, set[int]] = {}
    for event, content in writes:
        digest = content_digest(str(content).encode())
        if recent.differs("p", f"e{event}", digest):
            assert first[event] - {content}
        recent.remember("p", f"e{event}", digest)
        first.setdefault(event, set()).add(content)


def test_a_slot_half_written_accuses_nobody(tmp_path: Path) -> None:
    recent = Recent(tmp_path / "recent", slots=1)
    recent.remember("p1", "e1", content_digest(b"one"))
    held = bytearray((tmp_path / "recent").read_bytes())
    held[20] ^= 1
    (tmp_path / "recent").write_bytes(held)
    assert not Recent(tmp_path / "recent", slots=1).differs("p1", "e1", content_digest(b"two"))
