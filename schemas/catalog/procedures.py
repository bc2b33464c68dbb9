"""What is told of a project's procedures (审批事项)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from luodi.domain import procedures as domain
from luodi.domain.days import first_day, last_day
from luodi.domain.subjects import PROJECT
from schemas.catalog.rows import LINE, REASON, SHORT, SUBJECT, Data, EventType, a_note, ends_after_it_begins
from schemas.fields import EVENT_ID, Choice, Day, Json, Name, Text, Whole
from schemas.invalid import Fault
from schemas.loading import Objects, Record

MAX_MISSING = 20
MAX_EXTENSION = 60  # days of one extension: what the law allows is less, more is a slip

_NEEDS_MISSING: Json = {
    "if": {"properties": {"state": {"const": domain.INCOMPLETE}}, "required": ["state"]},
    "then": {"properties": {"missing": {"type": "array", "minItems": 1}}, "required": ["missing"]},
}
_ENDS_ONLY: Json = {
    "if": {"properties": {"state": {"not": {"const": domain.ENDED}}}},
    "then": {"properties": {"result": {"type": "null"}, "document": {"type": "null"}}},
}


class Missing(Record):
    """A paper that is missing, and the day by which the applicant is to bring it."""

    what = Text(LINE, required=True)
    due = Day(allow_none=True)


class ProcedureBegun(Record):
    """A procedure begins, with talks before it is accepted or with its acceptance. `unit` decides; the zone's where
    none is named.

    What is accepted with papers missing (容缺受理) says which. A decision (办结) at once may tell its `result`.
    """

    also: ClassVar[Json] = {"allOf": [_NEEDS_MISSING, _ENDS_ONLY]}

    kind = Text(SHORT, required=True)
    state = Choice("value", domain.STATES, required=True)
    date = Day(partial=True, required=True)
    unit = Name(allow_none=True)
    number = Text(SHORT, allow_none=True)
    missing = Objects(Missing, MAX_MISSING, allow_none=True)
    result = Choice("value", domain.RESULTS, allow_none=True)
    document = Text(LINE, allow_none=True)
    note = a_note()


class ProcedureMoved(Record):
    """A procedure is in another state from a day on; 办结 ends it, with its `result` and the number of the permit."""

    also: ClassVar[Json] = ProcedureBegun.also

    procedure_id = Name(EVENT_ID, required=True)
    state = Choice("value", domain.STATES, required=True)
    date = Day(partial=True, required=True)
    missing = Objects(Missing, MAX_MISSING, allow_none=True)
    result = Choice("value", domain.RESULTS, allow_none=True)
    document = Text(LINE, allow_none=True)
    note = a_note()


class ProcedureSupplied(Record):
    """A paper that was missing has come."""

    procedure_id = Name(EVENT_ID, required=True)
    what = Text(LINE, required=True)
    date = Day(required=True)
    note = a_note()


class ProcedureExtended(Record):
    """The time of a procedure is extended by so many days of its count; more than the law allows does not hold."""

    procedure_id = Name(EVENT_ID, required=True)
    days = Whole(1, MAX_EXTENSION, required=True)
    approver = Name(required=True)
    reason = Text(REASON, lines=True, required=True)
    note = a_note()


class ProcedurePaused(Record):
    """What does not count begins: a hearing, a review, an inspection. `until`: its last day, where that is known."""

    procedure_id = Name(EVENT_ID, required=True)
    why = Choice("value", domain.NOT_COUNTED, required=True)
    date = Day(required=True)
    until = Day(allow_none=True)
    note = a_note()


class ProcedureResumed(Record):
    """What did not count is over; this day counts again."""

    procedure_id = Name(EVENT_ID, required=True)
    date = Day(required=True)
    note = a_note()


def _says_what_is_missing(data: Data) -> Iterator[tuple[str, Fault]]:
    missing = data.get("missing") or []
    if data["state"] == domain.INCOMPLETE and not missing:
        yield "missing", Fault("required")
    for place, item in enumerate(missing):
        due = item.get("due")
        if due is not None and last_day(due) < first_day(data["date"]):
            yield f"missing/{place}/due", Fault("before-date")


def _only_a_decision_has_a_result(data: Data) -> Iterator[tuple[str, Fault]]:
    if data["state"] != domain.ENDED:
        for name in ("result", "document"):
            if data.get(name) is not None:
                yield name, Fault("only-when-decided")


_RULES = (_says_what_is_missing, _only_a_decision_has_a_result)
_ONE = f"{SUBJECT}/procedures/{{procedure_id}}"

ROWS = (
    EventType(
        domain.PROCEDURE_BEGUN,
        PROJECT,
        ProcedureBegun,
        f"{SUBJECT}/procedures",
        "审批事项 · Begin a procedure",
        happened=("date",),
        rules=_RULES,
    ),
    EventType(
        domain.PROCEDURE_MOVED,
        PROJECT,
        ProcedureMoved,
        f"{_ONE}/states",
        "审批进展 · Move a procedure to another state",
        happened=("date",),
        rules=_RULES,
    ),
    EventType(
        domain.PROCEDURE_SUPPLIED,
        PROJECT,
        ProcedureSupplied,
        f"{_ONE}/supplies",
        "补齐材料 · Bring what is missing",
        happened=("date",),
    ),
    EventType(
        domain.PROCEDURE_EXTENDED, PROJECT, ProcedureExtended, f"{_ONE}/extensions", "延长办理期限 · Extend the time"
    ),
    EventType(
        domain.PROCEDURE_PAUSED,
        PROJECT,
        ProcedurePaused,
        f"{_ONE}/pauses",
        "听证、评审等不计时 · Begin what does not count",
        rules=(ends_after_it_begins,),
    ),
    EventType(
        domain.PROCEDURE_RESUMED, PROJECT, ProcedureResumed, f"{_ONE}/resumptions", "恢复计时 · End what does not count"
    ),
)
