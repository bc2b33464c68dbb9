"""The five drives: what is open in each, the worst of it and who acts next, and how the counts went week by week.

The counts of now are made by the server out of the documents, those of past weeks' ends out of the columns. Of the
documents only the few that are shown are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.assess import ACTIVE, SUSPENDED
from luodi.domain.clocks import LIGHTS, RED, YELLOW
from luodi.domain.drives import DRIVES, Counts, definition, drive_of, name
from luodi.domain.explain import told_first
from luodi.domain.stages import AGREEMENT, STAGES
from luodi.runtime.mongo import translated
from services.tracker.cells import NO_LIGHT, STATUSES
from services.tracker.columns import Columns, Picked
from services.tracker.past import When, last_moment
from services.tracker.ports import Document
from services.tracker.queries import bound_by
from services.tracker.recall import Recall
from services.tracker.registry import Registry
from services.tracker.tally import mixed
from services.tracker.views import Viewer

WORST = 10
WEEKS = 8
DAYS_PER_WEEK = 7
COUNTED_STATUSES = (ACTIVE, SUSPENDED)

ByDrive = dict[str, Counts]


@dataclass(frozen=True, slots=True)
class Live:
    """The drives as they stand: their counts, and by drive the ids of the worst."""

    counts: ByDrive
    worst: Mapping[str, Sequence[str]]


class Drives:
    """What the route asks the stores. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document], registry: Registry, recall: Recall) -> None:
        self._documents: MongoCollection[Document] = database["projects"]
        self._registry = registry
        self._recall = recall

    def answer(self, zones: tuple[str, ...], viewer: Viewer, *, fresh: bool) -> list[dict[str, Any]]:
        """The drives in their order, as told. `fresh`: what was acknowledged until now is part of the past, too."""
        with ThreadPoolExecutor(1) as hand:  # the server counts what is so now while we count what was
            counting = hand.submit(self.live, zones, viewer.now)
            trend = self._trend(zones, viewer, fresh=fresh)
            live = counting.result()
        worst = self._worst([id_ for ids in live.worst.values() for id_ in ids], viewer)
        return [
            {
                "drive": drive,
                "name": name(drive, viewer.language),
                "definition": definition(drive, viewer.language),
                "gaps": [list(gap) for gap in row.gaps],
                **live.counts[drive].answer(),
                "worst": sorted(
                    (worst[id_] for id_ in live.worst[drive] if id_ in worst),
                    key=lambda item: (LIGHTS.index(item["light"]), -item["days_over"], item["due"], item["project_id"]),
                ),
                "trend": [
                    {
                        "week_end": sunday.isoformat(),
                        "known": known[drive].answer(),
                        "actual": actual[drive].answer(),
                    }
                    for sunday, known, actual in trend
                ],
            }
            for drive, row in DRIVES.items()
        ]

    def live(self, zones: tuple[str, ...], now: str) -> Live:
        """What is open now."""
        bound, hint = bound_by(zones)
        with translated():
            (found,) = self._documents.aggregate(pipeline(bound, now), hint=hint)
        counts = {drive: Counts() for drive in DRIVES}
        for row in found["counts"]:
            group = row["_id"]
            drive = drive_of(group.get("route"), group["stage"])
            counts[drive].add(drive, group["light"], row["projects"], clocked=group["clocked"])
        ranked: dict[str, list[tuple[int, str, str]]] = {drive: [] for drive in DRIVES}
        for row in found["worst"]:
            group = row["_id"]
            place = LIGHTS.index(group["light"])
            drive = drive_of(group.get("route"), group["stage"])
            ranked[drive] += [(place, one["red_from"], one["id"]) for one in row["worst"]]
        return Live(counts, {drive: [id_ for _, _, id_ in sorted(rows)[:WORST]] for drive, rows in ranked.items()})

    def _worst(self, ids: Sequence[str], viewer: Viewer) -> dict[str, dict[str, Any]]:
        """What is shown of these projects: the worst of their clocks and promises, and who acts next."""
        with translated():
            documents = list(self._documents.find({"_id": {"$in": [*ids]}}, {"fold": 0}))
        found = {d["_id"]: stall for d in documents if (stall := _worst_of(d, viewer)) is not None}
        acts = {document["_id"]: acts_next(document) for document in documents}
        acting = self._registry.acting({who["who"] for who in acts.values() if who["who"]}, viewer.today.isoformat())
        return {
            id_: stall | {"next": {**acts[id_], "acting": acting.get(acts[id_]["who"])}} for id_, stall in found.items()
        }

    def _trend(self, zones: tuple[str, ...], viewer: Viewer, *, fresh: bool) -> list[tuple[date, ByDrive, ByDrive]]:
        """The counts at each week's end, oldest first: by what was known then, and by what is known now."""
        known_now = self._recall.settled(When(None, viewer.today), None, viewer.now, fresh=fresh).known_at
        columns = self._recall.columns
        found = []
        for sunday in sundays(viewer.today):
            with columns.lock:
                then, _ = self._recall.pick(When(last_moment(sunday, viewer.calendar), None))
                now, _ = self._recall.pick(When(known_now, sunday))
                found.append((sunday, counted(columns, then, zones), counted(columns, now, zones)))
        return found


def sundays(today: date) -> Iterator[date]:
    """The last day of each of the last whole weeks, oldest first."""
    last = today - timedelta(days=today.isoweekday())
    for weeks in range(WEEKS - 1, -1, -1):
        yield last - timedelta(days=DAYS_PER_WEEK * weeks)


def counted(columns: Columns, picked: Picked, zones: Sequence[str]) -> ByDrive:
    """The drives as the picked cells show them. The caller holds the columns' lock."""
    cells = picked.cells
    kept = np.isin(cells["status"], [STATUSES.index(status) for status in COUNTED_STATUSES])
    kept &= (cells["stage"] > 0) & (cells["light"] != NO_LIGHT)
    kept &= np.isin(columns.face(picked, "registered"), columns.codes("registered", [True]))
    kept &= ~np.isin(columns.face(picked, "phased"), columns.codes("phased", [True]))
    kept &= ~np.isin(columns.face(picked, "kind"), columns.codes("kind", [AGREEMENT]))
    if zones:
        kept &= np.isin(columns.face(picked, "zone"), columns.codes("zone", zones))
    picked = picked.where(kept)
    cells = picked.cells
    route = columns.face(picked, "route")
    alike = mixed(route, cells["stage"], cells["light"], cells["due"] != 0)
    _, first, count = np.unique(alike, return_index=True, return_counts=True)
    words = columns.words("route")
    counts = {drive: Counts() for drive in DRIVES}
    rows = zip(
        route[first].tolist(),
        cells["stage"][first].tolist(),
        cells["light"][first].tolist(),
        (cells["due"][first] != 0).tolist(),
        count.tolist(),
        strict=True,
    )
    for code, stage, light, clocked, projects in rows:
        drive = drive_of(words[code], STAGES[stage - 1])
        counts[drive].add(drive, LIGHTS[light], projects, clocked=clocked)
    return counts


def acts_next(document: Document) -> dict[str, Any]:
    """Who must act next: the unit that holds the project up, else whoever is told first of a stall."""
    held = [blocker for blocker in document["blockers"] if blocker["cleared"] is None and blocker["owner"]]
    if held:
        first = min(held, key=lambda blocker: (blocker["promise"] or "9999", blocker["recorded_at"]))
        return {"role": "owner", "who": first["owner"]}
    return told_first(document)


def _worst_of(document: Document, viewer: Viewer) -> dict[str, Any] | None:
    """The clock or promise of a project that is longest overdue, else the one that is due first."""
    stalls = viewer.stalls(document, (RED, YELLOW))
    return min(
        stalls, key=lambda stall: (LIGHTS.index(stall["light"]), -stall["days_over"], stall["due"]), default=None
    )


def pipeline(bound: Mapping[str, Any], now: str) -> list[dict[str, Any]]:
    """One pass over the documents: the counts, and of what is red or yellow the first to have been due."""
    wanted = {
        "registered": True,
        "status": {"$in": [*COUNTED_STATUSES]},
        "kind": {"$ne": AGREEMENT},
        "phased": {"$ne": True},
        "stage": {"$in": [*STAGES]},
    }
    alike = {"route": "$route", "stage": "$stage", "light": "$light"}
    begun = {"$filter": {"input": "$lights", "as": "step", "cond": {"$lte": ["$$step.from", now]}}}
    shown = {"$let": {"vars": {"step": {"$last": begun}}, "in": "$$step.light"}}
    # A light turns red the day after it was due: who has been red for longest is over by most days, and a yellow one
    # that turns red first is due first.
    turns_red = {"$arrayElemAt": ["$lights.from", {"$indexOfArray": ["$lights.light", RED]}]}
    return [
        {"$match": {"$and": [bound, wanted]}},
        {
            "$project": {
                "route": 1,
                "stage": 1,
                "light": shown,
                "clocked": {"$gt": ["$due", None]},
                "red_from": turns_red,
            }
        },
        {
            "$facet": {
                "counts": [{"$group": {"_id": {**alike, "clocked": "$clocked"}, "projects": {"$sum": 1}}}],
                "worst": [
                    {"$match": {"light": {"$in": [RED, YELLOW]}}},
                    {
                        "$group": {
                            "_id": alike,
                            "worst": {
                                "$topN": {
                                    "n": WORST,
                                    "sortBy": {"red_from": 1, "_id": 1},
                                    "output": {"id": "$_id", "red_from": "$red_from"},
                                }
                            },
                        }
                    },
                ],
            }
        },
    ]
