"""One child process of the stack: started in a group of its own, ended with the whole group.

A child's workers live in its process group. The group is killed before the dead leader is reaped: until then the
kernel cannot give the leader's number to anybody else, so no stranger is ever hit.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local.faults import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

LAUNCHER = Path(__file__).with_name("launch.py")
DEAD = ("Z", "X")  # states of a process that has ended and is not yet reaped
POLL_S = 0.02  # between two looks at a process that is about to end


@dataclass(frozen=True)
class Command:
    """What to run: arguments (the first is an absolute path), whole environment, log file both streams go to."""

    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)  # holds secrets
    log: Path
    cwd: Path


class Child:
    """A running command. Create it on a thread that outlives it: the kernel ties its life to that thread."""

    def __init__(self, command: Command) -> None:
        """Starts the command.

        Raises:
            UnavailableError: the program cannot be executed.
        """
        command.log.parent.mkdir(parents=True, exist_ok=True)
        launcher = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command.argv)
        with command.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the arguments are ours, no shell
                    launcher,
                    env=dict(command.environ),
                    cwd=command.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as exc:
                raise UnavailableError(f"{command.argv[0]} cannot be started: {exc}") from exc
        self.pid = self._process.pid
        self.identity = started_at(self.pid)
        self.started = time.monotonic()

    def exit_status(self) -> int | None:
        """The exit status once the child has ended (negative: the signal), else None. Ends its group with it."""
        if self._process.returncode is not None:
            return self._process.returncode
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        self._kill_group()
        return self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the child alone (not to its workers); no effect when it has ended."""
        if self.exit_status() is None:
            os.kill(self.pid, number)

    def kill(self) -> int:
        """Ends the child and its workers at once, with SIGKILL; returns the exit status."""
        if (status := self.exit_status()) is not None:
            return status
        self._kill_group()
        return self._process.wait()

    def wait(self, timeout_s: float) -> int | None:
        """Waits until the child has ended; None when it has not within the time."""
        deadline = time.monotonic() + timeout_s
        while (status := self.exit_status()) is None and time.monotonic() < deadline:
            time.sleep(POLL_S)
        return status

    def stop(self, timeout_s: float) -> int:
        """Asks the child to end (SIGTERM) and kills it when it has not within the time; returns the exit status."""
        self.signal(signal.SIGTERM)
        status = self.wait(timeout_s)
        return self.kill() if status is None else status

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def started_at(pid: int) -> str | None:
    """A text that tells this process from any other that had or will have the same number; None when it is gone."""
    return _started_at_by_proc(pid) if Path("/proc/self/stat").exists() else _started_at_by_ps(pid)


def session_members(session: int, setting: str) -> list[int]:
    """Processes of a session whose environment holds `NAME=value`; empty where there is no /proc to look into."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, *rest = (folder / "stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
            if state not in DEAD and int(rest[2]) == session:  # field 6 of the line
                variables = (folder / "environ").read_bytes().split(b"\0")
                if os.fsencode(setting) in variables:
                    found.append(int(folder.name))
        except (OSError, IndexError, ValueError):  # it ended while we looked, or belongs to somebody else
            continue
    return found


def _started_at_by_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()  # the name before may hold blanks and brackets
    return None if state in DEAD else rest[18]  # field 22 of the line: ticks since boot


def _started_at_by_ps(pid: int) -> str | None:
    shown = subprocess.run(  # noqa: S603 - fixed arguments
        ("/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)), capture_output=True, text=True, check=False
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
