"""What is installed is what was tested: the wheel carries every data file and runs from where it was unpacked."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("luodi", "services", "schemas", "seeds")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from this tree, unpacked where nothing of the tree is on the path."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("luodi-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_carries_every_file_of_its_packages(unpacked: Path) -> None:
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    missing = [name for name in listed.stdout.split() if not (unpacked / name).is_file()]
    assert missing == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["-m", "luodi.cli", "--help"], "doctor"), (["-m", "services.tracker"], "KAFKA_BOOTSTRAP_SERVERS is not set")],
)
def test_what_was_unpacked_runs_by_itself(unpacked: Path, arguments: list[str], words: str) -> None:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("LUODI_", "KAFKA_", "MONGODB_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=unpacked.parent,
        env={**keep, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
