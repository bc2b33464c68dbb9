"""Delivering: every row of the ledger is seen through to its receiver, across crashes and restarts.

1. Look again at some rows that are due: does it still hold, is it its turn, is the address still in use?
2. Take the delivery with a lease and count the attempt, in one step. From here on it is attempted; before, it can still
   be superseded. Both are compare-and-set on the row as it was looked at, so a stall that ends at this very moment is
   either not sent, or sent and given an all-clear, and of two who want the same delivery one gets it.
3. Send, with the idempotency id that never changes; not if the step before took so long that the lease may be over.
4. Mark what the receiver answered: sent, the next attempt, or the end.

A process killed between 2 and 4 leaves the outcome unknown: the lease runs out and the message goes again under the
same id. An attempted message is seen through even if its stall ends meanwhile; then its all-clear follows, in order.

Whoever looks, looks at many rows at once. Taking and marking are done for many at once only where a message costs
nothing to send (`Channel.batch`); over a network each is taken right before its own request, so a process that is
killed leaves few outcomes unknown. Each notifier takes the rows of its own partitions, and what others left.
"""

from __future__ import annotations

import random
import secrets
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

from luodi.domain.days import instant
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.metrics import Metrics
from services.notify.channels import Addressed, Channel, Outcome
from services.notify.looking import Ahead, Looks, Matters, Silent, Verdict, Watches, verdict
from services.notify.matters import NO_PARTITION
from services.notify.notifications import LEASE_S, START_S, DeliveryStatus, Notification

log = logging.get("ledger")

MAX_CONFLICTS = 20  # steps of others on the same row between reading and writing it; each of them got somewhere
RECHECK_S = 1.0  # how soon to look again whether a message that must wait may go
MUTED_S = 15.0  # how soon to look again whether a silence or a pause is over
LONGEST_WAIT_S = 300.0  # a message behind another looks again at least this often
LOOK_S = 1.0  # what a look found holds no longer: then it is looked at anew
CLAIM_BATCH = 500
HELD_UP = "held-up"  # this process was, between taking a message and sending it: it is left to its next owner
LEFT_S = 5.0  # due for so long, a row is taken by anyone: whoever has its partition is away
LEFT_EVERY_S = 2.0  # how often to look for such rows

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

    def replace_many(self, rows: Sequence[Notification], channel: str | None = None) -> set[str]:
        """The same for many rows, each for itself; returns the ids of those that were written.

        `channel`: of none of them anything else has changed than its delivery there, which makes the writing cheaper.
        """

    def due(
        self,
        channel: str,
        wall: str,
        limit: int,
        partitions: Collection[int] | None = None,
        besides: Collection[str] = (),
    ) -> list[Notification]:
        """Rows whose delivery on the channel is due, the longest due first; of these partitions, None: of all.

        `besides`: ids of rows that are known already.
        """

    def any_due(self, channels: Collection[str], wall: str) -> bool:
        """Whether there is any row whose delivery on one of the channels is due."""

    def ahead_of(self, rows: Sequence[Notification], channel: str, *, own: bool) -> dict[str, Ahead]:
        """See `looking.Queue`."""


class Endpoints(Protocol):
    """Which addresses were given up."""

    def disabled(self, endpoints: Collection[str]) -> set[str]:
        """Those of the given ones that were given up."""

    def disable(self, endpoint: str, reason: str, at: str, recipient: str | None = None) -> None:
        """Give it up, for every process and every restart. `recipient`: whose own address it is."""


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
class Ready:
    """A message that may go, to whom, and when that was found."""

    row: Notification
    receiver: Channel
    looked_at: float


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What an attempt met."""

    row: Notification
    receiver: Channel
    outcome: Outcome


class Ledger:
    """Delivers what is due, one channel at a time. Any number of threads may be at it."""

    def __init__(
        self,
        *,
        notifications: NotificationStore,
        matters: Matters,
        watches: Watches,
        silences: Silent,
        endpoints: Endpoints,
        channels: Mapping[str, Channel],
        clock: Clock,
        metrics: Metrics,
        addressed: Mapping[str, Addressed] | None = None,
        owned: Callable[[], Collection[int]] = tuple,
        jitter: Callable[[], float] = random.random,
        heard: Callable[[Channel, Outcome, str], None] = lambda _channel, _outcome, _wall: None,
    ) -> None:
        """`owned`: the partitions this notifier has now; `heard` is told what each attempt met, and when."""
        self._notifications = notifications
        self._endpoints = endpoints
        self._looks = Looks(notifications, endpoints, matters, watches, silences)
        self._channels = channels
        self._addressed = addressed or {}
        self._clock = clock
        self._metrics = metrics
        self._owned = owned
        self._jitter = jitter
        self._heard = heard
        self._left_at: dict[str, float] = {}

    def due(self, channel: str, besides: Collection[str] = ()) -> list[Notification]:
        """Rows that wait for this channel now: those of our partitions, then those that others left.

        `besides`: ids of rows that are known already.
        """
        wall, mine = self._clock.wall_text(), [*sorted(self._owned()), NO_PARTITION]
        rows = self._notifications.due(channel, wall, CLAIM_BATCH, mine, besides)
        now = self._clock.monotonic()
        if len(rows) < CLAIM_BATCH and now - self._left_at.get(channel, float("-inf")) >= LEFT_EVERY_S:
            self._left_at[channel] = now
            ours = {row.id for row in rows}
            left = self._notifications.due(channel, self._later(-LEFT_S), CLAIM_BATCH, None, besides)
            rows += [row for row in left if row.id not in ours]
        return rows

    def any_due(self, channels: Collection[str]) -> bool:
        """Whether there is anything to deliver: one question for all channels, for mostly there is not."""
        return self._notifications.any_due(channels, self._clock.wall_text())

    def deliver(self, rows: Sequence[Notification], channel: str) -> list[Result]:
        """Make one attempt at each of these deliveries that is still due, right, and whose turn it is."""
        results: list[Result] = []
        rest = list(rows)
        while rest:
            ready, rest, set_aside = self.look(rest, channel)
            results += set_aside
            size = self.batch(channel)
            for begin in range(0, len(ready), size):
                results += self.attempt(ready[begin : begin + size])
        return results

    def batch(self, channel: str) -> int:
        """How many messages are taken and marked together."""
        return self._channels[channel].batch if channel in self._channels else 1

    def look(self, rows: Sequence[Notification], channel: str) -> tuple[list[Ready], list[Notification], list[Result]]:
        """Look again at messages that are due: which may go, which come after one of those, what became of the others.

        Raises TransientError.
        """
        began = self._clock.monotonic()
        own = channel not in self._channels
        first, behind = _first_of_each(rows, own)
        receivers = dict(zip([row.id for row in first], self._receivers(first, channel), strict=True))
        known = {row.id: (row, to) for row in first if (to := receivers[row.id]) is not None}
        now = self._clock.now_text()
        seen = self._looks.seen(known, channel, now, own=own)
        ready: list[Ready] = []
        others: list[tuple[Notification, Verdict]] = []
        for row in first:
            receiver = receivers[row.id]
            found = verdict(row, receiver, channel, seen, now)
            if found == "go" and receiver is not None:
                ready.append(Ready(row, receiver, began))
            else:
                others.append((row, found))
        steps = [
            (row, RESULT_OF[found], self._set_aside(row, channel, found, seen.ahead.get(row.id)))
            for row, found in others
        ]
        return ready, behind, self._step_aside(steps, channel, began)

    def is_fresh(self, ready: Ready) -> bool:
        """Whether what the look found may still be relied on."""
        return self._clock.monotonic() - ready.looked_at <= LOOK_S

    def attempt(self, group: Sequence[Ready]) -> list[Result]:
        """Take, send and mark these messages of one channel. What another took meanwhile is left to it.

        Raises TransientError; what was taken by then goes again when its lease has run out.
        """
        began = self._clock.monotonic()
        channel = group[0].receiver.name
        entered: list[Ready] = []
        full: list[tuple[Notification, Result, Notification | None]] = []
        attempts: list[_Attempt] = []
        late: list[Result] = []
        wall = self._clock.wall_text()
        try:
            for one in group:
                wait_s = one.receiver.enter()
                if wait_s > 0:
                    after = one.row.postponed(channel, wall, self._later(wait_s), waited=False)
                    full.append((one.row, "postponed", after))
                else:
                    entered.append(one)
            lease = secrets.token_hex(8)
            taken = self._take(entered, channel, lease)
            for one in entered:
                row = taken.get(one.row.id)
                if row is None:
                    continue
                if self._clock.monotonic() - began > START_S:  # by now it may be another's
                    late.append(self._told(row, channel, "taken", began, HELD_UP))
                else:
                    attempts.append(_Attempt(row, one.receiver, self._send(one.receiver, row)))
            # Before anything else: until it is marked, a message that was taken would be sent again after a kill.
            marked = self._mark(attempts, channel, lease, began)
        finally:
            for one in entered:
                one.receiver.leave()
        results = late + self._step_aside(full, channel, began) + marked
        return results + ["taken"] * (len(group) - len(results))

    def _receivers(self, rows: Sequence[Notification], channel: str) -> Sequence[Channel | None]:
        if channel in self._channels:
            return [self._channels[channel]] * len(rows)
        return self._addressed[channel].to(rows)

    def _set_aside(self, row: Notification, channel: str, found: Verdict, ahead: Ahead | None) -> Notification | None:
        """The row of a message that does not go now."""
        wall = self._clock.wall_text()
        match found:
            case "no-address" | "endpoint-disabled":
                return row.given_up(channel, wall, found)
            case "over":
                return row.superseded()
            case "behind" if ahead is not None:
                return row.postponed(channel, wall, self._wait_behind(ahead, row, channel))
            case "muted":
                return row.postponed(channel, wall, self._later(MUTED_S), waited=False)
            case _:
                return row.postponed(channel, wall, self._later(RECHECK_S))

    def _wait_behind(self, ahead: Ahead, row: Notification, channel: str) -> str:
        """A channel hears of a matter in order. The message in front gets one attempt at once: something new waits."""
        delivery, later = row.delivery(channel), self._later(RECHECK_S)
        if delivery is None or not delivery.waited:
            settle(self._notifications, ahead.id, lambda r: r.hurried(channel, self._clock.wall_text()))
            return later
        return min(max(ahead.due_at, later), self._later(LONGEST_WAIT_S))

    def _step_aside(
        self, steps: Sequence[tuple[Notification, Result, Notification | None]], channel: str, began: float
    ) -> list[Result]:
        """Write these steps together; where another step came first, the next round looks anew."""
        afters = [after for _, _, after in steps if after is not None]
        written = self._notifications.replace_many(afters) if afters else set()
        return [
            self._told(after, channel, result, began) if after is not None and row.id in written else "taken"
            for row, result, after in steps
        ]

    def _take(self, entered: Sequence[Ready], channel: str, lease: str) -> dict[str, Notification]:
        wall, until = self._clock.wall_text(), self._later(LEASE_S)

        def step(row: Notification) -> Notification | None:
            return row.begun(channel, wall, lease, until)

        begun = [row for one in entered if (row := step(one.row)) is not None]
        written = self._notifications.replace_many(begun, channel) if begun else set()
        taken = {row.id: row for row in begun if row.id in written}
        for row in begun:
            # Mostly another channel of the message was marked meanwhile; or the delivery is over, or taken by another.
            after = None if row.id in taken else settle(self._notifications, row.id, step)
            if after is not None:
                taken[row.id] = after
        return taken

    def _send(self, channel: Channel, row: Notification) -> Outcome:
        outcome = self._outcome(channel, row)
        self._heard(channel, outcome, self._clock.wall_text())
        return outcome

    def _outcome(self, channel: Channel, row: Notification) -> Outcome:
        try:
            return channel.send(row)
        except Exception as exc:  # noqa: BLE001  # a channel's defect must not stop the others, nor lose the message
            # What a library says of an address it could not use holds that address: only where it went wrong is told.
            where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(exc.__traceback__)]
            error = type(exc).__name__
            log.error("delivery.failed", notification=row.id, channel=channel.name, error=error, at=where)  # noqa: TRY400
            return Outcome("retry", error)

    def _mark(self, attempts: Sequence[_Attempt], channel: str, lease: str, began: float) -> list[Result]:
        steps: list[tuple[_Attempt, Transition]] = []
        now = self._clock.now_text()  # of all of them: rows that change alike are written as one
        for one in attempts:
            error, endpoint = one.outcome.error or one.outcome.kind, one.receiver.endpoint
            if one.outcome.kind == "gone" and endpoint is not None:
                self._endpoints.disable(endpoint, error, self._clock.wall_text(), one.receiver.recipient)
                log.warning("endpoint.disabled", channel=channel, endpoint=endpoint, error=error)
            steps.append((one, self._answered(channel, lease, one.outcome, error, now)))
        afters = [after for one, step in steps if (after := step(one.row)) is not None]
        written = self._notifications.replace_many(afters, channel) if afters else set()
        marked = {after.id: after for after in afters if after.id in written}
        results: list[Result] = []
        for one, step in steps:
            # Another step of the row came first: a deadline hurried, another channel marked, or the lease lost.
            after = marked.get(one.row.id) or settle(self._notifications, one.row.id, step)
            delivery = after.delivery(channel) if after is not None else None
            if after is None or delivery is None:  # another took over: it marks what its own attempt meets
                results.append(self._told(one.row, channel, "taken", began, one.outcome.error))
            else:
                results.append(self._told(after, channel, RESULTS[delivery.status], began, one.outcome.error))
        return results

    def _answered(self, channel: str, lease: str, outcome: Outcome, error: str, now: str) -> Transition:
        jitter = self._jitter()
        match outcome.kind:
            case "sent":
                return lambda r: r.sent(channel, lease, now)
            case "gone" | "refused":
                return lambda r: r.failed(channel, lease, error, now)
            case "retry":
                return lambda r: r.retried(channel, lease, error, self._later, outcome.retry_after_s, jitter)

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
            error=error or (delivery.error if delivery is not None and result == "failed" else None),
            ms=round((self._clock.monotonic() - began) * 1000, 1),
            traceparent=row.traceparent,
        )
        return result


def _first_of_each(rows: Sequence[Notification], own: bool) -> tuple[list[Notification], list[Notification]]:
    """The rows that can be looked at together, and those behind one of them: a matter's messages go one by one."""
    least: dict[tuple[str, str | None], int] = {}
    for row in rows:
        key = (row.matter, row.recipient if own else None)
        least[key] = min(least.get(key, row.order), row.order)
    first: list[Notification] = []
    behind: list[Notification] = []
    for row in rows:
        key = (row.matter, row.recipient if own else None)
        (first if row.order == least[key] else behind).append(row)
    return first, behind


RESULT_OF: dict[Verdict, Result] = {
    "go": "sent",
    "no-address": "failed",
    "endpoint-disabled": "failed",
    "over": "superseded",
    "seems-over": "postponed",
    "muted": "postponed",
    "behind": "postponed",
}
"""What becomes of a delivery by the second look alone."""

RESULTS: dict[DeliveryStatus, Result] = {
    "sent": "sent",
    "queued": "retried",
    "sending": "taken",
    "failed": "failed",
    "dead": "dead",
    "superseded": "superseded",
}
"""What became of a delivery by an attempt, as logs and metrics name it."""
