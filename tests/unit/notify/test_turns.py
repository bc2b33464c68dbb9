"""A job that is nudged."""

from __future__ import annotations

import threading

from luodi.runtime.lifecycle import Stop, spawn
from services.notify.turns import Turns

DEADLINE_S = 10.0


def test_what_happens_during_a_turn_has_a_turn_of_its_own_and_many_nudges_before_one_are_one() -> None:
    begun, go_on, turns = threading.Semaphore(0), threading.Semaphore(0), 0
    stop = Stop()

    def job() -> None:
        nonlocal turns
        turns += 1
        begun.release()
        assert go_on.acquire(timeout=DEADLINE_S)

    one = Turns(job, stop)
    for _ in range(3):
        one.nudge()
    thread = spawn("turns", one.run, stop)
    assert begun.acquire(timeout=DEADLINE_S)
    one.nudge()
    one.nudge()
    go_on.release()
    assert begun.acquire(timeout=DEADLINE_S)
    stop.ask()
    one.nudge()
    go_on.release()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert turns == 2
    assert stop.failure is None
