"""MongoDB behind silences, in the collection `silences`."""

from __future__ import annotations

from collections.abc import Collection as AnyOf
from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.database import Database

from luodi.domain.events import Event
from luodi.runtime import mongo
from services.notify.documents import event_document
from services.notify.silences import Silence
from services.notify.stores import unordered

Document = dict[str, Any]

INDEXES = (
    IndexModel([("project_id", ASCENDING), ("over_at", ASCENDING)], name="lasting"),
    IndexModel([("begins_at", DESCENDING), ("_id", DESCENDING)], name="newest"),
    IndexModel([("partition", ASCENDING)], name="unrecorded", partialFilterExpression={"unrecorded": True}),
)


def ensure_indexes(database: Database[Document]) -> None:
    """Create what is missing. Raises TransientError without a server."""
    with mongo.translated():
        database["silences"].create_indexes(list(INDEXES))


class MongoSilences:
    """See the port `SilenceStore`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Collection[Document] = database["silences"]

    def get(self, silence_id: str) -> Silence | None:
        with mongo.translated():
            row = self._rows.find_one({"_id": silence_id})
        return silence_from(row) if row is not None else None

    def compare_and_set(self, changes: Sequence[tuple[Silence | None, Silence]]) -> None:
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = [
            InsertOne(silence_document(after))
            if before is None
            else ReplaceOne({"_id": before.id, "version": before.version}, silence_document(after))
            for before, after in changes
        ]
        if writes:
            with unordered():
                self._rows.bulk_write(writes, ordered=False)

    def lasting(self, projects: AnyOf[str], now: str) -> list[Silence]:
        query = {"project_id": {"$in": list(projects)}, "over_at": {"$gt": now}}
        with mongo.translated():
            return [silence_from(row) for row in self._rows.find(query)]

    def unrecorded(self, partitions: AnyOf[int], limit: int) -> list[Silence]:
        query = {"partition": {"$in": list(partitions)}, "unrecorded": True}
        with mongo.translated():
            return [silence_from(row) for row in self._rows.find(query).limit(limit)]

    def page(self, project_id: str | None, before: tuple[str, str] | None, limit: int) -> list[Silence]:
        """Silences that began last first, after the place `before` (begins_at, id) of the page before."""
        query: Document = {} if project_id is None else {"project_id": project_id}
        if before is not None:
            moment, row_id = before
            query["$or"] = [{"begins_at": {"$lt": moment}}, {"begins_at": moment, "_id": {"$lt": row_id}}]
        order = [("begins_at", DESCENDING), ("_id", DESCENDING)]
        with mongo.translated():
            return [silence_from(row) for row in self._rows.find(query).sort(order).limit(limit)]


def silence_document(silence: Silence) -> Document:
    """A silence as stored."""
    return {
        "_id": silence.id,
        "project_id": silence.project_id,
        "matter": silence.matter,
        "partition": silence.partition,
        "author": silence.author,
        "reason": silence.reason,
        "until": silence.until,
        "begins_at": silence.begins_at,
        "over_at": silence.over_at,
        "replaces": silence.replaces,
        "ended_by": silence.ended_by,
        "version": silence.version,
        "unrecorded": bool(silence.outbox),
        "outbox": [event_document(event) for event in silence.outbox],
    }


def silence_from(row: Document) -> Silence:
    """A silence as read."""
    return Silence(
        id=row["_id"],
        project_id=row["project_id"],
        matter=row["matter"],
        partition=row["partition"],
        author=row["author"],
        reason=row["reason"],
        until=row["until"],
        begins_at=row["begins_at"],
        over_at=row["over_at"],
        replaces=row["replaces"],
        ended_by=row["ended_by"],
        version=row["version"],
        outbox=tuple(Event(subject=row["project_id"], **event) for event in row["outbox"]),
    )
