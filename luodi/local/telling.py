"""What the supervisor says: to the terminal and, with the instant, to a log that others can follow."""

from __future__ import annotations

import contextlib
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STAMP = "%Y-%m-%dT%H:%M:%SZ "
STAMP_LENGTH = 21


class Teller:
    """Says each line twice: on standard output for who watches, in the log for who comes later."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()  # the preparations of two servers speak at the same time

    def __call__(self, text: str) -> None:
        stamp = datetime.now(UTC).strftime(STAMP)
        with self._lock:
            with contextlib.suppress(OSError):  # the terminal may be gone, and a full disk must not stop a stop
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
            with contextlib.suppress(OSError), self._log.open("a", encoding="utf-8") as log:
                log.write("".join(f"{stamp}{line}\n" for line in text.split("\n")))


class Follower:
    """Reads the lines that are added to a log from now on."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._place = log.stat().st_size if log.exists() else 0
        self._rest = b""

    def lines(self) -> list[str]:
        """The whole lines added since the last call."""
        try:
            with self._log.open("rb") as log:
                log.seek(self._place)
                fresh = log.read()
        except FileNotFoundError:
            return []
        self._place += len(fresh)
        *whole, self._rest = (self._rest + fresh).split(b"\n")
        return [line.decode("utf-8", errors="replace") for line in whole]
