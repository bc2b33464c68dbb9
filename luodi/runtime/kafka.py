"""Kafka as the services use it: clients with safe arguments, our topics, the partition of a key, errors translated."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import (
    InvalidReplicationFactorError,
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)
from kafka.partitioner import murmur2

from luodi.runtime import logging
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.settings import Settings

SESSION_TIMEOUT_MS = 10_000  # a killed member gives its partitions back after this; the default of 45 s is an outage
HEARTBEAT_MS = 1_000
CLOSE_MS = 2_000  # for a consumer to leave
KILL_S = 0.5  # for a producer's thread to end after it was told to
RECONNECT_MAX_MS = 500  # the default backs off to 30 s, long after the broker is back
REPLICATION = 3  # on a cluster that has so many brokers
STATES_SEGMENT_BYTES = 16 * 1024 * 1024  # small, so that compaction, which skips the active segment, really runs
STATES_SEGMENT_MS = 3_600_000
BOOTSTRAP_TIMEOUT_MS = 5_000  # of one attempt: who waits for a broker hears in between that the end is asked for

log = logging.get("kafka")


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """What is fixed once the topics exist: how many partitions, and a tag of this very topic: 8 digits of its id."""

    partitions: int
    tag: str


def client_arguments(settings: Settings) -> dict[str, Any]:
    """Arguments that every client shares: where, with which credentials, and quick reconnection."""
    return {
        **settings.kafka,
        "client_id": f"luodi-{settings.slot}",
        "reconnect_backoff_ms": 50,
        "reconnect_backoff_max_ms": RECONNECT_MAX_MS,
        "metadata_max_age_ms": 60_000,
    }


_NO_SURPRISES = {"allow_auto_create_topics": False, "metrics_enabled": False}


def producer(settings: Settings, **over: Any) -> KafkaProducer:
    """A producer whose acknowledgement means durable: `acks=all`, idempotent. Raises TransientError without a broker.

    Its memory is unbounded while the broker is away, so the caller bounds what it leaves unacknowledged.
    """
    arguments = {
        **client_arguments(settings),
        **_NO_SURPRISES,
        "acks": "all",
        "enable_idempotence": True,
        "delivery_timeout_ms": 30_000,
        "request_timeout_ms": 10_000,
        "max_block_ms": 10_000,
        **over,
    }
    with translated():
        return KafkaProducer(**arguments)


def kill(one: KafkaProducer) -> None:
    """End a producer so that nothing it still holds is sent; whoever waits for it wakes with an error."""
    # KafkaProducer.close(timeout=0) raises before it closes while anything is unacknowledged.
    sender = one._sender  # noqa: SLF001  # there is no other way to the thread that sends
    sender.force_close()
    sender.join(KILL_S)
    with contextlib.suppress(KafkaError, OSError, RuntimeError):
        one.close(timeout=0)


class Producers:
    """The producer of a process, replaced once it could not deliver.

    kafka-python's idempotent producer gives up its producer id when a batch expires, and after a silent connection it
    may never ask for another: it then takes records and sends none, long after the broker is back. Any thread may ask.
    """

    def __init__(self, settings: Settings, **over: Any) -> None:
        self._settings = settings
        self._over = over
        self._lock = threading.Lock()
        self._current: KafkaProducer | None = None

    def get(self) -> KafkaProducer:
        """The producer to send with now. Raises TransientError without a broker."""
        with self._lock:
            if self._current is None:
                self._current = producer(self._settings, **self._over)
            return self._current

    def condemn(self, failed: KafkaProducer) -> None:
        """End a producer that could not deliver; the next `get` opens another."""
        with self._lock:
            if self._current is failed:
                self._current = None
        kill(failed)

    def close(self, bound_s: float) -> None:
        """Send what is under way and close, within about `bound_s` seconds."""
        with self._lock:
            last, self._current = self._current, None
        if last is not None:
            try:
                last.close(timeout=bound_s)
            except KafkaError:
                kill(last)


def consumer(settings: Settings, group: str | None, **over: Any) -> KafkaConsumer:
    """A consumer that commits only when told to and starts at the beginning. Raises TransientError without a broker.

    With a group it is a static member named after the slot, so that a restart takes its partitions back at once.
    """
    arguments = {
        **client_arguments(settings),
        **_NO_SURPRISES,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "fetch_max_wait_ms": 100,
        "request_timeout_ms": 30_000,
        **over,
    }
    if group is not None:
        name = f"{settings.group_prefix}{group}"
        arguments.setdefault("group_id", name)
        arguments.setdefault("session_timeout_ms", SESSION_TIMEOUT_MS)
        arguments.setdefault("heartbeat_interval_ms", HEARTBEAT_MS)
        arguments.setdefault("group_instance_id", f"{name}-{settings.slot}")
    with translated():
        made = KafkaConsumer(**arguments)
    _spare_waits(made)
    return made


def _spare_waits(made: KafkaConsumer) -> None:
    """Let `poll` wait for the network thread only when it has to.

    kafka-python's `poll` stops three times until its network thread has run something: to hear that the coordinator is
    known, to have the next fetch sent, and for records. The first is spared while the coordinator is known and
    connected, the second while records are in hand or a fetch is under way. Measured in two pairs of runs: 8 and 17 %
    of the tracker's apply rate. It leans on the inside of kafka-python 3.0, to which the dependency is pinned; the
    tests of the services' sources run it on a real broker.
    """
    fetcher, coordinator, manager = made._fetcher, made._coordinator, made._manager  # noqa: SLF001
    fetch_records, send_fetches = fetcher.fetch_records, fetcher.send_fetches

    def fetch_what_is_here(
        max_records: int | None = None, update_offsets: bool = True, timeout_ms: float | None = None
    ) -> Any:
        records, partial = fetcher.fetched_records(max_records, update_offsets=update_offsets)
        if not records:
            return fetch_records(max_records, update_offsets=update_offsets, timeout_ms=timeout_ms)
        if not partial:
            manager.call_soon(fetcher._send_fetches_async)  # noqa: SLF001
        return records, False

    def send_missing_fetches() -> Any:
        under_way = any(not future.is_done for future in list(fetcher._fetch_futures))  # noqa: SLF001
        if not under_way or len(manager.cluster.brokers()) > 1:  # another broker may have none under way
            return send_fetches()
        return []

    fetcher.fetch_records, fetcher.send_fetches = fetch_what_is_here, send_missing_fetches
    if coordinator is None:
        return
    ensure_ready = coordinator.ensure_coordinator_ready

    def ensure_coordinator_ready(timeout_ms: float | None = None) -> Any:
        known = coordinator.coordinator_id
        if known is not None and not made._client.is_disconnected(known):  # noqa: SLF001
            return True
        return ensure_ready(timeout_ms=timeout_ms)

    coordinator.ensure_coordinator_ready = ensure_coordinator_ready


def join(member: KafkaConsumer, topic: str, listener: ConsumerRebalanceListener) -> None:
    """Subscribe a member of a group to one topic, whose partitions it knows by then.

    kafka-python's leader assigns what it has metadata of: a group that joins before it knows the topic is assigned
    nothing, and seldom gets another assignment. The order matters: until the topic is subscribed to, each answer
    about metadata leaves it out, and one under way meanwhile would make the client forget the topic for a minute.
    Nobody joins before the first poll. A member that cannot join is closed, for each has a thread of its own.
    """
    with contextlib.ExitStack() as undo, translated():
        undo.callback(member.close, autocommit=False, timeout_ms=CLOSE_MS)
        member.subscribe([topic], listener=listener)
        if not member.partitions_for_topic(topic):
            raise TransientError("Kafka", f"the partitions of {topic} are not known yet")
        undo.pop_all()


def admin(settings: Settings) -> KafkaAdminClient:
    """An administrative client; close it after use."""
    with translated():
        return KafkaAdminClient(
            **client_arguments(settings), request_timeout_ms=10_000, bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS
        )


@lru_cache(maxsize=262_144)
def partition_for(key: str, partitions: int) -> int:
    """The partition of a key, as the Java client computes it, so that other producers agree."""
    return int((murmur2(key.encode()) & 0x7FFF_FFFF) % partitions)


def translate(exc: KafkaError) -> TransientError | FatalError:
    """The library's exception as ours: its own `retriable` decides, plus a broker that is merely away."""
    if exc.retriable or isinstance(exc, KafkaConnectionError):
        return TransientError("Kafka", str(exc) or type(exc).__name__)
    return FatalError(f"Kafka: {type(exc).__name__}: {exc}")


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Within it, KafkaError leaves as TransientError or FatalError, and a socket error as TransientError."""
    try:
        yield
    except KafkaError as exc:
        raise translate(exc) from exc
    except OSError as exc:
        raise TransientError("Kafka", str(exc)) from exc


def ensure_topics(settings: Settings) -> TopicInfo:
    """Create what is missing of our three topics and adopt what exists.

    `project-events` keeps everything (retention off) and is stamped by the broker (LogAppendTime); `project-states` is
    compacted and has the same number of partitions. Raises FatalError when the two disagree, TransientError without
    a broker.
    """
    names = settings.topics
    client = admin(settings)
    try:
        with translated():
            existing = _describe(client, (names.events, names.rejected, names.states))
            partitions = _agreed_partitions(settings, existing)
            missing = [n for n in (names.events, names.rejected, names.states) if n not in existing]
            if missing:
                _create(client, settings, missing, partitions)
                existing = _await_topics(client, (names.events, names.rejected, names.states))
                partitions = _agreed_partitions(settings, existing)
            _warn_about_weak_settings(client, names.events)
        info = TopicInfo(partitions, str(existing[names.events]["topic_id"]).replace("-", "")[:8])
        log.info("topics.ensured", partitions=info.partitions, tag=info.tag, created=missing)
        return info
    finally:
        client.close()


def _describe(client: KafkaAdminClient, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    found = client.describe_topics(list(names))
    return {t["name"]: t for t in found if not t.get("error_code") and t.get("partitions")}


def _await_topics(client: KafkaAdminClient, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + 20.0  # metadata of a new topic reaches the brokers within a second or two
    while True:
        found = _describe(client, names)
        if len(found) == len(names) and all(
            p.get("leader_id", -1) >= 0 for t in found.values() for p in t["partitions"]
        ):
            return found
        if time.monotonic() > deadline:
            raise TransientError("Kafka", f"topics not visible yet: {sorted(set(names) - set(found))}")
        time.sleep(0.05)


def _agreed_partitions(settings: Settings, existing: dict[str, dict[str, Any]]) -> int:
    counts = {
        name: len(existing[name]["partitions"])
        for name in (settings.topics.events, settings.topics.states)
        if name in existing
    }
    if len(set(counts.values())) > 1:
        raise FatalError(f"the topics have different numbers of partitions: {counts}: they must agree")
    return next(iter(counts.values()), settings.partitions)


def _create(client: KafkaAdminClient, settings: Settings, missing: list[str], partitions: int) -> None:
    brokers = len(client.describe_cluster()["brokers"])
    factor = min(REPLICATION, brokers)
    minimum = 2 if factor >= REPLICATION else 1
    common = {"min.insync.replicas": str(minimum)}
    forever = {"retention.ms": "-1", "retention.bytes": "-1"}
    configs: dict[str, dict[str, str]] = {
        settings.topics.events: {**common, **forever, "message.timestamp.type": "LogAppendTime"},
        settings.topics.rejected: {**common, **forever},
        settings.topics.states: {
            **common,
            "cleanup.policy": "compact",
            "segment.bytes": str(STATES_SEGMENT_BYTES),
            "segment.ms": str(STATES_SEGMENT_MS),
            "min.cleanable.dirty.ratio": "0.3",
            "message.timestamp.type": "LogAppendTime",
        },
    }
    for name in missing:
        count = 1 if name == settings.topics.rejected else partitions
        topic = {name: {"num_partitions": count, "replication_factor": factor, "configs": configs[name]}}
        try:
            client.create_topics(topic, timeout_ms=10_000)
        except TopicAlreadyExistsError:  # another service of this stack got there first
            continue
        except InvalidReplicationFactorError as exc:
            raise TransientError("Kafka", f"not enough brokers for {name} yet") from exc
        except UnknownTopicOrPartitionError as exc:
            raise TransientError("Kafka", str(exc)) from exc


def _warn_about_weak_settings(client: KafkaAdminClient, events: str) -> None:
    for setting, value in weak_settings(client, events).items():
        log.warning("topics.warned", topic=events, setting=setting, value=value)


def weak_settings(client: KafkaAdminClient, events: str) -> dict[str, str]:
    """Settings of the events topic under which an acknowledged event could be lost or misdated, with their values."""
    resource = ConfigResource(ConfigResourceType.TOPIC, events)
    answer = client.describe_configs([resource], config_filter="all")
    values = _topic_config(answer, events)
    wanted = {"retention.ms": "-1", "retention.bytes": "-1", "message.timestamp.type": "LogAppendTime"}
    return {name: values[name] for name, want in wanted.items() if name in values and values[name] != want}


def _topic_config(answer: Any, topic: str) -> dict[str, str]:
    by_type = answer.get(ConfigResourceType.TOPIC.name.lower(), answer.get("topic", answer))
    config = by_type.get(topic, {})
    return {name: str(row["value"] if isinstance(row, dict) else row) for name, row in config.items()}
