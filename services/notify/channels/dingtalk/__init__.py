"""钉钉 group robots: `POST …/robot/send?access_token=…`, with a secret also `&timestamp=…&sign=…`.

The signature is base64 of HMAC-SHA256 with the secret as key over `timestamp\\nsecret`, the timestamp in milliseconds.
Taken is what is answered with `errcode` 0. Whoever sends more than 20 a minute is blocked for ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import quote

from luodi.runtime.clock import Clock
from services.notify.channels import Outcome, robots
from services.notify.channels.robots import EVERYBODY, PHONE, THREADS, WORD, Meaning, RobotRule, Words
from services.notify.channels.wire import Wire
from services.notify.channels.writing import Message, cut, lines, markdown, plain
from services.notify.contacts import Way
from services.notify.guard import Guard
from services.notify.shaping import Pace

BODY_BYTES = 16_000
TITLE_BYTES = 256
BLOCK_S = 600.0
PACE = Pace(20)

CODES: dict[int, Meaning] = {
    -1: "retry",
    40035: "refused",  # a parameter it does not take
    43004: "refused",
    130101: "throttled",  # more than 20 a minute
    300001: "gone",  # no such token
    300005: "gone",
    310000: "gone",  # wrong signature, a keyword that is missing, or our network may not send to it
    400013: "gone",  # the group is no more
    400101: "gone",  # no such token
    400102: "gone",  # the robot was stopped
    400105: "refused",  # a type of message it does not know
    400106: "gone",  # no such robot
    410100: "throttled",
    430101: "refused",  # what it holds is not let through
    430102: "refused",
    430103: "refused",
    430104: "refused",
}


class DingTalk(RobotRule):
    """Sends to robots of 钉钉."""

    name = "dingtalk"
    channel = "dingtalk"
    threads = THREADS
    pace: Pace | None = PACE

    def __init__(self, guard: Guard, clock: Clock) -> None:
        super().__init__(guard, "access_token")
        self._clock = clock
        self._wire = Wire(THREADS, guard=guard)
        self._words = Words(("errcode",), CODES, BLOCK_S)

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """What of a contact's way cannot be used."""
        found = self.address_faults(way.address)
        if way.mention is not None and (EVERYBODY.fullmatch(way.mention) or not WORD.fullmatch(way.mention)):
            found.append(("mention", "bad-mention"))
        return found

    def send(self, message: Message, way: Way, message_id: str) -> Outcome:  # noqa: ARG002  # robots know no idempotency
        """Make one attempt."""
        url = way.address
        if way.secret is not None:
            timestamp = int(self._clock.wall().timestamp() * 1000)
            url = f"{url}&timestamp={timestamp}&sign={quote(sign(way.secret, timestamp), safe='')}"
        return robots.post(self._wire, url, body(message, way), self._clock, self._words)


def sign(secret: str, timestamp_ms: int) -> str:
    """The signature, not yet encoded for an address."""
    text = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()


def body(message: Message, way: Way) -> dict[str, Any]:
    """What is sent. Who is mentioned must also stand in the text."""
    at: dict[str, Any] = {"isAtAll": False}
    called = ""
    if way.mention is not None:
        at["atMobiles" if PHONE.fullmatch(way.mention) else "atUserIds"] = [way.mention]
        called = f"\n\n@{way.mention}"
    if way.style == "text":
        return {"msgtype": "text", "text": {"content": lines(message, BODY_BYTES) + called}, "at": at}
    content = {"title": cut(plain(message.title), TITLE_BYTES), "text": markdown(message, BODY_BYTES) + called}
    return {"msgtype": "markdown", "markdown": content, "at": at}
