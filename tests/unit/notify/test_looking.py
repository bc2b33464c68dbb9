"""The second look by itself: what one look found, and what that means for a message."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.notify.looking import Seen, Verdict, verdict
from services.notify.matters import Matter, Standing
from tests.unit.notify.builders import COMPOSER, MATTER, PROJECT, at, cleared_matter, deadline, open_matter, red, watch
from tests.unit.notify.fakes import Receiver


@pytest.mark.parametrize(
    ("matter", "found"),
    [
        (open_matter(), "go"),
        (replace(open_matter(), episode=2), "over"),  # what it tells of is over; another stall has begun since
        (replace(open_matter(), state="warned"), "over"),
        (cleared_matter(), "over"),
        (None, "over"),
    ],
)
def test_a_message_goes_only_while_its_own_episode_lasts(matter: Matter | None, found: Verdict) -> None:
    (row,) = COMPOSER.openings(open_matter(complete=False), ["webhook"], at(0))
    known = {MATTER: Standing.of(matter)} if matter is not None else {}
    seen = Seen((), known, {PROJECT: watch(deadline(red(0)))}, (), {})
    assert verdict(row, Receiver(), "webhook", seen, at(10)) == found
