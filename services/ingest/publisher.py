"""Kafka as the event log: one shared producer per process, so that many requests travel in one round trip.

A producer that could not deliver something in time is condemned as a whole: it is closed by force before any of its
callers is answered, and a new one is opened once the broker answers again. Only so is nothing sent after its 503: the
library keeps batches beyond their delivery time-out while it has no producer id, and sends them when it has one again.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import InvalidRecordError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from luodi.runtime import kafka, logging
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.settings import Settings
from services.ingest.ports import Appended, Away, Full, Outgoing, Receipt

WAIT_S = 4.0  # for an acknowledgement; with closing the producer a post is answered within 5 s
REQUEST_TIMEOUT_MS = 1_500  # leaves time for a second attempt within the delivery time-out
DELIVERY_TIMEOUT_MS = 3_500  # below WAIT_S
LINGER_MS = 2  # measured: the posts that arrive within one acknowledgement's time travel together anyway
BATCH_BYTES = 256 * 1024
MAX_UNACKED = 20_000  # events of one process
MAX_UNACKED_BYTES = 32 * 1024 * 1024
QUIET_S = 1.0  # without an acknowledgement for so long the broker is asked whether it is there
PROBE_TIMEOUT_MS = 2_000
REST_S = 0.3  # between two looks of the keeper
KILL_S = 0.5  # for the sender thread to end after it was told to

_ITS_OWN_FAULT = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError)

log = logging.get("publisher")


class _Session:
    """One producer from its opening to its end."""

    def __init__(self, producer: KafkaProducer, info: TopicInfo) -> None:
        self.producer = producer
        self.info = info
        self._end = threading.Lock()
        self._ended = False

    def kill(self) -> None:
        """End it so that nothing it still holds can be sent; its waiting callers wake with an error."""
        with self._end:
            if self._ended:
                return
            self._ended = True
            # KafkaProducer.close(timeout=0) raises before it closes while anything is unacknowledged.
            sender = self.producer._sender  # noqa: SLF001
            sender.force_close()
            sender.join(KILL_S)
            with contextlib.suppress(KafkaError, OSError, RuntimeError):
                self.producer.close(timeout=0)

    def close(self, bound_s: float) -> None:
        """End it in order: what was sent is waited for."""
        with self._end:
            if self._ended:
                return
            self._ended = True
            with contextlib.suppress(KafkaError):
                self.producer.close(timeout=bound_s)


class KafkaLog:
    """The event log on `project-events`. Build it after the process has forked, then `start`."""

    def __init__(
        self,
        settings: Settings,
        *,
        wait_s: float = WAIT_S,
        max_unacked: int = MAX_UNACKED,
        observe_unacked: Callable[[int], None] = lambda _: None,
        **producer_arguments: Any,
    ) -> None:
        """`observe_unacked` is told the number of unacknowledged events whenever it changes."""
        self._settings = settings
        self._topic = settings.topics.events
        self._wait_s = wait_s
        self._max_unacked = max_unacked
        self._observe = observe_unacked
        self._producer_arguments = {
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            "delivery_timeout_ms": DELIVERY_TIMEOUT_MS,
            "max_block_ms": REQUEST_TIMEOUT_MS,
            "bootstrap_timeout_ms": PROBE_TIMEOUT_MS,
            "linger_ms": LINGER_MS,
            "batch_size": BATCH_BYTES,
            **producer_arguments,
        }
        self._session: _Session | None = None
        self._reachable = False
        self._heard = 0.0
        self._bound = threading.Lock()
        self._unacked = 0
        self._unacked_bytes = 0
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="kafka-keeper", daemon=True)
        self._admin: KafkaAdminClient | None = None

    def start(self) -> None:
        """Begin to look for the broker in the background; until it is found every append raises Away."""
        self._keeper.start()

    def stop(self, bound_s: float) -> None:
        """Send what is underway and close, within about `bound_s` seconds."""
        self._stopping.set()
        self._wake.set()
        session, self._session = self._session, None
        if session is not None:
            session.close(bound_s)

    def missing(self) -> str | None:
        """What keeps the log from taking records, None when a live broker is there."""
        if self._session is None:
            return "no connection to Kafka"
        return None if self._reachable else "Kafka does not answer"

    def append(self, records: Sequence[Outgoing]) -> Appended:
        """See `EventLog.append`. The outcome comes within `wait_s` and the time it takes to close a producer."""
        session = self._session
        if session is None or not self._reachable:
            raise Away("Kafka is away")
        deadline = monotonic() + self._wait_s
        with self._room_for(records):
            futures, failure = self._send(session, records)
            receipts: list[Receipt | None] = []
            for future in futures:
                try:
                    metadata = future.get(max(deadline - monotonic(), 0.0))
                    receipts.append(Receipt(metadata.partition, metadata.offset, metadata.timestamp))
                except KafkaError as exc:
                    failure = exc
                    receipts.append(None)
            if failure is None:
                self._heard = monotonic()
            else:
                self._condemn(session, failure)
            receipts.extend([None] * (len(records) - len(receipts)))
        return Appended(session.info.tag, receipts)

    def _send(self, session: _Session, records: Sequence[Outgoing]) -> tuple[list[Any], Exception | None]:
        send, topic, partitions = session.producer.send, self._topic, session.info.partitions
        futures = []
        try:
            for subject, value in records:
                # Passing the partition spares the library hashing the key in Python, a third of the time of a send.
                partition = kafka.partition_for(subject, partitions)
                futures.append(send(topic, value, subject.encode(), partition=partition))
        except (KafkaError, ValueError) as exc:  # ValueError: the topic lost partitions under us
            return futures, exc
        return futures, None

    @contextlib.contextmanager
    def _room_for(self, records: Sequence[Outgoing]) -> Iterator[None]:
        count, size = len(records), sum(len(record.value) for record in records)
        with self._bound:
            if self._unacked + count > self._max_unacked or self._unacked_bytes + size > MAX_UNACKED_BYTES:
                raise Full(f"{self._unacked} events await acknowledgement")
            self._unacked += count
            self._unacked_bytes += size
        self._observe(self._unacked)
        try:
            yield
        finally:
            with self._bound:
                self._unacked -= count
                self._unacked_bytes -= size
            self._observe(self._unacked)

    def _condemn(self, session: _Session, failure: Exception) -> None:
        if isinstance(failure, _ITS_OWN_FAULT):
            log.error("append.refused", error=str(failure))
            return
        if self._session is session:
            self._session = None
            self._reachable = False
            log.warning("kafka.lost", error=f"{type(failure).__name__}: {failure}")
            self._wake.set()
        session.kill()

    def _keep(self) -> None:
        while not self._stopping.is_set():
            if self._session is None:
                self._open()
            elif monotonic() - self._heard > QUIET_S:
                self._probe()
            self._wake.wait(REST_S)
            self._wake.clear()
        self._drop_admin()

    def _open(self) -> None:
        producer = None
        try:
            info = kafka.ensure_topics(self._settings)
            producer = kafka.producer(self._settings, **self._producer_arguments)
            producer.partitions_for(self._topic)
        except (TransientError, FatalError, KafkaError) as exc:
            # Fatal here is, say, a wrong password: an operator mends it at the broker too, so keep asking.
            log.warning("kafka.sought", error=f"{type(exc).__name__}: {exc}")
            if producer is not None:
                _Session(producer, info).kill()
            return
        session = _Session(producer, info)
        if self._stopping.is_set():
            session.kill()
            return
        self._heard = monotonic()
        self._reachable = True
        self._session = session
        log.info("kafka.found", partitions=info.partitions, tag=info.tag)

    def _probe(self) -> None:
        began = monotonic()
        try:
            if self._admin is None:
                self._admin = KafkaAdminClient(
                    **kafka.client_arguments(self._settings),
                    request_timeout_ms=PROBE_TIMEOUT_MS,
                    bootstrap_timeout_ms=PROBE_TIMEOUT_MS,
                )
            self._admin.describe_topics([self._topic])
        except (KafkaError, OSError) as exc:
            self._drop_admin()
            if self._heard < began and self._reachable:
                self._reachable = False
                log.warning("kafka.lost", error=f"{type(exc).__name__}: {exc}")
            return
        self._heard = monotonic()
        if not self._reachable and self._session is not None:
            self._reachable = True
            log.info("kafka.found")

    def _drop_admin(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            with contextlib.suppress(KafkaError, OSError):
                admin.close()
