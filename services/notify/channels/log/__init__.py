"""The log channel: every message as one structured line, for those who alert from their logs."""

from __future__ import annotations

from luodi.runtime import logging
from services.notify.channels import Outcome, Unshaped
from services.notify.notifications import Notification

log = logging.get("channel")


class LogChannel(Unshaped):
    """Writes the message to the log. It cannot fail, so it needs no second attempt."""

    name = "log"
    threads = 2  # one writes while the other waits for MongoDB
    batch = 250
    endpoint = None
    shown = "log"

    def send(self, row: Notification) -> Outcome:
        """Write one line."""
        log.info(
            "notification.told",
            notification=row.id,
            kind=row.kind,
            recipient=row.recipient,
            project_id=row.project_id,
            title=row.texts.title_en,
            title_zh=row.texts.title_zh,
            traceparent=row.traceparent,
        )
        return Outcome("sent")
