"""What the tracker writes to Kafka: documents and watermarks to `project-states`, rejects to their own topic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from luodi.runtime import kafka
from luodi.runtime.errors import TransientError
from luodi.runtime.settings import Settings
from schemas import states
from services.tracker.ports import Document, Reject, Unwritten

FLUSH_S = 15.0  # longer than the producer itself tries: then a future says what happened
REJECT_S = 5.0  # a rejected topic that is away must not hold up the other partitions for long


class KafkaOutbox:
    """See the port `Outbox`. Each thread has its own; the producers below are shared between them."""

    def __init__(self, settings: Settings, producers: kafka.Producers) -> None:
        self._topics = settings.topics
        self._producers = producers
        self._states: list[tuple[int, str, Any]] = []
        self._marks: list[Any] = []

    def state(self, document: Document, traceparent: str | None) -> None:
        partition, subject = document["partition"], document["_id"]
        headers = states.guard_headers(document)
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        with kafka.translated():
            future = self._producers.get().send(
                self._topics.states,
                value=states.encode_state(document),
                key=subject.encode(),
                headers=headers,
                partition=partition,
            )
        self._states.append((partition, subject, future))

    def watermark(self, partition: int, instant: str) -> None:
        with kafka.translated():
            self._marks.append(
                self._producers.get().send(
                    self._topics.states,
                    value=states.encode_watermark(instant),
                    key=states.WATERMARK_KEY,
                    partition=partition,
                )
            )

    def flush(self) -> list[tuple[int, str, int]]:
        sent, self._states = self._states, []
        marks, self._marks = self._marks, []
        if not sent and not marks:
            return []
        producer = self._producers.get()
        with kafka.translated():
            try:
                producer.flush(timeout=FLUSH_S)
                # A flush that returns says only that every future is done: each may still have failed.
                for future in marks:
                    future.get(timeout=0)
                return [(partition, subject, future.get(timeout=0).offset) for partition, subject, future in sent]
            except KafkaError:
                self._producers.condemn(producer)
                raise

    def reject(self, rejects: Sequence[Reject]) -> dict[int, Unwritten]:
        unwritten: dict[int, Unwritten] = {}
        futures: list[tuple[Reject, Any]] = []
        producer = self._producers.get()
        for reject in rejects:
            try:
                futures.append((reject, self._send_reject(producer, reject)))
            except KafkaError as exc:
                self._note_unwritten(unwritten, reject, exc)
        deadline = time.monotonic() + REJECT_S
        for reject, future in futures:
            try:
                future.get(timeout=max(0.0, deadline - time.monotonic()))
            except KafkaError as exc:
                self._note_unwritten(unwritten, reject, exc)
        if any(failed.passing for failed in unwritten.values()):
            self._producers.condemn(producer)
        return unwritten

    def _send_reject(self, producer: KafkaProducer, reject: Reject) -> Any:
        topic = self._topics.events
        value = states.encode_rejected(
            topic=topic,
            partition=reject.partition,
            offset=reject.offset,
            reason=reject.reason,
            detail=reject.detail,
            rejected_at=reject.rejected_at,
            key=reject.key,
            value=reject.value,
        )
        identity = states.rejected_id(topic, reject.partition, reject.offset)
        return producer.send(self._topics.rejected, value=value, key=identity.encode())

    def _note_unwritten(self, unwritten: dict[int, Unwritten], reject: Reject, exc: KafkaError) -> None:
        held = unwritten.get(reject.partition)
        if held is None or reject.offset < held.offset:
            passing = isinstance(kafka.translate(exc), TransientError)
            unwritten[reject.partition] = Unwritten(reject.offset, passing, f"{type(exc).__name__}: {exc}")
