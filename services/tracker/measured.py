"""What we count ourselves, by measure, and the list behind each number: both from the same conditions.

Every plan is bound by the zone's index. What happened in a year is counted by the zone, and by unit and leader at once:
one pass over the zone answers all its targets of a measure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.assess import POOL
from luodi.domain.days import last_day
from luodi.domain.investing import MONTHS, through
from luodi.domain.measures import ENTERPRISES_PRODUCING, MEASURES
from luodi.domain.rollup import MAX_DEPTH
from luodi.domain.stages import AGREEMENT, CARRIER, PRODUCING
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition
from services.tracker.ports import Document
from services.tracker.queries import Queries
from services.tracker.reported import Own

_SHOWN = (
    "name",
    "zone",
    "status",
    "stage",
    "enterprise",
    "credit_code",
    "investment",
    "increment_of",
    "lead_unit",
    "leader",
)
_READ = dict.fromkeys(("parent", "reached", "money", *_SHOWN), 1)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted of a measure: a zone's, of a year where the measure is yearly; with `named` only the projects of
    which a field (`lead_unit`, `leader`) names one of these ids. `part`: only what happened on these days of the year,
    the first and the last; money counts by whole months, as it is reported."""

    zone: str
    year: int | None = None
    named: Mapping[str, Collection[str]] = field(default_factory=dict)
    part: tuple[date, date] | None = None

    @property
    def conditions(self) -> list[Condition]:
        return [{name: {"$in": sorted(ids)}} for name, ids in self.named.items()]

    def covers(self, happened: str) -> bool:
        """Whether a date of the year is in the part that is counted; a month or a year counts on its last day."""
        return self.part is None or self.part[0] <= last_day(happened) <= self.part[1]

    def admits(self, document: Mapping[str, Any]) -> bool:
        """Whether a project is one of those that are named."""
        return all(document.get(name) in ids for name, ids in self.named.items())


@dataclass(frozen=True, slots=True)
class Counted:
    """One thing behind a number: a project, or an enterprise with its projects.

    ``counts`` is what it adds to the number of things, ``amount`` to the money; ``date`` is that of the stage.
    """

    id: str
    counts: int
    amount: int | None
    date: str | None
    document: Mapping[str, Any]


class Measured:
    """Counts and lists. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document], queries: Queries) -> None:
        self._documents: MongoCollection[Document] = database["projects"]
        self._queries = queries

    def own(self, measure: str, scope: Scope) -> Own:
        """The number of a measure, with its money where it has any."""
        return total(measure, self.behind(measure, scope))

    def by_holder(self, measure: str, zone: str, year: int) -> list[tuple[Any, Any, Own]]:
        """(unit, leader, number): a measure of projects of a whole zone, parted by the lead unit and the leader."""
        found: dict[tuple[Any, Any], list[Counted]] = {}
        for row in self.behind(measure, Scope(zone, year)):
            place = (row.document.get("lead_unit"), row.document.get("leader"))
            found.setdefault(place, []).append(row)
        return [(unit, leader, total(measure, rows)) for (unit, leader), rows in found.items()]

    def behind(self, measure: str, scope: Scope) -> list[Counted]:
        """Everything that a number counts, in the order of the ids."""
        told = MEASURES[measure]
        with translated():
            if told.counts == "enterprises":
                rows: Iterator[Counted] = self._enterprises(measure, scope)
            elif told.stage is not None:
                rows = self._reached(told.stage, scope)
            elif told.yearly:
                rows = self._money(measure, scope)
            else:
                rows = self._standing(measure, scope)
            return sorted(rows, key=lambda row: row.id)

    def _find(self, *conditions: Condition, hint: str = "zone") -> Iterator[Document]:
        yield from self._documents.find({"$and": list(conditions)}, _READ).hint(hint)

    def _standing(self, measure: str, scope: Scope) -> Iterator[Counted]:
        bound = {"zone": scope.zone}
        for document in self._find(bound, self._queries.counted(), _STANDING[measure], *scope.conditions):
            yield _project(document, None)

    def _reached(self, stage: str, scope: Scope) -> Iterator[Counted]:
        """Roots that reached a stage in the year: by their own milestone, those with phases by that of the first."""
        bound, counted, factory = {"zone": scope.zone}, self._queries.counted(), {"kind": {"$ne": AGREEMENT}}
        rolled = self._queries.rolled((scope.zone,))
        begin, end = f"{scope.year:04d}", f"{(scope.year or 0) + 1:04d}"
        within: Condition = {f"reached.{stage}": {"$gte": begin, "$lt": end}}
        own: list[Condition] = [within, {"_id": {"$nin": [*rolled]}}]
        for document in self._find(bound, *own, counted, factory, *scope.conditions):
            if scope.covers(document["reached"][stage]):
                yield _project(document, document["reached"][stage])
        dates = {id_: row["reached"].get(stage) for id_, row in rolled.items()}
        roots = {id_: day for id_, day in dates.items() if day is not None and begin <= day < end and scope.covers(day)}
        named: Condition = {"_id": {"$in": sorted(roots)}}
        for document in self._find(named, bound, counted, factory, *scope.conditions, hint="_id_") if roots else ():
            yield _project(document, roots[document["_id"]])

    def _money(self, measure: str, scope: Scope) -> Iterator[Counted]:
        """Projects with reports of money in the year; a phase only where no project above it tells its own."""
        told: Condition = {"money.year": scope.year, "registered": True, "status": {"$ne": POOL}}
        found = {row["_id"]: row for row in self._find({"zone": scope.zone}, told, {"kind": {"$ne": AGREEMENT}})}
        amounts = {id_: _of_year(row, measure, scope) for id_, row in found.items()}
        telling = {id_ for id_, amount in amounts.items() if amount is not None}
        parents = {id_: row.get("parent") for id_, row in found.items()}
        parents |= above(self._documents, {parent for parent in parents.values() if parent} - parents.keys())
        for id_ in telling:
            if scope.admits(found[id_]) and telling.isdisjoint(lineage(id_, parents)):
                yield Counted(id_, 1, amounts[id_], None, found[id_])

    def _enterprises(self, measure: str, scope: Scope) -> Iterator[Counted]:
        """Enterprises apart from projects: by credit code, by name where no project of that name has one."""
        named: Condition = {"$or": [{"enterprise": {"$ne": None}}, {"credit_code": {"$ne": None}}]}
        known: Condition = {"registered": True, "status": {"$ne": POOL}}
        rows = list(self._find({"zone": scope.zone}, known, named, *scope.conditions))
        codes: dict[str, str] = {}
        for row in rows:
            name, code = row.get("enterprise"), row.get("credit_code")
            if name and code:
                codes[name] = max(code, codes.get(name, ""))
        held: dict[str, list[Document]] = {}
        for row in rows:
            name = row.get("enterprise") or ""
            held.setdefault(row.get("credit_code") or codes.get(name) or name, []).append(row)
        for who, projects in held.items():
            if measure == ENTERPRISES_PRODUCING and not any(PRODUCING in row["reached"] for row in projects):
                continue
            name = next((row["enterprise"] for row in projects if row.get("enterprise")), None)
            code = next((row["credit_code"] for row in projects if row.get("credit_code")), None)
            ids = sorted(row["_id"] for row in projects)
            yield Counted(who, 1, None, None, {"name": name, "credit_code": code, "projects": ids})


def total(measure: str, rows: Sequence[Counted]) -> Own:
    """What the things of a list add up to; no money where the measure has none."""
    amount = None if MEASURES[measure].counts == "enterprises" else sum(row.amount or 0 for row in rows)
    return Own(sum(row.counts for row in rows), amount)


def item(row: Counted) -> dict[str, Any]:
    """One thing behind a number, as answered."""
    document = row.document
    if "projects" in document:
        return {"id": row.id, "kind": "enterprise", "counts": row.counts, **document}
    told = {name: document.get(name) for name in _SHOWN}
    return {"id": row.id, "kind": "project", "counts": row.counts, "amount": row.amount, "date": row.date, **told}


def _project(document: Document, date: str | None) -> Counted:
    """A root; an increment adds its money and is no project."""
    counts = 0 if document.get("increment_of") else 1
    return Counted(document["_id"], counts, document.get("investment"), date, document)


def _of_year(document: Document, measure: str, scope: Scope) -> int | None:
    money = next((row[measure] for row in document["money"] if row["year"] == scope.year), None)
    if scope.part is None:
        return through(money, MONTHS)
    first, last = scope.part
    amount = through(money, last.month)
    return None if amount is None else amount - (through(money, first.month - 1) or 0)


def above(documents: MongoCollection[Document], ids: Collection[str]) -> dict[str, str | None]:
    """The parents of these projects, and of those, as far as phases go."""
    found: dict[str, str | None] = {}
    for _ in range(MAX_DEPTH):
        unread = sorted(set(ids) - found.keys())
        if not unread:
            break
        rows = documents.find({"_id": {"$in": unread}}, {"parent": 1}).hint("_id_")
        read = {row["_id"]: row.get("parent") for row in rows}
        found |= dict.fromkeys(unread) | read
        ids = [parent for parent in read.values() if parent]
    return found


def lineage(id_: str, parents: Mapping[str, str | None]) -> Iterator[str]:
    """What a project is a phase of, as far up as phases go."""
    seen = {id_}
    for _ in range(MAX_DEPTH):
        above = parents.get(id_)
        if above is None or above in seen:
            return
        seen.add(above)
        id_ = above
        yield id_


_FACTORY: Condition = {"kind": {"$ne": AGREEMENT}}
_STANDING: Mapping[str, Condition] = {
    "projects": _FACTORY,
    "key_projects": {"key": True, **_FACTORY},
    "carriers": {"kind": CARRIER},
}
