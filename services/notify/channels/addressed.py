"""Channels on which each recipient has an address of its own, looked up at the moment of sending."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from services.notify.channels import Outcome
from services.notify.channels.wire import TIMEOUT_S
from services.notify.channels.writing import Message, message_of
from services.notify.contacts import Contact, ContactStore, Way, endpoint_of
from services.notify.notifications import Notification
from services.notify.shaping import Lanes, Pace, Paces, place_of

HOLD_S = TIMEOUT_S + 15.0  # longer than a request can take, with the look-up of its name


class Sender(Protocol):
    """One kind of channel: it knows its wire, and what an address must be."""

    @property
    def name(self) -> str:
        """What deliveries call it."""

    @property
    def channel(self) -> str:
        """What contacts call it."""

    @property
    def threads(self) -> int:
        """How many messages may be under way at once."""

    @property
    def pace(self) -> Pace | None:
        """How fast one address may be sent to; None: the receiver sets no limit."""

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """Fields of a way that cannot be used, each with the code of its fault."""

    def shown(self, address: str) -> str:
        """How an address may be shown."""

    def send(self, message: Message, way: Way, message_id: str) -> Outcome:
        """Make one attempt."""


class AddressedChannel:
    """All recipients on one kind of channel."""

    def __init__(
        self,
        sender: Sender,
        contacts: ContactStore,
        lanes: Lanes,
        paces: Paces,
        quiet: Callable[[Notification], float] = lambda _: 0.0,
    ) -> None:
        """`quiet`: for how many seconds a message must wait because people do not work now."""
        self.name = sender.name
        self.threads = sender.threads
        self._sender = sender
        self._contacts = contacts
        self._lanes = lanes
        self._paces = paces
        self._quiet = quiet

    def to(self, rows: Sequence[Notification]) -> list[Receiver | None]:
        """The receivers of messages. Raises TransientError."""
        contacts = self._contacts.get_many({row.recipient for row in rows})
        return [self._receiver(row, contacts.get(row.recipient)) for row in rows]

    def _receiver(self, row: Notification, contact: Contact | None) -> Receiver | None:
        way = contact.way(self._sender.channel) if contact is not None else None
        if contact is None or way is None:
            return None
        return Receiver(self._sender, contact, way, self._lanes, self._paces, partial(self._quiet, row))


class Receiver:
    """One contact on one channel, for one attempt."""

    def __init__(
        self,
        sender: Sender,
        contact: Contact,
        way: Way,
        lanes: Lanes,
        paces: Paces,
        quiet: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.name = sender.name
        self.threads = sender.threads
        self.batch = 1
        self.recipient: str | None = contact.recipient
        self.endpoint: str | None = endpoint_of(way)
        self.shown = sender.shown(way.address)
        self._sender = sender
        self._language = contact.language
        self._way = way
        self._lanes = lanes
        self._paces = paces
        self._place = place_of(sender.channel, way.address)
        self._quiet = quiet
        self._permit: str | None = None
        self._answered: bool | None = None

    def enter(self) -> float:
        """Wait for working hours, take a lane of this process, then a permit of all. Raises TransientError."""
        quiet_s = self._quiet()
        if quiet_s > 0:
            return quiet_s
        wait = self._lanes.enter(self._place)
        if wait > 0 or self._sender.pace is None:
            return wait
        try:
            permit = self._paces.take(self._place, self._sender.pace, secrets.token_hex(8), HOLD_S)
        except BaseException:
            self._lanes.leave(self._place, answered=None)
            raise
        if permit.id is None:
            self._lanes.leave(self._place, answered=None)
        self._permit = permit.id
        return permit.wait_s

    def leave(self) -> None:
        """Give both back."""
        self._lanes.leave(self._place, answered=self._answered)
        if self._permit is not None and self._sender.pace is not None:
            self._paces.done(self._place, self._permit, self._sender.pace)

    def send(self, row: Notification) -> Outcome:
        """Make one attempt."""
        outcome = self._sender.send(message_of(row, self._language), self._way, row.message_id)
        # A code is an answer; anything else that is no success may be a receiver that is not there.
        self._answered = outcome.kind != "retry" or (outcome.error or "").startswith(ANSWERS)
        if outcome.rest_s > 0:
            self._paces.rest(self._place, outcome.rest_s)
        return outcome


ANSWERS = ("http-", "code-", "no-code", "smtp-")
"""How the error of an attempt begins to which there was an answer."""
