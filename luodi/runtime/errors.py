"""Exceptions named for what the caller must do. Adapters translate the libraries' own exceptions into these once."""

from __future__ import annotations


class TransientError(Exception):
    """The same call may succeed later: back off, commit nothing, try again."""


class FatalError(Exception):
    """This process must not go on: log, clean up and exit with a non-zero code."""


class InvalidSettingsError(Exception):
    """The environment does not describe a system that can run.

    `faults` holds every fault found, one sentence each; the process prints them all and exits with `EXIT_CONFIG`.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h: a supervisor must not restart what a restart cannot mend
