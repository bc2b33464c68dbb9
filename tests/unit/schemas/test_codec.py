from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.events import Event
from luodi.domain.subjects import subject_of
from schemas import codec
from schemas.events import EVENT_TYPES, load_http
from schemas.invalid import Invalid
from tests.unit.schemas.builders import GOOD, RECORDED, SHANGHAI, TODAY, json_values, payloads, types

KEY = b"p1"


def milestone(**over: Any) -> Event:
    fields: dict[str, Any] = {
        "subject": "p1",
        "id": "e1",
        "type": "milestone.reported",
        "recordedtime": RECORDED,
        "sequence": 0,
        "actor": "u1",
        "data": {"stage": "started", "date": "2026-03-05"},
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return Event(**{**fields, **over})


def wire(**over: Any) -> bytes:
    """The bytes of a good record with some attributes replaced; `...` leaves one out."""
    attributes = orjson.loads(codec.encode(milestone())) | over
    return orjson.dumps({name: value for name, value in attributes.items() if value is not ...})


def refusal(value: bytes | None, key: bytes | None) -> Invalid | None:
    try:
        codec.decode(value, key, SHANGHAI)
    except Invalid as exc:
        return exc
    return None


def reason(value: bytes | None, key: bytes | None = KEY) -> str:
    refused = refusal(value, key)
    assert refused is not None
    assert refused.code in codec.REASONS
    return refused.code


@settings(max_examples=300)
@given(data=st.data(), type_=types, sequence=st.integers(0, 2**31 - 1), actor=st.none() | st.just("u1"))
def test_what_was_encoded_is_decoded_equal_and_encodes_to_the_same_bytes(
    data: st.DataObject, type_: str, sequence: int, actor: str | None
) -> None:
    try:
        content = load_http(type_, data.draw(payloads(type_)), TODAY)
    except Invalid:
        content = load_http(type_, GOOD[type_], TODAY)
    subject = subject_of(EVENT_TYPES[type_].kinds[-1].kind, "p1")
    event = milestone(subject=subject, type=type_, sequence=sequence, actor=actor, data=content)
    value = codec.encode(event)
    assert codec.decode(value, subject.encode(), SHANGHAI) == event
    assert codec.encode(codec.decode(value, subject.encode(), SHANGHAI)) == value


@settings(max_examples=500)
@given(
    value=st.binary(max_size=60)
    | json_values.map(lambda v: repr(v).encode("utf-8", "replace"))
    | st.dictionaries(
        st.sampled_from(["specversion", "id", "type", "subject", "recordedtime", "sequence", "data", "actor"]),
        st.sampled_from(["1.0", "e1", "milestone.reported", "p1", RECORDED, 0, {}, None, [], -1, "x" * 200]),
    ).map(orjson.dumps),
    key=st.none() | st.binary(max_size=5) | st.just(KEY),
)
def test_any_record_decodes_or_is_refused_with_a_known_reason(value: bytes, key: bytes | None) -> None:
    refused = refusal(value, key)
    if refused is not None:
        assert refused.code in codec.REASONS
        assert refused.detail


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null-value"),
        (b"", "bad-json"),
        (b"{", "bad-json"),
        (b"[" * 100_000, "bad-json"),
        (b'{"a": NaN}', "bad-json"),
        (b'{"a": "\\ud800"}', "bad-json"),
        (b"\xff", "bad-json"),
        (b"null", "wrong-type"),
        (b"[]", "wrong-type"),
        (wire(type="project.exploded"), "unknown-type"),
        (wire(type=1), "wrong-type"),
        (wire(specversion="0.3"), "wrong-version"),
        (wire(id=...), "missing-field"),
        (wire(id="a/b"), "bad-id"),
        (wire(subject="p2"), "key-mismatch"),
        (wire(subject="planet:demo"), "bad-id"),
        (wire(subject="unit:p1"), "bad-id"),
        (wire(type="unit.registered", data={"name": "示例"}), "bad-id"),
        (wire(type="note.added", subject="planet:demo", data={"text": "走访"}), "bad-id"),
        (wire(sequence="0"), "wrong-type"),
        (wire(sequence=True), "wrong-type"),
        (wire(recordedtime="2026-03-05T01:02:03Z"), "bad-instant"),
        (wire(recordedtime="2026-03-05T01:02:03.004+08:00"), "bad-instant"),
        (wire(recordedtime="2026-02-30T01:02:03.004Z"), "bad-instant"),
        (wire(recordedtime="9999-01-01T01:02:03.004Z"), "bad-instant"),
        (wire(data=None), "missing-field"),
        (wire(data=[]), "wrong-type"),
        (wire(data={"stage": "started"}), "missing-field"),
        (wire(data={"stage": "exploded", "date": None}), "unknown-stage"),
        (wire(data={"stage": "started", "date": "2026-02-30"}), "bad-date"),
        (wire(data={"stage": "started", "date": "9999"}), "bad-date"),
        (wire(data={"stage": "started", "date": "2026-03-07"}), "bad-date"),
        (wire(data={"stage": "started", "date": None, "note": 7}), "wrong-type"),
        (wire(data={"stage": "started", "date": None, "note": "x" * 2001}), "wrong-value"),
    ],
)
def test_a_poisoned_record_is_refused_with_its_reason(value: bytes | None, expected: str) -> None:
    assert reason(value) == expected


@pytest.mark.parametrize("key", [None, b"", b"p2", b"\xff"])
def test_the_key_must_be_the_subject(key: bytes | None) -> None:
    assert reason(wire(), key) == "key-mismatch"


def test_attributes_and_fields_of_a_newer_version_are_left_out() -> None:
    value = wire(newattribute=1, data={"stage": "started", "date": "2026-03-05", "new": {"deep": 1}})
    assert codec.decode(value, KEY, SHANGHAI) == milestone()


@pytest.mark.parametrize("broken", [7, "", "x" * 55 + "y", {}])
def test_a_broken_trace_does_not_cost_us_the_event(broken: Any) -> None:
    assert codec.decode(wire(traceparent=broken), KEY, SHANGHAI).traceparent is None


@pytest.mark.parametrize("attribute", ["actor", "traceparent", "source", "datacontenttype"])
def test_optional_attributes_may_be_missing(attribute: str) -> None:
    codec.decode(wire(**{attribute: ...}), KEY, SHANGHAI)


def test_the_future_begins_after_the_business_day_of_recording_not_after_the_day_in_utc() -> None:
    late = milestone(recordedtime="2026-03-05T16:00:00.000Z", data={"stage": "started", "date": "2026-03-07"})
    assert codec.decode(codec.encode(late), KEY, SHANGHAI).data["date"] == "2026-03-07"
    early = milestone(recordedtime="2026-03-05T15:59:59.999Z", data={"stage": "started", "date": "2026-03-07"})
    assert reason(codec.encode(early)) == "bad-date"


def test_the_detail_says_where() -> None:
    with pytest.raises(Invalid) as refused:
        codec.decode(wire(data={"stage": "exploded", "date": None}), KEY, SHANGHAI)
    assert "/data/stage" in refused.value.detail
