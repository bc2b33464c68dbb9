"""What people have done about stalls becomes events: in the project's timeline, kept for ever, and known to a rebuild.

1. An act is written into its matter together with the event that tells of it (`Matter.outbox`), by one compare-and-set.
2. The notifier that has the partition appends such events to `project-events` and waits until they are durable.
3. Only then they leave the matter.

Broken off between 2 and 3 an event is written again with the same id, time and content: that is the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from luodi.domain.events import Event
from luodi.runtime import logging
from services.notify.matters import Matter

BATCH = 200  # matters whose events are appended together

log = logging.get("recording")


class EventLog(Protocol):
    """Where events are appended."""

    def append(self, events: Sequence[tuple[int, Event]]) -> None:
        """Append each to its partition; all are durable when this returns. Raises TransientError."""


class MatterStore(Protocol):
    """Where the matters are kept."""

    def unrecorded(self, partitions: Collection[int], limit: int) -> list[Matter]:
        """Matters on these partitions that hold events nobody has appended yet."""

    def compare_and_set(self, changes: Sequence[tuple[Matter | None, Matter]]) -> None:
        """Make each change whose matter is still as it was read."""


class Recording:
    """One notifier's share of it: the acts on the partitions it owns."""

    def __init__(self, matters: MatterStore, events: EventLog, owned: Callable[[], Collection[int]]) -> None:
        self._matters = matters
        self._events = events
        self._owned = owned

    def run(self) -> int:
        """Append what waits; returns how many events. Raises TransientError; the next round begins again."""
        recorded = 0
        while waiting := self._matters.unrecorded(sorted(self._owned()), BATCH):
            events = [(matter.partition, event) for matter in waiting for event in matter.outbox]
            self._events.append(events)
            # Where another act came meanwhile the matter keeps them all: they are appended again, to no effect.
            self._matters.compare_and_set([(matter, matter.recorded()) for matter in waiting])
            recorded += len(events)
            log.info("acts.recorded", events=len(events))
            if len(waiting) < BATCH:
                break
        return recorded
