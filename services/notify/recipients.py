"""Who is told. One recipient per stall and level; the levels of a ladder add rows to `BY_LEVEL`."""

from __future__ import annotations

from luodi.domain.explain import FIRST_TOLD
from services.notify.watches import Watch

OPERATORS = "operators"  # those who run the system itself
FIRST_LEVEL = 0

BY_LEVEL: dict[int, tuple[str, ...]] = {FIRST_LEVEL: FIRST_TOLD}
"""Level -> fields of a project; the first that is filled is told."""


def recipients(watch: Watch, level: int) -> tuple[str, ...]:
    """The ids of those to be told at a level: a person or unit, else the zone's desk, else the operators."""
    for field in BY_LEVEL[level]:
        who = watch.people.get(field)
        if who:
            return (who,)
    return (zone_desk(watch.zone) if watch.zone else OPERATORS,)


def zone_desk(zone: str) -> str:
    """The recipient that stands for everyone who looks after a zone."""
    return f"zone:{zone}"


def role_of(watch: Watch, recipient: str) -> str:
    """The field under which a project names a recipient, `zone` for its desk, else `operators`."""
    if recipient == OPERATORS:
        return OPERATORS
    return next((field for field, who in watch.people.items() if who == recipient), "zone")
