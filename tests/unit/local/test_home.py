"""The home of a stack: who holds it, what it remembers, how its logs are bounded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from luodi.local import home as home_module
from luodi.local.faults import MisconfiguredError, RefusedError
from luodi.local.home import Home, Row, RunFile, bound, rotate, tail
from luodi.local.processes import started_at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def test_one_process_at_a_time_holds_a_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "LOOKED_AT_S", 0.0)
    assert not home.is_held()
    with home.held():
        assert home.is_held()
        with pytest.raises(RefusedError, match="running"), home.held():
            pass
    assert not home.is_held()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(MisconfiguredError, match="holds other files"):
        Home(tmp_path).make()


def test_the_run_file_comes_back_as_it_was_written_and_a_torn_one_counts_as_none(home: Home) -> None:
    pid = os.getpid()
    run = RunFile(pid, started_at(pid) or "", "ready", (Row("kafka", 1, "12", "127.0.0.1:8192", "ready", 2),))
    home.write_run(run)
    assert home.read_run() == run
    assert run.alive()
    assert not RunFile(pid, "another time", "ready", ()).alive()
    (home.run / "stack.json").write_text('{"pid": 1, "sta', "utf-8")
    assert home.read_run() is None


@pytest.mark.parametrize(("before", "now", "fine"), [(0, 0, True), (0, 60, True), (60, 60, True), (60, 59, False)])
def test_the_clock_offset_of_a_home_never_falls(home: Home, before: float, now: float, fine: bool) -> None:
    home.remember_clock_offset(before)
    if fine:
        home.remember_clock_offset(now)
        return
    with pytest.raises(MisconfiguredError, match="already ran with 60"):
        home.remember_clock_offset(now)


def test_a_wipe_leaves_nothing(home: Home) -> None:
    (home.path / "kafka" / "data").mkdir(parents=True)
    (home.path / "kafka" / "data" / "0.log").write_text("x", "utf-8")
    (home.path / "link").symlink_to(home.path.parent)
    with home.held():
        home.wipe()
    assert not home.path.exists()
    assert home.path.parent.exists()


def test_a_large_log_is_put_aside_before_a_start_and_three_old_ones_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "ROTATE_AT", 4)
    log = tmp_path / "a.log"
    for number in range(6):
        log.write_text(f"run {number}", "utf-8")
        rotate(log)
    assert not log.exists()
    kept = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert kept == {"a.log.1": "run 5", "a.log.2": "run 4", "a.log.3": "run 3"}


def test_the_log_of_a_running_process_is_emptied_under_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "TRUNCATE_AT", 4)
    log = tmp_path / "a.log"
    with log.open("ab", buffering=0) as process:
        process.write(b"before\n")
        bound(log)
        process.write(b"after\n")
    assert log.read_text("utf-8") == "after\n"
    assert (tmp_path / "a.log.1").read_text("utf-8") == "before\n"


def test_the_tail_of_a_log_is_its_last_lines_and_of_a_missing_one_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert tail(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(30)), "utf-8")
    assert tail(log, 2) == "line 28\nline 29"
