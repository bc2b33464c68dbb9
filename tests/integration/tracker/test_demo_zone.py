"""The demonstration zone as the tracker answers it, from a real MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from luodi.domain.days import instant
from luodi.domain.events import Event
from luodi.local.harness import Servers
from seeds import demo
from tests.integration.tracker.test_queries import TODAY, Desk

pytestmark = pytest.mark.stack


def recorded() -> list[Event]:
    """The zone's events as a load of a moment ago recorded them, wave by wave."""
    return [
        Event(told.subject, told.id, told.type, instant(TODAY - timedelta(seconds=9 - told.wave)), n, "u", told.data)
        for n, told in enumerate(demo.events(TODAY.date()))
    ]


@pytest.fixture(scope="module")
def zone(servers: Servers) -> Iterator[Desk]:
    desk = Desk(servers)
    desk.put(*recorded())
    yield desk
    desk.close()


def listed(desk: Desk, query: str = "") -> dict[str, dict[str, Any]]:
    """All pages of a list."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        body = desk.get(f"/v1/projects?limit=500&zone=demo&status=active,suspended,withdrawn{query}&cursor={cursor}")
        found |= {item["id"]: item for item in body.json["items"]}
        cursor = body.json["next"]
    return found


def test_the_funnel_counts_518_projects_of_as_many_enterprises_of_which_169_produce(zone: Desk) -> None:
    for asked in ("", "&as_of=2026-06-01"):
        body = zone.get(f"/v1/funnel?zone=demo{asked}").json
        total, reached = body["total"], {row["stage"]: row["reached"] for row in body["stages"]}
        assert (total["projects"], reached["signed"], reached["producing"]) == (518, 518, 169)
        assert (total["enterprises"], total["enterprises_producing"]) == (518, 169)
        assert total["increments"] == 8
        assert total["increment_investment"] > 0


def test_every_project_phase_and_increment_shows_the_light_of_its_story(zone: Desk) -> None:
    shown = {id_: item["light"] for id_, item in listed(zone).items()}
    assert shown == {project.id: project.light for project in demo.projects(TODAY.date())}
    reds = {id_ for id_, light in shown.items() if light == "red"}
    assert listed(zone, "&light=red").keys() == reds


def test_the_zone_loaded_again_changes_nothing(zone: Desk) -> None:
    def state() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        rolled = zone.database["rollups"].find({}, {"version": 0}).sort("_id")  # rises whenever one is made
        return list(zone.database["projects"].find().sort("_id")), list(rolled)

    before = state()
    zone.put(*recorded())
    assert state() == before
