"""What is known of zones: what was reported of them, what they aim at, what was published about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.events import Event
from luodi.domain.figures import FIGURES
from luodi.domain.fold import fold
from luodi.domain.history import known
from luodi.domain.kinds import KINDS
from luodi.domain.publishing import PUBLICATIONS
from luodi.domain.subjects import SEPARATOR, ZONE, id_of, subject_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition
from services.tracker.folding import Folder
from services.tracker.ports import Document, Journal
from services.tracker.subjects import OTHERS

_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)


class Zones:
    """The documents of zones. Every call raises TransientError when MongoDB is away.

    A zone of which figures were reported has a document whether or not it was registered.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database[OTHERS]

    def rows(self, chapter: str, zones: Collection[str]) -> list[tuple[str, list[dict[str, Any]]]]:
        """(zone, rows of a chapter) of those that have any, in the order of their ids; of all where none is named."""
        conditions: list[Condition] = [_all_zones(), {chapter: {"$exists": True}}]
        if zones:
            conditions.append({"_id": {"$in": [subject_of(ZONE, zone) for zone in zones]}})
        with translated():
            found = self._documents.find({"$and": conditions}, {chapter: 1}).sort("_id").hint("_id_")
            return [(id_of(row["_id"]), row[chapter]) for row in found]

    def publication(self, zone: str, publication: str) -> dict[str, Any] | None:
        """One publication of a zone by its id."""
        for _, rows in self.rows(PUBLICATIONS, [zone]):
            return next((row for row in rows if row["id"] == publication), None)
        return None


class ZonesOfThePast:
    """Zones as they were known at an instant, folded from the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def events(self, zone: str) -> list[Event]:
        """Every event of a zone."""
        subject = subject_of(ZONE, zone)
        return self._journal.read([subject]).get(subject, [])

    def figures(self, zone: str, known_at: str, folder: Folder) -> Sequence[dict[str, Any]]:
        """The reported figures of a zone that were known at an instant."""
        events = known(self.events(zone), known_at)
        if not events:
            return []
        document = folder.document(subject_of(ZONE, zone), 0, fold(events, KINDS[ZONE].empty))
        figures: list[dict[str, Any]] = document.get(FIGURES, [])
        return figures


def _all_zones() -> Condition:
    return {"_id": {"$gt": f"{ZONE}{SEPARATOR}", "$lt": f"{ZONE}{_AFTER_SEPARATOR}"}}
