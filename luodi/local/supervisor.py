"""Keeps the processes of a stack running: starts them in order, restarts what dies, stops them in reverse.

Everything happens on the thread that calls `run`, so that a child's life is tied to this one thread (see
`launch.py`); only the questions whether a process is ready are asked on threads of their own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from luodi.local.faults import EX_CONFIG, LocalError, MisconfiguredError, UnavailableError
from luodi.local.home import Home, Row, RunFile, bound, rotate, tail
from luodi.local.processes import Child, Command, started_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FIRST_PAUSE_S = 0.2  # before the first restart
LONGEST_PAUSE_S = 10.0  # however often it dies
STEADY_S = 30.0  # having run so long, the next death is a first one again
READY_LIMIT_S = 120.0  # for the whole stack; a cold start on a slow machine takes a third of it
EARLY_DEATHS = 5  # of one process that was never ready: it will not become so by itself
TICK_S = 0.1  # between two looks at the processes
PROGRESS_S = 2.0  # nothing may take longer without a word
HOUSEKEEPING_S = 60.0  # between two looks at the size of the logs

STARTING, READY, RESTARTING, STOPPED = "starting", "ready", "restarting", "stopped"


@dataclass(frozen=True)
class Member:
    """One process of the stack: how to start it, how to see that it serves, what must serve before it."""

    name: str
    address: str
    command: Callable[[], Command]
    ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    stop_s: Callable[[], float] = lambda: 20.0  # asked when it is stopped
    ended: Callable[[int, bool], None] = lambda _status, _served: None  # exit status, whether it was ever ready


class Backoff:
    """How long to wait before a restart: doubling, and short again after a steady run."""

    def __init__(self) -> None:
        self._next_s = FIRST_PAUSE_S

    def pause_s(self, ran_s: float) -> float:
        """The pause after a process that ran for `ran_s` seconds."""
        if ran_s >= STEADY_S:
            self._next_s = FIRST_PAUSE_S
        pause, self._next_s = self._next_s, min(self._next_s * 2, LONGEST_PAUSE_S)
        return pause


class Kept:
    """A member with what is known of it now."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.child: Child | None = None
        self.state = STARTING
        self.restarts = 0
        self.served = False  # this run of it was ready
        self.ever_served = False
        self.start_at = 0.0  # not before this instant of the monotonic clock
        self.backoff = Backoff()
        self.answer: Future[bool] | None = None

    def row(self) -> Row:
        """Its line in the run file."""
        pid, identity = (self.child.pid, self.child.identity) if self.child else (None, None)
        return Row(self.member.name, pid, identity, self.member.address, self.state, self.restarts)


class Supervisor:
    """The processes of one home."""

    def __init__(
        self, home: Home, members: Sequence[Member], outside: Sequence[Row], tell: Callable[[str], None]
    ) -> None:
        """`outside`: rows of servers that the operator runs, shown but not touched."""
        self._home, self._tell, self._outside = home, tell, tuple(outside)
        self._kept = {member.name: Kept(member) for member in members}
        self._order = [row.name for row in outside] + [member.name for member in members]
        self._stop = threading.Event()
        self._now = False
        self._phase = STARTING
        self._written: tuple[object, ...] = ()
        self._tidied_at = time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether the end was asked for."""
        return self._stop.is_set()

    def ask_stop(self) -> None:
        """Asks for the end; a second time: at once, without waiting for anybody."""
        self._now = self._stop.is_set()
        self._stop.set()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a closed terminal ask for the end."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, lambda *_: self.ask_stop()) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def start(self) -> None:
        """Starts everything and returns when all of it is ready, or when the end was asked for.

        Raises:
            MisconfiguredError: a process refused its settings.
            UnavailableError: a process does not become ready; the message carries the end of its log.
        """
        began = time.monotonic()
        told_at = began
        with ThreadPoolExecutor(len(self._kept), thread_name_prefix="ready") as asking:
            while not self.stopping:
                self._tick(asking)
                waiting = [name for name, kept in self._kept.items() if not kept.served]
                if not waiting:
                    return
                now = time.monotonic()
                if now - began > READY_LIMIT_S:
                    raise self._not_ready(waiting[0], f"was not ready in {READY_LIMIT_S:.0f} s")
                if now - told_at >= PROGRESS_S:
                    told_at = now
                    self._tell(f"waiting for {', '.join(waiting)} ({now - began:.0f} s)")
                self._stop.wait(TICK_S)

    def keep(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keeps everything running until the end is asked for, or until `until()` is true."""
        with ThreadPoolExecutor(len(self._kept), thread_name_prefix="ready") as asking:
            while not self.stopping and not until():
                self._tick(asking)
                self._tidy()
                self._stop.wait(TICK_S)

    def note_ready(self) -> None:
        """Notes in the run file that the start is complete."""
        self._phase = READY
        self._write()

    def stop(self) -> None:
        """Stops all processes in the reverse order of their start, each within its bound."""
        self._phase = "stopping"
        self._write()
        for tier in self._tiers():
            self._stop_tier(tier)
        self._home.clear_run()

    def _tiers(self) -> list[list[Kept]]:
        """Those that others need go last; within a tier, the last started is told first."""
        needed = {name for kept in self._kept.values() for name in kept.member.needs}
        last = [kept for name, kept in self._kept.items() if name in needed]
        first = [kept for name, kept in self._kept.items() if name not in needed]
        return [tier[::-1] for tier in (first, last) if tier]

    def _stop_tier(self, tier: list[Kept]) -> None:
        began = told_at = time.monotonic()
        bounds = {kept.member.name: began + kept.member.stop_s() for kept in tier}
        for kept in tier:
            if kept.child:
                self._tell(f"{kept.member.name}: stopping")
                kept.child.signal(signal.SIGTERM)
        while left := [kept for kept in tier if kept.child]:
            for kept in left:
                assert kept.child is not None
                status = kept.child.exit_status()
                if status is None and (self._now or time.monotonic() > bounds[kept.member.name]):
                    self._tell(f"{kept.member.name}: killed, it did not stop")
                    status = kept.child.kill()
                if status is not None:
                    kept.child, kept.state = None, STOPPED
                    self._told_ended(kept, status)
            if time.monotonic() - told_at >= PROGRESS_S:
                told_at = time.monotonic()
                names = ", ".join(kept.member.name for kept in left)
                self._tell(f"waiting for {names} to stop ({told_at - began:.0f} s)")
            self._write()
            time.sleep(TICK_S / 5)

    def _tick(self, asking: ThreadPoolExecutor) -> None:
        for kept in self._kept.values():
            if kept.child is None:
                self._start_due(kept)
            elif (status := kept.child.exit_status()) is not None:
                self._ended(kept, status)
            elif not kept.served:
                self._ask_ready(kept, asking)
        self._write()

    def _start_due(self, kept: Kept) -> None:
        if time.monotonic() < kept.start_at or not all(self._kept[name].ever_served for name in self._needs(kept)):
            return
        try:
            command = kept.member.command()
            rotate(command.log)
            kept.child = Child(command)
        except (LocalError, OSError) as exc:  # a full disk, too many processes: it may pass
            if not kept.ever_served:
                raise UnavailableError(f"{kept.member.name} cannot be started: {exc}", mend="luodi doctor") from exc
            self._again(kept, 0.0, f"cannot be started ({exc})")
            return
        kept.served, kept.answer, kept.state = False, None, STARTING
        self._tell(f"{kept.member.name}: started on {kept.member.address}")

    def _needs(self, kept: Kept) -> list[str]:
        return [name for name in kept.member.needs if name in self._kept]

    def _ask_ready(self, kept: Kept, asking: ThreadPoolExecutor) -> None:
        if kept.answer is None:
            kept.answer = asking.submit(kept.member.ready)
        elif kept.answer.done():
            answer, kept.answer = kept.answer, None
            if (fault := answer.exception()) is not None:
                self._tell(f"{kept.member.name}: asking whether it is ready failed: {fault!r}")
            elif answer.result() and kept.child is not None:
                kept.served, kept.ever_served, kept.state = True, True, READY
                self._tell(f"{kept.member.name}: ready after {time.monotonic() - kept.child.started:.1f} s")

    def _ended(self, kept: Kept, status: int) -> None:
        assert kept.child is not None
        ran_s = time.monotonic() - kept.child.started
        kept.child, kept.answer = None, None
        self._told_ended(kept, status)
        name = kept.member.name
        if not kept.ever_served and status == EX_CONFIG:
            raise MisconfiguredError(f"{name} refused its settings:\n{tail(self._home.log(name), 5)}")
        if not kept.ever_served and kept.restarts + 1 >= EARLY_DEATHS:
            raise self._not_ready(name, f"ended {EARLY_DEATHS} times ({_how(status)})")
        self._again(kept, ran_s, f"ended ({_how(status)})")

    def _again(self, kept: Kept, ran_s: float, what: str) -> None:
        pause_s = kept.backoff.pause_s(ran_s)
        kept.start_at = time.monotonic() + pause_s
        kept.restarts += 1
        kept.served, kept.state = False, RESTARTING
        self._tell(f"{kept.member.name}: {what}, starting it again in {pause_s:.1f} s")

    def _told_ended(self, kept: Kept, status: int) -> None:
        try:
            kept.member.ended(status, kept.served)
        except OSError as exc:  # keeping a start cache is not worth more than a word
            self._tell(f"{kept.member.name}: {exc}")

    def _not_ready(self, name: str, what: str) -> UnavailableError:
        log = self._home.log(name)
        return UnavailableError(f"{name} {what}; the end of {log}:\n{tail(log)}", mend="luodi doctor")

    def _write(self) -> None:
        rows = {row.name: row for row in self._outside}
        rows |= {name: kept.row() for name, kept in self._kept.items()}
        ordered = tuple(rows[name] for name in self._order)
        if (state := (self._phase, ordered)) != self._written:
            self._written = state
            own = os.getpid()
            with contextlib.suppress(OSError):  # a full disk: the processes matter more than the file about them
                self._home.write_run(RunFile(own, started_at(own) or "", self._phase, ordered))

    def _tidy(self) -> None:
        if time.monotonic() - self._tidied_at < HOUSEKEEPING_S:
            return
        self._tidied_at = time.monotonic()
        for log in self._home.logs.glob("*.log"):
            bound(log)


def _how(status: int) -> str:
    if status >= 0:
        return f"exit {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
