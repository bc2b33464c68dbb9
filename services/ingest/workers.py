"""The server around ingest: granian with several worker processes, each with a producer of its own.

Workers are forked before anything is opened. They watch their parent: when it is killed they end too, so that a restart
does not find a second set of workers on the address.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import logging as stdlib_logging
import multiprocessing.util
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

from luodi.runtime import lifecycle, logging
from luodi.runtime.errors import FatalError
from luodi.runtime.settings import Address, Settings

if TYPE_CHECKING:
    from services.ingest.shortcut import Shortcut

THREADS = 192  # of one worker: they mostly wait for acknowledgements
BACKLOG = 2_048
DRAIN_S = 12  # a post takes 5 s at most; under the 20 s in which the service has to end
COLLECT_AFTER = 50_000  # container objects more than freed
PARENT_LOOK_S = 0.5
ADDRESS_WAIT_S = 5.0  # the workers of a killed parent leave the address within this
M_ARENA_MAX = -8  # of mallopt(3)
ARENAS = 2
RECENT_FILE = "recent"  # beside the metrics, in the folder the workers share
METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"  # as prometheus-client calls it, which reads it when first imported

log = logging.get("workers")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests underway are answered. Exits 1 when the workers cannot be kept up."""
    began = time.monotonic()
    _keep_few_arenas()
    _await_address(settings.ingest_listen, time.monotonic() + ADDRESS_WAIT_S)
    os.environ[METRICS_DIR] = str(_empty_shared_dir(settings))
    # Here, so that the forked workers share its memory; not before the folder is set, for prometheus-client looks once.
    import services.ingest.app  # noqa: F401

    server = Server(
        "services.ingest.workers:load",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.ingest_listen.host,
        port=settings.ingest_listen.port,
        workers=settings.ingest_workers,
        blocking_threads=THREADS,
        backpressure=THREADS,
        backlog=BACKLOG,
        http=HTTPModes.http1,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=0.0,
        workers_kill_timeout=DRAIN_S,
        log_level=LogLevels.error,
    )
    log.info(
        "service.started", address=str(settings.ingest_listen), mode=settings.mode, workers=settings.ingest_workers
    )
    try:
        server.serve()
    finally:
        log.info("service.stopped", seconds=round(time.monotonic() - began, 3))


def _keep_few_arenas() -> None:
    """Keep the C library from a heap of its own for every thread: measured, half the memory after large batches."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such heaps
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def load() -> Shortcut:
    """The application of one worker; called by granian inside the worker."""
    from services.ingest.app import build
    from services.ingest.limits import Recent

    settings = lifecycle.read_settings()
    logging.configure("ingest")
    _forget_dead_workers(Path(os.environ[METRICS_DIR]))
    # Its reconnection attempts are told by our own lines kafka.lost, kafka.sought, kafka.found.
    stdlib_logging.getLogger("kafka").setLevel(stdlib_logging.CRITICAL)
    threading.Thread(target=_follow_parent, args=(os.getppid(),), name="parent-watch", daemon=True).start()
    service = build(settings, recent=Recent(Path(os.environ[METRICS_DIR]) / RECENT_FILE))
    service.start()
    # A forked worker ends without atexit handlers; these run.
    multiprocessing.util.Finalize(None, service.stop, args=(DRAIN_S / 2,), exitpriority=10)
    # What is there now stays for ever, and what a request makes is gone with it: measured, 8 % of the time of a batch.
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    return service.wsgi


def _forget_dead_workers(folder: Path) -> None:
    """Take the gauges of workers that were killed out of the sums; the one that replaces a worker does it."""
    from prometheus_client.multiprocess import mark_process_dead

    for path in folder.glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # untyped in prometheus-client
        except PermissionError:  # alive, and somebody else's by now
            continue


def _follow_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(DRAIN_S)
    os._exit(1)


def _await_address(address: Address, deadline: float) -> None:
    """Wait until nobody listens on the address. granian shares ports, so it would join a stranger without a word."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.host, address.port))
            except OSError as exc:
                if exc.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise FatalError(f"LUODI_INGEST_LISTEN={address}: {exc.strerror}; choose another address") from exc
            else:
                return
        time.sleep(0.1)


def _empty_shared_dir(settings: Settings) -> Path:
    """The folder in which the workers' metrics and memory meet: emptied, for what an earlier run counted is over."""
    folder = settings.home / "run" / f"ingest-{settings.ingest_listen.port}"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home, as in a container
        return Path(tempfile.mkdtemp(prefix="luodi-ingest-"))
    return folder
