"""Carriers (载体) with their tenants and what is vacant: from their documents and their roll-ups."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from luodi.domain.assess import ACTIVE, SUSPENDED
from luodi.domain.carriers import House, houses, together
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
    *(
        "name",
        "zone",
        "parent",
        "park",
        "parcel",
        "industry",
        "chain",
        "status",
        "stage",
        "reached",
        "investment",
        "floor_m2",
    ),
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

    def holds(self, house: House) -> bool:
        """Whether a carrier that was found is asked for."""
        return (self.built is None or house.built == self.built) and (
            self.vacant is None or bool(house.letting["vacant_m2"]) == self.vacant
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
        found, tenants = self._read(question.conditions)
        listed = [house for house in found if question.holds(house)]
        begin = 0 if question.after is None else bisect_right(listed, question.after, key=_id)
        page = listed[begin : begin + question.limit]
        following = question.cursor(None, _id(page[-1])) if len(listed) > begin + len(page) else None
        return Found([_item(house, tenants.get(_id(house), ())) for house in page], together(listed), following)

    def houses(self, zones: Sequence[str]) -> list[House]:
        """Every carrier of these zones (none named: all) with what is let of it."""
        return self._read([{"zone": {"$in": [*zones]}}] if zones else [])[0]

    def _read(self, conditions: Sequence[Condition]) -> tuple[list[House], Mapping[str, Sequence[Document]]]:
        """The carriers that match, in the order of their ids, and the tenants by carrier."""
        bound: Condition = {"kind": CARRIER, "registered": True, "status": {"$in": [ACTIVE, SUSPENDED]}}
        with translated():
            matching = self._documents.find({"$and": [bound, *conditions]}, dict.fromkeys(_READ, 1))
            documents = list(matching.sort("_id").hint(INDEX))
            rows = self._rollups.find(
                {"_id": {"$in": [document["_id"] for document in documents]}}, {f"tenants.{name}": 1 for name in _ROW}
            )
            tenants = {row["_id"]: row.get("tenants", ()) for row in rows}
        return houses(documents, tenants), tenants


def _item(house: House, tenants: Sequence[Document]) -> dict[str, Any]:
    return {
        "project_id": _id(house),
        **{name: house.carrier.get(name) for name in _TOLD},
        "built": house.built,
        **house.letting,
        "items": [{name: row.get(name) for name in _ROW} for row in tenants if row["status"] not in MUTE],
    }


def _id(house: House) -> str:
    id_: str = house.carrier["_id"]
    return id_
