"""The projector: from `project-events` to documents in MongoDB and records on `project-states`.

The steps of one batch of records, each repeatable, the commit last:

1. poll       records of the owned partitions; a rebalance is noticed here and nowhere else
2. decode     invalid records go to the rejected topic before anything moves past them
3. journal    every event once; what was there already is a repetition or a rival, and a rival is rejected too
4. fold       carry the subjects forward whose events are certain to be new, refold the others from the journal
5. replace    under the guard; what is refused is refolded and, at the latest then, read back
6. show       from here on who waits for one of these projects sees it; once all of it is safe, whoever waits
7. publish    the documents as stored
8. commit     once all that was sent has been acknowledged: explicit offsets with the leader epoch

A crash or a failure anywhere means that the same records come again, and step 3 then knows them: their subjects are
refolded, offered under the guard, read back and published, whatever the first attempt had reached.

A few events of subjects that are in the cache take a *short way*: the loop folds, replaces ahead of the majority and
shows; what was shown so is journaled for several batches together, which settles the documents too (see `ahead`). All
else takes the long way, and waits before step 3 until nothing is shown that is not journaled: the journal grows in the
order of Kafka, so that of two events under one identity the earlier one wins.

What waits for a server waits beside the rest. On the long way the *scribe* writes the journal of a large batch while
the loop folds it; the *hand* replaces what is certain beside the journal and, once the journal has answered, goes on
with 5 and 6 while the loop polls and decodes the next batch. The *keeper* settles what took the short way and publishes
all that was shown since it did so last. Acknowledgements are collected and commits made when there is time. Only one
batch at a time is between 3 and 6. Each thread has its own things: the loop the consumer, the keeper the outbox of
documents; the cache passes between loop and hand with the batch.

Why a document may be replaced before its event is journaled: the records come again until both are done, and a
document that holds another number of events than the journal is refolded, never carried forward (`Held.takes`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from luodi.domain.days import parse_instant
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.tracker import intake
from services.tracker.cache import Cache, Held
from services.tracker.intake import Batch, Verdict
from services.tracker.ownership import Ownership
from services.tracker.ports import (
    Arrival,
    Base,
    Document,
    Fuse,
    Fuses,
    Journal,
    Leading,
    Mark,
    Outbox,
    OwnershipLostError,
    Positions,
    Projects,
    Reject,
    Sent,
    Source,
    TooLargeError,
)
from services.tracker.rulesets import Regime
from services.tracker.tail import Published
from services.tracker.visibility import Visibility
from services.tracker.watermarks import Watermarks

POLL_S = 0.2
POLL_BESIDE_S = 0.02  # while something is under way whose end has to be noticed, or there are projects to be warmed
FEW = 100  # events: so few go the short way, or the loop journals them itself: handing them over would take longer
UNSETTLED = 4_000  # records shown and not yet given to the keeper, before the loop waits
SETTLE_EVERY_S = 0.02  # under load: each settling waits for a disk, so that of many small batches is made together
UNACKNOWLEDGED = 4  # times that the keeper published and not yet acknowledged, before the loop waits
NOTE_EVERY_S = 0.1  # positions under load, which readers of other processes wait for
COMMIT_EVERY_S = 1.0  # under load: a commit holds the loop up, and only a restart reads it
COMMIT_AFTER = 2_000  # records: or so many; at once, as the positions, when there is nothing else to do
MARK_EVERY_S = 1.0  # between two questions for the end offsets
FUSES_EVERY_S = 2.0  # between two looks for an operator's word
WARM = 200  # projects taken into the cache together: before the first batch, and in turns that have nothing else to do
WARM_UP_S = 0.5  # joining the group took longer, and every project that is not there yet costs its first event a look
REFOLDS = 10  # attempts at one document while others keep writing it
FRESH_S = 10.0  # /ready wants the lag to be no older
FAULTS = 3  # passing faults in a row from which on /ready says so

END = 1 << 63  # behind every offset

log = logging.get("projector")


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything the projector keeps in MongoDB."""

    journal: Journal
    projects: Projects
    positions: Positions
    fuses: Fuses
    leading: Leading


@dataclass(frozen=True, slots=True)
class Hands:
    """Three executors of one thread each, and up to how many events are few."""

    scribe: Executor
    hand: Executor
    keeper: Executor
    few: int = FEW


@dataclass(frozen=True, slots=True)
class Outboxes:
    """Two ways to the same topics, one for each thread that sends."""

    documents: Outbox  # the keeper's
    others: Outbox  # watermarks and rejects: the loop's


@dataclass(frozen=True, slots=True)
class Carried:
    """A document carried forward: from which base, and the ids of all its events."""

    base: Base | None
    document: Document
    ids: frozenset[str]

    @property
    def events(self) -> int:
        """How many events carried it."""
        return int(self.document["events"]) - (0 if self.base is None else self.base.events)


@dataclass(frozen=True, slots=True)
class Work:
    """A batch that is judged, with all that is left to do for it."""

    batch: Batch
    verdict: Verdict
    carried: Mapping[str, Carried]  # by subject: those replaced beside the journal
    marks: Mapping[int, Mark]  # where each partition goes on after it
    stops: Mapping[int, int]  # where partitions had to stop within what was polled
    began: float

    @property
    def reached(self) -> dict[int, int]:
        """How far each partition is applied with it."""
        return {partition: mark.offset for partition, mark in self.marks.items()}


@dataclass(frozen=True, slots=True)
class Applied:
    """A batch that is shown: its documents as stored, and what of it is not journaled yet (nothing, but on the short
    way), with the election in which the documents were written."""

    work: Work
    documents: Sequence[Document]
    unjournaled: Sequence[Arrival] = ()
    election: Hashable = None


class Projector:
    """The loop and its steps. One thread calls `run`; others may ask what stands at the end."""

    def __init__(
        self,
        source: Source,
        outboxes: Outboxes,
        stores: Stores,
        regime: Regime,
        published: Published,
        visibility: Visibility,
        hands: Hands,
        clock: Clock,
        metrics: Metrics,
        timezone: tzinfo,
    ) -> None:
        self._source = source
        self._outboxes = outboxes
        self._stores = stores
        self._regime = regime
        self._published = published
        self._visibility = visibility
        self._hands = hands
        self._clock = clock
        self._metrics = metrics
        self._timezone = timezone
        self._cache = Cache()
        self._cold: str | None = None  # the projects behind this id were not taken into the cache yet
        self._watermarks = Watermarks()
        self._owned = Ownership(clock)
        self._in_flight: Future[Applied] | None = None
        self._shown: list[Applied] = []
        self._keeping: tuple[Sequence[Applied], Future[Sent]] | None = None
        self._unacknowledged: deque[tuple[Sequence[Applied], Sent]] = deque()
        self._unnoted: dict[int, int] = {}
        self._noting: tuple[dict[int, int], Future[None]] | None = None
        self._uncommitted: dict[int, Mark] = {}
        self._uncommitted_records = 0
        self._assigned = False
        self._learned = False
        self._next_keeping = 0.0
        self._next_note = 0.0
        self._next_commit = 0.0
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
            under_way = bool(self._in_flight or self._shown or self._keeping or self._unacknowledged)
            polled = self._source.poll(
                POLL_BESIDE_S if under_way or self._cold is not None else POLL_S, self._owned.standing()
            )
            if polled.assignment is not None:
                self._take_over(polled.assignment)
            self._learn()
            batch = intake.read(polled.records, self._timezone)
            self._await_in_flight()
            if polled.records:
                self._write(batch)
            self._tidy(idle=not (polled.records or under_way))
        except TooLargeError as exc:
            self._blow(exc.partition, self._owned[exc.partition].begin, str(exc))
            self._go_back()
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
        """Bring to its commit what is under way, if it can be."""
        try:
            self._await_in_flight()
            while self._shown or self._keeping:
                self._keep(wait=True)
            self._acknowledge(wait=True)
            self._noted()
            self._stores.positions.advance(self._unnoted)
            if self._uncommitted:
                self._commit()
        except (TransientError, TooLargeError) as exc:
            log.info("batch.left", error=str(exc))  # the next owner does it again

    def _write(self, batch: Batch) -> None:
        """Step 2, then the short way or the long one."""
        began = self._clock.monotonic()
        stops = self._owned.fused(batch.records)
        batch = batch.cut(stops)
        stops |= self._reject(batch, batch.invalid)
        batch = batch.cut(stops)
        held = self._hold({arrival.event.subject for arrival in batch.arrivals})
        verdict = intake.judge(batch, {})  # as if all were new to the journal: most often all is
        if len(batch.first_claims()) > self._hands.few:
            self._write_settled(batch, verdict, held, None, stops, began)
            return
        carried = self._carry(verdict, held)
        if stops or not self._write_ahead(batch, verdict, carried, began):
            self._write_settled(batch, verdict, held, carried, stops, began)

    def _write_ahead(self, batch: Batch, verdict: Verdict, carried: Mapping[str, Carried], began: float) -> bool:
        """Steps 4 to 6 before 3, of a few events that are certain to be new; says whether it could be done."""
        if verdict.rejects or verdict.new < len(batch.arrivals) or carried.keys() != verdict.place.keys():
            return False
        if self._stores.projects.swap_ahead([(one.base, one.document) for one in carried.values()]):
            return False
        work = self._begun(batch, verdict, carried, {}, began)
        documents = self._replaced(work, ())
        self._visibility.show(work.reached, documents)
        self._shown.append(Applied(work, documents, batch.arrivals, self._stores.leading.election))
        return True

    def _write_settled(
        self,
        batch: Batch,
        verdict: Verdict,
        held: Mapping[str, Held],
        carried: Mapping[str, Carried] | None,
        stops: dict[int, int],
        began: float,
    ) -> None:
        """Steps 3 and 4, and the hand begins with 5. What is not carried yet (None) is while the scribe journals."""
        while self._unjournaled():
            self._keep(wait=True)
        claims = batch.first_claims()
        journaling = self._hands.scribe.submit(self._stores.journal.add, claims) if carried is None else None
        carried = self._carry(verdict, held) if carried is None else carried
        changes = [(one.base, one.document) for one in carried.values()]
        replacing = self._hands.hand.submit(self._stores.projects.swap, changes)
        known = journaling.result() if journaling is not None else self._stores.journal.add(claims)

        if known:
            verdict = intake.judge(batch, known)
        stopped = self._reject(batch, verdict.rejects, written=len(batch.invalid))
        if stopped:
            stops, batch = stops | stopped, batch.cut(stopped)
            verdict = intake.judge(batch, known)
        for partition, offset in stops.items():
            self._source.seek(partition, offset)
        work = self._begun(batch, verdict, carried, stops, began)
        self._in_flight = self._hands.hand.submit(self._show, work, replacing)

    def _begun(
        self,
        batch: Batch,
        verdict: Verdict,
        carried: Mapping[str, Carried],
        stops: Mapping[int, int],
        began: float,
    ) -> Work:
        """The batch as work under way, with the rejects in a row at its end."""
        rejects, _ = intake.count_rejects(batch, verdict.rejects, self._owned.rejects_before(batch.records))
        self._owned.begun(rejects)
        return Work(batch, verdict, carried, batch.marks(rejects), stops, began)

    def _show(self, work: Work, replacing: Future[set[str]]) -> Applied:
        """Steps 5 and 6, by the hand."""
        refused = replacing.result()
        documents = self._replaced(work, refused)
        again = work.verdict.place.keys() - {document["_id"] for document in documents}
        documents += self._refold({subject: work.verdict.place[subject] for subject in again})
        self._visibility.show(work.reached, documents)
        return Applied(work, documents)

    def _await_in_flight(self) -> None:
        """Wait for the hand. Raises what befell it."""
        if self._in_flight is not None:
            showing, self._in_flight = self._in_flight, None
            self._shown.append(showing.result())

    # -- 7, and what the short way left of 3

    def _unjournaled(self) -> bool:
        kept = () if self._keeping is None else self._keeping[0]
        return any(one.unjournaled for one in (*kept, *self._shown))

    def _keep(self, *, wait: bool) -> None:
        """See what the keeper has done, and give it what has been shown since. Raises what befell it."""
        if self._keeping is not None:
            shown, kept = self._keeping
            if not (wait or kept.done()):
                return
            self._keeping = None
            self._unacknowledged.append((shown, kept.result()))
            self._unnoted |= _reached(shown)
        now = self._clock.monotonic()
        if self._shown and (wait or now >= self._next_keeping):
            self._next_keeping = now + SETTLE_EVERY_S
            self._keeping = self._shown, self._hands.keeper.submit(self._publish, self._shown)
            self._shown = []

    def _publish(self, shown: Sequence[Applied]) -> Sent:
        """Settle and publish, by the keeper."""
        unjournaled = [arrival for one in shown for arrival in one.unjournaled]
        elections = {one.election for one in shown if one.unjournaled}
        if unjournaled and not self._stores.journal.settle(unjournaled, elections):
            raise TransientError("MongoDB", "another worker has journaled these events: how they stand has to be read")
        self._visibility.advance(_reached(shown))
        newest = {
            document["_id"]: (document, one.work.verdict.place[document["_id"]].event.traceparent)
            for one in shown
            for document in one.documents
        }
        for document, traceparent in newest.values():
            self._outboxes.documents.state(document, traceparent)
        self._metrics.published.inc(len(newest))
        return self._outboxes.documents.sent()

    # -- 2 and 3: rejects and fuses

    def _reject(self, batch: Batch, rejects: Sequence[Reject], written: int = 0) -> dict[int, int]:
        """Write the batch's rejects, but for the first `written`, which are already.

        Returns, for each partition that cannot go on, the offset before which it has to stop.
        """
        if len(rejects) == written:
            return {}
        _, stops = intake.count_rejects(batch, rejects, self._owned.rejects_before(batch.records))
        for partition, offset in stops.items():
            self._blow(partition, offset, f"{intake.MAX_REJECTS_IN_ROW} rejects in a row")
        wanted = [reject for reject in rejects[written:] if reject.offset < stops.get(reject.partition, END)]
        for partition, failed in self._outboxes.others.reject(wanted).items():
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

    # -- 4: carry forward

    def _hold(self, subjects: Collection[str]) -> dict[str, Held]:
        """These subjects as they stand in the stores, before the batch."""
        found = {subject: self._cache.get(subject) for subject in subjects}
        held = {subject: known for subject, known in found.items() if known is not None}
        missing = [subject for subject, known in found.items() if known is None]
        if missing:
            asked = self._hands.scribe.submit(self._stores.journal.ids, missing)
            bases, ids = self._stores.projects.bases(missing), asked.result()
            held |= {s: Held(bases.get(s), frozenset(ids.get(s, ()))) for s in missing}
        return held

    def _warm(self, after: str) -> None:
        """Take the next projects into the cache, so that no event need wait for a look at the stores.

        Only where nothing is under way: what is read here must be what the next batch meets.
        """
        bases = self._stores.projects.standing(list(self._owned), after, WARM)
        ids = self._stores.journal.ids(bases)
        for subject, base in bases.items():
            if subject not in self._cache:
                self._cache.put(subject, Held(base, frozenset(ids.get(subject, ()))))
        self._cold = max(bases) if len(bases) == WARM and not self._cache.is_half_full else None

    def _carry(self, verdict: Verdict, held: Mapping[str, Held]) -> dict[str, Carried]:
        """The documents of the subjects whose events are all certain to be new and sort after what is folded."""
        folder = self._regime.folder
        carried: dict[str, Carried] = {}
        for subject, events in verdict.fresh.items():
            known, ids = held[subject], frozenset(event.id for event in events)
            if not known.takes(ids):
                continue
            document = folder.carry(subject, verdict.place[subject].partition, known.base, events)
            if document is not None:
                carried[subject] = Carried(known.base, document, known.ids | ids)
        return carried

    # -- 5: replace

    def _replaced(self, work: Work, refused: Collection[str]) -> list[Document]:
        """The carried documents that stand in the store and hold just what the verdict lets in."""
        documents = []
        for subject, carried in work.carried.items():
            if subject not in refused and carried.events == len(work.verdict.fresh.get(subject, ())):
                documents.append(carried.document)
                self._remember(carried.document, carried.ids)
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
                    self._remember(theirs, frozenset(event.id for event in histories[subject]))
                    del waiting[subject]
        raise TransientError("MongoDB", f"documents keep changing: {sorted(waiting)[:5]}")

    def _remember(self, document: Document, ids: frozenset[str]) -> None:
        base = Base(document["events"], document["ruleset"], document["fold"])
        self._cache.put(document["_id"], Held(base, ids))

    # -- 8: what the loop collects when there is time

    def _tidy(self, *, idle: bool) -> None:
        self._keep(wait=sum(one.work.batch.size for one in self._shown) > UNSETTLED)
        self._acknowledge(wait=False)
        now = self._clock.monotonic()
        if (self._unnoted or self._noting) and (idle or now >= self._next_note):
            self._next_note = now + NOTE_EVERY_S
            self._note()
        if self._uncommitted and (idle or now >= self._next_commit or self._uncommitted_records >= COMMIT_AFTER):
            self._next_commit = now + COMMIT_EVERY_S
            self._commit()
        self._look_for_mended_fuses()
        self._mark_time(idle=idle)
        if idle and self._cold is not None:
            self._warm(self._cold)

    def _note(self) -> None:
        """Let the scribe tell the other processes how far everything is applied."""
        self._noted()
        if not self._unnoted:
            return
        self._noting = self._unnoted, self._hands.scribe.submit(self._stores.positions.advance, self._unnoted)
        self._unnoted = {}

    def _noted(self) -> None:
        """Wait for the last telling; what did not get through is told again with the next."""
        if self._noting is None:
            return
        (told, noting), self._noting = self._noting, None
        try:
            noting.result()
        except TransientError as exc:
            self._unnoted = told | self._unnoted
            log.info("positions.postponed", error=str(exc))

    def _commit(self) -> None:
        self._source.commit(self._uncommitted)
        self._uncommitted, self._uncommitted_records = {}, 0

    def _acknowledge(self, *, wait: bool) -> None:
        """Look at every record sent. What a batch sent is durable, in the order of the batches: it is done."""
        while self._unacknowledged:
            shown, sent = self._unacknowledged[0]
            if not (wait or sent.done() or len(self._unacknowledged) > UNACKNOWLEDGED):
                return
            self._published.note(sent.result())
            self._unacknowledged.popleft()
            for one in shown:
                self._owned.applied(one.work.marks, one.work.stops)
                self._uncommitted |= one.work.marks
                self._uncommitted_records += one.work.batch.size
                self._tell(one.work)

    def _tell(self, work: Work) -> None:
        seconds = self._clock.monotonic() - work.began
        self._metrics.applied.inc(work.verdict.new)
        self._metrics.batch_seconds.observe(seconds)
        log.info(
            "batch.applied",
            records=work.batch.size,
            new=work.verdict.new,
            subjects=len(work.verdict.place),
            refolded=len(work.verdict.place.keys() - work.carried.keys()),
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
                # Nothing is under way, so what the consumer has handed out is done; its position alone steps over the
                # markers that transactions of other producers leave in the log.
                position = self._source.position(partition)
                state.begin = state.begin if position is None else position
            if state.begin >= end:
                state.faults = 0
            reached = self._watermarks.reached(partition, state.begin)
            if reached is not None:
                self._outboxes.others.watermark(partition, reached)
                self._marks[partition] = reached
            self._measure(partition, end - state.begin)
        self._outboxes.others.sent().result()
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

    def _take_over(self, assignment: Mapping[int, Mark]) -> None:
        """Begin anew with these partitions: nothing remembered from before the rebalance may be trusted."""
        self._abandon()
        self._uncommitted, self._uncommitted_records = {}, 0
        for partition in self._owned.take_over(assignment):
            for gauge in (self._metrics.lag, self._metrics.watermark_age):
                gauge.remove(str(partition))
        self._cache.clear()
        self._watermarks.own(assignment)
        self._marks = {}
        self._visibility.own(assignment)
        self._published.own(assignment)
        self._assigned, self._learned = True, False
        self._cold = ""
        self._next_mark = 0.0
        log.info("partitions.assigned", partitions=sorted(assignment))

    def _learn(self) -> None:
        """Which partitions wait for an operator since before they were ours, and what can be seen already."""
        if self._assigned and not self._learned:
            self._owned.learn(self._stores.fuses.blown())
            self._visibility.advance(self._stores.positions.read(list(self._owned)))
            self._learned = True
            until = self._clock.monotonic() + WARM_UP_S
            while self._cold is not None and self._clock.monotonic() < until:
                self._warm(self._cold)

    def _go_back(self) -> None:
        """Read again from what is done. Nothing in memory is trusted after a failure."""
        self._abandon()
        self._cache.clear()
        for partition, begin in self._owned.go_back().items():
            self._source.seek(partition, begin)

    def _abandon(self) -> None:
        """Let what is under way come to its end, and forget it: its records come again."""
        under_way: list[Future[Any]] = [] if self._in_flight is None else [self._in_flight]
        under_way += [] if self._keeping is None else [self._keeping[1]]
        self._in_flight = self._keeping = None
        for future in under_way:
            try:
                future.result()
            except (TransientError, TooLargeError) as exc:
                log.info("batch.left", error=str(exc))
        self._shown.clear()
        self._unacknowledged.clear()  # what is unnoted and uncommitted stays: it is done, and stays done
        self._stores.leading.begin_again()

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


def _reached(shown: Sequence[Applied]) -> dict[int, int]:
    """How far the partitions are applied with these."""
    return {partition: offset for one in shown for partition, offset in one.work.reached.items()}
