"""What notify says is wrong with the system itself, for people at a terminal: asked for over its public API."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from luodi.local.net import OK, PROBE_TIMEOUT_S, reachable

if TYPE_CHECKING:
    from luodi.local.settings import StackSettings

MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class Fault:
    """A fault that notify has told the operators of: of which kind, since when, in a sentence."""

    kind: str
    opened_at: str
    text: str


@dataclass(frozen=True)
class Unreached:
    """An address whose last attempt failed. `recipient`: whose it is, None: the operator's receiver."""

    channel: str
    recipient: str | None
    attempts: int
    since: str
    error: str


@dataclass(frozen=True)
class Told:
    """All of it."""

    faults: tuple[Fault, ...]
    unreached: tuple[Unreached, ...]


def ask(settings: StackSettings) -> Told | None:
    """What notify knows now; None when it does not answer."""
    at = reachable(settings.services.notify_listen)
    headers = {"Accept-Language": "en"}
    if settings.services.api_key is not None:
        headers["Authorization"] = f"Bearer {settings.services.api_key}"
    link = http.client.HTTPConnection(at.host, at.port, timeout=PROBE_TIMEOUT_S)
    try:
        link.request("GET", "/v1/self-watch", headers=headers)
        answer = link.getresponse()
        body = answer.read(MAX_BYTES)
        return _told(json.loads(body)) if answer.status == OK else None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None  # away, or of another version: neither is a fault of what it would have told
    finally:
        link.close()


def _told(body: dict[str, Any]) -> Told:
    return Told(
        tuple(Fault(row["fault"], row["opened_at"], row["text"]) for row in body["faults"]),
        tuple(
            Unreached(row["channel"], row["recipient"], row["attempts"], row["since"], row["error"])
            for row in body["failing"]
        ),
    )
