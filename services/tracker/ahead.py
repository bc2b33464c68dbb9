"""Writes ahead of the majority: taken by the primary at once, settled by one later write for many of them.

Waiting until a majority holds a write and its journal is on the disk costs several times what the write costs. A
document need not wait for itself: it can be made again from the journal, as long as nothing is published, committed or
told to other processes before it is safe. So the projector replaces documents *ahead* (`w: 1`), and the insert into the
journal that follows, for all that was replaced a moment ago together, waits for the majority and settles them.

Why it settles all that was written before it: a replica set's log is written in order by the primary of one *election*,
and whoever holds an entry holds every earlier one of the same election (MongoDB's replication protocol, after Raft).
Every answer to a write carries the `electionId` of the primary that took it. While it stays the same, the insert lies
behind the replacements in one log. Once it has changed, they may have been rolled back: every further call raises
TransientError until `begin_again`, and the records come again.

Who reads what may have been written ahead reads from the primary with read concern `local` (`near`).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from luodi.runtime.errors import TransientError
from luodi.runtime.mongo import WRITE_MS
from services.tracker.ports import Document

DUPLICATE_KEY = 11000
AHEAD = {"w": 1}
SETTLED = {"w": "majority", "j": True, "wtimeout": WRITE_MS}
_LOST = "another primary was elected"


class Ahead:
    """See the port `Leading`. Safe to use from several threads. What writes raises as the driver does, and
    TransientError."""

    def __init__(self, database: Database[Document]) -> None:
        self.near = database.with_options(read_concern=ReadConcern("local"))
        self._election: ObjectId | None = None
        self._lost = False
        self._waits = False  # this server does not say by which election it leads, as the router of a sharded cluster

    @property
    def election(self) -> ObjectId | None:
        """In which election all was written since `begin_again`; None when nothing was."""
        return self._election

    def begin_again(self) -> None:
        """What was not settled will be written again: from now on any primary will do."""
        self._election, self._lost = None, False

    def insert(self, collection: str, rows: Sequence[Document]) -> list[int]:
        """Insert ahead; returns the places of the rows refused because their `_id` exists."""
        return self._write({"insert": collection, "documents": rows}, AHEAD)[1]

    def update(self, collection: str, statements: Sequence[Document]) -> int:
        """Update ahead by statements of MongoDB's `update` command; returns how many documents matched."""
        return self._write({"update": collection, "updates": statements}, AHEAD)[0]

    def settle(self, collection: str, rows: Sequence[Document], elections: Collection[Hashable]) -> list[int]:
        """Insert, and wait until a majority holds the rows and, with them, all that was written ahead in these
        elections. Returns as `insert` does. Raises TransientError when it is not certain."""
        refused = self._write({"insert": collection, "documents": rows}, SETTLED)[1]
        if any(election not in (None, self._election) for election in elections):
            raise TransientError("MongoDB", _LOST)
        return refused

    def _write(self, command: Mapping[str, Any], concern: Mapping[str, Any]) -> tuple[int, list[int]]:
        if self._lost:
            raise TransientError("MongoDB", _LOST)
        waits = self._waits or concern is SETTLED
        reply = self.near.command({**command, "ordered": False, "writeConcern": SETTLED if waits else AHEAD})
        errors = reply.get("writeErrors", [])
        other = next((error for error in errors if error["code"] != DUPLICATE_KEY), None)
        if other is not None:
            raise OperationFailure(other.get("errmsg", "a write was refused"), other["code"])
        if "writeConcernError" in reply:
            raise TransientError("MongoDB", str(reply["writeConcernError"]))
        self._note(reply.get("electionId"), waited=waits)
        return int(reply["n"]), [int(error["index"]) for error in errors]

    def _note(self, election: ObjectId | None, *, waited: bool) -> None:
        if election is None:
            if not waited:
                self._waits = True
                raise TransientError("MongoDB", "its answers name no election, so every write waits from now on")
        elif self._election is None:
            self._election = election
        elif election != self._election:
            self._lost = True
            raise TransientError("MongoDB", _LOST)
