"""`project-states` through kafka-python: one member of notify's group, positions moved only by our word."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from luodi.runtime import kafka
from luodi.runtime.following import Member, MovedOnError, Place
from luodi.runtime.settings import Settings
from services.notify.watching import Mark, Polled

GROUP = "luodi-notify"
MAX_POLL_RECORDS = 1_000
FETCH_WAIT_MS = 1000  # of an empty answer; a record is answered with at once, for it may be the watermark that opens


class KafkaSource:
    """See the port `Source`. Made and used in one thread."""

    def __init__(self, settings: Settings) -> None:
        consumer = kafka.consumer(settings, GROUP, max_poll_records=MAX_POLL_RECORDS, fetch_max_wait_ms=FETCH_WAIT_MS)
        self._member = Member(consumer, settings.topics.states)
        self._owned: frozenset[int] = frozenset()

    def poll(self, timeout_s: float) -> Polled:
        records = self._member.poll(timeout_s)
        assignment = self._member.assignment
        if assignment is not None:
            self._member.taken_in()
            self._owned = assignment
        return Polled(records, assignment)

    def seek(self, partition: int, offset: int) -> None:
        if partition in self._owned:
            self._member.seek(partition, offset)

    def position(self, partition: int) -> int | None:
        return self._member.position(partition) if partition in self._owned else None

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        return self._member.ends(partitions)

    def commit(self, marks: Mapping[int, Mark]) -> bool:
        try:
            self._member.commit({partition: Place(mark.offset, mark.epoch) for partition, mark in marks.items()})
        except MovedOnError:
            return False
        return True

    def close(self) -> None:
        self._member.close()
