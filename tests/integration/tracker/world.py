"""A tracker's surroundings for a test: real topics, groups and a database of its own, and hands to reach into them."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from pymongo.database import Database

from luodi.domain.days import instant
from luodi.domain.events import MILESTONE_REPORTED, PROJECT_REGISTERED, Event
from luodi.local.harness import Servers
from luodi.local.net import free_address
from luodi.runtime import kafka, mongo
from luodi.runtime import settings as settings_module
from luodi.runtime.clock import Clock
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from luodi.runtime.settings import Settings
from schemas import codec, states
from services.tracker.app import Tracker, build
from services.tracker.ports import Document

DEADLINE_S = 40.0
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # a Monday morning in the zone


def until(holds: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """Poll until `holds` answers something true, which is returned; fail with `what` when the time is up."""
    deadline = time.monotonic() + deadline_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not in {deadline_s:.0f} s: {what}"
        time.sleep(0.02)
    return found


def shared(one: Tracker, two: Tracker) -> bool:
    """Whether two trackers own all four partitions between them, each some."""
    return bool(one.owned and two.owned) and sorted([*one.owned, *two.owned]) == [0, 1, 2, 3]


@dataclass
class Recorder:
    """Makes events with rising `recordedtime`, as ingest stamps them."""

    minute: Iterator[int] = field(default_factory=itertools.count)

    def event(self, subject: str, type_: str, data: Mapping[str, Any], id_: str | None = None) -> Event:
        number = next(self.minute)
        at = instant(START + timedelta(seconds=number))
        return Event(subject, id_ or f"e{number}", type_, at, 0, "u-test", dict(data))

    def registered(self, subject: str, **fields: Any) -> Event:
        data = {"name": f"项目 {subject}", "zone": "demo", "route": "land", **fields}
        return self.event(subject, PROJECT_REGISTERED, data)

    def milestone(self, subject: str, stage: str = "signed", date: str = "2026-01-05", **more: Any) -> Event:
        return self.event(subject, MILESTONE_REPORTED, {"stage": stage, "date": date}, **more)


class World:
    """Everything of one test. `tracker` starts a tracker in this process."""

    def __init__(self, servers: Servers, home: Path, partitions: int = 4) -> None:
        self.name = f"t{secrets.token_hex(4)}"
        self.home = home
        self.environ = {
            "LUODI_HOME": str(home),
            "LUODI_MODE": "local",
            "LUODI_TRACKER_LISTEN": str(free_address()),
            "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap,
            "MONGODB_URI": servers.mongodb_uri,
            "LUODI_DATABASE": f"tracker_{self.name}",
            "LUODI_PARTITIONS": str(partitions),
            "LUODI_TOPIC_PREFIX": f"{self.name}-",
            "LUODI_GROUP_PREFIX": f"{self.name}-",
            "LUODI_SLOT": "one",
        }
        self.settings: Settings = settings_module.read(self.environ)
        self.topic: TopicInfo = kafka.ensure_topics(self.settings)
        self.database: Database[Document] = mongo.connect(self.settings, retryWrites=False)
        self.producer: KafkaProducer = kafka.producer(self.settings)
        self.recorder = Recorder()
        self.metrics = Metrics()

    def close(self) -> None:
        self.producer.close(timeout=5)
        self.database.client.drop_database(self.database.name)
        self.database.client.close()
        admin = kafka.admin(self.settings)
        with contextlib.suppress(Exception):
            admin.delete_topics(
                [self.settings.topics.events, self.settings.topics.rejected, self.settings.topics.states]
            )
        admin.close()

    def with_slot(self, slot: str) -> Settings:
        return settings_module.read(self.environ | {"LUODI_SLOT": slot})

    # -- events ---------------------------------------------------------------------------------------------------

    def partition(self, subject: str) -> int:
        return kafka.partition_for(subject, self.topic.partitions)

    def send(self, events: Iterable[Event]) -> dict[int, int]:
        """Append events as ingest does; returns the last offset per partition."""
        return self.send_raw((self.partition(e.subject), e.subject.encode(), codec.encode(e)) for e in events)

    def send_raw(self, records: Iterable[tuple[int, bytes | None, bytes | None]]) -> dict[int, int]:
        futures = [
            self.producer.send(self.settings.topics.events, value=value, key=key, partition=partition)
            for partition, key, value in records
        ]
        self.producer.flush(timeout=30)
        last: dict[int, int] = {}
        for future in futures:
            place = future.get(timeout=10)
            last[place.partition] = max(place.offset, last.get(place.partition, -1))
        return last

    # -- what came of them ------------------------------------------------------------------------------------------

    def documents(self) -> dict[str, Document]:
        return {row["_id"]: row for row in self.database["projects"].find({"_id": {"$gt": ""}})}

    def applied(self) -> dict[int, int]:
        found = self.database["positions"].find()
        return {int(row["_id"].partition("/")[2]): row["applied"] for row in found}

    def await_applied(self, last: Mapping[int, int], deadline_s: float = DEADLINE_S) -> None:
        until(
            lambda: all(self.applied().get(partition, 0) > offset for partition, offset in last.items()),
            f"{dict(last)} applied",
            deadline_s,
        )

    def committed(self) -> dict[int, int]:
        consumer = KafkaConsumer(
            **kafka.client_arguments(self.settings), group_id=f"{self.name}-luodi-tracker", enable_auto_commit=False
        )
        try:
            found = {
                partition: consumer.committed(TopicPartition(self.settings.topics.events, partition))
                for partition in range(self.topic.partitions)
            }
        finally:
            consumer.close(autocommit=False)
        return {partition: offset for partition, offset in found.items() if offset is not None}

    def records(self, topic: str) -> list[Any]:
        """All records of a topic, in the order of their offsets within each partition."""
        consumer = KafkaConsumer(
            **kafka.client_arguments(self.settings), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            places = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic)]
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            found: list[Any] = []
            deadline = time.monotonic() + DEADLINE_S
            while any(consumer.position(place) < end for place, end in ends.items()):
                assert time.monotonic() < deadline, f"{topic} cannot be read to its end"
                for batch in consumer.poll(timeout_ms=200).values():
                    found.extend(batch)
            return found
        finally:
            consumer.close(autocommit=False)

    def published(self) -> dict[str, dict[str, Any]]:
        """The last state of each subject on `project-states`."""
        last: dict[str, dict[str, Any]] = {}
        for record in self.records(self.settings.topics.states):
            if record.key != states.WATERMARK_KEY:
                last[record.key.decode()] = states.decode_state(record.value)
        return last

    def rejected(self) -> list[dict[str, Any]]:
        return [states.decode_rejected(record.value) for record in self.records(self.settings.topics.rejected)]

    # -- trackers -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def tracker(self, slot: str = "one", clock: Clock | None = None, **overrides: Any) -> Iterator[Tracker]:
        settings = settings_module.read(
            self.environ | {"LUODI_SLOT": slot, "LUODI_TRACKER_LISTEN": str(free_address())}
        )
        stop = Stop()
        overrides.setdefault("metrics", Metrics())
        tracker = build(settings, stop, clock=clock, topic=self.topic, **overrides)
        try:
            tracker.start()
            yield tracker
        finally:
            tracker.stop(10)
        assert stop.failure is None, repr(stop.failure)
