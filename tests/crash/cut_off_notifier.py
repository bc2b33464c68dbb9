"""A notifier that is killed once the first stall is in the ledger, before anything of it is sent."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from luodi.runtime.lifecycle import Stop, run_service
from luodi.runtime.settings import Settings
from services.notify.app import Service, build
from services.notify.notifications import Notification
from services.notify.stores import MongoNotifications


def cut_off(settings: Settings, stop: Stop) -> Service:
    """The service as it is built otherwise."""
    insert = MongoNotifications.insert

    def inserted(self: MongoNotifications, rows: Sequence[Notification]) -> set[str]:
        written = insert(self, rows)
        if any(row.kind == "stalled" for row in rows):
            os.kill(os.getpid(), signal.SIGKILL)
        return written

    MongoNotifications.insert = inserted  # type: ignore[method-assign]  # the place where it is to end
    return build(settings, stop)


if __name__ == "__main__":
    sys.exit(run_service("notify", cut_off))
