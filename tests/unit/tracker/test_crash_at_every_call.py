"""A crash, a passing fault or a takeover at every single call of the projector: the end is always the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from luodi.domain.events import EVENT_RETRACTED, PLAN_SET, POST_HANDED_OVER, POST_REGISTERED, PROJECT_REGISTERED
from tests.parity.tracker.fakes import Crash, Eager, Faults, Lazy, crash, passing
from tests.unit.tracker.plant import HandsKind, Plant, Worker, event, rejected_ids

HANDS = [
    (0, Eager, Eager),  # each step done at once
    (0, Lazy, Lazy),  # each as late as it may be
    (0, Lazy, Eager),  # documents replaced before their events are journaled
    (100, Eager, Eager),  # the same, and the loop journals itself
    (100, Eager, Lazy),  # the loop journals itself, and everything else comes late
]

REJECTED = {"project-events-0-5", "project-events-1-3", "project-events-1-4"}


def story() -> Plant:
    """Projects and a post with all that may happen: repetition, rivalry, lateness, retraction, what is no event."""
    plant = Plant()
    first, second, third = "p1", "p2", "p3"
    assert [plant.partition(s) for s in (first, second, third)] == [1, 0, 1]
    plant.arrive(
        event(second, "a", 1, PROJECT_REGISTERED),
        event(second, "b", 2),
        event(second, "c", 3, stage="land_supplied", date="2026-02-01"),
        event(second, "b", 9),  # said again, stamped anew
        event(second, "d", 4, EVENT_RETRACTED, event_id="c", reason="看错了"),
        event(second, "a", 8, PROJECT_REGISTERED, name="另一个"),  # a rival
        event(second, "e", 0, PLAN_SET, stage="started", date="2026-06-01"),  # recorded before all others
        event(first, "a", 5, PROJECT_REGISTERED),
        event(first, "b", 6),
        event(third, "x", 7),
    )
    plant.arrive_raw(1, first.encode(), b"{not json")
    plant.arrive_raw(1, third.encode(), None)
    plant.arrive(
        event(third, "y", 8, stage="started", date="2026-02-02"),
        event(first, "c", 7, PLAN_SET, stage="started", date="2026-05-01"),
        event("post:p1", "b", 12, POST_HANDED_OVER, holder="u-li", date="2026-03-01"),
        event("post:p1", "a", 11, POST_REGISTERED, name="组长"),
        event("post:p1", "b", 13, POST_HANDED_OVER, holder="u-li", date="2026-03-01"),  # said again
    )
    return plant


def calls_of_the_story(max_poll_records: int, hands: HandsKind) -> int:
    counting = Faults(0, crash, after=False)
    plant = story()
    worker = plant.worker(counting, max_poll_records, hands)
    worker.work()
    worker.turn()
    plant.check_end()
    assert set(rejected_ids(plant)) == REJECTED
    return counting.calls


@pytest.mark.parametrize("hands", HANDS)
@pytest.mark.parametrize("max_poll_records", [2, 500])
@pytest.mark.parametrize("strike", [crash, passing])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_or_a_fault_at_any_call_changes_nothing(
    hands: HandsKind, max_poll_records: int, strike: Callable[[str], None], after: bool
) -> None:
    calls = calls_of_the_story(max_poll_records, hands)
    assert calls > 15
    for at in range(1, calls + 1):
        plant = story()
        faults = Faults(at, strike, after=after)
        worker = plant.worker(faults, max_poll_records, hands)
        try:
            worker.work()
            worker.turn()
        except Crash:
            worker = plant.worker(max_poll_records=max_poll_records)
            worker.work()
        plant.check_end()
        assert set(rejected_ids(plant)) == REJECTED, faults.struck


@pytest.mark.parametrize("hands", HANDS)
@pytest.mark.parametrize("max_poll_records", [2, 500])
@pytest.mark.parametrize("after", [False, True])
def test_what_a_new_primary_does_not_have_is_written_again(
    hands: HandsKind, max_poll_records: int, after: bool
) -> None:
    """Another primary is elected at any call, and nobody says so: it has only what a majority held."""
    lost = 0
    for at in range(1, calls_of_the_story(max_poll_records, hands) + 1):
        plant = story()

        def fail_over(_: str, plant: Plant = plant) -> None:
            nonlocal lost
            lost += plant.fail_over()

        worker = plant.worker(Faults(at, fail_over, after=after), max_poll_records, hands)
        worker.work()
        worker.turn()
        plant.check_end()
        assert set(rejected_ids(plant)) == REJECTED
    assert lost > 0 or max_poll_records == 500 or hands[0] == 0, "nothing was written ahead"


@pytest.mark.parametrize("hands", HANDS)
@pytest.mark.parametrize("max_poll_records", [2, 500])
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_held_up_at_any_call_while_another_takes_over_leaves_the_newest_everywhere(
    hands: HandsKind, max_poll_records: int, after: bool
) -> None:
    calls = calls_of_the_story(max_poll_records, hands)
    late = sum(held_up(at, calls, max_poll_records, hands, after=after) for at in range(2, calls + 1))
    assert late > 0, "no late publication was forced: the tail had nothing to heal"


def held_up(at: int, calls: int, max_poll_records: int, hands: HandsKind, *, after: bool) -> bool:
    """Hold a worker up at one call; says whether it published an older document last, which the tail then heals."""
    plant = story()
    others: list[Worker] = []

    def take_over(_: str) -> None:
        plant.arrive(event("p1", "z", 20, stage="started", date="2026-02-20"))
        others.append(plant.worker(max_poll_records=max_poll_records))
        others[0].work()

    zombie = plant.worker(Faults(at, take_over, after=after), max_poll_records, hands)
    for _ in range(calls):
        if not others:
            zombie.turn()
    zombie.projector.finish()
    last = plant.states.last_states()
    late = any(state["events"] < plant.projects.documents[s]["events"] for s, state in last.items())
    others[0].heal()
    plant.check_end()
    assert set(rejected_ids(plant)) == REJECTED
    return late


def test_faults_one_after_another_are_outlived() -> None:
    plant = story()
    struck = iter(range(1, 400, 3))
    due = next(struck)

    class Often(Faults):
        def call(self, name, method, args, kwargs):  # type: ignore[no-untyped-def]  # the signature of the base
            nonlocal due
            if name.endswith(".seek"):  # it asks no server
                return method(*args, **kwargs)
            self.calls += 1
            if self.calls == due:
                due = self.calls + 1 + next(struck) // 3
                passing(name)
            return method(*args, **kwargs)

    worker = plant.worker(Often(0, passing, after=False), max_poll_records=3)
    worker.work(turns=400)
    plant.check_end()
    assert set(rejected_ids(plant)) == REJECTED
