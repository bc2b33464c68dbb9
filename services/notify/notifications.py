"""A notification: one message to one recipient, with a delivery per channel. Every step is a pure transition.

A row is written before any request is made. A delivery goes queued → sending → sent, or back to queued until its next
attempt, or ends as failed (the endpoint is gone), dead (no attempt left) or superseded (the stall was over before the
first attempt). On a person's own address a message that is not urgent waits for that person's next digest: held →
carried (named in a digest that is on its way) → as the digest ends; being carried is its attempt. Whoever takes a step
writes the row by compare-and-set on `version`, so steps of two processes never mix. Instants of deliveries (`due_at`,
leases) are wall time; `created_at` and `sent_at` are business time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Literal

from luodi.domain.days import END_OF_TIME

Kind = Literal[
    "warning",
    "stalled",
    "escalated",
    "handover",
    "recovered",
    "cleared",
    "verification",
    "returned",
    "stale",
    "assigned",
    "operations",
    "test",
    "digest",
]
DeliveryStatus = Literal["held", "carried", "queued", "sending", "sent", "superseded", "failed", "dead"]
Group = Literal["new", "overdue", "soon", "cleared", "projects"]

INBOX = "inbox"
PENDING: frozenset[DeliveryStatus] = frozenset({"queued", "sending"})
DIGESTED: frozenset[DeliveryStatus] = frozenset({"held", "carried"})
GIVEN_UP: frozenset[DeliveryStatus] = frozenset({"failed", "dead"})
MAX_TRIED = 24  # three times the whole schedule

SCHEDULE_S = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
"""Seconds before each attempt, as the Standard Webhooks specification recommends; after the last one it is dead."""

JITTER = 0.1  # up to this share is added to each wait, so that messages of one moment do not return in one moment
LEASE_S = 30.0  # longer than START_S and any channel's time-out: when it ran out, its holder died or was held up
START_S = 10.0  # an attempt that did not begin so soon after its claim is not made: another may be about to make it
LONGEST_RETRY_AFTER_S = 86_400.0  # a receiver may ask for patience, not for ever


@dataclass(frozen=True, slots=True)
class Texts:
    """A title and a text in both languages."""

    title_zh: str
    title_en: str
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Tried:
    """Something that befell a delivery, but for what its status says: an attempt that was not taken, or that somebody
    had it sent again after it had been given up."""

    at: str
    what: Literal["not-taken", "resent"]
    error: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notification's way through one channel."""

    channel: str
    status: DeliveryStatus
    attempts: int  # requests begun
    due_at: str  # next attempt (queued), end of the lease (sending), END_OF_TIME (ended)
    lease: str | None = None
    waited: bool = False  # it has waited for an earlier message of its matter
    sent_at: str | None = None
    error: str | None = None  # what the last attempt met
    carrier: str | None = None  # the digest that names it here
    base: int = 0  # of the attempts, those before it was last sent again: the schedule begins anew
    tried: tuple[Tried, ...] = ()  # oldest first, the last MAX_TRIED

    @property
    def untried(self) -> bool:
        """Whether no request was begun, since it was last sent again."""
        return self.attempts == self.base

    def having(self, tried: Tried) -> Delivery:
        """The same with this in its history."""
        return replace(self, tried=(*self.tried, tried)[-MAX_TRIED:])

    @property
    def pending(self) -> bool:
        return self.status in PENDING


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a digest, in both languages; `number` (编号) is that of the message it stands for. One of a weekly
    report stands for a project, has no number, and says which light the project shows."""

    group: Group
    zh: str
    en: str
    number: str
    url: str | None
    project_id: str | None
    light: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a digest holds: its lines, and the ids of the messages that it carries.

    `settled`: the digest has ended and all that it carries has been marked so.
    """

    lines: tuple[Line, ...]
    carries: tuple[str, ...]
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """One row of the ledger. An urgent one waits neither for working hours nor for a digest."""

    id: str
    matter: str
    episode: int
    round: int
    order: int  # of all messages of the matter: a channel delivers them in this order
    kind: Kind
    level: int
    recipient: str
    partition: int
    project_id: str | None
    zone: str | None
    demo: bool
    gap: tuple[str, str] | None
    rule: str | None
    texts: Texts
    url: str | None
    created_at: str
    traceparent: str | None
    deliveries: tuple[Delivery, ...]
    version: int = 1
    urgent: bool = False  # goes at once, at any hour: a red that a leader hears of the same day, a fault, a test
    sheet: Sheet | None = None  # of a digest only

    @property
    def in_digest(self) -> bool:
        """Whether a digest is still to be seen to for it: to carry it, to mark it, or its own to be settled."""
        if self.sheet is not None:
            return not self.sheet.settled
        return any(delivery.status in DIGESTED for delivery in self.deliveries)

    @property
    def status(self) -> str:
        """The state of the whole: what is still under way or went wrong outweighs what went well."""
        found = {delivery.status for delivery in self.deliveries}
        return next((shown for one, shown in _WEIGHT if one in found), "superseded")

    @property
    def message_id(self) -> str:
        """The idempotency id: constant over attempts and restarts, safe in a header whatever the ids hold."""
        return "msg_" + hashlib.sha256(self.id.encode()).hexdigest()[:32]

    def delivery(self, channel: str) -> Delivery | None:
        for delivery in self.deliveries:  # asked for every message several times: quicker than a generator
            if delivery.channel == channel:
                return delivery
        return None

    @property
    def attempted(self) -> tuple[str, ...]:
        """Channels on which a request was begun, or the row itself is the message."""
        return tuple(d.channel for d in self.deliveries if d.attempts > 0)

    @property
    def under_way(self) -> tuple[str, ...]:
        """Channels on which a request was begun and another one follows."""
        return tuple(d.channel for d in self.deliveries if d.attempts > 0 and (d.pending or d.status == "carried"))

    @property
    def was_told(self) -> bool:
        """Whether it reached its receiver on every channel, or is being seen through to it."""
        return all(d.attempts > 0 for d in self.deliveries)

    # -- transitions: each returns the next row, or None when it does not apply any more ------------------------------

    def begun(self, channel: str, now: str, lease: str, until: str) -> Notification | None:
        """Take the delivery for one attempt, if it is due. From here on it counts as attempted: one step for both, so
        that nothing else can come between."""
        return self._step(
            channel,
            lambda d: (
                replace(d, status="sending", lease=lease, due_at=until, attempts=d.attempts + 1)
                if _is_due(d, now)
                else None
            ),
        )

    def postponed(self, channel: str, now: str, until: str, *, waited: bool = True) -> Notification | None:
        """Put off what is due. `waited`: for an earlier message, and not for room at the address."""

        def step(d: Delivery) -> Delivery | None:
            if not _is_due(d, now):
                return None
            return replace(d, status="queued", lease=None, due_at=until, waited=d.waited or waited)

        return self._step(channel, step)

    def given_up(self, channel: str, now: str, error: str) -> Notification | None:
        """What is due can never be delivered there."""
        met = Tried(now, "not-taken", error)
        return self._step(channel, lambda d: _ended(d.having(met), "failed", error=error) if _is_due(d, now) else None)

    def sent(self, channel: str, lease: str, now: str) -> Notification | None:
        """The receiver took it."""
        return self._step(channel, lambda d: _ended(d, "sent", sent_at=now, error=None) if _held(d, lease) else None)

    def failed(self, channel: str, lease: str, error: str, now: str) -> Notification | None:
        """The receiver will never take it."""
        met = Tried(now, "not-taken", error)
        return self._step(channel, lambda d: _ended(d.having(met), "failed", error=error) if _held(d, lease) else None)

    def retried(
        self, channel: str, lease: str, error: str, later: Callable[[float], str], wait_s: float, jitter: float
    ) -> Notification | None:
        """The attempt failed: queue the next one, or give up after the last.

        `later(seconds)` gives the instant that much later; `wait_s` is what the receiver asked for at least; `jitter`
        lies between 0 and 1.
        """

        def step(d: Delivery) -> Delivery | None:
            if not _held(d, lease):
                return None
            made, met = d.attempts - d.base, d.having(Tried(later(0.0), "not-taken", error))
            if made >= len(SCHEDULE_S):
                return _ended(met, "dead", error=error)
            wait = SCHEDULE_S[made] * (1 + JITTER * jitter)
            due = later(max(wait, min(wait_s, LONGEST_RETRY_AFTER_S)))
            return replace(met, status="queued", lease=None, due_at=due, error=error)

        return self._step(channel, step)

    def hurried(self, channel: str, now: str) -> Notification | None:
        """Make the next attempt now: something else waits behind it."""
        return self._step(
            channel, lambda d: replace(d, due_at=now) if d.status == "queued" and d.due_at > now else None
        )

    def resent(self, channel: str, now: str, by: str) -> Notification | None:
        """What was given up there goes again, on a schedule that begins anew, unless it no longer holds by then."""
        return self._step(
            channel,
            lambda d: (
                replace(
                    d.having(Tried(now, "resent", by=by)),
                    status="queued",
                    due_at=now,
                    base=d.attempts,
                    error=None,
                    carrier=None,
                    waited=False,
                )
                if d.status in GIVEN_UP
                else None
            ),
        )

    def superseded(self) -> Notification | None:
        """What was never attempted, or not since it was sent again, is not sent any more."""
        deliveries = tuple(
            _ended(d, "superseded") if (d.pending or d.status == "held") and d.untried else d for d in self.deliveries
        )
        return self._changed(deliveries) if deliveries != self.deliveries else None

    def carried(self, channel: str, digest: str) -> Notification | None:
        """A digest takes it along: from here on it counts as attempted."""
        return self._step(
            channel,
            lambda d: replace(d, status="carried", attempts=1, carrier=digest) if d.status == "held" else None,
        )

    def released(self, channel: str, digest: str) -> Notification | None:
        """The digest does not take it along after all: it waits for the next one."""
        return self._step(
            channel,
            lambda d: replace(d, status="held", attempts=0, carrier=None) if _is_carried(d, digest) else None,
        )

    def arrived(self, channel: str, digest: Notification) -> Notification | None:
        """The digest that carries it has ended, and so has it."""
        end = digest.delivery(channel)
        if end is None or end.pending:
            return None
        return self._step(
            channel,
            lambda d: (
                _ended(d, end.status, sent_at=end.sent_at, error=end.error) if _is_carried(d, digest.id) else None
            ),
        )

    def unreachable(self, channel: str, error: str) -> Notification | None:
        """What waits for a digest can never be delivered there."""
        return self._step(channel, lambda d: _ended(d, "failed", error=error) if d.status == "held" else None)

    def _step(self, channel: str, step: Callable[[Delivery], Delivery | None]) -> Notification | None:
        for place, before in enumerate(self.deliveries):
            if before.channel == channel:
                after = step(before)
                if after is None:
                    return None
                return self._changed((*self.deliveries[:place], after, *self.deliveries[place + 1 :]))
        return None

    def _changed(self, deliveries: tuple[Delivery, ...]) -> Notification:
        # As `replace` does, at half its cost: each message makes two of these steps on its way.
        values = list(_VALUES(self))
        values[_DELIVERIES], values[_VERSION] = deliveries, self.version + 1
        return Notification(*values)


_FIELDS = [field.name for field in fields(Notification)]
_VALUES = attrgetter(*_FIELDS)
_DELIVERIES, _VERSION = _FIELDS.index("deliveries"), _FIELDS.index("version")

_WEIGHT: tuple[tuple[DeliveryStatus, str], ...] = (
    ("sending", "queued"),
    ("queued", "queued"),
    ("held", "queued"),
    ("carried", "queued"),
    ("dead", "dead"),
    ("failed", "failed"),
    ("sent", "sent"),
)


def _is_due(delivery: Delivery, now: str) -> bool:
    """It waits for its next attempt, or whoever made the last one did not come back."""
    return delivery.pending and delivery.due_at <= now


def _is_carried(delivery: Delivery, digest: str) -> bool:
    return delivery.status == "carried" and delivery.carrier == digest


def _held(delivery: Delivery, lease: str) -> bool:
    return delivery.status == "sending" and delivery.lease == lease


def _ended(delivery: Delivery, status: DeliveryStatus, **changes: Any) -> Delivery:
    return replace(delivery, status=status, lease=None, due_at=END_OF_TIME, **changes)


def notification_id(matter: str, episode: int, round_: int, kind: Kind, level: int, recipient: str) -> str:
    """The id of a row: the same message always has the same one, whoever writes it and however often."""
    return f"{matter}:{episode}.{round_}:{kind}:{level}:{recipient}"


def fresh_deliveries(channels: Sequence[str], now: str, wall: str) -> tuple[Delivery, ...]:
    """The deliveries of a new row: the inbox is done with the row, the others are due at once."""
    return tuple(
        Delivery(INBOX, "sent", 1, END_OF_TIME, sent_at=now)
        if channel == INBOX
        else Delivery(channel, "queued", 0, wall)
        for channel in channels
    )


def held_deliveries(channels: Sequence[str]) -> tuple[Delivery, ...]:
    """Those of a new row that wait for the recipient's next digest."""
    return tuple(Delivery(channel, "held", 0, END_OF_TIME) for channel in channels)


def never_told(channels: Sequence[str]) -> tuple[Delivery, ...]:
    """The deliveries of a row that was over before it was written: they only keep its id from being used late."""
    return tuple(Delivery(channel, "superseded", 0, END_OF_TIME) for channel in channels)
