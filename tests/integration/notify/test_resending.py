"""What was given up is sent again, over HTTP and at the terminal: under the same id, and only where it still holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from luodi import cli
from luodi.domain.days import END_OF_TIME
from luodi.runtime import mongo
from services.notify.ledger import settle
from services.notify.stores import Stores
from tests.integration.notify import receiver as play
from tests.integration.notify.receiver import Receiver
from tests.integration.notify.test_http import fits
from tests.integration.notify.world import World, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


def webhook(world: World, project: str) -> dict[str, Any]:
    (row,) = world.notifications(f"project_id={project}&kind=stalled")
    (found,) = [d for d in row["deliveries"] if d["channel"] == "webhook"]
    return {**found, "id": row["id"]}


def given_up(world: World, peer: Receiver, project: str) -> str:
    """A stall whose message the receiver did not take, and that was given up after that."""
    peer.answers = [play.status(500)]
    world.overdue(project)
    until(lambda: world.notifications(f"project_id={project}&kind=stalled"), "the message")
    until(lambda: webhook(world, project)["error"] == "http-500", "the attempt that was not taken")
    id_: str = webhook(world, project)["id"]
    database = mongo.connect(world.settings)
    try:
        store = Stores.on(database).notifications
        assert settle(store, id_, lambda row: row.given_up("webhook", END_OF_TIME, "http-500")) is not None
    finally:
        database.client.close()
    assert webhook(world, project)["status"] == "failed"
    return id_


def post(world: World, id_: str, **body: Any) -> tuple[int, Any]:
    path = f"{world.base}/v1/notifications/{id_}/resend"
    headers = {"Content-Type": "application/json", "Accept-Language": "en"}
    answer = world.http.request("POST", path, body=json.dumps(body), headers=headers)
    return answer.status, json.loads(answer.data)


def test_what_was_given_up_goes_again_under_its_id_and_tells_its_history(world: World, peer: Receiver) -> None:
    world.notifier()
    world.watermarks_run()
    id_ = given_up(world, peer, "p-1")
    status, body = post(world, id_, actor="u-it", channel="webhook")
    assert status == 200, body
    fits(body, "Notification")
    until(lambda: webhook(world, "p-1")["status"] == "sent", "the message is taken")
    found = webhook(world, "p-1")
    assert [(tried["what"], tried["error"], tried["by"]) for tried in found["history"]] == [
        ("not-taken", "http-500", None),
        ("not-taken", "http-500", None),
        ("resent", None, "u-it"),
    ]
    assert (found["attempts"], found["error"]) == (2, None)
    assert len({message.headers["webhook-id"] for message in peer.about("p-1")}) == 1


def test_what_was_not_given_up_or_is_not_there_is_refused_with_a_reason(world: World, peer: Receiver) -> None:
    world.notifier()
    world.watermarks_run()
    world.overdue("p-2")
    until(lambda: world.notifications("project_id=p-2&status=sent"), "told")
    status, body = post(world, webhook(world, "p-2")["id"], actor="u-it")
    assert (status, body["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1]) == (409, "not-given-up")
    assert post(world, "nothing", actor="u-it")[0] == 404
    status, body = post(world, "nothing")
    assert (status, body["errors"][0]["pointer"]) == (422, "/actor")


def test_of_a_stall_that_is_over_nobody_is_told_any_more(world: World, peer: Receiver) -> None:
    world.notifier()
    world.watermarks_run()
    id_ = given_up(world, peer, "p-3")
    world.reached("p-3")
    until(lambda: world.notifications("project_id=p-3&kind=cleared"), "the all-clear")
    until(lambda: peer.about("p-3", "cleared"), "the all-clear at the receiver")
    before = len(peer.about("p-3"))
    assert post(world, id_, actor="u-it")[0] == 200
    until(lambda: webhook(world, "p-3")["status"] == "superseded", "it no longer holds")
    assert len(peer.about("p-3")) == before


def test_the_command_sends_all_again(
    world: World, peer: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.notifier()
    world.watermarks_run()
    id_ = given_up(world, peer, "p-4")
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["notify", "resend", "nothing"]) == 1
    assert cli.main(["notify", "resend", "--all", "--channel", "webhook"]) == 0
    told = capsys.readouterr()
    assert "nothing: no such message" in told.err
    assert "1 message goes again" in told.out
    until(lambda: webhook(world, "p-4")["status"] == "sent", "the message is taken")
    assert webhook(world, "p-4")["id"] == id_
