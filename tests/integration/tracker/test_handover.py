"""Handing over: one event moves everything a person holds, for readers in full or not at all; days stay behind."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import urllib3

from luodi.domain.events import (
    PERSON_HANDED_OVER,
    PERSON_REGISTERED,
    POST_HANDED_OVER,
    POST_REGISTERED,
    PROJECT_AMENDED,
    UNIT_REGISTERED,
)
from schemas import position
from services.tracker.holding import Holders, leading_to
from tests.integration.tracker.test_people import fits, get
from tests.integration.tracker.test_process import running
from tests.integration.tracker.test_queries import _stages
from tests.integration.tracker.world import World

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

PROJECTS = 200
KILLED_AFTER_S = (0.0, 0.004, 0.02, 0.06)


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer["items"]]


class Reader(threading.Thread):
    """Asks all the time for the projects of some persons; notes how many each answer held."""

    def __init__(self, url: str, persons: list[str]) -> None:
        super().__init__()
        self._url = url
        self._persons = persons
        self._http = urllib3.PoolManager(retries=False, timeout=10)
        self.stop = threading.Event()
        self.seen: list[int] = []
        self.sums: list[int] = []

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                for person in self._persons:
                    self._ask(f"officer={person}", self.seen)
                self._ask("officer=" + ",".join(self._persons), self.sums)
            except urllib3.exceptions.HTTPError:
                time.sleep(0.01)  # it was just killed

    def _ask(self, query: str, noted: list[int]) -> None:
        answer = self._http.request("GET", f"{self._url}/v1/projects?limit=500&zone=demo&{query}")
        if answer.status == 200:
            noted.append(len(answer.json()["items"]))


def test_a_handover_of_two_hundred_projects_is_in_effect_in_full_or_not_at_all_whatever_is_killed(
    world: World, tmp_path: Path
) -> None:
    r = world.recorder
    persons = [f"u-{number}" for number in range(len(KILLED_AFTER_S) + 1)]
    world.send(
        [
            *(r.event(f"person:{person}", PERSON_REGISTERED, {"zone": "demo"}) for person in persons),
            r.event("post:desk", POST_REGISTERED, {"name": "专员岗"}),
            r.event("post:desk", POST_HANDED_OVER, {"holder": persons[0], "date": "2026-01-01"}),
        ]
    )
    last = world.send(
        r.registered(f"p{number}", officer="desk" if number % 4 == 0 else persons[0]) for number in range(PROJECTS)
    )
    url, log = world.settings.tracker_listen.url, tmp_path / "log"
    with running(world, log) as process:
        world.await_applied(last)
        process.await_ready()
        process.end(signal.SIGTERM)
    reader = Reader(url, persons)
    reader.start()
    try:
        for handing, taking, delay in zip(persons[:-1], persons[1:], KILLED_AFTER_S, strict=True):
            with running(world, log) as process:
                process.await_ready()
                handed = r.event(f"person:{handing}", PERSON_HANDED_OVER, {"to": taking, "date": "2026-03-02"})
                after = position.encode(world.topic.tag, world.send([handed]))
                time.sleep(delay)
                process.end(signal.SIGKILL)
            with running(world, log) as process:
                process.await_ready()
                for person in persons:
                    held = ids(get(url, f"/v1/projects?limit=500&officer={person}&after={after}"))
                    assert len(held) == (PROJECTS if person == taking else 0)
                process.end(signal.SIGTERM)
    finally:
        reader.stop.set()
        reader.join()
    assert set(reader.seen) == {0, PROJECTS}
    assert set(reader.sums) == {PROJECTS}, "each project is somebody's, and nobody else's, in every single answer"


def test_lists_find_what_comes_down_to_a_person_and_answers_say_who_holds_it(world: World) -> None:
    r = world.recorder
    with world.tracker() as tracker:
        events = [
            r.event("person:u-a", PERSON_REGISTERED, {}),
            r.event("post:head", POST_REGISTERED, {"name": "组长", "unit": "power"}),
            r.event("post:head", POST_HANDED_OVER, {"holder": "u-a", "date": "2026-01-01"}),
            r.event("unit:power", UNIT_REGISTERED, {"name": "供电公司", "head": "head"}),
            r.registered("named", officer="u-a"),
            r.registered("posted", group_head="head", officer="u-c"),
            r.registered("led", lead_unit="power", leader="u-a"),
            r.milestone("led", date="2025-06-02"),
            r.event("person:u-a", PERSON_HANDED_OVER, {"to": "u-b", "date": "2026-03-10", "until": "2026-03-20"}),
        ]
        after = position.encode(world.topic.tag, world.send(events))

        def found(query: str) -> list[str]:
            return ids(get(tracker.address, f"/v1/projects?zone=demo&{query}&after={after}"))

        assert found("officer=u-a") == ["named"], "the handover is over today"
        assert found("group_head=u-a") == found("group_head=head") == ["posted"]
        assert found("lead_unit=power") == found("lead_unit=u-a") == found("leader=u-a") == ["led"]
        assert found("officer=u-b") == []
        (late,) = get(tracker.address, "/v1/stalled?zone=demo&as_of=2026-03-15&leader=u-b")["items"]
        assert (late["project_id"], late["leader"], late["holders"]) == ("led", "u-a", {"leader": "u-b"})
        # As of a day within it everything is the successor's.
        assert found("officer=u-b&as_of=2026-03-15") == ["named"]
        assert found("lead_unit=u-b&as_of=2026-03-15") == found("leader=u-b&as_of=2026-03-15") == ["led"]
        assert found("officer=u-a&as_of=2026-03-15") == []
        led = get(tracker.address, "/v1/projects/led?as_of=2026-03-15")
        assert (led["lead_unit"], led["holders"]) == ("power", {"lead_unit": "u-b", "leader": "u-b"})
        fits(led, "/v1/projects/{project_id}")
        assert get(tracker.address, "/v1/projects/led")["holders"] == {"lead_unit": "u-a", "leader": "u-a"}
        person = get(tracker.address, "/v1/people/u-a?on=2026-03-15")
        fits(person, "/v1/people/{person_id}")
        assert (person["handed_to"], person["acting"]) == ("u-b", "u-b")
        assert [(row["to"], row["date"], row["until"]) for row in person["handovers"]] == [
            ("u-b", "2026-03-10", "2026-03-20")
        ]


def test_an_entity_tag_changes_when_somebody_takes_over_though_the_project_does_not(world: World) -> None:
    r = world.recorder
    with world.tracker() as tracker:
        last = world.send([r.registered("p1", officer="u-a"), r.event("person:u-a", PERSON_REGISTERED, {})])
        url = f"{tracker.address}/v1/projects/p1"
        first = urllib3.request("GET", f"{url}?after={position.encode(world.topic.tag, last)}")
        tag = urllib3.request("GET", url).headers["ETag"]
        assert urllib3.request("GET", url, headers={"If-None-Match": tag}).status == 304
        handed = world.send([r.event("person:u-a", PERSON_HANDED_OVER, {"to": "u-b", "date": "2026-03-01"})])
        world.await_applied(handed)
        again = urllib3.request("GET", url, headers={"If-None-Match": tag})
        assert (again.status, again.json()["holders"]) == (200, {"officer": "u-b"})
        assert again.json()["version"] == first.json()["version"]


def test_days_stay_with_whoever_held_the_post(world: World) -> None:
    r = world.recorder
    with world.tracker() as tracker:
        events = [
            r.event("post:head", POST_REGISTERED, {"name": "组长"}),
            r.event("post:head", POST_HANDED_OVER, {"holder": "u-a", "date": "2026-01-01"}),
            r.event("post:head", POST_HANDED_OVER, {"holder": "u-b", "date": "2026-04-01"}),
            r.registered("p1", officer="u-a", group_head="head"),
            r.milestone("p1", date="2026-01-05"),  # and 90 days: yellow from 18 March, red from 6 April
            r.registered("p2", officer="u-a"),
            r.event("person:u-a", PERSON_HANDED_OVER, {"to": "u-c", "date": "2026-04-16"}),
            r.event("p2", PROJECT_AMENDED, {"officer": "u-d"}),
        ]
        after = position.encode(world.topic.tag, world.send(events))

        def days(person: str, more: str = "") -> dict[str, Any]:
            answer: dict[str, Any] = get(
                tracker.address, f"/v1/people/{person}/days?since=2026-03-01&until=2026-04-30{more}&after={after}"
            )
            fits(answer, "/v1/people/{person_id}/days")
            return answer

        def told(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
            return [
                (item["project_id"], item["field"], item["from"], item["to"], item["days"]["held"], item["days"]["red"])
                for item in answer["items"]
            ]

        assert told(days("u-a")) == [
            ("p1", "officer", "2026-03-01", "2026-04-15", 46, 10),
            ("p1", "group_head", "2026-03-01", "2026-03-31", 31, 0),
        ], "p2 was amended away on its first day"
        assert told(days("u-b")) == [("p1", "group_head", "2026-04-01", "2026-04-30", 30, 25)]
        assert told(days("u-c")) == [("p1", "officer", "2026-04-16", "2026-04-30", 15, 15)]
        assert told(days("u-d")) == [("p2", "officer", "2026-03-02", "2026-04-30", 60, 0)]
        totals = days("u-a")["totals"]
        assert totals["officer"] == {
            "projects": 1,
            "days": {"held": 46, "green": 17, "yellow": 19, "red": 10, "grey": 0, "blue": 0},
        }
        assert told(days("u-nobody")) == []
        first = days("u-a", "&limit=1")
        assert (len(first["items"]), first["next"]) == (2, None), "a project is not parted"


def test_every_question_who_leads_on_to_whom_uses_an_index(world: World) -> None:
    with world.tracker():
        pass
    plan = world.database["subjects"].find(leading_to(["u-a", "u-b"])).explain()["queryPlanner"]
    stages = list(_stages(plan["winningPlan"]))
    assert "COLLSCAN" not in stages
    assert stages.count("IXSCAN") == 4, "one for each way to lead on to somebody"
    assert Holders(world.database).of(["u-a"], "2026-03-02") == {"u-a": "u-a"}
