"""A group of records on its way into a KafkaProducer: one batch per partition, and one outcome per batch.

`KafkaProducer.send` looks up the topic and makes a future with two callbacks for every single record, and wakes the
network thread for every partition. A group needs that once: its batches are filled first and handed to the producer's
accumulator as a whole, which is what `send` does at its end. Measured: half the processor time per record. It leans on
the inside of kafka-python 3.0, to which the dependency is pinned; the tests of the event log run it on a real broker.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from kafka import KafkaProducer, TopicPartition
from kafka.errors import IllegalStateError
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder

from luodi.runtime import kafka
from services.ingest.ports import Outgoing, Receipt

MAGIC = 2  # the record format of every broker since 0.11
NO_COMPRESSION = 0
BATCH_BYTES = 256 * 1024

_NO_HEADERS: Sequence[tuple[str, bytes]] = ()


class Group:
    """The records of several callers, in their order."""

    def __init__(self, places: Sequence[TopicPartition]) -> None:
        """`places` are the topic's partitions, by their number."""
        self._places = places
        self._timestamp = int(time.time() * 1000)
        self._open: dict[int, ProducerBatch] = {}
        self._batches: list[ProducerBatch] = []
        self._slots: list[tuple[ProducerBatch, int]] = []

    def add(self, records: Iterable[Outgoing]) -> None:
        """Put records into the batches of their partitions."""
        partitions, timestamp = len(self._places), self._timestamp
        for subject, value in records:
            partition = kafka.partition_for(subject, partitions)
            key = subject.encode()
            batch = self._open.get(partition)
            slot = None if batch is None else batch.records.append(timestamp, key, value, _NO_HEADERS)
            if slot is None:  # the first of its partition, or the batch is full; an empty batch takes any record
                batch = self._open[partition] = self._new_batch(partition)
                slot = batch.records.append(timestamp, key, value, _NO_HEADERS)
            self._slots.append((batch, slot.offset))

    def hand_over(self, producer: KafkaProducer) -> None:
        """Make the batches the producer's; a flush sends them. Raises IllegalStateError when it is closed."""
        accumulator = producer._accumulator  # noqa: SLF001
        if accumulator._closed:  # noqa: SLF001
            raise IllegalStateError("the producer is closed")
        for batch in self._batches:
            place = batch.topic_partition
            with accumulator._tp_lock(place):  # noqa: SLF001
                accumulator._batches[place].append(batch)  # noqa: SLF001
            accumulator._incomplete.add(batch)  # noqa: SLF001

    def receipts(self) -> tuple[list[Receipt | None], Exception | None]:
        """The outcome of every record in the order they were added, and the first failure met."""
        failure: Exception | None = None
        outcomes: dict[ProducerBatch, tuple[int, int, int] | None] = {}
        for batch in self._batches:
            future = batch.produce_future
            outcomes[batch] = None
            if not future.is_done:
                continue
            base, appended_ms, failed = future.value
            if failed is not None:
                failure = failure or failed(0)
            elif base >= 0:  # a broker that has known the batch before may not say where it stands
                # -1: the topic takes the sender's time, so there is no broker's clock to learn of.
                stamped = appended_ms if appended_ms >= 0 else self._timestamp
                outcomes[batch] = (batch.topic_partition.partition, base, stamped)
        found: list[Receipt | None] = []
        for batch, slot in self._slots:
            outcome = outcomes[batch]
            found.append(None if outcome is None else Receipt(outcome[0], outcome[1] + slot, outcome[2]))
        return found, failure

    def _new_batch(self, partition: int) -> ProducerBatch:
        batch = ProducerBatch(self._places[partition], MemoryRecordsBuilder(MAGIC, NO_COMPRESSION, BATCH_BYTES))
        self._batches.append(batch)
        return batch
