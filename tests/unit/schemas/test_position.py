from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import position

TAG = "a388c870"
vectors = st.dictionaries(st.integers(0, 999), st.integers(0, 2**63 - 1), min_size=1)


@given(vectors)
def test_a_position_says_what_it_was_made_of_and_is_safe_in_an_address(offsets: dict[int, int]) -> None:
    text = position.encode(TAG, offsets)
    assert position.decode(text, TAG) == offsets
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", text)


@given(vectors)
def test_equal_vectors_are_equal_texts(offsets: dict[int, int]) -> None:
    assert position.encode(TAG, offsets) == position.encode(TAG, dict(reversed(offsets.items())))


@given(st.text(max_size=60) | st.from_regex(r"a388c870(~[0-9]+\.[0-9]+)*", fullmatch=True))
def test_any_text_is_a_position_or_malformed(text: str) -> None:
    try:
        offsets = position.decode(text, TAG)
    except (position.Malformed, position.Foreign):
        return
    assert position.decode(position.encode(TAG, offsets), TAG) == offsets


@pytest.mark.parametrize(
    "text",
    ["", TAG, f"{TAG}~", f"{TAG}~1", f"{TAG}~1.", f"{TAG}~1.2~", f"{TAG}~-1.2", f"{TAG}~01.2", f"{TAG}~1.2~1.3",
     f"{TAG}~1.9223372036854775808", f"{TAG.upper()}~1.2", f"{TAG}~1.２", f"{TAG}~1.2\n", "~" * 100_000],
)  # fmt: skip
def test_a_malformed_text_is_no_position(text: str) -> None:
    with pytest.raises(position.Malformed):
        position.decode(text, TAG)


def test_a_position_of_another_topic_is_foreign() -> None:
    with pytest.raises(position.Foreign):
        position.decode("00000000~1.2", TAG)


def test_a_position_of_nothing_is_not_made() -> None:
    with pytest.raises(position.Malformed):
        position.encode(TAG, {})
