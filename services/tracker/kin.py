"""Families of the past: what a project was by its phases, from the cells that were picked.

The cells stand in for the documents that a roll-up is made from; what a roll-up means is said in one place, the
domain's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from luodi.domain.clocks import LIGHTS
from luodi.domain.days import BEGINNING, END_OF_TIME
from luodi.domain.rollup import MAX_DEPTH, Family, counted, roll_up
from luodi.domain.stages import STAGES
from services.tracker.cells import NO_LIGHT, STATUSES, VERIFIED_FROM, date_of, stages_in
from services.tracker.columns import MONEY, UNKNOWN, Columns, Picked
from services.tracker.ports import Document

_WORDS = (
    "registered",
    "zone",
    "route",
    "kind",
    "key",
    "phased",
    "source",
    "parent",
    "carrier",
    "increment_of",
    "industry",
    "chain",
    "park",
    "leader",
    "lead_unit",
    "origin",
    "landed",
)
"""What is needed of a face to roll up and to count."""


def phased(columns: Columns, picked: Picked) -> dict[str, Document]:
    """The roll-ups of the projects that show the light and the stage of their phases."""
    own = np.isin(columns.face(picked, "phased"), columns.codes("phased", [True]))
    shown = {columns.subjects[owner] for owner in picked.owner[own].tolist()}
    named, family = _families(columns, picked, shown)
    rows = {id_: roll_up(id_, family) for id_ in named}
    return {id_: row for id_, row in rows.items() if row["phased"]}


def rolled(columns: Columns, picked: Picked) -> dict[str, Document]:
    """What all projects that others name as their parent are counted by, each with its `document` (None: not there)."""
    named, family = _families(columns, picked, None)
    return {id_: counted(id_, family) | {"document": family.documents.get(id_)} for id_ in named}


def _families(columns: Columns, picked: Picked, of: Collection[str] | None) -> tuple[list[str], Family]:
    """The ids that these (None: all) projects are named by as a parent, and everything about their phases."""
    parents = columns.face(picked, "parent")
    phases = np.flatnonzero(parents != columns.missing("parent"))
    if not len(phases) or (of is not None and not of):
        return [], Family.of(())
    words = columns.words("parent")
    named = sorted({words[code] for code in np.unique(parents[phases]).tolist()})
    places = columns.places(picked, named)
    involved = np.union1d(phases, np.array([place for place in places.values() if place >= 0], dtype=np.int64))
    found = documents(columns, picked, involved.tolist())
    family = Family.of({**document, "carrier": None} for document in found)  # tenants count for nothing here
    return [id_ for id_ in named if of is None or id_ in of], family


def members(columns: Columns, picked: Picked, ids: Iterable[str]) -> set[str]:
    """Everything that stood below these projects: phases, and tenants, and the phases of both."""
    found: set[str] = set()
    level = set(ids)
    for _ in range(MAX_DEPTH + 1):
        below: set[str] = set()
        for link in ("parent", "carrier"):
            codes = columns.codes(link, level)
            if codes:
                owners = picked.owner[np.isin(columns.face(picked, link), codes)]
                below |= {columns.subjects[owner] for owner in owners.tolist()}
        level = below - found
        if not level:
            break
        found |= level
    return found


def documents(columns: Columns, picked: Picked, places: list[int]) -> list[Document]:
    """As much of the documents at these places as rolling up and counting need."""
    part = picked.where(np.array(places, dtype=np.int64))
    faces: dict[str, list[Any]] = {}
    for name in _WORDS:
        words = columns.words(name)
        faces[name] = [words[code] for code in columns.face(part, name).tolist()]
    for name in MONEY:
        faces[name] = [None if amount == UNKNOWN else amount for amount in columns.face(part, name).tolist()]
    cells = {
        name: part.cells[name].tolist() for name in ("stage", "status", "light", "reached", "shows", "signed", "since")
    }
    return [
        _document(
            columns.subjects[owner],
            {name: values[n] for name, values in faces.items()},
            {name: values[n] for name, values in cells.items()},
        )
        for n, owner in enumerate(part.owner.tolist())
    ]


def _document(subject: str, face: dict[str, Any], cell: dict[str, int]) -> Document:
    light = LIGHTS[-1] if cell["light"] == NO_LIGHT else LIGHTS[cell["light"]]
    stages = [stage for number, stage in enumerate(STAGES) if cell["reached"] & 1 << number]
    stage = STAGES[cell["stage"] - 1] if cell["stage"] else None
    return {
        "_id": subject,
        **face,
        "status": STATUSES[cell["status"]],
        "stage": stage,
        "stage_since": date_of(cell["since"]),
        # Of the other stages only that they were reached is known, and counted.
        "reached": {name: date_of(cell["signed"]) if name == STAGES[0] else None for name in stages},
        "verified": [name for name in STAGES if name in stages_in(cell["shows"] >> VERIFIED_FROM)],
        "progress": {"arrived_total": face["arrived"]},
        "land_contract": {} if face["landed"] else None,
        "lights": [{"light": light, "from": BEGINNING, "to": END_OF_TIME, "reason": {"code": "seen"}}],
    }
