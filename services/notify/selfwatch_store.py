"""MongoDB behind the watch over ourselves: the beats of notifiers, and how addresses are reached.

One small document per notifier, and one per address that fails: both are read whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pymongo import DeleteOne, UpdateOne
from pymongo.collection import Collection as Rows
from pymongo.database import Database

from luodi.runtime import mongo
from services.notify.beats import Beat
from services.notify.reach import Failing, Reached

Document = dict[str, Any]


class MongoBeats:
    """See `BeatStore`; in the collection `notifiers`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Rows[Document] = database["notifiers"]

    def note(self, beat: Beat) -> None:
        row = {
            "_id": beat.slot,
            "at": beat.at,
            "partitions": sorted(beat.partitions),
            "jobs": dict(beat.jobs),
            "passed": [[partition, until] for partition, until in sorted(beat.passed.items())],
        }
        with mongo.translated():
            self._rows.replace_one({"_id": beat.slot}, row, upsert=True)

    def read(self) -> list[Beat]:
        with mongo.translated():
            return [
                Beat(row["_id"], row["at"], frozenset(row["partitions"]), row["jobs"], dict(row["passed"]))
                for row in self._rows.find().sort("_id")
            ]

    def forget(self, slots: Sequence[str], at_or_before: str) -> None:
        with mongo.translated():
            self._rows.delete_many({"_id": {"$in": list(slots)}, "at": {"$lte": at_or_before}})


class MongoReach:
    """See `ReachStore`; in the collections `reach` (addresses) and `reach_taken` (channels)."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Rows[Document] = database["reach"]
        self._taken: Rows[Document] = database["reach_taken"]

    def add(self, failed: Sequence[Failing]) -> None:
        writes = [
            UpdateOne(
                {"_id": row.endpoint},
                {
                    "$inc": {"attempts": row.attempts},
                    "$min": {"since": row.since},
                    "$max": {"last": row.last},
                    "$set": {
                        "channel": row.channel,
                        "recipient": row.recipient,
                        "shown": row.shown,
                        "error": row.error,
                    },
                },
                upsert=True,
            )
            for row in failed
        ]
        if writes:
            with mongo.translated():
                self._rows.bulk_write(writes, ordered=False)

    def read(self) -> Reached:
        with mongo.translated():
            failing = [_failing(row) for row in self._rows.find().sort("_id")]
            taken = {row["_id"]: row["at"] for row in self._taken.find()} if failing else {}
        return Reached(failing, taken)

    def note_taken(self, channels: Mapping[str, str]) -> None:
        writes = [UpdateOne({"_id": name}, {"$max": {"at": at}}, upsert=True) for name, at in channels.items()]
        if writes:
            with mongo.translated():
                self._taken.bulk_write(writes, ordered=False)

    def forget(self, endpoints: Collection[str], until: str) -> None:
        writes = [DeleteOne({"_id": endpoint, "since": {"$lte": until}}) for endpoint in endpoints]
        if writes:
            with mongo.translated():
                self._rows.bulk_write(writes, ordered=False)


def _failing(row: Document) -> Failing:
    return Failing(
        endpoint=row["_id"],
        channel=row["channel"],
        recipient=row["recipient"],
        shown=row["shown"],
        attempts=row["attempts"],
        since=row["since"],
        last=row["last"],
        error=row["error"],
    )
