"""序时进度: the projects with an investment plan for a year, each and together, beside what was invested.

Only projects that have a plan for the year stand in the index of them, so a zone of many thousand costs what its plans
cost. A phase is left out of the sums where a project above it has a plan of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.assess import POOL
from luodi.domain.investing import Pace, pace, together
from luodi.domain.stages import Language
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition
from services.tracker.measured import above, lineage
from services.tracker.ports import Document

GROUPS = ("lead_unit", "leader", "group_head", "industry", "chain", "park")
"""What the plans of a zone can be divided by: the field of that name."""

FILTERS = ("lead_unit", "leader", "group_head", "officer", "industry", "chain", "park")
"""Query parameters that name values of the field of that name."""

Wanted = Mapping[str, Collection[str]]  # by field: one of these values

_READ = dict.fromkeys(("name", "zone", "status", "stage", "parent", "annual_plans", "money", "officer", *GROUPS), 1)


@dataclass(frozen=True, slots=True)
class Paced:
    """A project beside its plan; ``counts``: whether it stands in the sums."""

    document: Document
    pace: Pace
    counts: bool


class Paces:
    """Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database["projects"]

    def of(self, zones: tuple[str, ...], year: int, month: int, wanted: Wanted) -> list[Paced]:
        """The projects with a plan for a year, those furthest behind first."""
        bound: list[Condition] = [{"planned_years": {"$gt": ""}}, {"planned_years": str(year)}]
        if zones:
            bound.append({"zone": {"$in": list(zones)}})
        condition: Condition = {"$and": [*bound, {"registered": True, "status": {"$ne": POOL}}]}
        with translated():
            found = {row["_id"]: row for row in self._documents.find(condition, _READ).hint("planned")}
            parents = {id_: row.get("parent") for id_, row in found.items()}
            parents |= above(self._documents, {parent for parent in parents.values() if parent} - parents.keys())
        rows = [
            Paced(
                row, pace(_plan(row, year), row.get("money", ()), month), found.keys().isdisjoint(lineage(id_, parents))
            )
            for id_, row in found.items()
            if all(row.get(name) in values for name, values in wanted.items())
        ]
        return sorted(rows, key=lambda row: (_points(row.pace), row.document["_id"]))


def summary(rows: list[Paced], year: int, month: int, language: Language) -> dict[str, Any]:
    """Several projects together."""
    whole = together(year, month, (row.pace for row in rows if row.counts))
    return {
        **whole.answer(),
        "plans": whole.plans,
        "unreported": whole.unreported,
        "behind": whole.behind,
        "text": whole.sentence(language),
    }


def groups(rows: list[Paced], by: str, year: int, month: int, language: Language) -> Iterator[dict[str, Any]]:
    """The sums of each group, that of those without one last."""
    parted: dict[Any, list[Paced]] = {}
    for row in rows:
        parted.setdefault(row.document.get(by), []).append(row)
    for key, found in sorted(parted.items(), key=lambda part: (part[0] is None, str(part[0]))):
        yield {"key": key, **summary(found, year, month, language)}


def paced_item(row: Paced, language: Language) -> dict[str, Any]:
    """A project beside its plan, as answered."""
    document = row.document
    told = next((each for each in document.get("money", ()) if each["year"] == row.pace.year), None)
    invested = None if told is None else told["invested"]
    return {
        "project_id": document["_id"],
        **{name: document.get(name) for name in ("name", "zone", "status", "stage", "parent", "officer", *GROUPS)},
        **row.pace.answer(),
        "reported": not row.pace.unreported,
        "counted_since": None if invested is None else invested["since"],
        "in_sums": row.counts,
        "text": row.pace.sentence(language),
    }


def key(row: Paced) -> tuple[float, str]:
    """Where a project stands in the list."""
    return _points(row.pace), row.document["_id"]


def _plan(document: Document, year: int) -> Mapping[str, Any]:
    return next(plan for plan in document["annual_plans"] if plan["year"] == year)


def _points(found: Pace) -> float:
    return 0.0 if found.points is None else found.points
