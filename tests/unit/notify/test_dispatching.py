"""Threads per channel: nobody waits for another's receiver, and no round ends while something is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from services.notify.channels import Outcome
from services.notify.dispatching import Dispatcher
from services.notify.ledger import CLAIM_BATCH, LOOK_S
from services.notify.notifications import Notification
from tests.unit.notify.fakes import Receiver
from tests.unit.notify.test_ledger import stalled
from tests.unit.notify.world import Notifier, World

DEADLINE_S = 10.0


class Slow(Receiver):
    """Keeps those messages waiting that it is told to."""

    threads = 3

    def __init__(self) -> None:
        super().__init__()
        self.slow: set[str] = set()
        self.begun = threading.Semaphore(0)
        self.released = threading.Event()

    def send(self, row: Notification) -> Outcome:
        if row.id in self.slow:
            self.begun.release()
            assert self.released.wait(DEADLINE_S)
        return super().send(row)


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


def with_rows(count: int) -> World:
    """A world in which so many messages are due, each of a matter of its own."""
    world = stalled()
    (first,) = world.inbox()
    world.receiver = Slow()
    world.channels = {"webhook": world.receiver}
    world.notifications.insert(
        [replace(first, id=f"n{n:04}", matter=f"test:{n}", kind="test") for n in range(count - 1)]
    )
    return world


@contextmanager
def dispatcher(world: World) -> Iterator[tuple[Dispatcher, Stop]]:
    stop = Stop()
    made = Dispatcher(Notifier(world).ledger, {"webhook": world.receiver}, stop)
    try:
        yield made, stop
    finally:
        stop.ask()
        made.close()
        assert stop.failure is None, stop.failure


def test_one_tick_delivers_all_that_is_due_however_much_it_is() -> None:
    world = with_rows(2 * CLAIM_BATCH + 7)
    with dispatcher(world) as (one, _):
        one.tick()
        until(lambda: len(world.receiver.got) == 2 * CLAIM_BATCH + 7, "all delivered")
    assert len({got[0] for got in world.receiver.got}) == 2 * CLAIM_BATCH + 7


def test_messages_wait_for_no_other_messages_receiver() -> None:
    world = with_rows(40)
    slow = world.receiver
    assert isinstance(slow, Slow)
    slow.slow = {"n0000", "n0001"}  # one thread of three is left, and all were looked at together
    with dispatcher(world) as (one, _):
        one.tick()
        until(lambda: len(slow.got) == 38, "the others delivered")
        one.tick()
        assert len(slow.got) == 38
        slow.released.set()
        until(lambda: len(slow.got) == 40, "the slow ones too")


def test_what_a_look_found_is_not_relied_on_later() -> None:
    world = with_rows(20)
    (stall,) = world.inbox("stalled")
    slow = world.receiver
    assert isinstance(slow, Slow)
    slow.threads = 1
    slow.slow = {"a slow one"}
    world.notifications.insert([replace(stall, id="a slow one", matter="test:slow", kind="test")])
    assert [row.id for row in world.notifications.due("webhook", world.clock.wall_text(), 2)] == [
        "a slow one",
        stall.id,
    ]
    with dispatcher(world) as (one, _):
        one.tick()
        assert slow.begun.acquire(timeout=DEADLINE_S)  # all were looked at by now, and may go
        world.clock.advance(LOOK_S + 0.1)
        world.stage_is_reached()
        slow.released.set()
        until(lambda: len(slow.got) == 20, "the others delivered")
    assert "stalled" not in {got[1] for got in slow.got}


def test_a_passing_fault_ends_the_round_and_the_next_tick_begins_again() -> None:
    world = with_rows(5)
    replace_many = world.notifications.replace_many

    def away(rows: object, channel: object = None) -> set[str]:
        world.notifications.replace_many = replace_many  # type: ignore[method-assign]  # back again
        raise TransientError("MongoDB", "away")

    world.notifications.replace_many = away  # type: ignore[method-assign]  # away once
    with dispatcher(world) as (one, stop):
        one.tick()
        until(lambda: len(world.receiver.got) >= 4, "the others delivered")
        until(lambda: (one.tick(), len(world.receiver.got) == 5)[1], "this one too")  # type: ignore[func-returns-value]  # ticks on
        assert stop.failure is None


def test_a_defect_ends_the_process_not_just_the_thread() -> None:
    world = with_rows(1)
    world.notifications.replace_many = lambda rows, channel=None: 1 / 0  # type: ignore[assignment,method-assign,return-value]  # a defect
    stop = Stop()
    made = Dispatcher(Notifier(world).ledger, {"webhook": world.receiver}, stop)
    made.tick()
    assert stop.wait(DEADLINE_S)
    made.close()
    assert isinstance(stop.failure, ZeroDivisionError)
