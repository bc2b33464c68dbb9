"""The history of every project, written behind the projector from the journal.

The owner of a partition reads its own part of `project-states` behind itself (see `tail`); each record there says that
a project has changed. The *historian* carries that project's cells on and keeps how far each partition's history is
written: up to which offset of `project-states`, and up to which watermark, which is the instant until which it is
whole. The tail's position is committed only behind records whose history is written, so after a crash the next owner
writes it again; writing again is always allowed. A row is replaced only by one of a later offset: a tracker that was
stopped for a while cannot put an older history over a newer one.

The historian has a thread of its own and leaves the processor to the projector: under a heavy load it works a twentieth
of the time at most, under a light one half of it. What it falls behind by shows in `luodi_history_age_seconds`; a
project that has changed several times meanwhile is carried on once.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Protocol

import orjson
from pymongo import ASCENDING, ReplaceOne, UpdateOne
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from luodi.domain.days import parse_instant
from luodi.domain.events import Event
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from luodi.runtime.mongo import translated
from schemas import states
from services.tracker.cells import CELL, Cells, milliseconds, order
from services.tracker.folding import Folder
from services.tracker.journal import refused_rows
from services.tracker.ports import Document, Journal
from services.tracker.rulesets import Regime

BATCH = 200  # projects carried on together
REST_S = 0.25  # between two looks, unless a whole batch was found
AGAIN_S = 1.0  # after a passing fault
HEAVY_PER_S = 100  # records read a second from which on the projector needs the processor
BATCH_WHEN_HEAVY = 20
REST_WHEN_HEAVY = 19.0  # times as long as it worked

log = logging.get("history")


@dataclass(frozen=True, slots=True)
class Row:
    """The history of one project as stored.

    `events` and `last` tell which events of the journal it was made of: those in the order up to `last`.
    """

    subject: str
    partition: int
    at: int  # offset of the record on `project-states` that told of it
    ruleset: int
    events: int
    last: tuple[str, int, str]
    cells: bytes
    faces: list[list[Any]]
    times: list[int]  # when each of its events was recorded (ms)


@dataclass(frozen=True, slots=True)
class Written:
    """How far the history of a partition is written: every record below an offset, everything known until `until`."""

    at: int
    until: str | None


class Histories(Protocol):
    """The rows, one per project, and how far each partition is written."""

    def read(self, subjects: Collection[str]) -> dict[str, Row]:
        """The stored rows of these projects."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write each row unless one of the same or a later offset stands there."""

    def advance(self, written: Mapping[int, Written]) -> None:
        """Note how far partitions are written. Neither offset nor instant falls."""

    def written(self) -> dict[int, Written]:
        """What is noted, by partition."""

    def changed(self, partition: int, after: int, until: int) -> Iterable[Row]:
        """The rows of a partition whose offset lies in `(after, until)`."""


def carried(subject: str, events: Sequence[Event], stored: Row | None, folder: Folder) -> Cells:
    """The cells of a project by all of its events; those of the stored row are carried on where they still hold."""
    ordered = sorted(events, key=order)
    cells, done = Cells(), 0
    # The journal only grows: as many events up to the same last one are the same events.
    same_rules = stored is not None and stored.ruleset == folder.ruleset and stored.events <= len(ordered)
    if stored is not None and same_rules and ordered[stored.events - 1].order == stored.last:
        cells, done = Cells.unpacked(stored.cells, stored.faces), stored.events
    cells.carry_on(ordered, done, partial(folder.assess, subject), folder.calendar)
    return cells


def row_of(subject: str, place: tuple[int, int], events: Sequence[Event], cells: Cells, ruleset: int) -> Row:
    """The row to store; `place` is the partition and the offset of the record that told of it."""
    ordered = sorted(events, key=order)
    return Row(
        subject,
        *place,
        ruleset,
        len(ordered),
        ordered[-1].order,
        cells.packed(),
        [list(face) for face in cells.faces],
        [milliseconds(event.recordedtime) for event in ordered],
    )


def meaning(row: Row) -> tuple[int, tuple[str, int, str], list[int], frozenset[tuple[Any, ...]]]:
    """What a row says, whatever order its cells and faces stand in: two rows that say the same are equal by it."""
    cells = (CELL.unpack_from(row.cells, place) for place in range(0, len(row.cells), CELL.size))
    faced = frozenset((*cell[:5], tuple(row.faces[cell[5]]), *cell[6:]) for cell in cells)
    return row.events, row.last, row.times, faced


class Noted(NamedTuple):
    """Records of one project: the first and the newest offset, and the newest rules they were made by."""

    first: int
    newest: int
    ruleset: int


class _Part:
    """What the tail has read of one partition and the historian has not yet written."""

    def __init__(self) -> None:
        self.noted: dict[str, Noted] = {}  # by subject
        self.marks: deque[tuple[int, str]] = deque()  # watermarks: offset and instant
        self.read = 0  # the next offset
        self.until: str | None = None
        self.told = Written(0, None)

    def first(self) -> int | None:
        return min((noted.first for noted in self.noted.values()), default=None)

    def done(self, subject: str, newest: int) -> None:
        """The history of a subject is written up to an offset; what came in meanwhile remains."""
        noted = self.noted.pop(subject)
        if noted.newest > newest:
            self.noted[subject] = noted._replace(first=newest + 1)

    def moved(self) -> Written | None:
        """How far the partition is written now; None where that is known already."""
        first = self.first()
        at = self.read if first is None else first
        while self.marks and self.marks[0][0] < at:
            _, instant = self.marks.popleft()
            self.until = instant if self.until is None else max(self.until, instant)
        written = Written(at, self.until)
        return None if written == self.told or at == 0 else written


class Historian:
    """Notes what the tail reads, and writes the history of it in a thread of its own. See the tail's port `Behind`."""

    def __init__(self, histories: Histories, journal: Journal, regime: Regime, clock: Clock, metrics: Metrics) -> None:
        self._histories = histories
        self._journal = journal
        self._regime = regime
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._parts: dict[int, _Part] = {}
        self._count = 0  # records read

    # -- told by the tail's thread

    def own(self, partitions: Collection[int]) -> None:
        """Begin anew with these partitions: their records are read again from what was settled last."""
        with self._lock:
            gone = self._parts.keys() - set(partitions)
            self._parts = {partition: _Part() for partition in partitions}
        for partition in gone:
            with contextlib.suppress(KeyError):  # it was never measured
                self._metrics.history_age.remove(str(partition))

    def note(self, partition: int, key: bytes, offset: int, headers: Sequence[tuple[str, bytes]]) -> None:
        """A record of a document was read."""
        subject = key.decode(errors="replace")
        _, ruleset = states.read_guard(headers) or (0, 0)
        with self._lock:
            part = self._parts[partition]
            before = part.noted.get(subject, Noted(offset, offset, 0))
            part.noted[subject] = Noted(before.first, offset, max(before.ruleset, ruleset))
            part.read = offset + 1
        self._count += 1

    def mark(self, partition: int, offset: int, instant: str) -> None:
        """A watermark was read: everything acknowledged before the instant stands before it."""
        with self._lock:
            part = self._parts[partition]
            part.marks.append((offset, instant))
            part.read = offset + 1

    def settle(self) -> None:
        """Nothing to do here: the thread of its own does it."""

    def first(self, partition: int) -> int | None:
        """The offset of the first record of a partition whose history is not written yet."""
        with self._lock:
            return self._parts[partition].first()

    # -- its own thread

    def run(self, stop: Stop) -> None:
        """Write until `stop` asks for the end."""
        began, read = self._clock.monotonic(), self._count
        heavy = False
        while not stop.asked:
            try:
                done = self.step(BATCH_WHEN_HEAVY if heavy else BATCH)
            except TransientError as exc:
                self._metrics.transient.labels("history").inc()
                log.warning("history.begun_again", error=str(exc))
                stop.wait(AGAIN_S)
                done = 0
            worked = self._clock.monotonic() - began
            # Projects are carried on together: one by one each would cost several calls of the store.
            stop.wait(max(REST_S, worked * REST_WHEN_HEAVY) if heavy else worked if done == BATCH else REST_S)
            now, count = self._clock.monotonic(), self._count
            heavy = count - read > HEAVY_PER_S * (now - began)
            began, read = now, count

    def step(self, limit: int = BATCH) -> int:
        """Carry on one batch of projects; says how many. Raises TransientError; then it may be called again."""
        folder = self._regime.folder
        with self._lock:
            # A document made by rules that this process does not know yet tells of a history to be made by them.
            ripe = (
                (partition, subject, noted.newest)
                for partition, part in self._parts.items()
                for subject, noted in part.noted.items()
                if noted.ruleset <= folder.ruleset
            )
            taken = list(islice(ripe, limit))
            parts = dict(self._parts)
        if taken:
            self._write(taken, folder)
        with self._lock:
            for partition, subject, newest in taken:
                parts[partition].done(subject, newest)
            moved = {partition: written for partition, part in parts.items() if (written := part.moved()) is not None}
        if moved:
            self._histories.advance(moved)
            for partition, written in moved.items():
                parts[partition].told = written
                self._measure(partition, written)
        return len(taken)

    def _write(self, taken: Sequence[tuple[int, str, int]], folder: Folder) -> None:
        subjects = [subject for _, subject, _ in taken]
        journal, stored = self._journal.read(subjects), self._histories.read(subjects)
        rows = []
        for partition, subject, newest in taken:
            events = journal.get(subject)
            if events:
                cells = carried(subject, events, stored.get(subject), folder)
                rows.append(row_of(subject, (partition, newest), events, cells, folder.ruleset))
        self._histories.write(rows)
        self._metrics.histories.inc(len(rows))

    def _measure(self, partition: int, written: Written) -> None:
        if written.until is not None:
            age = (self._clock.now() - parse_instant(written.until)).total_seconds()
            self._metrics.history_age.labels(str(partition)).set(age)


class MongoHistories:
    """The collections `history` and `history_written`, or shadows of them under other names.

    The tag is the topic's own: offsets of a topic that was wiped never count for the next one.
    """

    def __init__(self, database: Database[Document], tag: str, name: str = "history") -> None:
        self._rows: MongoCollection[Document] = database[name]
        self._written: MongoCollection[Document] = database[f"{name}_written"]
        self._tag = tag

    def ensure_indexes(self) -> None:
        with translated():
            self._rows.create_index([("partition", ASCENDING), ("at", ASCENDING)], name="changes")

    def read(self, subjects: Collection[str]) -> dict[str, Row]:
        if not subjects:
            return {}
        with translated():
            return {row["_id"]: _row(row) for row in self._rows.find({"_id": {"$in": list(subjects)}})}

    def write(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        writes = [
            ReplaceOne(
                {"_id": row.subject, "$or": [{"at": {"$lt": row.at}}, {"tag": {"$ne": self._tag}}]},
                self._document(row),
                upsert=True,
            )
            for row in rows
        ]
        try:
            with translated():
                self._rows.bulk_write(writes, ordered=False)
        except BulkWriteError as exc:
            refused_rows(exc)  # a later one stands there: the upsert met its `_id`

    def advance(self, written: Mapping[int, Written]) -> None:
        writes = [
            UpdateOne(
                {"_id": f"{self._tag}/{partition}"},
                {"$max": {"at": far.at} | ({} if far.until is None else {"until": far.until})},
                upsert=True,
            )
            for partition, far in written.items()
        ]
        try:
            with translated():
                self._written.bulk_write(writes, ordered=False)
        except BulkWriteError as exc:
            refused_rows(exc)  # two upserted the same new row at once: the next step moves it on

    def written(self) -> dict[int, Written]:
        low, high = f"{self._tag}/", f"{self._tag}0"  # "0" follows "/" in ASCII
        with translated():
            found = self._written.find({"_id": {"$gt": low, "$lt": high}})
            return {int(row["_id"].rpartition("/")[2]): Written(row["at"], row.get("until")) for row in found}

    def changed(self, partition: int, after: int, until: int) -> Iterable[Row]:
        with translated():
            found = self._rows.find({"partition": partition, "at": {"$gt": after, "$lt": until}, "tag": self._tag})
            for row in found.hint("changes"):
                yield _row(row)

    def drop(self) -> None:
        with translated():
            self._rows.drop()
            self._written.drop()

    def _document(self, row: Row) -> Document:
        return {
            "_id": row.subject,
            "tag": self._tag,
            "partition": row.partition,
            "at": row.at,
            "ruleset": row.ruleset,
            "events": row.events,
            "last": list(row.last),
            "cells": row.cells,
            # The users' own words: as bytes no key or size of theirs matters to the store.
            "faces": orjson.dumps(row.faces),
            "times": row.times,
        }


def _row(document: Document) -> Row:
    recorded, sequence, id_ = document["last"]
    return Row(
        document["_id"],
        document["partition"],
        document["at"],
        document["ruleset"],
        document["events"],
        (recorded, sequence, id_),
        document["cells"],
        orjson.loads(document["faces"]),
        document["times"],
    )
