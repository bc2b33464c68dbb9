"""The published facts: projects as events, zone figures as figures with their source.

A figure is no project and has no endpoint; it is kept here as data, exactly as published, for queries and pages to
show. A published sum is never made to fit its parts: the difference is part of what is shown.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from seeds.event import SeedEvent
from seeds.files import read_toml

YUAN_PER_YI = 100_000_000  # 亿
YUAN = "元"


@dataclass(frozen=True, slots=True)
class Figure:
    """One published number (or list of words) of a zone.

    `value` and `before` are in `unit`; amounts are whole yuan (unit 元). `word` stands before the value (超过, 约),
    `change` is the change on the year before in percent, `project` the project it belongs to.
    """

    zone: str
    id: str
    name: str
    name_en: str
    source: str
    as_of: str
    value: int | Decimal | None = None
    unit: str = ""
    word: str = ""
    before: int | Decimal | None = None
    before_word: str = ""
    change: int | Decimal | None = None
    period: str | None = None
    project: str | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One named part of a published sum; `amount` in yuan."""

    name: str
    name_en: str
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A published sum beside its published parts, which need not add up; amounts in yuan."""

    zone: str
    id: str
    name: str
    name_en: str
    source: str
    as_of: str
    count: int
    amount: int
    word: str
    word_en: str
    parts: tuple[Part, ...]
    named_amounts: tuple[int, ...] = ()

    @property
    def parts_count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def parts_amount(self) -> int:
        return sum(part.amount for part in self.parts)

    @property
    def difference(self) -> int:
        """The published sum less the published parts, in yuan."""
        return self.amount - self.parts_amount

    def sentence(self) -> str:
        """The sum, its parts and what they leave open, as it must be shown."""
        parts = "、".join(f"{part.name}{part.count}个{yi(part.amount)}亿元" for part in self.parts)
        return (
            f"{self.name}{self.count}个，{yi(self.amount)}亿元；{self.word}：{parts}，"
            f"合计{self.parts_count}个{yi(self.parts_amount)}亿元，差额{yi(self.difference)}亿元"
        )


def yi(amount: int) -> str:
    """An amount in yuan as 亿元, exactly: 24898000000 is 248.98."""
    return format((Decimal(amount) / YUAN_PER_YI).normalize(), "f")


def published_events() -> tuple[SeedEvent, ...]:
    """The published projects of all zones, in the order of the file names."""
    return tuple(event for file in _files() for event in read_toml(file.name, file.read_text(encoding="utf-8")))


def figures(zone: str | None = None) -> tuple[Figure, ...]:
    """The published figures, of one zone or of all."""
    found = (
        Figure(zone=name, words=tuple(row.pop("words", ())), **row)
        for name, header, document in _documents()
        for row in _rows(document, "figure", header)
    )
    return tuple(figure for figure in found if zone in {None, figure.zone})


def breakdowns(zone: str | None = None) -> tuple[Breakdown, ...]:
    """The published sums with their parts, of one zone or of all."""
    found = (
        Breakdown(
            zone=name,
            parts=tuple(Part(**part) for part in row.pop("part")),
            named_amounts=tuple(row.pop("named_amounts", ())),
            **row,
        )
        for name, header, document in _documents()
        for row in _rows(document, "breakdown", header)
    )
    return tuple(breakdown for breakdown in found if zone in {None, breakdown.zone})


def _files() -> list[Traversable]:
    folder = files("seeds").joinpath("published")
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def _documents() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for file in _files():
        document = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        yield file.name.removesuffix(".toml"), {key: document[key] for key in ("source", "as_of")}, document


def _rows(document: dict[str, Any], key: str, header: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return ({**header, **row} for row in document.get(key, []))
