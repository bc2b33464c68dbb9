"""Units, persons and posts: what is recorded of them, what is told of it, and whom an id stands for on a day.

A project names who is responsible by an id, of a person, a unit or a post. Who that is on a day is never stored: it
follows, when somebody asks, from who holds the post, who leads the unit, who took over from the person, who is on leave
and who stands in. So one event, the handing over of a post or of all that a person holds, hands over everything that
was named by it, from a day on.

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
from luodi.domain.handlers import Handler, State, amend, entry, register
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

_HANDOVERS = "handovers"

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
    events.PERSON_HANDED_OVER: entry(_HANDOVERS),
    events.POST_REGISTERED: register(FIELDS[POST]),
    events.POST_AMENDED: amend(FIELDS[POST]),
    events.POST_HANDED_OVER: Handler(hand_over, slots=("holders",)),
}
"""Event type -> what it does."""

CHAPTERS: tuple[Chapter, ...] = ()


def told(subject: str, state: State) -> Document:
    """What the record says: the fields as they stand, and days as steps, so that none of it changes at midnight.

    A field that is not known is not there. Of a person `leaves`, and `handovers` where there are any; of a post
    `holders`; all by their first day.
    """
    kind, fields = kind_of(subject), state["fields"]
    document: Document = {
        "registered": state["registered"],
        **{name: fields[name] for name in FIELDS[kind] if name in fields},
    }
    if kind == PERSON:
        leaves = [{"id": id_, **leave} for id_, leave in state["leaves"].items()]
        document["leaves"] = sorted(leaves, key=lambda leave: (leave["date"], leave["until"]))
        if _HANDOVERS in state["entries"]:
            document[_HANDOVERS] = list(_tenures(_by_day(state["entries"][_HANDOVERS]), "to"))
    if kind == POST:
        document["holders"] = list(_tenures(state["holders"], "holder"))
    return document | {"updated_at": state["last"][0]}


def _by_day(handovers: Mapping[str, Mapping[str, Any]]) -> dict[str, Document]:
    """What a person has handed over, by the first day; the last recorded of a day holds."""
    return {
        row["date"]: {
            "to": row["to"],
            "until": row.get("until"),
            "event_id": id_,
            "recorded_at": row["recorded_at"],
        }
        for id_, row in handovers.items()
    }


def _tenures(holders: Mapping[str, Mapping[str, Any]], who: str) -> Iterator[Document]:
    """Who held the post, or took over from the person, from which day until which, the last one included; null where
    it has no end. `who` is the name of the member that says so.

    Whoever takes over ends the tenure before. Where one ends by itself the post is vacant, or all is the person's own
    again, until the next begins.
    """
    begins = sorted(holders)
    for place, begin in enumerate(begins):
        row = holders[begin]
        ends = [row["until"]] if row["until"] is not None else []
        ends += [(first_day(following) - _ONE_DAY).isoformat() for following in begins[place + 1 : place + 2]]
        until = min(ends, default=None)
        if row[who] is None or (until is not None and until < begin):
            continue
        yield {
            who: row[who],
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


def handed_to(person: Mapping[str, Any] | None, on: str) -> str | None:
    """To whom a person has handed everything over by a day; None where it is the person's own."""
    rows = () if person is None else person.get("handovers", ())
    held = (row["to"] for row in rows if row["date"] <= on and (row["until"] or on) >= on)
    return next(held, None)


def resolve(named: str, on: str, look: Look) -> str:
    """Who acts on a day where `named` is responsible: is told, and may sign. Always somebody.

    1. A post is its holder; a vacant one the head of its unit. A unit is its head. A person who has handed over is
       whoever took over, registered or not.
    2. A person on leave is the first deputy who is not, deputies of deputies included.
    3. Where all of them are away it stays with whom the first step found, and where it found nobody, with `named`:
       a desk, or an id that nobody has registered, stands for itself.
    """
    return _present(named, on, look, set()) or holders_line(named, on, look)[-1]


def _present(named: str, on: str, look: Look, seen: set[str]) -> str | None:
    """Somebody who is not away, sought depth first; each holder is asked once, so circles end."""
    holder = holders_line(named, on, look)[-1]
    if holder in seen:
        return None
    seen.add(holder)
    kind, document = _recorded(holder, look)
    if document is None or (kind == PERSON and leave_on(document, on) is None):
        return holder
    deputies = deputies_on(document, on) if kind == PERSON else ()
    return next((found for id_ in deputies if (found := _present(id_, on, look, seen)) is not None), None)


def holders_line(named: str, on: str, look: Look) -> tuple[str, ...]:
    """By way of whom an id comes down to whoever holds it on a day, whether that person is there or on leave.

    The id itself comes first, the holder last. What comes down to nobody stays with itself; what leads into a circle,
    as where somebody has handed back, with the first of it.
    """
    line = [named]
    while found := _leads_to(line[-1], on, look):
        if found[0] in line:
            return tuple(line[: line.index(found[0]) + 1])
        line.append(found[0])
    return tuple(line)


def _leads_to(named: str, on: str, look: Look) -> tuple[str, ...]:
    """The one id that a post, a unit or a person who has handed over stands for, or none."""
    kind, document = _recorded(named, look)
    if kind == PERSON:
        return tuple(filter(None, [handed_to(look(subject_of(PERSON, named)), on)]))
    assert document is not None
    if kind == POST:
        holder = holder_on(document, on)
        return (holder,) if holder else tuple(filter(None, [document.get("unit")]))
    return tuple(filter(None, [document.get("head")]))


def _recorded(named: str, look: Look) -> tuple[str, Mapping[str, Any] | None]:
    """The first kind that is registered under this id, with its document; (PERSON, None) where there is none."""
    for kind in NAMED:
        document = look(subject_of(kind, named))
        if document is not None and document["registered"]:
            return kind, document
    return PERSON, None


def subjects_named(id_: str) -> tuple[str, ...]:
    """All subjects that an id in a project's field may mean."""
    return tuple(subject_of(kind, id_) for kind in NAMED)
