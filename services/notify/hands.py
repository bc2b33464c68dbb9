"""How many messages are on their way to receivers at one moment: as many as are doubled when the process is killed.

Between the moment that a receiver has taken a message and the moment that this is marked, only the process knows of it.
Killed then, its successor sends the message again. So few are handed over at once. Whoever hears nothing for a while is
not waited for: a dead receiver holds up nobody else, and a message that was taken is mostly answered at once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

HANDS = 4  # with receivers that answer in 80 ms: fifty messages a second; with near ones the processor is the bound
PATIENCE_S = 0.25  # a receiver that is silent for so long is slow or dead


class Hands:
    """The hands of one process. Any number of threads may ask for one."""

    def __init__(
        self, count: int = HANDS, patience_s: float = PATIENCE_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._until: list[float] = []  # when each message that is on its way is no longer waited for

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a hand, and give it back at the end."""
        with self._changed:
            while (wait_s := self._wait_s()) > 0:
                self._changed.wait(wait_s)
            until = self._monotonic() + self._patience_s
            self._until.append(until)
        try:
            yield
        finally:
            with self._changed:
                self._until.remove(until)
                self._changed.notify()

    def _wait_s(self) -> float:
        """0: a hand is free. Else until when at most it takes."""
        now = self._monotonic()
        busy = [until - now for until in self._until if until > now]
        return min(busy) if len(busy) >= self._count else 0.0
