"""Bounds on what callers may ask of one process at a time."""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import threading
from collections.abc import Iterator
from pathlib import Path

EVENTS_PER_S = (
    100_000.0  # of one caller at one address: several times what a process can write, so only a runaway meets it
)
BURST = 200_000.0
LINK_REQUESTS_PER_S = 20 / 3600  # of one enterprise, through its link
LINK_BURST = 10.0
MAX_WAITING = 176  # requests of one process; below its threads
RECENT_SLOTS = 65_536
DIGEST_BYTES = 16
_CHECK_BYTES = 8
_SLOT = 2 * DIGEST_BYTES + _CHECK_BYTES  # identity, content, check


class Gate:
    """How many requests may wait for Kafka at once. A few threads stay free, so that the probes answer in an outage."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._places = threading.Semaphore(limit)

    @contextlib.contextmanager
    def enter(self) -> Iterator[bool]:
        """Whether there was a place; it is given back on leaving."""
        entered = self._places.acquire(blocking=False)
        try:
            yield entered
        finally:
            if entered:
                self._places.release()


class Recent:
    """The contents that were lately acknowledged, by identity: who repeats an id with another content is told so.

    A table of fixed size, in a file that the workers of a service share or in memory. A slot holds the latest of the
    identities that fall into it, so it forgets, and it may miss what another worker writes at this moment: that the
    tracker finds, where the lower offset wins. It never accuses wrongly: a slot that is half written checks false.
    """

    def __init__(self, shared: Path | None = None, slots: int = RECENT_SLOTS) -> None:
        self._slots = slots
        size = slots * _SLOT
        if shared is None:
            self._table = mmap.mmap(-1, size)
        else:
            with shared.open("a+b") as file:
                file.truncate(size)
                self._table = mmap.mmap(file.fileno(), size)

    def differs(self, subject: str, event_id: str, digest: bytes) -> bool:
        """Whether this identity is known with another content."""
        identity, at = self._place(subject, event_id)
        known = self._known(identity, at)
        return known is not None and known != digest

    def holds(self, subject: str, event_id: str, digest: bytes) -> bool:
        """Whether this identity is known with this content."""
        return self._known(*self._place(subject, event_id)) == digest

    def remember(self, subject: str, event_id: str, digest: bytes) -> None:
        """Keep the first content acknowledged under this identity."""
        identity, at = self._place(subject, event_id)
        if self._known(identity, at) is None:
            self._table[at : at + _SLOT] = identity + digest + _check(identity + digest)

    def _place(self, subject: str, event_id: str) -> tuple[bytes, int]:
        # Neither part holds a slash.
        identity = hashlib.blake2b(f"{subject}/{event_id}".encode(), digest_size=DIGEST_BYTES).digest()
        return identity, int.from_bytes(identity[:8], "big") % self._slots * _SLOT

    def _known(self, identity: bytes, at: int) -> bytes | None:
        slot = self._table[at : at + _SLOT]
        held, check = slot[: 2 * DIGEST_BYTES], slot[2 * DIGEST_BYTES :]
        if held[:DIGEST_BYTES] != identity or check != _check(held):
            return None
        return held[DIGEST_BYTES:]


def content_digest(content: bytes) -> bytes:
    """The digest of a content as `Recent` keeps it."""
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def _check(held: bytes) -> bytes:
    return hashlib.blake2b(held, digest_size=_CHECK_BYTES).digest()
