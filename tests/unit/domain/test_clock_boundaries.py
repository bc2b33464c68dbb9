"""Clocks at their boundaries: the table of ``cases.py`` against the product and the slow walk of ``oracle.py``."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from luodi.domain.assess import days_used, light_at
from luodi.domain.courses import paused
from luodi.domain.rules import Limit, Rules
from tests.rules import DEFAULT_RULES, with_limit, with_presets
from tests.rules import rules_of as rules_with
from tests.unit.domain import oracle
from tests.unit.domain.agreeing import agree
from tests.unit.domain.builders import Document, Story, every_day, light_on, published
from tests.unit.domain.cases import CASES, GREEN, NEXT, RED, RULED, SIGNED, WHOLES, YELLOW, Case, Ruled, Whole, told

WELL_AFTER = timedelta(days=60)


def rules_of(case: Case) -> Rules:
    """The zone's own limits, or the one limit of the row."""
    if case.limit is None:
        return DEFAULT_RULES
    number, unit = case.limit
    limit = Limit(number, unit)  # type: ignore[arg-type]  # a row's unit is text
    return rules_with(with_limit(case.route, NEXT[case.route, case.reached[0]], limit))


def document_of(case: Case | Whole) -> Document:
    return told(case).document(rules_of(case) if isinstance(case, Case) else DEFAULT_RULES)


def verdict_of(case: Case | Whole, until: date) -> oracle.Verdict:
    limit = None
    if isinstance(case, Case) and case.limit is not None:
        limit = oracle.Limit.zone(*case.limit)
    return oracle.judge(told(case).events, until, own=limit)


def clock_of(case: Case) -> dict[str, Any]:
    clock: dict[str, Any] = document_of(case)["clocks"][0]
    return clock


def test_the_table_is_as_long_as_it_must_be_and_says_nothing_twice() -> None:
    sentences = [
        *(case.sentence for case in CASES),
        *(whole.sentence for whole in WHOLES),
        *(row.sentence for row in RULED),
    ]
    assert len(sentences) >= 120
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_the_clock_keeps_the_rule(case: Case) -> None:
    clock = clock_of(case)
    if case.due is not None:
        assert clock["due"] == case.due
    if case.warn is not None:
        assert clock["warn"] == case.warn
    assert clock["provisional"] is case.provisional
    for day, expected in case.on.items():
        light, _, code = expected.partition(" ")
        step = light_on(clock["lights"], day)
        assert step["light"] == light, day
        if code:
            assert step["reason"]["code"] == code, day
    for day, used in case.used.items():
        assert days_used(clock, published(), date.fromisoformat(day)) == used, day


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_the_slow_walk_reads_the_row_as_it_is_written(case: Case) -> None:
    days = [date.fromisoformat(day) for day in [*case.on, *case.used, *([case.due] if case.due else [])]]
    (walk,) = verdict_of(case, max(days) + WELL_AFTER).clocks.values()
    if case.due is not None:
        assert walk.due == date.fromisoformat(case.due)
    assert walk.provisional is case.provisional
    for day, expected in case.on.items():
        light, _, code = expected.partition(" ")
        found = walk.lights.get(date.fromisoformat(day), ("green", "in-time"))  # long before day 0 nothing is late
        assert found[0] == light, day
        assert not code or found[1] == code, day
    for day, used in case.used.items():
        assert walk.used.get(date.fromisoformat(day), 0) == used, day


@pytest.mark.parametrize("case", [*CASES, *WHOLES], ids=lambda case: case.sentence)
def test_product_and_slow_walk_agree_on_every_day(case: Case | Whole) -> None:
    document = document_of(case)
    dates = [date.fromisoformat(clock["due"]) for clock in document["clocks"]]
    dates += [oracle.last_of(blocker["promise"]) for blocker in document["blockers"] if blocker["promise"]]
    dates += [oracle.last_of(day) for day in document["reached"].values() if day is not None]
    dates.append(date(2026, 3, 5))
    verdict = verdict_of(case, max(dates) + WELL_AFTER)
    agree(document, verdict)


@pytest.mark.parametrize("case", WHOLES, ids=lambda case: case.sentence)
def test_the_project_shows_what_the_rules_say(case: Whole) -> None:
    shown = every_day(document_of(case)["lights"], [date.fromisoformat(day) for day in case.on])
    assert {day.isoformat(): " ".join(light) for day, light in shown.items()} == case.on


@pytest.mark.parametrize("case", RULED, ids=lambda case: case.sentence)
def test_the_clock_of_a_preset_keeps_its_rule_and_the_slow_walk_agrees(case: Ruled) -> None:
    story = told(case)
    document = story.document(with_presets(case.preset))
    clocks = {clock["rule"]: clock for clock in document["clocks"]}
    days = [date.fromisoformat(day) for day in case.on]
    verdict = oracle.judge(story.events, max(days) + WELL_AFTER, presets=(case.preset,))
    walk = verdict.clocks[case.rule]
    product = every_day(clocks[case.rule]["lights"], days)
    for text, expected in case.on.items():
        day, (light, _, code) = date.fromisoformat(text), expected.partition(" ")
        for shown in (product[day], walk.lights.get(day, product[day])):  # the walk begins ten days before day 0
            assert shown[0] == light, text
            assert not code or shown[1] == code, text
    if case.due is not None:
        assert (clocks[case.rule]["due"], walk.due.isoformat()) == (case.due, case.due)
    agree(document, verdict, whole=False)


def test_the_reason_of_a_clock_of_news_tells_the_due_date_of_the_newest() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    mondays = [date(2026, 1, 12) + timedelta(weeks=number) for number in range(30)]
    for monday in mondays:
        story.tell("progress.reported", date=monday.isoformat())
    lights = story.document(with_presets("handan-2024"))["clocks"][0]["lights"]
    for monday in mondays:
        step = light_on(lights, monday)
        assert (step["light"], step["reason"]["code"]) == (GREEN, "in-time")
        assert step["reason"]["due"] == oracle.months_later(monday, 3).isoformat()


def test_the_light_turns_at_local_midnight_and_not_a_millisecond_earlier() -> None:
    clock = clock_of(Case("", SIGNED, {}))
    assert light_at(clock["lights"], "2026-04-10T15:59:59.999Z")["light"] == YELLOW
    assert light_at(clock["lights"], "2026-04-10T16:00:00.000Z")["light"] == RED


def test_a_light_is_found_before_and_after_all_time_too() -> None:
    clock = clock_of(Case("", SIGNED, {}))
    assert light_at(clock["lights"], "1969-12-31T23:59:59.999Z")["light"] == GREEN
    assert light_at(clock["lights"], "9999-12-31T23:59:59.999Z")["light"] == RED


def test_the_clock_shows_the_paused_days_after_day_0_as_joined_intervals() -> None:
    pauses = (
        ("2025-12-01", "2026-01-10"),
        ("2026-01-05", "2026-01-12"),
        ("2026-02-01", "2026-02-05"),
        ("2026-02-06", "2026-02-10"),
    )
    clock = clock_of(Case("", SIGNED, {}, pauses=pauses))
    assert paused(clock) == [["2026-01-11", "2026-01-13"], ["2026-02-01", "2026-02-11"]]
    over = clock_of(Case("", SIGNED, {}, pauses=pauses[:1]))
    assert paused(over) == []


def test_a_day_under_two_pauses_is_charged_to_the_one_begun_first_then_recorded_first() -> None:
    story = Story()
    story.registered()
    story.reached(*SIGNED)
    recorded_first = story.paused("2026-02-05", "2026-02-20")
    story.paused("2026-02-05", "2026-02-25")
    begun_first = story.paused("2026-02-01", "2026-02-10")
    lights = story.document()["clocks"][0]["lights"]
    charged = {day: light_on(lights, day)["reason"]["blocker"] for day in ("2026-02-01", "2026-02-10", "2026-02-11")}
    assert charged == {"2026-02-01": begun_first, "2026-02-10": begun_first, "2026-02-11": recorded_first}
    assert light_on(lights, "2026-02-21")["reason"]["blocker"] not in (begun_first, recorded_first)


@pytest.mark.parametrize(
    ("reached", "plan", "approximate"),
    [("2026-02", None, True), ("2026-02-28", None, False), ("2026-02-28", "2026-09", True)],
)
def test_a_clock_tells_when_its_dates_are_known_to_the_month_only(
    reached: str, plan: str | None, approximate: bool
) -> None:
    clock = clock_of(Case("", ("started", reached), {}, plan=plan))
    assert clock["approximate"] is approximate
    assert ("approximate" in clock["lights"][0]["reason"]) is approximate
