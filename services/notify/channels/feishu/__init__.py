"""飞书 group robots: `POST …/open-apis/bot/v2/hook/…`, with a secret also `timestamp` and `sign` in the body.

The signature is base64 of HMAC-SHA256 with `timestamp\\nsecret` as key over nothing, the timestamp in seconds. Taken
is what is answered with `code` 0. In a card, everything that people typed stands in elements of plain text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Any

from luodi.runtime.clock import Clock
from services.notify.channels import Outcome, robots
from services.notify.channels.robots import THREADS, Meaning, RobotRule, Words
from services.notify.channels.wire import Wire
from services.notify.channels.writing import Message, cut, lines, one_line, unmarked
from services.notify.contacts import Way
from services.notify.guard import Guard
from services.notify.shaping import Pace

BODY_BYTES = 12_000  # of the text; escaped as JSON it stays under the 20 KB of a body
TITLE_BYTES = 300
PACE = Pace(100)
PERSON = re.compile(r"(?!all$)[A-Za-z0-9_-]{1,64}", re.IGNORECASE)

CODES: dict[int, Meaning] = {
    9499: "refused",  # a body it does not take
    11232: "throttled",
    11233: "throttled",
    19001: "gone",  # no such robot
    19002: "refused",  # a parameter it does not take
    19021: "gone",  # wrong signature
    19022: "gone",  # our network may not send to it
    19024: "gone",  # a keyword is missing that the robot wants in every message
    99991400: "throttled",
}


class Feishu(RobotRule):
    """Sends to robots of 飞书."""

    name = "feishu"
    channel = "feishu"
    threads = THREADS
    pace: Pace | None = PACE

    def __init__(self, guard: Guard, clock: Clock) -> None:
        super().__init__(guard, None)
        self._clock = clock
        self._wire = Wire(THREADS, guard=guard)
        self._words = Words(("code", "StatusCode"), CODES, block_s=60.0)

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """What of a contact's way cannot be used."""
        found = self.address_faults(way.address)
        if way.mention is not None and not PERSON.fullmatch(way.mention):
            found.append(("mention", "bad-mention"))
        return found

    def send(self, message: Message, way: Way, message_id: str) -> Outcome:  # noqa: ARG002  # robots know no idempotency
        """Make one attempt."""
        content = body(message, way)
        if way.secret is not None:
            timestamp = int(self._clock.wall().timestamp())
            content = {"timestamp": str(timestamp), "sign": sign(way.secret, timestamp), **content}
        return robots.post(self._wire, way.address, content, self._clock, self._words)


def sign(secret: str, timestamp_s: int) -> str:
    """The signature."""
    key = f"{timestamp_s}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def body(message: Message, way: Way) -> dict[str, Any]:
    """What is sent."""
    if way.style == "text":
        called = f'\n<at user_id="{way.mention}"></at>' if way.mention is not None else ""
        return {"msg_type": "text", "content": {"text": lines(message, BODY_BYTES) + called}}
    elements: list[dict[str, Any]] = [
        {"tag": "div", "text": {"tag": "plain_text", "content": unmarked(message, BODY_BYTES)}}
    ]
    if way.mention is not None:
        elements.append({"tag": "div", "text": {"tag": "lark_md", "content": f"<at id={way.mention}></at>"}})
    if message.url is not None:
        button = {"tag": "button", "text": {"tag": "plain_text", "content": message.link}, "url": message.url}
        elements.append({"tag": "action", "actions": [{**button, "type": "primary"}]})
    elements.append({"tag": "note", "elements": [{"tag": "plain_text", "content": message.footer}]})
    title = {"tag": "plain_text", "content": cut(one_line(message.title), TITLE_BYTES)}
    return {"msg_type": "interactive", "card": {"header": {"title": title}, "elements": elements}}
