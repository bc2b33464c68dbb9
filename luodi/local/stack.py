"""The members of the stack: what is started, with which settings, in which order, and what must hold before."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local.faults import UnavailableError
from luodi.local.home import Home, Row, RunFile
from luodi.local.kafka import Kafka
from luodi.local.mongo import MongoDB
from luodi.local.net import bind_fault, unready_reason
from luodi.local.processes import Command, session_members, started_at
from luodi.local.settings import LISTEN_SETTINGS, NAMES, SERVICES, StackSettings
from luodi.local.supervisor import READY, STARTING, Member

if TYPE_CHECKING:
    from collections.abc import Callable

    from luodi.runtime.settings import Address

SERVICE_STOP_S = 20.0  # what a service may take to finish what it has begun
KAFKA_STOP_S = 20.0
RECORDING_STOP_S = 90.0  # the one stop that also writes the start cache, on a slow machine
MONGODB_STOP_S = 20.0
GONE_S = 10.0  # for a killed process to disappear
OTHER_PORT = 1000  # what the suggested address is moved by


def outside(settings: StackSettings) -> list[Row]:
    """The rows of the servers that the operator runs."""
    return [Row(name, None, None, settings.address(name), READY, 0) for name in NAMES if name not in settings.listens]


def note_preparing(settings: StackSettings, home: Home) -> None:
    """Tells in the run file that a start has begun, so that others know whom to ask for the end."""
    rows = tuple(Row(name, None, None, settings.address(name), STARTING, 0) for name in NAMES)
    own = os.getpid()
    home.write_run(RunFile(own, started_at(own) or "", STARTING, rows))


def check_ports(settings: StackSettings) -> None:
    """Looks whether every address of the stack is free, before anything is started.

    Raises:
        UnavailableError: names every address that is not, and the setting that moves it.
    """
    taken = [
        (f"{at} of {name} {fault}", f"{LISTEN_SETTINGS[name]}={at.host}:{(at.port + OTHER_PORT) % 65536 or OTHER_PORT}")
        for name, at in settings.listens.items()
        if (fault := bind_fault(at))
    ]
    if taken:
        raise UnavailableError(
            "; ".join(what for what, _ in taken),
            mend=f"stop who uses it, or move ours: {' '.join(move for _, move in taken)} luodi up",
        )


def end_leftovers(home: Home, tell: Callable[[str], None]) -> None:
    """Kills what an earlier supervisor of this home left running. Call it while holding the home.

    On Linux the kernel has killed the processes with their supervisor; this finds workers that outlived them, and
    everything on a system whose kernel does not. A process is known by its number and the instant it was started, so
    a stranger that got the number later is left alone.
    """
    run = home.read_run()
    for row in run.rows if run else ():
        if row.pid is None:
            continue
        found = set(session_members(row.pid, f"LUODI_HOME={home.path}"))
        if row.started_at is not None and started_at(row.pid) == row.started_at:
            found.add(row.pid)
        for pid in found:
            tell(f"{row.name}: ending pid {pid} of an earlier run")
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + GONE_S
        while any(started_at(pid) for pid in found) and time.monotonic() < deadline:
            time.sleep(0.05)
    home.clear_run()


def members(settings: StackSettings, home: Home, tell: Callable[[str], None]) -> list[Member]:
    """Everything the stack starts, prepared: jars and binaries fetched and checked, data folders made.

    Raises:
        UnavailableError: something is missing that could not be fetched or installed.
    """
    made: list[Member] = []
    with ThreadPoolExecutor(2, thread_name_prefix="prepare") as pool:
        soon = []
        if settings.kafka:
            soon.append(pool.submit(_kafka, settings.kafka, settings, home, tell))
        if settings.mongodb:
            soon.append(pool.submit(_mongodb, settings.mongodb, settings, home, tell))
        made += [future.result() for future in soon]
    servers = tuple(member.name for member in made)
    made += [_service(name, settings, home, servers) for name in SERVICES]
    return made


def _kafka(listen: Address, settings: StackSettings, home: Home, tell: Callable[[str], None]) -> Member:
    kafka = Kafka(home.path / "kafka", listen, home.log("kafka"), settings.environ, tell)
    jars = kafka.prepare()

    def stop_s() -> float:
        if not kafka.recording():
            return KAFKA_STOP_S
        tell("kafka: writing its start cache, which makes the next start shorter (once)")
        return RECORDING_STOP_S

    return Member(
        "kafka",
        str(listen),
        command=lambda: kafka.command(jars),
        ready=kafka.ready,
        stop_s=stop_s,
        ended=lambda status, served: kafka.ended(status, served=served),
    )


def _mongodb(listen: Address, settings: StackSettings, home: Home, tell: Callable[[str], None]) -> Member:
    mongodb = MongoDB(home.path / "mongodb", listen, home.log("mongodb"), settings.environ, tell)
    binary = mongodb.prepare()
    return Member(
        "mongodb",
        str(listen),
        command=lambda: mongodb.command(binary),
        ready=mongodb.ready,
        stop_s=lambda: MONGODB_STOP_S,
    )


def _service(name: str, settings: StackSettings, home: Home, servers: tuple[str, ...]) -> Member:
    at = settings.listens[name]
    command = Command(
        argv=(
            sys.executable,
            "-P",
            "-m",
            f"services.{name}",
        ),  # -P: a folder `services` in the working folder is not ours
        environ=settings.environ,
        log=home.log(name),
        cwd=Path.cwd(),
    )
    return Member(
        name,
        str(at),
        command=lambda: command,
        ready=lambda: unready_reason(at) is None,
        needs=servers,
        stop_s=lambda: SERVICE_STOP_S,
    )
