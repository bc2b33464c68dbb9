"""Bounds on what callers may ask of one process at a time."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

EVENTS_PER_S = 20_000.0  # of one caller at one address: twice what a process can write
BURST = 40_000.0
MAX_CALLERS = 10_000
MAX_WAITING = 176  # requests of one process; below its threads
MAX_RECENT = 50_000  # contents remembered by one process, about 12 MB


class RateLimit:
    """A token bucket per caller."""

    def __init__(self, monotonic: Callable[[], float], per_second: float = EVENTS_PER_S, burst: float = BURST) -> None:
        self._monotonic = monotonic
        self._per_second = per_second
        self._burst = burst
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # caller -> (tokens, as of)

    def take(self, caller: str, events: int) -> float:
        """Take `events` tokens; 0 when they were there, else the seconds to wait before asking again."""
        now = self._monotonic()
        with self._lock:
            tokens, as_of = self._buckets.pop(caller, (self._burst, now))
            tokens = min(self._burst, tokens + (now - as_of) * self._per_second)
            enough = tokens >= events
            self._buckets[caller] = (tokens - events if enough else tokens, now)
            if len(self._buckets) > MAX_CALLERS:
                self._buckets.popitem(last=False)
        return 0.0 if enough else (events - tokens) / self._per_second


class Gate:
    """How many requests may wait for Kafka at once. A few threads stay free, so that the probes answer in an outage."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._places = threading.Semaphore(limit)

    @contextlib.contextmanager
    def enter(self) -> Iterator[bool]:
        """Whether there was a place; it is given back on leaving."""
        entered = self._places.acquire(blocking=False)
        try:
            yield entered
        finally:
            if entered:
                self._places.release()


class Recent:
    """The contents that were lately acknowledged, by identity: who repeats an id with another content is told so.

    Only as far as this process can know: what another worker wrote the tracker finds, where the lower offset wins.
    """

    def __init__(self, limit: int = MAX_RECENT) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._digests: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def differs(self, identity: tuple[str, str], digest: bytes) -> bool:
        """Whether this identity is known with another content."""
        return self._digests.get(identity, digest) != digest

    def remember(self, identity: tuple[str, str], digest: bytes) -> None:
        """Keep the first content acknowledged under this identity."""
        with self._lock:
            self._digests.setdefault(identity, digest)
            if len(self._digests) > self._limit:
                self._digests.popitem(last=False)
