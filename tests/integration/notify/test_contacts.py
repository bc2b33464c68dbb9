"""Contacts over HTTP on a real MongoDB, and messages that reach them through robots."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from luodi.local.harness import Servers
from tests.integration.notify.test_http import fits
from tests.integration.notify.world import World, until
from tests.receivers.robots import DINGTALK_SECRET, Robots, robots

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

ZONE = "qingyuan"


@pytest.fixture(scope="module")
def group() -> Iterator[Robots]:
    with robots() as made:
        yield made


@pytest.fixture(scope="module")
def world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One running notifier for all tests of this module."""
    made = World(servers, tmp_path_factory.mktemp("contacts"), LUODI_WEBHOOK_ALLOW="127.0.0.1")
    made.notifier()
    made.watermarks_run()
    yield made
    made.close()


def ask(world: World, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} if body is not None else {}
    raw = json.dumps(body).encode() if body is not None else None
    answer = world.http.request(method, f"{world.base}{path}", body=raw, headers=headers)
    return answer.status, json.loads(answer.data)


def put(world: World, recipient: str, *channels: dict[str, Any], **fields: Any) -> tuple[int, Any]:
    return ask(world, "PUT", f"/v1/contacts/{recipient}", {"channels": list(channels), **fields})


def wecom(group: Robots, key: str, **fields: Any) -> dict[str, Any]:
    return {"channel": "wecom", "address": group.address("wecom", key), **fields}


def deliveries(world: World, query: str) -> list[dict[str, str]]:
    return [{d["channel"]: d["status"] for d in row["deliveries"]} for row in world.notifications(query)]


def test_a_stall_reaches_each_person_through_a_robot_and_its_end_too(world: World, group: Robots) -> None:
    signed = {
        "channel": "dingtalk",
        "address": group.address("dingtalk", "k-two-signed"),
        "secret": DINGTALK_SECRET,
    }
    assert put(world, "u-one", wecom(group, "k-one"), signed, name="示例一", language="en")[0] == 200
    world.overdue("p-one", officer="u-one", zone=ZONE)
    until(lambda: group.taken("k-one") and group.taken("k-two-signed"), "both robots told")
    until(
        lambda: (
            deliveries(world, "project_id=p-one&kind=stalled")
            == [{"inbox": "sent", "log": "sent", "wecom": "sent", "dingtalk": "sent"}]
        ),
        "marked",
    )
    world.reached("p-one")
    until(lambda: len(group.taken("k-one")) == 2 and len(group.taken("k-two-signed")) == 2, "the all-clear too")
    first, second = group.taken("k-one")
    assert "is reported" not in first.text
    assert "All clear" in second.text


def test_two_persons_in_one_group_get_a_message_each(world: World, group: Robots) -> None:
    for name in ("u-three", "u-four"):
        put(world, name, wecom(group, "k-shared", mention=name))
        world.overdue(f"p-{name}", officer=name, zone=ZONE)
    until(lambda: len(group.taken("k-shared")) == 2, "both told")
    assert {
        name for name in ("u-three", "u-four") for said in group.taken("k-shared") if f"<@{name}>" in said.text
    } == {
        "u-three",
        "u-four",
    }


def test_of_the_demonstration_zone_nobody_is_told_outside(world: World, group: Robots) -> None:
    put(world, "u-five", wecom(group, "k-five"))
    world.overdue("p-demo", officer="u-five", zone="demo")
    until(lambda: world.told("p-demo"), "told in the inbox")
    assert deliveries(world, "project_id=p-demo")[0].keys() == {"inbox", "log"}
    assert group.taken("k-five") == []


def test_a_robot_that_is_gone_is_given_up_told_to_the_operators_and_used_again_when_it_is_written_anew(
    world: World, group: Robots
) -> None:
    put(world, "operators", wecom(group, "k-operators"))
    group.removed.add("k-gone")
    put(world, "u-six", wecom(group, "k-gone"))
    world.overdue("p-six", officer="u-six", zone=ZONE)
    until(lambda: deliveries(world, "project_id=p-six&status=failed"), "failed")
    until(lambda: any("u-six" in said.text for said in group.taken("k-operators")), "the operators told")
    assert ask(world, "GET", "/v1/contacts/u-six")[1]["channels"][0]["disabled"] is True
    (told,) = [row for row in world.notifications("kind=operations") if "u-six" in row["title"]]
    assert "k-gone" not in json.dumps(told)
    world.overdue("p-six-again", officer="u-six", zone=ZONE)
    until(lambda: world.told("p-six-again"), "told in the inbox")
    assert "wecom" not in deliveries(world, "project_id=p-six-again")[0]
    put(world, "u-six", wecom(group, "k-new"))
    world.overdue("p-six-new", officer="u-six", zone=ZONE)
    until(lambda: group.taken("k-new"), "told at the new address")
    until(lambda: world.notifications("kind=cleared&recipient=operators"), "the operators' all-clear")
    ask(world, "DELETE", "/v1/contacts/operators")


def test_an_address_that_was_erased_meanwhile_fails_without_a_request(world: World, group: Robots) -> None:
    put(world, "u-seven", wecom(group, "k-seven"))
    world.overdue("p-seven", officer="u-seven", zone=ZONE)
    until(lambda: group.taken("k-seven"), "told")
    assert ask(world, "DELETE", "/v1/contacts/u-seven") == (
        200,
        {"recipient": "u-seven", "erased": True, "channels": 1},
    )
    assert ask(world, "DELETE", "/v1/contacts/u-seven")[1]["erased"] is False
    assert ask(world, "GET", "/v1/contacts/u-seven")[0] == 404
    assert world.database["contacts"].find_one({"_id": "u-seven"}) is None
    world.reached("p-seven")
    until(
        lambda: (
            {"inbox": "sent", "log": "sent", "wecom": "failed"} in deliveries(world, "project_id=p-seven&kind=cleared")
        ),
        "the all-clear has nowhere to go",
    )
    (row,) = world.database["notifications"].find({"project_id": "p-seven", "kind": "cleared"})
    assert next(d["error"] for d in row["deliveries"] if d["channel"] == "wecom") == "no-address"
    assert len(group.taken("k-seven")) == 1


def test_a_robot_takes_no_more_than_its_pace_and_the_rest_waits(world: World, group: Robots) -> None:
    put(world, "u-many", wecom(group, "k-many"))
    for number in range(24):
        world.overdue(f"p-many-{number}", officer="u-many", zone=ZONE)
    until(lambda: len(group.taken("k-many")) == 24, "all of them told", 110)
    assert group.most_in_a_window("k-many") <= 20
    assert all(said.code == 0 for said in group.said if said.key == "k-many")


def test_what_is_shown_fits_the_contract_and_holds_no_secret(world: World, group: Robots) -> None:
    secret = "SEC-do-not-show"
    way = {"channel": "dingtalk", "address": group.address("dingtalk", "k-hidden"), "secret": secret}
    status, body = put(world, "u-eight", way, name="示例八", phone="+86 138 0000 0000")
    assert status == 200
    fits(body, "Contact")
    listed = ask(world, "GET", "/v1/contacts?limit=500")[1]
    for text in (json.dumps(body), json.dumps(listed), json.dumps(ask(world, "GET", "/v1/contacts/u-eight")[1])):
        assert secret not in text
        assert "k-hidden" not in text
    # What is left out is kept, a masked address is none.
    kept = {"channel": "dingtalk", "mention": "u8"}
    assert put(world, "u-eight", kept)[1]["channels"][0]["has_secret"] is True
    assert put(world, "u-eight", {**kept, "address": body["channels"][0]["address"]})[0] == 422


def test_contacts_are_paged_by_recipient(world: World) -> None:
    for number in range(5):
        put(world, f"z-{number}")
    seen: list[str] = []
    cursor = ""
    while True:
        _, body = ask(world, "GET", f"/v1/contacts?limit=2{cursor}")
        seen += [item["recipient"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert seen == sorted(set(seen))
    assert [name for name in seen if name.startswith("z-")] == [f"z-{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("recipient", "channel", "pointer", "code"),
    [
        ("demo-officer-01", {}, "recipient", "demo-recipient"),
        ("zone:demo", {}, "recipient", "demo-recipient"),
        ("zone:nowhere", {}, "recipient", "unknown-zone"),
        ("-", {}, "recipient", "bad-id"),
        ("u-x", {"channel": "pigeon"}, "/channels/0/channel", "unknown-value"),
        ("u-x", {"channel": "wecom"}, "/channels/0/address", "required"),
        ("u-x", {"address": "http://10.0.0.1/send?key=1"}, "/channels/0/address", "address-forbidden"),
        ("u-x", {"address": "http://0x7f000001/send?key=1"}, "/channels/0/address", "address-odd"),
        ("u-x", {"address": "ftp://robot.example/send?key=1"}, "/channels/0/address", "not-http"),
        ("u-x", {"address": "http://a:b@robot.example/send?key=1"}, "/channels/0/address", "address-with-credentials"),
        ("u-x", {"address": "https://robot.example/send"}, "/channels/0/address", "no-robot"),
        (
            "u-x",
            {"address": "https://robot.example/send?key=1", "mention": "@all"},
            "/channels/0/mention",
            "bad-mention",
        ),
        ("u-x", {"address": "https://robot.example/send?key=1", "secret": "s"}, "/channels/0/secret", "no-secret-here"),
        ("u-x", {"surprise": 1}, "/channels/0/surprise", "unknown-field"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(
    world: World, recipient: str, channel: dict[str, Any], pointer: str, code: str
) -> None:
    status, body = put(world, recipient, {"channel": "wecom", **channel})
    assert (status, body["code"]) == (422, "invalid")
    assert (pointer, code) in [(e["pointer"], e["code"]) for e in body["errors"]]


def test_the_same_channel_twice_is_refused(world: World, group: Robots) -> None:
    status, body = put(world, "u-x", wecom(group, "a"), wecom(group, "b"))
    assert status == 422
    assert body["errors"][0]["code"] == "channel-twice"
