"""Targets: what a zone, a unit or a leader is to reach in a year, and how far they have come.

A target is an event on its zone (``target.set``). It names one of our own measures, or a reported figure of the zone.
Set again it holds as set last; the first value is kept and the changes are counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain.chapters import Chapter, Telling
from luodi.domain.figures import PERCENT, YUAN
from luodi.domain.handlers import Handler, entry
from luodi.domain.investing import MONTHS, share
from luodi.domain.measures import MEASURES
from luodi.domain.stages import Language
from luodi.domain.subjects import ZONE

TARGET_SET = "target.set"

Number = int | float
Row = Mapping[str, Any]


def _told(telling: Telling) -> list[dict[str, Any]]:
    """Of each thing that is aimed at the target set last, beside the first; see `place`."""
    held: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in telling.rows(TARGETS):
        earlier = held.get(place(row))
        first = {"first": row["value"], "changes": 0}
        if earlier is not None:
            changed = int(row["value"] != earlier["value"])
            first = {"first": earlier["first"], "changes": earlier["changes"] + changed}
        held[place(row)] = {**row, **first}
    return list(held.values())


def place(row: Row) -> tuple[Any, ...]:
    """What a target is aimed at: a year, what is measured, and whose it is (the zone's where nobody is named)."""
    return row["year"], row.get("measure"), row.get("figure"), row.get("unit"), row.get("leader")


@dataclass(frozen=True, slots=True)
class Attainment:
    """A target beside what was reached: numbers in the unit of the target, None where nothing is known of it.

    ``expected`` is what the target asks for up to the end of the month ``month`` (序时); None where it is aimed at how
    things stand, which has no share of a year.
    """

    value: Number
    own: Number | None
    month: int
    expected: Number | None = None
    percent_of: bool = True  # whether a share of the target says anything: not of growth rates

    @property
    def percent(self) -> float | None:
        return share(self.own, self.value) if self.own is not None and self.percent_of else None

    @property
    def difference(self) -> Number | None:
        """What was reached less the target: negative while it is not reached."""
        return None if self.own is None else round(self.own - self.value, 4)

    @property
    def reached(self) -> bool | None:
        return None if self.own is None else self.own >= self.value

    @property
    def points(self) -> float | None:
        """Percentage points of the target ahead of the share of the year (negative: behind)."""
        due = None if self.expected is None else share(self.expected, self.value)
        return None if due is None or self.percent is None else round(self.percent - due, 1)


def attainment(target: Row, own: Number | None, month: int, unit: str) -> Attainment:
    """How far a target is reached, by what was counted or reported of it and the months that are over (0 to 12)."""
    measure = MEASURES.get(target.get("measure") or "")
    paced = measure is not None and measure.yearly
    return Attainment(
        target["value"],
        own,
        month,
        expected=expected(target["value"], target.get("by_month"), month) if paced else None,
        percent_of=unit != PERCENT,
    )


def expected(value: Number, by_month: Sequence[Number] | None, month: int) -> Number:
    """What is due of a target by the end of a month: the sum of its months, without them an equal share."""
    if by_month:
        return round(sum(by_month[:month]), 4)
    due = value * month / MONTHS
    return int(due) if due == int(due) else round(due, 2)


def sentence(name: str, target: Row, found: Attainment, unit: str, language: Language) -> str:
    """The target and how far it is reached, in one sentence. ``name``: what is aimed at, in words."""
    zh = language == "zh-CN"
    told = {"year": target["year"], "name": name, "value": _amount(found.value, unit, language)}
    if found.own is None:
        return (_UNKNOWN[0] if zh else _UNKNOWN[1]).format(**told)
    own = _amount(found.own, unit, language)
    percent = "" if found.percent is None else f"，完成{found.percent}%" if zh else f", {found.percent}% of it"
    points, pace = found.points, ""
    if points:
        words = _PLACES[points > 0][0 if zh else 1]
        pace = words.format(points=abs(points))
    return (_REACHED[0] if zh else _REACHED[1]).format(**told, own=own, percent=percent, pace=pace)


def _amount(value: Number, unit: str, language: Language) -> str:
    if unit != YUAN:
        return f"{value}{unit}" if language == "zh-CN" or unit == PERCENT else f"{value}"
    wan = round(value / 10_000, 2)
    text = f"{wan:.2f}".rstrip("0").rstrip(".")
    return f"{text}万元" if language == "zh-CN" else f"{text} ten thousand yuan"


_UNKNOWN = ("{year}年目标：{name}{value}；尚无数据", "target of {year}: {name} {value}; nothing is known of it yet")
_REACHED = (
    "{year}年目标：{name}{value}；已完成{own}{percent}{pace}",
    "target of {year}: {name} {value}; {own} reached{percent}{pace}",
)
_PLACES = {
    True: ("，快于序时{points}个百分点", ", {points} points ahead of the year"),
    False: ("，慢于序时{points}个百分点", ", {points} points behind the year"),
}

TARGETS = "targets"

FIELDS: Mapping[str, tuple[str, ...]] = {}
HANDLERS: Mapping[str, Handler] = {TARGET_SET: entry(TARGETS)}
CHAPTERS: tuple[Chapter, ...] = (Chapter(ZONE, TARGETS, (TARGETS,), _told),)
