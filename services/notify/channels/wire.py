"""HTTP as channels speak it: one request with a bound on the whole of it, no redirects, addresses checked.

The library's own time-outs begin again with every byte, so a receiver that drips its answer could hold a thread for
hours: an attempt is cut off when its time is up, whatever the receiver does.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from services.notify.guard import ForbiddenError, Guard

TIMEOUT_S = 15.0  # for the whole attempt; under the lease of a delivery
CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024  # what is longer is cut off


class FailedError(Exception):
    """There is no answer; whether the message arrived is unknown. The argument names why, without the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered. `complete`: the body was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool


def shown_host(address: str) -> str:
    """An http address without what gives access to it."""
    try:
        parts = urlsplit(address)
    except ValueError:  # one that could not be written today
        return "…"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


class Wire:
    """Connections of one channel, kept for the next message. Safe for several threads."""

    def __init__(self, threads: int, timeout_s: float = TIMEOUT_S, guard: Guard | None = None) -> None:
        """Without a guard any address is connected to."""
        self._guard = guard
        self._timeout_s = timeout_s
        self._pools = urllib3.PoolManager(
            num_pools=64,
            maxsize=threads,
            retries=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, timeout_s), read=timeout_s),
        )
        self._pools.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send once. Raises FailedError, and ForbiddenError when the address must not be connected to."""
        if self._guard is not None and (fault := self._guard.fault_of(url)) is not None:
            # It was written under other rules: the library, which reads such spellings in its own way, never sees it.
            raise ForbiddenError(fault)
        with _Attempt(self._timeout_s, self._guard) as attempt:
            try:
                answer = self._pools.request(
                    "POST", url, body=body, headers=dict(headers), redirect=False, preload_content=False
                )
            except (HTTPError, OSError) as exc:
                raise FailedError("timed-out" if attempt.passed else type(exc).__name__) from exc
            if attempt.passed:  # cut off inside the head of the answer, which the library takes for its end
                answer.close()
                raise FailedError("timed-out")
            content, complete = b"", False
            # The status has been given: what happens to the rest of the answer is told by `complete`.
            with contextlib.suppress(HTTPError, OSError, ValueError):
                content = answer.read(MAX_ANSWER_BYTES, decode_content=False)
                if not answer.read(1, decode_content=False):
                    answer.release_conn()
                    complete = not attempt.passed
            answer.close()
        return Answer(answer.status, answer.headers, content, complete)


class _Attempt:
    """Cuts the connection of this thread's request when the time for the whole attempt is up."""

    def __init__(self, seconds: float, guard: Guard | None) -> None:
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._connection: HTTPConnection | None = None
        self.guard = guard
        self.passed = False

    def __enter__(self) -> Self:
        _here.attempt = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _here.attempt = None

    def watch(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def _cut(self) -> None:
        self.passed = True
        sock = self._connection.sock if self._connection is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


_here = threading.local()


def _announce(connection: HTTPConnection) -> None:
    attempt: _Attempt | None = getattr(_here, "attempt", None)
    if attempt is not None:
        attempt.watch(connection)


def _guarded(connection: HTTPConnection) -> socket.socket | None:
    """A connection to an address that the guard of this attempt has checked; None where there is no guard."""
    attempt: _Attempt | None = getattr(_here, "attempt", None)
    if attempt is None or attempt.guard is None:
        return None
    try:
        return attempt.guard.connect(connection.host, connection.port, CONNECT_TIMEOUT_S)
    except TimeoutError as exc:
        raise ConnectTimeoutError(connection, "timed out") from exc
    except OSError as exc:
        raise NewConnectionError(connection, "refused") from exc


class _HTTPConnection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _announce(self)
        super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        return _guarded(self) or super()._new_conn()


class _HTTPSConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _announce(self)
        super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        return _guarded(self) or super()._new_conn()


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection
