"""Drives a whole installed system as a user does: the `luodi` command, HTTP, signals to its processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import urllib3

from luodi.local.net import free_address

T = TypeVar("T")

PROCESSES = ("kafka", "mongodb", "ingest", "tracker", "notify")
READY_S = 180.0  # a first start on a busy machine
PORT_SETTINGS = (
    "LUODI_KAFKA_LISTEN",
    "LUODI_MONGO_LISTEN",
    "LUODI_INGEST_LISTEN",
    "LUODI_TRACKER_LISTEN",
    "LUODI_NOTIFY_LISTEN",
)


def eventually(look: Callable[[], T], what: str, timeout_s: float = 60.0, step_s: float = 0.1) -> T:
    """Look until the answer is truthy; fails with `what` and the last answer when the time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what}; last seen: {seen!r}")
        time.sleep(step_s)


@dataclass
class Stack:
    """One running system in a home of its own."""

    home: Path
    environ: dict[str, str]
    http: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=32, retries=False, timeout=urllib3.Timeout(10.0))
    )

    @property
    def ingest(self) -> str:
        return f"http://{self.environ['LUODI_INGEST_LISTEN']}"

    @property
    def tracker(self) -> str:
        return f"http://{self.environ['LUODI_TRACKER_LISTEN']}"

    @property
    def notify(self) -> str:
        return f"http://{self.environ['LUODI_NOTIFY_LISTEN']}"

    @property
    def mongodb_uri(self) -> str:
        return f"mongodb://{self.environ['LUODI_MONGO_LISTEN']}/?replicaSet=luodi"

    def luodi(self, *arguments: str, timeout_s: float = READY_S) -> subprocess.CompletedProcess[str]:
        """Run one `luodi` command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "luodi.cli", *arguments],
            env=self.environ,
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def up(self) -> None:
        """Start everything and return when every service is ready."""
        done = self.luodi("up", "--detach")
        assert done.returncode == 0, done.stdout + done.stderr

    def down(self) -> None:
        """Stop everything."""
        done = self.luodi("down")
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self) -> dict[str, Any]:
        """What `luodi status --json` says, processes by name under `processes`."""
        told: dict[str, Any] = json.loads(self.luodi("status", "--json").stdout)
        told["processes"] = {row["name"]: row for row in told["processes"]}
        return told

    def pid(self, name: str) -> int:
        """The process id of one process, waited for while it is being restarted."""
        return int(eventually(lambda: self.status()["processes"][name]["pid"], f"a pid of {name}"))

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to one process; returns its pid."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    def post(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None, to: str | None = None
    ) -> tuple[int, Any]:
        """POST to ingest, or to the service at another address; (status, JSON body)."""
        return self._ask("POST", f"{to or self.ingest}{path}", body, headers)

    def get(self, url: str, **fields: str) -> tuple[int, Any]:
        """GET a full address; (status, JSON body)."""
        answer = self.http.request("GET", url, fields=fields or None)
        return answer.status, json.loads(answer.data) if answer.data else None

    def _ask(self, method: str, url: str, body: Any, headers: Mapping[str, str] | None) -> tuple[int, Any]:
        answer = self.http.request(
            method, url, body=json.dumps(body), headers={"Content-Type": "application/json", **(headers or {})}
        )
        return answer.status, json.loads(answer.data) if answer.data else None

    def project(self, project_id: str, **fields: str) -> dict[str, Any]:
        """The project as the tracker shows it; it must exist."""
        status, body = self.get(f"{self.tracker}/v1/projects/{project_id}", **fields)
        assert status == 200, body
        return dict(body)

    def notifications(self, **fields: str) -> list[dict[str, Any]]:
        """All notifications that fit, oldest first."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = {"limit": "500", **fields, **({"cursor": cursor} if cursor else {})}
            status, body = self.get(f"{self.notify}/v1/notifications", **page)
            assert status == 200, body
            found += body["items"]
            cursor = body["next"]
            if not cursor:
                return found[::-1]


@contextlib.contextmanager
def stack(home: Path, **settings: str) -> Iterator[Stack]:
    """A system of its own on free ports, without the sample unless asked for; ended and its logs kept in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("LUODI_", "KAFKA_", "MONGODB_"))}
    if "LUODI_CACHE" in os.environ:
        keep["LUODI_CACHE"] = os.environ["LUODI_CACHE"]
    listens = {setting: str(free_address()) for setting in PORT_SETTINGS}
    environ = {
        **keep,
        "LUODI_HOME": str(home / ".luodi"),
        "LUODI_SAMPLE": "0",
        **listens,
        **settings,
    }
    one = Stack(home / ".luodi", environ)
    try:
        one.up()
        yield one
    finally:
        one.luodi("down")
        one.http.clear()
