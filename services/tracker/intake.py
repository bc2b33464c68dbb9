"""From records to arrivals and rejects: decode, and tell new events from repeated and from rival ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

import orjson

from luodi.domain.days import instant
from luodi.domain.events import Event, digest
from schemas import codec
from schemas.invalid import Invalid
from services.tracker.ports import Arrival, Journaled, Mark, Record, Reject

MAX_REJECTS_IN_ROW = 1_000  # a bad deploy must not drain the topic into the bin

CONFLICT = "conflict"
DETAIL_CHARS = 500

Records = Mapping[int, Sequence[Record]]
Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one poll, decoded, in the order of their offsets within each partition."""

    records: Records
    arrivals: Sequence[Arrival]
    invalid: Sequence[Reject]

    @property
    def size(self) -> int:
        """How many records it holds."""
        return sum(map(len, self.records.values()))

    def claims(self) -> dict[Identity, Arrival]:
        """The first arrival of each identity: within a batch, too, the lowest offset wins."""
        claims: dict[Identity, Arrival] = {}
        for arrival in self.arrivals:
            claims.setdefault(arrival.identity, arrival)
        return claims

    def first_claims(self) -> list[Arrival]:
        """The arrivals that the journal is asked to take."""
        return list(self.claims().values())

    def marks(self, rejects: Mapping[int, int]) -> dict[int, Mark]:
        """Where each partition goes on once all of the batch is done. `rejects`: those in a row at its end."""
        return {
            partition: Mark(received[-1].offset + 1, received[-1].leader_epoch, rejects[partition])
            for partition, received in self.records.items()
        }

    def cut(self, stops: Mapping[int, int]) -> Batch:
        """The batch without the records at and behind the offset in `stops` of each of those partitions."""

        def kept(partition: int, offset: int) -> bool:
            return partition not in stops or offset < stops[partition]

        records = {p: [r for r in received if kept(p, r.offset)] for p, received in self.records.items()}
        return Batch(
            {partition: received for partition, received in records.items() if received},
            [arrival for arrival in self.arrivals if kept(arrival.partition, arrival.offset)],
            [reject for reject in self.invalid if kept(reject.partition, reject.offset)],
        )

    def record(self, partition: int, offset: int) -> Record:
        received = self.records[partition]
        return received[bisect_left(received, offset, key=lambda record: record.offset)]


@dataclass(slots=True)
class Verdict:
    """What is to be done about a batch, given what the journal knew before it."""

    fresh: dict[str, list[Event]] = field(default_factory=dict)  # subjects all of whose events are new, with them
    again: set[str] = field(default_factory=set)  # subjects with a repeated event
    place: dict[str, Arrival] = field(default_factory=dict)  # the last arrival of each subject
    rejects: list[Reject] = field(default_factory=list)
    new: int = 0


def read(records: Records, timezone: tzinfo) -> Batch:
    """Decode the records of one poll. `timezone` tells the business dates that their dates are checked against."""
    arrivals: list[Arrival] = []
    invalid: list[Reject] = []
    for partition, received in records.items():
        for record in received:
            try:
                event = codec.decode(record.value, record.key, timezone)
            except Invalid as exc:
                invalid.append(_reject(partition, record, exc.code, exc.detail))
            else:
                arrivals.append(Arrival(event, partition, record.offset, digest(event), orjson.dumps(event.data)))
    return Batch(records, arrivals, invalid)


def judge(batch: Batch, known: Mapping[Identity, Journaled]) -> Verdict:
    """Sort the arrivals; `known` is what the journal held of their identities before the batch.

    A subject with a repeated event is folded from its journal again, for the first attempt may have ended anywhere
    between the journal and the topic. Only a subject all of whose events are new may be carried forward.
    """
    verdict = Verdict(rejects=list(batch.invalid))
    claims = batch.claims()
    for arrival in batch.arrivals:
        subject = arrival.event.subject
        first = claims[arrival.identity]
        held = known.get(arrival.identity)
        if held is None and first is arrival:
            verdict.new += 1
            verdict.fresh.setdefault(subject, []).append(arrival.event)
        elif not _same(arrival, held or Journaled(first.digest, first.partition, first.offset)):
            verdict.rejects.append(_conflict(arrival, batch, held or first))
            continue
        elif held is not None:
            verdict.again.add(subject)
        verdict.place[subject] = arrival
    for subject in verdict.again:
        verdict.fresh.pop(subject, None)
    return verdict


def count_rejects(
    batch: Batch, rejects: Sequence[Reject], before: Mapping[int, int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Count the rejects in a row at the end of the batch, per partition; `before` holds the counts at its start.

    Returns the counts, and the offset behind the last reject allowed for each partition that reached the limit.
    """
    rejected = {(reject.partition, reject.offset) for reject in rejects}
    counts: dict[int, int] = {}
    stops: dict[int, int] = {}
    for partition, received in batch.records.items():
        count = before.get(partition, 0)
        for record in received:
            if (partition, record.offset) not in rejected:
                count = 0
                continue
            count += 1
            if count >= MAX_REJECTS_IN_ROW:
                stops[partition] = record.offset + 1
                break
        counts[partition] = count
    return counts, stops


def _same(arrival: Arrival, held: Journaled) -> bool:
    # The same place is the same record, also when a newer version of us reads more of it than the one that
    # journaled it.
    return held.digest == arrival.digest or (held.partition, held.offset) == (arrival.partition, arrival.offset)


def _conflict(arrival: Arrival, batch: Batch, held: Arrival | Journaled) -> Reject:
    detail = f"{arrival.event.id!r} stands with another content at partition {held.partition}, offset {held.offset}"
    return _reject(arrival.partition, batch.record(arrival.partition, arrival.offset), CONFLICT, detail)


def _reject(partition: int, record: Record, reason: str, detail: str) -> Reject:
    rejected_at = instant(datetime.fromtimestamp(record.timestamp / 1000, UTC))
    return Reject(partition, record.offset, rejected_at, record.key, record.value, reason, detail[:DETAIL_CHARS])
