"""The stack as a user meets it: one command, processes that die and come back, data that stays."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from pymongo import MongoClient

from luodi.local.net import free_address
from tests.integration.local.stacks import Stack, alive, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

NAMES = ["kafka", "mongodb", "ingest", "tracker", "notify"]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path / "home")
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


def test_what_was_stored_survives_a_restart_of_the_stack(stack: Stack) -> None:
    stack.up()
    producer = KafkaProducer(bootstrap_servers=stack.environ["LUODI_KAFKA_LISTEN"], acks="all")
    _make_topic(stack, "kept")
    producer.send("kept", b"a record", partition=0).get(timeout=20)
    producer.close()
    with _mongo(stack) as client:
        client.luodi.kept.insert_one({"_id": 1})
    stack.down()

    stack.up()
    consumer = KafkaConsumer(bootstrap_servers=stack.environ["LUODI_KAFKA_LISTEN"], auto_offset_reset="earliest")
    consumer.assign([TopicPartition("kept", 0)])
    records = consumer.poll(timeout_ms=20_000)
    consumer.close()
    assert [record.value for batch in records.values() for record in batch] == [b"a record"]
    with _mongo(stack) as client:
        assert client.luodi.kept.count_documents({}) == 1


def test_a_process_that_is_killed_is_started_again_with_its_workers_gone(stack: Stack) -> None:
    stack.up()
    for name in NAMES:
        before = stack.process(name)
        worker = stack.worker(name) if name in NAMES[2:] else None
        os.kill(before["pid"], signal.SIGKILL)
        wait_until(lambda name=name, before=before: _back(stack.process(name), before["pid"]))  # type: ignore[misc]  # bound per turn
        assert stack.process(name)["restarts"] == 1
        if worker:
            assert not alive(worker)


def test_clients_go_on_after_a_kill_of_either_server(stack: Stack) -> None:
    stack.up()
    _make_topic(stack, "lasting")
    producer = KafkaProducer(
        bootstrap_servers=stack.environ["LUODI_KAFKA_LISTEN"], acks="all", reconnect_backoff_max_ms=500
    )
    with _mongo(stack) as client:
        client.luodi.lasting.insert_one({"_id": 1})
        producer.send("lasting", b"1", partition=0).get(timeout=20)
        for name in ("kafka", "mongodb"):
            os.kill(stack.process(name)["pid"], signal.SIGKILL)
        assert producer.send("lasting", b"2", partition=0).get(timeout=60).offset == 1
        client.luodi.lasting.insert_one({"_id": 2})
        assert client.luodi.lasting.count_documents({}) == 2
    producer.close()


def test_nothing_outlives_a_supervisor_that_is_killed_and_the_next_start_finds_its_way(stack: Stack) -> None:
    stack.up()
    shown = stack.status()
    workers = [stack.worker(name) for name in NAMES[2:]]
    os.kill(shown["supervisor"]["pid"], signal.SIGKILL)
    wait_until(lambda: not any(alive(row["pid"]) for row in shown["processes"]), timeout_s=5.0)
    assert stack.status()["supervisor"]["pid"] is None
    said = stack.up()  # the stand-ins' workers do not watch their parent: they are ended now
    assert "of an earlier run" in said
    assert not any(alive(worker) for worker in workers)


def test_a_second_start_of_the_same_home_says_that_it_is_running(stack: Stack) -> None:
    stack.up()
    again = stack.run("up")
    assert again.returncode == 1
    assert f"is running (pid {stack.status()['supervisor']['pid']})" in again.stderr
    assert "is running already" in stack.up()
    refused = stack.run("reset", "--yes")
    assert refused.returncode == 1
    assert "luodi down" in refused.stderr


def test_two_stacks_run_side_by_side(stack: Stack, tmp_path: Path) -> None:
    other = Stack(tmp_path / "other")
    try:
        stack.up()
        other.up()
        pids = {row["pid"] for one in (stack, other) for row in one.status()["processes"]}
        assert len(pids) == 2 * len(NAMES)
        other.down()
        assert {row["state"] for row in stack.status()["processes"]} == {"ready"}
    finally:
        other.down()


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
    running = stack.popen("up", STANDIN_INGEST="deaf")
    assert running.stdout is not None
    try:
        wait_until(lambda: stack.status()["supervisor"]["pid"] is not None and _all_ready(stack), timeout_s=60.0)
        pid = stack.process("ingest")["pid"]
        running.send_signal(signal.SIGINT)
        wait_until(lambda: "notify stopped in order" in (stack.home / "logs" / "notify.log").read_text("utf-8"))
        assert alive(pid)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) == 0
        assert not alive(pid)
    finally:
        running.kill()
        running.stdout.close()
        running.wait()


def test_the_sample_is_loaded_with_its_progress_shown_and_a_failed_load_ends_nothing(stack: Stack) -> None:
    said = stack.up(LUODI_SAMPLE="1")
    ingest = f"http://{stack.environ['LUODI_INGEST_LISTEN']}"
    assert f"sample: called with --ingest {ingest} --home {stack.home}" in said
    assert "sample: 518 of 518 projects" in said
    assert said.index("518 of 518") < said.index("Luodi is ready.")
    seeded = stack.run("seed", "a.csv", "b.csv")
    assert seeded.returncode == 0
    assert seeded.stdout.startswith(f"called with --ingest {ingest} --home {stack.home} a.csv b.csv")
    stack.down()
    said = stack.up(LUODI_SAMPLE="1", STANDIN_SEED="no sample today")
    assert "no sample today" in said
    assert "luodi seed tries again" in said
    assert "Luodi is ready." in said


def test_reset_asks_before_it_deletes_and_the_next_start_is_a_first_one(stack: Stack) -> None:
    stack.up()
    with _mongo(stack) as client:
        client.luodi.gone.insert_one({"_id": 1})
    stack.down()
    asked = stack.run("reset")
    assert asked.returncode == 1
    assert "luodi reset --yes" in asked.stderr
    assert (stack.home / "mongodb").exists()
    assert stack.run("reset", "--yes").returncode == 0
    assert not stack.home.exists()
    stack.up()
    with _mongo(stack) as client:
        assert client.luodi.gone.count_documents({}) == 0


def test_the_home_moves_to_other_ports_and_keeps_its_data(stack: Stack) -> None:
    stack.up()
    with _mongo(stack) as client:
        client.luodi.moved.insert_one({"_id": 1})
    stack.down()
    for setting in ("LUODI_KAFKA_LISTEN", "LUODI_MONGO_LISTEN"):
        stack.environ[setting] = str(free_address())
    stack.up()
    with _mongo(stack) as client:
        assert client.luodi.moved.count_documents({}) == 1


def test_a_format_that_broke_off_is_done_again(stack: Stack) -> None:
    broken = stack.home / "kafka" / "data"
    stack.home.mkdir()
    (stack.home / "luodi-home").touch()
    broken.mkdir(parents=True)
    (broken / "meta.properties").write_text("half a li", "utf-8")
    (stack.home / "mongodb" / "data").mkdir(parents=True)
    (stack.home / "mongodb" / "data" / "WiredTiger").write_text("half", "utf-8")
    stack.up()
    assert {row["state"] for row in stack.status()["processes"]} == {"ready"}


def test_a_start_cache_that_is_damaged_is_left_aside(stack: Stack, tmp_path: Path) -> None:
    stack.up()
    stack.down()
    cache = tmp_path / "cache"
    stack.environ["LUODI_CACHE"] = str(cache)
    cache.mkdir()
    usual = _cache_of_this_user()
    (cache / "jars").symlink_to(usual / "jars")
    (cache / "aot").mkdir()
    stack.up()
    stack.down()  # records one
    recorded = list((cache / "aot").glob("*.aot"))
    assert len(recorded) == 1
    content = bytearray(recorded[0].read_bytes())
    content[len(content) // 2 :: 4096] = b"\xff" * len(content[len(content) // 2 :: 4096])
    recorded[0].write_bytes(content)
    stack.up()
    assert stack.process("kafka")["restarts"] == 0


def test_servers_of_the_operator_are_used_and_shown_and_not_started(stack: Stack, tmp_path: Path) -> None:
    owner = Stack(tmp_path / "owner")
    try:
        owner.up()
        uri = f"mongodb://{owner.environ['LUODI_MONGO_LISTEN']}/?replicaSet=luodi"
        stack.environ |= {"KAFKA_BOOTSTRAP_SERVERS": owner.environ["LUODI_KAFKA_LISTEN"], "MONGODB_URI": uri}
        stack.up()
        shown = stack.status()["processes"]
        assert [(row["name"], row["pid"] is None) for row in shown] == [(name, name in NAMES[:2]) for name in NAMES]
        assert shown[0]["address"] == owner.environ["LUODI_KAFKA_LISTEN"]
        log = (stack.home / "logs" / "tracker.log").read_text("utf-8")
        assert f"tracker kafka {owner.environ['LUODI_KAFKA_LISTEN']} mongodb {uri}" in log
        stack.down()
    finally:
        stack.down()
        owner.down()


def test_a_smaller_clock_offset_than_before_refuses_to_start_until_reset(stack: Stack) -> None:
    stack.up(LUODI_CLOCK_OFFSET="3600")
    stack.down()
    refused = stack.run("up", "--detach")
    assert refused.returncode == 78
    assert "LUODI_CLOCK_OFFSET is 0" in refused.stdout
    assert "luodi reset" in refused.stdout
    assert stack.run("reset", "--yes").returncode == 0
    stack.up()


def _back(row: dict[str, object], before: int) -> bool:
    return row["state"] == "ready" and row["pid"] not in (None, before)


def _all_ready(stack: Stack) -> bool:
    return {row["state"] for row in stack.status()["processes"]} == {"ready"}


def _make_topic(stack: Stack, name: str) -> None:
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=stack.environ["LUODI_KAFKA_LISTEN"])
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()


def _mongo(stack: Stack) -> MongoClient[dict[str, object]]:
    return MongoClient(f"mongodb://{stack.environ['LUODI_MONGO_LISTEN']}/?replicaSet=luodi", w="majority", journal=True)


def _cache_of_this_user() -> Path:
    from luodi.local.artifacts import cache_folder

    return cache_folder(os.environ)
