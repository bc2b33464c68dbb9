"""Looking at a topic from the outside, as any consumer would."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from kafka import KafkaConsumer, TopicPartition

from luodi.domain.events import Event
from schemas import codec

SHANGHAI = ZoneInfo("Asia/Shanghai")


def unique_prefix() -> str:
    return f"ingest-{uuid.uuid4().hex[:8]}-"


@dataclass(frozen=True)
class Written:
    """A record of the topic, read."""

    partition: int
    offset: int
    timestamp_ms: int
    event: Event


def read_topic(bootstrap: str, topic: str) -> list[Written]:
    """Everything that stands in the topic at this moment."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
    )
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        written: list[Written] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                written += [
                    Written(r.partition, r.offset, r.timestamp, codec.decode(r.value, r.key, SHANGHAI)) for r in records
                ]
        return written
    finally:
        consumer.close()
