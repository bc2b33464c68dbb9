"""Every light of every day, as the product computes it and as the slow walk from day to day finds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import chinese_calendar
from hypothesis import example, given, settings
from hypothesis import strategies as st

from luodi.domain import events
from luodi.domain.assess import assess, days_used
from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.stages import ROUTES
from tests.rules import DEFAULT_RULES, with_presets
from tests.unit.domain import oracle
from tests.unit.domain.agreeing import agree, agree_on_closed_gaps, differing
from tests.unit.domain.builders import (
    FIRST_PUBLISHED,
    LAST_PUBLISHED,
    SHANGHAI,
    SUBJECT,
    UNHURRIED,
    Document,
    Story,
    every_day,
    published,
)
from tests.unit.domain.strategies import DATA, histories

PAUSING = ("enterprise", "government", "utility", "force_majeure", "preliminary_work")
CAUSES = ("enterprise", "government", "utility", "force_majeure")
WELL_AFTER = timedelta(days=60)
LAST_LIMIT = timedelta(days=30 * 31)  # longer than the longest limit with every pause in it


@dataclass(frozen=True)
class Approval:
    """A blocker with an approved pause; ``cleared`` is the day it was cleared. ``own_act``: approved after it."""

    begin: date
    until: date
    cleared: date | None
    cause: str
    own_act: bool = False


@dataclass(frozen=True)
class Situation:
    """A gap that is open, with what bears on it."""

    route: str
    reached: str
    start: date
    approvals: tuple[Approval, ...] = ()
    plan: date | None = None

    @property
    def awaited(self) -> str:
        stages = ROUTES[self.route].stages
        return stages[stages.index(self.reached) + 1]

    def told(self) -> Story:
        story = Story()
        story.registered(route=self.route)
        story.reached(self.reached, self.start.isoformat())
        if self.plan is not None:
            story.planned(self.awaited, self.plan.isoformat())
        for approval in self.approvals:
            begin, until = approval.begin.isoformat(), approval.until.isoformat()
            if approval.own_act:
                blocker = story.blocked(begin, approval.cause)
                story.approved(blocker, begin, until)
            else:
                blocker = story.paused(begin, until, cause=approval.cause)
            if approval.cleared is not None:
                story.cleared(blocker, approval.cleared.isoformat())
        return story

    def document(self) -> Document:
        return self.told().document()


OPEN = [(name, stage) for name, route in ROUTES.items() for stage in route.stages[:-1]]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    route, reached = draw(st.sampled_from(OPEN))
    start = draw(st.dates(date(2003, 6, 1), date(2028, 6, 1)) | st.dates(date(2025, 6, 1), date(2026, 12, 31)))
    around = st.integers(-100, 800) | st.integers(-5, 120)
    approvals = draw(
        st.lists(
            st.builds(
                lambda begin, length, cut, cause, own_act: Approval(
                    start + timedelta(days=begin),
                    start + timedelta(days=begin + length),
                    None if cut is None else start + timedelta(days=begin + cut),
                    cause,
                    own_act,
                ),
                around,
                st.integers(-2, 95),
                st.none() | st.integers(-3, 100),
                st.sampled_from(CAUSES),
                st.booleans(),
            ),
            max_size=5,
        )
    )
    plan = draw(st.none() | st.integers(-60, 900).map(lambda days: start + timedelta(days=days)))
    return Situation(route, reached, start, tuple(approvals), plan)


@settings(UNHURRIED, max_examples=60)
@given(situations())
@example(Situation("land", "land_supplied", date(2026, 2, 13)))
@example(Situation("land", "land_supplied", date(2026, 10, 9)))
@example(Situation("plant", "completed", date(2023, 11, 30)))
def test_the_light_of_every_day_is_what_a_walk_from_day_to_day_finds(situation: Situation) -> None:
    far = max(situation.start + LAST_LIMIT, situation.plan or situation.start) + WELL_AFTER
    agree(situation.document(), oracle.judge(situation.told().events, far))


@settings(UNHURRIED, max_examples=80)
@given(histories())
def test_any_history_is_lit_on_every_day_as_a_walk_from_day_to_day_finds_it(recorded: list[Event]) -> None:
    document = assess(SUBJECT, fold(recorded), DEFAULT_RULES, published())
    verdict = oracle.judge(recorded, date(2029, 12, 31))
    agree(document, verdict)
    agree_on_closed_gaps(document, verdict)


EVERY_PRESET = ("zone-default", "handan-2024", "idle-land", "jiangdong", "yinchuan-2025")


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """A project within one gap, with everything that some rule looks at: plans and their changes, reports, a land
    contract, the statistical library, blockers with pauses."""
    route, reached = draw(st.sampled_from(OPEN))
    stages = ROUTES[route].stages
    awaited = stages[stages.index(reached) + 1]
    start = draw(st.dates(date(2025, 2, 1), date(2026, 6, 30)))
    near = st.integers(-40, 500).map(lambda days: (start + timedelta(days=days)).isoformat())
    or_month = near | near.map(lambda day: day[:7])
    story = Story()
    story.registered(route=route, agreed_start_date=draw(st.none() | or_month))
    story.reached(reached, start.isoformat())
    for _ in range(draw(st.integers(0, 3))):
        approval = {"reason": "调整", "approver": "u-chief"} if draw(st.booleans()) else {}
        story.planned(awaited, draw(or_month), **approval)
    for _ in range(draw(st.integers(0, 3))):
        story.tell(events.PROGRESS_REPORTED, date=draw(or_month), percent=draw(st.none() | st.integers(0, 100)))
    if draw(st.booleans()):
        story.tell(events.LAND_CONTRACT_RECORDED, start_by=draw(st.none() | or_month))
    if draw(st.booleans()):
        story.tell(events.STATISTICS_REPORTED, in_library=draw(st.booleans()), since=draw(st.none() | or_month))
    for _ in range(draw(st.integers(0, 3))):
        begin = start + timedelta(days=draw(st.integers(-40, 400)))
        until = begin + timedelta(days=draw(st.integers(0, 89)))
        blocker = story.blocked(begin.isoformat(), draw(st.sampled_from(PAUSING)))
        document = draw(st.none() | st.just("园管函〔2026〕3号"))
        story.approved(blocker, begin.isoformat(), until.isoformat(), document)
        if draw(st.booleans()):
            story.cleared(blocker, draw(near))
    return story.events


@settings(UNHURRIED, max_examples=40)
@given(lives())
def test_with_every_preset_each_clock_is_lit_on_every_day_as_the_walk_finds_it(recorded: list[Event]) -> None:
    document = assess(SUBJECT, fold(recorded), with_presets(*EVERY_PRESET), published())
    agree(document, oracle.judge(recorded, date(2029, 12, 31), presets=EVERY_PRESET), whole=False)


@st.composite
def courses(draw: st.DrawFn) -> list[Event]:
    """A project that has reached several stages, in whatever order their dates are, with pauses on the way."""
    route = draw(st.sampled_from([*ROUTES]))
    begin = draw(st.dates(date(2023, 6, 1), date(2026, 3, 31)))
    day = st.integers(-30, 900).map(lambda days: (begin + timedelta(days=days)).isoformat())
    story = Story()
    story.registered(route=route, lanes=draw(st.just([]) | st.just(["拿地即开工"])))
    for stage in ROUTES[route].stages:
        if draw(st.integers(0, 4)):
            story.reached(stage, draw(st.none() | day | day.map(lambda text: text[:7]) | day))
        if draw(st.booleans()):
            story.planned(stage, draw(day))
    if draw(st.booleans()):
        story.tell(events.LAND_CONTRACT_RECORDED, start_by=draw(day))
    for _ in range(draw(st.integers(0, 3))):
        first = date.fromisoformat(draw(day))
        blocker = story.blocked(first.isoformat(), draw(st.sampled_from(PAUSING)))
        until = first + timedelta(days=draw(st.integers(0, 89)))
        story.approved(blocker, first.isoformat(), until.isoformat(), draw(st.none() | st.just("园管函〔2026〕3号")))
    return story.events


@settings(UNHURRIED, max_examples=60)
@given(courses())
def test_every_closed_gap_ended_as_a_walk_from_day_to_day_finds_it(recorded: list[Event]) -> None:
    presets = ("zone-default", "idle-land")
    document = assess(SUBJECT, fold(recorded), with_presets(*presets), published())
    document["closed"] = [entry for entry in document["closed"] if entry["rule"] != "idle-land-stopped"]
    agree_on_closed_gaps(document, oracle.judge(recorded, date(2026, 1, 1), presets=presets))


@cache
def observed(year: int) -> YearDays:
    return YearDays.observed(year, chinese_calendar.is_workday)


@st.composite
def own_days(draw: st.DrawFn) -> tuple[Calendar, oracle.Days]:
    """A zone's own free and worked days over the country's, of which fewer years may be published; for both sides."""
    last = draw(st.integers(2023, LAST_PUBLISHED))
    days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
    off = draw(st.frozensets(days, max_size=40))
    worked = draw(st.frozensets(days, max_size=15)) - off
    years = {year: observed(year) for year in range(FIRST_PUBLISHED, last + 1)}
    for year in {day.year for day in off | worked}:
        own = YearDays(
            off=frozenset(day for day in off if day.year == year),
            made_up=frozenset(day for day in worked if day.year == year),
        )
        years[year] = years.get(year, YearDays()).overlaid(own)
    mine = Calendar.build(SHANGHAI, years, last)
    return published().with_zones({"mine": mine}), oracle.Days(last, off, worked)


@settings(UNHURRIED, max_examples=50)
@given(own_days(), st.dates(date(2024, 10, 1), date(2027, 6, 30)), st.booleans(), st.integers(0, 40))
def test_a_zone_counts_by_its_own_days_as_the_walk_does(
    days: tuple[Calendar, oracle.Days], start: date, quick: bool, pause: int
) -> None:
    story = Story()
    story.registered(zone="mine", lanes=["拿地即开工"] if quick else [])
    story.reached("land_supplied", start.isoformat())
    if pause:
        begin = start + timedelta(days=pause)
        story.paused(begin.isoformat(), (begin + timedelta(days=pause)).isoformat())
    document = story.document(calendar=days[0])
    (clock,) = document["clocks"]
    verdict = oracle.judge(story.events, start + timedelta(days=300), days[1])
    walk = verdict.clocks["zone-default"]
    assert (clock["due"], clock["provisional"]) == (walk.due.isoformat(), walk.provisional)
    assert differing(every_day(clock["lights"], walk.lights), walk.lights) == []
    for day, used in walk.used.items():
        assert days_used(clock, days[0].of("mine"), day) == used, day


# What must hold whatever the limits are.


@settings(UNHURRIED, max_examples=40)
@given(situations())
def test_without_a_pause_the_light_of_a_clock_only_worsens(situation: Situation) -> None:
    bare = replace(situation, approvals=())
    for clock in bare.document()["clocks"]:
        badness = [("green", "yellow", "red").index(step["light"]) for step in clock["lights"]]
        assert badness == sorted(badness)


def red_from(situation: Situation) -> dict[str, str]:
    """The instant from which each clock is red for the first time."""
    return {
        clock["rule"]: next(step["from"] for step in clock["lights"] if step["light"] == "red")
        for clock in situation.document()["clocks"]
    }


@settings(UNHURRIED, max_examples=40)
@given(situations(), st.integers(-30, 400), st.integers(0, 89), st.sampled_from(CAUSES), st.booleans())
def test_one_more_pause_never_brings_red_earlier(
    situation: Situation, begin: int, length: int, cause: str, own_act: bool
) -> None:
    day = situation.start + timedelta(days=begin)
    more = Approval(day, day + timedelta(days=length), None, cause, own_act)
    before, after = red_from(situation), red_from(replace(situation, approvals=(*situation.approvals, more)))
    assert after.keys() == before.keys()
    assert all(after[rule] >= before[rule] for rule in before)


IRRELEVANT = {  # to the zone's limits: what these tell bears on no light of theirs
    type_: DATA[type_]
    for type_ in (
        events.NOTE_ADDED,
        events.PROGRESS_REPORTED,
        events.SUSPENSION_BEGUN,
        events.SUSPENSION_ENDED,
        events.LAND_CONTRACT_RECORDED,
        events.ANNUAL_PLAN_SET,
        events.STATISTICS_REPORTED,
        "unheard.of",  # of a type that only a later version knows
    )
}


@settings(UNHURRIED, max_examples=60)
@given(histories(max_size=8), st.data())
def test_an_irrelevant_event_changes_no_light(recorded: list[Event], data: st.DataObject) -> None:
    type_ = data.draw(st.sampled_from(sorted(IRRELEVANT)))
    more = Event(SUBJECT, "more", type_, "2026-03-02T03:00:00.000Z", 0, None, data.draw(IRRELEVANT[type_]))
    before = assess(SUBJECT, fold(recorded), DEFAULT_RULES, published())
    after = assess(SUBJECT, fold([*recorded, more]), DEFAULT_RULES, published())
    assert after["lights"] == before["lights"]
    assert after["clocks"] == before["clocks"]
    assert [blocker["lights"] for blocker in after["blockers"]] == [b["lights"] for b in before["blockers"]]
