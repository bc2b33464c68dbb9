"""The three robots against imitators on loopback: signatures, bodies, what a code means, hostile words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from luodi.runtime.clock import SystemClock
from services.notify.channels import Outcome
from services.notify.channels.addressed import Sender
from services.notify.channels.dingtalk import DingTalk
from services.notify.channels.feishu import Feishu
from services.notify.channels.wecom import WeCom
from services.notify.channels.writing import Message, message_of, number_of
from services.notify.contacts import Way
from services.notify.guard import Allowed, Guard
from tests.receivers import robots as play
from tests.receivers.robots import DINGTALK_SECRET, FEISHU_SECRET, Robots, robots
from tests.unit.notify.builders import COMPOSER, at, open_matter

GUARD = Guard(Allowed.of(["127.0.0.1"]))
CLOCK = SystemClock()
SECRETS = {"wecom": None, "dingtalk": DINGTALK_SECRET, "feishu": FEISHU_SECRET}
NAMES = sorted(SECRETS)
CODE = {"wecom": "errcode", "dingtalk": "errcode", "feishu": "code"}


@pytest.fixture
def group() -> Iterator[Robots]:
    with robots() as made:
        yield made


def sender(name: str) -> Sender:
    made: dict[str, Sender] = {
        "wecom": WeCom(GUARD, CLOCK),
        "dingtalk": DingTalk(GUARD, CLOCK),
        "feishu": Feishu(GUARD, CLOCK),
    }
    return made[name]


def way(group: Robots, name: str, **fields: str | None) -> Way:
    secret = fields.pop("secret", SECRETS[name])
    return Way(
        name, group.address(name, "signed-1"), secret, fields.get("mention"), fields.get("style"), "0011223344556677"
    )


def message(**facts: Any) -> Message:
    (row,) = COMPOSER.openings(open_matter(**facts), ("inbox",), at(0))
    return message_of(row, "zh-CN")


def send(group: Robots, name: str, told: Message | None = None, **fields: str | None) -> Outcome:
    return sender(name).send(told or message(), way(group, name, **fields), "msg_1")


@pytest.mark.parametrize("style", [None, "card", "text"])
@pytest.mark.parametrize("name", NAMES)
def test_a_message_arrives_signed_with_its_link_its_number_and_who_acts_next(
    group: Robots, name: str, style: str | None
) -> None:
    (row,) = COMPOSER.openings(open_matter(), ("inbox",), at(0))
    assert send(group, name, message_of(row, "zh-CN"), style=style) == Outcome("sent")
    (said,) = group.taken("signed-1")
    assert number_of(row) in said.text
    assert "https://luodi.example/matters/" in said.text
    assert "示例精密部件" in said.text
    assert "专员 u-zhang" in said.text


@pytest.mark.parametrize("name", ["dingtalk", "feishu"])
@pytest.mark.parametrize("secret", [None, "another"])
def test_without_the_right_signature_the_address_is_given_up(group: Robots, name: str, secret: str | None) -> None:
    code = {"dingtalk": 310000, "feishu": 19021}[name]
    assert send(group, name, secret=secret) == Outcome("gone", f"code-{code}")
    assert group.taken("signed-1") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_robot_that_was_removed_is_given_up(group: Robots, name: str) -> None:
    group.removed.add("signed-1")
    assert send(group, name).kind == "gone"


@pytest.mark.parametrize("name", NAMES)
def test_success_is_only_what_the_body_says(group: Robots, name: str) -> None:
    for body, kind in (({}, "retry"), (None, "retry"), ({CODE[name]: "0"}, "retry"), ({CODE[name]: 7777}, "retry")):
        group.plays = [play.status(200, body)]
        assert send(group, name).kind == kind, body
    group.plays = [play.status(200, {CODE[name]: 0})]
    assert send(group, name) == Outcome("sent")


@pytest.mark.parametrize("name", NAMES)
def test_a_code_of_success_under_a_status_of_failure_is_none(group: Robots, name: str) -> None:
    for status in (302, 404, 500, 503):
        group.plays = [play.status(status, {CODE[name]: 0}, Location=group.address(name, "elsewhere"))]
        assert send(group, name) == Outcome("retry", f"http-{status}")
    assert group.taken("elsewhere") == []
    group.plays = [play.status(410)]
    assert send(group, name) == Outcome("gone", "http-410")


@pytest.mark.parametrize(
    ("name", "code", "rest"), [("wecom", 45009, 60.0), ("dingtalk", 130101, 600.0), ("feishu", 11232, 60.0)]
)
def test_a_robot_that_was_sent_to_too_fast_is_left_alone_as_long_as_it_blocks(
    group: Robots, name: str, code: int, rest: float
) -> None:
    group.plays = [play.status(200, {CODE[name]: code})]
    assert send(group, name) == Outcome("retry", f"code-{code}", rest, rest)
    group.plays = [play.status(429, None, Retry_After="7")]
    assert send(group, name) == Outcome("retry", "http-429", 7.0, 7.0)


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_that_breaks_leaves_the_outcome_open(group: Robots, name: str) -> None:
    group.plays = [play.reset, play.broken_body]
    assert send(group, name).kind == "retry"
    assert send(group, name) == Outcome("retry", "no-code")
    assert send(group, name) == Outcome("sent")


HOSTILE = (
    '@all @所有人 <at user_id="all">所有人</at> <@all> [点此](http://evil.example) **b** `c`\n# 标题\u202e\u0000 <font>'
)


@pytest.mark.parametrize("style", ["card", "text"])
@pytest.mark.parametrize("name", NAMES)
def test_words_that_people_typed_call_nobody_and_open_nothing(group: Robots, name: str, style: str) -> None:
    assert send(group, name, message(name=HOSTILE), style=style) == Outcome("sent")
    (said,) = group.taken("signed-1")
    body = said.body
    assert "\u202e" not in said.text
    if name == "feishu" and style == "card":  # what stands in plain text is shown as it is
        tags = {json.dumps(e, ensure_ascii=False): e for e in body["card"]["elements"]}
        assert all(e.get("text", {}).get("tag", "plain_text") == "plain_text" for e in tags.values())
        assert body["card"]["header"]["title"]["tag"] == "plain_text"
        return
    assert not any(sign in said.text for sign in ("@all", "@所有人", "<at", "<@", "<font", "http://evil", "](http://"))
    assert body.get("at", {}).get("isAtAll") in {None, False}
    assert "mentioned_list" not in body.get("text", {})


@pytest.mark.parametrize("name", NAMES)
def test_one_person_is_mentioned_where_the_contact_says_so(group: Robots, name: str) -> None:
    send(group, name, mention="u_8")
    (said,) = group.taken("signed-1")
    assert {"wecom": "<@u_8>", "dingtalk": "@u_8", "feishu": "<at id=u_8></at>"}[name] in said.text
    for everybody in ("all", "@all", "ALL"):
        assert sender(name).faults(way(group, name, mention=everybody)) == [("mention", "bad-mention")]


def test_by_telephone_number_wecom_mentions_in_plain_text(group: Robots) -> None:
    send(group, "wecom", mention="13800000000")
    (said,) = group.taken("signed-1")
    assert said.body["text"]["mentioned_mobile_list"] == ["13800000000"]


@pytest.mark.parametrize(("name", "limit"), [("wecom", 4096), ("dingtalk", 20_000), ("feishu", 20_000)])
def test_what_is_too_long_is_cut_and_keeps_its_link_and_number(group: Robots, name: str, limit: int) -> None:
    long = replace(message(), text="长" * 40_000)
    assert send(group, name, long) == Outcome("sent")
    (said,) = group.taken("signed-1")
    assert len(said.text.encode()) <= limit + 200  # around the content stand a few names of fields
    assert long.number in said.text
    assert long.url is not None
    assert long.url in said.text


def test_without_leave_nothing_is_sent_to_loopback(group: Robots) -> None:
    closed = WeCom(Guard(), CLOCK)
    assert closed.send(message(), way(group, "wecom"), "msg_1") == Outcome("gone", "address-forbidden")
    assert group.said == []
