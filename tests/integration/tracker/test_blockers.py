"""The blockers of all projects as one list, from a real MongoDB: what a unit owes is one question.

Asked on Monday, 1 June 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import jsonschema
import pytest

from luodi.domain.events import (
    BLOCKER_CLEARED,
    BLOCKER_PAUSED,
    BLOCKER_RAISED,
    BLOCKER_UPDATED,
    PERSON_HANDED_OVER,
    PERSON_REGISTERED,
    PROJECT_WITHDRAWN,
    Event,
)
from luodi.domain.rules import Rules
from luodi.domain.worked_off import BLOCKER_CONFIRMED, BLOCKER_REPLIED
from luodi.local.harness import Servers
from luodi.runtime import http as web
from services.tracker import blockers_http
from services.tracker.blockers import Blockers
from services.tracker.holding import Holders
from services.tracker.views import Viewer
from tests.integration.tracker.test_queries import CALENDAR, OPENAPI, TODAY, Answer, Desk, _stages
from tests.rules import DEFAULT_RULES

pytestmark = pytest.mark.stack


class BlockerDesk(Desk):
    """A desk that answers about blockers, too."""

    def __init__(self, servers: Servers) -> None:
        super().__init__(servers)
        blockers_http.add_routes(
            self.client.application,
            Blockers(self.database, self.rules),
            lambda: None,
            lambda: Viewer.at(self.clock.now_text(), web.language(), CALENDAR),
            partial(Holders(self.database).resolved, on=TODAY.date().isoformat()),
        )

    @staticmethod
    def rules() -> Rules:
        return DEFAULT_RULES

    def raised(self, project: str, id_: str, **data: Any) -> Event:
        told = {"kind": "用电", "cause": "utility", "owner": "供电局", "date": "2026-05-01"} | data
        return self.recorder.event(project, BLOCKER_RAISED, {k: v for k, v in told.items() if v is not None}, id_)

    def told(self, project: str, type_: str, blocker: str, **data: Any) -> Event:
        return self.recorder.event(project, type_, {"blocker_id": blocker, **data})

    def ask(self, query: str = "", language: str = "en") -> Any:
        response: Answer = self.get(f"/v1/blockers?{query}", language)
        assert response.status_code == 200, response.data
        return response.json

    def ids_of(self, query: str = "") -> list[str]:
        return [item["id"] for item in self.ask(query)["items"]]


@pytest.fixture
def desk(servers: Servers) -> Iterator[BlockerDesk]:
    made = BlockerDesk(servers)
    yield made
    made.close()


@pytest.fixture
def zone(desk: BlockerDesk) -> BlockerDesk:
    """Three projects here, one elsewhere, one withdrawn: five blockers of 供电局, one of 水务, one that nobody has."""
    r = desk.recorder
    desk.put(
        r.registered("one", officer="o1", group_head="g1"),
        r.milestone("one"),
        desk.raised("one", "late", promise="2026-05-20", level="重大"),
        desk.told("one", BLOCKER_UPDATED, "late", promise="2026-05-25", reason="设备未到"),
        desk.told("one", BLOCKER_UPDATED, "late", promise="2026-05-29", reason="设备未到"),
        desk.raised("one", "week", promise="2026-06-07", kind="用能"),
        r.registered("two"),
        r.milestone("two"),
        desk.raised("two", "later", promise="2026-06-08"),
        desk.raised("two", "done", promise="2026-05-15"),
        desk.told("two", BLOCKER_CLEARED, "done", date="2026-05-14"),
        desk.raised("two", "nobody", owner=None, kind="资金", cause="enterprise"),
        r.registered("three", zone="qingyuan"),
        r.milestone("three"),
        desk.raised("three", "water", owner="水务", kind="用水", promise="2026-06-30"),
        r.registered("gone"),
        desk.raised("gone", "forgotten", promise="2026-05-02"),
        r.event("gone", PROJECT_WITHDRAWN, {"date": "2026-05-03", "reason": "不来了"}),
    )
    return desk


def test_what_a_unit_owes_how_much_is_due_this_week_and_how_often_it_put_off_is_one_request(zone: BlockerDesk) -> None:
    answer = zone.ask("owner=供电局")
    assert [item["id"] for item in answer["items"]] == ["late", "week", "later", "done"], (
        "what is due first comes first"
    )
    assert answer["summary"] == {
        "blockers": 4,
        "open": 3,
        "overdue": 1,
        "due_this_week": 1,
        "unclaimed": 0,
        "unanswered": 3,
        "cleared": 1,
        "confirmed": 0,
        "postponed": 2,
        "days_charged": 0,
    }
    late = answer["items"][0]
    assert (late["project_id"], late["name"], late["officer"]) == ("one", "项目 one", "o1")
    assert (late["first_promise"], late["promise"], late["postponed"]) == ("2026-05-20", "2026-05-29", 2)
    assert (late["status"], late["overdue"], late["days_over"], late["light"]) == ("open", True, 3, "red")
    assert answer["definitions"].keys() == answer["summary"].keys()
    assert "承诺" in zone.ask("owner=供电局", "zh-CN")["definitions"]["overdue"]


def test_the_answer_is_in_the_shape_of_the_contract(zone: BlockerDesk) -> None:
    schema = {"$ref": "#/components/schemas/ListedBlockers", "components": OPENAPI["components"]}
    jsonschema.validate(zone.ask("group_by=owner"), schema)
    named = {parameter["name"] for parameter in OPENAPI["paths"]["/v1/blockers"]["get"]["parameters"]}
    assert {"owner", "side", "status", "due_before", "project_id"} <= named


def test_filters_choose_what_they_say(zone: BlockerDesk) -> None:
    for query, expected in {
        "": ["late", "week", "later", "water", "nobody", "done"],
        "status=open": ["late", "week", "later", "water", "nobody"],
        "status=overdue": ["late"],
        "status=unclaimed": ["nobody"],
        "status=cleared": ["done"],
        "status=confirmed": [],
        "status=overdue,cleared": ["late", "done"],
        "owner=水务": ["water"],
        "owner=水务,供电局&status=open": ["late", "week", "later", "water"],
        "owner=供电": [],
        "kind=用能": ["week"],
        "side=enterprise": ["nobody"],
        "cause=utility&zone=qingyuan": ["water"],
        "level=重大": ["late"],
        "due_before=2026-06-08": ["late", "week", "done"],
        "due_before=2026-06-08&status=open": ["late", "week"],
        "zone=demo&kind=用水": [],
        "project_id=two": ["later", "nobody", "done"],
        "project_id=two,three&owner=供电局": ["later", "done"],
        "officer=o1": ["late", "week"],
        "group_head=g2": [],
        "project_id=gone": [],
    }.items():
        assert zone.ids_of(query) == expected, query


def test_a_unit_replies_and_the_enterprise_confirms_what_is_then_dealt_with(zone: BlockerDesk) -> None:
    r = zone.recorder
    zone.put(
        r.event("one", BLOCKER_REPLIED, {"blocker_id": "late", "text": "设备已到货"}),
        r.event("two", BLOCKER_CONFIRMED, {"blocker_id": "done", "by": "p-1", "satisfied": False, "note": "仍跳闸"}),
    )
    answer = zone.ask("owner=供电局")
    assert (answer["summary"]["unanswered"], answer["summary"]["cleared"]) == (2, 1)
    late, done = answer["items"][0], answer["items"][-1]
    assert [reply["text"] for reply in late["replies"]] == ["设备已到货"]
    assert (done["status"], done["confirmation"]["note"]) == ("cleared", "仍跳闸")
    assert "blocker_id" not in done["confirmation"]
    zone.put(r.event("two", BLOCKER_CONFIRMED, {"blocker_id": "done", "by": "p-1", "satisfied": True}))
    assert zone.ids_of("status=confirmed") == ["done"]
    assert zone.ids_of("status=cleared") == []
    (shown,) = (row for row in zone.get("/v1/projects/two").json["blockers"] if row["id"] == "done")
    assert shown["confirmation"]["satisfied"] is True
    assert not {"owing", "replies", "confirmations"} & zone.get("/v1/projects/one").json.keys()
    schema = {"$ref": "#/components/schemas/ListedBlockers", "components": OPENAPI["components"]}
    jsonschema.validate(zone.ask(), schema)


def test_a_week_ends_on_sunday_and_what_fell_due_in_it_is_still_counted(zone: BlockerDesk) -> None:
    zone.clock.advance(timedelta(days=6).total_seconds())  # Sunday
    assert zone.ask("owner=供电局")["summary"]["due_this_week"] == 1
    zone.clock.advance(timedelta(days=1).total_seconds())
    summary = zone.ask("owner=供电局")["summary"]
    assert (summary["overdue"], summary["due_this_week"]) == (2, 1), "the next one is due on that Monday"


def test_the_numbers_can_be_divided(zone: BlockerDesk) -> None:
    groups = {group["key"]: group for group in zone.ask("group_by=owner")["groups"]}
    assert {key: (group["open"], group["overdue"]) for key, group in groups.items()} == {
        "供电局": (3, 1),
        "水务": (1, 0),
        None: (1, 0),
    }
    assert [group["key"] for group in zone.ask("group_by=zone")["groups"]] == ["demo", "qingyuan"], "most open first"


def test_days_are_charged_to_the_unit_that_had_to_act_on_them(desk: BlockerDesk) -> None:
    r = desk.recorder
    desk.put(
        r.registered("p"),
        r.milestone("p", "signed", "2026-02-01"),
        desk.raised("p", "b", date="2026-02-20"),
        desk.told("p", BLOCKER_PAUSED, "b", date="2026-02-26", approver="u-1", until="2026-03-04"),
        # Recorded on 2 March: that day is already the other unit's.
        desk.told("p", BLOCKER_UPDATED, "b", owner="城投", reason="线路由其迁改"),
    )
    assert desk.ask("owner=供电局")["items"] == []
    assert desk.ask("owner=供电局")["summary"]["days_charged"] == 4
    assert desk.ask("owner=城投")["summary"]["days_charged"] == 3
    (item,) = desk.ask("project_id=p")["items"]
    assert item["held_by"] == [{"owner": "供电局", "to": "2026-03-02"}]
    assert item["charged"] == [{"owner": "供电局", "days": 4}, {"owner": "城投", "days": 3}]
    groups = {g["key"]: (g["blockers"], g["days_charged"]) for g in desk.ask("group_by=owner")["groups"]}
    assert groups == {"供电局": (0, 4), "城投": (1, 3)}
    (clock,) = desk.get("/v1/projects/p").json["clocks"]
    assert clock["charged"] == [{"owner": "供电局", "days": 4}, {"owner": "城投", "days": 3}], "the clock says the same"


def test_pages_hold_every_blocker_once_in_order(zone: BlockerDesk) -> None:
    whole = zone.ids_of("limit=500")
    paged, cursor = [], ""
    while True:
        answer = zone.ask(f"limit=2{cursor}")
        assert answer["summary"]["blockers"] == len(whole), "the numbers are of all pages"
        paged += [item["id"] for item in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert paged == whole


def test_what_an_officer_has_handed_over_is_found_by_the_successor(zone: BlockerDesk) -> None:
    zone.put(
        zone.recorder.event("person:o1", PERSON_REGISTERED, {"role": "专员"}),
        zone.recorder.event("person:o1", PERSON_HANDED_OVER, {"to": "o2", "date": "2026-05-30"}),
    )
    assert (zone.ids_of("officer=o2"), zone.ids_of("officer=o1")) == (["late", "week"], [])


def test_parameters_are_read_strictly(zone: BlockerDesk) -> None:
    for query in ("status=late", "side=nobody", "due_before=soon", "group_by=x", "limit=0", "cursor=x", "units=1"):
        answer = zone.get(f"/v1/blockers?{query}")
        assert answer.status_code == 400, query
        assert query.partition("=")[0] in str(answer.json["errors"]), query


def test_an_unchanged_answer_is_told_by_its_tag_until_midnight(zone: BlockerDesk) -> None:
    tag = zone.get("/v1/blockers").headers["ETag"]
    assert zone.get("/v1/blockers", **{"If-None-Match": tag}).status_code == 304
    zone.clock.advance(24 * 3600)
    assert zone.get("/v1/blockers", **{"If-None-Match": tag}).status_code == 200


def test_every_question_runs_on_the_index_of_what_has_blockers(zone: BlockerDesk) -> None:
    zone.commands.clear()
    queries = (
        "owner=供电局",
        "owner=供电局,水务&status=overdue",
        "owner=供电局&zone=demo",
        "",
        "zone=demo",
        "status=open",
        "status=confirmed&kind=用电",
        "project_id=two",
        "officer=o1",
    )
    for query in queries:
        zone.ask(query)
    asked = [command for command in zone.commands if command.get("find") == "projects"]
    assert len(asked) == len(queries)
    for sent in asked:
        command = {k: v for k, v in sent.items() if k not in {"lsid", "$db", "$clusterTime", "readConcern"}}
        plan = zone.database.command("explain", command, verbosity="executionStats")
        assert "COLLSCAN" not in set(_stages(plan)), command
        index = "_id_" if "'two'" in str(command) else "owing"
        assert f"'indexName': '{index}'" in str(plan), command
    first = zone.database.command(
        "explain",
        {k: v for k, v in asked[0].items() if k not in {"lsid", "$db", "$clusterTime", "readConcern"}},
        verbosity="executionStats",
    )
    looked_at = first["executionStats"]["totalDocsExamined"]
    assert looked_at == 3, "the unit's two projects and the withdrawn one: no other is read"
