"""From start to end of a service: signals, background threads that may fail, a stop that is bounded."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol

from luodi.runtime import logging, settings
from luodi.runtime.errors import EXIT_CONFIG, FatalError, InvalidSettingsError, TransientError

STOP_BOUND_S = 20.0  # under the 30 s that a container engine or the local supervisor waits before it kills

log = logging.get("lifecycle")


class Stop:
    """The one event everything waits on; it remembers whether the end was asked for or forced by a failure."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.failure: BaseException | None = None

    def ask(self) -> None:
        """End in order."""
        self._event.set()

    def fail(self, failure: BaseException) -> None:
        """End because of `failure`: the process will exit with a non-zero code. The first failure is kept."""
        if self.failure is None:
            self.failure = failure
        self._event.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """True once the end is asked for."""
        return self._event.wait(timeout_s)

    @property
    def asked(self) -> bool:
        return self._event.is_set()


class Service(Protocol):
    """What a service's `build` gives back."""

    def start(self) -> None:
        """Start threads and listen. Raises TransientError or FatalError when it cannot."""

    def stop(self, bound_s: float) -> None:
        """Finish what was begun, within about `bound_s` seconds; may be called after a failed start."""


def spawn(name: str, target: Callable[[], None], stop: Stop) -> threading.Thread:
    """Run `target` in a thread; an exception out of it ends the process, never just the thread."""

    def run() -> None:
        try:
            target()
        except Exception as exc:  # noqa: BLE001  # the boundary of a thread: nothing may vanish here
            stop.fail(exc)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


COLLECT_AFTER = (
    50_000,
    20,
    100,
)  # container objects more than freed; then every 20th, then every 100th time older ones


def collect_seldom() -> None:
    """Have the collector leave alone what lives by now, for it lives to the end, and look at the rest seldom.

    What a batch or a request makes is gone with it and holds no cycles: with Python's own thresholds looking for them
    costs a tenth of the tracker's apply rate and a fifth of what notify can tell in a second, and finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def install_signals(stop: Stop) -> None:
    """SIGTERM and SIGINT ask for the end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.ask())


def read_settings() -> settings.Settings:
    """The settings of this process, or an exit with code 78 after printing every fault."""
    try:
        return settings.read(os.environ)
    except InvalidSettingsError as exc:
        for fault in exc.faults:
            print(f"luodi: {fault}", file=sys.stderr)  # noqa: T201  # before logging is configured
        raise SystemExit(EXIT_CONFIG) from exc


def run_service(name: str, build: Callable[[settings.Settings, Stop], Service]) -> int:
    """Run one service until it is told to stop. Returns the exit code of the process.

    1. read the settings (exit 78 with every fault), configure logging
    2. build and start; wait for SIGTERM, SIGINT or a failure in a background thread
    3. stop within `STOP_BOUND_S`, in the reverse order of the start
    """
    config = read_settings()
    logging.configure(name)
    stop = Stop()
    install_signals(stop)
    began = time.monotonic()
    service: Service | None = None
    try:
        service = build(config, stop)
        service.start()
        log.info("service.started", mode=config.mode, slot=config.slot, seconds=round(time.monotonic() - began, 3))
        stop.wait()
    except InvalidSettingsError as exc:
        log.error("settings.refused", faults=exc.faults)  # noqa: TRY400  # the faults say it all
        return EXIT_CONFIG
    except Exception as exc:  # noqa: BLE001  # the last boundary: report, clean up, exit non-zero
        if not (stop.asked and isinstance(exc, TransientError)):  # told to stop while it still waited for a server
            stop.fail(exc)
    finally:
        began = time.monotonic()
        if service is not None:
            service.stop(STOP_BOUND_S)
    if stop.failure is not None:
        log.error(
            "service.failed",
            error=str(stop.failure),
            exc_info=None if isinstance(stop.failure, FatalError) else stop.failure,
        )
        return 1
    log.info("service.stopped", seconds=round(time.monotonic() - began, 3))
    return 0
