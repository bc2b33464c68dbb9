"""Roll-ups behind the projector: whatever ends, fails or moves, they become what the documents say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from luodi.domain.events import EVENT_RETRACTED, PROJECT_AMENDED, PROJECT_REGISTERED, PROJECT_WITHDRAWN
from luodi.domain.rollup import Family, roll_up
from schemas import states
from tests.parity.tracker.fakes import Crash, Faults, crash, passing
from tests.unit.tracker.plant import NO_FAULTS, Plant, Worker, event


def story() -> Plant:
    """A phased project whose phases live on both partitions, one of them moved away again, and a tenant."""
    plant = Plant()
    assert {plant.partition(subject) for subject in ("p1", "p2", "p3")} == {0, 1}
    plant.arrive(
        event("p1", "a", 1, PROJECT_REGISTERED, phased=True),
        event("p2", "a", 2, PROJECT_REGISTERED, parent="p1"),
        event("p2", "b", 3),
        event("p3", "a", 4, PROJECT_REGISTERED, parent="p1"),
        event("p4", "a", 5, PROJECT_REGISTERED, carrier="p1"),
        event("p5", "a", 6, PROJECT_REGISTERED),
    )
    return plant


def moves() -> list[Callable[[Plant], None]]:
    """What happens to the family afterwards, one step after the other."""
    return [
        lambda plant: plant.arrive(event("p3", "b", 10, PROJECT_AMENDED, parent=None)),
        lambda plant: plant.arrive(event("p5", "b", 11, PROJECT_AMENDED, parent="p2")),
        lambda plant: plant.arrive(event("p3", "c", 12, EVENT_RETRACTED, event_id="b", reason="弄错了")),
        lambda plant: plant.arrive(event("p2", "c", 13, PROJECT_WITHDRAWN, date="2026-02-01", reason="不来了")),
        lambda plant: plant.arrive(event("p1", "b", 14, PROJECT_AMENDED, phased=False)),
    ]


def check(plant: Plant) -> None:
    """Every roll-up is what the stored documents say, and none is missing."""
    family = Family.of(plant.projects.documents.values())
    named = plant.rollups.named()
    assert named
    for id_ in named:
        row = plant.rollups.rows[id_]
        assert {name: row[name] for name in row if name != "version"} == roll_up(id_, family), id_


def live(plant: Plant, worker: Worker) -> None:
    worker.work()
    worker.heal()
    for move in moves():
        move(plant)
        worker.work()
        worker.heal(2)


def test_roll_ups_follow_every_move() -> None:
    plant = story()
    worker = plant.worker()
    worker.work()
    worker.heal()
    check(plant)
    assert plant.rollups.rows["p1"]["members"] == ["p2", "p3", "p4"]
    members = [["p2", "p4"], ["p2", "p5", "p4"], ["p2", "p3", "p5", "p4"]]
    for move, expected in zip(moves(), [*members, members[-1], members[-1]], strict=True):
        move(plant)
        worker.work()
        worker.heal(2)
        check(plant)
        assert plant.rollups.rows["p1"]["members"] == expected


def test_projects_without_links_make_no_roll_up() -> None:
    plant = Plant()
    plant.arrive(*(event(f"p{n}", "a", n, PROJECT_REGISTERED) for n in range(9)))
    worker = plant.worker()
    worker.work()
    worker.heal()
    assert plant.rollups.rows == {}
    assert worker.metrics.rollups._value.get() == 0


@pytest.mark.parametrize("strike", [crash, passing])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_or_a_fault_at_any_call_loses_no_roll_up(strike: Callable[[str], None], after: bool) -> None:
    counting = Faults(0, crash, after=False)
    plant = story()
    live(plant, plant.worker(behind=counting))
    assert counting.calls > 15
    for at in range(1, counting.calls + 1):
        plant = story()
        worker = plant.worker(behind=Faults(at, strike, after=after))
        ends: tuple[type[BaseException], ...] = (Crash,) if strike is crash else (Exception,)
        try:
            live(plant, worker)
        except ends:
            # A new process, or the same one's next round: what was not settled is read or looked at again.
            worker = plant.worker() if strike is crash else worker
            for move in moves():
                move(plant)  # told again, or for the first time
            worker.work()
            worker.heal()
        check(plant)


def test_the_tails_position_waits_for_the_roll_ups() -> None:
    plant = story()
    away = Faults(1, passing, after=False)
    worker = plant.worker(behind=away)
    worker.work()
    with pytest.raises(Exception, match="a fault"):
        worker.tail.turn(0)
    worker.turn(2)
    assert plant.group.tail_committed == {}
    worker.heal()
    worker.turn(2)
    assert sum(plant.group.tail_committed.values()) > 0
    check(plant)


def test_a_record_that_is_newer_than_the_stored_document_waits_for_it() -> None:
    """Documents of a new activation are published first and stored after."""
    plant = story()
    worker = plant.worker()
    worker.work()
    worker.heal()
    newer = plant.projects.read(["p3"])["p3"] | {"ruleset": 2, "parent": None}
    plant.states.append(newer["partition"], b"p3", states.encode_state(newer), states.guard_headers(newer))
    worker.heal()
    assert worker.follower.first(newer["partition"]) is not None
    plant.projects.offer([newer])
    worker.heal(1)
    assert worker.follower.first(newer["partition"]) is None
    assert plant.rollups.rows["p1"]["members"] == ["p2", "p4"]


def test_all_roll_ups_are_made_once_in_the_life_of_a_process() -> None:
    plant = story()
    worker = plant.worker()
    worker.work()
    worker.heal()
    plant.rollups.rows["p1"]["members"] = ["spoilt by hand"]
    fresh = plant.worker(behind=NO_FAULTS)
    assert fresh.follower.make_all() is False
    check(plant)
