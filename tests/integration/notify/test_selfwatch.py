"""Notify watching itself on a real Kafka and a real MongoDB: receivers that fail, jobs that hang, news that stops."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from luodi.domain.days import instant
from luodi.local.harness import Servers
from luodi.runtime.clock import SystemClock
from services.notify.app import Service
from services.notify.beats import BOUNDS_S, CONFIRM_S
from services.notify.reach import SPAN_S
from services.notify.sweep import Swept
from tests.integration.notify import receiver as play
from tests.integration.notify.receiver import SECRET, Receiver
from tests.integration.notify.test_http import fits
from tests.integration.notify.world import World, now, until
from tests.receivers.robots import Robots, robots
from tests.unit.notify.builders import clock as clock_of

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


@pytest.fixture
def group() -> Iterator[Robots]:
    with robots() as made:
        yield made


@pytest.fixture
def world(servers: Servers, tmp_path: Path, peer: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("services.notify.app.SELFWATCH_S", 0.3)
    monkeypatch.setattr("services.notify.units.LOOK_EVERY_S", 0.3)
    environ = {"LUODI_WEBHOOK_URL": peer.url, "LUODI_WEBHOOK_SECRET": SECRET, "LUODI_WEBHOOK_ALLOW": "127.0.0.1"}
    made = World(servers, tmp_path, 4, **environ)
    yield made
    made.close()


class Ahead(SystemClock):
    """The machine's clock, with time that has passed at once."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._ahead_s = 0.0

    def passes(self, seconds: float) -> None:
        self._ahead_s += seconds
        self._world.offset_s = self._ahead_s  # of the watermarks

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead_s)

    def wall(self) -> datetime:
        return super().wall() + timedelta(seconds=self._ahead_s)

    def wall_text(self) -> str:
        return instant(self.wall())

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead_s


@pytest.fixture
def clock(world: World) -> Ahead:
    return Ahead(world)


def faults(world: World) -> dict[str, str]:
    """The faults that are told of the system itself, by matter, in words."""
    status, body = world.get("/v1/self-watch", "en")
    assert status == 200, body
    fits(body, "SelfWatch")
    return {fault["matter"].removeprefix("operations:"): fault["text"] for fault in body["faults"]}


def about(world: World, fault: str) -> list[dict[str, Any]]:
    """What the operators were told of a fault, in order."""
    rows = world.notifications("recipient=operators")
    return [row for row in reversed(rows) if row["matter"].startswith(f"operations:{fault}")]


def put(world: World, recipient: str, address: str) -> None:
    body = json.dumps({"channels": [{"channel": "wecom", "address": address}]})
    answer = world.http.request(
        "PUT", f"{world.base}/v1/contacts/{recipient}", body=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status == 200, answer.data


def names_of_a(world: World, partition: int) -> str:
    return next(name for name in (f"p-{n}" for n in range(1000)) if world.partition(name) == partition)


def test_a_receiver_that_takes_nothing_is_told_by_another_way_and_so_is_its_return(
    world: World, peer: Receiver, group: Robots, clock: Ahead
) -> None:
    away = threading.Event()
    away.set()
    peer.weather = lambda _path, _id: play.status(503) if away.is_set() else None
    world.notifier(clock=clock)
    world.watermarks_run()
    put(world, "operators", group.address("wecom", "k-operators"))
    for number in range(5):
        world.overdue(f"p-{number}")
    until(lambda: len(peer.got) >= 5, "five attempts")
    until(lambda: world.get("/v1/self-watch")[1]["failing"], "the failures noted")
    assert faults(world) == {}
    clock.passes(SPAN_S)
    found = until(lambda: {k: v for k, v in faults(world).items() if k.startswith("receiver:")}, "the fault told")
    assert "127.0.0.1" in str(found)
    assert "http-503" in str(found)
    (row,) = until(lambda: about(world, "receiver:"), "the message written")
    assert {d["channel"] for d in row["deliveries"]} == {"inbox", "log", "wecom"}, "not by the one that fails"
    until(lambda: [said for said in group.taken("k-operators") if "127.0.0.1" in str(said.body)], "the robot")
    away.clear()
    clock.passes(7200)
    until(lambda: not any(name.startswith("receiver:") for name in faults(world)), "mended")
    until(lambda: [r["kind"] for r in about(world, "receiver:")] == ["operations", "cleared"], "the end told")


def _hung(service: Service) -> threading.Event:
    """From now on a sweep gets nowhere until the event is set."""
    released = threading.Event()
    real = service.sweep.run

    def run() -> Swept:
        released.wait()
        return real()

    service.sweep.run = run  # type: ignore[method-assign]  # a sweep that hangs, as a lock or a library may make it
    return released


def test_a_sweep_that_hangs_is_told_from_outside_its_thread_and_readiness_says_so(world: World, clock: Ahead) -> None:
    service = world.notifier(clock=clock)
    world.watermarks_run()
    until(lambda: world.get("/v1/self-watch")[1]["notifiers"], "its beat")
    released = _hung(service)
    try:
        clock.passes(BOUNDS_S["sweep"] + 1)
        until(lambda: "sweep" in readiness(world), "readiness says so")
        until(lambda: late(world) == ["sweep"], "seen to be late")
        clock.passes(CONFIRM_S)
        found = until(lambda: faults(world).get("late:one:sweep"), "the fault told")
        assert "0, 1, 2, 3" in found
        until(lambda: about(world, "late:one:sweep"), "the message written, without any sweep")
        age = next(line for line in metrics(world) if line.startswith('luodi_job_age_seconds{job="sweep"}'))
        assert float(age.split()[-1]) > BOUNDS_S["sweep"]
    finally:
        released.set()
    until(lambda: "late:one:sweep" not in faults(world), "it moves again")
    until(world.ready, "ready again")
    until(lambda: [r["kind"] for r in about(world, "late:one:sweep")] == ["operations", "cleared"], "the end told")


def test_another_notifier_tells_of_one_that_stands_still_altogether(world: World, clock: Ahead) -> None:
    one, two = world.notifier("one", clock), world.notifier("two", clock)
    until(lambda: one.watching.gate.partitions and two.watching.gate.partitions, "the partitions shared")
    world.watermarks_run()
    until(lambda: _shared(world), "both beats with their partitions")
    released = _hung(two)
    two.selfwatch.run = lambda: None  # type: ignore[method-assign]  # it says nothing of itself any more, either
    try:
        clock.passes(BOUNDS_S["sweep"] + 1)
        until(lambda: late(world, "two"), "seen to be late")
        clock.passes(CONFIRM_S)
        until(lambda: "late:two:sweep" in faults(world), "the fault told")
        assert not any(name.startswith("late:one") for name in faults(world))
    finally:
        released.set()
    world.end(two)
    until(lambda: len(one.watching.gate.partitions) == 4, "the partitions taken over")
    until(lambda: not faults(world), "nobody is missed any more")


def test_a_partition_whose_watermark_stops_is_told_and_those_that_go_on_are_not(world: World, clock: Ahead) -> None:
    world.notifier(clock=clock)
    stopped = 2
    world.watermark()
    world.watermarks_run(besides=[stopped])  # the tracker of one partition stands still
    for _ in range(7):  # in steps: else that of the others would be old for a moment, too
        clock.passes(10)
        told_until = clock.now_text()
        until(partial(_is_known, world, stopped, told_until), "the others' news taken in")
    found = until(lambda: faults(world), "the fault told")
    assert set(found) == {f"watermark:{stopped}"}
    age = [line for line in metrics(world) if line.startswith(f'luodi_watermark_age_seconds{{partition="{stopped}"}}')]
    assert float(age[0].split()[-1]) >= 60
    late_one = names_of_a(world, stopped)
    world.overdue(late_one)
    until(lambda: world.database["watches"].find_one({"_id": late_one}), "the project taken in")
    another = names_of_a(world, 1)
    world.overdue(another)
    until(lambda: world.told(another), "the others are told")
    assert world.told(late_one) == [], "nothing is told from what may be stale"
    world.watermarks_stop()
    world.watermarks_run()
    until(lambda: world.told(late_one), "told")
    until(lambda: not faults(world), "it moves again")
    until(lambda: [r["kind"] for r in about(world, "watermark:")] == ["operations", "cleared"], "the end told")


def _is_known(world: World, besides: int, until_: str) -> bool:
    rows = world.database["notifiers"].find()
    passed = [told for row in rows for partition, told in row["passed"] if partition != besides]
    return len(passed) == world.topic.partitions - 1 and min(passed) >= until_


def _shared(world: World) -> bool:
    rows = {row["_id"]: set(row["partitions"]) for row in world.database["notifiers"].find()}
    return len(rows) == 2 and all(rows.values()) and not rows["one"] & rows["two"]


def late(world: World, slot: str = "one") -> list[str]:
    notifiers: list[dict[str, Any]] = world.get("/v1/self-watch")[1]["notifiers"]
    return next((list(row["late"]) for row in notifiers if row["slot"] == slot), [])


def readiness(world: World) -> str:
    answer = world.http.request("GET", f"{world.base}/ready")
    return answer.data.decode() if answer.status == 503 else ""


def metrics(world: World) -> list[str]:
    return world.http.request("GET", f"{world.base}/metrics").data.decode().splitlines()


def test_a_unit_that_reports_nothing_is_told_to_its_group_head_then_to_its_own_head_until_it_reports(
    world: World, clock: Ahead
) -> None:
    world.notifier(clock=clock)
    world.watermarks_run()
    world.publish_record(
        {"id": "unit:power", "events": 1, "ruleset": 1, "registered": True, "updated_at": now(), "head": "u-head"}
    )
    open_clock = clock_of(now(3600 * 24 * 300))
    people = {"lead_unit": "power", "group_head": "u-group", "officer": "u-officer"}
    world.publish("p-1", clocks=[open_clock], updated_at=now(), **people)
    world.publish("p-2", clocks=[], updated_at=now(), **people)
    until(lambda: world.database["watches"].count_documents({}) == 2, "both watched")
    first = timedelta(days=21).total_seconds()  # five working days, whatever holidays there are
    clock.passes(first)
    until(lambda: silent(world) == [("stalled", "u-group")], "the group head told")
    status, body = world.get("/v1/matters?person=u-group")
    assert status == 200
    assert [(m["id"], m["owner"]) for m in body["items"]] == [("unit:power", "power")]
    fits(body["items"][0], "Matter")
    assert "unit:power" not in str(world.get("/v1/matters")[1])
    clock.passes(first)
    until(lambda: silent(world)[1:] == [("escalated", "operators"), ("escalated", "u-head")], "its own head told")
    world.publish("p-2", clocks=[], updated_at=clock.now_text(), **people)
    until(lambda: len(silent(world)) == 6, "the end told")
    assert silent(world)[3:] == [("cleared", "operators"), ("cleared", "u-group"), ("cleared", "u-head")]


def silent(world: World) -> list[tuple[str, str]]:
    """What was told of units, in order."""
    rows = [row for row in world.notifications() if row["matter"] == "unit:power"]
    rows.sort(key=lambda row: (row["created_at"], row["recipient"]))
    return [(row["kind"], row["recipient"]) for row in rows]
