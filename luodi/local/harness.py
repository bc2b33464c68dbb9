"""Real servers for tests, benchmarks and drills: a Kafka and a MongoDB that this process owns.

They die with this process and live in a folder of their own, so any number of pairs runs side by side.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from luodi.local.faults import UnavailableError
from luodi.local.kafka import Kafka, Relayed
from luodi.local.mongo import MongoDB
from luodi.local.net import free_address
from luodi.local.processes import Child, Command
from luodi.runtime.settings import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

READY_S = 90.0  # a cold start on a busy machine; a warm one takes two or three seconds
STOP_S = 60.0  # the first clean stop of a Kafka writes the start cache
POLL_S = 0.05


class Server:
    """One server that can be ended and started again on the same address with the same data.

    All starts happen on one thread that lives as long as the harness: the kernel ends a child with the *thread* that
    started it, and a test's thread may end before its server shall.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[], Command],
        ready: Callable[[], bool],
        ended: Callable[[int], None],
        starter: ThreadPoolExecutor,
    ) -> None:
        self.name = name
        self._command, self._ready, self._ended, self._starter = command, ready, ended, starter
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self._running().pid

    def start(self) -> None:
        """Starts the server and returns when it serves.

        Raises:
            UnavailableError: it ended or did not serve in time; the message carries the end of its log.
        """
        command = self._command()
        self._child = child = self._starter.submit(Child, command).result()
        deadline = time.monotonic() + READY_S
        while not self._ready():
            status = child.exit_status()
            if status is not None or time.monotonic() > deadline:
                child.kill()
                tail = "\n".join(command.log.read_text("utf-8", errors="replace").splitlines()[-30:])
                what = f"ended with {status}" if status is not None else f"was not ready in {READY_S:.0f} s"
                raise UnavailableError(f"{self.name} {what}:\n{tail}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stops it cleanly (SIGTERM)."""
        self._ended(self._running().stop(STOP_S))

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self._ended(self._running().kill())

    def pause(self) -> None:
        """Stops its clock (SIGSTOP): it holds its connections and answers nothing."""
        self._running().signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on after `pause`."""
        self._running().signal(signal.SIGCONT)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child is not None and self._child.exit_status() is None

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child


@dataclass(frozen=True)
class Servers:
    """A running pair: its addresses, and what a test may do to it.

    A borrowed pair (`borrowed`) has addresses only; ending or pausing it raises `RuntimeError`.
    """

    bootstrap: str
    mongodb_uri: str
    home: Path | None
    _servers: Mapping[str, Server] = field(default_factory=dict, repr=False)

    @property
    def borrowed(self) -> bool:
        """Whether somebody else owns the servers."""
        return not self._servers

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name (`kafka`, `mongodb`) of the servers that run."""
        return {name: server.pid for name, server in self._servers.items() if server.alive()}

    def kill_kafka(self) -> None:
        """SIGKILL to Kafka."""
        self._server("kafka").kill()

    def stop_kafka(self) -> None:
        """Stops Kafka cleanly."""
        self._server("kafka").stop()

    def start_kafka(self) -> None:
        """Starts Kafka again on the same port with the same data; returns when it serves."""
        self._server("kafka").start()

    def restart_kafka(self) -> None:
        """A clean stop and a start."""
        self.stop_kafka()
        self.start_kafka()

    def kill_mongodb(self) -> None:
        """SIGKILL to mongod."""
        self._server("mongodb").kill()

    def stop_mongodb(self) -> None:
        """Stops mongod cleanly."""
        self._server("mongodb").stop()

    def start_mongodb(self) -> None:
        """Starts mongod again on the same port with the same data; returns when it is primary."""
        self._server("mongodb").start()

    def restart_mongodb(self) -> None:
        """A clean stop and a start."""
        self.stop_mongodb()
        self.start_mongodb()

    def pause(self, name: str) -> None:
        """SIGSTOP to `kafka` or `mongodb`."""
        self._server(name).pause()

    def resume(self, name: str) -> None:
        """SIGCONT to `kafka` or `mongodb`."""
        self._server(name).resume()

    def _server(self, name: str) -> Server:
        if self.borrowed:
            raise RuntimeError("these servers are borrowed: a test that ends them must start its own")
        return self._servers[name]


@contextlib.contextmanager
def servers(
    home: Path,
    kafka_port: int | None = None,
    mongo_port: int | None = None,
    environ: Mapping[str, str] | None = None,
    tell: Callable[[str], None] | None = None,
    relayed: Relayed | None = None,
) -> Iterator[Servers]:
    """Starts a real Kafka and a real MongoDB on loopback, with their data under `home`, and stops them at the end.

    Args:
        home: folder of data and logs; what is in it from an earlier pair is used again.
        kafka_port: port of Kafka; a free one when None.
        mongo_port: port of MongoDB; a free one when None.
        environ: the environment to read the cache settings from; the process's own when None.
        tell: gets a line when something takes longer (a first download); standard error when None.
        relayed: a second address of Kafka, whose clients come through a relay of the caller's.

    Raises:
        UnavailableError: a server cannot be had on this machine or does not start.
    """
    home = home.absolute()
    environ = os.environ if environ is None else environ
    tell = _to_stderr if tell is None else tell
    kafka_at = Address("127.0.0.1", kafka_port) if kafka_port else free_address()
    mongo_at = Address("127.0.0.1", mongo_port) if mongo_port else free_address()
    kafka = Kafka(home / "kafka", kafka_at, home / "logs" / "kafka.log", environ, tell, relayed)
    mongo = MongoDB(home / "mongodb", mongo_at, home / "logs" / "mongodb.log", environ, tell)
    with ThreadPoolExecutor(2) as both, ThreadPoolExecutor(1, thread_name_prefix="starter") as starter:
        jars_soon, binary_soon = both.submit(kafka.prepare), both.submit(mongo.prepare)
        jars, binary = jars_soon.result(), binary_soon.result()
        kafka_server = Server(
            "kafka",
            lambda: kafka.command(jars),
            kafka.ready,
            lambda status: kafka.ended(status, served=True),
            starter,
        )
        mongo_server = Server("mongodb", lambda: mongo.command(binary), mongo.ready, lambda _status: None, starter)
        try:
            for done in [both.submit(server.start) for server in (kafka_server, mongo_server)]:
                done.result()
            yield Servers(
                str(kafka_at), mongo.uri, home, {kafka_server.name: kafka_server, mongo_server.name: mongo_server}
            )
        finally:
            for server in (kafka_server, mongo_server):
                if server.alive():
                    server.resume()
                    server.stop()


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
