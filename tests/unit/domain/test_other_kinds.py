"""What holds for every kind of subject beside projects, whatever can be told of it."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.events import EVENT_RETRACTED, Event
from luodi.domain.fold import advance, fold
from luodi.domain.handlers import State, entry
from luodi.domain.kinds import KINDS
from luodi.domain.subjects import unrecorded
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import UNHURRIED, published
from tests.unit.domain.strategies import DATA_OF_OTHERS, histories

OTHERS = sorted(DATA_OF_OTHERS)


def document(kind: str, state: State) -> bytes:
    return orjson.dumps(KINDS[kind].document(f"{kind}:x", state, DEFAULT_RULES, published()))


@settings(UNHURRIED, max_examples=200)
@given(data=st.data(), kind=st.sampled_from(OTHERS))
def test_any_order_and_any_repetition_folds_to_the_same_bytes_and_document(data: st.DataObject, kind: str) -> None:
    events = data.draw(histories(kind=kind))
    again = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    shuffled = data.draw(st.permutations([*events, *again]))
    begin = KINDS[kind].empty
    one, other = fold(events, begin), fold(shuffled, begin)
    assert orjson.dumps(one) == orjson.dumps(other)
    assert document(kind, one) == document(kind, other)


@settings(UNHURRIED, max_examples=200)
@given(data=st.data(), kind=st.sampled_from(OTHERS))
def test_advancing_event_by_event_gives_the_bytes_of_the_fold(data: st.DataObject, kind: str) -> None:
    events = sorted(data.draw(histories(kind=kind)), key=lambda event: event.order)
    begin = KINDS[kind].empty
    state: State = begin()
    for place, event in enumerate(events):
        stored: State = orjson.loads(orjson.dumps(state))
        before = orjson.dumps(stored)
        after = advance(stored, event)
        assert orjson.dumps(stored) == before, "the state given is left as it was"
        state = fold(events[: place + 1], begin)
        assert after is None if event.type == EVENT_RETRACTED else orjson.dumps(after) == orjson.dumps(state)


# Entries: what is kept as it was told.


def told(number: int, **data: Any) -> Event:
    return Event("zone:x", f"e{number}", "x.y", f"2026-03-05T01:00:0{number}.000Z", 0, "u-zhang", data)


def test_an_entry_is_the_data_with_who_told_it_and_when() -> None:
    state = unrecorded()
    entry("visits").apply(state, told(1, way="电话"))
    assert state["entries"] == {
        "visits": {"e1": {"way": "电话", "actor": "u-zhang", "recorded_at": "2026-03-05T01:00:01.000Z"}}
    }
    assert state["counted"] == {}


def test_of_a_log_only_the_last_are_kept_and_all_are_counted() -> None:
    state = unrecorded()
    log = entry("visits", keep=2)
    for number in (1, 2, 3):
        log.apply(state, told(number))
    assert list(state["entries"]["visits"]) == ["e2", "e3"]
    assert state["counted"] == {"visits": 3}
