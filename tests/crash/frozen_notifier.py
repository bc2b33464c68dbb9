"""A notifier that stops itself (SIGSTOP) once, between taking a message for the webhook and sending it."""

from __future__ import annotations

import os
import signal
import sys
import time

from luodi.runtime.lifecycle import Stop, run_service
from luodi.runtime.settings import Settings
from services.notify.app import Service, build
from services.notify.notifications import Notification
from services.notify.stores import MongoNotifications

CHANNEL = "webhook"


def freeze_once() -> None:
    """Have the first row that is taken for the webhook freeze the whole process, right after it was written."""
    replace = MongoNotifications.replace
    frozen = False

    def frozen_after(self: MongoNotifications, row: Notification) -> bool:
        nonlocal frozen
        written = replace(self, row)
        delivery = row.delivery(CHANNEL)
        if written and not frozen and delivery is not None and delivery.status == "sending":
            frozen = True
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.5)  # the kernel stops all threads within moments, not within this call
        return written

    MongoNotifications.replace = frozen_after  # type: ignore[method-assign]  # the place where it is to stop


def frozen(settings: Settings, stop: Stop) -> Service:
    """The service as it is built otherwise."""
    freeze_once()
    return build(settings, stop)


if __name__ == "__main__":
    sys.exit(run_service("notify", frozen))
