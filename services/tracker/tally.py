"""Funnels of the past: the picked cells grouped and summed, a whole column at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.domain.counting import Cell, Sums
from luodi.domain.measures import ENTERPRISES, ENTERPRISES_PRODUCING
from luodi.domain.stages import AGREEMENT, CARRIER, PRODUCING, STAGES
from services.tracker.cells import STATUSES, VERIFIED_FROM, date_of, stages_in
from services.tracker.columns import UNKNOWN, Columns, Picked
from services.tracker.ports import Document
from services.tracker.queries import Part, rolled_part, summed
from services.tracker.reported import Own

MONTH = 100  # yyyymmdd has this many days to a month

Numbers = NDArray[np.int64]


class Tally:
    """The projects of some zones at a moment, ready to be counted by anything. Holds copies: no lock is needed."""

    def __init__(self, columns: Columns, picked: Picked, zones: Sequence[str], rolled: Mapping[str, Document]) -> None:
        registered = np.isin(columns.face(picked, "registered"), columns.codes("registered", [True]))
        bases = picked.where(registered)
        self._registered = (
            {columns.subjects[owner] for owner in bases.owner.tolist()} if _adds(columns, bases) else set()
        )
        known = registered & (picked.cells["status"] != STATUSES.index("pool"))
        if zones:
            known &= np.isin(columns.face(picked, "zone"), columns.codes("zone", zones))
        self._known = picked.where(known)
        roots = {root for row in rolled.values() for root in row["roots"]}
        without_parent = columns.face(self._known, "parent") == columns.missing("parent")
        counted = without_parent | self._is(columns, roots)
        self._rolled = [row for row in rolled.values() if row["document"] is not None]
        with_phases = self._is(columns, {row["_id"] for row in self._rolled})
        ids = {columns.subjects[owner] for owner in self._known.owner[counted & with_phases].tolist()}
        self._rolled = [row for row in self._rolled if row["_id"] in ids]
        self._plain = self._known.where(counted & ~with_phases)
        self._columns = columns

    def _is(self, columns: Columns, ids: set[str]) -> NDArray[np.bool_]:
        return np.isin(self._known.owner, [columns.number(id_) for id_ in ids])

    def funnels(self, group_by: str | None) -> list[dict[str, Any]]:
        """One funnel, or one per group."""
        with self._columns.lock:
            return summed(self._parts(group_by), self._registered, self._enterprises(group_by), group_by)

    def owns(self) -> dict[str, Own]:
        """Everything that a reported figure may be set beside and that says how things stand; see `Queries.owns`."""
        columns, picked = self._columns, self._plain
        with columns.lock:
            factory = ~np.isin(columns.face(picked, "kind"), columns.codes("kind", [AGREEMENT]))
            masks = {
                "projects": factory,
                "key_projects": factory & np.isin(columns.face(picked, "key"), columns.codes("key", [True])),
                "carriers": np.isin(columns.face(picked, "kind"), columns.codes("kind", [CARRIER])),
            }
            whole = columns.face(picked, "increment_of") == columns.missing("increment_of")
            money = np.maximum(columns.face(picked, "investment"), 0)
            owns = {name: Own(int((mask & whole).sum()), int(money[mask].sum())) for name, mask in masks.items()}
            for document in (row["document"] for row in self._rolled):
                for name, belongs in _BELONGS.items():
                    if belongs(document):
                        count, amount = int(document["increment_of"] is None), document["investment"] or 0
                        owns[name] = Own(owns[name].count + count, (owns[name].amount or 0) + amount)
            _, enterprises, producing = next(iter(self._enterprises(None)), (None, 0, 0))
        return owns | {ENTERPRISES: Own(enterprises), ENTERPRISES_PRODUCING: Own(producing)}

    def _keys(self, picked: Picked, group_by: str | None) -> tuple[Numbers, Mapping[int, Any]]:
        """A number per project for what it is grouped by, and what the numbers mean."""
        if group_by is None:
            return np.zeros(len(picked), dtype=np.int64), {0: None}
        if group_by == "month":
            months = picked.cells["signed"].astype(np.int64) // MONTH
            return months, {number: _month(number) for number in np.unique(months).tolist()}
        codes = self._columns.face(picked, group_by).astype(np.int64)
        words = self._columns.words(group_by)
        return codes, {code: words[code] or None for code in np.unique(codes).tolist()}

    def _parts(self, group_by: str | None) -> Iterator[Part]:
        columns, picked = self._columns, self._plain
        keys, meaning = self._keys(picked, group_by)
        agreement = np.isin(columns.face(picked, "kind"), columns.codes("kind", [AGREEMENT]))
        landed = np.isin(columns.face(picked, "landed"), columns.codes("landed", [True]))
        cells = picked.cells
        alike = mixed(
            keys,
            columns.face(picked, "route"),
            columns.face(picked, "increment_of"),
            cells["stage"],
            cells["status"],
            cells["reached"],
            cells["shows"] >> VERIFIED_FROM,
            agreement,
            landed,
        )
        _, first, groups = np.unique(alike, return_index=True, return_inverse=True)
        sums = _sums(columns, picked, groups, len(first))
        routes, adds = columns.words("route"), columns.words("increment_of")
        head = picked.where(first)
        route, adds_to = columns.face(head, "route").tolist(), columns.face(head, "increment_of").tolist()
        rows = zip(
            keys[first].tolist(),
            *(head.cells[name].tolist() for name in ("stage", "status", "reached", "shows")),
            agreement[first].tolist(),
            landed[first].tolist(),
            strict=True,
        )
        for number, (key, stage, status, reached, shows, is_agreement, has_landed) in enumerate(rows):
            cell = Cell(
                routes[route[number]],
                STAGES[stage - 1] if stage else None,
                stages_in(reached),
                withdrawn=STATUSES[status] == "withdrawn",
                agreement=is_agreement,
                landed=has_landed,
                verified=stages_in(shows >> VERIFIED_FROM),
            )
            yield Part(meaning[key], cell, sums[number], adds[adds_to[number]])
        for row in self._rolled:
            yield rolled_part(row["document"], row, group_by)

    def _enterprises(self, group_by: str | None) -> Iterator[tuple[Any, int, int]]:
        """(key, enterprises, those that produce): by credit code, by name where no project of that name has one."""
        columns, picked = self._columns, self._known
        keys, meaning = self._keys(picked, group_by)
        code = columns.word_ranks(picked, "credit_code")
        name = columns.face(picked, "enterprise").astype(np.int64)
        of_name = mixed(keys, name)
        names, groups = np.unique(of_name, return_inverse=True)
        best = np.zeros(len(names), dtype=np.int64)
        np.maximum.at(best, groups, code)
        code = np.where(code > 0, code, best[groups])
        named = name != columns.missing("enterprise")
        top = int(code.max(initial=0)) + 1
        who = np.where(code > 0, code, top + name)
        counted = (code > 0) | named
        if not counted.any():
            return
        producing = (picked.cells["reached"] >> STAGES.index(PRODUCING) & 1).astype(np.int64)
        each, first, groups = np.unique(mixed(keys, who)[counted], return_index=True, return_inverse=True)
        produces = np.zeros(len(each), dtype=np.int64)
        np.maximum.at(produces, groups, producing[counted])
        of_key, groups = np.unique(keys[counted][first], return_inverse=True)
        count, made = np.bincount(groups), np.bincount(groups[produces > 0], minlength=len(of_key))
        yield from ((meaning[k], n, m) for k, n, m in zip(of_key.tolist(), count.tolist(), made.tolist(), strict=True))


_BELONGS: Mapping[str, Callable[[Document], bool]] = {
    "projects": lambda document: document["kind"] != AGREEMENT,
    "key_projects": lambda document: document["kind"] != AGREEMENT and document["key"] is True,
    "carriers": lambda document: document["kind"] == CARRIER,
}
"""By measure: whether a project with phases is counted."""


def _adds(columns: Columns, picked: Picked) -> bool:
    """Whether any project is an increment of another."""
    return bool((columns.face(picked, "increment_of") != columns.missing("increment_of")).any())


def _month(number: int) -> str | None:
    """The month of a signature as text: what is known of it."""
    text = date_of(number * MONTH)
    return None if text is None else text[: len("2026-03")]


def mixed(*columns: NDArray[Any]) -> Numbers:
    """One number for each combination of values of several columns."""
    mixed: Numbers = np.zeros(len(columns[0]), dtype=np.int64)
    room = 1
    for column in columns:
        values = column.astype(np.int64)
        least, most = int(values.min(initial=0)), int(values.max(initial=0))
        span = most - least + 1
        if room > (1 << 62) // span:  # would not fit: number the combinations so far anew
            _, mixed = np.unique(mixed, return_inverse=True)
            room = len(mixed) + 1
        mixed = mixed * span + (values - least)
        room *= span
    return mixed


def _sums(columns: Columns, picked: Picked, groups: NDArray[Any], count: int) -> list[Sums]:
    """What the projects of each group add up to."""
    investment, paid_in, reported = (columns.face(picked, name) for name in ("investment", "paid_in", "arrived"))
    arrived = np.where(reported == UNKNOWN, paid_in, reported)
    known = investment != UNKNOWN
    come = known & (arrived != UNKNOWN)

    def total(amounts: NDArray[Any]) -> list[int]:
        made = np.zeros(count, dtype=np.int64)
        np.add.at(made, groups, amounts)
        return made.tolist()

    columns_of_sums = (
        total(np.ones(len(picked), dtype=np.int64)),
        total(np.where(known, investment, 0)),
        total(~known),
        total(np.where(come, arrived, 0)),
        total(known & ~come),
    )
    return [Sums(*row) for row in zip(*columns_of_sums, strict=True)]
