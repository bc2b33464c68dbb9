"""`project-states` through kafka-python: one member of notify's group, positions moved only by our word."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from luodi.runtime import kafka
from luodi.runtime.settings import Settings
from services.notify.watching import Mark, Polled

GROUP = "luodi-notify"
MAX_POLL_RECORDS = 1_000
FETCH_BYTES = 64 * 1024  # or what came in a tenth of a second: a record may come so late, but not each one alone
ASK_MS = 2_000  # how long a question to the broker may hold up the loop
COMMIT_MS = 5_000
CLOSE_MS = 2_000

_LOST = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


class KafkaSource:
    """See the port `Source`. Made and used in one thread."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topics.states
        self._consumer: KafkaConsumer = kafka.consumer(
            settings, GROUP, max_poll_records=MAX_POLL_RECORDS, fetch_min_bytes=FETCH_BYTES
        )
        self._listener = _Listener()
        self._owned: frozenset[int] = frozenset()
        kafka.join(self._consumer, self._topic, self._listener)

    def poll(self, timeout_s: float) -> Polled:
        with kafka.translated():
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        records: Mapping[int, Sequence[Any]] = {place.partition: batch for place, batch in found.items()}
        assignment = self._listener.take()
        if assignment is not None:
            self._owned = assignment
        return Polled(records, assignment)

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

    def commit(self, marks: Mapping[int, Mark]) -> bool:
        offsets = {
            TopicPartition(self._topic, partition): OffsetAndMetadata(mark.offset, "", mark.epoch)
            for partition, mark in marks.items()
        }
        with kafka.translated():
            try:
                self._consumer.commit(offsets, timeout_ms=COMMIT_MS)
            except _LOST:
                return False
        return True

    def close(self) -> None:
        with kafka.translated():
            try:
                self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
            except IllegalStateError:  # closed before
                return


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Notes what a rebalance left. It is called on the client's network thread, so it does nothing else.

    A rebalance happens only inside `poll`; it ends with the whole new assignment.
    """

    def __init__(self) -> None:
        self._assignment: frozenset[int] | None = None

    def on_partitions_revoked(self, revoked: Any) -> None:
        if revoked:
            self._assignment = frozenset()

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._assignment = frozenset(place.partition for place in assigned)

    def take(self) -> frozenset[int] | None:
        """The assignment after the rebalance since the last call; None when there was none."""
        assignment, self._assignment = self._assignment, None
        return assignment
