"""Lists of the past: which projects were there, in which order, by what was known then and true then.

The columns select and sort; the documents of the page that is shown are folded from the journal, so they are exact and
whole. What is asked for without `known_at` is answered by what is known here at that moment, and the cursor keeps the
moment: a page is never out of step with the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.domain.assess import ACTIVE, SUSPENDED
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import LIGHTS
from luodi.domain.days import parse_instant
from luodi.domain.rollup import Family, roll_up
from luodi.domain.stages import STAGES
from luodi.runtime.problems import FieldError, ProblemError
from services.tracker.cells import (
    DATED,
    LIVE,
    NO_LIGHT,
    STATUSES,
    VERIFIED_FROM,
    kind_bit,
    milliseconds,
    number_of,
)
from services.tracker.columns import Columns, Picked
from services.tracker.filters import Query, Wanted
from services.tracker.kin import members, rolled
from services.tracker.kin import phased as phases_shown
from services.tracker.mirror import Mirror
from services.tracker.past import Past, When, instant_before
from services.tracker.ports import Document
from services.tracker.relations import Beside
from services.tracker.tally import Tally
from services.tracker.visibility import WAIT_S

ON_ITS_WAY = timedelta(seconds=6)  # an event is acknowledged within 5 s of its instant, or never

DAY_MS = 24 * 60 * 60 * 1000

COMPARED = ("stage", "status", "light", "reached", "since", "signed")
"""The columns that a published number depends on, beside the face and what is verified."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Found:
    """One page: ids in order, and whether more follow."""

    ids: list[str]
    more: bool


class Recall:
    """Answers from the columns. Raises ProblemError `not-yet-visible` where more is asked than is known here."""

    def __init__(self, mirror: Mirror, past: Past, calendar: Callable[[], Calendar]) -> None:
        self._mirror = mirror
        self._past = past
        self._calendar = calendar

    @property
    def columns(self) -> Columns:
        """The histories, column by column: for who counts what was picked."""
        return self._mirror.columns

    def settled(self, when: When, query: Query | None, now: str, *, fresh: bool) -> When:
        """The same question with its moment of knowledge fixed: that of the cursor, or what is known here by now.

        `fresh`: everything acknowledged until `now` must be part of it.
        """
        known_at = when.known_at
        if known_at is None and query is not None and query.after is not None:
            known_at = query.after[0]
            if not isinstance(known_at, str):
                raise ProblemError("bad-query", errors=[FieldError("cursor", "bad-cursor", {})])
        asked = known_at if known_at is not None else now if fresh else ""
        if not self._mirror.wait(asked, WAIT_S):
            raise ProblemError("not-yet-visible", seconds=round(WAIT_S), headers={"Retry-After": "1"})
        if known_at is None:
            # What was recorded at the very instant of the watermark may still be on its way.
            known_at = now if fresh else min(instant_before(self._mirror.until or now), now)
        return replace(when, known_at=known_at)

    def find(
        self, query: Query, wanted: Wanted, lights: tuple[str, ...], when: When, limit: int, *, phased: bool
    ) -> Found:
        """The projects that a list holds, from its cursor on.

        With `phased` also projects that show the lights of their phases; without, only those with clocks of their own.
        """
        viewed_at = when.instant(self._calendar())
        columns = self._mirror.columns
        with columns.lock:
            picked, moment = self.pick(when)
            if lights or wanted.stages:
                _show_phases(columns, picked, phased=phased)
            picked = picked.where(_matching(columns, picked, wanted, lights, moment))
            if query.grey_over is not None:
                begun = milliseconds(viewed_at) - query.grey_over * DAY_MS
                picked = picked.where(picked.cells["grey"] <= begun)
            order = _order(columns, picked, query, moment)
            if query.after is not None:
                order = order[_after(columns, picked, order, query.after[1]) :]
            ids = [columns.subjects[picked.owner[place]] for place in order[:limit].tolist()]
        return Found(ids, len(order) > limit)

    def documents(self, ids: Sequence[str], when: When) -> list[Document]:
        """The documents of these projects as they were, in this order."""
        found = self._past.projects(ids, when)
        return [found[id_] for id_ in ids if id_ in found]

    def beside(self, documents: Sequence[Document], when: When) -> Beside:
        """Phases and tenants of these projects as they were."""
        columns = self._mirror.columns
        with columns.lock:
            picked, _ = self.pick(when)
            below = members(columns, picked, [document["_id"] for document in documents])
        family = Family.of([*documents, *self._past.projects(below - {d["_id"] for d in documents}, when).values()])
        named = family.phases.keys() | family.tenants.keys()
        ids = [document["_id"] for document in documents if document["_id"] in named]
        return Beside({id_: {**roll_up(id_, family), "version": 0} for id_ in ids})

    def funnels(self, zones: Sequence[str], when: When) -> Callable[[str | None], list[dict[str, Any]]]:
        """What counts the projects of these zones as they were, whole or by groups."""
        return self.tally(zones, when).funnels

    def is_settled(self, known_at: str) -> bool:
        """Whether nothing that was recorded until an instant can still be on its way here."""
        until = self._mirror.until
        return until is not None and parse_instant(until) >= parse_instant(known_at) + ON_ITS_WAY

    def lights(self, zones: Sequence[str], when: When) -> dict[str, int]:
        """How many registered projects of these zones showed which light, as the list of projects shows them."""
        columns = self._mirror.columns
        with columns.lock:
            picked, _ = self.pick(when)
            _show_phases(columns, picked, phased=True)
            shown = np.isin(columns.face(picked, "registered"), columns.codes("registered", [True]))
            shown &= np.isin(columns.face(picked, "zone"), columns.codes("zone", zones))
            shown &= np.isin(picked.cells["status"], [STATUSES.index(ACTIVE), STATUSES.index(SUSPENDED)])
            counts = np.bincount(picked.cells["light"][shown], minlength=len(LIGHTS)).tolist()
        return dict(zip(LIGHTS, counts, strict=False))

    def tally(self, zones: Sequence[str], when: When) -> Tally:
        """What counts the projects of these zones as they were by anything."""
        columns = self._mirror.columns
        with columns.lock:
            picked, _ = self.pick(when)
            return Tally(columns, picked, zones, rolled(columns, picked))

    def differing(self, zones: Sequence[str], before: When, after: When) -> list[str]:
        """The projects that were of these zones by either knowledge and of which anything differs that is counted."""
        columns = self._mirror.columns
        with columns.lock:
            one, _ = self.pick(before)
            two, _ = self.pick(after)
            codes = columns.codes("zone", zones)
            owners = np.union1d(
                one.owner[np.isin(columns.face(one, "zone"), codes)],
                two.owner[np.isin(columns.face(two, "zone"), codes)],
            )
            places = [np.full(len(columns.subjects), -1, dtype=np.int64) for _ in range(2)]
            for picked, place in zip((one, two), places, strict=True):
                place[picked.owner] = np.arange(len(picked))
            first, second = (place[owners] for place in places)
            both = (first >= 0) & (second >= 0)
            left, right = one.where(first[both]), two.where(second[both])
            same = left.face == right.face  # a project's faces are numbered by their content
            for name in COMPARED:
                same &= left.cells[name] == right.cells[name]
            same &= left.cells["shows"] >> VERIFIED_FROM == right.cells["shows"] >> VERIFIED_FROM
            differs = ~both
            differs[both] = ~same
            return sorted(columns.subjects[owner] for owner in owners[differs].tolist())

    def pick(self, when: When) -> tuple[Picked, int]:
        """Every project's cell, and the moment of knowledge (ms). The caller holds the columns' lock."""
        assert when.known_at is not None
        day = when.day if when.day is not None else self._calendar().business_day(when.known_at)
        moment = milliseconds(when.known_at)
        return self._mirror.columns.pick(moment, day, LIVE if when.as_of is None else DATED), moment


def _show_phases(columns: Columns, picked: Picked, *, phased: bool) -> None:
    """Give the projects that show their phases the light and the stage of these; without `phased` no light."""
    rows = phases_shown(columns, picked)
    for id_, place in columns.places(picked, rows).items():
        if place >= 0:
            row = rows[id_]
            picked.cells["light"][place] = LIGHTS.index(row["lights"][0]["light"]) if phased else NO_LIGHT
            picked.cells["stage"][place] = STAGES.index(row["stage"]) + 1 if row["stage"] else 0


def _matching(columns: Columns, picked: Picked, wanted: Wanted, lights: Sequence[str], moment: int) -> Mask:
    """What passes every filter."""
    cells = picked.cells
    mask: Mask = np.isin(cells["status"], [STATUSES.index(status) for status in wanted.statuses])
    if lights and set(lights) != set(LIGHTS):
        mask &= np.isin(cells["light"], [LIGHTS.index(light) for light in lights])
    if wanted.stages:
        mask &= np.isin(cells["stage"], [STAGES.index(stage) + 1 for stage in wanted.stages])
    for name, values in wanted.fields.items():
        mask &= np.isin(columns.face(picked, name), columns.codes(name, values))
    if wanted.key is not None:
        mask &= np.isin(columns.face(picked, "key"), columns.codes("key", [True])) == wanted.key
    if wanted.blockers:
        mask &= (cells["blockers"] & sum({1 << kind_bit(kind) for kind in wanted.blockers})) != 0
    if wanted.due_before is not None:
        mask &= (cells["due"] != 0) & (cells["due"] < number_of(wanted.due_before))
    if wanted.updated_before is not None:
        mask &= columns.updated(picked, moment) < milliseconds(wanted.updated_before)
    if wanted.text:
        mask &= _named(columns, picked, wanted.text.casefold())
    return mask


def _named(columns: Columns, picked: Picked, text: str) -> Mask:
    """Whose name or id holds a text."""
    names = [code for code, word in enumerate(columns.words("name")) if word is not None and text in word.casefold()]
    mask: Mask = np.isin(columns.face(picked, "name"), names)
    ids = np.array([text in columns.subjects[owner].casefold() for owner in picked.owner.tolist()], dtype=np.bool_)
    return mask | ids


def _order(columns: Columns, picked: Picked, query: Query, moment: int) -> NDArray[np.int64]:
    """The places of what was picked, sorted; equal ones in the order of their ids, in the same direction."""
    ranks = columns.ranks(picked)
    values = SORTED[query.sort.field](columns, picked, moment)
    order: NDArray[np.int64] = np.lexsort((ranks, values)) if values is not None else np.argsort(ranks)
    return order[::-1] if query.sort.descending else order


def _after(columns: Columns, picked: Picked, order: NDArray[np.int64], last_id: str) -> int:
    """Where a list goes on behind a project. Nothing known at a fixed moment ever vanishes from it again."""
    owners = picked.owner[order]
    found = np.flatnonzero(owners == columns.number(last_id))
    if not len(found):
        raise ProblemError("bad-query", errors=[FieldError("cursor", "bad-cursor", {})])
    return int(found[0]) + 1


SORTED: Mapping[str, Callable[[Columns, Picked, int], NDArray[Any] | None]] = {
    "id": lambda _columns, _picked, _moment: None,
    "name": lambda columns, picked, _moment: columns.word_ranks(picked, "name"),
    "updated_at": lambda columns, picked, moment: columns.updated(picked, moment),
    "stage_since": lambda _columns, picked, _moment: picked.cells["since"],
    "investment": lambda columns, picked, _moment: columns.face(picked, "investment"),
    "due": lambda _columns, picked, _moment: picked.cells["due"],
}
"""What a list can be sorted by, as numbers: a missing value is less than every other."""
