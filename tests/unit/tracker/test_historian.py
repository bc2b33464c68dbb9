"""The historian: whole behind the tail, whatever crashes, and never ahead of what it claims."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from luodi.domain.events import EVENT_RETRACTED, PROJECT_REGISTERED, Event
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.tracker.folding import Folder
from services.tracker.history import Historian, Row, Written, carried, meaning, row_of
from services.tracker.mirror import Mirror
from services.tracker.rulesets import Regime
from services.tracker.tail import Tail
from tests.parity.tracker.fakes import Crash, Faults, MemoryHistories, MemoryOutbox, MemoryTailSource, crash, passing
from tests.rules import DEFAULT_RULES
from tests.unit.tracker.plant import CALENDAR, NO_FAULTS, Plant, Worker, event


class Desk:
    """A worker whose tail has a historian behind it."""

    def __init__(self, plant: Plant, histories: MemoryHistories, faults: Faults = NO_FAULTS) -> None:
        self.plant, self.histories = plant, histories
        self.worker: Worker = plant.worker()
        self.historian = Historian(
            faults.through(histories), faults.through(plant.journal), self.worker.regime, plant.clock, Metrics()
        )
        self.tail = Tail(
            MemoryTailSource(plant.states, plant.group),
            plant.projects,
            MemoryOutbox(plant.states, plant.rejected),
            self.worker.published,
            plant.clock,
            self.worker.metrics,
            [self.historian],
        )

    def turn(self, times: int = 8) -> None:
        """Everything once, several times: the projector commits what the tail has judged."""
        for _ in range(times):
            self.worker.projector.turn()
            self.tail.turn(0)
            try:
                self.historian.step()
            except TransientError:
                continue  # as its own loop does
            finally:
                self.plant.clock.advance(1.5)


def story() -> Plant:
    plant = Plant()
    plant.arrive(
        event("p1", "a", 1, PROJECT_REGISTERED),
        event("p1", "b", 2),
        event("p2", "a", 3, PROJECT_REGISTERED),
        event("p1", "c", 4, stage="land_supplied", date="2026-02-01"),
        event("p1", "d", 5, EVENT_RETRACTED, event_id="c", reason="看错了"),
        event("p2", "b", 0, stage="signed", date="2026-02-01"),
    )
    return plant


def expected(plant: Plant) -> dict[str, Row]:
    folder = Folder(DEFAULT_RULES, CALENDAR, 1)
    return {
        subject: row_of(subject, (plant.partition(subject), 0), events, carried(subject, events, None, folder), 1)
        for subject, events in plant.histories().items()
    }


def check(desk: Desk) -> None:
    """Every history is that of all events, and the tail's position is behind nothing that is not written."""
    plant, made = desk.plant, expected(desk.plant)
    assert desk.histories.rows.keys() == made.keys()
    for subject, row in desk.histories.rows.items():
        assert meaning(row) == meaning(made[subject])
    for partition, committed in plant.group.tail_committed.items():
        assert desk.histories.far[partition].at >= committed


def test_every_project_gets_its_history_and_the_watermark_says_until_when_it_is_whole() -> None:
    desk = Desk(story(), MemoryHistories())
    desk.turn()
    check(desk)
    assert {far.at for far in desk.histories.far.values()} <= {desk.plant.states.end(p) for p in range(2)}
    assert all(far.until is not None for far in desk.histories.far.values())


@pytest.mark.parametrize("strike", [crash, passing])
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_or_a_fault_at_any_call_leaves_no_history_behind(strike: Callable[[str], None], after: bool) -> None:
    struck = 0
    for at in range(1, 8):
        plant, histories = story(), MemoryHistories()
        faults = Faults(at, strike, after=after)
        desk = Desk(plant, histories, faults)
        try:
            desk.turn()
        except Crash:
            desk = Desk(plant, histories)
            desk.turn()
        struck += faults.struck is not None
        check(desk)
    assert struck > 3


def test_the_tail_waits_for_a_history_that_is_not_written() -> None:
    plant, histories = story(), MemoryHistories()
    desk = Desk(plant, histories)
    for _ in range(4):
        desk.worker.projector.turn()
        desk.tail.turn(0)
        plant.clock.advance(1.5)
    assert set(plant.group.tail_committed.values()) <= {0}, "nothing is written, nothing is passed"
    desk.turn()
    assert all(plant.group.tail_committed[partition] > 0 for partition in range(2))


def test_while_a_project_waits_the_watermarks_behind_it_do_not_count() -> None:
    plant, histories = Plant(partitions=1), MemoryHistories()
    desk = Desk(plant, histories)
    desk.historian.own([0])
    desk.historian.note(0, b"p1", 0, ())
    desk.historian.mark(0, 1, "2026-03-02T01:00:00.000Z")
    desk.historian.note(0, b"p2", 2, ())
    desk.historian.mark(0, 3, "2026-03-02T02:00:00.000Z")
    part = desk.historian._parts[0]
    part.done("p1", 0)
    assert part.moved() == Written(2, "2026-03-02T01:00:00.000Z")
    part.done("p2", 2)
    assert part.moved() == Written(4, "2026-03-02T02:00:00.000Z")


def test_a_project_that_changed_while_it_was_written_waits_again() -> None:
    desk = Desk(Plant(partitions=1), MemoryHistories())
    desk.historian.own([0])
    desk.historian.note(0, b"p1", 0, ())
    desk.historian.note(0, b"p1", 5, ())
    assert desk.historian.first(0) == 0
    desk.historian._parts[0].done("p1", 3)
    assert desk.historian.first(0) == 4


def test_a_document_of_rules_not_known_yet_waits_for_them() -> None:
    plant, histories = story(), MemoryHistories()
    desk = Desk(plant, histories)
    desk.turn()
    before = dict(histories.rows)
    desk.historian.note(0, b"p2", 50, [("guard", b"2.2")])
    assert desk.historian.step() == 0
    assert desk.historian.first(0) == 50
    newer = Historian(histories, plant.journal, Regime(plant.rulesets, Folder(DEFAULT_RULES, CALENDAR, 2)), plant.clock,
                      Metrics())  # fmt: skip
    newer.own([0])
    newer.note(0, b"p2", 50, [("guard", b"2.2")])
    assert newer.step() == 1
    assert (histories.rows["p2"].ruleset, histories.rows["p2"].at) == (2, 50)
    assert before["p2"].ruleset == 1


def test_a_mirror_takes_over_what_is_written_and_knows_until_when() -> None:
    plant, histories = story(), MemoryHistories()
    mirror = Mirror(histories, 2, Metrics())
    assert not mirror.wait("2026-01-01T00:00:00.000Z", 0), "nothing is known yet"
    Desk(plant, histories).turn()
    mirror.look()
    assert sorted(mirror.columns.subjects) == ["p1", "p2"]
    assert mirror.until == min(far.until or "" for far in histories.far.values())
    assert mirror.wait("2026-03-02T01:00:05.000Z", 0)


def test_a_passing_fault_ends_neither_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.tracker.history.AGAIN_S", 0.001)
    monkeypatch.setattr("services.tracker.mirror.AGAIN_S", 0.001)
    desk = Desk(story(), MemoryHistories())
    stop, calls = Stop(), 0

    def fails(_limit: int = 0) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            stop.ask()
        raise TransientError("MongoDB", "away")

    monkeypatch.setattr(desk.historian, "step", fails)
    desk.historian.run(stop)
    assert calls == 3
    mirror, calls, stop = Mirror(desk.histories, 2, Metrics()), 0, Stop()
    monkeypatch.setattr(mirror, "look", fails)
    mirror.run(stop)
    assert calls == 3


def test_other_rules_make_a_history_anew() -> None:
    events: list[Event] = [event("p1", "a", 1, PROJECT_REGISTERED), event("p1", "b", 2)]
    old, new = (Folder(DEFAULT_RULES, CALENDAR, number) for number in (1, 2))
    stored = row_of("p1", (0, 1), events, carried("p1", events, None, old), 1)
    tampered = Row(**{name: getattr(stored, name) for name in stored.__slots__} | {"cells": b""})
    assert carried("p1", events, tampered, old).packed() == b""
    assert carried("p1", events, tampered, new).packed() == stored.cells
