from __future__ import annotations

from dataclasses import replace

import pytest

from luodi.domain.events import REGISTERED_FIELDS, Event, content, digest
from luodi.domain.fold import HANDLERS
from schemas.events import EVENT_TYPES

EVENT = Event(
    "p1", "e1", "milestone.reported", "2026-03-05T01:02:03.004Z", 2, "u-zhang", {"stage": "signed", "date": "2026"}
)


def test_the_order_is_recorded_instant_then_place_in_the_request_then_id() -> None:
    earlier = replace(EVENT, recordedtime="2026-03-05T01:02:03.003Z", sequence=9, id="z")
    placed_before = replace(EVENT, sequence=1, id="z")
    lesser_id = replace(EVENT, id="e0")
    ordered = sorted([EVENT, earlier, lesser_id, placed_before], key=lambda event: event.order)
    assert ordered == [earlier, placed_before, lesser_id, EVENT]


def test_the_content_is_type_data_and_actor_whatever_the_order_of_the_keys() -> None:
    same = replace(
        EVENT, id="other", recordedtime="2027-01-01T00:00:00.000Z", sequence=0, data={"date": "2026", "stage": "signed"}
    )
    assert content(same) == content(EVENT)
    assert digest(same) == digest(EVENT)
    assert len(digest(EVENT)) == 64


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, type="plan.set"),
        replace(EVENT, actor=None),
        replace(EVENT, data={"stage": "signed", "date": "2026-01"}),
        replace(EVENT, data={"stage": "signed", "date": "2026", "note": None}),
    ],
    ids=["type", "actor", "value", "field"],
)
def test_another_content_has_another_digest(other: Event) -> None:
    assert digest(other) != digest(EVENT)


def test_text_that_no_encoding_can_carry_still_has_a_content() -> None:
    assert content(replace(EVENT, data={"note": "\ud800"}))


def test_every_type_has_a_handler_and_no_other() -> None:
    assert set(HANDLERS) == set(EVENT_TYPES)


def test_a_registered_field_is_named_once_and_the_answer_to_a_question_is_none() -> None:
    assert len(REGISTERED_FIELDS) == len(set(REGISTERED_FIELDS))
    assert "confirm" not in REGISTERED_FIELDS
