"""What is told of a zone: what it is, what was reported of it, what it is to reach, what was published about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from luodi.domain.figures import FIGURE_REPORTED, YUAN
from luodi.domain.measures import MEASURES
from luodi.domain.money import MAX_YUAN
from luodi.domain.publishing import PUBLICATION_MADE
from luodi.domain.subjects import ZONE
from luodi.domain.targets import TARGET_SET
from luodi.domain.zones import ZONE_AMENDED, ZONE_REGISTERED
from schemas.catalog.rows import (
    LINE,
    LONG,
    NOTE,
    REASON,
    SHORT,
    SUBJECT,
    Data,
    EventType,
    a_note,
    amendment,
    says_something,
    some,
)
from schemas.fields import EARLIEST, LATEST, Choice, Day, Items, Json, Money, Name, Quantity, Span, Text, Whole
from schemas.invalid import Fault
from schemas.loading import Objects, Record

SUM_FIELDS = ("count", "parts", "named_amounts")
MAX_COUNT = 10**9


class ZoneRegistered(Record):
    """A zone introduces itself: what it is called, its level and place. That there is one is configuration."""

    name = Text(LINE, required=True)
    name_en = Text(LINE, allow_none=True)
    level = Text(SHORT, allow_none=True)
    place = Text(LINE, allow_none=True)
    content = Text(LONG, lines=True, allow_none=True)
    note = a_note()


class ZoneAmended(ZoneRegistered):
    """Some fields of a zone change; a null clears. Its name can change but not be cleared."""

    name = Text(LINE)


class FigurePart(Record):
    """One named part of a reported sum; `amount` in yuan."""

    name = Text(LINE, required=True)
    name_en = Text(LINE, allow_none=True)
    count = Whole(0, MAX_COUNT, required=True)
    amount = Money(required=True)


class FigureReported(Record):
    """A figure that somebody has published of the zone (上报数): a value with its unit, or words. A sum in yuan may
    tell the number of things and its parts, which need not add up. Reported again for the same period (without one: the
    same day): a correction."""

    also: ClassVar[Json] = {"anyOf": [some("value"), some("words")]}

    figure = Name(required=True)
    name = Text(LINE, required=True)
    name_en = Text(LINE, allow_none=True)
    value = Quantity(allow_none=True)
    unit = Text(SHORT, allow_none=True)
    word = Text(SHORT, allow_none=True)
    word_en = Text(SHORT, allow_none=True)
    before = Quantity(allow_none=True)
    before_word = Text(SHORT, allow_none=True)
    change = Quantity(allow_none=True)
    words = Items(Text(LINE), 50, allow_none=True)
    count = Whole(0, MAX_COUNT, allow_none=True)
    parts = Objects(FigurePart, 100, allow_none=True)
    named_amounts = Items(Money(), 100, allow_none=True)
    period = Span(allow_none=True)
    as_of = Day(partial=True, required=True)
    source = Text(LINE, required=True)
    definition = Text(NOTE, lines=True, allow_none=True)
    definition_en = Text(NOTE, lines=True, allow_none=True)
    measure = Choice("value", tuple(MEASURES), allow_none=True)
    project = Name(allow_none=True)
    note = a_note()


class TargetSet(Record):
    """What is to be reached in a year (年度目标): of one of our own measures, of a reported figure of the zone, or of
    both; by the zone, or by a unit, a leader or a unit under a leader. Set again: it holds as set last, the first value
    is kept."""

    also: ClassVar[Json] = {"anyOf": [some("measure"), some("figure")]}

    year = Whole(EARLIEST.year, LATEST.year, required=True)
    measure = Choice("value", tuple(MEASURES), allow_none=True)
    figure = Name(allow_none=True)
    unit = Name(allow_none=True)
    leader = Name(allow_none=True)
    value = Quantity(required=True)
    by_month = Items(Quantity(), 12, whole=True, allow_none=True)
    source = Text(LINE, allow_none=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class PublicationMade(Record):
    """月报/通报: what is known now of the business date `as_of` is published for a period and stays as it is."""

    period = Span(required=True)
    as_of = Day(required=True)
    title = Text(LINE, allow_none=True)
    note = a_note()


def _sums_are_whole_yuan(data: Data) -> Iterator[tuple[str, Fault]]:
    """What is told of things and parts belongs to a sum in yuan that says how many things it is the sum of."""
    told = [name for name in SUM_FIELDS if data.get(name) is not None]
    if not told:
        return
    if type(data.get("value")) is not int:
        yield "value", Fault("whole-yuan", other=told[0])
    if data.get("unit") != YUAN:
        yield "unit", Fault("whole-yuan", other=told[0])
    if data.get("count") is None:
        yield "count", Fault("required")


def _measured_is_positive(data: Data) -> Iterator[tuple[str, Fault]]:
    if data.get("measure") is not None and data["value"] <= 0:
        yield "value", Fault("out-of-range", low=1, high=MAX_YUAN)


ROWS = (
    EventType(ZONE_REGISTERED, ZONE, ZoneRegistered, "/v1/zones", "登记园区 · Register a zone"),
    amendment(ZONE_AMENDED, ZONE, ZoneAmended, "修改园区 · Amend a zone"),
    EventType(
        FIGURE_REPORTED,
        ZONE,
        FigureReported,
        f"{SUBJECT}/figures",
        "上报数 · Report a figure",
        happened=("as_of",),
        rules=(says_something("value", "words"), _sums_are_whole_yuan),
    ),
    EventType(
        TARGET_SET,
        ZONE,
        TargetSet,
        f"{SUBJECT}/targets",
        "年度目标 · Set a target",
        rules=(says_something("measure", "figure"), _measured_is_positive),
    ),
    EventType(
        PUBLICATION_MADE,
        ZONE,
        PublicationMade,
        "/v1/publications",
        "发布月报 · Publish what is known of a day",
        happened=("as_of",),
    ),
)
