"""The areas of what a zone does beside the stages, each a module with its event types, handlers and chapters.

A new area is a module and a line in `AREAS`. Each has `HANDLERS` (event type -> what it does), `CHAPTERS` (the parts of
documents it makes) and `FIELDS` (the kinds of subjects it registers, with their fields); what it has none of is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from luodi.domain import (
    decisions,
    enterprises,
    figures,
    people,
    performance,
    pool,
    procedures,
    publishing,
    qualifications,
    resources,
    services,
    targets,
    taskforce,
    upgrades,
    worked_off,
    zones,
)
from luodi.domain.chapters import Chapter
from luodi.domain.handlers import Handler


class Area(Protocol):
    """What a module of an area has."""

    HANDLERS: Mapping[str, Handler]
    CHAPTERS: tuple[Chapter, ...]
    FIELDS: Mapping[str, tuple[str, ...]]


AREAS: tuple[Area, ...] = (
    people,
    performance,
    pool,
    worked_off,
    procedures,
    resources,
    taskforce,
    zones,
    figures,
    targets,
    publishing,
    decisions,
    enterprises,
    qualifications,
    services,
    upgrades,
)

HANDLERS: Mapping[str, Handler] = {type_: handler for area in AREAS for type_, handler in area.HANDLERS.items()}
"""Event type -> what it does."""

CHAPTERS: Mapping[str, tuple[Chapter, ...]] = {
    kind: tuple(chapter for area in AREAS for chapter in area.CHAPTERS if chapter.kind == kind)
    for kind in dict.fromkeys(chapter.kind for area in AREAS for chapter in area.CHAPTERS)
}
"""Kind of subject -> the chapters of its documents."""

FIELDS: Mapping[str, tuple[str, ...]] = {kind: names for area in AREAS for kind, names in area.FIELDS.items()}
"""Kind of subject -> the fields it is registered with."""
