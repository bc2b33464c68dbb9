"""Reading one topic through kafka-python: partitions by their number, and no question waits for ever.

A `Follower` reads what it is told to, a `Member` what its group assigns to it. One thread at a time uses either, and
every call may raise TransientError or FatalError.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from luodi.runtime import kafka
from luodi.runtime.errors import TransientError

ASK_MS = 2_000  # how long a question to the broker may hold up the loop
COMMIT_MS = 5_000

_LOST = (CommitFailedError, IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)


class MovedOnError(TransientError):
    """The group has given the partitions to another member: nothing was committed."""


class Place(NamedTuple):
    """What is committed of a partition: the next offset, the leader epoch of the record before it, and a note."""

    offset: int
    epoch: int
    note: str = ""


class Follower:
    """One topic through one consumer."""

    def __init__(self, consumer: KafkaConsumer, topic: str) -> None:
        self.consumer = consumer
        self._topic = topic

    def place(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic, partition)

    def places(self, partitions: Collection[int]) -> list[TopicPartition]:
        return [self.place(partition) for partition in sorted(partitions)]

    def poll(self, timeout_s: float) -> dict[int, Sequence[Any]]:
        """Records in the order of each partition."""
        with kafka.translated():
            found = self.consumer.poll(timeout_ms=int(timeout_s * 1000))
        return {place.partition: records for place, records in found.items()}

    def position(self, partition: int) -> int | None:
        """The next offset; None when it is not known (yet)."""
        with kafka.translated():
            position: int | None = self.consumer.position(self.place(partition), timeout_ms=ASK_MS)
        return position

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        """The end offsets as the leaders know them now."""
        with kafka.translated():
            found = self.consumer.end_offsets(self.places(partitions), timeout_ms=ASK_MS)
        return {place.partition: end for place, end in found.items()}

    def close(self) -> None:
        """Leave; a second time does nothing."""
        with kafka.translated(), contextlib.suppress(IllegalStateError):
            self.consumer.close(autocommit=False, timeout_ms=kafka.CLOSE_MS)


class Member(Follower):
    """A member of a group, which is assigned partitions of the topic while it polls."""

    def __init__(self, consumer: KafkaConsumer, topic: str) -> None:
        super().__init__(consumer, topic)
        self._listener = _Listener()
        kafka.join(consumer, topic, self._listener)

    @property
    def assignment(self) -> frozenset[int] | None:
        """All partitions assigned by a rebalance that has not been taken in yet; None when there was none."""
        return self._listener.assignment

    def taken_in(self) -> None:
        """The owner knows of its assignment."""
        self._listener.assignment = None

    def seek(self, partition: int, offset: int) -> None:
        """Read an assigned partition from there next."""
        with kafka.translated():
            self.consumer.seek(self.place(partition), offset)

    def commit(self, places: Mapping[int, Place], topic: str | None = None) -> None:
        """Keep the places for whoever goes on; of another topic where one is named. Raises MovedOnError."""
        offsets = {
            TopicPartition(topic or self._topic, partition): OffsetAndMetadata(offset, note, epoch)
            for partition, (offset, epoch, note) in places.items()
        }
        with kafka.translated():
            try:
                self.consumer.commit(offsets, timeout_ms=COMMIT_MS)
            except _LOST as exc:
                raise MovedOnError("Kafka", f"{type(exc).__name__}: the group has moved on") from exc


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Notes what a rebalance left. It is called on the client's network thread, so it does nothing else.

    A rebalance happens only inside `poll`; the member's owner asks right after it. What was revoked needs no call of
    its own: a rebalance always ends with the whole new assignment.
    """

    def __init__(self) -> None:
        self.assignment: frozenset[int] | None = None

    def on_partitions_revoked(self, revoked: Any) -> None:
        if revoked:
            self.assignment = frozenset()

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.assignment = frozenset(place.partition for place in assigned)
