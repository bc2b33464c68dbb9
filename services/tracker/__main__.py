"""`python -m services.tracker`: run the tracker until it is told to stop."""

from __future__ import annotations

import gc
import sys

from luodi.runtime.lifecycle import Stop, run_service
from luodi.runtime.settings import Settings
from services.tracker.app import Tracker, build

SWITCH_S = 0.001  # the projector waits for servers ten times a batch, and each time for its turn: 5 ms are too long


def main() -> int:
    return run_service("tracker", _build)


def _build(settings: Settings, stop: Stop) -> Tracker:
    tracker = build(settings, stop)
    # A batch makes tens of thousands of short-lived objects without a cycle among them: collecting them costs a tenth
    # of the apply rate and finds nothing. What lives by now lives to the end.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(SWITCH_S)
    return tracker


if __name__ == "__main__":
    sys.exit(main())
