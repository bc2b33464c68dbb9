"""Settings of the local stack: what is ours, what is the operator's, and every fault at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from luodi.local.faults import MisconfiguredError
from luodi.local.settings import NAMES, read_settings

CWD = Path("/srv/zone")


def test_without_settings_everything_is_ours_on_loopback_and_the_home_is_in_the_working_folder() -> None:
    settings = read_settings({}, CWD)
    assert settings.home == CWD / ".luodi"
    assert {name: str(at) for name, at in settings.listens.items()} == {
        "kafka": "127.0.0.1:8192",
        "mongodb": "127.0.0.1:8117",
        "ingest": "127.0.0.1:8101",
        "tracker": "127.0.0.1:8102",
        "notify": "127.0.0.1:8103",
    }
    assert settings.sample


def test_the_services_are_told_where_our_servers_are_and_that_this_is_local() -> None:
    environ = read_settings({"LUODI_KAFKA_LISTEN": "127.0.0.1:9292", "PATH": "/bin"}, CWD).environ
    assert environ["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9292"
    assert environ["MONGODB_URI"] == "mongodb://127.0.0.1:8117/?replicaSet=luodi"
    assert environ["LUODI_MODE"] == "local"
    assert environ["LUODI_SLOT"] == "local"
    assert environ["LUODI_HOME"] == "/srv/zone/.luodi"
    assert environ["LUODI_TRACKER_LISTEN"] == "127.0.0.1:8102"
    assert environ["PATH"] == "/bin"


def test_the_operators_servers_are_not_started_and_their_settings_pass_through_untouched() -> None:
    given = {
        "KAFKA_BOOTSTRAP_SERVERS": "k1:9093,k2:9093",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_PLAIN_USERNAME": "luodi",
        "KAFKA_SASL_PLAIN_PASSWORD": "secret",
        "MONGODB_URI": "mongodb://luodi:secret@m1:27017,m2:27017/?replicaSet=rs",
    }
    settings = read_settings(given, CWD)
    assert list(settings.listens) == ["ingest", "tracker", "notify"]
    assert given.items() <= settings.environ.items()
    assert [settings.address(name) for name in NAMES[:2]] == ["k1:9093,k2:9093", "m1:27017,m2:27017"]


def test_a_secret_in_a_file_counts_as_the_operators_mongodb(tmp_path: Path) -> None:
    file = tmp_path / "uri"
    file.write_text("mongodb://luodi:secret@m1:27017/\n", "utf-8")
    settings = read_settings({"MONGODB_URI_FILE": str(file)}, CWD)
    assert settings.mongodb is None
    assert "MONGODB_URI" not in settings.environ
    assert settings.address("mongodb") == "m1:27017"


def test_all_faults_are_told_at_once() -> None:
    wrong = {
        "LUODI_KAFKA_LISTEN": "here",
        "LUODI_NOTIFY_LISTEN": "there",
        "LUODI_SAMPLE": "maybe",
        "LUODI_PARTITIONS": "0",
    }
    with pytest.raises(MisconfiguredError) as caught:
        read_settings(wrong, CWD)
    assert all(name in str(caught.value) for name in wrong)
    assert caught.value.exit_code == 78


def test_two_processes_at_one_address_are_a_fault_of_two_settings() -> None:
    with pytest.raises(MisconfiguredError, match=r"LUODI_MONGO_LISTEN and LUODI_INGEST_LISTEN .* 127\.0\.0\.1:8101"):
        read_settings({"LUODI_MONGO_LISTEN": "127.0.0.1:8101"}, CWD)


def test_a_wildcard_address_is_called_over_loopback() -> None:
    settings = read_settings({"LUODI_INGEST_LISTEN": "0.0.0.0:8101", "LUODI_API_KEY": "k" * 32}, CWD)
    assert settings.url("ingest") == "http://127.0.0.1:8101"


def test_production_under_the_supervisor_loads_no_sample() -> None:
    assert not read_settings({"LUODI_MODE": "production", "LUODI_API_KEY": "k" * 32}, CWD).sample
