"""What is told of a project itself: its registration, its stages, its plans and figures, its stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from luodi.domain import events as domain
from luodi.domain.money import CONFIRMED
from luodi.domain.stages import KINDS, ROUTES, STAGES
from luodi.domain.subjects import PROJECT
from luodi.domain.verifying import RESULTS, RETURNED
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
from schemas.fields import (
    EARLIEST,
    EVENT_ID,
    LATEST,
    Amount,
    Choice,
    Day,
    Flag,
    Items,
    Json,
    Money,
    Name,
    Text,
    Whole,
)
from schemas.invalid import Fault
from schemas.loading import Objects, Record

CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}")  # GB 32100: no I, O, S, V, Z


class Evidence(Record):
    """A paper that proves a milestone: its kind and its number or address."""

    kind = Text(SHORT, required=True)
    ref = Text(LINE, required=True)


class Reference(Record):
    """The project's number in another system."""

    system = Text(SHORT, required=True)
    id = Text(LINE, required=True)


class ProjectRegistered(Record):
    """A project enters the books. Absent and null fields are unknown."""

    name = Text(LINE, required=True)
    content = Text(LONG, lines=True, allow_none=True)
    kind = Choice("value", KINDS, allow_none=True)
    zone = Name(required=True)
    route = Choice("route", tuple(ROUTES), required=True)
    phased = Flag(allow_none=True)
    lanes = Items(Text(SHORT), 10, allow_none=True)
    industry = Text(LINE, allow_none=True)
    chain = Text(LINE, allow_none=True)
    investor = Text(LINE, allow_none=True)
    enterprise = Text(LINE, allow_none=True)
    credit_code = Name(CREDIT_CODE, allow_none=True)
    approval_code = Text(SHORT, allow_none=True)
    origin = Text(LINE, allow_none=True)
    park = Text(LINE, allow_none=True)
    parcel = Text(LINE, allow_none=True)
    carrier = Name(allow_none=True)
    parent = Name(allow_none=True)
    key = Flag(allow_none=True)
    level = Text(SHORT, allow_none=True)
    class_ = Text(SHORT, allow_none=True, data_key="class", attribute="class")  # a word Python keeps for itself
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
    introduced_by = Text(LINE, allow_none=True)
    increment_of = Name(allow_none=True)
    refs = Objects(Reference, 20, allow_none=True)
    source = Text(SHORT, allow_none=True)
    as_of = Day(partial=True, allow_none=True)
    confirm = Items(Choice("value", CONFIRMED), len(CONFIRMED), allow_none=True)
    note = a_note()


class ProjectAmended(ProjectRegistered):
    """Some fields of a project change; a null clears. What every project must have can change but not be cleared."""

    name = Text(LINE)
    zone = Name()
    route = Choice("route", tuple(ROUTES))


class MilestoneReported(Record):
    """A stage was reached. `date` null: reached, the day is not known. Reported again: a correction."""

    stage = Choice("stage", tuple(STAGES), required=True)
    date = Day(partial=True, required=True, allow_none=True)
    note = a_note()
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
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class PlanSet(Record):
    """The planned date of a stage. A later one holds only with a reason and an approver."""

    stage = Choice("stage", tuple(STAGES), required=True)
    date = Day(partial=True, required=True)
    reason = Text(REASON, lines=True, allow_none=True)
    approver = Name(allow_none=True)
    note = a_note()


class ProgressReported(Record):
    """How far the building is and what has been spent, cumulative."""

    date = Day(partial=True, required=True)
    percent = Amount(100, allow_none=True)
    appearance = Text(NOTE, lines=True, allow_none=True)
    invested_total = Money(allow_none=True)
    arrived_total = Money(allow_none=True)
    note = a_note()


CONTRACT_FIELDS = ("contract_no", "parcel", "area_mu", "price", "start_by", "complete_by", "produce_by")


class LandContractRecorded(Record):
    """The land contract with the days it agrees on. Recorded again: the whole of what holds from then on."""

    also: ClassVar[Json] = {"anyOf": [some(name) for name in CONTRACT_FIELDS]}

    contract_no = Text(LINE, allow_none=True)
    parcel = Text(LINE, allow_none=True)
    area_mu = Amount(10_000_000, decimals=4, allow_none=True)
    price = Money(allow_none=True)
    start_by = Day(partial=True, allow_none=True)
    complete_by = Day(partial=True, allow_none=True)
    produce_by = Day(partial=True, allow_none=True)
    note = a_note()


class AnnualPlanSet(Record):
    """What is to be invested in a year, and in each of its months. Set again: the whole of what holds from then on."""

    year = Whole(EARLIEST.year, LATEST.year, required=True)
    amount = Money(required=True)
    by_month = Items(Money(), 12, whole=True, allow_none=True)
    note = a_note()


class StatisticsReported(Record):
    """Whether the project stands in the statistical library (入库), and since when."""

    in_library = Flag(required=True)
    since = Day(partial=True, allow_none=True)
    note = a_note()


class SuspensionBegun(Record):
    """Work stands still (停工). This alone pauses no clock."""

    date = Day(partial=True, required=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class SuspensionEnded(Record):
    """Work goes on."""

    suspension_id = Name(EVENT_ID, required=True)
    date = Day(partial=True, required=True)
    note = a_note()


class ProjectWithdrawn(Record):
    """The project is given up (退出); it stays in the denominators of the rates."""

    date = Day(partial=True, required=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


def _says_why_it_is_returned(data: Data) -> Iterator[tuple[str, Fault]]:
    if data["result"] == RETURNED and data.get("reason") is None:
        yield "reason", Fault("required")


ROWS = (
    EventType(
        domain.PROJECT_REGISTERED,
        PROJECT,
        ProjectRegistered,
        "/v1/projects",
        "登记项目 · Register a project",
    ),
    amendment(domain.PROJECT_AMENDED, PROJECT, ProjectAmended, "修改登记内容 · Amend a project"),
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
        f"{SUBJECT}/milestones/{{event_id}}/verify",
        "核实节点 · Verify a milestone or return it",
        rules=(_says_why_it_is_returned,),
    ),
    EventType(domain.PLAN_SET, PROJECT, PlanSet, f"{SUBJECT}/plan", "计划日期 · Set a planned date"),
    EventType(domain.PROGRESS_REPORTED, PROJECT, ProgressReported, f"{SUBJECT}/progress", "形象进度 · Report progress"),
    EventType(
        domain.LAND_CONTRACT_RECORDED,
        PROJECT,
        LandContractRecorded,
        f"{SUBJECT}/land-contract",
        "土地出让合同 · Record the land contract",
        rules=(says_something(*CONTRACT_FIELDS),),
    ),
    EventType(
        domain.ANNUAL_PLAN_SET,
        PROJECT,
        AnnualPlanSet,
        f"{SUBJECT}/annual-plan",
        "年度投资计划 · Set the plan of a year",
    ),
    EventType(
        domain.STATISTICS_REPORTED,
        PROJECT,
        StatisticsReported,
        f"{SUBJECT}/statistics",
        "统计入库 · Report the statistical library",
        happened=("since",),
    ),
    EventType(domain.SUSPENSION_BEGUN, PROJECT, SuspensionBegun, f"{SUBJECT}/suspensions", "停工 · Begin a suspension"),
    EventType(
        domain.SUSPENSION_ENDED,
        PROJECT,
        SuspensionEnded,
        f"{SUBJECT}/suspensions/{{suspension_id}}/end",
        "复工 · End a suspension",
    ),
    EventType(
        domain.PROJECT_WITHDRAWN, PROJECT, ProjectWithdrawn, f"{SUBJECT}/withdrawal", "退出 · Withdraw a project"
    ),
)
