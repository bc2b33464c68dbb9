"""Spreading what is due over threads, a few per channel, so that a slow receiver holds up only its own channel.

Each channel has two queues: rows that are due, and messages that were looked at and may go. A thread sends what may go,
one message (or one batch, where sending costs nothing) at a time; when there is none it looks at the next rows, many at
once, for itself and the others. So a message waits for no other thread's receiver, but that all channels together hand
over only a few at a moment (see `hands`). What a look found holds for a moment only: a message that waited longer is
looked at again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Protocol

from luodi.runtime import logging
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from services.notify.channels import Addressed, Channel
from services.notify.hands import Hands
from services.notify.ledger import CLAIM_BATCH, Ready, Result
from services.notify.notifications import Notification

LOOK_BATCH = 32  # rows looked at together for a channel over a network: as many as its threads send in a moment

log = logging.get("dispatching")


class Deliveries(Protocol):
    """The ledger, as far as it is needed here. Every call may raise TransientError."""

    def any_due(self, channels: Collection[str]) -> bool:
        """Whether there is anything to deliver on any of the channels."""

    def due(self, channel: str, besides: Collection[str] = ()) -> list[Notification]:
        """Rows that wait for this channel now besides those known, at most `CLAIM_BATCH` of our own."""

    def batch(self, channel: str) -> int:
        """How many messages are taken and marked together."""

    def look(self, rows: Sequence[Notification], channel: str) -> tuple[list[Ready], list[Notification], list[Result]]:
        """Which may go, which come after one of those, what became of the others."""

    def is_fresh(self, ready: Ready) -> bool:
        """Whether what the look found still holds."""

    def attempt(self, group: Sequence[Ready]) -> list[Result]:
        """Take, send and mark."""


class Dispatcher:
    """All channels of one notifier."""

    def __init__(
        self,
        ledger: Deliveries,
        channels: Mapping[str, Channel | Addressed],
        stop: Stop,
        hands: Hands | None = None,
    ) -> None:
        hands = hands or Hands()
        self._ledger = ledger
        self._names = sorted(channels)
        self._lanes = [_Lane(name, channel.threads, ledger, stop, hands) for name, channel in channels.items()]

    def tick(self) -> None:
        """Set threads to work on whatever is due. Raises TransientError."""
        if not self._ledger.any_due(self._names):
            return  # what threads have in hand they see through
        for lane in self._lanes:
            lane.tick()

    def close(self) -> None:
        """Wait for what is under way; what is not begun stays due."""
        for lane in self._lanes:
            lane.close()


class _Lane:
    """One channel. The lock is held for the queues only, never during a call."""

    def __init__(self, name: str, threads: int, ledger: Deliveries, stop: Stop, hands: Hands) -> None:
        self._name = name
        self._threads = threads
        self._ledger = ledger
        self._stop = stop
        self._hands = hands
        self._group = ledger.batch(name)
        self._looked_at_once = max(LOOK_BATCH, self._group)
        self._lock = threading.Lock()
        self._waiting: deque[Notification] = deque()
        self._ready: deque[Ready] = deque()
        self._in_hand: set[str] = set()  # in a queue or under way here: due or not, not to be queued again
        self._busy = 0
        self._more = False  # the last question was answered in full: there may be more
        self._closed = False
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"deliver-{name}")

    def tick(self) -> None:
        with self._lock:
            idle = self._busy < self._threads and not self._waiting and not self._ready
        if idle:
            self._fetch()
        self._engage()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _engage(self) -> None:
        """Set as many more threads to work as there is work for."""
        with self._lock:
            queued = len(self._waiting) + len(self._ready)
            begin = min(self._threads - self._busy, -(-queued // self._group))
            for _ in range(0 if self._closed else begin):
                self._busy += 1
                self._pool.submit(self._work)

    def _fetch(self) -> None:
        with self._lock:
            besides = sorted(self._in_hand)
        due = self._ledger.due(self._name, besides)
        with self._lock:
            new = [row for row in due if row.id not in self._in_hand]
            self._in_hand.update(row.id for row in new)
            self._waiting.extend(new)
            self._more = len(due) >= CLAIM_BATCH and bool(new)

    def _work(self) -> None:
        try:
            while not self._stop.asked and self._turn():
                pass
        except TransientError as exc:  # leases run out by themselves, the next tick begins again
            log.warning("delivery.deferred", channel=self._name, error=str(exc))
            return
        except Exception as exc:  # noqa: BLE001  # the boundary of a thread: nothing may vanish here
            self._stop.fail(exc)
            return
        finally:
            with self._lock:
                self._busy -= 1
        if not self._stop.asked:
            self._engage()  # what another has looked at since this one found nothing, when it still counted as busy

    def _turn(self) -> bool:
        """Do one thing; False when there is none."""
        if self._hand_over():
            return True
        with self._lock:
            rows = self._next_rows()
            more = self._more
            if not rows:
                self._more = False  # one thread asks
        if rows:
            self._look(rows)
            self._engage()
        elif more:
            self._fetch()
            self._engage()
        else:
            return False
        return True

    def _hand_over(self) -> bool:
        """Send the next group, if there is one by the time that a hand is free. What costs nothing needs none."""
        if not self._ready:
            return False
        with self._hands.one() if self._group == 1 else nullcontext():
            with self._lock:
                group = self._next_group()
            if group:
                self._attempt(group)
        return bool(group)

    def _next_group(self) -> list[Ready]:
        group: list[Ready] = []
        while self._ready and len(group) < self._group:
            one = self._ready.popleft()
            if self._ledger.is_fresh(one):
                group.append(one)
            else:
                self._waiting.appendleft(one.row)
        return group

    def _next_rows(self) -> list[Notification]:
        return [self._waiting.popleft() for _ in range(min(self._looked_at_once, len(self._waiting)))]

    def _attempt(self, group: Sequence[Ready]) -> None:
        try:
            self._ledger.attempt(group)
        finally:
            with self._lock:
                self._in_hand.difference_update(one.row.id for one in group)

    def _look(self, rows: Sequence[Notification]) -> None:
        kept: set[str] = set()
        try:
            ready, behind, _ = self._ledger.look(rows, self._name)
            kept = {one.row.id for one in ready} | {row.id for row in behind}
            with self._lock:
                self._ready.extend(ready)
                self._waiting.extend(behind)
        finally:
            with self._lock:
                self._in_hand.difference_update(row.id for row in rows if row.id not in kept)
