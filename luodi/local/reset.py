"""`luodi reset`: deletes everything in the home, after asking."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.local.faults import RefusedError
from luodi.local.home import Home
from luodi.local.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

MEGABYTE = 1 << 20


def main(argv: Sequence[str]) -> int:
    """Deletes the data of a stopped stack; returns the exit code.

    Raises:
        RefusedError: the stack runs, or nobody is there to ask.
    """
    parser = argparse.ArgumentParser(prog="luodi reset", description="Delete all data of the stopped local stack.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    sure: bool = parser.parse_args(argv).yes
    home = Home(read_settings(os.environ, Path.cwd()).home)
    if not home.is_ours():
        sys.stdout.write(f"there is nothing to delete in {home.path}\n")
        return 0
    home.make()  # the folders of the lock may be missing after a reset that broke off
    with home.held():
        if not sure and not _confirmed(home):
            sys.stdout.write("nothing was deleted\n")
            return 1
        home.wipe()
    sys.stdout.write(f"deleted {home.path}\n")
    return 0


def _confirmed(home: Home) -> bool:
    if not sys.stdin.isatty():
        raise RefusedError("reset asks before it deletes, and nobody is at the terminal", mend="luodi reset --yes")
    question = f"Delete all data in {home.path} ({home.size() / MEGABYTE:.0f} MB)? It cannot be undone. Type yes: "
    return input(question).strip().lower() == "yes"
