"""Two notifiers as processes: one is stopped in the middle of its work and comes back, and nothing is sent twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from luodi.local.net import free_address
from tests.integration.notify.receiver import Receiver
from tests.integration.notify.world import World, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
STALLS = 12


@contextmanager
def process(world: World, module: str, slot: str, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A notifier, ready; ended at the latest when the test is."""
    environ = {**os.environ, **world.environ, "LUODI_SLOT": slot, "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{port}"}
    with log.open("wb") as stream:
        child = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environ, stderr=stream)
    try:
        until(lambda: child.poll() is not None or world.ready(f"http://127.0.0.1:{port}"), f"{slot} ready", 60)
        assert child.poll() is None, log.read_text()
        yield child
    finally:
        child.kill()
        child.wait(10)


def sent(world: World) -> int:
    """How many stalls the webhook has taken, as the ledger knows."""
    delivered = {"channel": "webhook", "status": "sent"}
    return world.database["notifications"].count_documents({"kind": "stalled", "deliveries": {"$elemMatch": delivered}})


def all_sent(world: World, count: int) -> bool:
    return sent(world) == count


def test_a_zombie_sends_nothing_that_was_taken_over_from_it(world: World, peer: Receiver, tmp_path: Path) -> None:
    names = [f"p-{number}" for number in range(STALLS)]
    with process(
        world, "tests.crash.frozen_notifier", "zombie", free_address().port, tmp_path / "zombie.log"
    ) as zombie:
        world.watermarks_run()
        world.overdue(names[0])  # alone: of a request under way nobody could tell whether it arrived
        until(lambda: psutil.Process(zombie.pid).status() == psutil.STATUS_STOPPED, "the zombie stopped itself", 60)
        for name in names[1:]:
            world.overdue(name)
        with process(world, "services.notify", "heir", world.port, tmp_path / "heir.log"):
            until(
                lambda: sent(world) == STALLS,
                "the heir sent everything, what had been taken when its lease was over",
                120,
            )
            before = len(peer.got)
            zombie.send_signal(signal.SIGCONT)
            world.overdue("p-after")
            until(lambda: world.told("p-after") == [("stalled", 1)], "one more told")
            until(lambda: sent(world) == STALLS + 1, "and sent", 60)
            until(lambda: '"error":"held-up"' in (tmp_path / "zombie.log").read_text(), "the zombie left it alone", 60)
            for name in names:
                world.reached(name)
            until(lambda: len([name for name in names if peer.about(name, "cleared")]) == STALLS, "all clear sent", 90)
    assert len(peer.got) > before
    twice = {message: n for message, n in Counter(m.headers["webhook-id"] for m in peer.got).items() if n > 1}
    assert twice == {}
    assert [m.body["data"]["kind"] for m in peer.about("p-0")] == ["stalled", "cleared"]


def test_while_partitions_change_hands_again_and_again_nothing_is_sent_twice(
    world: World, peer: Receiver, tmp_path: Path
) -> None:
    with process(world, "services.notify", "one", world.port, tmp_path / "one.log"):
        world.watermarks_run()
        for turn in range(3):
            names = [f"p-{turn}-{number}" for number in range(STALLS)]
            for name in names[: STALLS // 2]:
                world.overdue(name)
            with process(
                world, "services.notify", f"guest-{turn}", free_address().port, tmp_path / f"{turn}.log"
            ) as guest:
                for name in names[STALLS // 2 :]:
                    world.overdue(name)
                guest.terminate()
                assert guest.wait(30) == 0
            until(partial(all_sent, world, STALLS * (turn + 1)), "all sent", 60)
    ids = Counter(m.headers["webhook-id"] for m in peer.got)
    assert len(ids) >= 3 * STALLS
    assert set(ids.values()) == {1}
