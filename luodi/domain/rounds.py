"""Monthly rounds: on the first of each month the month just ended is held against the plan.

The first round that finds a project behind is yellow; so many such rounds in a row, or too many points behind, are red.
A month whose last day is paused is not judged: it neither counts nor breaks the row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.days import add_months, last_ordinal
from luodi.domain.gaps import Facts, Gap
from luodi.domain.lights import GREEN, RED, YELLOW
from luodi.domain.pauses import Pause
from luodi.domain.rules import Version

MAX_ROUNDS = 600  # fifty years: a plan further away is a slip, and need not cost more than this


@dataclass(frozen=True, slots=True)
class Judged:
    """What a round found, where it changes what is shown: from this day (an ordinal) on the light, and why."""

    day: int
    light: str
    findings: Mapping[str, Any]


def rounds(gap: Gap, facts: Facts, version: Version, pauses: Sequence[Pause], calendar: Calendar) -> Iterator[Judged]:
    """The rounds that change something, ascending; ``pauses`` are those that stop this clock, after day 0.

    Nothing is assumed of the future: what was reported last goes on to hold. The gap has a plan.
    """
    assert version.red is not None  # it says how many rounds
    course = _Course(gap, facts, calendar)
    settled = max(course.settled, *(pause.end for pause in pauses)) if pauses else course.settled
    begin = date.fromordinal(last_ordinal(gap.start))
    in_a_row, shown = 0, GREEN
    for number in range(1, MAX_ROUNDS + 1):
        first = add_months(begin.replace(day=1), number)
        end = first.toordinal() - 1  # the last day of the month that is judged
        if any(pause.begin <= end < pause.end for pause in pauses):
            continue
        findings = course.findings(end, version)
        in_a_row = in_a_row + 1 if findings else 0
        far = version.red.points is not None and course.behind(end) > version.red.points
        light = RED if far or in_a_row >= version.red.rounds else YELLOW if findings else GREEN
        if light == YELLOW or light != shown:  # a yellow tells each time how many there were
            month = f"{date.fromordinal(end):%Y-%m}"
            yield Judged(end + 1, light, {"month": month, "rounds": in_a_row, "findings": findings})
            shown = light
        if end >= settled and (light == RED or not findings):
            return  # the coming rounds find the same


class _Course:
    """What is known, at the end of any month, of a project that goes by a plan."""

    def __init__(self, gap: Gap, facts: Facts, calendar: Calendar) -> None:
        plan = facts.plans[gap.awaited]
        self._facts = facts
        self._start = last_ordinal(gap.start)
        self._due = last_ordinal(plan["date"])
        self._percents = facts.percents()
        self._baseline = last_ordinal(plan["baseline"])
        self._changes = [
            (calendar.business_date(change["recorded_at"]).toordinal(), last_ordinal(change["date"]))
            for change in plan["changes"]
        ]
        days = [self._start, self._due, *(day for day, _ in (*self._percents, *self._changes))]
        days += [date(int(year), 12, 31).toordinal() for year in facts.annual_plans]
        self.settled = max(days)  # from this day on every round finds the same

    def findings(self, day: int, version: Version) -> list[dict[str, Any]]:
        """What a yellow is made of."""
        found: list[dict[str, Any]] = []
        yellow = version.yellow
        if yellow.plan_passed and self._due <= day:
            found.append({"what": "plan-passed"})
        if yellow.postponed and self._in_force(day) > self._baseline:
            found.append({"what": "postponed"})
        if yellow.points is not None:
            behind = self.behind(day)
            if behind >= yellow.points:
                planned = self._planned(day)
                found.append({"what": "points", "planned": planned, "reported": planned - behind, "points": behind})
        return found

    def behind(self, day: int) -> int:
        """Points of progress behind plan; 0 or less where it is not, and 0 where no progress was ever reported."""
        place = bisect_right(self._percents, day, key=lambda told: told[0])
        return 0 if place == 0 else self._planned(day) - self._percents[place - 1][1]

    def _in_force(self, day: int) -> int:
        """The planned date as it held on a day."""
        known = [date for recorded, date in self._changes if recorded <= day]
        return known[-1] if known else self._baseline

    def _planned(self, day: int) -> int:
        """The progress planned for a day in percent, rounded down: linear from the start of the gap to the plan, unless
        an annual plan tells the money of each month and the whole investment is known."""
        when, investment = date.fromordinal(day), self._facts.fields.get("investment")
        annual = self._facts.annual_plans.get(str(when.year))
        if annual is None or not annual["by_month"] or not investment:
            return self._linear(day)
        before = date(when.year, 1, 1).toordinal() - 1
        base = self._planned(before) if before > self._start else 0
        planned = sum(amount or 0 for amount in annual["by_month"][: when.month])
        return min(100, base + int(planned * 100 // investment))

    def _linear(self, day: int) -> int:
        if day >= self._due:
            return 100
        if day <= self._start:
            return 0
        return (day - self._start) * 100 // (self._due - self._start)
