"""Starts one child of the stack so that it dies with its parent, whatever kills the parent.

Run as `python launch.py PARENT_PID COMMAND…`; replaces itself by the command, so the pid stays.

1. Ask the kernel for SIGKILL when the parent dies (Linux). The request survives the exec.
2. Look whether the parent died before the request was made; if so, leave at once.
3. Where the kernel knows no such request (macOS), leave a small watcher behind that does the same by looking.

Standard library only, and started with `-I -S`: it must not cost a start more than a few milliseconds.
"""

import ctypes
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
WATCH_INTERVAL_S = 0.5  # of the watcher


def die_with_parent() -> None:
    """Asks the kernel to kill this process when the thread that started it ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def leave_watcher(parent: int) -> None:
    """Forks a watcher that kills this process's group once `parent` is gone, and ends with this process."""
    child = os.getpid()
    if os.fork() != 0:
        return
    while os.getppid() == child:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os.killpg(child, signal.SIGKILL)
        time.sleep(WATCH_INTERVAL_S)
    os._exit(0)


def main() -> None:
    """Binds the life of the command to the parent and becomes the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        die_with_parent()
    else:
        leave_watcher(parent)
    if os.getppid() != parent:  # it died between the fork and the request above
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the command is the supervisor's own list, no shell is wanted


if __name__ == "__main__":
    main()
