"""Targets as answered: each beside what was counted or reported of it, with the list behind the number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from luodi.domain import figures, targets
from luodi.domain.figures import FIGURES, YUAN
from luodi.domain.measures import MEASURES
from luodi.domain.stages import Language
from luodi.domain.targets import TARGETS, Attainment, Number
from services.tracker.measured import Measured, Scope
from services.tracker.queries import Queries
from services.tracker.reported import Own, behind
from services.tracker.zones import Zones

Row = Mapping[str, Any]

Naming = Callable[[Mapping[str, str | None]], Mapping[str, Collection[str]]]
"""Field of a project -> whom it is to name (None: anybody): all ids that come down to them today, by field."""

UNITS = {"projects": ("个", "projects"), "enterprises": ("家", "enterprises"), "money": (YUAN, YUAN)}
"""What a measure counts -> its unit."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which targets; an empty tuple asks for any. ``month``: the months of the year that are over."""

    zones: tuple[str, ...]
    year: int
    month: int
    measures: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    leaders: tuple[str, ...] = ()

    def admits(self, row: Row) -> bool:
        chosen = ((self.measures, "measure"), (self.units, "unit"), (self.leaders, "leader"))
        return row["year"] == self.year and all(not values or row.get(name) in values for values, name in chosen)


@dataclass(slots=True)
class _Counts:
    """What is counted for the targets of one zone and year, each measure once."""

    zone: str
    year: int
    measured: Measured
    queries: Queries
    naming: Naming
    owns: dict[str, Own] | None = None
    held: dict[str, list[tuple[Any, Any, Own]]] = field(default_factory=dict)

    def own(self, measure: str, unit: str | None, leader: str | None) -> int | None:
        named = self.naming({"lead_unit": unit, "leader": leader})
        if MEASURES[measure].counts == "enterprises" and named:
            # An enterprise with projects of two units is one of each: only a count of its own can tell.
            return self.measured.own(measure, Scope(self.zone, None, named)).number(measure)
        if not MEASURES[measure].yearly and not named:
            if self.owns is None:
                self.owns = dict(self.queries.owns(self.zone))
            return self.owns[measure].number(measure)
        if measure not in self.held:
            self.held[measure] = self.measured.by_holder(measure, self.zone, self.year)
        return sum(
            own.number(measure) or 0
            for by_unit, by_leader, own in self.held[measure]
            if all({"lead_unit": by_unit, "leader": by_leader}[name] in ids for name, ids in named.items())
        )


def aims(
    asked: Asked, zones: Zones, measured: Measured, queries: Queries, naming: Naming, language: Language
) -> list[dict[str, Any]]:
    """The targets that were asked for, in the order in which they were set, zone by zone."""
    rows = zones.rows(TARGETS, asked.zones)
    chosen = [(zone, [row for row in of_zone if asked.admits(row)]) for zone, of_zone in rows]
    of_figures = [zone for zone, of_zone in chosen if any(row.get("figure") for row in of_zone)]
    reported = dict(zones.rows(FIGURES, of_figures)) if of_figures else {}
    items: list[dict[str, Any]] = []
    for zone, of_zone in chosen:
        counts = _Counts(zone, asked.year, measured, queries, naming)
        items += [_item(zone, row, counts, reported.get(zone, ()), asked.month, language) for row in of_zone]
    return items


def _item(
    zone: str, row: Row, counts: _Counts, reported: Collection[Row], month: int, language: Language
) -> dict[str, Any]:
    zh, measure = language == "zh-CN", row.get("measure") or ""
    figure = figures.of_year(reported, row.get("figure") or "", row["year"])
    said = figure.get("value") if figure is not None and not row.get("unit") and not row.get("leader") else None
    own: Number | None
    link: str | None = None
    if measure in MEASURES:
        told = MEASURES[measure]
        name, unit = told.words(language), UNITS[told.counts][0 if zh else 1]
        own = counts.own(measure, row.get("unit"), row.get("leader"))
        link = behind(measure, zone, row["year"], unit=row.get("unit"), leader=row.get("leader"))
    else:
        name = row.get("figure") or measure if figure is None else _name(figure, language)
        unit = "" if figure is None else figure.get("unit") or ""
        own = said
    found = targets.attainment(row, own, month, unit)
    return {
        "id": row["id"],
        "zone": zone,
        **{name_: row.get(name_) for name_ in ("year", "measure", "figure")},
        "name": name,
        "owner": row.get("unit"),
        "leader": row.get("leader"),
        "value": row["value"],
        "unit": unit or None,
        "first": row["first"],
        "changes": row["changes"],
        "by_month": row.get("by_month"),
        **_attained(found),
        "reported": said,
        "list": link,
        **{name_: row.get(name_) for name_ in ("source", "reason", "note", "actor", "recorded_at")},
        "text": targets.sentence(name, row, found, unit, language),
    }


def _attained(found: Attainment) -> dict[str, Any]:
    return {
        "own": found.own,
        "difference": found.difference,
        "percent": found.percent,
        "reached": found.reached,
        "month": found.month,
        "expected": found.expected,
        "points": found.points,
    }


def _name(figure: Row, language: Language) -> str:
    named: str = figure["name"]
    return named if language == "zh-CN" else figure.get("name_en") or named
