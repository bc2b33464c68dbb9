"""A watermark never runs ahead of what is done, and always arrives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.tracker.watermarks import MAX_PENDING, Watermarks


def second(n: int) -> str:
    return f"2026-03-02T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}.000Z"


# One step of a life: events are acknowledged, the loop gets on, the end is asked (or the question fails).
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("acked"), st.integers(1, 5)),
        st.tuples(st.just("done"), st.integers(1, 7)),
        st.tuples(st.just("asked"), st.just(0)),
        st.tuples(st.just("failed"), st.just(0)),
    ),
    max_size=80,
)


@given(STEPS)
def test_every_event_acknowledged_before_the_watermark_is_done(steps: list[tuple[str, int]]) -> None:
    marks = Watermarks()
    marks.own([0])
    acked: list[str] = []  # at the place of its offset: when the event was acknowledged
    done = 0
    newest = ""
    for now, (step, amount) in enumerate(steps):
        if step == "acked":
            acked += [second(now)] * amount
        elif step == "done":
            done = min(len(acked), done + amount)
        elif step == "asked":
            marks.note(second(now), {0: len(acked)})
        reached = marks.reached(0, done)
        if reached is not None:
            assert reached > newest
            newest = reached
        assert all(at >= newest for at in acked[done:]), "an event acknowledged before the watermark is not done"


@given(STEPS)
def test_once_everything_is_done_the_watermark_is_the_last_question(steps: list[tuple[str, int]]) -> None:
    marks = Watermarks()
    marks.own([0])
    end = 0
    asked = None
    for now, (step, amount) in enumerate(steps):
        if step == "acked":
            end += amount
        elif step == "asked":
            marks.note(second(now), {0: end})
            asked = second(now)
    assert marks.reached(0, end) == asked


def test_nothing_is_reached_before_the_end_was_asked() -> None:
    marks = Watermarks()
    marks.own([0])
    assert marks.reached(0, 1_000_000) is None


def test_an_empty_partition_reaches_its_watermark() -> None:
    marks = Watermarks()
    marks.own([0])
    marks.note(second(1), {0: 0})
    assert marks.reached(0, 0) == second(1)
    assert marks.reached(0, 0) is None, "told once"


def test_a_new_ownership_forgets_the_questions_of_the_old() -> None:
    marks = Watermarks()
    marks.own([0, 1])
    marks.note(second(1), {0: 5, 1: 5})
    marks.own([1])
    marks.note(second(2), {0: 0, 1: 9})
    assert marks.reached(0, 100) is None
    assert marks.reached(1, 5) is None
    assert marks.reached(1, 9) == second(2)


def test_a_clock_that_falls_moves_nothing_back() -> None:
    marks = Watermarks()
    marks.own([0])
    marks.note(second(9), {0: 1})
    marks.note(second(4), {0: 1})
    assert marks.reached(0, 1) == second(9)


def test_a_long_backlog_keeps_few_pairs_and_the_newest() -> None:
    marks = Watermarks()
    marks.own([0])
    for now in range(1, 4 * MAX_PENDING):
        marks.note(second(now), {0: now})
    assert len(marks._pending[0]) <= MAX_PENDING
    assert marks.reached(0, 4 * MAX_PENDING) == second(4 * MAX_PENDING - 1)
