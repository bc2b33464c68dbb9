"""Reading documents and timelines. Every plan is bound by the zone's index or that of the ids: a test explains them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.clocks import LIGHTS, RED
from luodi.domain.fold import retracted
from luodi.domain.history import known
from luodi.domain.stages import STAGES, stages_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Query, grey, lit
from services.tracker.journal import MongoJournal
from services.tracker.ports import Document
from services.tracker.views import POOL, Viewer, timeline_item

GROUPS: Mapping[str, Any] = {
    "industry": "$industry",
    "chain": "$chain",
    "park": "$park",
    "leader": "$leader",
    "lead_unit": "$lead_unit",
    "month": {"$substrCP": [{"$ifNull": ["$reached.signed", ""]}, 0, 7]},
    "origin": "$origin",
}
"""What a funnel can be divided by. `month` is that of the signature."""

_WITHOUT_FOLD = {"fold": 0}


class Queries:
    """What the routes ask the stores. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database["projects"]
        self._journal = MongoJournal(database)

    def project(self, project_id: str) -> Document | None:
        with translated():
            return self._documents.find_one({"_id": project_id}, _WITHOUT_FOLD)

    def guard(self, project_id: str) -> tuple[int, int] | None:
        """(`events`, `ruleset`) of a project: what an entity tag depends on."""
        with translated():
            row = self._documents.find_one({"_id": project_id}, {"events": 1, "ruleset": 1})
        return (row["events"], row["ruleset"]) if row else None

    def timeline(self, project_id: str, known_at: str | None = None) -> list[dict[str, Any]]:
        """The events of a project known by then, oldest first; empty when there are none."""
        events = self._journal.read([project_id]).get(project_id, [])
        if known_at is not None:
            events = known(events, known_at)
        taken_back = retracted(events)
        return [timeline_item(event, retracted=event.id in taken_back) for event in events]

    def projects(self, query: Query, now: str) -> tuple[list[Document], str | None]:
        """One page of projects, and the cursor of the next one."""
        found = self._find(query, query.lights, now, query.limit + 1)
        page = found[: query.limit]
        return page, query.cursor(_key(query, page[-1])) if len(found) > len(page) else None

    def stalls(self, query: Query, viewer: Viewer) -> tuple[list[dict[str, Any]], str | None]:
        """One page of stalled clocks: red ones, or those of the lights asked for. `limit` counts clocks."""
        lights = query.lights or (RED,)
        # A project shows its worst light, so one with a yellow clock may show red.
        showing = LIGHTS[: 1 + max(LIGHTS.index(light) for light in lights)]
        items: list[dict[str, Any]] = []
        after, skip = query.after, query.skip
        found = self._find(query, showing, viewer.now, query.limit + 1)
        for document in found[: query.limit]:
            stalls = list(viewer.stalls(document, lights))[skip:]
            room = query.limit - len(items)
            items += stalls[:room]
            if len(stalls) > room:
                return items, query.cursor(after, skip + room)
            after, skip = _key(query, document), 0
        return items, query.cursor(after) if len(found) > query.limit else None

    def funnel(self, zones: tuple[str, ...], group_by: str | None) -> list[dict[str, Any]]:
        """Registered roots counted by stage; one funnel, or one per group with its `key` (None: not known)."""
        bound, hint = _bound(zones)
        grouped = GROUPS[group_by] if group_by else None
        pipeline: list[dict[str, Any]] = [
            {"$match": {"$and": [bound, {"registered": True, "parent": None, "status": {"$ne": POOL}}]}},
            {
                "$group": {
                    "_id": {
                        "key": grouped,
                        "route": "$route",
                        "status": "$status",
                        "stage": "$stage",
                        "reached": {"$map": {"input": {"$objectToArray": "$reached"}, "in": "$$this.k"}},
                    },
                    "projects": {"$sum": 1},
                    "investment": {"$sum": "$investment"},
                    "unknown": {"$sum": {"$cond": [{"$eq": [{"$ifNull": ["$investment", None]}, None]}, 1, 0]}},
                }
            },
        ]
        funnels: dict[Any, _Funnel] = {} if group_by else {None: _Funnel()}
        with translated():
            for row in self._documents.aggregate(pipeline, hint=hint):
                key = row["_id"].get("key") or None
                funnels.setdefault(key, _Funnel()).add(row)
        return [
            {**({"key": key} if group_by else {}), **funnel.answer()}
            for key, funnel in sorted(funnels.items(), key=lambda item: (item[0] is None, str(item[0])))
        ]

    def _find(self, query: Query, lights: tuple[str, ...], now: str, limit: int) -> list[Document]:
        bound, hint = _bound(query.zones)
        conditions = [bound, *query.conditions]
        if lights and set(lights) != set(LIGHTS):
            conditions.append(lit(lights, now))
        if query.grey_over is not None:
            conditions.append(grey(query.grey_over, now))
        if query.after is not None:
            conditions.append(query.sort.after(*query.after))
        with translated():
            found = self._documents.find({"$and": conditions}, _WITHOUT_FOLD)
            return list(found.sort(query.sort.keys()).hint(hint).limit(limit))


class _Funnel:
    """The sums of one funnel."""

    def __init__(self) -> None:
        self.projects = self.withdrawn = self.investment = self.unknown = 0
        self.stages = {stage: {"reached": 0, "current": 0, "not_applicable": 0, "investment": 0} for stage in STAGES}

    def add(self, row: Document) -> None:
        group, count = row["_id"], row["projects"]
        withdrawn = group.get("status") == "withdrawn"
        self.projects += count
        self.withdrawn += count if withdrawn else 0
        self.investment += row["investment"]
        self.unknown += row["unknown"]
        applies = stages_of(group.get("route"))
        for stage, sums in self.stages.items():
            if stage not in applies:
                sums["not_applicable"] += count
            elif stage in group["reached"]:
                sums["reached"] += count
                sums["investment"] += row["investment"]
            if group.get("stage") == stage and not withdrawn:
                sums["current"] += count

    def answer(self) -> dict[str, Any]:
        return {
            "total": {
                "projects": self.projects,
                "withdrawn": self.withdrawn,
                "investment": self.investment,
                "investment_unknown": self.unknown,
            },
            "stages": [{"stage": stage, **sums} for stage, sums in self.stages.items()],
        }


def _bound(zones: tuple[str, ...]) -> tuple[Condition, str]:
    """The condition that bounds a plan, and the index it runs on."""
    if zones:
        return {"zone": {"$in": list(zones)}}, "zone"
    return {"_id": {"$gt": ""}}, "_id_"


def _key(query: Query, document: Document) -> tuple[Any, str]:
    return document[query.sort.path], document["_id"]


def definitions(language: str) -> dict[str, str]:
    """What the numbers of a funnel mean, in the caller's language."""
    column = 0 if language == "zh-CN" else 1
    return {name: words[column] for name, words in _DEFINITIONS.items()}


_DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "projects": (
        "已登记的项目（分期并入总项目），含已退出，不含储备项目",
        "Registered projects; phases count with their root; withdrawn ones included, the pool left out",
    ),
    "withdrawn": ("其中已退出的项目", "Those of them that were withdrawn"),
    "investment": (
        "投资额合计（元），金额不详的不计入",
        "The sum of the investments in yuan; unknown amounts add nothing",
    ),
    "investment_unknown": ("金额不详的项目数", "Projects whose investment is not known"),
    "reached": (
        "已到达该节点的项目（含已退出），只计本路径上的节点",
        "Projects that have reached the stage, withdrawn ones included; only stages of the project's own route count",
    ),
    "current": (
        "当前处于该节点的项目，不含已退出",
        "Projects whose furthest stage this is, withdrawn ones left out",
    ),
    "not_applicable": ("路径上没有该节点的项目", "Projects whose route does not have the stage"),
}
