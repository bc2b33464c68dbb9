"""MongoDB behind the ports: watches, matters, notifications, endpoints. The documents are in `documents`.

Instants are text of fixed width, so their order in an index is the order of time. Every change that two processes may
attempt is a compare-and-set in one document; nothing needs a transaction.
"""

from __future__ import annotations

from collections.abc import Collection as AnyOf
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pymongo import ASCENDING, DESCENDING, IndexModel, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, OperationFailure

from luodi.domain.subjects import is_project
from luodi.runtime import mongo
from luodi.runtime.errors import FatalError, TransientError
from services.notify.documents import (
    PROJECT_FIELDS,
    Document,
    matter_document,
    matter_from,
    notification_document,
    notification_from,
    project_from,
    step_of,
    steps_of,
    watch_document,
    watch_from,
)
from services.notify.looking import Ahead
from services.notify.matters import Matter, Standing
from services.notify.notifications import Delivery, Notification
from services.notify.outlines import Project
from services.notify.watches import Watch

DUPLICATE_KEY = 11000
ANSWER = 1_000  # rows that one answer may hold: by itself the driver asks for a hundred, then for the rest

INDEXES: Mapping[str, Sequence[IndexModel]] = {
    "watches": (
        IndexModel([("partition", ASCENDING), ("next_due", ASCENDING)], name="due"),
        IndexModel([("partition", ASCENDING)], name="unreadable", partialFilterExpression={"unreadable": True}),
        IndexModel([("named", ASCENDING)], name="named"),
        IndexModel(
            [("people.lead_unit", ASCENDING), ("reported_at", DESCENDING)],
            name="led",
            partialFilterExpression={"people.lead_unit": {"$gt": ""}},
        ),
        IndexModel(
            [("people.lead_unit", ASCENDING)],
            name="ticking",
            partialFilterExpression={"people.lead_unit": {"$gt": ""}, "ticking": True},
        ),
    ),
    "matters": (
        IndexModel([("project_id", ASCENDING)], name="project"),
        IndexModel([("partition", ASCENDING)], name="incomplete", partialFilterExpression={"complete": False}),
        IndexModel([("partition", ASCENDING)], name="unrecorded", partialFilterExpression={"unrecorded": True}),
        IndexModel([("state", ASCENDING), ("kind", ASCENDING), ("partition", ASCENDING)], name="faults"),
        IndexModel([("opened_at", DESCENDING), ("_id", DESCENDING)], name="newest"),
        IndexModel([("state", ASCENDING), ("opened_at", DESCENDING), ("_id", DESCENDING)], name="state"),
        IndexModel([("zone", ASCENDING), ("opened_at", DESCENDING), ("_id", DESCENDING)], name="zone"),
        IndexModel([("people", ASCENDING), ("opened_at", DESCENDING), ("_id", DESCENDING)], name="person"),
    ),
    "notifications": (
        IndexModel(
            [("deliveries.channel", ASCENDING), ("deliveries.due_at", ASCENDING), ("partition", ASCENDING)],
            name="shared",
        ),
        IndexModel([("matter", ASCENDING), ("order", ASCENDING)], name="matter"),
        IndexModel([("created_at", DESCENDING), ("_id", DESCENDING)], name="newest"),
        IndexModel([("recipient", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="recipient"),
        IndexModel([("project_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="project"),
        IndexModel([("kind", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="kind"),
        IndexModel([("status", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)], name="status"),
        # Few rows at a time: what waits for a digest or is named in one on its way, and the digests themselves.
        IndexModel([("recipient", ASCENDING)], name="digest", partialFilterExpression={"in_digest": True}),
        IndexModel([("partition", ASCENDING)], name="unsettled", partialFilterExpression={"sheet.settled": False}),
    ),
}
"""Collection -> the indexes that every query of notify is served by."""

RETIRED = (("notifications", "due"),)
"""Indexes of earlier versions that nothing asks for any more: each would cost time at every write."""

INDEX_NOT_FOUND, NAMESPACE_NOT_FOUND = 27, 26


def ensure_indexes(database: Database[Document]) -> None:
    """Create what is missing, drop what is retired, and have the watches of an earlier version say whom they name.

    Raises TransientError without a server.
    """
    with mongo.translated():
        for name, models in INDEXES.items():
            database[name].create_indexes(list(models))
        for name, index in RETIRED:
            try:
                database[name].drop_index(index)
            except OperationFailure as exc:
                if exc.code not in {INDEX_NOT_FOUND, NAMESPACE_NOT_FOUND}:
                    raise
        people = {"$map": {"input": {"$objectToArray": "$people"}, "in": "$$this.v"}}
        database["watches"].update_many({"named": None}, [{"$set": {"named": {"$setUnion": [people, []]}}}])


@contextmanager
def unordered() -> Iterator[None]:
    """A bulk in which a duplicate key means that somebody else was first, which is no fault."""
    try:
        with mongo.translated():
            yield
    except BulkWriteError as exc:
        others = [e for e in exc.details.get("writeErrors", ()) if e.get("code") != DUPLICATE_KEY]
        if others:
            raise FatalError(f"MongoDB refused a write: {others[0].get('errmsg')}") from exc
        if exc.details.get("writeConcernErrors"):
            raise TransientError("MongoDB", "a write is not yet on the majority") from exc


class MongoWatches:
    """Watches in the collection `watches`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Collection[Document] = database["watches"]

    def get_many(self, project_ids: Iterable[str]) -> dict[str, Watch]:
        ids = list(project_ids)
        if not ids:
            return {}
        with mongo.translated():
            found = self._rows.find({"_id": {"$in": ids}}, _NO_OUTLINE).batch_size(ANSWER)
            return {row["_id"]: watch_from(row) for row in found}

    def put(self, watches: Sequence[Watch]) -> None:
        if not watches:
            return
        # The filter says when the stored watch may be replaced. Where it does not match, the upsert meets the row that
        # is there and fails on its key: the stored one knows as much or more.
        writes = [_marked_unreadable(w) if w.unreadable else _replaced(w) for w in watches]
        with unordered():
            self._rows.bulk_write(writes, ordered=False)

    def due(self, partition: int, until: str, limit: int) -> list[Watch]:
        query = {"partition": partition, "next_due": {"$lte": until}}
        with mongo.translated():
            return [
                watch_from(row) for row in self._rows.find(query, _NO_OUTLINE).sort("next_due", ASCENDING).limit(limit)
            ]

    def any_due(self, until: Mapping[int, str]) -> bool:
        if not until:
            return False
        query = {"$or": [{"partition": partition, "next_due": {"$lte": last}} for partition, last in until.items()]}
        with mongo.translated():
            return self._rows.find_one(query, {"_id": 1}) is not None

    def put_off(self, looks: Sequence[tuple[Watch, str]]) -> None:
        writes = [
            UpdateOne(
                {
                    "_id": watch.project_id,
                    "events": watch.events,
                    "ruleset": watch.ruleset,
                    "unreadable": watch.unreadable,
                },
                {"$set": {"next_due": again}},
            )
            for watch, again in looks
        ]
        if writes:
            with unordered():
                self._rows.bulk_write(writes, ordered=False)

    def recall(self, project_ids: Sequence[str], now: str) -> None:
        if project_ids:
            with mongo.translated():
                self._rows.update_many({"_id": {"$in": list(project_ids)}}, {"$min": {"next_due": now}})

    def unreadable(self, partitions: Iterable[int]) -> dict[int, list[str]]:
        query = {"partition": {"$in": list(partitions)}, "unreadable": True}
        found: dict[int, list[str]] = {}
        with mongo.translated():
            for row in self._rows.find(query, {"partition": 1}):
                found.setdefault(row["partition"], []).append(row["_id"])
        return found

    def people(self) -> set[str]:
        """All ids that any project names."""
        with mongo.translated():
            return set(self._rows.distinct("named")) - {None}  # which stands for those that name nobody

    def naming(self, ids: AnyOf[str]) -> Iterator[Project]:
        """The projects that name any of these ids; what else is watched is none."""
        with mongo.translated():
            for row in self._rows.find({"named": {"$in": sorted(ids)}}, PROJECT_FIELDS):
                if is_project(row["_id"]):
                    yield project_from(row)

    def count(self) -> int:
        """How many there are, roughly."""
        with mongo.translated():
            return self._rows.estimated_document_count()


_NO_OUTLINE = {"outline": 0}  # a third of the document, read for reports alone


def _replaced(watch: Watch) -> ReplaceOne[Document]:
    return ReplaceOne({"_id": watch.project_id, "$or": _older_than(watch)}, watch_document(watch), upsert=True)


def _marked_unreadable(watch: Watch) -> UpdateOne:
    """What is known stands, and is marked; where nothing is known, that stands."""
    new = watch_document(watch)
    new.pop("unreadable")
    query = {"_id": new.pop("_id"), "$or": _older_than(watch)}
    return UpdateOne(query, {"$set": {"unreadable": True}, "$setOnInsert": new}, upsert=True)


def _older_than(watch: Watch) -> list[Document]:
    """Filters for what `watch` may replace: the same rule as `Watch.may_be_replaced_by`."""
    if watch.unreadable:
        return [{"events": watch.events, "ruleset": watch.ruleset, "unreadable": False}]
    return [
        {"events": {"$lt": watch.events}, "ruleset": {"$lte": watch.ruleset}},
        {"events": {"$lte": watch.events}, "ruleset": {"$lt": watch.ruleset}},
        {"events": {"$lte": watch.events}, "ruleset": {"$lte": watch.ruleset}, "unreadable": True},
    ]


_STANDING = {"project_id": 1, "state": 1, "episode": 1}


class MongoMatters:
    """Matters in the collection `matters`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Collection[Document] = database["matters"]

    def get(self, matter_id: str) -> Matter | None:
        with mongo.translated():
            row = self._rows.find_one({"_id": matter_id})
        return matter_from(row) if row is not None else None

    def standings(self, matter_ids: AnyOf[str]) -> dict[str, Standing]:
        """How those stand that exist, by id: a few fields of what may be long stories."""
        with mongo.translated():
            found = self._rows.find({"_id": {"$in": list(matter_ids)}}, _STANDING).batch_size(ANSWER)
            return {row["_id"]: Standing(row["_id"], row["project_id"], row["state"], row["episode"]) for row in found}

    def of_projects(self, project_ids: Sequence[str]) -> dict[str, list[Matter]]:
        found: dict[str, list[Matter]] = {}
        with mongo.translated():
            for row in self._rows.find({"project_id": {"$in": list(project_ids)}}):
                found.setdefault(row["project_id"], []).append(matter_from(row))
        return found

    def compare_and_set(self, changes: Sequence[tuple[Matter | None, Matter]]) -> None:
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = [
            InsertOne(matter_document(after))
            if before is None
            else ReplaceOne({"_id": before.id, "version": before.version}, matter_document(after))
            for before, after in changes
        ]
        if writes:
            with unordered():
                self._rows.bulk_write(writes, ordered=False)

    def incomplete(self, partitions: Iterable[int], limit: int) -> list[Matter]:
        query = {"partition": {"$in": list(partitions)}, "complete": False}
        with mongo.translated():
            return [matter_from(row) for row in self._rows.find(query).limit(limit)]

    def unrecorded(self, partitions: AnyOf[int], limit: int) -> list[Matter]:
        query = {"partition": {"$in": list(partitions)}, "unrecorded": True}
        with mongo.translated():
            return [matter_from(row) for row in self._rows.find(query).limit(limit)]

    def open_faults(self, partitions: AnyOf[int] | None) -> list[Matter]:
        query: Document = {"state": "open", "kind": "operations"}
        if partitions is not None:
            query["partition"] = {"$in": list(partitions)}
        with mongo.translated():
            return [matter_from(row) for row in self._rows.find(query)]

    def open_of_units(self) -> list[Matter]:
        with mongo.translated():
            return [matter_from(row) for row in self._rows.find({"state": "open", "kind": "unit"})]

    def page(
        self,
        *,
        zone: str | None,
        state: str | None,
        people: AnyOf[str] | None,
        before: tuple[str, str] | None,
        limit: int,
    ) -> list[Matter]:
        """Matters that were opened last first, after the place `before` (opened_at, id) of the page before.

        `people`: those that concern any of these. Units that report nothing are told to nobody else.
        """
        wanted = {"zone": zone, "state": state, "people": None if people is None else {"$in": sorted(people)}}
        query: Document = {name: value for name, value in wanted.items() if value is not None}
        if people is None:
            query["kind"] = {"$ne": "unit"}
        query.update(_after("opened_at", before))
        order = [("opened_at", DESCENDING), ("_id", DESCENDING)]
        with mongo.translated():
            return [matter_from(row) for row in self._rows.find(query).sort(order).limit(limit)]

    def count_open(self) -> int:
        """How many are open."""
        with mongo.translated():
            return self._rows.count_documents({"state": "open"})


class MongoNotifications:
    """The ledger in the collection `notifications`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Collection[Document] = database["notifications"]

    def insert(self, rows: Sequence[Notification]) -> set[str]:
        if not rows:
            return set()
        refused: set[int] = set()
        try:
            with mongo.translated():
                self._rows.insert_many([notification_document(row) for row in rows], ordered=False)
        except BulkWriteError as exc:
            errors = exc.details.get("writeErrors", [])
            if any(error.get("code") != DUPLICATE_KEY for error in errors):
                raise FatalError(f"MongoDB refused a notification: {errors[0].get('errmsg')}") from exc
            if exc.details.get("writeConcernErrors"):
                raise TransientError("MongoDB", "a write is not yet on the majority") from exc
            refused = {error["index"] for error in errors}
        return {row.id for index, row in enumerate(rows) if index not in refused}

    def get(self, notification_id: str) -> Notification | None:
        with mongo.translated():
            row = self._rows.find_one({"_id": notification_id})
        return notification_from(row) if row is not None else None

    def of_episode(self, matter: str, episode: int) -> list[Notification]:
        with mongo.translated():
            rows = self._rows.find({"matter": matter, "episode": episode}).sort("order", ASCENDING)
            return [notification_from(row) for row in rows]

    def of_matter(self, matter: str, limit: int) -> list[Notification]:
        """The newest rows of a matter, newest first."""
        with mongo.translated():
            rows = self._rows.find({"matter": matter}).sort("order", DESCENDING).limit(limit)
            return [notification_from(row) for row in rows]

    def replace(self, row: Notification) -> bool:
        before, step = step_of(row)
        with mongo.translated():
            return self._rows.update_one(before, step).matched_count == 1  # 0: another step got there first

    def replace_many(self, rows: Sequence[Notification], channel: str | None = None) -> set[str]:
        if len(rows) == 1:
            return {rows[0].id} if self.replace(rows[0]) else set()
        if not rows:
            return set()
        try:
            matched = self._step_many(rows, channel)
        except TransientError:
            # The driver repeats by itself only what changes one row at most. Whatever was done already is found below.
            matched = self._step_many(rows, channel)
        if matched == len(rows):
            return {row.id for row in rows}
        # Some were not: the bulk does not say which. Where the very same step was taken, it does not matter by whom.
        wanted = {row.id: (row.version, row.deliveries) for row in rows}
        with mongo.translated():
            stored = self._rows.find({"_id": {"$in": list(wanted)}}, {"version": 1, "deliveries": 1})
            return {
                row["_id"]
                for row in stored
                if wanted[row["_id"]] == (row["version"], tuple(Delivery(**d) for d in row["deliveries"]))
            }

    def _step_many(self, rows: Sequence[Notification], channel: str | None) -> int:
        writes: list[UpdateOne | UpdateMany] = (
            [UpdateOne(*step_of(row)) for row in rows]
            if channel is None
            else [UpdateMany(*step) for step in steps_of(rows, channel)]
        )
        with unordered():
            return self._rows.bulk_write(writes, ordered=False).matched_count

    def due(
        self,
        channel: str,
        wall: str,
        limit: int,
        partitions: AnyOf[int] | None = None,
        besides: AnyOf[str] = (),
    ) -> list[Notification]:
        query: Document = {"deliveries": {"$elemMatch": {"channel": channel, "due_at": {"$lte": wall}}}}
        if partitions is not None:
            query["partition"] = {"$in": list(partitions)}
        if besides:
            query["_id"] = {"$nin": list(besides)}
        with mongo.translated():
            # Read along its index the longest due comes first; a sort over an array would be made in memory.
            found = self._rows.find(query).hint("shared").limit(limit).batch_size(limit)  # one answer
            return [notification_from(row) for row in found]

    def any_due(self, channels: AnyOf[str], wall: str) -> bool:
        due = {"$elemMatch": {"channel": {"$in": list(channels)}, "due_at": {"$lte": wall}}}
        with mongo.translated():
            return self._rows.find_one({"deliveries": due}, {"_id": 1}, hint="shared") is not None

    def ahead_of(self, rows: Sequence[Notification], channel: str, *, own: bool) -> dict[str, Ahead]:
        query: Document = {
            "matter": {"$in": sorted({row.matter for row in rows})},
            "deliveries": {"$elemMatch": {"channel": channel, "status": {"$in": ["queued", "sending"]}}},
        }
        with mongo.translated():
            of_them = self._rows.find(query, {"matter": 1, "order": 1, "recipient": 1}).hint("matter")
            found = list(of_them.batch_size(ANSWER))
        under_way: dict[tuple[str, str | None], tuple[int, str]] = {}
        for other in found:
            key = (other["matter"], other["recipient"] if own else None)
            place = (other["order"], other["_id"])
            under_way[key] = min(under_way.get(key, place), place)
        firsts = {row.id: under_way.get((row.matter, row.recipient if own else None)) for row in rows}
        in_front = {row.id: first[1] for row in rows if (first := firsts[row.id]) and first[0] < row.order}
        if not in_front:
            return {}
        with mongo.translated():
            others = self._rows.find({"_id": {"$in": sorted(set(in_front.values()))}}, {"deliveries": 1})
            due_at = {o["_id"]: next(d["due_at"] for d in o["deliveries"] if d["channel"] == channel) for o in others}
        return {row_id: Ahead(other, due_at[other]) for row_id, other in in_front.items() if other in due_at}

    def page(
        self,
        *,
        recipient: str | None,
        project_id: str | None,
        kind: str | None,
        status: str | None,
        since: str | None,
        before: tuple[str, str] | None,
        limit: int,
    ) -> list[Notification]:
        """Notifications, newest first, after the place `before` (created_at, id) of the page before."""
        wanted = {"recipient": recipient, "project_id": project_id, "kind": kind, "status": status}
        query: Document = {name: value for name, value in wanted.items() if value is not None}
        clauses = [_after("created_at", before)] if before is not None else []
        if since is not None:
            clauses.append({"created_at": {"$gte": since}})
        if clauses:
            query["$and"] = clauses
        order = [("created_at", DESCENDING), ("_id", DESCENDING)]
        with mongo.translated():
            return [notification_from(row) for row in self._rows.find(query).sort(order).limit(limit)]


class MongoEndpoints:
    """Addresses given up, in the collection `endpoints`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Collection[Document] = database["endpoints"]

    def is_disabled(self, endpoint: str) -> bool:
        with mongo.translated():
            return self._rows.find_one({"_id": endpoint}, {"_id": 1}) is not None

    def disable(self, endpoint: str, reason: str, at: str, recipient: str | None = None) -> None:
        found = {"reason": reason, "disabled_at": at, "recipient": recipient}
        with mongo.translated():
            self._rows.update_one({"_id": endpoint}, {"$setOnInsert": found}, upsert=True)

    def disabled(self, endpoints: AnyOf[str]) -> set[str]:
        """Those of the given ones that were given up."""
        with mongo.translated():
            return {row["_id"] for row in self._rows.find({"_id": {"$in": list(endpoints)}}, {"_id": 1})}

    def of_recipients(self) -> dict[str, tuple[str, str]]:
        """All addresses of recipients that were given up: whose each is, and why."""
        with mongo.translated():
            rows = self._rows.find({"recipient": {"$type": "string"}})
            return {row["_id"]: (row["recipient"], row["reason"]) for row in rows}

    def forget(self, endpoints: AnyOf[str]) -> None:
        if endpoints:
            with mongo.translated():
                self._rows.delete_many({"_id": {"$in": list(endpoints)}})


def _after(field: str, place: tuple[str, str] | None) -> Document:
    if place is None:
        return {}
    instant, row_id = place
    return {"$or": [{field: {"$lt": instant}}, {field: instant, "_id": {"$lt": row_id}}]}


@dataclass(frozen=True, slots=True)
class Stores:
    """All of them."""

    watches: MongoWatches
    matters: MongoMatters
    notifications: MongoNotifications
    endpoints: MongoEndpoints

    @classmethod
    def on(cls, database: Database[Document]) -> Stores:
        """The stores of a database; nothing is asked of the server yet."""
        return cls(
            MongoWatches(database), MongoMatters(database), MongoNotifications(database), MongoEndpoints(database)
        )
