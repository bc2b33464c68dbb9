"""The rules of the lights a second time, as slowly and as literally as they can be said: one day after the other.

It shares no code with the product: it reads the events for itself, keeps its own tables of stages, limits and holidays,
walks from day to day with sets, and counts on its fingers. Where it and the product differ, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import chinese_calendar

DAY = timedelta(days=1)
SHANGHAI_AHEAD = timedelta(hours=8)
BADNESS = ("blue", "green", "grey", "yellow", "red")

STAGES_OF = {
    "land": ("signed", "land_supplied", "started", "completed", "producing"),
    "plant": ("signed", "started", "completed", "producing"),
    "expansion": ("signed", "started", "completed", "producing"),
}
ZONE_CAUSES = ("government", "utility", "force_majeure")


@dataclass(frozen=True)
class Limit:
    """A rule that counts from the stage reached before: ``ahead`` is the number of days before the due date on which a
    long limit warns; without it the light is yellow from four fifths on."""

    number: int
    unit: str  # working_days, calendar_days or months
    causes: tuple[str, ...] = ZONE_CAUSES
    ahead: int | None = None
    yellow_after: int | None = None  # instead: months after which the light is yellow
    needs_document: bool = False

    @classmethod
    def zone(cls, number: int, unit: str) -> Limit:
        return cls(number, unit, ahead=30 if unit == "months" and number > 6 else None)


ZONE_DEFAULT = {
    ("land", "land_supplied"): Limit.zone(90, "calendar_days"),
    ("land", "started"): Limit.zone(60, "working_days"),
    ("land", "completed"): Limit.zone(24, "months"),
    ("land", "producing"): Limit.zone(6, "months"),
    ("plant", "started"): Limit.zone(60, "working_days"),
    ("plant", "completed"): Limit.zone(6, "months"),
    ("plant", "producing"): Limit.zone(3, "months"),
    ("expansion", "started"): Limit.zone(60, "working_days"),
    ("expansion", "completed"): Limit.zone(12, "months"),
    ("expansion", "producing"): Limit.zone(3, "months"),
}
LAW_CAUSES = ("government", "force_majeure", "preliminary_work")
IDLE_LAND = {  # counted from the agreed start, on the gap from the land to the start
    "idle-land-fee": Limit(12, "months", LAW_CAUSES, ahead=60, needs_document=True),
    "idle-land-recovery": Limit(24, "months", LAW_CAUSES, ahead=60, needs_document=True),
}
NO_PROGRESS = {  # counted from the newest milestone or progress report
    "handan-2024-progress": Limit(3, "months", yellow_after=2),
    "handan-2024-pool": Limit(6, "months", ahead=-1),  # it does not warn: the other one does
}
ON_RECEIVING_THE_LAND = Limit.zone(20, "working_days")  # the lane 拿地即开工


# The days.


@dataclass(frozen=True)
class Days:
    """Which days are worked: as published up to ``last_published``, then Monday to Friday; ``also_off`` and
    ``also_worked`` are a zone's own."""

    last_published: int = 2026
    also_off: frozenset[date] = frozenset()
    also_worked: frozenset[date] = frozenset()

    def worked(self, day: date) -> bool:
        if day in self.also_off or day in self.also_worked:
            return day in self.also_worked
        return is_workday(day, self.last_published)


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


def last_of(text: str) -> date:
    """The day itself, or the last day of a month or a year."""
    if len(text) == 10:
        return date.fromisoformat(text)
    day = date(int(text[:4]), int(text[5:7]) if len(text) == 7 else 12, 28)
    while (day + DAY).isoformat().startswith(text):
        day += DAY
    return day


def recorded_on(event: Any) -> str:
    """The business date in Shanghai on which an event was recorded."""
    moment = datetime.strptime(event.recordedtime, "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007 - UTC, moved by hand below
    return (moment + SHANGHAI_AHEAD).date().isoformat()


# What stands in the record.


@dataclass(frozen=True)
class Pause:
    """An approval: the days it was given for, and whom they are charged to."""

    place: int  # in the order of recording
    begin: date
    until: date
    document: str | None

    @property
    def last(self) -> date:
        """The last day of the approval; no approval reaches further than its 90th day."""
        return min(self.until, self.begin + 89 * DAY)


@dataclass
class Blocker:
    id: str
    owner: str | None
    cause: str
    date: str
    promise: str | None
    pauses: list[Pause] = field(default_factory=list)
    cleared: str | None = None


@dataclass
class Record:
    """What is known of a project once retractions and corrections have had their say."""

    fields: dict[str, Any] = field(default_factory=dict)
    reached: dict[str, str | None] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)  # the date that holds
    blockers: list[Blocker] = field(default_factory=list)
    withdrawn: bool = False
    agreed_start: str | None = None  # of the land contract
    progress: dict[str, int | None] = field(default_factory=dict)  # percent by the date of the report
    in_library: tuple[bool, str | None] = (False, None)  # and since when
    baselines: dict[str, str] = field(default_factory=dict)
    moved: list[tuple[date, str, str]] = field(default_factory=list)  # day recorded, stage, approved new date


def standing(events: Iterable[Any]) -> list[Any]:
    """The events that still stand, in the order they were recorded, without the retractions."""
    left: list[Any] = []
    for event in sorted(events, key=lambda event: (event.recordedtime, event.sequence, event.id)):
        if all(event.id != other.id for other in left):
            left.append(event)
    for event in reversed(list(left)):
        if event in left and event.type == "event.retracted":
            before = left[: left.index(event)]
            left = [other for other in left if other not in before or other.id != event.data["event_id"]]
    return [event for event in left if event.type != "event.retracted"]


def read(events: Iterable[Any]) -> Record:
    """Read the record. What tells of a blocker may have been recorded before it, so blockers are read first."""
    record = Record()
    left = standing(events)
    for event in left:
        data = event.data
        if event.type == "blocker.raised":
            day = data.get("date") or recorded_on(event)
            blocker = Blocker(event.id, data.get("owner"), data["cause"], day, data.get("promise"))
            record.blockers.append(blocker)
    by_id = {blocker.id: blocker for blocker in record.blockers}
    sent_back = returned(left)
    for place, event in enumerate(left):
        data = event.data
        if event.type in ("project.registered", "project.amended"):
            record.fields |= data
        elif event.type == "milestone.reported" and event.id not in sent_back:
            record.reached[data["stage"]] = data.get("date")
        elif event.type == "plan.set":
            record.baselines.setdefault(data["stage"], data["date"])
            if data["stage"] not in record.plans:
                record.plans[data["stage"]] = data["date"]
            elif data.get("reason") and data.get("approver") and data["date"] != record.plans[data["stage"]]:
                record.plans[data["stage"]] = data["date"]
                record.moved.append((date.fromisoformat(recorded_on(event)), data["stage"], data["date"]))
        elif event.type == "project.withdrawn":
            record.withdrawn = True
        elif event.type == "land_contract.recorded":
            record.agreed_start = data.get("start_by")
        elif event.type == "progress.reported":
            if data.get("percent") is not None or data["date"] not in record.progress:
                record.progress[data["date"]] = data.get("percent")
        elif event.type == "statistics.reported":
            record.in_library = (data["in_library"], data.get("since"))
        elif event.type == "blocker.raised" and data.get("approver") and data.get("until"):
            by_id[event.id].pauses.append(_pause(place, event))
        elif event.type == "blocker.paused" and data["blocker_id"] in by_id:
            by_id[data["blocker_id"]].pauses.append(_pause(place, event))
        elif event.type == "blocker.updated" and data["blocker_id"] in by_id:
            blocker = by_id[data["blocker_id"]]
            blocker.owner = data.get("owner") or blocker.owner
            blocker.promise = data.get("promise") or blocker.promise
        elif event.type == "blocker.cleared" and data["blocker_id"] in by_id:
            by_id[data["blocker_id"]].cleared = data.get("date") or recorded_on(event)
    return record


def returned(left: Sequence[Any]) -> set[str]:
    """The reports that somebody else looked at and sent back, and on which nobody has thought better since."""
    found: set[str] = set()
    for place, event in enumerate(left):
        if event.type != "milestone.verified" or event.actor is None:
            continue
        for report in left[:place]:
            if report.id == event.data["event_id"] and report.type == "milestone.reported":
                if report.actor != event.actor and event.data["result"] == "returned":
                    found.add(report.id)
                elif report.actor != event.actor:
                    found.discard(report.id)
    return found


def _pause(place: int, event: Any) -> Pause:
    begin = date.fromisoformat(event.data.get("date") or recorded_on(event))
    return Pause(place, begin, date.fromisoformat(event.data["until"]), event.data.get("document"))


Paused = dict[date, tuple[Pause, Blocker]]


def paused_days(record: Record, causes: Iterable[str], *, needs_document: bool = False) -> Paused:
    """Each paused day, with the approval and the blocker whose unit it is charged to: of several the pause begun first,
    then the one recorded first."""
    approved = [
        (pause, blocker)
        for blocker in record.blockers
        for pause in blocker.pauses
        if blocker.cause in causes and (pause.document or not needs_document)
    ]
    charged: Paused = {}
    for pause, blocker in sorted(approved, key=lambda entry: (entry[0].begin, entry[0].place)):
        day = pause.begin
        while day <= pause.last and not (blocker.cleared and day >= last_of(blocker.cleared)):
            charged.setdefault(day, (pause, blocker))
            day += DAY
    return charged


# One clock, day by day.


@dataclass(frozen=True)
class Walk:
    """A clock as the walk found it. ``lights`` and ``used`` hold every day walked over."""

    start: date
    due: date
    length: int
    provisional: bool
    paused: Paused  # after day 0
    lights: dict[date, tuple[str, str]]  # light and code of its reason
    used: dict[date, int]


BEFORE = 10  # days walked over before day 0


def walk(start: date, limit: Limit, paused: Paused, plan: date | None, until: date, days: Days) -> Walk:
    """A limit that runs from a day, with what pauses it; a planned date that has passed is a warning."""
    works = limit.unit == "working_days"
    after = {day: by for day, by in paused.items() if day > start}
    looked_beyond = False

    def counts(day: date) -> bool:
        return day not in after and (days.worked(day) if works else True)

    if limit.unit == "months":
        unpaused = months_later(start, limit.number)
        length, due = (unpaused - start).days, unpaused
        while (moved := unpaused + DAY * sum(1 for day in after if day <= due)) != due:
            due = moved
    else:
        length, due, found = limit.number, start, 0
        while found < length:
            due += DAY
            looked_beyond |= works and due.year > days.last_published
            found += counts(due)

    lights: dict[date, tuple[str, str]] = {}
    used: dict[date, int] = {}
    number, day = 0, start - BEFORE * DAY
    while day <= until:
        number += day > start and counts(day)
        used[day] = number
        if limit.yellow_after is not None:
            warned = number > (months_later(start, limit.yellow_after) - start).days
        elif limit.ahead is not None:
            warned = day >= due - limit.ahead * DAY
        else:
            warned = number * 10 >= length * 8
        light = ("green", "in-time")
        if day > due and day > start:
            light = ("red", "overdue")
        elif warned and day >= start:
            light = ("yellow", "due-soon")
        elif plan is not None and day > plan:
            light = ("yellow", "behind-plan")
        lights[day] = _beneath_pauses(day, light, after, days)
        day += DAY
    return Walk(start, due, length, looked_beyond, after, lights, used)


def _beneath_pauses(day: date, light: tuple[str, str], paused: Paused, days: Days) -> tuple[str, str]:
    """A paused day is grey unless the clock was overdue before: then it stays red and says so."""
    if day not in paused:
        return light
    if light[0] == "red":
        return ("red", "overdue-paused")
    return ("grey", "pause-ending" if _runs_out(day, paused, days) else "paused")


def _runs_out(day: date, paused: Paused, days: Days) -> bool:
    """Whether no more than three working days are left, after this one, of an approval that nothing prolongs. A pause
    that its blocker's clear ended did not run out."""
    pause = paused[day][0]
    left = 0
    while (day + DAY) in paused and paused[day + DAY][0] is pause:
        day += DAY
        left += days.worked(day)
    return day == pause.last and (day + DAY) not in paused and left <= 3


def walk_to(start: date, due: date, until: date, word: str, *, ahead: bool) -> Walk:
    """A clock of calendar days to a date that somebody planned or promised; nothing pauses it. ``ahead``: a long one
    (over 183 days) warns 30 days before."""
    length = (due - start).days
    lights, used = {}, {}
    day = start - BEFORE * DAY
    while day <= until:
        number = max(0, (day - start).days)
        used[day] = number
        warned = day >= due - 30 * DAY if ahead and length > 183 else number * 10 >= length * 8
        if day > due and day > start:
            lights[day] = ("red", f"{word}-overdue")
        elif warned and day >= start:
            lights[day] = ("yellow", f"{word}-due-soon")
        else:
            lights[day] = ("green", f"{word}-in-time")
        day += DAY
    return Walk(start, due, length, False, {}, lights, used)


# Monthly rounds: on the first of a month the month just ended is judged.


@dataclass(frozen=True)
class Rounds:
    """What a round looks for, and when it turns red. ``points``: from so many behind plan on it finds something; above
    ``points_red`` it is red at once."""

    row: int  # so many rounds in a row that find something are red
    plan_passed: bool = False
    postponed: bool = False
    points: int | None = None
    points_red: int | None = None


YINCHUAN_START = Rounds(3, plan_passed=True)
YINCHUAN_PROGRESS = Rounds(3, points=10, points_red=30)
JIANGDONG = Rounds(2, plan_passed=True, postponed=True, points=1)


def _planned_percent(start: date, plan: date, day: date) -> int:
    """Linear from the start to the plan, rounded down."""
    if day >= plan:
        return 100
    return 0 if day <= start else (day - start).days * 100 // (plan - start).days


def finds(rule: Rounds, record: Record, awaited: str, start: date, ended: date) -> tuple[bool, bool]:
    """Whether the month that ended on this day shows anything, and whether it is red by itself."""
    plan = last_of(record.plans[awaited])
    in_force = record.baselines[awaited]
    for recorded, stage, moved in record.moved:
        if stage == awaited and recorded <= ended:
            in_force = moved
    reports = [(last_of(day), percent) for day, percent in record.progress.items() if percent is not None]
    known = [(day, percent) for day, percent in sorted(reports) if day <= ended]
    behind = _planned_percent(start, plan, ended) - known[-1][1] if known else 0
    found = rule.plan_passed and plan <= ended
    found |= rule.postponed and last_of(in_force) > last_of(record.baselines[awaited])
    found |= rule.points is not None and behind >= rule.points
    return found, rule.points_red is not None and behind > rule.points_red


def walk_rounds(start: date, rule: Rounds, record: Record, awaited: str, until: date, days: Days) -> Walk:
    """The lights by monthly rounds. A month on whose last day the clock is paused is not judged."""
    after = {day: by for day, by in paused_days(record, ZONE_CAUSES).items() if day > start}
    plan = last_of(record.plans[awaited])
    lights: dict[date, tuple[str, str]] = {}
    used: dict[date, int] = {}
    light, row, number = ("green", "judged-in-order"), 0, 0
    day = start - BEFORE * DAY
    while day <= until:
        number += day > start and day not in after
        used[day] = number
        ended = day - DAY
        if day.day == 1 and day > start and ended not in after:
            found, red = finds(rule, record, awaited, start, ended)
            row = row + 1 if found else 0
            if red or row >= rule.row:
                light = ("red", "judged-late")
            else:
                light = ("yellow", "judged-behind") if found else ("green", "judged-in-order")
        lights[day] = _beneath_pauses(day, light, after, days)
        day += DAY
    return Walk(start, plan, (plan - start).days, False, after, lights, used)


def walk_to_library(start: date, record: Record, until: date, days: Days) -> Walk:
    """Not in the statistical library (入库): yellow one month after the start, red after two, seen on the first of a
    month. From the day it is in the library the light is green for good."""
    limit = Limit(2, "months", yellow_after=1)
    daily = walk(start, limit, paused_days(record, limit.causes), None, until, days)
    told, since = record.in_library
    lights: dict[date, tuple[str, str]] = {}
    seen = ("green", "in-time")
    for day in daily.lights:
        if day.day == 1 and day > start and day - DAY not in daily.paused:
            if day > daily.due:
                seen = ("red", "overdue")
            elif daily.used[day] > (months_later(start, 1) - start).days:
                seen = ("yellow", "due-soon")
        lights[day] = _beneath_pauses(day, seen, daily.paused, days)
        if told and (since is None or day >= last_of(since)):
            lights[day] = ("green", "in-library")
    return Walk(start, daily.due, daily.length, False, daily.paused, lights, daily.used)


def walk_from_reports(start: date, limit: Limit, record: Record, until: date, days: Days) -> Walk:
    """A limit that begins anew with every milestone and every report of progress."""
    told = [last_of(day) for day in record.reached.values() if day is not None]
    told += [last_of(day) for day in record.progress]
    begun = sorted({start, *(day for day in told if day > start)})
    paused = paused_days(record, limit.causes)
    runs = {day: walk(day, limit, paused, None, until, days) for day in begun}
    lights: dict[date, tuple[str, str]] = {}
    day = start - BEFORE * DAY
    while day <= until:
        newest = max((first for first in begun if first <= day), default=start)
        lights[day] = runs[newest].lights[day]
        day += DAY
    last = runs[begun[-1]]
    return Walk(last.start, last.due, last.length, False, last.paused, lights, last.used)


# The whole project.


@dataclass(frozen=True)
class Closed:
    """How a gap between two stages of the route ended under a rule, both their dates being known."""

    gap: tuple[str, str]
    rule: str
    start: date
    closed: date
    due: date
    days: int
    over: int
    late: bool


@dataclass(frozen=True)
class Verdict:
    """What the oracle says of a project. ``resting``: its one light and reason where no clock of a gap runs."""

    stage: str | None
    awaited: str | None
    resting: tuple[str, str] | None
    clocks: dict[str, Walk]  # by rule
    promises: dict[str, Walk]  # by blocker
    closed: list[Closed]

    def days(self) -> list[date]:
        """The days on which everything that runs was walked over; one day where nothing runs."""
        walked = [set(track.lights) for track in [*self.clocks.values(), *self.promises.values()]]
        return sorted(set.intersection(*walked)) if walked else [date(2026, 3, 5)]

    def light(self, day: date) -> str:
        """The worst of everything that runs."""
        shown = [track.lights[day][0] for track in [*self.clocks.values(), *self.promises.values()]]
        if self.resting is not None:
            shown.append(self.resting[0])
        return max(shown, key=BADNESS.index)


def judge(
    events: Iterable[Any],
    until: date,
    days: Days | None = None,
    own: Limit | None = None,
    presets: Sequence[str] = ("zone-default",),
) -> Verdict:
    """Read the events and walk every clock of the project from before its day 0 to ``until``. ``own``: a limit in the
    place of the zone's."""
    days = days or Days()
    record = read(events)
    fields = {name: value for name, value in record.fields.items() if value is not None}
    route = fields.get("route", "land")
    stages = STAGES_OF[route]
    stage = next((stage for stage in reversed(stages) if stage in record.reached), None)
    place = -1 if stage is None else stages.index(stage)
    awaited = stages[place + 1] if place + 1 < len(stages) else None

    promises: dict[str, Walk] = {}
    closed = _closed(record, route, days, own, presets)

    def resting(light: str, code: str) -> Verdict:
        return Verdict(stage, awaited, (light, code), {}, promises, closed)

    if record.withdrawn:
        return resting("grey", "withdrawn")
    if fields.get("source") == "published":
        return resting("grey", "published")
    if fields.get("phased"):
        return resting("grey", "phased")
    for blocker in record.blockers:
        if blocker.promise is not None and blocker.cleared is None:
            begun = last_of(blocker.date)
            promises[blocker.id] = walk_to(begun, last_of(blocker.promise), until, "promise", ahead=False)
    if fields.get("kind") == "agreement":
        return resting("grey", "no-clock")
    if stage is None:
        return resting("grey", "no-milestone")
    if awaited is None:
        return resting("blue", "finished")
    reached = record.reached[stage]
    if reached is None:
        return resting("grey", "date-unknown")
    start = last_of(reached)
    clocks: dict[str, Walk] = {}
    for preset in presets:
        clocks |= PRESETS[preset](Gap(route, stage, awaited, start), record, until, days, own)
    return Verdict(stage, awaited, None, clocks, promises, closed)


def _closed(record: Record, route: str, days: Days, own: Limit | None, presets: Sequence[str]) -> list[Closed]:
    """Each gap between neighbours on the route of which both dates are known, walked to the day on which it closed."""
    fields = record.fields
    if fields.get("source") == "published" or fields.get("phased") or fields.get("kind") == "agreement":
        return []
    found: list[Closed] = []
    stages = STAGES_OF[route]
    for reached, awaited in pairwise(stages):
        begun, ended = record.reached.get(reached), record.reached.get(awaited)
        if begun is None or ended is None:
            continue
        gap, day = Gap(route, reached, awaited, last_of(begun)), last_of(ended)
        for preset in presets:
            for rule, track in PRESETS[preset](gap, record, max(day, gap.start) + DAY, days, own).items():
                late = track.lights.get(day, ("green", ""))[0] == "red"
                over = max(0, (day - track.due).days)
                used = track.used.get(day, 0)
                found.append(Closed((reached, awaited), rule, track.start, day, track.due, used, over, late))
    return found


@dataclass(frozen=True)
class Gap:
    route: str
    reached: str
    awaited: str
    start: date


def _zone_default(gap: Gap, record: Record, until: date, days: Days, own: Limit | None) -> dict[str, Walk]:
    """The routes table; for completion and production a plan takes the place of its limit."""
    plan = last_of(record.plans[gap.awaited]) if gap.awaited in record.plans else None
    if plan is not None and gap.awaited in ("completed", "producing"):
        return {"plan": walk_to(gap.start, plan, until, "plan", ahead=True)}
    limit = ZONE_DEFAULT[gap.route, gap.awaited]
    if (gap.route, gap.awaited) == ("land", "started") and "拿地即开工" in (record.fields.get("lanes") or ()):
        limit = ON_RECEIVING_THE_LAND
    limit = own or limit
    return {"zone-default": walk(gap.start, limit, paused_days(record, limit.causes), plan, until, days)}


def _idle_land(gap: Gap, record: Record, until: date, days: Days, _own: Limit | None) -> dict[str, Walk]:
    """The law: day 0 is the agreed start, of the land contract, else as registered. A plan moves nothing."""
    agreed = record.agreed_start or record.fields.get("agreed_start_date")
    if (gap.reached, gap.awaited) != ("land_supplied", "started") or agreed is None:
        return {}
    paused = paused_days(record, LAW_CAUSES, needs_document=True)
    return {rule: walk(last_of(agreed), limit, paused, None, until, days) for rule, limit in IDLE_LAND.items()}


def _no_progress(gap: Gap, record: Record, until: date, days: Days, _own: Limit | None) -> dict[str, Walk]:
    return {rule: walk_from_reports(gap.start, limit, record, until, days) for rule, limit in NO_PROGRESS.items()}


def _yinchuan(gap: Gap, record: Record, until: date, days: Days, _own: Limit | None) -> dict[str, Walk]:
    found: dict[str, Walk] = {}
    if gap.awaited == "started" and "started" in record.plans:
        found["yinchuan-2025-start"] = walk_rounds(gap.start, YINCHUAN_START, record, gap.awaited, until, days)
    if gap.awaited == "completed" and "completed" in record.plans:
        found["yinchuan-2025-progress"] = walk_rounds(gap.start, YINCHUAN_PROGRESS, record, gap.awaited, until, days)
    if gap.awaited == "completed":
        found["yinchuan-2025-statistics"] = walk_to_library(gap.start, record, until, days)
    return found


def _jiangdong(gap: Gap, record: Record, until: date, days: Days, _own: Limit | None) -> dict[str, Walk]:
    if gap.awaited not in record.plans:
        return {}
    return {"jiangdong": walk_rounds(gap.start, JIANGDONG, record, gap.awaited, until, days)}


PRESETS = {
    "zone-default": _zone_default,
    "idle-land": _idle_land,
    "handan-2024": _no_progress,
    "yinchuan-2025": _yinchuan,
    "jiangdong": _jiangdong,
}
"""Preset -> its clocks of an open gap, in their order."""
