"""The arithmetic of the benchmark: a wrong ratio would praise a slow product."""

from __future__ import annotations

import pytest

from bench.figures import BASELINE, PRODUCT, Figure, Goal, Reading, percentile, table
from bench.machine import Spent, Ticks, between, parse_stat
from bench.measures import MEASURES
from bench.milestones import shuffled
from bench.run import NAMES, main
from bench.wire import BrokenAnswerError, Reader, overlap, parse_head


def a_pair(product: float, baseline: float, steal: float = 0.0) -> tuple[Reading, Reading]:
    spent = Spent(busy=90.0, steal=steal)
    return Reading(PRODUCT, product, spent), Reading(BASELINE, baseline, spent)


def test_a_ratio_is_taken_within_a_round_and_the_median_over_the_rounds() -> None:
    figure = Figure("posts", "1/s", Goal(2), [a_pair(200, 100), a_pair(900, 100), a_pair(60, 20)])
    assert figure.ratios() == [2.0, 9.0, 3.0]
    assert figure.as_json()["ratio"] == {"median": 3.0, "least": 2.0, "most": 9.0}
    assert figure.median(PRODUCT) == 200
    assert figure.median(BASELINE) == 100


def test_the_table_says_when_a_goal_is_missed_and_shows_the_steal_of_both_sides() -> None:
    missed = Figure("posts", "1/s", Goal(2, aim=3), [a_pair(190, 100, steal=7.5)])
    met = Figure("latency", "ms", Goal(1.5, at_most=True), [a_pair(15, 10)])
    _, _, first, second = table([missed, met]).splitlines()
    assert "| ≥ 2, aim 3 | NO | 7.5 (7.5–7.5) / 7.5 (7.5–7.5) |" in first
    assert "| ≤ 1.5 | yes |" in second


@pytest.mark.parametrize(("percent", "expected"), [(50, 3), (99, 5), (100, 5), (20, 1), (21, 2), (0, 1)], ids=str)
def test_a_percentile_is_a_value_that_occurred(percent: float, expected: float) -> None:
    assert percentile([5, 1, 4, 2, 3], percent) == expected


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_steal_is_a_share_of_all_ticks_and_no_part_of_busy() -> None:
    before = parse_stat("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n")
    after = parse_stat("cpu  150 0 60 820 60 0 0 10 99 99\ncpu0 1 2 3\n")
    assert between(before, after) == Spent(busy=60.0, steal=10.0)


def test_no_time_between_two_readings_is_no_division_by_zero() -> None:
    assert between(Ticks(5, 1, 1), Ticks(5, 1, 1)) == Spent(0.0, 0.0)


def test_another_file_is_not_taken_for_the_processor_times() -> None:
    with pytest.raises(ValueError, match="proc/stat"):
        parse_stat("intr 1 2 3 4 5 6 7 8")


def test_a_request_across_the_edge_of_the_window_counts_by_the_part_inside() -> None:
    assert overlap(9, 13, 10, 20) == 0.75
    assert overlap(18, 22, 10, 20) == 0.5
    assert overlap(5, 25, 10, 20) == 0.5
    assert overlap(11, 12, 10, 20) == 1.0
    assert overlap(1, 9, 10, 20) == 0.0


def test_an_answer_is_put_together_from_any_pieces() -> None:
    whole = b"HTTP/1.1 202 ACCEPTED\r\nX: 1\r\ncontent-length: 5\r\n\r\nhello"
    for size in range(1, len(whole) + 1):
        reader = Reader()
        pieces = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
        bodies = [reader.feed(piece) for piece in pieces]
        assert bodies[:-1] == [None] * (len(pieces) - 1)
        assert bodies[-1] == b"hello"
        assert reader.status == 202


def test_one_reader_takes_one_answer_after_the_other() -> None:
    reader = Reader()
    assert reader.feed(b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n") == b""
    assert reader.feed(b"HTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\nx") == b"x"
    assert reader.status == 503


def test_a_closed_connection_or_a_strange_answer_is_an_error_not_a_count() -> None:
    with pytest.raises(BrokenAnswerError, match="closed"):
        Reader().feed(b"")
    with pytest.raises(BrokenAnswerError, match="without Content-Length"):
        parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked")
    with pytest.raises(BrokenAnswerError, match="not HTTP"):
        parse_head(b"SSH-2.0-OpenSSH")


def test_the_load_is_the_same_each_time_and_keeps_the_order_of_each_project() -> None:
    load = shuffled(7, 11, seed=4)
    assert load == shuffled(7, 11, seed=4)
    assert len(load) == len(set(load)) == 77
    for name in {milestone.project_id for milestone in load}:
        dates = [milestone.date for milestone in load if milestone.project_id == name]
        assert dates == sorted(set(dates))
        assert len(dates) == 11


def test_every_measurement_can_be_asked_for_by_name() -> None:
    assert (*MEASURES, "memory") == NAMES == ("single", "batch", "apply", "visible", "memory")


@pytest.mark.parametrize("arguments", [["--only", "single,speed"], ["--rounds", "0"]])
def test_a_question_that_cannot_be_measured_is_refused_before_anything_starts(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert "usage" in capsys.readouterr().err
