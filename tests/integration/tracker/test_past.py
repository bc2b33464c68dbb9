"""The past over HTTP: what was known at an instant, what was true on a day, when red was shown."""

from __future__ import annotations

import jsonschema
import pytest

from luodi.domain.events import (
    BLOCKER_CLEARED,
    BLOCKER_RAISED,
    EVENT_RETRACTED,
    MILESTONE_REPORTED,
    PROJECT_AMENDED,
    PROJECT_REGISTERED,
    PROJECT_WITHDRAWN,
    Event,
)
from services.tracker.queries import GROUPS
from tests.integration.tracker.test_families import park as park  # the fixtures
from tests.integration.tracker.test_queries import OPENAPI, Desk
from tests.integration.tracker.test_queries import desk as desk
from tests.integration.tracker.test_queries import zone as zone

pytestmark = pytest.mark.stack

BEFORE_THE_REPORT = "2026-04-20T00:59:59.999Z"


def at(subject: str, id_: str, recorded: str, type_: str = MILESTONE_REPORTED, **data: object) -> Event:
    return Event(subject, id_, type_, recorded, 0, "u-test", data)


@pytest.fixture
def late(desk: Desk) -> Desk:
    """A project whose land was supplied in time, on 1 April, and reported on the 20th, after 15 days of red."""
    desk.put(
        at("late", "r", "2026-01-05T01:00:00.000Z", PROJECT_REGISTERED, name="迟报", zone="demo", route="land"),
        at("late", "s", "2026-01-05T01:00:01.000Z", stage="signed", date="2026-01-05"),
        at("late", "l", "2026-04-20T01:00:00.000Z", stage="land_supplied", date="2026-04-01"),
        at("late", "t", "2026-05-20T01:00:00.000Z", stage="started", date="2026-05-18"),
        at("late", "x", "2026-05-25T01:00:00.000Z", EVENT_RETRACTED, event_id="t", reason="误报"),
    )
    return desk


@pytest.mark.parametrize(
    ("asked", "stage", "light"),
    [
        ("", "land_supplied", "green"),
        ("known_at=2026-06-01T04:00:00.000Z", "land_supplied", "green"),
        ("known_at=2026-06-01", "land_supplied", "green"),  # today: now
        ("known_at=2026-05-24", "started", "green"),  # before it was taken back
        (f"known_at={BEFORE_THE_REPORT}", "signed", "red"),
        ("as_of=2026-04-10", "land_supplied", "green"),  # by what is known now it was never late
        ("as_of=2026-03-31", "signed", "yellow"),
        (f"as_of=2026-04-10&known_at={BEFORE_THE_REPORT}", "signed", "red"),
    ],
)
def test_a_project_is_answered_as_it_was(late: Desk, asked: str, stage: str, light: str) -> None:
    body = late.get(f"/v1/projects/late?{asked}").json
    jsonschema.validate(body, {"$ref": "#/components/schemas/Project", "components": OPENAPI["components"]})
    assert (body["stage"], body["light"]) == (stage, light)


def test_what_is_known_now_is_the_live_answer(late: Desk) -> None:
    live = late.get("/v1/projects/late").json
    known = late.get("/v1/projects/late?known_at=2026-06-01T04:00:00.000Z").json
    assert known.pop("asked") == {"known_at": "2026-06-01T04:00:00.000Z"}
    assert known == live


def test_clocks_are_counted_up_to_the_day_asked_for(late: Desk) -> None:
    body = late.get(f"/v1/projects/late/clock?as_of=2026-04-10&known_at={BEFORE_THE_REPORT}").json
    assert body["as_of"] == "2026-04-10"
    assert body["clocks"][0]["days"]["used"] == 95
    assert body["clocks"][0]["light"] == "red"


def test_a_timeline_shows_what_was_recorded_and_what_was_then_taken_back(late: Desk) -> None:
    items = late.items("/v1/projects/late/timeline?known_at=2026-05-24")
    assert [(item["id"], item["retracted"]) for item in items] == [(id_, False) for id_ in "rslt"]
    assert [item["retracted"] for item in late.items("/v1/projects/late/timeline")] == [False] * 3 + [True, False]


def test_a_history_keeps_the_red_that_was_rightly_told(late: Desk) -> None:
    body = late.get("/v1/projects/late/history").json
    jsonschema.validate(body, {"$ref": "#/components/schemas/History", "components": OPENAPI["components"]})
    assert [(s["from"], s["to"], s["stage"], s["light"]) for s in body["track"]] == [
        ("2026-01-05", "2026-03-17", "signed", "green"),
        ("2026-03-18", "2026-03-31", "signed", "yellow"),
        ("2026-04-01", None, "land_supplied", "green"),
    ]
    (red,) = body["was_red"]
    assert (red["gap"], red["from"], red["to"]) == (["signed", "land_supplied"], "2026-04-06", "2026-04-20")
    assert (red["known_from"], red["known_to"]) == ("2026-04-05T16:00:00.000Z", "2026-04-20T01:00:00.000Z")
    assert (red["days"], red["days_red_as_known"]) == (15, 0)
    assert (body["reporting"]["counted"], body["reporting"]["late"]) == (2, 1)
    assert body["reporting"]["items"][1]["workdays"] == 13


@pytest.mark.parametrize("asked", ["as_of=2026-01-04", "known_at=2026-01-04"])
def test_before_its_beginning_there_was_no_project(late: Desk, asked: str) -> None:
    assert late.get(f"/v1/projects/late?{asked}").status_code == 404


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ("as_of=2026-06-02", "as_of"),
        ("as_of=2026-06", "as_of"),
        ("known_at=2026-06-01T04:00:00.001Z", "known_at"),
        ("known_at=yesterday", "known_at"),
    ],
)
def test_the_past_is_asked_for_in_one_form_and_never_ahead(late: Desk, asked: str, pointer: str) -> None:
    response = late.get(f"/v1/projects/late?{asked}")
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json["errors"]] == [pointer]


# -- lists ------------------------------------------------------------------------------------------------------------

NOW_KNOWN = "known_at=2026-06-01T03:59:59.999Z"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "zone=demo",
        "zone=demo,qingyuan",
        "status=withdrawn",
        "status=suspended",
        "status=pool",
        "light=red",
        "light=red,blue",
        "light=green",
        "stage=producing",
        "stage=signed,producing",
        "route=plant",
        "kind=factory&zone=qingyuan",
        "key=true",
        "key=false&leader=l1",
        "industry=电子,机械",
        "industry=没有",
        "park=一园",
        "parent=green",
        "blocker=用电",
        "blocker=用水",
        "due_before=2026-04-06",
        "due_before=2026-04-05",
        "updated_before=2026-03-02",
        "updated_before=2026-03-03",
        "q=RE",
        "q=项目 blu",
        "q=.*",
        "grey_over=1",
        "sort=-id&zone=demo",
        "sort=-investment&zone=demo&status=active,withdrawn",
        "sort=investment",
        "sort=due&light=red,green",
        "sort=-due",
        "sort=name",
        "sort=-name",
        "sort=stage_since",
        "sort=-stage_since",
        "sort=updated_at",
        "sort=-updated_at",
    ],
)
@pytest.mark.parametrize("when", [NOW_KNOWN, "as_of=2026-06-01"])
def test_a_list_of_what_is_known_now_is_the_live_list(zone: Desk, query: str, when: str) -> None:
    assert zone.ids(f"{query}&{when}") == zone.ids(query)


def test_the_items_of_a_past_list_are_whole_projects(zone: Desk) -> None:
    assert zone.items(f"/v1/projects?{NOW_KNOWN}") == zone.items("/v1/projects")
    assert zone.items(f"/v1/stalled?{NOW_KNOWN}") == zone.items("/v1/stalled")
    assert zone.items(f"/v1/stalled?light=green&{NOW_KNOWN}") == zone.items("/v1/stalled?light=green")


@pytest.fixture
def changing(late: Desk) -> Desk:
    """Beside the late one: a project that moved between officers, was blocked for a month, and was withdrawn."""
    late.put(
        at("moved", "r", "2026-02-01T01:00:00.000Z", PROJECT_REGISTERED, name="移交", zone="demo", route="plant",
           officer="o1", investment=5),
        at("moved", "s", "2026-02-01T01:00:01.000Z", stage="signed", date="2026-01-20"),
        at("moved", "b", "2026-03-01T01:00:00.000Z", BLOCKER_RAISED, kind="用水", cause="utility", date="2026-02-20",
           promise="2026-03-01"),
        at("moved", "a", "2026-03-15T01:00:00.000Z", PROJECT_AMENDED, officer="o2"),
        at("moved", "c", "2026-04-10T01:00:00.000Z", BLOCKER_CLEARED, blocker_id="b", date="2026-03-20"),
        at("moved", "w", "2026-05-10T01:00:00.000Z", PROJECT_WITHDRAWN, date="2026-05-01", reason="不来了"),
    )  # fmt: skip
    return late


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("known_at=2026-01-04", []),
        ("known_at=2026-01-06", ["late"]),
        ("known_at=2026-02-02", ["late", "moved"]),
        ("known_at=2026-06-01T03:00:00.000Z", ["late"]),
        ("as_of=2026-01-19", ["late"]),
        ("as_of=2026-01-20", ["late", "moved"]),  # it began with its signature
        ("as_of=2026-04-30", ["late", "moved"]),
        ("as_of=2026-05-01", ["late"]),
        ("as_of=2026-05-05&known_at=2026-05-09", ["late", "moved"]),
        ("as_of=2026-04-10&light=red", []),
        (f"known_at={BEFORE_THE_REPORT}&light=red", ["late", "moved"]),
        (f"as_of=2026-04-10&known_at={BEFORE_THE_REPORT}&light=red", ["late"]),
        ("known_at=2026-03-10&officer=o1", ["moved"]),
        ("known_at=2026-03-20&officer=o1", []),
        ("as_of=2026-03-10&officer=o1", []),  # fields hold as they are known
        ("as_of=2026-03-10&officer=o2", ["moved"]),
        ("known_at=2026-03-10&blocker=用水", ["moved"]),
        ("known_at=2026-04-09&blocker=用水", ["moved"]),
        ("as_of=2026-04-09&blocker=用水", []),
        ("as_of=2026-03-19&blocker=用水", ["moved"]),
        ("as_of=2026-05-20&status=withdrawn", ["moved"]),
    ],
)
def test_a_list_holds_the_projects_as_they_were(changing: Desk, query: str, expected: list[str]) -> None:
    assert changing.ids(query) == expected


def test_stalled_clocks_are_those_of_that_day(changing: Desk) -> None:
    items = changing.items("/v1/stalled?as_of=2026-03-10")
    assert [(item["project_id"], item["rule"], item["days_over"]) for item in items] == [("moved", "promise", 9)]
    known = changing.items(f"/v1/stalled?known_at={BEFORE_THE_REPORT}")
    assert ("late", ["signed", "land_supplied"], 15) in [(i["project_id"], i["gap"], i["days_over"]) for i in known]


def test_pages_of_the_past_belong_together(changing: Desk) -> None:
    first = changing.get("/v1/projects?as_of=2026-03-10&limit=1&sort=-name").json
    changing.put(at("new", "r", "2026-05-30T01:00:00.000Z", PROJECT_REGISTERED, name="新", zone="demo", route="land"))
    second = changing.get(f"/v1/projects?as_of=2026-03-10&limit=1&sort=-name&cursor={first['next']}").json
    assert [first["items"][0]["id"], second["items"][0]["id"], second["next"]] == ["late", "moved", None]
    assert first["asked"] == second["asked"]
    foreign = changing.get(f"/v1/projects?as_of=2026-03-11&limit=1&sort=-name&cursor={first['next']}")
    assert foreign.status_code == 400


def test_stalled_pages_of_the_past_go_on_in_the_middle_of_a_project(zone: Desk) -> None:
    first = zone.get(f"/v1/stalled?limit=1&{NOW_KNOWN}").json
    second = zone.get(f"/v1/stalled?limit=1&{NOW_KNOWN}&cursor={first['next']}").json
    assert [i["rule"] for i in first["items"] + second["items"]] == ["zone-default", "promise"]
    assert second["next"] is None


def test_more_than_is_known_here_is_not_yet_visible(zone: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.tracker.recall.WAIT_S", 0.05)
    zone.clock.advance(60)
    asked = "known_at=2026-06-01T04:00:30.000Z"
    assert zone.get(f"/v1/projects?{asked}").status_code == 503
    assert zone.get(f"/v1/projects/green?{asked}").status_code == 200, "a single project is folded from the journal"
    zone.known_until("2026-06-01T04:00:30.000Z")
    assert zone.get(f"/v1/projects?{asked}").status_code == 503, "what was recorded at that instant may be on its way"
    zone.known_until("2026-06-01T04:00:30.001Z")
    assert zone.get(f"/v1/projects?{asked}").status_code == 200


def test_a_change_of_the_history_is_taken_over_while_it_is_asked(zone: Desk) -> None:
    for round_ in range(3):
        zone.put(zone.recorder.event("green", PROJECT_AMENDED, {"officer": f"n{round_}"}))
        assert zone.ids(f"officer=n{round_}&as_of=2026-06-01") == ["green"]
    assert zone.ids("officer=n0&as_of=2026-06-01") == []


# -- funnels and families ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", [NOW_KNOWN, "as_of=2026-06-01"])
@pytest.mark.parametrize("place", ["zone", "park"])
def test_a_funnel_of_what_is_known_now_is_the_live_funnel(
    request: pytest.FixtureRequest, place: str, when: str
) -> None:
    desk: Desk = request.getfixturevalue(place)
    for asked in ("", "zone=demo", "zone=qingyuan", *(f"group_by={group}&zone=demo" for group in GROUPS)):
        past = desk.get(f"/v1/funnel?{asked}&{when}").json
        jsonschema.validate(past, {"$ref": "#/components/schemas/Funnel", "components": OPENAPI["components"]})
        told = past.pop("asked")
        assert told["known_at"] <= "2026-06-01T04:00:00.000Z"
        assert past == desk.get(f"/v1/funnel?{asked}").json


@pytest.mark.parametrize(
    "query",
    ["", *(f"light={light}" for light in ("red", "yellow", "grey", "green", "blue")), "stage=signed", "stage=started",
     "stage=completed", "stage=producing", "status=withdrawn", "light=red,grey&stage=started"],
)  # fmt: skip
def test_a_project_with_phases_stands_in_past_lists_as_in_live_ones(park: Desk, query: str) -> None:
    for path in ("/v1/projects", "/v1/stalled"):
        assert park.items(f"{path}?{query}&{NOW_KNOWN}") == park.items(f"{path}?{query}")


def test_a_funnel_counts_what_had_been_reached_and_what_was_there(changing: Desk) -> None:
    def counted(when: str) -> tuple[int, int, dict[str, int]]:
        body = changing.get(f"/v1/funnel?{when}").json
        reached = {row["stage"]: row["reached"] for row in body["stages"] if row["reached"]}
        return body["total"]["projects"], body["total"]["withdrawn"], reached

    assert counted("as_of=2026-01-04") == (0, 0, {})
    assert counted("as_of=2026-03-31") == (2, 0, {"signed": 2})
    assert counted("as_of=2026-04-01") == (2, 0, {"signed": 2, "land_supplied": 1})
    assert counted(f"as_of=2026-04-01&known_at={BEFORE_THE_REPORT}") == (2, 0, {"signed": 2})
    assert counted("as_of=2026-05-01") == (2, 1, {"signed": 2, "land_supplied": 1})
    assert counted("known_at=2026-05-09") == (2, 0, {"signed": 2, "land_supplied": 1})
    assert counted("known_at=2026-05-24") == (2, 1, {"signed": 2, "land_supplied": 1, "started": 1})


def test_a_group_of_the_past_is_that_of_its_day(changing: Desk) -> None:
    body = changing.get("/v1/funnel?as_of=2026-03-31&group_by=month").json
    assert body["as_of"] == "2026-03-31"
    assert [(group["key"], group["total"]["projects"]) for group in body["groups"]] == [("2026-01", 2)]
