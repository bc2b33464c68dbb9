"""A project as it was known at an instant, or as it was on a business date: folded from its journal, exactly."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from luodi.domain import history
from luodi.domain.calendar import Calendar
from luodi.domain.days import instant, parse_instant
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.rollup import Family, roll_up
from luodi.domain.stages import Language
from services.tracker.folding import Folder
from services.tracker.ports import Document, Journal
from services.tracker.relations import Beside
from services.tracker.views import Viewer

INSTANT_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class When:
    """From when a caller wants to look: what was known at an instant, and what was true on a business date by it.

    Without either it is the live state, with the first alone the record as it stood, its lights read at that instant.
    """

    known_at: str | None = None
    as_of: date | None = None

    @property
    def is_live(self) -> bool:
        return self.known_at is None and self.as_of is None

    @property
    def day(self) -> int | None:
        """`as_of` as an ordinal."""
        return None if self.as_of is None else self.as_of.toordinal()

    def viewer(self, now: str, language: Language, calendar: Calendar) -> Viewer:
        """The eyes to look with: at the end of the business date, else at the instant, else now."""
        if self.as_of is not None:
            return Viewer(last_moment(self.as_of, calendar), self.as_of, language, calendar)
        return Viewer.at(self.known_at or now, language, calendar)

    def instant(self, calendar: Calendar) -> str:
        """The moment at which lights are read: the end of the business date, else that of the knowledge."""
        if self.as_of is not None:
            return last_moment(self.as_of, calendar)
        assert self.known_at is not None
        return self.known_at

    @property
    def asked(self) -> dict[str, dict[str, str]]:
        """What was asked for, to stand on what is printed from the answer; nothing for the live state."""
        asked = {"known_at": self.known_at, "as_of": None if self.as_of is None else self.as_of.isoformat()}
        told = {name: value for name, value in asked.items() if value is not None}
        return {"asked": told} if told else {}


def last_moment(day: date, calendar: Calendar) -> str:
    """The last instant of a business date."""
    return instant_before(calendar.midnight(day + timedelta(days=1)))


def instant_before(moment: str) -> str:
    """The instant before another."""
    return instant(parse_instant(moment) - INSTANT_STEP)


class Past:
    """Folds from the journal. Every call raises TransientError when MongoDB is away."""

    def __init__(self, journal: Journal, folder: Callable[[], Folder]) -> None:
        self._journal = journal
        self._folder = folder

    def project(self, project_id: str, when: When) -> Document | None:
        """The document of a project; None when there was none."""
        return self.projects([project_id], when).get(project_id)

    def projects(self, project_ids: Collection[str], when: When) -> dict[str, Document]:
        """The documents of those of these projects that there were."""
        folder = self._folder()
        found: dict[str, Document] = {}
        for subject, events in self._journal.read(project_ids).items():
            state = history.state_at(events, when.known_at, when.day, folder.calendar)
            if state is not None:
                found[subject] = folder.document(subject, 0, state)
        return found

    def beside(self, document: Document, members: Collection[str], when: When) -> Beside:
        """Its phases and tenants as they were. `members` are those of now: one that has left since is not found."""
        if not members:
            return Beside()
        subject = document["_id"]
        family = Family.of([document, *self.projects({*members} - {subject}, when).values()])
        return Beside({subject: {**roll_up(subject, family), "version": 0}})

    def history(self, project_id: str, when: When, now: str) -> History | None:
        """What was true on each day by what is known, when red was shown, how late was reported."""
        folder = self._folder()
        known = self._known(project_id, when.known_at)
        if not known:
            return None
        assessed = partial(folder.assess, project_id)
        return History(
            history.track(known, assessed, folder.calendar),
            history.was_red(known, assessed, folder.calendar, when.known_at or now),
            history.reporting(known, folder.calendar.of(fold(known)["fields"].get("zone"))),
        )

    def was_red(self, project_id: str, when: When, now: str) -> list[dict[str, Any]]:
        """When the system showed red."""
        folder = self._folder()
        known = self._known(project_id, when.known_at)
        return history.was_red(known, partial(folder.assess, project_id), folder.calendar, when.known_at or now)

    def _known(self, project_id: str, known_at: str | None) -> list[Event]:
        events = self._journal.read([project_id]).get(project_id, [])
        return events if known_at is None else history.known(events, known_at)


@dataclass(frozen=True, slots=True)
class History:
    """All that is told of a project's past."""

    spans: list[history.Span]
    was_red: list[dict[str, Any]]
    reporting: dict[str, Any]
