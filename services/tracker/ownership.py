"""What the loop knows of each partition it owns: where it begins, whether it rests, why it stands still."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from luodi.runtime import logging
from luodi.runtime.clock import Clock
from services.tracker.intake import MAX_REJECTS_IN_ROW, Records
from services.tracker.ports import Fuse, Mark

BACKOFF_S = (0.1, 5.0)  # first and longest rest after a passing fault

log = logging.get("projector")


@dataclass(slots=True)
class Partition:
    """One owned partition."""

    begin: int  # next offset to apply; all below it is stored, published and acknowledged
    rejects_in_row: int = 0  # before `begin`
    rejects_ahead: int = 0  # before what is polled next, batches under way included
    fuse: Fuse | None = None  # stand still before its offset until an operator's word
    rests_until: float = 0.0  # monotonic; after a passing fault
    faults: int = 0  # passing faults in a row

    def stands(self, now: float) -> bool:
        """Whether nothing may be read from it at the moment."""
        fused = self.fuse is not None and self.begin >= self.fuse.offset
        return fused or now < self.rests_until


class Ownership:
    """All owned partitions. Changed by the projector's thread alone; others may look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._partitions: dict[int, Partition] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._partitions)

    def __getitem__(self, partition: int) -> Partition:
        return self._partitions[partition]

    def take_over(self, assignment: Mapping[int, Mark]) -> frozenset[int]:
        """Begin anew with these partitions; returns those that are no longer owned."""
        gone = frozenset(self._partitions.keys() - assignment)
        self._partitions = {partition: _begun_at(mark) for partition, mark in assignment.items()}
        return gone

    def learn(self, fuses: Mapping[int, Fuse]) -> None:
        """The fuses that stand in the store."""
        for partition, state in self._partitions.items():
            state.fuse = fuses.get(partition)

    def begun(self, rejects: Mapping[int, int]) -> None:
        """A batch is on its way; `rejects` counts those in a row at its end."""
        for partition, count in rejects.items():
            self._partitions[partition].rejects_ahead = count

    def applied(self, marks: Mapping[int, Mark], stops: Mapping[int, int]) -> None:
        """A batch is done up to its marks; a partition that had to stop goes on at its stop."""
        for partition, mark in marks.items():
            state = self._partitions[partition]
            state.begin, state.rejects_in_row = mark.offset, mark.rejects_in_row
            if partition not in stops:
                state.faults = 0
        for partition, offset in stops.items():
            self._partitions[partition].begin = offset

    def go_back(self) -> dict[int, int]:
        """Nothing is on its way any more; returns where each partition begins."""
        for state in self._partitions.values():
            state.rejects_ahead = state.rejects_in_row
        return {partition: state.begin for partition, state in self._partitions.items()}

    # -- rests after passing faults

    def rest(self, partition: int) -> None:
        """Read nothing from it for a while, longer each time in a row."""
        state, (first, longest) = self._partitions[partition], BACKOFF_S
        pause = min(longest, first * 2**state.faults) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
        state.faults += 1
        state.rests_until = self._clock.monotonic() + pause

    def standing(self) -> set[int]:
        """The partitions of which nothing may be read at the moment."""
        now = self._clock.monotonic()
        return {partition for partition, state in self._partitions.items() if state.stands(now)}

    def faults(self) -> int:
        """The most passing faults in a row that any partition has seen."""
        return max((state.faults for state in list(self._partitions.values())), default=0)

    # -- fuses and rejects in a row

    def blow(self, fuse: Fuse) -> None:
        self._partitions[fuse.partition].fuse = fuse
        log.error("fuse.blown", partition=fuse.partition, offset=fuse.offset, reason=fuse.reason)

    def fuses(self) -> list[Fuse]:
        """The fuses of owned partitions."""
        return [state.fuse for state in list(self._partitions.values()) if state.fuse is not None]

    def mend_all_but(self, blown: Mapping[int, Fuse]) -> None:
        """An operator has mended what no longer stands in the store."""
        for partition, state in self._partitions.items():
            if state.fuse is not None and partition not in blown:
                state.fuse, state.rejects_in_row, state.rejects_ahead = None, 0, 0
                log.info("fuse.mended", partition=partition, offset=state.begin)

    def fused(self, records: Records) -> dict[int, int]:
        """Where the fuse of a partition lies within these records."""
        return {
            partition: fuse.offset
            for partition, received in records.items()
            if (fuse := self._partitions[partition].fuse) is not None and fuse.offset <= received[-1].offset
        }

    def rejects_before(self, records: Records) -> dict[int, int]:
        """The rejects in a row before these records, per partition."""
        return {partition: self._partitions[partition].rejects_ahead for partition in records}


def _begun_at(mark: Mark) -> Partition:
    # A full count has blown a fuse; where none stands any more, the operator has cleared the count with it.
    rejects = mark.rejects_in_row if mark.rejects_in_row < MAX_REJECTS_IN_ROW else 0
    return Partition(mark.offset, rejects, rejects)
