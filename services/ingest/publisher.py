"""Kafka as the event log: group commit through one producer per process.

Posts that arrive while a group is on its way travel together in the next one, so a group grows with the load and costs
one round trip, and a lone post waits for nobody.

A producer that could not deliver something in time is condemned as a whole: it is closed by force before any of its
callers is answered, and a new one is opened once the broker answers again. Only so is nothing sent after its 503: the
library keeps batches beyond their delivery time-out while it has no producer id, and sends them when it has one again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import (
    InvalidRecordError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from luodi.runtime import kafka, logging
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.settings import Settings
from services.ingest.groups import Group
from services.ingest.ports import Appended, Away, Full, Outgoing, Receipt

WAIT_S = 4.0  # for the acknowledgement of a group; with the closing of its producer a post is answered within 5 s
REQUEST_TIMEOUT_MS = 1_500  # leaves time for a second attempt within the delivery time-out
DELIVERY_TIMEOUT_MS = 3_500  # below WAIT_S
LINGER_MS = 1_000  # never waited for: a group is flushed as soon as it is complete, and not before
CROWD = 2  # posts in a group from which on the next group is given time to form
HOLD_S = 0.0015  # measured: under load a tenth less work per post here, and fewer requests for the broker
MAX_GROUP = 2_000  # events; a larger group would keep its first post waiting for its last
MAX_UNACKED = 20_000  # events of one process
MAX_UNACKED_BYTES = 32 * 1024 * 1024
QUIET_S = 1.0  # without an acknowledgement for so long the broker is asked whether it is there
PROBE_TIMEOUT_MS = 2_000
REST_S = 0.3  # between two looks of the keeper
KILL_S = 0.5  # for the sender thread to end after it was told to
GRACE_S = 2.0  # beyond WAIT_S: no caller waits longer, whatever the committing thread has met

_ITS_OWN_FAULT = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError)

log = logging.get("publisher")


class _Ticket:
    """The records of one append, and the place where its caller waits for them."""

    __slots__ = ("_done", "receipts", "records")

    def __init__(self, records: Sequence[Outgoing]) -> None:
        self.records = records
        self.receipts: Sequence[Receipt | None] | None = None  # None: never handed to the producer
        self._done = threading.Lock()  # half the price of an Event, a few thousand times a second
        self._done.acquire()

    def resolve(self, receipts: Sequence[Receipt | None] | None) -> None:
        self.receipts = receipts
        self._done.release()

    def wait(self, timeout_s: float) -> bool:
        return self._done.acquire(timeout=timeout_s)


class _Session:
    """One producer from its opening to its end, and the thread that feeds it."""

    def __init__(
        self, producer: KafkaProducer, info: TopicInfo, topic: str, wait_s: float, lost: Callable[[Exception], None]
    ) -> None:
        """`lost` is called when the producer has failed and was killed."""
        self.info = info
        self.heard = monotonic()
        self._producer = producer
        self._places = [TopicPartition(topic, partition) for partition in range(info.partitions)]
        self._wait_s = wait_s
        self._lost = lost
        self._queue: SimpleQueue[_Ticket | None] = SimpleQueue()
        self._end = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def append(self, records: Sequence[Outgoing]) -> Sequence[Receipt | None]:
        """See `EventLog.append`."""
        ticket = _Ticket(records)
        self._queue.put(ticket)
        if self._ended:
            self._turn_away()
        if not ticket.wait(self._wait_s + GRACE_S):
            self.kill()
            self._lost(KafkaTimeoutError("the committing thread does not answer"))
            return [None] * len(records)
        if ticket.receipts is None:
            raise Away("Kafka is away")
        return ticket.receipts

    def kill(self) -> None:
        """End it so that nothing it still holds can be sent."""
        with self._end:
            if self._ended:
                return
            self._ended = True
            self._queue.put(None)
            # KafkaProducer.close(timeout=0) raises before it closes anything while something is unacknowledged.
            sender = self._producer._sender  # noqa: SLF001
            sender.force_close()
            sender.join(KILL_S)
            with contextlib.suppress(KafkaError, OSError, RuntimeError):
                self._producer.close(timeout=0)

    def close(self, bound_s: float) -> None:
        """End it in order: what was handed in is sent and waited for."""
        self._queue.put(None)
        self._thread.join(bound_s)
        with self._end:
            if not self._ended:
                self._ended = True
                with contextlib.suppress(KafkaError):
                    self._producer.close(timeout=bound_s)
        self._turn_away()

    def _run(self) -> None:
        ending = False
        while not ending:
            group, ending = self._next_group()
            if group:
                ending |= not self._commit(group)
            if len(group) > CROWD:
                time.sleep(HOLD_S)
        self._turn_away()

    def _next_group(self) -> tuple[list[_Ticket], bool]:
        """Wait for a ticket and take those that have come beside it; True when there is to be no other group."""
        ticket = self._queue.get()
        group: list[_Ticket] = []
        size = 0
        while ticket is not None:
            group.append(ticket)
            size += len(ticket.records)
            if size >= MAX_GROUP:
                return group, False
            try:
                ticket = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _commit(self, group: Sequence[_Ticket]) -> bool:
        """Send a group and wait for it; False when the producer is of no use any more."""
        together = Group(self._places)
        failure: Exception | None = None
        try:
            for ticket in group:
                together.add(ticket.records)
            together.hand_over(self._producer)
            self._producer.flush(self._wait_s)
        except Exception as exc:  # noqa: BLE001 - whatever it was, every caller is answered and the producer is given up
            failure = exc
        receipts, met = together.receipts()
        failure = failure or met
        if failure is None:
            self.heard = monotonic()
        elif isinstance(failure, _ITS_OWN_FAULT):
            log.error("append.refused", error=str(failure))
        else:
            self.kill()  # before anybody hears that the outcome is unknown
            self._lost(failure)
        at = 0
        for ticket in group:
            held = receipts[at : at + len(ticket.records)]
            at += len(ticket.records)
            ticket.resolve([*held, *[None] * (len(ticket.records) - len(held))])
        return not self._ended

    def _turn_away(self) -> None:
        """Tell those who came too late that nothing of theirs was sent."""
        while True:
            try:
                ticket = self._queue.get_nowait()
            except Empty:
                return
            if ticket is not None:
                ticket.resolve(None)


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
        """`observe_unacked` is told the number of unacknowledged events a few times a second."""
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
            **producer_arguments,
        }
        self._session: _Session | None = None
        self._reachable = False
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
        with self._room_for(records):
            return Appended(session.info.tag, session.append(records))

    @contextlib.contextmanager
    def _room_for(self, records: Sequence[Outgoing]) -> Iterator[None]:
        count, size = len(records), sum(len(record.value) for record in records)
        with self._bound:
            if self._unacked + count > self._max_unacked or self._unacked_bytes + size > MAX_UNACKED_BYTES:
                raise Full(f"{self._unacked} events await acknowledgement")
            self._unacked += count
            self._unacked_bytes += size
        try:
            yield
        finally:
            with self._bound:
                self._unacked -= count
                self._unacked_bytes -= size

    def _keep(self) -> None:
        while not self._stopping.is_set():
            session = self._session
            if session is None:
                self._open()
            elif monotonic() - session.heard > QUIET_S:
                self._probe(session)
            self._observe(self._unacked)
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
                with contextlib.suppress(KafkaError):
                    producer.close(timeout=0)
            return
        session = _Session(producer, info, self._topic, self._wait_s, self._lose)
        if self._stopping.is_set():
            session.close(0)
            return
        self._session = session
        self._reachable = True
        log.info("kafka.found", partitions=info.partitions, tag=info.tag)

    def _lose(self, failure: Exception) -> None:
        self._reachable = False
        self._session = None
        log.warning("kafka.lost", error=f"{type(failure).__name__}: {failure}")
        self._wake.set()

    def _probe(self, session: _Session) -> None:
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
            if session.heard < began and self._reachable:
                self._reachable = False
                log.warning("kafka.lost", error=f"{type(exc).__name__}: {exc}")
            return
        session.heard = monotonic()
        if not self._reachable and self._session is session:
            self._reachable = True
            log.info("kafka.found")

    def _drop_admin(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            with contextlib.suppress(KafkaError, OSError):
                admin.close()
