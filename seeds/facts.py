"""The published facts: projects as events, zone figures as figures with their source.

A figure is no project; the tracker tells it beside its own count. A published sum is never made to fit its parts: the
difference is part of what is shown.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from luodi.domain.figures import Breakdown, Figure
from luodi.runtime.figures import packaged
from seeds.event import SeedEvent
from seeds.files import read_toml


def published_events() -> tuple[SeedEvent, ...]:
    """The published projects of all zones, in the order of the file names."""
    return tuple(event for file in _files() for event in read_toml(file.name, file.read_text(encoding="utf-8")))


def figures(zone: str | None = None) -> tuple[Figure, ...]:
    """The published figures, of one zone or of all."""
    return tuple(figure for figure in packaged().figures if zone in {None, figure.zone})


def breakdowns(zone: str | None = None) -> tuple[Breakdown, ...]:
    """The published sums with their parts, of one zone or of all."""
    return tuple(row for row in packaged().breakdowns if zone in {None, row.zone})


def _files() -> list[Traversable]:
    folder = files("seeds").joinpath("published")
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
