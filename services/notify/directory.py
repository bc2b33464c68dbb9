"""The directory: units, persons and posts as `project-states` tells them, and who acts for an id on a day.

Projects name who is responsible by ids. Who that is now is asked at the moment at which it is needed, never stored in a
watch: one event that hands over a post, or grants a leave, is followed by everything that is told or signed after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from luodi.domain.people import resolve, subjects_named
from luodi.domain.subjects import PERSON, id_of, subject_of
from services.notify.sweep import WatchStore
from services.notify.watches import Watch

MAX_LINKS = 16  # how far is looked for those whom somebody stands in for: more than any real chain of deputies

_TOLD = (
    "registered",
    "zone",
    "unit",
    "head",
    "group_head",
    "works_from",
    "works_until",
    "deputies",
    "leaves",
    "holders",
    "handovers",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One unit, person or post. `events` and `ruleset` are the guard: neither ever falls."""

    subject: str
    partition: int
    events: int
    ruleset: int
    told: Mapping[str, Any]  # those members of its document that say who acts

    def may_be_replaced_by(self, other: Entry) -> bool:
        """Whether `other` knows at least as much, and more in one respect."""
        if self.events > other.events or self.ruleset > other.ruleset:
            return False
        return (self.events, self.ruleset) != (other.events, other.ruleset)

    @property
    def names(self) -> list[str]:
        """The ids it names: whoever holds, leads, stands in, took over, or is the unit of a post."""
        told = self.told
        rows = [*told.get("holders", ()), *told.get("leaves", ()), *told.get("handovers", ())]
        named = [row.get("holder") or row.get("deputy") or row.get("to") for row in rows]
        return sorted(
            {name for name in (*named, *told.get("deputies", ()), told.get("head"), told.get("unit")) if name}
        )


def entry_of(state: Mapping[str, Any], partition: int) -> Entry:
    """The entry that a state makes."""
    told = {name: state[name] for name in _TOLD if name in state}
    return Entry(state["id"], partition, state["events"], state["ruleset"], told)


class DirectoryStore(Protocol):
    """Where the entries stand. Every call may raise TransientError."""

    def put(self, entries: Sequence[Entry]) -> None:
        """Keep each, unless what is kept knows as much."""

    def read(self, subjects: Collection[str]) -> dict[str, Entry]:
        """Those of them that there are, by subject."""

    def naming(self, ids: Collection[str]) -> list[str]:
        """The subjects whose entries name any of these ids."""

    def beginnings(self) -> set[str]:
        """The times at which the working hours of any person begin who has some of their own."""


class Directory:
    """Who acts for whom. Every call may raise TransientError."""

    def __init__(self, store: DirectoryStore) -> None:
        self._store = store

    def acting(self, named: Collection[str], on: str, units: Collection[str] = ()) -> dict[str, str]:
        """For each id who acts on a business date; the id itself where nothing says otherwise.

        `units`: what may be ids or mere names; of these only those that are registered have somebody who acts.
        """
        known: dict[str, Mapping[str, Any]] = {}
        read: set[str] = set()
        wanted = {*named, *units}
        while wanted:
            read |= wanted
            found = self._store.read([subject for id_ in sorted(wanted) for subject in subjects_named(id_)])
            known |= {subject: entry.told for subject, entry in found.items()}
            # Whoever is named by those read may have to be asked in turn.
            wanted = {name for entry in found.values() for name in entry.names} - read
        registered = {id_of(subject) for subject, told in known.items() if told["registered"]}
        ids = {*named, *(id_ for id_ in units if id_ in registered)}
        return {id_: resolve(id_, on, known.get) for id_ in ids}

    def acts_for(self, person: str, on: str) -> frozenset[str]:
        """The ids for which a person acts on a business date, the own one included unless another acts for it."""
        found, edge = {person}, {person}
        for _ in range(MAX_LINKS):
            edge = {id_of(subject) for subject in self._store.naming(edge)} - found
            if not edge:
                break
            found |= edge
        return frozenset(id_ for id_, who in self.acting(found, on).items() if who == person)

    def hours(self, persons: Collection[str]) -> dict[str, tuple[str, str]]:
        """The working hours of those who have some of their own, `("08:30", "17:30")`."""
        found = self._store.read([subject_of(PERSON, person) for person in sorted(persons)])
        rows = ((id_of(subject), entry.told) for subject, entry in found.items())
        return {id_: (told["works_from"], told["works_until"]) for id_, told in rows if "works_from" in told}

    def beginnings(self) -> set[str]:
        """The times at which anybody's own hours begin."""
        return self._store.beginnings()


class ActingWatches:
    """The port `WatchStore` over another one: each watch read says who acts today for whom its project names."""

    def __init__(
        self,
        store: WatchStore,
        directory: Directory,
        today: Callable[[], date],
        head_of: Callable[[str | None], str | None],
    ) -> None:
        """`head_of`: who stands at the top of a zone, by id; that may be a post, too."""
        self._store = store
        self._directory = directory
        self._today = today
        self._head_of = head_of

    def get_many(self, project_ids: Iterable[str]) -> dict[str, Watch]:
        found = self._store.get_many(project_ids)
        return dict(zip(found, self._with_acting(list(found.values())), strict=True))

    def put(self, watches: Sequence[Watch]) -> None:
        self._store.put(watches)

    def due(self, partition: int, until: str, limit: int) -> list[Watch]:
        return self._with_acting(self._store.due(partition, until, limit))

    def any_due(self, until: Mapping[int, str]) -> bool:
        return self._store.any_due(until)

    def put_off(self, looks: Sequence[tuple[Watch, str]]) -> None:
        self._store.put_off(looks)

    def recall(self, project_ids: Sequence[str], now: str) -> None:
        self._store.recall(project_ids, now)

    def unreadable(self, partitions: Iterable[int]) -> dict[int, list[str]]:
        return self._store.unreadable(partitions)

    def _with_acting(self, watches: Sequence[Watch]) -> list[Watch]:
        named = [self._named(watch) for watch in watches]
        owners = {owner for watch in watches for owner in watch.owners}
        acting = self._directory.acting({id_ for ids in named for id_ in ids}, self._today().isoformat(), owners)
        return [
            replace(watch, acting={id_: acting[id_] for id_ in ids | watch.owners if id_ in acting})
            for watch, ids in zip(watches, named, strict=True)
        ]

    def _named(self, watch: Watch) -> set[str]:
        head = self._head_of(watch.zone)
        return {*watch.people.values(), *([head] if head is not None else [])}
