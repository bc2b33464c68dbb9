"""Digests through the real thing: states in Kafka, rows in MongoDB, robots that judge every request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luodi.domain.calendar import Calendar
from luodi.domain.days import BEGINNING, END_OF_TIME
from luodi.local.harness import Servers
from luodi.runtime import configuration
from services.notify.hours import begins_week
from tests.integration.notify.test_contacts import ask, put
from tests.integration.notify.world import World, until
from tests.receivers.robots import Robots, robots

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

ZONE = "qingyuan"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def group() -> Iterator[Robots]:
    with robots() as made:
        yield made


def seconds_until(hour: int, minute: int, second: int, calendar: Calendar, *, first: bool) -> int:
    """From now to that time of the next working day that is, or is not, the first of its week."""
    now = datetime.now(UTC)
    day = calendar.add_workdays(now.astimezone(SHANGHAI).date(), 1)
    while begins_week(day, calendar) != first:
        day = calendar.add_workdays(day, 1)
    wanted = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=SHANGHAI)
    return int((wanted - now).total_seconds())


def world_at(servers: Servers, home: Path, hour: int, minute: int, second: int, *, first: bool = False) -> World:
    """A world whose business clock stands there now; `first`: on the first working day of a week."""
    probe = World(servers, home)
    offset = seconds_until(hour, minute, second, configuration.load(probe.settings).calendar, first=first)
    probe.close()
    return World(
        servers,
        home,
        LUODI_WEBHOOK_ALLOW="127.0.0.1",
        LUODI_CLOCK_OFFSET=str(offset),
        LUODI_WORKING_HOURS="08:30-18:00",
    )


def deliveries(world: World, recipient: str, channel: str) -> list[tuple[str, str]]:
    """Kind and state of each message of a recipient on a channel."""
    return sorted(
        (row["kind"], d["status"])
        for row in world.notifications(f"recipient={recipient}")
        for d in row["deliveries"]
        if d["channel"] == channel
    )


def test_at_the_opening_each_person_gets_one_message_that_names_all_of_theirs(
    servers: Servers, tmp_path: Path, group: Robots
) -> None:
    world = world_at(servers, tmp_path, 8, 29, 50)
    try:
        world.notifier()
        people = [f"u-{number}" for number in range(6)]
        for who in people:
            way: dict[str, Any] = {"channel": "wecom", "address": group.address("wecom", f"k-{who}"), "style": "text"}
            assert put(world, who, way)[0] == 200
        world.watermarks_run()
        projects = {f"p-{number}": people[number % len(people)] for number in range(60)}
        for project, officer in projects.items():
            world.overdue(project, zone=ZONE, officer=officer, name=f"示例{project}厂")
        until(lambda: all(group.taken(f"k-{who}") for who in people), "a digest for everybody")
        until(
            lambda: {s for who in people for _, s in deliveries(world, who, "wecom")} == {"sent"}, "all marked as sent"
        )
        for who in people:
            (said,) = group.taken(f"k-{who}")
            (digest,) = world.notifications(f"recipient={who}&kind=digest")
            mine = sorted(project for project, officer in projects.items() if officer == who)
            assert sorted(line["project_id"] for line in digest["items"]) == mine
            assert {line["group"] for line in digest["items"]} == {"new"}
            assert digest["text"] == "新增 10"
            numbers = [line["number"] for line in digest["items"] if line["number"] in said.text]
            assert numbers, said.text
            if len(numbers) < len(mine):
                assert f"另有 {len(mine) - len(numbers)} 项" in said.text
            assert len(said.body["text"]["content"].encode()) <= 2048
            assert deliveries(world, who, "wecom") == [("digest", "sent"), *[("stalled", "sent")] * 10]
    finally:
        world.close()


def test_on_the_first_morning_of_a_week_one_message_lists_all_projects_and_the_inbox_has_them_too(
    servers: Servers, tmp_path: Path, group: Robots
) -> None:
    world = world_at(servers, tmp_path, 8, 29, 52, first=True)
    try:
        world.notifier()
        way: dict[str, Any] = {"channel": "wecom", "address": group.address("wecom", "k-zhang")}
        assert put(world, "u-zhang", way)[0] == 200
        world.watermarks_run()
        lights = [{"light": "green", "from": BEGINNING, "to": END_OF_TIME, "reason": {"code": "no-limit"}}]
        known: dict[str, Any] = {
            "zone": ZONE,
            "lights": lights,
            "stage_since": "2026-03-01",
            "next_stage": "land_supplied",
        }
        for number in range(3):
            world.publish(f"p-{number}", name=f"示例{number}厂", officer="u-zhang", leader="u-wang", **known)
        world.overdue("p-red", name="示例红厂", officer="u-zhang", **known)
        until(lambda: group.taken("k-zhang"), "one message outside")
        until(lambda: world.notifications("recipient=u-wang&kind=digest"), "the leader, who has no address, has it")
        (said,) = group.taken("k-zhang")
        assert said.text.index("新增 1") < said.text.index("全部项目 4")
        assert all(f"示例{number}厂" in said.text for number in range(3))
        by_channel = {
            row["deliveries"][0]["channel"]: [(line["group"], line["project_id"]) for line in row["items"]]
            for row in world.notifications("recipient=u-zhang&kind=digest")
        }
        projects = [("projects", name) for name in ("p-0", "p-1", "p-2", "p-red")]
        assert by_channel["inbox"] == projects
        assert sorted(by_channel["wecom"]) == [("new", "p-red"), *projects]
        status, report = ask(world, "GET", "/v1/reports/u-wang")
        assert status == 200, report
        assert (report["total"], report["lights"]) == (3, {"green": 3})
        first = report["items"][0]
        assert (first["project_id"], first["stage"], first["stage_since"]) == ("p-0", "signed", "2026-03-01")
        assert first["reason"] == {"code": "no-limit", "text": "下一节点未设时限"}
        assert report["goes_at"] > world.notifications("recipient=u-wang&kind=digest")[0]["created_at"]
    finally:
        world.close()


def test_outside_working_hours_only_what_is_urgent_goes_out(servers: Servers, tmp_path: Path, group: Robots) -> None:
    world = world_at(servers, tmp_path, 21, 0, 0)
    try:
        world.notifier()
        for who, key in (("u-night", "k-night"), ("operators", "k-operators")):
            assert put(world, who, {"channel": "wecom", "address": group.address("wecom", key)})[0] == 200
        world.watermarks_run()
        world.overdue("p-night", zone=ZONE, officer="u-night")
        until(lambda: deliveries(world, "u-night", "wecom") == [("stalled", "held")], "it waits for the morning")
        status, sheet = ask(world, "GET", "/v1/digests/u-night")
        assert status == 200, sheet
        assert [(line["group"], line["project_id"]) for line in sheet["items"]] == [("new", "p-night")]
        world.write("p-broken", json.dumps({"id": "p-broken"}).encode())  # a fault of the system itself
        until(lambda: group.taken("k-operators"), "the operators are told at once")
        assert group.taken("k-night") == []
    finally:
        world.close()
