"""How our Kafka and MongoDB are configured and found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from luodi.local import mongo
from luodi.local.faults import UnavailableError
from luodi.local.kafka import SETTINGS, Kafka
from luodi.local.mongo import check_hash, find_mongod, missing_packages
from luodi.runtime.settings import Address

if TYPE_CHECKING:
    from pathlib import Path


def test_the_broker_listens_on_loopback_only_and_every_replica_is_its_own(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "a folder", Address("127.0.0.1", 8192), tmp_path / "log", {}, lambda _line: None)
    kafka.write_properties()
    lines = dict(line.split("=", 1) for line in kafka.properties.read_text("utf-8").splitlines())
    addresses = [entry.partition("://")[2] for entry in lines["listeners"].split(",")]
    assert addresses[0] == "127.0.0.1:8192"
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    assert lines["log.dirs"] == str(tmp_path / "a folder" / "data")
    factors = {name: value for name, value in SETTINGS if name.endswith((".factor", ".isr", ".insync.replicas"))}
    assert len(factors) == 7
    assert set(factors.values()) == {"1"}
    assert lines["auto.create.topics.enable"] == "false"


def test_a_mongod_on_path_is_taken_when_it_is_new_enough(tmp_path: Path) -> None:
    program = tmp_path / "mongod"
    for version, packaged in (("7.0.14", False), ("6.0.5", False), ("4.4.29", True)):
        program.write_text(f"#!/bin/sh\necho db version v{version}\n", "utf-8")
        program.chmod(0o755)
        assert find_mongod({"PATH": f"{tmp_path}:/bin"}).packaged is packaged


def test_without_any_mongod_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongo, "packaged_mongod", lambda: None)
    with pytest.raises(UnavailableError) as caught:
        find_mongod({"PATH": "/nowhere"})
    assert "MONGODB_URI" in caught.value.mend


def test_a_changed_binary_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "mongod"
    binary.write_bytes(b"something else")
    with pytest.raises(UnavailableError, match="is not the mongod we know"):
        check_hash(binary)


@pytest.mark.parametrize(
    ("fault", "packages"),
    [
        ("error while loading shared libraries: libssl.so.3: cannot open shared object file", ("libssl3",)),
        (
            "libcurl.so.4 => not found\n\tlibcrypto.so.3 => not found\n\tlibssl.so.3 => not found",
            ("libcurl4", "libssl3"),
        ),
        ("Illegal instruction", ()),
    ],
)
def test_missing_libraries_are_named_by_their_packages(tmp_path: Path, fault: str, packages: tuple[str, ...]) -> None:
    assert missing_packages(tmp_path / "no binary to look into", fault) == packages
