"""Who holds today what projects name: a post's holder, a unit's head, whoever took over from a person.

Nothing of it is stored in a project. Lists by a person find what comes down to that person on the day they are asked,
so one event that hands over a post, or all that a person holds, is in effect for every project at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.people import holders_line, subjects_named
from luodi.domain.subjects import POST, SEPARATOR, UNIT, id_of, kind_of, subject_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Query, Wanted
from services.tracker.ports import Document
from services.tracker.relations import HELD, Beside
from services.tracker.subjects import OTHERS

MAX_LINKS = 16  # how far is looked for what comes down to somebody: more than any real chain of posts and handovers

_AFTER_SEPARATOR = chr(ord(SEPARATOR) + 1)
_TOLD = {"registered": 1, "unit": 1, "head": 1, "holders": 1, "handovers": 1}
"""What is read of a subject: by what it leads on to another. Leave is no part of it."""


class Holders:
    """Answers from the register. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database[OTHERS]

    def of(self, named: Collection[str], on: str) -> dict[str, str]:
        """By each of these ids who holds it on a business date; itself where nothing says otherwise."""
        known = self._known(named)
        return {id_: holders_line(id_, on, known.get)[-1] for id_ in named}

    def beside(self, documents: Sequence[Document], beside: Beside, on: str) -> Beside:
        """What stands beside these documents, with who holds on a business date what they name."""
        named = {document[name] for document in documents for name in HELD if document.get(name)}
        return replace(beside, holding=self.of(named, on)) if named else beside

    def told(self, items: Sequence[Mapping[str, Any]], on: str) -> list[dict[str, Any]]:
        """Items that name who is responsible, each with `holders`: who holds that on a business date, by field."""
        named = {item[name] for item in items for name in HELD if item.get(name)}
        found = self.of(named, on) if named else {}
        return [{**item, "holders": {name: found[item[name]] for name in HELD if item.get(name)}} for item in items]

    def asked(self, query: Query, on: str) -> Query:
        """The same list, by what those it asks for hold on a business date."""
        return replace(query, conditions=self.resolved(query.conditions, on))

    def resolved(self, conditions: Sequence[Condition], on: str) -> list[Condition]:
        """The same for the conditions of a list: those on who is responsible ask for whatever comes down to them."""
        naming = self.naming({id_ for condition in conditions for id_ in _held_by(condition)}, on)
        return [_resolved(condition, naming) for condition in conditions]

    def wanted(self, wanted: Wanted, on: str) -> Wanted:
        """The same for a list of the past."""
        held = {name: wanted.fields[name] for name in HELD if name in wanted.fields}
        naming = self.naming({id_ for ids in held.values() for id_ in ids}, on)
        resolved = {name: tuple(sorted({n for id_ in ids for n in naming[id_]})) for name, ids in held.items()}
        return replace(wanted, fields={**wanted.fields, **resolved})

    def naming(self, ids: Collection[str], on: str) -> dict[str, frozenset[str]]:
        """By each of these ids all those under which a project may name what it holds on a business date.

        What a person has handed over is the successor's; a post or a unit that is asked for stands for what names it.
        """
        if not ids:
            return {}
        candidates = self.ever_naming(ids)
        known = self._known(candidates)
        lines = {id_: holders_line(id_, on, known.get) for id_ in candidates}
        return {id_: frozenset(c for c, line in lines.items() if _comes_to(id_, line, known)) for id_ in ids}

    def ever_naming(self, ids: Collection[str]) -> set[str]:
        """These ids, and all that have led on to any of them on any day or will."""
        found, edge = set(ids), set(ids)
        for _ in range(MAX_LINKS):
            edge = {id_of(subject) for subject in self._leading_to(edge)} - found
            if not edge:
                break
            found |= edge
        return found

    def known(self, ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """What is recorded of these ids and of all they lead on to, by subject, as far as that says who holds what."""
        return self._known(ids)

    def _known(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        known: dict[str, Mapping[str, Any]] = {}
        read: set[str] = set()
        wanted = set(ids)
        while wanted:
            read |= wanted
            subjects = [subject for id_ in sorted(wanted) for subject in subjects_named(id_)]
            with translated():
                found = {row["_id"]: row for row in self._documents.find({"_id": {"$in": subjects}}, _TOLD)}
            known |= found
            wanted = {name for row in found.values() for name in _leads_on_to(row)} - read
        return known

    def _leading_to(self, ids: Iterable[str]) -> set[str]:
        """The subjects that lead on to any of these ids, on whatever day."""
        with translated():
            return {row["_id"] for row in self._documents.find(leading_to(ids), {"_id": 1})}


def leading_to(ids: Iterable[str]) -> Condition:
    """What finds those who lead on to any of these ids: each alternative runs on an index of its own."""
    among = {"$in": sorted(ids)}
    # A vacant post is the head of its unit: posts are few, and other kinds belong to units, too.
    posts = {"_id": {"$gt": f"{POST}{SEPARATOR}", "$lt": f"{POST}{_AFTER_SEPARATOR}"}, "unit": among}
    return {"$or": [{"holders.holder": among}, {"handovers.to": among}, {"head": among}, posts]}


def _held_by(condition: Condition) -> Sequence[str]:
    """The ids that a condition asks for of who is responsible."""
    (path, asked), *more = condition.items()
    among: Sequence[str] = asked["$in"] if path in HELD and not more else ()
    return among


def _resolved(condition: Condition, naming: Mapping[str, Collection[str]]) -> Condition:
    ids = _held_by(condition)
    if not ids:
        return condition
    (path,) = condition
    return {path: {"$in": sorted({named for id_ in ids for named in naming[id_]})}}


def _leads_on_to(row: Mapping[str, Any]) -> Iterable[str]:
    kind = kind_of(row["_id"])
    if kind == POST:
        yield from (held["holder"] for held in row.get("holders", ()))
        yield from filter(None, [row.get("unit")])
    elif kind == UNIT:
        yield from filter(None, [row.get("head")])
    else:
        yield from (handed["to"] for handed in row.get("handovers", ()))


def _comes_to(id_: str, line: tuple[str, ...], known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether what is named at the beginning of a line is held by an id, or comes down by way of its post or unit."""
    if id_ == line[-1]:
        return True
    return id_ in line and any(known.get(subject_of(kind, id_), {}).get("registered", False) for kind in (POST, UNIT))
