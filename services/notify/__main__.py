"""`python -m services.notify`: run notify until it is told to stop."""

from __future__ import annotations

import sys

from luodi.runtime.lifecycle import Stop, collect_seldom, run_service
from luodi.runtime.settings import Settings
from services.notify.app import Service, build


def main() -> int:
    return run_service("notify", _build)


def _build(settings: Settings, stop: Stop) -> Service:
    service = build(settings, stop)
    collect_seldom()
    return service


if __name__ == "__main__":
    sys.exit(main())
