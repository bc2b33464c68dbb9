"""What like projects took, kept current beside the projector: the curves behind each forecast.

Some tracker, never two at once, reads the dates of all projects now and then, and writes one small row per zone and
group that has cases enough. How often follows from how long it takes, between 15 seconds and 5 minutes, so that it
costs about a hundredth of a processor (100,000 projects: 5 s of one, spread over 15 s, every 5 minutes). When nothing
has been applied since the last time and the day is the same, nothing is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from pymongo import ASCENDING, ReplaceOne
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from luodi.domain.calendar import Calendar
from luodi.domain.days import instant
from luodi.domain.forecast import READ, Curve, Group, Spell, curves, spells
from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from luodi.runtime.mongo import translated
from services.tracker.ports import Document, Positions

LOOK_S = 5.0  # between two looks whether it is time
SHORTEST_S, LONGEST_S = 15.0, 300.0  # between two readings
SHARE = 100  # the time between two readings, in times of what one takes
BREATH_EVERY = 500  # gaps read between two pauses in which other threads have the processor
BREATH_S = 0.02

TURN = "~turn"  # no zone begins with a tilde

log = logging.get("outlooks")


@dataclass(frozen=True, slots=True)
class Turn:
    """One reading: its number, and what was known at the last one that came to its end."""

    number: int
    mark: str | None


class Outlooks(Protocol):
    """The curves, and the dates they are made from."""

    def take_turn(self, now: str, until: str) -> Turn | None:
        """The right to read, for one process at a time; None when it is not time yet. Given back by `end_turn`, or
        by the passing of `until`."""

    def end_turn(self, turn: Turn, mark: str, again: str) -> None:
        """The reading is done; the next one is due at `again`."""

    def cases(self, today: int) -> Iterator[tuple[str, Spell]]:
        """The zone and the spells of every project that has a zone, as known on a day."""

    def write(self, turn: Turn, made: Mapping[tuple[str, Group], Curve]) -> None:
        """Put these curves in the place of all that stand there."""


class MongoOutlooks:
    """The collection `forecasts`: a row per zone and group, and the row `~turn`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: MongoCollection[Document] = database["forecasts"]
        self._documents: MongoCollection[Document] = database["projects"]

    def ensure_indexes(self) -> None:
        with translated():
            self._rows.create_index([("zone", ASCENDING), ("_id", ASCENDING)], name="zone")

    def take_turn(self, now: str, until: str) -> Turn | None:
        with translated():
            row = self._rows.find_one({"_id": TURN})
            if row is None:
                try:
                    self._rows.insert_one({"_id": TURN, "number": 1, "mark": None, "due_at": until})
                except DuplicateKeyError:  # another tracker was quicker
                    return None
                return Turn(1, None)
            if row["due_at"] > now:
                return None
            taken = self._rows.update_one(
                {"_id": TURN, "number": row["number"]}, {"$set": {"due_at": until}, "$inc": {"number": 1}}
            )
        return Turn(row["number"] + 1, row["mark"]) if taken.matched_count else None  # else another was quicker

    def end_turn(self, turn: Turn, mark: str, again: str) -> None:
        with translated():
            self._rows.update_one({"_id": TURN, "number": turn.number}, {"$set": {"mark": mark, "due_at": again}})

    def cases(self, today: int) -> Iterator[tuple[str, Spell]]:
        wanted = {"_id": 0, "zone": 1, **dict.fromkeys(READ, 1)}
        with translated():
            for document in self._documents.find({"zone": {"$gt": ""}}, wanted).hint("zone"):
                for spell in spells(document, today):
                    yield document["zone"], spell

    def write(self, turn: Turn, made: Mapping[tuple[str, Group], Curve]) -> None:
        writes = [
            ReplaceOne({"_id": _id(zone, group)}, _row(zone, group, curve, turn), upsert=True)
            for (zone, group), curve in made.items()
        ]
        with translated():
            if writes:
                self._rows.bulk_write(writes, ordered=False)
            self._rows.delete_many({"zone": {"$gt": ""}, "turn": {"$lt": turn.number}})

    def find(self, zone: str, groups: Collection[Group]) -> dict[Group, Curve]:
        """Those of these groups of a zone that have cases enough."""
        with translated():
            found = self._rows.find({"_id": {"$in": [_id(zone, group) for group in groups]}})
            return {_group(row): _curve(row) for row in found}

    def of_zones(self, zones: Collection[str]) -> list[tuple[str, Group, Curve]]:
        """All groups of these zones (of every zone, when none is named) that have cases enough."""
        condition: Document = {"zone": {"$in": list(zones)} if zones else {"$gt": ""}}
        with translated():
            found = self._rows.find(condition).hint("zone").sort([("zone", ASCENDING), ("_id", ASCENDING)])
            return [(row["zone"], _group(row), _curve(row)) for row in found]


class Forecaster:
    """Keeps the curves current. One thread calls `run`."""

    def __init__(
        self,
        outlooks: Outlooks,
        positions: Positions,
        partitions: int,
        calendar: Calendar,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._outlooks = outlooks
        self._positions = positions
        self._partitions = range(partitions)
        self._calendar = calendar
        self._clock = clock
        self._metrics = metrics

    def run(self, stop: Stop) -> None:
        """Look whether it is time, until `stop` asks for the end."""
        while not stop.asked:
            try:
                self.turn(stop)
            except TransientError as exc:
                self._metrics.transient.labels("outlooks").inc()
                log.warning("outlooks.begun_again", error=str(exc))
            stop.wait(LOOK_S)

    def turn(self, stop: Stop) -> bool:
        """Read and write, if it is time and there is news; says whether it did. Raises TransientError."""
        turn = self._outlooks.take_turn(self._clock.wall_text(), self._later(LONGEST_S))
        if turn is None:
            return False
        today = self._calendar.business_date(self._clock.now_text()).toordinal()
        applied = sum(self._positions.read(self._partitions).values())
        mark = f"{today}/{applied}"
        if mark == turn.mark:
            self._outlooks.end_turn(turn, mark, self._later(SHORTEST_S))
            return False
        began = self._clock.monotonic()
        by_zone: dict[str, list[Spell]] = {}
        for number, (zone, spell) in enumerate(self._outlooks.cases(today), 1):
            by_zone.setdefault(zone, []).append(spell)
            if number % BREATH_EVERY == 0 and stop.wait(BREATH_S):
                return False  # the turn passes on by itself
        made = {
            (zone, group): curve
            for zone, cases in by_zone.items()
            for group, curve in curves(cases).items()
            if curve.speaks
        }
        self._outlooks.write(turn, made)
        seconds = self._clock.monotonic() - began
        self._outlooks.end_turn(turn, mark, self._later(min(max(seconds * SHARE, SHORTEST_S), LONGEST_S)))
        log.info("outlooks.made", groups=len(made), cases=sum(map(len, by_zone.values())), ms=round(seconds * 1000, 1))
        return True

    def _later(self, seconds: float) -> str:
        return instant(self._clock.wall() + timedelta(seconds=seconds))


def _id(zone: str, group: Group) -> str:
    return "|".join([zone, group.reached, group.awaited, group.route or "", group.industry or ""])


def _row(zone: str, group: Group, curve: Curve, turn: Turn) -> Document:
    return {
        "_id": _id(zone, group),
        "zone": zone,
        "turn": turn.number,
        **group._asdict(),
        "n": curve.n,
        "ended": curve.ended,
        "days": list(curve.days),
        "left": list(curve.left),
    }


def _group(row: Mapping[str, Any]) -> Group:
    return Group(row["reached"], row["awaited"], row["route"], row["industry"])


def _curve(row: Mapping[str, Any]) -> Curve:
    return Curve(row["n"], row["ended"], tuple(row["days"]), tuple(row["left"]))
