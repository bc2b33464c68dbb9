"""The tail: what comes last on the compacted topic is the stored document, whoever wrote and whoever owns it next."""

from __future__ import annotations

from luodi.domain.events import PROJECT_REGISTERED
from schemas import states
from services.tracker.ports import Document
from tests.unit.tracker.plant import Plant, Worker, event


def late_write(plant: Plant, document: Document) -> int:
    """A record as a tracker leaves it that was stopped between its replace and its publication."""
    return plant.states.append(
        document["partition"],
        document["_id"].encode(),
        states.encode_state(document),
        states.guard_headers(document),
    )


def grown(plant: Plant, worker: Worker) -> Document:
    """Let p1 grow from one event to two; returns the document as it was with one."""
    plant.arrive(event("p1", "a", 1, PROJECT_REGISTERED))
    worker.work()
    old = plant.projects.read(["p1"])["p1"]
    plant.arrive(event("p1", "b", 2))
    worker.work()
    worker.heal()
    return old


def test_its_own_records_need_no_look_into_the_store() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    grown(plant, worker)
    assert worker.published._newest == {0: {}}, "read and forgotten"
    assert worker.metrics.healed._value.get() == 0


def test_an_older_record_that_comes_last_is_followed_by_the_stored_document() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    late_write(plant, grown(plant, worker))
    assert plant.states.last_states()["p1"]["events"] == 1
    worker.heal()
    plant.check_end()
    assert worker.metrics.healed._value.get() == 1


def test_a_record_of_older_rules_or_without_a_guard_is_older_too() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    grown(plant, worker)
    current = plant.projects.read(["p1"])["p1"]
    for headers in ([("guard", b"2.0")], [], [("guard", b"nonsense")]):
        plant.states.append(0, b"p1", states.encode_state(current | {"name": "旧"}), headers)
        worker.heal()
        assert plant.states.last_states()["p1"]["name"] == "p1"


def test_an_older_record_that_a_newer_one_follows_is_left_alone() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    old = grown(plant, worker)
    late_write(plant, old)
    late_write(plant, plant.projects.read(["p1"])["p1"])
    end = plant.states.end(0)
    worker.heal()
    assert plant.states.end(0) == end


def test_records_of_unknown_subjects_and_without_a_key_are_passed_by() -> None:
    plant = Plant(partitions=1)
    worker = plant.worker()
    grown(plant, worker)
    plant.states.append(0, b"nobody", b"{}")
    plant.states.append(0, None, b"{}")
    plant.states.append(0, b"\xff\xfe", b"{}")
    worker.heal()
    assert worker.metrics.healed._value.get() == 0


def test_the_next_owner_goes_on_from_what_was_judged_and_heals_what_came_after() -> None:
    plant = Plant(partitions=1)
    first = plant.worker()
    old = grown(plant, first)
    first.turn(2)
    judged = plant.group.tail_committed[0]
    assert 0 < judged <= plant.states.end(0)
    late_write(plant, old)
    second = plant.worker()
    second.turn(2)
    second.heal()
    plant.check_end()


def test_a_zombie_that_takes_its_own_late_write_for_its_newest_cannot_hide_it_from_the_next_owner() -> None:
    plant = Plant(partitions=1)
    zombie = plant.worker()
    old = grown(plant, zombie)
    zombie.turn(2)
    owner = plant.worker()
    owner.turn(2)
    # The zombie goes on: it publishes what it had read, takes it for its newest, reads it, and tells how far it is.
    zombie.published.note([(0, "p1", late_write(plant, old))])
    zombie.heal()
    zombie.turn(2)
    assert plant.group.tail_committed[0] < plant.states.end(0) - 1, "its commit is refused"
    next_owner = plant.worker()
    next_owner.turn(2)
    next_owner.heal()
    plant.check_end()
