"""`python -m services.notify`: run notify until it is told to stop."""

from __future__ import annotations

import os
import sys

from luodi.runtime.lifecycle import Stop, collect_seldom, run_service
from luodi.runtime.settings import Settings
from services.notify.app import Service, build

SWITCH_S = 0.001  # a thread whose receiver or store has answered waits for its turn: 5 ms are too long before a mark
YIELDS = 5  # niceness: where the services share a processor, those come first that somebody waits for


def main() -> int:
    os.nice(YIELDS)
    return run_service("notify", as_a_process)


def as_a_process(settings: Settings, stop: Stop) -> Service:
    """The service, with the process set up for it."""
    service = build(settings, stop)
    collect_seldom()
    sys.setswitchinterval(SWITCH_S)
    return service


if __name__ == "__main__":
    sys.exit(main())
