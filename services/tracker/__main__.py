"""`python -m services.tracker`."""

from __future__ import annotations

import sys

from luodi.runtime.lifecycle import run_service
from services.tracker.app import build

if __name__ == "__main__":
    sys.exit(run_service("tracker", build))
