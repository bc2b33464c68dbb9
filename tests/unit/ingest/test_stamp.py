from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from luodi.runtime.clock import ManualClock
from services.ingest.stamp import MAX_AHEAD_S, WINDOW_S, Stamper

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


def appended(clock: ManualClock, skew_s: float = 0.0) -> int:
    return round((clock.wall().timestamp() + skew_s) * 1000)


def test_before_any_answer_the_stamp_is_our_own_clock() -> None:
    stamper = Stamper(ManualClock(NOON))
    assert stamper.stamp()[0] == "2026-03-05T12:00:00.000Z"
    assert stamper.skew_s == 0


def test_the_stamp_follows_the_brokers_clock() -> None:
    clock = ManualClock(NOON)
    stamper = Stamper(clock)
    _, sent = stamper.stamp()
    clock.advance(0.010)
    stamper.learn(sent, appended(clock, 2.0))
    assert stamper.stamp()[0] == "2026-03-05T12:00:02.020Z"


def test_the_quickest_answer_of_the_window_tells_the_clocks_difference() -> None:
    clock = ManualClock(NOON)
    stamper = Stamper(clock)
    for delay in (0.5, 0.004, 0.3):
        _, sent = stamper.stamp()
        clock.advance(delay)
        stamper.learn(sent, appended(clock, -1.0))
    assert round(stamper.skew_s, 3) == -0.996
    clock.advance(WINDOW_S + 1)
    _, sent = stamper.stamp()
    clock.advance(0.2)
    stamper.learn(sent, appended(clock, -1.0))
    assert round(stamper.skew_s, 3) == -0.8


def test_stamps_never_fall_when_either_clock_is_set_back() -> None:
    clock = ManualClock(NOON)
    stamper = Stamper(clock)
    first, sent = stamper.stamp()
    clock.advance(-3600)
    assert stamper.stamp()[0] == first
    stamper.learn(sent, appended(clock))
    assert stamper.stamp()[0] == first
    clock.advance(7300)
    assert stamper.stamp()[0] > first


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 1), st.floats(-3, 3)), max_size=30))
def test_stamps_never_fall_whatever_the_clocks_do(steps: list[tuple[float, float, float]]) -> None:
    clock = ManualClock(NOON)
    stamper = Stamper(clock)
    last = ""
    for step, delay, skew in steps:
        clock.advance(step)
        text, sent = stamper.stamp()
        assert text >= last
        last = text
        clock.advance(delay)
        ahead = stamper.learn(sent, appended(clock, skew))
        assert 0 <= ahead <= MAX_AHEAD_S


def test_a_drill_shifts_the_stamp_and_not_the_skew() -> None:
    clock = ManualClock(NOON, offset_s=86_400)
    stamper = Stamper(clock)
    text, sent = stamper.stamp()
    assert text == "2026-03-06T12:00:00.000Z"
    stamper.learn(sent, appended(clock))
    assert stamper.skew_s == 0
    assert stamper.missing() is None


def test_a_stamp_ahead_of_the_broker_is_waited_out_so_that_the_next_one_is_later() -> None:
    clock = ManualClock(NOON)
    stamper = Stamper(clock)
    _, sent = stamper.stamp()
    clock.advance(0.030)
    assert stamper.learn(sent, appended(clock)) == 0
    _, sent = stamper.stamp()
    clock.advance(0.010)  # quicker than any answer before
    assert round(stamper.learn(sent, appended(clock)), 3) == 0.02


def test_an_alarm_is_raised_once_at_one_second_and_taken_back() -> None:
    clock = ManualClock(NOON)
    alarms: list[float] = []
    observed: list[float] = []
    stamper = Stamper(clock, alarm=alarms.append, observe=observed.append)
    for skew in (0.9, 1.5, 1.6, 0.2):
        clock.advance(WINDOW_S + 10)
        _, sent = stamper.stamp()
        stamper.learn(sent, appended(clock, skew))
    assert [round(alarm, 1) for alarm in alarms] == [1.5, 0.2]
    assert [round(value, 1) for value in observed] == [0.9, 1.5, 1.6, 0.2]


def test_five_seconds_of_difference_are_too_many_to_be_ready() -> None:
    clock = ManualClock(NOON)
    stamper = Stamper(clock)
    for skew, ready in ((-4.9, True), (-5.1, False), (5.1, False), (0.0, True)):
        clock.advance(WINDOW_S + 10)
        _, sent = stamper.stamp()
        stamper.learn(sent, appended(clock, skew))
        assert (stamper.missing() is None) is ready
