"""The home of a stack: its folder of data, logs and run files, and who may use it now.

One supervisor at a time holds the home by a lock of the kernel's, which is free again the moment its holder dies,
however it dies. The run file beside it tells others what runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from luodi.local.faults import MisconfiguredError, RefusedError
from luodi.local.processes import started_at

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER = "luodi-home"
MARKER_TEXT = "This folder belongs to Luodi. `luodi reset` empties it.\n"
ROTATE_AT = 10 << 20  # bytes: a log larger than this is put aside at the next start of its process
TRUNCATE_AT = 50 << 20  # bytes: a log that grows beyond this while its process runs is copied aside and emptied
LOOKED_AT_S = 0.5  # somebody who only looks whether the home is held holds it for an instant
LOGS_KEPT = 3  # old ones, per process
SIGNS_LINKS = "link-secret"  # the file of the secret
LINK_SECRET_BYTES = 48


@dataclass(frozen=True)
class Row:
    """One process as the run file tells it."""

    name: str
    pid: int | None
    started_at: str | None  # with the pid, tells the process from a later one of the same number
    address: str
    state: str
    restarts: int


@dataclass(frozen=True)
class RunFile:
    """What the supervisor last wrote about itself and its processes."""

    pid: int
    started_at: str
    phase: str  # starting · ready · stopping
    rows: tuple[Row, ...]

    def alive(self) -> bool:
        """Whether the supervisor that wrote it still runs."""
        return started_at(self.pid) == self.started_at


@dataclass(frozen=True)
class Home:
    """Paths and state of one home folder."""

    path: Path

    @property
    def logs(self) -> Path:
        """Folder of the logs, one file per process."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Folder of lock and run file."""
        return self.path / "run"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Makes the folder, marked as ours, so that `reset` never empties somebody else's.

        Raises:
            MisconfiguredError: the folder cannot be made, or holds something that is not ours.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not self.is_ours() and any(self.path.iterdir()):
                raise MisconfiguredError(
                    f"{self.path} holds other files", mend="name an empty or a new folder in LUODI_HOME"
                )
            for folder in (self.logs, self.run):
                folder.mkdir(exist_ok=True)
            (self.path / MARKER).write_text(MARKER_TEXT, "utf-8")
        except OSError as exc:
            raise MisconfiguredError(
                f"{self.path} cannot be used: {exc}", mend="name another folder in LUODI_HOME"
            ) from exc

    def is_ours(self) -> bool:
        """Whether the folder was made by us."""
        return (self.path / MARKER).exists()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Holds the home for this process.

        Raises:
            RefusedError: another process holds it.
        """
        with (self.run / "lock").open("a+") as lock:
            deadline = time.monotonic() + LOOKED_AT_S
            while not _locked(lock):
                if time.monotonic() > deadline:
                    running = self.read_run()
                    who = f" (pid {running.pid})" if running else ""
                    raise RefusedError(
                        f"the stack of {self.path} is running{who}", mend="luodi status shows it, luodi down stops it"
                    )
                time.sleep(0.02)
            yield

    def is_held(self) -> bool:
        """Whether a supervisor holds the home now."""
        try:
            with (self.run / "lock").open("r+") as lock:
                return not _locked(lock)
        except FileNotFoundError:
            return False

    def read_run(self) -> RunFile | None:
        """The run file, or None when there is none that can be read."""
        try:
            raw = json.loads((self.run / "stack.json").read_text("utf-8"))
            return RunFile(raw["pid"], raw["started_at"], raw["phase"], tuple(Row(**row) for row in raw["rows"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_run(self, run: RunFile) -> None:
        """Replaces the run file in one step."""
        fresh = self.run / "stack.json.new"
        fresh.write_text(json.dumps(asdict(run), indent=1), "utf-8")
        fresh.replace(self.run / "stack.json")

    def clear_run(self) -> None:
        """Removes the run file after a clean stop."""
        (self.run / "stack.json").unlink(missing_ok=True)

    def make_link_secret(self) -> None:
        """Makes the secret that signs the links of enterprises, once: links handed out outlive every restart.

        Raises:
            MisconfiguredError: it cannot be written.
        """
        try:
            with os.fdopen(os.open(self.path / SIGNS_LINKS, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{secrets.token_urlsafe(LINK_SECRET_BYTES)}\n")
        except FileExistsError:
            pass  # links that were signed with it are good
        except OSError as exc:
            raise MisconfiguredError(f"{self.path / SIGNS_LINKS} cannot be written: {exc}") from exc

    def remember_clock_offset(self, offset_s: float) -> None:
        """Keeps the largest clock offset this home ever ran with.

        Events already stored carry business times of that offset: with a smaller one the past would be in the future.

        Raises:
            MisconfiguredError: the offset is smaller than the one remembered.
        """
        file = self.path / "clock-offset"
        try:
            known: float | None = float(file.read_text("utf-8"))
        except (OSError, ValueError):
            known = None
        if known is not None and offset_s < known:
            raise MisconfiguredError(
                f"LUODI_CLOCK_OFFSET is {offset_s:g}, but this home already ran with {known:g}",
                mend=f"set LUODI_CLOCK_OFFSET to {known:g} or more, or luodi reset",
            )
        fresh = file.with_suffix(".new")
        fresh.write_text(f"{offset_s!r}\n", "utf-8")
        fresh.replace(file)

    def wipe(self) -> None:
        """Deletes everything in the home, the folder itself last. Call it while holding the home."""
        for entry in sorted(self.path.iterdir(), key=lambda entry: entry.name == MARKER):  # the marker goes last
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        with contextlib.suppress(OSError):  # a mount point, or the user's working folder: empty is enough
            self.path.rmdir()

    def size(self) -> int:
        """Bytes of all files in the home."""
        return sum(path.lstat().st_size for path in self.path.rglob("*") if path.is_file())


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def rotate(log: Path) -> None:
    """Puts a large log aside before its process starts."""
    if _size(log) < ROTATE_AT:
        return
    _shift(log)
    log.replace(_old(log, 1))


def bound(log: Path) -> None:
    """Copies the log of a running process aside and empties it when it grew too large.

    The process appends, so it goes on at the new end. What it writes between copy and truncation is lost: a few
    lines of a log, against a full disk.
    """
    if _size(log) < TRUNCATE_AT:
        return
    _shift(log)
    shutil.copyfile(log, _old(log, 1))
    os.truncate(log, 0)


def _shift(log: Path) -> None:
    for number in range(LOGS_KEPT - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            _old(log, number).replace(_old(log, number + 1))


def _old(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, _size(log) - 64 * 1024))
            return "\n".join(file.read().decode("utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
