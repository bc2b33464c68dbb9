"""Roll-ups kept behind the projector: what a project is by its phases, and a carrier by its tenants.

A phase and its parent live on different partitions, so different trackers may write them, at the same time. Neither
fold looks at the other. The owner of a partition reads its own part of `project-states` behind itself anyway (see
`tail`): each record says in its headers what the project is a part of, and every roll-up that this touches is made
again from the stored documents. The tail's position is committed only behind records whose roll-ups are made, so
after a crash the next owner makes them again; making one again is always allowed.

Why no change is lost: a roll-up has a version. Who makes it reads the version first, then the documents, and writes
only if the version is still the same. So of two that are made at once the later write saw everything the earlier one
did, or is refused and made again. A document is stored before its record is read here; where a record is newer than
the document (documents of a new activation are published first) its roll-ups wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pymongo import ASCENDING, InsertOne, ReplaceOne
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from luodi.domain.rollup import MAX_DEPTH, MAX_LINEAGE, READ, Family, roll_up
from luodi.runtime import logging
from luodi.runtime.errors import TransientError
from luodi.runtime.metrics import Metrics
from luodi.runtime.mongo import translated
from schemas import states
from services.tracker.journal import refused_rows
from services.tracker.ports import Document, Projects

ATTEMPTS = 10  # at roll-ups that others write at the same time
CHUNK = 100  # roll-ups made together when all of them are

Versions = Mapping[str, int]  # by id; a roll-up that does not exist is left out

log = logging.get("rollups")


class RollUps(Protocol):
    """The roll-ups, one per project that others name, and what they are made from."""

    def touched(self, subjects: Collection[str]) -> dict[str, set[str]]:
        """Of each subject the ids of the roll-ups that are its own or were made from it; without any left out."""

    def versions(self, ids: Collection[str]) -> dict[str, int]:
        """The versions of those that exist."""

    def swap(self, rows: Sequence[Document], versions: Versions) -> bool:
        """Write each row if its roll-up still has that version. False when one was refused; others may be written."""

    def links(self, subjects: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
        """(`parent`, `carrier`) of the stored documents."""

    def families(self, ids: Collection[str]) -> Family:
        """Everything that the roll-ups of these ids are made from."""

    def named(self) -> list[str]:
        """Every id that a project names as its parent or carrier, and every roll-up there is, in order."""


@dataclass(slots=True)
class Noted:
    """What the records of one subject since the last settling have told."""

    offset: int  # of the first
    guard: tuple[int, int]  # the newest
    links: set[str]


class Maker:
    """Makes roll-ups. Safe beside any number of others."""

    def __init__(self, rollups: RollUps) -> None:
        self._rollups = rollups

    def make(self, ids: Collection[str]) -> None:
        """Make these anew. Raises TransientError; then it may be called again."""
        ids = sorted(ids)
        for _ in range(ATTEMPTS):
            if not ids:
                return
            versions = self._rollups.versions(ids)  # before the documents: see the top of the module
            family = self._rollups.families(ids)
            if self._rollups.swap([roll_up(id_, family) for id_ in ids], versions):
                return
        raise TransientError("MongoDB", f"roll-ups keep changing: {ids[:5]}")

    def above(self, ids: Iterable[str]) -> set[str]:
        """These ids and what they are a part of themselves, as far up as a roll-up looks down."""
        found = set(ids)
        level = found
        for _ in range(MAX_DEPTH):
            links = self._rollups.links(level)
            level = {link for pair in links.values() for link in pair if link} - found
            if not level:
                break
            found |= level
        return found


class Follower:
    """Notes which roll-ups the records of `project-states` touch, and has them made. One thread only: the tail's."""

    def __init__(self, rollups: RollUps, projects: Projects, metrics: Metrics) -> None:
        self._rollups = rollups
        self._maker = Maker(rollups)
        self._projects = projects
        self._metrics = metrics
        self._noted: dict[int, dict[bytes, Noted]] = {}
        self._left: list[str] | None = None  # what is still to be made of all; None: not yet asked

    def own(self, partitions: Iterable[int]) -> None:
        """Begin anew with these partitions: their records are read again from what was settled last."""
        self._noted = {partition: {} for partition in partitions}

    def note(self, partition: int, key: bytes, offset: int, headers: Sequence[tuple[str, bytes]]) -> None:
        """A record was read."""
        noted = self._noted[partition].get(key)
        if noted is None:
            noted = self._noted[partition][key] = Noted(offset, (0, 0), set())
        noted.guard = max(noted.guard, states.read_guard(headers) or (0, 0))
        noted.links.update(states.read_parts(headers))

    def mark(self, partition: int, offset: int, instant: str) -> None:
        """Roll-ups do not tell until when they are whole."""

    def settle(self) -> None:
        """Make every roll-up that was touched. Raises TransientError; what was noted stays noted then."""
        noted = {key.decode(errors="replace"): held for rows in self._noted.values() for key, held in rows.items()}
        if not noted:
            return
        touched = self._rollups.touched(noted)
        for subject, held in noted.items():
            if held.links:
                touched.setdefault(subject, set()).update(held.links)
        stored = self._projects.guards(touched)
        late = {subject for subject in touched if _is_newer(noted[subject].guard, stored.get(subject, (0, 0)))}
        ids = {id_ for subject, found in touched.items() if subject not in late for id_ in found}
        if ids:
            self._make(self._maker.above(ids))
        for rows in self._noted.values():
            for key in [key for key in rows if key.decode(errors="replace") not in late]:
                del rows[key]

    def first(self, partition: int) -> int | None:
        """The offset of the first record of a partition whose roll-ups are not made yet."""
        return min((noted.offset for noted in self._noted[partition].values()), default=None)

    def make_all(self) -> bool:
        """Make some of all roll-ups anew, once in the life of a process; says whether there are any left.

        What an earlier version left behind, or an operator changed by hand, ends here at the latest.
        """
        if self._left is None:
            self._left = self._rollups.named()
        chunk, rest = self._left[:CHUNK], self._left[CHUNK:]
        if chunk:
            self._make(chunk)
        self._left = rest
        return bool(rest)

    def _make(self, ids: Collection[str]) -> None:
        self._maker.make(ids)
        self._metrics.rollups.inc(len(ids))
        log.debug("rollups.made", count=len(ids))


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many roll-ups at a time as are made together."""
    for begin in range(0, len(ids), CHUNK):
        yield ids[begin : begin + CHUNK]


class MongoRollUps:
    """The collection `rollups`, made from `projects`."""

    def __init__(self, database: Database[Document], name: str = "rollups") -> None:
        self._rows: MongoCollection[Document] = database[name]
        self._documents: MongoCollection[Document] = database["projects"]

    def ensure_indexes(self) -> None:
        with translated():
            self._rows.create_index([("members", ASCENDING)], name="members")
            self._rows.create_index([("zone", ASCENDING), ("_id", ASCENDING)], name="zone")
            self._rows.create_index(
                [("roots", ASCENDING)], name="roots", partialFilterExpression={"roots": {"$gt": ""}}
            )
            for link in ("parent", "carrier"):
                # Few projects name one, and only theirs cost anything.
                self._documents.create_index(
                    [(link, ASCENDING), ("_id", ASCENDING)], name=link, partialFilterExpression={link: {"$gt": ""}}
                )

    def touched(self, subjects: Collection[str]) -> dict[str, set[str]]:
        asked = set(subjects)
        touched: dict[str, set[str]] = {}
        condition = {"$in": sorted(asked)}
        with translated():
            for row in self._rows.find({"$or": [{"_id": condition}, {"members": condition}]}, {"members": 1}):
                for subject in asked & {row["_id"], *row["members"]}:
                    touched.setdefault(subject, set()).add(row["_id"])
        return touched

    def versions(self, ids: Collection[str]) -> dict[str, int]:
        with translated():
            found = self._rows.find({"_id": {"$in": list(ids)}}, {"version": 1})
            return {row["_id"]: row["version"] for row in found}

    def swap(self, rows: Sequence[Document], versions: Versions) -> bool:
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = []
        for row in rows:
            version = versions.get(row["_id"])
            if version is None:
                writes.append(InsertOne({**row, "version": 1}))
            else:
                guard = {"_id": row["_id"], "version": version}
                writes.append(ReplaceOne(guard, {**row, "version": version + 1}))
        try:
            with translated():
                result = self._rows.bulk_write(writes, ordered=False)
        except BulkWriteError as exc:
            refused_rows(exc)  # raises unless another worker had inserted some of them first
            return False
        return result.matched_count + result.inserted_count == len(writes)

    def differing(self, ids: Sequence[str]) -> dict[str, str]:
        """Those of these roll-ups that are not what the documents say: `missing` or `different`."""
        found: dict[str, str] = {}
        for chunk in chunks(ids):
            with translated():
                stored = {row["_id"]: row for row in self._rows.find({"_id": {"$in": list(chunk)}})}
            family = self.families(chunk)
            for id_ in chunk:
                if id_ not in stored:
                    found[id_] = "missing"
                elif {**roll_up(id_, family), "version": stored[id_]["version"]} != stored[id_]:
                    found[id_] = "different"
        return found

    def links(self, subjects: Collection[str]) -> dict[str, tuple[str | None, str | None]]:
        with translated():
            found = self._documents.find({"_id": {"$in": list(subjects)}}, {"parent": 1, "carrier": 1})
            return {row["_id"]: (row.get("parent"), row.get("carrier")) for row in found}

    def families(self, ids: Collection[str]) -> Family:
        documents = self._find("_id", ids)
        tenants = self._find("carrier", ids)
        documents |= tenants
        level: Collection[str] = {*ids, *tenants}
        for _ in range(MAX_DEPTH):
            phases = self._find("parent", level)
            level = phases.keys() - documents.keys()
            documents |= phases
            if not level:
                break
        return Family.of((documents | self._lineage(documents, ids)).values())

    def _lineage(self, documents: Mapping[str, Document], ids: Collection[str]) -> dict[str, Document]:
        """The parents of these, as far up as rings are looked for."""
        found: dict[str, Document] = {}
        level = {documents[id_].get("parent") for id_ in ids if id_ in documents}
        for _ in range(MAX_LINEAGE):
            unread = {parent for parent in level if parent} - documents.keys() - found.keys()
            if not unread:
                break
            read = self._find("_id", unread)
            found |= read
            level = {document.get("parent") for document in read.values()}
        return found

    def named(self) -> list[str]:
        with translated():
            named = {row["_id"] for row in self._rows.find({"_id": {"$gt": ""}}, {"_id": 1})}
            for link in ("parent", "carrier"):
                found = self._documents.find({link: {"$gt": ""}}, {"_id": 0, link: 1}).hint(link)
                named |= {row[link] for row in found}
        return sorted(named)

    def _find(self, name: str, values: Collection[str]) -> dict[str, Document]:
        if not values:
            return {}
        with translated():
            found = self._documents.find({name: {"$in": sorted(values)}}, dict.fromkeys(READ, 1))
            return {row["_id"]: row for row in found.hint("_id_" if name == "_id" else name)}


def _is_newer(record: tuple[int, int], stored: tuple[int, int]) -> bool:
    return record[0] > stored[0] or record[1] > stored[1]
