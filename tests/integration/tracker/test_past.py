"""The past over HTTP: what was known at an instant, what was true on a day, when red was shown."""

from __future__ import annotations

import jsonschema
import pytest

from luodi.domain.events import EVENT_RETRACTED, MILESTONE_REPORTED, PROJECT_REGISTERED, Event
from tests.integration.tracker.test_queries import OPENAPI, Desk
from tests.integration.tracker.test_queries import desk as desk  # the fixture

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
