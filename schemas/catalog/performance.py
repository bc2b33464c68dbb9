"""What is committed for the time after the start of production, and what is reported of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from luodi.domain.performance import COMMITMENT_MADE, FIGURES, MEASURES, PERFORMANCE_REPORTED
from luodi.domain.subjects import PROJECT
from schemas.catalog.rows import LINE, REASON, SUBJECT, Data, EventType, a_note, says_something, some
from schemas.fields import Amount, Choice, Day, Json, Money, Period, Text, Whole
from schemas.invalid import Fault
from schemas.loading import Record

NEED_A_VALUE = tuple(measure.id for measure in MEASURES.values() if measure.needs_value)


class CommitmentMade(Record):
    """What the agreement commits the enterprise to, and by when. Made again: the last holds, the first day is kept.

    `value` in yuan: of `full_production` the annual output where the agreement names one (else 100 % of the designed
    capacity counts), of `investment_intensity` per mu, of `tax_per_mu` per mu and year. `area_mu` where it is not that
    of the project.
    """

    also: ClassVar[Json] = {
        "if": {"properties": {"measure": {"enum": list(NEED_A_VALUE)}}, "required": ["measure"]},
        "then": {"properties": {"value": {"type": "integer"}}, "required": ["value"]},
    }

    measure = Choice("value", tuple(MEASURES), required=True)
    due = Day(partial=True, required=True)
    value = Money(allow_none=True)
    area_mu = Amount(10_000_000, decimals=4, allow_none=True)
    document = Text(LINE, allow_none=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class PerformanceReported(Record):
    """How an enterprise did in a year or a quarter. Per period and figure the last recorded holds.

    Yuan of the period for `output` and `tax`; `invested_total` since the beginning; `capacity_percent` of what was
    designed (达产率); `jobs` at its end.
    """

    also: ClassVar[Json] = {"anyOf": [some(name) for name in FIGURES]}

    period = Period(required=True)
    output = Money(allow_none=True)
    tax = Money(allow_none=True)
    invested_total = Money(allow_none=True)
    capacity_percent = Amount(1_000, allow_none=True)
    jobs = Whole(0, 10_000_000, allow_none=True)
    note = a_note()


def _names_its_value(data: Data) -> Iterator[tuple[str, Fault]]:
    if data["measure"] in NEED_A_VALUE and data.get("value") is None:
        yield "value", Fault("required")


ROWS = (
    EventType(
        COMMITMENT_MADE,
        PROJECT,
        CommitmentMade,
        f"{SUBJECT}/commitments",
        "投资协议承诺 · Commit to full production, investment or tax per mu",
        rules=(_names_its_value,),
    ),
    EventType(
        PERFORMANCE_REPORTED,
        PROJECT,
        PerformanceReported,
        f"{SUBJECT}/performance",
        "经营数据 · Report the figures of a year or a quarter",
        over=("period",),
        rules=(says_something(*FIGURES),),
    ),
)
