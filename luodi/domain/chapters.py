"""Chapters: the parts of a document that tell of what a zone does beside the stages.

A chapter is made of entries (see `luodi.domain.handlers.entry`) and only where there are some: a document without them
has no such key, and a project without them costs nothing. As everywhere no clock is read: what depends on the day is a
step function of time or an instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.handlers import State
from luodi.domain.rules import Rules

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """What a chapter is made from. `calendar` is that of the subject's zone."""

    subject: str
    state: State
    rules: Rules
    calendar: Calendar

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the subject is registered with."""
        fields: Mapping[str, Any] = self.state["fields"]
        return fields

    def rows(self, slot: str) -> Iterator[Row]:
        """The entries of a slot with their ids, in the order of recording."""
        return ({"id": id_, **entry} for id_, entry in self.state["entries"].get(slot, {}).items())

    def by(self, slot: str, name: str) -> dict[str, list[Row]]:
        """The entries of a slot by what they name in a field: those that belong to an earlier entry, by its id."""
        found: dict[str, list[Row]] = {}
        for row in self.rows(slot):
            found.setdefault(row[name], []).append(row)
        return found

    def day_of(self, row: Mapping[str, Any], name: str = "date") -> str:
        """The business date of an entry; that of its recording where none was given."""
        return row.get(name) or self.calendar.business_date(row["recorded_at"]).isoformat()


@dataclass(frozen=True, slots=True)
class Chapter:
    """One part of the documents of a kind of subject.

    `name` is its key. `told` makes it; it is asked only where one of `slots` holds anything.
    """

    kind: str
    name: str
    slots: tuple[str, ...]
    told: Callable[[Telling], Any]


def written(chapters: Iterable[Chapter], telling: Telling) -> dict[str, Any]:
    """The chapters of a document that there is anything to tell in."""
    entries = telling.state["entries"]
    return {
        chapter.name: chapter.told(telling) for chapter in chapters if any(slot in entries for slot in chapter.slots)
    }
