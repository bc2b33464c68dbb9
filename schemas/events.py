"""The event types: one row each in `EVENT_TYPES`. HTTP endpoints, the codec and the generated contract follow from it.

A new type needs a row here and a handler in the domain's fold, nothing else. A new kind of subject needs a row in
`SUBJECTS` and one in the domain's `KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from marshmallow import ValidationError

from luodi.domain import events as domain
from luodi.domain.days import first_day, is_approximate, last_day
from luodi.domain.money import CONFIRMED, needs_confirmation
from luodi.domain.pauses import MAX_PAUSE_DAYS
from luodi.domain.rules import CAUSES
from luodi.domain.stages import KINDS, ROUTES, STAGES
from luodi.domain.subjects import PERSON, POST, PROJECT, UNIT, subject_of
from luodi.domain.verifying import RESULTS, RETURNED
from schemas.fields import (
    EARLIEST,
    EVENT_ID,
    ID,
    LATEST,
    ONE_DAY,
    Amount,
    Choice,
    Day,
    Flag,
    Items,
    Json,
    Money,
    Name,
    Text,
    TimeOfDay,
    Whole,
)
from schemas.invalid import Fault, FieldError, Invalid, flatten
from schemas.loading import REFUSE, TOLERATE, Objects, Record, Unknown, checked_fields, loader

__all__ = [
    "CAUSES",
    "ENDPOINTS",
    "EVENT_TYPES",
    "SUBJECTS",
    "Endpoint",
    "EventType",
    "FieldError",
    "Invalid",
    "Request",
    "load_http",
    "load_record",
    "load_request",
]

Data = dict[str, Any]
RecordClass = type[Record]
Rule = Callable[[Data], Iterable[tuple[str, Fault]]]

BLOCKER_KINDS = ("资金", "用水", "用电", "用能", "用地", "用工", "环评", "规划", "其他")
CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}")  # GB 32100: no I, O, S, V, Z

_SHORT = 64
_LINE = 200
_REASON = 500
_NOTE = 2000
_LONG = 4000


def _note() -> Text:
    return Text(_NOTE, lines=True, allow_none=True)


class Evidence(Record):
    """A paper that proves a milestone: its kind and its number or address."""

    kind = Text(_SHORT, required=True)
    ref = Text(_LINE, required=True)


class Reference(Record):
    """The project's number in another system."""

    system = Text(_SHORT, required=True)
    id = Text(_LINE, required=True)


class ProjectRegistered(Record):
    """A project enters the books. Absent and null fields are unknown."""

    name = Text(_LINE, required=True)
    content = Text(_LONG, lines=True, allow_none=True)
    kind = Choice("value", KINDS, allow_none=True)
    zone = Name(required=True)
    route = Choice("route", tuple(ROUTES), required=True)
    phased = Flag(allow_none=True)
    lanes = Items(Text(_SHORT), 10, allow_none=True)
    industry = Text(_LINE, allow_none=True)
    chain = Text(_LINE, allow_none=True)
    investor = Text(_LINE, allow_none=True)
    enterprise = Text(_LINE, allow_none=True)
    credit_code = Name(CREDIT_CODE, allow_none=True)
    approval_code = Text(_SHORT, allow_none=True)
    origin = Text(_LINE, allow_none=True)
    park = Text(_LINE, allow_none=True)
    parcel = Text(_LINE, allow_none=True)
    carrier = Name(allow_none=True)
    parent = Name(allow_none=True)
    key = Flag(allow_none=True)
    level = Text(_SHORT, allow_none=True)
    class_ = Text(_SHORT, allow_none=True, data_key="class", attribute="class")  # a word Python keeps for itself
    investment = Money(allow_none=True)
    phase_investment = Money(allow_none=True)
    paid_in = Money(allow_none=True)
    area_mu = Amount(10_000_000, decimals=4, allow_none=True)
    floor_m2 = Amount(1_000_000_000, allow_none=True)
    jobs = Whole(0, 10_000_000, allow_none=True)
    agreed_start_date = Day(partial=True, allow_none=True)
    leader = Name(allow_none=True)
    vice_leader = Name(allow_none=True)
    lead_unit = Name(allow_none=True)
    group_head = Name(allow_none=True)
    officer = Name(allow_none=True)
    company_contact = Name(allow_none=True)
    introduced_by = Text(_LINE, allow_none=True)
    increment_of = Name(allow_none=True)
    refs = Objects(Reference, 20, allow_none=True)
    source = Text(_SHORT, allow_none=True)
    as_of = Day(partial=True, allow_none=True)
    confirm = Items(Choice("value", CONFIRMED), len(CONFIRMED), allow_none=True)
    note = _note()


class ProjectAmended(ProjectRegistered):
    """Some fields of a project change; a null clears. What every project must have can change but not be cleared."""

    name = Text(_LINE)
    zone = Name()
    route = Choice("route", tuple(ROUTES))


class MilestoneReported(Record):
    """A stage was reached. `date` null: reached, the day is not known. Reported again: a correction."""

    stage = Choice("stage", tuple(STAGES), required=True)
    date = Day(partial=True, required=True, allow_none=True)
    note = _note()
    evidence = Objects(Evidence, 20, allow_none=True)


class MilestoneVerified(Record):
    """Another person than its reporter confirms a report of a milestone (已核实), or returns it (退回) with a reason.

    A returned report no longer counts; an earlier one of the same stage counts again. Of several verifications of one
    report the last recorded holds; one by the reporter himself has no effect.
    """

    also: ClassVar[Json] = {
        "if": {"properties": {"result": {"const": RETURNED}}, "required": ["result"]},
        "then": {"properties": {"reason": {"type": "string"}}, "required": ["reason"]},
    }

    event_id = Name(EVENT_ID, required=True)
    result = Choice("value", RESULTS, required=True)
    reason = Text(_REASON, lines=True, allow_none=True)
    note = _note()


class PlanSet(Record):
    """The planned date of a stage. A later one holds only with a reason and an approver."""

    stage = Choice("stage", tuple(STAGES), required=True)
    date = Day(partial=True, required=True)
    reason = Text(_REASON, lines=True, allow_none=True)
    approver = Name(allow_none=True)
    note = _note()


class ProgressReported(Record):
    """How far the building is and what has been spent, cumulative."""

    date = Day(partial=True, required=True)
    percent = Amount(100, allow_none=True)
    appearance = Text(_NOTE, lines=True, allow_none=True)
    invested_total = Money(allow_none=True)
    arrived_total = Money(allow_none=True)
    note = _note()


def _given(name: str, *needed: str) -> Json:
    """JSON Schema of "where `name` is given, these are too"; a null is as good as nothing."""
    given: Json = {"type": "string"}
    return {
        "if": {"properties": {name: given}, "required": [name]},
        "then": {"properties": dict.fromkeys(needed, given), "required": list(needed)},
    }


def _some(name: str) -> Json:
    """JSON Schema of "`name` is given"; a null is as good as nothing."""
    return {"properties": {name: {"not": {"type": "null"}}}, "required": [name]}


CONTRACT_FIELDS = ("contract_no", "parcel", "area_mu", "price", "start_by", "complete_by", "produce_by")


class LandContractRecorded(Record):
    """The land contract with the days it agrees on. Recorded again: the whole of what holds from then on."""

    also: ClassVar[Json] = {"anyOf": [_some(name) for name in CONTRACT_FIELDS]}

    contract_no = Text(_LINE, allow_none=True)
    parcel = Text(_LINE, allow_none=True)
    area_mu = Amount(10_000_000, decimals=4, allow_none=True)
    price = Money(allow_none=True)
    start_by = Day(partial=True, allow_none=True)
    complete_by = Day(partial=True, allow_none=True)
    produce_by = Day(partial=True, allow_none=True)
    note = _note()


class AnnualPlanSet(Record):
    """What is to be invested in a year, and in each of its months. Set again: the whole of what holds from then on."""

    year = Whole(EARLIEST.year, LATEST.year, required=True)
    amount = Money(required=True)
    by_month = Items(Money(), 12, whole=True, allow_none=True)
    note = _note()


class StatisticsReported(Record):
    """Whether the project stands in the statistical library (入库), and since when."""

    in_library = Flag(required=True)
    since = Day(partial=True, allow_none=True)
    note = _note()


class BlockerRaised(Record):
    """Something stands in the way. Without `owner` nobody has taken it; with `approver` and `until` it also pauses."""

    also: ClassVar[Json] = {"allOf": [_given("approver", "until"), _given("until", "approver", "cause")]}

    kind = Choice("value", BLOCKER_KINDS, required=True)
    cause = Choice("value", CAUSES, allow_none=True)
    owner = Name(allow_none=True)
    date = Day(partial=True, required=True)
    promise = Day(partial=True, allow_none=True)
    level = Text(_SHORT, allow_none=True)
    approver = Name(allow_none=True)
    until = Day(allow_none=True)
    note = _note()


class BlockerPaused(Record):
    """A pause is approved for a blocker: from `date` to `until`, both included, or until the blocker is cleared.

    `document` is the paper behind the approval; a clock of law is not paused without one.
    """

    blocker_id = Name(EVENT_ID, required=True)
    date = Day(required=True)
    approver = Name(required=True)
    until = Day(required=True)
    document = Text(_LINE, allow_none=True)
    note = _note()


class BlockerUpdated(Record):
    """Another unit must act, or the unit promises another day; the first promise is kept and postponements counted."""

    also: ClassVar[Json] = {"anyOf": [_some("owner"), _some("promise")]}

    blocker_id = Name(EVENT_ID, required=True)
    owner = Name(allow_none=True)
    promise = Day(partial=True, allow_none=True)
    reason = Text(_REASON, lines=True, allow_none=True)
    note = _note()


class BlockerCleared(Record):
    """The blocker is out of the way; the day counts again."""

    blocker_id = Name(EVENT_ID, required=True)
    date = Day(partial=True, required=True)
    note = _note()


class SuspensionBegun(Record):
    """Work stands still (停工). This alone pauses no clock."""

    date = Day(partial=True, required=True)
    reason = Text(_REASON, lines=True, allow_none=True)
    note = _note()


class SuspensionEnded(Record):
    """Work goes on."""

    suspension_id = Name(EVENT_ID, required=True)
    date = Day(partial=True, required=True)
    note = _note()


class ProjectWithdrawn(Record):
    """The project is given up (退出); it stays in the denominators of the rates."""

    date = Day(partial=True, required=True)
    reason = Text(_REASON, lines=True, allow_none=True)
    note = _note()


class UnitRegistered(Record):
    """A unit that acts: a department, a task force, a utility. `head` is the post, or the person, that leads it."""

    name = Text(_LINE, required=True)
    zone = Name(allow_none=True)
    kind = Text(_SHORT, allow_none=True)
    parent = Name(allow_none=True)
    head = Name(allow_none=True)
    group_head = Name(allow_none=True)
    note = _note()


class UnitAmended(UnitRegistered):
    """Some fields of a unit change; a null clears. Its name can change but not be cleared."""

    name = Text(_LINE)


class PersonRegistered(Record):
    """Somebody who works on projects, by an id alone: a name, a telephone number, an address stand in contacts only."""

    zone = Name(allow_none=True)
    unit = Name(allow_none=True)
    role = Text(_SHORT, allow_none=True)
    works_from = TimeOfDay(allow_none=True)
    works_until = TimeOfDay(allow_none=True)
    deputies = Items(Name(), 5, allow_none=True)
    note = _note()


class PersonAmended(PersonRegistered):
    """Some fields of a person change; a null clears."""


class LeaveGranted(Record):
    """A person is away, first and last day included. `deputy` stands in, before the person's usual deputies."""

    date = Day(required=True)
    until = Day(required=True)
    deputy = Name(allow_none=True)
    note = _note()


class PostRegistered(Record):
    """A post that one person after another holds: named in a project, it means whoever holds it on the day."""

    name = Text(_LINE, required=True)
    zone = Name(allow_none=True)
    unit = Name(allow_none=True)
    note = _note()


class PostAmended(PostRegistered):
    """Some fields of a post change; a null clears. Its name can change but not be cleared."""

    name = Text(_LINE)


class PostHandedOver(Record):
    """From `date` on the post is held by this person, or by nobody (null); with `until`, up to and including that day.

    It ends the tenure before it. Again with the same `date`: a correction.
    """

    holder = Name(required=True, allow_none=True)
    date = Day(required=True)
    until = Day(allow_none=True)
    note = _note()


class MatterSigned(Record):
    """签收: somebody took a stall on. Told by notify, as all that is done about a matter."""

    matter = Text(_LINE, required=True)
    note = _note()


class MatterAnswered(Record):
    """反馈: what is being done about a stall, and the day by which it will be over."""

    matter = Text(_LINE, required=True)
    text = Text(_NOTE, lines=True, required=True)
    recovery = Day(required=True)
    note = _note()


class MatterReviewed(Record):
    """复核: a feedback was accepted, which holds the ladder until its date, or refused with a reason."""

    matter = Text(_LINE, required=True)
    accepted = Flag(required=True)
    reason = Text(_REASON, lines=True, allow_none=True)
    note = _note()


class MatterClosed(Record):
    """销号: a stall that is over was put on record as dealt with."""

    matter = Text(_LINE, required=True)
    note = _note()


class SilenceBegun(Record):
    """静默: until a day nothing about a matter, or about the project and its parts, goes out. Told by notify."""

    silence = Name(EVENT_ID, required=True)
    matter = Text(_LINE, allow_none=True)
    reason = Text(_REASON, lines=True, required=True)
    until = Day(required=True)
    replaces = Name(EVENT_ID, allow_none=True)
    note = _note()


class SilenceEnded(Record):
    """A silence ended before its time."""

    silence = Name(EVENT_ID, required=True)
    note = _note()


class NoteAdded(Record):
    """A remark in the timeline of the subject."""

    text = Text(_LONG, lines=True, required=True)
    note = _note()


class EventRetracted(Record):
    """An earlier event is taken back, as if it had never been reported; the record of it stays."""

    event_id = Name(EVENT_ID, required=True)
    reason = Text(_REASON, lines=True, required=True)
    note = _note()


def _amends_something(data: Data) -> Iterator[tuple[str, Fault]]:
    if not data.keys() - {"note", "confirm"}:
        yield "", Fault("nothing-amended")


def _says_why_it_is_returned(data: Data) -> Iterator[tuple[str, Fault]]:
    if data["result"] == RETURNED and data.get("reason") is None:
        yield "reason", Fault("required")


def _says_something(*names: str) -> Rule:
    """At least one of the fields is given."""

    def rule(data: Data) -> Iterator[tuple[str, Fault]]:
        if all(data.get(name) is None for name in names):
            yield "", Fault("nothing-amended")

    return rule


def _pause_is_whole(data: Data) -> Iterator[tuple[str, Fault]]:
    until, approver = data.get("until"), data.get("approver")
    if (until is None) != (approver is None):
        yield ("until" if until is None else "approver"), Fault("together")
    if until is not None:
        if is_approximate(data["date"]):
            yield "date", Fault("day-needed")
        else:
            yield from _pause_is_short(data)
        if data.get("cause") is None:
            yield "cause", Fault("needed-for-pause")


def _pause_is_short(data: Data) -> Iterator[tuple[str, Fault]]:
    length = first_day(data["until"]) - first_day(data["date"]) + ONE_DAY
    if length < ONE_DAY:
        yield "until", Fault("before-date")
    elif length > timedelta(days=MAX_PAUSE_DAYS):
        yield "until", Fault("pause-too-long", limit=MAX_PAUSE_DAYS)


def _ends_after_it_begins(data: Data) -> Iterator[tuple[str, Fault]]:
    until = data.get("until")
    if until is not None and until < data["date"]:
        yield "until", Fault("before-date")


def _hours_are_whole(data: Data) -> Iterator[tuple[str, Fault]]:
    begin, end = data.get("works_from"), data.get("works_until")
    if (begin is None) != (end is None) or ("works_from" in data) != ("works_until" in data):
        yield ("works_until" if end is None else "works_from"), Fault("hours-together")
    elif begin is not None and end is not None and begin >= end:
        yield "works_until", Fault("before-begin")


def _promise_is_not_before_blocker(data: Data) -> Iterator[tuple[str, Fault]]:
    promise = data.get("promise")
    if promise is not None and last_day(promise) < first_day(data["date"]):
        yield "promise", Fault("before-date")


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of subject as callers meet it: the address of its things, and how one is named in paths and bodies."""

    kind: str
    resource: str

    @property
    def id_field(self) -> str:
        """What an id of this kind is called in addresses, bodies and answers."""
        return f"{self.kind}_id"

    @property
    def path(self) -> str:
        """The address of one of this kind."""
        return f"{self.resource}/{{{self.id_field}}}"

    @property
    def pattern(self) -> re.Pattern[str]:
        """The form of its subjects."""
        return re.compile(subject_of(self.kind, ID.pattern))


SUBJECTS: Mapping[str, SubjectKind] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            SubjectKind(PROJECT, "/v1/projects"),
            SubjectKind(UNIT, "/v1/units"),
            SubjectKind(PERSON, "/v1/people"),
            SubjectKind(POST, "/v1/posts"),
        )
    }
)
"""The kinds of subjects: a project's subject is its id, that of any other kind `<kind>:<id>`."""

ANY_KIND = "*"

SUBJECT_PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {kind: subject.pattern for kind, subject in SUBJECTS.items()}
    | {ANY_KIND: re.compile(f"(?:{'|'.join(subject.pattern.pattern for subject in SUBJECTS.values())})")}
)
"""Kind of subject, as a row names it -> the form of its subjects."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One row. `kind` is the kind of subject that such an event is about, or ANY_KIND.

    `path` is ingest's endpoint that takes this type, with `{subject}` for the address of one subject; other `{names}`
    are data fields. Where it is empty only another service of ours tells such events.
    `happened` names the dates that tell of something that has happened: at most one day in the future.
    `nulls` names the fields whose null is information; elsewhere null and absent are the same and null is dropped.
    `rules` look at several fields together, after each has been accepted.
    """

    type: str
    kind: str
    schema: RecordClass
    path: str
    summary: str
    method: str = "POST"
    happened: tuple[str, ...] = ()
    nulls: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()

    @property
    def kinds(self) -> tuple[SubjectKind, ...]:
        """The kinds of subjects such an event can be about."""
        return tuple(SUBJECTS.values()) if self.kind == ANY_KIND else (SUBJECTS[self.kind],)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address that takes events of one type about subjects of one kind."""

    row: EventType
    subject: SubjectKind

    @property
    def path(self) -> str:
        return self.row.path.replace(_SUBJECT, self.subject.path)

    @property
    def name(self) -> str:
        """What tells it from all others: the type, with the kind where other kinds have an endpoint of their own."""
        shared = self.row.kind == ANY_KIND and self.subject.kind != PROJECT
        return f"{self.row.type}.{self.subject.kind}" if shared else self.row.type

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names in the address."""
        return tuple(_PATH_NAME.findall(self.path))

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Data fields that the endpoint takes from its address, not from its body."""
        return tuple(name for name in self.path_names if name != self.subject.id_field)

    @property
    def subject_in_path(self) -> bool:
        return self.subject.id_field in self.path_names


class Request(NamedTuple):
    """What one item of a request says: the event's data and the envelope the caller may choose."""

    id: str | None
    subject_id: str | None
    actor: str | None
    data: Data


_PATH_NAME = re.compile(r"\{([a-z_]+)\}")
_SUBJECT = "{subject}"


def _fields_of(record: RecordClass) -> frozenset[str]:
    return frozenset(name for name, _ in checked_fields(record()))


ROWS = (
    EventType(
        domain.PROJECT_REGISTERED,
        PROJECT,
        ProjectRegistered,
        "/v1/projects",
        "登记项目 · Register a project",
    ),
    EventType(
        domain.PROJECT_AMENDED,
        PROJECT,
        ProjectAmended,
        _SUBJECT,
        "修改登记内容 · Amend a project",
        method="PATCH",
        nulls=_fields_of(ProjectAmended),
        rules=(_amends_something,),
    ),
    EventType(
        domain.MILESTONE_REPORTED,
        PROJECT,
        MilestoneReported,
        "/v1/milestones",
        "上报节点 · Report a milestone",
        happened=("date",),
        nulls=frozenset({"date"}),
    ),
    EventType(
        domain.MILESTONE_VERIFIED,
        PROJECT,
        MilestoneVerified,
        f"{_SUBJECT}/milestones/{{event_id}}/verify",
        "核实节点 · Verify a milestone or return it",
        rules=(_says_why_it_is_returned,),
    ),
    EventType(domain.PLAN_SET, PROJECT, PlanSet, f"{_SUBJECT}/plan", "计划日期 · Set a planned date"),
    EventType(
        domain.PROGRESS_REPORTED, PROJECT, ProgressReported, f"{_SUBJECT}/progress", "形象进度 · Report progress"
    ),
    EventType(
        domain.LAND_CONTRACT_RECORDED,
        PROJECT,
        LandContractRecorded,
        f"{_SUBJECT}/land-contract",
        "土地出让合同 · Record the land contract",
        rules=(_says_something(*CONTRACT_FIELDS),),
    ),
    EventType(
        domain.ANNUAL_PLAN_SET,
        PROJECT,
        AnnualPlanSet,
        f"{_SUBJECT}/annual-plan",
        "年度投资计划 · Set the plan of a year",
    ),
    EventType(
        domain.STATISTICS_REPORTED,
        PROJECT,
        StatisticsReported,
        f"{_SUBJECT}/statistics",
        "统计入库 · Report the statistical library",
        happened=("since",),
    ),
    EventType(
        domain.BLOCKER_RAISED,
        PROJECT,
        BlockerRaised,
        f"{_SUBJECT}/blockers",
        "报困难 · Raise a blocker",
        rules=(_pause_is_whole, _promise_is_not_before_blocker),
    ),
    EventType(
        domain.BLOCKER_PAUSED,
        PROJECT,
        BlockerPaused,
        f"{_SUBJECT}/blockers/{{blocker_id}}/pause",
        "批准暂停计时 · Approve a pause for a blocker",
        rules=(_pause_is_short,),
    ),
    EventType(
        domain.BLOCKER_UPDATED,
        PROJECT,
        BlockerUpdated,
        f"{_SUBJECT}/blockers/{{blocker_id}}/update",
        "更换责任单位或承诺时限 · Change the unit or the promise of a blocker",
        rules=(_says_something("owner", "promise"),),
    ),
    EventType(
        domain.BLOCKER_CLEARED,
        PROJECT,
        BlockerCleared,
        f"{_SUBJECT}/blockers/{{blocker_id}}/clear",
        "困难解决 · Clear a blocker",
    ),
    EventType(
        domain.SUSPENSION_BEGUN, PROJECT, SuspensionBegun, f"{_SUBJECT}/suspensions", "停工 · Begin a suspension"
    ),
    EventType(
        domain.SUSPENSION_ENDED,
        PROJECT,
        SuspensionEnded,
        f"{_SUBJECT}/suspensions/{{suspension_id}}/end",
        "复工 · End a suspension",
    ),
    EventType(
        domain.PROJECT_WITHDRAWN, PROJECT, ProjectWithdrawn, f"{_SUBJECT}/withdrawal", "退出 · Withdraw a project"
    ),
    EventType(domain.UNIT_REGISTERED, UNIT, UnitRegistered, "/v1/units", "登记单位 · Register a unit"),
    EventType(
        domain.UNIT_AMENDED,
        UNIT,
        UnitAmended,
        _SUBJECT,
        "修改单位 · Amend a unit",
        method="PATCH",
        nulls=_fields_of(UnitAmended),
        rules=(_amends_something,),
    ),
    EventType(
        domain.PERSON_REGISTERED,
        PERSON,
        PersonRegistered,
        "/v1/people",
        "登记人员 · Register a person",
        rules=(_hours_are_whole,),
    ),
    EventType(
        domain.PERSON_AMENDED,
        PERSON,
        PersonAmended,
        _SUBJECT,
        "修改人员 · Amend a person",
        method="PATCH",
        nulls=_fields_of(PersonAmended),
        rules=(_amends_something, _hours_are_whole),
    ),
    EventType(
        domain.LEAVE_GRANTED,
        PERSON,
        LeaveGranted,
        f"{_SUBJECT}/leave",
        "请假 · Grant a leave",
        rules=(_ends_after_it_begins,),
    ),
    EventType(domain.POST_REGISTERED, POST, PostRegistered, "/v1/posts", "登记岗位 · Register a post"),
    EventType(
        domain.POST_AMENDED,
        POST,
        PostAmended,
        _SUBJECT,
        "修改岗位 · Amend a post",
        method="PATCH",
        nulls=_fields_of(PostAmended),
        rules=(_amends_something,),
    ),
    EventType(
        domain.POST_HANDED_OVER,
        POST,
        PostHandedOver,
        f"{_SUBJECT}/holders",
        "岗位交接 · Hand a post over",
        nulls=frozenset({"holder"}),
        rules=(_ends_after_it_begins,),
    ),
    EventType(domain.MATTER_SIGNED, PROJECT, MatterSigned, "", "签收 · A stall was signed for"),
    EventType(domain.MATTER_ANSWERED, PROJECT, MatterAnswered, "", "反馈 · A stall was answered"),
    EventType(domain.MATTER_REVIEWED, PROJECT, MatterReviewed, "", "复核 · An answer was reviewed"),
    EventType(domain.MATTER_CLOSED, PROJECT, MatterClosed, "", "销号 · A matter was closed"),
    EventType(domain.SILENCE_BEGUN, PROJECT, SilenceBegun, "", "静默 · A silence began"),
    EventType(domain.SILENCE_ENDED, PROJECT, SilenceEnded, "", "解除静默 · A silence ended early"),
    EventType(domain.NOTE_ADDED, ANY_KIND, NoteAdded, f"{_SUBJECT}/notes", "记事 · Add a note"),
    EventType(domain.EVENT_RETRACTED, ANY_KIND, EventRetracted, f"{_SUBJECT}/retractions", "撤回 · Retract an event"),
)

EVENT_TYPES: Mapping[str, EventType] = MappingProxyType({row.type: row for row in ROWS})

ENDPOINTS = tuple(Endpoint(row, subject) for row in ROWS if row.path for subject in row.kinds)
"""Every address that takes events."""


def _envelope(endpoint: Endpoint) -> dict[str, Any]:
    row = endpoint.row
    chosen: dict[str, Any] = {"id": Name(EVENT_ID, allow_none=True)}
    if not endpoint.subject_in_path:
        # A project being registered may leave its id to us; any other event must say whom it is about.
        left_to_us = row.type == domain.PROJECT_REGISTERED
        chosen[endpoint.subject.id_field] = Name(required=not left_to_us, allow_none=left_to_us)
    chosen |= {name: field for name, field in row.schema.declared().items() if name not in endpoint.path_fields}
    return chosen | {"actor": Name(allow_none=True)}


def _request_schema(endpoint: Endpoint) -> type[Record]:
    """The body of an endpoint: envelope and data in one object, without what stands in the address."""
    schema = endpoint.row.schema
    return type(f"{schema.__name__}Request", (Record,), {**_envelope(endpoint), "also": schema.also})


REQUESTS: Mapping[str, type[Record]] = MappingProxyType(
    {endpoint.row.type: _request_schema(endpoint) for endpoint in ENDPOINTS}
)
"""Event type -> the body of its endpoints, where callers may tell it: those about several kinds take the same."""


def load_http(type_: str, payload: object, today: date) -> Data:
    """The data of an event as a caller sent it: unknown fields are refused.

    `today` is the business date now. Raises Invalid with a pointer for every fault.
    """
    return _load(_row(type_), payload, today, REFUSE)


def load_record(type_: str, payload: object, today: date) -> Data:
    """The data of an event as a record carries it: unknown fields are left out. `today`: the day it was recorded."""
    return _load(_row(type_), payload, today, TOLERATE)


def load_request(endpoint: Endpoint, payload: object, today: date, from_path: Mapping[str, str]) -> Request:
    """One item of the body of an endpoint. `from_path` holds the `path_fields` of the address.

    Raises Invalid with a pointer for every fault, relative to the item.
    """
    row = endpoint.row
    try:
        loaded = loader(REQUESTS[row.type], REFUSE).load(payload)
    except ValidationError as exc:
        raise _invalid(exc.messages) from exc
    event_id, actor = loaded.pop("id", None), loaded.pop("actor", None)
    subject_id = loaded.pop(endpoint.subject.id_field, None)
    if from_path:
        # In the schema's order: the same content is the same bytes, whichever way it came in.
        try:
            loaded = loader(row.schema, REFUSE).load({**loaded, **from_path})
        except ValidationError as exc:
            raise _invalid(exc.messages) from exc
    return Request(event_id, subject_id, actor, _finish(row, loaded, today))


def unconfirmed(data: Data) -> list[FieldError]:
    """The amounts of a registered or amended project that look like a slip and are not named in its `confirm`."""
    return [FieldError(f"/{name}", doubt, {"name": name}) for name, doubt in needs_confirmation(data)]


def _row(type_: str) -> EventType:
    row = EVENT_TYPES.get(type_)
    if row is None:
        raise Invalid(
            "unknown-type",
            f"no event type {type_[:64]!r}",
            [FieldError("/type", "unknown-type", {"allowed": ", ".join(EVENT_TYPES)})],
        )
    return row


def _load(row: EventType, payload: object, today: date, unknown: Unknown) -> Data:
    try:
        loaded = loader(row.schema, unknown).load(payload)
    except ValidationError as exc:
        raise _invalid(exc.messages) from exc
    return _finish(row, loaded, today)


def _finish(row: EventType, loaded: Data, today: date) -> Data:
    faults: list[tuple[str, Fault]] = []
    for name in row.happened:
        day = loaded.get(name)
        if day is not None and first_day(day) > today + ONE_DAY:
            faults.append((name, Fault("date-in-future", latest=(today + ONE_DAY).isoformat())))
    for rule in row.rules:
        faults.extend(rule(loaded))
    if faults:
        raise Invalid(
            str(faults[0][1]),
            f"{faults[0][0] or 'the body'}: {faults[0][1]}",
            [FieldError(f"/{name}" if name else "", str(fault), fault.params) for name, fault in faults],
        )
    if None not in loaded.values():
        return loaded
    return {name: value for name, value in loaded.items() if value is not None or name in row.nulls}


def _invalid(messages: Any) -> Invalid:
    errors = flatten(messages)
    first = errors[0]
    return Invalid(first.code, f"{first.pointer or 'the body'}: {first.code}", errors)
