"""Stamping `recordedtime`: our own clock, corrected to the broker's, never falling.

Topics carry LogAppendTime, so every acknowledgement tells the broker's clock. Append time less the moment of stamping
is the clocks' difference plus the delay on the way; the smallest over a window is the difference as nearly as it can be
known, and never less than it. With it several ingest machines stamp by one clock, the broker's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from luodi.domain.days import instant
from luodi.runtime.clock import Clock

WINDOW_S = 60.0  # how long one quick answer speaks for the clocks; a step of either clock is followed after this
BUCKET_S = 5.0
ALARM_S = 1.0
REFUSE_S = 5.0
MAX_AHEAD_S = 0.05  # more than this is a clock that was set back, which waiting cannot mend


class Stamper:
    """Gives out `recordedtime` and learns from acknowledgements. Safe to share between threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        observe: Callable[[float], None] = lambda _: None,
        alarm: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`observe` is told the skew in seconds when it changes, `alarm` when it passes `ALARM_S` and back."""
        self._clock = clock
        self._observe = observe
        self._alarm = alarm
        self._alarmed = False
        self._lock = threading.Lock()
        self._minima: deque[tuple[float, float]] = deque()  # (begin of bucket, smallest sample in it), seconds
        self._skew = 0.0
        self._last = ""

    @property
    def skew_s(self) -> float:
        """The broker's clock less ours, in seconds; 0 until the first acknowledgement."""
        return self._skew

    def stamp(self) -> tuple[str, float]:
        """The `recordedtime` of a request, and the wall time it was taken at (seconds since 1970) for `learn`.

        Business time may be shifted for a drill; the skew is always measured on the unshifted clock.
        """
        sent = self._clock.wall().timestamp()
        text = instant(self._clock.now() + timedelta(seconds=self._skew))
        with self._lock:
            if text < self._last:
                text = self._last
            self._last = text
        return text, sent

    def learn(self, sent: float, appended_ms: int) -> float:
        """Take in one acknowledgement: stamped at `sent`, appended at `appended_ms` by the broker's clock.

        Returns how many seconds the stamp was ahead of the broker's clock when the event was appended, mostly 0. The
        caller waits them out before it answers: whoever acts on the answer is then stamped later, in any worker.
        """
        sample = appended_ms / 1000 - sent
        now = self._clock.monotonic()
        with self._lock:
            ahead = self._skew - sample if self._minima else 0.0
            self._take(now, sample)
            skew, before = min(least for _, least in self._minima), self._skew
            self._skew = skew
            alarmed = abs(skew) >= ALARM_S
            turned, self._alarmed = alarmed != self._alarmed, alarmed
        if skew != before:
            self._observe(skew)
        if turned:
            self._alarm(skew)
        return min(max(ahead, 0.0), MAX_AHEAD_S)

    def _take(self, now: float, sample: float) -> None:
        if self._minima and now - self._minima[-1][0] < BUCKET_S:
            begin, least = self._minima[-1]
            self._minima[-1] = (begin, min(least, sample))
        else:
            self._minima.append((now, sample))
        while now - self._minima[0][0] > WINDOW_S:
            self._minima.popleft()

    def missing(self) -> str | None:
        """The readiness check: what is wrong with the clocks, None when they agree."""
        skew = self._skew
        if abs(skew) >= REFUSE_S:
            return f"the broker's clock differs from this machine's by {skew:+.1f} s"
        return None
