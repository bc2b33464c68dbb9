"""What is asked of enterprises: their projects, requests, qualifications, services, and what upgrades have changed.

Each chapter has an index of its own that holds only the documents in which there is anything to tell, by zone. What is
listed are things inside documents: they are read with their documents, and chosen, counted and sorted here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain import enterprises, qualifications, reasons
from luodi.domain.clocks import light_at
from luodi.domain.enterprises import ACCEPTED, OPEN, RESOLVED, owns
from luodi.domain.qualifications import HOLDING, LADDERS, state_at
from luodi.domain.stages import Language
from luodi.domain.subjects import ENTERPRISE, SEPARATOR, id_of, subject_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Query
from services.tracker.ports import Document
from services.tracker.subjects import OTHERS
from services.tracker.views import Viewer

Row = dict[str, Any]

REQUESTS, QUALIFICATIONS, SERVICES, MEASURES = "requests", "qualifications", "services", "measures"

_NO_END = "9999-12-31"  # sorts after every day
_YEAR_CHARS = 4
_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)
_IDS: Condition = {"_id": {"$gt": f"{ENTERPRISE}{SEPARATOR}", "$lt": f"{ENTERPRISE}{_AFTER_SEPARATOR}"}}
_FIRM = {"name": 1, "zone": 1, "credit_code": 1, "registered": 1}
_PROJECT = {"name": 1, "zone": 1, "credit_code": 1, "enterprise": 1, "kind": 1}


class Enterprises:
    """What the routes ask the stores. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._subjects: MongoCollection[Document] = database[OTHERS]
        self._projects: MongoCollection[Document] = database["projects"]

    def ensure_indexes(self) -> None:
        for collection, chapters in (
            (self._subjects, (REQUESTS, QUALIFICATIONS, SERVICES)),
            (self._projects, (SERVICES, MEASURES)),
        ):
            for chapter in chapters:
                with translated():
                    collection.create_index(
                        [("zone", ASCENDING), ("_id", ASCENDING)],
                        name=chapter,
                        partialFilterExpression={chapter: {"$exists": True}},
                    )

    def one(self, enterprise_id: str) -> Document | None:
        """Who the enterprise is, with its chapters; None when nothing is recorded of it."""
        with translated():
            return self._subjects.find_one({"_id": subject_of(ENTERPRISE, enterprise_id)}, {"fold": 0})

    def telling(self, chapter: str, zones: Sequence[str], enterprise_id: str | None) -> list[Document]:
        """The enterprises in which there is something of a chapter to tell."""
        conditions: list[Condition] = [{chapter: {"$exists": True}}, _IDS]
        if enterprise_id is not None:
            conditions.append({"_id": subject_of(ENTERPRISE, enterprise_id)})
        with translated():
            found = self._subjects.find({"$and": [*conditions, *_of(zones)]}, _FIRM | {chapter: 1})
            return list(found.hint(chapter if enterprise_id is None else "_id_"))

    def projects_telling(self, chapter: str, zones: Sequence[str], project_id: str | None) -> list[Document]:
        """The projects in which there is something of a chapter to tell."""
        conditions: list[Condition] = [{chapter: {"$exists": True}}]
        if project_id is not None:
            conditions.append({"_id": project_id})
        with translated():
            found = self._projects.find({"$and": [*conditions, *_of(zones)]}, _PROJECT | {chapter: 1})
            return list(found.hint(chapter if project_id is None else "_id_"))

    def registered(self, zones: Sequence[str]) -> list[Document]:
        """The registered enterprises, as far as projects are told to be theirs by it."""
        with translated():
            found = self._subjects.find({"$and": [_IDS, {"registered": True}, *_of(zones)]}, _FIRM)
            return list(found.hint("_id_"))

    def projects_of(self, enterprise: Document, query: Query) -> tuple[list[Document], str | None]:
        """One page of the enterprise's projects, in the order of their ids; bound by its zone where it has one."""
        names = [id_of(enterprise["_id"]), *filter(None, [enterprise.get("name")])]
        own: Condition = {"enterprise": {"$in": names}}
        if code := enterprise.get("credit_code"):
            own = {"$or": [{"credit_code": code}, {**own, "credit_code": None}]}
        zone = enterprise.get("zone")
        conditions = [own, {"zone": zone} if zone else {"_id": {"$gt": ""}}, {"registered": True}]
        if query.after is not None:
            conditions.append(query.sort.after(*query.after))
        with translated():
            found = self._projects.find({"$and": conditions}, {"fold": 0}).sort(query.sort.keys())
            documents = list(found.hint("zone" if zone else "_id_").limit(query.limit + 1))
        page = documents[: query.limit]
        return page, query.cursor((None, page[-1]["_id"])) if len(documents) > len(page) else None

    def blockers(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, Document]:
        """The projects that these requests were accepted in, with their blockers."""
        ids = sorted({row["accepted"]["project_id"] for row in rows if row["accepted"] is not None})
        if not ids:
            return {}
        with translated():
            return {
                row["_id"]: row
                for row in self._projects.find({"_id": {"$in": ids}}, _PROJECT | {"blockers": 1}).hint("_id_")
            }

    def chapters(self, document: Document, view: Viewer) -> Row:
        """What an enterprise tells beyond its fields."""
        stored = document.get(REQUESTS, ())
        projects = self.blockers(stored)
        return {
            REQUESTS: [request_row(row, document, projects, view) for row in stored],
            QUALIFICATIONS: [qualification_row(row, view) for row in document.get(QUALIFICATIONS, ())],
            "holds": holdings(document, view),
            SERVICES: document.get(SERVICES),
            "link": document.get("link", {"generation": 0, "refused": 0}),
        }


def _of(zones: Sequence[str]) -> list[Condition]:
    return [{"zone": {"$in": list(zones)}}] if zones else []


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of things inside documents is filtered by; empty asks for nothing."""

    values: Mapping[str, tuple[str, ...]]  # by the name of a field of the row
    due_before: str | None = None

    def takes(self, row: Mapping[str, Any], due: str | None) -> bool:
        named = all(row.get(name) in values for name, values in self.values.items() if values)
        return named and (self.due_before is None or (due is not None and due < self.due_before))


def paged(rows: Sequence[Row], key: Callable[[Row], tuple[Any, str]], query: Query) -> tuple[list[Row], str | None]:
    """One page of rows in the order of their keys, and the cursor of the next one."""
    ordered = sorted(rows, key=key)
    if query.after is not None:
        after = query.after
        ordered = [row for row in ordered if key(row) > after]
    page = ordered[: query.limit]
    return page, query.cursor(key(page[-1])) if len(ordered) > len(page) else None


# Requests.


def requests_of(documents: Iterable[Document], projects: Mapping[str, Document], view: Viewer) -> Iterator[Row]:
    """The requests of these enterprises as staff see them."""
    for document in documents:
        for stored in document[REQUESTS]:
            yield {**_named(document), **request_row(stored, document, projects, view)}


def request_row(stored: Mapping[str, Any], document: Document, projects: Mapping[str, Document], view: Viewer) -> Row:
    """One request: its clock while nobody has answered, and the blocker that it became."""
    blocker = _blocker(stored, document, projects)
    lit = light_at(stored["lights"], view.now) if stored["lights"] else None
    cleared = blocker is not None and blocker.get("cleared") is not None
    return {
        **{name: value for name, value in stored.items() if name not in ("lights", "state")},
        "state": RESOLVED if stored["state"] == ACCEPTED and cleared else stored["state"],
        "light": None if lit is None else lit["light"],
        "reason": None if lit is None else said(lit["reason"], view),
        "blocker": blocker,
    }


def _blocker(stored: Mapping[str, Any], document: Document, projects: Mapping[str, Document]) -> Row | None:
    """The blocker that a request was accepted as. Null unless it stands in a project of this very enterprise."""
    accepted = stored["accepted"]
    project = None if accepted is None else projects.get(accepted["project_id"])
    if accepted is None or project is None or not owns(id_of(document["_id"]), document, project):
        return None
    found = next((row for row in project["blockers"] if row["id"] == accepted["blocker_id"]), None)
    if found is None:
        return None
    told = ("id", "kind", "owner", "date", "promise", "cleared")
    return {"project_id": project["_id"], "project": project.get("name"), **{name: found.get(name) for name in told}}


def own_request(row: Mapping[str, Any]) -> Row:
    """A request as the enterprise itself sees it: what it asked, what it was told, what became of the blocker.

    No person of the zone, no remark among staff, and nothing of a project that is not its own.
    """
    blocker = row["blocker"]
    return {
        **{name: row[name] for name in ("id", "kind", "text", "project_id", "recorded_at", "state", "due")},
        "light": row["light"],
        "reason": row["reason"],
        "answers": [{name: told[name] for name in ("text", "recorded_at")} for told in row["answers"]],
        "accepted_at": None if row["accepted"] is None else row["accepted"]["recorded_at"],
        "blocker": None
        if blocker is None
        else {name: blocker[name] for name in ("project_id", "project", "kind", "date", "promise", "cleared")},
    }


def request_summary(rows: Iterable[Mapping[str, Any]], today: str) -> Row:
    """Counts of requests: by state, open ones past their day, and how many first answers came in time."""
    found = list(rows)
    states = Counter(row["state"] for row in found)
    return {
        **{state: states[state] for state in enterprises.STATES},
        "overdue": sum(row["state"] == OPEN and row["due"] < today for row in found),
        "due_today": sum(row["state"] == OPEN and row["due"] == today for row in found),
        "answered_in_time": sum(row["in_time"] is True for row in found),
        "answered_late": sum(row["in_time"] is False for row in found),
    }


# Qualifications.


def qualifications_of(documents: Iterable[Document], view: Viewer) -> Iterator[Row]:
    """The qualifications of these enterprises."""
    for document in documents:
        for stored in document[QUALIFICATIONS]:
            yield {**_named(document), **qualification_row(stored, view)}


def qualification_row(stored: Mapping[str, Any], view: Viewer) -> Row:
    """One qualification: what it is now, and why."""
    lit = light_at(stored["lights"], view.now)
    return {
        **{name: value for name, value in stored.items() if name != "lights"},
        "state": state_at(stored, view.now),
        "light": lit["light"],
        "reason": said(lit["reason"], view),
    }


def holdings(document: Document, view: Viewer) -> list[Row]:
    """The highest level of each ladder that an enterprise holds now, and the next one to grow into."""
    ladders = {ladder.id: ladder for ladder in LADDERS}
    rows: list[Row] = []
    for row in qualifications.held(document.get(QUALIFICATIONS, ()), view.now).values():
        ladder = ladders.get(row["ladder"] or "")
        above = ladder.levels[row["step"] :] if ladder is not None else ()
        rows.append(
            {
                **{name: row[name] for name in ("level", "level_id", "ladder", "step", "valid_until")},
                "next": _called(above[0], view.language) if above else None,
            }
        )
    return rows


def level_counts(rows: Iterable[Mapping[str, Any]], year: str, language: Language) -> list[Row]:
    """By level: granted in a year, valid now, to be examined again soon, expired; the ladders' levels first."""
    counts: dict[str, Counter[str]] = {}
    called: dict[str, str] = {}
    for row in rows:
        counted = counts.setdefault(row["level_id"], Counter())
        called.setdefault(row["level_id"], row["level"])
        counted[row["state"]] += 1
        counted["new"] += (row["date"] or "")[:_YEAR_CHARS] == year
    known = {level.id: (ladder.id, level) for ladder in LADDERS for level in ladder.levels}
    order = [*(id_ for id_ in known if id_ in counts), *sorted(counts.keys() - known.keys())]
    return [
        {
            "level_id": id_,
            "level": _called(known[id_][1], language) if id_ in known else called[id_],
            "ladder": known[id_][0] if id_ in known else None,
            "new": counts[id_]["new"],
            "valid": sum(counts[id_][state] for state in HOLDING),
            **{state: counts[id_][state] for state in ("recheck", "expired", "ended")},
        }
        for id_ in order
    ]


def ladders(language: Language) -> list[Row]:
    """The ladders, the lowest level of each first."""
    return [
        {
            "id": ladder.id,
            "name": _called(ladder, language),
            "basis": ladder.basis or None,
            "levels": [
                {"id": level.id, "name": _called(level, language), "step": step, "years": level.years}
                for step, level in enumerate(ladder.levels, 1)
            ],
        }
        for ladder in LADDERS
    ]


def _called(named: qualifications.Ladder | qualifications.Level, language: Language) -> str:
    return named.zh if language == reasons.ZH else named.en


# Services.


def services_by_enterprise(
    documents: Iterable[Document],
    projects: Iterable[Document],
    registered: Iterable[Document],
    takes: Callable[[str, str], bool],
) -> list[Row]:
    """How often each enterprise was helped. `takes(month, kind)` says what is counted.

    What was given for a project counts for the registered enterprise whose project it is; where none is, for the name
    that stands in the project.
    """
    by_name, by_code = _known(registered)
    counts: dict[tuple[str | None, str], Row] = {}
    for document in documents:
        _add(counts, id_of(document["_id"]), document.get("name"), document, takes)
    for project in projects:
        firm = by_code.get(project.get("credit_code")) or by_name.get(project.get("enterprise"))
        if firm is not None and owns(id_of(firm["_id"]), firm, project):
            _add(counts, id_of(firm["_id"]), firm.get("name"), project, takes)
        else:
            _add(counts, None, project.get("enterprise") or project.get("name"), project, takes)
    return list(counts.values())


def _known(registered: Iterable[Document]) -> tuple[dict[str | None, Document], dict[str | None, Document]]:
    by_name: dict[str | None, Document] = {}
    by_code: dict[str | None, Document] = {}
    for firm in registered:
        by_name.setdefault(id_of(firm["_id"]), firm)
        by_name.setdefault(firm.get("name"), firm)
        if firm.get("credit_code"):
            by_code.setdefault(firm["credit_code"], firm)
    return by_name, by_code


def _add(
    counts: dict[tuple[str | None, str], Row],
    enterprise_id: str | None,
    name: str | None,
    document: Document,
    takes: Callable[[str, str], bool],
) -> None:
    for told in document[SERVICES]["months"]:
        for kind, number in told["kinds"].items():
            if takes(told["month"], kind):
                row = counts.setdefault(
                    (enterprise_id, name or ""),
                    {
                        "enterprise_id": enterprise_id,
                        "enterprise": name,
                        "zone": document.get("zone"),
                        "count": 0,
                        "kinds": Counter(),
                        "months": Counter(),
                    },
                )
                row["count"] += number
                row["kinds"][kind] += number
                row["months"][told["month"]] += number


def service_summary(rows: Iterable[Mapping[str, Any]]) -> Row:
    """All services that were counted: how many, for how many enterprises, by kind and by month."""
    kinds: Counter[str] = Counter()
    months: Counter[str] = Counter()
    firms = 0
    for row in rows:
        kinds.update(row["kinds"])
        months.update(row["months"])
        firms += 1
    return {
        "count": sum(kinds.values()),
        "enterprises": firms,
        "kinds": dict(sorted(kinds.items())),
        "months": dict(sorted(months.items())),
    }


# What is said of all of them.


def _named(document: Document) -> Row:
    return {
        "enterprise_id": id_of(document["_id"]),
        "enterprise": document.get("name"),
        "zone": document.get("zone"),
    }


def said(reason: Mapping[str, Any], view: Viewer) -> Row:
    """A reason in the reader's language."""
    return {"code": reason["code"], "text": reasons.text(reason, view.language, view.today)}


def by_due(row: Row) -> tuple[str, str]:
    """The key of qualifications: the first to end first, those without an end last."""
    return row["valid_until"] or _NO_END, f"{row['enterprise_id']}/{row['id']}"


def by_recording(row: Row) -> tuple[str, str]:
    """The key of requests: the one that has waited longest first."""
    return row["recorded_at"], f"{row['enterprise_id']}/{row['id']}"


def by_count(row: Row) -> tuple[int, str]:
    """The key of counts: the largest first."""
    return -row["count"], f"{row['enterprise_id'] or ''}/{row['enterprise']}"
