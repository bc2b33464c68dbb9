"""A contact's own webhook: signed as the reference library checks it, guarded, given up on its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from luodi.local.harness import Servers
from luodi.runtime.clock import SystemClock
from services.notify.channels import Outcome
from services.notify.channels.webhook import ContactWebhook, payload
from services.notify.channels.writing import message_of
from services.notify.contacts import Way
from services.notify.guard import Allowed, Guard
from services.notify.notifications import Notification
from tests.integration.notify import receiver as play
from tests.integration.notify.receiver import OTHER_SECRET, SECRET, Receiver, receiver
from tests.integration.notify.test_contacts import ask, deliveries, put
from tests.integration.notify.world import World, until
from tests.unit.notify.builders import COMPOSER, at, open_matter

pytestmark = pytest.mark.timeout(120)

OPEN = Guard(Allowed.of(["127.0.0.1"]))


@pytest.fixture
def peer() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def row() -> Notification:
    (made,) = COMPOSER.openings(open_matter(), ("inbox",), at(0))
    return made


def send(peer: Receiver, guard: Guard = OPEN, secret: str = SECRET) -> Outcome:
    made = row()
    way = Way("webhook", peer.url, secret, None, None, "0011223344556677")
    return ContactWebhook(guard, SystemClock()).send(message_of(made, "en"), way, made.message_id)


def test_it_arrives_signed_under_the_id_that_never_changes_with_the_same_body_as_the_operators(peer: Receiver) -> None:
    assert send(peer) == Outcome("sent")
    assert send(peer, secret=f"{OTHER_SECRET} {SECRET}") == Outcome("sent")
    assert peer.forged == []
    assert {got.headers["webhook-id"] for got in peer.got} == {row().message_id}
    assert [got.body for got in peer.got] == [payload(row())] * 2
    send(peer, secret=OTHER_SECRET)
    assert len(peer.forged) == 1


def test_any_2xx_is_success_410_is_the_end_and_a_redirect_is_not_followed(peer: Receiver) -> None:
    expected = {
        202: Outcome("sent"),
        302: Outcome("retry", "http-302"),
        404: Outcome("retry", "http-404"),
        410: Outcome("gone", "http-410"),
        500: Outcome("retry", "http-500"),
    }
    for code, outcome in expected.items():
        peer.answers = [play.status(code, Location=f"{peer.url}/elsewhere")]
        assert send(peer) == outcome
    assert len(peer.got) == len(expected)
    peer.answers = [play.status(429, Retry_After="7")]
    assert send(peer) == Outcome("retry", "http-429", 7.0)


def test_without_leave_nothing_is_sent_to_loopback(peer: Receiver) -> None:
    assert send(peer, Guard()) == Outcome("gone", "address-forbidden")
    assert peer.got == []


@pytest.mark.parametrize(
    ("way", "fault"),
    [
        (Way("webhook", "https://hook.example/x", SECRET, None, None, ""), []),
        (Way("webhook", "http://10.0.0.1/x", SECRET, None, None, ""), [("address", "address-forbidden")]),
        (Way("webhook", "http://[::ffff:10.0.0.1]/x", SECRET, None, None, ""), [("address", "address-forbidden")]),
        (
            Way("webhook", "https://u:p@hook.example/x", SECRET, None, None, ""),
            [("address", "address-with-credentials")],
        ),
        (Way("webhook", "https://hook.example/x", None, None, None, ""), [("secret", "required")]),
        (Way("webhook", "https://hook.example/x", "whsec_short", None, None, ""), [("secret", "bad-secret")]),
        (Way("webhook", "https://hook.example/x", " ", None, None, ""), [("secret", "bad-secret")]),
        (Way("webhook", "https://hook.example/x", SECRET, "m", None, ""), [("mention", "no-mention-here")]),
    ],
)
def test_what_cannot_be_used_is_named(way: Way, fault: list[tuple[str, str]]) -> None:
    assert ContactWebhook(Guard(), SystemClock()).faults(way) == fault


@pytest.mark.stack
def test_a_contact_hears_of_its_own_stalls_beside_the_operators_receiver_and_is_given_up_alone(
    servers: Servers, tmp_path: Path, peer: Receiver
) -> None:
    with receiver(OTHER_SECRET) as operators:
        world = World(
            servers,
            tmp_path,
            LUODI_WEBHOOK_ALLOW="127.0.0.1",
            LUODI_WEBHOOK_URL=operators.url,
            LUODI_WEBHOOK_SECRET=OTHER_SECRET,
        )
        try:
            world.notifier()
            world.watermarks_run()
            status, body = put(world, "u-hook", {"channel": "webhook", "address": f"{peer.url}/tok", "secret": SECRET})
            assert status == 200
            assert "tok" not in str(body)
            assert SECRET not in str(body)
            world.overdue("p-hook", officer="u-hook", zone="qingyuan")
            world.overdue("p-else", officer="u-else", zone="qingyuan")
            until(lambda: peer.about("p-hook") and operators.about("p-hook") and operators.about("p-else"), "all told")
            everywhere = {"inbox": "sent", "log": "sent", "webhook": "sent", "own-webhook": "sent"}
            until(lambda: deliveries(world, "project_id=p-hook") == [everywhere], "marked")
            assert peer.about("p-else") == []
            assert peer.forged == []
            peer.answers = [play.status(410)]
            world.overdue("p-hook-2", officer="u-hook", zone="qingyuan")
            until(lambda: ask(world, "GET", "/v1/contacts/u-hook")[1]["channels"][0]["disabled"], "given up")
            until(lambda: world.notifications("kind=operations&recipient=operators"), "the operators told")
            world.reached("p-else")
            until(lambda: operators.about("p-else", "cleared"), "the operator's own receiver goes on")
        finally:
            world.close()
