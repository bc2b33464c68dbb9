"""What people have done about stalls becomes events: in the project's timeline, kept for ever, and known to a rebuild.

1. An act is written into its matter (or silence) with the event that tells of it (`outbox`), by one compare-and-set.
2. The notifier that has the partition appends such events to `project-events` and waits until they are durable.
3. Only then they leave it.

Broken off between 2 and 3 an event is written again with the same id, time and content: that is the same event.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, Self, TypeVar

from luodi.domain.events import Event
from luodi.runtime import logging

BATCH = 200  # matters or silences whose events are appended together

log = logging.get("recording")


class EventLog(Protocol):
    """Where events are appended."""

    def append(self, events: Sequence[tuple[int, Event]]) -> None:
        """Append each to its partition; all are durable when this returns. Raises TransientError."""


class Recordable(Protocol):
    """A matter or a silence."""

    @property
    def partition(self) -> int: ...

    @property
    def outbox(self) -> tuple[Event, ...]: ...

    def recorded(self) -> Self:
        """The same without the events."""


R = TypeVar("R", bound=Recordable)


class Keeper(Protocol[R]):
    """Where they are kept."""

    def unrecorded(self, partitions: Collection[int], limit: int) -> list[R]:
        """Those on these partitions that hold events nobody has appended yet."""

    def compare_and_set(self, changes: Sequence[tuple[R | None, R]]) -> None:
        """Make each change of what is still as it was read."""


class Recording:
    """One notifier's share of it: the acts on the partitions it owns."""

    def __init__(self, keepers: Sequence[Keeper[Any]], events: EventLog, owned: Callable[[], Collection[int]]) -> None:
        self._keepers = keepers
        self._events = events
        self._owned = owned

    def run(self) -> int:
        """Append what waits; returns how many events. Raises TransientError; the next round begins again."""
        return sum(self._record(keeper) for keeper in self._keepers)

    def _record(self, keeper: Keeper[Any]) -> int:
        recorded = 0
        while waiting := keeper.unrecorded(sorted(self._owned()), BATCH):
            events = [(one.partition, event) for one in waiting for event in one.outbox]
            self._events.append(events)
            # Where another act came meanwhile it keeps them all: they are appended again, to no effect.
            keeper.compare_and_set([(one, one.recorded()) for one in waiting])
            recorded += len(events)
            log.info("acts.recorded", events=len(events))
            if len(waiting) < BATCH:
                break
        return recorded
