"""Phases, packages, carriers and increments as the tracker answers them, from a real MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from luodi.domain.days import instant
from luodi.domain.events import MILESTONE_VERIFIED, PROGRESS_REPORTED, PROJECT_AMENDED, PROJECT_WITHDRAWN
from luodi.domain.rollup import roll_up
from luodi.local.harness import Servers
from services.tracker.rollups import Maker
from tests.integration.tracker.test_queries import OPENAPI, TODAY, Desk

pytestmark = pytest.mark.stack

IN_TIME, LATE = "2026-05-20", "2026-01-05"  # signatures: seen on 2026-06-01 the land is due 90 days later
CODE = "91110000AAAAAAAA1X"  # of no firm


@pytest.fixture
def desk(servers: Servers) -> Iterator[Desk]:
    made = Desk(servers)
    yield made
    made.close()


def valid(schema: str, body: Any) -> Any:
    jsonschema.validate(body, {"$ref": f"#/components/schemas/{schema}", "components": OPENAPI["components"]})
    return body


def project(desk: Desk, id_: str) -> dict[str, Any]:
    body: dict[str, Any] = valid("Project", desk.get(f"/v1/projects/{id_}").json)
    return body


@pytest.fixture
def park(desk: Desk) -> Desk:
    """A phased root with a late and a timely phase, a carrier with two tenants, one project by itself."""
    r = desk.recorder
    desk.put(
        r.registered("root", phased=True, investment=1_000, industry="电子", enterprise="甲", credit_code=CODE),
        r.registered("root-1", parent="root", investment=600, enterprise="甲"),
        r.milestone("root-1", "signed", "2025-12-01"),
        r.milestone("root-1", "land_supplied", "2026-02-01"),
        r.milestone("root-1", "started", IN_TIME),
        r.registered("root-2", parent="root", investment=300, name="二期", enterprise="乙"),
        r.milestone("root-2", "signed", LATE),
        r.registered("hall", kind="carrier", investment=500),
        r.milestone("hall", "signed", IN_TIME),
        r.registered("tenant-1", carrier="hall", route="plant", investment=20, enterprise="丙"),
        r.milestone("tenant-1", "producing", IN_TIME),
        r.registered("tenant-2", carrier="hall", route="plant", investment=30, enterprise="丁"),
        r.milestone("tenant-2", "signed", LATE),
        r.registered("alone", investment=70),
        r.milestone("alone", "signed", IN_TIME),
    )
    return desk


def test_a_phased_project_shows_the_worst_light_of_its_phases_and_says_which(park: Desk) -> None:
    root = project(park, "root")
    assert (root["light"], root["reason"]["code"]) == ("red", "of-phase")
    assert root["reason"]["text"].startswith("二期: Overdue: land supply was due by 2026-04-05")
    assert (root["stage"], root["stage_since"], root["next_stage"]) == ("started", IN_TIME, "completed")
    clocks = park.get("/v1/projects/root/clock").json
    assert (clocks["light"], clocks["reason"], clocks["clocks"]) == ("red", root["reason"], [])
    rollup = root["rollup"]
    assert rollup["phases"]["lights"] == {"red": 1, "yellow": 0, "grey": 0, "green": 1, "blue": 0}
    assert [(phase["id"], phase["stage"]) for phase in rollup["phases"]["items"]] == [
        ("root-1", "started"),
        ("root-2", "signed"),
    ]
    assert rollup["spread"] == [{"stage": "signed", "phases": 1}, {"stage": "started", "phases": 1}]
    assert rollup["money"] == {"investment": 900, "unknown": 0, "difference": 100, "arrived": None}
    assert root["investment"] == 1_000, "its own, its phases' not added"
    assert project(park, "alone")["rollup"] is None


def test_a_carrier_shows_its_tenants_and_keeps_its_own_light(park: Desk) -> None:
    hall = project(park, "hall")
    assert hall["light"] == "green"
    tenants = hall["rollup"]["tenants"]
    assert (tenants["count"], tenants["enterprises"], tenants["producing"]) == (2, 2, 1)
    assert tenants["lights"]["red"] == 1
    assert park.ids("carrier=hall") == ["tenant-1", "tenant-2"]


def test_lists_find_a_phased_project_by_what_it_shows(park: Desk) -> None:
    assert park.ids("light=red") == ["root", "root-2", "tenant-2"]
    assert park.ids("light=red&zone=demo") == ["root", "root-2", "tenant-2"]
    assert "root" not in park.ids("light=grey")
    assert park.ids("stage=started") == ["root", "root-1"]
    assert park.ids("stage=started&light=red") == ["root"]
    assert park.ids("stage=signed&light=red") == ["root-2", "tenant-2"]
    listed = next(item for item in park.items("/v1/projects") if item["id"] == "root")
    assert listed["light"] == "red"
    assert listed["rollup"]["phases"]["count"] == 2


def test_a_stalled_phase_is_listed_once_with_its_parent(park: Desk) -> None:
    items = [valid("Stalled", item) for item in park.items("/v1/stalled")]
    assert [(item["project_id"], item["parent"]) for item in items] == [("root-2", "root"), ("tenant-2", None)]
    assert [item["project_id"] for item in park.items("/v1/stalled?parent=root")] == ["root-2"]


def test_the_funnel_counts_roots_and_takes_their_first_phase(park: Desk) -> None:
    body = valid("Funnel", park.get("/v1/funnel?zone=demo").json)
    assert body["total"]["projects"] == 5
    assert body["total"]["investment"] == 1_000 + 500 + 20 + 30 + 70
    assert (body["total"]["enterprises"], body["total"]["enterprises_producing"]) == (4, 1)
    stages = {row["stage"]: row for row in body["stages"]}
    assert (stages["started"]["reached"], stages["started"]["current"], stages["started"]["missing"]) == (1, 1, 1)
    assert stages["started"]["investment"] == 1_000
    assert (stages["signed"]["reached"], stages["signed"]["missing"]) == (4, 1)
    assert body["rates"]["started"] == {"numerator": 2, "verified": 0, "denominator": 5, "percent": 40.0}
    assert body["rates"]["landed"] == {"numerator": 2, "verified": 0, "denominator": 5, "percent": 40.0}


def test_every_group_of_the_funnel_takes_phased_projects_along(park: Desk) -> None:
    for group in ("industry", "chain", "park", "leader", "lead_unit", "month", "origin"):
        body = valid("Funnel", park.get(f"/v1/funnel?zone=demo&group_by={group}").json)
        for name in ("projects", "investment"):
            assert sum(part["total"][name] for part in body["groups"]) == body["total"][name], group
    months = park.get("/v1/funnel?zone=demo&group_by=month").json["groups"]
    assert {part["key"]: part["total"]["projects"] for part in months} == {
        "2025-12": 1,  # the root, at the first signature of its phases
        "2026-01": 1,
        "2026-05": 2,
        None: 1,
    }
    industries = park.get("/v1/funnel?zone=demo&group_by=industry").json["groups"]
    assert industries[0]["key"] == "电子"
    assert industries[0]["total"]["enterprises"] == 1


def test_a_withdrawn_phase_gives_the_light_up_and_a_withdrawn_root_its_phases(park: Desk) -> None:
    r = park.recorder
    park.put(r.event("root-2", PROJECT_WITHDRAWN, {"date": "2026-05-01", "reason": "不来了"}))
    root = project(park, "root")
    assert root["light"] == "green"
    assert (root["rollup"]["phases"]["count"], root["rollup"]["phases"]["withdrawn"]) == (1, 1)
    park.put(r.event("root", PROJECT_WITHDRAWN, {"date": "2026-05-02", "reason": "不来了"}))
    root = project(park, "root")
    assert (root["light"], root["reason"]["code"]) == ("grey", "withdrawn")
    body = park.get("/v1/funnel?zone=demo").json
    assert (body["total"]["projects"], body["total"]["withdrawn"]) == (5, 1)
    assert body["rates"]["started"]["denominator"] == 5, "withdrawn ones stay in the denominator"


def test_a_split_and_a_merge_keep_every_id(park: Desk) -> None:
    r = park.recorder
    park.put(
        r.event("alone", PROJECT_AMENDED, {"phased": True}),
        r.registered("alone-1", parent="alone", investment=30),
        r.milestone("alone-1", "signed", LATE),
    )
    assert project(park, "alone")["light"] == "red"
    assert park.get("/v1/funnel?zone=demo").json["total"]["projects"] == 5, "a part is not one project more"
    park.put(r.event("tenant-2", PROJECT_AMENDED, {"parent": "root", "carrier": None}))
    assert [phase["id"] for phase in project(park, "root")["rollup"]["phases"]["items"]] == [
        "root-1",
        "root-2",
        "tenant-2",
    ]
    assert project(park, "hall")["rollup"]["tenants"]["count"] == 1
    assert park.get("/v1/funnel?zone=demo").json["total"]["projects"] == 4
    park.put(r.event("tenant-2", PROJECT_AMENDED, {"parent": None}))
    assert park.get("/v1/funnel?zone=demo").json["total"]["projects"] == 5
    assert project(park, "root")["rollup"]["phases"]["count"] == 2


def test_phases_of_a_parent_nobody_registered_yet_count_until_it_is(desk: Desk) -> None:
    r = desk.recorder
    desk.put(r.registered("p-1", parent="p", investment=10), r.registered("p-2", parent="p", investment=20))
    assert desk.get("/v1/funnel?zone=demo").json["total"]["projects"] == 2
    desk.put(r.registered("p", investment=35))
    total = desk.get("/v1/funnel?zone=demo").json["total"]
    assert (total["projects"], total["investment"]) == (1, 35)


def test_a_ring_of_parents_is_one_project(desk: Desk) -> None:
    r = desk.recorder
    desk.put(*(r.registered(f"r{n}", parent=f"r{(n + 1) % 3}", investment=10, phased=True) for n in range(3)))
    total = desk.get("/v1/funnel?zone=demo").json["total"]
    assert (total["projects"], total["investment"]) == (1, 10)
    assert project(desk, "r0")["light"] == "grey"
    assert desk.ids("light=grey") == ["r0", "r1", "r2"]


def test_an_increment_adds_its_money_to_a_project_that_is_counted(park: Desk) -> None:
    r = park.recorder
    before = park.get("/v1/funnel?zone=demo").json["total"]
    park.put(
        r.registered("more", route="expansion", increment_of="alone", investment=40),
        r.milestone("more", "signed", IN_TIME),
    )
    total = park.get("/v1/funnel?zone=demo").json["total"]
    assert (total["projects"], total["increments"]) == (before["projects"], 1)
    assert (total["investment"], total["increment_investment"]) == (before["investment"] + 40, 40)
    park.put(r.registered("stray", route="expansion", increment_of="never-registered", investment=5))
    assert park.get("/v1/funnel?zone=demo").json["total"]["projects"] == before["projects"] + 1


def test_what_has_arrived_is_set_against_what_was_contracted(park: Desk) -> None:
    r = park.recorder
    park.put(
        r.event("alone", PROGRESS_REPORTED, {"date": "2026-05-25", "arrived_total": 35}),
        r.event("root-1", PROGRESS_REPORTED, {"date": "2026-05-25", "arrived_total": 150}),
        r.registered("untold", paid_in=99),
    )
    rate = park.get("/v1/funnel?zone=demo").json["rates"]["funds_arrived"]
    assert rate == {"numerator": 185, "verified": None, "denominator": 1_620, "percent": 11.4}


def test_what_was_verified_of_a_phase_was_seen_of_the_root_now_and_in_the_past(park: Desk) -> None:
    r = park.recorder
    reports = {m["stage"]: m["event_id"] for m in project(park, "root-1")["milestones"]}
    alone = project(park, "alone")["milestones"][0]["event_id"]
    before = r.event("alone", MILESTONE_VERIFIED, {"event_id": alone, "result": "confirmed"})
    park.put(
        replace(before, actor="u-head"),
        replace(
            r.event("root-1", MILESTONE_VERIFIED, {"event_id": reports["started"], "result": "confirmed"}),
            actor="u-head",
        ),
    )
    live = valid("Funnel", park.get("/v1/funnel?zone=demo").json)
    told = {row["stage"]: (row["verified"], row["reached"]) for row in live["stages"]}
    assert (told["signed"], told["started"]) == ((1, 4), (1, 1))
    assert (live["rates"]["started"]["verified"], live["rates"]["started"]["numerator"]) == (1, 2)
    assert "已核实" in park.get("/v1/funnel?zone=demo", "zh-CN").json["definitions"]["verified"]
    for asked in (f"known_at={instant(TODAY - timedelta(hours=1))}", f"as_of={TODAY.date()}"):
        past = valid("Funnel", park.get(f"/v1/funnel?zone=demo&{asked}").json)
        assert past["stages"] == live["stages"]
        assert past["rates"] == live["rates"]
    earlier = park.get(f"/v1/funnel?zone=demo&known_at={before.recordedtime}").json
    assert {row["stage"]: row["verified"] for row in earlier["stages"]}["started"] == 0
    assert {row["stage"]: row["verified"] for row in earlier["stages"]}["signed"] == 1


def test_enterprises_are_counted_once_by_code_and_by_name(desk: Desk) -> None:
    r = desk.recorder
    desk.put(
        r.registered("a", enterprise="甲公司", credit_code=CODE),
        r.registered("b", enterprise="甲公司"),
        r.registered("c", enterprise="甲公司（更名）", credit_code=CODE),
        r.registered("d", enterprise="乙公司"),
        r.registered("e", enterprise="丙公司", credit_code="91C"),
        r.registered("f", enterprise="丙公司", credit_code="91D"),
        r.registered("g"),
        r.milestone("b", "producing", "2026"),
    )
    total = desk.get("/v1/funnel?zone=demo").json["total"]
    assert (total["enterprises"], total["enterprises_producing"]) == (4, 1)


def test_one_investor_on_one_parcel_twice_is_warned_about_and_never_refused(desk: Desk) -> None:
    r = desk.recorder
    same = {"investor": "示例甲公司", "parcel": "A-01"}
    desk.put(
        r.registered("one", **same),
        r.registered("two", investor="示例甲 公司", parcel="ａ-01"),
        r.registered("phase", parent="one", **same),
        r.registered("more", increment_of="one", **same),
        r.registered("gone", **same),
        r.event("gone", PROJECT_WITHDRAWN, {"date": "2026-05-01", "reason": "不来了"}),
        r.registered("other", investor="示例甲公司", parcel="A-02"),
    )
    (warning,) = project(desk, "one")["warnings"]
    assert warning == {
        "code": "likely-duplicate",
        "text": "The same investor on the same parcel, so likely registered twice: two",
    }
    listed = {item["id"]: [w["code"] for w in item["warnings"]] for item in desk.items("/v1/projects")}
    assert listed == {"one": ["likely-duplicate"], "two": ["likely-duplicate"], "phase": [], "more": [], "other": []}
    tag = desk.get("/v1/projects/one").headers["ETag"]
    desk.put(r.event("two", PROJECT_AMENDED, {"parcel": "B-07"}))
    changed = desk.get("/v1/projects/one", **{"If-None-Match": tag})
    assert changed.status_code == 200, "nothing happened to this project, but its warning is gone"
    assert changed.json["warnings"] == []


def test_a_change_of_a_phase_changes_its_parents_tag(park: Desk) -> None:
    tag = park.get("/v1/projects/root").headers["ETag"]
    assert park.get("/v1/projects/root", **{"If-None-Match": tag}).status_code == 304
    park.put(park.recorder.milestone("root-2", "land_supplied", "2026-05-30"))
    changed = park.get("/v1/projects/root", **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json["light"] == "green"


def test_a_stored_roll_up_is_what_the_documents_say(park: Desk) -> None:
    named = park.rollups.named()
    assert named == ["hall", "root"]
    family = park.rollups.families(named)
    for id_ in named:
        stored = park.database["rollups"].find_one({"_id": id_})
        assert stored is not None
        assert {name: stored[name] for name in stored if name != "version"} == roll_up(id_, family)


def test_two_makers_at_once_end_in_what_the_later_documents_say(park: Desk) -> None:
    """One reads, then a phase moves on and another writes: the first is refused and reads again."""
    slow = _Slow(park)
    Maker(slow).make(["root"])
    assert slow.swaps == 2
    assert project(park, "root")["light"] == "green"


class _Slow:
    """Roll-ups whose first reader is overtaken between the reading and the writing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.swaps = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk.rollups, name)

    def swap(self, rows: Any, versions: Any) -> bool:
        self.swaps += 1
        if self.swaps == 1:
            self._desk.put(self._desk.recorder.milestone("root-2", "land_supplied", "2026-05-30"))
        return self._desk.rollups.swap(rows, versions)


def test_a_phased_project_is_shown_as_it_was_by_what_its_phases_were(park: Desk) -> None:
    then = project_as(park, "root", "as_of=2026-04-01")
    assert (then["light"], then["stage"]) == ("yellow", "land_supplied")
    assert then["rollup"]["phases"]["lights"]["red"] == 0
    now = project_as(park, "root", "as_of=2026-06-01")
    assert now["light"] == "red"
    assert {name: now[name] for name in now if name != "asked"} == project(park, "root")


def project_as(desk: Desk, id_: str, when: str) -> dict[str, Any]:
    body: dict[str, Any] = valid("Project", desk.get(f"/v1/projects/{id_}?{when}").json)
    return body
