"""Carriers (载体) with their tenants and what is vacant: from their documents and their roll-ups."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from luodi.domain.assess import ACTIVE, SUSPENDED
from luodi.domain.carriers import is_built, letting, together
from luodi.domain.rollup import MUTE
from luodi.domain.stages import CARRIER
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Reader
from services.tracker.ports import Document

TEXTS = ("zone", "park", "industry", "chain", "lead_unit", "officer")
"""Parameters that name values of the field of that name."""

PARAMETERS = (*TEXTS, "built", "vacant", "q", "limit", "cursor", "after")

INDEX = "carriers"

_READ = (
    *("name", "zone", "park", "parcel", "industry", "chain", "status", "stage", "reached", "investment", "floor_m2"),
    *("lead_unit", "officer", "source", "as_of"),
)
_TOLD = tuple(name for name in _READ if name not in {"reached", "floor_m2"})
_ROW = ("id", "name", "status", "stage", "floor_m2")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about carriers."""

    conditions: Sequence[Condition]
    built: bool | None
    vacant: bool | None
    limit: int
    after: str | None
    cursor: Callable[[Any, str], str]

    def holds(self, item: Mapping[str, Any]) -> bool:
        """Whether a carrier that was found is asked for."""
        return (self.built is None or item["built"] == self.built) and (
            self.vacant is None or bool(item["vacant_m2"]) == self.vacant
        )


def asked(args: MultiDict[str, str]) -> Asked:
    """The question in the parameters. Raises ProblemError `bad-query`, naming every one that is wrong."""
    reader = Reader(args)
    chosen = {name: reader.values(name) for name in TEXTS}
    conditions: list[Condition] = [{name: {"$in": [*values]}} for name, values in chosen.items() if values]
    conditions += reader.search()
    after = reader.after()
    found = Asked(
        conditions=conditions,
        built=reader.flag("built"),
        vacant=reader.flag("vacant"),
        limit=reader.limit(),
        after=None if after is None else after[1],
        cursor=reader.cursor,
    )
    reader.done()
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """One page, the sums of all that match, and the cursor of the next page."""

    items: list[dict[str, Any]]
    summary: dict[str, Any]
    following: str | None


class Carriers:
    """What the routes ask the store. Every call raises TransientError when MongoDB is away.

    There are few carriers, so all that match are read: vacancy is known only when the tenants are.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database["projects"]
        self._rollups: MongoCollection[Document] = database["rollups"]

    def find(self, question: Asked) -> Found:
        """In the order of their ids."""
        items = [item for item in map(_item, *self._read(question.conditions)) if question.holds(item)]
        begin = 0 if question.after is None else bisect_right(items, question.after, key=_id)
        page = items[begin : begin + question.limit]
        following = question.cursor(None, _id(page[-1])) if len(items) > begin + len(page) else None
        return Found(page, together(items), following)

    def lettings(self, zones: Sequence[str]) -> list[tuple[Document, dict[str, Any]]]:
        """Every carrier of these zones (none named: all) with what is let of it."""
        conditions: list[Condition] = [{"zone": {"$in": [*zones]}}] if zones else []
        documents, tenants = self._read(conditions)
        return [
            (document, letting(document.get("floor_m2"), rows))
            for document, rows in zip(documents, tenants, strict=True)
        ]

    def _read(self, conditions: Sequence[Condition]) -> tuple[list[Document], list[Sequence[Document]]]:
        """The carriers that match, in the order of their ids, and the tenants of each."""
        bound: Condition = {"kind": CARRIER, "registered": True, "status": {"$in": [ACTIVE, SUSPENDED]}}
        with translated():
            matching = self._documents.find({"$and": [bound, *conditions]}, dict.fromkeys(_READ, 1))
            documents = list(matching.sort("_id").hint(INDEX))
            tenants = self._tenants([document["_id"] for document in documents])
        return documents, [tenants.get(document["_id"], ()) for document in documents]

    def _tenants(self, ids: Collection[str]) -> dict[str, Sequence[Document]]:
        found = self._rollups.find({"_id": {"$in": [*ids]}}, {f"tenants.{name}": 1 for name in _ROW})
        return {row["_id"]: row.get("tenants", ()) for row in found}


def _item(document: Document, tenants: Sequence[Document]) -> dict[str, Any]:
    return {
        "project_id": document["_id"],
        **{name: document.get(name) for name in _TOLD},
        "built": is_built(document),
        **letting(document.get("floor_m2"), tenants),
        "items": [{name: row.get(name) for name in _ROW} for row in tenants if row["status"] not in MUTE],
    }


def _id(item: Mapping[str, Any]) -> str:
    id_: str = item["project_id"]
    return id_
