"""Procedures (审批事项) across projects: lists, and what each unit has to decide on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.clocks import LIGHTS, light_at
from luodi.domain.days import first_day
from luodi.domain.procedures import IN_TIME, LATE, STATES, days_used, of_unit
from luodi.domain.reasons import ZH
from luodi.domain.stages import Language
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Query, lit
from services.tracker.ports import Document
from services.tracker.queries import paged
from services.tracker.views import Viewer

GROUPS = ("unit", "kind")
"""What a summary can be divided by."""

_OF_PROJECT = ("name", "zone", "parent", "lead_unit", "group_head", "officer", "lanes")
_LISTED: Mapping[str, int] = dict.fromkeys((*_OF_PROJECT, "procedures"), 1)
_COUNTED: Mapping[str, int] = {"zone": 1} | {
    f"procedures.{name}": 1
    for name in (
        *("kind", "name", "unit", "state", "start", "limit", "due", "missing_due", "ended", "over", "verdict"),
        *("paused_by", "lights.light", "lights.from"),
    )
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which procedures are asked for: an empty tuple or None asks for nothing."""

    states: tuple[str, ...]
    statuses: tuple[str, ...]  # of the project
    kinds: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    lights: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()  # of the project
    projects: tuple[str, ...] = ()
    due_before: str | None = None  # the decision, or something that is missing

    def conditions(self, now: str) -> list[Condition]:
        """The projects that have at least one of them."""
        found: list[Condition] = [
            # A unit decides on few of all: its mark finds them quicker than a state does.
            {"procedures_in": {"$in": [of_unit(unit) for unit in self.units] or list(self.states)}},
            {"procedures": {"$elemMatch": self._one(now)}},
            {"status": {"$in": list(self.statuses)}},
        ]
        if self.lanes:
            found.append({"lanes": {"$in": list(self.lanes)}})
        if self.projects:
            found.append({"_id": {"$in": list(self.projects)}})
        return found

    def _one(self, now: str) -> Condition:
        wanted = {"state": self.states, "kind": self.kinds, "unit": self.units}
        one: Condition = {name: {"$in": list(values)} for name, values in wanted.items() if values}
        if self.lights:
            one |= lit(self.lights, now)
        if self.due_before is not None:
            before = {"$lt": self.due_before}
            one["$or"] = [{"due": before, "ended": None}, {"missing_due": before}]
        return one

    def admits(self, row: Mapping[str, Any], now: str) -> bool:
        """The same of one procedure."""
        wanted = {"state": self.states, "kind": self.kinds, "unit": self.units}
        if any(values and row[name] not in values for name, values in wanted.items()):
            return False
        if self.lights and light_at(row["lights"], now)["light"] not in self.lights:
            return False
        if self.due_before is None:
            return True
        dues = [row["missing_due"], row["due"] if row["ended"] is None else None]
        return any(due is not None and due < self.due_before for due in dues)


class Procedures:
    """What the routes ask the stores. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database["projects"]

    def page(self, wanted: Wanted, query: Query, viewer: Viewer) -> tuple[list[dict[str, Any]], str | None]:
        """One page of procedures, in the order of their projects' ids. `limit` counts procedures."""
        conditions = [*wanted.conditions(viewer.now), *query.conditions]
        if query.after is not None:
            conditions.append(query.sort.after(*query.after))
        with translated():
            matching = self._documents.find({"$and": conditions}, _LISTED).sort(query.sort.keys())
            found = list(matching.hint("procedures").limit(query.limit + 1))
        return paged(query, found, partial(_shown, wanted=wanted, viewer=viewer), lambda row: (None, row["_id"]))

    def summary(self, wanted: Wanted, query: Query, viewer: Viewer, group_by: str) -> list[dict[str, Any]]:
        """The procedures of each unit, or of each kind, counted: the most overdue first."""
        conditions = [*wanted.conditions(viewer.now), *query.conditions]
        sums: dict[str | None, Sums] = {}
        with translated():
            for document in self._documents.find({"$and": conditions}, _COUNTED).hint("procedures"):
                for row in document["procedures"]:
                    if wanted.admits(row, viewer.now):
                        sums.setdefault(row[group_by], Sums()).add(row, document.get("zone"), viewer)
        rows = [{group_by: key, **found.answer()} for key, found in sums.items()]
        return sorted(rows, key=lambda row: (-row["overdue"], -row["open"], row[group_by] or ""))


class Sums:
    """What the procedures of a unit add up to."""

    def __init__(self) -> None:
        self._states = dict.fromkeys(STATES, 0)
        self._lights = dict.fromkeys(LIGHTS, 0)
        self._verdicts = {IN_TIME: 0, LATE: 0}
        self._overdue = self._days_over = self._missing_overdue = self._used = self._allowed = 0

    def add(self, row: Mapping[str, Any], zone: str | None, viewer: Viewer) -> None:
        """Count one more."""
        today = viewer.today.isoformat()
        self._states[row["state"]] = self._states.get(row["state"], 0) + 1
        self._lights[light_at(row["lights"], viewer.now)["light"]] += 1
        if row["missing_due"] is not None and row["missing_due"] < today:
            self._missing_overdue += 1
        if row["ended"] is None:
            if row["due"] is not None and row["due"] < today:
                self._overdue += 1
                self._days_over += (viewer.today - first_day(row["due"])).days
        elif row["verdict"] is not None:
            self._verdicts[row["verdict"]] += 1
            self._used += days_used(row, viewer.calendar.of(zone), viewer.today) or 0
            self._allowed += row["limit"]["amount"]

    def answer(self) -> dict[str, Any]:
        """The figures as they are told; their definitions are told once beside them."""
        ended = self._states[STATES[-1]]
        return {
            "open": sum(self._states.values()) - ended,
            "overdue": self._overdue,
            "days_over": self._days_over,
            "missing_overdue": self._missing_overdue,
            "ended": ended,
            **self._verdicts,
            "percent_used": None if not self._allowed else round(100 * self._used / self._allowed, 1),
            "states": self._states,
            "lights": self._lights,
        }


def _shown(document: Document, wanted: Wanted, viewer: Viewer) -> Iterator[dict[str, Any]]:
    for row in document["procedures"]:
        if wanted.admits(row, viewer.now):
            yield {
                "project_id": document["_id"],
                **{f"project_{name}" if name == "name" else name: document.get(name) for name in _OF_PROJECT},
                **viewer.procedure(row, document),
            }


def definitions(language: Language) -> dict[str, str]:
    """What each number of a summary means."""
    place = 0 if language == ZH else 1
    return {name: texts[place] for name, texts in _DEFINITIONS.items()}


_DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "open": ("未办结的审批事项，含提前介入和补正中的", "Procedures not decided, talks and corrections included"),
    "overdue": (
        "已超过办理期限仍未办结的事项；补正、听证、评审、检验期间不计",
        "Procedures past their due date and not decided; corrections, hearings, reviews and inspections do not count",
    ),
    "days_over": ("超期事项各自超期的自然日合计", "The calendar days by which they are past their due dates, added up"),
    "missing_overdue": (
        "容缺或承诺的材料逾期未补的事项；由申请人负责，不计入责任单位",
        "Procedures of which something that is missing is past its due date: charged to the applicant, not to the unit",
    ),
    "ended": ("已办结的事项", "Procedures decided"),
    IN_TIME: ("按期办结的事项", "Procedures decided in time"),
    LATE: ("超期办结的事项", "Procedures decided late"),
    "percent_used": (
        "已办结事项实际用时占期限的百分比（合计用时÷合计期限），不计未设期限的",
        "Of the days that decided procedures had, the part that was used, in percent; those without a limit left out",
    ),
    "states": ("按状态计数", "Counted by state"),
    "lights": ("按灯色计数，含逾期未补材料", "Counted by light, what is missing included"),
}
