"""Links: what an enterprise shows to raise requests and to see what became of its own, and of nobody else's.

A token names the enterprise, the generation of its links and the last day on which it is good, under an HMAC-SHA256 of
the three. Nothing is stored: whoever knows the secret can tell a true token. Whether its generation still counts is
known where the enterprise's record is folded.

A link carries the token behind `#`: a browser never sends that part, so it stands in no log on the way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date

MIN_SECRET_BYTES = 32  # as long as what the HMAC makes of it
USUAL_DAYS = 365
MAX_DAYS = 1_100  # three years
MAX_TOKEN_CHARS = 200
LINK_PATH = "/requests"

_PURPOSE = b"luodi link 1\n"  # the same secret never signs anything else under this
_TOKEN = re.compile(
    r"ll1~(?P<enterprise>[A-Za-z0-9][A-Za-z0-9._-]{0,63})~(?P<generation>0|[1-9][0-9]{0,5})"
    r"~(?P<until>[0-9]{4}-[0-9]{2}-[0-9]{2})~(?P<mac>[A-Za-z0-9_-]{43})",
    re.ASCII,
)


class BadTokenError(Exception):
    """Not a token of ours, or not good any more. Callers are told no more than that."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a true token says."""

    enterprise: str
    generation: int
    until: date

    @property
    def holder(self) -> str:
        """Whose use of links is limited together: a revoked link uses up nothing of those that came after it."""
        return f"{self.enterprise} {self.generation}"


def issue(secret: str, link: Link) -> str:
    """The token of a link. `secret` may hold several, apart by a space, for a change of secret: the first one signs."""
    said = f"ll1~{link.enterprise}~{link.generation}~{link.until.isoformat()}"
    token = f"{said}~{_mac(secret.split()[0], said)}"
    if _TOKEN.fullmatch(token) is None:
        raise ValueError("not the id of an enterprise, or not a generation")
    return token


def read(secret: str, token: str, today: date) -> Link:
    """What a token says. Raises BadTokenError unless one of the secrets signed it and it is good today."""
    match = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN_CHARS else None
    if match is None:
        raise BadTokenError
    said = token[: match.start("mac") - 1]
    # Every secret is tried, whichever fits, so that the time taken tells nothing.
    true = [hmac.compare_digest(_mac(each, said), match["mac"]) for each in secret.split()]
    if not any(true):
        raise BadTokenError
    link = Link(match["enterprise"], int(match["generation"]), date.fromisoformat(match["until"]))
    if link.until < today:
        raise BadTokenError
    return link


def address(public_url: str | None, token: str) -> str | None:
    """The link to hand to the enterprise; None where the pages have no address."""
    return None if public_url is None else f"{public_url.rstrip('/')}{LINK_PATH}#{token}"


def _mac(secret: str, said: str) -> str:
    digest = hmac.new(secret.encode(), _PURPOSE + said.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
