"""Units, persons and posts: what is recorded of them, what is told of it, and whom an id stands for on a day.

A project names who is responsible by an id, of a person, a unit or a post. Who that is on a day is never stored: it
follows, when somebody asks, from who holds the post, who leads the unit, who is on leave and who stands in. So one
event, the handing over of a post, hands over all that its holder was responsible for.

No name of a person, no telephone number and no address stands in an event: what is recorded here is kept for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from luodi.domain import events
from luodi.domain.chapters import Chapter
from luodi.domain.days import first_day
from luodi.domain.events import Event
from luodi.domain.handlers import Handler, State, amend, register
from luodi.domain.subjects import PERSON, POST, UNIT, kind_of, subject_of, unrecorded

Document = dict[str, Any]
Look = Callable[[str], Mapping[str, Any] | None]
"""Subject -> its document; None when nothing is recorded of it."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    UNIT: ("name", "zone", "kind", "parent", "head", "group_head"),
    PERSON: ("zone", "unit", "role", "works_from", "works_until", "deputies"),
    POST: ("name", "zone", "unit"),
}
"""Kind of subject -> the fields it is registered with."""

NAMED = (POST, UNIT, PERSON)
"""The kinds that an id in a project's field may be of; where it is of several, the first of these is meant."""

_ONE_DAY = timedelta(days=1)


def empty_unit() -> State:
    """The state of a unit of which nothing is recorded; every key is there, in its order."""
    return unrecorded()


def empty_person() -> State:
    """The same of a person."""
    return empty_unit() | {"leaves": {}}  # by the id of their event, in the order they were recorded


def empty_post() -> State:
    """The same of a post."""
    return empty_unit() | {"holders": {}}  # who took it over, by the first day; the last recorded of a day holds


def grant_leave(state: State, event: Event) -> None:
    """A person is away for some days; to come back earlier the leave is retracted and another granted."""
    data = event.data
    state["leaves"][event.id] = {"date": data["date"], "until": data["until"], "deputy": data.get("deputy")}


def hand_over(state: State, event: Event) -> None:
    """From a day on a post is held by another, or by nobody."""
    data = event.data
    state["holders"][data["date"]] = {
        "holder": data.get("holder"),
        "until": data.get("until"),
        "event_id": event.id,
        "recorded_at": event.recordedtime,
    }


HANDLERS: Mapping[str, Handler] = {
    events.UNIT_REGISTERED: register(FIELDS[UNIT]),
    events.UNIT_AMENDED: amend(FIELDS[UNIT]),
    events.PERSON_REGISTERED: register(FIELDS[PERSON]),
    events.PERSON_AMENDED: amend(FIELDS[PERSON]),
    events.LEAVE_GRANTED: Handler(grant_leave, slots=("leaves",)),
    events.POST_REGISTERED: register(FIELDS[POST]),
    events.POST_AMENDED: amend(FIELDS[POST]),
    events.POST_HANDED_OVER: Handler(hand_over, slots=("holders",)),
}
"""Event type -> what it does."""

CHAPTERS: tuple[Chapter, ...] = ()


def told(subject: str, state: State) -> Document:
    """What the record says: the fields as they stand, and days as steps, so that none of it changes at midnight.

    A field that is not known is not there. Of a person `leaves`, of a post `holders`, both by their first day.
    """
    kind, fields = kind_of(subject), state["fields"]
    document: Document = {
        "registered": state["registered"],
        **{name: fields[name] for name in FIELDS[kind] if name in fields},
    }
    if kind == PERSON:
        leaves = [{"id": id_, **leave} for id_, leave in state["leaves"].items()]
        document["leaves"] = sorted(leaves, key=lambda leave: (leave["date"], leave["until"]))
    if kind == POST:
        document["holders"] = list(_tenures(state["holders"]))
    return document | {"updated_at": state["last"][0]}


def _tenures(holders: Mapping[str, Mapping[str, Any]]) -> Iterator[Document]:
    """Who held the post from which day until which, the last one included; null where it has no end.

    Whoever takes over ends the tenure before. Where one ends by itself the post is vacant until the next begins.
    """
    begins = sorted(holders)
    for place, begin in enumerate(begins):
        row = holders[begin]
        ends = [row["until"]] if row["until"] is not None else []
        ends += [(first_day(following) - _ONE_DAY).isoformat() for following in begins[place + 1 : place + 2]]
        until = min(ends, default=None)
        if row["holder"] is None or (until is not None and until < begin):
            continue
        yield {
            "holder": row["holder"],
            "date": begin,
            "until": until,
            "event_id": row["event_id"],
            "recorded_at": row["recorded_at"],
        }


def holder_on(post: Mapping[str, Any], on: str) -> str | None:
    """Who holds a post on a day; None while it is vacant."""
    held = (row["holder"] for row in post["holders"] if row["date"] <= on and (row["until"] or on) >= on)
    return next(held, None)


def leave_on(person: Mapping[str, Any], on: str) -> Mapping[str, Any] | None:
    """The leave that covers a day, of several the one that began last; None when the person is there."""
    covering = [leave for leave in person["leaves"] if leave["date"] <= on <= leave["until"]]
    return covering[-1] if covering else None


def deputies_on(person: Mapping[str, Any], on: str) -> tuple[str, ...]:
    """Who stands in for a person on leave, best first: the leave's own deputy, then the usual ones."""
    leave = leave_on(person, on)
    own = leave["deputy"] if leave is not None else None
    return tuple(dict.fromkeys([*([own] if own else []), *person.get("deputies", ())]))


def resolve(named: str, on: str, look: Look) -> str:
    """Who acts on a day where `named` is responsible: is told, and may sign. Always somebody.

    1. A post is its holder; a vacant one the head of its unit. A unit is its head.
    2. A person on leave is the first deputy who is not, deputies of deputies included.
    3. Where all of them are away it stays with whom the first step found, and where it found nobody, with `named`:
       a desk, or an id that nobody has registered, stands for itself.
    """
    return _present(named, on, look, set()) or _own(named, on, look)


def _present(named: str, on: str, look: Look, seen: set[str]) -> str | None:
    """Somebody who is not away, sought depth first; each id is asked once, so circles end."""
    if named in seen:
        return None
    seen.add(named)
    kind, document = _recorded(named, look)
    if document is None or (kind == PERSON and leave_on(document, on) is None):
        return named
    next_ = deputies_on(document, on) if kind == PERSON else _leads_to(kind, document, on)
    return next((found for id_ in next_ if (found := _present(id_, on, look, seen)) is not None), None)


def _own(named: str, on: str, look: Look) -> str:
    """Whom a post or unit comes down to without regard to leave; itself where it comes down to nobody."""
    seen: list[str] = []
    while named not in seen:
        seen.append(named)
        kind, document = _recorded(named, look)
        if document is None or kind == PERSON:
            return named
        named = next(iter(_leads_to(kind, document, on)), named)
    return seen[0]


def _leads_to(kind: str, document: Mapping[str, Any], on: str) -> tuple[str, ...]:
    """The one id that a post or a unit stands for, or none."""
    if kind == POST:
        holder = holder_on(document, on)
        return (holder,) if holder else tuple(filter(None, [document.get("unit")]))
    return tuple(filter(None, [document.get("head")]))


def _recorded(named: str, look: Look) -> tuple[str, Mapping[str, Any] | None]:
    """The first kind that is registered under this id, with its document."""
    for kind in NAMED:
        document = look(subject_of(kind, named))
        if document is not None and document["registered"]:
            return kind, document
    return PERSON, None


def subjects_named(id_: str) -> tuple[str, ...]:
    """All subjects that an id in a project's field may mean."""
    return tuple(subject_of(kind, id_) for kind in NAMED)
