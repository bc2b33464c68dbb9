"""An event log in memory, for tests of what stands above it. It keeps records as Kafka would: partitioned, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from luodi.runtime.kafka import partition_for
from services.ingest.ports import Appended, Away, Outgoing, Receipt


class MemoryLog:
    """Behaves as `KafkaLog` does against a broker that can be away, slow to the point of time-out, or well."""

    def __init__(self, partitions: int = 4, tag: str = "0000abcd", now_ms: Callable[[], int] = lambda: 0) -> None:
        self.tag = tag
        self.partitions: list[list[Outgoing]] = [[] for _ in range(partitions)]
        self.away = False
        self.unknown_after: int | None = None  # the next append loses its acknowledgements after so many records
        self.now_ms = now_ms
        self._lock = threading.Lock()

    def start(self) -> None:
        """Nothing to connect to."""

    def stop(self, bound_s: float) -> None:  # noqa: ARG002 - the port's signature
        """Nothing to close; it is away from now on."""
        self.away = True

    def append(self, records: Sequence[Outgoing]) -> Appended:
        if self.away:
            raise Away("the log is away")
        receipts: list[Receipt | None] = []
        with self._lock:
            for place, record in enumerate(records):
                if self.unknown_after is not None and place >= self.unknown_after:
                    receipts.append(None)
                    continue
                partition = partition_for(record.subject, len(self.partitions))
                self.partitions[partition].append(record)
                receipts.append(Receipt(partition, len(self.partitions[partition]) - 1, self.now_ms()))
        return Appended(self.tag, receipts)

    def missing(self) -> str | None:
        return "the log is away" if self.away else None

    @property
    def values(self) -> list[bytes]:
        """Every value written, partition by partition."""
        return [record.value for held in self.partitions for record in held]
