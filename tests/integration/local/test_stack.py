"""The stack as a user meets it: one command, processes that die and come back, data that stays."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from pymongo import MongoClient

from luodi.local.artifacts import cache_folder
from luodi.local.net import free_address
from luodi.local.settings import NAMES as IN_ORDER
from luodi.local.settings import SERVICES
from tests.integration.local.stacks import Stack, alive, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

NAMES = list(IN_ORDER)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that was never started."""
    made = Stack(tmp_path / "home")
    yield made
    made.down()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs; a test may kill any of it, and leaves it running."""
    made = Stack(tmp_path_factory.mktemp("running") / "home")
    made.up()
    yield made
    made.down()


def test_up_returns_when_all_are_ready_and_down_stops_them_in_reverse_order(stack: Stack) -> None:
    said = stack.up()
    assert "Luodi is ready." in said
    assert stack.environ["LUODI_INGEST_LISTEN"] in said
    shown = stack.status()
    assert [row["name"] for row in shown["processes"]] == NAMES
    assert {row["state"] for row in shown["processes"]} == {"ready"}
    assert {row["restarts"] for row in shown["processes"]} == {0}
    pids = [shown["supervisor"]["pid"], *(row["pid"] for row in shown["processes"])]
    assert all(alive(pid) for pid in pids)

    told = stack.down()
    stopping = [line.partition(":")[0] for line in told.splitlines() if line.endswith(": stopping")]
    assert stopping == [*NAMES[::-1][:3], "mongodb", "kafka"]
    assert not any(alive(pid) for pid in pids)
    assert stack.status()["supervisor"]["pid"] is None
    assert "ingest stopped in order" in (stack.home / "logs" / "ingest.log").read_text("utf-8")


def test_what_was_stored_survives_a_restart_and_a_move_to_other_ports(stack: Stack) -> None:
    stack.up()
    _make_topic(stack, "kept")
    with contextlib.closing(_producer(stack)) as producer:
        producer.send("kept", b"a record", partition=0).get(timeout=20)
    with _mongo(stack) as client:
        client.luodi.kept.insert_one({"_id": 1})
    stack.down()

    for setting in ("LUODI_KAFKA_LISTEN", "LUODI_MONGO_LISTEN"):
        stack.environ[setting] = str(free_address())
    stack.up()
    consumer = KafkaConsumer(bootstrap_servers=stack.environ["LUODI_KAFKA_LISTEN"], auto_offset_reset="earliest")
    consumer.assign([TopicPartition("kept", 0)])
    records = consumer.poll(timeout_ms=20_000)
    consumer.close()
    assert [record.value for batch in records.values() for record in batch] == [b"a record"]
    with _mongo(stack) as client:
        assert client.luodi.kept.count_documents({}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_process_that_is_killed_is_started_again_with_its_workers_gone(running: Stack, name: str) -> None:
    before = running.process(name)
    worker = running.worker(name) if name in SERVICES else None
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: _back(running.process(name), before["pid"]))
    assert running.process(name)["restarts"] == before["restarts"] + 1
    assert worker is None or not alive(worker)


def test_clients_go_on_after_a_kill_of_both_servers(running: Stack) -> None:
    _make_topic(running, "lasting")
    with _mongo(running) as client, contextlib.closing(_producer(running)) as producer:
        client.luodi.lasting.insert_one({"_id": 1})
        producer.send("lasting", b"1", partition=0).get(timeout=20)
        for name in ("kafka", "mongodb"):
            os.kill(running.process(name)["pid"], signal.SIGKILL)
        assert producer.send("lasting", b"2", partition=0).get(timeout=60).offset == 1
        client.luodi.lasting.insert_one({"_id": 2})
        assert client.luodi.lasting.count_documents({}) == 2


def test_nothing_outlives_a_supervisor_that_is_killed_and_the_next_start_finds_its_way(stack: Stack) -> None:
    stack.up()
    shown = stack.status()
    workers = [stack.worker(name) for name in SERVICES]
    os.kill(shown["supervisor"]["pid"], signal.SIGKILL)
    wait_until(lambda: not any(alive(row["pid"]) for row in shown["processes"]), timeout_s=5.0)
    assert stack.status()["supervisor"]["pid"] is None
    said = stack.up()  # the stand-ins' workers do not watch their parent: they are ended now
    assert "of an earlier run" in said
    assert not any(alive(worker) for worker in workers)


def test_a_second_start_of_the_same_home_says_that_it_is_running(running: Stack) -> None:
    again = running.run("up")
    assert again.returncode == 1
    assert f"is running (pid {running.status()['supervisor']['pid']})" in again.stderr
    assert "is running already" in running.up()
    refused = running.run("reset", "--yes")
    assert refused.returncode == 1
    assert "luodi down" in refused.stderr


def test_two_stacks_run_side_by_side(running: Stack, stack: Stack) -> None:
    stack.up()
    pids = {row["pid"] for one in (running, stack) for row in one.status()["processes"]}
    assert len(pids) == 2 * len(NAMES)
    stack.down()
    assert {row["state"] for row in running.status()["processes"]} == {"ready"}


def test_servers_of_the_operator_are_used_and_shown_and_not_started(running: Stack, stack: Stack) -> None:
    kafka, mongodb = running.environ["LUODI_KAFKA_LISTEN"], running.environ["LUODI_MONGO_LISTEN"]
    uri = f"mongodb://staff:secret@{mongodb}/?directConnection=true"
    stack.environ |= {"KAFKA_BOOTSTRAP_SERVERS": kafka, "MONGODB_URI": uri, "KAFKA_SASL_PLAIN_PASSWORD": "untouched"}
    said = stack.up()
    shown = stack.status()["processes"]
    assert [(row["name"], row["pid"] is None) for row in shown] == [(name, name not in SERVICES) for name in NAMES]
    assert [row["address"] for row in shown[:2]] == [kafka, mongodb]
    assert "secret" not in said
    assert f"tracker kafka {kafka} mongodb {uri}" in (stack.home / "logs" / "tracker.log").read_text("utf-8")


def test_an_address_in_use_is_told_with_the_setting_that_moves_it_before_anything_starts(stack: Stack) -> None:
    host, _, port = stack.environ["LUODI_TRACKER_LISTEN"].rpartition(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))
        taken.listen()
        refused = stack.run("up", "--detach")
    assert refused.returncode == 69
    assert f"{host}:{port} of tracker is in use" in refused.stdout
    assert "LUODI_TRACKER_LISTEN=" in refused.stdout
    assert not (stack.home / "logs" / "kafka.log").exists()


def test_wrong_settings_are_told_all_at_once_before_anything_starts(stack: Stack) -> None:
    refused = stack.run("up", LUODI_KAFKA_LISTEN="nowhere", LUODI_PARTITIONS="none", LUODI_SAMPLE="perhaps")
    assert refused.returncode == 78
    assert all(name in refused.stderr for name in ("LUODI_KAFKA_LISTEN", "LUODI_PARTITIONS", "LUODI_SAMPLE"))
    assert not stack.home.exists()


def test_a_service_that_refuses_its_settings_ends_the_start_with_its_words(stack: Stack) -> None:
    refused = stack.run("up", "--detach", STANDIN_TRACKER="exit:78")
    assert refused.returncode == 78
    assert "tracker has a fault" in refused.stdout
    assert stack.status()["supervisor"]["pid"] is None


def test_a_service_that_keeps_dying_ends_the_start_with_the_end_of_its_log(stack: Stack) -> None:
    refused = stack.run("up", "--detach", STANDIN_NOTIFY="exit:3")
    assert refused.returncode == 69
    assert "notify ended 5 times (exit 3)" in refused.stdout
    assert "notify has a fault" in refused.stdout


def test_a_second_signal_ends_a_stop_that_hangs(stack: Stack) -> None:
    with stack.popen("up", STANDIN_INGEST="deaf") as foreground:
        try:
            wait_until(lambda: {row["state"] for row in stack.status()["processes"]} == {"ready"}, timeout_s=60.0)
            pid = stack.process("ingest")["pid"]
            foreground.send_signal(signal.SIGINT)
            wait_until(lambda: "notify stopped in order" in (stack.home / "logs" / "notify.log").read_text("utf-8"))
            assert alive(pid)
            foreground.send_signal(signal.SIGINT)
            assert foreground.wait(timeout=60) == 0
            assert not alive(pid)
        finally:
            foreground.kill()


def test_the_sample_is_loaded_with_its_progress_shown_and_a_failed_load_ends_nothing(stack: Stack) -> None:
    said = stack.up(LUODI_SAMPLE="1")
    ingest, tracker = (f"http://{stack.environ[f'LUODI_{name}_LISTEN']}" for name in ("INGEST", "TRACKER"))
    called = f"called with --ingest {ingest} --tracker {tracker} --home {stack.home}"
    assert f"sample: {called}" in said
    assert "sample: 518 of 518 projects" in said
    assert said.index("518 of 518") < said.index("Luodi is ready.")
    seeded = stack.run("seed", "a.csv", "b.csv")
    assert seeded.returncode == 0
    assert seeded.stdout.startswith(f"{called} a.csv b.csv")
    stack.down()
    said = stack.up(LUODI_SAMPLE="1", STANDIN_SEED="no sample today")
    assert "no sample today" in said
    assert "luodi seed tries again" in said
    assert "Luodi is ready." in said


def test_reset_asks_before_it_deletes_and_only_then_a_smaller_clock_offset_may_start(stack: Stack) -> None:
    stack.up(LUODI_CLOCK_OFFSET="3600")
    with _mongo(stack) as client:
        client.luodi.gone.insert_one({"_id": 1})
    stack.down()
    refused = stack.run("up", "--detach", LUODI_CLOCK_OFFSET="60")
    assert refused.returncode == 78
    assert "LUODI_CLOCK_OFFSET is 60, but this home already ran with 3600" in refused.stdout
    asked = stack.run("reset")
    assert asked.returncode == 1
    assert "luodi reset --yes" in asked.stderr
    assert (stack.home / "mongodb").exists()
    assert stack.run("reset", "--yes").returncode == 0
    assert not stack.home.exists()
    stack.up(LUODI_CLOCK_OFFSET="60")
    with _mongo(stack) as client:
        assert client.luodi.gone.count_documents({}) == 0


def test_a_folder_that_is_not_ours_is_neither_used_nor_emptied(stack: Stack) -> None:
    stack.home.mkdir()
    theirs = stack.home / "thesis.txt"
    theirs.write_text("years of work", "utf-8")
    assert stack.run("up").returncode == 78
    assert stack.run("reset", "--yes").returncode == 0
    assert theirs.read_text("utf-8") == "years of work"


def test_a_first_start_that_broke_off_is_done_again(stack: Stack) -> None:
    for half in ("kafka/data/meta.properties", "mongodb/data/WiredTiger", "luodi-home"):
        (stack.home / half).parent.mkdir(parents=True, exist_ok=True)
        (stack.home / half).write_text("half a li", "utf-8")
    stack.up()
    assert {row["state"] for row in stack.status()["processes"]} == {"ready"}


def test_a_start_cache_is_recorded_by_the_first_stop_and_left_aside_when_damaged(
    running: Stack, stack: Stack, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "jars").symlink_to(cache_folder(running.environ) / "jars")
    stack.environ["LUODI_CACHE"] = str(cache)
    stack.up()
    assert "writing its start cache" in stack.down()
    (recorded,) = (cache / "aot").glob("*.aot")
    content = bytearray(recorded.read_bytes())
    for place in range(len(content) // 2, len(content), 4096):
        content[place] ^= 0xFF
    recorded.write_bytes(content)
    stack.up()
    assert stack.process("kafka")["restarts"] == 0


def _back(row: dict[str, object], before: int) -> bool:
    return row["state"] == "ready" and row["pid"] not in (None, before)


def _make_topic(stack: Stack, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=stack.environ["LUODI_KAFKA_LISTEN"])
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()


def _producer(stack: Stack) -> KafkaProducer:
    return KafkaProducer(
        bootstrap_servers=stack.environ["LUODI_KAFKA_LISTEN"], acks="all", reconnect_backoff_max_ms=500
    )


def _mongo(stack: Stack) -> MongoClient[dict[str, object]]:
    return MongoClient(f"mongodb://{stack.environ['LUODI_MONGO_LISTEN']}/?replicaSet=luodi", w="majority", journal=True)
