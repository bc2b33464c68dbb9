"""`luodi up`: the whole stack in the foreground, or started and left running with `--detach`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local import sample, stack
from luodi.local.faults import LocalError, RefusedError
from luodi.local.home import Home, tail
from luodi.local.processes import Child
from luodi.local.settings import StackSettings, read_settings
from luodi.local.supervisor import READY, Supervisor
from luodi.local.telling import STAMP_LENGTH, Follower, Teller
from luodi.local.welcome import Places, welcome

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLLOW_S = 0.1  # between two looks at the log of a detached supervisor
INTERRUPTED = 130  # exit code after Ctrl-C, as a shell gives it


def main(argv: Sequence[str]) -> int:
    """Starts the stack; returns the exit code.

    Raises:
        LocalError: it cannot be started; the message says why and what mends it.
    """
    parser = argparse.ArgumentParser(prog="luodi up", description="Start Kafka, MongoDB and the services.")
    parser.add_argument("--detach", action="store_true", help="return when everything is ready, and leave it running")
    detach: bool = parser.parse_args(argv).detach
    settings = read_settings(os.environ, Path.cwd())
    home = Home(settings.home)
    home.make()
    if settings.services.is_local and settings.services.link_secret is None:
        home.make_link_secret()
        settings = read_settings(os.environ, Path.cwd())
    return _detached(home) if detach else _foreground(settings, home)


def _foreground(settings: StackSettings, home: Home) -> int:
    """Holds the home and supervises the stack until it is told to stop.

    1. hold the home, end what an earlier run left, look at the clock offset and the ports
    2. fetch and check what is missing
    3. start everything; load the sample; tell that it is ready
    4. keep it running; stop it in reverse order
    """
    with home.held():
        tell = Teller(home.log("supervisor"))
        try:
            stack.end_leftovers(home, tell)
            stack.note_preparing(settings, home)
            home.remember_clock_offset(settings.services.clock_offset_s)
            stack.check_ports(settings)
            try:
                members = stack.members(settings, home, tell)
            except KeyboardInterrupt:
                # Threads may be in the middle of a download, which the next start repairs: do not wait for them.
                tell("interrupted")
                os._exit(INTERRUPTED)
            supervisor = Supervisor(home, members, stack.outside(settings), tell)
            with supervisor.signals():
                try:
                    _run(settings, home, supervisor, tell)
                finally:
                    supervisor.stop()
                    tell("stopped; the data stays")
        except LocalError as exc:
            tell(f"luodi: {exc}" + (f"\n  {exc.mend}" if exc.mend else ""))
            return exc.exit_code
    return 0


def _run(settings: StackSettings, home: Home, supervisor: Supervisor, tell: Teller) -> None:
    supervisor.start()
    if settings.sample and not supervisor.stopping:
        _load_sample(settings, home, supervisor, tell)
    if supervisor.stopping:
        return
    tell(_welcome(settings))
    supervisor.note_ready()
    supervisor.keep()


def _load_sample(settings: StackSettings, home: Home, supervisor: Supervisor, tell: Teller) -> None:
    if not sample.available():
        return
    log = home.log("seed")
    follower = Follower(log)
    loader = Child(sample.command(settings, log))

    def relay() -> bool:
        ended = loader.exit_status() is not None
        for line in follower.lines():
            tell(f"sample: {line}")
        return ended

    try:
        supervisor.keep(until=relay)
    finally:
        status = loader.stop(timeout_s=5.0)
    if status != 0 and not supervisor.stopping:
        tell(f"sample: not loaded (exit {status}); the end of {log}:\n{tail(log)}\n  luodi seed tries again")


def _welcome(settings: StackSettings) -> str:
    places = Places(
        ingest=settings.url("ingest"),
        tracker=settings.url("tracker"),
        notify=settings.url("notify"),
        kafka=settings.address("kafka"),
        mongodb=settings.address("mongodb"),
        home=settings.home,
    )
    return welcome(
        places,
        with_key=settings.services.api_key is not None,
        with_curl=shutil.which("curl") is not None,
    )


def _detached(home: Home) -> int:
    """Starts a supervisor of its own session, shows what it says, and returns when it is ready or has given up."""
    if home.is_held():
        return _already(home)
    follower = Follower(home.log("supervisor"))
    with home.log("supervisor").open("ab") as log:  # for a crash of Python itself; what it says goes there anyway
        started = subprocess.Popen(
            (sys.executable, "-P", "-m", "luodi.cli", "up"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    try:
        while True:
            status = started.poll()
            run = home.read_run()
            ready = run is not None and run.pid == started.pid and run.phase == READY
            for line in follower.lines():
                sys.stdout.write(line[STAMP_LENGTH:] + "\n")
            sys.stdout.flush()
            if status is not None:
                return status or 1  # it ended although nobody asked it to
            if ready:
                started.returncode = 0  # it runs on without us: nothing to wait for
                return 0
            time.sleep(FOLLOW_S)
    except KeyboardInterrupt:
        started.send_signal(signal.SIGTERM)
        started.wait()
        return INTERRUPTED


def _already(home: Home) -> int:
    run = home.read_run()
    if run is None or run.phase != READY:
        raise RefusedError(f"the stack of {home.path} is starting or stopping just now", mend="luodi status shows it")
    sys.stdout.write(f"the stack of {home.path} is running already (pid {run.pid}); luodi status shows it\n")
    return 0
