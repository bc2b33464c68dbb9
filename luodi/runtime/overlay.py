"""Files that come with us and those of the operator's folder that take their place."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple


class File(NamedTuple):
    """A configuration file: its name without `.toml`, where it stands, as faults tell it, and what it says."""

    stem: str
    source: str
    text: str


def files(folder: str, config_dir: Path | None, faults: list[str]) -> Iterator[File]:
    """The TOML files of a folder of `seeds` with the operator's over them, by name; one that cannot be read is a fault.

    A file of the operator's takes the place of the packaged one of the same name.
    """
    found: dict[str, tuple[str, Traversable]] = {}
    places: list[tuple[str, Traversable]] = [(folder, resources.files("seeds").joinpath(folder))]
    if config_dir is not None:
        places.append((str(config_dir / folder), config_dir / folder))
    for place, entries in places:
        if entries.is_dir():
            for entry in entries.iterdir():
                if entry.name.endswith(".toml") and entry.is_file():
                    found[entry.name.removesuffix(".toml")] = (f"{place}/{entry.name}", entry)
    for stem, (source, entry) in sorted(found.items()):
        try:
            # An editor on Windows may have put a byte order mark before the text.
            yield File(stem, source, entry.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as exc:
            faults.append(f"{source}: {exc}")
