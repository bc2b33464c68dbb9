"""Kafka as the log of events that notify tells: what people have done about stalls, on `project-events`."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kafka.errors import KafkaError

from luodi.domain.events import Event
from luodi.runtime import kafka
from luodi.runtime.settings import Settings
from schemas import codec

SOURCE = "/luodi/notify"
SENT_S = 10.0  # for all of an append to be durable
DELIVERY_TIMEOUT_MS = 8_000  # below it: nothing is written after the append has failed


class KafkaEvents:
    """See the port `EventLog`. The producer is opened with the first event."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topics.events
        self._producers = kafka.Producers(
            settings, delivery_timeout_ms=DELIVERY_TIMEOUT_MS, request_timeout_ms=DELIVERY_TIMEOUT_MS // 2
        )

    def append(self, events: Sequence[tuple[int, Event]]) -> None:
        producer = self._producers.get()
        with kafka.translated():
            try:
                futures = [
                    producer.send(
                        self._topic, key=event.subject.encode(), value=codec.encode(event, SOURCE), partition=partition
                    )
                    for partition, event in events
                ]
                deadline = time.monotonic() + SENT_S
                for future in futures:
                    future.get(timeout=max(0.0, deadline - time.monotonic()))
            except KafkaError:
                self._producers.condemn(producer)
                raise

    def close(self, bound_s: float) -> None:
        """End the producer, if there is one."""
        self._producers.close(bound_s)
