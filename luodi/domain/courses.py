"""The course of one clock: how one version of a rule judges one gap, as figures and as lights by day.

Day 0 is the day the limit is counted from and is not counted itself. ``used`` on a day is the number of counted days
after day 0 up to and including it. The due date itself is still in time: the light changes when the next day begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.days import add_months, day_text, is_approximate, last_day, last_ordinal
from luodi.domain.gaps import Facts, Gap
from luodi.domain.lights import FIRST_DAY, GREEN, GREY, RED, YELLOW, Because, DayStep, because, between, step_on
from luodi.domain.pauses import Pause, after, allowed, approvals, notice_day, reach, reach_calendar_days, told
from luodi.domain.rounds import rounds
from luodi.domain.rules import PLAN, Case, Limit, Version

_PLAN_CODES = ("plan-in-time", "plan-due-soon", "plan-overdue")
_AGREED_CODES = ("agreed-in-time", "agreed-due-soon", "agreed-overdue")
_ROUND_CODES = {GREEN: "judged-in-order", YELLOW: "judged-behind", RED: "judged-late"}

LAST_DAY = date.max.toordinal()

Run = tuple[dict[str, Any], list[DayStep]]  # the figures of a clock, its lights by day
Stop = tuple[int, int, int | None, dict[str, Any]]  # a pause: begin, end, the day it says that it runs out, as stored


Verdict = tuple[str, int, int, int, bool]
"""How a closed gap ended: rule, day 0, due (ordinals), the counted days used, whether it was late. Plain tuples, as the
stops: they are made for every event that is folded."""


def run(gap: Gap, facts: Facts, version: Version, case: Case, calendar: Calendar, by: int) -> Run | None:
    """The clock of a gap under one version of a rule; None where what the rule counts from is not on record.

    ``by`` is the place at which the clock will stand in the document: a reason names it for everything that the clock
    says already (see ``clocks.reason_of``).
    """
    if version.is_plain and gap.awaited not in version.plan_for:  # most often; what follows finds the same
        assert case.limit is not None  # or it would not be plain
        return _limit_run(gap, gap.start, case.limit, facts.plan_of(gap.awaited), facts, version, calendar, by)
    if version.invested_below_percent is not None and not facts.is_invested_below(version.invested_below_percent):
        return None
    if version.red is not None:
        return _rounds_run(gap, facts, version, calendar, by)
    plan = facts.plan_of(gap.awaited)
    if plan is not None and gap.awaited in version.plan_for:
        return dated_run(gap, PLAN, plan, version, by)
    if version.until is not None:
        end = plan if version.until == "plan" else facts.agreed(version.until)
        return None if end is None else dated_run(gap, version.rule, end, version, by)
    assert case.limit is not None  # a version that takes no date and no rounds has a limit in every case
    if version.since == "last_report":
        made = _reports_run(gap, facts, version, case.limit, calendar, by)
    else:
        start = _start(gap, facts, version)
        if start is None:
            return None
        made = _limit_run(gap, start, case.limit, plan, facts, version, calendar, by)
    return made if version.satisfied_by is None else _until_satisfied(made, facts, by)


def verdict(gap: Gap, day: int, facts: Facts, version: Version, case: Case, calendar: Calendar) -> Verdict | None:
    """How a gap that was closed on a day ended under the version then valid; None where there was no clock."""
    if version.is_plain:
        plan = facts.plan_of(gap.awaited) if gap.awaited in version.plan_for else None
        start = last_ordinal(gap.start)
        if plan is not None:
            due = last_ordinal(plan)
            return PLAN, start, due, max(0, day - start), day > max(start, due)
        assert case.limit is not None  # or it would not be plain
        count = calendar.count if case.limit.unit == "working_days" else int
        pauses = _pauses(facts, version, start)
        due = _reached(start, _length(gap.start, case.limit), case.limit, pauses, calendar)
        used = count(day) - count(start) if day > start else 0
        for begin, end, _, _ in pauses:
            if begin > day:
                break
            used -= count(min(end - 1, day)) - count(begin - 1)
        return version.rule, start, due, used, day > due
    if version.since == "suspension":
        return None  # the stage was reached: whether work stood still on the way is not on record for good
    made = run(gap, facts, version, case, calendar, 0)
    if made is None:
        return None
    figures, steps = made
    start, due = last_ordinal(figures["start"]), last_ordinal(figures["due"])
    return figures["rule"], start, due, days_used(figures, calendar, day), step_on(steps, day)[1] == RED


def days_used(clock: Mapping[str, Any], calendar: Calendar, day: int) -> int:
    """Counted days of a stored clock after day 0 up to and including a day (an ordinal); 0 before."""
    start = last_ordinal(clock["start"])
    if day <= start:
        return 0
    works = clock["unit"] == "working_days"
    used = calendar.count(day) - calendar.count(start) if works else day - start
    for begin_text, end_text in paused(clock):
        begin, end = last_ordinal(begin_text) - 1, min(last_ordinal(end_text) - 1, day)
        if begin < end:
            used -= calendar.count(end) - calendar.count(begin) if works else end - begin
    return used


def paused(clock: Mapping[str, Any]) -> list[list[str]]:
    """The paused days of a stored clock as intervals ``[from, to)`` of business dates, adjoining ones joined."""
    united: list[list[str]] = []
    for stop in clock["paused_by"]:
        if united and united[-1][1] == stop["from"]:
            united[-1][1] = stop["to"]
        else:
            united.append([stop["from"], stop["to"]])
    return united


def _pauses(facts: Facts, version: Version, start: int) -> list[Pause]:
    """The pauses that stop a clock of this version after its day 0."""
    if not facts.blockers:
        return []
    known: list[Pause] | None = facts.pauses.get(version.pausing)
    if known is None:
        recorded = facts.pauses.get(None)
        if recorded is None:
            recorded = facts.pauses[None] = approvals(facts.blockers)
        known = allowed(recorded, version.pausing_causes, needs_document=version.needs_document)
        facts.pauses[version.pausing] = known
    return known if not known or known[0][0] > start else after(known, start)


def _stops(pauses: Sequence[Pause], facts: Facts, calendar: Calendar) -> list[Stop]:
    """What is told of pauses; clocks that the same pause stops share it."""
    stops: list[Stop] = []
    told_already = facts.stops
    for pause in pauses:
        begin, end, _, approval = pause
        key = (begin, end, approval["number"])
        if key not in told_already:
            told_already[key] = (begin, end, notice_day(pause, calendar.count, calendar.nth), told(pause))
        stops.append(told_already[key])
    return stops


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


def dated_run(
    gap: Gap, rule: str, end: str, version: Version, by: int, codes: tuple[str, str, str] | None = None
) -> Run:
    """Until a planned or agreed date: calendar days to it, which no pause moves. ``codes`` of its reasons in time, due
    soon and overdue, where they are its own."""
    start, due = last_ordinal(gap.start), last_ordinal(end)
    length, yellow = due - start, version.yellow
    red = max(start, due) + 1
    if yellow.days_before is not None and (yellow.used_percent is None or length > yellow.over_days):
        warn = due - yellow.days_before
    elif yellow.used_percent is not None:
        warn = share(start, length, yellow.used_percent)
    else:
        warn = red
    if version.monthly:
        warn, red = _first_of_month(warn, ()), _first_of_month(red, ())
    in_time, due_soon, overdue = codes or (_AGREED_CODES if version.until not in (None, PLAN) else _PLAN_CODES)
    said = because(by)
    steps: list[DayStep] = [(FIRST_DAY, GREEN, said[in_time])]
    if warn < red:
        steps.append((warn, YELLOW, said[due_soon]))
    steps.append((red, RED, said[overdue]))
    approximate = is_approximate(end) or is_approximate(gap.start)
    span = (gap.start, due, Limit(length, "calendar_days"), length)
    return _figures(gap, rule, version, *span, warn if warn < red else None, (), approximate), steps


def _limit_run(
    gap: Gap,
    since: str,
    limit: Limit,
    plan: str | None,
    facts: Facts,
    version: Version,
    calendar: Calendar,
    by: int,
) -> Run:
    """A limit counted from a day, with its pauses left out of the count.

    A limit in months is the calendar days from day 0 to its date before pauses. To move that date by the paused days
    up to the moved date, until it is stable, is the same as to leave paused days out of those calendar days.
    """
    start, yellow = last_ordinal(since), version.yellow
    works = limit.unit == "working_days"
    length = _days_of_months(since, limit.amount) if limit.unit == "months" else limit.amount
    pauses = _pauses(facts, version, start)
    due = _reached(start, length, limit, pauses, calendar)
    red = due + 1
    if yellow.days_before is not None and (
        yellow.used_percent is None or (limit.unit == "months" and limit.amount > yellow.over_months)
    ):
        warn = due - yellow.days_before
    elif yellow.used_percent is not None:
        warn = _reached(start, _percent(length, yellow.used_percent), limit, pauses, calendar)
    elif yellow.after is not None:
        warn = _reached(start, _length(since, yellow.after), yellow.after, pauses, calendar) + 1
    else:
        warn = red
    behind = last_ordinal(plan) + 1 if plan is not None and yellow.behind_plan else red
    if version.monthly:
        warn, behind, red = (_first_of_month(day, pauses) for day in (warn, behind, red))

    said = because(by)
    steps: list[DayStep] = [(FIRST_DAY, GREEN, said["in-time"])]
    if behind < warn and behind < red:
        steps.append((max(behind, FIRST_DAY), YELLOW, {"code": "behind-plan", "clock": by, "plan": plan}))
    if warn < red:
        steps.append((warn, YELLOW, said["due-soon"]))
    steps.append((red, RED, said["overdue"]))
    stops: list[Stop] = []
    if pauses:
        stops = _stops(pauses, facts, calendar)
        steps = _overlay(steps, stops, said)
    first = min(warn, behind)
    provisional = works and length > 0 and due > calendar.last_published_day
    warned = first if first < red else None
    approximate = is_approximate(since)
    return _figures(
        gap, version.rule, version, since, due, limit, length, warned, stops, approximate, provisional
    ), steps


def _reports_run(gap: Gap, facts: Facts, version: Version, limit: Limit, calendar: Calendar, by: int) -> Run:
    """A limit counted anew from every report, the stage reached being the first.

    Each report has a step of its own, for a reason tells the due date that follows from the newest one.
    """
    start = last_ordinal(gap.start)
    end = LAST_DAY if gap.closed is None else last_ordinal(gap.closed)
    days = [start, *(day for day in facts.report_days() if start < day < end)]
    steps: list[DayStep] = []
    for day, following in zip(days, [*days[1:], None], strict=True):
        figures, course = _limit_run(gap, day_text(day), limit, None, facts, version, calendar, by)
        own = {name: figures[name] for name in ("start", "due", "paused_by")}
        course = [(begin, light, {**reason, **own}) for begin, light, reason in course]
        steps += between(course, day if steps else FIRST_DAY, following)
    return figures, steps


def _rounds_run(gap: Gap, facts: Facts, version: Version, calendar: Calendar, by: int) -> Run | None:
    """Against the plan, in monthly rounds; None where there is no plan."""
    plan = facts.plan_of(gap.awaited)
    if plan is None:
        return None
    start, due = last_ordinal(gap.start), last_ordinal(plan)
    pauses = _pauses(facts, version, start)
    said = because(by)
    steps: list[DayStep] = [(FIRST_DAY, GREEN, said["judged-in-order"])]
    warn = None
    for judged in rounds(gap, facts, version, pauses, calendar):
        if judged.light != GREEN and warn is None:
            warn = judged.day
        steps.append((judged.day, judged.light, {"code": _ROUND_CODES[judged.light], "clock": by, **judged.findings}))
    stops = _stops(pauses, facts, calendar)
    if stops:
        steps = _overlay(steps, stops, said)
    approximate = is_approximate(plan) or is_approximate(gap.start)
    span = (gap.start, due, Limit(due - start, "calendar_days"), due - start)
    figures = _figures(gap, version.rule, version, *span, warn, stops, approximate)
    figures["plan"] = plan
    return figures, steps


def _until_satisfied(made: Run, facts: Facts, by: int) -> Run:
    """The lights up to the day on which the project came into the statistical library, green from it on."""
    figures, steps = made
    told = facts.statistics
    if told is None or not told["in_library"]:
        return made
    reason = {"code": "in-library", "clock": by, "since": told["since"]}
    if told["since"] is None:
        return figures, [(FIRST_DAY, GREEN, reason)]
    day = last_ordinal(told["since"])
    return figures, [*between(steps, FIRST_DAY, day), (day, GREEN, reason)]


def _overlay(steps: list[DayStep], stops: Sequence[Stop], said: Because) -> list[DayStep]:
    """Lay pauses over lights: grey while in time; what was overdue when the pause began stays red and says so.

    A grey whose approval runs out says so some days before: who needs longer must ask again. No light turns red within
    a pause: a paused day is never a due date, nor the end of a month that is judged.
    """
    overlaid: list[DayStep] = []
    taken, last = 0, len(steps)
    for place, (begin, end, notice, _) in enumerate(stops):
        follows = stops[place + 1][0] if place + 1 < len(stops) else LAST_DAY
        while taken < last and steps[taken][0] < begin:
            overlaid.append(steps[taken])
            taken += 1
        while taken < last and steps[taken][0] == begin:
            taken += 1
        overdue, paused_until, ending = said[place]
        if steps[taken - 1][1] == RED:
            overlaid.append((begin, RED, overdue))
        else:
            ends = notice is not None and follows != end  # else another pause goes on without a day between
            if not ends or notice != begin:
                overlaid.append((begin, GREY, paused_until))
            if ends and notice is not None:
                overlaid.append((notice, GREY, ending))
        while taken < last and steps[taken][0] <= end:
            taken += 1
        if follows > end:
            overlaid.append((end, *steps[taken - 1][1:]))
    return overlaid + steps[taken:]


def _figures(
    gap: Gap,
    rule: str,
    version: Version,
    since: str,
    due: int,
    limit: Limit,
    length: int,
    warn: int | None,
    stops: Sequence[Stop],
    approximate: bool,  # by their names the arguments would take longer to hand over, for every clock
    provisional: bool = False,
) -> dict[str, Any]:
    """A clock as stored, but for its lights."""
    return {
        "gap": [gap.reached, gap.awaited],
        "rule": rule,
        "kind": "gap",
        "start": day_text(last_ordinal(since)),
        "due": day_text(due),
        "warn": None if warn is None else day_text(warn),
        "limit": limit.amount,
        "unit": limit.unit,
        "limit_days": length,
        "provisional": provisional,
        "approximate": approximate,
        "paused_by": [stop[3] for stop in stops] if stops else [],
        **version.tags,
    }


def _reached(start: int, length: int, limit: Limit, pauses: Sequence[Pause], calendar: Calendar) -> int:
    """The day on which so many days that count towards a limit are used."""
    if limit.unit == "working_days":
        return reach(start, length, pauses, calendar.count, calendar.nth)
    return reach_calendar_days(start, length, pauses)


def _length(since: str, limit: Limit) -> int:
    """A limit in counted days; of months, the calendar days up to its date before pauses."""
    return _days_of_months(since, limit.amount) if limit.unit == "months" else limit.amount


@lru_cache(maxsize=1 << 14)
def _days_of_months(since: str, months: int) -> int:
    start = last_day(since)
    return add_months(start, months).toordinal() - start.toordinal()


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
