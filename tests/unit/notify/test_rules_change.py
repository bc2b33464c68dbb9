"""A change of rules: nobody is told of anything but what is red by it and was not known as red."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.channels import Outcome
from services.notify.documents import watch_document, watch_from
from services.notify.matters import Matter
from services.notify.watches import watch_of
from tests.unit.notify.builders import MATTER, at, clock, state
from tests.unit.notify.world import Notifier, World, settled

LONG_RED = clock("2026-03-01T00:00:00.000Z")
NEVER_RED = clock(None)


def told_of_a_stall(*, webhook: bool = True) -> World:
    """A world in which the stall was told on every channel."""
    world = World(webhook=webhook)
    world.turns_red()
    settled(world)
    assert world.told() == [("stalled", 1)]
    return world


def matter(world: World) -> Matter:
    return world.matters.rows[MATTER]


def test_what_turns_red_by_other_rules_is_told() -> None:
    world = World()
    world.hears()
    settled(world)
    world.rules_change(clocks=[LONG_RED])
    settled(world)
    assert (world.told(), world.heard()) == ([("stalled", 1)], [("stalled", 1)])


def test_what_was_red_and_is_red_under_other_rules_is_not_told_again() -> None:
    world = told_of_a_stall()
    world.rules_change(clocks=[clock("2026-02-01T00:00:00.000Z", rule="idle-land-1")])
    settled(world)
    assert world.told() == [("stalled", 1)]
    assert (matter(world).state, matter(world).episode) == ("open", 1)


@pytest.mark.parametrize("fields", [{"clocks": [NEVER_RED]}, {"clocks": []}, {"clocks": [clock(at(86_400))]}])
def test_a_stall_that_other_rules_end_is_closed_without_a_message_and_says_why(fields: dict[str, Any]) -> None:
    world = told_of_a_stall()
    world.rules_change(**fields)
    settled(world)
    assert (world.told(), world.heard()) == ([("stalled", 1)], [("stalled", 1)])
    assert matter(world).state == "cleared"
    assert {"code": "rules-changed", "ruleset": 2, "told": True}.items() <= dict(matter(world).clearing or {}).items()


def test_changed_back_the_stall_goes_on_and_its_end_is_told_on_every_channel() -> None:
    world = told_of_a_stall()
    world.rules_change(clocks=[NEVER_RED])
    settled(world)
    world.rules_change(clocks=[LONG_RED])
    settled(world)
    assert (world.told(), matter(world).state, matter(world).episode) == ([("stalled", 1)], "open", 1)
    world.stage_is_reached()
    settled(world)
    assert (world.told(), world.heard()) == ([("stalled", 1), ("cleared", 1)], [("stalled", 1), ("cleared", 1)])


def test_changed_back_after_other_news_the_stall_is_a_new_one() -> None:
    world = told_of_a_stall()
    world.rules_change(clocks=[NEVER_RED])
    settled(world)
    world.hears(clocks=[NEVER_RED])
    settled(world)
    world.rules_change(clocks=[LONG_RED])
    settled(world)
    assert world.told() == [("stalled", 1), ("stalled", 2)]


def test_a_message_not_sent_yet_is_not_sent_any_more_and_told_when_the_rules_are_changed_back() -> None:
    world = World()
    world.turns_red()
    world.passes(61)
    Notifier(world).sweep()  # the row is written, nothing has been sent
    world.rules_change(clocks=[NEVER_RED])
    settled(world)
    assert world.heard() == []
    world.rules_change(clocks=[LONG_RED])
    settled(world)
    assert world.heard() == [("stalled", 2)]


def test_a_message_on_its_way_is_seen_through_and_then_its_all_clear_follows_there() -> None:
    world = World()
    world.receiver.answers = [Outcome("retry", "503")]
    world.turns_red()
    world.passes(61)
    notifier = Notifier(world)
    notifier.sweep()
    notifier.deliver()  # refused, and queued again
    world.rules_change(clocks=[NEVER_RED])
    settled(world)
    assert world.heard() == [("stalled", 1), ("cleared", 1)]
    assert world.told() == [("stalled", 1)], "in the inbox it ends as any other"


def test_news_that_comes_with_other_rules_is_told_as_news() -> None:
    world = told_of_a_stall()
    world.ruleset += 1
    world.stage_is_reached()
    settled(world)
    assert world.told() == [("stalled", 1), ("cleared", 1)]


def test_a_stall_that_came_back_by_itself_after_other_rules_had_ended_it_ends_like_any_other() -> None:
    world = told_of_a_stall()
    world.rules_change(clocks=[clock(at(7200))])
    settled(world)
    world.passes(7200)
    settled(world)
    assert world.told() == [("stalled", 1), ("stalled", 2)], "in its own time it is told anew"
    world.hears(clocks=[NEVER_RED])
    settled(world)
    assert world.told()[-1] == ("cleared", 2)


def test_a_watch_of_an_earlier_version_is_read() -> None:
    known = watch_of(state(), None, at(0), 0)
    row = watch_document(known)
    del row["lifted"]
    assert watch_from(row) == replace(known, outline=None)  # which is read apart


STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([None, "2026-03-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"])),
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_whatever_the_rules_do_nobody_hears_of_their_changes_but_new_reds(steps: list[tuple[bool, str | None]]) -> None:
    world = World()
    world.hears()
    settled(world)
    known_as_red = False  # red when something last happened, or told since
    for by_rules, red_from in steps:
        before = len(world.told())
        (world.rules_change if by_rules else world.hears)(clocks=[clock(red_from)])
        settled(world, rounds=20)
        fresh = world.told()[before:]
        if by_rules:
            assert [kind for kind, _ in fresh] == (["stalled"] if red_from and not known_as_red else [])
            known_as_red = known_as_red or red_from is not None
        else:
            known_as_red = red_from is not None
