"""A job that has its turns: when its time has come, and at once when something has happened that it waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable

from luodi.runtime.lifecycle import Stop

LOOK_UP_S = 1.0  # how soon the end is noticed by a job that nobody nudges


class Turns:
    """Runs the job in one thread, never beside itself; any number of nudges before a turn are one."""

    def __init__(self, job: Callable[[], None], stop: Stop) -> None:
        self._job = job
        self._stop = stop
        self._nudged = threading.Event()

    def nudge(self) -> None:
        """The next turn begins now, or right after the one that is under way."""
        self._nudged.set()

    def run(self) -> None:
        """Until the end is asked for."""
        while not self._stop.asked:
            if self._nudged.wait(LOOK_UP_S):
                self._nudged.clear()  # before the turn: what happens during it has a turn of its own
                if not self._stop.asked:
                    self._job()
