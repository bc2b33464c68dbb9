"""What a newcomer reads when the stack is ready."""

from __future__ import annotations

from pathlib import Path

from luodi.local.welcome import Places, welcome
from seeds import tour

PLACES = Places("http://i:1", "http://t:2", "http://n:3", "127.0.0.1:4", "127.0.0.1:5", Path("/a/home"))


def test_it_names_every_address_and_the_commands_of_the_tour() -> None:
    said = welcome(PLACES, with_key=False)
    assert all(str(place) in said for place in vars(PLACES).values())
    for what, command in tour.commands(PLACES.ingest, PLACES.tracker, PLACES.notify):
        assert what in said
        assert command in said
    assert "LUODI_API_KEY" not in said
    assert "apt-get" not in said


def test_it_hands_the_key_to_the_commands_by_its_name_only() -> None:
    assert welcome(PLACES, with_key=True).count("Bearer $LUODI_API_KEY") == 3


def test_it_says_where_curl_comes_from_when_there_is_none() -> None:
    assert "apt-get install -y curl" in welcome(PLACES, with_key=False, with_curl=False)
