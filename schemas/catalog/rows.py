"""What a row of the table of event types is, and what rows of several areas share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from luodi.domain.subjects import DECISION, ENTERPRISE, PERSON, POST, PROJECT, RESOURCE, TEAM, UNIT, ZONE, subject_of
from schemas.fields import ID, Json, Text
from schemas.invalid import Fault
from schemas.loading import Record, checked_fields

Data = dict[str, Any]

RecordClass = type[Record]

Rule = Callable[[Data], Iterable[tuple[str, Fault]]]

SHORT = 64
LINE = 200
REASON = 500
NOTE = 2000
LONG = 4000
"""How long texts may be, in characters."""


def a_note() -> Text:
    """The remark that every event may carry."""
    return Text(NOTE, lines=True, allow_none=True)


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of subject as callers meet it: the address of its things, and how one is named in paths and bodies."""

    kind: str
    resource: str

    @property
    def id_field(self) -> str:
        """What an id of this kind is called in addresses, bodies and answers."""
        return f"{self.kind}_id"

    @property
    def path(self) -> str:
        """The address of one of this kind."""
        return f"{self.resource}/{{{self.id_field}}}"

    @property
    def pattern(self) -> re.Pattern[str]:
        """The form of its subjects."""
        return re.compile(subject_of(self.kind, ID.pattern))


SUBJECTS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            SubjectKind(PROJECT, "/v1/projects"),
            SubjectKind(UNIT, "/v1/units"),
            SubjectKind(PERSON, "/v1/people"),
            SubjectKind(POST, "/v1/posts"),
            SubjectKind(ENTERPRISE, "/v1/enterprises"),
            SubjectKind(RESOURCE, "/v1/resources"),
            SubjectKind(ZONE, "/v1/zones"),
            SubjectKind(TEAM, "/v1/teams"),
            SubjectKind(DECISION, "/v1/decisions"),
        )
    }
)
"""The kinds of subjects: a project's subject is its id, that of any other kind `<kind>:<id>`."""

ANY_KIND = "*"

SUBJECT_PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {kind: subject.pattern for kind, subject in SUBJECTS.items()}
    | {ANY_KIND: re.compile(f"(?:{'|'.join(subject.pattern.pattern for subject in SUBJECTS.values())})")}
)
"""Kind of subject, as a row names it -> the form of its subjects."""

SUBJECT = "{subject}"


@dataclass(frozen=True, slots=True)
class EventType:
    """One row. `kind` is the kind of subject that such an event is about, or ANY_KIND.

    `path` is ingest's endpoint that takes this type, with `{subject}` for the address of one subject; other `{names}`
    are data fields. Where it is empty only another service of ours tells such events.
    `happened` names the dates that tell of something that has happened: at most one day in the future.
    `over` names the periods that must have come to their end.
    `ours` names the fields that a service of ours sets: the body of the endpoint has none of them.
    `nulls` names the fields whose null is information; elsewhere null and absent are the same and null is dropped.
    `rules` look at several fields together, after each has been accepted.
    """

    type: str
    kind: str
    schema: RecordClass
    path: str
    summary: str
    method: str = "POST"
    happened: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    ours: frozenset[str] = frozenset()
    nulls: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()

    @property
    def kinds(self) -> tuple[SubjectKind, ...]:
        """The kinds of subjects such an event can be about."""
        return tuple(SUBJECTS.values()) if self.kind == ANY_KIND else (SUBJECTS[self.kind],)


def fields_of(record: RecordClass) -> frozenset[str]:
    return frozenset(name for name, _ in checked_fields(record()))


def given(name: str, *needed: str) -> Json:
    """JSON Schema of "where `name` is given, these are too"; a null is as good as nothing."""
    given: Json = {"type": "string"}
    return {
        "if": {"properties": {name: given}, "required": [name]},
        "then": {"properties": dict.fromkeys(needed, given), "required": list(needed)},
    }


def some(name: str) -> Json:
    """JSON Schema of "`name` is given"; a null is as good as nothing."""
    return {"properties": {name: {"not": {"type": "null"}}}, "required": [name]}


def amends_something(data: Data) -> Iterator[tuple[str, Fault]]:
    if not data.keys() - {"note", "confirm"}:
        yield "", Fault("nothing-amended")


def says_something(*names: str) -> Rule:
    """At least one of the fields is given."""

    def rule(data: Data) -> Iterator[tuple[str, Fault]]:
        if all(data.get(name) is None for name in names):
            yield "", Fault("nothing-amended")

    return rule


def ends_after_it_begins(data: Data) -> Iterator[tuple[str, Fault]]:
    until = data.get("until")
    if until is not None and until < data["date"]:
        yield "until", Fault("before-date")


def amendment(type_: str, kind: str, schema: RecordClass, summary: str, *rules: Rule) -> EventType:
    """The row of an amendment: some fields of a subject change, a null clears; it must say something."""
    return EventType(
        type_,
        kind,
        schema,
        SUBJECT,
        summary,
        method="PATCH",
        nulls=fields_of(schema),
        rules=(amends_something, *rules),
    )
