"""The compacted topic heals itself: an older document that comes last is followed by the stored one.

A tracker that was stopped after its replace and goes on after its partition was taken over still publishes what it
had read: then the last record of that subject on `project-states` is older than the stored document. The owner of a
partition therefore reads its own partition of the topic behind itself. Records of its own are recognised by their
offsets. Any other is held against the stored guard, and the stored document is published again where it is newer. The
tail's position is committed only behind records that have been judged, and the next owner goes on from it.

The projector commits that position, as a member of the group: the broker refuses it from a process whose partition was
taken over. A zombie takes its own late write for its newest, and would commit a position behind it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from luodi.domain.subjects import SEPARATOR
from luodi.runtime import kafka, logging
from luodi.runtime.clock import Clock
from luodi.runtime.following import Follower
from luodi.runtime.metrics import Metrics
from luodi.runtime.settings import Settings
from schemas import states
from schemas.invalid import Invalid
from services.tracker.ports import Mark, Outbox, Projects
from services.tracker.source import GROUP

MAX_POLL_RECORDS = 2_000
FETCH_BYTES = 64 * 1024
FETCH_MS = 500
GRACE_S = 1.0  # between reading a record and judging it: our own may be read before its offset is noted

_SEPARATOR = SEPARATOR.encode()

log = logging.get("tail")


@dataclass(frozen=True, slots=True)
class Tenure:
    """The partitions owned since one assignment. `number` tells one assignment from the next of the same partitions."""

    number: int = 0
    partitions: frozenset[int] = frozenset()


class Published:
    """What projector and tail tell each other.

    The projector tells which partitions it owns and where its newest record of each subject stands, the tail how far
    it has judged.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: dict[int, dict[bytes, int]] = {}
        self._judged: dict[int, Mark] = {}
        self._tenure = Tenure()

    def own(self, partitions: Collection[int]) -> None:
        """Begin anew with these partitions."""
        with self._lock:
            self._tenure = Tenure(self._tenure.number + 1, frozenset(partitions))
            self._newest = {partition: {} for partition in partitions}
            self._judged = {}

    @property
    def tenure(self) -> Tenure:
        return self._tenure

    @property
    def owned(self) -> frozenset[int]:
        return self._tenure.partitions

    def judge(self, tenure: Tenure, marks: Mapping[int, Mark]) -> None:
        """Everything before these marks has been judged; without effect for a tenure that is over."""
        with self._lock:
            if tenure == self._tenure:
                self._judged |= marks

    def take_judged(self) -> dict[int, Mark]:
        """What was judged since the last call."""
        with self._lock:
            judged, self._judged = self._judged, {}
        return judged

    def note(self, sent: Sequence[tuple[int, str, int]]) -> None:
        """(partition, subject, offset) of records that reached the log."""
        with self._lock:
            for partition, subject, offset in sent:
                if partition in self._newest:
                    self._newest[partition][subject.encode()] = offset

    def newest(self, partition: int, key: bytes) -> int | None:
        with self._lock:
            return self._newest.get(partition, {}).get(key)

    def forget(self, partition: int, key: bytes, offset: int) -> None:
        """The tail has read our newest record: nothing needs to be remembered of it."""
        with self._lock:
            newest = self._newest.get(partition, {})
            if newest.get(key) == offset:
                del newest[key]


class TailRecord(Protocol):
    """One record of `project-states`."""

    @property
    def offset(self) -> int: ...
    @property
    def leader_epoch(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class TailSource(Protocol):
    """`project-states`, read without joining a group. One thread only."""

    def follow(self, partitions: Collection[int]) -> None:
        """Read these partitions from where their last owner's tail was committed."""

    def poll(self, timeout_s: float) -> Mapping[int, Sequence[TailRecord]]: ...

    def position(self, partition: int) -> int | None: ...

    def ends(self, partitions: Collection[int]) -> dict[int, int]: ...

    def close(self) -> None: ...


class Behind(Protocol):
    """What else is made of the published records, behind the projector: the tail's position waits for it."""

    def own(self, partitions: Collection[int]) -> None:
        """Begin anew with these partitions."""

    def note(self, partition: int, key: bytes, offset: int, headers: Sequence[tuple[str, bytes]]) -> None:
        """A record of a document was read."""

    def mark(self, partition: int, offset: int, instant: str) -> None:
        """A watermark was read."""

    def settle(self) -> None:
        """Do what the records ask for. Raises TransientError; then it is called again."""

    def first(self, partition: int) -> int | None:
        """The offset of the first record that is not settled; None when all are."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A record that is not known to be ours, the last of its subject so far."""

    offset: int
    guard: tuple[int, int]
    seen_at: float


class Tail:
    """Judges what stands on `project-states`. One thread calls `turn`."""

    def __init__(
        self,
        source: TailSource,
        projects: Projects,
        outbox: Outbox,
        published: Published,
        clock: Clock,
        metrics: Metrics,
        behind: Sequence[Behind] = (),
    ) -> None:
        self._source = source
        self._behind = behind
        self._projects = projects
        self._outbox = outbox
        self._published = published
        self._clock = clock
        self._metrics = metrics
        self._followed = Tenure()
        self._suspects: dict[int, dict[bytes, Suspect]] = {}
        self._horizon: dict[int, int] = {}
        self._read: dict[int, Mark] = {}
        self._handed_over: dict[int, int] = {}

    def turn(self, timeout_s: float) -> None:
        """Read on, judge what is ripe, tell how far. Raises TransientError; then it may be called again."""
        self._follow()
        if not self._followed.partitions:
            return
        for partition, records in self._source.poll(timeout_s).items():
            self._sort(partition, records)
        self._judge()
        for behind in self._behind:
            behind.settle()
        self._hand_over()

    def _follow(self) -> None:
        tenure = self._published.tenure
        if tenure == self._followed:
            return
        self._source.follow(tenure.partitions)
        self._followed = tenure
        self._suspects = {partition: {} for partition in tenure.partitions}
        self._horizon, self._read, self._handed_over = {}, {}, {}
        for behind in self._behind:
            behind.own(tenure.partitions)

    def _sort(self, partition: int, records: Sequence[TailRecord]) -> None:
        suspects = self._suspects[partition]
        for record in records:
            key = record.key
            if key is None:
                continue
            if key == states.WATERMARK_KEY:
                self._mark(partition, record)
                continue
            if _SEPARATOR not in key:  # histories and roll-ups are those of projects
                for behind in self._behind:
                    behind.note(partition, key, record.offset, record.headers)
            newest = self._published.newest(partition, key)
            if newest is not None and record.offset <= newest:
                # One of ours: the newest, or one that a newer of ours follows.
                suspects.pop(key, None)
                self._published.forget(partition, key, record.offset)
            else:
                guard = states.read_guard(record.headers) or (0, 0)
                suspects[key] = Suspect(record.offset, guard, self._clock.monotonic())
        self._read[partition] = Mark(records[-1].offset + 1, records[-1].leader_epoch)

    def _mark(self, partition: int, record: TailRecord) -> None:
        if self._behind and record.value is not None:
            try:
                instant = states.decode_watermark(record.value)
            except Invalid:
                return  # a foreign record; who reads watermarks for a living counts it
            for behind in self._behind:
                behind.mark(partition, record.offset, instant)

    def _judge(self) -> None:
        """Hold against the store what is ripe: older than a second, and everything up to the end asked since read."""
        ripe = {partition: self._ripe(partition) for partition, suspects in self._suspects.items() if suspects}
        subjects = {_subject(key) for found in ripe.values() for key in found}
        if subjects:
            stored = self._projects.guards(subjects)
            older = {
                _subject(key)
                for found in ripe.values()
                for key, suspect in found.items()
                if _subject(key) in stored and _is_older(suspect.guard, stored[_subject(key)])
            }
            self._heal(older)
        for partition, found in ripe.items():
            for key in found:
                del self._suspects[partition][key]

    def _ripe(self, partition: int) -> dict[bytes, Suspect]:
        suspects, horizon = self._suspects[partition], self._horizon.get(partition, 0)
        position = self._source.position(partition)
        if position is None or position < horizon:
            return {}
        for key, suspect in list(suspects.items()):
            newest = self._published.newest(partition, key)
            if newest is not None and suspect.offset <= newest:  # ours: it was read before its offset was noted
                del suspects[key]
                self._published.forget(partition, key, suspect.offset)
        if suspects:
            self._horizon |= self._source.ends([partition])
        latest = self._clock.monotonic() - GRACE_S
        return {
            key: suspect for key, suspect in suspects.items() if suspect.offset < horizon and suspect.seen_at <= latest
        }

    def _heal(self, subjects: Collection[str]) -> None:
        if not subjects:
            return
        for document in self._projects.read(subjects).values():
            self._outbox.state(document, None)
        # Not noted as published: should the projector's newer record come before this one, this is the late, older
        # one, and the tail finds it like any other.
        healed = self._outbox.sent().result()
        self._metrics.healed.inc(len(healed))
        log.warning("states.healed", subjects=sorted(subjects)[:20], count=len(healed))

    def _hand_over(self) -> None:
        marks: dict[int, Mark] = {}
        for partition, mark in self._read.items():
            waiting = [suspect.offset for suspect in self._suspects[partition].values()]
            waiting += [first for behind in self._behind if (first := behind.first(partition)) is not None]
            judged = Mark(min(waiting)) if waiting else mark
            if judged.offset > self._handed_over.get(partition, -1):
                marks[partition] = judged
        if marks:
            self._published.judge(self._followed, marks)
            self._handed_over |= {partition: mark.offset for partition, mark in marks.items()}


class KafkaTailSource(Follower):
    """See the port `TailSource`."""

    def __init__(self, settings: Settings) -> None:
        consumer = kafka.consumer(
            settings,
            GROUP,
            group_instance_id=None,  # it never joins: it only asks for the committed positions
            max_poll_records=MAX_POLL_RECORDS,
            # It may come half a second late, but not once for every record.
            fetch_min_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_MS,
        )
        super().__init__(consumer, settings.topics.states)

    def follow(self, partitions: Collection[int]) -> None:
        with kafka.translated():
            # A partition that stays assigned would keep its position, behind records read and not yet judged.
            self.consumer.unsubscribe()
            self.consumer.assign(self.places(partitions))


def _subject(key: bytes) -> str:
    return key.decode(errors="replace")  # a foreign key that is no text is no subject of ours: nothing is stored


def _is_older(record: tuple[int, int], stored: tuple[int, int]) -> bool:
    return record[0] < stored[0] or record[1] < stored[1]
