"""Reported figures as files: those packaged with us and the operator's own, one file per zone."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from luodi.domain.days import last_day
from luodi.domain.figures import MEASURES, Breakdown, Figure, Part
from luodi.runtime import overlay

FOLDER = "figures"  # in LUODI_CONFIG_DIR; a file is named after its zone
PACKAGED = "published"  # in `seeds`

_HEADER = ("source", "as_of")
_TABLES = {"figure", "breakdown"}
_OF_SEEDS = {"defaults", "project", "event"}  # the packaged files hold projects too: those are loaded as events


@dataclass(frozen=True, slots=True)
class Figures:
    """All reported figures, in the order of zones and of their files."""

    figures: Sequence[Figure] = ()
    breakdowns: Sequence[Breakdown] = ()

    def of(self, zones: Collection[str]) -> Figures:
        """Those of some zones; all of them when none is named."""
        if not zones:
            return self
        return Figures(
            tuple(figure for figure in self.figures if figure.zone in zones),
            tuple(row for row in self.breakdowns if row.zone in zones),
        )

    def measured_zones(self) -> set[str]:
        """The zones with a figure that is set beside our own count."""
        rows: list[Figure | Breakdown] = [*self.figures, *self.breakdowns]
        return {row.zone for row in rows if row.measure is not None}


NO_FIGURES = Figures()


def packaged() -> Figures:
    """The figures that come with us. Raises ValueError with every fault found."""
    faults: list[str] = []
    found = load(None, None, faults)
    if faults:
        raise ValueError("; ".join(faults))
    return found


def load(config_dir: Path | None, zones: Collection[str] | None, faults: list[str]) -> Figures:
    """Read all figures; what is wrong is added to `faults`. An operator's file replaces the packaged one of its zone.

    `zones` are those known, None when that is not to be looked at.
    """
    figures: list[Figure] = []
    breakdowns: list[Breakdown] = []
    for zone, where, text in overlay.files(FOLDER, config_dir, faults, packaged=PACKAGED):
        if zones is not None and zone not in zones:
            faults.append(f"{where}: there is no zone {zone!r}")
        document = _document(where, text, faults)
        header = {name: document.get(name) for name in _HEADER}
        figures += _figures(zone, where, header, document, faults)
        breakdowns += _breakdowns(zone, where, header, document, faults)
    return Figures(tuple(figures), tuple(breakdowns))


def _document(where: str, text: str, faults: list[str]) -> dict[str, Any]:
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as exc:
        faults.append(f"{where}: {exc}")
        return {}
    unknown = document.keys() - {*_HEADER, *_TABLES, *_OF_SEEDS}
    faults.extend(f"{where}: unknown key {name!r}" for name in sorted(unknown))
    return document


def _figures(
    zone: str, where: str, header: Mapping[str, Any], document: Mapping[str, Any], faults: list[str]
) -> Iterator[Figure]:
    for place, told in _rows(where, document, "figure", faults):
        row = {**header, **told}
        if _fits(place, row, _FIGURE, _REQUIRED, faults):
            if (row.get("value") is None) is ("words" not in row):
                faults.append(f"{place}: either a value or words")
            yield Figure(zone=zone, **row | {"words": tuple(row.get("words", ()))})


def _breakdowns(
    zone: str, where: str, header: Mapping[str, Any], document: Mapping[str, Any], faults: list[str]
) -> Iterator[Breakdown]:
    for place, row in _rows(where, document, "breakdown", faults):
        parts = [
            Part(**part) for at, part in _rows(place, row, "part", faults) if _fits(at, part, _PART, _PART, faults)
        ]
        rest = {**header, **{name: value for name, value in row.items() if name != "part"}}
        if _fits(place, rest, _BREAKDOWN, {*_REQUIRED, "count", "amount", "word", "word_en"}, faults):
            rest["named_amounts"] = tuple(rest.get("named_amounts", ()))
            yield Breakdown(zone=zone, parts=tuple(parts), **rest)


def _rows(where: str, table: Mapping[str, Any], key: str, faults: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults.append(f"{where}: `{key}` stands in double brackets: [[{key}]]")
        return
    seen: set[Any] = set()
    for number, row in enumerate(rows, 1):
        place = f"{where}: {key} {number}"
        if "id" in row:
            if row["id"] in seen:
                faults.append(f"{place}: id {row['id']!r} stands twice")
            seen.add(row["id"])
        yield place, row


def _fits(
    place: str,
    row: Mapping[str, Any],
    kinds: Mapping[str, tuple[type, ...]],
    required: Collection[str],
    faults: list[str],
) -> bool:
    """Whether a row may become a value; if not, why."""
    found = [f"{place}: {name} is missing" for name in required if row.get(name) is None]
    for name, value in row.items():
        if name not in kinds:
            found.append(f"{place}: unknown key {name!r}")
        elif value is not None and type(value) not in kinds[name]:
            found.append(f"{place}: {name} must be {' or '.join(kind.__name__ for kind in kinds[name])}")
    if not found:
        if row.get("measure") is not None and row["measure"] not in MEASURES:
            found.append(f"{place}: measure is one of {', '.join(MEASURES)}")
        if "as_of" in row and not _is_date(row["as_of"]):
            found.append(f"{place}: as_of = {row['as_of']!r} is no date")
    faults.extend(found)
    return not found


def _is_date(text: str) -> bool:
    try:
        last_day(text)
    except ValueError:
        return False
    return True


_NUMBER = (int, Decimal)
_TEXT = (str,)
_REQUIRED = ("id", "name", "name_en", "source", "as_of")
_COMMON: Mapping[str, tuple[type, ...]] = {**dict.fromkeys(_REQUIRED, _TEXT), "measure": _TEXT}
_FIGURE: Mapping[str, tuple[type, ...]] = {
    **_COMMON,
    **dict.fromkeys(("value", "before", "change"), _NUMBER),
    **dict.fromkeys(("unit", "word", "before_word", "period", "project"), _TEXT),
    "words": (list,),
}
_PART: Mapping[str, tuple[type, ...]] = {"name": _TEXT, "name_en": _TEXT, "count": (int,), "amount": (int,)}
_BREAKDOWN: Mapping[str, tuple[type, ...]] = {
    **_COMMON,
    **dict.fromkeys(("word", "word_en"), _TEXT),
    **dict.fromkeys(("count", "amount"), (int,)),
    "named_amounts": (list,),
}
