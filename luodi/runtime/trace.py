"""W3C Trace Context: the `traceparent` that ties a request to the record and the message that follow from it."""

from __future__ import annotations

import re
import secrets

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def new() -> str:
    """A fresh `traceparent`, sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def accept(header: str | None) -> str:
    """The caller's `traceparent` when it is well formed, else a fresh one."""
    return header if header and _TRACEPARENT.fullmatch(header) else new()


def trace_id(traceparent: str | None) -> str | None:
    """The 32 hex digits that logs carry, or None."""
    return traceparent[3:35] if traceparent and _TRACEPARENT.fullmatch(traceparent) else None
