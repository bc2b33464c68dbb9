"""Every process keeps all histories in memory, also of partitions that others own: it follows what they write."""

from __future__ import annotations

import threading
import time
from itertools import islice

from luodi.runtime import logging
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.tracker.columns import Columns
from services.tracker.history import Histories

LOOK_EVERY_S = 0.5
AGAIN_S = 1.0  # after a passing fault
CHUNK = 2_000  # histories taken over together
WAITERS = 8  # at a time; a question beyond them is told at once that its answer is not there yet

log = logging.get("mirror")


class Mirror:
    """One thread calls `run`; others ask `columns`, and first whether it knows enough."""

    def __init__(self, histories: Histories, partitions: int, metrics: Metrics) -> None:
        self.columns = Columns()
        self._histories = histories
        self._partitions = partitions
        self._metrics = metrics
        self._at: dict[int, int] = {}  # the next offset of each partition
        self._until: dict[int, str] = {}
        self._news = threading.Condition()
        self._places = threading.BoundedSemaphore(WAITERS)

    def run(self, stop: Stop) -> None:
        """Follow until `stop` asks for the end."""
        while not stop.asked:
            try:
                self.look()
            except TransientError as exc:
                self._metrics.transient.labels("mirror").inc()
                log.warning("mirror.begun_again", error=str(exc))
                stop.wait(AGAIN_S)
            else:
                stop.wait(LOOK_EVERY_S)

    def look(self) -> None:
        """Take over what was written since the last look. Raises TransientError; then it may be called again."""
        for partition, written in self._histories.written().items():
            after = self._at.get(partition, 0)
            if written.at > after:
                changed = iter(self._histories.changed(partition, after - 1, written.at))
                while rows := list(islice(changed, CHUNK)):
                    self.columns.put(rows)
                self._at[partition] = written.at
            if written.until is not None:
                with self._news:
                    self._until[partition] = written.until
                    self._news.notify_all()

    @property
    def until(self) -> str | None:
        """Everything acknowledged before this instant is known here; None while that is not known of all partitions."""
        until = self._until
        return min(until.values()) if len(until) == self._partitions else None

    def wait(self, moment: str, timeout_s: float) -> bool:
        """Wait until everything acknowledged up to a moment is known; says whether it is."""
        if self._knows(moment):
            return True
        if not self._places.acquire(blocking=False):
            return False
        try:
            deadline = time.monotonic() + timeout_s
            with self._news:
                while not self._knows(moment):
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return False
                    self._news.wait(left)
            return True
        finally:
            self._places.release()

    def _knows(self, moment: str) -> bool:
        until = self.until
        return until is not None and until > moment
