"""Delivering: every row of the ledger is seen through to its receiver, across crashes and restarts.

1. Claim the delivery with a lease; whoever dies leaves a lease that runs out.
2. Look again: does it still hold, is it its turn, is the address still in use?
3. Count the attempt. From here on it is attempted; before, it can still be superseded. Both are compare-and-set on the
   row, so a stall that ends at this very moment is either not sent, or sent and given an all-clear.
4. Send, with the idempotency id that never changes.
5. Mark what the receiver answered: sent, the next attempt, or the end.

A process killed between 3 and 5 leaves the outcome unknown: the lease runs out and the message goes again under the
same id. An attempted message is seen through even if its stall ends meanwhile; then its all-clear follows, in order.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from luodi.domain.days import instant
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.metrics import Metrics
from services.notify.channels import Addressed, Channel, Outcome
from services.notify.matters import Matter
from services.notify.notifications import LEASE_S, DeliveryStatus, Kind, Notification
from services.notify.watches import Watch

log = logging.get("ledger")

MAX_CONFLICTS = 20  # steps of others on the same row between reading and writing it; each of them got somewhere
RECHECK_S = 1.0  # how soon to look again whether a message that must wait may go
LONGEST_WAIT_S = 300.0  # a message behind another looks again at least this often
CLAIM_BATCH = 200
UNCONDITIONAL: frozenset[Kind] = frozenset({"cleared", "test"})  # sent whatever became of their matter
NO_ADDRESS = "no-address"  # the recipient had one when the message was written, and has none any more

Transition = Callable[[Notification], Notification | None]
Result = Literal["sent", "retried", "failed", "dead", "superseded", "postponed", "taken"]


class NotificationStore(Protocol):
    """Where the rows are kept."""

    def insert(self, rows: Sequence[Notification]) -> set[str]:
        """Write the rows that are not there yet; returns the ids of those it wrote."""

    def get(self, notification_id: str) -> Notification | None:
        """One row."""

    def of_episode(self, matter: str, episode: int) -> list[Notification]:
        """All rows of an episode, in order."""

    def replace(self, row: Notification) -> bool:
        """Write the row if the stored version is the one before; False: another step got there first."""

    def due(self, channel: str, wall: str, limit: int) -> list[str]:
        """Ids of rows whose delivery on the channel is due, the longest due first."""

    def blocking(self, row: Notification, channel: str, recipient: str | None = None) -> Notification | None:
        """The earliest row of the same matter before this one that is still under way on the channel; of one
        recipient only, where each has an address of its own."""


class Endpoints(Protocol):
    """Which addresses were given up."""

    def is_disabled(self, endpoint: str) -> bool:
        """Whether this address was given up."""

    def disable(self, endpoint: str, reason: str, at: str, recipient: str | None = None) -> None:
        """Give it up, for every process and every restart. `recipient`: whose own address it is."""


class _Watches(Protocol):
    def get_many(self, project_ids: Sequence[str]) -> dict[str, Watch]: ...


class _Matters(Protocol):
    def get(self, matter_id: str) -> Matter | None: ...


def settle(
    store: NotificationStore, notification_id: str, transition: Transition, row: Notification | None = None
) -> Notification | None:
    """Take one step of a row, again when another step came in between. `row` is the row as last read, if it was.

    Returns the row as written, None when the step does not apply (any more).
    """
    for attempt in range(MAX_CONFLICTS):
        if row is None or attempt:
            row = store.get(notification_id)
        after = transition(row) if row is not None else None
        if after is None or store.replace(after):
            return after
    raise TransientError("ledger", f"{notification_id} is contended")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the second look found."""

    go: bool
    result: Result = "taken"
    step: Transition | None = None


class Ledger:
    """Delivers what is due, one channel at a time."""

    def __init__(
        self,
        *,
        notifications: NotificationStore,
        matters: _Matters,
        watches: _Watches,
        endpoints: Endpoints,
        channels: Mapping[str, Channel],
        clock: Clock,
        metrics: Metrics,
        addressed: Mapping[str, Addressed] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._notifications = notifications
        self._matters = matters
        self._watches = watches
        self._endpoints = endpoints
        self._channels = channels
        self._addressed = addressed or {}
        self._clock = clock
        self._metrics = metrics
        self._jitter = jitter

    def due(self, channel: str) -> list[str]:
        """Rows that wait for this channel now."""
        return self._notifications.due(channel, self._clock.wall_text(), CLAIM_BATCH)

    def deliver(self, notification_id: str, channel_name: str) -> Result:
        """Make one attempt at one delivery, if it is due and still right."""
        began = self._clock.monotonic()
        lease = secrets.token_hex(8)
        row = settle(
            self._notifications,
            notification_id,
            lambda r: r.claimed(channel_name, self._clock.wall_text(), lease, self._later(LEASE_S)),
        )
        if row is None:
            return "taken"
        channel = self._receiver(row, channel_name)
        if channel is None:
            settle(self._notifications, row.id, lambda r: r.failed(channel_name, lease, NO_ADDRESS), row)
            return self._told(row, channel_name, "failed", began, NO_ADDRESS)
        verdict = self._look_again(row, channel, lease)
        if not verdict.go:
            if verdict.step is not None:
                settle(self._notifications, row.id, verdict.step, row)
            return self._told(row, channel_name, verdict.result, began)
        wait_s = channel.enter()
        if wait_s > 0:
            until = self._later(wait_s)
            settle(self._notifications, row.id, lambda r: r.postponed(channel_name, lease, until, waited=False), row)
            return self._told(row, channel_name, "postponed", began)
        try:
            row = settle(self._notifications, row.id, lambda r: r.begun(channel_name, lease), row)
            if row is None:  # superseded since the claim
                return "taken"
            outcome = self._send(channel, row)
        finally:
            channel.leave()
        return self._told(row, channel_name, self._mark(row, channel, lease, outcome), began, outcome.error)

    def _receiver(self, row: Notification, channel_name: str) -> Channel | None:
        if channel_name in self._channels:
            return self._channels[channel_name]
        return self._addressed[channel_name].to(row)

    def _look_again(self, row: Notification, channel: Channel, lease: str) -> _Verdict:
        name = channel.name
        if channel.endpoint is not None and self._endpoints.is_disabled(channel.endpoint):
            return _Verdict(False, "failed", lambda r: r.failed(name, lease, "endpoint-disabled"))
        delivery = row.delivery(name)
        if row.kind not in UNCONDITIONAL and delivery is not None and delivery.attempts == 0:
            matter = self._matters.get(row.matter)
            if matter is None or matter.state != "open" or matter.episode != row.episode:
                return _Verdict(False, "superseded", lambda r: r.superseded())
            if self._seems_over(matter):
                # The watch already knows better, the watermark that lets the matter be cleared is on its way.
                return _Verdict(False, "postponed", lambda r: r.postponed(name, lease, self._later(RECHECK_S)))
        before = self._notifications.blocking(row, name, channel.recipient)
        if before is not None:
            return self._wait_behind(before, row, name, lease)
        return _Verdict(True)

    def _seems_over(self, matter: Matter) -> bool:
        if matter.project_id is None:
            return False
        watch = self._watches.get_many([matter.project_id]).get(matter.project_id)
        if watch is None or watch.unreadable:
            return False
        deadline = watch.deadline(matter.id)
        return deadline is None or deadline.red_at(self._clock.now_text()) is None

    def _wait_behind(self, before: Notification, row: Notification, name: str, lease: str) -> _Verdict:
        """A channel hears of a matter in order. The message in front gets one attempt at once: something new waits."""
        mine, theirs = row.delivery(name), before.delivery(name)
        if mine is not None and not mine.waited:
            settle(self._notifications, before.id, lambda r: r.hurried(name, self._clock.wall_text()))
        later = self._later(RECHECK_S)
        until = later
        if theirs is not None and mine is not None and mine.waited:
            until = min(max(theirs.due_at, later), self._later(LONGEST_WAIT_S))
        return _Verdict(False, "postponed", lambda r: r.postponed(name, lease, until))

    def _send(self, channel: Channel, row: Notification) -> Outcome:
        try:
            return channel.send(row)
        except Exception as exc:  # a channel's defect must not stop the others, nor lose the message
            log.exception("delivery.failed", notification=row.id, channel=channel.name)
            return Outcome("retry", f"{type(exc).__name__}: {exc}")

    def _mark(self, row: Notification, channel: Channel, lease: str, outcome: Outcome) -> Result:
        name, error, jitter = channel.name, outcome.error or outcome.kind, self._jitter()
        if outcome.kind == "gone" and channel.endpoint is not None:
            self._endpoints.disable(channel.endpoint, error, self._clock.wall_text(), channel.recipient)
            log.warning("endpoint.disabled", channel=name, endpoint=channel.endpoint, error=error)

        def step(r: Notification) -> Notification | None:
            match outcome.kind:
                case "sent":
                    return r.sent(name, lease, self._clock.now_text())
                case "gone" | "refused":
                    return r.failed(name, lease, error)
                case "retry":
                    return r.retried(name, lease, error, self._later, outcome.retry_after_s, jitter)

        after = settle(self._notifications, row.id, step, row)
        delivery = after.delivery(name) if after is not None else None
        if delivery is None:  # the lease ran out and another took over: it marks what its own attempt meets
            return "taken"
        return RESULTS[delivery.status]

    def _later(self, seconds: float) -> str:
        return instant(self._clock.wall() + timedelta(seconds=seconds))

    def _told(self, row: Notification, channel: str, result: Result, began: float, error: str | None = None) -> Result:
        self._metrics.deliveries.labels(channel, result).inc()
        delivery = row.delivery(channel)
        log.info(
            "delivery.attempted" if result != "postponed" else "delivery.postponed",
            notification=row.id,
            message=row.message_id,
            kind=row.kind,
            channel=channel,
            outcome=result,
            attempt=delivery.attempts if delivery is not None else 0,
            error=error,
            ms=round((self._clock.monotonic() - began) * 1000, 1),
            traceparent=row.traceparent,
        )
        return result


RESULTS: dict[DeliveryStatus, Result] = {
    "sent": "sent",
    "queued": "retried",
    "sending": "taken",
    "failed": "failed",
    "dead": "dead",
    "superseded": "superseded",
}
"""What became of a delivery, as logs and metrics name it."""
