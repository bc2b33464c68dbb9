"""Decisions (交办) over HTTP, from a real MongoDB: who must do what by when, in a list and in numbers.

Asked on Monday, 1 June 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import jsonschema
import pytest

from luodi.domain.decisions import DECISION_DONE, DECISION_EXTENDED, DECISION_REGISTERED, DECISION_REPORTED
from luodi.domain.events import Event
from luodi.local.harness import Servers
from luodi.runtime import http as web
from services.tracker import decisions_http
from services.tracker.decisions import Decisions
from services.tracker.holding import Holders
from services.tracker.views import Viewer
from tests.integration.tracker.test_queries import CALENDAR, OPENAPI, TODAY, Answer, Desk, _stages

pytestmark = pytest.mark.stack


class DecisionDesk(Desk):
    """A desk that answers about decisions, too."""

    def __init__(self, servers: Servers) -> None:
        super().__init__(servers)
        decisions_http.add_routes(
            self.client.application,
            Decisions(self.database),
            lambda: None,
            lambda: Viewer.at(self.clock.now_text(), web.language(), CALENDAR),
            partial(Holders(self.database).resolved, on=TODAY.date().isoformat()),
        )

    def decided(self, id_: str, **fields: Any) -> Event:
        told = {
            "text": f"事项 {id_}",
            "date": "2026-05-04",
            "zone": "demo",
            "owner": "power",
            "meeting": "第三次调度会",
        }
        return self.told(id_, DECISION_REGISTERED, **told | fields)

    def told(self, id_: str, type_: str, **data: Any) -> Event:
        return self.recorder.event(f"decision:{id_}", type_, data)

    def ask(self, query: str = "", language: str = "en") -> Any:
        response: Answer = self.get(f"/v1/decisions?{query}", language)
        assert response.status_code == 200, response.data
        return response.json

    def ids_of(self, query: str = "") -> list[str]:
        return [item["id"] for item in self.ask(query)["items"]]


@pytest.fixture
def desk(servers: Servers) -> Iterator[DecisionDesk]:
    made = DecisionDesk(servers)
    yield made
    made.close()


@pytest.fixture
def zone(desk: DecisionDesk) -> DecisionDesk:
    desk.put(
        desk.recorder.registered("a-project"),
        desk.decided("late", due="2026-05-20", project_id="a-project"),
        desk.told("late", DECISION_EXTENDED, due="2026-05-29", reason="设备未到", approver="l1"),
        desk.decided("week", due="2026-06-07", owner="water", level="重大"),
        desk.decided("far", due="2026-07-01", leader="l1", meeting="领导批示", zone="qingyuan"),
        desk.told("far", DECISION_REPORTED, text="已启动"),
        desk.decided("done", due="2026-05-15"),
        desk.told("done", DECISION_DONE, date="2026-05-18"),
        desk.told("nobody", DECISION_REPORTED, text="尚未登记"),
    )
    return desk


def test_a_decision_is_answered_with_its_light_and_how_far_it_has_come(zone: DecisionDesk) -> None:
    late = zone.get("/v1/decisions/late").json
    schema = {"$ref": "#/components/schemas/Decision", "components": OPENAPI["components"]}
    for id_ in ("late", "week", "far", "done", "nobody"):
        jsonschema.validate(zone.get(f"/v1/decisions/{id_}").json, schema)
    assert (late["first_due"], late["due"], late["extended"], late["days_over"]) == ("2026-05-20", "2026-05-29", 1, 3)
    assert (late["light"], late["overdue"], late["status"]) == ("red", True, "open")
    assert late["extensions"][0]["approver"] == "l1"
    assert "power was to have done it by 2026-05-29, 3 days over" in late["reason"]["text"]
    assert "已超期3天" in zone.get("/v1/decisions/late", "zh-CN").json["reason"]["text"]
    assert zone.get("/v1/decisions/done").json["light"] is None
    assert zone.get("/v1/decisions/absent").status_code == 404
    assert zone.get("/v1/decisions/absent/timeline").status_code == 404
    timeline = zone.get("/v1/decisions/late/timeline").json["items"]
    assert [event["type"] for event in timeline] == [DECISION_REGISTERED, DECISION_EXTENDED]


def test_what_is_open_overdue_and_due_this_week_is_one_request(zone: DecisionDesk) -> None:
    answer = zone.ask("group_by=owner")
    schema = {"$ref": "#/components/schemas/ListedDecisions", "components": OPENAPI["components"]}
    jsonschema.validate(answer, schema)
    assert [item["id"] for item in answer["items"]] == ["late", "week", "far", "done"]
    assert answer["summary"] == {
        "decisions": 4,
        "open": 3,
        "overdue": 1,
        "due_this_week": 1,
        "unreported": 2,
        "done": 1,
        "done_late": 1,
        "extended": 1,
    }
    assert answer["definitions"].keys() == answer["summary"].keys()
    assert [(group["key"], group["open"]) for group in answer["groups"]] == [("power", 2), ("water", 1)]


def test_filters_choose_what_they_say(zone: DecisionDesk) -> None:
    for query, expected in {
        "status=open": ["late", "week", "far"],
        "status=overdue": ["late"],
        "status=done": ["done"],
        "owner=water": ["week"],
        "leader=l1": ["far"],
        "meeting=第三次调度会&status=open": ["late", "week"],
        "zone=qingyuan": ["far"],
        "project_id=a-project": ["late"],
        "level=重大": ["week"],
        "due_before=2026-06-08&status=open": ["late", "week"],
        "supervisor=nobody": [],
    }.items():
        assert zone.ids_of(query) == expected, query
    for wrong in ("status=late", "due_before=soon", "group_by=x", "cursor=x", "who=1"):
        assert zone.get(f"/v1/decisions?{wrong}").status_code == 400, wrong


def test_pages_hold_every_decision_once_and_the_tag_holds_until_midnight(zone: DecisionDesk) -> None:
    paged, cursor = [], ""
    while True:
        answer = zone.ask(f"limit=3{cursor}")
        paged += [item["id"] for item in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert paged == ["late", "week", "far", "done"]
    tag = zone.get("/v1/decisions").headers["ETag"]
    assert zone.get("/v1/decisions", **{"If-None-Match": tag}).status_code == 304
    zone.clock.advance(timedelta(days=7).total_seconds())
    assert zone.get("/v1/decisions", **{"If-None-Match": tag}).status_code == 200
    assert zone.ids_of("status=overdue") == ["late", "week"], "lights turn at midnight without an event"


def test_the_list_reads_decisions_alone(zone: DecisionDesk) -> None:
    zone.put(zone.recorder.event("unit:power", "unit.registered", {"name": "power"}))
    zone.commands.clear()
    for query in ("", "owner=power&status=overdue", "zone=demo"):
        zone.ask(query)
    for sent in zone.commands:
        command = {k: v for k, v in sent.items() if k not in {"lsid", "$db", "$clusterTime", "readConcern"}}
        plan = zone.database.command("explain", command, verbosity="executionStats")
        assert "COLLSCAN" not in set(_stages(plan)), command
        assert plan["executionStats"]["totalDocsExamined"] <= 5, "of the decisions, and of nothing else"
