"""`python -m services.notify`: run notify until it is told to stop."""

from __future__ import annotations

import sys

from luodi.runtime.lifecycle import run_service
from services.notify.app import build


def main() -> int:
    return run_service("notify", build)


if __name__ == "__main__":
    sys.exit(main())
