"""What the group robots of 企业微信, 钉钉 and 飞书 have in common: their answer is in the body, not in the status.

All three answer HTTP 200 to a message they did not take. Taken is only what the body's own code says; a body that
cannot be read says nothing, so the message goes again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson

from luodi.runtime.clock import Clock
from services.notify.channels import Outcome
from services.notify.channels.webhook import wait_of
from services.notify.channels.wire import Answer, FailedError, Wire, shown_host
from services.notify.guard import ForbiddenError, Guard

Meaning = Literal["throttled", "gone", "refused", "retry"]

THREADS = 16
STATUS_GONE = 410
STATUS_THROTTLED = 429
EVERYBODY = re.compile(r"@?(all|everyone|所有人|全体成员)", re.IGNORECASE)
WORD = re.compile(r"[A-Za-z0-9._@-]{1,64}")
PHONE = re.compile(r"\+?[0-9]{6,15}")


def post(wire: Wire, url: str, body: Mapping[str, Any], clock: Clock, words: Words) -> Outcome:
    """Send a robot its message and read the answer in its body."""
    try:
        answer = wire.post(url, orjson.dumps(body), {"Content-Type": "application/json", "User-Agent": "luodi"})
    except ForbiddenError as exc:
        return Outcome("gone", str(exc))
    except FailedError as exc:
        return Outcome("retry", str(exc))
    return words.judge(answer, clock)


class Words:
    """The codes of one robot."""

    def __init__(self, fields: tuple[str, ...], codes: Mapping[int, Meaning], block_s: float) -> None:
        """`fields`: where the body holds its code; `codes`: what those that are not 0 mean, any other is worth another
        attempt; `block_s`: how long the robot takes nothing after it was sent to too fast."""
        self._fields = fields
        self._codes = codes
        self._block_s = block_s

    def judge(self, answer: Answer, clock: Clock) -> Outcome:
        """What an answer means."""
        code = self._code(answer)
        if code == 0 and 200 <= answer.status < 300:
            return Outcome("sent")
        if code is not None and code != 0:
            return self._meant(self._codes.get(code, "retry"), f"code-{code}", answer, clock)
        error = f"http-{answer.status}" if not 200 <= answer.status < 300 else "no-code"
        meaning: Meaning = "retry"
        if answer.status == STATUS_GONE:
            meaning = "gone"
        elif answer.status == STATUS_THROTTLED:
            meaning = "throttled"
        return self._meant(meaning, error, answer, clock)

    def _meant(self, meaning: Meaning, error: str, answer: Answer, clock: Clock) -> Outcome:
        asked = wait_of(answer.headers.get("Retry-After"), clock.wall())
        if meaning == "throttled":
            wait = max(asked, self._block_s) if answer.status != STATUS_THROTTLED or not asked else asked
            return Outcome("retry", error, wait, wait)
        return Outcome(meaning, error, asked if meaning == "retry" else 0.0)

    def _code(self, answer: Answer) -> int | None:
        if not answer.complete:
            return None
        try:
            body = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(body, dict):
            return None
        return next((body[name] for name in self._fields if type(body.get(name)) is int), None)


class RobotRule:
    """What a robot's address must be."""

    def __init__(self, guard: Guard, key: str | None) -> None:
        """`key`: the parameter of the address that holds its key; None: the last part of its path is the key."""
        self._guard = guard
        self._key = key

    def address_faults(self, address: str) -> list[tuple[str, str]]:
        fault = self._guard.fault_of(address)
        if fault is not None:
            return [("address", fault)]
        parts = urlsplit(address)
        keyed = re.search(rf"(?:^|&){self._key}=[^&]+", parts.query) if self._key else re.search(r"/[^/]+$", parts.path)
        return [] if keyed else [("address", "no-robot")]

    def shown(self, address: str) -> str:
        """Scheme and host: path and query are the key."""
        return shown_host(address)
