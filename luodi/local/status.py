"""`luodi status`: what runs, where, and how it is."""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local import selfwatch
from luodi.local.home import Home, Row, RunFile
from luodi.local.kafka import brokers
from luodi.local.net import unready_reason
from luodi.local.processes import started_at
from luodi.local.settings import NAMES, SERVICES, StackSettings, read_settings
from luodi.local.supervisor import READY, STOPPED
from luodi.local.telling import spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

KAFKA_PROBE_S = 1.0
UNREADY = "unready"  # it was ready, runs, and does not serve at this moment


def main(argv: Sequence[str]) -> int:
    """Prints the state of the stack; returns 0 whenever it could be told."""
    parser = argparse.ArgumentParser(prog="luodi status", description="Show the processes of the stack.")
    parser.add_argument("--json", action="store_true", help="one JSON object for programs")
    as_json: bool = parser.parse_args(argv).json
    settings = read_settings(os.environ, Path.cwd())
    pid, rows = look(settings)
    told = selfwatch.ask(settings) if pid is not None else None
    if as_json:
        sys.stdout.write(json.dumps(shape(pid, rows, told)) + "\n")
    else:
        sys.stdout.write(spelled(table(settings, pid, rows, told)) + "\n")
    return 0


def look(settings: StackSettings) -> tuple[int | None, list[Row]]:
    """The supervisor's pid (None: it does not run) and all processes of the stack as they are now."""
    home = Home(settings.home)
    run = home.read_run() if home.is_held() else None
    if run is None or not run.alive():
        return None, [Row(name, None, None, settings.address(name), STOPPED, 0) for name in NAMES]
    return run.pid, _looked_at(settings, run)


def shape(pid: int | None, rows: Sequence[Row], told: selfwatch.Told | None = None) -> dict[str, object]:
    """What `luodi status --json` prints; `alerts` is null where notify does not say."""
    return {
        "supervisor": {"pid": pid},
        "processes": [
            {"name": row.name, "pid": row.pid, "address": row.address, "state": row.state, "restarts": row.restarts}
            for row in rows
        ],
        "alerts": [fault.kind for fault in told.faults] if told is not None else None,
    }


def table(settings: StackSettings, pid: int | None, rows: Sequence[Row], told: selfwatch.Told | None = None) -> str:
    """The same for people."""
    head = f"supervisor pid {pid}" if pid else "not running (luodi up starts it)"
    lines = [
        f"  {row.name:<9} {row.state:<11} {row.address:<24} pid {row.pid or '-':<8} restarts {row.restarts}"
        for row in rows
    ]
    if told is not None and told.faults:
        kinds = ", ".join(sorted({fault.kind for fault in told.faults}))
        lines.append(f"  alerts    {len(told.faults)}: {kinds} (luodi doctor tells what they mean)")
    return "\n".join((f"{head}, home {settings.home}", *lines))


def _looked_at(settings: StackSettings, run: RunFile) -> list[Row]:
    rows = sorted(run.rows, key=lambda row: NAMES.index(row.name))
    with ThreadPoolExecutor(len(NAMES)) as pool:
        return list(pool.map(lambda row: _now(settings, row), rows))


def _now(settings: StackSettings, row: Row) -> Row:
    """The row with a look at the process itself: the file may be a moment old, and a process may hang."""
    if row.state != READY:
        return row
    dead = row.pid is not None and started_at(row.pid) != row.started_at
    unready = row.name in SERVICES and unready_reason(settings.listens[row.name]) is not None
    unready |= row.name == "kafka" and settings.kafka is not None and brokers(settings.kafka, KAFKA_PROBE_S) == 0
    return Row(row.name, row.pid, row.started_at, row.address, UNREADY if dead or unready else READY, row.restarts)
