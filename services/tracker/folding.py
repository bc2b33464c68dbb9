"""Documents made of events: the domain's fold and assessment, with what storing them needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import orjson

from luodi.domain import investing, taskforce
from luodi.domain.assess import assess
from luodi.domain.awaiting import awaiting
from luodi.domain.calendar import Calendar
from luodi.domain.counting import sameness
from luodi.domain.events import Event
from luodi.domain.fold import advance, fold
from luodi.domain.handlers import State
from luodi.domain.kinds import KINDS
from luodi.domain.matching import seeks
from luodi.domain.pool import pooled_on
from luodi.domain.procedures import marks_of
from luodi.domain.rules import Rules
from luodi.domain.subjects import is_project, kind_of
from luodi.domain.worked_off import marks
from services.tracker.ports import Base, Document, Outdated


@dataclass(frozen=True, slots=True)
class Folder:
    """Folds under one activation of the rules; `ruleset` is its number."""

    rules: Rules
    calendar: Calendar
    ruleset: int

    def refold(self, subject: str, partition: int, events: Sequence[Event]) -> Document:
        """The document of all of a subject's events, given in any order."""
        return self.document(subject, partition, fold(events, KINDS[kind_of(subject)].empty))

    def carry(self, subject: str, partition: int, base: Base | None, events: Sequence[Event]) -> Document | None:
        """The document after some more events, all new to `base` (None: there is no document yet).

        None when only a fold of all events can tell.
        """
        if base is None:
            return self.refold(subject, partition, events)
        if base.ruleset != self.ruleset:
            return None
        state: State | None = orjson.loads(base.fold)
        for event in sorted(events, key=_order) if len(events) > 1 else events:
            assert state is not None
            state = advance(state, event)
            if state is None:
                return None
        assert state is not None
        return self.document(subject, partition, state)

    def again(self, subject: str, outdated: Outdated) -> Document:
        """The document of a state folded before, as these rules see it. The state must be of this fold version."""
        return self.document(subject, outdated.partition, orjson.loads(outdated.base.fold))

    def assess(self, subject: str, state: State) -> Document:
        """What the state of a project means under these rules; nothing of how it is stored."""
        return assess(subject, state, self.rules, self.calendar)

    def document(self, subject: str, partition: int, state: State) -> Document:
        """The document of a folded state, as it is stored."""
        rendered = KINDS[kind_of(subject)].document(subject, state, self.rules, self.calendar)
        return {
            "_id": subject,
            "partition": partition,
            "events": state["events"],
            "ruleset": self.ruleset,
            "fold": orjson.dumps(state),
            **rendered,
            **(self._found_by(subject, state, rendered) if is_project(subject) else {}),
        }

    def _found_by(self, subject: str, state: State, project: Document) -> Document:
        """What lists of projects are sorted, compared and filled by, beside what is shown of them."""
        awaits = awaiting(state, project, partial(self.assess, subject), self.calendar)
        entered, sought = pooled_on(project), seeks(project)
        followed = taskforce.followed_on(project)
        return {
            "stale": taskforce.staleness(state, project, self.calendar),
            **({} if followed is None else {"followed_on": followed}),
            # Lists are sorted by it: a path into the clocks would have no order where there is none.
            "due": min((clock["due"] for clock in project["clocks"]), default=None),
            "sameness": sameness(project),
            "awaiting": awaits,
            # Only what waits stands in the index of it.
            "awaits_since": min((report["recorded_at"] for report in awaits), default=None),
            # Absent where there is nothing to find, as in all that follow: then it costs nothing in its index.
            **({} if entered is None else {"pooled_on": entered}),
            **({"owing": marks(project["blockers"])} if project["blockers"] else {}),
            **({"procedures_in": marks_of(project)} if "procedures" in project else {}),
            **({} if sought is None else {"seeks": sought}),
            **investing.found_by(state),
        }


def _order(event: Event) -> tuple[str, int, str]:
    return event.order
