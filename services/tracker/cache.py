"""What the loop remembers of recently touched subjects, so that most batches need not read it from the store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from services.tracker.ports import Base

MAX_BYTES = 64 * 1024 * 1024  # of folded states and ids: about 30,000 projects
ID_BYTES = 100  # of an id in a set


@dataclass(frozen=True, slots=True)
class Held:
    """A subject as it stands in the store: its base (None: there is no document yet) and the ids in its journal."""

    base: Base | None
    ids: frozenset[str]

    def takes(self, ids: Iterable[str]) -> bool:
        """Whether events of these ids are certain to be new to the base, which is then certain to be whole."""
        return len(self.ids) == (0 if self.base is None else self.base.events) and self.ids.isdisjoint(ids)

    @property
    def size(self) -> int:
        return (0 if self.base is None else len(self.base.fold)) + ID_BYTES * len(self.ids)


class Cache:
    """Least recently used first out. Holds bytes, never a live state: a failed write must not leave a changed one.

    Whoever uses an entry proves it by compare-and-set, so a stale one costs a refold, never a wrong document.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0

    def get(self, subject: str) -> Held | None:
        held = self._held.get(subject)
        if held is not None:
            self._held.move_to_end(subject)
        return held

    def put(self, subject: str, held: Held) -> None:
        self.forget(subject)
        self._held[subject] = held
        self._bytes += held.size
        while self._bytes > self._max_bytes:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= oldest.size

    def forget(self, subject: str) -> None:
        held = self._held.pop(subject, None)
        if held is not None:
            self._bytes -= held.size

    def clear(self) -> None:
        self._held.clear()
        self._bytes = 0

    @property
    def is_half_full(self) -> bool:
        """Whether what is put there only because there was time would soon push out what is in use."""
        return self._bytes >= self._max_bytes // 2

    def __contains__(self, subject: str) -> bool:
        return subject in self._held

    def __len__(self) -> int:
        return len(self._held)
