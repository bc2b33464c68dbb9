"""What a process remembers of the documents it has stored a moment ago."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from services.tracker import visibility
from services.tracker.visibility import Visibility
from tests.parity.tracker.fakes import MemoryPositions

DEADLINE_S = 20.0


def document(subject: str = "p1", events: int = 1, ruleset: int = 1, partition: int = 0) -> dict[str, Any]:
    return {"_id": subject, "partition": partition, "events": events, "ruleset": ruleset}


def owner_of(*partitions: int) -> Visibility:
    seen = Visibility(MemoryPositions())
    seen.own(partitions)
    return seen


def test_a_document_made_by_newer_rules_is_newer_though_nothing_happened() -> None:
    seen = owner_of(0)
    mine = document(events=2, ruleset=4)
    seen.show({0: 6}, [mine])
    assert seen.newer("p1", document(events=2, ruleset=3)) is mine
    by_newer_rules = document(events=2, ruleset=5)
    assert seen.newer("p1", by_newer_rules) is by_newer_rules


def test_each_document_covers_what_its_own_partition_has_applied() -> None:
    seen = owner_of(0, 1)
    here, there = document("p1"), document("p2", partition=1)
    seen.show({0: 6, 1: 90}, [here, there])
    assert seen.shown("p2", {1: 89}) is there
    assert seen.shown("p2", {1: 90}) is None
    assert seen.shown("p1", {0: 5}) is here
    assert seen.shown("p1", {0: 6}) is None


def test_only_so_many_are_remembered_and_those_shown_longest_ago_are_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visibility, "SHOWN", 3)
    seen = owner_of(0)
    seen.show({0: 3}, [document("p1"), document("p2"), document("p3")])
    again = document("p1", events=2)
    seen.show({0: 5}, [again, document("p4")])
    assert seen.newer("p2", None) is None
    assert [subject for subject in ("p1", "p2", "p3", "p4") if seen.newer(subject, None)] == ["p1", "p3", "p4"]
    assert seen.newer("p1", None) is again


def test_who_waits_for_one_project_is_woken_when_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "OWN_LOOK_EVERY_S", 10 * DEADLINE_S)  # nothing else wakes them
    seen = owner_of(0)
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(seen.wait({0: 5}, 5 * DEADLINE_S, subject="p1")))
    waiter.start()
    until = time.monotonic() + DEADLINE_S
    while not seen._news._waiters and time.monotonic() < until:  # type: ignore[attr-defined]  # they sleep by then
        time.sleep(0.001)
    seen.show({0: 6}, [document("p1")])
    waiter.join(timeout=DEADLINE_S)
    woken, asleep = list(answers), waiter.is_alive()
    seen.advance({0: 6})
    waiter.join()
    assert (woken, asleep) == ([True], False)
