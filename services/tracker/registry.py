"""What is known of the registered kinds of subjects: lists, one of them, of people on a day, and its timeline."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain import areas
from luodi.domain.people import handed_to, holder_on, leave_on, resolve, subjects_named
from luodi.domain.stages import Language
from luodi.domain.subjects import PERSON, POST, SEPARATOR, id_of, subject_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Query
from services.tracker.journal import MongoJournal
from services.tracker.ports import Document
from services.tracker.subjects import OTHERS
from services.tracker.views import timeline

_WITHOUT_FOLD = {"fold": 0}
_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page, and the cursor of the next one."""

    documents: list[Document]
    following: str | None


class Registry:
    """What the routes ask the stores. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database[OTHERS]
        self._journal = MongoJournal(database)

    def one(self, kind: str, id_: str) -> Document | None:
        """The document of a subject; None when nothing is recorded of it."""
        with translated():
            return self._documents.find_one({"_id": subject_of(kind, id_)}, _WITHOUT_FOLD)

    def page(self, kind: str, query: Query) -> Listed:
        """One page of the registered subjects of a kind, in the order of their ids."""
        begin = f"{kind}{SEPARATOR}" if query.after is None else query.after[1]
        bound: Condition = {"_id": {"$gt": begin, "$lt": f"{kind}{_AFTER_SEPARATOR}"}}
        conditions = [bound, {"registered": True}, *query.conditions]
        with translated():
            found = self._documents.find({"$and": conditions}, _WITHOUT_FOLD)
            documents = list(found.sort("_id").hint("_id_").limit(query.limit + 1))
        page = documents[: query.limit]
        more = len(documents) > len(page)
        return Listed(page, query.cursor((None, page[-1]["_id"])) if more else None)

    def on_day(self, kind: str, document: Document, on: str) -> dict[str, Any]:
        """What the record of a unit, a person or a post comes down to on a business date; see `resolve`."""
        id_ = id_of(document["_id"])
        told: dict[str, Any] = {"on": on}
        if kind == POST:
            told["holder"] = holder_on(document, on)
        if kind == PERSON:
            told["posts"] = self._posts_of(id_, on)
            told["on_leave"] = leave_on(document, on) is not None
            told["handed_to"] = handed_to(document, on)
        return told | {"acting": self.acting([id_], on)[id_]}

    def acting(self, named: Collection[str], on: str) -> dict[str, str]:
        """Who acts on a business date for each of these ids; see `resolve`."""
        known = self._read([subject for id_ in named for subject in subjects_named(id_)])
        asked = set(named)

        def look(subject: str) -> Document | None:
            id_ = id_of(subject)
            if id_ not in asked:  # somebody who stands in
                asked.add(id_)
                known.update(self._read(subjects_named(id_)))
            return known.get(subject)

        return {id_: resolve(id_, on, look) for id_ in named}

    def _posts_of(self, person: str, on: str) -> list[str]:
        """The posts that a person holds on a day, by id."""
        bound: Condition = {"_id": {"$gt": f"{POST}{SEPARATOR}", "$lt": f"{POST}{_AFTER_SEPARATOR}"}}
        with translated():
            found = list(self._documents.find({**bound, "holders.holder": person}, {"holders": 1}).hint("holders"))
        return sorted(id_of(post["_id"]) for post in found if holder_on(post, on) == person)

    def _read(self, subjects: Collection[str]) -> dict[str, Document]:
        with translated():
            return {row["_id"]: row for row in self._documents.find({"_id": {"$in": list(subjects)}}, _WITHOUT_FOLD)}

    def timeline(self, kind: str, id_: str, language: Language) -> list[dict[str, Any]]:
        """The events of a subject, oldest first; empty when there are none."""
        subject = subject_of(kind, id_)
        events = self._journal.read([subject]).get(subject, [])
        return timeline(events, language)


def shown(kind: str, document: Mapping[str, Any], *, brief: bool = False) -> dict[str, Any]:
    """A subject as answered: every field it can be registered with, null where nothing is known, and unless `brief`
    its chapters, empty where there is nothing to tell."""
    chapters = () if brief else areas.CHAPTERS.get(kind, ())
    return {
        "id": id_of(document["_id"]),
        "registered": document["registered"],
        **{name: document.get(name) for name in areas.FIELDS[kind]},
        **{name: document[name] for name in ("leaves", "holders") if name in document},
        **({"handovers": document.get("handovers", [])} if kind == PERSON else {}),
        **{chapter.name: document.get(chapter.name, []) for chapter in chapters},
        "version": document["events"],
        "updated_at": document["updated_at"],
    }
