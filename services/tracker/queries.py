"""Reading documents and timelines. Every plan is bound by the zone's index or that of the ids: a test explains them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.assess import POOL, WITHDRAWN
from luodi.domain.clocks import LIGHTS, RED, light_at
from luodi.domain.counting import Cell, Funnel, Sums
from luodi.domain.forecast import ALMOST_SURE, LIKELY, Curve, Group, widened
from luodi.domain.history import known
from luodi.domain.stages import AGREEMENT, CARRIER, Language, stages_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Query, Sort, grey, lit
from services.tracker.journal import MongoJournal
from services.tracker.outlooks import MongoOutlooks
from services.tracker.ports import Document
from services.tracker.relations import Beside, may_be_double
from services.tracker.reported import Own, Owns
from services.tracker.views import Viewer, timeline

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
        self._rollups: MongoCollection[Document] = database["rollups"]
        self._journal = MongoJournal(database)
        self._outlooks = MongoOutlooks(database)

    def project(self, project_id: str) -> Document | None:
        with translated():
            return self._documents.find_one({"_id": project_id}, _WITHOUT_FOLD)

    def guard(self, project_id: str) -> tuple[int, int] | None:
        """(`events`, `ruleset`) of a project: what an entity tag depends on."""
        with translated():
            row = self._documents.find_one({"_id": project_id}, {"events": 1, "ruleset": 1})
        return (row["events"], row["ruleset"]) if row else None

    def timeline(self, project_id: str, language: Language, known_at: str | None = None) -> list[dict[str, Any]]:
        """The events of a project known by then, oldest first; empty when there are none."""
        events = self._journal.read([project_id]).get(project_id, [])
        if known_at is not None:
            events = known(events, known_at)
        return timeline(events, language)

    def curves(self, document: Document) -> dict[Group, Curve]:
        """What projects like this one took from its stage to the next: its own group and the wider ones."""
        if document.get("zone") is None or not document["clocks"]:
            return {}
        reached, awaited = document["clocks"][0]["gap"]
        group = Group(reached, awaited, document.get("route"), document.get("industry"))
        return self._outlooks.find(document["zone"], widened(group))

    def outlooks(self, zones: tuple[str, ...]) -> list[dict[str, Any]]:
        """How long each gap takes, by zone and group, in net days from the stage before."""
        return [
            {
                "zone": zone,
                "gap": [group.reached, group.awaited],
                "route": group.route,
                "industry": group.industry,
                "n": curve.n,
                "ended": curve.ended,
                "p50": curve.quantile(LIKELY),
                "p85": curve.quantile(ALMOST_SURE),
            }
            for zone, group, curve in self._outlooks.of_zones(zones)
        ]

    def projects(self, query: Query, now: str) -> tuple[list[Document], str | None]:
        """One page of projects, and the cursor of the next one."""
        found = self._find(query, query.lights, now, query.limit + 1, phased=True)
        page = found[: query.limit]
        return page, query.cursor(_key(query, page[-1])) if len(found) > len(page) else None

    def stalls(self, query: Query, viewer: Viewer) -> tuple[list[dict[str, Any]], str | None]:
        """One page of stalled clocks: red ones, or those of the lights asked for. `limit` counts clocks."""
        found = self._find(query, showing(query), viewer.now, query.limit + 1, phased=False)
        shown = partial(viewer.stalls, lights=query.lights or (RED,))
        return paged(query, found, shown, lambda document: _key(query, document))

    def verifications(self, query: Query, viewer: Viewer) -> tuple[list[dict[str, Any]], str | None]:
        """One page of reports that wait to be verified, the oldest first. `limit` counts reports."""
        zones: list[Condition] = [{"zone": {"$in": list(query.zones)}}] if query.zones else []
        conditions: list[Condition] = [{"awaits_since": {"$gt": ""}}, *zones, *query.conditions]
        oldest = Sort("awaits_since", descending=False)
        if query.after is not None:
            conditions.append(oldest.after(*query.after))
        with translated():
            matching = self._documents.find({"$and": conditions}, _WITHOUT_FOLD).sort(oldest.keys())
            found = list(matching.hint("awaiting").limit(query.limit + 1))
        return paged(query, found, viewer.awaited, lambda document: (document["awaits_since"], document["_id"]))

    def rollups(self, ids: Sequence[str]) -> dict[str, Document]:
        """The roll-ups of those projects that have one."""
        with translated():
            return {row["_id"]: row for row in self._rollups.find({"_id": {"$in": list(ids)}}, {"members": 0})}

    def beside(self, documents: Sequence[Document], rollups: Mapping[str, Document] | None = None) -> Beside:
        """What stands beside these documents: roll-ups (unless they are known already), likely duplicates."""
        marks = {document["sameness"] for document in documents if may_be_double(document)}
        same: dict[str, list[str]] = {}
        if rollups is None:
            rollups = self.rollups([document["_id"] for document in documents])
        if marks:
            condition = {"sameness": {"$in": sorted(marks)}, "registered": True}
            with translated():
                for row in self._documents.find(condition, _SAME).hint("sameness").sort("_id"):
                    if may_be_double(row):
                        same.setdefault(row["sameness"], []).append(row["_id"])
        return Beside(rollups, same)

    def members(self, project_id: str) -> list[str]:
        """The phases below a project and its tenants."""
        with translated():
            row = self._rollups.find_one({"_id": project_id}, {"members": 1})
        return row["members"] if row else []

    def funnel(self, zones: tuple[str, ...], group_by: str | None) -> list[dict[str, Any]]:
        """Registered roots counted by stage; one funnel, or one per group with its `key` (None: not known)."""
        with translated():
            parts = list(self._parts(zones, group_by))
            bases = self._registered({part.adds_to for part in parts if part.adds_to})
            return summed(parts, bases, self._enterprises(zones, group_by), group_by)

    def owns(self, zone: str) -> Owns:
        """What we count ourselves of everything that a reported figure may be set beside."""
        with translated():
            bound, hint = bound_by((zone,))
            pipeline: list[dict[str, Any]] = [{"$match": {"$and": [bound, self.counted()]}}, {"$group": _OWN}]
            row = next(iter(self._documents.aggregate(pipeline, hint=hint)), None)
            enterprises = next(self._enterprises((zone,), None), (None, 0, 0))
        own = {name: Own(row[name], row[f"{name}_yuan"]) if row else Own(0, 0) for name in _OWN_CONDITIONS}
        return own | {"enterprises": Own(enterprises[1]), "enterprises_producing": Own(enterprises[2])}

    def counted(self) -> Condition:
        """Registered roots: also those phases whose parent is not registered, and one of each ring of parents."""
        roots = [root for row in self._rollups.find({"roots": {"$gt": ""}}, {"roots": 1}) for root in row["roots"]]
        return {
            "registered": True,
            "status": {"$ne": POOL},
            "$or": [{"parent": None}, {"_id": {"$in": roots}}],
        }

    def _parts(self, zones: tuple[str, ...], group_by: str | None) -> Iterator[Part]:
        """All roots: those without phases summed by the server, those with phases one by one, by their roll-up."""
        bound, hint = bound_by(zones)
        rolled = self.rolled(zones)
        counted = self.counted()
        plain = {"$match": {"$and": [bound, counted, {"_id": {"$nin": [*rolled]}}]}}
        for row in self._documents.aggregate([plain, _by_cell(group_by)], hint=hint):
            yield _part(row)
        found = self._documents.find({"$and": [{"_id": {"$in": [*rolled]}}, counted, bound]}, _COUNTED).hint("_id_")
        for document in found:
            yield rolled_part(document, rolled[document["_id"]], group_by)

    def rolled(self, zones: tuple[str, ...]) -> dict[str, Document]:
        """The roll-ups of projects that have phases, as far as they are counted by."""
        bound, hint = bound_by(zones)
        found = self._rollups.find(
            {**bound, "phases.0": {"$exists": True}}, {"reached": 1, "verified": 1, "stage": 1, "money": 1}
        )
        return {row["_id"]: row for row in found.hint(hint)}

    def _registered(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        found = self._documents.find({"_id": {"$in": sorted(ids)}, "registered": True}, {"_id": 1})
        return {row["_id"] for row in found}

    def _enterprises(self, zones: tuple[str, ...], group_by: str | None) -> Iterator[tuple[Any, int, int]]:
        """(key, enterprises, those that produce): by credit code, by name where no project of that name has one."""
        bound, hint = bound_by(zones)
        key = GROUPS[group_by] if group_by else None
        produces = {"$ne": [{"$type": "$reached.producing"}, "missing"]}
        who = {"$ifNull": ["$pairs.code", "$code", "$_id.name"]}
        pipeline: list[dict[str, Any]] = [
            {"$match": {"$and": [bound, {"registered": True, "status": {"$ne": POOL}}, _NAMED]}},
            {
                "$group": {
                    "_id": {"key": key, "name": "$enterprise"},
                    "code": {"$max": "$credit_code"},
                    "pairs": {"$addToSet": {"code": "$credit_code", "producing": produces}},
                }
            },
            {"$unwind": "$pairs"},
            {"$group": {"_id": {"key": "$_id.key", "who": who}, "producing": {"$max": "$pairs.producing"}}},
            {"$group": {"_id": "$_id.key", "count": {"$sum": 1}, "producing": {"$sum": {"$toInt": "$producing"}}}},
        ]
        for row in self._documents.aggregate(pipeline, hint=hint):
            yield row["_id"] or None, row["count"], row["producing"]

    def _find(self, query: Query, lights: tuple[str, ...], now: str, limit: int, *, phased: bool) -> list[Document]:
        """Documents by what they show; with `phased` also projects that show the lights of their phases."""
        bound, hint = bound_by(query.zones)
        conditions = [bound, *query.conditions]
        if set(lights) == set(LIGHTS):
            lights = ()
        if query.grey_over is not None:
            conditions.append(grey(query.grey_over, now))
        with translated():
            rolled = self._phased(query.zones) if lights or query.stages else {}
            if query.stages:
                matching = [id_ for id_, row in rolled.items() if row["stage"] in query.stages]
                conditions.append(_shown({"stage": {"$in": [*query.stages]}}, rolled, matching))
            if lights:
                conditions.append({"status": {"$ne": POOL}})  # there nothing shows a light
                matching = [id_ for id_, row in rolled.items() if light_at(row["lights"], now)["light"] in lights]
                conditions.append(_shown(lit(lights, now), rolled, matching if phased else []))
            if query.after is not None:
                conditions.append(query.sort.after(*query.after))
            found = self._documents.find({"$and": conditions}, _WITHOUT_FOLD)
            return list(found.sort(query.sort.keys()).hint(hint).limit(limit))

    def _phased(self, zones: tuple[str, ...]) -> dict[str, Document]:
        """Light and stage of the projects that show those of their phases."""
        bound, hint = bound_by(zones)
        found = self._rollups.find({**bound, "phased": True}, {"stage": 1, "lights.light": 1, "lights.from": 1})
        return {row["_id"]: row for row in found.hint(hint)}


def showing(query: Query) -> tuple[str, ...]:
    """The lights of projects that may have a clock to be listed: one shows its worst, so it may be worse."""
    return LIGHTS[: 1 + max(LIGHTS.index(light) for light in query.lights or (RED,))]


def paged(
    query: Query,
    found: Sequence[Document],
    shown: Callable[[Document], Iterable[dict[str, Any]]],
    key: Callable[[Document], tuple[Any, str]],
) -> tuple[list[dict[str, Any]], str | None]:
    """The page of what is `shown` of these projects, one more than the page at most, and where the next page begins."""
    items: list[dict[str, Any]] = []
    after, skip = query.after, query.skip
    for document in found[: query.limit]:
        rows = list(shown(document))[skip:]
        room = query.limit - len(items)
        items += rows[:room]
        if len(rows) > room:
            return items, query.cursor(after, skip + room)
        after, skip = key(document), 0
    return items, query.cursor(after) if len(found) > query.limit else None


def _shown(own: Condition, rolled: Mapping[str, Document], matching: list[str]) -> Condition:
    """Projects that show something themselves, or by their phases; `rolled` never show their own."""
    if not rolled:
        return own
    return {"$or": [{**own, "_id": {"$nin": [*rolled]}}, {"_id": {"$in": matching}}]}


@dataclass(frozen=True, slots=True)
class Part:
    """Some projects of one funnel; `adds_to`: the project that they are increments of."""

    key: Any
    cell: Cell
    sums: Sums
    adds_to: str | None


def summed(
    parts: Iterable[Part], bases: Collection[str], enterprises: Iterable[tuple[Any, int, int]], group_by: str | None
) -> list[dict[str, Any]]:
    """The funnels of these parts, each with its `key` where they are grouped; `bases`: registered projects."""
    funnels: dict[Any, Funnel] = {} if group_by else {None: Funnel()}
    for part in parts:
        cell = replace(part.cell, increment=part.adds_to in bases)
        funnels.setdefault(part.key, Funnel()).add(cell, part.sums)
    for key, count, producing in enterprises:
        if key in funnels:  # a phase may lack what its root is grouped by
            funnels[key].enterprises, funnels[key].enterprises_producing = count, producing
    return [
        {**({"key": key} if group_by else {}), **funnel.answer()}
        for key, funnel in sorted(funnels.items(), key=lambda item: (item[0] is None, str(item[0])))
    ]


_SAME = dict.fromkeys(("sameness", "parent", "increment_of", "status"), 1)
_COUNTED = dict.fromkeys(
    ("route", "status", "kind", "land_contract", "increment_of", "investment", *(set(GROUPS) - {"month"})), 1
)


_NAMED: Condition = {"$or": [{"enterprise": {"$ne": None}}, {"credit_code": {"$ne": None}}]}
_OWN_CONDITIONS: Mapping[str, Any] = {
    "projects": {"$ne": ["$kind", AGREEMENT]},
    "key_projects": {"$and": [{"$eq": ["$key", True]}, {"$ne": ["$kind", AGREEMENT]}]},
    "carriers": {"$eq": ["$kind", CARRIER]},
}
_OWN: Mapping[str, Any] = {
    "_id": None,
    **{
        name: {"$sum": {"$cond": [{"$and": [condition, {"$lte": ["$increment_of", None]}]}, 1, 0]}}
        for name, condition in _OWN_CONDITIONS.items()
    },
    **{
        f"{name}_yuan": {"$sum": {"$cond": [condition, "$investment", 0]}}
        for name, condition in _OWN_CONDITIONS.items()
    },
}
"""An increment adds its money and is no project, as in the funnel."""


def _by_cell(group_by: str | None) -> dict[str, Any]:
    """Group projects that are alike in everything that is counted by, and sum them."""
    known = {"$gt": ["$investment", None]}
    arrived = {"$ifNull": ["$progress.arrived_total", "$paid_in"]}
    return {
        "$group": {
            "_id": {
                "key": GROUPS[group_by] if group_by else None,
                "route": "$route",
                "status": "$status",
                "stage": "$stage",
                "agreement": {"$eq": ["$kind", AGREEMENT]},
                "landed": {"$gt": ["$land_contract", None]},
                "adds_to": "$increment_of",
                "verified": {"$ifNull": ["$verified", []]},  # no document of an earlier version has it
                "missing": "$missing",  # what is reached are the others up to the stage: cheaper to group by
            },
            "projects": {"$sum": 1},
            "investment": {"$sum": "$investment"},
            "unknown": {"$sum": {"$cond": [known, 0, 1]}},
            "arrived": {"$sum": {"$cond": [known, arrived, 0]}},
            "arrived_unknown": {"$sum": {"$cond": [{"$and": [known, {"$lte": [arrived, None]}]}, 1, 0]}},
        }
    }


def _part(row: Document) -> Part:
    group = row["_id"]
    stages, stage = stages_of(group.get("route")), group.get("stage")
    cell = Cell(
        group.get("route"),
        stage,
        frozenset(stages[: stages.index(stage) + 1] if stage in stages else ()) - {*group["missing"]},
        withdrawn=group["status"] == WITHDRAWN,
        agreement=group["agreement"],
        landed=group["landed"],
        verified=frozenset(group["verified"]),
    )
    sums = Sums(row["projects"], row["investment"], row["unknown"], row["arrived"], row["arrived_unknown"])
    return Part(group.get("key") or None, cell, sums, group.get("adds_to"))


def rolled_part(document: Document, rolled: Document, group_by: str | None) -> Part:
    """A root with phases: a stage is reached when its first phase has reached it."""
    reached, investment = rolled["reached"], document.get("investment")
    cell = Cell(
        document.get("route"),
        rolled["stage"],
        frozenset(reached),
        withdrawn=document["status"] == WITHDRAWN,
        agreement=document.get("kind") == AGREEMENT,
        landed=document.get("land_contract") is not None,
        verified=frozenset(rolled.get("verified", ())),
    )
    arrived = rolled["money"]["arrived"] if investment is not None else 0
    sums = Sums(1, investment or 0, int(investment is None), arrived or 0, int(arrived is None))
    key = (reached.get("signed") or "")[:7] if group_by == "month" else document.get(group_by) if group_by else None
    return Part(key or None, cell, sums, document.get("increment_of"))


def bound_by(zones: tuple[str, ...]) -> tuple[Condition, str]:
    """The condition that bounds a plan, and the index it runs on."""
    if zones:
        return {"zone": {"$in": list(zones)}}, "zone"
    return {"_id": {"$gt": ""}}, "_id_"


def _key(query: Query, document: Document) -> tuple[Any, str]:
    return document.get(query.sort.path), document["_id"]


def definitions(language: str) -> dict[str, str]:
    """What the numbers of a funnel mean, in the caller's language."""
    column = 0 if language == "zh-CN" else 1
    return {name: words[column] for name, words in _DEFINITIONS.items()}


_DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "projects": (
        "已登记的项目（分期并入总项目，增资不另计），含已退出，不含储备项目",
        "Registered projects; phases count with their root, increments with the project they add to; withdrawn ones "
        "included, the pool left out",
    ),
    "withdrawn": ("其中已退出的项目", "Those of them that were withdrawn"),
    "agreements": ("其中合作协议；不计入各项比率", "Those of them that are agreements; no rate counts them"),
    "increments": (
        "增资：只计增加的投资额，不另计项目",
        "Increments: their investment is counted, not another project",
    ),
    "enterprises": (
        "企业数（与项目数分别统计；按统一社会信用代码，无代码的按名称）",
        "Enterprises, counted apart from projects: by credit code, by name where there is none",
    ),
    "enterprises_producing": ("其中有项目投产的企业", "Those of them with a project in production"),
    "investment": (
        "投资额合计（元）：总项目之和，含增资，不加分期；金额不详的不计入",
        "The sum of the investments of the roots in yuan, increments included, phases not added; unknown amounts add "
        "nothing",
    ),
    "investment_unknown": ("金额不详的项目数", "Projects whose investment is not known"),
    "increment_investment": ("其中增资的投资额（元）", "Of it the investment of increments, in yuan"),
    "reached": (
        "已到达该节点的项目（含已退出），只计本路径上的节点；分期项目以首个到达的分期为准",
        "Projects that have reached the stage, withdrawn ones included; only stages of the project's own route count; "
        "a root has reached it when its first phase has",
    ),
    "verified": (
        "已核实 / 已报：所报节点中经上报人以外的人核实的项目；分期项目以任一分期的核实为准",
        "Of the projects that have reached the stage those whose report somebody other than its reporter verified; of "
        "a root with phases, that of any phase",
    ),
    "current": (
        "当前处于该节点的项目，不含已退出",
        "Projects whose furthest stage this is, withdrawn ones left out",
    ),
    "missing": (
        "缺报：已到达其后节点，但未报该节点的项目",
        "Projects that have reached a later stage while this one was never reported",
    ),
    "not_applicable": ("路径上没有该节点的项目", "Projects whose route does not have the stage"),
    "rates.verified": (
        "已核实：分子中，该节点或其后节点的上报经他人核实的项目；资金到位率不逐项核实",
        "Verified: of the numerator the projects of which somebody else verified a report of the stage or of a later "
        "one; money is not verified item by item",
    ),
    "rates.landed": (
        "落地率 = 已签土地合同或已进驻厂房的项目 ÷ 已签约项目；分母含已退出，不含本地增资扩产和合作协议；"
        "厂房以进场装修为准，缺报的按其后节点计",
        "Landed: projects with a land contract or in their plant ÷ projects signed. Withdrawn ones stay in the "
        "denominator; expansions on an own site and agreements are left out; a plant counts from the start of fitting "
        "out, a stage nobody reported by the one after it",
    ),
    "rates.started": (
        "开工率 = 已开工项目 ÷ 已签约项目；分母含已退出，不含合作协议；缺报的按其后节点计",
        "Started: projects started ÷ projects signed. Withdrawn ones stay in the denominator; agreements are left out; "
        "a stage nobody reported counts by the one after it",
    ),
    "rates.producing": (
        "投产率 = 已投产项目 ÷ 已签约项目；分母含已退出，不含合作协议；缺报的按其后节点计",
        "Producing: projects in production ÷ projects signed. Withdrawn ones stay in the denominator; agreements are "
        "left out; a stage nobody reported counts by the one after it",
    ),
    "rates.funds_arrived": (
        "资金到位率 = 到位资金 ÷ 签约投资额（元）；含已退出和增资，不含合作协议和投资额不详的项目；未报到位资金的按0计",
        "Funds arrived: money arrived ÷ investment contracted, in yuan. Withdrawn projects and increments included; "
        "agreements and projects of unknown investment are left out; money that nobody reported counts as none",
    ),
}
