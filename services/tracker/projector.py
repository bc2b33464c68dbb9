"""The projector: from `project-events` to documents in MongoDB and records on `project-states`.

The steps of one batch of records, each repeatable, the commit last:

1. poll              records of the owned partitions; a rebalance is noticed here and nowhere else
2. decode            invalid records become rejects (`intake`)
3. journal           every event once; what was there already is a repetition or a rival
4. fold              carry forward the subjects with new events only
5. reject            invalid and rival records to the rejected topic, before anything moves past them
6. replace           under the guard; what repeats or is refused is refolded from the journal and read back
7. show              note the positions: from here on readers that wait for them see the documents
8. publish, flush    the documents as stored; every future is looked at
9. commit            explicit offsets with the leader epoch

A crash or a failure anywhere means that the same records come again, and step 3 then knows them: their subjects are
refolded, offered under the guard, read back and published, whatever the first attempt had reached.

Two things are done beside others, by one further thread (the *hand*): 3 beside 4, and 6 to 8 beside 1 and 2 of the next
batch. Nothing of a batch is journaled before all of the one before is published, so at most one batch is in flight,
and neither thread touches what the other does: the consumer belongs to the loop, the cache and the outbox to whoever
writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
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
from services.tracker.intake import Batch, Identity, Verdict
from services.tracker.ownership import Ownership
from services.tracker.ports import (
    Applied,
    Arrival,
    Base,
    Document,
    Fuse,
    Fuses,
    Journal,
    Journaled,
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
POLL_BESIDE_S = 0.02  # while a batch is in flight: its commit waits for the poll
MARK_EVERY_S = 1.0  # between two questions for the end offsets
FUSES_EVERY_S = 2.0  # between two looks for an operator's word
REFOLDS = 10  # attempts at one document while others keep writing it
FRESH_S = 10.0  # /ready wants the lag to be no older
FAULTS = 3  # passing faults in a row from which on /ready says so

END = 1 << 63  # behind every offset

Change = tuple[Base | None, Document]

log = logging.get("projector")


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything the projector keeps in MongoDB."""

    journal: Journal
    projects: Projects
    positions: Positions
    fuses: Fuses


@dataclass(frozen=True, slots=True)
class Work:
    """A batch that is journaled and judged, with all that is left to do for it."""

    batch: Batch
    verdict: Verdict
    changes: Mapping[str, Change]  # by subject: those that could be carried forward
    rejects: Mapping[int, int]  # in a row at the end of the batch, per partition
    stops: Mapping[int, int]  # where partitions had to stop within what was polled
    began: float


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
        hand: Executor,
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
        self._hand = hand
        self._clock = clock
        self._metrics = metrics
        self._timezone = timezone
        self._cache = BaseCache()
        self._watermarks = Watermarks()
        self._owned = Ownership(clock)
        self._in_flight: tuple[Work, Future[None]] | None = None
        self._assigned = False
        self._learned = False
        self._next_mark = 0.0
        self._next_fuses = 0.0
        self._fresh_at: float | None = None
        self._marks: dict[int, str] = {}
        self._fault = ""

    # -- the loop

    def run(self, stop: Stop) -> None:
        """Turn until `stop` asks for the end. Raises FatalError when this process must not go on."""
        while not stop.asked:
            self.turn()
        self.finish()

    def turn(self) -> None:
        """One turn: see the top of the module. A passing fault ends it and the records come again."""
        try:
            wait_s = POLL_BESIDE_S if self._in_flight else POLL_S
            polled = self._source.poll(wait_s, self._owned.standing())
            if polled.assignment is not None:
                self._take_over(polled.assignment)
            self._learn()
            batch = intake.read(polled.records, self._timezone)
            finished = self._await_in_flight()
            fused = self._owned.fused(batch.records)
            batch = batch.cut(fused)
            # From here on nothing is in flight but this batch's way into the journal.
            journaling = self._hand.submit(self._stores.journal.add, batch.first_claims())
            if finished is not None:
                self._commit(finished)
            self._look_for_mended_fuses()
            self._mark_time(idle=not polled.records)
            if polled.records:
                self._write(batch, journaling, fused)
        except OwnershipLostError as exc:
            log.info("group.moved_on", error=str(exc))  # the next poll joins again and brings the new assignment
            self._go_back()
        except TransientError as exc:
            self._fault = str(exc)
            self._go_back()
            for partition in self._owned:
                self._owned.rest(partition)
            self._metrics.transient.labels("projector").inc()
            log.warning("batch.begun_again", error=self._fault, faults=self._owned.faults())

    def finish(self) -> None:
        """Bring to its commit what is in flight, if it can be."""
        try:
            finished = self._await_in_flight()
            if finished is not None:
                self._commit(finished)
        except TransientError as exc:
            log.info("batch.left", error=str(exc))  # the next owner does it again

    def _write(self, batch: Batch, journaling: Future[dict[Identity, Journaled]], fused: Mapping[int, int]) -> None:
        """Steps 3 to 5, and the hand begins with 6. `fused`: where partitions stand still within what was polled."""
        began = self._clock.monotonic()
        hopeful = intake.judge(batch, {})  # beside the journal, as if all were new to it: most often all is
        changes = self._carry(hopeful)
        known = journaling.result()
        verdict = intake.judge(batch, known) if known else hopeful
        stopped = self._reject(batch, verdict)
        if stopped:
            batch = batch.cut(stopped)
            verdict = intake.judge(batch, known)
        if known or stopped:
            changes = self._carry(verdict)
        stops = {**fused, **stopped}
        for partition, offset in stops.items():
            self._source.seek(partition, offset)
        rejects, _ = intake.count_rejects(batch, verdict.rejects, self._owned.rejects_before(batch.records))
        work = Work(batch, verdict, changes, rejects, stops, began)
        self._in_flight = work, self._hand.submit(self._settle, work)

    def _settle(self, work: Work) -> None:
        """Steps 6 to 8, by the hand."""
        documents = self._replace(work)
        self._show(work)
        self._publish(documents, work)

    def _await_in_flight(self) -> Work | None:
        """The work that was in flight, done. Raises what befell it."""
        if self._in_flight is None:
            return None
        (work, settled), self._in_flight = self._in_flight, None
        settled.result()
        return work

    # -- 4: carry forward

    def _carry(self, verdict: Verdict) -> dict[str, Change]:
        """The documents after their new events, of those subjects for which no refold is needed."""
        bases = self._bases(verdict.fresh)
        folder = self._regime.folder
        changes: dict[str, Change] = {}
        for subject, events in verdict.fresh.items():
            base = bases.get(subject)
            document = folder.carry(subject, verdict.place[subject].partition, base, events)
            if document is not None:
                changes[subject] = base, document
        return changes

    def _bases(self, subjects: Iterable[str]) -> dict[str, Base]:
        held = {subject: self._cache.get(subject) for subject in subjects}
        found = {subject: base for subject, base in held.items() if base is not None}
        return found | self._stores.projects.bases([subject for subject, base in held.items() if base is None])

    # -- 5: rejects and fuses

    def _reject(self, batch: Batch, verdict: Verdict) -> dict[int, int]:
        """Write the rejects. Returns, for each partition that cannot go on, the offset before which it has to stop."""
        if not verdict.rejects:
            return {}
        _, stops = intake.count_rejects(batch, verdict.rejects, self._owned.rejects_before(batch.records))
        for partition, offset in stops.items():
            self._blow(partition, offset, f"{intake.MAX_REJECTS_IN_ROW} rejects in a row")
        fused = self._owned.fused(batch.records)
        wanted = [reject for reject in verdict.rejects if reject.offset < fused.get(reject.partition, END)]
        for partition, failed in self._outbox.reject(wanted).items():
            stops[partition] = failed.offset
            if failed.passing:
                self._owned.rest(partition)
                log.warning("reject.postponed", partition=partition, offset=failed.offset, error=failed.detail)
            else:
                self._blow(partition, failed.offset, f"a reject cannot be written: {failed.detail}")
        for reject in wanted:
            if reject.offset < stops.get(reject.partition, END):
                self._metrics.rejected.labels(reject.reason).inc()
        return stops

    def _blow(self, partition: int, offset: int, reason: str) -> None:
        fuse = Fuse(partition, offset, reason, self._clock.wall_text())
        self._stores.fuses.blow(fuse)
        self._owned.blow(fuse)

    def _look_for_mended_fuses(self) -> None:
        now = self._clock.monotonic()
        if now >= self._next_fuses and self._owned.fuses():
            self._next_fuses = now + FUSES_EVERY_S
            self._owned.mend_all_but(self._stores.fuses.blown())

    # -- 6: replace

    def _replace(self, work: Work) -> list[Document]:
        """The stored document of every subject the batch touched, after its events."""
        refused = self._stores.projects.swap(list(work.changes.values()))
        documents = [document for subject, (_, document) in work.changes.items() if subject not in refused]
        again = work.verdict.place.keys() - work.changes.keys() | refused
        documents += self._refold({subject: work.verdict.place[subject] for subject in again})
        for document in documents:
            self._cache.put(document["_id"], Base(document["events"], document["ruleset"], document["fold"]))
        return documents

    def _refold(self, places: Mapping[str, Arrival]) -> list[Document]:
        """Fold subjects from their journal, offer the documents, and return what then stands in the store."""
        done: list[Document] = []
        waiting = dict(places)
        for _ in range(REFOLDS):
            if not waiting:
                return done
            folder = self._regime.folder
            histories = self._stores.journal.read(waiting)
            folded = {s: folder.refold(s, waiting[s].partition, events) for s, events in histories.items()}
            self._stores.projects.offer(list(folded.values()))
            self._metrics.refolds.inc(len(folded))
            stored = self._stores.projects.read(folded)
            for subject, mine in folded.items():
                theirs = stored.get(subject)
                if theirs is None:
                    continue
                if theirs["ruleset"] > mine["ruleset"]:
                    self._regime.recheck()  # raises when I am the old deploy
                elif theirs["ruleset"] == mine["ruleset"] and theirs["events"] >= mine["events"]:
                    done.append(theirs)
                    del waiting[subject]
        raise TransientError("MongoDB", f"documents keep changing: {sorted(waiting)[:5]}")

    # -- 7 to 9: show, publish, commit

    def _show(self, work: Work) -> None:
        applied = {partition: mark.offset for partition, mark in work.batch.marks().items()}
        self._visibility.advance(applied)
        self._stores.positions.advance({p: Applied(offset, work.rejects[p]) for p, offset in applied.items()})

    def _publish(self, documents: Sequence[Document], work: Work) -> None:
        for document in documents:
            self._outbox.state(document, work.verdict.place[document["_id"]].event.traceparent)
        self._published.note(self._outbox.flush())
        self._metrics.published.inc(len(documents))

    def _commit(self, work: Work) -> None:
        marks = work.batch.marks()
        if marks:
            self._source.commit(marks)
        self._owned.applied(marks, work.rejects, work.stops)
        seconds = self._clock.monotonic() - work.began
        self._metrics.applied.inc(work.verdict.new)
        self._metrics.batch_seconds.observe(seconds)
        log.info(
            "batch.applied",
            records=sum(map(len, work.batch.records.values())),
            new=work.verdict.new,
            subjects=len(work.verdict.place),
            refolded=len(work.verdict.place.keys() - work.changes.keys()),
            rejected=len(work.verdict.rejects),
            partitions=sorted(work.batch.records),
            ms=round(seconds * 1000, 1),
            traceparent=next((a.event.traceparent for a in work.batch.arrivals if a.event.traceparent), None),
        )

    # -- watermarks

    def _mark_time(self, *, idle: bool) -> None:
        """About once a second: ask for the end offsets, publish the watermarks that hold, measure the lag."""
        now = self._clock.monotonic()
        if now < self._next_mark or not self._assigned:
            return
        self._next_mark = now + MARK_EVERY_S
        t0 = self._clock.now_text()  # before the question: what was acknowledged until now lies below the answer
        try:
            ends = self._source.ends(list(self._owned)) if self._owned else {}
        except TransientError as exc:
            log.info("ends.unknown", error=str(exc))  # moves nothing
            return
        self._watermarks.note(t0, ends)
        for partition, end in ends.items():
            state = self._owned[partition]
            if idle:
                # Nothing is in hand, so what the consumer has handed out is done; its position alone steps over the
                # markers that transactions of other producers leave in the log.
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
        judged = self._published.take_judged()
        if judged:
            self._source.commit_tail(judged)
        self._fresh_at = self._clock.monotonic()

    def _measure(self, partition: int, lag: int) -> None:
        self._metrics.lag.labels(str(partition)).set(max(0, lag))
        mark = self._marks.get(partition)
        if mark is not None:
            age = (self._clock.now() - parse_instant(mark)).total_seconds()
            self._metrics.watermark_age.labels(str(partition)).set(age)

    # -- ownership and faults

    def _take_over(self, assignment: Mapping[int, int]) -> None:
        """Begin anew with these partitions: nothing remembered from before the rebalance may be trusted."""
        self._abandon()
        for partition in self._owned.take_over(assignment):
            for gauge in (self._metrics.lag, self._metrics.watermark_age):
                gauge.remove(str(partition))
        self._cache.clear()
        self._watermarks.own(assignment)
        self._marks = {}
        self._visibility.own(assignment)
        self._published.own(assignment)
        self._assigned, self._learned = True, False
        self._next_mark = 0.0
        log.info("partitions.assigned", partitions=sorted(assignment))

    def _learn(self) -> None:
        """What the last owner of each partition left in the store."""
        if self._learned or not self._assigned:
            return
        noted = self._stores.positions.read(list(self._owned))
        self._owned.learn(self._stores.fuses.blown(), noted)
        self._visibility.advance({partition: applied.offset for partition, applied in noted.items()})
        self._learned = True

    def _go_back(self) -> None:
        """Read again from what is committed. Nothing in memory is trusted after a failure."""
        self._abandon()
        self._cache.clear()
        for partition in self._owned:
            self._source.seek(partition, self._owned[partition].begin)

    def _abandon(self) -> None:
        """Let what is in flight come to its end, uncommitted: its records come again."""
        try:
            self._await_in_flight()
        except TransientError as exc:
            log.info("batch.left", error=str(exc))

    # -- what others may ask

    def not_ready(self) -> str | None:
        """None when partitions are assigned and their lag is known and fresh; else what is missing."""
        if not self._assigned:
            return "no partitions assigned yet"
        if self._owned.faults() >= FAULTS:
            return f"begins again after passing faults: {self._fault}"
        if self._fresh_at is None or self._clock.monotonic() - self._fresh_at > FRESH_S:
            return f"the lag has not been measured for {FRESH_S:.0f} s"
        return None

    def standing_still(self) -> str | None:
        """None when no owned partition waits for an operator; else which and why."""
        told = [
            f"partition {fuse.partition} stands still at offset {fuse.offset} ({fuse.reason}) until "
            f"`luodi rejects resume {fuse.partition}`"
            for fuse in self._owned.fuses()
        ]
        return "; ".join(told) or None
