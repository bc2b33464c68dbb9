"""Lock files: everything pinned by hash, no address anywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from luodi.local import artifacts, mongo
from luodi.local.artifacts import lock_digest, read_lock

ROOT = Path(__file__).resolve().parents[3]
PYTHON_LOCKS = [ROOT / "requirements" / f"{name}.txt" for name in ("base", "local", "dev")]


@pytest.mark.parametrize("path", [*PYTHON_LOCKS, artifacts.LOCK_FILE, mongo.LOCK_FILE], ids=lambda path: path.name)
def test_a_lock_file_names_no_address(path: Path) -> None:
    assert not re.search(r"://|index-url|find-links|\.org/|\.com/", path.read_text("utf-8"))


@pytest.mark.parametrize("path", PYTHON_LOCKS, ids=lambda path: path.name)
def test_every_python_package_is_pinned_and_hashed(path: Path) -> None:
    blocks = re.split(r"\n(?=\S)", path.read_text("utf-8").rstrip())
    packages = [block for block in blocks if not block.startswith("#")]
    assert packages
    for block in packages:
        assert re.match(r"[a-z0-9-]+==\S+( ; [^\n]+?)?( \\\n    --hash=sha256:[0-9a-f]{64})+$", block), block


def test_each_python_lock_holds_the_one_before() -> None:
    pins = [set(re.findall(r"^([a-z0-9-]+==\S+)", path.read_text("utf-8"), re.MULTILINE)) for path in PYTHON_LOCKS]
    assert pins[0] < pins[1] < pins[2]


def test_the_brokers_jars_are_all_hashed_and_carry_a_log_binding() -> None:
    jars = read_lock()
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert len({jar.filename for jar in jars}) == len(jars)
    versions = {jar.artifact: jar.version for jar in jars}
    assert versions["kafka_2.13"] == versions["kafka-clients"] == "4.4.0"
    assert versions["log4j-slf4j-impl"] == versions["log4j-core"]


def test_the_digest_of_a_lock_changes_with_any_jar() -> None:
    jars = read_lock()
    assert lock_digest(jars) != lock_digest(jars[1:])
    assert lock_digest(jars) != lock_digest(jars[::-1])


def test_the_mongod_of_every_platform_is_hashed() -> None:
    rows = tomllib.loads(mongo.LOCK_FILE.read_text("utf-8"))["mongod"]
    assert {row["platform"] for row in rows} >= {"linux x86_64", "linux aarch64"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", row["sha256"]) for row in rows)
