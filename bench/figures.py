"""From rounds to figures: percentiles, paired ratios, medians, and how they are printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.machine import Spent

PRODUCT, BASELINE = "luodi", "baseline"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one side in one round, with what the machine did meanwhile."""

    side: str
    value: float
    spent: Spent
    notes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goal:
    """What the ratio product / baseline must reach, and what it aims at."""

    bound: float
    aim: float | None = None
    at_most: bool = False

    def met(self, ratio: float) -> bool:
        return ratio <= self.bound if self.at_most else ratio >= self.bound

    def __str__(self) -> str:
        aim = f", aim {self.aim:g}" if self.aim is not None else ""
        return f"{'≤' if self.at_most else '≥'} {self.bound:g}{aim}"


@dataclass(slots=True)
class Figure:
    """A figure measured in rounds: `pairs` holds product and baseline of the same round."""

    name: str
    unit: str
    goal: Goal | None = None
    pairs: list[tuple[Reading, Reading]] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """Product / baseline of each round."""
        return [product.value / baseline.value for product, baseline in self.pairs]

    def median(self, side: str) -> float:
        """Of the side's values over the rounds."""
        return statistics.median(reading.value for pair in self.pairs for reading in pair if reading.side == side)

    def as_json(self) -> dict[str, Any]:
        """Everything, for `--json`."""
        ratios = self.ratios()
        return {
            "name": self.name,
            "unit": self.unit,
            "goal": None if self.goal is None else asdict(self.goal),
            "median": {side: self.median(side) for side in (PRODUCT, BASELINE)},
            "ratio": {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)},
            "rounds": [
                {reading.side: asdict(reading) for reading in pair} | {"ratio": ratio}
                for pair, ratio in zip(self.pairs, ratios, strict=True)
            ],
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed (nearest rank). Raises ValueError when empty."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def number(value: float) -> str:
    """Three figures, or whole thousands with a comma."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def round_line(figure: Figure, turn: int, pair: tuple[Reading, Reading]) -> str:
    """One round as it is printed while it runs."""
    product, baseline = pair
    return (
        f"  {figure.name} round {turn}: "
        f"luodi {number(product.value)}, baseline {number(baseline.value)} {figure.unit}, "
        f"ratio {product.value / baseline.value:.2f}, "
        f"steal {product.spent.steal:.1f} % / {baseline.spent.steal:.1f} %, "
        f"busy {product.spent.busy:.0f} % / {baseline.spent.busy:.0f} %"
    )


def table(figures: Sequence[Figure]) -> str:
    """All figures as a Markdown table."""
    rows = [
        "| figure | luodi | baseline | ratio: median (least–most) | wanted | met | steal % luodi / baseline | rounds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for figure in figures:
        ratios = figure.ratios()
        middle = statistics.median(ratios)
        steal = [_span([reading.spent.steal for reading in side]) for side in zip(*figure.pairs, strict=True)]
        goal = figure.goal
        rows.append(
            f"| {figure.name} ({figure.unit}) | {number(figure.median(PRODUCT))} | {number(figure.median(BASELINE))} "
            f"| {middle:.2f} ({min(ratios):.2f}–{max(ratios):.2f}) | {goal or '–'} "
            f"| {'–' if goal is None else 'yes' if goal.met(middle) else 'NO'} "
            f"| {' / '.join(steal)} | {len(ratios)} |"
        )
    return "\n".join(rows)


def _span(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})"
