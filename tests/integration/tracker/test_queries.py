"""The tracker's answers over HTTP, from a real MongoDB: shapes of the contract, filters, pages, tags, plans."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from flask.testing import FlaskClient
from pymongo import MongoClient, monitoring
from pymongo.database import Database
from werkzeug.test import TestResponse

from luodi.domain.calendar import Calendar
from luodi.domain.days import instant
from luodi.domain.events import (
    BLOCKER_PAUSED,
    BLOCKER_RAISED,
    BLOCKER_UPDATED,
    EVENT_RETRACTED,
    MATTER_SIGNED,
    MILESTONE_VERIFIED,
    PROJECT_WITHDRAWN,
    SUSPENSION_BEGUN,
    Event,
    digest,
)
from luodi.domain.subjects import is_project
from luodi.local.harness import Servers
from luodi.runtime import http as web
from luodi.runtime import settings as settings_module
from luodi.runtime.clock import ManualClock
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from schemas import position
from services.tracker import drives_http, http, registry_http, zones_http
from services.tracker.drives import Drives
from services.tracker.folding import Folder
from services.tracker.history import MongoHistories, Written, carried, row_of
from services.tracker.holding import Holders
from services.tracker.journal import MongoJournal
from services.tracker.mirror import Mirror
from services.tracker.outlooks import MongoOutlooks
from services.tracker.past import Past
from services.tracker.ports import Arrival
from services.tracker.queries import Queries
from services.tracker.recall import Recall
from services.tracker.registry import Registry
from services.tracker.rollups import Maker, MongoRollUps
from services.tracker.stores import MongoPositions, MongoProjects
from services.tracker.subjects import MongoOthers, MongoSubjects
from services.tracker.taskforce import TaskForces
from services.tracker.views import Viewer
from services.tracker.visibility import Visibility
from tests.integration.tracker.world import Recorder
from tests.rules import DEFAULT_RULES

pytestmark = pytest.mark.stack

TODAY = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
CALENDAR = Calendar.build(ZoneInfo("Asia/Shanghai"), {})
TOPIC = TopicInfo(4, "0badcafe")
OPENAPI = json.loads(resources.files("schemas").joinpath("generated", "openapi-tracker.json").read_bytes())


class Desk:
    """A tracker without its loops: documents put in by hand, questions over HTTP."""

    def __init__(self, servers: Servers) -> None:
        self.commands: list[dict[str, Any]] = []
        client: MongoClient[dict[str, Any]] = MongoClient(
            servers.mongodb_uri, retryWrites=False, event_listeners=[_Commands(self.commands)]
        )
        self.database: Database[dict[str, Any]] = client[f"queries_{secrets.token_hex(4)}"]
        self.journal, projects, others = (
            MongoJournal(self.database),
            MongoProjects(self.database),
            MongoOthers(self.database),
        )
        self.journal.ensure_indexes()
        projects.ensure_indexes()
        others.ensure_indexes()
        self.projects = MongoSubjects(projects, others)
        self.rollups = MongoRollUps(self.database)
        self.rollups.ensure_indexes()
        MongoOutlooks(self.database).ensure_indexes()
        self.positions = MongoPositions(self.database, TOPIC.tag)
        self.visibility = Visibility(self.positions, waiters=2)
        self.clock = ManualClock(TODAY)
        settings = settings_module.read(
            {"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "MONGODB_URI": servers.mongodb_uri}
        )
        app = web.create_app("tracker", settings, self.clock, Metrics(), Probes())
        folder = Folder(DEFAULT_RULES, CALENDAR, 1)
        past = Past(self.journal, lambda: folder)
        self.histories = MongoHistories(self.database, TOPIC.tag)
        self.histories.ensure_indexes()
        self.mirror = Mirror(self.histories, TOPIC.partitions, Metrics())
        recall = Recall(self.mirror, past, lambda: folder.calendar)
        http.add_routes(
            app,
            Queries(self.database),
            TaskForces(self.database, lambda: folder),
            past,
            recall,
            self.visibility,
            TOPIC,
            self.clock,
            lambda: CALENDAR,
        )
        drives_http.add_routes(
            app,
            Drives(self.database, Registry(self.database), recall),
            partial(http.await_position, self.visibility, TOPIC),
            lambda: Viewer.at(self.clock.now_text(), web.language(), CALENDAR),
        )
        held = partial(Holders(self.database).resolved, on=TODAY.date().isoformat())
        desk = zones_http.Desk.of(self.database, Queries(self.database), self.journal, recall, lambda: folder, held)
        await_position = partial(http.await_position, self.visibility, TOPIC)
        zones_http.add_routes(app, desk, await_position, self.clock)
        registry_http.add_routes(app, Registry(self.database), await_position, lambda: self.clock.now().date())
        self.client: FlaskClient = app.test_client()
        self.recorder = Recorder()
        self._offset = 0

    def close(self) -> None:
        self.database.client.drop_database(self.database.name)
        self.database.client.close()

    def put(self, *events: Event) -> None:
        arrivals = []
        for event in events:
            self._offset += 1
            arrivals.append(Arrival(event, 0, self._offset, digest(event), json.dumps(dict(event.data)).encode()))
        self.journal.add(arrivals)
        folder = Folder(DEFAULT_RULES, CALENDAR, 1)
        histories = self.journal.read({event.subject for event in events})
        self.projects.offer([folder.refold(subject, 0, history) for subject, history in histories.items()])
        Maker(self.rollups).make(self.rollups.named())
        of_projects = {s: events for s, events in histories.items() if is_project(s)}
        stored = self.histories.read(of_projects)
        self.histories.write(
            [
                row_of(s, (0, self._offset), events, carried(s, events, stored.get(s), folder), 1)
                for s, events in of_projects.items()
            ]
        )
        self.known_until(instant(TODAY))

    def known_until(self, until: str) -> None:
        """The histories are whole until an instant, and this process has taken them over."""
        self.histories.advance({partition: Written(self._offset + 1, until) for partition in range(TOPIC.partitions)})
        self.mirror.look()

    def get(self, path: str, language: str = "en", **headers: str) -> Answer:
        return Answer(self.client.get(path, headers={"Accept-Language": language, **headers}))

    def items(self, path: str) -> list[dict[str, Any]]:
        response = self.get(path)
        assert response.status_code == 200, response.data
        items: list[dict[str, Any]] = response.json["items"]
        return items

    def ids(self, query: str = "") -> list[str]:
        return [item["id"] for item in self.items(f"/v1/projects?{query}")]


class Answer:
    """A response with its JSON."""

    def __init__(self, response: TestResponse) -> None:
        self.status_code, self.headers, self.data = response.status_code, response.headers, response.data
        self.content_type = response.content_type
        self.json: Any = response.json if response.data else None


class _Commands(monitoring.CommandListener):
    def __init__(self, kept: list[dict[str, Any]]) -> None:
        self._kept = kept

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in {"find", "aggregate"}:
            self._kept.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


@pytest.fixture
def desk(servers: Servers) -> Iterator[Desk]:
    made = Desk(servers)
    yield made
    made.close()


@pytest.fixture
def zone(desk: Desk) -> Desk:
    """Six projects: in time, overdue, suspended, withdrawn, finished, unregistered; one elsewhere."""
    r = desk.recorder
    desk.put(
        r.registered("green", industry="电子", key=True, leader="l1", investment=100, officer="o1"),
        r.milestone("green", "signed", "2026-05-20"),
        r.registered("red", industry="机械", leader="l1", investment=200, officer="o2"),
        r.milestone("red", "signed", "2026-01-05"),
        r.event(
            "red",
            BLOCKER_RAISED,
            {"kind": "用电", "cause": "utility", "owner": "供电", "date": "2026-01-10", "promise": "2026-02-10"},
            "b1",
        ),
        r.registered("halted", route="plant", park="一园"),
        r.milestone("halted", "signed", "2026-05-01"),
        r.event("halted", SUSPENSION_BEGUN, {"date": "2026-05-02", "reason": "停"}),
        r.registered("gone", investment=1_000),
        r.milestone("gone", "signed", "2026-01-05"),
        r.event("gone", PROJECT_WITHDRAWN, {"date": "2026-02-01", "reason": "不来了"}),
        r.registered("blue"),
        *(
            r.milestone("blue", stage, f"2025-0{n}-01")
            for n, stage in enumerate(("signed", "land_supplied", "started", "completed", "producing"), 1)
        ),
        r.milestone("unknown", "signed", "2026-05-20"),
        r.registered("phase", parent="green", investment=50),
        r.registered("far", zone="qingyuan"),
    )
    return desk


def test_a_project_is_answered_in_the_shape_of_the_contract(zone: Desk) -> None:
    schema = {"$ref": "#/components/schemas/Project", "components": OPENAPI["components"]}
    for id_ in ("green", "red", "halted", "gone", "blue", "unknown", "phase", "far"):
        body = zone.get(f"/v1/projects/{id_}").json
        jsonschema.validate(body, schema)
        assert not {"_id", "fold", "partition", "ruleset", "lights", "events"} & body.keys()
    red = zone.get("/v1/projects/red").json
    assert (red["light"], red["stage"], red["next_stage"]) == ("red", "signed", "land_supplied")
    (clock,) = red["clocks"]
    assert (clock["gap"], clock["rule"], clock["due"], clock["light"]) == (
        ["signed", "land_supplied"],
        "zone-default",
        "2026-04-05",
        "red",
    )
    assert clock["days"] == {"used": 147, "limit": 90, "unit": "calendar_days"}
    assert red["blockers"][0]["light"] == "red"
    assert zone.get("/v1/projects/blue").json["light"] == "blue"
    assert zone.get("/v1/projects/unknown").json["registered"] is False


def test_reasons_speak_the_callers_language(zone: Desk) -> None:
    english = zone.get("/v1/projects/red").json["reason"]
    chinese = zone.get("/v1/projects/red", "zh-CN").json["reason"]
    assert english["code"] == chinese["code"]
    assert "Overdue" in english["text"]
    assert "超期" in chinese["text"]


def test_lights_turn_at_midnight_of_the_zone_without_an_event(zone: Desk) -> None:
    due = datetime(2026, 8, 18, 15, 59, 59, tzinfo=UTC)  # 90 days after 20 May is 18 August, 23:59:59 in the zone
    zone.clock.advance((due - TODAY).total_seconds())
    before = zone.get("/v1/projects/green")
    assert before.json["light"] == "yellow"
    zone.clock.advance(1)
    after = zone.get("/v1/projects/green", **{"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200, "the tag includes the business date"
    assert after.json["light"] == "red"


def test_filters_choose_what_they_say(zone: Desk) -> None:
    active = ["blue", "far", "green", "halted", "phase", "red", "unknown"]
    for query, expected in {
        "": active,
        "zone=demo": ["blue", "green", "halted", "phase", "red"],
        "zone=demo,qingyuan": ["blue", "far", "green", "halted", "phase", "red"],
        "zone=demo&zone=qingyuan": ["blue", "far", "green", "halted", "phase", "red"],
        "status=withdrawn": ["gone"],
        "status=suspended": ["halted"],
        "status=pool": [],
        "light=red": ["red"],
        "light=red,blue": ["blue", "red"],
        "light=green": ["green", "halted", "unknown"],
        "stage=producing": ["blue"],
        "route=plant": ["halted"],
        "kind=factory&zone=qingyuan": ["far"],
        "key=true": ["green"],
        "key=false&leader=l1": ["red"],
        "industry=电子,机械": ["green", "red"],
        "park=一园": ["halted"],
        "parent=green": ["phase"],
        "blocker=用电": ["red"],
        "blocker=用水": [],
        "due_before=2026-04-06": ["red"],
        "due_before=2026-04-05": [],
        "updated_before=2026-03-02": [],
        "updated_before=2026-03-03": active,
        "grey_over=30": ["far", "phase"],
        "grey_over=300": [],
        "q=RE": ["green", "red"],
        "q=项目 blu": ["blue"],
        "q=.*": [],
        "sort=-id&zone=demo": ["red", "phase", "halted", "green", "blue"],
        "sort=-investment&zone=demo&status=active,withdrawn": ["gone", "red", "green", "phase", "blue"],
        "sort=due&light=red,green": ["red", "halted", "green", "unknown"],
    }.items():
        assert zone.ids(query) == expected, query


@pytest.mark.parametrize(
    "sort",
    [
        "id",
        "-id",
        "name",
        "-name",
        "updated_at",
        "stage_since",
        "-stage_since",
        "investment",
        "-investment",
        "due",
        "-due",
    ],
)
def test_pages_hold_every_project_once_in_order(zone: Desk, sort: str) -> None:
    whole = zone.ids(f"sort={sort}&limit=500")
    paged: list[str] = []
    cursor = ""
    while True:
        response = zone.get(f"/v1/projects?sort={sort}&limit=2{cursor}")
        paged += [item["id"] for item in response.json["items"]]
        if response.json["next"] is None:
            break
        cursor = f"&cursor={response.json['next']}"
    assert paged == whole


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("colour=red", "colour"),
        ("light=purple", "light"),
        ("stage=flying", "stage"),
        ("status=lost", "status"),
        ("sort=fold", "sort"),
        ("limit=501", "limit"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("due_before=2026-13-01", "due_before"),
        ("due_before=2026", "due_before"),
        ("updated_before=yesterday", "updated_before"),
        ("grey_over=-1", "grey_over"),
        ("grey_over=10001", "grey_over"),
        ("cursor=AAAA", "cursor"),
        ("cursor=~~~", "cursor"),
        ("key=maybe", "key"),
        ("q=" + "x" * 201, "q"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/projects", "/v1/stalled"])
def test_a_wrong_parameter_is_named(zone: Desk, path: str, query: str, pointer: str) -> None:
    response = zone.get(f"{path}?{query}")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert [error["pointer"] for error in response.json["errors"]] == [pointer]


def test_a_cursor_of_another_query_is_refused(zone: Desk) -> None:
    cursor = zone.get("/v1/projects?limit=2").json["next"]
    assert zone.get(f"/v1/projects?limit=3&cursor={cursor}").status_code == 200
    assert zone.get(f"/v1/projects?limit=2&zone=demo&cursor={cursor}").status_code == 400


def test_stalled_lists_every_clock_past_due(zone: Desk) -> None:
    items = zone.items("/v1/stalled")
    for item in items:
        jsonschema.validate(item, {"$ref": "#/components/schemas/Stalled", "components": OPENAPI["components"]})
    assert [(i["project_id"], i["gap"], i["blocker"], i["rule"], i["due"], i["days_over"]) for i in items] == [
        ("red", ["signed", "land_supplied"], None, "zone-default", "2026-04-05", 57),
        ("red", None, "b1", "promise", "2026-02-10", 111),
    ]
    assert zone.items("/v1/stalled?zone=qingyuan") == []
    assert [i["project_id"] for i in zone.items("/v1/stalled?light=green")] == ["green", "halted", "unknown"]


def test_stalled_pages_go_on_in_the_middle_of_a_project(zone: Desk) -> None:
    first = zone.get("/v1/stalled?limit=1").json
    second = zone.get(f"/v1/stalled?limit=1&cursor={first['next']}").json
    assert [i["rule"] for i in first["items"] + second["items"]] == ["zone-default", "promise"]
    assert second["next"] is None


def test_an_approved_pause_is_grey_and_explained_with_who_approved_it(desk: Desk) -> None:
    r = desk.recorder
    approval = {"date": "2026-04-20", "approver": "l1", "until": "2026-06-30", "document": "园管函〔2026〕3号"}
    desk.put(
        r.registered("waits", officer="o1"),
        r.milestone("waits", "signed", "2026-04-10"),
        r.event(
            "waits", BLOCKER_RAISED, {"kind": "用电", "cause": "utility", "owner": "u1", "date": "2026-04-15"}, "b1"
        ),
        r.event("waits", BLOCKER_PAUSED, {"blocker_id": "b1", **approval}),
        r.event("waits", BLOCKER_UPDATED, {"blocker_id": "b1", "promise": "2026-06-25", "reason": "设备到货"}),
    )
    project = desk.get("/v1/projects/waits").json
    assert (project["light"], project["reason"]["code"], project["grey_since"]) == ("grey", "paused", "2026-04-20")
    (blocker,) = project["blockers"]
    assert (blocker["promise"], blocker["first_promise"], blocker["postponed"]) == ("2026-06-25", "2026-06-25", 0)
    body = desk.get("/v1/projects/waits/clock", "zh-CN").json
    (clock,) = body["clocks"]
    (pause,) = clock["pauses"]
    assert (pause["open"], pause["approver"], pause["document"]) == (True, "l1", "园管函〔2026〕3号")
    assert clock["charged"] == [{"owner": "u1", "days": 43}]  # 20 April to 1 June, both included
    assert [(change["on"], change["light"]) for change in clock["next"]] == [
        ("2026-06-25", "grey"),  # the approval runs out in three working days
        ("2026-07-01", "green"),
        ("2026-09-01", "yellow"),
        ("2026-09-20", "red"),
    ]
    assert "2026-07-01恢复计时" in clock["text"]
    jsonschema.validate(body, {"$ref": "#/components/schemas/Clocks", "components": OPENAPI["components"]})
    assert desk.ids("grey_over=42") == ["waits"]
    assert desk.ids("grey_over=43") == []


def test_the_clocks_of_a_project_alone(zone: Desk) -> None:
    body = zone.get("/v1/projects/red/clock").json
    jsonschema.validate(body, {"$ref": "#/components/schemas/Clocks", "components": OPENAPI["components"]})
    assert body["as_of"] == "2026-06-01"
    (clock,), (plain,) = body["clocks"], zone.get("/v1/projects/red").json["clocks"]
    assert {name: clock[name] for name in plain} == plain
    counting = clock["counting"]
    assert (counting["calendar_days"], counting["counted"], counting["excluded"]) == (147, 147, [])
    assert clock["text"].startswith("Red. Overdue: land supply was due by 2026-04-05, 57 days over")
    assert (
        zone.get("/v1/projects/red/clock", "zh-CN").json["clocks"][0]["text"].startswith("红灯：应于2026-04-05前供地")
    )
    (promise,) = body["promises"]
    assert "officer o2 follows it up" in promise["text"]
    schema = {"$ref": "#/components/schemas/Clocks", "components": OPENAPI["components"]}
    for id_ in ("green", "red", "halted", "gone", "blue", "unknown", "far"):
        jsonschema.validate(zone.get(f"/v1/projects/{id_}/clock").json, schema)
    assert zone.get("/v1/projects/gone/clock").json["reason"]["code"] == "withdrawn"
    assert [promise["id"] for promise in body["promises"]] == ["b1"]


def test_the_timeline_shows_every_event_and_marks_what_was_taken_back(desk: Desk) -> None:
    r = desk.recorder
    desk.put(
        r.registered("p1"),
        r.milestone("p1", "signed", "2026-05-20", id_="wrong"),
        r.event("p1", EVENT_RETRACTED, {"event_id": "wrong", "reason": "看错了"}),
        r.event("p1", MATTER_SIGNED, {"matter": "p1:signed-land_supplied"}),
    )
    items = desk.items("/v1/projects/p1/timeline")
    assert [(i["type"], i["date"], i["retracted"]) for i in items] == [
        ("project.registered", None, False),
        ("milestone.reported", "2026-05-20", True),
        ("event.retracted", None, False),
        ("matter.signed", None, False),
    ]
    for item in items:
        jsonschema.validate(item, {"$ref": "#/components/schemas/TimelineItem", "components": OPENAPI["components"]})


def test_a_verification_is_seen_in_the_project_and_in_its_timeline(desk: Desk) -> None:
    r = desk.recorder
    report = r.milestone("p1", date="2026-01-05")
    own = r.event("p1", MILESTONE_VERIFIED, {"event_id": report.id, "result": "confirmed"})
    verified = replace(
        r.event("p1", MILESTONE_VERIFIED, {"event_id": report.id, "result": "confirmed"}), actor="u-head"
    )
    desk.put(r.registered("p1"), report, own, verified)
    body = desk.get("/v1/projects/p1").json
    jsonschema.validate(body, {"$ref": "#/components/schemas/Project", "components": OPENAPI["components"]})
    verdict = {
        "result": "confirmed",
        "by": "u-head",
        "at": verified.recordedtime,
        "reason": None,
        "event_id": verified.id,
    }
    assert (body["verified"], body["milestones"][0]["verified"], body["returned"]) == (["signed"], verdict, [])
    returned = r.event("p1", MILESTONE_VERIFIED, {"event_id": report.id, "result": "returned", "reason": "未签约"})
    desk.put(replace(returned, actor="u-chief"))
    body = desk.get("/v1/projects/p1").json
    jsonschema.validate(body, {"$ref": "#/components/schemas/Project", "components": OPENAPI["components"]})
    assert (body["stage"], body["verified"], body["milestones"]) == (None, [], [])
    assert [(shown["event_id"], shown["verified"]["by"]) for shown in body["returned"]] == [(report.id, "u-chief")]
    assert body["reason"]["code"] == "no-milestone"
    items = {item["id"]: item for item in desk.items("/v1/projects/p1/timeline")}
    for item in items.values():
        jsonschema.validate(item, {"$ref": "#/components/schemas/TimelineItem", "components": OPENAPI["components"]})
    assert items[report.id]["verified"]["reason"] == "未签约"
    assert items[own.id]["without_effect"]["code"] == "own-report"
    assert items[verified.id]["without_effect"]["code"] == "verified-again"
    assert items[returned.id]["without_effect"] is None
    then = desk.items(f"/v1/projects/p1/timeline?known_at={verified.recordedtime}")
    assert [item["verified"]["result"] for item in then if item["id"] == report.id] == ["confirmed"]
    past = desk.get(f"/v1/projects/p1?known_at={verified.recordedtime}").json
    assert (past["stage"], past["verified"]) == ("signed", ["signed"])


@pytest.fixture
def late(desk: Desk) -> Desk:
    """Three projects of which reports wait: one with two, one that ended a red light, one elsewhere."""
    r = desk.recorder
    registered = [
        r.registered("one", route="plant", group_head="post-a", officer="o1"),
        r.registered("two", route="plant", group_head="post-b"),
        r.registered("three", zone="qingyuan", group_head="post-a"),
        r.registered("four", group_head="post-a"),
    ]
    desk.put(
        *registered,
        replace(r.milestone("one", "signed", "2026-03-02", id_="one-1"), recordedtime="2026-03-25T04:00:00.000Z"),
        replace(r.milestone("three", "signed", "2026-03-02", id_="three-1"), recordedtime="2026-04-01T04:00:00.000Z"),
        replace(r.milestone("two", "signed", "2026-01-05", id_="two-1"), recordedtime="2026-03-03T04:00:00.000Z"),
        replace(r.milestone("two", "started", "2026-05-20", id_="two-2"), recordedtime="2026-05-20T04:00:00.000Z"),
        replace(r.milestone("one", "started", "2026-05-06", id_="one-2"), recordedtime="2026-05-25T04:00:00.000Z"),
        replace(r.milestone("four", "signed", "2026-05-20", id_="four-1"), recordedtime="2026-05-21T04:00:00.000Z"),
    )
    return desk


def waiting(desk: Desk, query: str = "") -> list[tuple[str, list[str]]]:
    items = desk.items(f"/v1/verifications?{query}")
    for item in items:
        jsonschema.validate(item, {"$ref": "#/components/schemas/AwaitingReport", "components": OPENAPI["components"]})
    return [(item["event_id"], [reason["code"] for reason in item["reasons"]]) for item in items]


def test_reports_that_wait_for_verification_are_listed_the_projects_first_that_waited_longest(late: Desk) -> None:
    assert waiting(late) == [
        ("two-1", ["reported-late"]),
        ("two-2", ["ended-red"]),
        ("one-1", ["reported-late"]),
        ("one-2", ["reported-late"]),
        ("three-1", ["reported-late"]),
    ]
    assert [id_ for id_, _ in waiting(late, "zone=demo")] == ["two-1", "two-2", "one-1", "one-2"]
    assert [id_ for id_, _ in waiting(late, "group_head=post-a")] == ["one-1", "one-2", "three-1"]
    assert [id_ for id_, _ in waiting(late, "zone=demo&group_head=post-a&officer=o1")] == ["one-1", "one-2"]
    (item,) = [i for i in late.get("/v1/verifications", "zh-CN").json["items"] if i["event_id"] == "two-2"]
    assert item["reasons"][0]["text"].startswith("上报进场装修时已超期")
    assert (item["project_id"], item["group_head"], item["actor"]) == ("two", "post-b", "u-test")
    project = late.get("/v1/projects/two").json
    jsonschema.validate(project, {"$ref": "#/components/schemas/Project", "components": OPENAPI["components"]})
    assert [report["event_id"] for report in project["awaiting"]] == ["two-1", "two-2"]


def test_the_list_goes_on_in_the_middle_of_a_project(late: Desk) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        body = late.get(f"/v1/verifications?limit=3{cursor}").json
        seen += [item["event_id"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert seen == ["two-1", "two-2", "one-1", "one-2", "three-1"]


def test_what_is_verified_or_returned_leaves_the_list(late: Desk) -> None:
    said = [("one", "one-2", "confirmed"), ("two", "two-2", "returned"), ("three", "three-1", "confirmed")]
    for subject, report, result in said:
        told = late.recorder.event(
            subject, MILESTONE_VERIFIED, {"event_id": report, "result": result, "reason": "看过"}
        )
        late.put(replace(told, actor="u-head", recordedtime="2026-05-28T04:00:00.000Z"))
    assert [id_ for id_, _ in waiting(late)] == ["two-1", "one-1"]


def test_a_parameter_that_the_list_does_not_know_is_named(late: Desk) -> None:
    answer = late.get("/v1/verifications?light=red")
    assert answer.status_code == 400
    assert late.get("/v1/verifications?as_of=2026-05-01").status_code == 400


def test_the_funnel_counts_registered_roots_by_stage(zone: Desk) -> None:
    body = zone.get("/v1/funnel?zone=demo").json
    jsonschema.validate(body, {"$ref": "#/components/schemas/Funnel", "components": OPENAPI["components"]})
    assert body["total"] == {
        "projects": 5,
        "withdrawn": 1,
        "agreements": 0,
        "increments": 0,
        "enterprises": 0,
        "enterprises_producing": 0,
        "investment": 1300,
        "investment_unknown": 2,
        "increment_investment": 0,
    }
    stages = {row.pop("stage"): row for row in body["stages"]}
    assert stages["signed"] == {
        "reached": 5,
        "verified": 0,
        "current": 3,
        "missing": 0,
        "not_applicable": 0,
        "investment": 1300,
    }
    assert stages["land_supplied"] == {
        "reached": 1,
        "verified": 0,
        "current": 0,
        "missing": 0,
        "not_applicable": 1,
        "investment": 0,
    }
    assert stages["producing"]["current"] == 1
    assert body["rates"]["landed"] == {"numerator": 1, "verified": 0, "denominator": 5, "percent": 20.0}
    assert body["rates"]["funds_arrived"] == {"numerator": 0, "verified": None, "denominator": 1300, "percent": 0.0}
    assert "withdrawn" in body["definitions"]["projects"]
    definitions = zone.get("/v1/funnel", "zh-CN").json["definitions"]
    assert "已登记" in definitions["projects"]
    for rate in body["rates"]:
        assert "÷" in definitions[f"rates.{rate}"]
    for name in [*body["total"], *stages["signed"]]:
        assert name in definitions


def test_a_funnel_by_group_adds_up_to_the_whole(zone: Desk) -> None:
    for group in ("industry", "chain", "park", "leader", "lead_unit", "month", "origin"):
        body = zone.get(f"/v1/funnel?zone=demo&group_by={group}").json
        assert sum(g["total"]["projects"] for g in body["groups"]) == body["total"]["projects"], group
    months = zone.get("/v1/funnel?zone=demo&group_by=month").json["groups"]
    assert [(g["key"], g["total"]["projects"]) for g in months] == [("2025-01", 1), ("2026-01", 2), ("2026-05", 2)]
    assert zone.get("/v1/funnel?group_by=colour").status_code == 400
    assert zone.get("/v1/funnel?zone=nowhere").json["total"]["projects"] == 0


def test_what_has_not_changed_is_not_sent_again(zone: Desk) -> None:
    for path in (
        "/v1/projects/red",
        "/v1/projects/red/clock",
        "/v1/projects/red/timeline",
        "/v1/projects",
        "/v1/stalled",
        "/v1/funnel",
    ):
        tag = zone.get(path).headers["ETag"]
        again = zone.get(path, **{"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b""), path
        assert zone.get(path, "zh-CN", **{"If-None-Match": tag}).status_code == 200, path
    tag = zone.get("/v1/projects/red").headers["ETag"]
    zone.put(zone.recorder.milestone("red", "land_supplied", "2026-05-30"))
    assert zone.get("/v1/projects/red", **{"If-None-Match": tag}).status_code == 200


def test_an_unknown_project_is_a_problem_in_the_callers_language(desk: Desk) -> None:
    for path in ("/v1/projects/nobody", "/v1/projects/nobody/clock", "/v1/projects/nobody/timeline"):
        response = desk.get(path, "zh-CN")
        assert (response.status_code, response.json["code"]) == (404, "not-found")
        assert "nobody" in response.json["detail"]


def test_a_position_that_is_none_of_ours_is_refused(desk: Desk) -> None:
    for text in ("", "x", "deadbeef~0.1", f"{TOPIC.tag}~4.1", f"{TOPIC.tag}~0.x", "0badcafe"):
        response = desk.get(f"/v1/projects?after={text}")
        assert (response.status_code, response.json["code"]) == (400, "bad-position"), text


def test_after_waits_for_what_another_process_applies(desk: Desk) -> None:
    text = position.encode(TOPIC.tag, {1: 7})
    desk.positions.advance({1: 8})
    assert desk.get(f"/v1/projects?after={text}").status_code == 200


def test_after_is_refused_with_503_when_too_many_wait_already(desk: Desk) -> None:
    text = position.encode(TOPIC.tag, {1: 7})
    for _ in range(2):
        assert desk.visibility._places.acquire(blocking=False)
    response = desk.get(f"/v1/projects?after={text}")
    assert (response.status_code, response.json["code"]) == (503, "not-yet-visible")
    assert response.headers["Retry-After"] == "1"


def test_every_plan_uses_an_index(zone: Desk) -> None:
    zone.put(*(zone.recorder.registered(f"more{n}") for n in range(50)))
    r = zone.recorder
    for number in range(2):
        late = replace(r.milestone("red", "started", f"2026-03-0{2 + number}"), recordedtime="2026-05-20T04:00:00.000Z")
        zone.put(late, replace(r.milestone("green", "started"), recordedtime="2026-05-21T04:00:00.000Z"))
    zone.commands.clear()
    for query in (
        "",
        "zone=demo",
        "zone=demo,qingyuan",
        "light=red",
        "zone=demo&light=red&sort=-updated_at",
        "q=x",
        "zone=demo&q=x",
        "sort=name",
        "sort=-due&zone=demo",
        "status=withdrawn",
        "parent=green",
        "updated_before=2026-05-01",
        "due_before=2026-05-01&blocker=用电",
        "grey_over=30&zone=demo",
        "limit=2",
    ):
        for path in ("/v1/projects", "/v1/stalled"):
            response = zone.get(f"{path}?{query}")
            following = response.json["next"]
            if following:
                zone.get(f"{path}?{query}&cursor={following}")
    for path in (
        "/v1/projects/red",
        "/v1/projects/red/timeline",
        "/v1/projects/red/clock",
        "/v1/funnel",
        "/v1/funnel?zone=demo&group_by=month",
        "/v1/figures?zone=qingyuan",
        "/v1/projects?stage=signed&zone=demo",
        "/v1/projects?stage=signed&light=red",
        "/v1/forecast",
        "/v1/forecast?zone=demo",
        "/v1/drives",
        "/v1/drives?zone=demo",
        "/v1/verifications",
        "/v1/verifications?zone=demo&group_head=post-a&limit=1",
    ):
        following = zone.get(path).json.get("next")
        if following:
            zone.get(f"{path}{'&' if '?' in path else '?'}cursor={following}")
    next(MongoOutlooks(zone.database).cases(0), None)
    zone.projects.outdated([0, 1], 2, 10)
    zone.projects.bases(["red"])
    zone.projects.guards(["red", "blue"])
    zone.positions.advance({0: 1})
    zone.positions.read([0])
    zone.journal.ids(["red", "blue"])
    asked = [c for c in zone.commands if c.get("find") or c.get("aggregate")]
    assert len(asked) > 30
    for sent in asked:
        command = {k: v for k, v in sent.items() if k not in {"lsid", "$db", "$clusterTime", "readConcern"}}
        plan = zone.database.command("explain", command, verbosity="queryPlanner")
        stages = set(_stages(plan))
        assert "COLLSCAN" not in stages, command
        assert stages & {"IXSCAN", "IDHACK"}, command
        if "awaits_since" in str(command):
            assert "SORT" not in stages, command
            assert "'indexName': 'awaiting'" in str(plan), "and the index holds only what waits"


def _stages(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if isinstance(plan.get("stage"), str):
            yield plan["stage"]
        for name, inner in plan.items():
            if name != "rejectedPlans":
                yield from _stages(inner)
    elif isinstance(plan, list):
        for inner in plan:
            yield from _stages(inner)


def test_instants_are_fixed_width_text(zone: Desk) -> None:
    updated = zone.get("/v1/projects/red").json["updated_at"]
    assert updated == instant(datetime.fromisoformat(updated))
    assert datetime.fromisoformat(updated) < TODAY + timedelta(days=1)
