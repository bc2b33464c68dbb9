"""Raising output (提效): what was committed in the agreement, what was reported of it, and the clocks between the two.

A *commitment* names a measure, the value where it has one, and the day by which it is to be reached. Of several for one
measure the last recorded holds; the first day is kept, and the times it was moved to a later one are counted. A
*report* tells figures of a year or a quarter; per period and figure the last recorded holds, so the tax bureau and the
enterprise may each tell their own. A commitment is met on the last day of the first period whose figures reach it, and
stays met: it was to be reached by a day, not to be held for ever.

While a project that has reached the last stage of its route has commitments that are not met, a clock runs for each of
them on the gap from there to ``performing``. That is no stage: no milestone reports it and no funnel counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from luodi.domain import periods
from luodi.domain.calendar import Calendar
from luodi.domain.chapters import Chapter, Telling
from luodi.domain.courses import Run, dated_run
from luodi.domain.days import day_text, last_ordinal
from luodi.domain.gaps import Gap
from luodi.domain.handlers import Handler, entry
from luodi.domain.lights import render
from luodi.domain.rules import Case, Version, Yellow
from luodi.domain.subjects import PROJECT

COMMITMENT_MADE = "commitment.made"
PERFORMANCE_REPORTED = "performance.reported"

COMMITMENTS = "commitments"  # where the fold keeps them
REPORTS = "performance"

FULL_PRODUCTION = "full_production"  # 达产
INVESTMENT_INTENSITY = "investment_intensity"  # 投资强度, yuan per mu
TAX_PER_MU = "tax_per_mu"  # 亩均税收, yuan per mu and year

FIGURES = ("output", "tax", "invested_total", "capacity_percent", "jobs")
"""What a report may tell: yuan of the period; ``invested_total`` since the beginning; ``capacity_percent`` of what was
designed (达产率); ``jobs`` at the end of the period."""

PRESET = "commitment"  # the name under which clocks of commitments show where they come from
FULL_PERCENT = 100
MU_PARTS = 10_000  # areas are known to four decimals: in these parts they are whole, and comparing them is exact

Told = tuple[str, float]  # a period (or a business date), and how much was reached by its end
Reports = Mapping[str, Mapping[str, Any]]  # by period: each figure as recorded last
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be committed: how it is read from what was reported, and the rule that its clock bears."""

    id: str
    needs_value: bool
    read: Callable[[Facts, Reports, Facts | None], Iterator[Told]]
    """The commitment, the reports, the last report of the site -> what was reached when, of the whole area."""

    per_mu: bool
    version: Version


@dataclass(frozen=True, slots=True)
class Target:
    """A commitment as it holds now, with what was reported of it."""

    measure: Measure
    value: int | None
    due: str
    first_due: str
    postponed: int
    area: int | None  # parts of a mu
    reported: float | None  # as of the newest period of which anything is known
    period: str | None
    met: int | None  # the day, as an ordinal
    entry: Facts  # the commitment as recorded


def targets(entries: Mapping[str, Mapping[str, Facts]], progress: Facts | None, area_mu: float | None) -> list[Target]:
    """The commitments of a project, in the order in which their measures were first committed.

    `area_mu` is the area of the project: as in its land contract, else as registered. A commitment may name its own.
    """
    reports = by_period(entries.get(REPORTS, {}))
    made: dict[str, list[Facts]] = {}
    for commitment in entries.get(COMMITMENTS, {}).values():
        if commitment["measure"] in MEASURES:  # or only a newer version knows it
            made.setdefault(commitment["measure"], []).append(commitment)
    return [_target(MEASURES[measure], again, reports, progress, area_mu) for measure, again in made.items()]


def by_period(entries: Mapping[str, Facts]) -> dict[str, dict[str, Any]]:
    """The reported figures by period, in the order of their ends; of a year and its last quarter the quarter first."""
    found: dict[str, dict[str, Any]] = {}
    for report in entries.values():
        told = found.setdefault(report["period"], {})
        told |= {name: report[name] for name in FIGURES if report.get(name) is not None}
    return {period: found[period] for period in sorted(found, key=_by_end)}


def of_state(state: Mapping[str, Any]) -> Sequence[Target]:
    """The commitments of a folded project; see `targets`."""
    entries = state["entries"]
    if COMMITMENTS not in entries:
        return ()
    contract = state["land_contract"] or {}
    area_mu = contract.get("area_mu") or state["fields"].get("area_mu")
    return targets(entries, state["progress"], area_mu)


def gap_clocks(gap: Gap, committed: Sequence[Target], calendar: Calendar) -> list[Run]:
    """The clocks of the commitments that are not met, each with its lights by day: calendar days from the day of the
    last stage to the agreed date, which no pause moves."""
    made: list[Run] = []
    for number, target in enumerate(target for target in committed if target.met is None):
        version = target.measure.version
        figures, steps = dated_run(gap, version.rule, target.due, version, number, COMMITTED_CODES)
        figures["lights"] = render(steps, calendar)
        figures["commitment"] = {
            "measure": target.measure.id,
            "value": target.value,
            "reported": target.reported,
            "period": target.period,
        }
        made.append((figures, steps))
    return made


def verdicts(gap: Gap, committed: Sequence[Target]) -> list[dict[str, Any]]:
    """How the clocks of those commitments ended that are met."""
    start = last_ordinal(gap.start)
    found = []
    for target in committed:
        if target.met is None:
            continue
        due, version = last_ordinal(target.due), target.measure.version
        found.append(
            {
                "gap": [gap.reached, gap.awaited],
                "rule": version.rule,
                "preset": version.preset,
                "version": version.tags["version"],
                "start": day_text(start),
                "closed": day_text(target.met),
                "due": day_text(due),
                "days": max(0, target.met - start),
                "over": max(0, target.met - due),
                "verdict": "late" if target.met > due else "in_time",
            }
        )
    return found


def told_commitments(telling: Telling) -> list[dict[str, Any]]:
    """The commitments as people and programs read them."""
    return [
        {
            "measure": target.measure.id,
            "value": target.value,
            "due": target.due,
            "first_due": target.first_due,
            "postponed": target.postponed,
            "area_mu": None if target.area is None else _whole(target.area / MU_PARTS),
            "reported": target.reported,
            "period": target.period,
            "met": None if target.met is None else day_text(target.met),
            **{name: target.entry.get(name) for name in ("document", "reason", "note", "actor", "recorded_at")},
        }
        for target in of_state(telling.state)
    ]


def told_reports(telling: Telling) -> list[dict[str, Any]]:
    """The figures by period, oldest first; null where one was not told."""
    reports = by_period(telling.state["entries"].get(REPORTS, {}))
    return [{"period": period, **{name: told.get(name) for name in FIGURES}} for period, told in reports.items()]


def _target(
    measure: Measure, made: Sequence[Facts], reports: Reports, progress: Facts | None, area_mu: float | None
) -> Target:
    last, days = made[-1], [commitment["due"] for commitment in made]
    mu = last.get("area_mu") or area_mu
    area = round(mu * MU_PARTS) if mu else None
    moved = sum(last_ordinal(after) > last_ordinal(before) for before, after in pairwise(days))
    read = sorted(measure.read(last, reports, progress), key=_by_end_of_told)
    value: int | None = last.get("value")
    enough = FULL_PERCENT if value is None and not measure.needs_value else value
    met = next((period for period, much in read if _is_enough(much, enough, area, measure)), None)
    period, much = read[-1] if read else (None, None)
    if much is not None and measure.per_mu:
        much = None if area is None else much * MU_PARTS // area
    return Target(
        measure,
        value,
        days[-1],
        days[0],
        moved,
        area,
        much,
        period,
        None if met is None else periods.last_ordinal(met),
        last,
    )


def _is_enough(much: float, value: int | None, area: int | None, measure: Measure) -> bool:
    """Whether a commitment is met; never where it has no value, or no area to spread an amount over."""
    if value is None:
        return False
    if not measure.per_mu:
        return much >= value
    return area is not None and much * MU_PARTS >= value * area


def _by_end(period: str) -> tuple[int, bool]:
    return periods.last_ordinal(period), not periods.is_quarter(period)


def _by_end_of_told(told: Told) -> tuple[int, bool]:
    return _by_end(told[0])


def _whole(number: float) -> float:
    """A whole number without decimals, as it was told."""
    return int(number) if number == int(number) else number


# -- how each measure is read ---------------------------------------------------------------------------------------


def _of_years(reports: Reports, figure: str) -> Iterator[Told]:
    """A figure of whole years: as told for the year, else the sum of its four quarters where all are told."""
    for year in dict.fromkeys(period[:4] for period in reports):
        told = reports.get(year, {}).get(figure)
        if told is not None:
            yield year, told
            continue
        parts = [reports.get(quarter, {}).get(figure) for quarter in periods.quarters(year)]
        if None not in parts:
            yield year, sum(part for part in parts if part is not None)


def _production(commitment: Facts, reports: Reports, _progress: Facts | None) -> Iterator[Told]:
    """Where an annual output was agreed the output of a year decides, else the share of the designed capacity."""
    if commitment.get("value") is not None:
        yield from _of_years(reports, "output")
        return
    for period, told in reports.items():
        if "capacity_percent" in told:
            yield period, told["capacity_percent"]


def _investment(_commitment: Facts, reports: Reports, progress: Facts | None) -> Iterator[Told]:
    """All that was invested so far, by the reports of performance and the last one of the site."""
    for period, told in reports.items():
        if "invested_total" in told:
            yield period, told["invested_total"]
    if progress is not None and progress["invested_total"] is not None and progress["date"] is not None:
        yield progress["date"], progress["invested_total"]


def _tax(_commitment: Facts, reports: Reports, _progress: Facts | None) -> Iterator[Told]:
    return _of_years(reports, "tax")


COMMITTED_CODES = ("committed-in-time", "committed-due-soon", "committed-overdue")


def _version(measure: str) -> Version:
    """The rule of a measure's clock; it warns as a plan does."""
    return Version(
        measure,
        PRESET,
        date(1980, 1, 1),
        (Case(),),
        basis={"zh": "投资协议承诺", "en": "committed in the investment agreement"},
        yellow=Yellow(used_percent=80, days_before=30, over_days=183),
    )


MEASURES: Mapping[str, Measure] = {
    FULL_PRODUCTION: Measure(FULL_PRODUCTION, False, _production, False, _version(FULL_PRODUCTION)),
    INVESTMENT_INTENSITY: Measure(INVESTMENT_INTENSITY, True, _investment, True, _version(INVESTMENT_INTENSITY)),
    TAX_PER_MU: Measure(TAX_PER_MU, True, _tax, True, _version(TAX_PER_MU)),
}

HANDLERS: Mapping[str, Handler] = {
    COMMITMENT_MADE: entry(COMMITMENTS),
    # Not so many that any would have to be left out: one that is old may be what a commitment was met by.
    PERFORMANCE_REPORTED: entry(REPORTS),
}

CHAPTERS: tuple[Chapter, ...] = (
    Chapter(PROJECT, "commitments", (COMMITMENTS,), told_commitments),
    Chapter(PROJECT, "performance", (REPORTS,), told_reports),
)

FIELDS: Mapping[str, tuple[str, ...]] = {}
