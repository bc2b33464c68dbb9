"""A tracker stopped after its replace, its partition taken over, then continued: the newest document wins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from luodi.local.harness import Servers
from luodi.local.net import free_address
from schemas import states
from tests.integration.tracker.world import World, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def world(servers: Servers, tmp_path: Path) -> Iterator[World]:
    one = World(servers, tmp_path, partitions=2)
    try:
        yield one
    finally:
        one.close()


def published(world: World, subject: str) -> list[int]:
    """How many events each record of a subject on project-states knows of, in the order of the log."""
    records = world.records(world.settings.topics.states)
    return [states.decode_state(record.value)["events"] for record in records if record.key == subject.encode()]


def test_a_zombies_late_write_is_healed(world: World, tmp_path: Path) -> None:
    first = world.recorder.registered("z-1")
    world.send([first])
    zombies, heirs = free_address(), free_address()
    with (tmp_path / "zombie.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zombie"],
            cwd=ROOT,
            env={**os.environ, **world.environ, "LUODI_SLOT": "zombie", "LUODI_TRACKER_LISTEN": str(zombies)},
            stderr=log,
        )
        try:
            until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED, "the zombie stopped itself", 60)
            assert world.documents()["z-1"]["events"] == 1, "it stopped after its replace"
            assert published(world, "z-1") == [], "and before it published"

            with world.tracker(slot="heir", port=heirs.port):
                world.await_applied(world.send([world.recorder.milestone("z-1", date="2026-02-02")]), 60)
                until(lambda: published(world, "z-1")[-1:] == [2], "the heir published")
                before = len(published(world, "z-1"))
                os.kill(child.pid, signal.SIGCONT)
                until(lambda: 1 in published(world, "z-1")[before:], "the zombie's late write")
                until(lambda: published(world, "z-1")[-1] == 2, "the newest document published again")
                assert world.documents()["z-1"]["events"] == 2
                assert world.documents()["z-1"]["reached"] == {"signed": "2026-02-02"}
        finally:
            child.kill()
            child.wait(10)
