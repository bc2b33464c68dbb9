"""Reported figures: numbers somebody has published, told as they were published and beside what is counted here.

A figure is an event on the zone it is of (``figure.reported``): who said it, of when, and what it means stand with it.
Reported again for the same period it is a correction, and both stay in the zone's timeline. A reported sum is never
made to fit its parts, nor a reported count our own: both are shown, with the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from luodi.domain.chapters import Chapter, Telling
from luodi.domain.days import first_day, last_day, last_ordinal
from luodi.domain.handlers import Handler, entry
from luodi.domain.money import yi
from luodi.domain.stages import Language
from luodi.domain.subjects import ZONE

FIGURE_REPORTED = "figure.reported"

Row = Mapping[str, Any]

YUAN = "元"
PERCENT = "%"


@dataclass(frozen=True, slots=True)
class Reported:
    """Something that was reported of a zone, under a name, by somebody, as of a day.

    ``id`` is what it is called among the figures of its zone, ``corrected`` how often it was reported before for the
    same period.
    """

    zone: str
    id: str
    name: str
    name_en: str
    source: str
    as_of: str
    measure: str | None
    period: str | None
    definition: str | None
    definition_en: str | None
    event_id: str
    recorded_at: str
    corrected: int


@dataclass(frozen=True, slots=True)
class Figure(Reported):
    """One reported number (or list of words) of a zone.

    ``value`` and ``before`` are in ``unit``; amounts are whole yuan (unit 元). ``word`` stands before the value (超过,
    约), ``change`` is the change on the year before in percent, ``project`` the project it belongs to. ``measure``
    names what of our own count it is set beside.
    """

    value: int | float | None = None
    unit: str = ""
    word: str = ""
    before: int | float | None = None
    before_word: str = ""
    change: int | float | None = None
    project: str | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One named part of a reported sum; ``amount`` in yuan."""

    name: str
    name_en: str
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class Breakdown(Reported):
    """A reported sum beside its reported parts, which need not add up; amounts in yuan.

    ``word`` says how the parts stand to the whole (主要: the main ones only).
    """

    count: int = 0
    amount: int = 0
    word: str = ""
    word_en: str = ""
    parts: tuple[Part, ...] = ()
    named_amounts: tuple[int, ...] = ()

    @property
    def parts_count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def parts_amount(self) -> int:
        return sum(part.amount for part in self.parts)

    @property
    def difference(self) -> int:
        """The reported sum less the reported parts, in yuan."""
        return self.amount - self.parts_amount

    @property
    def difference_count(self) -> int:
        return self.count - self.parts_count

    def sentence(self, language: Language = "zh-CN") -> str:
        """The sum, its parts and what they leave open, as it must be shown."""
        return _zh(self) if language == "zh-CN" else _en(self)


def figures_of(zone: str, rows: Iterable[Row]) -> list[Figure | Breakdown]:
    """The figures of a zone as its document tells them."""
    return [_figure(zone, row) if row.get("count") is None else _sum(zone, row) for row in rows]


def newest(rows: Iterable[Row]) -> list[Row]:
    """Of each figure the report of the latest day, in the order in which the figures were first reported."""
    latest: dict[str, Row] = {}
    for row in rows:
        before = latest.get(row["figure"])
        if before is None or last_ordinal(row["as_of"]) >= last_ordinal(before["as_of"]):
            latest[row["figure"]] = row
    return list(latest.values())


def of_year(rows: Iterable[Row], figure: str, year: int) -> Row | None:
    """What was reported of a figure for a year, the latest day of it; None where nothing was."""
    found = [row for row in rows if row["figure"] == figure and _year(row) == year]
    return max(found, key=lambda row: last_ordinal(row["as_of"]), default=None)


def _year(row: Row) -> int:
    """The year that a report is of: that in which its period ends, without one that of its day."""
    return year_of(row.get("period") or row["as_of"])


def year_of(period: str) -> int:
    """The year that a period, or a day, is of: that in which it ends."""
    return int(period.rpartition("/")[2][:4])


def part_of_year(period: str | None) -> tuple[date, date] | None:
    """The first and the last day of its year that a period covers; None where that is all of it, or there is none."""
    if period is None:
        return None
    begins, _, ends = period.rpartition("/")
    first, last = first_day(begins or ends), last_day(ends)
    first = max(first, date(last.year, 1, 1))
    return None if (first, last) == (date(last.year, 1, 1), date(last.year, 12, 31)) else (first, last)


def _told(telling: Telling) -> list[dict[str, Any]]:
    """Of each figure and period the report that holds: the one recorded last."""
    held: dict[tuple[str, str], dict[str, Any]] = {}
    for row in telling.rows(FIGURES):
        place = (row["figure"], row.get("period") or row["as_of"])
        earlier = held.get(place)
        held[place] = {**row, "corrected": 0 if earlier is None else earlier["corrected"] + 1}
    return list(held.values())


def _head(zone: str, row: Row) -> dict[str, Any]:
    return {
        "zone": zone,
        "id": row["figure"],
        "name": row["name"],
        "name_en": row.get("name_en") or row["name"],
        "source": row["source"],
        "as_of": row["as_of"],
        "measure": row.get("measure"),
        "period": row.get("period"),
        "definition": row.get("definition"),
        "definition_en": row.get("definition_en"),
        "event_id": row["id"],
        "recorded_at": row["recorded_at"],
        "corrected": row["corrected"],
    }


def _figure(zone: str, row: Row) -> Figure:
    return Figure(
        **_head(zone, row),
        value=row.get("value"),
        unit=row.get("unit") or "",
        word=row.get("word") or "",
        before=row.get("before"),
        before_word=row.get("before_word") or "",
        change=row.get("change"),
        project=row.get("project"),
        words=tuple(row.get("words") or ()),
    )


def _sum(zone: str, row: Row) -> Breakdown:
    parts = [
        Part(part["name"], part.get("name_en") or part["name"], part["count"], part["amount"])
        for part in row.get("parts") or ()
    ]
    word = row.get("word") or ""
    return Breakdown(
        **_head(zone, row),
        count=row["count"],
        amount=row["value"],
        word=word,
        word_en=row.get("word_en") or word,
        parts=tuple(parts),
        named_amounts=tuple(row.get("named_amounts") or ()),
    )


def _zh(sum_: Breakdown) -> str:
    whole = f"{sum_.name}{sum_.count}个，{yi(sum_.amount)}亿元"
    if not sum_.parts:
        return whole
    parts = "、".join(f"{part.name}{part.count}个{yi(part.amount)}亿元" for part in sum_.parts)
    lacking = f"{sum_.difference_count}个" if sum_.difference_count else ""
    word = f"{sum_.word}：" if sum_.word else ""
    return (
        f"{whole}；{word}{parts}，"
        f"合计{sum_.parts_count}个{yi(sum_.parts_amount)}亿元，差额{lacking}{yi(sum_.difference)}亿元"
    )


def _en(sum_: Breakdown) -> str:
    whole = f"{sum_.count} {sum_.name_en}, {yi(sum_.amount)} hundred million yuan"
    if not sum_.parts:
        return whole
    parts = ", ".join(f"{part.name_en} {part.count} for {yi(part.amount)}" for part in sum_.parts)
    lacking = f"{sum_.difference_count} and " if sum_.difference_count else ""
    word = f"{sum_.word_en} " if sum_.word_en else ""
    return (
        f"{whole}; {word}{parts}, "
        f"together {sum_.parts_count} for {yi(sum_.parts_amount)}: a difference of {lacking}{yi(sum_.difference)}"
    )


FIGURES = "figures"

FIELDS: Mapping[str, tuple[str, ...]] = {}
HANDLERS: Mapping[str, Handler] = {FIGURE_REPORTED: entry(FIGURES)}
CHAPTERS: tuple[Chapter, ...] = (Chapter(ZONE, FIGURES, (FIGURES,), _told),)
