"""What the seeds hand to ingest: events without the attributes that ingest itself sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SOURCE = "/luodi/seeds"
ID_LENGTH = 26  # hex digits of a derived id: short enough to read, far too long to meet by chance


@dataclass(frozen=True, slots=True)
class SeedEvent:
    """One event to be posted.

    `wave` is 0 for an event that stands for itself, and one more than the wave of the event it corrects, clears or
    retracts: the order of recording decides between reports of one thing, so a wave is posted only when every event
    of the one before is acknowledged.
    """

    subject: str
    id: str
    type: str
    data: Mapping[str, Any]
    actor: str | None = None
    wave: int = 0

    def cloudevent(self) -> dict[str, Any]:
        """The event in the JSON form of CloudEvents 1.0; `recordedtime` and `sequence` are left to ingest."""
        envelope: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": SOURCE,
            "type": self.type,
            "subject": self.subject,
            "datacontenttype": "application/json",
            "data": dict(self.data),
        }
        if self.actor is not None:
            envelope["actor"] = self.actor
        return envelope


def derived_id(subject: str, event_type: str, data: Mapping[str, Any], actor: str | None) -> str:
    """An id made of the content: the same report posted twice is the same event."""
    content = json.dumps([subject, event_type, data, actor], ensure_ascii=False, sort_keys=True)
    return f"seed-{hashlib.sha256(content.encode()).hexdigest()[:ID_LENGTH]}"
