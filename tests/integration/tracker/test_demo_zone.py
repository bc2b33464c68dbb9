"""The demonstration zone as the tracker answers it, from a real MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from luodi.domain.days import instant
from luodi.domain.events import Event
from luodi.domain.resources import RESOURCE_KINDS, STATES
from luodi.local.harness import Servers
from seeds import demo
from services.tracker import pool_http
from services.tracker.pool import Pool
from tests.integration.tracker.test_places import Market
from tests.integration.tracker.test_pool import held
from tests.integration.tracker.test_queries import TODAY, Desk

pytestmark = pytest.mark.stack


def recorded() -> list[Event]:
    """The zone's events as a load of a minute ago recorded them, wave by wave."""
    told = demo.events(TODAY.date())
    waves = sorted({event.wave for event in told})
    moments = {wave: instant(TODAY - timedelta(seconds=60 - place)) for place, wave in enumerate(waves)}
    return [
        Event(event.subject, event.id, event.type, moments[event.wave], n, "u", event.data)
        for n, event in enumerate(told)
    ]


@pytest.fixture(scope="module")
def zone(servers: Servers) -> Iterator[Desk]:
    desk = Market(servers)
    pool_http.add_routes(desk.client.application, Pool(desk.database), lambda: None, held(desk))
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


def test_its_figures_stand_beside_its_own_list_with_a_difference(zone: Desk) -> None:
    figures = {row["id"]: row for row in zone.items("/v1/figures?zone=demo")}
    taken_in, producing = figures["enterprises-taken-in"], figures["enterprises-producing"]
    assert (taken_in["value"], taken_in["own"], taken_in["difference"]) == (518, 518, 0)
    assert (producing["value"], producing["own"], producing["difference"]) == (171, 169, 2)
    behind = zone.get(f"{producing['list']}&limit=500").json
    assert len(behind["items"]) == behind["own"]["count"] == 169
    key = figures["key-projects"]
    assert key["difference"] == {"count": 50, "amount": 35_000_000_000}
    assert key["own"]["count"] == zone.get(key["list"]).json["own"]["count"] > 0
    assert (figures["industrial-investment"]["value"], figures["industrial-investment"]["corrected"]) == (13.1, 1)


def test_its_targets_and_plans_show_who_is_ahead_and_who_is_behind(zone: Desk) -> None:
    targets = zone.items("/v1/targets?zone=demo")
    assert len(targets) == 10
    assert all(row["own"] is not None for row in targets)
    assert {row["owner"] for row in targets} == {None, "demo-unit-01", "demo-unit-02"}
    signed = targets[0]
    assert (signed["value"], signed["first"], signed["changes"]) == (64, 60, 1)
    plans = zone.get("/v1/annual-plans?zone=demo&limit=500").json
    assert plans["summary"]["plans"] == len(plans["items"]) > 10
    assert {row["points"] > 0 for row in plans["items"]} == {True, False}
    invested = zone.get("/v1/measures/invested?zone=demo").json["own"]
    assert invested["amount"] >= plans["summary"]["invested"] > 0


def test_its_publication_holds_and_what_was_corrected_after_it_is_told(zone: Desk) -> None:
    (head,) = zone.items("/v1/publications?zone=demo")
    body = zone.get(head["url"]).json
    assert body["as_of"] == "2026-05-31"
    assert body["own"]["enterprises"]["count"] == body["funnel"]["total"]["enterprises"]
    told = zone.get(head["corrections"]).json
    amended = [project.id for project in demo.projects(TODAY.date()) if project.scenario == "amended"]
    assert [row["project_id"] for row in told["items"]] == sorted(amended)
    assert all([event["type"] for event in row["events"]] == ["project.amended"] for row in told["items"])
    (investment,) = (row for row in told["numbers"] if row["name"] == "total.investment")
    assert investment["difference"] > 0


def test_the_pool_and_the_land_have_something_to_show_for_every_question(zone: Desk) -> None:
    pool = zone.get("/v1/pool?zone=demo").json["summary"]
    assert all(pool[name] > 0 for name in ("reserve", "talking", "signed", "dropped"))
    assert len(pool["by_introducer"]) == 5
    land = zone.get("/v1/resources?zone=demo").json["summary"]
    assert {row["kind"] for row in land} == {*RESOURCE_KINDS}
    assert {row["state"] for row in land} == {*STATES}
    let = zone.get("/v1/carriers?zone=demo").json
    assert 0 < let["summary"]["rate"] < 1
    assert let["summary"]["tenants"] > 50
    assert any(item["parent"] for item in let["items"])
    waiting = zone.get("/v1/matches?zone=demo&limit=500&best=20").json["items"]
    assert {item["seeks"] for item in waiting} == {"land", "plant"}
    fitting = [item for item in waiting if item["matches"]]
    assert len(fitting) > len(waiting) / 2
    assert {match["kind"] for item in fitting for match in item["matches"]} == {"resource", "carrier"}
    assert {item["none"]["code"] for item in waiting if item["none"]} >= {"nothing-large-enough"}


def test_the_zone_loaded_again_changes_nothing(zone: Desk) -> None:
    def state() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        rolled = zone.database["rollups"].find({}, {"version": 0}).sort("_id")  # rises whenever one is made
        return list(zone.database["projects"].find().sort("_id")), list(rolled)

    before = state()
    zone.put(*recorded())
    assert state() == before
