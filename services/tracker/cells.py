"""The past of a project as cells: what was known between two instants to hold between two business days.

A project's history is a plane with two axes: when something was known, and when it was true. Each cell covers a
rectangle of it on which the summary (stage, status, light, dates, face) is the same, so a question about any
(`known_at`, `as_of`) meets exactly one cell of a project, or none before it began. New knowledge closes the cells it
contradicts and opens others; it never touches what was known before, so a history is carried on event by event.

A *face* holds what a project is filtered, sorted and counted by besides: its registered fields.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

from luodi.domain import history
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import GREY, LIGHTS
from luodi.domain.days import parse_instant
from luodi.domain.events import Event
from luodi.domain.fold import advance, fold
from luodi.domain.greys import grey_since
from luodi.domain.handlers import State
from luodi.domain.history import LAST_DAY, Assess, Span
from luodi.domain.stages import STAGES
from schemas.catalog.blockers import BLOCKER_KINDS

KNOWN_FOR_EVER = 1 << 62  # milliseconds: not contradicted yet

LIVE, DATED = 1, 2  # what a cell answers: `known_at` alone, and `as_of`
VERIFIED_FROM = 2  # the lowest of the bits of `shows` that say which stages are verified

STATUSES = ("active", "suspended", "withdrawn", "pool")
OTHER_KIND = 15  # the bit of a blocker whose kind only a newer version knows

FACE = (
    "registered",
    "name",
    "zone",
    "route",
    "kind",
    "phased",
    "key",
    "class",
    "industry",
    "chain",
    "park",
    "origin",
    "leader",
    "vice_leader",
    "lead_unit",
    "group_head",
    "officer",
    "parent",
    "carrier",
    "source",
    "increment_of",
    "enterprise",
    "credit_code",
    "investment",
    "paid_in",
    "landed",
    "arrived",
)
"""What a face holds, in this order. `landed`: a land contract is recorded; `arrived`: money reported as arrived."""

Face = tuple[Any, ...]

CELL = struct.Struct("<qqqiiiiiiHBBBBB")
"""A cell as stored; see NAMES. Instants are milliseconds since 1970, days ordinals, dates yyyymmdd (0: none).

`known_to` and `end` are exclusive. `grey`: since when it has been grey, or NEVER. `face`: its number in the project's
list. `stage` counts from 1 (0: none), `light` is its place in LIGHTS or NO_LIGHT. `blockers` (kinds of those open),
`reached` (stages) and `shows` are bits: the two lowest of `shows` what it answers, those above them which of the stages
reached are verified (a byte had room for both, so what was written before there were verifications is still read).
"""

NAMES = (
    "known_from",
    "known_to",
    "grey",
    "begin",
    "end",
    "face",
    "since",
    "due",
    "signed",
    "blockers",
    "stage",
    "status",
    "light",
    "reached",
    "shows",
)

NO_LIGHT = 255
NEVER = KNOWN_FOR_EVER

Content = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int]  # a cell without its two instants

order = attrgetter("order")


@dataclass(slots=True)
class Cells:
    """The cells of one project so far."""

    closed: list[bytes] = field(default_factory=list)
    open: dict[Content, int] = field(default_factory=dict)  # known from (ms)
    faces: dict[Face, int] = field(default_factory=dict)  # by content, numbered as they came

    def packed(self) -> bytes:
        still = [CELL.pack(begin, KNOWN_FOR_EVER, *content) for content, begin in self.open.items()]
        return b"".join([*self.closed, *still])

    @classmethod
    def unpacked(cls, cells: bytes, faces: Iterable[Sequence[Any]]) -> Cells:
        found = cls(faces={tuple(face): number for number, face in enumerate(faces)})
        for place in range(0, len(cells), CELL.size):
            row = CELL.unpack_from(cells, place)
            if row[1] == KNOWN_FOR_EVER:
                found.open[row[2:]] = row[0]
            else:
                found.closed.append(cells[place : place + CELL.size])
        return found

    def learn(self, moment: int, contents: Iterable[Content]) -> None:
        """From this moment (ms) on these cells hold and no others."""
        now = dict.fromkeys(contents, moment)
        for content, begin in self.open.items():
            if content in now:
                now[content] = begin
            elif begin < moment:  # else it was never known for any time
                self.closed.append(CELL.pack(begin, moment, *content))
        self.open = now

    def carry_on(self, ordered: Sequence[Event], done: int, assessed: Assess, calendar: Calendar) -> None:
        """Learn from the events behind the first `done`, which are learnt already; `ordered` as the fold does."""
        state: State | None = fold(ordered[:done]) if done else None
        place = done
        for moment, group in groupby(ordered[done:], key=attrgetter("recordedtime")):
            events = list(group)
            before, place = state, place + len(events)
            for event in events:
                state = None if state is None else advance(state, event)
            if state is None:  # a retraction, or the beginning
                state = fold(ordered[:place])
            elif before is not None and _same(before, state):
                continue
            self.learn(milliseconds(moment), self._contents(ordered[:place], state, moment, assessed, calendar))

    def _contents(
        self, known: Sequence[Event], state: State, moment: str, assessed: Assess, calendar: Calendar
    ) -> list[Content]:
        """The cells of all days by these events.

        Where facts are dated ahead of the day they were recorded (tomorrow at most, but other producers may do as
        they like) what was shown live differs from what is true by date: those days have a cell of each kind.
        """
        today = calendar.business_day(moment)
        spans = history.track(known, assessed, calendar, state)
        ahead = max((span.begin for span in spans if span.opens), default=today)
        if ahead <= today:
            return [self._content(span, LIVE | DATED, calendar) for span in spans]
        contents = [
            self._content(part, shows, calendar) for span in spans for part, shows in _parted(span, today, ahead)
        ]
        live = history.live_spans(assessed(state), today, calendar)
        shown = [part for span in live for part, _ in _parted(span, today, ahead) if part.begin < ahead]
        return contents + [self._content(part, LIVE, calendar) for part in shown]

    def _content(self, span: Span, shows: int, calendar: Calendar) -> Content:
        document = span.document
        reached: Mapping[str, str | None] = document["reached"]
        face = face_of(document)
        status = document["status"]
        grey = grey_since(document["greys"], _last(span, calendar)) if span.light == GREY else None
        return (
            NEVER if grey is None else milliseconds(grey),
            span.begin,
            span.end,
            self.faces.setdefault(face, len(self.faces)),
            number_of(document["stage_since"]),
            number_of(min((clock["due"] for clock in document["clocks"]), default=None)),
            number_of(reached.get("signed")),
            _kinds(document["blockers"]),
            0 if document["stage"] is None else STAGES.index(document["stage"]) + 1,
            STATUSES.index(status),
            NO_LIGHT if status == "pool" else LIGHTS.index(span.light),
            sum(1 << STAGES.index(stage) for stage in reached),
            shows | sum(1 << VERIFIED_FROM + STAGES.index(stage) for stage in document["verified"]),
        )


def _parted(span: Span, today: int, ahead: int) -> list[tuple[Span, int]]:
    """A span cut where the days begin and end on which the two kinds of answer differ."""
    cuts = [span.begin, *(day for day in (today, ahead) if span.begin < day < span.end), span.end]
    return [
        (replace(span, begin=begin, end=end), DATED if today <= begin < ahead else LIVE | DATED)
        for begin, end in pairwise(cuts)
    ]


def _last(span: Span, calendar: Calendar) -> str:
    """An instant of the last day of a span."""
    return calendar.midnight_of(span.end - 1)


def face_of(document: Mapping[str, Any]) -> Face:
    """The face that a document wears."""
    progress = document["progress"] or {}
    more = {"landed": document.get("land_contract") is not None, "arrived": progress.get("arrived_total")}
    return tuple(more[name] if name in more else document.get(name) for name in FACE)


def _kinds(blockers: Iterable[Mapping[str, Any]]) -> int:
    kinds = 0
    for blocker in blockers:
        if blocker["cleared"] is None:
            kinds |= 1 << kind_bit(blocker["kind"])
    return kinds


def kind_bit(kind: str) -> int:
    """The bit of a kind of blocker."""
    return BLOCKER_KINDS.index(kind) if kind in BLOCKER_KINDS else OTHER_KIND


def stages_in(bits: int) -> frozenset[str]:
    """The stages that a column of bits names."""
    return frozenset(stage for place, stage in enumerate(STAGES) if bits & 1 << place)


def number_of(date: str | None) -> int:
    """A business date as yyyymmdd, so that numbers sort as the texts do; 00 where it is not known to the day."""
    if date is None:
        return 0
    return int(date.replace("-", "").ljust(8, "0"))


def date_of(number: int) -> str | None:
    """The business date that a number of `number_of` stands for."""
    if number == 0:
        return None
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    return f"{year:04d}-{month:02d}-{day:02d}"[: 10 if day else 7 if month else 4]


@lru_cache(maxsize=1 << 14)
def milliseconds(moment: str) -> int:
    """An instant as milliseconds since 1970."""
    return round(parse_instant(moment).timestamp() * 1000)


def _same(before: State, after: State) -> bool:
    """Whether nothing but the counts has changed: what `advance` did not touch is the very same object."""
    return all(after[slot] is before[slot] for slot in before if slot not in _COUNTS)


_COUNTS = frozenset({"last", "events", "retracted", "ignored", "notes"})

assert LAST_DAY < 1 << 31
