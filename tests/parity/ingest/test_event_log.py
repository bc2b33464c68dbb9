"""One behaviour for every event log: the one in memory and Kafka."""

from __future__ import annotations

import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from luodi.local.harness import Servers
from luodi.runtime import kafka
from luodi.runtime.http import wait_until
from services.ingest.memory import MemoryLog
from services.ingest.ports import Away, EventLog, Outgoing
from services.ingest.publisher import KafkaLog
from tests.unit.ingest.world import read_settings

pytestmark = pytest.mark.stack


@pytest.fixture(params=["memory", "kafka"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], EventLog]]:
    """Makes logs on one topic of their own, all closed at the end."""
    made: list[EventLog] = []

    def memory() -> EventLog:
        return MemoryLog()

    def real() -> EventLog:
        log = KafkaLog(config)
        made.append(log)
        return log

    if request.param == "kafka":
        servers: Servers = request.getfixturevalue("servers")
        config = read_settings(
            tmp_path,
            KAFKA_BOOTSTRAP_SERVERS=servers.bootstrap,
            LUODI_TOPIC_PREFIX=f"parity-{uuid.uuid4().hex[:8]}-",
            LUODI_PARTITIONS="4",
        )
        yield real
    else:
        yield memory
    for log in made:
        log.stop(5)


@pytest.fixture
def log(make: Callable[[], EventLog]) -> EventLog:
    log = make()
    log.start()
    assert wait_until(lambda: log.missing() is None, 30), log.missing()
    return log


def records(*subjects: str) -> list[Outgoing]:
    return [Outgoing(subject, b"{}") for subject in subjects]


def test_every_record_gets_the_receipt_of_its_own_place(log: EventLog) -> None:
    appended = log.append(records("p1", "p2", "p1", "p3"))
    receipts = [receipt for receipt in appended.receipts if receipt is not None]
    assert len(receipts) == 4
    places = {(receipt.partition, receipt.offset) for receipt in receipts}
    assert len(places) == 4
    assert receipts[0].partition == receipts[2].partition == kafka.partition_for("p1", 4)
    assert receipts[0].offset < receipts[2].offset
    assert len(appended.tag) == 8


def test_offsets_of_a_partition_rise_without_gaps_whoever_writes(log: EventLog) -> None:
    places: dict[int, list[int]] = defaultdict(list)
    lock = threading.Lock()

    def write(writer: int) -> None:
        for number in range(20):
            for receipt in log.append(records(f"w{writer}", f"n{number}")).receipts:
                assert receipt is not None
                with lock:
                    places[receipt.partition].append(receipt.offset)

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sum(map(len, places.values())) == 8 * 20 * 2
    for offsets in places.values():
        assert sorted(offsets) == list(range(len(offsets)))


def test_what_one_caller_writes_in_turn_stands_in_turn(log: EventLog) -> None:
    offsets = []
    for _ in range(10):
        (receipt,) = log.append(records("p1")).receipts
        assert receipt is not None
        offsets.append(receipt.offset)
    assert offsets == list(range(10))


def test_more_than_one_batch_to_a_partition_keeps_the_order(log: EventLog) -> None:
    large = [Outgoing("p1", b'{"n": %d, "fill": "%s"}' % (number, b"x" * 20_000)) for number in range(40)]
    receipts = log.append(large).receipts
    assert [receipt.offset for receipt in receipts if receipt is not None] == list(range(40))


def test_a_log_that_was_stopped_takes_nothing_more(log: EventLog) -> None:
    log.append(records("p1"))
    log.stop(5)
    assert log.missing() is not None
    with pytest.raises(Away):
        log.append(records("p1"))
