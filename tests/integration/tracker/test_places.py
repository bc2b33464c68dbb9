"""Land and buildings, carriers and who waits for either, as the tracker answers them from a real MongoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from luodi.domain.events import PERSON_HANDED_OVER, PERSON_REGISTERED, PROJECT_AMENDED, PROJECT_WITHDRAWN
from luodi.domain.pool import PROJECT_POOLED
from luodi.domain.resources import (
    RESOURCE_AMENDED,
    RESOURCE_ASSIGNED,
    RESOURCE_REGISTERED,
    RESOURCE_RELEASED,
    RESOURCE_STATE_CHANGED,
)
from luodi.local.harness import Servers
from services.tracker import places_http
from services.tracker.places_http import Places
from tests.integration.tracker.test_pool import held
from tests.integration.tracker.test_queries import OPENAPI, TODAY, Desk

pytestmark = pytest.mark.stack


class Market(Desk):
    """Ways to put resources and projects in."""

    def __init__(self, servers: Servers) -> None:
        super().__init__(servers)
        places_http.add_routes(self.client.application, Places.of(self.database), lambda: None, TODAY.date, held(self))

    def resource(self, id_: str, kind: str = "净地", /, *told: tuple[str, dict[str, Any]], **fields: Any) -> None:
        subject = f"resource:{id_}"
        data = {"name": f"{kind} {id_}", "kind": kind, "zone": "demo", **fields}
        rows = [(RESOURCE_REGISTERED, data), *told]
        self.put(*(self.recorder.event(subject, type_, data, f"{id_}-{n}") for n, (type_, data) in enumerate(rows)))

    def waiting(self, id_: str, **fields: Any) -> None:
        self.put(self.recorder.registered(id_, **fields), self.recorder.milestone(id_, "signed", "2026-05-20"))

    def carrier(self, id_: str, floor: float | None, *tenants: tuple[str, float | None], **fields: Any) -> None:
        r = self.recorder
        stages = (("signed", "2024-01-05"), ("land_supplied", "2024-03-05"), ("started", "2024-05-05"))
        told = [r.registered(id_, kind="carrier", floor_m2=floor, **fields)]
        told += [r.milestone(id_, stage, day) for stage, day in (*stages, ("completed", "2025-12-01"))]
        for tenant, taken in tenants:
            told.append(r.registered(tenant, route="plant", carrier=id_, floor_m2=taken))
            told.append(r.milestone(tenant, "signed", "2026-05-20"))
        self.put(*told)

    def matched(self, query: str = "") -> dict[str, list[str]]:
        """Of each project that waits the ids of what fits it."""
        return {
            item["project_id"]: [match["id"] for match in item["matches"]]
            for item in self.items(f"/v1/matches?{query}")
        }


def changed(state: str, date: str) -> tuple[str, dict[str, Any]]:
    return RESOURCE_STATE_CHANGED, {"state": state, "date": date}


def assigned(project: str, date: str, **amount: float) -> tuple[str, dict[str, Any]]:
    return RESOURCE_ASSIGNED, {"project_id": project, "date": date, **amount}


@pytest.fixture
def zone(servers: Servers) -> Iterator[Market]:
    made = Market(servers)
    yield made
    made.close()


def ids(zone: Market, query: str = "") -> list[str]:
    return [item["id"] for item in zone.items(f"/v1/resources?{query}")]


def fits(name: str, body: Any) -> None:
    """The answer is of the schema that the contract names."""
    jsonschema.validate(body, {"$ref": f"#/components/schemas/{name}", "components": OPENAPI["components"]})


def of_address(path: str) -> Any:
    """The schema of an address's answer."""
    answer = OPENAPI["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return {**answer, "components": OPENAPI["components"]}


# Land and buildings.


def test_a_list_asks_for_a_state_on_a_day(zone: Market) -> None:
    zone.resource("clean", area_mu=100)
    zone.resource("poor", "低效用地", changed("盘活中", "2026-02-01"), changed("可供", "2026-05-01"), area_mu=50)
    zone.resource("taken", "净地", assigned("p-1", "2026-03-01", area_mu=70), area_mu=70)
    zone.resource("idle", "低效厂房", floor_m2=900)
    assert ids(zone) == ["clean", "idle", "poor", "taken"]
    assert ids(zone, "state=可供") == ["clean", "poor"]
    assert ids(zone, "state=可供&on=2026-02-28") == ["clean", "taken"]
    assert ids(zone, "state=盘活中,待盘活&on=2026-02-28") == ["idle", "poor"]
    assert ids(zone, "state=已供") == ["taken"]
    body = zone.get("/v1/resources?limit=1").json
    jsonschema.validate(body, of_address("/v1/resources"))
    assert [(row["kind"], row["state"], row["count"], row["size"], row["free"]) for row in body["summary"]] == [
        ("净地", "可供", 1, 100, 100),
        ("净地", "已供", 1, 70, 0),
        ("低效用地", "可供", 1, 50, 50),
        ("低效厂房", "待盘活", 1, 900, 900),
    ]


def test_a_list_is_narrowed_by_its_fields_and_pages_hold_each_once(zone: Market) -> None:
    zone.resource("a", "净地", area_mu=10, park="东园", industries=["电子信息"])
    zone.resource("b", "标准厂房", floor_m2=10, park="东园", carrier="c-1", storeys=6)
    zone.resource("c", "净地", area_mu=10, holder="示例老厂", unit="unit-land", zone="yichang")
    assert ids(zone, "park=东园") == ["a", "b"]
    assert ids(zone, "kind=标准厂房") == ["b"]
    assert ids(zone, "carrier=c-1") == ["b"]
    assert ids(zone, "zone=yichang&unit=unit-land&holder=示例老厂") == ["c"]
    assert ids(zone, "industry=电子信息") == ["a", "b", "c"]
    assert ids(zone, "industry=新材料") == ["b", "c"]
    assert ids(zone, "q=标准") == ["b"]
    first = zone.get("/v1/resources?limit=2").json
    assert [item["id"] for item in first["items"]] == ["a", "b"]
    assert ids(zone, f"limit=2&cursor={first['next']}") == ["c"]


def test_one_tells_how_it_stands_who_has_it_and_what_is_left(zone: Market) -> None:
    release = (RESOURCE_RELEASED, {"assignment_id": "plot-1", "date": "2026-05-01", "reason": "项目退出"})
    zone.resource("plot", "净地", assigned("p-1", "2026-03-01", area_mu=34.5), release, area_mu=100)
    during, now = (zone.get(f"/v1/resources/plot?on={day}").json for day in ("2026-04-30", "2026-06-01"))
    assert (during["state"], during["free"], during["projects"]) == ("可供", 65.5, ["p-1"])
    assert (now["state"], now["free"], now["projects"], now["measure"]) == ("可供", 100, [], "mu")
    assert [(row["project_id"], row["ended"]) for row in now["assignments"]] == [("p-1", "2026-05-01")]
    fits("Resource", now)
    zone.put(zone.recorder.event("resource:plot", RESOURCE_AMENDED, {"area_mu": 90, "park": None}))
    assert zone.get("/v1/resources/plot").json["free"] == 90
    timeline = zone.items("/v1/resources/plot/timeline")
    assert [item["type"] for item in timeline] == [
        RESOURCE_REGISTERED,
        RESOURCE_ASSIGNED,
        RESOURCE_RELEASED,
        RESOURCE_AMENDED,
    ]
    assert zone.get("/v1/resources/nowhere").status_code == 404
    assert zone.get("/v1/resources/nowhere/timeline").status_code == 404


def test_a_project_finds_the_resources_it_has_on_a_day(zone: Market) -> None:
    release = (RESOURCE_RELEASED, {"assignment_id": "one-1", "date": "2026-05-01"})
    zone.resource("one", "净地", assigned("p-1", "2026-03-01", area_mu=3), release, area_mu=100)
    zone.resource("two", "净地", assigned("p-1", "2026-04-01"), assigned("p-2", "2026-04-01"), area_mu=100)
    zone.resource("other", "净地", assigned("p-2", "2026-04-01"), area_mu=100)
    assert ids(zone, "project_id=p-1") == ["two"]
    assert ids(zone, "project_id=p-1&on=2026-04-01") == ["one", "two"]
    assert zone.get("/v1/resources/two").json["over"] == 100


# Carriers.


def test_a_carrier_tells_its_tenants_and_what_is_vacant(zone: Market) -> None:
    zone.carrier("hall", 10_000, ("t-1", 3_000), ("t-2", 2_500), ("t-3", 1_000))
    zone.put(zone.recorder.event("t-3", PROJECT_WITHDRAWN, {"date": "2026-05-25", "reason": "不来了"}))
    zone.carrier("empty", 8_000, park="东园")
    zone.carrier("unknown", None, ("t-4", None))
    body = zone.get("/v1/carriers", "zh-CN").json
    jsonschema.validate(body, of_address("/v1/carriers"))
    items = {item["project_id"]: item for item in body["items"]}
    hall = items["hall"]
    assert (hall["let_m2"], hall["vacant_m2"], hall["rate"], hall["tenants"]) == (5_500, 4_500, 0.45, 2)
    assert [(row["id"], row["floor_m2"]) for row in hall["items"]] == [("t-1", 3_000), ("t-2", 2_500)]
    assert (items["unknown"]["vacant_m2"], items["unknown"]["untold"]) == (None, 1)
    summary = body["summary"]
    assert (summary["carriers"], summary["unknown"], summary["floor_m2"], summary["vacant_m2"]) == (
        3,
        1,
        18_000,
        12_500,
    )
    assert body["definitions"]["rate"] == "空置率 = 空置 ÷ 建筑面积"
    assert [item["project_id"] for item in zone.items("/v1/carriers?vacant=true&park=东园")] == ["empty"]
    assert zone.items("/v1/carriers?built=false") == []
    first = zone.get("/v1/carriers?limit=2").json
    assert first["summary"]["carriers"] == 3, "the numbers are of all that match"
    following = zone.items(f"/v1/carriers?limit=2&cursor={first['next']}")
    assert [item["project_id"] for item in [*first["items"], *following]] == ["empty", "hall", "unknown"]


def test_the_roll_up_of_a_carrier_says_how_much_each_tenant_takes(zone: Market) -> None:
    zone.carrier("hall", 10_000, ("t-1", 3_000), ("t-2", None))
    tenants = zone.get("/v1/projects/hall").json["rollup"]["tenants"]["items"]
    assert [(row["id"], row["floor_m2"]) for row in tenants] == [("t-1", 3_000), ("t-2", None)]


# Who waits, and what fits.


def test_who_waits_for_land_is_shown_what_fits_the_best_first(zone: Market) -> None:
    zone.waiting("p-1", area_mu=34, park="东园", industry="电子信息")
    zone.waiting("p-2", area_mu=300)
    zone.resource("near", area_mu=90, park="东园")
    zone.resource("tight", area_mu=35, park="西园")
    zone.resource("other", area_mu=40, park="东园", industries=["生物医药"])
    zone.resource(
        "freeing", "低效用地", changed("盘活中", "2026-02-01"), area_mu=60, park="东园", ready_by="2026-09-30"
    )
    zone.resource("elsewhere", area_mu=500, zone="yichang")
    assert zone.matched() == {"p-1": ["near", "tight"], "p-2": []}
    assert zone.matched("state=可供,盘活中")["p-1"] == ["near", "tight", "freeing"]
    assert zone.matched("best=1")["p-1"] == ["near"]
    first, second = zone.get("/v1/matches", "zh-CN").json["items"]
    assert first["matches"][0]["text"] == "需34亩，空余90亩；同在东园；不限产业"
    assert first["matches"][0]["why"] == ["large-enough", "same-park", "takes-all"]
    assert second["none"] == {"code": "nothing-large-enough", "text": "需300亩，最大空余90亩"}
    jsonschema.validate(zone.get("/v1/matches").json, of_address("/v1/matches"))


def test_who_waits_for_a_plant_is_shown_buildings_and_what_carriers_have_vacant(zone: Market) -> None:
    zone.waiting("p-1", route="plant", floor_m2=3_000)
    zone.carrier("hall", 10_000, ("t-1", 6_000))
    zone.resource("floor-2", "标准厂房", floor_m2=3_500, storeys=6)
    zone.resource("small", "低效厂房", changed("可供", "2026-05-01"), floor_m2=2_000)
    assert zone.matched("seeks=plant") == {"p-1": ["floor-2", "hall"]}
    zone.resource("of-hall", "标准厂房", floor_m2=4_000, carrier="hall")
    assert zone.matched() == {"p-1": ["floor-2", "of-hall"]}, "its parts are offered by themselves"


def test_whoever_has_a_place_waits_no_longer_and_pages_are_full_all_the_same(zone: Market) -> None:
    for number in range(6):
        zone.waiting(f"p-{number}", area_mu=10)
    taken = [assigned(f"p-{number}", "2026-05-25", area_mu=10) for number in (0, 2, 3)]
    zone.resource("plot", "净地", *taken, area_mu=100)
    first = zone.get("/v1/matches?limit=2").json
    assert [item["project_id"] for item in first["items"]] == ["p-1", "p-4"]
    second = zone.get(f"/v1/matches?limit=2&cursor={first['next']}").json
    assert ([item["project_id"] for item in second["items"]], second["next"]) == (["p-5"], None)
    assert first["items"][0]["matches"][0]["free"] == 70


def test_what_has_come_or_gone_waits_for_nothing(zone: Market) -> None:
    r = zone.recorder
    zone.waiting("gone", area_mu=10)
    zone.put(r.event("gone", PROJECT_WITHDRAWN, {"date": "2026-05-25", "reason": "不来了"}))
    zone.waiting("supplied", area_mu=10)
    zone.put(r.milestone("supplied", "land_supplied", "2026-05-25"))
    zone.waiting("lodged", route="plant", floor_m2=10)
    zone.put(r.event("lodged", PROJECT_AMENDED, {"carrier": "hall"}))
    zone.put(r.registered("pooled", area_mu=10), r.event("pooled", PROJECT_POOLED, {"date": "2026-05-01"}))
    assert zone.matched() == {}
    assert list(zone.matched("pool=true")) == ["pooled"]


def test_what_waits_in_the_hands_of_an_officer_is_found_by_whoever_took_it_over(zone: Market) -> None:
    zone.waiting("p-1", area_mu=10, officer="o1")
    zone.carrier("hall", 10_000, officer="o1")
    zone.put(
        zone.recorder.event("person:o1", PERSON_REGISTERED, {"role": "专员"}),
        zone.recorder.event("person:o1", PERSON_HANDED_OVER, {"to": "o2", "date": "2026-05-30"}),
    )
    assert (list(zone.matched("officer=o2")), zone.matched("officer=o1")) == (["p-1"], {})
    assert [item["project_id"] for item in zone.items("/v1/carriers?officer=o2")] == ["hall"]


def test_an_unknown_parameter_or_value_is_refused_by_name(zone: Market) -> None:
    for path, wrong in (
        ("/v1/matches?state=已供&best=0&seeks=gold&pool=maybe", {"state", "best", "seeks", "pool"}),
        ("/v1/carriers?built=yes&limit=0", {"built", "limit"}),
        ("/v1/resources?kind=海域&on=soon", {"kind", "on"}),
    ):
        refused = zone.get(path)
        assert refused.status_code == 400
        assert {error["pointer"] for error in refused.json["errors"]} == wrong
    assert zone.get("/v1/matches?colour=red").status_code == 400


def test_only_what_waits_or_is_offered_is_read(zone: Market) -> None:
    zone.waiting("p-1", area_mu=34)
    zone.waiting("p-2", route="plant", floor_m2=34)
    zone.resource("plot", "净地", assigned("p-9", "2026-03-01", area_mu=1), area_mu=90)
    zone.carrier("hall", 10_000)
    zone.commands.clear()
    for path in ("/v1/matches", "/v1/carriers?zone=demo", "/v1/resources?project_id=p-9", "/v1/resources?zone=demo"):
        assert zone.get(path).status_code == 200
    used: set[str] = set()
    for sent in [c for c in zone.commands if c.get("find")]:
        command = {k: v for k, v in sent.items() if k not in {"lsid", "$db", "$clusterTime", "readConcern"}}
        plan = json.dumps(zone.database.command("explain", command, verbosity="queryPlanner"), default=str)
        assert "COLLSCAN" not in plan, command
        used |= {name for name in ("seeks", "carriers", "assignments", "_id_") if f'"indexName": "{name}"' in plan}
    assert used == {"seeks", "carriers", "assignments", "_id_"}
    indexes = zone.database["projects"].index_information()
    assert indexes["seeks"]["partialFilterExpression"] == {"seeks": {"$gt": ""}}
    assert indexes["carriers"]["partialFilterExpression"] == {"kind": "carrier"}


def test_the_same_question_twice_is_not_modified(zone: Market) -> None:
    zone.resource("plot", area_mu=90)
    for path in ("/v1/resources", "/v1/resources/plot", "/v1/carriers", "/v1/matches"):
        first = zone.get(path)
        assert zone.get(path, **{"If-None-Match": first.headers["ETag"]}).status_code == 304
