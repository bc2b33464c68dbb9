"""The second look: whether a message that is due may really go now. Asked for many at once, right before they go.

What one look at many messages needs is read together (`Seen`); what it means for each is a pure function of that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from services.notify.channels import Channel
from services.notify.matters import Matter, MatterState, Standing, still_holds
from services.notify.milestone_reports import REPORT_KINDS
from services.notify.notifications import Kind, Notification
from services.notify.silences import Silence
from services.notify.watches import Watch

UNCONDITIONAL: frozenset[Kind] = frozenset({"cleared", "test", "digest"})  # sent whatever became of their matter

STATES: Mapping[Kind, MatterState] = {"warning": "warned", "recovered": "cleared"}
"""Kind of a message -> the state of its matter in which it may go; of any other kind: open."""

Verdict = Literal["go", "no-address", "endpoint-disabled", "over", "seems-over", "muted", "behind"]


@dataclass(frozen=True, slots=True)
class Ahead:
    """An earlier message of the same matter that is still under way on a channel; `due_at` is its instant there."""

    id: str
    due_at: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known about the messages of one look."""

    given_up: Collection[str]  # addresses
    matters: Mapping[str, Standing]
    watches: Mapping[str, Watch]
    silences: Sequence[Silence]
    ahead: Mapping[str, Ahead]  # message -> the earliest of those in its way


class Queue(Protocol):
    """What the rows know of the order of messages."""

    def ahead_of(self, rows: Sequence[Notification], channel: str, *, own: bool) -> dict[str, Ahead]:
        """Of each row that must wait: the earliest row of its matter before it that is still under way on the channel.
        `own`: each recipient has an address of its own there, so only messages to the same one are in the way."""


class GivenUp(Protocol):
    """Which addresses were given up."""

    def disabled(self, endpoints: Collection[str]) -> set[str]:
        """Those of the given ones that were."""


class Watches(Protocol):
    """What is known of projects."""

    def get_many(self, project_ids: Collection[str]) -> dict[str, Watch]:
        """Those that exist, by project."""


class Matters(Protocol):
    """The matters that messages are about."""

    def standings(self, matter_ids: Collection[str]) -> dict[str, Standing]:
        """How those stand that exist, by id."""


class Silent(Protocol):
    """What is not to be told for a while."""

    def lasting(self, projects: Collection[str], now: str) -> list[Silence]:
        """The silences on these projects, or their matters, that are not over."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Reads what a look needs: at most one question to each store, however many messages it is about."""

    queue: Queue
    endpoints: GivenUp
    matters: Matters
    watches: Watches
    silences: Silent

    def seen(self, rows: Mapping[str, tuple[Notification, Channel]], channel: str, now: str, *, own: bool) -> Seen:
        """About messages by id, each with its receiver. `now` is business time. Raises TransientError."""
        endpoints = {receiver.endpoint for _, receiver in rows.values() if receiver.endpoint is not None}
        asked = [row for row, _ in rows.values() if _may_be_over(row, channel)]
        matters = self.matters.standings({row.matter for row in asked}) if asked else {}
        of_reports = {row.project_id for row in asked if row.kind in REPORT_KINDS}
        of_matters = {matter.project_id for matter in matters.values()}
        projects = {project_id for project_id in of_matters | of_reports if project_id is not None}
        watches = self.watches.get_many(projects) if projects else {}
        return Seen(
            given_up=self.endpoints.disabled(endpoints) if endpoints else (),
            matters=matters,
            watches=watches,
            silences=self.silent(projects, watches, now),
            ahead=self.queue.ahead_of([row for row, _ in rows.values()], channel, own=own),
        )

    def silent(self, projects: Collection[str], watches: Mapping[str, Watch], now: str) -> Sequence[Silence]:
        """The silences that may hold for these projects: their own, and those of their parents."""
        parents = {watch.parent for watch in watches.values() if watch.parent is not None}
        return self.silences.lasting({*projects, *parents}, now) if projects else ()


def verdict(row: Notification, receiver: Channel | None, channel: str, seen: Seen, now: str) -> Verdict:
    """What becomes of a message that is due on a channel. `now` is business time."""
    if receiver is None:
        return "no-address"
    if receiver.endpoint in seen.given_up:
        return "endpoint-disabled"
    if _may_be_over(row, channel) and row.kind in REPORT_KINDS:
        watch = seen.watches.get(row.project_id or "")
        if watch is None or all(report.matter != row.matter for report in watch.reports):
            return "over"  # it was verified, retracted or corrected meanwhile
        if any(silence.covers_project(row.project_id, watch, now) for silence in seen.silences):
            return "muted"
    elif _may_be_over(row, channel):
        matter = seen.matters.get(row.matter)
        if matter is None or matter.state != STATES.get(row.kind, "open") or matter.episode != row.episode:
            return "over"
        watch = seen.watches.get(matter.project_id or "")
        if not still_holds(matter, watch, now):
            # Of an open one the watermark that lets it be cleared is on its way.
            return "over" if row.kind == "recovered" else "seems-over"
        if is_muted(matter, watch, seen.silences, now):
            return "muted"
    return "behind" if row.id in seen.ahead else "go"


def _may_be_over(row: Notification, channel: str) -> bool:
    """Nothing was attempted there (since it was sent again), so it need not be seen through if its stall has ended."""
    delivery = row.delivery(channel)
    return row.kind not in UNCONDITIONAL and delivery is not None and delivery.untried


def is_muted(matter: Matter | Standing, watch: Watch | None, silences: Sequence[Silence], now: str) -> bool:
    """Whether nothing about a matter goes out for now: an approved pause, or a silence."""
    return _is_paused(matter, watch, now) or any(silence.covers(matter, watch, now) for silence in silences)


def _is_paused(matter: Matter | Standing, watch: Watch | None, now: str) -> bool:
    """Whether an approved pause holds every rule that is broken."""
    deadline = watch.deadline(matter.id) if watch is not None and matter.state == "open" else None
    return deadline is not None and deadline.paused_until(now) is not None
