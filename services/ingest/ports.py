"""What posting needs of the log that events are written to, and the values that pass between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Outgoing(NamedTuple):
    """One record on its way: the subject, which is its key, and the encoded event."""

    subject: str
    value: bytes


class Receipt(NamedTuple):
    """What an acknowledgement tells: where the record stands, and when the broker appended it (its clock, ms)."""

    partition: int
    offset: int
    appended_ms: int


@dataclass(frozen=True, slots=True)
class Appended:
    """The outcome of one append: a receipt per record, None where the outcome is unknown; `tag` names the topic."""

    tag: str
    receipts: Sequence[Receipt | None]


class Away(Exception):  # noqa: N818 - named for what the caller must tell: the log is away
    """The log is known to be away, or has no room: nothing of this call was or will be written."""


class Full(Away):
    """Too many records wait for acknowledgement."""


class EventLog(Protocol):
    """The durable log of events. Safe to share between threads."""

    def start(self) -> None:
        """Begin to connect, in the background."""

    def stop(self, bound_s: float) -> None:
        """Finish what is underway and close, within about `bound_s` seconds."""

    def append(self, records: Sequence[Outgoing]) -> Appended:
        """Write the records and wait for their acknowledgement, in bounded time.

        A receipt means durable. None means unknown: the record may have been written, but nothing will be written any
        more once this has returned. Raises Away, or Full, when nothing was written.
        """

    def missing(self) -> str | None:
        """The readiness check: what the log lacks, None when it takes records."""
