"""A stall that began and ended while nobody could be told: told once, as recovered, and never from a guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from luodi.domain.days import BEGINNING, END_OF_TIME
from services.notify.decide import Act, Circumstances, decide
from services.notify.watches import Watch, watch_of
from tests.unit.notify.builders import CALENDAR, MATTER, SETTLE_S, at, clock, open_matter, state, steps
from tests.unit.notify.fakes import CallCounter, CrashError
from tests.unit.notify.world import Notifier, World, settled

RED = 100.0  # turns red so many seconds after the story begins
BEFORE = watch_of(state(clocks=[clock(at(RED))]), None, at(0), 0)
LATE = {"signed": "2025-12-01", "started": "2026-03-06"}
IN_TIME = {"signed": "2025-12-01", "started": "2026-03-05"}


BEFORE_RED = state(clocks=[clock(at(RED))])
PAUSED = state(
    clocks=[
        clock(None)
        | {
            "lights": [
                {**step, "reason": {**step["reason"], "code": "overdue-paused"}} if step["light"] == "red" else step
                for step in steps(at(RED))
            ]
        }
    ]
)


def heard(before: Watch = BEFORE, recorded: float = 900, now: float = 7200, events: int = 2, **fields: Any) -> Watch:
    """The watch after news that was recorded then and is heard of now."""
    return watch_of(state(events=events, updated_at=at(recorded), **{"reached": LATE, **fields}), before, at(now), 0)


def test_a_stage_that_overran_and_was_reached_unseen_has_recovered() -> None:
    (found,) = heard().recovered
    assert (found.matter, found.ended, found.seen) == (MATTER, "2026-03-06", at(7200))
    assert (found.red.since, found.red.due) == (at(RED), "2026-03-05")


@pytest.mark.parametrize(
    ("why", "watch"),
    [
        ("it was reached in time, and only reported late", lambda: heard(reached=IN_TIME)),
        ("it was reported inside its grace", lambda: heard(recorded=RED + 5)),
        ("the day it was reached is unknown", lambda: heard(reached={**LATE, "started": None})),
        ("it had not turned red when the end became known", lambda: heard(now=RED - 1)),
        ("it was red already when it was first heard of", lambda: heard(watch_of(BEFORE_RED, None, at(RED + 1), 0))),
        ("nothing was known of it before", lambda: watch_of(state(events=2, reached=LATE), None, at(7200), 0)),
        ("it is not over", lambda: heard(reached={"signed": "2025-12-01"}, clocks=[clock(at(RED))])),
        ("the project has withdrawn", lambda: heard(status="withdrawn", withdrawn={"date": "2026-03-06"})),
        ("it was under an approved pause", lambda: heard(watch_of(PAUSED, None, at(0), 0))),
        ("only rules have changed", lambda: heard(events=1, ruleset=2)),
        ("what was known could not be read", lambda: heard(replace(BEFORE, unreadable=True))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_has_not_where(why: str, watch: Callable[[], Watch]) -> None:
    assert watch().recovered == (), why


def test_a_broken_promise_recovers_by_the_day_its_blocker_was_cleared() -> None:
    reason = {"code": "promise-overdue", "owner": "供电公司", "kind": "用电", "due": "2026-03-04"}
    lights = [
        {"light": "green", "from": BEGINNING, "to": at(RED), "reason": {"code": "promise-in-time"}},
        {"light": "red", "from": at(RED), "to": END_OF_TIME, "reason": reason},
    ]
    blocker = {"id": "b1", "owner": "供电公司", "promise": "2026-03-04", "cleared": None, "lights": lights}
    before = watch_of(state(blockers=[blocker]), None, at(0), 0)
    (found,) = heard(before, blockers=[{**blocker, "cleared": "2026-03-06"}]).recovered
    assert (found.blocker, found.owner, found.ended) == ("b1", "供电公司", "2026-03-06")
    assert heard(before, blockers=[{**blocker, "cleared": "2026-03-04"}]).recovered == ()


def test_it_is_kept_through_further_news_and_dropped_when_it_turns_out_not_to_be_so() -> None:
    first = heard()
    assert heard(first, events=3, now=7300).recovered == first.recovered
    assert heard(first, events=3, reached=IN_TIME).recovered == ()
    assert heard(first, events=3, reached={"signed": "2025-12-01"}, clocks=[clock(at(RED))]).recovered == ()


def decided(watch: Watch, w: float | None, now: float, matter: Any = None) -> tuple[Act | None, str]:
    text = at(w) if w is not None else None
    decision = decide(watch, MATTER, matter, Circumstances(text, at(now), SETTLE_S, CALENDAR))
    return decision.act, decision.reason


def test_it_is_told_when_the_watermark_and_the_settling_time_have_passed() -> None:
    watch = heard()
    assert decided(watch, None, 7300) == (None, "without-watermark")
    assert decided(watch, 7205, 7205) == (None, "recovered-settling")
    assert decided(watch, 7209, 7300) == (None, "before-watermark")
    assert decided(watch, 7210, 7210) == (Act.RECOVER, "recovered-unseen")
    busy = heard(watch, events=3, now=7255)
    assert decided(busy, 7260, 7260) == (Act.RECOVER, "recovered-unseen")  # a project edited all the time is told too


def test_whoever_was_told_of_the_stall_is_given_its_all_clear_and_nothing_else() -> None:
    watch = heard()
    matter = replace(open_matter(), facts={**open_matter().facts, "red_since": at(RED)})
    assert decided(watch, 7300, 7300, matter) == (Act.CLEAR, "stage-reached")
    over = matter.cleared(at(7300), {"code": "stage-reached"}, None).completed()
    assert decided(watch, 7400, 7400, over)[0] is None
    skewed = matter.cleared(at(7199.9), {"code": "stage-reached"}, None).completed()  # by another notifier's clock
    assert decided(watch, 7400, 7400, skewed)[0] is None


def test_an_episode_that_was_over_before_is_another_one() -> None:
    earlier = open_matter().cleared(at(50), {"code": "no-longer-due"}, None).completed()
    assert decided(heard(), 7300, 7300, earlier) == (Act.RECOVER, "recovered-unseen")


# -- the whole way


def unseen(world: World) -> None:
    """The stage overruns while the tracker is away, and its report waits in the backlog."""
    world.hears(clocks=[clock(at(RED))])
    world.passes(90)
    Notifier(world).sweep()
    world.clock.advance(3600)
    world.hears(reached=LATE, updated_at=at(1800))


def test_it_is_told_once_with_both_days_and_needs_no_all_clear() -> None:
    world = World()
    unseen(world)
    settled(world)
    assert world.told() == world.heard() == [("recovered", 1)]
    (row,) = world.inbox("recovered")
    assert "应于2026-03-05前开工，已报2026-03-06开工，曾超期1天" in row.texts.text_zh
    assert "due by 2026-03-05 and is reported for 2026-03-06, 1 day late" in row.texts.text_en
    matter = world.matters.rows[MATTER]
    assert (matter.state, matter.complete, matter.episode) == ("cleared", True, 1)
    assert matter.clearing is not None
    assert (matter.clearing["code"], matter.clearing["date"]) == ("recovered-unseen", "2026-03-06")


def test_a_report_taken_back_afterwards_is_a_stall_of_its_own() -> None:
    world = World()
    unseen(world)
    settled(world)
    world.turns_red()
    settled(world)
    assert world.told() == world.heard() == [("recovered", 1), ("stalled", 2)]


def test_a_report_corrected_before_it_was_told_is_not_told() -> None:
    world = World()
    unseen(world)
    Notifier(world).sweep()
    world.hears(reached=IN_TIME, updated_at=at(1801))
    settled(world)
    assert world.told() == world.heard() == []


def test_one_that_was_decided_and_not_yet_written_is_left_when_it_turns_out_not_to_be_so() -> None:
    world, counter = World(), CallCounter()
    unseen(world)
    world.passes(61)
    insert = world.notifications.insert
    world.notifications.insert = lambda rows: (_ for _ in ()).throw(CrashError)  # type: ignore[method-assign]  # killed here
    with pytest.raises(CrashError):
        Notifier(world, counter).sweep()
    world.notifications.insert = insert  # type: ignore[method-assign]  # as it was
    world.hears(reached=IN_TIME, updated_at=at(1801))
    settled(world)
    assert world.told() == world.heard() == []
    assert world.matters.rows[MATTER].complete


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_at_any_call_it_is_told_once(after: bool) -> None:
    number = 0
    while True:
        number += 1
        world, counter = World(), CallCounter()
        unseen(world)
        world.passes(61)
        counter.crash_at, counter.after = number, after
        notifier = Notifier(world, counter)
        try:
            notifier.sweep()
            notifier.deliver()
        except CrashError:
            world.passes(61)
        settled(world)
        assert world.told() == world.heard() == [("recovered", 1)], number
        doubled = sum(n - 1 for n in Counter(message for message, *_ in world.receiver.got).values())
        assert doubled <= 1, number
        if counter.count < number:
            break
    assert number > 15
