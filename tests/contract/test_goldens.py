"""Records written by any released version are read for ever; what is written today are the bytes of its version."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import orjson
import pytest

from schemas import codec, states
from schemas.events import ANY_KIND, EVENT_TYPES
from tests.goldens import GOLDEN

SHANGHAI = ZoneInfo("Asia/Shanghai")
SUBJECTS = {
    "project": b"demo-2026-7K3F9A2M4Q",
    "unit": b"unit:unit-power",
    "person": b"person:u-zhang",
    "post": b"post:post-head-01",
}
STATES = (
    *("state", "state-verified", "state-followed", "state-unit", "state-person", "state-handed-over", "state-post"),
    *("state-enterprise", "state-team"),
)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
def test_an_event_of_version_1_is_read_and_written_byte_for_byte(type_: str) -> None:
    kind = EVENT_TYPES[type_].kind
    subject = SUBJECTS.get("project" if kind == ANY_KIND else kind) or f"{kind}:{kind}-01".encode()
    event = codec.decode(golden(type_), subject, SHANGHAI)
    assert event.type == type_
    assert event.subject == subject.decode()
    assert codec.encode(event, orjson.loads(golden(type_))["source"]) == golden(type_)


@pytest.mark.parametrize("type_", sorted(EVENT_TYPES))
def test_the_golden_of_a_type_holds_every_field_the_type_has(type_: str) -> None:
    fields = {field.data_key or name for name, field in EVENT_TYPES[type_].schema.declared().items()}
    held = orjson.loads(golden(type_))["data"].keys()
    # An amendment has the fields of a registration; its golden shows one of each kind: set, confirmed, cleared.
    assert held <= fields if type_.endswith(".amended") else held == fields


@pytest.mark.parametrize("name", STATES)
def test_a_state_of_version_1_is_read_and_written_byte_for_byte(name: str) -> None:
    state = states.decode_state(golden(name))
    assert states.encode_state({**state, "_id": state["id"]}) == golden(name)


def test_a_watermark_of_version_1_is_read_and_written_byte_for_byte() -> None:
    assert states.encode_watermark(states.decode_watermark(golden("watermark"))) == golden("watermark")


@pytest.mark.parametrize("name", ["rejected", "rejected-binary"])
def test_a_rejected_record_of_version_1_is_read_and_written_byte_for_byte(name: str) -> None:
    rejected = states.decode_rejected(golden(name))
    key, value = states.original(rejected)
    origin = rejected["origin"]
    written = states.encode_rejected(
        topic=origin["topic"],
        partition=origin["partition"],
        offset=origin["offset"],
        reason=rejected["reason"],
        detail=rejected["detail"],
        rejected_at=rejected["rejected_at"],
        key=key,
        value=value,
    )
    assert written == golden(name)


def test_no_golden_is_left_without_a_test() -> None:
    known = {*EVENT_TYPES, *STATES, "watermark", "rejected", "rejected-binary"}
    assert {path.stem for path in GOLDEN.glob("*.json")} == known
