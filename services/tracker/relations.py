"""What is told of a project beside its own document: its phases and tenants, and who is likely the same project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from luodi.domain.assess import POOL, WITHDRAWN
from luodi.domain.clocks import LIGHTS, light_at
from luodi.domain.counting import duplicate_warning
from luodi.domain.rollup import MUTE
from luodi.domain.stages import PRODUCING, stages_of
from services.tracker.ports import Document

HELD = ("officer", "group_head", "lead_unit", "leader", "vice_leader")
"""The fields of a project that name who is responsible: persons, posts or units."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside some documents."""

    rollups: Mapping[str, Document] = field(default_factory=dict)  # by id
    same: Mapping[str, Sequence[str]] = field(default_factory=dict)  # ids of counted projects by the mark they share
    holding: Mapping[str, str] = field(default_factory=dict)  # who holds what these documents name, by the id named

    def holders(self, document: Document) -> dict[str, str]:
        """Who holds what a project names, by the field that names it."""
        return {name: self.holding.get(named, named) for name in HELD if (named := document.get(name))}

    def duplicates(self, document: Document) -> list[str]:
        """The projects that are likely this one, registered again."""
        if not may_be_double(document):
            return []
        others = self.same.get(document["sameness"], ())
        return [other for other in others if other != document["_id"]]

    def warnings(self, document: Document) -> list[dict[str, Any]]:
        """What in the record of this project does not fit to that of others."""
        others = self.duplicates(document)
        return [duplicate_warning(others)] if others else []

    def tag(self, document: Document) -> tuple[object, ...]:
        """What an entity tag depends on besides the document."""
        rollup = self.rollups.get(document["_id"])
        version = None if rollup is None else rollup["version"]
        return (version, self.duplicates(document), *self.holders(document).values())

    def shown(self, document: Document) -> Document:
        """The document with the light and the stages that it shows: those of its phases where they stand for it."""
        rollup = self.rollups.get(document["_id"])
        if rollup is None or not rollup["phased"]:
            return document
        stage, reached = rollup["stage"], rollup["reached"]
        stages = stages_of(document.get("route"))
        return document | {
            "lights": rollup["lights"],
            "reached": reached,
            "stage": stage,
            "stage_since": rollup["stage_since"],
            "next_stage": rollup["next_stage"],
            "missing": [s for s in stages[: stages.index(stage)] if s not in reached] if stage else [],
        }

    def rollup(self, document: Document, now: str) -> dict[str, Any] | None:
        """The roll-up as answered; None for a project without phases and tenants."""
        row = self.rollups.get(document["_id"])
        if row is None or not (row["phases"] or row["tenants"]):
            return None
        tenants = [tenant for tenant in row["tenants"] if tenant["status"] not in MUTE]
        return {
            "light": light_at(row["lights"], now)["light"] if row["lights"] else None,
            "stage": row["stage"],
            "stage_since": row["stage_since"],
            "next_stage": row["next_stage"],
            "all_producing": row["all_producing"],
            "all_producing_since": row["all_producing_since"],
            "spread": row["spread"],
            "money": row["money"],
            "phases": _members(row["phases"], now),
            "tenants": _members(row["tenants"], now)
            | {
                "enterprises": len({tenant["enterprise"] for tenant in tenants} - {None}),
                "producing": sum(tenant["stage"] == PRODUCING for tenant in tenants),
            },
        }


def may_be_double(document: Document) -> bool:
    """Whether a project is counted on its own and says on which parcel and for whom it is."""
    return (
        document.get("sameness") is not None
        and document.get("parent") is None
        and document.get("increment_of") is None
        and document["status"] not in MUTE
    )


def _members(rows: Sequence[Document], now: str) -> dict[str, Any]:
    """Phases or tenants: how many, in which lights, and each; withdrawn ones, and those in the pool, are shown and not
    counted."""
    told = [
        {
            **{name: value for name, value in row.items() if name not in {"lights", "enterprise"}},
            "light": None if row["status"] == POOL else light_at(row["lights"], now)["light"],
        }
        for row in rows
    ]
    counted = Counter(row["light"] for row in told if row["status"] not in MUTE)
    return {
        "count": counted.total(),
        "withdrawn": sum(row["status"] == WITHDRAWN for row in told),
        "lights": {light: counted[light] for light in LIGHTS},
        "items": told,
    }
