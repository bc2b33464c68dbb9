"""Histories written by a running tracker, on a real Kafka and a real MongoDB."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3

from schemas import position
from services.tracker.app import Tracker
from tests.integration.tracker.world import World, shared, until

pytestmark = pytest.mark.stack


def answer(tracker: Tracker, path: str) -> tuple[int, Any]:
    response = urllib3.PoolManager(retries=False).request("GET", f"{tracker.address}{path}", timeout=10)
    return response.status, json.loads(response.data)


def ids(tracker: Tracker, query: str) -> list[str] | None:
    status, body = answer(tracker, f"/v1/projects?limit=500&{query}")
    return [item["id"] for item in body["items"]] if status == 200 else None


def test_a_running_tracker_answers_lists_of_the_past(world: World) -> None:
    events = [world.recorder.registered(f"p{n:02}") for n in range(20)]
    between = world.recorder.event("p00", "note.added", {"text": "电话"})
    later = [world.recorder.milestone(f"p{n:02}", "signed", "2026-01-05") for n in range(20)]
    with world.tracker() as tracker:
        world.await_applied(world.send([*events, between, *later]))
        everyone = [f"p{n:02}" for n in range(20)]
        until(lambda: ids(tracker, "as_of=2026-03-02") == everyone, "all projects in the past's lists")
        assert ids(tracker, f"known_at={between.recordedtime}&stage=signed") == []
        assert ids(tracker, f"known_at={later[4].recordedtime}&stage=signed") == everyone[:5]
        metrics = urllib3.PoolManager().request("GET", f"{tracker.address}/metrics").data.decode()
        assert 'luodi_history_age_seconds{partition="0"}' in metrics


def test_what_one_tracker_writes_the_other_answers_and_a_restart_forgets_nothing(world: World) -> None:
    with world.tracker("one") as one, world.tracker("two") as two:
        until(lambda: shared(one, two), "both own partitions")
        world.await_applied(world.send(world.recorder.registered(f"p{n:02}") for n in range(20)))
        until(lambda: len(ids(one, "as_of=2026-03-02") or ()) == 20, "all of them in one")
        until(lambda: len(ids(two, "as_of=2026-03-02") or ()) == 20, "all of them in the other")
    with world.tracker("one") as again:
        world.await_applied(world.send([world.recorder.registered("p99")]))
        until(lambda: len(ids(again, "as_of=2026-03-02") or ()) == 21, "old and new after a restart")
    rows = list(world.database["history"].find())
    assert len(rows) == 21
    written = {row["_id"]: row["at"] for row in world.database["history_written"].find()}
    assert len(written) == world.topic.partitions


def test_a_position_just_posted_is_part_of_a_past_list(world: World) -> None:
    with world.tracker() as tracker:
        until(lambda: ids(tracker, "as_of=2026-03-02") == [], "the marks of all partitions")
        last = world.send([world.recorder.registered("fresh")])
        after = position.encode(world.topic.tag, last)
        assert ids(tracker, f"as_of=2026-03-02&after={after}") == ["fresh"]
