"""A gap between two stages, and everything on record that bears on the time it may last.

Made for every event that is folded, and read dozens of times: their attributes are plain slots, because a frozen
dataclass takes twice as long to make and a named tuple twice as long to read. Nobody changes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain.days import last_ordinal


@dataclass(slots=True, eq=False)
class Gap:
    """A gap of a project: the stage reached, the one awaited, and since when."""

    route: str
    reached: str
    awaited: str
    start: str  # business date on which the stage was reached
    closed: str | None = None  # business date on which the awaited one was; None while the gap is open


@dataclass(slots=True, eq=False)
class Facts:
    """All that bears on a gap besides its own dates; the entries are those of the folded state."""

    plans: Mapping[str, Mapping[str, Any]]  # by stage: {"baseline", "date", "changes", …}
    blockers: Sequence[Mapping[str, Any]]  # with their clears and pauses, in the order they were recorded
    fields: Mapping[str, Any]  # as registered: agreed_start_date, investment, …
    land_contract: Mapping[str, Any] | None
    annual_plans: Mapping[str, Mapping[str, Any]]  # by year, as text
    statistics: Mapping[str, Any] | None
    progress: Mapping[str, Any] | None  # as last reported
    reports: Mapping[str, int | None]  # percent by the business date of the progress
    milestones: Mapping[str, Mapping[str, Any]]  # by stage
    suspensions: Sequence[Mapping[str, Any]]
    pauses: dict[Any, Any]  # found already, by what a rule asks of a pause
    stops: dict[Any, Any]  # what is told of each, by its days and approval

    def plan_of(self, stage: str) -> str | None:
        """The planned business date of a stage as it holds now."""
        plan = self.plans.get(stage)
        return None if plan is None else plan["date"]

    def agreed(self, what: str) -> str | None:
        """A business date that was agreed: of the start in the land contract, else as registered; of what follows in
        the contract only."""
        contract = self.land_contract or {}
        if what == "agreed_start":
            return contract.get("start_by") or self.fields.get("agreed_start_date")
        return contract.get("complete_by" if what == "agreed_completion" else "produce_by")

    def standing_still_since(self) -> str | None:
        """The business date on which work stopped; None while it goes on."""
        stops = [suspension["date"] for suspension in self.suspensions if suspension["ended"] is None]
        return min(stops, key=last_ordinal, default=None)

    def report_days(self) -> list[int]:
        """The days on which a milestone was reached or progress was reported, ascending."""
        told = [milestone["date"] for milestone in self.milestones.values() if milestone["date"] is not None]
        return sorted({last_ordinal(day) for day in (*told, *self.reports)})

    def percents(self) -> list[tuple[int, int]]:
        """The reported progress by day, ascending."""
        return sorted((last_ordinal(day), percent) for day, percent in self.reports.items() if percent is not None)

    def is_invested_below(self, percent: int) -> bool:
        """Whether the part of the investment made so far is known to be under so many percent."""
        investment, invested = self.fields.get("investment"), (self.progress or {}).get("invested_total")
        if not investment or invested is None:
            return False
        return bool(invested * 100 < investment * percent)
