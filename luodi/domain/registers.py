"""Registers: subjects that are registered with some fields and amended, beside projects.

What else is told of one stands in chapters. None of it depends on another subject: what an enterprise has of projects,
or a zone of both, is found when somebody asks.
"""

from __future__ import annotations

from typing import Any

from luodi.domain import areas
from luodi.domain.calendar import Calendar
from luodi.domain.chapters import Telling, written
from luodi.domain.handlers import State
from luodi.domain.rules import Rules
from luodi.domain.subjects import ZONE, id_of, kind_of


def told(subject: str, state: State, rules: Rules, calendar: Calendar) -> dict[str, Any]:
    """The document of a subject of any kind but a project: the fields as they stand, then its chapters.

    A field that is not known is not there, nor a chapter in which there is nothing to tell.
    """
    kind, fields = kind_of(subject), state["fields"]
    document: dict[str, Any] = {
        "registered": state["registered"],
        **{name: fields[name] for name in areas.FIELDS.get(kind, ()) if name in fields},
    }
    if state["entries"]:
        zone = id_of(subject) if kind == ZONE else fields.get("zone")
        document |= written(areas.CHAPTERS.get(kind, ()), Telling(subject, state, rules, calendar.of(zone)))
    return document | {"updated_at": state["last"][0]}
