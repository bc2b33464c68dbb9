"""A tracker that stops itself (SIGSTOP) between its first replace and the publication of what it replaced."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

from luodi.runtime.lifecycle import Stop, run_service
from luodi.runtime.settings import Settings
from services.tracker.app import Tracker, build
from services.tracker.ports import Document


class FrozenBeforePublishing:
    """The outbox, which freezes the whole process once, as the first document is about to be published."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._frozen = False

    def state(self, document: Document, traceparent: str | None) -> None:
        if not self._frozen:
            self._frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.5)  # the kernel stops all threads within moments, not within this call
        self._port.state(document, traceparent)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def frozen(settings: Settings, stop: Stop) -> Tracker:
    return build(settings, stop, through=lambda name, port: FrozenBeforePublishing(port) if name == "outbox" else port)


if __name__ == "__main__":
    sys.exit(run_service("tracker", frozen))
