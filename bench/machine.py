"""What the machine did meanwhile: time stolen by its host, memory of a service's processes, a line that names it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import psutil

STAT = Path("/proc/stat")
MB = 1_000_000
_IDLE, _IOWAIT, _STEAL = 3, 4, 7  # columns of the `cpu` line of /proc/stat, see proc(5)
_COLUMNS = 8  # the two guest columns after them are already counted in user and nice


@dataclass(frozen=True, slots=True)
class Ticks:
    """The machine's processor time so far, in ticks of all cores together."""

    total: int
    idle: int
    steal: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the processor time of an interval went, in percent of all cores."""

    busy: float
    steal: float


def parse_stat(text: str) -> Ticks:
    """The first line of /proc/stat. Raises ValueError for anything else."""
    name, *numbers = text.splitlines()[0].split()
    ticks = [int(number) for number in numbers[:_COLUMNS]]
    if name != "cpu" or len(ticks) < _COLUMNS:
        raise ValueError("not the contents of /proc/stat")
    return Ticks(sum(ticks), ticks[_IDLE] + ticks[_IOWAIT], ticks[_STEAL])


def between(before: Ticks, after: Ticks) -> Spent:
    """What happened between two readings; all zero when no tick passed."""
    total = after.total - before.total
    if total <= 0:
        return Spent(0.0, 0.0)
    steal = after.steal - before.steal
    used = total - (after.idle - before.idle) - steal
    return Spent(100 * used / total, 100 * steal / total)


class Meter:
    """Reads the processor time from its creation on."""

    def __init__(self) -> None:
        self._before = parse_stat(STAT.read_text("ascii"))

    def spent(self) -> Spent:
        """Since the creation."""
        return between(self._before, parse_stat(STAT.read_text("ascii")))


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes (10^6) of a service: `pss` shares common pages among their users, `rss` counts them in each process."""

    pss: float
    rss: float
    processes: int


def memory_of(pid: int) -> Memory:
    """The process and all its descendants together. Raises psutil.NoSuchProcess when it is gone."""
    family = _family(pid)
    details = [process.memory_full_info() for process in family]
    return Memory(sum(d.pss for d in details) / MB, sum(d.rss for d in details) / MB, len(family))


def cpu_seconds_of(*pids: int) -> float:
    """Processor time so far of the processes and all their descendants, user and system."""
    times = [process.cpu_times() for pid in pids for process in _family(pid)]
    return sum(spent.user + spent.system for spent in times)


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def describe() -> dict[str, str | int | float]:
    """The machine in one row: processor, cores, memory, kernel, Python."""
    models = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    }
    return {
        "processor": ", ".join(sorted(models)) or platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }
