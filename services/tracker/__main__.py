"""`python -m services.tracker`: run the tracker until it is told to stop."""

from __future__ import annotations

import sys

from luodi.runtime.lifecycle import run_service
from services.tracker.app import build


def main() -> int:
    return run_service("tracker", build)


if __name__ == "__main__":
    sys.exit(main())
