"""What can go wrong with the local stack, named for what the caller must do about it."""

from __future__ import annotations

EX_CONFIG = 78  # exit code of a wrong configuration: trying again will not help
EX_UNAVAILABLE = 69  # exit code of something missing that can be mended from outside


class LocalError(Exception):
    """A fault of the local stack: `str()` says what is wrong, `mend` the command or setting that mends it."""

    exit_code = 1

    def __init__(self, what: str, *, mend: str = "") -> None:
        super().__init__(what)
        self.mend = mend


class MisconfiguredError(LocalError):
    """A setting is wrong: change it, trying again does not help."""

    exit_code = EX_CONFIG


class UnavailableError(LocalError):
    """Something the stack needs is missing or does not work: mend it and start again."""

    exit_code = EX_UNAVAILABLE


class RefusedError(LocalError):
    """The command makes no sense in the present state, for instance a second start of a running stack."""
