"""`python -m services.tracker`: run the tracker until it is told to stop."""

from __future__ import annotations

import sys

from luodi.runtime.lifecycle import Stop, collect_seldom, run_service
from luodi.runtime.settings import Settings
from services.tracker.app import Tracker, build

SWITCH_S = 0.001  # the projector waits for servers ten times a batch, and each time for its turn: 5 ms are too long


def main() -> int:
    return run_service("tracker", _build)


def _build(settings: Settings, stop: Stop) -> Tracker:
    tracker = build(settings, stop)
    collect_seldom()
    sys.setswitchinterval(SWITCH_S)
    return tracker


if __name__ == "__main__":
    sys.exit(main())
