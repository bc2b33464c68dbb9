"""The benchmark of one project: what it measures is what it says, and both sides measure the same."""

from __future__ import annotations

import pytest

from bench import assess as bench
from luodi.domain.assess import assess
from luodi.domain.courses import paused as paused_days


def test_the_story_has_twenty_events_three_clocks_and_two_pauses() -> None:
    state, rules, calendar = bench.inputs()
    assert len(bench.story()) == state["events"] == 20
    document = assess(bench.SUBJECT, state, rules, calendar)
    assert [clock["rule"] for clock in document["clocks"]] == ["zone-default", "idle-land-fee", "idle-land-recovery"]
    assert [len(blocker["pauses"]) for blocker in document["blockers"]] == [1, 1]
    assert [blocker["lights"] for blocker in document["blockers"]] == [[], []], "no promise runs beside the clocks"
    assert [len(paused_days(clock)) for clock in document["clocks"]] == [2, 1, 1], "the law asks for a paper"


def test_the_walk_from_day_to_day_finds_the_same_changes() -> None:
    bench.check(*bench.inputs())


def test_the_command_prints_each_thing_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "CALLS", 1)
    assert bench.main(["--rounds", "1"]) in (0, 1)
    printed = capsys.readouterr().out
    assert printed.count("\n| ") == 5
    assert "times as long as assess" in printed
