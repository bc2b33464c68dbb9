"""The ten explained projects of the demonstration zone."""

from __future__ import annotations

import re

import pytest

from seeds import explained

CHINESE = re.compile("[\u4e00-\u9fff]")


def test_ten_projects_are_explained_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained.main(["--day", "2026-03-05"]) == 0
    blocks = capsys.readouterr().out.strip().split("\n\n")
    assert [block.splitlines()[0].split("  ")[1] for block in blocks] == list(explained.SCENARIOS)
    assert len(blocks) == 10
    for block in blocks:
        lines = block.splitlines()[1:]
        chinese = [line for line in lines if CHINESE.search(line)]
        assert len(chinese) == len(lines) / 2
    paused = blocks[explained.SCENARIOS.index("paused")]
    assert "春节9天" in paused
    assert "2026-03-26恢复计时" in paused
    assert "9 days of Spring Festival" in paused


def test_the_day_is_today_when_none_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained.main([]) == 0
    assert len(capsys.readouterr().out.strip().split("\n\n")) == 10


def test_a_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SystemExit):
        explained.main(["--day", "2026-02-30"])
