"""The pair of servers that other tests use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from luodi.local.harness import Servers, servers
from luodi.local.kafka import brokers
from luodi.runtime.settings import address

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


def test_a_pair_is_started_ended_paused_and_keeps_its_data_and_addresses(tmp_path: Path) -> None:
    with servers(tmp_path) as pair:
        at = address(pair.bootstrap)
        admin = KafkaAdminClient(bootstrap_servers=pair.bootstrap)
        admin.create_topics({"kept": {"num_partitions": 1, "replication_factor": 1}})
        admin.close()
        with MongoClient[dict[str, object]](pair.mongodb_uri, serverSelectionTimeoutMS=500) as client:
            client.harness.kept.insert_one({"_id": 1})
            before = pair.pids
            pair.kill_kafka()
            assert brokers(at, 1.0) == 0
            pair.start_kafka()
            pair.restart_mongodb()
            assert set(pair.pids) == {"kafka", "mongodb"}
            assert not set(pair.pids.values()) & set(before.values())
            pair.stop_mongodb()
            with pytest.raises(ServerSelectionTimeoutError):
                client.harness.kept.count_documents({})
            assert list(pair.pids) == ["kafka"]
            pair.start_mongodb()
            assert client.harness.kept.count_documents({}) == 1
        pair.pause("kafka")
        assert brokers(at, 0.5) == 0
        pair.resume("kafka")
        assert brokers(at, 10.0) == 1
        pair.restart_kafka()
        admin = KafkaAdminClient(bootstrap_servers=pair.bootstrap)
        assert "kept" in admin.list_topics()
        admin.close()


def test_borrowed_servers_cannot_be_ended() -> None:
    with pytest.raises(RuntimeError, match="borrowed"):
        Servers("127.0.0.1:1", "mongodb://127.0.0.1:2", None).kill_kafka()
