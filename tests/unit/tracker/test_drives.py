"""The five drives: which project is in which, and what each counts."""

from __future__ import annotations

from datetime import date

import pytest

from luodi.domain.drives import DRIVES, Counts, definition, definitions, drive_of, name
from luodi.domain.stages import PERFORMING, ROUTES, next_stage, stages_of
from services.tracker.drives import acts_next, sundays


@pytest.mark.parametrize(
    ("route", "drives"),
    [
        ("land", ["land", "start", "building", "production", "performance"]),
        ("plant", ["start", "building", "production", "performance"]),
        ("expansion", ["start", "building", "production", "performance"]),
        (None, ["land", "start", "building", "production", "performance"]),
    ],
)
def test_a_project_is_in_the_drive_of_the_stage_it_awaits(route: str | None, drives: list[str]) -> None:
    assert [drive_of(route, stage) for stage in stages_of(route)] == drives


def test_the_gaps_of_a_drive_are_those_its_projects_are_in() -> None:
    for route in ROUTES:
        for stage in stages_of(route):
            assert (stage, next_stage(route, stage) or PERFORMING) in DRIVES[drive_of(route, stage)].gaps


@pytest.mark.parametrize(
    ("light", "clocked", "counted"),
    [
        ("red", True, {"open": 1, "red": 1}),
        ("yellow", True, {"open": 1, "yellow": 1}),
        ("green", True, {"open": 1, "green": 1}),
        ("grey", True, {"open": 1, "paused": 1}),
        ("grey", False, {"open": 1, "grey": 1}),
    ],
)
def test_what_has_a_clock_and_is_grey_is_paused(light: str, clocked: bool, counted: dict[str, int]) -> None:
    counts = Counts()
    counts.add("building", light, 1, clocked=clocked)
    assert {name: number for name, number in counts.answer().items() if number} == counted


@pytest.mark.parametrize(("light", "is_open"), [("blue", False), ("grey", False), ("green", True), ("red", True)])
def test_of_projects_that_produce_those_are_open_that_have_something_left_to_do(light: str, is_open: bool) -> None:
    counts = Counts()
    counts.add("performance", light, 3, clocked=False)
    assert counts.open == (3 if is_open else 0)


def test_every_drive_and_every_number_is_explained_in_both_languages() -> None:
    for drive in DRIVES:
        assert name(drive, "zh-CN") != name(drive, "en")
        assert definition(drive, "zh-CN") != definition(drive, "en")
    told = definitions("zh-CN")
    assert told.keys() == definitions("en").keys() >= {*Counts().answer(), "worst", "next", "trend"}


@pytest.mark.parametrize(
    ("today", "last"), [("2026-06-01", "2026-05-31"), ("2026-06-07", "2026-05-31"), ("2026-06-08", "2026-06-07")]
)
def test_the_last_week_that_is_told_is_over(today: str, last: str) -> None:
    weeks = [*sundays(date.fromisoformat(today))]
    assert (len(weeks), weeks[-1].isoformat(), (weeks[-1] - weeks[0]).days) == (8, last, 49)


def blocker(owner: str | None, promise: str | None, cleared: str | None = None) -> dict[str, str | None]:
    return {"owner": owner, "promise": promise, "cleared": cleared, "recorded_at": "2026-03-05T01:00:00.000Z"}


@pytest.mark.parametrize(
    ("blockers", "who"),
    [
        ([], ("officer", "u-zhang")),
        ([blocker("u-power", None)], ("owner", "u-power")),
        ([blocker("u-power", "2026-05-01"), blocker("u-water", "2026-04-01")], ("owner", "u-water")),
        ([blocker("u-power", "2026-05-01"), blocker("u-water", "2026-04-01", "2026-04-02")], ("owner", "u-power")),
        ([blocker(None, None)], ("officer", "u-zhang")),
    ],
)
def test_the_unit_that_holds_a_project_up_acts_before_its_officer(
    blockers: list[dict[str, str | None]], who: tuple[str, str]
) -> None:
    found = acts_next({"officer": "u-zhang", "leader": "u-li", "blockers": blockers})
    assert (found["role"], found["who"]) == who
