"""Sorting records: the lowest offset wins an identity, what is invalid is told with its reason, order is kept."""

from __future__ import annotations

import pytest

from luodi.domain.events import PROJECT_REGISTERED, Event, digest
from schemas import codec
from services.tracker import intake
from services.tracker.ports import Journaled, Mark
from tests.parity.tracker.fakes import MemoryRecord
from tests.unit.tracker.plant import ZONE, event


def records(*values: tuple[bytes | None, bytes | None], first: int = 0) -> list[MemoryRecord]:
    return [MemoryRecord(0, first + n, key, value, leader_epoch=3) for n, (key, value) in enumerate(values)]


def wire(*events: Event) -> list[MemoryRecord]:
    return records(*((e.subject.encode(), codec.encode(e)) for e in events))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "null-value"),
        (b"{", "bad-json"),
        (b"[1,2]", "wrong-type"),
        (codec.encode(event("p1", "a", 1, stage="flying")), "unknown-stage"),
        (codec.encode(event("p1", "a", 1, date="9999-01-01")), "bad-date"),
        (codec.encode(event("p1", "a", 1, date="2026-02-30")), "bad-date"),
        (codec.encode(event("p1", "a", 1, type_="project.exploded")), "unknown-type"),
        (codec.encode(event("p2", "a", 1)), "key-mismatch"),
    ],
)
def test_a_record_that_is_no_event_is_a_reject_with_its_reason(value: bytes | None, reason: str) -> None:
    batch = intake.read({0: records((b"p1", value), first=41)}, ZONE)
    assert batch.arrivals == []
    (reject,) = batch.invalid
    assert (reject.reason, reject.partition, reject.offset, reject.key, reject.value) == (reason, 0, 41, b"p1", value)
    assert reject.rejected_at == "2026-03-02T01:00:00.000Z", "the broker's time of the record, so that a replay agrees"


def test_within_a_batch_the_first_claim_to_an_identity_holds() -> None:
    first, rival = event("p1", "a", 1), event("p1", "a", 2, date="2026-01-06")
    batch = intake.read({0: wire(first, rival, first)}, ZONE)
    verdict = intake.judge(batch, {})
    assert verdict.fresh == {"p1": [first]}
    assert verdict.new == 1
    assert [(r.offset, r.reason) for r in verdict.rejects] == [(1, intake.CONFLICT)]


def test_what_is_journaled_holds_against_the_first_of_the_batch() -> None:
    journaled, rival = event("p1", "a", 1), event("p1", "a", 2, date="2026-01-06")
    batch = intake.read({0: wire(rival, journaled, event("p1", "b", 3))}, ZONE)
    verdict = intake.judge(batch, {("p1", "a"): Journaled(digest(journaled), 0, 900)})
    assert [(r.offset, r.reason) for r in verdict.rejects] == [(0, intake.CONFLICT)]
    assert verdict.again == {"p1"}
    assert verdict.fresh == {}, "a subject with a repeated event is not carried forward"
    assert verdict.place["p1"].offset == 2


def test_the_same_place_is_the_same_record_whatever_a_newer_version_reads_of_it() -> None:
    batch = intake.read({0: wire(event("p1", "a", 1))}, ZONE)
    verdict = intake.judge(batch, {("p1", "a"): Journaled("digest of an older version", 0, 0)})
    assert verdict.rejects == []
    assert verdict.again == {"p1"}


def test_marks_stand_behind_the_last_record_with_its_leader_epoch() -> None:
    batch = intake.read({0: wire(event("p1", "a", 1), event("p1", "b", 2))}, ZONE)
    assert batch.marks({0: 7}) == {0: Mark(2, 3, 7)}


def test_a_cut_batch_ends_before_the_stop() -> None:
    batch = intake.read({0: [*wire(event("p1", "a", 1)), *records((b"x", b"{"), (b"x", b"{"), first=1)]}, ZONE)
    assert batch.cut({0: 2}).marks({0: 1}) == {0: Mark(2, 3, 1)}
    assert len(batch.cut({0: 2}).invalid) == 1
    nothing = batch.cut({0: 0})
    assert (nothing.records, nothing.arrivals, nothing.invalid) == ({}, [], [])


def test_rejects_in_a_row_are_counted_across_batches_and_a_valid_record_begins_anew() -> None:
    bad = (b"x", b"{")
    good = event("p1", "a", 1, PROJECT_REGISTERED)
    batch = intake.read({0: [*records(bad), *records((b"p1", codec.encode(good)), bad, bad, first=1)]}, ZONE)
    counts, stops = intake.count_rejects(batch, batch.invalid, {0: 7})
    assert (counts, stops) == ({0: 2}, {})


def test_the_limit_stops_the_partition_behind_the_last_reject_allowed() -> None:
    batch = intake.read({0: records(*[(b"x", b"{")] * 5, first=100)}, ZONE)
    _, stops = intake.count_rejects(batch, batch.invalid, {0: intake.MAX_REJECTS_IN_ROW - 3})
    assert stops == {0: 103}
