"""The journal in MongoDB: every event once, under its identity, with the place in Kafka it came from.

A row is `{_id: "<subject>/<id>", subject, id, type, recordedtime, sequence, actor, digest, partition, offset,
traceparent?, data: <JSON as bytes>}`. Data is kept as bytes because it is the users' own: no key of theirs may ever be
read as an operator, and what is folded later is exactly what was written.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any

import orjson
from pymongo import ASCENDING
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from luodi.domain.events import Event
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.mongo import translated
from services.tracker.ahead import DUPLICATE_KEY, Ahead
from services.tracker.ports import Arrival, Document, Journaled

SETTLED_TOGETHER = 200  # rows: a command takes 48 MB, and an event up to a few tenths of one
FOLD_ORDER = [("subject", ASCENDING), ("recordedtime", ASCENDING), ("sequence", ASCENDING), ("id", ASCENDING)]

_PLACE = {"digest": 1, "partition": 1, "offset": 1, "subject": 1, "id": 1}


class MongoJournal:
    """The collection `journal`, or a shadow of it under another name."""

    def __init__(self, database: Database[Document], name: str = "journal", ahead: Ahead | None = None) -> None:
        """`ahead` is that of the documents that this journal settles."""
        self._rows: MongoCollection[Document] = database[name]
        self._ahead = ahead or Ahead(database)

    def ensure_indexes(self) -> None:
        with translated():
            self._rows.create_index(FOLD_ORDER, name="fold_order")

    def add(self, arrivals: Sequence[Arrival]) -> dict[tuple[str, str], Journaled]:
        """Write the arrivals, all of distinct identity. Returns those that were there already, as they stand there.

        Raises TransientError when the outcome is unknown: adding the same arrivals again is harmless.
        """
        if not arrivals:
            return {}
        rows = [row_of(arrival) for arrival in arrivals]
        try:
            with translated():
                self._rows.insert_many(rows, ordered=False)
        except BulkWriteError as exc:
            known = [rows[n]["_id"] for n in refused_rows(exc)]
        else:
            return {}
        with translated():
            found = list(self._rows.find({"_id": {"$in": known}}, _PLACE))
        return {(r["subject"], r["id"]): Journaled(r["digest"], r["partition"], r["offset"]) for r in found}

    def settle(self, arrivals: Sequence[Arrival], elections: Collection[Hashable]) -> bool:
        refused = False
        for begin in range(0, len(arrivals), SETTLED_TOGETHER):
            rows = [row_of(arrival) for arrival in arrivals[begin : begin + SETTLED_TOGETHER]]
            with translated():
                refused |= bool(self._ahead.settle(self._rows.name, rows, elections))
        return not refused

    def read(self, subjects: Collection[str]) -> dict[str, list[Event]]:
        """All events of each subject, in the order of the fold; a subject without any is left out."""
        if not subjects:
            return {}
        histories: dict[str, list[Event]] = {}
        with translated():
            for row in self._rows.find({"subject": {"$in": list(subjects)}}).sort(FOLD_ORDER):
                histories.setdefault(row["subject"], []).append(event_of(row))
        return histories

    def ids(self, subjects: Collection[str]) -> dict[str, set[str]]:
        """The ids of each subject's events, from the index alone; a subject without any is left out."""
        if not subjects:
            return {}
        found: dict[str, set[str]] = {}
        with translated():
            for row in self._rows.find({"subject": {"$in": list(subjects)}}, {"_id": 0, "subject": 1, "id": 1}):
                found.setdefault(row["subject"], set()).add(row["id"])
        return found

    def subjects(self) -> Iterator[str]:
        """Every subject once, in order."""
        after = ""
        while True:
            with translated():
                row = self._rows.find_one(
                    {"subject": {"$gt": after}}, {"subject": 1, "_id": 0}, sort=[("subject", ASCENDING)]
                )
            if row is None:
                return
            after = row["subject"]
            yield after

    def partitions(self, subjects: Collection[str]) -> dict[str, int]:
        """The partition each of these subjects' events came from."""
        with translated():
            rows = self._rows.aggregate(
                [
                    {"$match": {"subject": {"$in": list(subjects)}}},
                    {"$group": {"_id": "$subject", "partition": {"$max": "$partition"}}},
                ]
            )
            return {row["_id"]: row["partition"] for row in rows}

    def drop(self) -> None:
        with translated():
            self._rows.drop()


def refused_rows(exc: BulkWriteError) -> list[int]:
    """The places of the rows refused because their `_id` exists. Any other failure raises TransientError or FatalError.

    A bulk that failed in another way has an unknown outcome, which its writers all can repeat.
    """
    errors: list[dict[str, Any]] = exc.details.get("writeErrors", [])
    other = next((error for error in errors if error["code"] != DUPLICATE_KEY), None)
    if other is not None:
        raise FatalError(f"MongoDB refused a row: {other['code']} {other.get('errmsg', '')}") from exc
    if exc.details.get("writeConcernErrors"):
        raise TransientError("MongoDB", str(exc.details["writeConcernErrors"])) from exc
    return [int(error["index"]) for error in errors]


def row_of(arrival: Arrival) -> Document:
    """The row that an arrival is written as."""
    event = arrival.event
    row: Document = {
        "_id": f"{event.subject}/{event.id}",
        "subject": event.subject,
        "id": event.id,
        "type": event.type,
        "recordedtime": event.recordedtime,
        "sequence": event.sequence,
        "actor": event.actor,
        "digest": arrival.digest,
        "partition": arrival.partition,
        "offset": arrival.offset,
        "data": arrival.data,
    }
    if event.traceparent is not None:
        row["traceparent"] = event.traceparent
    return row


def event_of(row: Document) -> Event:
    """The event that a row holds."""
    return Event(
        subject=row["subject"],
        id=row["id"],
        type=row["type"],
        recordedtime=row["recordedtime"],
        sequence=row["sequence"],
        actor=row["actor"],
        data=orjson.loads(row["data"]),
        traceparent=row.get("traceparent"),
    )
