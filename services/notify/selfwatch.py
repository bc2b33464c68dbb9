"""Watching ourselves, from a thread of its own: receivers that fail, jobs that hang, here and in other notifiers.

Each fault is a matter, told to the operators once and its end once, like what the sweep finds about knowledge that
stopped (`alarms`). Nothing here depends on the sweep or its thread, and messages are written by whoever is first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.metrics import Metrics
from services.notify import reach
from services.notify.alarms import age_s
from services.notify.beats import CONFIRM_S, LATE, Beat, BeatStore, Late, Pulse, late
from services.notify.matters import NO_PARTITION, Matter, Opening, opened
from services.notify.reach import Failing, Reach, Reached, ReachStore

FORGET_S = 86_400.0  # a notifier that was not heard of for so long, and whom nobody misses, is forgotten
FAULTS = reach.FAULTS | {LATE}

log = logging.get("selfwatch")


class MatterStore(Protocol):
    """What is asked of the matters."""

    def get(self, matter_id: str) -> Matter | None:
        """One matter."""

    def open_faults(self, partitions: Collection[int] | None) -> list[Matter]:
        """Open matters of the kind `operations` on these partitions, None: on all."""

    def compare_and_set(self, changes: Sequence[tuple[Matter | None, Matter]]) -> None:
        """Make each change whose matter is still as it was read."""


class SelfWatch:
    """One notifier's part of it."""

    def __init__(
        self,
        *,
        slot: str,
        pulse: Pulse,
        beats: BeatStore,
        heard: Reach,
        reached: ReachStore,
        in_use: Callable[[Sequence[Failing]], Collection[str]],
        matters: MatterStore,
        finish: Callable[[], object],
        passed: Callable[[], Mapping[int, str]],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """`in_use`: which of these addresses are used still; `finish` writes the messages of matters that changed;
        `passed`: the partitions that are owned, each with the instant up to which all that was due on it was told.
        """
        self._slot = slot
        self._pulse = pulse
        self._beats = beats
        self._heard = heard
        self._reached = reached
        self._in_use = in_use
        self._matters = matters
        self._finish = finish
        self._passed = passed
        self._clock = clock
        self._metrics = metrics
        self._late_since: dict[str, float] = {}
        self._shown: set[str] = set()

    def run(self) -> None:
        """Look once. Raises TransientError; the next look begins again."""
        for job, age in self._pulse.ages().items():
            self._metrics.job_age.labels(job).set(age)
        try:
            wall = self._clock.wall_text()
            passed = dict(self._passed())
            self._beats.note(Beat(self._slot, wall, frozenset(passed), self._pulse.instants(), passed))
            missed = self._confirmed(self._look_at_beats(wall))
            reached = self._look_at_addresses(wall)
        except BaseException:
            self._late_since.clear()  # what cannot be seen is not seen to be late, either
            raise
        openings = [*(one.opening() for one in missed), *reach.failing(reached, wall)]
        self._tell(openings, {one.name for one in missed}, reached)

    def _look_at_beats(self, wall: str) -> list[Late]:
        beats = self._beats.read()
        found = late(beats, wall)
        missed = {one.slot for one in found}
        over = [b.slot for b in beats if age_s(b.at, wall) > FORGET_S and b.slot not in missed]
        if over:
            self._beats.forget(over, max(b.at for b in beats if b.slot in over))
        return found

    def _confirmed(self, found: Sequence[Late]) -> list[Late]:
        now = self._clock.monotonic()
        self._late_since = {one.name: self._late_since.get(one.name, now) for one in found}
        return [one for one in found if now - self._late_since[one.name] >= CONFIRM_S]

    def _look_at_addresses(self, wall: str) -> Reached:
        reached = self._heard.hand_over(self._reached, wall)
        if reached.failing:
            used = self._in_use(reached.failing)
            unused = [row.endpoint for row in reached.failing if row.endpoint not in used]
            if unused:
                self._reached.forget(unused, wall)
                reached = Reached([row for row in reached.failing if row.endpoint in used], reached.taken)
        counts = {channel: sum(r.channel == channel for r in reached.failing) for channel in self._shown}
        counts |= {row.channel: sum(r.channel == row.channel for r in reached.failing) for row in reached.failing}
        for channel, count in counts.items():
            self._metrics.failing_addresses.labels(channel).set(count)
        self._shown |= counts.keys()
        return reached

    def _tell(self, openings: Sequence[Opening], missed: Collection[str], reached: Reached) -> None:
        still_open = {m.id: m for m in self._matters.open_faults([NO_PARTITION]) if m.facts["fault"] in FAULTS}
        now = self._clock.now_text()
        changes: list[tuple[Matter | None, Matter]] = []
        for opening in openings:
            if opening.id not in still_open:
                before = self._matters.get(opening.id)
                if before is None or (before.state == "cleared" and before.complete):
                    changes.append((before, opened(before, opening, now)))
                    log.warning("fault.found", matter=opening.id)
        for matter in still_open.values():
            if self._is_over(matter, missed, reached):
                changes.append((matter, matter.cleared(now, {"code": "mended"}, None)))
                log.info("fault.mended", matter=matter.id)
        if changes:
            self._matters.compare_and_set(changes)
        self._finish()  # also what another one began and could not finish

    def _is_over(self, matter: Matter, missed: Collection[str], reached: Reached) -> bool:
        if matter.facts["fault"] == LATE:
            return matter.facts["id"] not in missed and matter.facts["id"] not in self._late_since
        return reach.is_over(matter.facts, reached)
