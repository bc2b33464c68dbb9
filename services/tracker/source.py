"""`project-events` through kafka-python: one member of the tracker's group, positions moved only by our word."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from luodi.runtime import kafka
from luodi.runtime.errors import TransientError
from luodi.runtime.settings import Settings
from services.tracker.ports import Mark, OwnershipLostError, Polled

GROUP = "luodi-tracker"
MAX_POLL_RECORDS = 2_000
ASK_MS = 2_000  # how long a question to the broker may hold up the loop
COMMIT_MS = 5_000
CLOSE_MS = 2_000

_LOST = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


class KafkaSource:
    """See the port `Source`. Made and used in the projector's own thread."""

    def __init__(self, settings: Settings, max_poll_records: int = MAX_POLL_RECORDS) -> None:
        self._topic = settings.topics.events
        self._states_topic = settings.topics.states
        self._consumer: KafkaConsumer = kafka.consumer(settings, GROUP, max_poll_records=max_poll_records)
        self._listener = _Listener()
        self._owned: frozenset[int] = frozenset()
        self._paused: frozenset[int] = frozenset()
        kafka.join(self._consumer, self._topic, self._listener)

    def poll(self, timeout_s: float, paused: Collection[int]) -> Polled:
        self._pause(frozenset(paused) & self._owned)
        with kafka.translated():
            if self._listener.assignment is None:
                found = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
            if self._listener.assignment is not None:
                return self._take_over(self._listener.assignment)
        return Polled({place.partition: batch for place, batch in found.items()})

    def _take_over(self, assignment: frozenset[int]) -> Polled:
        """Begin each partition where its last owner committed, whatever this poll may have read of it already."""
        begins: dict[int, Mark] = {}
        for partition in sorted(assignment):
            place = TopicPartition(self._topic, partition)
            committed = self._consumer.committed(place, metadata=True, timeout_ms=ASK_MS)
            if committed is not None:
                self._consumer.seek(place, committed.offset)
                begins[partition] = Mark(committed.offset, committed.leader_epoch, _rejects(committed.metadata))
                continue
            self._consumer.seek_to_beginning(place)
            first = self._consumer.position(place, timeout_ms=ASK_MS)
            if first is None:
                raise TransientError("Kafka", f"where partition {partition} begins is not known yet")
            begins[partition] = Mark(first)
        self._owned = assignment
        self._paused = frozenset()  # a rebalance makes all partitions run, also those that stay with us
        self._listener.assignment = None
        return Polled({}, begins)

    def seek(self, partition: int, offset: int) -> None:
        if partition in self._owned:
            self._consumer.seek(TopicPartition(self._topic, partition), offset)

    def position(self, partition: int) -> int | None:
        if partition not in self._owned:
            return None
        with kafka.translated():
            position: int | None = self._consumer.position(TopicPartition(self._topic, partition), timeout_ms=ASK_MS)
        return position

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        places = [TopicPartition(self._topic, partition) for partition in partitions]
        with kafka.translated():
            found = self._consumer.end_offsets(places, timeout_ms=ASK_MS)
        return {place.partition: end for place, end in found.items()}

    def commit(self, marks: Mapping[int, Mark]) -> None:
        self._commit(self._topic, marks)

    def commit_tail(self, marks: Mapping[int, Mark]) -> None:
        self._commit(self._states_topic, marks)

    def _commit(self, topic: str, marks: Mapping[int, Mark]) -> None:
        offsets = {
            TopicPartition(topic, partition): OffsetAndMetadata(mark.offset, str(mark.rejects_in_row), mark.epoch)
            for partition, mark in marks.items()
        }
        with kafka.translated():
            try:
                self._consumer.commit(offsets, timeout_ms=COMMIT_MS)
            except _LOST as exc:
                raise OwnershipLostError("Kafka", f"{type(exc).__name__}: the group has moved on") from exc

    def close(self) -> None:
        with kafka.translated():
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _pause(self, wanted: frozenset[int]) -> None:
        if wanted == self._paused:
            return
        self._consumer.resume(*self._places(self._paused - wanted))
        self._consumer.pause(*self._places(wanted - self._paused))
        self._paused = wanted

    def _places(self, partitions: Collection[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Notes what a rebalance left. It is called on the client's network thread, so it does nothing else.

    A rebalance happens only inside `poll`; the projector asks right after it. What was revoked needs no call of its
    own: a rebalance always ends with the whole new assignment.
    """

    def __init__(self) -> None:
        self.assignment: frozenset[int] | None = None  # after the last rebalance; None once it has been taken over

    def on_partitions_revoked(self, revoked: Any) -> None:
        if revoked:
            self.assignment = frozenset()

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.assignment = frozenset(place.partition for place in assigned)


def _rejects(metadata: str | None) -> int:
    """The rejects in a row, as `commit` keeps them with the offset; none where something else wrote the offset."""
    return int(metadata) if metadata and metadata.isascii() and metadata.isdigit() else 0
