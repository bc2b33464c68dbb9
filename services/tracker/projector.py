"""The projector: from `project-events` to documents in MongoDB and records on `project-states`.

One turn of the loop, each step repeatable, the commit last:

1. poll              records of the owned partitions; a rebalance is noticed here and nowhere else
2. decode            invalid records become rejects (`intake`)
3. journal           every event once; what was there already is a repetition or a rival
4. reject            invalid and rival records to the rejected topic, before anything moves past them
5. fold              carry forward subjects with new events only, refold all others from the journal
6. replace           under the guard; what is refused is refolded and, at the latest then, read back
7. show              note the positions: from here on readers that wait for them see the documents
8. publish, flush    the documents as stored; every future is looked at
9. commit            explicit offsets with the leader epoch

A crash or a failure anywhere means that the same records come again, and step 3 then knows them: their subjects are
refolded, offered under the guard, read back and published, whatever the first attempt had reached.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from luodi.domain.days import parse_instant
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.tracker import intake
from services.tracker.cache import BaseCache
from services.tracker.intake import Batch, Records, Verdict
from services.tracker.ports import (
    Applied,
    Arrival,
    Base,
    Document,
    Fuse,
    Fuses,
    Journal,
    Outbox,
    OwnershipLostError,
    Positions,
    Projects,
    Source,
)
from services.tracker.rulesets import Regime
from services.tracker.tail import Published
from services.tracker.visibility import Visibility
from services.tracker.watermarks import Watermarks

POLL_S = 0.2
MARK_EVERY_S = 1.0  # between two questions for the end offsets
FUSES_EVERY_S = 2.0  # between two looks for an operator's word
BACKOFF_S = (0.1, 5.0)  # first and longest pause after a passing fault
REFOLDS = 10  # attempts at one document while others keep writing it
FRESH_S = 10.0  # /ready wants the lag to be no older
FAULTS = 3  # passing faults in a row from which on /ready says so

END = 1 << 63  # behind every offset

log = logging.get("projector")


@dataclass(slots=True)
class Partition:
    """What the loop knows of a partition it owns."""

    begin: int  # next offset to apply; all below it is stored, published and flushed
    before: Applied | None = None  # what the last owner noted
    rejects_in_row: int = 0
    fuse: Fuse | None = None  # stand still before its offset until the operator's word
    rests_until: float = 0.0  # monotonic; after a passing fault
    faults: int = 0  # passing faults in a row

    def stands(self, now: float) -> bool:
        """Whether nothing may be read from it at the moment."""
        fused = self.fuse is not None and self.begin >= self.fuse.offset
        return fused or now < self.rests_until


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything the projector keeps in MongoDB."""

    journal: Journal
    projects: Projects
    positions: Positions
    fuses: Fuses


class Projector:
    """The loop and its steps. One thread calls `run`; others may ask what stands at the end."""

    def __init__(
        self,
        source: Source,
        outbox: Outbox,
        stores: Stores,
        regime: Regime,
        published: Published,
        visibility: Visibility,
        clock: Clock,
        metrics: Metrics,
        timezone: tzinfo,
    ) -> None:
        self._source = source
        self._outbox = outbox
        self._stores = stores
        self._regime = regime
        self._published = published
        self._visibility = visibility
        self._clock = clock
        self._metrics = metrics
        self._timezone = timezone
        self._cache = BaseCache()
        self._watermarks = Watermarks()
        self._owned: dict[int, Partition] = {}
        self._assigned = False
        self._learned = False
        self._next_mark = 0.0
        self._next_fuses = 0.0
        self._fresh_at: float | None = None
        self._marks: dict[int, str] = {}
        self._fault = ""

    # -- the loop -----------------------------------------------------------------------------------------------------

    def run(self, stop: Stop) -> None:
        """Turn until `stop` asks for the end. Raises FatalError when this process must not go on."""
        while not stop.asked:
            self.turn()

    def turn(self) -> None:
        """One turn: see the top of the module. A passing fault ends it and the records come again."""
        try:
            polled = self._source.poll(POLL_S, self._standing())
            if polled.assignment is not None:
                self._take_over(polled.assignment)
            self._learn()
            if polled.records:
                self._apply(polled.records)
            self._look_for_mended_fuses()
            self._mark_time()
        except OwnershipLostError as exc:
            log.info("group.moved_on", error=str(exc))  # the next poll joins again and brings the new assignment
            self._go_back()
        except TransientError as exc:
            self._fault = str(exc)
            self._go_back()
            for state in self._owned.values():
                self._rest(state)
            self._metrics.transient.labels("projector").inc()
            log.warning("batch.begun_again", error=self._fault, faults=self._faults())

    def _apply(self, records: Records) -> None:
        began = self._clock.monotonic()
        stops = self._fused(records)
        batch = intake.read(records, self._timezone).cut(stops)
        known = self._stores.journal.add(list(batch.claims().values()))
        verdict = intake.judge(batch, known)
        counts, stopped = self._reject(batch, verdict)
        if stopped:
            stops |= stopped
            batch = batch.cut(stopped)
            verdict = intake.judge(batch, known)
            counts, _ = intake.count_rejects(
                batch, verdict.rejects, {p: self._rejects_before(p) for p in batch.records}
            )
        documents = self._store(verdict)
        self._show(batch, counts)
        self._publish(documents, verdict)
        self._commit(batch, counts, stops)
        self._tell(batch, verdict, documents, self._clock.monotonic() - began)

    # -- 4: rejects and fuses -----------------------------------------------------------------------------------------

    def _reject(self, batch: Batch, verdict: Verdict) -> tuple[dict[int, int], dict[int, int]]:
        """Write the rejects.

        Returns the rejects in a row at the end of the batch, per partition, and the offset before which each partition
        that cannot go on has to stop.
        """
        counts, stops = intake.count_rejects(
            batch, verdict.rejects, {p: self._rejects_before(p) for p in batch.records}
        )
        if not verdict.rejects:
            return counts, {}
        for partition, offset in stops.items():
            self._blow(partition, offset, f"{intake.MAX_REJECTS_IN_ROW} rejects in a row")
        wanted = [reject for reject in verdict.rejects if reject.offset < stops.get(reject.partition, END)]
        for partition, failed in self._outbox.reject(wanted).items():
            stops[partition] = failed.offset
            if failed.passing:
                self._rest(self._owned[partition])
                log.warning("reject.postponed", partition=partition, offset=failed.offset, error=failed.detail)
            else:
                self._blow(partition, failed.offset, f"a reject cannot be written: {failed.detail}")
        for reject in wanted:
            if reject.offset < stops.get(reject.partition, END):
                self._metrics.rejected.labels(reject.reason).inc()
        return counts, stops

    def _fused(self, records: Records) -> dict[int, int]:
        """Where a fuse that is blown lies within these records."""
        return {
            partition: fuse.offset
            for partition, received in records.items()
            if (fuse := self._owned[partition].fuse) is not None and fuse.offset <= received[-1].offset
        }

    def _rejects_before(self, partition: int) -> int:
        state = self._owned[partition]
        if state.before is not None:
            # Only a count that ends exactly where we begin is the count before us; a full one was an operator's to
            # clear, and with the fuse mended it is.
            ours = state.before.offset == state.begin and state.before.rejects_in_row < intake.MAX_REJECTS_IN_ROW
            state.rejects_in_row = state.before.rejects_in_row if ours else 0
            state.before = None
        return state.rejects_in_row

    def _blow(self, partition: int, offset: int, reason: str) -> None:
        fuse = Fuse(partition, offset, reason, self._clock.wall_text())
        self._stores.fuses.blow(fuse)
        self._owned[partition].fuse = fuse
        log.error("fuse.blown", partition=partition, offset=offset, reason=reason)

    def _look_for_mended_fuses(self) -> None:
        now = self._clock.monotonic()
        if now < self._next_fuses or not any(state.fuse for state in self._owned.values()):
            return
        self._next_fuses = now + FUSES_EVERY_S
        blown = self._stores.fuses.blown()
        for partition, state in self._owned.items():
            if state.fuse is not None and partition not in blown:
                state.fuse, state.before, state.rejects_in_row = None, None, 0
                log.info("fuse.mended", partition=partition, offset=state.begin)

    # -- 5 and 6: fold and replace ------------------------------------------------------------------------------------

    def _store(self, verdict: Verdict) -> list[Document]:
        """The stored document of every subject the batch touched, after its events."""
        bases = self._bases(verdict.fresh)
        changes: list[tuple[Base | None, Document]] = []
        again = set(verdict.again)
        for subject, events in verdict.fresh.items():
            base = bases.get(subject)
            document = self._regime.folder.carry(subject, verdict.place[subject].partition, base, events)
            if document is None:
                again.add(subject)
            else:
                changes.append((base, document))
        refused = self._stores.projects.swap(changes)
        documents = [document for _, document in changes if document["_id"] not in refused]
        documents += self._refold({subject: verdict.place[subject] for subject in again | refused})
        for document in documents:
            self._cache.put(document["_id"], Base(document["events"], document["ruleset"], document["fold"]))
        return documents

    def _bases(self, subjects: Iterable[str]) -> dict[str, Base]:
        held = {subject: self._cache.get(subject) for subject in subjects}
        found = {subject: base for subject, base in held.items() if base is not None}
        return found | self._stores.projects.bases([subject for subject, base in held.items() if base is None])

    def _refold(self, places: Mapping[str, Arrival]) -> list[Document]:
        """Fold subjects from their journal, offer the documents, and return what then stands in the store."""
        done: list[Document] = []
        waiting = dict(places)
        for _ in range(REFOLDS):
            if not waiting:
                return done
            histories = self._stores.journal.read(waiting)
            folded = {
                subject: self._regime.folder.refold(subject, waiting[subject].partition, events)
                for subject, events in histories.items()
            }
            self._stores.projects.offer(list(folded.values()))
            self._metrics.refolds.inc(len(folded))
            stored = self._stores.projects.read(folded)
            for subject, mine in folded.items():
                theirs = stored.get(subject)
                if theirs is not None and theirs["ruleset"] > mine["ruleset"]:
                    self._regime.recheck()  # raises when I am the old deploy
                elif theirs is not None and theirs["events"] >= mine["events"] and theirs["ruleset"] == mine["ruleset"]:
                    done.append(theirs)
                    del waiting[subject]
        raise TransientError("MongoDB", f"documents keep changing: {sorted(waiting)[:5]}")

    # -- 7 to 9: show, publish, commit --------------------------------------------------------------------------------

    def _show(self, batch: Batch, counts: Mapping[int, int]) -> None:
        applied = {partition: mark.offset for partition, mark in batch.marks().items()}
        self._visibility.advance(applied)
        self._stores.positions.advance({p: Applied(offset, counts[p]) for p, offset in applied.items()})

    def _publish(self, documents: Sequence[Document], verdict: Verdict) -> None:
        for document in documents:
            self._outbox.state(document, verdict.place[document["_id"]].event.traceparent)
        self._published.note(self._outbox.flush())
        self._metrics.published.inc(len(documents))

    def _commit(self, batch: Batch, counts: Mapping[int, int], stops: Mapping[int, int]) -> None:
        marks = batch.marks()
        if marks:
            self._source.commit(marks)
        for partition, mark in marks.items():
            state = self._owned[partition]
            state.begin, state.rejects_in_row = mark.offset, counts[partition]
            if partition not in stops:
                state.faults = 0
        for partition, offset in stops.items():
            self._owned[partition].begin = offset
            self._source.seek(partition, offset)

    def _tell(self, batch: Batch, verdict: Verdict, documents: Sequence[Document], seconds: float) -> None:
        self._metrics.applied.inc(verdict.new)
        self._metrics.batch_seconds.observe(seconds)
        traced = next((a.event.traceparent for a in batch.arrivals if a.event.traceparent), None)
        log.info(
            "batch.applied",
            records=sum(map(len, batch.records.values())),
            new=verdict.new,
            subjects=len(documents),
            refolded=len(verdict.again),
            rejected=len(verdict.rejects),
            partitions=sorted(batch.records),
            ms=round(seconds * 1000, 1),
            traceparent=traced,
        )

    # -- watermarks ---------------------------------------------------------------------------------------------------

    def _mark_time(self) -> None:
        """About once a second: ask for the end offsets, publish the watermarks that hold, measure the lag."""
        now = self._clock.monotonic()
        if now < self._next_mark or not self._assigned:
            return
        self._next_mark = now + MARK_EVERY_S
        t0 = self._clock.now_text()  # before the question: what was acknowledged until now lies below the answer
        try:
            ends = self._source.ends(self._owned) if self._owned else {}
        except TransientError as exc:
            log.info("ends.unknown", error=str(exc))  # moves nothing
            return
        self._watermarks.note(t0, ends)
        for partition, end in ends.items():
            state = self._owned[partition]
            # Nothing is in flight here, so the consumer's own position is done too; it alone steps over the markers
            # that transactions of other producers leave in the log.
            position = self._source.position(partition)
            state.begin = state.begin if position is None else position
            if state.begin >= end:
                state.faults = 0
            reached = self._watermarks.reached(partition, state.begin)
            if reached is not None:
                self._outbox.watermark(partition, reached)
                self._marks[partition] = reached
            self._measure(partition, end - state.begin)
        self._outbox.flush()
        self._fresh_at = self._clock.monotonic()

    def _measure(self, partition: int, lag: int) -> None:
        self._metrics.lag.labels(str(partition)).set(max(0, lag))
        mark = self._marks.get(partition)
        if mark is not None:
            age = (self._clock.now() - parse_instant(mark)).total_seconds()
            self._metrics.watermark_age.labels(str(partition)).set(age)

    # -- ownership and faults -----------------------------------------------------------------------------------------

    def _take_over(self, assignment: Mapping[int, int]) -> None:
        """Begin anew with these partitions: nothing remembered from before the rebalance may be trusted."""
        for partition in self._owned.keys() - assignment:
            self._forget_metrics(partition)
        self._cache.clear()
        self._owned = {partition: Partition(begin) for partition, begin in assignment.items()}
        self._watermarks.own(assignment)
        self._marks = {}
        self._visibility.own(assignment)
        self._published.own(assignment)
        self._assigned, self._learned = True, False
        self._next_mark = 0.0
        log.info("partitions.assigned", partitions=sorted(assignment))

    def _learn(self) -> None:
        """What the last owner of each partition left in the store."""
        if self._learned or not self._owned:
            return
        fuses = self._stores.fuses.blown()
        noted = self._stores.positions.read(self._owned)
        for partition, state in self._owned.items():
            state.fuse, state.before = fuses.get(partition), noted.get(partition)
        self._visibility.advance({partition: applied.offset for partition, applied in noted.items()})
        self._learned = True

    def _go_back(self) -> None:
        """Read again from what is committed. Nothing in memory is trusted after a failure."""
        self._cache.clear()
        for partition, state in self._owned.items():
            self._source.seek(partition, state.begin)

    def _rest(self, state: Partition) -> None:
        first, longest = BACKOFF_S
        pause = min(longest, first * 2**state.faults) * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
        state.faults += 1
        state.rests_until = self._clock.monotonic() + pause

    def _standing(self) -> set[int]:
        now = self._clock.monotonic()
        return {partition for partition, state in self._owned.items() if state.stands(now)}

    def _faults(self) -> int:
        return max((state.faults for state in list(self._owned.values())), default=0)

    def _forget_metrics(self, partition: int) -> None:
        for gauge in (self._metrics.lag, self._metrics.watermark_age):
            gauge.remove(str(partition))

    # -- what others may ask ------------------------------------------------------------------------------------------

    def not_ready(self) -> str | None:
        """None when partitions are assigned and their lag is known and fresh; else what is missing."""
        if not self._assigned:
            return "no partitions assigned yet"
        if self._faults() >= FAULTS:
            return f"begins again after passing faults: {self._fault}"
        if self._fresh_at is None or self._clock.monotonic() - self._fresh_at > FRESH_S:
            return f"the lag has not been measured for {FRESH_S:.0f} s"
        return None

    def standing_still(self) -> str | None:
        """None when no owned partition waits for an operator; else which and why."""
        fuses = [state.fuse for state in list(self._owned.values()) if state.fuse is not None]
        if not fuses:
            return None
        return "; ".join(
            f"partition {f.partition} stands still at offset {f.offset} ({f.reason}) until "
            f"`luodi rejects resume {f.partition}`"
            for f in fuses
        )

    @property
    def owned(self) -> frozenset[int]:
        """The partitions this process has to look after."""
        return frozenset(self._owned)
