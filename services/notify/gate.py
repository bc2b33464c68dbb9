"""Which watermark may be believed, per partition. Pure values: every change makes a new gate.

A watermark W says that every event acknowledged before W has been published as a state. It says nothing about whether
those states still lie *before* it in the topic: compaction keeps the newest record of each key, so a state that W
vouches for may have been replaced by one further on. A W is therefore usable only once everything up to the end of the
partition, asked for after W was read, has been taken over into the watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

MAX_WAITING = 64  # pairs remembered while a backlog is read; a newer watermark is asked about when one is done


@dataclass(frozen=True, slots=True)
class PartitionGate:
    """One owned partition: what is usable, and what waits for what."""

    since: str  # business now when the partition was assigned
    moved_at: str  # business now when records were last taken over
    position: int = -1  # every record below has been taken over; -1: none read yet
    usable: str | None = None
    unasked: str | None = None  # the newest watermark read whose end offset has not been asked for
    waiting: tuple[tuple[str, int], ...] = ()  # (watermark, end offset), both ascending

    @property
    def newest(self) -> str | None:
        """The newest watermark read, usable or not."""
        return max((w for w in (self.usable, self.unasked, *(w for w, _ in self.waiting)) if w), default=None)


@dataclass(frozen=True, slots=True)
class Gate:
    """The owned partitions. A partition that is not owned is unknown: what was known of it is forgotten."""

    partitions: Mapping[int, PartitionGate] = field(default_factory=dict)

    def assigned(self, partitions: Iterable[int], now: str) -> Gate:
        """Own these from now on, knowing nothing of them yet."""
        return Gate({**self.partitions, **{p: PartitionGate(since=now, moved_at=now) for p in partitions}})

    def revoked(self, partitions: Iterable[int]) -> Gate:
        """Forget these."""
        gone = set(partitions)
        return Gate({p: g for p, g in self.partitions.items() if p not in gone})

    def read(self, partition: int, watermark: str) -> Gate:
        """A watermark was read. One that is not newer than those before says nothing new."""
        gate = self.partitions.get(partition)
        if gate is None or watermark <= (gate.newest or ""):
            return self
        return self._with(partition, replace(gate, unasked=watermark))

    def asked(self, partition: int, watermark: str, end: int) -> Gate:
        """The partition ended at `end` when asked after `watermark` had been read."""
        gate = self.partitions.get(partition)
        if gate is None:
            return self
        unasked = None if gate.unasked is not None and gate.unasked <= watermark else gate.unasked
        return self._with(
            partition, _settled(replace(gate, unasked=unasked, waiting=(*gate.waiting, (watermark, end))))
        )

    def reached(self, partition: int, position: int, now: str) -> Gate:
        """Every record below `position` has been taken over into the watches."""
        gate = self.partitions.get(partition)
        if gate is None or position <= gate.position:
            return self
        return self._with(partition, _settled(replace(gate, position=position, moved_at=now)))

    def to_ask(self) -> dict[int, str]:
        """Partitions whose end must be asked for now, with the watermark it is asked for."""
        return {
            p: g.unasked for p, g in self.partitions.items() if g.unasked is not None and len(g.waiting) < MAX_WAITING
        }

    def usable(self, partition: int) -> str | None:
        """The watermark that decisions on this partition may rely on; None: not owned, or nothing known yet."""
        gate = self.partitions.get(partition)
        return gate.usable if gate is not None else None

    def _with(self, partition: int, gate: PartitionGate) -> Gate:
        return Gate({**self.partitions, partition: gate})


def _settled(gate: PartitionGate) -> PartitionGate:
    done = [w for w, end in gate.waiting if end <= gate.position]
    if not done:
        return gate
    left = tuple((w, end) for w, end in gate.waiting if end > gate.position)
    return replace(gate, usable=max([*done, *([gate.usable] if gate.usable else [])]), waiting=left)
