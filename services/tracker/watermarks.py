"""Watermarks: up to which moment everything acknowledged is folded, stored and published, per partition.

The bookkeeping is pure. The loop reads the clock (t0), then asks the partition's leader for the end offset E, and
notes the pair. Every event acknowledged before t0 has an offset below E, so once all offsets below E are done the
watermark t0 holds. Nothing else ever moves a watermark: not an empty poll, not an event's own time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

MAX_PENDING = 512  # pairs per partition; a long backlog keeps fewer, coarser ones


class Watermarks:
    """The pairs (t0, E) that wait, per owned partition."""

    def __init__(self) -> None:
        self._pending: dict[int, deque[tuple[str, int]]] = {}

    def own(self, partitions: Iterable[int]) -> None:
        """Begin anew with these partitions: pairs of an earlier ownership say nothing about the new one."""
        self._pending = {partition: deque() for partition in partitions}

    def note(self, t0: str, ends: Mapping[int, int]) -> None:
        """Remember that, asked after the instant `t0`, each partition ended at its offset in `ends` (exclusive)."""
        for partition, end in ends.items():
            pairs = self._pending.get(partition)
            if pairs is None or (pairs and t0 <= pairs[-1][0]):
                continue  # not ours any more, or a clock that fell: a later pair will do
            pairs.append((t0, end))
            if len(pairs) > MAX_PENDING:
                # Any pair may be dropped: the next one covers it, later. The newest stays.
                self._pending[partition] = deque(pair for n, pair in enumerate(pairs) if n % 2 == 0 or n == MAX_PENDING)

    def reached(self, partition: int, done: int) -> str | None:
        """The newest instant that holds when all offsets below `done` are done; None when none is new."""
        pairs = self._pending.get(partition)
        newest = None
        while pairs and pairs[0][1] <= done:
            newest = pairs.popleft()[0]
        return newest
