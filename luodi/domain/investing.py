"""The money of a year: what was invested in it and what arrived, beside its plan (序时进度).

Reports of progress tell totals since the project began (``invested_total``, ``arrived_total``). What belongs to a year
is the total told last in it less the total with which it opened: the last one told before the year. Where none was told
before, a project signed in the year opened with nothing; of any other the first report of the year is taken for the
opening, so that nothing of earlier years is ever counted as this year's. A total counts on the last day of its date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain.days import MONTH_NAMES, is_approximate, last_day
from luodi.domain.money import yi
from luodi.domain.stages import SIGNED, Language

TOTALS: Mapping[str, str] = {"invested": "invested_total", "arrived": "arrived_total"}
"""What is told of a year -> the total of a report of progress that it is made from."""

MONTHS = 12


def by_year(told: Mapping[str, Mapping[str, Any]], signed: str | None) -> list[dict[str, Any]]:
    """The money of each year in which any was told.

    ``told`` holds the totals by the date of their report (of a date the last recorded), ``signed`` is the date of the
    signature, None where it is not known. Of each year ``invested`` and ``arrived`` (None where nothing was told of
    it): ``opening``, ``since`` (the day of the report taken for the opening; None: it opened with nothing) and
    ``by_month``: the money of the year up to the end of each month in which a report was made, else None.
    """
    rows = sorted(((_day(date), row) for date, row in told.items()), key=_first)
    years: dict[str, dict[str, Any]] = {}
    for name, total in TOTALS.items():
        before: tuple[str | None, int] | None = None
        for day, row in rows:
            amount = row.get(total)
            if amount is None:
                continue
            of_year = years.setdefault(day[:4], dict.fromkeys(TOTALS))
            if of_year[name] is None:
                since, opening = before or _opening(day, amount, signed)
                of_year[name] = {"opening": opening, "since": since, "by_month": [None] * MONTHS}
            of_year[name]["by_month"][int(day[5:7]) - 1] = amount - of_year[name]["opening"]
            before = (day, amount)
    return [{"year": int(year), **years[year]} for year in sorted(years)]


def _opening(day: str, amount: int, signed: str | None) -> tuple[str | None, int]:
    """With what the first year began of which anything was told: `day` and `amount` of its first report."""
    return (None, 0) if signed is not None and signed[:4] == day[:4] else (day, amount)


def _day(date: str) -> str:
    return last_day(date).isoformat() if is_approximate(date) else date


def _first(row: tuple[str, Any]) -> str:
    return row[0]


def found_by(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the plans and the money of a year are found by: of a project without either nothing, so it costs nothing.

    ``money`` as ``by_year`` tells it, ``planned_years`` the years with a plan, as text.
    """
    found: dict[str, Any] = {}
    if state["money"]:
        signed = state["milestones"].get(SIGNED)
        found["money"] = by_year(state["money"], None if signed is None else signed["date"])
    if state["annual_plans"]:
        found["planned_years"] = sorted(state["annual_plans"])
    return found


def through(money: Mapping[str, Any] | None, month: int) -> int | None:
    """The money of a year up to the end of a month (1 to 12); None where nothing was told until then."""
    if money is None:
        return None
    return next((amount for amount in reversed(money["by_month"][:month]) if amount is not None), None)


def planned_through(plan: Mapping[str, Any], month: int) -> int:
    """What an annual plan asks for up to the end of a month: the sum of its months, without them an equal share."""
    by_month = plan.get("by_month")
    if by_month:
        return sum(amount or 0 for amount in by_month[:month])
    return int(plan["amount"]) * month // MONTHS


@dataclass(frozen=True, slots=True)
class Pace:
    """序时进度: what was to be invested up to the end of a month beside what was; yuan.

    ``amount`` is the plan of the whole year; ``unreported`` counts the plans of which nothing was told.
    """

    year: int
    month: int
    amount: int = 0
    planned: int = 0
    invested: int = 0
    plans: int = 0
    unreported: int = 0
    behind: int = 0

    @property
    def percent(self) -> float | None:
        """完成率: invested ÷ the plan of the year."""
        return share(self.invested, self.amount)

    @property
    def expected(self) -> float | None:
        """序时: planned up to the month ÷ the plan of the year."""
        return share(self.planned, self.amount)

    @property
    def points(self) -> float | None:
        """Percentage points ahead of the plan (negative: behind it); None without a plan."""
        if self.percent is None or self.expected is None:
            return None
        return round(self.percent - self.expected, 1)

    @property
    def is_behind(self) -> bool:
        return self.invested < self.planned

    def answer(self) -> dict[str, Any]:
        """The numbers as they are told."""
        return {
            "amount": self.amount,
            "planned": self.planned,
            "invested": self.invested,
            "percent": self.percent,
            "expected": self.expected,
            "points": self.points,
        }

    def sentence(self, language: Language) -> str:
        """Plan, schedule and what was done, in one sentence; amounts in 亿元."""
        if self.percent is None:
            return _NO_PLAN[0 if language == "zh-CN" else 1].format(year=self.year)
        points = self.points or 0.0
        place = 0 if points == 0 else 1 if points > 0 else 2
        words = _PLACES[place][0 if language == "zh-CN" else 1].format(points=abs(points))
        told = {
            "year": self.year,
            "month": self.month,
            "month_en": MONTH_NAMES[self.month - 1] if self.month else "the turn of the year",
            "amount": yi(self.amount),
            "planned": yi(self.planned),
            "expected": self.expected,
            "invested": yi(self.invested),
            "percent": self.percent,
            "place": words,
        }
        return _SENTENCE[0 if language == "zh-CN" else 1].format(**told)


def pace(plan: Mapping[str, Any], money: Sequence[Mapping[str, Any]], month: int) -> Pace:
    """How one project stands in a year; ``money`` as ``by_year`` tells it."""
    year = plan["year"]
    of_year = next((row["invested"] for row in money if row["year"] == year), None)
    done = through(of_year, month)
    planned = planned_through(plan, month)
    return Pace(
        year,
        month,
        amount=plan["amount"],
        planned=planned,
        invested=done or 0,
        plans=1,
        unreported=int(done is None),
        behind=int((done or 0) < planned),
    )


def together(year: int, month: int, paces: Iterable[Pace]) -> Pace:
    """Several projects as one."""
    amount = planned = invested = plans = unreported = behind = 0
    for each in paces:
        amount += each.amount
        planned += each.planned
        invested += each.invested
        plans += each.plans
        unreported += each.unreported
        behind += each.behind
    return Pace(year, month, amount, planned, invested, plans, unreported, behind)


def share(part: float, whole: float) -> float | None:
    """A share in percent to one decimal, half up; None where there is nothing to divide by."""
    if whole <= 0:
        return None
    return int(part * 1000 / whole + 0.5) / 10 if part >= 0 else -(int(-part * 1000 / whole + 0.5) / 10)


_NO_PLAN = ("{year}年没有投资计划", "there is no investment plan for {year}")
_PLACES = (
    ("与序时持平", "on schedule"),
    ("快于序时{points}个百分点", "{points} points ahead of schedule"),
    ("慢于序时{points}个百分点", "{points} points behind schedule"),
)
_SENTENCE = (
    "{year}年计划投资{amount}亿元；至{month}月底序时应完成{planned}亿元（{expected}%），"
    "实际完成{invested}亿元（{percent}%），{place}",
    "{amount} hundred million yuan planned for {year}; {planned} ({expected}%) scheduled by the end of {month_en}, "
    "{invested} ({percent}%) invested: {place}",
)
