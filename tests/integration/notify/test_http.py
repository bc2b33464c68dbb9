"""The routes of notify on a real MongoDB: lists, filters, pages, languages, the live stream, plans of queries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import urllib3
from jsonschema import Draft202012Validator

from luodi.local.harness import Servers
from services.notify import streams as live
from services.notify.matters import opened
from services.notify.notifications import Notification
from services.notify.stores import INDEXES, RETIRED, Stores, ensure_indexes
from tests.integration.notify.world import World, lines_of, until
from tests.unit.notify.builders import COMPOSER, at, cleared_matter, deadline, open_matter, opening, red, watch

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


def row(number: int, **fields: Any) -> Notification:
    (made,) = COMPOSER.openings(open_matter(), ("inbox",), at(0))
    changes = {"id": f"n{number}", "created_at": at(number), "recipient": f"u{number % 2}", **fields}
    return replace(made, **changes)


@pytest.fixture(scope="module")
def world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One running notifier for all tests of this module."""
    made = World(servers, tmp_path_factory.mktemp("http"))
    made.notifier()
    yield made
    made.close()


@pytest.fixture
def stores(world: World) -> Stores:
    """The notifier's stores, emptied, to write to behind its back."""
    for collection in INDEXES:
        world.database[collection].delete_many({})
    return Stores.on(world.database)


def ids(answer: tuple[int, Any]) -> list[str]:
    status, body = answer
    assert status == 200, body
    return [item["id"] for item in body["items"]]


def test_the_inbox_lists_newest_first_page_by_page(world: World, stores: Stores) -> None:
    stores.notifications.insert([row(n) for n in range(7)])
    seen: list[str] = []
    cursor = ""
    while True:
        status, body = world.get(f"/v1/notifications?limit=3{cursor}")
        assert status == 200
        seen += [item["id"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
        stores.notifications.insert([row(100 + len(seen))])  # what comes meanwhile is on no later page
    assert seen == [f"n{n}" for n in range(6, -1, -1)]


def test_the_inbox_is_filtered(world: World, stores: Stores) -> None:
    stores.notifications.insert(
        [
            row(0, project_id="p-1"),
            row(1, kind="operations", project_id=None),
            row(2, project_id="p-1", kind="cleared"),
            row(3, project_id="p-2"),
        ]
    )
    assert ids(world.get("/v1/notifications?recipient=u1")) == ["n3", "n1"]
    assert ids(world.get("/v1/notifications?project_id=p-1")) == ["n2", "n0"]
    assert ids(world.get("/v1/notifications?kind=operations")) == ["n1"]
    assert ids(world.get("/v1/notifications?kind=digest")) == []
    assert ids(world.get("/v1/notifications?status=sent&project_id=p-2")) == ["n3"]
    assert ids(world.get(f"/v1/notifications?since={at(2)}")) == ["n3", "n2"]
    assert ids(world.get("/v1/notifications?since=2026-03-05T12:00:02%2B08:00")) == ["n3", "n2"]


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("kind=nonsense", "kind", "not-allowed"),
        ("status=nonsense", "status", "not-allowed"),
        ("since=yesterday", "since", "bad-instant"),
        ("since=2026-03-05T12:00:02", "since", "bad-instant"),
        ("limit=0", "limit", "not-allowed"),
        ("limit=501", "limit", "not-allowed"),
        ("limit=many", "limit", "not-allowed"),
        ("cursor=%25", "cursor", "bad-cursor"),
        ("cursor=WzEsMl0", "cursor", "bad-cursor"),
        ("recipients=u1", "recipients", "unknown-parameter"),
    ],
)
def test_a_question_that_is_none_is_refused_by_name(world: World, query: str, pointer: str, code: str) -> None:
    status, body = world.get(f"/v1/notifications?{query}")
    assert (status, body["code"]) == (400, "bad-query")
    assert [(e["pointer"], e["code"]) for e in body["errors"]] == [(pointer, code)]


def test_texts_come_in_the_language_of_the_caller(world: World, stores: Stores) -> None:
    stores.notifications.insert([row(0)])
    _, zh = world.get("/v1/notifications")
    _, en = world.get("/v1/notifications", language="en-GB,en;q=0.9")
    assert zh["items"][0]["title"].startswith("示例精密部件：开工超期")
    assert en["items"][0]["title"].startswith("示例精密部件: the start of construction is")
    assert "Example Zone" in en["items"][0]["text"]


def fits(body: Any, name: str) -> None:
    """Fail unless a body is what the generated OpenAPI document says."""
    contract = json.loads(resources.files("schemas").joinpath("generated", "openapi-notify.json").read_text())
    schema = {"$ref": f"#/components/schemas/{name}", "components": contract["components"]}
    Draft202012Validator(schema).validate(body)
    described = contract["components"]["schemas"][name]["properties"]
    assert set(body) <= set(described), f"members the contract does not tell of: {set(body) - set(described)}"


def test_what_is_answered_is_what_the_contract_says(world: World, stores: Stores) -> None:
    fault = replace(
        opening(matter="operations:watermark:0"),
        kind="operations",
        project_id=None,
        zone=None,
        facts={"fault": "watermark", "partition": 0, "since": at(0)},
        telling="operations",  # the notifier that runs beside the test sees it through
        why="watermark",
    )
    again = opened(cleared_matter(), opening(), at(9))
    stores.matters.compare_and_set([(None, again), (None, opened(None, fault, at(1)))])
    over = replace(again.completed(), id="m-over").cleared(at(10), {"code": "withdrawn", "date": None}, None)
    stores.matters.compare_and_set([(None, over)])
    stores.notifications.insert([row(0), row(1, project_id=None, gap=None, rule=None, url=None, zone=None)])
    _, listed = world.get("/v1/notifications")
    for item in listed["items"]:
        fits(item, "Notification")
    _, matters = world.get("/v1/matters")
    assert len(matters["items"]) == 3
    for item in matters["items"]:
        fits(item, "Matter")
        fits(world.get(f"/v1/matters/{item['id']}")[1], "Matter")


def test_a_notification_has_the_members_of_the_contract(world: World, stores: Stores) -> None:
    stores.notifications.insert([row(0)])
    _, body = world.get("/v1/notifications")
    wanted = {"id", "kind", "project_id", "gap", "rule", "level", "recipient", "status", "title", "text", "url"}
    wanted |= {"created_at", "deliveries"}
    assert wanted <= set(body["items"][0])
    assert body["items"][0]["deliveries"] == [
        {
            "channel": "inbox",
            "status": "sent",
            "attempts": 1,
            "sent_at": at(0),
            "error": None,
            "next_at": None,
            "history": [],
        }
    ]


def test_matters_are_listed_and_one_is_told_whole(world: World, stores: Stores) -> None:
    again = opened(cleared_matter(), opening(), at(9))
    other = opened(None, replace(opening(matter="p-2:signed-started"), zone="real", people=("u-li",)), at(5))
    stores.matters.compare_and_set([(None, again), (None, other)])
    stores.notifications.insert([row(0, episode=1), row(1, episode=2, order=2000)])
    assert ids(world.get("/v1/matters")) == [again.id, other.id]
    assert ids(world.get("/v1/matters?zone=real")) == [other.id]
    assert ids(world.get("/v1/matters?person=u-zhang&state=open")) == [again.id]
    assert ids(world.get("/v1/matters?state=cleared")) == []
    status, body = world.get(f"/v1/matters/{again.id}", language="en")
    assert status == 200
    assert (body["state"], body["episode"], body["due"], body["recipients"]) == ("open", 2, "2026-03-05", ["u-zhang"])
    assert body["reason"]["text"].startswith("Overdue: the start of construction was due by 2026-03-05")
    assert [(past["episode"], past["clearing"]["code"]) for past in body["episodes"]] == [(1, "stage-reached")]
    assert [n["id"] for n in body["notifications"]] == ["n1", "n0"]
    status, body = world.get("/v1/matters/none:such")
    assert (status, body["code"]) == (404, "not-found")


def test_a_stream_tells_what_is_written_after_its_head_was_read(world: World, stores: Stores) -> None:
    lines = lines_of(world.base, "/v1/notifications/stream?recipient=u1")
    assert next(lines).startswith("retry:")
    stores.notifications.insert([row(n) for n in range(4)])
    events = _events(lines, 2)
    assert [event["data"]["id"] for event in events] == ["n1", "n3"]
    lines.close()


def test_a_client_that_comes_back_misses_nothing(world: World, stores: Stores) -> None:
    lines = lines_of(world.base, "/v1/notifications/stream")
    next(lines)
    stores.notifications.insert([row(0)])
    (first,) = _events(lines, 1)
    lines.close()
    stores.notifications.insert([row(1), row(2)])
    lines = lines_of(world.base, "/v1/notifications/stream", **{"Last-Event-ID": first["id"]})
    assert [event["data"]["id"] for event in _events(lines, 2)] == ["n1", "n2"]
    lines.close()


@pytest.mark.parametrize("token", ["not-a-token", "00", "82"])
def test_an_id_that_is_not_known_any_more_is_answered_with_a_reset(world: World, stores: Stores, token: str) -> None:
    lines = lines_of(world.base, "/v1/notifications/stream", **{"Last-Event-ID": token})
    (reset,) = _events(lines, 1)
    assert reset["event"] == "reset"
    stores.notifications.insert([row(5)])
    assert [event["data"]["id"] for event in _events(lines, 1)] == ["n5"]
    lines.close()


@pytest.fixture
def quick_beats(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stream whose client has left notices when it writes; here it writes often. None is open before and after."""
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.1)
    until(partial(_no_streams, world), "no stream open")
    yield
    until(partial(_no_streams, world), "no stream left open")


def test_streams_are_bounded_and_leave_room_for_others(world: World, stores: Stores, quick_beats: None) -> None:
    pools = urllib3.PoolManager(maxsize=live.MAX_STREAMS + 2, retries=False)
    held = [
        pools.request("GET", f"{world.base}/v1/notifications/stream", preload_content=False)
        for _ in range(live.MAX_STREAMS)
    ]
    assert {answer.status for answer in held} == {200}
    status, body = world.get("/v1/notifications/stream")
    assert (status, body["code"]) == (503, "too-many-streams")
    assert world.ready()
    assert world.http.request("HEAD", f"{world.base}/v1/notifications/stream").status == 200
    for answer in held:
        answer.close()
    pools.clear()


def test_a_stream_ends_when_the_service_stops(servers: Servers, tmp_path: Path) -> None:
    other = World(servers, tmp_path)
    service = other.notifier()
    lines = lines_of(other.base, "/v1/notifications/stream")
    next(lines)
    ended: list[list[str]] = []
    reader = threading.Thread(target=lambda: ended.append(list(lines)), daemon=True)
    reader.start()
    other.end(service)
    reader.join(10)
    assert len(ended) == 1
    other.close()


def test_a_client_that_leaves_gives_its_place_back(world: World, stores: Stores, quick_beats: None) -> None:
    for _ in range(3):
        held = [lines_of(world.base, "/v1/notifications/stream") for _ in range(live.MAX_STREAMS // 2)]
        for lines in held:
            next(lines)
        for lines in held:
            lines.close()
        until(
            lambda: b"luodi_notify_streams 0.0" in world.http.request("GET", f"{world.base}/metrics").data,
            "all places free",
        )


def _no_streams(world: World) -> bool:
    return b"luodi_notify_streams 0.0" in world.http.request("GET", f"{world.base}/metrics").data


def _events(lines: Iterator[str], count: int) -> list[dict[str, Any]]:
    """The next events, comments left out."""
    found: list[dict[str, Any]] = []
    current: dict[str, Any] = {}
    for line in lines:
        if line == "":
            if "event" in current:
                found.append(current)
                if len(found) == count:
                    return found
            current = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            current[name] = json.loads(value) if name == "data" else value
    raise AssertionError("the stream ended early")


# -- plans -------------------------------------------------------------------------------------------------------------


def test_every_query_is_served_by_an_index_and_reads_no_more_than_it_answers(world: World, stores: Stores) -> None:
    many = 300
    stores.watches.put(
        [
            watch(deadline(red(100)), project_id=f"p{n}", partition=n % 4, next_due=at(n), unreadable=False)
            for n in range(many)
        ]
    )
    stores.matters.compare_and_set(
        [
            (
                None,
                opened(
                    None, replace(opening(matter=f"m{n}"), project_id=f"p{n}", people=(f"u{n}",)), at(n)
                ).completed(),
            )
            for n in range(many)
        ]
    )
    before = [
        matter for matters in stores.matters.of_projects([f"p{n}" for n in range(many)]).values() for matter in matters
    ]
    stores.matters.compare_and_set([(matter, matter.completed()) for matter in before])
    (made,) = COMPOSER.openings(open_matter(), ("inbox", "webhook"), at(0))
    stores.notifications.insert(
        [
            replace(made, id=f"n{n}", matter=f"m{n}", created_at=at(n), recipient=f"u{n % 100}", project_id=f"p{n}")
            for n in range(many)
        ]
    )
    newest = {"sort": {"created_at": -1, "_id": -1}, "limit": 5}
    due = {"deliveries": {"$elemMatch": {"channel": "webhook", "due_at": {"$lte": at(9)}}}}
    ahead = {
        "matter": {"$in": ["m7", "m8", "m9"]},
        "deliveries": {"$elemMatch": {"channel": "webhook", "status": {"$in": ["queued", "sending"]}}},
    }
    idle = {"deliveries": {"$elemMatch": {"channel": {"$in": ["log", "webhook"]}, "due_at": {"$lte": at(-1)}}}}
    queries: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
        # collection, filter, options, documents that may be read
        ("watches", {"partition": 1, "next_due": {"$lte": at(20)}}, {"sort": {"next_due": 1}, "limit": 500}, 5),
        ("watches", {"$or": [{"partition": p, "next_due": {"$lte": at(20)}} for p in (0, 1)]}, {"limit": 1}, 1),
        ("watches", {"$or": [{"partition": p, "next_due": {"$lte": at(-1)}} for p in (0, 1)]}, {"limit": 1}, 0),
        ("watches", {"partition": {"$in": [0, 1]}, "unreadable": True}, {}, 0),
        ("matters", {"partition": {"$in": [0, -1]}, "complete": False}, {"limit": 500}, 0),
        ("matters", {"state": "open", "kind": "operations", "partition": {"$in": [0]}}, {}, 0),
        ("matters", {"project_id": {"$in": ["p1", "p2"]}}, {}, 2),
        ("matters", {"people": "u7"}, {"sort": {"opened_at": -1, "_id": -1}, "limit": 5}, 1),
        ("matters", {"zone": "demo"}, {"sort": {"opened_at": -1, "_id": -1}, "limit": 5}, 5),
        ("matters", {"state": "open"}, {"sort": {"opened_at": -1, "_id": -1}, "limit": 5}, 5),
        ("matters", {}, {"sort": {"opened_at": -1, "_id": -1}, "limit": 5}, 5),
        ("notifications", due, {"limit": 5, "hint": "shared"}, 5),
        ("notifications", idle, {"limit": 1, "hint": "shared"}, 0),
        ("notifications", {**due, "partition": {"$in": [0, 1, -1]}}, {"limit": 5, "hint": "shared"}, 5),
        ("notifications", {**due, "partition": {"$in": [7, -1]}}, {"limit": 5, "hint": "shared"}, 0),
        ("notifications", ahead, {"hint": "matter"}, 3),
        ("notifications", {"matter": "m7", "episode": 1}, {"sort": {"order": 1}}, 1),
        ("notifications", {}, newest, 5),
        ("notifications", {"recipient": "u7"}, newest, 3),
        ("notifications", {"project_id": "p7"}, newest, 1),
        ("notifications", {"kind": "stalled"}, newest, 5),
        ("notifications", {"status": "queued"}, newest, 5),
        ("notifications", {"$and": [{"created_at": {"$gte": at(290)}}]}, newest, 5),
    ]
    for collection, query, options, read in queries:
        plan = world.database.command(
            "explain", {"find": collection, "filter": query, **options}, verbosity="executionStats"
        )
        stages = _stages(plan["queryPlanner"]["winningPlan"])
        assert "COLLSCAN" not in stages, (collection, query, stages)
        assert "SORT" not in stages, (collection, query, stages)
        assert plan["executionStats"]["totalDocsExamined"] <= read, (collection, query, plan["executionStats"])


def _stages(plan: dict[str, Any]) -> list[str]:
    found = [str(plan.get("stage"))]
    for inner in ("inputStage", "queryPlan"):
        if inner in plan:
            found += _stages(plan[inner])
    for stage in plan.get("inputStages", ()):
        found += _stages(stage)
    return found


def test_an_index_of_an_earlier_version_is_dropped(world: World, stores: Stores) -> None:
    (name, index), *_ = RETIRED
    world.database[name].create_index("deliveries.channel", name=index)
    ensure_indexes(world.database)
    assert index not in world.database[name].index_information()


def test_the_indexes_exist_as_listed(world: World, stores: Stores) -> None:
    for collection, models in INDEXES.items():
        kept = set(world.database[collection].index_information())
        assert kept == {"_id_", *(model.document["name"] for model in models)}
