"""MongoDB behind the digests: what waits for one, which are not settled, and how far each morning has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from pymongo import ASCENDING
from pymongo.collection import Collection as Rows
from pymongo.database import Database

from luodi.runtime import mongo
from services.notify.documents import notification_from
from services.notify.notifications import Notification

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Morning:
    """How far a day's digests have come, for all processes, by partition. `known`: the last beginning of anybody's
    hours up to which its news is known and told; `done`: the last one whose people have their digests."""

    known: Mapping[int, str] = field(default_factory=dict)
    done: Mapping[int, str] = field(default_factory=dict)


class DigestStore(Protocol):
    """What digests ask of the ledger, and the record of each morning."""

    def waiting(self) -> set[str]:
        """Recipients for whom something waits for a digest, or is named in one that is not settled."""

    def held(self, recipient: str, channel: str, limit: int) -> list[Notification]:
        """Messages that wait for the recipient's next digest on a channel."""

    def carried(self, recipient: str, channel: str) -> list[Notification]:
        """Messages taken along by digests that are not settled, of any day."""

    def unsettled(self, partitions: Collection[int]) -> list[Notification]:
        """Digests of these partitions' people that are not settled."""

    def told(self, recipient: str, matters: Collection[str]) -> list[Notification]:
        """All messages about these matters to the recipient."""

    def mark_settled(self, digest: str) -> None:
        """All that this digest carries is marked as it ended."""

    def morning(self, day: date) -> Morning:
        """How far this day has come."""

    def note_known(self, day: date, partitions: Iterable[int], until: str) -> None:
        """The news of these partitions up to an instant is told."""

    def note_done(self, day: date, partitions: Iterable[int], until: str) -> None:
        """The people of these partitions whose hours have begun by then have their digests of the day."""


_KNOWN, _DONE = "known_until", "done_until"  # an earlier version wrote lists under other names


class MongoDigests:
    """See `DigestStore`; in the collections `notifications` and `mornings`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Rows[Document] = database["notifications"]
        self._mornings: Rows[Document] = database["mornings"]

    def waiting(self) -> set[str]:
        with mongo.translated():
            return set(self._rows.distinct("recipient", {"in_digest": True}))

    def held(self, recipient: str, channel: str, limit: int) -> list[Notification]:
        return self._in_digest(recipient, {"$elemMatch": {"channel": channel, "status": "held"}}, limit)

    def carried(self, recipient: str, channel: str) -> list[Notification]:
        return self._in_digest(recipient, {"$elemMatch": {"channel": channel, "status": "carried"}})

    def unsettled(self, partitions: Collection[int]) -> list[Notification]:
        query = {"sheet.settled": False, "partition": {"$in": list(partitions)}}
        with mongo.translated():
            return [notification_from(row) for row in self._rows.find(query).hint("unsettled")]

    def told(self, recipient: str, matters: Collection[str]) -> list[Notification]:
        query = {"matter": {"$in": sorted(matters)}, "recipient": recipient}
        with mongo.translated():
            return [notification_from(row) for row in self._rows.find(query).hint("matter")]

    def mark_settled(self, digest: str) -> None:
        with mongo.translated():
            self._rows.update_one({"_id": digest}, {"$set": {"sheet.settled": True}, "$unset": {"in_digest": ""}})

    def morning(self, day: date) -> Morning:
        with mongo.translated():
            row = self._mornings.find_one({"_id": day.isoformat()})
        found = ({int(p): until for p, until in (row or {}).get(what, {}).items()} for what in (_KNOWN, _DONE))
        return Morning(*found)

    def note_known(self, day: date, partitions: Iterable[int], until: str) -> None:
        self._note(day, _KNOWN, partitions, until)

    def note_done(self, day: date, partitions: Iterable[int], until: str) -> None:
        self._note(day, _DONE, partitions, until)

    def _note(self, day: date, what: str, partitions: Iterable[int], until: str) -> None:
        step = {"$max": {f"{what}.{partition}": until for partition in partitions}}
        with mongo.translated():
            self._mornings.update_one({"_id": day.isoformat()}, step, upsert=True)

    def _in_digest(self, recipient: str, deliveries: Document, limit: int = 0) -> list[Notification]:
        query = {"in_digest": True, "recipient": recipient, "deliveries": deliveries}
        with mongo.translated():
            rows = self._rows.find(query).hint("digest").sort("created_at", ASCENDING).limit(limit)
            return [notification_from(row) for row in rows]
