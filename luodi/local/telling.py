"""What the supervisor says: to the terminal and, with the instant, to a log that others can follow."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

STAMP = "%Y-%m-%dT%H:%M:%SZ "
STAMP_LENGTH = 21
COMMANDS = ("luodi", "kafka-python")  # that our messages name


def spelled(text: str) -> str:
    """The text with our commands as this shell finds them: `.venv/bin/luodi up` where plain `luodi` is not on PATH."""
    folder = Path(sys.executable).parent  # scripts of this environment stand beside its Python
    short = Path(os.path.relpath(folder)) if folder.is_relative_to(Path.cwd()) else folder
    for name in COMMANDS:
        found = shutil.which(name)
        if (folder / name).exists() and (found is None or Path(found).parent != folder):
            text = re.sub(rf"(?<![\w./-]){name}(?= [a-z-])", str(short / name), text)
    return text


class Teller:
    """Says each line twice: on standard output for who watches, in the log for who comes later."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()  # the preparations of two servers speak at the same time

    def __call__(self, text: str) -> None:
        text = spelled(text)
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
