"""The values that pass between the steps of the projector, and the ports it needs the outside world through."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from luodi.domain.events import Event
from luodi.runtime.errors import TransientError

Document = dict[str, Any]


class OwnershipLostError(TransientError):
    """The consumer group has moved on: what was done is safe, but another member commits from now on."""


class TooLargeError(Exception):
    """A document has outgrown what MongoDB stores or the topic carries: its partition must stand still before it."""

    def __init__(self, subject: str, partition: int, detail: str) -> None:
        super().__init__(f"the document of {subject} is too large: {detail}")
        self.partition = partition


class Record(Protocol):
    """One record as the consumer hands it out; `timestamp` is the broker's, in milliseconds since 1970."""

    @property
    def offset(self) -> int: ...
    @property
    def leader_epoch(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought: records, or after a rebalance all partitions now owned, each with where it begins."""

    records: Mapping[int, Sequence[Record]]
    assignment: Mapping[int, Mark] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where to go on in a partition: the next offset, the leader epoch of the record before it (-1: unknown), and how
    many records before it were rejected in a row."""

    offset: int
    epoch: int = -1
    rejects_in_row: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A valid event and where it stood. `data` is the event's data as JSON, `digest` identifies its content."""

    event: Event
    partition: int
    offset: int
    digest: str
    data: bytes

    @property
    def identity(self) -> tuple[str, str]:
        return self.event.subject, self.event.id


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be applied, whole, with the reason: it goes to the rejected topic.

    `rejected_at` is the broker's time of the record, so that a replay rejects it in the same words.
    """

    partition: int
    offset: int
    rejected_at: str
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Journaled:
    """What the journal already held under an identity."""

    digest: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Base:
    """A stored document as far as the next write needs it: its guard (`events`, `ruleset`) and the folded state."""

    events: int
    ruleset: int
    fold: bytes


@dataclass(frozen=True, slots=True)
class Outdated:
    """A stored document of an older activation, as far as it takes to make it anew."""

    partition: int
    base: Base


@dataclass(frozen=True, slots=True)
class Fuse:
    """Why a partition stands still before `offset` until an operator lets it go on."""

    partition: int
    offset: int
    reason: str
    blown_at: str


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A reject that could not be written, and whether trying again may help."""

    offset: int
    passing: bool
    detail: str


class Source(Protocol):
    """`project-events`, consumed as one member of the tracker's group. One thread only."""

    def poll(self, timeout_s: float, paused: Collection[int]) -> Polled:
        """Records of the owned partitions but the paused ones. Raises TransientError, FatalError.

        An assignment comes alone, and comes again when the poll that would have told it failed.
        """

    def seek(self, partition: int, offset: int) -> None:
        """Go on from `offset`; without effect for a partition that is no longer owned."""

    def position(self, partition: int) -> int | None:
        """The offset after the last record handed out; None while it is not known."""

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        """The leader's end offsets, asked now. Raises TransientError."""

    def commit(self, marks: Mapping[int, Mark]) -> None:
        """Commit exactly these. Raises OwnershipLostError, TransientError, FatalError."""

    def commit_tail(self, marks: Mapping[int, Mark]) -> None:
        """Commit how far the tail has judged `project-states`, as this member. Raises as `commit` does."""

    def close(self) -> None:
        """Leave without committing."""


class Leading(Protocol):
    """Whether the primary still leads that took the documents which were replaced ahead."""

    @property
    def election(self) -> Hashable:
        """In which election they all were taken since `begin_again`; None when none was."""

    def begin_again(self) -> None:
        """What was not settled will be written again. Until then, once the primary has changed, everything that
        writes ahead or settles raises TransientError."""


class Journal(Protocol):
    """Every event once, under (subject, id)."""

    def add(self, arrivals: Sequence[Arrival]) -> dict[tuple[str, str], Journaled]:
        """Write the arrivals (distinct identities). Returns those that were there already, as they stand there."""

    def settle(self, arrivals: Sequence[Arrival], elections: Collection[Hashable]) -> bool:
        """The same of arrivals that are new, as far as this process knows: says whether they were. All that was
        written ahead in these elections is safe then. Raises TransientError when that is not certain."""

    def read(self, subjects: Collection[str]) -> dict[str, list[Event]]:
        """All events of each subject, in the order of the fold; a subject without any is left out."""

    def ids(self, subjects: Collection[str]) -> dict[str, set[str]]:
        """The ids of each subject's events; a subject without any is left out."""


class Projects(Protocol):
    """The documents, one per subject, each replaced only under its guard."""

    def bases(self, subjects: Collection[str]) -> dict[str, Base]:
        """The stored guards and folded states of those subjects that have a document."""

    def standing(self, partitions: Collection[int], after: str, limit: int) -> dict[str, Base]:
        """The same of up to `limit` projects of these partitions, in the order of their ids, those behind `after`."""

    def swap(self, changes: Sequence[tuple[Base | None, Document]]) -> set[str]:
        """Replace each document if it still stands exactly at its base (None: does not exist). Returns the refused.

        Raises TransientError, FatalError, TooLargeError; some may be written then.
        """

    def swap_ahead(self, changes: Sequence[tuple[Base | None, Document]]) -> set[str]:
        """The same of a few, ahead: safe only once the journal has settled what was written in this election."""

    def offer(self, documents: Sequence[Document]) -> None:
        """Replace each document only if neither `events` nor `ruleset` falls and one rises. A refusal is no error.

        Raises as `swap` does.
        """

    def read(self, subjects: Collection[str]) -> dict[str, Document]:
        """The stored documents."""

    def outdated(self, partitions: Collection[int], ruleset: int, limit: int) -> dict[str, Outdated]:
        """Up to `limit` documents of these partitions that have a lower ruleset, by subject."""

    def guards(self, subjects: Collection[str]) -> dict[str, tuple[int, int]]:
        """(`events`, `ruleset`) of the stored documents."""


class Positions(Protocol):
    """How far each partition is applied: its next offset, for readers of other processes."""

    def advance(self, applied: Mapping[int, int]) -> None:
        """Note how far partitions are applied. Offsets never fall."""

    def read(self, partitions: Iterable[int]) -> dict[int, int]:
        """What is noted of these partitions; one never touched is left out."""


class Fuses(Protocol):
    """The partitions that wait for an operator."""

    def blow(self, fuse: Fuse) -> None:
        """Note the fuse, so that it holds over a restart and the operator can see it."""

    def blown(self) -> dict[int, Fuse]:
        """All fuses by partition."""

    def mend(self, partition: int) -> bool:
        """The operator's word to go on; says whether there was a fuse."""


class Sent(Protocol):
    """What was sent together and is on its way."""

    def done(self) -> bool:
        """Whether `result` would not wait."""

    def result(self) -> list[tuple[int, str, int]]:
        """Wait for all of it: (partition, subject, offset) of each document.

        Raises TransientError or FatalError when any of it did not reach the log.
        """


class Outbox(Protocol):
    """`project-states` and the rejected topic. Sending is not yet success: only the result of what was sent is."""

    def state(self, document: Document, traceparent: str | None) -> None:
        """Send a document to its own partition. Raises TransientError, FatalError, TooLargeError."""

    def watermark(self, partition: int, instant: str) -> None:
        """Send a watermark to a partition of `project-states`."""

    def sent(self) -> Sent:
        """Everything sent since the last call."""

    def reject(self, rejects: Sequence[Reject]) -> dict[int, Unwritten]:
        """Write rejects and wait. Returns, per partition, the first that could not be written; empty when all were."""
