"""The tracker's documents in MongoDB: projects under their guard, positions, fuses.

The guard of a project's document is the pair (`events`, `ruleset`). Every write raises it, so one value of it stands
for one content: who finds the guard unchanged finds the document unchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import ASCENDING, DESCENDING, InsertOne, ReplaceOne, UpdateOne
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure
from pymongo.write_concern import WriteConcern

from luodi.domain.stages import CARRIER
from luodi.runtime.mongo import translated
from services.tracker.ahead import Ahead
from services.tracker.journal import refused_rows
from services.tracker.ports import Base, Document, Fuse, Outdated, TooLargeError

Change = tuple[Base | None, Document]

AHEAD_BYTES = 4 * 1024 * 1024  # of folded states; the documents are a few times that, and a command takes 48 MB
TOO_LARGE = 10334  # BSONObjectTooLarge: the driver lets a document pass that is only a little too large
DETAIL_CHARS = 200

_BASE = {"events": 1, "ruleset": 1, "fold": 1}
_GUARD = {"events": 1, "ruleset": 1}


class MongoProjects:
    """The collection `projects`, or a shadow of it under another name."""

    def __init__(self, database: Database[Document], name: str = "projects", ahead: Ahead | None = None) -> None:
        """With `ahead` it also reads what was only written ahead: for the projector."""
        self._ahead = ahead
        self._documents: MongoCollection[Document] = (database if ahead is None else ahead.near)[name]

    def ensure_indexes(self) -> None:
        with translated():
            # Lists are bound by the zone or by `_id` and filter what they fetch: each further index would have to be
            # kept up on every replace.
            self._documents.create_index([("zone", ASCENDING), ("_id", ASCENDING)], name="zone")
            # Costs only those that are registered with an investor and a parcel.
            self._documents.create_index(
                [("sameness", ASCENDING)], name="sameness", partialFilterExpression={"sameness": {"$gt": ""}}
            )
            # Costs only those of which a report waits to be verified.
            self._documents.create_index(
                [("awaits_since", ASCENDING), ("_id", ASCENDING)],
                name="awaiting",
                partialFilterExpression={"awaits_since": {"$gt": ""}},
            )
            # Costs only carriers, and only those that wait for land or a plant.
            self._documents.create_index(
                [("kind", ASCENDING), ("_id", ASCENDING)],
                name="carriers",
                partialFilterExpression={"kind": CARRIER},
            )
            self._documents.create_index(
                [("seeks", ASCENDING), ("_id", ASCENDING)],
                name="seeks",
                partialFilterExpression={"seeks": {"$gt": ""}},
            )
            # Costs only those that entered the pool.
            self._documents.create_index(
                [("pooled_on", ASCENDING), ("_id", ASCENDING)],
                name="pool",
                partialFilterExpression={"pooled_on": {"$gt": ""}},
            )
            # Costs only those that have blockers.
            self._documents.create_index([("owing", ASCENDING)], name="owing", sparse=True)
            # Costs only those that have procedures.
            self._documents.create_index(
                [("procedures_in", ASCENDING), ("_id", ASCENDING)],
                name="procedures",
                partialFilterExpression={"procedures_in": {"$gt": ""}},
            )
            # Costs only those that have an investment plan for a year.
            self._documents.create_index(
                [("planned_years", ASCENDING), ("zone", ASCENDING)],
                name="planned",
                partialFilterExpression={"planned_years": {"$gt": ""}},
            )
            # Costs only those that have been followed up.
            self._documents.create_index(
                [("followed_on", DESCENDING), ("_id", DESCENDING)],
                name="followed",
                partialFilterExpression={"followed_on": {"$gt": ""}},
            )
            self._documents.create_index([("partition", ASCENDING), ("ruleset", ASCENDING)], name="renewal")

    def bases(self, subjects: Collection[str]) -> dict[str, Base]:
        if not subjects:
            return {}
        with translated():
            found = self._documents.find({"_id": {"$in": list(subjects)}}, _BASE)
            return {row["_id"]: Base(row["events"], row["ruleset"], row["fold"]) for row in found}

    def standing(self, partitions: Collection[int], after: str, limit: int) -> dict[str, Base]:
        with translated():
            found = self._documents.find({"_id": {"$gt": after}, "partition": {"$in": list(partitions)}}, _BASE)
            rows = found.sort("_id", ASCENDING).hint("_id_").limit(limit)
            return {row["_id"]: Base(row["events"], row["ruleset"], row["fold"]) for row in rows}

    def swap(self, changes: Sequence[Change]) -> set[str]:
        if not changes:
            return set()
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = [
            InsertOne(document) if base is None else ReplaceOne(_at(base, document), document)
            for base, document in changes
        ]
        try:
            with translated(), _told_when_too_large(document for _, document in changes):
                result = self._documents.bulk_write(writes, ordered=False)
        except BulkWriteError as exc:
            refused_rows(exc)  # raises unless another worker had inserted some of them first
        else:
            if result.matched_count + result.inserted_count == len(changes):
                return set()
        return self._refused(changes)

    def swap_ahead(self, changes: Sequence[Change]) -> set[str]:
        if self._ahead is None or sum(len(document["fold"]) for _, document in changes) > AHEAD_BYTES:
            return self.swap(changes)
        rows = [document for base, document in changes if base is None]
        updates = [{"q": _at(base, document), "u": document} for base, document in changes if base is not None]
        with translated(), _told_when_too_large(document for _, document in changes):
            complete = not rows or not self._ahead.insert(self._documents.name, rows)
            complete &= not updates or self._ahead.update(self._documents.name, updates) == len(updates)
        return set() if complete else self._refused(changes)

    def _refused(self, changes: Sequence[Change]) -> set[str]:
        # Some were refused and the server does not say which. The same guard may stand on a document that another
        # worker folded from other events, so only the same state counts as written.
        stored = self.bases([document["_id"] for _, document in changes])
        return {
            document["_id"]
            for _, document in changes
            if stored.get(document["_id"]) != Base(document["events"], document["ruleset"], document["fold"])
        }

    def offer(self, documents: Sequence[Document]) -> None:
        if not documents:
            return
        writes = [
            ReplaceOne(
                {
                    "_id": document["_id"],
                    "events": {"$lte": document["events"]},
                    "ruleset": {"$lte": document["ruleset"]},
                    "$or": [{"events": {"$lt": document["events"]}}, {"ruleset": {"$lt": document["ruleset"]}}],
                },
                document,
                upsert=True,
            )
            for document in documents
        ]
        try:
            with translated(), _told_when_too_large(documents):
                self._documents.bulk_write(writes, ordered=False)
        except BulkWriteError as exc:
            refused_rows(exc)  # the guard did not match and so the upsert met the existing `_id`: a refusal

    def read(self, subjects: Collection[str]) -> dict[str, Document]:
        if not subjects:
            return {}
        with translated():
            return {row["_id"]: row for row in self._documents.find({"_id": {"$in": list(subjects)}})}

    def guards(self, subjects: Collection[str]) -> dict[str, tuple[int, int]]:
        if not subjects:
            return {}
        with translated():
            found = self._documents.find({"_id": {"$in": list(subjects)}}, _GUARD)
            return {row["_id"]: (row["events"], row["ruleset"]) for row in found}

    def outdated(self, partitions: Collection[int], ruleset: int, limit: int) -> dict[str, Outdated]:
        with translated():
            found = self._documents.find(
                {"partition": {"$in": list(partitions)}, "ruleset": {"$lt": ruleset}}, {"partition": 1, **_BASE}
            ).limit(limit)
            return {
                row["_id"]: Outdated(row["partition"], Base(row["events"], row["ruleset"], row["fold"]))
                for row in found
            }

    def drop(self) -> None:
        with translated():
            self._documents.drop()


def _at(base: Base, document: Document) -> Document:
    """Finds the document where it stands at its base."""
    return {"_id": document["_id"], "events": base.events, "ruleset": base.ruleset}


@contextmanager
def _told_when_too_large(documents: Iterable[Document]) -> Iterator[None]:
    """Within it, a refusal of a document for its size leaves as TooLargeError, naming the subject."""
    try:
        yield
    except (DocumentTooLarge, OperationFailure) as exc:
        if isinstance(exc, OperationFailure) and exc.code != TOO_LARGE:
            raise
        largest = max(documents, key=lambda document: len(document["fold"]))
        raise TooLargeError(largest["_id"], largest["partition"], str(exc)[:DETAIL_CHARS]) from exc


class MongoPositions:
    """The collection `positions`: `{_id: "<tag>/<partition>", applied}` per partition.

    The tag is the topic's own, so that offsets of a topic that was wiped never count for the next one.
    """

    def __init__(self, database: Database[Document], tag: str) -> None:
        # A position tells of documents that a majority already holds. Losing one only makes a reader wait.
        self._rows: MongoCollection[Document] = database.get_collection("positions", write_concern=WriteConcern(w=1))
        self._tag = tag

    def advance(self, applied: Mapping[int, int]) -> None:
        if not applied:
            return
        writes: list[UpdateOne] = [
            UpdateOne(
                {"_id": self._id(partition)},
                {"$max": {"applied": offset}},
                upsert=True,
            )
            for partition, offset in applied.items()
        ]
        try:
            with translated():
                self._rows.bulk_write(writes, ordered=False)
        except BulkWriteError as exc:
            refused_rows(exc)  # two workers upserted the same new row at once: the next batch moves it on

    def read(self, partitions: Iterable[int]) -> dict[int, int]:
        ids = {self._id(partition): partition for partition in partitions}
        with translated():
            found = self._rows.find({"_id": {"$in": list(ids)}})
            return {ids[row["_id"]]: row["applied"] for row in found}

    def _id(self, partition: int) -> str:
        return f"{self._tag}/{partition}"


class MongoFuses:
    """The collection `fuses`: `{_id: "<tag>/<partition>", partition, offset, reason, blown_at}`, each until mended."""

    def __init__(self, database: Database[Document], tag: str) -> None:
        self._rows: MongoCollection[Document] = database["fuses"]
        self._tag = tag

    def blow(self, fuse: Fuse) -> None:
        row: dict[str, Any] = {
            "partition": fuse.partition,
            "offset": fuse.offset,
            "reason": fuse.reason,
            "blown_at": fuse.blown_at,
        }
        with translated():
            self._rows.replace_one({"_id": f"{self._tag}/{fuse.partition}"}, row, upsert=True)

    def blown(self) -> dict[int, Fuse]:
        low, high = f"{self._tag}/", f"{self._tag}0"  # "0" follows "/" in ASCII
        with translated():
            found = self._rows.find({"_id": {"$gt": low, "$lt": high}})
            return {
                row["partition"]: Fuse(row["partition"], row["offset"], row["reason"], row["blown_at"]) for row in found
            }

    def mend(self, partition: int) -> bool:
        with translated():
            return self._rows.delete_one({"_id": f"{self._tag}/{partition}"}).deleted_count > 0
