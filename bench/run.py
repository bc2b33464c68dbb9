"""`python -m bench`: the product against the textbook, interleaved in one run, on servers of its own."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from logging import WARNING
from pathlib import Path
from types import FrameType
from typing import NoReturn

from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from bench import machine
from bench.figures import Figure, table
from bench.measures import MEASURES, QUICK, Bench, MemoryRow, Size, memory
from bench.sides import Baseline, NotServingError, Product
from bench.wire import BrokenAnswerError
from luodi.local.faults import LocalError
from luodi.local.harness import servers
from luodi.runtime import logging
from luodi.runtime.errors import FatalError, TransientError

NAMES = (*MEASURES, "memory")
ROUNDS = 5  # odd, so that a median is a round that happened
MEMORY_BOUND_MB = 200
FAILURES = (
    *(NotServingError, BrokenAnswerError, AssertionError),  # a side did not do what was to be measured
    *(LocalError, TransientError, FatalError, KafkaError, PyMongoError, OSError),  # a server is not there
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0 when everything was measured, whatever the figures; 1 when it was not."""
    options = _parser().parse_args(arguments)
    logging.configure("bench", level=WARNING)  # the figures stand alone
    signal.signal(signal.SIGTERM, _leave)
    home = Path(tempfile.mkdtemp(prefix="luodi-bench-"))
    try:
        return _run(options, home)
    except FAILURES as exc:
        print(f"bench: {type(exc).__name__}: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if options.keep:
            print(f"logs and data are kept in {home}", file=sys.stderr)
        else:
            shutil.rmtree(home, ignore_errors=True)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(143)  # unwinds: the children end and the folder goes


def _run(options: argparse.Namespace, home: Path) -> int:
    row = machine.describe()
    began, whole = datetime.now(UTC), machine.Meter()
    print(f"machine: {', '.join(f'{name} {value}' for name, value in row.items())}", flush=True)
    figures: list[Figure] = []
    memories: list[MemoryRow] = []
    with servers(home / "servers") as pair:
        sides = Product(pair, home), Baseline(pair, home)
        bench = Bench(pair, home, sides, options.rounds, QUICK if options.quick else Size(), _tell)
        for name in options.only:
            _tell(f"{name}:")
            start = time.monotonic()
            if name == "memory":
                memories = memory(bench)
            else:
                figures += MEASURES[name](bench)
            _tell(f"  {time.monotonic() - start:.0f} s")
    spent = whole.spent()
    print(f"\nsteal over the whole run: {spent.steal:.1f} %, busy {spent.busy:.0f} %")
    if options.quick:
        print("quick: short windows and small loads, to see that it works; not the figures of the acceptance")
    if figures:
        print(f"\n{table(figures)}")
    if memories:
        print(f"\n{memory_table(memories)}")
    if options.json is not None:
        content = {
            "began": began.isoformat(timespec="seconds"),
            "machine": row,
            "quick": options.quick,
            "rounds": options.rounds,
            "spent": asdict(spent),
            "figures": [figure.as_json() for figure in figures],
            "memory": [asdict(entry) for entry in memories],
        }
        options.json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def memory_table(rows: Sequence[MemoryRow]) -> str:
    """Memory per service as a Markdown table."""
    lines = [
        f"| service | PSS MB | RSS MB | processes | ≤ {MEMORY_BOUND_MB} MB (PSS) | steal % |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        held = row.memory
        met = "yes" if held.pss <= MEMORY_BOUND_MB else "NO"
        cells = f"{held.pss:.0f} | {held.rss:.0f} | {held.processes} | {met} | {row.steal:.1f}"
        lines.append(f"| {row.side} {row.service} | {cells} |")
    return "\n".join(lines)


def _tell(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only", metavar="NAMES", type=_names, default=NAMES, help=f"some of {','.join(NAMES)}; default: all"
    )
    parser.add_argument(
        "--rounds", metavar="N", type=_rounds, default=ROUNDS, help=f"pairs of rounds; default {ROUNDS}"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every reading there")
    parser.add_argument("--quick", action="store_true", help="short windows and small loads, to see that it works")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder with logs and data")
    return parser


def _names(text: str) -> tuple[str, ...]:
    asked = text.split(",")
    unknown = sorted(set(asked) - set(NAMES))
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(NAMES)}")
    return tuple(name for name in NAMES if name in asked)


def _rounds(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 99:
        raise argparse.ArgumentTypeError("1 to 99")
    return count
