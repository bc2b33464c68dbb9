"""Procedures over HTTP from a real MongoDB: lists across projects, what each unit has to decide on, plans."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jsonschema
import pytest

from luodi.domain.procedures import (
    PROCEDURE_BEGUN,
    PROCEDURE_MOVED,
    PROCEDURE_PAUSED,
    PROCEDURE_SUPPLIED,
)
from luodi.local.harness import Servers
from luodi.runtime import http as web
from services.tracker import http, procedures_http
from services.tracker.procedures import Procedures
from services.tracker.views import Viewer
from tests.integration.tracker.test_queries import CALENDAR, OPENAPI, TOPIC, Desk, _stages

pytestmark = pytest.mark.stack


@pytest.fixture
def desk(servers: Servers) -> Iterator[Desk]:
    """2026-06-01 is a Monday; of the packaged statutes 施工许可 has 7 working days, with 绿色通道 4."""
    made = Desk(servers)
    procedures_http.add_routes(
        made.client.application,
        Procedures(made.database),
        partial(http.await_position, made.visibility, TOPIC),
        lambda: Viewer.at(made.clock.now_text(), web.language(), CALENDAR),
    )
    yield made
    made.close()


def begun(desk: Desk, project: str, id_: str, kind: str, state: str, day: str, **more: Any) -> Any:
    return desk.recorder.event(project, PROCEDURE_BEGUN, {"kind": kind, "state": state, "date": day, **more}, id_)


@pytest.fixture
def zone(desk: Desk) -> Desk:
    r = desk.recorder
    missing = [{"what": "资金证明", "due": "2026-06-05"}]
    desk.put(
        r.registered("a", officer="o1", lanes=["绿色通道"]),
        begun(desk, "a", "a1", "施工许可", "受理", "2026-05-28"),
        begun(desk, "a", "a2", "环评", "提前介入", "2026-05-20"),
        r.registered("b"),
        begun(desk, "b", "b1", "施工许可", "受理", "2026-05-18"),
        begun(desk, "b", "b2", "工程规划许可", "容缺受理", "2026-05-25", missing=missing),
        r.registered("c"),
        begun(desk, "c", "c1", "施工许可", "受理", "2026-05-04", unit="demo-unit-09"),
        r.event("c", PROCEDURE_MOVED, {"procedure_id": "c1", "state": "办结", "date": "2026-05-13"}),
        begun(desk, "c", "c2", "能评", "受理", "2026-05-11"),
        r.event("c", PROCEDURE_PAUSED, {"procedure_id": "c2", "why": "专家评审", "date": "2026-05-18"}),
        r.registered("elsewhere", zone="qingyuan"),
        begun(desk, "elsewhere", "x1", "施工许可", "受理", "2026-05-04"),
        r.registered("none"),
    )
    return desk


def ids(desk: Desk, query: str = "") -> list[str]:
    return [item["id"] for item in desk.items(f"/v1/procedures?zone=demo&{query}")]


def test_those_not_decided_are_listed_in_the_order_of_their_projects(zone: Desk) -> None:
    assert ids(zone) == ["a1", "a2", "b1", "b2", "c2"]
    assert [item["id"] for item in zone.items("/v1/procedures")] == ["a1", "a2", "b1", "b2", "c2", "x1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=容缺受理", ["b2"]),
        ("state=容缺受理&due_before=2026-06-06", ["b2"]),
        ("state=容缺受理&due_before=2026-06-05", []),
        ("state=办结", ["c1"]),
        ("state=办结,提前介入", ["a2", "c1"]),
        ("kind=施工许可", ["a1", "b1"]),
        ("unit=demo-unit-02", ["a1", "b1"]),
        ("light=red", ["b1"]),
        ("light=grey", ["a2", "c2"]),
        ("lane=绿色通道", ["a1", "a2"]),
        ("project_id=c", ["c2"]),
        ("due_before=2026-06-02", ["b1"]),
        ("q=项目 b", ["b1", "b2"]),
        ("status=withdrawn", []),
    ],
)
def test_every_filter_finds_what_it_names(zone: Desk, query: str, found: list[str]) -> None:
    assert ids(zone, query) == found


@pytest.mark.parametrize(
    "query", ["state=done", "light=pink", "due_before=June", "status=gone", "colour=red", "limit=0", "cursor=x"]
)
def test_a_parameter_that_says_nothing_is_refused(zone: Desk, query: str) -> None:
    assert zone.get(f"/v1/procedures?{query}").status_code == 400


def test_an_item_tells_the_days_used_the_lane_the_unit_and_why(zone: Desk) -> None:
    (item,) = (row for row in zone.items("/v1/procedures?zone=demo&kind=施工许可&lane=绿色通道"))
    assert (item["project_id"], item["officer"], item["unit"]) == ("a", "o1", "demo-unit-02")
    assert (item["start"], item["due"]) == ("2026-05-28", "2026-06-03")
    assert item["days"] == {"used": 2, "limit": 4, "unit": "working_days"}
    assert item["limit"]["statutory"] == 7
    jsonschema.validate(item, {"$ref": "#/components/schemas/ProcedureOfProject", "components": OPENAPI["components"]})
    chinese = zone.get("/v1/procedures?kind=施工许可&project_id=a", "zh-CN").json["items"][0]["reason"]["text"]
    assert chinese == "demo-unit-02应于2026-06-03前办结施工许可，还有2天（2026-05-28受理，限4个工作日，绿色通道）"


def test_the_project_tells_its_procedures_too_and_one_without_has_none(zone: Desk) -> None:
    project = zone.get("/v1/projects/b").json
    assert [(row["id"], row["light"], row["days_over"]) for row in project["procedures"]] == [
        ("b1", "red", 5),
        ("b2", "green", 0),
    ]
    assert project["light"] == "grey"  # no milestone: a procedure does not change it
    assert "procedures_in" not in project
    assert zone.get("/v1/projects/none").json["procedures"] == []


def test_as_of_a_day_a_project_has_the_procedures_and_states_of_that_day(zone: Desk) -> None:
    zone.put(zone.recorder.milestone("c", "signed", "2026-04-01"))

    def states(day: str) -> list[tuple[str, str, str]]:
        rows = zone.get(f"/v1/projects/c?as_of={day}").json["procedures"]
        return [(row["id"], row["state"], row["light"]) for row in rows]

    assert states("2026-05-03") == []
    assert states("2026-05-12") == [("c1", "受理", "yellow"), ("c2", "受理", "green")]
    assert states("2026-05-18") == [("c1", "办结", "blue"), ("c2", "受理", "grey")]


def test_projects_are_listed_by_their_lane_as_they_are_now(zone: Desk) -> None:
    assert zone.ids("lane=绿色通道") == ["a"]
    assert zone.ids("lane=拿地即开工") == []
    refused = zone.get("/v1/projects?lane=绿色通道&as_of=2026-05-01")
    assert refused.status_code == 400
    assert [(error["pointer"], error["code"]) for error in refused.json["errors"]] == [("lane", "not-of-the-past")]


def test_pages_follow_each_other_without_a_gap(zone: Desk) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        body = zone.get(f"/v1/procedures?zone=demo&limit=2{cursor}").json
        seen += [item["id"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert seen == ["a1", "a2", "b1", "b2", "c2"]


def test_each_unit_is_told_what_it_has_to_decide_on_the_most_overdue_first(zone: Desk) -> None:
    body = zone.get("/v1/procedures/summary?zone=demo", "zh-CN").json
    jsonschema.validate(body, {"$ref": "#/components/schemas/ProcedureSummary", "components": OPENAPI["components"]})
    rows = {row["unit"]: row for row in body["items"]}
    assert body["items"][0]["unit"] == "demo-unit-02"
    assert [rows["demo-unit-02"][name] for name in ("open", "overdue", "days_over")] == [2, 1, 5]
    assert rows["demo-unit-02"]["lights"]["red"] == 1
    decided = rows["demo-unit-09"]
    assert (decided["open"], decided["ended"], decided["in_time"], decided["late"]) == (0, 1, 1, 0)
    assert decided["percent_used"] == 100.0
    assert rows["demo-unit-planning"]["states"]["容缺受理"] == 1
    assert body["definitions"]["overdue"]
    by_kind = zone.get("/v1/procedures/summary?zone=demo&group_by=kind&unit=demo-unit-02").json["items"]
    assert [(row["kind"], row["open"]) for row in by_kind] == [("施工许可", 2)]
    assert zone.get("/v1/procedures/summary?group_by=light").status_code == 400


def test_what_is_missing_is_charged_to_the_applicant_and_over_when_it_comes(zone: Desk) -> None:
    zone.clock.advance(5 * 86_400)  # to 6 June
    rows = zone.get("/v1/procedures/summary?zone=demo&unit=demo-unit-planning").json["items"]
    assert [(row["overdue"], row["missing_overdue"]) for row in rows] == [(0, 1)]
    assert ids(zone, "light=red&state=容缺受理") == ["b2"]
    supplied = {"procedure_id": "b2", "what": "资金证明", "date": "2026-06-06"}
    zone.put(zone.recorder.event("b", PROCEDURE_SUPPLIED, supplied))
    assert ids(zone, "light=red&state=容缺受理") == []


def test_a_tag_holds_until_something_changes(zone: Desk) -> None:
    tag = zone.get("/v1/procedures?zone=demo").headers["ETag"]
    assert zone.get("/v1/procedures?zone=demo", **{"If-None-Match": tag}).status_code == 304
    zone.put(begun(zone, "none", "n1", "施工许可", "受理", "2026-06-01"))
    assert zone.get("/v1/procedures?zone=demo", **{"If-None-Match": tag}).status_code == 200


def test_both_questions_are_found_by_the_index_of_procedures(zone: Desk) -> None:
    zone.commands.clear()
    zone.items("/v1/procedures?zone=demo&unit=demo-unit-02&state=受理,容缺受理")
    zone.get("/v1/procedures/summary?zone=demo")
    assert len(zone.commands) == 2
    for command, most in zip(zone.commands, (2, 4), strict=True):
        clean = {name: value for name, value in command.items() if name not in {"lsid", "$clusterTime", "$db"}}
        plan = zone.database.command("explain", clean, verbosity="executionStats")
        stages = set(_stages(plan["queryPlanner"]["winningPlan"]))
        assert "IXSCAN" in stages
        assert "COLLSCAN" not in stages
        assert "SORT" not in stages
        assert "'indexName': 'procedures'" in str(plan), "and the index holds only projects that have some"
        assert plan["executionStats"]["totalDocsExamined"] <= most
