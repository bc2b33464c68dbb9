"""Procedures as data: which unit decides on a kind of procedure (审批事项), and within how many days.

A *statute* says what is laid down for one kind of procedure from a day on. An application is decided under the statute
that was valid on the day it was accepted. Limits count from that day, which is not counted itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

CountedIn = Literal["working_days", "calendar_days"]
Words = Mapping[str, str]  # {"zh", "en"}


@dataclass(frozen=True, slots=True)
class Statute:
    """What holds for one kind of procedure from ``valid_from`` on; amounts are days of ``unit``.

    ``pledged`` is the limit where the applicant gives a pledge (告知承诺) in the place of papers, ``lanes`` those of
    projects on a fast lane: the shortest that applies holds. ``extendable`` is the most by which it may be extended.
    """

    kind: str  # as people call it, and as events name it: 施工许可
    name_en: str
    valid_from: date
    amount: int
    unit: CountedIn
    extendable: int = 0
    pledged: int | None = None
    lanes: Mapping[str, int] = field(default_factory=dict)
    authority: Words = field(default_factory=dict)  # who decides by law; a zone names its unit
    basis: Words = field(default_factory=dict)  # where the limit comes from, as shown to people
    link: str | None = None

    @property
    def name(self) -> dict[str, str]:
        """What it is called in both languages."""
        return {"zh": self.kind, "en": self.name_en}

    @property
    def key(self) -> str:
        """What tells it from every other one."""
        return f"{self.kind}@{self.valid_from}"

    def limit(self, lanes: Iterable[str], *, pledged: bool) -> tuple[int, str | None]:
        """The days an application has, and the lane that shortened them, if one did."""
        found: list[tuple[int, str | None]] = [(self.amount, None)]
        if pledged and self.pledged is not None:
            found.append((self.pledged, None))
        found += [(self.lanes[lane], lane) for lane in lanes if lane in self.lanes]
        return min(found, key=lambda row: row[0])

    def content(self) -> dict[str, Any]:
        """Everything it says, as JSON."""
        return asdict(self) | {"valid_from": self.valid_from.isoformat(), "lanes": dict(sorted(self.lanes.items()))}


@dataclass(frozen=True, slots=True)
class Statutes:
    """All statutes on file, and the units that decide in each zone.

    Raises ValueError when a kind has two statutes of one date.
    """

    rows: tuple[Statute, ...] = ()
    units: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by zone: the unit of each kind
    _by_kind: dict[str, list[Statute]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_kind: dict[str, list[Statute]] = {}
        for row in sorted(self.rows, key=lambda row: row.valid_from):
            known = by_kind.setdefault(row.kind, [])
            if known and known[-1].valid_from == row.valid_from:
                raise ValueError(f"{row.key} stands twice")
            known.append(row)
        object.__setattr__(self, "_by_kind", by_kind)

    def kinds(self) -> tuple[str, ...]:
        """Every kind on file, in the order of the files."""
        return tuple(dict.fromkeys(row.kind for row in self.rows))

    def newest(self) -> Iterator[Statute]:
        """The last statute of each kind."""
        for kind in self.kinds():
            yield self._by_kind[kind][-1]

    def on(self, kind: str, day: date) -> Statute | None:
        """What holds for a kind on a business date; None for a kind that is not on file, or not yet."""
        valid = [row for row in self._by_kind.get(kind, ()) if row.valid_from <= day]
        return valid[-1] if valid else None

    def unit_of(self, kind: str, zone: str | None) -> str | None:
        """The unit that decides on a kind in a zone; None where the zone names none."""
        return self.units.get(zone or "", {}).get(kind)

    def content(self) -> dict[str, Any]:
        """Everything they say, as JSON that is equal for equal statutes."""
        return {
            "statutes": {row.key: row.content() for row in sorted(self.rows, key=lambda row: row.key)},
            "units": {zone: dict(sorted(units.items())) for zone, units in sorted(self.units.items())},
        }


NO_STATUTES = Statutes()
