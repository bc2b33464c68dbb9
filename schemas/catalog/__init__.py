"""The event types, area by area: one row each. A new area is a module here, and its `ROWS` in the tuple below."""

from __future__ import annotations

from schemas.catalog import (
    blockers,
    common,
    decisions,
    enterprises,
    matters,
    people,
    performance,
    pool,
    procedures,
    projects,
    resources,
    taskforce,
    zones,
)
from schemas.catalog.rows import EventType

ROWS: tuple[EventType, ...] = (
    *projects.ROWS,
    *performance.ROWS,
    *blockers.ROWS,
    *procedures.ROWS,
    *pool.ROWS,
    *resources.ROWS,
    *people.ROWS,
    *enterprises.ROWS,
    *zones.ROWS,
    *decisions.ROWS,
    *taskforce.ROWS,
    *matters.ROWS,
    *common.ROWS,
)
"""Every event type."""
