"""The five drives over HTTP: what is open in each, the worst of it, who acts next, and the weeks before."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from luodi.domain.events import (
    BLOCKER_PAUSED,
    BLOCKER_RAISED,
    MILESTONE_REPORTED,
    PERSON_REGISTERED,
    POST_HANDED_OVER,
    POST_REGISTERED,
    PROJECT_REGISTERED,
    PROJECT_WITHDRAWN,
    Event,
)
from luodi.domain.performance import COMMITMENT_MADE, PERFORMANCE_REPORTED
from luodi.domain.stages import stages_of
from tests.integration.tracker.test_queries import OPENAPI, Desk
from tests.integration.tracker.test_queries import desk as desk

pytestmark = pytest.mark.stack

DAYS = {"signed": "2025-01-10", "land_supplied": "2025-02-10", "started": "2025-03-10", "completed": "2025-09-10"}


def told(subject: str, number: int, recorded: str, type_: str, **data: Any) -> Event:
    return Event(subject, f"e{number}", type_, f"{recorded}T01:00:{number:02d}.000Z", 0, "u-test", data)


def project(
    subject: str, stage: str, day: str, *more: tuple[str, str, dict[str, Any]], route: str = "land", **fields: Any
) -> list[Event]:
    """A project that reached a stage on a day, reported there and then; `more`: recorded on, type, data."""
    stages = stages_of(route)
    found = [
        told(subject, 0, DAYS["signed"], PROJECT_REGISTERED, name=f"项目{subject}", zone="demo", route=route, **fields)
    ]
    for number, earlier in enumerate(stages[: stages.index(stage)], 1):
        found.append(told(subject, number, DAYS[earlier], MILESTONE_REPORTED, stage=earlier, date=DAYS[earlier]))
    found.append(told(subject, 10, day, MILESTONE_REPORTED, stage=stage, date=day))
    return found + [told(subject, 20 + n, on, type_, **data) for n, (on, type_, data) in enumerate(more)]


@pytest.fixture
def zone(desk: Desk) -> Desk:
    """Every drive has something open; today is Monday, 1 June 2026."""
    power = {"kind": "用电", "cause": "utility", "owner": "u-power", "date": "2026-05-04", "promise": "2026-05-20"}
    pause = {"date": "2026-05-12", "approver": "l1", "until": "2026-06-30"}
    committed = {"measure": "full_production", "due": "2026-04-30"}
    desk.put(
        *project("late", "signed", "2026-01-05", officer="post-01"),  # its land was due on 5 April
        *project("later", "signed", "2026-02-05", officer="u-wang"),  # … on 6 May
        *project("fresh", "signed", "2026-05-25"),
        *project("paused", "signed", "2026-05-01", ("2026-05-11", BLOCKER_RAISED, power), officer="u-li")[:-1],
        told("paused", 30, "2026-05-11", BLOCKER_RAISED, **{**power, "promise": None}),
        told("paused", 31, "2026-05-12", BLOCKER_PAUSED, blocker_id="e30", **pause),
        *project("rented", "signed", "2026-05-04", route="plant"),
        *project("building", "started", "2026-03-10", ("2026-05-04", BLOCKER_RAISED, power), officer="u-li"),
        *project("built", "completed", "2026-05-20"),
        *project("bound", "producing", "2026-01-15", ("2026-01-15", COMMITMENT_MADE, committed), leader="l1"),
        *project(
            "fulfilled",
            "producing",
            "2026-01-15",
            ("2026-01-15", COMMITMENT_MADE, committed),
            ("2026-04-10", PERFORMANCE_REPORTED, {"period": "2026-Q1", "capacity_percent": 100}),
        ),
        *project("free", "producing", "2026-01-15"),
        *project("gone", "signed", "2026-01-05", ("2026-03-01", PROJECT_WITHDRAWN, {"date": "2026-03-01"})),
        *project("contract", "signed", "2026-01-05", kind="agreement"),
        *project("whole", "signed", "2026-01-05", phased=True),
        *project("phase", "signed", "2026-05-20", parent="whole"),
        told("post:post-01", 0, "2026-01-01", POST_REGISTERED, name="第一专员"),
        told("post:post-01", 1, "2026-01-01", POST_HANDED_OVER, holder="u-zhang", date="2026-01-01"),
        told("person:u-zhang", 0, "2026-01-01", PERSON_REGISTERED, zone="demo"),
    )
    return desk


def drives(desk: Desk, query: str = "zone=demo", language: str = "zh-CN") -> dict[str, dict[str, Any]]:
    response = desk.get(f"/v1/drives?{query}", language)
    assert response.status_code == 200, response.data
    jsonschema.validate(response.json, {"$ref": "#/components/schemas/Drives", "components": OPENAPI["components"]})
    return {drive["drive"]: drive for drive in response.json["drives"]}


def counts(drive: dict[str, Any]) -> dict[str, int]:
    return {name: drive[name] for name in ("open", "red", "yellow", "green", "paused", "grey") if drive[name]}


def test_each_drive_counts_what_awaits_its_stage(zone: Desk) -> None:
    found = drives(zone)
    assert list(found) == ["land", "start", "building", "production", "performance"]
    assert counts(found["land"]) == {"open": 5, "red": 2, "green": 2, "paused": 1}, "the phase, not the whole"
    assert counts(found["start"]) == {"open": 1, "green": 1}, "a route without land starts from the signature"
    assert counts(found["building"]) == {"open": 1, "red": 1}
    assert counts(found["production"]) == {"open": 1, "green": 1}
    assert counts(found["performance"]) == {"open": 1, "red": 1}, "what is fulfilled or free is not open"


def test_the_worst_come_first_with_their_reason_and_who_acts_today(zone: Desk) -> None:
    found = drives(zone)
    worst = found["land"]["worst"]
    assert [(item["project_id"], item["days_over"]) for item in worst] == [("late", 57), ("later", 26)]
    assert worst[0]["next"] == {"role": "officer", "who": "post-01", "acting": "u-zhang"}
    assert "已超期57天" in worst[0]["reason"]["text"]
    (promised,) = found["building"]["worst"]
    assert (promised["blocker"], promised["days_over"]) == ("e20", 12)
    assert promised["next"] == {"role": "owner", "who": "u-power", "acting": "u-power"}
    (bound,) = found["performance"]["worst"]
    assert (bound["gap"], bound["rule"], bound["days_over"]) == (["producing", "performing"], "full_production", 32)
    assert bound["next"] == {"role": "leader", "who": "l1", "acting": "l1"}


def test_the_weeks_before_tell_what_was_known_then_and_what_was_so(zone: Desk) -> None:
    # On 26 May it was reported that "later" had its land since the 18th.
    zone.put(
        told("later", 40, "2026-05-26", MILESTONE_REPORTED, stage="land_supplied", date="2026-05-18"),
    )
    zone.known_until("2026-06-01T03:59:59.000Z")
    found = drives(zone)
    trend = {week["week_end"]: week for week in found["land"]["trend"]}
    assert list(trend) == [
        *(
            "2026-04-12",
            "2026-04-19",
            "2026-04-26",
            "2026-05-03",
            "2026-05-10",
            "2026-05-17",
            "2026-05-24",
            "2026-05-31",
        ),
    ]
    assert counts(trend["2026-04-12"]["known"])["red"] == 1
    assert (counts(trend["2026-05-24"]["known"])["red"], counts(trend["2026-05-24"]["actual"])["red"]) == (2, 1)
    assert counts(trend["2026-05-31"]["known"]) == counts(trend["2026-05-31"]["actual"])
    assert counts(trend["2026-05-31"]["known"]) == counts(found["land"])
    started = {week["week_end"]: week for week in found["start"]["trend"]}
    assert (started["2026-05-24"]["known"]["open"], started["2026-05-24"]["actual"]["open"]) == (1, 2)
    output = {week["week_end"]: counts(week["known"]) for week in found["performance"]["trend"]}
    assert output["2026-05-03"] == {"open": 1, "red": 1}
    assert output["2026-04-26"] == {"open": 1, "yellow": 1}


def test_a_zone_that_has_nothing_has_five_empty_drives(zone: Desk) -> None:
    found = drives(zone, "zone=qingyuan")
    assert [counts(drive) for drive in found.values()] == [{}] * 5
    assert [drive["worst"] for drive in found.values()] == [[]] * 5


def test_an_answer_that_has_not_changed_is_not_sent_again(zone: Desk) -> None:
    first = zone.get("/v1/drives?zone=demo")
    again = zone.get("/v1/drives?zone=demo", **{"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert zone.get("/v1/drives?zones=demo").status_code == 400


def test_it_speaks_the_callers_language(zone: Desk) -> None:
    assert drives(zone)["land"]["name"] == "签约项目抓供地"
    assert drives(zone, language="en")["land"]["name"] == "Signed: drive to land"
