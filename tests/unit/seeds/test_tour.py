from __future__ import annotations

import json
import re
import subprocess
from datetime import date
from pathlib import Path

from seeds import demo, tour

INGEST, TRACKER, NOTIFY = "http://127.0.0.1:8101", "http://127.0.0.1:8102", "http://127.0.0.1:8103"

FAKE_CURL = """#!/bin/sh
printf '%s\\n' "$@" >> "$CALLS"
printf '{"id": "x", "position": "1f2e3d4c~3.17"}'
"""


def run(folder: Path, script: str) -> tuple[list[str], str]:
    """Run a shell script with a curl that writes down its arguments; returns them and what was shown."""
    curl, calls = folder / "curl", folder / "calls"
    curl.write_text(FAKE_CURL, encoding="utf-8")
    curl.chmod(0o755)
    calls.write_text("", encoding="utf-8")
    environ = {"PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin", "CALLS": str(calls), "LANG": "C.UTF-8"}
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, env=environ, check=True)
    return calls.read_text(encoding="utf-8").splitlines(), done.stdout


def test_the_project_of_the_tour_awaits_its_start() -> None:
    project = next(project for project in demo.projects(date(2026, 3, 5)) if project.id == tour.PROJECT)
    stages = [event.data["stage"] for event in project.events if event.type == "milestone.reported"]
    assert stages == ["signed", "land_supplied"]
    assert project.light == "red"


def test_the_first_command_posts_a_milestone_of_today(tmp_path: Path) -> None:
    (_, post), _, _ = tour.commands(INGEST, TRACKER, NOTIFY)
    arguments, shown = run(tmp_path, post)
    assert f"{INGEST}/v1/milestones" in arguments
    body = json.loads(arguments[-1])
    assert body.keys() == {"project_id", "stage", "date", "note"}
    assert (body["project_id"], body["stage"]) == (tour.PROJECT, "started")
    assert abs((date.fromisoformat(body["date"]) - date.today()).days) <= 1  # noqa: DTZ011  # the shell's own today
    assert json.loads(shown)["position"] == "1f2e3d4c~3.17"


def test_the_commands_show_the_key_where_one_is_wanted(tmp_path: Path) -> None:
    for _, command in tour.commands(INGEST, TRACKER, NOTIFY, with_key=True):
        arguments, _ = run(tmp_path, f"LUODI_API_KEY=k1\n{command}")
        assert "Authorization: Bearer k1" in arguments


def test_the_second_command_waits_for_the_position_of_the_first(tmp_path: Path) -> None:
    (_, post), (_, look), _ = tour.commands(INGEST, TRACKER, NOTIFY)
    arguments, _ = run(tmp_path, f"{post}\n{look}")
    assert arguments[-1] == f"{TRACKER}/v1/projects/{tour.PROJECT}?after=1f2e3d4c~3.17"


def test_the_second_command_works_in_another_shell(tmp_path: Path) -> None:
    _, (_, look), _ = tour.commands(INGEST, TRACKER, NOTIFY)
    arguments, _ = run(tmp_path, look)
    assert arguments[-1] == f"{TRACKER}/v1/projects/{tour.PROJECT}"


def test_the_third_command_asks_for_stalls(tmp_path: Path) -> None:
    *_, (_, notices) = tour.commands(INGEST, TRACKER, NOTIFY)
    arguments, shown = run(tmp_path, notices)
    assert re.fullmatch(rf"{NOTIFY}/v1/notifications\?kind=stalled&limit=\d+", arguments[-1])
    assert json.loads(shown)
