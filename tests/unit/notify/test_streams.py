"""The live inbox, with a feed that plays the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from luodi.runtime.clock import ManualClock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.notify.notifications import Notification
from services.notify.streams import HEARTBEAT_S, MAX_STREAMS, Streams, TokenLostError, Told
from tests.unit.notify.builders import COMPOSER, HOUR, at, open_matter


def row() -> Notification:
    (made,) = COMPOSER.openings(open_matter(), ("inbox",), at(0))
    return made


@dataclass
class Script:
    """A feed that plays its steps and then ends the service."""

    stop: Stop
    clock: ManualClock
    steps: list[Told | Exception | float] = field(default_factory=list)
    closed: bool = False

    def next(self, wait_s: float) -> Told:
        while self.steps:
            step = self.steps.pop(0)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Told):
                return step
            self.clock.advance(step)
            return Told("idle")
        self.stop.ask()
        return Told("last")

    def close(self) -> None:
        self.closed = True


class Desk:
    """Streams over one script."""

    def __init__(self, *steps: Told | Exception | float) -> None:
        self.stop, self.clock, self.metrics = Stop(), ManualClock(HOUR), Metrics()
        self.script = Script(self.stop, self.clock, list(steps))
        self.opened: list[tuple[str | None, str | None]] = []
        self.lost: str | None = None
        self.streams = Streams(self.open, self.stop, self.metrics, self.clock.monotonic)

    def open(self, after: str | None, recipient: str | None) -> Script:
        self.opened.append((after, recipient))
        if after is not None and after == self.lost:
            raise TokenLostError(after)
        return self.script

    def stream(self, after: str | None = None, recipient: str | None = None) -> Any:
        return self.streams.open(after, recipient, lambda r: {"id": r.id})

    def read(self, after: str | None = None) -> list[str]:
        stream = self.stream(after)
        text = b"".join(stream).decode()
        stream.close()
        return [block for block in text.split("\n\n") if block]


def test_each_row_is_an_event_with_the_token_to_go_on_from() -> None:
    desk = Desk(Told("t1", row()), Told("t2", row()))
    retry, first, second = desk.read()
    assert retry == "retry: 2000"
    name, kind, data = first.split("\n")
    assert (name, kind) == ("id: t1", "event: notification")
    assert json.loads(data.removeprefix("data: ")) == {"id": row().id}
    assert second.startswith("id: t2\n")


def test_it_goes_on_after_the_last_event_that_the_client_saw() -> None:
    desk = Desk()
    desk.read("t7")
    assert desk.opened == [("t7", None)]


def test_a_token_that_is_too_old_is_answered_with_a_reset_and_then_from_now() -> None:
    desk = Desk(Told("t9", row()))
    desk.lost = "old"
    _, reset, event = desk.read("old")
    assert desk.opened == [("old", None), (None, None)]
    assert reset.startswith("event: reset\n")
    assert event.startswith("id: t9\n")


def test_a_place_lost_on_the_way_ends_with_a_reset() -> None:
    desk = Desk(Told("t1", row()), TokenLostError("history"))
    assert desk.read()[-1].startswith("event: reset\n")
    assert desk.script.closed


def test_a_database_that_goes_away_ends_the_stream_quietly() -> None:
    desk = Desk(Told("t1", row()), TransientError("MongoDB", "away"))
    assert len(desk.read()) == 2
    assert desk.script.closed


def test_an_idle_stream_beats_and_moves_the_token() -> None:
    desk = Desk(HEARTBEAT_S - 1, 2.0, 1.0)
    _, beat = desk.read()
    assert beat == ": heartbeat\nid: idle"


def test_streams_are_bounded_and_a_closed_one_gives_its_place_back() -> None:
    desk = Desk()
    held = [desk.stream() for _ in range(MAX_STREAMS)]
    assert None not in held
    assert desk.stream() is None
    held[0].close()
    held[0].close()  # the server may close twice: one place is given back
    assert desk.stream() is not None
    assert desk.stream() is None


def test_a_stream_that_was_never_read_gives_its_place_back_too() -> None:
    desk = Desk()
    for _ in range(MAX_STREAMS + 5):
        stream = desk.stream()
        assert stream is not None
        stream.close()
    assert desk.script.closed


def test_a_feed_that_cannot_be_opened_takes_no_place() -> None:
    desk = Desk()

    def away(after: str | None, recipient: str | None) -> Script:
        raise TransientError("MongoDB", "away")

    streams = Streams(away, desk.stop, desk.metrics, desk.clock.monotonic)
    for _ in range(MAX_STREAMS + 1):
        with pytest.raises(TransientError):
            streams.open(None, None, lambda r: {})


def test_a_service_that_stops_ends_its_streams() -> None:
    desk = Desk(*[1.0] * 1000)
    stream: Iterator[bytes] = desk.stream()
    next(stream)
    desk.stop.ask()
    assert list(stream) == []
