"""The published projects as events; the figures in the same files are read by `luodi.runtime.figures`."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from seeds.event import SeedEvent
from seeds.files import read_toml


def published_events() -> tuple[SeedEvent, ...]:
    """The published projects of all zones, in the order of the file names."""
    return tuple(event for file in _files() for event in read_toml(file.name, file.read_text(encoding="utf-8")))


def _files() -> list[Traversable]:
    folder = files("seeds").joinpath("published")
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
