"""All histories in memory, column by column: the cells that a moment and a day select out of millions, in milliseconds.

Every column is one array over all cells, in no particular order. A project whose history changed gets new cells at the
end; its old ones are struck out and swept up when they are too many. One lock: a question holds it for the few
milliseconds that selecting takes, so it never sees half a change.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.tracker.cells import CELL, FACE, NAMES
from services.tracker.history import Row

Ints = NDArray[np.int64] | NDArray[np.int32] | NDArray[np.uint16] | NDArray[np.uint8]

_TYPES = ("<i8", "<i8", "<i8", "<i4", "<i4", "<i4", "<i4", "<i4", "<i4", "<u2", "u1", "u1", "u1", "u1", "u1")
CELL_TYPE = np.dtype(list(zip(NAMES, _TYPES, strict=True)))
assert CELL_TYPE.itemsize == CELL.size

MONEY = ("investment", "paid_in", "arrived")  # of a face: amounts, -1 where unknown; all else is coded
UNKNOWN = -1
STRUCK = -1  # the owner of a time that counts no more
FIRST_CAPACITY = 1 << 12
SWEEP_SHARE = 0.5  # of cells struck out, from which on they are swept up


@dataclass(frozen=True, slots=True)
class Picked:
    """The cells that a question met, at most one of each project: their columns, and the codes of their faces."""

    owner: NDArray[np.int32]  # the project: its place in `Columns.subjects`
    cells: Mapping[str, NDArray[Any]]
    face: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.owner)

    def where(self, kept: NDArray[Any]) -> Picked:
        """Those of a mask, or at these places."""
        return Picked(self.owner[kept], {name: column[kept] for name, column in self.cells.items()}, self.face[kept])


@dataclass(frozen=True, slots=True)
class Life:
    """All that is remembered of one project: its cells, and the faces it wore, each from a moment (ms) on."""

    subject: str
    cells: Sequence[Mapping[str, int]]
    moments: Sequence[int]
    faces: Sequence[Mapping[str, Any]]  # values by name, amounts left out


class Table:
    """Arrays of equal length that grow together."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self.count = 0
        self._types = types
        self._columns: dict[str, NDArray[Any]] = {n: np.zeros(FIRST_CAPACITY, dtype=t) for n, t in types.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name][: self.count]

    def append(self, rows: Mapping[str, Any], count: int) -> int:
        """Append `count` rows; returns the place of the first."""
        first, end = self.count, self.count + count
        for name, column in list(self._columns.items()):
            if end > len(column):
                grown = np.zeros(max(end, 2 * len(column)), dtype=column.dtype)
                grown[:first] = column[:first]
                self._columns[name] = grown
            self._columns[name][first:end] = rows[name]
        self.count = end
        return first

    def keep(self, kept: NDArray[Any]) -> None:
        """Keep these rows only."""
        self._columns = {name: self[name][kept] for name in self._types}
        self.count = len(next(iter(self._columns.values())))


class Columns:
    """The store. Thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.subjects: list[str] = []
        self._places: dict[str, int] = {}
        self._cells = Table({**{name: CELL_TYPE[name] for name in NAMES}, "owner": np.int32})
        self._faces = Table({name: np.int64 if name in MONEY else np.int32 for name in FACE})
        self._spans: dict[int, tuple[int, int]] = {}  # by project: its first cell and the one after its last
        self._struck = 0
        self._codes: dict[str, dict[Any, int]] = {name: {} for name in FACE if name not in MONEY}
        self._words: dict[str, list[Any]] = {name: [] for name in FACE if name not in MONEY}
        self._times = Table({"time": np.int64, "owner": np.int32})  # when each event was recorded (ms), in any order
        self._timed: dict[int, int] = {}  # by project: how many times are told of it
        self._struck_times = 0
        self._id_ranks: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._word_ranks: dict[str, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return len(self.subjects)

    # -- changes

    def put(self, histories: Sequence[Row]) -> None:
        """The histories of some projects as they now are, each project at most once."""
        if not histories:
            return
        with self.lock:
            first_faces = self._add_faces([face for row in histories for face in row.faces])
            rows = np.frombuffer(b"".join(row.cells for row in histories), dtype=CELL_TYPE)
            counts = np.array([len(row.cells) // CELL.size for row in histories])
            face_counts = np.array([len(row.faces) for row in histories])
            owners = np.array([self._place(row.subject) for row in histories], dtype=np.int32)
            faces_before = first_faces + np.concatenate(([0], np.cumsum(face_counts)[:-1]))
            columns: dict[str, Any] = {name: rows[name] for name in NAMES}
            columns["face"] = rows["face"] + np.repeat(faces_before, counts).astype(np.int32)
            columns["owner"] = np.repeat(owners, counts)
            for owner in owners.tolist():
                self._strike(owner)
            place = self._cells.append(columns, len(rows))
            for owner, count in zip(owners.tolist(), counts.tolist(), strict=True):
                self._spans[owner] = (place, place + count)
                place += count
            self._remember(owners, [row.times for row in histories])
            if self._struck > FIRST_CAPACITY and self._struck > SWEEP_SHARE * self._cells.count:
                self._sweep()

    def _place(self, subject: str) -> int:
        place = self._places.get(subject)
        if place is None:
            place = self._places[subject] = len(self.subjects)
            self.subjects.append(subject)
        return place

    def _strike(self, owner: int) -> None:
        first, end = self._spans.get(owner, (0, 0))
        if end > first:
            self._cells["known_to"][first:end] = -1
            self._struck += end - first

    def _remember(self, owners: NDArray[np.int32], times: Sequence[Sequence[int]]) -> None:
        """When the events of these projects were recorded; what was told of them before is struck out."""
        again = [owner for owner in owners.tolist() if owner in self._timed]
        if again:
            self._times["owner"][np.isin(self._times["owner"], again)] = STRUCK
            self._struck_times += sum(self._timed[owner] for owner in again)
        counts = [len(own) for own in times]
        told = {"time": [time for own in times for time in own], "owner": np.repeat(owners, counts)}
        self._times.append(told, sum(counts))
        self._timed.update(zip(owners.tolist(), counts, strict=True))
        if self._struck_times > FIRST_CAPACITY and self._struck_times > SWEEP_SHARE * self._times.count:
            self._times.keep(np.flatnonzero(self._times["owner"] != STRUCK))
            self._struck_times = 0

    def _add_faces(self, faces: Sequence[Sequence[Any]]) -> int:
        columns: dict[str, Any] = {}
        for number, name in enumerate(FACE):
            values = [face[number] for face in faces]
            if name in MONEY:
                columns[name] = [UNKNOWN if value is None else value for value in values]
            else:
                columns[name] = [self._code(name, value) for value in values]
        return self._faces.append(columns, len(faces))

    def _code(self, name: str, value: Any) -> int:
        codes = self._codes[name]
        code = codes.get(value)
        if code is None:
            code = codes[value] = len(codes)
            self._words[name].append(value)
        return code

    def _sweep(self) -> None:
        """Leave out what is struck out, and the faces that nothing wears any more."""
        kept = np.flatnonzero(self._cells["known_to"] >= 0)
        self._cells.keep(kept)
        worn, faces = np.unique(self._cells["face"], return_inverse=True)
        self._faces.keep(worn)
        self._cells["face"][:] = faces
        owners = self._cells["owner"]
        begins = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1]))) if len(owners) else np.array([])
        ends = np.concatenate((begins[1:], [len(owners)]))
        self._spans = {
            int(owners[begin]): (int(begin), int(end))
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        }
        self._struck = 0

    # -- questions; the caller holds `lock` from the first to the last

    def pick(self, moment: int, day: int, shows: int) -> Picked:
        """The cells that hold on a day by what was known at a moment (ms), of the kind `shows`."""
        cells = self._cells
        met = (cells["known_from"] <= moment) & (cells["known_to"] > moment)
        met &= (cells["begin"] <= day) & (cells["end"] > day)
        places = np.flatnonzero(met)
        places = places[(cells["shows"][places] & shows) != 0]
        taken = {name: cells[name][places] for name in TAKEN}
        return Picked(cells["owner"][places], taken, cells["face"][places])

    def codes(self, name: str, values: Collection[Any]) -> list[int]:
        """The codes of those of these values that any face has ever had."""
        known = self._codes[name]
        return [known[value] for value in values if value in known]

    def missing(self, name: str) -> int:
        """The code of what a face has not; -1 where every face has it."""
        return self._codes[name].get(None, -1)

    def places(self, picked: Picked, subjects: Collection[str]) -> dict[str, int]:
        """Where these projects stand in what was picked; -1 for one that does not."""
        found = np.full(len(self.subjects) + 1, -1, dtype=np.int64)  # the last stands for those that are not here
        found[picked.owner] = np.arange(len(picked))
        found[-1] = -1
        return {subject: int(found[self.number(subject)]) for subject in subjects}

    def words(self, name: str) -> list[Any]:
        """Every value that a face has ever had, by its code."""
        return self._words[name]

    def face(self, picked: Picked, name: str) -> NDArray[Any]:
        """A column of the faces of what was picked: codes, or amounts."""
        return self._faces[name][picked.face]

    def number(self, subject: str) -> int:
        """The number of a project; -1 for one that is not here."""
        return self._places.get(subject, -1)

    def lives(self, names: Collection[str], values: Collection[Any]) -> Iterator[Life]:
        """The lives of the projects that have ever had one of these values in a field of one of these names."""
        wears = np.zeros(self._faces.count, dtype=np.bool_)
        for name in names:
            wears |= np.isin(self._faces[name], self.codes(name, values))
        cells = self._cells
        met = wears[cells["face"]] & (cells["known_to"] >= 0)
        for owner in np.unique(cells["owner"][met]).tolist():
            first, end = self._spans[owner]
            rows = [
                dict(zip(NAMES, row, strict=True))
                for row in zip(*(cells[name][first:end].tolist() for name in NAMES), strict=True)
            ]
            moments = sorted({row["known_from"] for row in rows})
            yield Life(self.subjects[owner], rows, moments, [self._face_at(rows, moment) for moment in moments])

    def _face_at(self, rows: Sequence[Mapping[str, int]], moment: int) -> dict[str, Any]:
        """What a project wore at a moment at which one of its cells begins: all cells of a moment wear the same."""
        face = next(row["face"] for row in rows if row["known_from"] <= moment < row["known_to"])
        return {name: self._words[name][int(self._faces[name][face])] for name in FACE if name not in MONEY}

    def updated(self, picked: Picked, moment: int) -> NDArray[np.int64]:
        """When the last event known at a moment was recorded (ms), of each project."""
        last = np.zeros(len(self.subjects), dtype=np.int64)
        times, owners = self._times["time"], self._times["owner"]
        known = (times <= moment) & (owners != STRUCK)
        np.maximum.at(last, owners[known], times[known])
        found: NDArray[np.int64] = last[picked.owner]
        return found

    def ranks(self, picked: Picked) -> NDArray[np.int64]:
        """The place of each project in the order of the ids."""
        if len(self._id_ranks) != len(self.subjects):
            self._id_ranks = _ranks(self.subjects)
        return self._id_ranks[picked.owner]

    def word_ranks(self, picked: Picked, name: str) -> NDArray[np.int64]:
        """The place of each project's word in the order of the words; 0 for a missing one, before every other."""
        words = self._words[name]
        ranks = self._word_ranks.get(name)
        if ranks is None or len(ranks) != len(words):
            ranks = self._word_ranks[name] = _ranks(["" if word is None else f"\0{word}" for word in words])
            if None in self._codes[name]:
                ranks[self._codes[name][None]] = 0
            else:
                ranks += 1
        found: NDArray[np.int64] = ranks[self.face(picked, name)]
        return found


def _ranks(texts: Sequence[str]) -> NDArray[np.int64]:
    """The place of each text in their order."""
    order = sorted(range(len(texts)), key=texts.__getitem__)
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[order] = np.arange(len(texts))
    return ranks


TAKEN = ("grey", "since", "due", "signed", "blockers", "stage", "status", "light", "reached", "shows")
"""The columns that are handed out with what is picked."""
