"""The rules of a clock a second time, as slowly and as literally as they can be said: one day after the other.

It shares no code with the product. A clock is a dict of days to lights, found by walking from day to day with sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Approval:
    """An approved pause; ``cleared`` is the day its blocker was cleared."""

    begin: date
    until: date
    cleared: date | None = None
    cause: str = "utility"


@dataclass(frozen=True)
class Situation:
    """An open gap. ``plan`` is the planned date of the awaited stage; ``planned``: it takes the limit's place."""

    start: date
    limit: int
    unit: str
    approvals: tuple[Approval, ...] = ()
    plan: date | None = None
    planned: bool = False


@dataclass(frozen=True)
class Verdict:
    due: date
    length: int
    provisional: bool
    paused: frozenset[date]
    lights: dict[date, str]
    used: dict[date, int]


def judge(situation: Situation, until: date, last_published: int = 2026) -> Verdict:
    """Walk from ten days before day 0 to ``until`` and say the light of every day."""
    if situation.planned:
        return _judge_plan(situation, until)
    works = situation.unit == "working_days"
    paused = frozenset(day for day in _paused(situation.approvals) if day > situation.start)
    looked_beyond = False

    def counts(day: date) -> bool:
        if day in paused:
            return False
        return is_workday(day, last_published) if works else True

    if situation.unit == "months":
        due_before = months_later(situation.start, situation.limit)
        length = (due_before - situation.start).days
        due = due_before
        while True:
            moved = due_before + DAY * sum(1 for day in paused if situation.start < day <= due)
            if moved == due:
                break
            due = moved
    else:
        length, due, used = situation.limit, situation.start, 0
        while used < length:
            due += DAY
            looked_beyond |= works and due.year > last_published
            used += counts(due)

    lights, used_on, used = {}, {}, 0
    day = situation.start - 10 * DAY
    while day <= until:
        if day > situation.start:
            used += counts(day)
        used_on[day] = used
        if situation.unit == "months" and situation.limit > 6:
            warned = day >= due - 30 * DAY
        else:
            warned = day >= situation.start and used * 10 >= length * 8
        behind = situation.plan is not None and day > situation.plan
        if day > due and day > situation.start:
            lights[day] = "red"
        elif day in paused:
            lights[day] = "grey"
        else:
            lights[day] = "yellow" if warned or behind else "green"
        day += DAY
    return Verdict(due, length, looked_beyond, paused, lights, used_on)


def _judge_plan(situation: Situation, until: date) -> Verdict:
    assert situation.plan is not None
    start, due = situation.start, situation.plan
    length = (due - start).days
    lights, used_on = {}, {}
    day = start - 10 * DAY
    while day <= until:
        used = max(0, (day - start).days)
        used_on[day] = used
        warned = day >= due - 30 * DAY if length > 183 else day >= start and used * 10 >= length * 8
        lights[day] = "red" if day > due and day > start else "yellow" if warned else "green"
        day += DAY
    return Verdict(due, length, False, frozenset(), lights, used_on)


def is_workday(day: date, last_published: int) -> bool:
    """What the state published; Monday to Friday in a year of which nothing is published."""
    if 2004 <= day.year <= last_published:
        return bool(chinese_calendar.is_workday(day))
    return day.isoweekday() <= 5


def months_later(day: date, months: int) -> date:
    """The same day of the month so many months later, or the nearest earlier day that exists."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for number in range(day.day, 0, -1):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    raise AssertionError("no month is without days")


def _paused(approvals: tuple[Approval, ...]) -> set[date]:
    paused = set()
    for approval in approvals:
        if approval.cause == "enterprise":
            continue
        day, number = approval.begin, 0
        while day <= approval.until and number < 90 and (approval.cleared is None or day < approval.cleared):
            paused.add(day)
            day += DAY
            number += 1
    return paused
