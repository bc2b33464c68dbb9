"""Reading one's own write: wait until everything a position covers has been applied.

The loop of this process announces what it has applied at once, a document even before every reader of the store would
see it; what other processes own is read from the stored positions every few hundredths of a second. Waiters are few by
design: they must not starve the other requests.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from services.tracker.ports import Document, Positions

WAIT_S = 5.0
WAITERS = 16
LOOK_EVERY_S = 0.05  # at the stored positions, while a partition of another process is waited for
OWN_LOOK_EVERY_S = 0.5  # the same for our own: their news come by themselves, but ownership may move
SHOWN = 500  # documents kept for those who wait for them
SHOWN_S = 1.0


class Shown(NamedTuple):
    """A document as it was stored: by then everything below `applied` of its partition was in the store."""

    document: Document
    applied: int
    at: float


class Visibility:
    """How far each partition is applied, as known to this process."""

    def __init__(self, positions: Positions, waiters: int = WAITERS) -> None:
        self._positions = positions
        self._places = threading.BoundedSemaphore(waiters)
        self._news = threading.Condition()  # its lock may be taken again by who holds it
        self._applied: dict[int, int] = {}
        self._owned: frozenset[int] = frozenset()
        self._shown: OrderedDict[str, Shown] = OrderedDict()

    def own(self, partitions: Collection[int]) -> None:
        """From now on the news of these partitions come through `advance`."""
        with self._news:
            self._owned = frozenset(partitions)
            self._shown.clear()  # the next owner may have gone on
            self._news.notify_all()

    def show(self, applied: Mapping[int, int], documents: Sequence[Document]) -> None:
        """The documents stand in the store, and everything below these offsets does; a reader of the store may not
        see it yet."""
        now = time.monotonic()
        with self._news:
            for document in documents:
                self._shown[document["_id"]] = Shown(document, applied[document["partition"]], now)
                self._shown.move_to_end(document["_id"])
            while len(self._shown) > SHOWN:
                self._shown.popitem(last=False)
            self._news.notify_all()

    def advance(self, applied: Mapping[int, int]) -> None:
        """Every offset below these is applied and whoever asks the store reads it."""
        with self._news:
            for partition, offset in applied.items():
                if offset > self._applied.get(partition, -1):
                    self._applied[partition] = offset
            self._news.notify_all()

    def shown(self, subject: str, offsets: Mapping[int, int]) -> Document | None:
        """The document as this process stored it a moment ago, where it is certain to hold all that these cover.

        Another process may have stored a newer one since: whoever knows of that asks with a later position.
        """
        shown = self._kept(subject)
        if shown is None:
            return None
        own = shown.document["partition"]
        if offsets.get(own, -1) >= shown.applied:
            return None
        return None if self._missing({p: offset for p, offset in offsets.items() if p != own}) else shown.document

    def newer(self, subject: str, stored: Document | None) -> Document | None:
        """Of a project as somebody read it from the store and as this process stored it a moment ago, the newer one:
        who has seen a state must not meet an older one with the next question."""
        shown = self._kept(subject)
        if shown is None:
            return stored
        document = shown.document
        if stored is None or (stored["ruleset"], stored["events"]) < (document["ruleset"], document["events"]):
            return document
        return stored

    def _kept(self, subject: str) -> Shown | None:
        """What is remembered of a subject: for a while, and at least until a reader of the store would see it."""
        with self._news:
            shown = self._shown.get(subject)
            if shown is None or self._applied.get(shown.document["partition"], -1) < shown.applied:
                return shown
            return shown if time.monotonic() - shown.at <= SHOWN_S else None

    def reached(self, offsets: Mapping[int, int]) -> bool:
        """Whether all of these are known to be applied."""
        return not self._missing(offsets)

    def wait(self, offsets: Mapping[int, int], timeout_s: float = WAIT_S, subject: str | None = None) -> bool:
        """Wait until all of these offsets (the last covered, per partition) are applied; says whether they are.

        With a subject it is enough that its document is shown. False at once when too many wait already.
        """
        if self._done(offsets, subject):
            return True
        if not self._places.acquire(blocking=False):
            return False
        try:
            return self._wait(offsets, time.monotonic() + timeout_s, subject)
        finally:
            self._places.release()

    def _wait(self, offsets: Mapping[int, int], deadline: float, subject: str | None) -> bool:
        look_at = time.monotonic() + (OWN_LOOK_EVERY_S if self._owned.issuperset(self._missing(offsets)) else 0.0)
        while not self._done(offsets, subject):
            missing = self._missing(offsets)
            now = time.monotonic()
            if now >= look_at:
                self.advance(self._positions.read(missing))
                now = time.monotonic()
                look_at = now + (OWN_LOOK_EVERY_S if self._owned.issuperset(missing) else LOOK_EVERY_S)
            with self._news:
                if self._done(offsets, subject):
                    break
                if now >= deadline:
                    return False
                self._news.wait(min(deadline, look_at) - now)
        return True

    def _done(self, offsets: Mapping[int, int], subject: str | None) -> bool:
        return not self._missing(offsets) or (subject is not None and self.shown(subject, offsets) is not None)

    def _missing(self, offsets: Mapping[int, int]) -> list[int]:
        return [partition for partition, offset in offsets.items() if self._applied.get(partition, -1) <= offset]
