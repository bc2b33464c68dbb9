"""Task forces: follow-ups, what is not kept up, and weekly reports, through a real Kafka and a real MongoDB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from luodi.domain.events import (
    BLOCKER_RAISED,
    EVENT_RETRACTED,
    PERSON_HANDED_OVER,
    POST_HANDED_OVER,
    POST_REGISTERED,
    Event,
)
from luodi.domain.taskforce import FOLLOWUP_LOGGED, TEAM_AMENDED, TEAM_REGISTERED
from luodi.runtime.clock import ManualClock
from schemas import position
from tests.integration.tracker.test_people import fits, get
from tests.integration.tracker.test_queries import _stages
from tests.integration.tracker.world import Recorder, World

pytestmark = pytest.mark.stack

AT_WORK = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # Wednesday of the week in which everything is recorded


def told(r: Recorder) -> list[Event]:
    """Two task forces, one of a chain; projects of theirs and of nobody's; what was logged on them."""
    wrong = r.event("p1", FOLLOWUP_LOGGED, {"date": "2026-03-02", "done": "误报"})
    return [
        r.event("post:head", POST_REGISTERED, {"name": "组长"}),
        r.event("post:head", POST_HANDED_OVER, {"holder": "u-head", "date": "2026-01-01"}),
        r.event(
            "team:chain", TEAM_REGISTERED, {"name": "新材料专班", "zone": "demo", "chain": "新材料", "head": "head"}
        ),
        r.event("team:people", TEAM_REGISTERED, {"name": "重点专班", "zone": "demo", "members": ["u-a"]}),
        r.event("team:people", TEAM_AMENDED, {"head": "head"}),
        r.registered("p1", chain="新材料", officer="u-a", key=True),
        r.registered("p2", chain="新材料", officer="u-z"),
        r.registered("p3", officer="u-c", group_head="head"),
        r.registered("p4", officer="u-z"),
        r.registered("p5", zone="weinan", officer="u-a"),
        r.milestone("p1", date="2026-02-27"),
        r.event(
            "p1",
            FOLLOWUP_LOGGED,
            {"date": "2026-02-26", "way": "走访", "done": "走访", "next": "踏勘", "next_date": "2026-03-03"},
        ),
        r.event("p1", FOLLOWUP_LOGGED, {"date": "2026-03-02", "unchanged": True}),
        wrong,
        r.event("p1", EVENT_RETRACTED, {"event_id": wrong.id, "reason": "误报"}),
        r.event("p2", FOLLOWUP_LOGGED, {"date": "2026-03-01", "way": "电话", "done": "电话", "needs_leader": True}),
        r.event("p3", BLOCKER_RAISED, {"kind": "用电", "date": "2026-03-02"}),
    ]


def move(clock: ManualClock, to: datetime) -> None:
    clock.advance((to - clock.now()).total_seconds())


def logged(answer: Any) -> list[tuple[str, str, str | None]]:
    return [(item["project_id"], item["date"], item["done"]) for item in answer["items"]]


def test_what_was_logged_is_listed_over_projects_and_asked_for_in_every_way(world: World) -> None:
    with world.tracker(clock=ManualClock(AT_WORK)) as tracker:
        after = position.encode(world.topic.tag, world.send(told(world.recorder)))

        def ask(query: str = "", status: int = 200) -> Any:
            return get(tracker.address, f"/v1/followups?{query}&after={after}", status)

        everything = ask()
        fits(everything, "/v1/followups")
        one = [("p1", "2026-03-02", None), ("p1", "2026-02-26", "走访")]
        assert logged(everything) == [*one, ("p2", "2026-03-01", "电话")]
        assert logged(ask("officer=u-a")) == logged(ask("project_id=p1")) == logged(ask("key=true")) == one
        assert logged(ask("team=chain")) == logged(everything)
        assert logged(ask("team=people")) == one
        assert logged(ask("way=走访,现场")) == one[1:]
        assert logged(ask("since=2026-03-01&until=2026-03-01")) == [("p2", "2026-03-01", "电话")]
        assert logged(ask("needs_leader=true")) == [("p2", "2026-03-01", "电话")]
        assert logged(ask("next_before=2026-03-04")) == [("p1", "2026-02-26", "走访")], (
            "said again, and still to be done"
        )
        assert logged(ask("next_before=2026-03-03")) == []
        first = ask("limit=1")
        rest = ask(f"limit=5&cursor={first['next']}")
        assert logged(first) + logged(rest) == logged(everything)
        assert rest["next"] is None
        for query in ("way=微信", "needs_leader=1", "since=2026", "colour=red"):
            ask(query, 400)
        ask("team=nobody", 404)
        project = get(tracker.address, "/v1/projects/p1")
        fits(project, "/v1/projects/{project_id}")
        assert (project["followups"]["count"], project["followups"]["stands"]["next"]) == (2, "踏勘")
        assert get(tracker.address, "/v1/projects/p4")["followups"] is None


def test_what_a_task_force_follows_is_its_chain_or_what_names_its_people(world: World) -> None:
    r = world.recorder
    clock = ManualClock(AT_WORK)
    with world.tracker(clock=clock) as tracker:
        after = position.encode(world.topic.tag, world.send(told(r)))

        def ids(query: str, status: int = 200) -> list[str]:
            answer = get(tracker.address, f"/v1/projects?{query}&after={after}", status)
            return [item["id"] for item in answer.get("items", ())]

        assert ids("team=chain") == ["p1", "p2"]
        assert ids("team=people") == ["p1", "p3"], "by an officer who is a member, and by the post that heads it"
        assert ids("team=people,chain&key=true") == ["p1"]
        clock.advance(60)
        after = position.encode(
            world.topic.tag,
            world.send([r.event("person:u-c", PERSON_HANDED_OVER, {"to": "u-a", "date": "2026-03-01"})]),
        )
        assert ids("team=people&officer=u-a") == ["p1", "p3"]
        ids("team=people&as_of=2026-03-03", 400)
        teams = get(tracker.address, "/v1/teams?members=u-a")
        fits(teams, "/v1/teams")
        assert [(team["id"], team["head"], team["members"]) for team in teams["items"]] == [("people", "head", ["u-a"])]
        team = get(tracker.address, "/v1/teams/chain")
        fits(team, "/v1/teams/{team_id}")
        assert (team["chain"], team["registered"]) == ("新材料", True)


def test_a_project_of_which_nothing_is_recorded_is_not_updated_until_something_is(world: World) -> None:
    r = world.recorder
    clock = ManualClock(AT_WORK)
    with world.tracker(clock=clock) as tracker:
        after = position.encode(world.topic.tag, world.send(told(r)))

        def stale(query: str = "") -> list[str]:
            answer = get(tracker.address, f"/v1/projects?stale=true&{query}after={after}")
            return [item["id"] for item in answer["items"]]

        assert stale() == []
        move(clock, datetime(2026, 3, 9, 15, 59, tzinfo=UTC))  # the fifth working day is not over
        assert stale() == []
        move(clock, datetime(2026, 3, 9, 16, 0, tzinfo=UTC))
        assert stale() == ["p1"], "a key project"
        project = get(tracker.address, "/v1/projects/p1")
        fits(project, "/v1/projects/{project_id}")
        assert project["stale"] == {
            "since": "2026-03-10",
            "workdays": 6,
            "reason": {"code": "not-updated", "text": "2026-03-02以来未更新，已过6个工作日"},
        }
        assert project["light"] == "green", "a badge, never a light"
        move(clock, datetime(2026, 3, 31, 0, 0, tzinfo=UTC))
        assert stale("zone=demo&") == ["p1", "p2", "p3", "p4"]
        kept = get(tracker.address, "/v1/projects?stale=false&zone=demo")
        assert kept["items"] == []
        after = position.encode(
            world.topic.tag,
            world.send(
                [
                    Event(
                        "p1",
                        "tap",
                        FOLLOWUP_LOGGED,
                        "2026-03-31T00:00:00.000Z",
                        0,
                        "u-a",
                        {"date": "2026-03-31", "unchanged": True},
                    )
                ]
            ),
        )
        assert stale("zone=demo&") == ["p2", "p3", "p4"]
        get(tracker.address, "/v1/projects?stale=maybe", 400)
        get(tracker.address, "/v1/projects?stale=true&known_at=2026-03-30", 400)


def test_the_weekly_report_of_a_task_force_is_made_of_what_was_recorded(world: World) -> None:
    r = world.recorder
    clock = ManualClock(AT_WORK)
    with world.tracker(clock=clock) as tracker:
        after = position.encode(world.topic.tag, world.send(told(r)))
        week = get(tracker.address, f"/v1/weekly?team=chain&after={after}")
        fits(week, "/v1/weekly")
        assert (week["week"], week["from"], week["to"]) == ("2026-W10", "2026-03-02", "2026-03-08")
        assert week["team"]["name"] == "新材料专班"
        assert week["counts"] == {
            "projects": 2,
            "updated": 2,
            "unchanged": 0,
            "not_updated": 0,
            "with_problems": 0,
            "to_coordinate": 1,
        }
        one, two = week["items"]
        assert [line["text"] for line in one["progress"]] == ["签约（2026-02-27）", "走访：走访"]
        assert [line["text"] for line in one["plan"]] == ["踏勘（2026-03-03前）"]
        assert [line["text"] for line in two["coordination"]] == ["请领导协调：电话"]
        three = get(tracker.address, "/v1/weekly?project_id=p3")["items"][0]
        assert three["text"] == (
            "本周进展：无。下周计划：无。存在问题：用电，责任单位（待认领），未承诺时限。需协调：用电待认领。"
        )
        get(tracker.address, "/v1/weekly?project_id=p3&week=2026-W11", 400)
        get(tracker.address, "/v1/weekly?project_id=p3&week=2026-W09", 404)
        get(tracker.address, "/v1/weekly", 400)
        get(tracker.address, "/v1/weekly?team=chain&project_id=p3", 400)
        get(tracker.address, "/v1/weekly?team=nobody", 404)
        get(tracker.address, "/v1/weekly?team=chain&week=10", 400)
        # A week that is over stays as it was, whatever is recorded later.
        move(clock, datetime(2026, 3, 18, 2, 0, tzinfo=UTC))
        late = Event(
            "p1", "late", FOLLOWUP_LOGGED, "2026-03-17T00:00:00.000Z", 0, "u-a", {"date": "2026-03-05", "done": "补记"}
        )
        after = position.encode(world.topic.tag, world.send([late]))
        again = get(tracker.address, f"/v1/weekly?team=chain&week=2026-03-04&after={after}")
        assert again["items"][0]["progress"] == one["progress"]
        between = get(tracker.address, "/v1/weekly?team=chain&week=2026-W11")
        assert between["counts"]["not_updated"] == 2


def test_the_list_of_follow_ups_uses_its_index(world: World) -> None:
    with world.tracker():
        world.await_applied(world.send(told(world.recorder)))
    asked = {"$and": [{"followed_on": {"$gt": ""}}, {"zone": {"$in": ["demo"]}}]}
    plan = world.database["projects"].find(asked).sort([("followed_on", -1), ("_id", -1)]).hint("followed").explain()
    stages = set(_stages(plan["queryPlanner"]))
    assert not stages & {"COLLSCAN", "SORT"}
    assert "IXSCAN" in stages
