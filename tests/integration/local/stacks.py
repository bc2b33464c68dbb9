"""A stack run by the `luodi` command as a user runs it, with stand-ins for the services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.local.net import free_address

if TYPE_CHECKING:
    from collections.abc import Callable

STANDINS = Path(__file__).with_name("standins")
SETTINGS = tuple(f"LUODI_{name}_LISTEN" for name in ("KAFKA", "MONGO", "INGEST", "TRACKER", "NOTIFY"))
COMMAND_S = 200.0  # a stop that writes the start cache on a busy machine is the longest
OURS = ("LUODI_", "KAFKA_", "MONGODB_")  # settings of whoever runs the tests are not settings of the tests


@dataclass
class Stack:
    """One home with addresses of its own. `down()` at the end, whatever happened."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("LUODI_", "KAFKA_", "MONGODB_"))
        }
        if cache := os.environ.get("LUODI_CACHE"):
            kept["LUODI_CACHE"] = cache
        listens = {name: str(free_address()) for name in SETTINGS}
        own = {"LUODI_HOME": str(self.home), "LUODI_SAMPLE": "0", "PYTHONPATH": str(STANDINS)}
        self.environ = {**kept, **listens, **own, **self.environ}

    def run(self, *words: str, **over: str) -> subprocess.CompletedProcess[str]:
        """`luodi WORDS…`, to its end."""
        return subprocess.run(
            (sys.executable, "-P", "-m", "luodi.cli", *words),
            env=self.environ | over,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
        )

    def popen(self, *words: str, **over: str) -> subprocess.Popen[str]:
        """`luodi WORDS…`, running beside the test."""
        return subprocess.Popen(
            (sys.executable, "-P", "-m", "luodi.cli", *words),
            env=self.environ | over,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def up(self, **over: str) -> str:
        """`luodi up --detach`, which must succeed; what it said."""
        done = self.run("up", "--detach", **over)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def down(self) -> str:
        """`luodi down`; what it said."""
        done = self.run("down")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        """`luodi status --json`."""
        done = self.run("status", "--json")
        assert done.returncode == 0, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown

    def process(self, name: str) -> dict[str, Any]:
        """One process of `status`."""
        found: dict[str, Any] = next(row for row in self.status()["processes"] if row["name"] == name)
        return found

    def worker(self, name: str) -> int:
        """The pid of the worker that a stand-in started last."""
        lines = (self.home / "logs" / f"{name}.log").read_text("utf-8").splitlines()
        return int([line for line in lines if line.startswith(f"{name} worker")][-1].split()[-1])


def alive(pid: int) -> bool:
    """Whether a process runs (a dead one that nobody reaped does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def wait_until(true: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Polls until it is true; fails when it does not become so."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"not true within {timeout_s} s"
        time.sleep(0.05)
