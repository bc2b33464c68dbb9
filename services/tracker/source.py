"""`project-events` through kafka-python: one member of the tracker's group, positions moved only by our word."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from luodi.runtime import kafka
from luodi.runtime.errors import TransientError
from luodi.runtime.following import ASK_MS, Member, MovedOnError, Place
from luodi.runtime.settings import Settings
from services.tracker.ports import Mark, OwnershipLostError, Polled

GROUP = "luodi-tracker"
MAX_POLL_RECORDS = 2_000


class KafkaSource:
    """See the port `Source`. Made and used in the projector's own thread."""

    def __init__(self, settings: Settings, max_poll_records: int = MAX_POLL_RECORDS) -> None:
        self._states_topic = settings.topics.states
        consumer = kafka.consumer(settings, GROUP, max_poll_records=max_poll_records)
        self._member = Member(consumer, settings.topics.events)
        self._owned: frozenset[int] = frozenset()
        self._paused: frozenset[int] = frozenset()

    def poll(self, timeout_s: float, paused: Collection[int]) -> Polled:
        self._pause(frozenset(paused) & self._owned)
        records = self._member.poll(timeout_s) if self._member.assignment is None else {}
        if self._member.assignment is not None:
            return self._take_over(self._member.assignment)
        return Polled(records)

    def _take_over(self, assignment: frozenset[int]) -> Polled:
        """Begin each partition where its last owner committed, whatever this poll may have read of it already."""
        begins = {partition: self._begin(partition) for partition in sorted(assignment)}
        self._owned = assignment
        self._paused = frozenset()  # a rebalance makes all partitions run, also those that stay with us
        self._member.taken_in()
        return Polled({}, begins)

    def _begin(self, partition: int) -> Mark:
        place = self._member.place(partition)
        with kafka.translated():
            committed = self._member.consumer.committed(place, metadata=True, timeout_ms=ASK_MS)
            if committed is not None:
                self._member.seek(partition, committed.offset)
                return Mark(committed.offset, committed.leader_epoch, _rejects(committed.metadata))
            self._member.consumer.seek_to_beginning(place)
        first = self._member.position(partition)
        if first is None:
            raise TransientError("Kafka", f"where partition {partition} begins is not known yet")
        return Mark(first)

    def seek(self, partition: int, offset: int) -> None:
        if partition in self._owned:
            self._member.seek(partition, offset)

    def position(self, partition: int) -> int | None:
        return self._member.position(partition) if partition in self._owned else None

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        return self._member.ends(partitions)

    def commit(self, marks: Mapping[int, Mark]) -> None:
        self._commit(marks)

    def commit_tail(self, marks: Mapping[int, Mark]) -> None:
        self._commit(marks, self._states_topic)

    def _commit(self, marks: Mapping[int, Mark], topic: str | None = None) -> None:
        places = {p: Place(mark.offset, mark.epoch, str(mark.rejects_in_row)) for p, mark in marks.items()}
        try:
            self._member.commit(places, topic)
        except MovedOnError as exc:
            raise OwnershipLostError(*exc.args) from exc

    def close(self) -> None:
        self._member.close()

    def _pause(self, wanted: frozenset[int]) -> None:
        if wanted == self._paused:
            return
        self._member.consumer.resume(*self._member.places(self._paused - wanted))
        self._member.consumer.pause(*self._member.places(wanted - self._paused))
        self._paused = wanted


def _rejects(metadata: str | None) -> int:
    """The rejects in a row, as `commit` keeps them with the offset; none where something else wrote the offset."""
    return int(metadata) if metadata and metadata.isascii() and metadata.isdigit() else 0
