"""Every light of every day, as the product computes it and as the slow walk from day to day finds it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from luodi.domain.assess import days_used
from luodi.domain.stages import ROUTES
from tests.unit.domain.builders import UNHURRIED, Story, light_on, published
from tests.unit.domain.oracle import Approval, Situation, judge, months_later

CAUSES = ("enterprise", "government", "utility", "force_majeure")
LIMITS = {
    ("land", "signed"): (90, "calendar_days"),
    ("land", "land_supplied"): (60, "working_days"),
    ("land", "started"): (24, "months"),
    ("land", "completed"): (6, "months"),
    ("plant", "signed"): (60, "working_days"),
    ("plant", "started"): (6, "months"),
    ("plant", "completed"): (3, "months"),
    ("expansion", "signed"): (60, "working_days"),
    ("expansion", "started"): (12, "months"),
    ("expansion", "completed"): (3, "months"),
}
PLANS_RULE = ("completed", "producing")


@st.composite
def situations(draw: st.DrawFn) -> tuple[str, str, str, Situation]:
    """A route, the stage reached, the stage awaited, and what the walk must know of the gap."""
    route, reached = draw(st.sampled_from(sorted(LIMITS)))
    stages = ROUTES[route].stages
    awaited = stages[stages.index(reached) + 1]
    limit, unit = LIMITS[route, reached]
    start = draw(st.dates(date(2003, 6, 1), date(2028, 6, 1)) | st.dates(date(2025, 6, 1), date(2026, 12, 31)))
    around = st.integers(-100, 800) | st.integers(-5, 120)
    approvals = draw(
        st.lists(
            st.builds(
                lambda begin, length, cut, cause: Approval(
                    start + timedelta(days=begin),
                    start + timedelta(days=begin + length),
                    None if cut is None else start + timedelta(days=begin + cut),
                    cause,
                ),
                around,
                st.integers(-2, 95),
                st.none() | st.integers(-3, 100),
                st.sampled_from(CAUSES),
            ),
            max_size=5,
        )
    )
    plan = draw(st.none() | st.integers(-60, 900).map(lambda days: start + timedelta(days=days)))
    planned = plan is not None and awaited in PLANS_RULE
    return route, reached, awaited, Situation(start, limit, unit, tuple(approvals), plan, planned)


def told(route: str, reached: str, awaited: str, situation: Situation) -> dict[str, Any]:
    story = Story()
    story.registered(route=route)
    story.reached(reached, situation.start.isoformat())
    if situation.plan is not None:
        story.planned(awaited, situation.plan.isoformat())
    for approval in situation.approvals:
        story.paused(
            approval.begin.isoformat(),
            approval.until.isoformat(),
            None if approval.cleared is None else approval.cleared.isoformat(),
            approval.cause,
        )
    clock: dict[str, Any] = story.document()["clocks"][0]
    return clock


@settings(UNHURRIED, max_examples=150)
@given(situations())
@example(("land", "land_supplied", "started", Situation(date(2026, 2, 13), 60, "working_days")))
@example(("land", "land_supplied", "started", Situation(date(2026, 10, 9), 60, "working_days")))
@example(("plant", "completed", "producing", Situation(date(2023, 11, 30), 3, "months")))
def test_the_light_of_every_day_is_what_a_walk_from_day_to_day_finds(case: tuple[str, str, str, Situation]) -> None:
    situation = case[3]
    clock = told(*case)
    far = max(situation.start, situation.plan or situation.start, months_later(situation.start, 30))
    verdict = judge(situation, far + timedelta(days=60))

    assert clock["due"] == verdict.due.isoformat()
    assert clock["limit_days"] == verdict.length
    assert clock["provisional"] == verdict.provisional
    calendar = published()
    begun = {calendar.business_date(step["from"]): step["light"] for step in clock["lights"]}
    light = light_on(clock["lights"], min(verdict.lights))["light"]
    for day, expected in verdict.lights.items():
        light = begun.get(day, light)
        assert light == expected, f"{day}: {light}, not {expected}"
        assert days_used(clock, calendar, day) == verdict.used[day]
    for day in begun.keys() & verdict.lights.keys():
        assert light_on(clock["lights"], day)["light"] == verdict.lights[day]


@settings(UNHURRIED, max_examples=60)
@given(situations())
def test_without_a_pause_the_light_of_a_clock_only_worsens(case: tuple[str, str, str, Situation]) -> None:
    route, reached, awaited, found = case
    bare = Situation(found.start, found.limit, found.unit, (), found.plan, found.planned)
    lights = [step["light"] for step in told(route, reached, awaited, bare)["lights"]]
    badness = [("green", "yellow", "red").index(light) for light in lights]
    assert badness == sorted(badness)


@settings(UNHURRIED, max_examples=60)
@given(situations(), st.integers(-30, 400), st.integers(0, 89), st.sampled_from(CAUSES))
def test_one_more_pause_never_brings_red_earlier(
    case: tuple[str, str, str, Situation], begin: int, length: int, cause: str
) -> None:
    route, reached, awaited, found = case
    day = found.start + timedelta(days=begin)
    more = (*found.approvals, Approval(day, day + timedelta(days=length), None, cause))
    paused_more = Situation(found.start, found.limit, found.unit, more, found.plan, found.planned)

    def red_from(situation: Situation) -> str:
        lights = told(route, reached, awaited, situation)["lights"]
        return str(next(step["from"] for step in lights if step["light"] == "red"))

    assert red_from(paused_more) >= red_from(found)
