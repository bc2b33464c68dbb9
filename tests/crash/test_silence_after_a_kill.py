"""kill -9 between writing a message and sending it; by the time another would send it, it has been silenced."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from luodi.runtime.lifecycle import Stop
from services.notify.app import build
from services.notify.channels.log import LogChannel
from tests.crash.test_two_notifiers import ROOT
from tests.integration.notify.receiver import Receiver
from tests.integration.notify.world import LONG_AGO, World, until
from tests.unit.notify.builders import clock

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

WHOLE, PART = "p-whole", "p-part"
PEOPLE = {"officer": "u-zhang", "group_head": "u-li"}
AHEAD = "2999-01-01T00:00:00.000Z"


def killed_before_it_sent(world: World, log: Path) -> None:
    """A notifier writes the messages of a stall and is gone."""
    environ = {**world.environ, "LUODI_SLOT": "one", "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{world.port}"}
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "tests.crash.cut_off_notifier"]
        child = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=stream)
    try:
        until(lambda: child.poll() is not None or world.ready(), "ready", 60)
        until(lambda: world.database["watches"].count_documents({}) == 2, "both projects known")
        world.publish(PART, clocks=[clock(LONG_AGO)], parent=WHOLE, **PEOPLE)
        assert child.wait(60) == -signal.SIGKILL, log.read_text()
    finally:
        child.kill()
        child.wait(10)


def say(world: World, path: str, **body: Any) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    answer = world.http.request("POST", f"{world.base}{path}", body=json.dumps(body), headers=headers)
    return answer.status, json.loads(answer.data)


def silenced_meanwhile(world: World, on: str) -> None:
    """One that has no way to the receiver takes the silence."""
    stop = Stop()
    service = build(world.settings_of("one", world.port), stop, channels=[LogChannel()])
    service.start()
    try:
        until(world.ready, "the one without a webhook ready")
        day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
        status, begun = say(world, "/v1/silences", id="s1", actor="u-li", project_id=on, reason="整改中", until=day)
        assert (status, begun["active"]) == (200, True)
    finally:
        service.stop(15)
    assert stop.failure is None


def test_what_was_written_before_the_kill_and_silenced_since_is_sent_once_when_the_silence_ends(
    world: World, peer: Receiver, tmp_path: Path
) -> None:
    """The silence is one on the parent: what it covers is found out at the moment of sending, too."""
    world.publish(WHOLE, clocks=[clock(AHEAD)], **PEOPLE)
    world.publish(PART, clocks=[clock(AHEAD)], parent=WHOLE, **PEOPLE)
    world.watermarks_run()
    killed_before_it_sent(world, tmp_path / "killed.log")
    silenced_meanwhile(world, WHOLE)
    world.notifier()
    world.overdue("p-loud")
    until(lambda: peer.about("p-loud"), "what is not silenced goes out")
    assert world.told(PART) == [("stalled", 1)] * 2  # the inbox knew at once
    assert peer.about(PART) == []
    assert say(world, "/v1/silences/s1/end", actor="u-li")[0] == 200
    until(lambda: len(peer.about(PART)) == 2, "both messages go out")
    assert len({message.headers["webhook-id"] for message in peer.about(PART)}) == 2
