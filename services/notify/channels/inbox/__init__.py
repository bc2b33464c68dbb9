"""The inbox: the row itself is the message, readable over HTTP and as a live stream the moment it is written.

There is nothing to send, so it is no `Channel`: a row is born with this delivery done (`fresh_deliveries`).
"""

from __future__ import annotations

from services.notify.notifications import INBOX

NAME = INBOX
