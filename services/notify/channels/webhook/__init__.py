"""Signed webhooks after the Standard Webhooks specification (standardwebhooks.com).

`webhook-id` is the same at every attempt, `webhook-timestamp` the wall time of the attempt, `webhook-signature` one
`v1,` HMAC-SHA256 per secret, apart by spaces, so that a receiver may change its secret without a gap. Any 2xx is
success and nothing else is; a redirect is not followed; 410 gives the address up; 429 and 503 may name the time to
wait. The address is the operator's own receiver: it gets every message, those about demonstration data marked as such.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import secrets
import socket
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlsplit

import orjson
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from luodi.runtime.clock import Clock
from luodi.runtime.errors import InvalidSettingsError
from luodi.runtime.trace import trace_id
from services.notify.channels import Outcome
from services.notify.notifications import Notification

TIMEOUT_S = 15.0  # for the whole attempt; the specification recommends 15 to 30 s
CONNECT_TIMEOUT_S = 5.0
SECRET_PREFIX = "whsec_"  # noqa: S105  # the public mark of a secret, not one
SECRET_BYTES = range(24, 65)  # after the specification: 24 to 64
THREADS = 8
MAX_ANSWER_BYTES = 64 * 1024  # read so that the connection can be used again; what is longer is cut off
STATUS_GONE = 410
STATUSES_THAT_NAME_A_TIME = frozenset({429, 503})


class WebhookChannel:
    """One receiver."""

    name = "webhook"
    threads = THREADS

    def __init__(self, url: str, secret: str, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        """`secret` holds one or more `whsec_…`, apart by spaces. Raises InvalidSettingsError for one that is none."""
        self._url = url
        self._keys = keys(secret)
        self._clock = clock
        self._timeout_s = timeout_s
        self.endpoint: str | None = f"webhook/{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self.shown = str(urlsplit(url).hostname)  # a path or query may hold a token: only the host is ever shown
        self._pools = urllib3.PoolManager(
            maxsize=THREADS,
            retries=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, timeout_s), read=timeout_s),
        )
        self._pools.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def send(self, row: Notification) -> Outcome:
        """Make one attempt, over after `timeout_s` whatever the receiver does."""
        body = orjson.dumps(payload(row))
        headers = self._headers(row, body)
        with _Deadline(self._timeout_s) as deadline:
            try:
                answer = self._pools.request(
                    "POST", self._url, body=body, headers=headers, redirect=False, preload_content=False
                )
            except (HTTPError, OSError) as exc:
                return Outcome("retry", "timed-out" if deadline.passed else type(exc).__name__)
            if deadline.passed:  # cut off inside the head of the answer, which the library takes for its end
                answer.close()
                return Outcome("retry", "timed-out")
            outcome = self._judge(answer.status, answer.headers.get("Retry-After"))
            # The status has been given: whatever happens to the rest of the answer changes nothing.
            with contextlib.suppress(HTTPError, OSError, ValueError):
                answer.read(MAX_ANSWER_BYTES, decode_content=False)
                if not answer.read(1, decode_content=False):
                    answer.release_conn()
            answer.close()
        return outcome

    def _headers(self, row: Notification, body: bytes) -> dict[str, str]:
        timestamp = int(self._clock.wall().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "luodi",
            "webhook-id": row.message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(sign(key, row.message_id, timestamp, body) for key in self._keys),
        }
        trace = trace_id(row.traceparent)
        if trace is not None:
            headers["traceparent"] = f"00-{trace}-{secrets.token_hex(8)}-01"
        return headers

    def _judge(self, status: int, retry_after: str | None) -> Outcome:
        if 200 <= status < 300:
            return Outcome("sent")
        error = f"http-{status}"
        if status == STATUS_GONE:
            return Outcome("gone", error)
        wait = wait_of(retry_after, self._clock.wall()) if status in STATUSES_THAT_NAME_A_TIME else 0.0
        return Outcome("retry", error, wait)


def payload(row: Notification) -> dict[str, Any]:
    """The body: type, timestamp and data, as the specification lays out; the same at every attempt."""
    texts = row.texts
    return {
        "type": f"notification.{row.kind}",
        "timestamp": row.created_at,
        "data": {
            "id": row.id,
            "kind": row.kind,
            "matter": row.matter,
            "episode": row.episode,
            "project_id": row.project_id,
            "zone": row.zone,
            "demo": row.demo,
            "gap": list(row.gap) if row.gap else None,
            "rule": row.rule,
            "level": row.level,
            "recipient": row.recipient,
            "title": texts.title_zh,
            "text": texts.text_zh,
            "title_en": texts.title_en,
            "text_en": texts.text_en,
            "url": row.url,
            "created_at": row.created_at,
        },
    }


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature: version and base64 of HMAC-SHA256 over `id.timestamp.body`."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def keys(secret: str) -> tuple[bytes, ...]:
    """The keys of one or more secrets. Raises InvalidSettingsError, never showing a secret."""
    found, faults = [], []
    for number, text in enumerate(secret.split(), 1):
        try:
            key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            faults.append(f"LUODI_WEBHOOK_SECRET: secret {number} is not base64 after {SECRET_PREFIX}")
            continue
        if len(key) not in SECRET_BYTES or not text.startswith(SECRET_PREFIX):
            faults.append(
                f"LUODI_WEBHOOK_SECRET: secret {number} must be {SECRET_PREFIX} and the base64 of "
                f"{SECRET_BYTES.start} to {SECRET_BYTES.stop - 1} bytes"
            )
        found.append(key)
    if not found and not faults:
        faults.append("LUODI_WEBHOOK_SECRET holds no secret")
    if faults:
        raise InvalidSettingsError(faults)
    return tuple(found)


def wait_of(retry_after: str | None, wall: datetime) -> float:
    """Seconds that a `Retry-After` asks for: a number of seconds or a date; 0 when it says nothing that can be read."""
    if retry_after is None:
        return 0.0
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - wall).total_seconds())


class _Deadline:
    """Cuts the connection of this thread's request when the time for the whole attempt is up.

    The library's own time-outs begin again with every byte, so a receiver that drips its answer could hold a thread for
    hours.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._connection: HTTPConnection | None = None
        self.passed = False

    def __enter__(self) -> Self:
        _here.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _here.deadline = None

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
    deadline: _Deadline | None = getattr(_here, "deadline", None)
    if deadline is not None:
        deadline.watch(connection)


class _HTTPConnection(HTTPConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _announce(self)
        super().request(*args, **kwargs)


class _HTTPSConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        _announce(self)
        super().request(*args, **kwargs)


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection
