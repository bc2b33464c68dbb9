"""Who is told: the people and units that a project names, else the desk of its zone, else the operators."""

from __future__ import annotations

from services.notify.ladder import Rung, first_told, rungs
from services.notify.matters import FIRST_LEVEL, Matter
from services.notify.watches import Watch

OPERATORS = "operators"  # those who run the system itself
OWNER = "owner"  # the role of whoever acts for the unit that has promised something


def recipients(watch: Watch, owner: str | None = None) -> tuple[str, ...]:
    """The ids of those who are told of a new stall; `owner`: of the promise that it is about.

    Whoever acts for the unit that made the promise is told last. An owner that is only a name, of which the directory
    knows nothing, can be told nothing.
    """
    told = first_told(watch.responsible, desk_of(watch))
    acting = watch.acting.get(owner) if owner is not None else None
    return told if acting is None else tuple(dict.fromkeys([*told, acting]))


def owner_of(watch: Watch, matter_id: str) -> str | None:
    """The unit that must act on the promise that a matter is about, as the project names it now."""
    deadline = watch.deadline(matter_id)
    return deadline.owner if deadline is not None else None


def ladder_steps(watch: Watch, head: str | None) -> tuple[Rung, ...]:
    """The steps above them, as the project names people now; `head` is that of its zone."""
    top = watch.acting.get(head, head) if head is not None else None
    return rungs(watch.responsible, desk_of(watch), top, key=watch.key)


def told_again(watch: Watch, level: int, head: str | None, owner: str | None = None) -> tuple[str, ...]:
    """Who is told of a stall that has become worse: those told first, and whoever holds the step it had reached now."""
    reached = [rung.recipient for rung in ladder_steps(watch, head) if rung.level <= level]
    return tuple(dict.fromkeys([*recipients(watch, owner), *reached[-1:]]))


def taken_over(watch: Watch, matter: Matter, head: str | None) -> Rung | None:
    """The highest step that a stall has reached and on which somebody stands now who was told nothing of it; those told
    first are its level 0. None where everybody knows. Of a stall that was only warned of nobody takes over anything.
    """
    known = {who for telling in matter.all_tellings if telling.kind != "warning" for who in telling.recipients}
    level, close = matter.last_telling.level, recipients(watch)
    first = [Rung(FIRST_LEVEL, role_of(watch, who), who) for who in close]
    owner = [Rung(FIRST_LEVEL, OWNER, who) for who in recipients(watch, owner_of(watch, matter.id)) if who not in close]
    above = (rung for rung in ladder_steps(watch, head) if rung.level <= level)
    return next((rung for rung in reversed([*owner, *first, *above]) if rung.recipient not in known), None)


def may_sign(watch: Watch, level: int, head: str | None, owner: str | None = None) -> tuple[str, ...]:
    """Whose signature counts when a stall stands on this level: whoever holds that step now, or one above; on the first
    one also whoever acts for the `owner` of the promise.

    Read from the project as it is now, so that whoever takes over a project takes over what is open in it.
    """
    close = recipients(watch, owner) if level == FIRST_LEVEL else ()
    above = (rung.recipient for rung in ladder_steps(watch, head) if rung.level >= level)
    return tuple(dict.fromkeys([*close, *above]))


def desk_of(watch: Watch) -> str:
    """Who is told where a project names nobody."""
    return zone_desk(watch.zone) if watch.zone else OPERATORS


def zone_desk(zone: str) -> str:
    """The recipient that stands for everyone who looks after a zone."""
    return f"zone:{zone}"


def role_of(watch: Watch, recipient: str) -> str:
    """The field under which a project names a recipient, `zone` for its desk, else `operators`."""
    if recipient == OPERATORS:
        return OPERATORS
    return next((field for field, who in watch.responsible.items() if who == recipient), "zone")
