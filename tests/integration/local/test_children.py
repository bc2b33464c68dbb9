"""A child dies with its parent, whatever kills the parent, and takes its workers along."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from luodi.local.processes import LAUNCHER, Child, Command
from tests.integration.local.stacks import alive, wait_until

SLEEP = "import time; time.sleep(60)"
PARENT = """
import sys, time
from pathlib import Path
from luodi.local.processes import Child, Command
child = Child(Command((sys.executable, "-c", "import time; time.sleep(60)"), {}, Path(sys.argv[1]), Path("/")))
print(child.pid, flush=True)
time.sleep(60)
"""
WATCHED = """
import importlib.util, os, sys, time
spec = importlib.util.spec_from_file_location("launch", sys.argv[1])
launch = importlib.util.module_from_spec(spec)
spec.loader.exec_module(launch)
os.setsid()
launch.leave_watcher(os.getppid())
print(os.getpid(), flush=True)
time.sleep(60)
"""

OUTER = "import subprocess, sys; subprocess.run((sys.executable, '-c', *sys.argv[1:]))"
WITH_WORKER = f"""
import subprocess, sys
print(subprocess.Popen((sys.executable, "-c", {SLEEP!r})).pid, flush=True)
{SLEEP}
"""
DEAF = f"""
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
{SLEEP}
"""


def command(tmp_path: Path, program: str) -> Command:
    return Command((sys.executable, "-c", program), {}, tmp_path / "child.log", tmp_path)


def test_a_child_is_killed_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen((sys.executable, "-c", PARENT, str(tmp_path / "log")), stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        wait_until(lambda: not alive(pid), timeout_s=5.0)


def test_where_the_kernel_does_not_a_watcher_kills_the_child_of_a_killed_parent() -> None:
    with subprocess.Popen((sys.executable, "-c", OUTER, WATCHED, str(LAUNCHER)), stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        wait_until(lambda: not alive(pid), timeout_s=5.0)


def test_the_launcher_of_a_parent_that_is_gone_starts_nothing(tmp_path: Path) -> None:
    touch = (sys.executable, "-c", f"open({str(tmp_path / 'started')!r}, 'w')")
    not_its_parent = "1"
    done = subprocess.run((sys.executable, "-I", "-S", str(LAUNCHER), not_its_parent, *touch))
    assert done.returncode == 1
    assert not (tmp_path / "started").exists()


def test_the_workers_of_a_dead_child_are_killed_when_its_end_is_noticed(tmp_path: Path) -> None:
    child = Child(command(tmp_path, WITH_WORKER))
    log = tmp_path / "child.log"
    wait_until(lambda: log.read_text("utf-8").endswith("\n"))
    pid = int(log.read_text("utf-8"))
    child.signal(signal.SIGKILL)
    assert child.wait(5.0) == -signal.SIGKILL
    wait_until(lambda: not alive(pid), timeout_s=5.0)


def test_a_child_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    child = Child(command(tmp_path, DEAF))
    wait_until(lambda: (tmp_path / "child.log").read_text("utf-8") == "deaf\n")
    began = time.monotonic()
    assert child.stop(timeout_s=0.3) == -signal.SIGKILL
    assert time.monotonic() - began >= 0.3
    assert child.stop(timeout_s=0.3) == -signal.SIGKILL  # asking again changes nothing


@pytest.mark.parametrize("code", [0, 3, 78])
def test_the_exit_status_of_a_child_is_its_own(tmp_path: Path, code: int) -> None:
    child = Child(command(tmp_path, f"raise SystemExit({code})"))
    assert child.wait(10.0) == code
