"""How addresses are reached: which of them have taken nothing for a while, and which channels as a whole.

A receiver that refuses for good is given up and told as such (`alarms`). One that fails for the moment is tried again,
for more than a day, and that it fails all the while nobody would hear. So every attempt is heard here: an address of
which nothing was taken in `MIN_ATTEMPTS` attempts over `SPAN_S` is failing; so is a channel on which that is true of
several addresses and nothing was taken on any other since. Whatever is taken ends both.

What attempts met is gathered in memory and handed to the store every few seconds. What a killed process had not handed
over is lost: then a failing address is found a little later.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.notify.alarms import age_s, opening_of
from services.notify.channels import Channel, Outcome
from services.notify.matters import NO_PARTITION, Opening
from services.notify.recipients import OPERATORS

MIN_ATTEMPTS = 5  # a receiver that restarts fails two or three
SPAN_S = 900.0  # long enough for it to come back, and for the third attempt at one message
MIN_ADDRESSES = 2  # of a channel: one address says nothing about the others

UNREACHED, RECEIVER, CHANNEL = "unreached", "receiver", "channel"
FAULTS = frozenset({UNREACHED, RECEIVER, CHANNEL})


@dataclass(frozen=True, slots=True)
class Failing:
    """An address that has taken nothing since `since`, the wall time of the first of these attempts.

    `channel` is what deliveries call it; `recipient`: whose own address it is, None: the operator's receiver. `error`
    is the code of what the last attempt met.
    """

    endpoint: str
    channel: str
    recipient: str | None
    shown: str | None  # how the operator's receiver may be shown; None of a recipient's own, which may be erased
    attempts: int
    since: str
    last: str
    error: str

    def and_then(self, other: Failing) -> Failing:
        """Both, where `other` came later."""
        return replace(other, attempts=self.attempts + other.attempts, since=min(self.since, other.since))

    def lasts(self, wall: str) -> bool:
        """Whether it has been so for long enough, in attempts and in time."""
        return self.attempts >= MIN_ATTEMPTS and age_s(self.since, wall) >= SPAN_S


@dataclass(frozen=True, slots=True)
class Reached:
    """What is known of all addresses: those that fail, and when a channel that has some took anything last."""

    failing: Sequence[Failing] = ()
    taken: Mapping[str, str] | None = None  # channel -> wall time

    def taken_on(self, channel: str) -> str:
        """When the channel took anything last, as far as that was noted; "": never."""
        return (self.taken or {}).get(channel, "")


class ReachStore(Protocol):
    """Where that is kept, for all notifiers. Every call may raise TransientError."""

    def add(self, failed: Sequence[Failing]) -> None:
        """Add these attempts to what is known of their addresses."""

    def read(self) -> Reached:
        """All of it: few rows, for most addresses do not fail."""

    def note_taken(self, channels: Mapping[str, str]) -> None:
        """These channels took something at these times."""

    def forget(self, endpoints: Collection[str], until: str) -> None:
        """What was known of these addresses up to `until` counts no more."""


class Reach:
    """What the attempts of this process met, since it was last handed over. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: dict[str, Failing] = {}
        self._taken: dict[str, str] = {}
        self._channels: dict[str, str] = {}
        self._gone: set[str] = set()

    def heard(self, channel: Channel, outcome: Outcome, wall: str) -> None:
        """An attempt at a channel's address met this at `wall`."""
        endpoint = channel.endpoint
        if endpoint is None:
            return
        with self._lock:
            if outcome.kind == "sent":
                self._failed.pop(endpoint, None)
                self._taken[endpoint] = self._channels[channel.name] = wall
            elif outcome.kind == "gone":
                self._failed.pop(endpoint, None)
                self._gone.add(endpoint)
            else:
                shown = channel.shown if channel.recipient is None else None
                error = outcome.error or outcome.kind
                now = Failing(endpoint, channel.name, channel.recipient, shown, 1, wall, wall, error)
                before = self._failed.get(endpoint)
                self._failed[endpoint] = before.and_then(now) if before is not None else now

    def hand_over(self, store: ReachStore, wall: str) -> Reached:
        """Have the store know what was heard; returns what it knows then. Raises TransientError: nothing is lost."""
        with self._lock:
            failed, taken, channels, gone = self._failed, self._taken, self._channels, self._gone
            self._failed, self._taken, self._channels, self._gone = {}, {}, {}, set()
        try:
            reached = store.read()
            ended = {row.endpoint for row in reached.failing} & {*taken, *gone}
            if ended:
                store.forget(ended, wall)
            if failed:
                store.add(list(failed.values()))
            concerned = {row.channel for row in reached.failing} | {row.channel for row in failed.values()}
            noted = {channel: at for channel, at in channels.items() if channel in concerned}
            if noted:
                store.note_taken(noted)
            return store.read() if ended or failed or noted else reached
        except BaseException:
            with self._lock:
                for endpoint, before in failed.items():
                    now = self._failed.get(endpoint)
                    if endpoint not in self._taken and endpoint not in self._gone:
                        self._failed[endpoint] = before.and_then(now) if now is not None else before
                self._taken = taken | self._taken
                self._channels = channels | self._channels
                self._gone |= gone
            raise


def failing(reached: Reached, wall: str) -> Iterable[Opening]:
    """Every address and channel that fails now, as the opening of its matter.

    Where a channel fails as a whole its addresses are not told one by one; once it takes something again, each of them
    only when another attempt at it has failed since.
    """
    whole = set()
    for channel in sorted({row.channel for row in reached.failing}):
        rows = [r for r in reached.failing if r.channel == channel and r.since > reached.taken_on(channel)]
        attempts = sum(row.attempts for row in rows)
        since = min((row.since for row in rows), default=wall)
        if len(rows) >= MIN_ADDRESSES and attempts >= MIN_ATTEMPTS and age_s(since, wall) >= SPAN_S:
            whole.add(channel)
            facts = {"channel": channel, "addresses": len(rows), "attempts": attempts, "since": since}
            yield opening_of(CHANNEL, channel, NO_PARTITION, {**facts, "avoids": channel})
    for row in reached.failing:
        if row.channel in whole or not row.lasts(wall) or row.last <= reached.taken_on(row.channel):
            continue
        facts = {"id": row.endpoint, "attempts": row.attempts, "since": row.since, "error": row.error}
        if row.recipient is None:
            shown = {"endpoint": row.shown, "avoids": row.channel}
            yield opening_of(RECEIVER, row.endpoint, NO_PARTITION, {**facts, **shown})
        else:
            of = {"recipient": row.recipient, "channel": row.channel}
            # That the operators' own address fails they are told by another way.
            avoids = {"avoids": row.channel} if row.recipient == OPERATORS else {}
            yield opening_of(UNREACHED, row.endpoint, NO_PARTITION, {**facts, **of, **avoids})


def is_over(facts: Mapping[str, object], reached: Reached) -> bool:
    """Whether an address or a channel that was told as failing fails no more: something was taken, or it is gone."""
    if facts["fault"] == CHANNEL:
        channel = str(facts["channel"])
        return not any(row.channel == channel and row.since > reached.taken_on(channel) for row in reached.failing)
    return all(row.endpoint != facts["id"] for row in reached.failing)
