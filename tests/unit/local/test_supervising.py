"""The supervisor's rules: how long it waits before a restart, what it says, how it knows a process again."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from luodi.local.processes import session_members, started_at
from luodi.local.supervisor import Backoff
from luodi.local.telling import STAMP_LENGTH, Follower, Teller, spelled

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_restarts_back_off_from_a_fifth_of_a_second_to_ten_and_begin_anew_after_a_steady_run() -> None:
    backoff = Backoff()
    assert [backoff.pause_s(1.0) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.pause_s(29.9) == 10.0
    assert backoff.pause_s(30.0) == 0.2
    assert backoff.pause_s(1.0) == 0.4


def test_a_process_is_known_by_its_number_and_the_instant_it_was_started() -> None:
    assert started_at(os.getpid()) == started_at(os.getpid())
    with subprocess.Popen((sys.executable, "-c", "")) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert started_at(ended.pid) is None  # it has ended, though nobody has asked for its status yet


def test_members_of_a_session_are_found_by_a_setting_in_their_environment() -> None:
    sleep = (sys.executable, "-c", "import time; time.sleep(60)")
    with subprocess.Popen(sleep, env={"LUODI_HOME": "/a home"}, start_new_session=True) as child:
        try:
            assert session_members(child.pid, "LUODI_HOME=/a home") == [child.pid]
            assert session_members(child.pid, "LUODI_HOME=/a") == []
            assert session_members(os.getsid(0), "LUODI_HOME=/a home") == []
        finally:
            child.kill()


def test_what_is_told_is_shown_and_kept_with_its_instant_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "supervisor.log"
    log.write_text("of an earlier run\n", "utf-8")
    follower = Follower(log)
    Teller(log)("one\ntwo")
    assert capsys.readouterr().out == "one\ntwo\n"
    lines = follower.lines()
    assert [line[STAMP_LENGTH:] for line in lines] == ["one", "two"]
    assert all(line[STAMP_LENGTH - 2 : STAMP_LENGTH] == "Z " for line in lines)


def test_half_a_line_is_told_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    follower = Follower(log)
    assert follower.lines() == []
    log.write_text("whole\nha", "utf-8")
    assert follower.lines() == ["whole"]
    with log.open("a", encoding="utf-8") as more:
        more.write("lf\n")
    assert follower.lines() == ["half"]


def test_our_commands_are_spelled_so_that_this_shell_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("python", "luodi"):
        (folder / name).write_text("#!/bin/sh\n", "utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin")
    said = "luodi up starts it; `luodi --help`; the luodi folder; /opt/luodi up; Luodi is ready"
    assert spelled(said) == said.replace("luodi up s", ".venv/bin/luodi up s", 1).replace(
        "`luodi --help", "`.venv/bin/luodi --help"
    ).replace("the luodi folder", "the .venv/bin/luodi folder")
    monkeypatch.setenv("PATH", str(folder))
    assert spelled(said) == said
