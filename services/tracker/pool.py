"""The projects that entered the pool before signing (储备项目): the list, and how well the talks went.

They are found by the day of their entry, which no other project has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from luodi.domain.pool import INTRODUCERS, RESERVE, STANDINGS, TALKING, success
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Reader, Sort
from services.tracker.ports import Document

TEXTS = ("zone", "industry", "chain", "park", "lead_unit", "group_head", "officer")
"""Parameters that name values of the field of that name."""

PARAMETERS = (
    *TEXTS,
    *("standing", "introducer", "route", "next_before", "quiet_since", "from", "to", "q", "limit", "cursor", "after"),
)

INDEX = "pool"
NEWEST_FIRST = Sort("pooled_on", descending=True)

_ROUTES = ("land", "plant", "expansion")
_READ = (
    *("name", "zone", "route", "industry", "chain", "park", "parcel", "investor", "enterprise", "origin"),
    *("investment", "area_mu", "floor_m2", "lead_unit", "group_head", "officer", "company_contact", "updated_at"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the pool. `standings` narrows the list alone: the numbers are of all that match otherwise."""

    conditions: Sequence[Condition]
    standings: tuple[str, ...]
    limit: int
    after: tuple[Any, str] | None
    cursor: Callable[[Any, str], str]


def asked(args: MultiDict[str, str]) -> Asked:
    """The question in the parameters. Raises ProblemError `bad-query`, naming every one that is wrong."""
    reader = Reader(args)
    conditions: list[Condition] = []
    chosen = {name: reader.values(name) for name in TEXTS}
    chosen |= {
        "pool.introducer": reader.chosen("introducer", INTRODUCERS),
        "route": reader.chosen("route", _ROUTES),
    }
    conditions += [{name: {"$in": [*values]}} for name, values in chosen.items() if values]
    begin, end = reader.day("from"), reader.day("to")
    conditions += [{"pooled_on": {"$gte": begin.isoformat()}}] if begin else []
    conditions += [{"pooled_on": {"$lt": (end + timedelta(days=1)).isoformat()}}] if end else []
    if due := reader.day("next_before"):
        conditions.append({"pool.next_date": {"$lt": due.isoformat()}})
    if quiet := reader.day("quiet_since"):
        conditions.append({"$or": [{"pool.last_talk": None}, {"pool.last_talk": {"$lt": quiet.isoformat()}}]})
    conditions += reader.search()
    found = Asked(
        conditions=conditions,
        standings=reader.chosen("standing", STANDINGS) or (RESERVE, TALKING),
        limit=reader.limit(),
        after=reader.after(),
        cursor=reader.cursor,
    )
    reader.done()
    return found


class Pool:
    """What the route asks the store. Raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database["projects"]

    def page(self, question: Asked) -> tuple[list[dict[str, Any]], str | None]:
        """One page, those that entered last first, and the cursor of the next page."""
        conditions = [_ENTERED, *question.conditions, {"pool.standing": {"$in": [*question.standings]}}]
        if question.after is not None:
            conditions.append(NEWEST_FIRST.after(*question.after))
        with translated():
            matching = self._documents.find({"$and": conditions}, dict.fromkeys((*_READ, "pool", "pooled_on"), 1))
            found = list(matching.sort(NEWEST_FIRST.keys()).hint(INDEX).limit(question.limit + 1))
        page = found[: question.limit]
        following = question.cursor(page[-1]["pooled_on"], page[-1]["_id"]) if len(found) > len(page) else None
        return [_item(document) for document in page], following

    def summary(self, question: Asked) -> dict[str, Any]:
        """The numbers of all that match, whatever has become of them, whole and by who introduced them."""
        talked = {"$gt": ["$pool.talks", 0]}
        group = {"standing": "$pool.standing", "introducer": "$pool.introducer", "talked": talked}
        pipeline: list[dict[str, Any]] = [
            {"$match": {"$and": [_ENTERED, *question.conditions]}},
            {"$group": {"_id": group, "count": {"$sum": 1}}},
        ]
        with translated():
            rows = [{**row["_id"], "count": row["count"]} for row in self._documents.aggregate(pipeline, hint=INDEX)]
        kinds = sorted({row.get("introducer") for row in rows}, key=_place)
        return {
            **success(rows),
            "by_introducer": [
                {"introducer": kind, **success(row for row in rows if row.get("introducer") == kind)} for kind in kinds
            ],
        }


_ENTERED: Condition = {"pooled_on": {"$gt": ""}}


def _place(introducer: str | None) -> tuple[int, str]:
    """In the order in which they are named; what only a newer version knows behind them, then what nobody told."""
    if introducer is None:
        return len(INTRODUCERS) + 1, ""
    return (INTRODUCERS.index(introducer) if introducer in INTRODUCERS else len(INTRODUCERS)), introducer


def _item(document: Document) -> dict[str, Any]:
    pool = {name: value for name, value in document["pool"].items() if name != "log"}
    return {"project_id": document["_id"], **{name: document.get(name) for name in _READ}, **pool}
