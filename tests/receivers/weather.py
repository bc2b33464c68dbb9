"""What requests meet on a bad day, drawn from a seed: the same message meets the same faults, whatever the timing."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Weather:
    """Draws a fault for a request, or fair weather. `worst` bounds how many faults one message meets at one receiver:
    a channel that never works is another story."""

    seed: int
    share: float  # of the requests that meet a fault
    worst: int
    met: Counter[str] = field(default_factory=Counter)
    _tries: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self, receiver: str, message: str, faults: Mapping[str, int]) -> str | None:
        """The name of a fault, by its weight among `faults`; None: an ordinary answer."""
        with self._lock:
            attempt = self._tries[receiver, message]
            self._tries[receiver, message] += 1
            dice = random.Random(f"{self.seed}/{receiver}/{message}/{attempt}")
            if attempt >= self.worst or dice.random() >= self.share:
                self.met["fair"] += 1
                return None
            (fault,) = dice.choices([*faults], [*faults.values()])
            self.met[fault] += 1
            return fault
