from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import states
from schemas.invalid import Invalid

DOCUMENT: dict[str, Any] = {
    "_id": "p1",
    "partition": 3,
    "events": 7,
    "ruleset": 2,
    "fold": b"\x00",
    "registered": True,
    "status": "active",
    "stage": None,
    "lights": [],
    "clocks": [],
    "blockers": [],
    "updated_at": "2026-03-05T01:02:03.004Z",
}


def test_a_state_is_the_document_without_its_fold_and_with_an_id() -> None:
    state = states.decode_state(states.encode_state(DOCUMENT))
    assert state["id"] == "p1"
    assert not {"_id", "fold"} & state.keys()
    assert state["partition"] == 3


@pytest.mark.parametrize("name", sorted(states.REQUIRED))
def test_a_state_without_what_readers_rely_on_is_refused(name: str) -> None:
    state = orjson.loads(states.encode_state(DOCUMENT))
    del state[name]
    with pytest.raises(Invalid):
        states.decode_state(orjson.dumps(state))
    state[name] = {"not": "this"}
    with pytest.raises(Invalid):
        states.decode_state(orjson.dumps(state))


@given(st.binary(max_size=50))
def test_any_bytes_are_a_state_or_invalid(value: bytes) -> None:
    with pytest.raises(Invalid):
        states.decode_state(value)


def test_the_guard_is_read_without_opening_the_value() -> None:
    assert states.read_guard(states.guard_headers(DOCUMENT)) == (7, 2)


@pytest.mark.parametrize("headers", [[], [("other", b"1.2")], [("guard", b"")], [("guard", b"7")], [("guard", b"a.b")]])
def test_headers_without_a_guard_hold_none(headers: list[tuple[str, bytes]]) -> None:
    assert states.read_guard(headers) is None


def test_a_watermark_is_an_instant() -> None:
    instant = "2026-03-05T01:02:03.004Z"
    assert states.decode_watermark(states.encode_watermark(instant)) == instant


@pytest.mark.parametrize("value", [b"", b"{}", b'{"w":null}', b'{"w":"2026-03-05"}', b"[]"])
def test_anything_else_is_no_watermark(value: bytes) -> None:
    with pytest.raises(Invalid):
        states.decode_watermark(value)


@given(key=st.none() | st.binary(max_size=9), value=st.none() | st.binary(max_size=99) | st.text().map(str.encode))
def test_a_rejected_record_gives_back_the_bytes_it_refused(key: bytes | None, value: bytes | None) -> None:
    encoded = states.encode_rejected(
        topic="project-events",
        partition=3,
        offset=1234,
        reason="bad-json",
        detail="…",
        rejected_at="2026-03-05T01:02:03.004Z",
        key=key,
        value=value,
    )
    rejected = states.decode_rejected(encoded)
    assert rejected["id"] == "project-events-3-1234"
    assert states.original(rejected) == (key, value)


@pytest.mark.parametrize("value", [b"", b"[]", b"{}"])
def test_anything_else_is_no_rejected_record(value: bytes) -> None:
    with pytest.raises(Invalid):
        states.decode_rejected(value)
