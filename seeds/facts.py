"""The published facts as events: zones, their projects and their figures."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from seeds import zone
from seeds.event import SeedEvent
from seeds.files import read_toml


def published_events() -> tuple[SeedEvent, ...]:
    """The published zones, then their projects and figures in the order of the file names."""
    told = (event for file in _files() for event in read_toml(file.name, file.read_text(encoding="utf-8")))
    return (*zone.registered(), *told)


def _files() -> list[Traversable]:
    folder = files("seeds").joinpath("published")
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
