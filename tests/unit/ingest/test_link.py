"""An enterprise posts through its link: about itself alone, little at a time, and never with anything else opened."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from luodi.runtime.links import Link, issue
from schemas import position
from services.ingest.limits import LINK_BURST
from services.ingest.link_http import MAX_BODY_BYTES, PATH
from tests.unit.ingest.world import World

SECRET = "a-secret-of-thirty-two-characters"
ASKED = {"kind": "用电", "text": "变压器容量不足"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, {"LUODI_LINK_SECRET": SECRET, "LUODI_API_KEY": "the-key"})


def bearer(
    enterprise: str = "firm", generation: int = 0, until: date = date(2026, 12, 31), secret: str = SECRET
) -> Any:
    return {"Authorization": f"Bearer {issue(secret, Link(enterprise, generation, until))}"}


def test_a_request_is_recorded_of_the_enterprise_of_the_token_with_its_generation(world: World) -> None:
    answer = world.post(PATH, ASKED, **bearer(generation=3))
    assert answer.status_code == 202, answer.text
    (event,) = world.events
    assert (event.subject, event.type, event.actor) == ("enterprise:firm", "request.raised", "link")
    assert event.data == {**ASKED, "link": 3}
    assert answer.json is not None
    assert answer.json.keys() == {"id", "position"}
    assert answer.json["id"] == event.id
    assert position.decode(answer.json["position"], world.log.tag)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer the-key"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic " + bearer()["Authorization"][7:]},
        {"Authorization": bearer()["Authorization"][:-1]},
        {"Authorization": bearer()["Authorization"].replace("firm", "other")},
        {"Authorization": bearer()["Authorization"].replace("~0~", "~1~")},
        {"Authorization": bearer()["Authorization"].replace("2026-12-31", "2027-12-31")},
        bearer(secret="another-secret-that-nobody-here-knows"),
        bearer(until=date(2026, 3, 4)),
    ],
)
def test_a_forged_foreign_or_expired_token_opens_nothing_and_is_not_told_why(
    world: World, headers: dict[str, str]
) -> None:
    answer = world.post(PATH, ASKED, Accept_Language="en", **headers)
    assert (answer.status_code, world.events) == (401, [])
    assert answer.json is not None
    assert answer.json["code"] == "bad-link"
    assert answer.json["detail"] == "It is wrong, out of date or revoked: ask the zone's officer for a new one."


def test_a_token_is_good_on_its_last_day_by_the_real_time_whatever_the_business_clock_says(tmp_path: Path) -> None:
    environ = {"LUODI_LINK_SECRET": SECRET, "LUODI_CLOCK_OFFSET": str(400 * 86_400)}
    world = World(tmp_path, environ)
    assert world.post(PATH, ASKED, **bearer(until=date(2026, 3, 5))).status_code == 202
    assert world.post(PATH, ASKED, **bearer(until=date(2026, 3, 4))).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/v1/milestones",
        "/v1/projects",
        "/v1/enterprises",
        "/v1/enterprises/firm/requests",
        "/v1/enterprises/firm/requests/r1/answer",
        "/v1/enterprises/firm/link/revoke",
        "/v1/events",
        "/v1/link/other",
        "/v1/link/../projects",
        "/v1/link",
    ],
)
def test_the_token_opens_no_other_address(world: World, path: str) -> None:
    answer = world.post(path, ASKED, **bearer())
    assert (answer.status_code, world.events) == (401, [])
    assert answer.json is not None
    assert answer.json["code"] == "unauthorized"


def test_the_key_opens_what_is_not_the_enterprises_own(world: World) -> None:
    answer = world.post("/v1/enterprises/firm/requests", {**ASKED, "id": "r1"}, Authorization="Bearer the-key")
    assert answer.status_code == 202
    (event,) = world.events
    assert event.data == ASKED


def test_nobody_can_pretend_that_a_request_came_through_a_link(world: World) -> None:
    answer = world.post("/v1/enterprises/firm/requests", {**ASKED, "link": 0}, Authorization="Bearer the-key")
    assert (answer.status_code, world.events) == (422, [])
    assert answer.json is not None
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [("/link", "unknown-field")]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({**ASKED, "link": 7}, "/link", "unknown-field"),
        ({**ASKED, "id": "r1"}, "/id", "unknown-field"),
        ({**ASKED, "actor": "u-zhang"}, "/actor", "unknown-field"),
        ({**ASKED, "enterprise_id": "other"}, "/enterprise_id", "unknown-field"),
        ({**ASKED, "note": "内部"}, "/note", "unknown-field"),
        ({"kind": "用电"}, "/text", "required"),
        ({"text": "字" * 2001}, "/text", "too-long"),
        ({**ASKED, "kind": "别的"}, "/kind", "unknown-value"),
        ({**ASKED, "project_id": "enterprise:other"}, "/project_id", "bad-id"),
        ([ASKED, ASKED], "", "wrong-type"),
    ],
)
def test_nothing_but_the_request_can_be_said(world: World, body: Any, pointer: str, code: str) -> None:
    answer = world.post(PATH, body, **bearer())
    assert (answer.status_code, world.events) == (422, [])
    assert answer.json is not None
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]


def test_a_body_larger_than_any_request_is_refused(world: World) -> None:
    answer = world.post(PATH, {"text": "x" * MAX_BODY_BYTES}, **bearer())
    assert (answer.status_code, world.events) == (413, [])


def test_the_longest_text_is_taken_however_it_is_spelled(world: World) -> None:
    escaped = b'{"text":"' + b"\\ud83c\\udfed" * 2000 + b'"}'
    headers = {"Content-Type": "application/json", **bearer()}
    assert world.client.post(PATH, data=escaped, headers=headers).status_code == 202
    assert world.events[0].data["text"] == "🏭" * 2000


def test_one_enterprise_may_ask_only_so_often_and_another_is_not_held_up(world: World) -> None:
    answers = [world.post(PATH, ASKED, **bearer()).status_code for _ in range(int(LINK_BURST) + 1)]
    assert answers == [202] * int(LINK_BURST) + [429]
    refused = world.post(PATH, ASKED, **bearer(until=date(2027, 1, 1)))
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "181")
    assert world.post(PATH, ASKED, **bearer("other")).status_code == 202
    world.clock.advance(181)
    assert world.post(PATH, ASKED, **bearer()).status_code == 202


def test_whoever_has_a_revoked_link_keeps_nobody_from_using_the_new_one(world: World) -> None:
    answers = [world.post(PATH, ASKED, **bearer()).status_code for _ in range(int(LINK_BURST) + 1)]
    assert answers[-1] == 429
    assert world.post(PATH, ASKED, **bearer(generation=1)).status_code == 202


def test_a_retry_with_the_same_key_is_the_same_request_and_of_another_enterprise_another(world: World) -> None:
    same = {"Idempotency-Key": "once"}
    ids = [
        world.post(PATH, ASKED, **same, **bearer(name)).json["id"]  # type: ignore[index]  # there is a body
        for name in ("firm", "firm", "other")
    ]
    assert ids[0] == ids[1] != ids[2]


def test_without_a_secret_there_is_no_such_address(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.post(PATH, ASKED, **bearer()).status_code == 404


def test_no_token_stands_in_the_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.post(PATH, ASKED, **bearer())
    world.post(PATH, ASKED, **bearer(secret="another-secret-that-nobody-here-knows"))
    captured = capsys.readouterr()
    assert "ll1~" not in captured.out + captured.err
