"""Sending again what was given up: messages that are dead, or that a receiver refused for good.

The message keeps its id, so a receiver that has it after all knows it again. It is looked at before it goes, as any
message is: of a stall that is over by then nobody is told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from luodi.runtime import lifecycle, logging, mongo
from luodi.runtime.clock import Clock, SystemClock
from luodi.runtime.errors import EXIT_CONFIG, FatalError, InvalidSettingsError, TransientError
from luodi.runtime.problems import ProblemError
from services.notify.ledger import NotificationStore, settle
from services.notify.notifications import GIVEN_UP, Notification
from services.notify.stores import MongoNotifications, Stores
from services.notify.trial import EXIT_FAILED, EXIT_UNAVAILABLE, LOG_FLOOR

BATCH = 200
WHY = {
    "not-found": "no such message",
    "not-given-up": "nothing of it was given up",
    "digest-not-resent": "a digest: send what it named by itself, the next one says what still holds",
}
BY = "operators"  # who acts at the terminal


class Resending:
    """Puts what was given up back into the queue. Every call may raise TransientError."""

    def __init__(self, notifications: NotificationStore, clock: Clock) -> None:
        self._notifications = notifications
        self._clock = clock

    def again(self, notification_id: str, channel: str | None, by: str) -> Notification:
        """Send it again on this channel, or on all that gave it up; returns the row as it is then.

        Raises ProblemError: there is no such message (`not-found`), nothing of it was given up (`not-given-up`), or it
        is a digest (`digest-not-resent`): it may be out of date, and what it named is sent by itself.
        """
        row = self._notifications.get(notification_id)
        if row is None:
            raise ProblemError("not-found", what=notification_id)
        if row.sheet is not None:
            raise ProblemError("digest-not-resent", what=notification_id)
        after: Notification | None = None
        for delivery in row.deliveries:
            if delivery.status in GIVEN_UP and channel in (None, delivery.channel):
                after = self._queued(row.id, delivery.channel, by) or after
        if after is None:
            raise ProblemError("not-given-up", what=notification_id)
        return after

    def _queued(self, notification_id: str, channel: str, by: str) -> Notification | None:
        now = self._clock.wall_text()
        return settle(self._notifications, notification_id, lambda row: row.resent(channel, now, by))


def main(words: Sequence[str]) -> int:
    """`luodi notify resend`. Exit code 0: all that was named goes again; 1: some of it was not given up."""
    parser = argparse.ArgumentParser(
        prog="luodi notify resend", description="Send again what was given up, under the same ids."
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="of messages: luodi ask notifications status=dead")
    parser.add_argument("--all", action="store_true", help="all that was given up, instead of some by their ids")
    parser.add_argument("--channel", help="only what this channel gave up; every channel unless told")
    parser.add_argument("--since", metavar="INSTANT", help="with --all: only messages written since then")
    asked = parser.parse_args(words)
    if bool(asked.ids) == asked.all:
        parser.error("name messages by their ids, or say --all")
    settings = lifecycle.read_settings()
    logging.configure("notify", LOG_FLOOR)
    try:
        database = mongo.connect(settings)
        try:
            stores = Stores.on(database)
            resending = Resending(stores.notifications, SystemClock(settings.clock_offset_s))
            ids = given_up(stores.notifications, asked.since) if asked.all else iter(asked.ids)
            return _run(resending, ids, asked.channel, named=not asked.all)
        finally:
            database.client.close()
    except InvalidSettingsError as exc:
        return _complain("; ".join(exc.faults), EXIT_CONFIG)
    except TransientError as exc:
        return _complain(": ".join(map(str, exc.args)), EXIT_UNAVAILABLE)
    except FatalError as exc:
        return _complain(str(exc), EXIT_FAILED)


def given_up(notifications: MongoNotifications, since: str | None) -> Iterator[str]:
    """The ids of all messages of which nothing is under way and something was given up, newest first."""
    for status in sorted(GIVEN_UP):
        before: tuple[str, str] | None = None
        while rows := notifications.page(
            recipient=None, project_id=None, kind=None, status=status, since=since, before=before, limit=BATCH
        ):
            yield from [row.id for row in rows]
            before = (rows[-1].created_at, rows[-1].id)


def _run(resending: Resending, ids: Iterator[str], channel: str | None, *, named: bool) -> int:
    sent, refused = 0, 0
    for id_ in ids:
        try:
            resending.again(id_, channel, BY)
            sent += 1
        except ProblemError as exc:
            if named:  # of all messages, those that another channel gave up are none that was asked for
                refused += 1
                sys.stderr.write(f"{id_}: {WHY.get(exc.code, exc.code)}\n")
    sys.stdout.write(f"{sent} {'message goes' if sent == 1 else 'messages go'} again\n")
    return EXIT_FAILED if refused else 0


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"luodi notify resend: {text}\n")
    return code
