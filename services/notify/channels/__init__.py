"""The ways a message leaves the house. One folder each; a channel knows its wire and nothing of matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from services.notify.notifications import Notification


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt met: taken, worth another attempt, or never again at this address."""

    kind: Literal["sent", "retry", "gone"]
    error: str | None = None
    retry_after_s: float = 0.0  # what the receiver asked for


class Channel(Protocol):
    """A way out. `send` may be called from several threads at once and may fail in any way."""

    @property
    def name(self) -> str:
        """What deliveries call it."""

    @property
    def threads(self) -> int:
        """How many messages it may have under way at once: a slow receiver holds up only its own channel."""

    @property
    def endpoint(self) -> str | None:
        """The id of the address behind it, for one that can be given up; never the address itself."""

    @property
    def shown(self) -> str:
        """How that address may be shown to people, without what could be a secret."""

    def send(self, row: Notification) -> Outcome:
        """Make one attempt. Everything in the message but its time of sending is the same at each attempt."""
