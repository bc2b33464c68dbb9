"""Units, persons and posts through a real Kafka and a real MongoDB: events in, documents, answers and states out."""

from __future__ import annotations

import json
import random
from importlib import resources
from typing import Any

import jsonschema
import orjson
import pytest
import urllib3

from luodi.domain.events import (
    EVENT_RETRACTED,
    LEAVE_GRANTED,
    NOTE_ADDED,
    PERSON_REGISTERED,
    POST_HANDED_OVER,
    POST_REGISTERED,
    UNIT_AMENDED,
    UNIT_REGISTERED,
    Event,
)
from luodi.domain.fold import fold
from luodi.domain.kinds import KINDS
from luodi.domain.subjects import is_project, kind_of
from luodi.runtime.metrics import Metrics
from schemas import codec, position, states
from services.tracker import rebuild
from services.tracker.ports import Document
from services.tracker.subjects import MongoOthers
from tests.integration.tracker.test_commands import Run
from tests.integration.tracker.test_commands import run as run  # the fixture
from tests.integration.tracker.test_queries import _stages
from tests.integration.tracker.world import Recorder, World, until

pytestmark = pytest.mark.stack

OPENAPI = json.loads(resources.files("schemas").joinpath("generated", "openapi-tracker.json").read_bytes())


def told(r: Recorder) -> list[Event]:
    """A task force: a unit led by a post, the post handed over, its first holder on leave, and a project of it."""
    wrong = r.event("post:head", POST_HANDED_OVER, {"holder": "u-nobody", "date": "2026-02-01"})
    return [
        r.event("unit:power", UNIT_REGISTERED, {"name": "供电公司", "zone": "demo", "head": "head"}),
        r.event("unit:power", UNIT_AMENDED, {"name": "供电分公司"}),
        r.event("unit:water", UNIT_REGISTERED, {"name": "供水公司", "zone": "demo", "kind": "公用"}),
        r.event("post:head", POST_REGISTERED, {"name": "组长", "zone": "demo", "unit": "power"}),
        r.event("post:head", POST_HANDED_OVER, {"holder": "u-zhang", "date": "2026-01-01"}),
        r.event("post:head", POST_HANDED_OVER, {"holder": "u-li", "date": "2026-03-09"}),
        wrong,
        r.event("post:head", EVENT_RETRACTED, {"event_id": wrong.id, "reason": "误报"}),
        r.event("post:deputy", POST_REGISTERED, {"name": "副组长", "zone": "demo"}),
        r.event("post:deputy", POST_HANDED_OVER, {"holder": "u-zhang", "date": "2026-01-01", "until": "2026-06-30"}),
        r.event("person:u-zhang", PERSON_REGISTERED, {"zone": "demo", "unit": "power", "deputies": ["u-wang"]}),
        r.event("person:u-zhang", LEAVE_GRANTED, {"date": "2026-02-02", "until": "2026-02-06"}),
        r.event("person:u-li", PERSON_REGISTERED, {"zone": "demo"}),
        r.event("person:u-wang", NOTE_ADDED, {"text": "到岗前"}),
        r.registered("power", group_head="head"),  # a project may have the id of a unit
        r.milestone("power"),
    ]


def documents(world: World) -> dict[str, Document]:
    return world.documents() | {row["_id"]: row for row in world.database["subjects"].find()}


def check(world: World, events: list[Event]) -> None:
    found, published = documents(world), world.published()
    assert found.keys() == published.keys() == {event.subject for event in events}
    assert {row["_id"] for row in world.database["projects"].find()} == {s for s in found if is_project(s)}
    for subject, document in found.items():
        mine = {event.id: event for event in events if event.subject == subject}
        assert document["fold"] == orjson.dumps(fold(mine.values(), KINDS[kind_of(subject)].empty)), subject
        assert published[subject] == orjson.loads(states.encode_state(document)), subject


def get(address: object, path: str, status: int = 200) -> Any:
    answer = urllib3.request("GET", f"{address}{path}", retries=False)
    assert answer.status == status, answer.data
    return answer.json()


def fits(body: Any, path: str) -> None:
    """The answer is what the contract says of this address."""
    schema = OPENAPI["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(body, {**schema, "components": OPENAPI["components"]})


def test_any_order_repetition_and_retraction_end_in_the_same_documents_of_every_kind(world: World) -> None:
    events = told(world.recorder)
    shuffled = events * 3
    random.Random(3).shuffle(shuffled)
    with world.tracker(max_poll_records=5):
        world.await_applied(world.send(shuffled))
    check(world, events)
    assert world.rejected() == []
    post = documents(world)["post:head"]
    assert [(row["holder"], row["date"], row["until"]) for row in post["holders"]] == [
        ("u-zhang", "2026-01-01", "2026-03-08"),
        ("u-li", "2026-03-09", None),
    ]


def test_who_acts_on_a_day_is_answered_over_http_and_includes_what_was_just_recorded(world: World) -> None:
    events = told(world.recorder)
    with world.tracker() as tracker:
        at = position.encode(world.topic.tag, world.send(events))
        head = get(tracker.address, f"/v1/posts/head?on=2026-03-08&after={at}")
        fits(head, "/v1/posts/{post_id}")
        assert (head["on"], head["holder"], head["acting"]) == ("2026-03-08", "u-zhang", "u-zhang")
        by_day = {
            day: get(tracker.address, f"/v1/units/power?on={day}")["acting"]
            for day in ("2025-12-31", "2026-02-01", "2026-02-02", "2026-02-06", "2026-03-09")
        }
        # A unit whose head nobody holds stands for itself; of u-wang a note is all that is known.
        assert list(by_day.values()) == ["power", "u-zhang", "u-wang", "u-wang", "u-li"]
        zhang = get(tracker.address, "/v1/people/u-zhang?on=2026-02-02")
        fits(zhang, "/v1/people/{person_id}")
        assert (zhang["posts"], zhang["on_leave"], zhang["acting"]) == (["deputy", "head"], True, "u-wang")
        assert get(tracker.address, "/v1/people/u-zhang?on=2026-03-09")["posts"] == ["deputy"]
        assert get(tracker.address, "/v1/people/u-zhang?on=2026-07-01")["posts"] == []
        power = get(tracker.address, "/v1/units/power")
        fits(power, "/v1/units/{unit_id}")
        assert (power["id"], power["name"], power["version"]) == ("power", "供电分公司", 2)
        wang = get(tracker.address, "/v1/people/u-wang")
        assert (wang["registered"], wang["on_leave"], wang["acting"]) == (False, False, "u-wang")
        # The project of the same id is another thing, and nothing of a unit is a project.
        assert get(tracker.address, "/v1/projects/power")["group_head"] == "head"
        get(tracker.address, "/v1/projects/unit:water", 404)
        get(tracker.address, "/v1/projects/unit:water/timeline", 404)
        get(tracker.address, "/v1/units/head", 404)
        get(tracker.address, "/v1/units/power?on=2026-13-01", 400)
        assert get(tracker.address, "/v1/funnel?zone=demo")["total"]["projects"] == 1


def test_lists_hold_what_is_registered_page_by_page_and_by_their_fields(world: World) -> None:
    with world.tracker() as tracker:
        at = position.encode(world.topic.tag, world.send(told(world.recorder)))
        units = get(tracker.address, f"/v1/units?after={at}")
        fits(units, "/v1/units")
        assert [unit["id"] for unit in units["items"]] == ["power", "water"]
        first = get(tracker.address, "/v1/units?limit=1")
        second = get(tracker.address, f"/v1/units?limit=1&cursor={first['next']}")
        assert [page["items"][0]["id"] for page in (first, second)] == ["power", "water"]
        assert second["next"] is None
        assert [unit["id"] for unit in get(tracker.address, "/v1/units?kind=公用")["items"]] == ["water"]
        assert [unit["id"] for unit in get(tracker.address, "/v1/units?q=供电")["items"]] == ["power"]
        people = get(tracker.address, "/v1/people")
        fits(people, "/v1/people")
        assert [person["id"] for person in people["items"]] == ["u-li", "u-zhang"], "one noted is not registered"
        posts = get(tracker.address, "/v1/posts?zone=demo")
        fits(posts, "/v1/posts")
        assert [post["id"] for post in posts["items"]] == ["deputy", "head"]
        get(tracker.address, "/v1/posts?head=x", 400)
        timeline = get(tracker.address, "/v1/posts/head/timeline")
        fits(timeline, "/v1/posts/{post_id}/timeline")
        assert [item["type"] for item in timeline["items"]].count("post.handed_over") == 3


def test_an_event_of_the_wrong_kind_of_subject_goes_to_the_rejected_topic_and_delays_nobody(world: World) -> None:
    r = world.recorder
    wrong = [
        r.event("unit:power", POST_HANDED_OVER, {"holder": "u-li", "date": "2026-03-09"}),
        r.event("nothing:demo", NOTE_ADDED, {"text": "?"}),
        r.event("person:", PERSON_REGISTERED, {}),
        r.event("post:a:b", POST_REGISTERED, {"name": "组长"}),
    ]
    events = told(r)
    partition = world.partition("unit:power")
    world.send_raw((partition, event.subject.encode(), codec.encode(event)) for event in wrong)
    with world.tracker():
        world.await_applied(world.send(events))
        until(lambda: len(world.rejected()) == len(wrong), "all four are rejected")
    assert {row["reason"] for row in world.rejected()} == {"bad-id"}
    check(world, events)


def test_a_late_replace_of_a_unit_is_refused_and_a_late_record_is_followed_by_the_stored_one(world: World) -> None:
    events = told(world.recorder)
    metrics = Metrics()
    with world.tracker(metrics=metrics):
        world.await_applied(world.send(events[:1]))
        old = documents(world)["unit:power"]
        world.await_applied(world.send(events[1:]))
        newest = documents(world)["unit:power"]
        MongoOthers(world.database).offer([old])
        assert documents(world)["unit:power"] == newest
        world.producer.send(
            world.settings.topics.states,
            value=states.encode_state(old),
            key=b"unit:power",
            headers=states.guard_headers(old),
            partition=old["partition"],
        ).get(timeout=10)
        until(lambda: world.published()["unit:power"]["events"] == 2, "the stored document is published again")
        assert metrics.healed._value.get() == 1
    check(world, events)


def test_units_persons_and_posts_are_renewed_with_the_rules_like_projects(world: World) -> None:
    events = told(world.recorder)
    with world.tracker():
        world.await_applied(world.send(events))
    world.database["rulesets"].update_one({"_id": 1}, {"$set": {"digest": "what an older version had"}})
    with world.tracker():
        until(lambda: {d["ruleset"] for d in documents(world).values()} == {2}, "every document is renewed")
        until(lambda: {d["ruleset"] for d in world.published().values()} == {2}, "every document is published")
    check(world, events)


def test_a_comparison_finds_a_spoilt_post_and_a_rebuild_mends_it(world: World, run: Run) -> None:
    events = told(world.recorder)
    with world.tracker():
        world.await_applied(world.send(events))
        code, text = run(rebuild.main, "--compare", "--json")
        assert code == 0, text
        assert '"subjects": 7' in text
        world.database["subjects"].update_one({"_id": "post:head"}, {"$set": {"holders": []}})
        world.database["subjects"].delete_one({"_id": "unit:water"})
        code, text = run(rebuild.main, "--compare")
        assert code == 1
        assert "post:head" in text
        assert "unit:water" in text
        code, text = run(rebuild.main)
        assert code == 0, text
        code, text = run(rebuild.main, "--compare")
        assert code == 0, text
    check(world, events)
    assert not {"shadow_subjects"} & set(world.database.list_collection_names())


def test_every_question_about_people_uses_an_index(world: World) -> None:
    with world.tracker():
        world.await_applied(world.send(told(world.recorder)))
    bound = {"_id": {"$gt": "post:", "$lt": "post;"}}
    for asked, hint in (
        ({"$and": [bound, {"registered": True}, {"zone": "demo"}]}, "_id_"),
        ({**bound, "holders.holder": "u-zhang"}, "holders"),
    ):
        plan = world.database["subjects"].find(asked).sort("_id").hint(hint).explain()["queryPlanner"]
        stages = set(_stages(plan))
        assert "COLLSCAN" not in stages
        assert "IXSCAN" in stages
