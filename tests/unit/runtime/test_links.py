"""The tokens of links: only who knows the secret makes one, and it says for whom and until when."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.runtime.links import BadTokenError, Link, address, issue, read

SECRET = "s" * 32
TODAY = date(2026, 6, 1)
LINK = Link("firm-1", 0, date(2026, 6, 30))
TOKEN = issue(SECRET, LINK)


def test_a_token_says_what_it_was_made_of() -> None:
    assert read(SECRET, TOKEN, TODAY) == LINK


def test_it_is_good_on_its_last_day_and_not_on_the_next() -> None:
    assert read(SECRET, TOKEN, date(2026, 6, 30)) == LINK
    with pytest.raises(BadTokenError):
        read(SECRET, TOKEN, date(2026, 7, 1))


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_no_character_of_it_can_be_another(place: int) -> None:
    other = next(sign for sign in string.ascii_letters + string.digits if sign != TOKEN[place])
    with pytest.raises(BadTokenError):
        read(SECRET, TOKEN[:place] + other + TOKEN[place + 1 :], TODAY)


def test_the_last_character_has_no_second_spelling() -> None:
    """Two of its six bits carry nothing: a decoder would take four characters for the same bytes."""
    for sign in string.ascii_letters + string.digits + "-_":
        if sign != TOKEN[-1]:
            with pytest.raises(BadTokenError):
                read(SECRET, TOKEN[:-1] + sign, TODAY)


@pytest.mark.parametrize(
    "token",
    [
        "",
        TOKEN + " ",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN[:-1],
        TOKEN + "=",
        TOKEN.replace("~0~", "~00~"),
        TOKEN.replace("~0~", "~-1~"),
        TOKEN.replace("~0~", "~٠~"),
        TOKEN.replace("firm-1", ""),
        TOKEN.replace("firm-1", "../firm-1"),
        TOKEN.replace("2026-06-30", "9999-99-99"),
        "~".join(TOKEN.split("~")[:4]),
        TOKEN * 50,
        "x" * 100_000,
    ],
)
def test_what_is_not_spelled_like_one_is_refused(token: str) -> None:
    with pytest.raises(BadTokenError):
        read(SECRET, token, TODAY)


@given(st.text(max_size=250))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(BadTokenError):
        read(SECRET, text, TODAY)


def test_another_secret_signs_another_token() -> None:
    assert issue("t" * 32, LINK) != TOKEN
    with pytest.raises(BadTokenError):
        read("t" * 32, TOKEN, TODAY)


def test_while_a_secret_is_changed_both_are_read_and_the_first_one_signs() -> None:
    both = f"{'t' * 32} {SECRET}"
    assert read(both, TOKEN, TODAY) == LINK
    assert issue(both, LINK) == issue("t" * 32, LINK)


def test_tokens_of_two_enterprises_and_of_two_generations_differ() -> None:
    tokens = {issue(SECRET, Link(name, number, LINK.until)) for name in ("a", "a-1", "b") for number in (0, 1, 10)}
    assert len({token.rpartition("~")[2] for token in tokens}) == 9


@pytest.mark.parametrize("enterprise", ["", "a~b", "a b", "enterprise:a", "x" * 65])
def test_no_token_is_made_for_what_is_no_id(enterprise: str) -> None:
    with pytest.raises(ValueError, match="id of an enterprise"):
        issue(SECRET, Link(enterprise, 0, LINK.until))


def test_the_token_stands_behind_the_hash_where_no_server_sees_it() -> None:
    assert address("https://luodi.example/", TOKEN) == f"https://luodi.example/requests#{TOKEN}"
    assert address(None, TOKEN) is None
