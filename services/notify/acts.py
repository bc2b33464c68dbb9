"""What people do about a matter: sign for it, say what is being done, accept or refuse that, close it.

An act is an entry of its matter, made by one compare-and-set. It covers what was told last: once people are told again,
of the next step or of another rule, it counts no longer. The same id again is the same act, whoever repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

from luodi.domain.days import first_day
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.problems import FieldError, ProblemError
from services.notify.ladder import MAX_HOLD_DAYS, MAX_HOLDS, Rung, Standing, holds_used, standing
from services.notify.matters import CLOSED, FEEDBACK, FIRST_LEVEL, REVIEWED, SIGNED, Entry, EntryKind, Matter
from services.notify.recipients import ladder_steps, may_sign, owner_of
from services.notify.telling import Teller
from services.notify.watches import Watch

MAX_CONFLICTS = 20  # acts and sweeps on the same matter between reading and writing it
MAX_ENTRIES = 100  # of an episode; nobody signs so often but a program that runs wild


class MatterStore(Protocol):
    """Where the matters are kept."""

    def get(self, matter_id: str) -> Matter | None:
        """One matter."""

    def compare_and_set(self, changes: Sequence[tuple[Matter | None, Matter]]) -> None:
        """Make each change whose matter is still as it was read."""


class WatchStore(Protocol):
    """What is known of projects."""

    def get_many(self, project_ids: Sequence[str]) -> dict[str, Watch]:
        """Those that exist, by project."""

    def recall(self, project_ids: Sequence[str], now: str) -> None:
        """Have these looked at again."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A matter, its project, the steps of its ladder, and where it stands on it, at the moment of an act."""

    matter: Matter
    watch: Watch
    steps: Sequence[Rung]
    standing: Standing
    signers: Sequence[str]  # whose signature counts now
    concerned: Sequence[str]  # everybody on the ladder, those who are told first included
    today: date

    @property
    def above(self) -> tuple[str, ...]:
        """Who may review and close: the group head, and whoever stands above."""
        return tuple(rung.recipient for rung in self.steps)


class Acts:
    """The use case. Raises ProblemError for what is refused, TransientError without MongoDB."""

    def __init__(self, matters: MatterStore, watches: WatchStore, teller: Teller, clock: Clock) -> None:
        self._matters = matters
        self._watches = watches
        self._teller = teller
        self._clock = clock

    def do(self, act: str, matter_id: str, entry_id: str, actor: str, data: Mapping[str, Any]) -> Matter:
        """Make the act; returns the matter with it. The same act again changes nothing."""
        kind, check = RULES[act]
        for _ in range(MAX_CONFLICTS):
            matter = self._matters.get(matter_id)
            if matter is None:
                raise ProblemError("not-found", what=matter_id)
            entry = Entry(entry_id, kind, actor, self._clock.now_text(), matter.steps_told, data)
            known = next((one for one in matter.entries if one.id == entry_id), None)
            if known is not None:
                if (known.kind, known.by, known.data) != (entry.kind, entry.by, entry.data):
                    raise ProblemError("conflict", subject=matter.project_id, id=entry_id)
                return matter
            scene = self._scene(matter)
            check(scene, entry)
            if len(matter.entries) >= MAX_ENTRIES:
                raise ProblemError("too-many-acts", limit=MAX_ENTRIES)
            self._matters.compare_and_set([(matter, matter.entered(entry))])
            after = self._matters.get(matter_id)
            if after is not None and any(one.id == entry_id for one in after.entries):
                self._watches.recall([scene.watch.project_id], self._clock.now_text())
                return after
        raise TransientError("matters", f"{matter_id} is contended")

    def scenes(self, matters: Sequence[Matter]) -> dict[str, Scene]:
        """Where matters stand, by id; of those whose project is known."""
        projects = {matter.project_id for matter in matters if matter.project_id is not None}
        watches = self._watches.get_many(sorted(projects))
        return {
            matter.id: self._scene_of(matter, watches[matter.project_id])
            for matter in matters
            if matter.project_id in watches
        }

    def _scene(self, matter: Matter) -> Scene:
        scene = self.scenes([matter]).get(matter.id)
        if scene is None:  # a fault of the system itself: it ends when it is mended, not when somebody signs
            raise ProblemError("not-a-stall", what=matter.id)
        return scene

    def _scene_of(self, matter: Matter, watch: Watch) -> Scene:
        head = self._teller.head_of(watch.zone)
        steps = ladder_steps(watch, head)
        calendar, owner = self._teller.calendar.of(watch.zone), owner_of(watch, matter.id)
        return Scene(
            matter=matter,
            watch=watch,
            steps=steps,
            standing=standing(matter, steps, calendar),
            signers=may_sign(watch, matter.last_telling.level, head, owner),
            concerned=may_sign(watch, FIRST_LEVEL, head, owner),
            today=calendar.business_date(self._clock.now_text()),
        )


def _may_be_signed(scene: Scene, entry: Entry) -> None:
    _is_open(scene)
    _is_one_of(entry, scene.signers)


def _may_be_answered(scene: Scene, entry: Entry) -> None:
    _is_open(scene)
    _is_one_of(entry, scene.concerned)
    latest = scene.today + timedelta(days=MAX_HOLD_DAYS)
    if not scene.today <= first_day(entry.data["recovery"]) <= latest:
        allowed = f"{scene.today.isoformat()}–{latest.isoformat()}"
        raise ProblemError("invalid", errors=[FieldError("/recovery", "not-allowed", {"allowed": allowed})])


def _may_be_reviewed(scene: Scene, entry: Entry) -> None:
    _is_open(scene)
    _is_one_of(entry, scene.above)
    if scene.standing.phase != "in-review":
        raise ProblemError("nothing-to-review", what=scene.matter.id)
    feedback = next(one for one in reversed(scene.matter.entries) if one.kind == FEEDBACK)
    if feedback.by == entry.by:
        raise ProblemError("own-feedback", who=entry.by)
    if entry.data["accepted"] and holds_used(scene.matter) >= MAX_HOLDS:
        raise ProblemError("held-too-often", limit=MAX_HOLDS)


def _may_be_closed(scene: Scene, entry: Entry) -> None:
    matter = scene.matter
    if matter.state != "cleared" or not matter.was_red:
        raise ProblemError("not-over", what=matter.id)
    _is_one_of(entry, scene.above)
    if any(one.kind == CLOSED for one in matter.entries):
        raise ProblemError("already-closed", what=matter.id)
    _is_dealt_with(scene)


def _is_dealt_with(scene: Scene) -> None:
    """A blocker is dealt with when it is cleared and the enterprise says so, too: the unit's own word is not enough.

    One of a project that was given up, or that was taken back, asks nobody any more.
    """
    blocker, watch = scene.matter.facts.get("blocker"), scene.watch
    if blocker is None or watch.status == "withdrawn" or blocker not in watch.blockers:
        return
    if watch.blockers[blocker] is None:
        raise ProblemError("not-cleared", what=blocker)
    if blocker not in watch.confirmed:
        raise ProblemError("not-confirmed", what=blocker)


def _is_open(scene: Scene) -> None:
    if scene.matter.state != "open":
        raise ProblemError("not-stalled", what=scene.matter.id)


def _is_one_of(entry: Entry, allowed: Sequence[str]) -> None:
    if entry.by not in allowed:
        raise ProblemError("not-theirs", who=entry.by, allowed=", ".join(allowed))


RULES: Mapping[str, tuple[EntryKind, Callable[[Scene, Entry], None]]] = {
    "sign": (SIGNED, _may_be_signed),
    "feedback": (FEEDBACK, _may_be_answered),
    "review": (REVIEWED, _may_be_reviewed),
    "close": (CLOSED, _may_be_closed),
}
"""The last part of an act's address -> the entry it makes, and what must hold for it."""
