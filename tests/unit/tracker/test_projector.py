"""The loop in memory: what it pauses for, what it tells, what it never does."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from concurrent.futures import Executor
from datetime import date

import pytest

from luodi.domain.events import PROJECT_REGISTERED
from luodi.runtime.errors import FatalError
from schemas import states
from services.tracker import intake, projector, rulesets
from services.tracker.cache import Cache
from services.tracker.ports import Base, Unwritten
from services.tracker.rulesets import Content
from tests.parity.tracker.fakes import Eager, Faults, Lazy, passing
from tests.rules import DEFAULT_RULES
from tests.unit.tracker.plant import CALENDAR, Plant, Worker, event, rejected_ids


def watermarks(plant: Plant, partition: int) -> list[tuple[int, str]]:
    """(offset, instant) of the watermarks on a partition of the states topic."""
    return [
        (record.offset, states.decode_watermark(record.value))
        for record in plant.states.read(partition)
        if record.key == states.WATERMARK_KEY and record.value is not None
    ]


def test_a_watermark_stands_behind_every_state_it_speaks_for() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker(max_poll_records=2)
    for n in range(6):
        plant.arrive(event(f"p{n % 2}", f"a{n}", n))
    worker.work()
    worker.turn(2)
    marks = watermarks(plant, 0)
    assert marks, "no watermark was published"
    states_end = max(r.offset for r in plant.states.read(0) if r.key != states.WATERMARK_KEY)
    assert marks[0][0] > 0
    assert marks[-1][0] > states_end
    assert [instant for _, instant in marks] == sorted({instant for _, instant in marks})


def test_no_watermark_moves_while_the_end_cannot_be_asked() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    worker.turn(2)
    before = watermarks(plant, 0)
    worker.source.ends = lambda _: passing("ends")  # type: ignore[assignment,method-assign,return-value]  # a broker away
    plant.arrive(event("p0", "a", 1))
    worker.turn(5)
    assert watermarks(plant, 0) == before
    assert plant.group.committed == {0: 1}, "the events themselves go on"


def test_a_watermark_waits_for_a_partition_that_stands_still() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    worker.turn(2)
    before = watermarks(plant, 0)[-1][1]
    worker.outbox.unwritable[0] = Unwritten(0, passing=False, detail="not authorised")
    plant.arrive_raw(0, b"p0", b"{")
    worker.turn(5)
    assert watermarks(plant, 0)[-1][1] == before


def test_a_thousand_rejects_in_a_row_stop_their_partition_alone_until_an_operators_word() -> None:
    plant = Plant()
    worker = plant.worker(max_poll_records=400)
    good, bad = "p2", "p1"
    assert (plant.partition(good), plant.partition(bad)) == (0, 1)
    for _ in range(intake.MAX_REJECTS_IN_ROW + 50):
        plant.arrive_raw(1, bad.encode(), b"{")
    plant.arrive(event(bad, "later", 1), event(good, "a", 1, PROJECT_REGISTERED))
    worker.turn(12)
    assert plant.group.committed == {0: 1, 1: intake.MAX_REJECTS_IN_ROW}
    assert len(plant.rejected.read(0)) == intake.MAX_REJECTS_IN_ROW
    assert "partition 1 stands still at offset 1000" in (worker.projector.standing_still() or "")
    assert bad not in plant.projects.documents
    assert plant.projects.documents[good]["events"] == 1

    worker = plant.worker(max_poll_records=400)  # a restart does not go on by itself
    worker.turn(6)
    assert plant.group.committed[1] == intake.MAX_REJECTS_IN_ROW
    assert worker.projector.standing_still() is not None

    assert plant.fuses.mend(1)
    worker.turn(12)
    assert worker.projector.standing_still() is None
    assert plant.projects.documents[bad]["events"] == 1
    plant.check_end()
    assert len(set(rejected_ids(plant))) == intake.MAX_REJECTS_IN_ROW + 50


def test_the_count_of_rejects_in_a_row_outlives_a_restart() -> None:
    plant = Plant(partitions=1)
    for _ in range(intake.MAX_REJECTS_IN_ROW + 10):
        plant.arrive_raw(0, b"p0", b"{")
    for _ in range(4):
        worker = plant.worker(max_poll_records=300)
        worker.turn(2)  # the first turn takes over, the second begins one batch
        worker.projector.finish()
    assert plant.group.committed == {0: intake.MAX_REJECTS_IN_ROW}
    assert plant.fuses.blown()[0].offset == intake.MAX_REJECTS_IN_ROW


def test_a_fuse_mended_while_no_tracker_runs_is_mended() -> None:
    plant = Plant(partitions=1)
    for _ in range(intake.MAX_REJECTS_IN_ROW + 10):
        plant.arrive_raw(0, b"p0", b"{")
    worker = plant.worker(max_poll_records=600)
    worker.turn(4)
    worker.projector.finish()
    plant.fuses.mend(0)
    plant.worker(max_poll_records=600).work()
    assert plant.fuses.blown() == {}
    assert plant.group.committed == {0: intake.MAX_REJECTS_IN_ROW + 10}


def test_what_comes_before_a_reject_that_cannot_be_written_is_applied_and_it_is_tried_again_after_resume() -> None:
    plant = Plant(partitions=1)
    plant.arrive(event("p0", "a", 1))
    plant.arrive_raw(0, b"p0", b"{")
    plant.arrive(event("p0", "b", 2))
    worker = plant.worker()
    worker.outbox.unwritable[0] = Unwritten(1, passing=False, detail="record too large")
    worker.turn(6)
    assert plant.group.committed == {0: 1}
    assert plant.projects.documents["p0"]["events"] == 1
    assert "record too large" in (worker.projector.standing_still() or "")
    worker.outbox.unwritable.clear()
    plant.fuses.mend(0)
    worker.turn(6)
    plant.check_end()
    assert set(rejected_ids(plant)) == {"project-events-0-1"}


def test_a_rejected_topic_that_is_away_for_a_while_holds_up_its_partition_only_and_needs_no_operator() -> None:
    plant = Plant()
    plant.arrive_raw(1, b"p1", b"{")
    worker = plant.worker()
    worker.outbox.unwritable[1] = Unwritten(0, passing=True, detail="no leader")
    worker.turn(3)
    plant.arrive(event("p2", "a", 1))
    worker.turn(6)
    assert plant.group.committed == {0: 1}
    assert worker.projector.standing_still() is None
    worker.outbox.unwritable.clear()
    worker.turn(10)
    plant.check_end()
    assert set(rejected_ids(plant)) == {"project-events-1-0"}


def test_a_document_that_outgrows_the_store_stops_its_partition_alone() -> None:
    plant = Plant()
    plant.arrive(event("p1", "a", 1), event("p2", "a", 1))
    worker = plant.worker()
    worker.work()
    plant.projects.max_bytes = len(plant.projects.documents["p1"]["fold"]) + 20
    plant.arrive(event("p1", "b", 2, stage="started", date="2026-02-01"))
    worker.turn(3)
    plant.arrive(event("p2", "a2", 2))
    worker.turn(6)
    assert plant.group.committed == {0: 2, 1: 1}
    assert "the document of p1 is too large" in (worker.projector.standing_still() or "")
    plant.projects.max_bytes *= 100
    plant.fuses.mend(1)
    worker.turn(8)
    plant.check_end()


def test_passing_faults_in_a_row_make_it_unready_until_a_batch_gets_through() -> None:
    plant = Plant(partitions=1)
    broken = True

    class WhileBroken(Faults):
        def call(self, name, method, args, kwargs):  # type: ignore[no-untyped-def]  # as in the base
            if broken and name.endswith(("MemoryJournal.add", "MemoryJournal.settle")):
                passing(name)
            return method(*args, **kwargs)

    worker = plant.worker(WhileBroken(0, passing, after=False))
    worker.turn(2)
    assert worker.projector.not_ready() is None
    plant.arrive(event("p0", "a", 1))
    for _ in range(40):
        worker.turn()
    assert "passing faults" in (worker.projector.not_ready() or "")
    assert plant.group.committed == {}
    broken = False
    worker.turn(10)
    assert worker.projector.not_ready() is None
    plant.check_end()


def test_it_is_not_ready_before_it_owns_partitions_nor_when_it_stops_turning() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    assert worker.projector.not_ready() is not None
    worker.turn(2)
    assert worker.projector.not_ready() is None
    plant.clock.advance(60)
    assert "lag" in (worker.projector.not_ready() or "")


def test_an_old_deploy_stops_when_it_meets_a_document_of_newer_rules() -> None:
    plant = Plant(partitions=1)
    plant.arrive(event("p0", "a", 1))
    old = plant.worker()
    old.work()
    newer = dataclasses.replace(Content.of(DEFAULT_RULES, CALENDAR), rules="other rules")
    number = rulesets.at_start(plant.rulesets, newer, "2026-03-02T02:00:00.000Z", date(2026, 3, 2))
    plant.projects.documents["p0"]["ruleset"] = number
    plant.arrive(event("p0", "b", 2))
    with pytest.raises(FatalError, match="old deploy"):
        old.turn(3)
    assert plant.group.committed == {0: 1}


def test_a_new_activation_of_the_same_rules_is_followed_without_a_restart() -> None:
    plant = Plant(partitions=1)
    plant.arrive(event("p0", "a", 1))
    worker = plant.worker()
    worker.work()
    number = rulesets.activate(
        plant.rulesets, Content.of(DEFAULT_RULES, CALENDAR), "2026-03-02T02:00:00.000Z", date(2026, 3, 2), by="test"
    ).number
    plant.projects.documents["p0"]["ruleset"] = number  # another tracker was quicker
    plant.arrive(event("p0", "b", 2))
    worker.work()
    assert plant.projects.documents["p0"]["ruleset"] == number
    plant.check_end()


def test_positions_and_commits_that_fail_are_made_up_for_when_nothing_else_happens() -> None:
    plant = Plant(partitions=1)
    broken = True

    class WhileBroken(Faults):
        def call(self, name, method, args, kwargs):  # type: ignore[no-untyped-def]  # as in the base
            if broken and name in {"MemoryPositions.advance", "MemorySource.commit"}:
                passing(name)
            return method(*args, **kwargs)

    worker = plant.worker(WhileBroken(0, passing, after=False))
    plant.arrive(event("p0", "a", 1))
    worker.turn(8)
    assert (plant.positions.rows, plant.group.committed) == ({}, {})
    broken = False
    worker.turn(8)
    assert (plant.positions.rows, plant.group.committed) == ({0: 1}, {0: 1})
    plant.check_end()


def test_a_rebalance_takes_each_partition_from_its_committed_offset() -> None:
    plant = Plant()
    plant.arrive(event("p1", "a", 1), event("p2", "a", 2))
    worker = plant.worker()
    worker.turn(4)
    worker.source.rebalance([1])
    plant.arrive(event("p1", "b", 3), event("p2", "b", 4))
    worker.turn(4)
    assert plant.group.committed == {0: 1, 1: 2}
    assert plant.projects.documents["p2"]["events"] == 1, "no longer ours"
    worker.source.rebalance([0, 1])
    worker.turn(4)
    plant.check_end()


def test_with_nothing_else_to_do_projects_are_taken_into_the_cache_so_that_their_events_need_no_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(projector, "WARM", 2)
    plant = Plant()
    subjects = [f"p{n}" for n in range(5)]
    plant.arrive(*(event(subject, "a", 1) for subject in subjects))
    plant.worker().work()
    restarted = plant.worker()
    restarted.turn(6)
    looks: list[object] = []
    monkeypatch.setattr(plant.projects, "bases", looks.append)
    monkeypatch.setattr(plant.journal, "ids", looks.append)
    plant.arrive(*(event(subject, "b", 2, stage="land_supplied", date="2026-02-01") for subject in subjects))
    restarted.work()
    assert not looks
    plant.check_end()


def restarted_cold(monkeypatch: pytest.MonkeyPatch, look_s: float) -> tuple[Plant, Worker, list[list[int]]]:
    """A worker that finds seven projects in the stores, two at a look of so many seconds, and the looks it takes."""
    monkeypatch.setattr(projector, "WARM", 2)
    plant = Plant()
    plant.arrive(*(event(f"p{n}", "a", 1) for n in range(7)))
    plant.worker().work()
    standing, looks = plant.projects.standing, []

    def slow(partitions: Collection[int], after: str, limit: int) -> dict[str, Base]:
        looks.append(sorted(partitions))
        plant.clock.advance(look_s)
        return standing(partitions, after, limit)

    monkeypatch.setattr(plant.projects, "standing", slow)
    return plant, plant.worker(), looks


def test_before_its_first_batch_it_takes_in_all_projects_of_its_own_and_knows_how_far_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant, worker, looks = restarted_cold(monkeypatch, 0.0)
    worker.projector.turn()
    assert looks == [[0, 1]] * 4
    assert worker.visibility.reached({p: plant.events.end(p) - 1 for p in range(2)})
    worker.source.rebalance([1])
    worker.projector.turn()
    assert looks[4:] == [[1]] * 2, "what it remembered of another partition is not its own any more"


def test_what_is_not_taken_in_within_half_a_second_waits_until_there_is_nothing_else_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant, worker, looks = restarted_cold(monkeypatch, 0.3)
    plant.arrive(event("p6", "b", 2, stage="land_supplied", date="2026-02-01"))
    worker.projector.turn()
    assert len(looks) == 3, "two within the half second, and one because no record was there yet"
    worker.projector.turn()
    assert len(looks) == 3, "an event comes first"
    worker.work()
    worker.turn(4)
    assert len(looks) == 4
    plant.check_end()


def test_what_there_was_only_time_for_does_not_push_out_what_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    _, worker, looks = restarted_cold(monkeypatch, 0.0)
    monkeypatch.setattr(Cache, "is_half_full", True)
    worker.turn(6)
    assert len(looks) == 1


def test_of_what_is_shown_together_each_project_is_published_once_as_it_stands_last() -> None:
    plant = Plant(partitions=1)
    subjects = ["p1", "p2", "p1", "p1", "p2", "p1"]
    plant.arrive(
        *(
            dataclasses.replace(event(subject, f"e{n}", n), traceparent=f"00-{n:032x}-{1:016x}-01")
            for n, subject in enumerate(subjects, 1)
        )
    )
    worker = plant.worker(max_poll_records=1)
    worker.projector.turn()
    for _ in subjects:  # in one instant: what the first turn shows is published at once, the others together
        worker.projector.turn()
    worker.work()
    told = [(r.key, dict(r.headers)) for r in plant.states.read(0) if r.key != states.WATERMARK_KEY]
    parents = [(key, int(headers["traceparent"].split(b"-")[1], 16)) for key, headers in told]
    assert parents == [(b"p1", 1), (b"p2", 5), (b"p1", 6)]
    assert worker.metrics.published._value.get() == 3
    plant.check_end()


@pytest.mark.parametrize("keeper", [Eager, Lazy])
def test_of_two_events_under_one_identity_the_earlier_wins_though_it_is_shown_and_not_journaled(
    keeper: type[Executor],
) -> None:
    plant = Plant(partitions=1)
    rival = event("p1", "b", 3, stage="land_supplied", date="2026-02-02")
    plant.arrive(event("p1", "a", 1, PROJECT_REGISTERED), event("p1", "b", 2), rival)
    worker = plant.worker(max_poll_records=1, hands=(100, Eager, keeper))
    for _ in range(3):  # in one instant: the first event is given to the keeper, the second waits
        worker.projector.turn()
    assert plant.projects.documents["p1"]["events"] == 2
    assert ("p1", "b") not in plant.journal.rows
    worker.work()
    assert set(rejected_ids(plant)) == {"project-events-0-2"}
    plant.check_end()
