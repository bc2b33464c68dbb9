"""How often one caller may ask one process for something."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

MAX_CALLERS = 10_000


class RateLimit:
    """A token bucket per caller."""

    def __init__(self, monotonic: Callable[[], float], per_second: float, burst: float) -> None:
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
