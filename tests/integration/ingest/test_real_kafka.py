"""Ingest in this process, on a real Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from luodi.domain.days import parse_instant
from luodi.local.harness import Servers
from luodi.runtime.http import wait_until
from schemas import position
from services.ingest.app import Ingest, build
from tests.integration.ingest.topic import Written, read_topic, unique_prefix
from tests.unit.ingest.world import read_settings

pytestmark = pytest.mark.stack

MILESTONE = {"project_id": "p1", "stage": "started", "date": "2026-03-05"}


class Live:
    """An ingest on topics of its own."""

    def __init__(self, servers: Servers, home: Path) -> None:
        self.settings = read_settings(
            home,
            KAFKA_BOOTSTRAP_SERVERS=servers.bootstrap,
            LUODI_TOPIC_PREFIX=unique_prefix(),
            LUODI_PARTITIONS="4",
        )
        self.bootstrap = servers.bootstrap
        self.ingest: Ingest = build(self.settings)
        self.ingest.start()
        self.client = self.ingest.app.test_client()

    def post(self, path: str, body: object, **headers: str) -> TestResponse:
        return self.client.post(path, json=body, headers={name.replace("_", "-"): v for name, v in headers.items()})

    def topic(self) -> list[Written]:
        return read_topic(self.bootstrap, self.settings.topics.events)


@pytest.fixture
def live(servers: Servers, tmp_path: Path) -> Iterator[Live]:
    live = Live(servers, tmp_path)
    assert wait_until(lambda: live.client.get("/ready").status_code == 200, 30)
    yield live
    live.ingest.stop(5)


def test_what_was_answered_202_stands_at_the_place_the_answer_names(live: Live) -> None:
    answer = live.post("/v1/milestones", [{**MILESTONE, "project_id": f"p{n}"} for n in range(40)])
    assert answer.status_code == 202
    assert answer.json is not None
    told = {(item["partition"], item["offset"]): item["id"] for item in answer.json["items"]}
    written = live.topic()
    assert {(w.partition, w.offset): w.event.id for w in written} == told
    assert position.decode(answer.json["position"], answer.json["position"][:8]) == {
        partition: max(w.offset for w in written if w.partition == partition)
        for partition in {w.partition for w in written}
    }


def test_a_retry_with_the_same_key_is_the_same_event(live: Live) -> None:
    project = {"name": "示例项目", "zone": "demo", "route": "land"}
    first = live.post("/v1/projects", project, Idempotency_Key="k-1")
    second = live.post("/v1/projects", project, Idempotency_Key="k-1")
    assert (first.status_code, second.status_code) == (202, 202)
    one, two = (written.event for written in live.topic())
    assert (one.subject, one.id, one.type, one.data, one.actor) == (two.subject, two.id, two.type, two.data, two.actor)


def test_the_stamp_lies_before_the_brokers_own_time_of_appending(live: Live) -> None:
    for _ in range(20):
        assert live.post("/v1/milestones", MILESTONE).status_code == 202
    for written in live.topic():
        stamped_ms = parse_instant(written.event.recordedtime).timestamp() * 1000
        # The broker stamps what it appends; a record that CreateTime had stamped would carry the sender's time.
        assert abs(written.timestamp_ms - stamped_ms) < 5_000
    assert abs(live.ingest.stamper.skew_s) < 5


def test_stamps_of_one_project_posted_in_turn_stand_in_turn(live: Live) -> None:
    for _ in range(20):
        live.post("/v1/milestones", MILESTONE)
    events = [written.event for written in sorted(live.topic(), key=lambda w: w.offset)]
    assert [event.recordedtime for event in events] == sorted(event.recordedtime for event in events)
