"""The stored guards and folded states of recently touched subjects, so that most batches need not read them."""

from __future__ import annotations

from collections import OrderedDict

from services.tracker.ports import Base

MAX_BYTES = 48 * 1024 * 1024  # of folded states: about 40,000 projects


class BaseCache:
    """Least recently used first out. Holds bytes, never a live state: a failed write must not leave a changed one.

    Whoever uses an entry proves it by compare-and-set, so a stale one costs a refold, never a wrong document.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._bases: OrderedDict[str, Base] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0

    def get(self, subject: str) -> Base | None:
        base = self._bases.get(subject)
        if base is not None:
            self._bases.move_to_end(subject)
        return base

    def put(self, subject: str, base: Base) -> None:
        self.forget(subject)
        self._bases[subject] = base
        self._bytes += len(base.fold)
        while self._bytes > self._max_bytes:
            _, oldest = self._bases.popitem(last=False)
            self._bytes -= len(oldest.fold)

    def forget(self, subject: str) -> None:
        held = self._bases.pop(subject, None)
        if held is not None:
            self._bytes -= len(held.fold)

    def clear(self) -> None:
        self._bases.clear()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._bases)
