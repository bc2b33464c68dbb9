"""Days stay with whoever held the post: on which days a person held what a project named, and what light it showed.

A project is its holder's day by day: from the business date on which it was recorded to name an id (the first one from
the project's beginning), as far as that id came down to the person on that day. Lights are those that are true by what
is known now, as `as_of` answers them. Nothing is stored: histories and the register of people answer it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.clocks import LIGHTS
from luodi.domain.days import day_text, first_day, instant, parse_instant
from luodi.domain.history import LAST_DAY
from luodi.domain.people import holders_line
from services.tracker.cells import DATED, KNOWN_FOR_EVER, NO_LIGHT, STATUSES
from services.tracker.columns import Columns, Life
from services.tracker.holding import Holders
from services.tracker.relations import HELD

Stretch = tuple[int, int]
"""Business days as ordinals, the last one excluded."""

BEFORE_ALL = 1  # the ordinal of the first day there is


@dataclass(frozen=True, slots=True)
class Share:
    """What a person had of a project under one of its fields: the days, by light."""

    project_id: str
    name: str | None
    zone: str | None
    field: str
    first: int
    last: int
    lights: Mapping[str, int]

    def told(self) -> dict[str, Any]:
        """As answered."""
        return {
            "project_id": self.project_id,
            "name": self.name,
            "zone": self.zone,
            "field": self.field,
            "from": day_text(self.first),
            "to": day_text(self.last),
            "days": _counted(self.lights),
        }


class Days:
    """Answers from the histories in memory and the register of people."""

    def __init__(self, columns: Columns, holders: Holders, calendar: Callable[[], Calendar]) -> None:
        self._columns = columns
        self._holders = holders
        self._calendar = calendar

    def of(self, person: str, since: int, until: int, zones: Collection[str] = ()) -> list[Share]:
        """What a person held between two business days, both included, by project. Raises TransientError."""
        held = self._held(person)
        if not held:
            return []
        found: list[Share] = []
        with self._columns.lock:
            lives = list(self._columns.lives(HELD, held.keys()))
        for life in lives:
            last = life.faces[-1]
            if zones and last["zone"] not in zones:
                continue
            shown = list(_shown(life))
            for field in HELD:
                mine = _within(list(self._named(life, field, held)), since, until + 1)
                lights = Counter[str]()
                for begin, end, light in shown:
                    lights[light] += sum(b - a for a, b in _within(mine, begin, end))
                if lights.total():
                    days = [day for begin, end, _ in shown for span in _within(mine, begin, end) for day in span]
                    found.append(
                        Share(life.subject, last["name"], last["zone"], field, min(days), max(days) - 1, lights)
                    )
        return sorted(found, key=lambda share: (share.project_id, HELD.index(share.field)))

    def _held(self, person: str) -> dict[str, list[Stretch]]:
        """By each id under which a project may name it, the days on which it came down to the person."""
        named = self._holders.ever_naming([person])
        known = self._holders.known(named)
        turns = sorted({BEFORE_ALL, LAST_DAY, *_turns(known.values())})
        lines = {
            id_: [
                (begin, end)
                for begin, end in pairwise(turns)
                if holders_line(id_, day_text(begin), known.get)[-1] == person
            ]
            for id_ in named
        }
        return {id_: stretches for id_, stretches in lines.items() if stretches}

    def _named(self, life: Life, field: str, held: Mapping[str, Sequence[Stretch]]) -> Iterator[Stretch]:
        """The days on which a project named, under a field, what was the person's on that day."""
        calendar = self._calendar()
        begins = [calendar.business_day(_instant(moment)) for moment in life.moments]
        begins[0] = BEFORE_ALL
        for face, begin, end in zip(life.faces, begins, [*begins[1:], LAST_DAY], strict=True):
            yield from _within(held.get(face[field], ()), begin, end)


def _shown(life: Life) -> Iterator[tuple[int, int, str]]:
    """The lights of a project by day, as they are true by what is known now, without the days on which it had none."""
    for cell in life.cells:
        if cell["known_to"] != KNOWN_FOR_EVER or not cell["shows"] & DATED or cell["light"] == NO_LIGHT:
            continue
        if STATUSES[cell["status"]] != "withdrawn":
            yield cell["begin"], cell["end"], LIGHTS[cell["light"]]


def _within(stretches: Sequence[Stretch], begin: int, end: int) -> list[Stretch]:
    found = [(max(first, begin), min(last, end)) for first, last in stretches]
    return [(first, last) for first, last in found if first < last]


def _turns(documents: Collection[Mapping[str, Any]]) -> Iterator[int]:
    """The days on which somebody takes over from somebody."""
    for document in documents:
        for row in (*document.get("holders", ()), *document.get("handovers", ())):
            yield first_day(row["date"]).toordinal()
            if row["until"] is not None:
                yield (first_day(row["until"]) + timedelta(days=1)).toordinal()


def _instant(milliseconds: int) -> str:
    return instant(_EPOCH + timedelta(milliseconds=milliseconds))


_EPOCH = parse_instant("1970-01-01T00:00:00.000Z")


def totals(shares: Sequence[Share]) -> dict[str, dict[str, Any]]:
    """How many projects, and days by light, under each field."""
    by_field: dict[str, list[Share]] = {}
    for share in shares:
        by_field.setdefault(share.field, []).append(share)
    return {
        field: {"projects": len(mine), "days": _counted(sum((Counter(s.lights) for s in mine), Counter[str]()))}
        for field, mine in by_field.items()
    }


def _counted(lights: Mapping[str, int]) -> dict[str, int]:
    return {"held": sum(lights.values()), **{light: lights.get(light, 0) for light in LIGHTS}}
