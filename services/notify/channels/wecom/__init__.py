"""企业微信 group robots: `POST …/cgi-bin/webhook/send?key=…`, no signature, the key in the address is the secret.

A message is Markdown, or plain text where the contact asks for it or is to be mentioned by telephone number, which
Markdown cannot do. Taken is what is answered with `errcode` 0.
"""

from __future__ import annotations

from typing import Any

from luodi.runtime.clock import Clock
from services.notify.channels import Outcome, robots
from services.notify.channels.robots import EVERYBODY, PHONE, THREADS, WORD, Meaning, RobotRule, Words
from services.notify.channels.wire import Wire
from services.notify.channels.writing import Message, lines, markdown
from services.notify.contacts import Way
from services.notify.guard import Guard
from services.notify.shaping import Pace

TEXT_BYTES = 2048
MARKDOWN_BYTES = 4096
PACE = Pace(20)

CODES: dict[int, Meaning] = {
    -1: "retry",  # the system is busy
    40001: "gone",  # a credential that is none
    40008: "refused",  # a type of message it does not know
    40014: "gone",
    40058: "refused",  # a parameter it does not take
    44004: "refused",  # no content
    45002: "refused",  # too long
    45009: "throttled",  # more than 20 a minute
    45033: "throttled",  # too many at once
    60020: "gone",  # our network may not send to it
    93000: "gone",  # no such robot: the key is wrong, or the robot was removed
    93004: "gone",  # the robot was disabled
    93008: "gone",  # the robot is not in the group
}


class WeCom(RobotRule):
    """Sends to robots of 企业微信."""

    name = "wecom"
    channel = "wecom"
    threads = THREADS
    pace: Pace | None = PACE

    def __init__(self, guard: Guard, clock: Clock) -> None:
        super().__init__(guard, "key")
        self._clock = clock
        self._wire = Wire(THREADS, guard=guard)
        self._words = Words(("errcode",), CODES, block_s=60.0)

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """What of a contact's way cannot be used."""
        found = self.address_faults(way.address)
        if way.secret is not None:
            found.append(("secret", "no-secret-here"))
        if way.mention is not None and (EVERYBODY.fullmatch(way.mention) or not WORD.fullmatch(way.mention)):
            found.append(("mention", "bad-mention"))
        return found

    def send(self, message: Message, way: Way, message_id: str) -> Outcome:  # noqa: ARG002  # robots know no idempotency
        """Make one attempt."""
        return robots.post(self._wire, way.address, body(message, way), self._clock, self._words)


def body(message: Message, way: Way) -> dict[str, Any]:
    """What is sent."""
    mention = way.mention
    by_phone = mention is not None and PHONE.fullmatch(mention) is not None
    if way.style == "text" or by_phone:
        text: dict[str, Any] = {"content": lines(message, TEXT_BYTES)}
        if mention is not None:
            text["mentioned_mobile_list" if by_phone else "mentioned_list"] = [mention]
        return {"msgtype": "text", "text": text}
    called = f"\n\n<@{mention}>" if mention is not None else ""
    return {
        "msgtype": "markdown",
        "markdown": {"content": markdown(message, MARKDOWN_BYTES - len(called.encode())) + called},
    }
