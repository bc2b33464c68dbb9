"""Notify as a process of its own: killed in the middle of a request, and left without its servers for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from luodi.local.harness import Servers
from luodi.local.harness import servers as own_servers
from tests.integration.notify import receiver as play
from tests.integration.notify.receiver import SECRET, Receiver
from tests.integration.notify.world import World, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@contextmanager
def process(world: World, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m services.notify`, ended at the latest when the test is."""
    environ = {"PATH": os.environ["PATH"], **world.environ}
    environ |= {"LUODI_SLOT": "one", "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{world.port}"}
    with log.open("ab") as stream:
        child = subprocess.Popen([sys.executable, "-m", "services.notify"], env=environ, stderr=stream)
    try:
        until(lambda: child.poll() is not None or world.ready(), "the process ready", 60)
        assert child.poll() is None, log.read_text()
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait(10)


def test_killed_in_the_middle_of_a_request_the_message_goes_again_under_its_id(
    world: World, peer: Receiver, tmp_path: Path
) -> None:
    peer.answers = [play.silence]
    world.watermarks_run()
    log = tmp_path / "notify.log"
    with process(world, log) as child:
        world.overdue("p-1")
        until(lambda: len(peer.got) == 1, "the request under way")
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    with process(world, log):
        until(lambda: len(peer.got) == 2, "sent again when the lease has run out", 90)
        until(lambda: world.notifications("project_id=p-1&status=sent"), "marked")
        assert len({m.headers["webhook-id"] for m in peer.got}) == 1
        assert world.told("p-1") == [("stalled", 1)]


def test_sigterm_ends_it_in_order_within_its_bound(world: World, tmp_path: Path) -> None:
    log = tmp_path / "notify.log"
    with process(world, log) as child:
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
    text = log.read_text()
    assert "service.started" in text
    assert "service.stopped" in text
    assert "Traceback" not in text


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A pair of servers that may be killed."""
    with own_servers(tmp_path_factory.mktemp("mine")) as pair:
        yield pair


@pytest.mark.parametrize("victim", ["mongodb", "kafka"])
def test_without_a_server_for_a_while_nothing_false_is_told_and_nothing_is_lost(
    mine: Servers, tmp_path: Path, peer: Receiver, victim: str
) -> None:
    world = World(mine, tmp_path, LUODI_WEBHOOK_URL=peer.url, LUODI_WEBHOOK_SECRET=SECRET)
    log = tmp_path / "notify.log"
    try:
        with process(world, log) as child:
            world.watermarks_run()
            world.overdue("p-before")
            until(lambda: world.told("p-before") == [("stalled", 1)], "told before")
            if victim == "mongodb":
                mine.kill_mongodb()
                world.overdue("p-left")
                world.reached("p-left")
                world.overdue("p-late")
                until(lambda: not world.ready(), "it says that it is not ready")
                mine.start_mongodb()
            else:
                world.watermarks_stop()
                mine.kill_kafka()
                until(lambda: not world.ready(), "it says that it is not ready", 60)
                mine.start_kafka()
                world.overdue("p-left")
                world.reached("p-left")
                world.overdue("p-late")
                world.watermarks_run()
            until(lambda: world.told("p-late") == [("stalled", 1)], "told when it is back", 90)
            until(world.ready, "ready again", 60)
            assert world.told("p-left") == []
            assert world.told("p-before") == [("stalled", 1)]
            assert child.poll() is None, log.read_text()
            until(lambda: len(peer.about("p-late")) == 1, "the webhook too")
    finally:
        world.close()
