"""Counting projects: what a funnel adds up, which rates it shows, and when two projects are likely one.

Projects that are alike in everything that is counted by make one ``Cell``; whoever holds them (a database, rows of a
history) groups them and adds each cell with its sums. The meaning of every number stands here and nowhere else.

* Counts and money stand on roots. An increment (增资) adds its money and is no project: the project was counted at its
  first signing.
* Withdrawn projects are counted and shown apart; every rate keeps them in its denominator.
* A report counts as soon as it is made (已报); beside it stands how many of them another person verified (已核实).
* A stage counts as reached from its own milestone; for a rate a later stage will do, for a milestone that nobody
  reported must not make a zone look worse than it is.
* An agreement (合作协议) has no stages to reach: it is counted, and left out of the rates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from luodi.domain.stages import EXPANSION, LAND_SUPPLIED, PRODUCING, SIGNED, STAGES, STARTED, stages_of


@dataclass(frozen=True, slots=True)
class Cell:
    """What a project is counted by."""

    route: str | None
    stage: str | None  # the furthest reached
    reached: frozenset[str]  # stages with a milestone of their own
    withdrawn: bool = False
    agreement: bool = False
    increment: bool = False  # adds to a project that is counted already
    landed: bool = False  # a land contract is recorded, whatever was reported of the stages
    verified: frozenset[str] = frozenset()  # of those reached, where another person verified the report (已核实)


@dataclass(slots=True)
class Sums:
    """What the projects of a cell add up to. Money in yuan."""

    projects: int = 0
    investment: int = 0  # of those whose investment is known
    unknown: int = 0  # projects whose investment is not
    arrived: int = 0  # of those whose investment is known
    arrived_unknown: int = 0  # projects with a known investment of which nothing says what has arrived

    def add(self, other: Sums) -> None:
        self.projects += other.projects
        self.investment += other.investment
        self.unknown += other.unknown
        self.arrived += other.arrived
        self.arrived_unknown += other.arrived_unknown


@dataclass(slots=True)
class Tally:
    """One stage of a funnel. Counts are projects; money includes that of increments."""

    reached: int = 0
    verified: int = 0
    current: int = 0
    missing: int = 0
    not_applicable: int = 0
    investment: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with what it was made of; ``percent`` to one decimal, None where there is nothing to divide by.

    ``verified``: of the numerator those that somebody else than the reporter verified; None where nothing is verified
    one by one.
    """

    numerator: int
    denominator: int
    verified: int | None = 0

    @property
    def percent(self) -> float | None:
        if self.denominator == 0:
            return None
        return (2000 * self.numerator + self.denominator) // (2 * self.denominator) / 10  # half up, in integers


@dataclass(slots=True)
class Funnel:
    """The sums of one funnel."""

    total: Sums = field(default_factory=Sums)
    withdrawn: int = 0
    increments: Sums = field(default_factory=Sums)
    agreements: int = 0
    enterprises: int = 0
    enterprises_producing: int = 0
    stages: dict[str, Tally] = field(default_factory=lambda: {stage: Tally() for stage in STAGES})
    landing: int = 0  # the denominator of 落地率: signed projects that have somewhere to land
    landed: int = 0
    landed_verified: int = 0
    past: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))  # for rates: at the stage or later
    past_verified: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    funds: Sums = field(default_factory=Sums)

    def add(self, cell: Cell, sums: Sums) -> None:
        """Add projects that are alike."""
        self.total.add(sums)
        if not cell.agreement:
            self.funds.add(sums)
        if cell.increment:
            self.increments.add(sums)
        count = 0 if cell.increment else sums.projects
        self.withdrawn += count if cell.withdrawn else 0
        self.agreements += count if cell.agreement else 0
        self._add_stages(cell, sums, count)
        if cell.agreement or cell.stage is None:
            return
        for stage in _up_to(cell):
            self.past[stage] += count
            self.past_verified[stage] += count if _verified_past(cell, stage) else 0
        if cell.route != EXPANSION:
            self.landing += count
            if has_landed(cell):
                self.landed += count
                self.landed_verified += count if _verified_past(cell, _landing(cell)) else 0

    def _add_stages(self, cell: Cell, sums: Sums, count: int) -> None:
        applies, past = stages_of(cell.route), _up_to(cell)
        for stage, tally in self.stages.items():
            if stage not in applies:
                tally.not_applicable += count
            elif stage in cell.reached:
                tally.reached += count
                tally.verified += count if stage in cell.verified else 0
                tally.investment += sums.investment
            elif stage in past:
                tally.missing += count
            if cell.stage == stage and not cell.withdrawn:
                tally.current += count

    def answer(self) -> dict[str, Any]:
        """The figures as they are told; the definitions are told once beside them."""
        return {
            "total": {
                "projects": self.total.projects - self.increments.projects,
                "withdrawn": self.withdrawn,
                "agreements": self.agreements,
                "increments": self.increments.projects,
                "enterprises": self.enterprises,
                "enterprises_producing": self.enterprises_producing,
                "investment": self.total.investment,
                "investment_unknown": self.total.unknown,
                "increment_investment": self.increments.investment,
            },
            "stages": [
                {
                    "stage": stage,
                    "reached": tally.reached,
                    "verified": tally.verified,
                    "current": tally.current,
                    "missing": tally.missing,
                    "not_applicable": tally.not_applicable,
                    "investment": tally.investment,
                }
                for stage, tally in self.stages.items()
            ],
            "rates": {
                name: {
                    "numerator": rate.numerator,
                    "verified": rate.verified,
                    "denominator": rate.denominator,
                    "percent": rate.percent,
                }
                for name, rate in self.rates().items()
            },
        }

    def rates(self) -> dict[str, Rate]:
        """落地率, 开工率, 投产率, 资金到位率: by the names their definitions bear."""
        return {
            "landed": Rate(self.landed, self.landing, self.landed_verified),
            "started": Rate(self.past[STARTED], self.past[SIGNED], self.past_verified[STARTED]),
            "producing": Rate(self.past[PRODUCING], self.past[SIGNED], self.past_verified[PRODUCING]),
            "funds_arrived": Rate(self.funds.arrived, self.funds.investment, None),
        }


def has_landed(cell: Cell) -> bool:
    """Whether a project has its land, or its plant.

    A land contract is the stage 供地, or the record of the contract itself. A lease has no stage of its own: a plant
    is taken when its fitting out begins.
    """
    if cell.landed:
        return True
    return _landing(cell) in _up_to(cell)


def arrived(document: Mapping[str, Any]) -> int | None:
    """The money of a project that has arrived so far, in yuan: as last reported, else as registered."""
    progress = document.get("progress") or {}
    reported = progress.get("arrived_total")
    return document.get("paid_in") if reported is None else reported


def sameness(document: Mapping[str, Any]) -> str | None:
    """The mark that two registrations of one project share: one investor on one parcel. None where either is unknown.

    Spelling does not count: width, case and blanks are the same in both.
    """
    investor, parcel = _plain(document.get("investor")), _plain(document.get("parcel"))
    return f"{investor}|{parcel}" if investor and parcel else None


def duplicate_warning(others: Sequence[str]) -> dict[str, Any]:
    """The warning on a project that shares its mark with others. Nothing is refused for it: two halls may stand on one
    parcel."""
    return {"code": "likely-duplicate", "others": sorted(others)}


def _plain(text: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", text or "").casefold().split())


def _up_to(cell: Cell) -> tuple[str, ...]:
    """The stages of its route up to the furthest reached, reported or not."""
    applies = stages_of(cell.route)
    return applies[: applies.index(cell.stage) + 1] if cell.stage in applies else ()


def _landing(cell: Cell) -> str:
    """The stage by which a project has somewhere to land."""
    return LAND_SUPPLIED if LAND_SUPPLIED in stages_of(cell.route) else STARTED


def _verified_past(cell: Cell, stage: str) -> bool:
    """Whether somebody else has seen that a project is at a stage or later: who verified a later one has."""
    applies = stages_of(cell.route)
    return any(applies.index(seen) >= applies.index(stage) for seen in cell.verified if seen in applies)
