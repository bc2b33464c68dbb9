"""Watching: takes the states of the owned partitions over into the watches, and keeps the gate.

1. Poll; a new assignment begins with a gate that knows nothing.
2. Make watches of the records of projects, entries of the directory of units, persons and posts; keep those that
   know more than what is kept.
3. Only then: note the watermarks read, move the gate's positions, commit.
4. Ask for the ends of the partitions whose newest watermark waits for one.

Broken off anywhere, the records since the last commit are read again and change nothing. A record that cannot be read
does not hold up the others: its project is marked as unreadable, nothing is concluded about it, operators are told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from luodi.domain.people import NAMED
from luodi.domain.subjects import DECISION, is_project, kind_of
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from schemas import states
from schemas.invalid import Invalid
from services.notify.decisions import as_watched
from services.notify.directory import DirectoryStore, Entry, entry_of
from services.notify.gate import Gate
from services.notify.sweep import WatchStore
from services.notify.watches import Watch, unreadable, watch_of

POLL_S = 1.0
LAG_S = 5.0  # how often the ends of all partitions are asked for
FRESH_S = 15.0  # a lag older than this is not known any more
GATHER_S = 0.03  # records that come one by one are read together; the first after a silence is read at once
FEW = 500  # records of a poll: after more of them there is a backlog, which does not wait
COMMIT_S = 5.0  # at most so often; what is read again changes nothing
BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

log = logging.get("watching")


class Record(Protocol):
    """One record as the consumer hands it out."""

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


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought. `assignment` is None, or all partitions owned after a rebalance."""

    records: Mapping[int, Sequence[Record]]
    assignment: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where to go on in a partition: the next offset, and the leader epoch of the record before it."""

    offset: int
    epoch: int


class Source(Protocol):
    """The states topic as a member of a group reads it. Every call may raise TransientError or FatalError."""

    def poll(self, timeout_s: float) -> Polled:
        """Records in the order of each partition."""

    def seek(self, partition: int, offset: int) -> None:
        """Read from there next."""

    def position(self, partition: int) -> int | None:
        """The next offset; None when it is not known (yet)."""

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        """The end offsets as the leaders know them now."""

    def commit(self, marks: Mapping[int, Mark]) -> bool:
        """Keep the positions for whoever goes on; False when the partitions are no longer ours."""

    def close(self) -> None:
        """Leave."""


class Watching:
    """The reading side of one notifier. `gate` may be read from any thread: it is replaced, never changed."""

    def __init__(
        self,
        watches: WatchStore,
        directory: DirectoryStore,
        clock: Clock,
        metrics: Metrics,
        stop: Stop,
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        """`opened` is called when a partition may be decided upon up to a later instant than before."""
        self._watches = watches
        self._directory = directory
        self.opened = opened
        self._clock = clock
        self._metrics = metrics
        self._stop = stop
        self.gate = Gate()
        self._assigned = False
        self._marks: dict[int, Mark] = {}
        self._committed_at = 0.0
        self._asked_at: float | None = None
        self._lags: dict[int, int] = {}

    # -- what others ask ----------------------------------------------------------------------------------------------

    def missing(self) -> str | None:
        """What keeps this reader from being ready; None when nothing does."""
        if not self._assigned:
            return "no partition has been assigned yet"
        if not self.gate.partitions:
            return None  # more notifiers than partitions: this one stands by
        if self._asked_at is None or self._clock.monotonic() - self._asked_at > FRESH_S:
            return f"the lag behind the states has not been known for {FRESH_S:.0f} s"
        return None

    @property
    def lags(self) -> Mapping[int, int]:
        """Records not yet taken over, by partition, as last asked."""
        return self._lags

    # -- the loop -----------------------------------------------------------------------------------------------------

    def run(self, connect: Callable[[], Source]) -> None:
        """Read until the end is asked for. A passing fault is waited out; anything else leaves as it is."""
        failures = 0
        source: Source | None = None
        try:
            while not self._stop.asked:
                try:
                    if source is None:
                        source = connect()
                    read = self.step(source)
                    failures = 0
                    if 0 < read < FEW:
                        self._stop.wait(GATHER_S)
                except TransientError as exc:
                    self._metrics.transient.labels("watching").inc()
                    log.warning("watching.deferred", error=str(exc), failures=failures)
                    self._stop.wait(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
                    failures += 1
        finally:
            self.gate = Gate()
            if source is not None:
                self._close(source)

    def step(self, source: Source) -> int:
        """One turn; returns how many records it took over.

        Raises TransientError; what was not taken over is read again by the next turn.
        """
        polled = source.poll(POLL_S)
        if polled.assignment is not None:
            self._assign(polled.assignment)
        before = self.gate
        try:
            if polled.records:
                self._take_over(source, polled.records)
        except TransientError:
            for partition, batch in polled.records.items():
                source.seek(partition, batch[0].offset)
            raise
        self._ask(source)
        if any(gate.usable != before.usable(partition) for partition, gate in self.gate.partitions.items()):
            self.opened()
        self._commit(source)
        return sum(len(batch) for batch in polled.records.values())

    def _assign(self, partitions: frozenset[int]) -> None:
        self._assigned = True
        self._marks.clear()
        self._lags = {}
        self._asked_at = None
        self.gate = Gate().assigned(partitions, self._clock.now_text())
        log.info("partitions.assigned", partitions=sorted(partitions))

    def _take_over(self, source: Source, records: Mapping[int, Sequence[Record]]) -> None:
        began = self._clock.monotonic()
        now = self._clock.now_text()
        watermarks: dict[int, str] = {}
        states_read: list[tuple[int, str, Record]] = []
        entries: dict[str, Entry] = {}
        for partition, batch in records.items():
            for record in batch:
                if record.key == states.WATERMARK_KEY:
                    self._note_watermark(watermarks, partition, record)
                elif record.key is not None:
                    subject = record.key.decode("utf-8", "replace")
                    if is_project(subject) or kind_of(subject) == DECISION:
                        states_read.append((partition, subject, record))
                    elif kind_of(subject) in NAMED:
                        self._note_entry(entries, partition, subject, record)
        self._directory.put(list(entries.values()))
        kept = self._watches.get_many({subject for _, subject, _ in states_read})
        fresh = self._fresh(states_read, kept, now)
        self._watches.put(fresh)
        for partition, batch in records.items():
            if partition in watermarks:
                self.gate = self.gate.read(partition, watermarks[partition])
            position = source.position(partition)
            if position is not None:
                self.gate = self.gate.reached(partition, position, now)
            self._marks[partition] = Mark(batch[-1].offset + 1, batch[-1].leader_epoch)
        if states_read:
            log.info(
                "states.taken",
                records=len(states_read),
                watches=len(fresh),
                partitions=sorted(records),
                ms=round((self._clock.monotonic() - began) * 1000, 1),
            )

    def _fresh(self, read: Iterable[tuple[int, str, Record]], kept: Mapping[str, Watch], now: str) -> list[Watch]:
        """The watches to be kept: each project's last one, made from all its records in their order."""
        known = dict(kept)
        changed: dict[str, Watch] = {}
        for partition, subject, record in read:
            before = known.get(subject)
            watch = self._watch(partition, subject, record, before, now)
            if before is None or before.may_be_replaced_by(watch):
                known[subject] = changed[subject] = watch
        return list(changed.values())

    def _watch(self, partition: int, subject: str, record: Record, before: Watch | None, now: str) -> Watch:
        try:
            state = _state(record, subject)
            told = state if is_project(subject) else as_watched(state)
            return watch_of(told, before, now, partition, _traceparent(record))
        except Invalid as exc:
            self._skip(partition, record, exc.code, exc.detail)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as exc:
            # A newer program or another producer may write what this one does not understand.
            self._skip(partition, record, "not-understood", repr(exc))
        return unreadable(subject, before, partition, now)

    def _note_watermark(self, watermarks: dict[int, str], partition: int, record: Record) -> None:
        try:
            watermarks[partition] = max(watermarks.get(partition, ""), states.decode_watermark(_value(record)))
        except Invalid as exc:  # without it the older watermark stays in force: late, never wrong
            self._skip(partition, record, exc.code, exc.detail)

    def _note_entry(self, entries: dict[str, Entry], partition: int, subject: str, record: Record) -> None:
        """Of several entries for one subject, in one batch, the one that knows most."""
        try:
            entry = entry_of(_state(record, subject), partition)
        except Invalid as exc:  # what was known of it stands
            self._skip(partition, record, exc.code, exc.detail)
            return
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            self._skip(partition, record, "not-understood", repr(exc))
            return
        if subject not in entries or entries[subject].may_be_replaced_by(entry):
            entries[subject] = entry

    def _skip(self, partition: int, record: Record, reason: str, detail: str) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        log.error("states.skipped", partition=partition, offset=record.offset, key=key, reason=reason, error=detail)
        self._metrics.skipped.labels(reason).inc()

    def _commit(self, source: Source) -> None:
        now = self._clock.monotonic()
        if self._marks and now - self._committed_at >= COMMIT_S:
            source.commit(self._marks)
            self._marks.clear()
            self._committed_at = now

    def _ask(self, source: Source) -> None:
        """Ask for ends: of partitions with a watermark that waits for one, and now and then of all, for the lag."""
        now = self._clock.monotonic()
        waiting = self.gate.to_ask()
        all_of_them = self._asked_at is None or now - self._asked_at >= LAG_S
        wanted = sorted(self.gate.partitions if all_of_them else waiting)
        if not wanted:
            return
        ends = source.ends(wanted)
        for partition, end in ends.items():
            if partition in waiting:
                self.gate = self.gate.asked(partition, waiting[partition], end)
        if all_of_them:
            self._lags = {p: max(0, end - max(0, self.gate.partitions[p].position)) for p, end in ends.items()}
            self._asked_at = now

    def _close(self, source: Source) -> None:
        try:
            if self._marks:
                source.commit(self._marks)
            source.close()
        except TransientError as exc:  # the session ends by itself, and what was not committed is read again
            log.warning("watching.deferred", error=str(exc), failures=0)


def _value(record: Record) -> bytes:
    if record.value is None:
        raise Invalid("null-value", "a record of this topic has a value")
    return record.value


def _state(record: Record, subject: str) -> dict[str, Any]:
    state = states.decode_state(_value(record))
    if state["id"] != subject:
        raise Invalid("key-mismatch", f"the state is that of {state['id']}")
    return state


def _traceparent(record: Record) -> str | None:
    value = next((value for name, value in record.headers if name == "traceparent"), None)
    return value.decode("ascii", "replace") if value is not None else None
