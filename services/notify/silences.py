"""Silences: for a while, and for a reason, nothing about a matter or a project goes out. The inbox shows all the same.

A silence on a project holds for its matters and those of its parts. It is read at the moment of sending, so what waits
when it ends goes out then, unless its stall is over by that time. A silence is never changed: an edit begins another
and ends the one before, in this order, so that nothing slips out between. Begun and ended are events of the project,
kept with the silence until they are recorded.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Protocol

from luodi.domain import events
from luodi.domain.events import Event
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.problems import FieldError, ProblemError
from services.notify.matters import NAMESPACE, Matter, Standing
from services.notify.recipients import ladder_steps
from services.notify.telling import Teller
from services.notify.watches import Watch

MAX_SILENCE_DAYS = 30
MAX_CONFLICTS = 20  # whoever records or ends the same silence between reading and writing it


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence, from `begins_at` up to and without `over_at`; `until` is its last day as told."""

    id: str
    project_id: str
    matter: str | None  # None: everything about the project and its parts
    partition: int
    author: str
    reason: str
    until: str
    begins_at: str
    over_at: str
    replaces: str | None = None
    ended_by: str | None = None  # None: it ends by itself
    version: int = 1
    outbox: tuple[Event, ...] = field(default=())  # what does not stand among the project's events yet

    def covers(self, matter: Matter | Standing, watch: Watch | None, now: str) -> bool:
        """Whether it keeps messages about a matter in; `watch`: its project, as far as it is known."""
        if self.matter is not None:
            return self.matter == matter.id and self.begins_at <= now < self.over_at
        return self.covers_project(matter.project_id, watch, now)

    def covers_project(self, project_id: str | None, watch: Watch | None, now: str) -> bool:
        """Whether it keeps in everything that is told about a project."""
        if self.matter is not None or not self.begins_at <= now < self.over_at:
            return False
        return self.project_id == project_id or (watch is not None and self.project_id == watch.parent)

    def ended(self, by: str, now: str) -> Silence:
        """It ends before its time."""
        event = _event(self, events.SILENCE_ENDED, by, now, {"silence": self.id})
        return replace(self, version=self.version + 1, over_at=now, ended_by=by, outbox=(*self.outbox, event))

    def recorded(self) -> Silence:
        """What happened to it stands among the project's events."""
        return replace(self, version=self.version + 1, outbox=())


class SilenceStore(Protocol):
    """Where they are kept. Every call may raise TransientError."""

    def get(self, silence_id: str) -> Silence | None:
        """One silence."""

    def compare_and_set(self, changes: Sequence[tuple[Silence | None, Silence]]) -> None:
        """Write each that is still as it was read; the others got there first elsewhere."""

    def lasting(self, projects: Collection[str], now: str) -> list[Silence]:
        """Those on these projects, or their matters, that are not over."""


class MatterStore(Protocol):
    """What is asked of the matters."""

    def get(self, matter_id: str) -> Matter | None:
        """One matter."""


class WatchStore(Protocol):
    """What is known of projects."""

    def get_many(self, project_ids: Sequence[str]) -> dict[str, Watch]:
        """Those that exist, by project."""


class Silences:
    """The use case. Raises ProblemError for what is refused, TransientError without MongoDB."""

    def __init__(
        self, store: SilenceStore, matters: MatterStore, watches: WatchStore, teller: Teller, clock: Clock
    ) -> None:
        self._store = store
        self._matters = matters
        self._watches = watches
        self._teller = teller
        self._clock = clock

    def begin(self, silence_id: str, actor: str, asked: Mapping[str, Any], replaces: str | None = None) -> Silence:
        """A new one on a project or on one matter. The same again is the same."""
        matter_id = asked.get("matter")
        project_id = asked.get("project_id") or self._project_of(matter_id)
        watch = self._watch(project_id)
        self._may(actor, watch)
        calendar, now = self._teller.calendar.of(watch.zone), self._clock.now_text()
        self._refuse_length(asked["until"], calendar.business_date(now))
        fresh = Silence(
            id=silence_id,
            project_id=project_id,
            matter=matter_id,
            partition=watch.partition,
            author=actor,
            reason=asked["reason"],
            until=asked["until"],
            begins_at=now,
            over_at=calendar.midnight(date.fromisoformat(asked["until"]) + timedelta(days=1)),
            replaces=replaces,
        )
        said = {"silence": fresh.id, "matter": fresh.matter, "reason": fresh.reason, "until": fresh.until}
        said["replaces"] = replaces
        told = {name: value for name, value in said.items() if value is not None}
        fresh = replace(fresh, outbox=(_event(fresh, events.SILENCE_BEGUN, actor, now, told),))
        self._store.compare_and_set([(None, fresh)])
        kept = self._store.get(silence_id)
        if kept is None:
            raise TransientError("silences", f"{silence_id} was not kept")
        if _said(kept) != _said(fresh):
            raise ProblemError("conflict", subject=project_id, id=silence_id)
        return kept

    def edit(self, silence_id: str, new_id: str, actor: str, asked: Mapping[str, Any]) -> Silence:
        """Another one in its place, with what is told of it changed."""
        old = self._known(silence_id)
        again = self._store.get(new_id)
        if again is None and old.over_at <= self._clock.now_text():
            raise ProblemError("silence-over", what=silence_id)
        about = {"project_id": old.project_id, "matter": old.matter, "reason": old.reason, "until": old.until}
        fresh = self.begin(new_id, actor, {**about, **asked}, replaces=old.id)
        self._end(old.id, actor)
        return fresh

    def end(self, silence_id: str, actor: str) -> Silence:
        """It ends now. One that is over stays as it is."""
        self._may(actor, self._watch(self._known(silence_id).project_id))
        return self._end(silence_id, actor)

    def _end(self, silence_id: str, actor: str) -> Silence:
        for _ in range(MAX_CONFLICTS):
            silence, now = self._known(silence_id), self._clock.now_text()
            if silence.over_at <= now:
                return silence
            self._store.compare_and_set([(silence, silence.ended(actor, now))])
        raise TransientError("silences", f"{silence_id} is contended")

    def _known(self, silence_id: str) -> Silence:
        silence = self._store.get(silence_id)
        if silence is None:
            raise ProblemError("not-found", what=silence_id)
        return silence

    def _project_of(self, matter_id: str | None) -> str:
        matter = self._matters.get(matter_id) if matter_id is not None else None
        if matter is None:
            raise ProblemError("not-found", what=matter_id)
        if matter.project_id is None:
            raise ProblemError("not-a-stall", what=matter_id)
        return matter.project_id

    def _watch(self, project_id: str) -> Watch:
        watch = self._watches.get_many([project_id]).get(project_id)
        if watch is None:
            raise ProblemError("not-found", what=project_id)
        return watch

    def _may(self, actor: str, watch: Watch) -> None:
        """The group head, and whoever stands above."""
        allowed = [rung.recipient for rung in ladder_steps(watch, self._teller.head_of(watch.zone))]
        if actor not in allowed:
            raise ProblemError("not-theirs", who=actor, allowed=", ".join(allowed))

    def _refuse_length(self, until: str, today: date) -> None:
        latest = today + timedelta(days=MAX_SILENCE_DAYS)
        if not today <= date.fromisoformat(until) <= latest:
            allowed = f"{today.isoformat()}–{latest.isoformat()}"
            raise ProblemError("invalid", errors=[FieldError("/until", "not-allowed", {"allowed": allowed})])


def _event(silence: Silence, type_: str, actor: str, now: str, data: Mapping[str, Any]) -> Event:
    id_ = uuid.uuid5(NAMESPACE, f"{type_} {silence.id}").hex
    return Event(silence.project_id, id_, type_, now, 0, actor, data)


def _said(silence: Silence) -> tuple[object, ...]:
    return (silence.project_id, silence.matter, silence.author, silence.reason, silence.until, silence.replaces)
