"""The sweep: looks at every watch that is due on the owned partitions, and does what was decided.

Whatever it does can be broken off at any point and is finished by the next sweep, here or in another process:

1. A matter changes by compare-and-set and is marked as incomplete.
2. Its messages are written under ids that follow from the matter: written twice they are there once.
3. The matter is marked as complete.
4. A watch is put off only by a look that found nothing left to do for it, and recalled when a matter has changed.

So a crash between 1 and 2 leaves an incomplete matter, which every sweep looks for first; one between 2 and 3 writes
the same rows again, in vain; one before 4 looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from luodi.domain.days import END_OF_TIME
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.metrics import Metrics
from services.notify import alarms
from services.notify.alarms import Endpoint
from services.notify.composing import NO_OWN, Composer, OwnChannels
from services.notify.decide import decide
from services.notify.gate import Gate
from services.notify.ledger import NotificationStore, settle
from services.notify.matters import NO_PARTITION, Matter, opened, still_holds
from services.notify.milestone_reports import MilestoneReport, receivers
from services.notify.notifications import Notification
from services.notify.recipients import desk_of
from services.notify.telling import Teller
from services.notify.watches import Watch
from services.notify.watches import after as later_than

BATCH = 500  # watches looked at together
MAX_BATCHES = 40  # per partition and sweep: then the other partitions have their turn
OURSELVES_S = 2.0  # how often is asked what is wrong with the system itself: none of its bounds is shorter than 30 s

log = logging.get("sweep")

Change = tuple[Matter | None, Matter]  # as read (None: there is none yet), and as it shall be


class WatchStore(Protocol):
    """Where the watches are kept."""

    def get_many(self, project_ids: Iterable[str]) -> dict[str, Watch]:
        """Those that exist, by project."""

    def put(self, watches: Sequence[Watch]) -> None:
        """Keep each one that knows more than what is kept; an older one changes nothing."""

    def due(self, partition: int, until: str, limit: int) -> list[Watch]:
        """Those whose `next_due` is not after `until`, the longest due first."""

    def any_due(self, until: Mapping[int, str]) -> bool:
        """Whether the `next_due` of any watch of these partitions is not after the partition's instant."""

    def put_off(self, looks: Sequence[tuple[Watch, str]]) -> None:
        """Set `next_due` of each watch, unless it has changed since it was read."""

    def recall(self, project_ids: Sequence[str], now: str) -> None:
        """Have these looked at again: `next_due` becomes `now` unless it is earlier."""

    def unreadable(self, partitions: Iterable[int]) -> dict[int, list[str]]:
        """Projects whose newest record could not be read, by partition."""


class MatterStore(Protocol):
    """Where the matters are kept."""

    def get(self, matter_id: str) -> Matter | None:
        """One matter."""

    def of_projects(self, project_ids: Sequence[str]) -> dict[str, list[Matter]]:
        """All matters of these projects, by project."""

    def compare_and_set(self, changes: Sequence[Change]) -> None:
        """Make each change whose matter is still as it was read; the others got there first elsewhere."""

    def incomplete(self, partitions: Iterable[int], limit: int) -> list[Matter]:
        """Matters on these partitions whose last change is not complete."""

    def open_faults(self, partitions: Collection[int] | None) -> list[Matter]:
        """Open matters of the kind `operations` on these partitions, None: on all."""


@dataclass(slots=True)
class Swept:
    """What one sweep did."""

    looked: int = 0
    opened: int = 0
    climbed: int = 0
    cleared: int = 0
    written: int = 0

    @property
    def idle(self) -> bool:
        return not (self.opened or self.climbed or self.cleared or self.written)


class Sweep:
    """One notifier's sweep over the partitions it owns."""

    def __init__(
        self,
        *,
        watches: WatchStore,
        matters: MatterStore,
        notifications: NotificationStore,
        gate: Callable[[], Gate],
        given_up: Callable[[], Sequence[Endpoint]],
        channels: Callable[[], Sequence[str]],
        teller: Teller,
        composer: Composer,
        clock: Clock,
        settle_s: float,
        metrics: Metrics,
        own: Callable[[Collection[str]], OwnChannels] = lambda _: NO_OWN,
    ) -> None:
        self._watches = watches
        self._matters = matters
        self._notifications = notifications
        self._gate = gate
        self._given_up = given_up
        self._channels = channels
        self._own = own
        self._teller = teller
        self._composer = composer
        self._clock = clock
        self._settle_s = settle_s
        self._metrics = metrics
        self.passed: dict[int, str] = {}
        """Owned partition -> the instant up to which all that was due has been told; "" where that is not known."""
        self._ended = self._moved = self._look_again = clock.monotonic()
        metrics.sweep_age.set_function(lambda: clock.monotonic() - self._ended)

    def run(self) -> Swept:
        """Look once at everything that is due. Raises TransientError; what was left undone is done by the next one."""
        began = self._clock.monotonic()
        gate = self._gate()
        swept = Swept()
        self._finish([*gate.partitions, NO_PARTITION], swept)
        now = self._clock.now_text()
        known = {p: min(w, now) for p in sorted(gate.partitions) if (w := gate.usable(p)) is not None}
        passed = dict.fromkeys(gate.partitions, "") | known
        if self._watches.any_due(known):  # one question for all partitions, for mostly there is nothing
            for partition in known:
                passed[partition] = self._look_over(partition, gate.usable(partition), swept)
        self.passed = passed
        self._look_at_ourselves(gate, swept)
        self._ended = self._moved = self._clock.monotonic()
        self._metrics.sweep_seconds.observe(self._ended - began)
        if not swept.idle:
            log.info(
                "sweep.ended",
                looked=swept.looked,
                opened=swept.opened,
                climbed=swept.climbed,
                cleared=swept.cleared,
                written=swept.written,
                ms=round((self._ended - began) * 1000, 1),
            )
        return swept

    def missing(self, bound_s: float) -> str | None:
        """What keeps the sweep from being ready: that none has ended well for `bound_s`. None when all is well."""
        age = self._clock.monotonic() - self._ended
        return None if age <= bound_s else f"no sweep has ended well for {age:.0f} s"

    def idle_s(self) -> float:
        """For how long it has got nowhere: a sweep with much to do takes its time and is none the worse for it."""
        return self._clock.monotonic() - self._moved

    def finish(self, partitions: Sequence[int]) -> int:
        """Write the messages of matters that others changed; returns how many. Any thread may do it at any time.

        Raises TransientError.
        """
        swept = Swept()
        self._finish(partitions, swept)
        return swept.written

    # -- what is due --------------------------------------------------------------------------------------------------

    def _look_over(self, partition: int, w: str | None, swept: Swept) -> str:
        """Look at what is due; returns the instant up to which nothing is left."""
        if w is None:
            return ""
        for _ in range(MAX_BATCHES):
            now = self._clock.now_text()
            due = self._watches.due(partition, min(w, now), BATCH)
            if not due:
                return min(w, now)
            changes = self._look(due, w, now, swept)
            self._moved = self._clock.monotonic()
            swept.looked += len(due)
            if changes:
                self._change(changes, swept)
                self._finish([partition], swept)
        return ""

    def _look(self, due: Sequence[Watch], w: str, now: str, swept: Swept) -> list[Change]:
        """Decide on every matter of these watches; put off those with nothing left to do."""
        known = self._matters.of_projects([watch.project_id for watch in due])
        changes: list[Change] = []
        put_off: list[tuple[Watch, str]] = []
        reported: list[tuple[Watch, MilestoneReport]] = []
        for watch in due:
            matters = {matter.id: matter for matter in known.get(watch.project_id, ())}
            at = self._teller.circumstances(watch, w, now, self._settle_s)
            # In the order of the matters' ids, so that two notifiers write in the same order.
            decisions = {
                matter_id: decide(watch, matter_id, matters.get(matter_id), at)
                for matter_id in sorted({*matters, *watch.matters})
            }
            quiet_until = later_than(watch.changed_at, self._settle_s)
            settled = min(w, now) >= quiet_until
            ripe = [report for report in watch.reports if report.due <= min(w, now)]
            reported += [(watch, report) for report in ripe] if settled and not watch.unreadable else []
            acts = [(matter_id, d) for matter_id, d in decisions.items() if d.act is not None]
            if not acts:
                again = min((d.again for d in decisions.values()), default=END_OF_TIME)
                if any(matter.state == "open" for matter in matters.values()):
                    again = min(again, self._teller.roll_call(watch, now))
                if ripe and not settled:
                    again = min(again, quiet_until)
                again = min([again, *(report.due for report in watch.reports if report not in ripe)])
                put_off.append((watch, again))
            for matter_id, decision in acts:
                matter = matters.get(matter_id)
                changes.append((matter, self._teller.changed(watch, matter_id, matter, decision, now)))
        self._tell_of_reports(reported, now, swept)  # before they are put off: after a crash they are told then
        if put_off:
            self._watches.put_off(put_off)
        return changes

    def _tell_of_reports(self, reported: Sequence[tuple[Watch, MilestoneReport]], now: str, swept: Swept) -> None:
        """Write the messages about reports of milestones; those that were written before are not written again."""
        told = [(watch, report, receivers(watch, report, desk_of(watch))) for watch, report in reported]
        if not told:
            return
        channels, wall = self._channels(), self._clock.wall_text()
        own = self._own({who for _, _, whom in told for who in whom})
        compose = self._composer.told_of_report
        self._write(
            [row for w, report, who in told for row in compose(w, report, who, channels, now, wall, own)], swept
        )

    def _change(self, changes: Sequence[Change], swept: Swept) -> None:
        real = [(before, after) for before, after in changes if before is not after]
        if real:
            self._matters.compare_and_set(real)
        for before, after in real:
            swept.cleared += after.state == "cleared"
            if after.state != "cleared":
                goes_on = before is not None and before.state == after.state
                swept.climbed += goes_on
                swept.opened += not goes_on

    # -- what was begun -----------------------------------------------------------------------------------------------

    def _finish(self, partitions: Sequence[int], swept: Swept) -> None:
        """Write the messages of changed matters, whoever changed them, and mark them as complete."""
        while incomplete := self._matters.incomplete(partitions, BATCH):
            told = self._tell(incomplete, swept)
            # Of one that had recovered, and has not after all, nobody is told.
            left = [m for m in incomplete if m.state == "cleared" and m.is_told_last and m not in told]
            finished = [matter.completed() for matter in (*told, *left)]
            finished += self._tell_all_clear(incomplete, swept)
            # Another notifier may have looked at the project while its matter was being changed on older knowledge, and
            # put it off. So each change of a matter, told or not, is followed by another look at what is known by then.
            projects = sorted({matter.project_id for matter in incomplete if matter.project_id})
            self._watches.recall(projects, self._clock.now_text())
            if finished:
                read = {matter.id: matter for matter in incomplete}
                self._matters.compare_and_set([(read[matter.id], matter) for matter in finished])
            if len(incomplete) < BATCH or not finished:
                return

    def _tell(self, incomplete: Sequence[Matter], swept: Swept) -> list[Matter]:
        """What was told last, each only if it still holds of the project, read again: it may have moved on since."""
        last = [matter for matter in incomplete if matter.is_told_last]
        watches = self._watches.get_many({matter.project_id for matter in last if matter.project_id})
        now = self._clock.now_text()
        told = [matter for matter in last if still_holds(matter, watches.get(matter.project_id or ""), now)]
        if told:
            channels, wall = self._channels(), self._clock.wall_text()
            own = self._own({who for matter in told for who in matter.newest_telling.recipients})
            self._write([row for m in told for row in self._composer.openings(m, channels, wall, own)], swept)
        return told

    def _tell_all_clear(self, incomplete: Sequence[Matter], swept: Swept) -> list[Matter]:
        """The all-clears. First the ids of all that was told are taken, so that nobody can write any of it afterwards.

        Returns the matters as completed, each with whether everybody had been told of the stall.
        """
        over = [matter for matter in incomplete if not matter.is_told_last]
        if not over:
            return []
        channels = self._channels()
        own = self._own({who for matter in over for telling in matter.all_tellings for who in telling.recipients})
        self._notifications.insert([row for matter in over for row in self._composer.untold(matter, channels, own)])
        wall = self._clock.wall_text()
        rows: list[Notification] = []
        completed: list[Matter] = []
        for matter in over:
            told = [
                self._supersede(row)
                for row in self._notifications.of_episode(matter.id, matter.episode)
                if row.kind != "cleared"
            ]
            for recipient in dict.fromkeys(row.recipient for row in told):
                theirs = [row for row in told if row.recipient == recipient]
                all_clear = self._composer.all_clear(matter, theirs, wall)
                rows += [all_clear] if all_clear is not None else []
            completed.append(matter.completed(told=all(row.was_told for row in told if row.kind != "warning")))
        self._write(rows, swept)
        return completed

    def _supersede(self, told: Notification) -> Notification:
        return (
            settle(self._notifications, told.id, lambda row: row.superseded(), told)
            or self._notifications.get(told.id)
            or told
        )

    def _write(self, rows: Sequence[Notification], swept: Swept) -> None:
        written = self._notifications.insert(rows)
        swept.written += len(written)
        for row in rows:
            if row.id in written:
                self._metrics.notifications.labels(row.kind).inc()

    # -- ourselves ----------------------------------------------------------------------------------------------------

    def _look_at_ourselves(self, gate: Gate, swept: Swept) -> None:
        now, moment = self._clock.now_text(), self._clock.monotonic()
        for partition, known in gate.partitions.items():
            self._metrics.watermark_age.labels(str(partition)).set(alarms.age_s(alarms.last_heard(known), now))
        if moment < self._look_again:
            return
        self._look_again = moment + OURSELVES_S
        partitions = [*gate.partitions, NO_PARTITION]
        unreadable = self._watches.unreadable(gate.partitions)
        given_up = self._given_up()
        still_open = {matter.id: matter for matter in self._matters.open_faults(partitions)}
        failing = list(alarms.failing(gate, unreadable, given_up, now))
        changes: list[Change] = []
        for opening in failing:
            if opening.id not in still_open:
                before = self._matters.get(opening.id)
                if before is None or (before.state == "cleared" and before.complete):
                    changes.append((before, opened(before, opening, now)))
        changes.extend(
            (matter, matter.cleared(now, {"code": "mended"}, None))
            for matter in still_open.values()
            if alarms.is_over(matter, gate, unreadable, given_up, now)
        )
        if changes:
            self._change(changes, swept)
            self._finish(partitions, swept)
