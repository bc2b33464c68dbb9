"""Killed at any call, or with anything happening between two calls: all is told in order, and once in effect."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notify.channels import Outcome
from services.notify.matters import Facts, Matter
from tests.unit.notify.builders import MATTER, PROJECT
from tests.unit.notify.fakes import CallCounter, CrashError
from tests.unit.notify.world import Notifier, World, settled

Step = Callable[[World, Notifier], object]


def time_passes(world: World, _: Notifier) -> None:
    world.passes(61)


STORY: Sequence[tuple[str, Step]] = (
    ("the stage is overdue", lambda world, _: world.turns_red()),
    ("it settles", time_passes),
    ("a sweep tells it", lambda _, notifier: notifier.sweep()),
    ("it is delivered", lambda _, notifier: notifier.deliver()),
    ("the stage is reported", lambda world, _: world.stage_is_reached()),
    ("the watermark comes", time_passes),
    ("a sweep gives the all-clear", lambda _, notifier: notifier.sweep()),
    ("the all-clear is delivered", lambda _, notifier: notifier.deliver()),
    ("the report is retracted", lambda world, _: world.turns_red()),
    ("it settles again", time_passes),
    ("a sweep tells it again", lambda _, notifier: notifier.sweep()),
    ("it is delivered again", lambda _, notifier: notifier.deliver()),
    ("the project withdraws", lambda world, _: world.hears(status="withdrawn", withdrawn={"date": "2026-03-05"})),
    ("the watermark comes again", time_passes),
    ("a sweep gives the second all-clear", lambda _, notifier: notifier.sweep()),
    ("the second all-clear is delivered", lambda _, notifier: notifier.deliver()),
)
TOLD = [("stalled", 1), ("cleared", 1), ("stalled", 2), ("cleared", 2)]


def told_through(crash_at: int | None, after: bool, again: bool) -> tuple[World, CallCounter]:
    """Run the story, killed at one call; then another notifier goes on, with the same step or with the next."""
    world, counter = World(), CallCounter()
    counter.crash_at, counter.after = crash_at, after
    notifier = Notifier(world, counter)
    for _, step in STORY:
        try:
            step(world, notifier)
        except CrashError:
            notifier = Notifier(world)
            if again:
                world.passes(61)  # the dead one's lease runs out
                step(world, notifier)
    settled(world)
    return world, counter


def calls_of_the_story() -> int:
    return told_through(None, False, False)[1].count


CALLS = calls_of_the_story()


def test_the_story_is_told_in_order_and_once() -> None:
    world, _ = told_through(None, False, False)
    assert world.told() == TOLD
    assert world.heard() == TOLD
    assert len(world.receiver.got) == len(TOLD)


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_at_any_call_and_begun_again_the_effect_is_the_same(after: bool) -> None:
    assert CALLS > 60
    for number in range(1, CALLS + 1):
        world, _ = told_through(number, after, again=True)
        assert world.told() == TOLD, number
        assert world.heard() == TOLD, number
        assert_at_most_one_duplicate(world)


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_at_any_call_and_overtaken_by_events_nothing_is_told_out_of_order(after: bool) -> None:
    for number in range(1, CALLS + 1):
        world, _ = told_through(number, after, again=False)
        assert_sound(world, is_red=False)
        assert_at_most_one_duplicate(world)


def assert_at_most_one_duplicate(world: World) -> None:
    twice = {message: n for message, n in Counter(got[0] for got in world.receiver.got).items() if n > 1}
    assert sum(n - 1 for n in twice.values()) <= 1, twice


def assert_sound(world: World, is_red: bool) -> None:
    """What holds at rest, whatever happened before."""
    for told in (world.told(), world.heard()):
        assert len(told) == len(set(told))
        for number, (kind, episode) in enumerate(told):
            if kind == "cleared":  # never an all-clear before its stall, nor another stall between
                assert told[number - 1] == ("stalled", episode)
        begun = [episode for kind, episode in told if kind == "stalled"]
        assert begun == sorted(begun)
        open_one = world.matters.rows[MATTER].episode if is_red else None  # whoever heard a stall hears its end
        assert [episode for kind, episode in told if kind == "cleared"] == [e for e in begun if e != open_one]
    stalls = [episode for kind, episode in world.told() if kind == "stalled"]
    clears = [episode for kind, episode in world.told() if kind == "cleared"]
    matter = world.matters.get(MATTER)
    if is_red:  # never a silent stall
        assert matter is not None
        assert (matter.state, matter.complete) == ("open", True)
        assert stalls[-1] == matter.episode
        assert clears == stalls[:-1]
    else:
        assert matter is None or (matter.state, matter.complete) == ("cleared", True)
        assert clears == stalls
    for facts in _facts(matter):
        assert tuple(facts["guard"]) in world.red_guards


def _facts(matter: Matter | None) -> list[Facts]:
    """On what each episode was opened."""
    return [] if matter is None else [*(past["facts"] for past in matter.history), matter.facts]


class Interrupted(CallCounter):
    """Lets something else happen between two calls of a notifier: another notifier, or news from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: dict[int, Callable[[], object]] = {}

    def call(self, action: Callable[[], object]) -> object:
        plan = self.plans.pop(self.count + 1, None)
        if plan is not None:
            plan()
        return super().call(action)


class Play:
    """Two notifiers on the same stores, and whatever else happens."""

    def __init__(self) -> None:
        self.world = World()
        self.is_red = False

    def act(self, what: str) -> None:
        """One thing that happens, by name."""
        match what:
            case "red":
                self.world.turns_red()
                self.is_red = True
            case "reached":
                self.world.stage_is_reached()
                self.is_red = False
            case "withdrawn":
                self.world.hears(status="withdrawn", withdrawn={"date": "2026-03-05"})
                self.is_red = False
            case "pass":
                self.world.passes(61)
            case "moment":
                self.world.passes(1)
            case "lag":
                self.world.clock.advance(20)
            case "sweep":
                Notifier(self.world).sweep()
            case "deliver":
                Notifier(self.world).deliver()
            case "refused":
                self.world.receiver.answers.append(Outcome("retry", "http-503"))
                Notifier(self.world).deliver()
            case "answer lost":
                self.world.receiver.answers.append(ConnectionResetError(what))
                Notifier(self.world).deliver()
            case _:
                raise ValueError(what)

    def play(self, news: Sequence[str]) -> None:
        """Several things, one after the other."""
        for what in news:
            self.act(what)

    def step(self, step: str, counter: CallCounter) -> None:
        """A sweep or a round of deliveries by a notifier whose calls are counted."""
        notifier = Notifier(self.world, counter)
        with contextlib.suppress(CrashError):
            notifier.sweep() if step == "sweep" else notifier.deliver()

    def interrupted(self, step: str, at: int, news: Sequence[str]) -> None:
        """The same, with `news` happening just before its call number `at`."""
        counter = Interrupted()
        counter.plans[at] = lambda: self.play(news)
        self.step(step, counter)

    def rest(self) -> None:
        """Let it come to rest, and look at what is left."""
        self.world.receiver.answers.clear()
        settled(self.world, rounds=3000)
        assert_sound(self.world, self.is_red)
        assert self.world.watches.rows[PROJECT].events == self.world.events


SITUATIONS = {
    "nothing told yet": ["red", "pass"],
    "told, not delivered": ["red", "pass", "sweep"],
    "told and delivered": ["red", "pass", "sweep", "deliver"],
    "told and refused": ["red", "pass", "sweep", "refused", "pass"],
    "told and over": ["red", "pass", "sweep", "deliver", "reached", "pass"],
    "told, never delivered, and over": ["red", "pass", "sweep", "reached", "pass"],
    "told, refused, and over": ["red", "pass", "sweep", "refused", "reached", "pass"],
    "over, all-clear written": ["red", "pass", "sweep", "deliver", "reached", "pass", "sweep"],
    "back again": ["red", "pass", "sweep", "deliver", "reached", "pass", "sweep", "red", "pass"],
    "back again, nothing delivered": ["red", "pass", "sweep", "refused", "reached", "pass", "sweep", "red", "pass"],
}
NEWS = [
    ["reached"],
    ["red"],
    ["sweep"],
    ["deliver"],
    ["reached", "pass", "sweep"],
    ["reached", "pass", "sweep", "deliver"],
    ["red", "pass", "sweep", "deliver"],
    ["reached", "pass", "sweep", "red", "pass", "sweep"],
    ["reached", "pass", "sweep", "red", "pass", "sweep", "deliver"],
    ["red", "pass", "sweep", "reached", "pass", "sweep", "deliver"],
]


@pytest.mark.parametrize("news", NEWS, ids=" ".join)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_whatever_happens_between_two_calls_the_rest_is_sound(situation: str, news: Sequence[str]) -> None:
    for step in ("sweep", "deliver"):
        for at in range(1, calls_in(situation, step) + 1):
            play = in_situation(situation)
            play.interrupted(step, at, news)
            play.rest()


def in_situation(situation: str) -> Play:
    play = Play()
    play.play(SITUATIONS[situation])
    return play


def calls_in(situation: str, step: str) -> int:
    """How many calls the step makes when nothing comes between."""
    counter = CallCounter()
    in_situation(situation).step(step, counter)
    return counter.count


HAPPENINGS = st.sampled_from(
    ["red", "reached", "withdrawn", "pass", "moment", "lag", "sweep", "deliver", "refused", "answer lost"]
)
ROUNDS = st.sampled_from([*SITUATIONS.values(), *NEWS])
KILLS = st.tuples(st.sampled_from(["sweep", "deliver"]), st.integers(1, 25), st.booleans())
INTERRUPTIONS = st.tuples(st.sampled_from(["sweep", "deliver"]), st.integers(1, 25), st.lists(HAPPENINGS, max_size=6))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(HAPPENINGS, ROUNDS, KILLS, INTERRUPTIONS), max_size=20))
def test_whatever_happens_in_whatever_order_the_rest_is_sound(story: list[object]) -> None:
    play = Play()
    play.act("reached")
    for happening in story:
        match happening:
            case str(alone):
                play.act(alone)
            case (str(step), int(number), bool(after)):
                counter = CallCounter()
                counter.crash_at, counter.after = number, after
                play.step(step, counter)
            case (str(step), int(number), [*news]):
                play.interrupted(step, number, [str(what) for what in news])
            case [*news]:
                play.play([str(what) for what in news])
    play.rest()
