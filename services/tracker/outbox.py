"""What the tracker writes to Kafka: documents and watermarks to `project-states`, rejects to their own topic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from luodi.runtime import kafka
from luodi.runtime.errors import TransientError
from luodi.runtime.settings import Settings
from schemas import states
from services.tracker.ports import Document, Reject, TooLargeError, Unwritten

SENT_S = 15.0  # longer than the producer itself tries: then a future says what happened
REJECT_S = 5.0  # a rejected topic that is away must not hold up the other partitions for long


class KafkaSent:
    """See the port `Sent`."""

    def __init__(
        self,
        producers: kafka.Producers,
        used: KafkaProducer | None,
        documents: Sequence[tuple[int, str, Any]],
        watermarks: Sequence[Any],
    ) -> None:
        self._producers = producers
        self._used = used
        self._documents = documents
        self._watermarks = watermarks

    def done(self) -> bool:
        # Order is kept within a partition only, so each has to be asked.
        return all(future.is_done for _, _, future in self._documents) and all(f.is_done for f in self._watermarks)

    def result(self) -> list[tuple[int, str, int]]:
        deadline = time.monotonic() + SENT_S
        with kafka.translated():
            try:
                for future in self._watermarks:
                    future.get(timeout=max(0.0, deadline - time.monotonic()))
                return [
                    (partition, subject, _offset(partition, subject, future, deadline))
                    for partition, subject, future in self._documents
                ]
            except KafkaError:
                if self._used is not None:
                    self._producers.condemn(self._used)
                raise


def _offset(partition: int, subject: str, future: Any, deadline: float) -> int:
    try:
        return int(future.get(timeout=max(0.0, deadline - time.monotonic())).offset)
    except MessageSizeTooLargeError as exc:  # the topic's own limit may be lower than the producer's
        raise TooLargeError(subject, partition, str(exc)) from exc


class KafkaOutbox:
    """See the port `Outbox`. Each thread has its own; the producers below are shared between them."""

    def __init__(self, settings: Settings, producers: kafka.Producers) -> None:
        self._topics = settings.topics
        self._producers = producers
        self._used: KafkaProducer | None = None
        self._documents: list[tuple[int, str, Any]] = []
        self._watermarks: list[Any] = []

    def state(self, document: Document, traceparent: str | None) -> None:
        partition, subject = document["partition"], document["_id"]
        headers = states.guard_headers(document)
        if traceparent is not None:
            headers.append(("traceparent", traceparent.encode()))
        future = self._send(partition, subject.encode(), states.encode_state(document), headers)
        self._documents.append((partition, subject, future))

    def watermark(self, partition: int, instant: str) -> None:
        self._watermarks.append(self._send(partition, states.WATERMARK_KEY, states.encode_watermark(instant), []))

    def sent(self) -> KafkaSent:
        sent = KafkaSent(self._producers, self._used, self._documents, self._watermarks)
        self._documents, self._watermarks = [], []
        return sent

    def _send(self, partition: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        self._used = self._producers.get()
        with kafka.translated():
            try:
                return self._used.send(self._topics.states, value=value, key=key, headers=headers, partition=partition)
            except MessageSizeTooLargeError as exc:
                raise TooLargeError(key.decode(), partition, str(exc)) from exc

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
