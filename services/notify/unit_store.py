"""MongoDB behind the units: what the watches say of whom leads them, read along indexes, one entry per unit."""

from __future__ import annotations

from typing import Any

from pymongo.collection import Collection as Rows
from pymongo.database import Database

from luodi.runtime import mongo
from services.notify.units import Lead

Document = dict[str, Any]

LED = {"people.lead_unit": {"$gt": ""}}
LATEST: list[Document] = [
    {"$match": LED},
    {"$sort": {"people.lead_unit": 1, "reported_at": -1}},
    {"$group": {"_id": "$people.lead_unit", "reported_at": {"$first": "$reported_at"}}},
]
"""Along the index `led` MongoDB reads one entry per unit, however many projects it leads."""


class MongoUnits:
    """See `UnitStore`; in the collection `watches`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: Rows[Document] = database["watches"]

    def latest(self) -> dict[str, str]:
        with mongo.translated():
            return {row["_id"]: row["reported_at"] or "" for row in self._rows.aggregate(LATEST, hint="led")}

    def lead(self, unit: str) -> Lead | None:
        ticking = {"people.lead_unit": unit, "ticking": True}
        with mongo.translated():
            # Of few units only, and no field but these two.
            found = list(self._rows.find(ticking, {"zone": 1, "people.group_head": 1}).hint("ticking"))
            if not found:
                return None
            # A row of an earlier version does not say when anything was recorded, but when it was taken over.
            unknown = list(self._rows.find({"people.lead_unit": unit, "reported_at": None}, {"changed_at": 1}))
        heads = {head for row in found if (head := row["people"].get("group_head"))}
        zones = sorted({row["zone"] for row in found if row["zone"]})
        return Lead(
            next(iter(zones), None), tuple(sorted(heads)), max((row["changed_at"] for row in unknown), default="")
        )
