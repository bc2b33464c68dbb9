"""The projector's ports in memory, true to what the real servers do as far as the projector can tell.

The parity suite runs the same behaviour on these and on the real adapters. Documents go in and come out as copies, as
they do through a wire.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

import bson

from luodi.domain.events import Event
from luodi.domain.rollup import Family
from luodi.runtime.errors import TransientError
from schemas import states
from services.tracker.history import Row, Written
from services.tracker.ports import (
    Arrival,
    Base,
    Document,
    Fuse,
    Journaled,
    Mark,
    Outdated,
    OwnershipLostError,
    Polled,
    Reject,
    TooLargeError,
    Unwritten,
)
from services.tracker.rulesets import Activation

P = TypeVar("P")


class MemoryPrimary:
    """The primary that takes writes ahead, and what its process knows of it."""

    def __init__(self) -> None:
        self.elected = 1
        self.ahead: dict[str, Document | None] = {}  # what stood where a majority does not hold the document yet
        self._election: int | None = None
        self._lost = False

    @property
    def election(self) -> int | None:
        return self._election

    def begin_again(self) -> None:
        self._election, self._lost = None, False

    def took(self, elections: Collection[Hashable] = ()) -> None:
        """A write was answered; `elections`: those whose writes it settles."""
        if self._election is None:
            self._election = self.elected
        self._lost |= self._election != self.elected
        if self._lost or any(election not in {None, self._election} for election in elections):
            raise TransientError("MongoDB", "another primary was elected")


class MemoryJournal:
    """Every event once."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Arrival] = {}
        self.primary = MemoryPrimary()

    def add(self, arrivals: Sequence[Arrival]) -> dict[tuple[str, str], Journaled]:
        known = {}
        for arrival in arrivals:
            held = self.rows.setdefault(arrival.identity, arrival)
            if held is not arrival:
                known[arrival.identity] = Journaled(held.digest, held.partition, held.offset)
        self.primary.ahead.clear()
        return known

    def settle(self, arrivals: Sequence[Arrival], elections: Collection[Hashable]) -> bool:
        known = self.add(arrivals)
        self.primary.took(elections)
        return not known

    def read(self, subjects: Collection[str]) -> dict[str, list[Event]]:
        histories: dict[str, list[Event]] = {}
        for arrival in sorted(self.rows.values(), key=lambda a: (a.event.subject, a.event.order)):
            if arrival.event.subject in subjects:
                histories.setdefault(arrival.event.subject, []).append(arrival.event)
        return histories

    def ids(self, subjects: Collection[str]) -> dict[str, set[str]]:
        return {subject: {event.id for event in events} for subject, events in self.read(subjects).items()}


class MemoryProjects:
    """Documents under their guard."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.primary = MemoryPrimary()
        self.max_bytes = 16 * 1024 * 1024

    def bases(self, subjects: Collection[str]) -> dict[str, Base]:
        return {s: self._base(s) for s in subjects if s in self.documents}

    def standing(self, partitions: Collection[int], after: str, limit: int) -> dict[str, Base]:
        found = [s for s, document in self.documents.items() if s > after and document["partition"] in partitions]
        return {subject: self._base(subject) for subject in sorted(found)[:limit]}

    def swap(self, changes: Sequence[tuple[Base | None, Document]]) -> set[str]:
        self._measure([document for _, document in changes])
        refused = set()
        for base, document in changes:
            held = self.documents.get(document["_id"])
            guard = None if held is None else (held["events"], held["ruleset"])
            if guard == (None if base is None else (base.events, base.ruleset)):
                self.documents[document["_id"]] = _through_the_wire(document)
            elif held is None or held["fold"] != document["fold"] or guard != _guard(document):
                refused.add(document["_id"])
        self.primary.ahead.clear()
        return refused

    def swap_ahead(self, changes: Sequence[tuple[Base | None, Document]]) -> set[str]:
        before = {document["_id"]: self.documents.get(document["_id"]) for _, document in changes}
        ahead = dict(self.primary.ahead)
        refused = self.swap(changes)
        self.primary.ahead |= {s: held for s, held in before.items() if s not in refused} | ahead
        self.primary.took()
        return refused

    def offer(self, documents: Sequence[Document]) -> None:
        self._measure(documents)
        for document in documents:
            held = self.documents.get(document["_id"])
            if held is None or _rises(_guard(held), _guard(document)):
                self.documents[document["_id"]] = _through_the_wire(document)
        self.primary.ahead.clear()

    def read(self, subjects: Collection[str]) -> dict[str, Document]:
        return {s: _through_the_wire(self.documents[s]) for s in subjects if s in self.documents}

    def guards(self, subjects: Collection[str]) -> dict[str, tuple[int, int]]:
        return {s: _guard(self.documents[s]) for s in subjects if s in self.documents}

    def outdated(self, partitions: Collection[int], ruleset: int, limit: int) -> dict[str, Outdated]:
        found = {
            subject: Outdated(document["partition"], self._base(subject))
            for subject, document in self.documents.items()
            if document["partition"] in partitions and document["ruleset"] < ruleset
        }
        return dict(list(found.items())[:limit])

    def _measure(self, documents: Sequence[Document]) -> None:
        for document in documents:
            if len(document["fold"]) > self.max_bytes:
                raise TooLargeError(document["_id"], document["partition"], "too many bytes")

    def _base(self, subject: str) -> Base:
        document = self.documents[subject]
        return Base(document["events"], document["ruleset"], document["fold"])


class MemoryRollUps:
    """Roll-ups under their version, made from the documents."""

    def __init__(self, projects: MemoryProjects) -> None:
        self.rows: dict[str, Document] = {}
        self._projects = projects

    def touched(self, subjects: Collection[str]) -> dict[str, set[str]]:
        touched: dict[str, set[str]] = {}
        for id_, row in self.rows.items():
            for subject in {id_, *row["members"]} & set(subjects):
                touched.setdefault(subject, set()).add(id_)
        return touched

    def versions(self, ids: Collection[str]) -> dict[str, int]:
        return {id_: self.rows[id_]["version"] for id_ in ids if id_ in self.rows}

    def swap(self, rows: Sequence[Document], versions: Mapping[str, int]) -> bool:
        done = True
        for row in rows:
            held, version = self.rows.get(row["_id"]), versions.get(row["_id"])
            if version == (None if held is None else held["version"]):
                self.rows[row["_id"]] = _through_the_wire({**row, "version": (version or 0) + 1})
            else:
                done = False
        return done

    def links(self, subjects: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
        found = self._projects.read(subjects)
        return {id_: (document.get("parent"), document.get("carrier")) for id_, document in found.items()}

    def families(self, ids: Collection[str]) -> Family:
        return Family.of(self._projects.read(self._projects.documents).values())

    def named(self) -> list[str]:
        documents = self._projects.documents.values()
        named = {document.get(link) for document in documents for link in ("parent", "carrier")}
        return sorted({*self.rows, *(id_ for id_ in named if id_)})


class MemoryPositions:
    """How far each partition is applied."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}

    def advance(self, applied: Mapping[int, int]) -> None:
        for partition, offset in applied.items():
            self.rows[partition] = max(self.rows.get(partition, 0), offset)

    def read(self, partitions: Iterable[int]) -> dict[int, int]:
        return {p: self.rows[p] for p in partitions if p in self.rows}


class MemoryFuses:
    """The partitions that wait for an operator."""

    def __init__(self) -> None:
        self.rows: dict[int, Fuse] = {}

    def blow(self, fuse: Fuse) -> None:
        self.rows[fuse.partition] = fuse

    def blown(self) -> dict[int, Fuse]:
        return dict(self.rows)

    def mend(self, partition: int) -> bool:
        return self.rows.pop(partition, None) is not None


class MemoryHistories:
    """The histories, and how far they are written."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.far: dict[int, Written] = {}

    def read(self, subjects: Collection[str]) -> dict[str, Row]:
        return {subject: self.rows[subject] for subject in subjects if subject in self.rows}

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            held = self.rows.get(row.subject)
            if held is None or held.at < row.at:
                self.rows[row.subject] = row

    def advance(self, written: Mapping[int, Written]) -> None:
        for partition, far in written.items():
            held = self.far.get(partition, Written(0, None))
            until = max((instant for instant in (held.until, far.until) if instant is not None), default=None)
            self.far[partition] = Written(max(held.at, far.at), until)

    def written(self) -> dict[int, Written]:
        return dict(self.far)

    def changed(self, partition: int, after: int, until: int) -> Iterable[Row]:
        return [row for row in self.rows.values() if row.partition == partition and after < row.at < until]


class MemoryRulesets:
    """All activations."""

    def __init__(self) -> None:
        self.rows: dict[int, Activation] = {}

    def latest(self) -> Activation | None:
        return self.rows[max(self.rows)] if self.rows else None

    def seen(self, digest: str) -> bool:
        return any(row.digest == digest for row in self.rows.values())

    def add(self, activation: Activation) -> bool:
        return self.rows.setdefault(activation.number, activation) is activation

    def all(self) -> list[Activation]:
        return [self.rows[number] for number in sorted(self.rows)]

    def hold(self, number: int, until: str | None) -> None:
        self.rows[number] = replace(self.rows[number], held_until=until)


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """One record of a topic in memory."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    leader_epoch: int = 0
    timestamp: int = 1_772_413_200_000  # 2026-03-02T01:00:00Z


@dataclass
class MemoryTopic:
    """A log per partition."""

    partitions: int
    logs: dict[int, list[MemoryRecord]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def append(
        self, partition: int, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> int:
        with self.lock:
            log = self.logs.setdefault(partition, [])
            log.append(MemoryRecord(partition, len(log), key, value, tuple(headers)))
            return log[-1].offset

    def read(self, partition: int) -> list[MemoryRecord]:
        return list(self.logs.get(partition, []))

    def end(self, partition: int) -> int:
        return len(self.logs.get(partition, []))

    def last_states(self) -> dict[str, dict[str, Any]]:
        """The last state of each subject, as compaction would leave it."""
        return {
            record.key.decode(): states.decode_state(record.value)
            for log in self.logs.values()
            for record in log
            if record.key is not None and record.value is not None and record.key != states.WATERMARK_KEY
        }


class MemoryGroup:
    """What a broker keeps of a consumer group: committed offsets, and who may commit."""

    def __init__(self) -> None:
        self.committed: dict[int, int] = {}
        self.rejects_in_row: dict[int, int] = {}  # kept with the offset
        self.tail_committed: dict[int, int] = {}
        self.generation = 0


class MemorySource:
    """One member. A new member takes all partitions over, and what is left of the one before can no longer commit."""

    def __init__(
        self,
        topic: MemoryTopic,
        group: MemoryGroup,
        max_poll_records: int = 500,
        on_commit: Callable[[Mapping[int, Mark]], None] = lambda _: None,
    ) -> None:
        self._topic = topic
        self._group = group
        self._max = max_poll_records
        self._on_commit = on_commit
        group.generation += 1
        self._generation = group.generation
        self._positions: dict[int, int] = {}
        self._joined = False
        self._wanted = frozenset(range(topic.partitions))

    def rebalance(self, partitions: Collection[int]) -> None:
        """From the next poll on this member owns these partitions, each from its committed offset."""
        self._joined = False
        self._wanted = frozenset(partitions)

    def poll(self, timeout_s: float, paused: Collection[int]) -> Polled:
        if not self._joined:
            self._joined = True
            self._positions = {p: self._group.committed.get(p, 0) for p in self._wanted}
            kept = self._group.rejects_in_row
            return Polled({}, {p: Mark(begin, 0, kept.get(p, 0)) for p, begin in self._positions.items()})
        found: dict[int, list[MemoryRecord]] = {}
        room = self._max
        for partition, position in self._positions.items():
            records = [] if partition in paused else self._topic.read(partition)[position : position + room]
            if records:
                found[partition] = records
                self._positions[partition] = records[-1].offset + 1
                room -= len(records)
            if room == 0:
                break
        return Polled(found)

    def seek(self, partition: int, offset: int) -> None:
        if partition in self._positions:
            self._positions[partition] = offset

    def position(self, partition: int) -> int | None:
        return self._positions.get(partition)

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        return {partition: self._topic.end(partition) for partition in partitions}

    def commit(self, marks: Mapping[int, Mark]) -> None:
        if self._generation != self._group.generation:
            raise OwnershipLostError("Kafka", "the group has moved on")
        self._on_commit(marks)
        self._group.committed |= {partition: mark.offset for partition, mark in marks.items()}
        self._group.rejects_in_row |= {partition: mark.rejects_in_row for partition, mark in marks.items()}

    def commit_tail(self, marks: Mapping[int, Mark]) -> None:
        if self._generation != self._group.generation:
            raise OwnershipLostError("Kafka", "the group has moved on")
        self._group.tail_committed |= {partition: mark.offset for partition, mark in marks.items()}

    def close(self) -> None:
        self._positions = {}


Waiting = tuple[int, str | None, bytes, bytes, list[tuple[str, bytes]]]


class MemorySent:
    """What was sent together reaches the log when it is asked for, as late as it may; before, a crash loses it."""

    def __init__(self, topic: MemoryTopic, waiting: list[Waiting]) -> None:
        self._topic = topic
        self._waiting = waiting
        self._asked = False

    def done(self) -> bool:
        asked, self._asked = self._asked, True
        return asked

    def result(self) -> list[tuple[int, str, int]]:
        sent = []
        for partition, subject, key, value, headers in self._waiting:
            offset = self._topic.append(partition, key, value, headers)
            if subject is not None:
                sent.append((partition, subject, offset))
        self._waiting = []
        return sent


class MemoryOutbox:
    """`project-states` and the rejected topic."""

    def __init__(self, states_topic: MemoryTopic, rejected: MemoryTopic, events: str = "project-events") -> None:
        self._states_topic = states_topic
        self._rejected = rejected
        self._events = events
        self._waiting: list[Waiting] = []
        self.unwritable: dict[int, Unwritten] = {}

    def state(self, document: Document, traceparent: str | None) -> None:
        headers = states.guard_headers(document)
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        value = states.encode_state(document)
        self._waiting.append((document["partition"], document["_id"], document["_id"].encode(), value, headers))

    def watermark(self, partition: int, instant: str) -> None:
        self._waiting.append((partition, None, states.WATERMARK_KEY, states.encode_watermark(instant), []))

    def sent(self) -> MemorySent:
        waiting, self._waiting = self._waiting, []
        return MemorySent(self._states_topic, waiting)

    def reject(self, rejects: Sequence[Reject]) -> dict[int, Unwritten]:
        failed: dict[int, Unwritten] = {}
        for reject in rejects:
            unwritten = self.unwritable.get(reject.partition)
            if unwritten is not None and reject.offset >= unwritten.offset:
                failed.setdefault(reject.partition, unwritten)
                continue
            value = states.encode_rejected(
                topic=self._events,
                partition=reject.partition,
                offset=reject.offset,
                reason=reject.reason,
                detail=reject.detail,
                rejected_at=reject.rejected_at,
                key=reject.key,
                value=reject.value,
            )
            self._rejected.append(0, states.rejected_id(self._events, reject.partition, reject.offset).encode(), value)
        return failed


class MemoryTailSource:
    """`project-states`, read from the positions that the last owner's tail committed."""

    def __init__(self, topic: MemoryTopic, group: MemoryGroup) -> None:
        self._topic = topic
        self._group = group
        self._positions: dict[int, int] = {}

    def follow(self, partitions: Collection[int]) -> None:
        self._positions = {p: self._group.tail_committed.get(p, 0) for p in partitions}

    def poll(self, timeout_s: float) -> Mapping[int, Sequence[MemoryRecord]]:
        found = {}
        for partition, position in self._positions.items():
            records = self._topic.read(partition)[position:]
            if records:
                found[partition] = records
                self._positions[partition] = records[-1].offset + 1
        return found

    def position(self, partition: int) -> int | None:
        return self._positions.get(partition)

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        return {partition: self._topic.end(partition) for partition in partitions}

    def close(self) -> None:
        self._positions = {}


class Eager(Executor):
    """A hand that is done at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        _run(future, lambda: fn(*args, **kwargs))
        return future


class Lazy(Executor):
    """A hand that does nothing until somebody waits for it or asks a second time, then everything in order."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = _Awaited(self)
        self._waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def catch_up(self) -> None:
        while self._waiting:
            _run(*self._waiting.pop(0))


class _Awaited(Future[Any]):
    def __init__(self, hand: Lazy) -> None:
        super().__init__()
        self._hand = hand
        self._asked = False

    def done(self) -> bool:
        if self._asked:  # whoever asks again has let some time pass
            self._hand.catch_up()
        self._asked = True
        return super().done()

    def result(self, timeout: float | None = None) -> Any:
        self._hand.catch_up()
        return super().result(timeout)


def _run(future: Future[Any], task: Callable[[], Any]) -> None:
    try:
        future.set_result(task())
    except BaseException as exc:  # noqa: BLE001 - a crash too comes out where the result is asked for
        future.set_exception(exc)


class Crash(BaseException):
    """The process ended here."""


class Faults:
    """Lets something happen at the n-th call through any of its ports, before or after the call took effect.

    `strike` does it: raises (a passing fault, or `Crash`), or lets another worker act in between and returns.
    """

    def __init__(self, at: int, strike: Callable[[str], None], *, after: bool) -> None:
        self._at, self._strike, self._after = at, strike, after
        self.calls = 0
        self.struck: str | None = None

    def through(self, port: P) -> P:
        """`port`, with this fault in its way."""
        return cast("P", _Through(port, self))

    def call(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.calls += 1
        if self.calls != self._at:
            return method(*args, **kwargs)
        self.struck = name
        if not self._after:
            self._strike(name)
        answer = method(*args, **kwargs)
        told = isinstance(answer, Polled) and answer.assignment is not None  # is told again when it was not heard
        if self._after and not told:
            self._strike(name)
        return answer


def crash(name: str) -> None:
    """The process ends."""
    raise Crash(name)


def passing(name: str) -> None:
    """A server is away for a moment."""
    raise TransientError("a fault", name)


class _Through:
    def __init__(self, port: object, faults: Faults) -> None:
        self._port, self._faults = port, faults

    def __getattr__(self, name: str) -> Any:
        held = getattr(self._port, name)
        if not callable(held):
            return held
        return lambda *args, **kwargs: self._faults.call(f"{type(self._port).__name__}.{name}", held, args, kwargs)


def _through_the_wire(document: Document) -> Document:
    return bson.decode(bson.encode(document))


def _guard(document: Document) -> tuple[int, int]:
    return document["events"], document["ruleset"]


def _rises(held: tuple[int, int], offered: tuple[int, int]) -> bool:
    return offered != held and offered[0] >= held[0] and offered[1] >= held[1]
