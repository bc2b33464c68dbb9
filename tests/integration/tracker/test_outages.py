"""Servers go away while the tracker works: nothing is lost or committed too early, and it goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from luodi.local.harness import Servers
from luodi.local.harness import servers as started_servers
from luodi.runtime.clock import SystemClock
from luodi.runtime.errors import TransientError
from luodi.runtime.metrics import Metrics
from schemas import states
from services.tracker.ahead import Ahead
from tests.integration.tracker.test_projector import check
from tests.integration.tracker.world import World, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A pair that a test may end and pause."""
    with started_servers(tmp_path_factory.mktemp("servers")) as pair:
        yield pair


@pytest.fixture
def own_world(own_servers: Servers, tmp_path: Path) -> Iterator[World]:
    made = World(own_servers, tmp_path)
    yield made
    made.close()


def test_mongodb_goes_away_and_comes_back(own_servers: Servers, own_world: World) -> None:
    world, metrics = own_world, Metrics()
    events = [world.recorder.registered(f"p{n}") for n in range(10)]
    with world.tracker(metrics=metrics) as tracker:
        client = tracker.app.test_client()
        world.await_applied(world.send(events[:5]))
        until(lambda: client.get("/ready").status_code == 200, "ready")
        committed = world.committed()
        own_servers.kill_mongodb()
        last = world.send(events[5:])
        until(lambda: client.get("/ready").status_code == 503, "not ready without MongoDB")
        assert client.get("/live").status_code == 200
        assert client.get("/v1/projects/p0").status_code == 503
        assert world.committed() == committed, "nothing is committed while nothing can be stored"
        assert tracker.owned == {0, 1, 2, 3}, "the partitions stay"
        own_servers.start_mongodb()
        world.await_applied(last, 90)
        until(lambda: client.get("/ready").status_code == 200, "ready again")
    check(world, events)
    assert metrics.transient.labels("projector")._value.get() > 0


def elect_again(servers: Servers) -> None:
    """The primary steps down and is elected again; connections and data stay."""
    client: MongoClient[dict[str, Any]] = MongoClient(servers.mongodb_uri)
    before = client.admin.command("hello")["electionId"]
    client.admin.command({"replSetStepDown": 1, "secondaryCatchUpPeriodSecs": 0, "force": True})
    until(lambda: client.admin.command("hello").get("electionId") not in (None, before), "a new election", 30)
    client.close()


def test_what_was_written_ahead_is_not_taken_for_settled_by_the_next_primary(
    own_servers: Servers, own_world: World
) -> None:
    ahead = Ahead(own_world.database)
    assert ahead.insert("rows", [{"_id": 1, "n": 1}]) == []
    assert ahead.update("rows", [{"q": {"_id": 1, "n": 1}, "u": {"n": 2}}, {"q": {"_id": 1, "n": 9}, "u": {}}]) == 1
    election = ahead.election
    assert ahead.settle("more", [{"_id": 1}], {election}) == []
    elect_again(own_servers)
    for _ in range(2):  # and it stays so until it is told to begin again
        with pytest.raises(TransientError, match="another primary"):
            ahead.settle("more", [{"_id": 2}], {election})
    ahead.begin_again()
    assert ahead.insert("rows", [{"_id": 1}, {"_id": 2}]) == [0]
    with pytest.raises(TransientError, match="another primary"):
        ahead.settle("more", [{"_id": 3}], {election})
    assert ahead.election not in (None, election)
    assert ahead.settle("more", [{"_id": 4}], {ahead.election}) == []


def test_elections_under_load_lose_nothing_and_count_nothing_twice(own_servers: Servers, own_world: World) -> None:
    world, metrics = own_world, Metrics()
    events = [world.recorder.registered(f"p{n}") for n in range(10)]
    with world.tracker(metrics=metrics):
        world.await_applied(world.send(events))
        for _ in range(3):
            for n in range(60):
                events.append(world.recorder.milestone(f"p{n % 10}"))
                last = world.send(events[-1:])
                if n == 30:
                    elect_again(own_servers)
            world.await_applied(last, 60)
    check(world, events)
    assert metrics.transient.labels("projector")._value.get() > 0


def test_kafka_goes_away_and_comes_back(own_servers: Servers, own_world: World) -> None:
    world = own_world
    events = [world.recorder.registered(f"p{n}") for n in range(10)]
    with world.tracker() as tracker:
        client = tracker.app.test_client()
        world.await_applied(world.send(events[:5]))
        own_servers.kill_kafka()
        assert client.get("/v1/projects/p0").status_code == 200, "questions are answered from MongoDB"
        until(lambda: client.get("/ready").status_code == 503, "not ready without Kafka")
        own_servers.start_kafka()
        world.await_applied(world.send(events[5:]), 90)
        until(lambda: client.get("/ready").status_code == 200, "ready again", 60)
    check(world, events)


def test_no_watermark_passes_an_event_that_waits_for_mongodb(own_servers: Servers, own_world: World) -> None:
    world = own_world
    with world.tracker():
        ((partition, offset),) = world.send([world.recorder.registered("p1")]).items()
        world.await_applied({partition: offset})
        own_servers.kill_mongodb()
        try:
            ((_, offset),) = world.send([world.recorder.milestone("p1")]).items()
            sent_at = SystemClock().now_text()
            other = (partition + 1) % world.topic.partitions
            until(lambda: newest_mark(world, other) > sent_at, "watermarks go on where nothing waits", 60)
            assert newest_mark(world, partition) < sent_at
        finally:
            own_servers.start_mongodb()
        world.await_applied({partition: offset}, 90)
        until(lambda: newest_mark(world, partition) > sent_at, "the watermark follows", 60)
    found = [r for r in world.records(world.settings.topics.states) if r.partition == partition]
    state = next(r.offset for r in found if states.read_guard(r.headers) == (2, 1))
    assert all(r.offset > state for r in found if is_mark(r) and states.decode_watermark(r.value) > sent_at)


def is_mark(record: Any) -> bool:
    return bool(record.key == states.WATERMARK_KEY)


def newest_mark(world: World, partition: int) -> str:
    found = world.records(world.settings.topics.states)
    return max((states.decode_watermark(r.value) for r in found if r.partition == partition and is_mark(r)), default="")
