"""Loads the sample zones through ingest, as a child of the stack or by `luodi seed`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local.faults import EX_UNAVAILABLE
from luodi.local.net import unready_reason
from luodi.local.processes import Command
from luodi.local.settings import StackSettings, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

LOADER = "seeds.load"


def available() -> bool:
    """Whether this installation carries the sample."""
    return find_spec(LOADER) is not None


def command(settings: StackSettings, log: Path) -> Command:
    """How to load the sample. Doing it again completes a load that broke off, and changes nothing after a whole one."""
    return Command(argv=_argv(settings), environ=settings.environ, log=log, cwd=Path.cwd())


def main(argv: Sequence[str]) -> int:
    """`luodi seed [FILE…]`: loads the sample, or the given files, into the running stack; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="luodi seed", description="Load the sample, or the given files, through ingest."
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="files to load instead of the packaged sample")
    files: list[str] = parser.parse_args(argv).files
    settings = read_settings(os.environ, Path.cwd())
    if reason := unready_reason(settings.listens["ingest"]):
        sys.stderr.write(f"luodi seed: ingest at {settings.url('ingest')} is not ready: {reason}\n  luodi up\n")
        return EX_UNAVAILABLE
    return subprocess.run((*_argv(settings), *files), env=dict(settings.environ), check=False).returncode  # noqa: S603


def _argv(settings: StackSettings) -> tuple[str, ...]:
    return (
        *(sys.executable, "-P", "-m", LOADER),
        *("--ingest", settings.url("ingest"), "--tracker", settings.url("tracker"), "--home", str(settings.home)),
    )
