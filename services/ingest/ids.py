"""The identities that ingest chooses: of events, and of projects that come without one.

With an `Idempotency-Key` both are functions of the key, the caller, the path and the place in the array, so that a
retry is the same event on the same project, in whichever worker, year or deployment it arrives.
"""

from __future__ import annotations

import hashlib
import random
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import orjson

NAMESPACE = uuid.UUID("6c1f5a0e-94f4-5f0f-9e0a-0d1d5d4a7c11")  # ours, for ever: another one would make retries doubles
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # base 32 without the letters that look like digits, and without U
PROJECT_CHARS = 10
PROJECT_BITS = 5 * PROJECT_CHARS
FIRST_YEAR = 2026  # of the numbering; see `key_year`

_YEARS = range(2000, 2100)
_LEADING_YEAR = re.compile(
    r"(20[0-9]{2})(?![0-9a-zA-Z])|(20[0-9]{2})(?=(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9]))"
)
_ULID = re.compile(rf"[0-7][{CROCKFORD}]{{25}}")
_GREGORIAN_TO_UNIX_100NS = 0x01B21DD213814000  # UUID version 1 counts from 15 October 1582


@dataclass(frozen=True, slots=True)
class Retry:
    """What makes a retry the same request: the caller's key, who the caller is, and what was asked for."""

    key: str
    caller: str
    path: str

    def _name(self, what: str, place: int) -> str:
        return orjson.dumps([what, self.key, self.caller, self.path, place]).decode()

    def event_id(self, place: int) -> str:
        """The id of the event at `place` of the request."""
        return str(uuid.uuid5(NAMESPACE, self._name("event", place)))

    def project_id(self, zone_code: str, place: int, timezone: tzinfo) -> str:
        """The id of the project registered at `place` of the request: nothing of it comes from a clock."""
        digest = hashlib.sha256(NAMESPACE.bytes + self._name("project", place).encode()).digest()
        number = int.from_bytes(digest, "big") >> (8 * len(digest) - PROJECT_BITS)
        return _project_id(zone_code, key_year(self.key, timezone), number)


def new_event_id() -> str:
    """A random event id: 32 hex digits.

    Unique, not secret; and unlike the system's source it does not let go of the interpreter, which under load costs
    more than the number.
    """
    return f"{random.getrandbits(128):032x}"


def new_project_id(zone_code: str, year: int) -> str:
    """A random project id of this year: `<zone code>-<year>-<10 characters of base 32>`."""
    return _project_id(zone_code, year, secrets.randbits(PROJECT_BITS))


def _project_id(zone_code: str, year: int, number: int) -> str:
    digits = "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(PROJECT_CHARS)))
    return f"{zone_code}-{year}-{digits}"


def key_year(key: str, timezone: tzinfo) -> int:
    """The year in a project id that is derived from a key: it must come out of the key alone.

    Were it the year of the request, a retry just after New Year would register the project a second time. So it is the
    year the key itself carries (UUID version 1, 6 or 7, ULID, or a key that begins with a year or date, like
    `2026-03-ledger-17`), and for any other key the first year of the numbering. It is a label, not a fact about the
    project.
    """
    moment = _uuid_time(key) or _ulid_time(key)
    if moment is not None:
        return moment.astimezone(timezone).year
    match = _LEADING_YEAR.match(key)
    return int(match[1] or match[2]) if match else FIRST_YEAR


def _uuid_time(key: str) -> datetime | None:
    try:
        parsed = uuid.UUID(key)
    except ValueError:
        return None
    if parsed.variant != uuid.RFC_4122:
        return None
    if parsed.version == 7:
        return _unix_ms(parsed.int >> 80)
    if parsed.version == 6:
        ticks = (parsed.int >> 80) << 12 | (parsed.int >> 64) & 0xFFF
        return _unix_ms((ticks - _GREGORIAN_TO_UNIX_100NS) // 10_000)
    if parsed.version == 1:
        return _unix_ms((parsed.time - _GREGORIAN_TO_UNIX_100NS) // 10_000)
    return None


def _ulid_time(key: str) -> datetime | None:
    if not _ULID.fullmatch(key):
        return None
    milliseconds = 0
    for character in key[:10]:
        milliseconds = milliseconds * 32 + CROCKFORD.index(character)
    return _unix_ms(milliseconds)


def _unix_ms(milliseconds: int) -> datetime | None:
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    # A random key can look like one that carries a time; a year nobody lives in gives it away.
    return moment if moment.year in _YEARS else None
