"""Liveness and readiness: `/live` says the process answers, `/ready` that it can work, naming what is missing."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[], str | None]


class Probes:
    """The readiness checks of one service. A check returns None when all is well, else what is missing, in words."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    def missing(self) -> list[dict[str, str]]:
        """Every check that fails, each with its reason; empty when ready. A check that raises counts as failed."""
        found = []
        for name, check in self._checks.items():
            try:
                reason = check()
            except Exception as exc:  # noqa: BLE001  # a probe must answer, whatever the check met
                reason = f"{type(exc).__name__}: {exc}"
            if reason is not None:
                found.append({"check": name, "detail": reason})
        return found
