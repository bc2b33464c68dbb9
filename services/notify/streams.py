"""The live inbox: server-sent events fed by a MongoDB change stream, so every notifier tells of every row.

The id of each event is the change stream's resume token; a client that comes back with `Last-Event-ID` goes on after
it. A token that is too old is answered with the event `reset` (read the list again), then the stream goes on from now.
The heartbeat carries the newest token, so an idle client's token never grows old.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError

from luodi.runtime import mongo
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.notify.documents import notification_from
from services.notify.notifications import Notification

MAX_STREAMS = 32  # each holds a thread of the server and a cursor of the database
HEARTBEAT_S = 15.0
LOOK_S = 0.5  # how soon a stream notices that the service stops
RETRY_MS = 2_000  # what a client is told to wait before it comes back

HISTORY_LOST = frozenset({280, 286})  # ChangeStreamFatalError, ChangeStreamHistoryLost: the place named is gone


class TokenLostError(Exception):
    """The place to go on from is not known any more."""


@dataclass(frozen=True, slots=True)
class Told:
    """One step of a feed: the newest token, and a row when there is one."""

    token: str | None
    row: Notification | None = None


class Feed(Protocol):
    """Rows as they are written."""

    def next(self, wait_s: float) -> Told:
        """The next row, or after about `wait_s` none. Raises TokenLostError, TransientError."""

    def close(self) -> None:
        """Free what it holds."""


class MongoFeed:
    """A change stream over the inserts of the ledger."""

    def __init__(self, database: Database[mongo.Document], after: str | None, recipient: str | None) -> None:
        """Open at once, so that nothing written from now on is missed. Raises TokenLostError, TransientError."""
        match: dict[str, Any] = {"operationType": "insert", "fullDocument.status": {"$ne": "superseded"}}
        if recipient is not None:
            match["fullDocument.recipient"] = recipient
        token = {"_data": after} if after is not None else None
        try:
            self._stream = database["notifications"].watch(
                [{"$match": match}], resume_after=token, max_await_time_ms=int(LOOK_S * 1000)
            )
        except PyMongoError as exc:
            failure = mongo.translate(exc)
            # A token that the server cannot make sense of fails in many ways; without one the same call succeeds.
            if after is not None and isinstance(failure, FatalError):
                raise TokenLostError(str(exc)) from exc
            raise failure from exc

    def next(self, wait_s: float) -> Told:  # noqa: ARG002  # the wait is that of the server, fixed at the opening
        try:
            change = self._stream.try_next()
        except PyMongoError as exc:
            if isinstance(exc, OperationFailure) and exc.code in HISTORY_LOST:
                raise TokenLostError(str(exc)) from exc
            raise mongo.translate(exc) from exc
        token = self._stream.resume_token
        text = str(token["_data"]) if token is not None else None
        return Told(text, notification_from(change["fullDocument"]) if change is not None else None)

    def close(self) -> None:
        try:
            self._stream.close()
        except PyMongoError:  # the cursor ends with its session at the server
            return


OpenFeed = Callable[[str | None, str | None], Feed]
Render = Callable[[Notification], dict[str, Any]]


class Streams:
    """All live streams of this process; they end when it stops."""

    def __init__(self, open_feed: OpenFeed, stop: Stop, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self._open_feed = open_feed
        self._stop = stop
        self._metrics = metrics
        self._monotonic = monotonic
        self._places = threading.BoundedSemaphore(MAX_STREAMS)

    def open(self, after: str | None, recipient: str | None, render: Render) -> Iterator[bytes] | None:
        """The bytes of a new stream; None when there is no place for one more.

        The feed is open when this returns: a client that has read the head of the answer misses nothing. Raises
        TransientError.
        """
        if not self._places.acquire(blocking=False):
            return None
        try:
            feed, lost = self._begin(after, recipient)
        except BaseException:
            self._places.release()
            raise
        self._metrics.streams.inc()
        return _Stream(self._bytes(feed, lost, recipient, render), lambda: self._end(feed))

    def _begin(self, after: str | None, recipient: str | None) -> tuple[Feed, bool]:
        try:
            return self._open_feed(after, recipient), False
        except TokenLostError:
            return self._open_feed(None, recipient), True

    def _end(self, feed: Feed) -> None:
        feed.close()
        self._metrics.streams.dec()
        self._places.release()

    def _bytes(self, feed: Feed, lost: bool, recipient: str | None, render: Render) -> Iterator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MS
        if lost:
            yield event("reset", {"recipient": recipient}, None)
        beat = self._monotonic()
        try:
            while not self._stop.asked:
                told = feed.next(LOOK_S)
                if told.row is not None:
                    yield event("notification", render(told.row), told.token)
                if self._monotonic() - beat >= HEARTBEAT_S:
                    beat = self._monotonic()
                    yield heartbeat(told.token)
        except TokenLostError:
            yield event("reset", {"recipient": recipient}, None)
        except TransientError:
            return  # the client comes back with its last id


class _Stream:
    """The answer's body. The server closes it however the answer ends, also when it never began."""

    def __init__(self, chunks: Iterator[bytes], end: Callable[[], None]) -> None:
        self._chunks = chunks
        self._end = end
        self._lock = threading.Lock()
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        with self._lock:
            if self._ended:
                return
            self._ended = True
        self._end()


def event(name: str, data: dict[str, Any], token: str | None) -> bytes:
    """One event in the form of the HTML standard; JSON holds no line break, so one data line is enough."""
    head = f"id: {token}\n" if token else ""
    return f"{head}event: {name}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"


def heartbeat(token: str | None) -> bytes:
    """A comment that keeps the connection, with an id and no data: it moves the client's last id and nothing else."""
    return b": heartbeat\n" + (f"id: {token}\n".encode() if token else b"") + b"\n"
