"""The clock as a port, so that every rule takes `now` as an argument and tests turn time by hand.

Two times exist side by side. *Business* time decides dates, deadlines, `recordedtime` and watermarks, and can be
shifted by `LUODI_CLOCK_OFFSET` for drills. *Wall* time decides leases, back-off, signatures and clock skew, and is
never shifted.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from luodi.domain.days import instant


class Clock(Protocol):
    """What the services may ask about time. Instants are aware, UTC, in whole milliseconds."""

    def now(self) -> datetime:
        """Business now."""

    def now_text(self) -> str:
        """Business now as the fixed-width text that documents carry."""

    def wall(self) -> datetime:
        """The machine's own time, never shifted."""

    def wall_text(self) -> str:
        """The machine's own time as fixed-width text."""

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring how long something took."""


def _milliseconds(moment: datetime) -> datetime:
    # MongoDB keeps milliseconds: cutting here means that what is read back equals what was written.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class SystemClock:
    """The machine's clock, business time shifted by `offset_s` seconds."""

    def __init__(self, offset_s: float = 0) -> None:
        self._offset = timedelta(seconds=offset_s)

    def now(self) -> datetime:
        return _milliseconds(datetime.now(UTC) + self._offset)

    def now_text(self) -> str:
        return instant(self.now())

    def wall(self) -> datetime:
        return _milliseconds(datetime.now(UTC))

    def wall_text(self) -> str:
        return instant(self.wall())

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to move. Safe to move from one thread and read from others."""

    def __init__(self, start: datetime, offset_s: float = 0) -> None:
        self._wall = _milliseconds(start.astimezone(UTC))
        self._offset = timedelta(seconds=offset_s)
        self._monotonic = 0.0
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Move both times forward (or the wall back, for a test of clocks that fall)."""
        with self._lock:
            self._wall += timedelta(seconds=seconds)
            self._monotonic += max(seconds, 0)

    def now(self) -> datetime:
        with self._lock:
            return _milliseconds(self._wall + self._offset)

    def now_text(self) -> str:
        return instant(self.now())

    def wall(self) -> datetime:
        with self._lock:
            return self._wall

    def wall_text(self) -> str:
        return instant(self.wall())

    def monotonic(self) -> float:
        with self._lock:
            return self._monotonic
