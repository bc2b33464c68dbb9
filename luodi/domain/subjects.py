"""What events are about: a subject is of a kind and has an id within it.

A project's subject is its id alone. Any other is written ``<kind>:<id>``: no id holds a colon, so a subject tells its
kind, and none can be taken for another's.
"""

from __future__ import annotations

from typing import Any

PROJECT = "project"
UNIT = "unit"
PERSON = "person"
POST = "post"
ENTERPRISE = "enterprise"
RESOURCE = "resource"
ZONE = "zone"
TEAM = "team"
DECISION = "decision"

SEPARATOR = ":"


def unrecorded() -> dict[str, Any]:
    """How the state of every kind begins, when nothing is recorded; the fold itself keeps these up."""
    return {
        "last": ["", 0, ""],  # order of the last event folded in, retracted or not
        "first": None,  # instant of the first
        "events": 0,  # all of them, retracted and unknown ones included
        "retracted": 0,
        "ignored": 0,  # of a type that only a newer version knows
        "notes": 0,
        "registered": False,
        "fields": {},
        "entries": {},  # what is kept as it was told: by slot, then by the id of the event, in the order of recording
        "counted": {},  # by slot, how many entries there were of a log of which only the last are kept
    }


def subject_of(kind: str, id_: str) -> str:
    """The subject of this kind that has this id."""
    return id_ if kind == PROJECT else f"{kind}{SEPARATOR}{id_}"


def kind_of(subject: str) -> str:
    """The kind of a subject."""
    kind, colon, _ = subject.partition(SEPARATOR)
    return kind if colon else PROJECT


def id_of(subject: str) -> str:
    """The id of a subject within its kind."""
    return subject.rpartition(SEPARATOR)[2]


def is_project(subject: str) -> bool:
    """Whether a subject is a project. Most are, and this is asked of each event."""
    return SEPARATOR not in subject
