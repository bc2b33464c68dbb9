"""Notify's surroundings for a test: real topics, a real database, and a hand that plays the tracker."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import urllib3
from kafka import KafkaProducer
from pymongo.database import Database

from luodi.domain.days import instant
from luodi.local.harness import Servers
from luodi.local.net import free_address
from luodi.runtime import kafka, mongo
from luodi.runtime import settings as settings_module
from luodi.runtime.clock import Clock
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.lifecycle import Stop
from luodi.runtime.settings import Settings
from schemas import states
from services.notify.app import Service, build
from tests.unit.notify.builders import clock, state

DEADLINE_S = 40.0
WATERMARK_S = 0.2
LONG_AGO = "2026-01-01T00:00:00.000Z"
REACHED = {"signed": "2025-12-01", "started": "2026-03-04"}


def until(holds: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """Poll until `holds` answers something true, which is returned; fail with `what` when the time is up."""
    deadline = time.monotonic() + deadline_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"not in {deadline_s:.0f} s: {what}"
        time.sleep(0.03)
    return found


def now(seconds: float = 0) -> str:
    """The instant so many seconds from now."""
    return instant(datetime.now(UTC) + timedelta(seconds=seconds))


class World:
    """Everything of one test."""

    def __init__(self, servers: Servers, home: Path, partitions: int = 4, **environ: str) -> None:
        self.name = f"n{secrets.token_hex(4)}"
        self.environ = {
            "LUODI_HOME": str(home),
            "LUODI_MODE": "local",
            "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap,
            "MONGODB_URI": servers.mongodb_uri,
            "LUODI_DATABASE": f"notify_{self.name}",
            "LUODI_PARTITIONS": str(partitions),
            "LUODI_TOPIC_PREFIX": f"{self.name}-",
            "LUODI_GROUP_PREFIX": f"{self.name}-",
            "LUODI_SETTLE_S": "0.5",
            "LUODI_WORKING_HOURS": "always",  # these tests run at any hour
            "LUODI_PUBLIC_URL": "https://luodi.example",
            **environ,
        }
        self.offset_s = float(self.environ.get("LUODI_CLOCK_OFFSET", 0))
        self.port = free_address().port
        self.settings = self.settings_of("one", self.port)
        self.topic: TopicInfo = kafka.ensure_topics(self.settings)
        self.database: Database[mongo.Document] = mongo.connect(self.settings)
        self.producer: KafkaProducer = kafka.producer(self.settings)
        self.http = urllib3.PoolManager(retries=False, timeout=10)
        self._events: dict[str, int] = {}
        self._watermarks: tuple[threading.Thread, threading.Event] | None = None
        self._services: list[tuple[Service, Stop]] = []

    def settings_of(self, slot: str, port: int) -> Settings:
        """The settings of one notifier."""
        return settings_module.read({**self.environ, "LUODI_SLOT": slot, "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{port}"})

    # -- the tracker --------------------------------------------------------------------------------------------------

    def partition(self, project_id: str) -> int:
        return kafka.partition_for(project_id, self.topic.partitions)

    def publish(self, project_id: str, traceparent: str | None = None, **fields: Any) -> None:
        """The project's next state."""
        self._events[project_id] = self._events.get(project_id, 0) + 1
        self.publish_record(state(project_id, events=self._events[project_id], **fields), traceparent)

    def publish_record(self, record: Mapping[str, Any], traceparent: str | None = None) -> None:
        """A state as it stands."""
        document = {"_id": record["id"], **record}
        headers = states.guard_headers(document)
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        self.write(record["id"], states.encode_state(document), headers)

    def write(self, project_id: str, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> None:
        """A record, whatever it holds."""
        self.producer.send(
            self.settings.topics.states,
            key=project_id.encode(),
            value=value,
            headers=headers or [],
            partition=self.partition(project_id),
        ).get(timeout=10)

    def overdue(self, project_id: str, **fields: Any) -> None:
        self.publish(project_id, clocks=[clock(LONG_AGO)], **fields)

    def reached(self, project_id: str) -> None:
        self.publish(project_id, reached=REACHED)

    def watermark(self, at: str | None = None, besides: Collection[int] = ()) -> None:
        """One watermark on every partition but those: by default, all until now is known."""
        value = states.encode_watermark(at or now(self.offset_s))
        sent = [
            self.producer.send(self.settings.topics.states, key=states.WATERMARK_KEY, value=value, partition=number)
            for number in range(self.topic.partitions)
            if number not in besides
        ]
        for future in sent:
            future.get(timeout=10)

    def watermarks_run(self, besides: Collection[int] = ()) -> None:
        """Publish watermarks from now on, until `watermarks_stop`; on every partition but those."""
        ended = threading.Event()

        def run() -> None:
            while not ended.wait(WATERMARK_S):
                with contextlib.suppress(Exception):  # a broker that is away for a while is part of some tests
                    self.watermark(besides=besides)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._watermarks = (thread, ended)

    def watermarks_stop(self) -> None:
        if self._watermarks is not None:
            thread, ended = self._watermarks
            ended.set()
            thread.join(15)
            self._watermarks = None

    # -- notify -------------------------------------------------------------------------------------------------------

    @property
    def base(self) -> str:
        """Where the first notifier answers."""
        return f"http://127.0.0.1:{self.port}"

    def notifier(self, slot: str = "one", clock: Clock | None = None) -> Service:
        """A notifier in this process, started and ready. The one named `one` answers under `base`."""
        port = self.port if slot == "one" else free_address().port
        stop = Stop()
        service = build(self.settings_of(slot, port), stop, clock=clock)
        self._services.append((service, stop))
        service.start()
        until(lambda: self.ready(f"http://127.0.0.1:{port}"), f"notifier {slot} ready")
        return service

    def end(self, service: Service) -> None:
        """Stop a notifier in order; a failure inside it fails the test."""
        found = next(row for row in self._services if row[0] is service)
        self._services.remove(found)
        service.stop(15)
        assert found[1].failure is None, found[1].failure

    def ready(self, base: str | None = None) -> bool:
        try:
            return self.http.request("GET", f"{base or self.base}/ready").status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def get(self, path: str, language: str = "zh-CN") -> tuple[int, Any]:
        """Status and JSON of a GET."""
        headers = {"Accept-Language": language}
        answer = self.http.request("GET", f"{self.base}{path}", headers=headers)
        return answer.status, json.loads(answer.data)

    def notifications(self, query: str = "") -> list[dict[str, Any]]:
        status, body = self.get(f"/v1/notifications?limit=500&{query}")
        assert status == 200, body
        items: list[dict[str, Any]] = body["items"]
        return items

    def told(self, project_id: str) -> list[tuple[str, int]]:
        """Kinds and episodes in the project's inbox rows, oldest first."""
        rows = self.database["notifications"].find({"project_id": project_id}).sort("order", 1)
        return [
            (row["kind"], row["episode"])
            for row in rows
            if any(d["channel"] == "inbox" and d["status"] == "sent" for d in row["deliveries"])
        ]

    def close(self) -> None:
        self.watermarks_stop()
        failures = []
        for service, stop in self._services:
            service.stop(15)
            failures.append(stop.failure)
        self.producer.close(timeout=5)
        self.http.clear()
        self.database.client.drop_database(self.database.name)
        self.database.client.close()
        admin = kafka.admin(self.settings)
        with contextlib.suppress(Exception):  # what is left over harms nobody: the name is this test's own
            topics = self.settings.topics
            admin.delete_topics([topics.events, topics.rejected, topics.states])
        admin.close()
        failed = [failure for failure in failures if failure is not None]
        assert not failed, f"a notifier ended by itself: {failed!r}"


def lines_of(base: str, path: str, **headers: str) -> Generator[str]:
    """The lines of a live stream, as they come, over a connection of its own."""
    connection = HTTPConnection(base.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as answer:
            assert answer.status == 200, answer.status
            while line := answer.readline():
                yield line.decode().removesuffix("\n")
    finally:
        connection.close()
