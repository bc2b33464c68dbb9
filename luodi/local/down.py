"""`luodi down`: stops the stack of this home, whoever started it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local.faults import RefusedError
from luodi.local.home import Home
from luodi.local.settings import read_settings
from luodi.local.telling import STAMP_LENGTH, Follower

if TYPE_CHECKING:
    from collections.abc import Sequence

STOP_S = 150.0  # services, then servers, each within their own bound, the slowest of which writes a start cache
POLL_S = 0.1


def main(argv: Sequence[str]) -> int:
    """Stops the stack and returns the exit code; a stack that does not run is no fault.

    Raises:
        RefusedError: the home is held, but nobody says by whom.
    """
    argparse.ArgumentParser(prog="luodi down", description="Stop the stack. The data stays.").parse_args(argv)
    home = Home(read_settings(os.environ, Path.cwd()).home)
    if not home.is_held():
        sys.stdout.write(f"no stack of {home.path} is running\n")
        return 0
    run = home.read_run()
    if run is None or not run.alive():
        raise RefusedError(
            f"something else holds {home.path}: a reset, or a start that has just begun", mend="luodi status"
        )
    follower = Follower(home.log("supervisor"))
    os.kill(run.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while home.is_held() or run.alive():
        _relay(follower)
        if time.monotonic() > deadline:
            sys.stdout.write(f"the supervisor (pid {run.pid}) did not stop in {STOP_S:.0f} s: killed\n")
            os.kill(run.pid, signal.SIGKILL)  # its children die with it
            deadline = time.monotonic() + STOP_S
        time.sleep(POLL_S)
    _relay(follower)
    sys.stdout.write(f"the stack of {home.path} is down\n")
    return 0


def _relay(follower: Follower) -> None:
    for line in follower.lines():
        sys.stdout.write(line[STAMP_LENGTH:] + "\n")
    sys.stdout.flush()
