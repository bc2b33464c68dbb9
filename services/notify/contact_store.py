"""MongoDB behind the ports of contacts and of the shaping of robots."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.collection import Collection as Rows
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from luodi.runtime import mongo
from luodi.runtime.errors import FatalError
from services.notify.contacts import Contact, Way
from services.notify.shaping import Pace, Permit

Document = dict[str, Any]


def ensure_indexes(database: Database[Document]) -> None:
    """Create what is missing. Raises TransientError without a server."""
    with mongo.translated():
        # What is left of an address that is not used any more goes by itself.
        database["paces"].create_indexes([IndexModel([("expires", ASCENDING)], name="expires", expireAfterSeconds=0)])


class MongoContacts:
    """Contacts in the collection `contacts`. Erasing one leaves nothing of it here."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Rows[Document] = database["contacts"]

    def get(self, recipient: str) -> Contact | None:
        with mongo.translated():
            row = self._rows.find_one({"_id": recipient})
        return contact_from(row) if row is not None else None

    def get_many(self, recipients: Collection[str]) -> dict[str, Contact]:
        if not recipients:
            return {}
        with mongo.translated():
            rows = self._rows.find({"_id": {"$in": sorted(recipients)}})
            return {row["_id"]: contact_from(row) for row in rows}

    def put(self, contact: Contact) -> bool:
        document = contact_document(contact)
        with mongo.translated():
            if contact.version == 1:
                try:
                    self._rows.insert_one(document)
                except DuplicateKeyError:
                    return False
                return True
            before = {"_id": contact.recipient, "version": contact.version - 1}
            return self._rows.replace_one(before, document).matched_count == 1  # 0: another write got there first

    def erase(self, recipient: str) -> Contact | None:
        with mongo.translated():
            row = self._rows.find_one_and_delete({"_id": recipient})
        return contact_from(row) if row is not None else None

    def page(self, after: str | None, limit: int) -> list[Contact]:
        query = {"_id": {"$gt": after}} if after is not None else {}
        with mongo.translated():
            return [contact_from(row) for row in self._rows.find(query).sort("_id", ASCENDING).limit(limit)]


def contact_document(contact: Contact) -> Document:
    """A contact as stored."""
    return {
        "_id": contact.recipient,
        "name": contact.name,
        "phone": contact.phone,
        "language": contact.language,
        "channels": [
            {
                "channel": way.channel,
                "address": way.address,
                "secret": way.secret,
                "mention": way.mention,
                "style": way.style,
                "key": way.key,
            }
            for way in contact.ways
        ],
        "updated_at": contact.updated_at,
        "version": contact.version,
    }


def contact_from(row: Document) -> Contact:
    """A contact as read."""
    return Contact(
        recipient=row["_id"],
        name=row["name"],
        phone=row["phone"],
        language=row["language"],
        ways=tuple(Way(**way) for way in row["channels"]),
        updated_at=row["updated_at"],
        version=row["version"],
    )


class MongoPaces:
    """Who may send to an address now, in the collection `paces`: one document per address, by the server's own clock.

    Each step is one update of one document, so it is right however many processes send to the address, and whatever
    their clocks say.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Rows[Document] = database["paces"]

    def take(self, address: str, pace: Pace, permit: str, hold_s: float) -> Permit:
        with mongo.translated():
            row = self._rows.find_one_and_update(
                {"_id": address}, _taken(pace, permit, hold_s), upsert=True, return_document=ReturnDocument.AFTER
            )
        if row is None:
            raise FatalError("MongoDB gave no document back after an upsert")
        if any(slot["id"] == permit for slot in row["slots"]):
            return Permit(permit, 0.0)
        return Permit(None, max(row["wait_ms"], 1) / 1000)

    def done(self, address: str, permit: str, pace: Pace) -> None:
        ended = {
            "$map": {
                "input": "$slots",
                "in": {
                    "$cond": [
                        {"$eq": ["$$this.id", permit]},
                        {"id": permit, "until": _later(pace.window_s)},
                        "$$this",
                    ]
                },
            }
        }
        with mongo.translated():
            self._rows.update_one({"_id": address}, [{"$set": {"slots": ended}}])

    def rest(self, address: str, seconds: float) -> None:
        until = {"$max": ["$rest_until", _later(seconds)]}
        kept = {"slots": {"$ifNull": ["$slots", []]}, "expires": _later(seconds + EXPIRES_S)}
        with mongo.translated():
            self._rows.update_one({"_id": address}, [{"$set": {"rest_until": until, **kept}}], upsert=True)


EXPIRES_S = 3600.0  # an address that nobody sends to is forgotten


def _later(seconds: float) -> Document:
    return {"$add": ["$$NOW", round(seconds * 1000)]}


def _taken(pace: Pace, permit: str, hold_s: float) -> list[Document]:
    """The steps of one update: drop what has run out, grant if there is room, else tell a place in the queue."""
    now = "$$NOW"
    live = {
        "$filter": {"input": {"$ifNull": ["$slots", []]}, "cond": {"$gt": ["$$this.until", now]}},
    }
    resting = {"$gt": [{"$ifNull": ["$rest_until", now]}, now]}
    full = {"$gte": [{"$size": "$slots"}, pace.limit]}
    free_at = {"$max": [now, "$rest_until", {"$cond": [full, {"$min": "$slots.until"}, now]}]}
    place = {"$min": [{"$max": [free_at, "$queue"]}, _later(pace.horizon_s)]}
    return [
        {"$set": {"slots": live}},
        {"$set": {"granted": {"$and": [{"$not": [full]}, {"$not": [resting]}]}}},
        {"$set": {"place": {"$cond": ["$granted", now, place]}}},
        {
            "$set": {
                "wait_ms": {"$subtract": ["$place", now]},
                "queue": {"$cond": ["$granted", "$queue", {"$add": ["$place", round(pace.step_s * 1000)]}]},
                "slots": {
                    "$cond": [
                        "$granted",
                        {"$concatArrays": ["$slots", [{"id": permit, "until": _later(hold_s + pace.window_s)}]]},
                        "$slots",
                    ]
                },
                "expires": _later(EXPIRES_S),
            }
        },
        {"$unset": ["granted", "place"]},
    ]
