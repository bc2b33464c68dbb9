"""The documents of all kinds of subjects in MongoDB: projects in a collection of their own, the others in another.

Whoever counts, lists or rolls up projects reads `projects` and never meets anything else there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from pymongo import ASCENDING
from pymongo.database import Database

from luodi.domain.subjects import is_project
from luodi.runtime.mongo import translated
from services.tracker.ahead import Ahead
from services.tracker.ports import Base, Document, Outdated, Projects
from services.tracker.stores import Change, MongoProjects

Swap = Callable[[Sequence[Change]], set[str]]

OTHERS = "subjects"


class MongoOthers(MongoProjects):
    """The collection `subjects`, or a shadow of it: units, persons and posts, by `<kind>:<id>`."""

    def __init__(self, database: Database[Document], name: str = OTHERS, ahead: Ahead | None = None) -> None:
        super().__init__(database, name, ahead)

    def ensure_indexes(self) -> None:
        with translated():
            # Lists are bound by `_id`, which begins with the kind.
            self._documents.create_index([("partition", ASCENDING), ("ruleset", ASCENDING)], name="renewal")
            # By what one leads on to another: only posts have holders, only units a head.
            self._documents.create_index([("holders.holder", ASCENDING)], name="holders", sparse=True)
            # Only resources are assigned to projects.
            self._documents.create_index([("assignments.project_id", ASCENDING)], name="assignments", sparse=True)
            self._documents.create_index([("handovers.to", ASCENDING)], name="handovers", sparse=True)
            self._documents.create_index([("head", ASCENDING)], name="head", sparse=True)


class MongoSubjects:
    """See the port `Projects`: each document goes to the collection of its kind."""

    def __init__(self, projects: Projects, others: Projects) -> None:
        self._projects = projects
        self._others = others

    def bases(self, subjects: Collection[str]) -> dict[str, Base]:
        projects, others = _parted(subjects)
        return self._projects.bases(projects) | (self._others.bases(others) if others else {})

    def standing(self, partitions: Collection[int], after: str, limit: int) -> dict[str, Base]:
        return self._projects.standing(partitions, after, limit)  # the others are few and change seldom

    def swap(self, changes: Sequence[Change]) -> set[str]:
        return _each(changes, self._projects.swap, self._others.swap)

    def swap_ahead(self, changes: Sequence[Change]) -> set[str]:
        return _each(changes, self._projects.swap_ahead, self._others.swap_ahead)

    def offer(self, documents: Sequence[Document]) -> None:
        self._projects.offer([document for document in documents if is_project(document["_id"])])
        self._others.offer([document for document in documents if not is_project(document["_id"])])

    def read(self, subjects: Collection[str]) -> dict[str, Document]:
        projects, others = _parted(subjects)
        return self._projects.read(projects) | (self._others.read(others) if others else {})

    def outdated(self, partitions: Collection[int], ruleset: int, limit: int) -> dict[str, Outdated]:
        found = self._projects.outdated(partitions, ruleset, limit)
        if len(found) < limit:
            found |= self._others.outdated(partitions, ruleset, limit - len(found))
        return found

    def guards(self, subjects: Collection[str]) -> dict[str, tuple[int, int]]:
        projects, others = _parted(subjects)
        return self._projects.guards(projects) | (self._others.guards(others) if others else {})


def _each(changes: Sequence[Change], projects: Swap, others: Swap) -> set[str]:
    """Swap each in the collection of its kind; most often all are projects."""
    of_projects = [change for change in changes if is_project(change[1]["_id"])]
    if len(of_projects) == len(changes):
        return projects(changes)
    return projects(of_projects) | others([change for change in changes if not is_project(change[1]["_id"])])


def _parted(subjects: Iterable[str]) -> tuple[list[str], list[str]]:
    """The projects of these subjects, and the others."""
    projects: list[str] = []
    others: list[str] = []
    for subject in subjects:
        (projects if is_project(subject) else others).append(subject)
    return projects, others
