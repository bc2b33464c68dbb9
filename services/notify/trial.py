"""`luodi notify test WHO`: a message marked as a test to every channel of one recipient, and what became of it.

It is a row of the ledger like any other and goes out by the running notifiers, so it shows what a real message would
meet: their settings, their network, the pace of a robot. It belongs to no matter, so nothing can end before it is sent.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Collection, Sequence

from luodi.runtime import lifecycle, logging, mongo
from luodi.runtime.clock import Clock, SystemClock
from luodi.runtime.errors import EXIT_CONFIG, FatalError, InvalidSettingsError, TransientError
from services.notify.contact_store import MongoContacts
from services.notify.contacts import Contact, delivery_name, endpoint_of
from services.notify.matters import FIRST_LEVEL, NO_PARTITION
from services.notify.notifications import (
    INBOX,
    Delivery,
    Notification,
    Texts,
    fresh_deliveries,
    notification_id,
)
from services.notify.stores import Stores

WAIT_S = 60.0  # longer than an attempt takes
POLL_S = 0.2
LOG_FLOOR = 40  # only errors: the command speaks for itself
EXIT_FAILED = 1
EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h

TEXTS = Texts(
    title_zh="测试消息",
    title_en="Test message",
    text_zh="这是一条测试消息，用来确认通知能经此渠道送达，与任何项目无关，无需处理。",
    text_en="This is a test: it shows that notices reach you on this channel. It is about no project; nothing to do.",
)


def main(words: Sequence[str]) -> int:
    """The command. Exit code 0: every channel took it; 1: one did not, or there is no such contact."""
    parser = argparse.ArgumentParser(
        prog="luodi notify test", description="Send a message marked as a test to every channel of one recipient."
    )
    parser.add_argument("recipient", help="a person, a unit, zone:<zone> or operators")
    parser.add_argument("--wait", type=float, default=WAIT_S, metavar="SECONDS", help=f"{WAIT_S:.0f} unless told")
    asked = parser.parse_args(words)
    settings = lifecycle.read_settings()
    logging.configure("notify", LOG_FLOOR)
    try:
        database = mongo.connect(settings)
        try:
            return _run(
                asked.recipient,
                MongoContacts(database).get(asked.recipient),
                Stores.on(database),
                SystemClock(settings.clock_offset_s),
                asked.wait,
            )
        finally:
            database.client.close()
    except InvalidSettingsError as exc:
        return _complain("; ".join(exc.faults), EXIT_CONFIG)
    except TransientError as exc:
        return _complain(": ".join(map(str, exc.args)), EXIT_UNAVAILABLE)
    except FatalError as exc:
        return _complain(str(exc), EXIT_FAILED)


def trial(recipient: str, channels: Sequence[str], clock: Clock, token: str) -> Notification:
    """The row of one test."""
    matter, now = f"test:{recipient}:{token}", clock.now_text()
    return Notification(
        id=notification_id(matter, 1, 1, "test", FIRST_LEVEL, recipient),
        matter=matter,
        episode=1,
        round=1,
        order=FIRST_LEVEL,
        kind="test",
        level=FIRST_LEVEL,
        recipient=recipient,
        partition=NO_PARTITION,
        project_id=None,
        zone=None,
        demo=False,
        gap=None,
        rule=None,
        texts=TEXTS,
        url=None,
        created_at=now,
        traceparent=None,
        deliveries=fresh_deliveries([INBOX, *channels], now, clock.wall_text()),
        urgent=True,
    )


def told(delivery: Delivery) -> str:
    """What became of a delivery so far."""
    if delivery.status == "sent":
        return "delivered"
    if delivery.status in {"failed", "dead"}:
        return f"failed for good: {delivery.error}"
    if delivery.error is not None:
        return f"not taken: {delivery.error}; goes again at {delivery.due_at}"
    if delivery.attempts:
        return "no answer yet"
    return "not sent yet: does a notifier run, is the robot at its limit?"


def _run(recipient: str, contact: Contact | None, stores: Stores, clock: Clock, wait_s: float) -> int:
    if contact is None or not contact.ways:
        return _complain(f"{recipient} has no channel: write one with PUT /v1/contacts/{recipient}", EXIT_FAILED)
    gone = stores.endpoints.disabled([endpoint_of(way) for way in contact.ways])
    left_out = [way.channel for way in contact.ways if endpoint_of(way) in gone]
    channels = [delivery_name(way.channel) for way in contact.ways if way.channel not in left_out]
    row = trial(recipient, channels, clock, secrets.token_hex(8))
    stores.notifications.insert([row])
    deliveries = _followed(stores, row, wait_s).deliveries
    for delivery in deliveries:
        _say(delivery.channel, told(delivery))
    for channel in left_out:
        _say(delivery_name(channel), f"given up before, not tried: write it again with PUT /v1/contacts/{recipient}")
    return EXIT_FAILED if left_out or any(d.status != "sent" for d in deliveries) else 0


def _followed(stores: Stores, row: Notification, wait_s: float) -> Notification:
    """The row once every channel has answered something, or when the time is up."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline and not _answered(row.deliveries):
        time.sleep(POLL_S)
        row = stores.notifications.get(row.id) or row
    return row


def _answered(deliveries: Collection[Delivery]) -> bool:
    return all(not d.pending or d.error is not None for d in deliveries)


def _say(channel: str, text: str) -> None:
    sys.stdout.write(f"{channel:<12} {text}\n")


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"luodi notify test: {text}\n")
    return code
