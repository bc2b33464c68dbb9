"""MongoDB behind the port of the directory: the collection `directory`, one document per unit, person or post."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel, ReplaceOne
from pymongo.collection import Collection as Rows
from pymongo.database import Database

from luodi.runtime import mongo
from services.notify.directory import Entry
from services.notify.stores import unordered

Document = dict[str, Any]


def ensure_indexes(database: Database[Document]) -> None:
    """Create what is missing. Raises TransientError without a server."""
    with mongo.translated():
        database["directory"].create_indexes(
            [
                IndexModel([("names", ASCENDING)], name="names"),
                IndexModel([("told.works_from", ASCENDING)], name="hours", partialFilterExpression=_WITH_HOURS),
            ]
        )


class MongoDirectory:
    """See `DirectoryStore`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Rows[Document] = database["directory"]

    def put(self, entries: Sequence[Entry]) -> None:
        # Where the filter does not match, the upsert meets the row that is there and fails on its key: that one knows
        # as much or more.
        writes = [
            ReplaceOne({"_id": entry.subject, "$or": _older_than(entry)}, _document(entry), upsert=True)
            for entry in entries
        ]
        if writes:
            with unordered():
                self._rows.bulk_write(writes, ordered=False)

    def read(self, subjects: Collection[str]) -> dict[str, Entry]:
        if not subjects:
            return {}
        with mongo.translated():
            return {row["_id"]: _entry(row) for row in self._rows.find({"_id": {"$in": list(subjects)}})}

    def naming(self, ids: Collection[str]) -> list[str]:
        with mongo.translated():
            return [row["_id"] for row in self._rows.find({"names": {"$in": sorted(ids)}}, {"_id": 1})]

    def beginnings(self) -> set[str]:
        with mongo.translated():
            return set(self._rows.distinct("told.works_from", _WITH_HOURS))


_WITH_HOURS: Document = {"told.works_from": {"$type": "string"}}


def _older_than(entry: Entry) -> list[Document]:
    return [
        {"events": {"$lt": entry.events}, "ruleset": {"$lte": entry.ruleset}},
        {"events": {"$lte": entry.events}, "ruleset": {"$lt": entry.ruleset}},
    ]


def _document(entry: Entry) -> Document:
    return {
        "_id": entry.subject,
        "partition": entry.partition,
        "events": entry.events,
        "ruleset": entry.ruleset,
        "names": entry.names,
        "told": dict(entry.told),
    }


def _entry(row: Document) -> Entry:
    return Entry(row["_id"], row["partition"], row["events"], row["ruleset"], row["told"])
