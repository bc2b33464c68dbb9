"""Land and buildings (三块地): the list of a day, with what is left of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from luodi.domain.resources import (
    BEGINS_AS,
    RESOURCE_FIELDS,
    RESOURCE_KINDS,
    STATES,
    TO_FREE,
    measure_of,
    stand_on,
    tally,
)
from luodi.domain.subjects import RESOURCE, SEPARATOR, id_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Reader
from services.tracker.ports import Document
from services.tracker.subjects import OTHERS

TEXTS = ("zone", "park", "parcel", "unit", "holder", "carrier")
"""Parameters that name values of the field of that name."""

PARAMETERS = (*TEXTS, "kind", "industry", "state", "project_id", "on", "q", "limit", "cursor", "after")

_WITHOUT_FOLD = {"fold": 0}
_COUNTED = {"kind": 1, "area_mu": 1, "floor_m2": 1, "stands": 1}
_OURS: Condition = {"_id": {"$gt": f"{RESOURCE}{SEPARATOR}", "$lt": f"{RESOURCE}{chr(ord(SEPARATOR) + 1)}"}}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about resources as they stand on a business date."""

    conditions: Sequence[Condition]
    by_project: bool
    on: str
    limit: int
    after: str | None
    cursor: Callable[[Any, str], str]


def asked(args: MultiDict[str, str], today: date) -> Asked:
    """The question in the parameters. Raises ProblemError `bad-query`, naming every one that is wrong."""
    reader = Reader(args)
    on = (reader.day("on") or today).isoformat()
    chosen = {name: reader.values(name) for name in TEXTS} | {"kind": reader.chosen("kind", RESOURCE_KINDS)}
    conditions: list[Condition] = [{name: {"$in": [*values]}} for name, values in chosen.items() if values]
    if trades := reader.values("industry"):  # one that names none takes all
        conditions.append({"$or": [{"industries": {"$in": [*trades]}}, {"industries": None}]})
    if states := reader.chosen("state", STATES):
        conditions.append(standing(states, on))
    projects = reader.values("project_id")
    if projects:
        conditions.append({"assignments.project_id": {"$in": [*projects]}})
        conditions.append({"stands": {"$elemMatch": {**_held_on(on), "projects": {"$in": [*projects]}}}})
    conditions += reader.search()
    after = reader.after()
    found = Asked(conditions, bool(projects), on, reader.limit(), None if after is None else after[1], reader.cursor)
    reader.done()
    return found


def standing(states: Sequence[str], on: str) -> Condition:
    """Resources that are in one of these states on a business date."""
    told: Condition = {"stands": {"$elemMatch": {"state": {"$in": [*states]}, **_held_on(on)}}}
    # Of those nothing was told of yet the kind alone decides.
    begun = [kind for kind in RESOURCE_KINDS if BEGINS_AS.get(kind, TO_FREE) in states]
    return {"$or": [told, {"stands": None, "kind": {"$in": begun}}]}


def _held_on(on: str) -> Condition:
    return {"from": {"$lte": on}, "to": {"$gt": on}}


class Resources:
    """What the routes ask the store. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database[OTHERS]

    def page(self, question: Asked) -> tuple[list[dict[str, Any]], str | None]:
        """One page in the order of the ids, and the cursor of the next one."""
        conditions = [_OURS, {"registered": True}, *question.conditions]
        if question.after is not None:
            conditions.append({"_id": {"$gt": question.after}})
        hint = "assignments" if question.by_project else "_id_"
        with translated():
            matching = self._documents.find({"$and": conditions}, _WITHOUT_FOLD).sort("_id").hint(hint)
            found = list(matching.limit(question.limit + 1))
        page = found[: question.limit]
        following = question.cursor(None, page[-1]["_id"]) if len(found) > len(page) else None
        return [shown(document, question.on) for document in page], following

    def summary(self, question: Asked) -> list[dict[str, Any]]:
        """The numbers of all that match, by kind and state."""
        conditions = [_OURS, {"registered": True}, *question.conditions]
        hint = "assignments" if question.by_project else "_id_"
        with translated():
            return tally(self._documents.find({"$and": conditions}, _COUNTED).hint(hint), question.on)

    def offered(self, zones: Sequence[str], states: Sequence[str], on: str) -> list[Document]:
        """The registered resources of these zones (none named: all) in these states on a business date."""
        conditions = [_OURS, {"registered": True}, standing(states, on)]
        conditions += [{"zone": {"$in": [*zones]}}] if zones else []
        with translated():
            return list(self._documents.find({"$and": conditions}, _WITHOUT_FOLD).hint("_id_"))

    def holders(self, projects: Sequence[str], on: str) -> set[str]:
        """Those of these projects that a resource is assigned to on a business date."""
        named: Condition = {"assignments.project_id": {"$in": [*projects]}}
        with translated():
            found = list(self._documents.find({"$and": [_OURS, named]}, {"stands": 1}).hint("assignments"))
        return {project for document in found for project in stand_on(document, on)["projects"]} & {*projects}


def shown(document: Mapping[str, Any], on: str) -> dict[str, Any]:
    """A resource as answered: its fields, and how it stands on a business date."""
    stand = stand_on(document, on)
    return {
        "id": id_of(document["_id"]),
        "registered": document["registered"],
        **{name: document.get(name) for name in RESOURCE_FIELDS},
        "on": on,
        **{name: stand[name] for name in ("state", "free", "over", "projects")},
        "measure": measure_of(document.get("kind")),
        "stands": document.get("stands", []),
        "assignments": document.get("assignments", []),
        "version": document["events"],
        "updated_at": document["updated_at"],
    }
