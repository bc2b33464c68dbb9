"""The course of one clock: how one version of a rule judges one gap, as figures and as lights by day.

Day 0 is the day the limit is counted from and is not counted itself. ``used`` on a day is the number of counted days
after day 0 up to and including it. The due date itself is still in time: the light changes when the next day begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from luodi.domain.calendar import Calendar
from luodi.domain.days import add_months, day_text, is_approximate, last_day, last_ordinal
from luodi.domain.gaps import Facts, Gap
from luodi.domain.lights import FIRST_DAY, GREEN, GREY, RED, YELLOW, DayStep, between, step_on
from luodi.domain.pauses import Pause, after, approved, notice_day, reach, told, union
from luodi.domain.rounds import rounds
from luodi.domain.rules import PLAN, Case, Limit, Version

_PLAN_CODES = ("plan-in-time", "plan-due-soon", "plan-overdue")
_AGREED_CODES = ("agreed-in-time", "agreed-due-soon", "agreed-overdue")
_ROUND_CODES = {GREEN: "judged-in-order", YELLOW: "judged-behind", RED: "judged-late"}
_AWAITS = {"last_report": "report", "suspension": "resume"}  # what a rule awaits where it is not the next stage

LAST_DAY = date.max.toordinal()

Run = tuple[dict[str, Any], list[DayStep]]  # the figures of a clock, its lights by day


class Verdict(NamedTuple):
    """How a closed gap ended under a rule. Days are ordinals."""

    rule: str
    start: int
    due: int
    used: int  # counted days, to compare with the limit
    late: bool


def run(gap: Gap, facts: Facts, version: Version, case: Case, calendar: Calendar) -> Run | None:
    """The clock of a gap under one version of a rule; None where what the rule counts from is not on record."""
    if version.invested_below_percent is not None and not facts.is_invested_below(version.invested_below_percent):
        return None
    if version.red is not None:
        return _rounds_run(gap, facts, version, calendar)
    plan = facts.plan_of(gap.awaited)
    if plan is not None and gap.awaited in version.plan_for:
        return _dated_run(gap, PLAN, plan, version)
    if version.until is not None:
        end = plan if version.until == "plan" else facts.agreed(version.until)
        return None if end is None else _dated_run(gap, version.rule, end, version)
    assert case.limit is not None  # a version that takes no date and no rounds has a limit in every case
    if version.since == "last_report":
        made = _reports_run(gap, facts, version, case.limit, calendar)
    else:
        start = _start(gap, facts, version)
        if start is None:
            return None
        made = _limit_run(gap, start, case.limit, plan, facts, version, calendar)
    return made if version.satisfied_by is None else _until_satisfied(made, facts)


def verdict(gap: Gap, day: int, facts: Facts, version: Version, case: Case, calendar: Calendar) -> Verdict | None:
    """How a gap that was closed on a day ended under the version then valid; None where there was no clock."""
    if version.is_plain:
        plan = facts.plan_of(gap.awaited) if gap.awaited in version.plan_for else None
        start = last_ordinal(gap.start)
        if plan is not None:
            due = last_ordinal(plan)
            return Verdict(PLAN, start, due, max(0, day - start), day > max(start, due))
        assert case.limit is not None  # or it would not be plain
        count, nth = _counting(case.limit, calendar)
        pauses = stops_for(facts, version, start, calendar).pauses
        due = reach(start, _length(gap.start, case.limit), pauses, count, nth)
        used = count(day) - count(start) - sum(_counted(pause, day, count) for pause in pauses) if day > start else 0
        return Verdict(version.rule, start, due, used, day > due)
    if version.since == "suspension":
        return None  # the stage was reached: whether work stood still on the way is not on record for good
    made = run(gap, facts, version, case, calendar)
    if made is None:
        return None
    figures, steps = made
    return Verdict(
        figures["rule"],
        last_ordinal(figures["start"]),
        last_ordinal(figures["due"]),
        days_used(figures, calendar, day),
        step_on(steps, day)[1] == RED,
    )


def days_used(clock: Mapping[str, Any], calendar: Calendar, day: int) -> int:
    """Counted days of a stored clock after day 0 up to and including a day (an ordinal); 0 before."""
    start = last_ordinal(clock["start"])
    if day <= start:
        return 0
    works = clock["unit"] == "working_days"
    used = calendar.count(day) - calendar.count(start) if works else day - start
    for begin_text, end_text in clock["paused"]:
        begin, end = last_ordinal(begin_text) - 1, min(last_ordinal(end_text) - 1, day)
        if begin < end:
            used -= calendar.count(end) - calendar.count(begin) if works else end - begin
    return used


class Stops(NamedTuple):
    """The pauses that stop a clock, and what is told of each whatever the clock."""

    pauses: list[Pause]
    notices: list[int | None]  # the day on which each says that it runs out
    reasons: list[dict[str, Any]]
    stored: list[dict[str, Any]]

    @classmethod
    def of(cls, pauses: list[Pause], calendar: Calendar) -> Stops:
        return cls(
            pauses,
            [notice_day(pauses, place, calendar.count, calendar.nth) for place in range(len(pauses))],
            [_stopped_by(pause) for pause in pauses],
            told(pauses),
        )


NO_STOPS = Stops([], [], [], [])


def _stopped_by(pause: Pause) -> dict[str, Any]:
    blocker = pause.blocker
    return {
        "blocker": blocker["id"],
        "kind": blocker["kind"],
        "cause": blocker["cause"],
        "owner": blocker["owner"],
        "from": day_text(pause.begin),
        "until": day_text(pause.end - 1),
    }


def stops_for(facts: Facts, version: Version, start: int, calendar: Calendar) -> Stops:
    """What stops a clock of this version after its day 0. Clocks that the same stops are told of it once."""
    if not facts.blockers:
        return NO_STOPS
    key = (version.pausing_causes, version.needs_document)
    known = facts.stops.get(key)
    if known is None:
        pauses = approved(facts.blockers, version.pausing_causes, needs_document=version.needs_document)
        known = facts.stops[key] = Stops.of(pauses, calendar) if pauses else NO_STOPS
    if not known.pauses or known.pauses[0].begin > start:
        return known
    return Stops.of(after(known.pauses, start), calendar)


def share(start: int, length: int, percent: int) -> int:
    """The day on which a share of so many calendar days is used, rounded up; day 0 where there are none."""
    return start + max(0, _percent(length, percent))


def _start(gap: Gap, facts: Facts, version: Version) -> str | None:
    """The business date from which a version counts."""
    if version.since == "stage":
        return gap.start
    if version.since == "plan":
        return facts.plan_of(gap.awaited)
    if version.since == "suspension":
        return facts.standing_still_since()
    return facts.agreed(version.since)


def _dated_run(gap: Gap, rule: str, end: str, version: Version) -> Run:
    """Until a planned or agreed date: calendar days to it, which no pause moves."""
    start, due = last_ordinal(gap.start), last_ordinal(end)
    length, yellow = due - start, version.yellow
    red = max(start, due) + 1
    if yellow.days_before is not None and (yellow.used_percent is None or length > yellow.over_days):
        warn = due - yellow.days_before
    elif yellow.used_percent is not None:
        warn = share(start, length, yellow.used_percent)
    else:
        warn = red
    basis = _basis(gap, rule, gap.start, due, Limit(length, "calendar_days"), version, approximate=is_approximate(end))
    if version.monthly:
        warn, red = _first_of_month(warn, ()), _first_of_month(red, ())
    in_time, due_soon, overdue = _AGREED_CODES if version.until not in (None, PLAN) else _PLAN_CODES
    steps: list[DayStep] = [(FIRST_DAY, GREEN, {"code": in_time, **basis})]
    if warn < red:
        steps.append((warn, YELLOW, {"code": due_soon, **basis}))
    steps.append((red, RED, {"code": overdue, **basis}))
    return _figures(basis, version, warn if warn < red else None, length), steps


def _limit_run(
    gap: Gap,
    since: str,
    limit: Limit,
    plan: str | None,
    facts: Facts,
    version: Version,
    calendar: Calendar,
) -> Run:
    """A limit counted from a day, with its pauses left out of the count.

    A limit in months is the calendar days from day 0 to its date before pauses. To move that date by the paused days
    up to the moved date, until it is stable, is the same as to leave paused days out of those calendar days.
    """
    start, yellow = last_ordinal(since), version.yellow
    count, nth = _counting(limit, calendar)
    length = _length(since, limit)
    stops = stops_for(facts, version, start, calendar)
    pauses = stops.pauses
    due = reach(start, length, pauses, count, nth)
    red = due + 1
    if yellow.days_before is not None and (
        yellow.used_percent is None or (limit.unit == "months" and limit.amount > yellow.over_months)
    ):
        warn = due - yellow.days_before
    elif yellow.used_percent is not None:
        warn = reach(start, _percent(length, yellow.used_percent), pauses, count, nth)
    elif yellow.after is not None:
        warn = reach(start, _length(since, yellow.after), pauses, *_counting(yellow.after, calendar)) + 1
    else:
        warn = red
    behind = last_ordinal(plan) + 1 if plan is not None and yellow.behind_plan else red
    if version.monthly:
        warn, behind, red = (_first_of_month(day, pauses) for day in (warn, behind, red))

    basis = _basis(gap, version.rule, since, due, limit, version)
    if pauses and pauses[0].begin <= due:
        basis["paused_days"] = sum(pause.end - pause.begin for pause in pauses if pause.begin <= due)
    steps: list[DayStep] = [(FIRST_DAY, GREEN, {"code": "in-time", **basis})]
    if behind < min(warn, red):
        steps.append((max(behind, FIRST_DAY), YELLOW, {"code": "behind-plan", "plan": plan, **basis}))
    if warn < red:
        steps.append((warn, YELLOW, {"code": "due-soon", **basis}))
    steps.append((red, RED, {"code": "overdue", **basis}))
    if pauses:
        steps = _overlay(steps, stops, basis)
    first = min(warn, behind)
    provisional = limit.unit == "working_days" and length > 0 and due > calendar.last_published_day
    figures = _figures(basis, version, first if first < red else None, length, provisional=provisional, stops=stops)
    return figures, steps


def _reports_run(gap: Gap, facts: Facts, version: Version, limit: Limit, calendar: Calendar) -> Run:
    """A limit counted anew from every report, the stage reached being the first.

    Each report has a step of its own, for a reason tells the due date that follows from the newest one.
    """
    start = last_ordinal(gap.start)
    end = LAST_DAY if gap.closed is None else last_ordinal(gap.closed)
    days = [start, *(day for day in facts.report_days() if start < day < end)]
    steps: list[DayStep] = []
    for day, following in zip(days, [*days[1:], None], strict=True):
        figures, course = _limit_run(gap, day_text(day), limit, None, facts, version, calendar)
        steps += between(course, day if steps else FIRST_DAY, following)
    return figures, steps


def _rounds_run(gap: Gap, facts: Facts, version: Version, calendar: Calendar) -> Run | None:
    """Against the plan, in monthly rounds; None where there is no plan."""
    plan = facts.plan_of(gap.awaited)
    if plan is None:
        return None
    start, due = last_ordinal(gap.start), last_ordinal(plan)
    stops = stops_for(facts, version, start, calendar)
    basis = _basis(
        gap,
        version.rule,
        gap.start,
        due,
        Limit(due - start, "calendar_days"),
        version,
        approximate=is_approximate(plan),
    )
    steps: list[DayStep] = [(FIRST_DAY, GREEN, {"code": "judged-in-order", "plan": plan, **basis})]
    warn = None
    for judged in rounds(gap, facts, version, stops.pauses, calendar):
        if judged.light != GREEN and warn is None:
            warn = judged.day
        steps.append(
            (judged.day, judged.light, {"code": _ROUND_CODES[judged.light], "plan": plan, **judged.findings, **basis})
        )
    if stops.pauses:
        steps = _overlay(steps, stops, basis)
    return _figures(basis, version, warn, due - start, stops=stops), steps


def _until_satisfied(made: Run, facts: Facts) -> Run:
    """The lights up to the day on which the project came into the statistical library, green from it on."""
    figures, steps = made
    told = facts.statistics
    if told is None or not told["in_library"]:
        return made
    basis = {name: value for name, value in steps[0][2].items() if name != "code"}
    reason = {"code": "in-library", "since": told["since"], **basis}
    if told["since"] is None:
        return figures, [(FIRST_DAY, GREEN, reason)]
    day = last_ordinal(told["since"])
    return figures, [*between(steps, FIRST_DAY, day), (day, GREEN, reason)]


def _overlay(steps: list[DayStep], stops: Stops, basis: Mapping[str, Any]) -> list[DayStep]:
    """Lay pauses over lights: grey while in time; what was overdue when the pause began stays red and says so.

    A grey whose approval runs out says so some days before: who needs longer must ask again. No light turns red within
    a pause: a paused day is never a due date, nor the end of a month that is judged.
    """
    overlaid: list[DayStep] = []
    taken, pauses = 0, stops.pauses
    for place, pause in enumerate(pauses):
        begin, end = pause.begin, pause.end
        while taken < len(steps) and steps[taken][0] < begin:
            overlaid.append(steps[taken])
            taken += 1
        while taken < len(steps) and steps[taken][0] == begin:
            taken += 1
        reason: dict[str, Any] = {"code": "paused", **basis, **stops.reasons[place]}
        if steps[taken - 1][1] == RED:
            reason |= {"code": "overdue-paused"}
            overlaid.append((begin, RED, reason))
        else:
            notice = stops.notices[place]
            if notice != begin:
                overlaid.append((begin, GREY, reason))
            if notice is not None:
                overlaid.append((notice, GREY, {**reason, "code": "pause-ending"}))
        while taken < len(steps) and steps[taken][0] <= end:
            taken += 1
        if place + 1 == len(pauses) or pauses[place + 1].begin > end:
            overlaid.append((end, *steps[taken - 1][1:]))
    return overlaid + steps[taken:]


def _basis(
    gap: Gap, rule: str, since: str, due: int, limit: Limit, version: Version, *, approximate: bool = False
) -> dict[str, Any]:
    """What every reason of a clock tells."""
    basis: dict[str, Any] = {
        "route": gap.route,
        "gap": [gap.reached, gap.awaited],
        "rule": rule,
        "start": last_day(since).isoformat(),
        "due": day_text(due),
        "limit": limit.amount,
        "unit": limit.unit,
    }
    if version.title is not None:
        basis["title"] = version.tags["title"]
    if version.since != "stage":
        basis["counted_from"] = version.since
    awaits = version.satisfied_by or _AWAITS.get(version.since)
    if awaits is not None:
        basis["awaits"] = awaits
    if approximate or is_approximate(since):
        basis["approximate"] = True
    return basis


def _figures(
    basis: Mapping[str, Any],
    version: Version,
    warn: int | None,
    length: int,
    *,
    provisional: bool = False,
    stops: Stops = NO_STOPS,
) -> dict[str, Any]:
    return {
        "gap": basis["gap"],
        "rule": basis["rule"],
        **version.tags,
        "kind": "gap",
        "counted_from": version.since,
        "start": basis["start"],
        "due": basis["due"],
        "warn": None if warn is None else day_text(warn),
        "limit": basis["limit"],
        "unit": basis["unit"],
        "limit_days": length,
        "provisional": provisional,
        "approximate": "approximate" in basis,
        "paused": union(stops.pauses),
        "paused_by": stops.stored,
    }


def _counting(limit: Limit, calendar: Calendar) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """How days count towards a limit, and the inverse."""
    return (calendar.count, calendar.nth) if limit.unit == "working_days" else (int, int)


def _counted(pause: Pause, day: int, count: Callable[[int], int]) -> int:
    """The days of a pause up to and including a day that would else have counted."""
    return max(0, count(min(pause.end - 1, day)) - count(pause.begin - 1))


def _length(since: str, limit: Limit) -> int:
    """A limit in counted days; of months, the calendar days up to its date before pauses."""
    if limit.unit != "months":
        return limit.amount
    start = last_day(since)
    return add_months(start, limit.amount).toordinal() - start.toordinal()


def _percent(length: int, percent: int) -> int:
    return -(-length * percent // 100)


def _first_of_month(day: int, pauses: Sequence[Pause]) -> int:
    """The round that sees a change due on this day: the first of a month, the month just ended not being paused."""
    first = date.fromordinal(day)
    if first.day != 1:
        first = add_months(first.replace(day=1), 1)
    while any(pause.begin < first.toordinal() <= pause.end for pause in pauses):
        first = add_months(first, 1)
    return first.toordinal()
