"""Signed webhooks after the Standard Webhooks specification (standardwebhooks.com).

`webhook-id` is the same at every attempt, `webhook-timestamp` the wall time of the attempt, `webhook-signature` one
`v1,` HMAC-SHA256 per secret, apart by spaces, so that a receiver may change its secret without a gap. Any 2xx is
success and nothing else is; a redirect is not followed; 410 gives the address up; 429 and 503 may name the time to
wait. The operator's own receiver gets every message, those about demonstration data marked as such; the receiver of a
contact gets what is told to that contact, and its address goes by the guard.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from luodi.runtime.clock import Clock
from luodi.runtime.errors import InvalidSettingsError
from luodi.runtime.trace import trace_id
from services.notify.channels import Outcome, Unshaped
from services.notify.channels.wire import TIMEOUT_S, FailedError, Wire, shown_host
from services.notify.channels.writing import Message
from services.notify.contacts import Way, delivery_name
from services.notify.guard import ForbiddenError, Guard
from services.notify.notifications import Notification, Sheet
from services.notify.shaping import Pace

SECRET_PREFIX = "whsec_"  # noqa: S105  # the public mark of a secret, not one
SECRET_BYTES = range(24, 65)  # after the specification: 24 to 64
THREADS = 8
STATUS_GONE = 410
STATUSES_THAT_NAME_A_TIME = frozenset({429, 503})


class WebhookChannel(Unshaped):
    """One receiver."""

    name = "webhook"
    threads = THREADS

    def __init__(self, url: str, secret: str, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        """`secret` holds one or more `whsec_…`, apart by spaces. Raises InvalidSettingsError for one that is none."""
        self._url = url
        self._keys = keys(secret)
        self._clock = clock
        self.endpoint: str | None = f"webhook/{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        self.shown = str(urlsplit(url).hostname)  # a path or query may hold a token: only the host is ever shown
        self._wire = Wire(THREADS, timeout_s)

    def send(self, row: Notification) -> Outcome:
        """Make one attempt, over after `timeout_s` whatever the receiver does."""
        return _attempt(self._wire, self._url, self._keys, row, self._clock)


class ContactWebhook:
    """The receivers of contacts."""

    name = delivery_name("webhook")
    channel = "webhook"
    threads = THREADS
    pace: Pace | None = None

    def __init__(self, guard: Guard, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self._guard = guard
        self._clock = clock
        self._wire = Wire(THREADS, timeout_s, guard)

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """What of a contact's way cannot be used."""
        found = []
        fault = self._guard.fault_of(way.address)
        if fault is not None:
            found.append(("address", fault))
        if way.secret is None:
            found.append(("secret", "required"))
        else:
            try:
                keys(way.secret)
            except InvalidSettingsError:
                found.append(("secret", "bad-secret"))
        if way.mention is not None:
            found.append(("mention", "no-mention-here"))
        return found

    def shown(self, address: str) -> str:
        """Scheme and host: path and query may hold a token."""
        return shown_host(address)

    def send(self, message: Message, way: Way, message_id: str) -> Outcome:  # noqa: ARG002  # it is in the row
        """Make one attempt."""
        try:
            return _attempt(self._wire, way.address, keys(way.secret or ""), message.row, self._clock)
        except ForbiddenError as exc:
            return Outcome("gone", str(exc))


def _attempt(wire: Wire, url: str, signing: tuple[bytes, ...], row: Notification, clock: Clock) -> Outcome:
    """Send once. Raises ForbiddenError where the wire has a guard."""
    body = orjson.dumps(payload(row))
    try:
        answer = wire.post(url, body, _headers(row, body, signing, clock))
    except FailedError as exc:
        return Outcome("retry", str(exc))
    return _judge(answer.status, answer.headers.get("Retry-After"), clock)


def _headers(row: Notification, body: bytes, signing: tuple[bytes, ...], clock: Clock) -> dict[str, str]:
    timestamp = int(clock.wall().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "luodi",
        "webhook-id": row.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(key, row.message_id, timestamp, body) for key in signing),
    }
    trace = trace_id(row.traceparent)
    if trace is not None:
        headers["traceparent"] = f"00-{trace}-{secrets.token_hex(8)}-01"
    return headers


def _judge(status: int, retry_after: str | None, clock: Clock) -> Outcome:
    if 200 <= status < 300:
        return Outcome("sent")
    error = f"http-{status}"
    if status == STATUS_GONE:
        return Outcome("gone", error)
    wait = wait_of(retry_after, clock.wall()) if status in STATUSES_THAT_NAME_A_TIME else 0.0
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
            **({"items": items(row.sheet)} if row.sheet is not None else {}),
        },
    }


def items(sheet: Sheet) -> list[dict[str, Any]]:
    """The lines of a digest as fields."""
    return [
        {
            "group": line.group,
            "text": line.zh,
            "text_en": line.en,
            "number": line.number,
            "url": line.url,
            "project_id": line.project_id,
            **({"light": line.light} if line.light is not None else {}),
        }
        for line in sheet.lines
    ]


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
