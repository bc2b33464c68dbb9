"""How fast an address may be sent to: a robot that is sent to too fast blocks everybody in its group.

Two bounds, both per address and not per recipient, for several people may be reached through one robot:

- Across all processes a *pace*: at most so many requests in any window of a minute. A permit is taken before a request
  and given back a whole window after the request has ended (or could have ended at the latest, when its holder died).
  A request arrives between its permit and its end, so any window at the receiver, too, holds no more than the pace.
- Within a process a *lane*: few requests at once, and a rest after time-outs that grows, so that a receiver that is
  dead holds up its own messages and nobody else's.

Whoever may not send is told how long to wait, one place in the queue after the other.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MINUTE_S = 60.0
MARGIN_S = 1.0  # the receiver's minute is not ours
HORIZON_S = 600.0  # no place in the queue is further away: what is in front may be superseded meanwhile
LANE_WIDTH = 2
FIRST_REST_S = 5.0
LONGEST_REST_S = 300.0
BUSY_S = 1.0  # how soon to look again for a free lane
LONGEST_BUSY_S = 15.0
ASKED_A_SECOND = 10  # so often a lane that stays full is asked for at most: each question is written into the ledger


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `limit` messages in any `window_s` seconds."""

    limit: int
    window_s: float = MINUTE_S + MARGIN_S
    horizon_s: float = HORIZON_S

    @property
    def step_s(self) -> float:
        """From one place in the queue to the next."""
        return self.window_s / self.limit


@dataclass(frozen=True, slots=True)
class Permit:
    """`id`: what was granted; None: nothing, look again after `wait_s`."""

    id: str | None
    wait_s: float


class Paces(Protocol):
    """Who may send to an address now, for all processes."""

    def take(self, address: str, pace: Pace, permit: str, hold_s: float) -> Permit:
        """Take the permit of this id, held for at most `hold_s` and a window, or be told how long to wait."""

    def done(self, address: str, permit: str, pace: Pace) -> None:
        """The request has ended: the permit is free again after a window from now."""

    def rest(self, address: str, seconds: float) -> None:
        """The receiver asks for quiet: no permit for anyone until then."""


def place_of(channel: str, address: str) -> str:
    """The name under which an address is shaped: the same for all who share it, and not the address."""
    return f"{channel}/{hashlib.sha256(address.encode()).hexdigest()[:32]}"


class Lanes:
    """The lanes of this process, one per address."""

    def __init__(self, monotonic: Callable[[], float], width: int = LANE_WIDTH) -> None:
        self._monotonic = monotonic
        self._width = width
        self._lock = threading.Lock()
        self._busy: dict[str, int] = {}
        self._refused: dict[str, int] = {}  # how many were turned away since a place was given back
        self._rests: dict[str, tuple[float, float]] = {}  # until when, and how long it was

    def enter(self, address: str) -> float:
        """0: there is room and it is taken. Else how long to wait."""
        with self._lock:
            until, _ = self._rests.get(address, (0.0, 0.0))
            left = until - self._monotonic()
            if left > 0:
                return left
            # After a rest one goes first, to see whether the receiver is back.
            width = 1 if address in self._rests else self._width
            if self._busy.get(address, 0) >= width:
                refused = self._refused[address] = self._refused.get(address, 0) + 1
                return min(max(BUSY_S, refused / ASKED_A_SECOND), LONGEST_BUSY_S)
            self._busy[address] = self._busy.get(address, 0) + 1
            return 0.0

    def leave(self, address: str, *, answered: bool | None) -> None:
        """Give the place back. `answered`: whether the receiver was there; None: nothing was sent."""
        with self._lock:
            self._refused.pop(address, None)
            left = self._busy.get(address, 0) - 1
            if left > 0:
                self._busy[address] = left
            else:
                self._busy.pop(address, None)
            if answered:
                self._rests.pop(address, None)
            elif answered is False:
                _, last = self._rests.get(address, (0.0, 0.0))
                rest = min(max(last * 2, FIRST_REST_S), LONGEST_REST_S)
                self._rests[address] = (self._monotonic() + rest, rest)
