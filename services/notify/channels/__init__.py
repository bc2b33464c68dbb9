"""The ways a message leaves the house. One folder each; a channel knows its wire and nothing of matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from services.notify.notifications import Notification


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt met: taken; worth another attempt; this message never (`refused`); no message ever (`gone`).

    `error` is a short code: it is kept and logged, so it never holds an address, nor what the receiver wrote.
    """

    kind: Literal["sent", "retry", "refused", "gone"]
    error: str | None = None
    retry_after_s: float = 0.0  # what the receiver asked for
    rest_s: float = 0.0  # how long nothing at all should be sent to this address


class Channel(Protocol):
    """One receiver. `send` may be called from several threads at once and may fail in any way."""

    @property
    def name(self) -> str:
        """What deliveries call it."""

    @property
    def threads(self) -> int:
        """How many messages it may have under way at once: a slow receiver holds up only its own channel."""

    @property
    def batch(self) -> int:
        """How many messages are taken and marked together: 1, unless one costs nothing to send and none can be lost."""

    @property
    def endpoint(self) -> str | None:
        """The id of the address behind it, for one that can be given up; never the address itself."""

    @property
    def shown(self) -> str:
        """How that address may be shown to people, without what could be a secret."""

    @property
    def recipient(self) -> str | None:
        """Whose own address it is; None: it is the operator's, and gets the messages of all."""

    def enter(self) -> float:
        """Take the place for one attempt. 0: go; else the seconds to wait before asking again."""

    def leave(self) -> None:
        """The attempt is over, or was not made. Called once after each `enter` that answered 0."""

    def send(self, row: Notification) -> Outcome:
        """Make one attempt. Everything in the message but its time of sending is the same at each attempt."""


class Addressed(Protocol):
    """A channel on which each recipient has an address of its own."""

    @property
    def name(self) -> str:
        """What deliveries call it."""

    @property
    def threads(self) -> int:
        """How many messages may be under way at once, to all addresses together."""

    def to(self, rows: Sequence[Notification]) -> Sequence[Channel | None]:
        """The receiver of each message, as its recipient's contact says now; None: there is no address (any more)."""


class Unshaped:
    """What channels share that nobody has to wait for."""

    recipient: str | None = None
    batch: int = 1

    def enter(self) -> float:
        """There is always room."""
        return 0.0

    def leave(self) -> None:
        """Nothing was taken."""
