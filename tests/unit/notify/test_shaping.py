"""Lanes: a receiver that is dead holds up its own messages and nobody else's."""

from __future__ import annotations

from services.notify.shaping import BUSY_S, FIRST_REST_S, LANE_WIDTH, LONGEST_BUSY_S, LONGEST_REST_S, Lanes, place_of


class Turned:
    """A clock that counts seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_address_has_a_few_requests_at_once_and_others_are_not_concerned() -> None:
    lanes = Lanes(Turned())
    assert [lanes.enter("a") for _ in range(LANE_WIDTH)] == [0.0] * LANE_WIDTH
    assert lanes.enter("a") == BUSY_S
    assert lanes.enter("b") == 0.0
    lanes.leave("a", answered=None)
    assert lanes.enter("a") == 0.0


def test_the_more_wait_for_a_lane_that_stays_full_the_later_each_looks_again() -> None:
    lanes = Lanes(Turned())
    for _ in range(LANE_WIDTH):
        assert lanes.enter("robot") == 0
    waits = [lanes.enter("robot") for _ in range(200)]
    assert waits[0] == BUSY_S
    assert waits == sorted(waits)
    assert waits[99] == 10.0, "a hundred wait: ten of them look again in a second"
    assert waits[-1] == LONGEST_BUSY_S
    lanes.leave("robot", answered=True)
    assert lanes.enter("robot") == 0
    assert lanes.enter("robot") == BUSY_S, "a place was given back: the next may come soon"


def test_a_receiver_that_is_not_there_rests_longer_each_time_and_is_tried_by_one() -> None:
    clock = Turned()
    lanes = Lanes(clock)
    rest = FIRST_REST_S
    for _ in range(10):
        assert lanes.enter("a") == 0.0
        assert lanes.enter("b") == 0.0
        lanes.leave("b", answered=True)
        if rest > FIRST_REST_S:
            assert lanes.enter("a") == BUSY_S
        lanes.leave("a", answered=False)
        assert lanes.enter("a") == rest
        clock.now += rest
        rest = min(rest * 2, LONGEST_REST_S)
    lanes.enter("a")
    lanes.leave("a", answered=True)
    assert [lanes.enter("a") for _ in range(LANE_WIDTH)] == [0.0] * LANE_WIDTH


def test_an_address_is_shaped_under_a_name_that_does_not_show_it() -> None:
    assert place_of("wecom", "https://x?key=secret") == place_of("wecom", "https://x?key=secret")
    assert "secret" not in place_of("wecom", "https://x?key=secret")
