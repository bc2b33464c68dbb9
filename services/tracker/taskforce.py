"""What task forces ask: which projects are theirs, what was logged on them, and the weekly report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.assess import ACTIVE, SUSPENDED
from luodi.domain.fold import fold, retracted
from luodi.domain.history import known
from luodi.domain.stages import Language
from luodi.domain.subjects import TEAM, subject_of
from luodi.domain.taskforce import FOLLOWUP_LOGGED, followup
from luodi.domain.weekly import Scene, Week, report
from luodi.runtime.mongo import translated
from luodi.runtime.problems import ProblemError
from services.tracker.filters import Condition, Query, Sort
from services.tracker.folding import Folder
from services.tracker.holding import Holders
from services.tracker.journal import MongoJournal
from services.tracker.past import last_moment
from services.tracker.ports import Document
from services.tracker.queries import paged
from services.tracker.subjects import OTHERS

FOLLOWED = "followed"
"""The index of the projects that have been followed up."""

_WITHOUT_FOLD = {"fold": 0}
_SHOWN = ("name", "zone", "parent", "key", "officer", "group_head", "lead_unit")
_NEWEST = Sort("followed_on", descending=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which follow-ups of the projects found: plain values, None asks for nothing. `standing`: only the one of each
    project that says what comes next."""

    ways: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    standing: bool = False

    def holds(self, item: Document) -> bool:
        """Whether a follow-up is asked for."""
        return (
            (not self.ways or item["way"] in self.ways)
            and (not self.actors or item["actor"] in self.actors)
            and (self.since is None or item["date"] >= self.since)
            and (self.until is None or item["date"] <= self.until)
        )


class TaskForces:
    """What the routes ask the stores. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document], folder: Callable[[], Folder]) -> None:
        self.holders = Holders(database)
        self._documents: MongoCollection[Document] = database["projects"]
        self._teams: MongoCollection[Document] = database[OTHERS]
        self._journal = MongoJournal(database)
        self._folder = folder

    def team(self, team_id: str) -> Document:
        """The document of a team. Raises ProblemError `not-found` where none is registered under this id."""
        with translated():
            found = self._teams.find_one({"_id": subject_of(TEAM, team_id), "registered": True}, _WITHOUT_FOLD)
        if found is None:
            raise ProblemError("not-found", what=team_id)
        return found

    def followed_by_any(self, team_ids: Sequence[str], on: str) -> list[Condition]:
        """What finds the projects that one of these teams follows; nothing where none is asked for."""
        if not team_ids:
            return []
        return [{"$or": [{"$and": self.projects_of(self.team(id_), on)} for id_ in team_ids]}]

    def projects_of(self, team: Document, on: str) -> list[Condition]:
        """What finds the projects that a team follows on a business date: those of its chain in its zone; without a
        chain those of its zone whose officer or group head is of the team."""
        zone: Condition = {"zone": team["zone"]}
        if team.get("chain"):
            return [zone, {"chain": team["chain"]}]
        people = {*team.get("members", ()), *filter(None, [team.get("head")])}
        named = sorted({id_ for ids in self.holders.naming(people, on).values() for id_ in ids})
        return [zone, {"$or": [{"officer": {"$in": named}}, {"group_head": {"$in": named}}]}]

    def followups(self, query: Query, wanted: Wanted) -> tuple[list[dict[str, Any]], str | None]:
        """One page of follow-ups: by project, the one followed up last first, and of each the newest first.

        `limit` counts follow-ups. A page may hold fewer while others follow: then none of its projects' is asked for.
        """
        found = self._followed(query, wanted)
        logged = {} if wanted.standing else self._logged([document["_id"] for document in found])

        def shown(document: Document) -> Iterator[dict[str, Any]]:
            stands = document["followups"]["stands"]
            items = [stands] if wanted.standing else logged[document["_id"]]
            named = {"project_id": document["_id"], **{name: document.get(name) for name in _SHOWN}}
            return ({**named, **item} for item in items if item is not None and wanted.holds(item))

        return paged(query, found, shown, lambda document: (document["followed_on"], document["_id"]))

    def _followed(self, query: Query, wanted: Wanted) -> list[Document]:
        zones: list[Condition] = [{"zone": {"$in": list(query.zones)}}] if query.zones else []
        conditions: list[Condition] = [{"followed_on": {"$gt": ""}}, *zones, *query.conditions]
        if wanted.since is not None:
            conditions.append({"followed_on": {"$gte": wanted.since}})
        if query.after is not None:
            conditions.append(_NEWEST.after(*query.after))
        with translated():
            matching = self._documents.find({"$and": conditions}, _WITHOUT_FOLD).sort(_NEWEST.keys())
            return list(matching.hint(FOLLOWED).limit(query.limit + 1))

    def _logged(self, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """All follow-ups of these projects that were not retracted, the newest first."""
        found: dict[str, list[dict[str, Any]]] = {id_: [] for id_ in ids}
        for subject, events in self._journal.read(ids).items():
            gone = retracted(events)
            told = [
                followup({"id": e.id, "actor": e.actor, "recorded_at": e.recordedtime, **e.data})
                for e in events
                if e.type == FOLLOWUP_LOGGED and e.id not in gone
            ]
            told.sort(key=_date)  # stable: of one day the last recorded is the newest
            found[subject] = told[::-1]
        return found

    def page_of(self, team: Document, query: Query, on: str) -> tuple[list[str], str | None]:
        """One page of the ids of the projects that a team follows, without those that were withdrawn."""
        status = {"$in": [ACTIVE, SUSPENDED]}
        conditions = [*self.projects_of(team, on), {"registered": True, "status": status}, *query.conditions]
        if query.after is not None:
            conditions.append(query.sort.after(*query.after))
        with translated():
            matching = self._documents.find({"$and": conditions}, {"_id": 1}).sort(query.sort.keys())
            found = [row["_id"] for row in matching.hint("zone").limit(query.limit + 1)]
        page = found[: query.limit]
        return page, query.cursor((None, page[-1])) if len(found) > len(page) else None

    def weekly(self, ids: Sequence[str], week: Week, now: str, language: Language) -> list[dict[str, Any]]:
        """The reports of these projects for a week, as they stood at its end (now, in a week that is not over), in this
        order. One of which nothing was recorded by then has none."""
        folder = self._folder()
        recorded = self._journal.read(ids)
        moment = min(now, last_moment(week.last, folder.calendar))
        items: list[dict[str, Any]] = []
        for id_ in ids:
            events = known(recorded.get(id_, ()), moment)
            if not events:
                continue
            then = folder.assess(id_, fold(events))
            calendar = folder.calendar.of(then.get("zone"))
            scene = Scene(then, events, retracted(events), week, moment, calendar, language)
            items.append({"project_id": id_, **{name: then.get(name) for name in _SHOWN}, **report(scene)})
        return items


def _date(item: Document) -> str:
    date: str = item["date"]
    return date


def narrowed(query: Query, conditions: Sequence[Condition]) -> Query:
    """The same list with these conditions, too."""
    return replace(query, conditions=[*query.conditions, *conditions])
