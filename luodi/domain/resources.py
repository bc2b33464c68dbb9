"""Land and buildings as resources (三块地): found, freed, offered, taken.

A resource is a subject of its own. Its state (待盘活 → 盘活中 → 可供 → 已供) is told by dated events; projects are
assigned to it, in whole or in part, and released. What is left of it on a day follows from both, and so does 已供: what
is to be had and has been assigned to the last bit is taken, until it is released. Land is measured in mu, buildings in
square metres of floor.

Which project it is assigned to is told of the resource alone: a project finds its resources when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from luodi.domain.chapters import Chapter, Telling
from luodi.domain.handlers import Handler, amend, entry, register
from luodi.domain.subjects import RESOURCE

RESOURCE_REGISTERED = "resource.registered"
RESOURCE_AMENDED = "resource.amended"
RESOURCE_STATE_CHANGED = "resource.state_changed"
RESOURCE_ASSIGNED = "resource.assigned"
RESOURCE_RELEASED = "resource.released"

# States.
TO_FREE = "待盘活"
FREEING = "盘活中"
OFFERED = "可供"
TAKEN = "已供"
STATES = (TO_FREE, FREEING, OFFERED, TAKEN)

LAND = ("净地", "低效用地", "闲置用地")
PLANTS = ("低效厂房", "标准厂房")
RESOURCE_KINDS = (*LAND, *PLANTS)

BEGINS_AS: Mapping[str, str] = {"净地": OFFERED, "标准厂房": OFFERED}
"""The state of a resource of which no state was told, by its kind; of the others TO_FREE."""

MU = "mu"
M2 = "m2"

RESOURCE_FIELDS = (
    "name",
    "kind",
    "zone",
    "park",
    "parcel",
    "area_mu",
    "floor_m2",
    "storeys",
    "industries",
    "holder",
    "unit",
    "carrier",
    "ready_by",
    "source",
    "as_of",
)

FIRST = "1970-01-01"  # business dates begin in 1980
LAST = "9999-12-31"
_DECIMALS = 4  # as many as an area may have

Row = dict[str, Any]

_CHANGES = "state_changes"
_ASSIGNMENTS = "assignments"
_RELEASES = "releases"


def measure_of(kind: str | None) -> str:
    """What a resource of a kind is measured in."""
    return M2 if kind in PLANTS else MU


def size_of(fields: Mapping[str, Any]) -> float | None:
    """How large a resource is, in its measure; None where that is not known."""
    size: float | None = fields.get(_size_name(fields))
    return size


def _size_name(fields: Mapping[str, Any]) -> str:
    return "floor_m2" if measure_of(fields.get("kind")) == M2 else "area_mu"


def tally(resources: Iterable[Mapping[str, Any]], day: str) -> list[Row]:
    """How many there are of each kind in each state on a business date, how large they are, and what of it is free.

    ``unknown`` counts those whose size is not known; they add nothing to ``size``.
    """
    found: dict[tuple[str, str], Row] = {}
    for resource in resources:
        kind, stand, size = resource.get("kind") or "", stand_on(resource, day), size_of(resource)
        row = found.setdefault(
            (kind, stand["state"]),
            {"kind": kind, "state": stand["state"], "measure": measure_of(kind), "count": 0, "unknown": 0}
            | {"size": 0, "free": 0},
        )
        row["count"] += 1
        row["unknown"] += size is None
        row["size"] = exact(row["size"] + (size or 0))
        row["free"] = exact(row["free"] + (stand["free"] or 0))
    return [found[key] for key in sorted(found, key=_place)]


def _place(key: tuple[str, str]) -> tuple[int, int]:
    kind, state = key
    return RESOURCE_KINDS.index(kind) if kind in RESOURCE_KINDS else len(RESOURCE_KINDS), STATES.index(state)


def begins_as(kind: str | None) -> str:
    """The state of a resource of a kind while none was told."""
    return BEGINS_AS.get(kind or "", TO_FREE)


def stand_on(document: Mapping[str, Any], day: str) -> Row:
    """How a resource stands on a business date, by its document; see ``_stands``."""
    stands: Sequence[Row] = document.get("stands") or [_stand(document, None, ())]
    return next((stand for stand in reversed(stands) if stand.get("from", FIRST) <= day), stands[0])


def _assignments(telling: Telling) -> list[Row]:
    """Who has it and who had it, by the day it was assigned, each with the day of its release (None: has it still)."""
    releases = telling.by(_RELEASES, "assignment_id")
    found: list[Row] = []
    for row in telling.rows(_ASSIGNMENTS):
        release = releases[row["id"]][-1] if row["id"] in releases else None
        ended = None if release is None else telling.day_of(release)
        found.append(row | {"ended": ended, "reason": None if release is None else release.get("reason")})
    return sorted(found, key=telling.day_of)


def _stands(telling: Telling) -> list[Row]:
    """How it stands day by day: ``{state, free, over, projects, from, to}``, ``to`` exclusive, without a hole.

    ``free`` is what is not assigned, in the resource's measure, whether or not it is to be had already; None where its
    size is not known. ``over``: how much more is assigned than there is. ``projects`` are those it is assigned to.
    """
    changes = sorted(telling.rows(_CHANGES), key=telling.day_of)
    assignments = _assignments(telling)
    days = {FIRST, *map(telling.day_of, changes), *map(telling.day_of, assignments)}
    days |= {row["ended"] for row in assignments if row["ended"] is not None}
    steps: list[Row] = []
    for day in sorted(days):
        told = [change["state"] for change in changes if telling.day_of(change) <= day]  # of one day the last recorded
        held = [row for row in assignments if telling.day_of(row) <= day < (row["ended"] or LAST)]
        stand = _stand(telling.fields, told[-1] if told else None, held)
        if steps and {name: steps[-1][name] for name in stand} == stand:
            continue
        if steps:
            steps[-1]["to"] = day
        steps.append(stand | {"from": day, "to": LAST})
    return steps


def _stand(fields: Mapping[str, Any], told: str | None, held: Sequence[Row]) -> Row:
    """By the state told last and by those who have a part of it. An assignment that names no amount is of the whole."""
    state, size, name = told or begins_as(fields.get("kind")), size_of(fields), _size_name(fields)
    parts = [row.get(name) for row in held]
    taken = sum(part for part in parts if part is not None)
    free: float | None = None
    over: float = 0
    if None in parts:
        free, over = 0, exact(taken + (parts.count(None) - 1) * (size or 0))  # beside the whole all is too much
    elif size is not None:
        free, over = max(0, exact(size - taken)), max(0, exact(taken - size))
    if state == TAKEN or (state == OFFERED and held and free == 0):
        state, free = TAKEN, 0
    return {"state": state, "free": free, "over": over, "projects": [row["project_id"] for row in held]}


def exact(number: float) -> float:
    """A size without the dust of binary fractions, and whole where it is whole."""
    rounded = round(number, _DECIMALS)
    return int(rounded) if rounded == int(rounded) else rounded


HANDLERS: Mapping[str, Handler] = {
    RESOURCE_REGISTERED: register(RESOURCE_FIELDS),
    RESOURCE_AMENDED: amend(RESOURCE_FIELDS),
    RESOURCE_STATE_CHANGED: entry(_CHANGES),
    RESOURCE_ASSIGNED: entry(_ASSIGNMENTS),
    RESOURCE_RELEASED: entry(_RELEASES),
}
"""Event type -> what it does."""

CHAPTERS: tuple[Chapter, ...] = (
    Chapter(RESOURCE, "stands", (_CHANGES, _ASSIGNMENTS, _RELEASES), _stands),
    Chapter(RESOURCE, "assignments", (_ASSIGNMENTS,), _assignments),
)

FIELDS: Mapping[str, tuple[str, ...]] = {RESOURCE: RESOURCE_FIELDS}
"""Kind of subject -> the fields it is registered with."""
