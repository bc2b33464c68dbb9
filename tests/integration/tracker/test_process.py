"""The tracker as a process of its own: started, asked, ended in order, killed, refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from tests.integration.tracker.test_projector import check
from tests.integration.tracker.world import World, until

pytestmark = pytest.mark.stack


class Process:
    """`python -m services.tracker`."""

    def __init__(self, world: World, log: Path) -> None:
        self.url = world.settings.tracker_listen.url
        self._log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.tracker"], env=os.environ | world.environ, stderr=out, stdout=out
            )
        self._http = urllib3.PoolManager(retries=False)

    def status(self, path: str) -> int:
        assert self.process.poll() is None, self._log.read_text()
        try:
            return self._http.request("GET", f"{self.url}{path}", timeout=10).status
        except urllib3.exceptions.HTTPError:
            return 0

    def await_ready(self) -> None:
        until(lambda: self.status("/ready") == 200, "ready", 60)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=25)

    def logged(self) -> list[str]:
        """The names of the events in the log."""
        return [json.loads(line)["event"] for line in self._log.read_text().splitlines() if line.startswith("{")]


@contextmanager
def running(world: World, log: Path) -> Iterator[Process]:
    process = Process(world, log)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait(timeout=10)


def test_sigterm_ends_it_in_order_and_the_next_goes_on_at_once(world: World, tmp_path: Path) -> None:
    events = [world.recorder.registered(f"p{n}") for n in range(40)]
    with running(world, tmp_path / "log") as process:
        process.await_ready()
        world.await_applied(world.send(events[:20]))
        world.send(events[20:30])
        assert process.end(signal.SIGTERM) == 0
        assert process.logged()[-1] == "service.stopped"
    with running(world, tmp_path / "log") as process:
        world.await_applied(world.send(events[30:]))
        process.await_ready()
        until(lambda: len(world.documents()) == 40, "everything applied")
        assert process.end(signal.SIGINT) == 0
    check(world, events)


def test_killed_in_the_middle_it_loses_and_doubles_nothing(world: World, tmp_path: Path) -> None:
    events = [world.recorder.registered(f"p{n}") for n in range(50)]
    events += [world.recorder.milestone(f"p{n % 50}", "started", id_=f"m{n}") for n in range(1_500)]
    with running(world, tmp_path / "log") as process:
        process.await_ready()
        world.send(events[:700])
        until(world.applied, "something applied")
        process.end(signal.SIGKILL)
    with running(world, tmp_path / "log") as process:
        last = world.send(events[700:])
        world.await_applied(last, 60)
        until(lambda: sum(d["events"] for d in world.documents().values()) == len(events), "everything applied", 60)
        process.await_ready()
        assert process.end(signal.SIGTERM) == 0
    check(world, events)


def test_it_exits_with_78_when_its_settings_are_wrong(world: World, tmp_path: Path) -> None:
    wrong = os.environ | world.environ | {"LUODI_PARTITIONS": "many", "LUODI_MODE": "dreaming"}
    done = subprocess.run(
        [sys.executable, "-m", "services.tracker"], env=wrong, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 78
    assert "LUODI_PARTITIONS" in done.stderr
    assert "LUODI_MODE" in done.stderr


def test_an_old_deploy_exits_and_says_what_the_operator_can_do(world: World, tmp_path: Path) -> None:
    with world.tracker():
        pass
    row = world.database["rulesets"].find_one() or {}
    world.database["rulesets"].insert_one({**row, "_id": 2, "digest": "of a newer version"})
    with running(world, tmp_path / "log") as process:
        assert process.process.wait(timeout=60) == 1
        assert "luodi config apply" in (tmp_path / "log").read_text()
