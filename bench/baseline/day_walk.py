"""Clocks as they are first written: begin at the day the stage was reached and ask of each day whether it counts.

It knows what the product's clocks know (working days, months, pauses with a cause and a paper, warnings) and finds the
day of each change of the light. It makes no document, gives no reasons, charges nobody and knows one version of the
rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import chinese_calendar

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """A limit in working days or in months, its warning, and which pauses stop it."""

    amount: int
    months: bool
    warn_share: float
    warn_days: int  # calendar days before the due date, for limits in months
    causes: frozenset[str]
    needs_document: bool


ZONE = Rule(60, False, 0.8, 0, frozenset({"government", "utility", "force_majeure"}), False)
FEE = Rule(12, True, 0, 60, frozenset({"government", "force_majeure", "preliminary_work"}), True)
RECOVERY = Rule(24, True, 0, 60, frozenset({"government", "force_majeure", "preliminary_work"}), True)


def is_workday(day: date) -> bool:
    """As published, else Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # a year that is not published
        return day.weekday() < 5


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 0, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def paused_days(blockers: Sequence[Mapping[str, Any]], rule: Rule, after: date) -> set[date]:
    """Every day on which an approved pause stops the clock."""
    paused: set[date] = set()
    for blocker in blockers:
        if blocker["cause"] not in rule.causes:
            continue
        for pause in blocker["pauses"]:
            if rule.needs_document and not pause["document"]:
                continue
            day, end = date.fromisoformat(pause["from"]), date.fromisoformat(pause["end"])
            while day < end:
                if day > after:
                    paused.add(day)
                day += ONE_DAY
    return paused


def clock(start: date, rule: Rule, blockers: Sequence[Mapping[str, Any]]) -> list[tuple[str, date]]:
    """The changes of the light as (light, first day), from day 0 to the first red day."""
    paused = paused_days(blockers, rule, start)
    if rule.months:
        due = end = add_months(start, rule.amount)
        while True:
            moved = end + ONE_DAY * sum(1 for day in paused if day <= due)
            if moved == due:
                break
            due = moved
    else:
        due, counted = start, 0
        while counted < rule.amount:
            due += ONE_DAY
            if due not in paused and is_workday(due):
                counted += 1
    changes: list[tuple[str, date]] = []
    day, used = start, 0
    while day <= due + ONE_DAY:
        if day > start and not rule.months and day not in paused and is_workday(day):
            used += 1
        warned = day >= due - rule.warn_days * ONE_DAY if rule.months else used >= rule.amount * rule.warn_share
        light = "red" if day > due else "grey" if day in paused else "yellow" if warned else "green"
        if not changes or changes[-1][0] != light:
            changes.append((light, day))
        day += ONE_DAY
    return changes


def assess(
    land_supplied: date, agreed_start: date, blockers: Sequence[Mapping[str, Any]]
) -> list[list[tuple[str, date]]]:
    """The three clocks of a gap from land to start: the zone's limit, and one and two years of idle land."""
    return [
        clock(land_supplied, ZONE, blockers),
        clock(agreed_start, FEE, blockers),
        clock(agreed_start, RECOVERY, blockers),
    ]
