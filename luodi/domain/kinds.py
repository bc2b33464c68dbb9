"""The kinds of subjects: how the state of each begins, and what a state means. One row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from luodi.domain import fold, people, registers
from luodi.domain.assess import assess
from luodi.domain.calendar import Calendar
from luodi.domain.handlers import State
from luodi.domain.rules import Rules
from luodi.domain.subjects import DECISION, ENTERPRISE, PERSON, POST, PROJECT, RESOURCE, TEAM, UNIT, ZONE, unrecorded


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of subject."""

    empty: Callable[[], State]
    """The state of one of which nothing is recorded."""

    document: Callable[[str, State, Rules, Calendar], dict[str, Any]]
    """What the state of a subject means; nothing of how it is stored."""


def _told(subject: str, state: State, _rules: Rules, _calendar: Calendar) -> dict[str, Any]:
    """Of people and units the record itself is told: no rule and no calendar changes it."""
    return people.told(subject, state)


KINDS: Mapping[str, Kind] = {
    PROJECT: Kind(fold.empty, assess),
    UNIT: Kind(people.empty_unit, _told),
    PERSON: Kind(people.empty_person, _told),
    POST: Kind(people.empty_post, _told),
    **dict.fromkeys((ENTERPRISE, RESOURCE, ZONE, TEAM, DECISION), Kind(unrecorded, registers.told)),
}
