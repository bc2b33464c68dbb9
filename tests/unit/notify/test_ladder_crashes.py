"""The ladder, killed at any call, or with anything happening in any order: nobody is left out, nobody is told twice."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luodi.domain.events import Event
from luodi.runtime.errors import TransientError
from luodi.runtime.problems import ProblemError
from services.notify.acts import Acts
from services.notify.matters import Matter
from services.notify.recording import Recording
from tests.unit.notify.builders import MATTER, TELLER
from tests.unit.notify.fakes import CallCounter, CrashError, Crashing
from tests.unit.notify.test_ladder import PEOPLE, Story, local, stage
from tests.unit.notify.world import Notifier, settled

DAY_S = 86_400.0
TOLD = [
    *[("warning", 0, who) for who in ("g", "o")],
    *[("stalled", 0, who) for who in ("g", "o")],
    ("escalated", 1, "g"),
    ("escalated", 2, "u"),
    *[("cleared", 0, who) for who in ("g", "o", "u")],
]


class MemoryEvents:
    """See `EventLog`."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, Event]] = []

    def append(self, events: Sequence[tuple[int, Event]]) -> None:
        self.rows += events


class Killable(Story):
    """A story whose notifier may be killed at any of its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.log = MemoryEvents()
        self.counter = CallCounter()

    def process(self, what: Callable[[], object]) -> None:
        """One piece of work of a process; killed, another process takes its place and does it again."""
        try:
            what()
        except CrashError:
            self.counter = CallCounter()
            self.passes(61)  # the lease of the dead one runs out
            what()

    def rounds(self) -> None:
        for _ in range(3):
            self.process(lambda: Notifier(self, self.counter).sweep())
            self.process(lambda: Notifier(self, self.counter).deliver())
            self.process(self.record)

    def record(self) -> int:
        matters, log = Crashing(self.matters, self.counter), Crashing(self.log, self.counter)
        return Recording([matters], log, lambda: [0]).run()

    def does(self, act: str, actor: str, entry: str, **data: Any) -> None:
        matters, watches = Crashing(self.matters, self.counter), Crashing(self.watches, self.counter)
        acts = Acts(matters, watches, TELLER, self.clock)
        self.process(lambda: acts.do(act, MATTER, entry, actor, data))

    def goes_to(self, text: str) -> None:
        moment = local(text)
        while self.clock.now_text() < moment:
            self.passes(DAY_S / 4)
        self.rounds()


def told_through(crash_at: int | None, after: bool) -> Killable:
    """A stall is warned of, told, signed for, left to climb, answered, held, and over; killed at one call."""
    story = Killable()
    story.counter.crash_at, story.counter.after = crash_at, after
    story.hears(clocks=[stage()], **PEOPLE)
    story.goes_to("06 01:00")
    story.goes_to("12 01:00")
    story.does("sign", "o", "e1")
    story.rounds()
    story.goes_to("14 01:00")
    story.goes_to("19 01:00")
    story.does("feedback", "u", "e2", text="…", recovery="2026-03-31")
    story.does("review", "v", "e3", accepted=True)
    story.goes_to("25 01:00")
    story.starts()
    story.passes(61)
    story.rounds()
    story.does("close", "v", "e4")
    settled(story)
    story.process(story.record)
    return story


STORY = told_through(None, after=False)
CALLS = STORY.counter.count


def test_the_story_is_told_once_and_every_act_is_recorded_once() -> None:
    assert sorted(STORY.heard_by()) == sorted(TOLD)
    assert [event.type for _, event in STORY.log.rows] == [
        "matter.signed",
        "matter.answered",
        "matter.reviewed",
        "matter.closed",
    ]
    assert len(STORY.receiver.got) == len(TOLD)


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_at_any_call_the_effect_is_the_same(after: bool) -> None:
    assert CALLS > 200
    for number in range(1, CALLS + 1, 2 if after else 1):
        story = told_through(number, after)
        assert sorted(story.heard_by()) == sorted(TOLD), number
        assert Counter(message for message, *_ in story.receiver.got).most_common(1)[0][1] <= 2
        assert len({message for message, *_ in story.receiver.got}) == len(TOLD), number
        # Recorded again by whoever took over: the same event, to no effect.
        assert {event.id: event for _, event in story.log.rows}.keys() == RECORDED.keys(), number
        assert all(_said(event) == _said(RECORDED[event.id]) for _, event in story.log.rows), number


def _said(event: Event) -> tuple[object, ...]:
    return (event.subject, event.type, event.actor, dict(event.data))


RECORDED = {event.id: event for _, event in STORY.log.rows}


def test_while_the_log_of_events_is_away_acts_wait_and_are_not_lost() -> None:
    class Away(MemoryEvents):
        def append(self, events: Sequence[tuple[int, Event]]) -> None:
            raise TransientError("Kafka", "away")

    story = Killable()
    story.hears(clocks=[stage()], **PEOPLE)
    story.goes_to("12 01:00")
    story.does("sign", "o", "e1")
    with pytest.raises(TransientError):
        Recording([story.matters], Away(), lambda: [0]).run()
    story.starts()
    story.passes(61)
    for _ in range(2):  # over meanwhile
        Notifier(story).sweep()
    story.hears(clocks=[stage()], **PEOPLE)
    story.passes(61)
    for _ in range(2):  # and a new stall begins
        Notifier(story).sweep()
    assert story.matters.rows[MATTER].episode == 2
    story.record()  # what was signed for then is recorded all the same
    assert [event.type for _, event in story.log.rows] == ["matter.signed"]


# -- anything, in any order --------------------------------------------------------------------------------------------

HAPPENINGS = st.sampled_from(
    [
        "red",
        "worse",
        "reached",
        "an hour",
        "a day",
        "a week",
        "sweep",
        "deliver",
        "record",
        "sign o",
        "sign g",
        "sign v",
        "feedback",
        "accept",
        "refuse",
        "another group head",
    ]
)
KILLS = st.tuples(
    st.sampled_from(["sweep", "deliver", "record", "sign g", "feedback"]), st.integers(1, 20), st.booleans()
)


class Chaos(Killable):
    """Whatever happens, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.people = dict(PEOPLE)
        self.is_red = False
        self.acts_made = 0
        self.kills = 0
        self.hears(clocks=[stage()], **self.people)

    def happens(self, what: str) -> None:
        match what:
            case "red":
                self.hears(clocks=[stage(None, "2026-03-01T00:00:00.000Z")], **self.people)
                self.is_red = True
            case "worse":
                law = stage(None, "2026-03-02T00:00:00.000Z", "idle-land-1", preset="idle-land")
                self.hears(clocks=[stage(None, "2026-03-01T00:00:00.000Z"), law], **self.people)
                self.is_red = True
            case "reached":
                self.hears(reached={"signed": "2025-12-01", "started": "2026-03-04"}, **self.people)
                self.is_red = False
            case "another group head":
                self.people["group_head"] = "g2"
            case "an hour" | "a day" | "a week":
                self.passes({"an hour": 3600.0, "a day": DAY_S, "a week": 7 * DAY_S}[what])
            case "sweep":
                Notifier(self, self.counter).sweep()
            case "deliver":
                Notifier(self, self.counter).deliver()
            case "record":
                self.record()
            case _:
                self.acts_made += 1
                with contextlib.suppress(ProblemError):
                    self._acts(what)

    def _acts(self, what: str) -> None:
        matters, watches = Crashing(self.matters, self.counter), Crashing(self.watches, self.counter)
        acts, entry = Acts(matters, watches, TELLER, self.clock), f"e{self.acts_made}"
        recovery = self.clock.now_text()[:8] + "28"
        match what.split(" "):
            case ["sign", who]:
                acts.do("sign", MATTER, entry, who, {})
            case ["feedback"]:
                acts.do("feedback", MATTER, entry, "o", {"text": "…", "recovery": recovery})
            case ["accept"]:
                acts.do("review", MATTER, entry, "v", {"accepted": True})
            case _:
                acts.do("review", MATTER, entry, "v", {"accepted": False, "reason": "…"})

    def killed(self, what: str, number: int, after: bool) -> None:
        self.counter = CallCounter()
        self.counter.crash_at, self.counter.after = number, after
        with contextlib.suppress(CrashError):
            self.happens(what)
        self.kills += what == "deliver"
        self.counter = CallCounter()

    def rest(self) -> None:
        """Let it come to rest: nothing more happens, and everybody above has had all the time there is."""
        for _ in range(60):
            self.passes(DAY_S)
            Notifier(self).sweep()
        settled(self, rounds=3000)
        self.record()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(HAPPENINGS, KILLS), max_size=25))
def test_whatever_happens_nobody_is_left_out_told_twice_or_given_an_all_clear_first(story: list[Any]) -> None:
    chaos = Chaos()
    for happening in story:
        if isinstance(happening, str):
            chaos.happens(happening)
        else:
            chaos.killed(*happening)
    chaos.happens("red" if not story or chaos.is_red else "reached")
    chaos.rest()
    matter = chaos.matters.get(MATTER)
    if chaos.is_red:  # no silent stall: it was told to the very top
        assert matter is not None
        assert (matter.state, matter.complete) == ("open", True)
        assert matter.last_telling.recipients[-1] == "v"
    elif matter is not None:
        assert (matter.state, matter.complete) == ("cleared", True)
    if matter is not None:
        _is_sound(chaos, matter)


def _is_sound(chaos: Chaos, matter: Matter) -> None:
    got = Counter(message for message, *_ in chaos.receiver.got)
    assert sum(n - 1 for n in got.values()) <= chaos.kills  # each killed between sending and marking repeats one
    for episode in range(1, matter.episode + 1):
        rows = [row for row in chaos.inbox() if row.matter == MATTER and row.episode == episode]
        over = episode < matter.episode or matter.state == "cleared"
        for who in {row.recipient for row in rows}:
            kinds = [row.kind for row in rows if row.recipient == who]
            was_red = any(kind in ("stalled", "escalated", "handover") for kind in kinds)
            assert kinds.count("cleared") == (1 if over and was_red else 0)
            assert "cleared" not in kinds[:-1]  # never before its stall
    assert matter.outbox == ()
    assert len({event.id for _, event in chaos.log.rows}) <= chaos.acts_made
