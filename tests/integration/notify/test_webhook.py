"""The webhook against a receiver on loopback that plays every part, checked with the reference library."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import Webhook

from luodi.runtime.clock import ManualClock, SystemClock
from luodi.runtime.errors import InvalidSettingsError
from services.notify.channels import Outcome
from services.notify.channels.webhook import WebhookChannel, keys, payload, sign, wait_of
from services.notify.notifications import Notification
from tests.integration.notify import receiver as play
from tests.integration.notify.receiver import OTHER_SECRET, SECRET, Receiver, receiver
from tests.unit.notify.builders import COMPOSER, at, open_matter

TIMEOUT_S = 0.6


@pytest.fixture
def peer() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def row() -> Notification:
    (made,) = COMPOSER.openings(open_matter(), ("inbox", "webhook"), at(0))
    return made


def channel(peer: Receiver, secret: str = SECRET, timeout_s: float = 10.0) -> WebhookChannel:
    return WebhookChannel(peer.url, secret, SystemClock(), timeout_s)


def test_a_message_arrives_signed_with_id_timestamp_and_the_whole_content(peer: Receiver) -> None:
    made = row()
    assert channel(peer).send(made) == Outcome("sent")
    (got,) = peer.got
    assert peer.forged == []
    assert got.headers["webhook-id"] == made.message_id
    assert got.headers["content-type"] == "application/json"
    assert got.body == payload(made)
    assert got.body["type"] == "notification.stalled"
    data = got.body["data"]
    assert (data["project_id"], data["gap"], data["recipient"], data["demo"]) == (
        made.project_id,
        ["signed", "started"],
        "u-zhang",
        True,
    )
    assert data["title"] == made.texts.title_zh
    assert data["text_en"] == made.texts.text_en


def test_each_attempt_has_the_same_id_and_body_and_a_timestamp_of_its_own(peer: Receiver) -> None:
    clock = ManualClock(datetime.now(UTC))
    way = WebhookChannel(peer.url, SECRET, clock)
    way.send(row())
    clock.advance(3)
    way.send(row())
    first, second = peer.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 3
    assert peer.forged == []


def test_the_timestamp_is_wall_time_whatever_the_business_clock_says(peer: Receiver) -> None:
    WebhookChannel(peer.url, SECRET, SystemClock(offset_s=86_400 * 90)).send(row())
    assert peer.forged == []  # the reference library refuses what is off by five minutes


def test_the_trace_goes_on_in_the_header_with_a_span_of_its_own(peer: Receiver) -> None:
    traced = replace(row(), traceparent="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01")
    channel(peer).send(traced)
    got = peer.got[0].headers["traceparent"]
    assert got.startswith("00-" + "ab" * 16 + "-")
    assert "cd" * 8 not in got


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_while_the_secret_changes_a_receiver_with_either_one_verifies(secret: str) -> None:
    with receiver(secret) as peer:
        channel(peer, f"{SECRET} {OTHER_SECRET}").send(row())
        assert peer.forged == []
        assert len(peer.got[0].headers["webhook-signature"].split()) == 2


def test_a_receiver_with_another_secret_sees_a_forgery() -> None:
    with receiver(OTHER_SECRET) as peer:
        channel(peer, SECRET).send(row())
        assert len(peer.forged) == 1


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(peer: Receiver, code: int) -> None:
    peer.answers = [play.status(code)]
    assert channel(peer).send(row()) == Outcome("sent")


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(peer: Receiver, code: int) -> None:
    peer.answers = [play.status(code, Location=f"{peer.url}&elsewhere=1")]
    assert channel(peer).send(row()) == Outcome("retry", f"http-{code}")
    assert len(peer.got) == 1


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 422, 500, 502, 504])
def test_any_other_status_is_worth_another_attempt(peer: Receiver, code: int) -> None:
    peer.answers = [play.status(code)]
    assert channel(peer).send(row()) == Outcome("retry", f"http-{code}")


def test_410_gives_the_address_up(peer: Receiver) -> None:
    peer.answers = [play.status(410)]
    assert channel(peer).send(row()) == Outcome("gone", "http-410")


@pytest.mark.parametrize("code", [429, 503])
def test_the_wait_that_a_busy_receiver_asks_for_is_heard(peer: Receiver, code: int) -> None:
    peer.answers = [play.status(code, Retry_After="120")]
    assert channel(peer).send(row()) == Outcome("retry", f"http-{code}", 120.0)


def test_a_wait_beside_another_status_is_not_heard(peer: Receiver) -> None:
    peer.answers = [play.status(500, Retry_After="120")]
    assert channel(peer).send(row()) == Outcome("retry", "http-500", 0.0)


def test_a_receiver_that_says_nothing_times_out(peer: Receiver) -> None:
    peer.answers = [play.silence]
    outcome = channel(peer, timeout_s=TIMEOUT_S).send(row())
    assert outcome.kind == "retry"
    assert len(peer.got) == 1


@pytest.mark.timeout(20)
def test_a_receiver_that_drips_its_answer_is_cut_off(peer: Receiver) -> None:
    peer.answers = [play.drip]
    assert channel(peer, timeout_s=TIMEOUT_S).send(row()) == Outcome("retry", "timed-out")


@pytest.mark.timeout(20)
def test_a_receiver_that_took_it_and_never_stops_talking_has_taken_it(peer: Receiver) -> None:
    peer.answers = [play.endless_body]
    assert channel(peer, timeout_s=TIMEOUT_S).send(row()) == Outcome("sent")


def test_a_connection_reset_after_the_body_is_worth_another_attempt(peer: Receiver) -> None:
    peer.answers = [play.reset]
    assert channel(peer).send(row()).kind == "retry"


def test_a_connection_reset_after_the_status_changes_nothing(peer: Receiver) -> None:
    peer.answers = [play.reset_after_status]
    assert channel(peer).send(row()) == Outcome("sent")


def test_a_receiver_that_is_not_there_is_worth_another_attempt() -> None:
    with receiver() as peer:
        way = channel(peer)
    assert way.send(row()).kind == "retry"


def test_after_any_of_it_the_next_message_arrives(peer: Receiver) -> None:
    way = channel(peer, timeout_s=TIMEOUT_S)
    for fault in (play.reset, play.reset_after_status, play.drip, play.endless_body, play.status(302, Location="/x")):
        peer.answers = [fault]
        way.send(row())
        assert way.send(row()) == Outcome("sent")


def test_neither_the_address_nor_the_secret_is_shown(peer: Receiver) -> None:
    way = channel(peer)
    assert "s3cret" not in f"{way.endpoint} {way.shown}"
    assert way.shown == "127.0.0.1"
    peer.answers = [play.reset]
    assert "s3cret" not in str(way.send(row()).error)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_no-base-64!",
        "whsec_" + base64.b64encode(b"short").decode(),
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
    ids=["none", "empty", "no base64", "too short", "without its mark"],
)
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(InvalidSettingsError) as refused:
        keys(secret)
    assert "LUODI_WEBHOOK_SECRET" in str(refused.value)
    for part in secret.replace("whsec_", "").split():
        assert part not in str(refused.value)


def test_the_signature_is_that_of_the_reference_library() -> None:
    body = json.dumps({"a": "汉字"}).encode()
    moment = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
    reference = Webhook(SECRET).sign("msg_1", moment, body.decode())
    assert sign(keys(SECRET)[0], "msg_1", int(moment.timestamp()), body) == reference


WALL = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("17", 17),
        (" 17 ", 17),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        (format_datetime(WALL + timedelta(minutes=2), usegmt=True), 120),
        (format_datetime(WALL - timedelta(minutes=2), usegmt=True), 0),
        ("9" * 400, 999_999_999),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: float) -> None:
    assert wait_of(text, WALL) == seconds
