"""A job that has its turns: when its time has come, and at once when something has happened that it waits for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from luodi.runtime.lifecycle import Stop

LOOK_UP_S = 1.0  # how soon the end is noticed by a job that nobody nudges


class Turns:
    """Runs the job in one thread, never beside itself; any number of nudges before a turn are one."""

    def __init__(self, job: Callable[[], None], stop: Stop) -> None:
        self._job = job
        self._stop = stop
        self._nudged = threading.Event()
        self._turned_at = -math.inf  # monotonic, in seconds

    def nudge(self) -> None:
        """The next turn begins now, or right after the one that is under way."""
        self._nudged.set()

    def due(self, every_s: float) -> None:
        """The same, unless the last turn began less than half of `every_s` ago: what nudged it looked for all."""
        if time.monotonic() - self._turned_at >= every_s / 2:
            self.nudge()

    def run(self) -> None:
        """Until the end is asked for."""
        while not self._stop.asked:
            if self._nudged.wait(LOOK_UP_S):
                self._nudged.clear()  # before the turn: what happens during it has a turn of its own
                if not self._stop.asked:
                    self._turned_at = time.monotonic()
                    self._job()
