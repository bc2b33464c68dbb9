"""The cache: bounded by bytes, the least recently used first out, and certain only of what is whole."""

from __future__ import annotations

import pytest

from services.tracker.cache import ID_BYTES, Cache, Held
from services.tracker.ports import Base


def held(events: int = 1, fold: bytes = b"x" * 100, ids: int | None = None) -> Held:
    names = frozenset(f"e{n}" for n in range(events if ids is None else ids))
    return Held(Base(events, 1, fold), names)


def test_the_least_recently_used_goes_first() -> None:
    size = held().size
    cache = Cache(max_bytes=3 * size)
    for subject in ("a", "b", "c"):
        cache.put(subject, held())
    assert cache.get("a") is not None
    cache.put("d", held())
    assert cache.get("b") is None
    assert [cache.get(subject) is not None for subject in ("a", "c", "d")] == [True, True, True]


def test_replacing_an_entry_counts_its_bytes_once() -> None:
    cache = Cache(max_bytes=10 * held().size)
    for _ in range(100):
        cache.put("a", held())
    cache.put("b", held())
    assert len(cache) == 2


def test_an_entry_larger_than_everything_is_not_kept() -> None:
    cache = Cache(max_bytes=50)
    cache.put("a", held())
    assert len(cache) == 0


def test_ids_weigh_too() -> None:
    assert held(events=5).size == 100 + 5 * ID_BYTES


def test_clearing_forgets_everything() -> None:
    cache = Cache()
    cache.put("a", held())
    cache.clear()
    assert cache.get("a") is None
    assert len(cache) == 0


@pytest.mark.parametrize(
    ("known", "ids", "certain"),
    [
        (held(events=2), {"new"}, True),
        (held(events=2), {"e1"}, False),
        (held(events=2), {"new", "e0"}, False),
        (held(events=2, ids=3), {"new"}, False),  # the journal knows of an event that the document does not hold yet
        (held(events=3, ids=2), {"new"}, False),  # the document holds one that is not journaled yet
        (Held(None, frozenset()), {"new"}, True),
        (Held(None, frozenset({"e0"})), {"new"}, False),
    ],
)
def test_only_what_is_new_to_a_whole_base_is_certain(known: Held, ids: set[str], certain: bool) -> None:
    assert known.takes(ids) is certain
