"""Reading one's own write, from the tracker that applies it and from one that does not."""

from __future__ import annotations

import threading
import time

import pytest
import urllib3

from schemas import position
from services.tracker import visibility
from services.tracker.visibility import Visibility
from tests.integration.tracker.world import World, shared, until
from tests.parity.tracker.fakes import MemoryPositions

pytestmark = pytest.mark.stack


def test_a_position_makes_the_write_before_it_visible_whoever_is_asked(world: World) -> None:
    http = urllib3.PoolManager()
    with world.tracker("one") as one, world.tracker("two") as two:
        until(lambda: shared(one, two), "each owns a part")
        for n in range(20):
            subject = f"p{n}"
            last = world.send([world.recorder.registered(subject)])
            text = position.encode(world.topic.tag, last)
            for tracker in (one, two):
                answer = http.request("GET", f"{tracker.address}/v1/projects/{subject}?after={text}")
                assert (answer.status, answer.json()["name"]) == (200, f"项目 {subject}")
                stored = http.request("GET", f"{tracker.address}/v1/projects/{subject}")
                assert stored.json() == answer.json(), "what was kept for those who wait is what stands in the store"


def test_a_position_that_never_comes_is_answered_503_and_starves_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visibility, "WAIT_S", 1.0)
    http = urllib3.PoolManager(maxsize=64)
    with world.tracker() as tracker:
        until(lambda: http.request("GET", f"{tracker.address}/ready").status == 200, "ready")
        text = position.encode(world.topic.tag, {0: 1_000_000})
        statuses: list[int] = []

        def ask() -> None:
            statuses.append(http.request("GET", f"{tracker.address}/v1/projects?after={text}", retries=False).status)

        threads = [threading.Thread(target=ask) for _ in range(60)]
        for thread in threads:
            thread.start()
        assert http.request("GET", f"{tracker.address}/ready").status == 200
        assert http.request("GET", f"{tracker.address}/v1/projects").status == 200
        for thread in threads:
            thread.join()
    assert statuses == [503] * 60


def test_a_waiter_is_woken_by_the_news_and_not_by_the_clock() -> None:
    seen = Visibility(MemoryPositions())
    seen.own([0])
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(seen.wait({0: 5}, 20)))
    waiter.start()
    seen.advance({0: 5})
    assert not answers, "offset 5 is not below 5"
    seen.advance({0: 6})
    waiter.join(timeout=5)
    assert answers == [True]


def test_a_document_kept_for_those_who_wait_is_given_only_to_those_whose_position_it_covers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Visibility(MemoryPositions())
    seen.own([0])
    mine = {"_id": "p1", "partition": 0}
    seen.show({0: 6}, [mine])
    assert seen.shown("p1", {0: 5}) is mine
    assert seen.shown("p1", {1: 9}) is None, "another partition is not that far"
    seen.advance({0: 6, 1: 10})
    assert seen.shown("p1", {1: 9}) is mine, "a position that says nothing of its partition"
    assert seen.shown("p1", {0: 6}) is None, "another owner may have applied that one"
    assert seen.shown("p2", {0: 5}) is None
    monkeypatch.setattr(visibility, "SHOWN_S", 0.0)
    assert seen.shown("p1", {0: 5}) is None, "too long ago"


def test_too_many_waiters_are_turned_away_at_once() -> None:
    seen = Visibility(MemoryPositions(), waiters=1)
    seen.own([0])
    waiter = threading.Thread(target=lambda: seen.wait({0: 5}, 20))
    waiter.start()
    until(lambda: seen._places._value == 0, "the place is taken")
    began = time.monotonic()
    assert not seen.wait({0: 5}, 20)
    assert time.monotonic() - began < 5
    assert seen.wait({0: 5}, 20) is False
    seen.advance({0: 6})
    waiter.join(timeout=5)
    assert seen.wait({0: 5}, 0), "what is visible needs no place"


def test_who_waits_for_one_project_need_not_wait_until_every_reader_sees_it() -> None:
    seen = Visibility(MemoryPositions())
    seen.own([0, 1])
    mine = {"_id": "p1", "partition": 0, "events": 2, "ruleset": 1}
    seen.show({0: 6}, [mine])
    assert seen.wait({0: 5}, 0, subject="p1")
    assert not seen.wait({0: 5}, 0), "a list is read from the store"
    assert not seen.wait({0: 5}, 0, subject="p2")
    assert not seen.wait({0: 5, 1: 3}, 0, subject="p1"), "another partition is asked for, too"
    seen.advance({0: 6})
    assert seen.wait({0: 5}, 0)


def test_who_has_seen_a_state_does_not_meet_an_older_one_with_the_next_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = Visibility(MemoryPositions())
    seen.own([0])
    older, mine, newer = ({"_id": "p1", "partition": 0, "events": n, "ruleset": 1} for n in (1, 2, 3))
    seen.show({0: 6}, [mine])
    monkeypatch.setattr(visibility, "SHOWN_S", 0.0)
    assert seen.newer("p1", None) is mine, "as long as readers of the store do not see it"
    assert seen.newer("p1", older) is mine
    assert seen.newer("p1", newer) is newer
    assert seen.newer("p2", older) is older
    seen.advance({0: 6})
    assert seen.newer("p1", older) is older, "the store has it, and may have had it taken back"
    seen.show({0: 7}, [newer])
    seen.own([0])
    assert seen.newer("p1", older) is older, "after a rebalance nothing is known any more"
