"""The two sides of every comparison, behind one face: which processes to start, where to post, what to look for."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from pymongo import MongoClient

from bench.figures import BASELINE, PRODUCT
from bench.milestones import DETAILS, Milestone
from luodi.domain.days import instant
from luodi.domain.events import MILESTONE_REPORTED, Event
from luodi.local.harness import Servers
from luodi.local.net import free_address
from luodi.local.processes import Child, Command
from luodi.runtime import kafka, settings
from luodi.runtime.settings import Address
from schemas import codec

PARTITIONS = 8
START_S = 60.0
READY_IN_A_ROW = 12  # each question is a new connection, which any of a service's workers may get
STOP_S = 25.0
TAIL_LINES = 30
GUNICORN = ("-m", "gunicorn", "--worker-class", "gthread", "--no-control-socket", "--keep-alive", "65")


class NotServingError(Exception):
    """A service ended, or was not ready in time; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """One service to start. `ready` is asked until it answers True; None: nothing to ask."""

    name: str
    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    ready: str | None


class Side(Protocol):
    """One of the two. A *space* is a name for topics, group and database of their own."""

    name: str
    ingest: Address
    tracker: Address

    def prepare(self, space: str) -> None:
        """Create the topics."""

    def ingest_programs(self, space: str) -> list[Program]:
        """What takes the posts."""

    def tracker_programs(self, space: str) -> list[Program]:
        """What applies the records and answers queries."""

    def other_programs(self, space: str) -> list[Program]:
        """What else runs in normal operation."""

    def topic(self, space: str) -> str:
        """Where the records are."""

    def group(self, space: str) -> str:
        """The group that commits their offsets."""

    def record(self, milestone: Milestone, number: int, recorded: datetime) -> bytes:
        """The value that ingest would write for the milestone."""

    def own_write(self, milestone: Milestone, receipt: Mapping[str, Any]) -> str:
        """The path a caller asks to see what it has just posted."""

    def shows(self, project: Mapping[str, Any], milestone: Milestone) -> bool:
        """Whether the answer to `GET /v1/projects/{id}` holds the milestone."""

    def check_applied(self, space: str, projects: int, events: int) -> None:
        """Look into the database. Raises AssertionError when something is missing."""


class Product:
    """The services of this repository."""

    name = PRODUCT

    def __init__(self, servers: Servers, home: Path) -> None:
        self._servers, self._home = servers, home
        self.ingest, self.tracker, self.notify = free_address(), free_address(), free_address()

    def environ(self, space: str) -> dict[str, str]:
        """The settings of a space, whole: nothing of the caller's own settings leaks in."""
        return {
            **_inherited(),
            "LUODI_MODE": "local",
            "LUODI_HOME": str(self._home / f"{self.name}-{space}"),
            "LUODI_INGEST_LISTEN": str(self.ingest),
            "LUODI_TRACKER_LISTEN": str(self.tracker),
            "LUODI_NOTIFY_LISTEN": str(self.notify),
            "LUODI_PARTITIONS": str(PARTITIONS),
            "LUODI_DATABASE": f"luodi_{space}",
            "LUODI_TOPIC_PREFIX": f"luodi-{space}-",
            "LUODI_GROUP_PREFIX": f"{space}-",
            "KAFKA_BOOTSTRAP_SERVERS": self._servers.bootstrap,
            "MONGODB_URI": self._servers.mongodb_uri,
        }

    def prepare(self, space: str) -> None:
        Path(self.environ(space)["LUODI_HOME"]).mkdir(parents=True, exist_ok=True)
        kafka.ensure_topics(settings.read(self.environ(space)))

    def ingest_programs(self, space: str) -> list[Program]:
        return [self._service("ingest", self.ingest, space)]

    def tracker_programs(self, space: str) -> list[Program]:
        return [self._service("tracker", self.tracker, space)]

    def other_programs(self, space: str) -> list[Program]:
        return [self._service("notify", self.notify, space)]

    def _service(self, name: str, address: Address, space: str) -> Program:
        return Program(name, ("-m", f"services.{name}"), self.environ(space), f"{address.url}/ready")

    def topic(self, space: str) -> str:
        return f"luodi-{space}-project-events"

    def group(self, space: str) -> str:
        return f"{space}-luodi-tracker"

    def record(self, milestone: Milestone, number: int, recorded: datetime) -> bytes:
        data = {"stage": milestone.stage, "date": milestone.date}
        data.update({key: value for key, value in DETAILS.items() if key != "actor"})
        return codec.encode(
            Event(
                subject=milestone.project_id,
                id=f"bench-{number:08d}",
                type=MILESTONE_REPORTED,
                recordedtime=instant(recorded + timedelta(milliseconds=number)),
                sequence=0,
                actor=DETAILS["actor"],
                data=data,
            )
        )

    def own_write(self, milestone: Milestone, receipt: Mapping[str, Any]) -> str:
        # The answer waits until the post is applied; the baseline has nothing like it and is asked again and again.
        return f"/v1/projects/{milestone.project_id}?after={receipt['position']}"

    def shows(self, project: Mapping[str, Any], milestone: Milestone) -> bool:
        return any(
            row["stage"] == milestone.stage and row["date"] == milestone.date for row in project.get("milestones", ())
        )

    def check_applied(self, space: str, projects: int, events: int) -> None:
        with _database(self._servers, f"luodi_{space}") as database:
            held = database["journal"].count_documents({}), database["projects"].count_documents({})
        if held != (events, projects):
            raise AssertionError(f"journal and projects hold {held}, not {(events, projects)}")


class Baseline:
    """The textbook implementation in `bench/baseline`."""

    name = BASELINE

    def __init__(self, servers: Servers, home: Path) -> None:
        self._servers, self._home = servers, home
        self.ingest, self.tracker = free_address(), free_address()

    def environ(self, space: str) -> dict[str, str]:
        """The settings of a space."""
        return {
            **_inherited(),
            "BASELINE_KAFKA": self._servers.bootstrap,
            "BASELINE_MONGO": self._servers.mongodb_uri,
            "BASELINE_DATABASE": f"baseline_{space}",
            "BASELINE_TOPIC": self.topic(space),
            "BASELINE_GROUP": self.group(space),
        }

    def prepare(self, space: str) -> None:
        client = kafka.admin(_reader(self._servers))
        try:
            client.create_topics({self.topic(space): {"num_partitions": PARTITIONS, "replication_factor": 1}})
        finally:
            client.close()

    def ingest_programs(self, space: str) -> list[Program]:
        return [self._served("ingest", self.ingest, space, workers=2, threads=8)]

    def tracker_programs(self, space: str) -> list[Program]:
        consumer = Program("tracker", ("-m", "bench.baseline.tracker"), self.environ(space), None)
        return [consumer, self._served("tracker", self.tracker, space, workers=1, threads=4, name="query")]

    def other_programs(self, space: str) -> list[Program]:  # noqa: ARG002 - the other side needs it
        return []

    def _served(
        self, module: str, address: Address, space: str, *, workers: int, threads: int, name: str | None = None
    ) -> Program:
        size = ("--workers", str(workers), "--threads", str(threads), "--bind", str(address))
        application = f"bench.baseline.{module}:create_app()"
        return Program(name or module, (*GUNICORN, *size, application), self.environ(space), f"{address.url}/health")

    def topic(self, space: str) -> str:
        return f"baseline-{space}-milestones"

    def group(self, space: str) -> str:
        return f"baseline-{space}"

    def record(self, milestone: Milestone, number: int, recorded: datetime) -> bytes:
        told = recorded + timedelta(milliseconds=number)
        extra = {"id": f"bench-{number:08d}", "recorded_at": told.isoformat(timespec="milliseconds")}
        return json.dumps({**milestone.payload(), **extra}).encode()

    def own_write(self, milestone: Milestone, receipt: Mapping[str, Any]) -> str:  # noqa: ARG002 - see the protocol
        return f"/v1/projects/{milestone.project_id}"

    def shows(self, project: Mapping[str, Any], milestone: Milestone) -> bool:
        return bool(project.get("milestones", {}).get(milestone.stage) == milestone.date)

    def check_applied(self, space: str, projects: int, events: int) -> None:  # noqa: ARG002 - it keeps no events
        with _database(self._servers, f"baseline_{space}") as database:
            held = database["projects"].count_documents({})
        if held != projects:
            raise AssertionError(f"{held} projects, not {projects}")


@contextlib.contextmanager
def running(programs: Sequence[Program], logs: Path) -> Iterator[dict[str, Child]]:
    """Starts the programs together, waits until each is ready, and stops them in reverse order.

    Raises:
        NotServingError: one ended, or was not ready in time.
    """
    with contextlib.ExitStack() as stack:
        started: dict[str, tuple[Program, Child, Command]] = {}
        for program in programs:
            log = logs / f"{program.name}-{time.monotonic_ns()}.log"
            command = Command((sys.executable, *program.arguments), program.environ, log, Path.cwd())
            child = Child(command)
            stack.callback(child.stop, STOP_S)
            started[program.name] = program, child, command
        for program, child, command in started.values():
            _await(program, child, command)
        yield {name: child for name, (_, child, _) in started.items()}


def _await(program: Program, child: Child, command: Command) -> None:
    deadline = time.monotonic() + START_S
    answered = 0
    while program.ready is not None and answered < READY_IN_A_ROW:
        if answers(program.ready):
            answered += 1
            continue
        answered = 0
        if child.exit_status() is not None or time.monotonic() > deadline:
            tail = "\n".join(command.log.read_text("utf-8", errors="replace").splitlines()[-TAIL_LINES:])
            raise NotServingError(f"{program.name} ({' '.join(program.arguments)}) does not serve:\n{tail}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether `url` answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def until(condition: Callable[[], bool], what: str, timeout_s: float = START_S) -> None:
    """Polls until the condition holds. Raises NotServingError with `what` did not come."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise NotServingError(f"{what} did not come within {timeout_s:.0f} s")
        time.sleep(0.05)


@contextlib.contextmanager
def _database(servers: Servers, name: str) -> Iterator[Any]:
    client: MongoClient[dict[str, Any]] = MongoClient(servers.mongodb_uri)
    try:
        yield client[name]
    finally:
        client.close()


def _reader(servers: Servers) -> settings.Settings:
    return settings.read(
        {
            "LUODI_MODE": "local",
            "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap,
            "MONGODB_URI": servers.mongodb_uri,
        }
    )


def _inherited() -> dict[str, str]:
    ours = ("LUODI_", "KAFKA_", "MONGODB_", "BASELINE_", "PROMETHEUS_", "GUNICORN_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"PYTHONUNBUFFERED": "1"}
