from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from luodi.domain.days import first_day
from schemas.codec import Envelope
from schemas.events import EVENT_TYPES, REQUESTS, load_http, load_record
from schemas.invalid import Invalid
from schemas.loading import REFUSE, TOLERATE, Record, Unknown, checked_fields, loader
from schemas.messages import FIELD_ERRORS
from tests.unit.schemas.builders import GOOD, TODAY, json_values, payloads, types


def what_marshmallow_says(record: type[Record], unknown: Unknown, payload: Any) -> Any:
    try:
        return loader(record, unknown).schema.load(payload)
    except ValidationError:
        return "refused"


def outcome(type_: str, payload: Any) -> dict[str, Any] | Invalid:
    try:
        return load_http(type_, payload, TODAY)
    except Invalid as exc:
        return exc


@settings(max_examples=600)
@given(data=st.data(), type_=types, unknown=st.sampled_from([REFUSE, TOLERATE]))
def test_the_shortcut_accepts_only_what_marshmallow_accepts_with_an_equal_result(
    data: st.DataObject, type_: str, unknown: Unknown
) -> None:
    payload = data.draw(payloads(type_))
    for record in (EVENT_TYPES[type_].schema, *([REQUESTS[type_]] if type_ in REQUESTS else [])):
        quick = loader(record, unknown).shortcut(payload)
        slow = what_marshmallow_says(record, unknown, payload)
        if quick is None:
            # It may only pass on what marshmallow would refuse, or what is odd; never an ordinary record.
            assert slow == "refused"
        else:
            assert slow == quick
            assert list(slow) == list(quick)
            assert orjson.dumps(slow) == orjson.dumps(quick)


@settings(max_examples=300)
@given(
    payload=st.fixed_dictionaries(
        {},
        optional={
            name: json_values | st.sampled_from(["1.0", "e1", "/x", "2026-03-05T01:02:03.004Z", 0, {}])
            for name, _ in checked_fields(Envelope())
        },
    )
)
def test_the_shortcut_agrees_with_marshmallow_about_envelopes(payload: dict[str, Any]) -> None:
    quick = loader(Envelope, TOLERATE).shortcut(payload)
    slow = what_marshmallow_says(Envelope, TOLERATE, payload)
    assert slow == ("refused" if quick is None else quick)


@settings(max_examples=600)
@given(data=st.data(), type_=types)
def test_any_payload_loads_or_is_refused_with_pointers_and_words(data: st.DataObject, type_: str) -> None:
    payload = data.draw(payloads(type_))
    loaded = outcome(type_, payload)
    if not isinstance(loaded, Invalid):
        # What was accepted is accepted again, unchanged, by either side, and fits through the wire.
        assert load_http(type_, loaded, TODAY) == loaded
        assert load_record(type_, orjson.loads(orjson.dumps(loaded)), TODAY) == loaded
        return
    assert loaded.errors
    assert loaded.code in {error.code for error in loaded.errors}
    for error in loaded.errors:
        assert error.pointer == "" or error.pointer.startswith("/")
        error.pointer.encode()  # half a character in a key must not come back in the answer
        for words in FIELD_ERRORS[error.code]:
            assert words.format(**error.params)


@settings(max_examples=200)
@given(data=st.data(), type_=types)
def test_whatever_is_accepted_over_http_is_accepted_from_the_record(data: st.DataObject, type_: str) -> None:
    payload = data.draw(payloads(type_))
    loaded = outcome(type_, payload)
    assert isinstance(loaded, Invalid) or load_record(type_, payload, TODAY) == loaded


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
def test_the_least_of_each_type_takes_the_shortcut(type_: str) -> None:
    assert loader(EVENT_TYPES[type_].schema, REFUSE).shortcut(GOOD[type_]) == GOOD[type_]


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
def test_http_refuses_an_unknown_field_and_a_reader_leaves_it_out(type_: str) -> None:
    payload = {**GOOD[type_], "surprise": 1}
    with pytest.raises(Invalid) as refused:
        load_http(type_, payload, TODAY)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/surprise", "unknown-field")]
    assert load_record(type_, payload, TODAY) == load_record(type_, GOOD[type_], TODAY)


def test_fields_come_out_in_the_order_of_the_schema_whatever_order_they_came_in() -> None:
    forward = {"stage": "started", "date": "2026-03-05", "note": "x"}
    backward = dict(reversed(forward.items()))
    assert list(load_http("milestone.reported", backward, TODAY)) == ["stage", "date", "note"]


def test_every_fault_is_named_up_to_a_bound() -> None:
    with pytest.raises(Invalid) as refused:
        load_http("note.added", {f"f{n}": 1 for n in range(1000)}, TODAY)
    assert len(refused.value.errors) == 50


def test_dates_of_the_tests_are_as_they_say() -> None:
    assert first_day("2026-03-05") == TODAY
