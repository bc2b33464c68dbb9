"""What is told of enterprises: who they are, what they ask for, what they are helped with, how they are qualified;
and what an upgrade has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from luodi.domain import enterprises, qualifications, services, upgrades
from luodi.domain.days import first_day, last_day
from luodi.domain.subjects import ENTERPRISE, PROJECT
from schemas.catalog.blockers import BLOCKER_KINDS
from schemas.catalog.projects import CREDIT_CODE, Reference
from schemas.catalog.rows import (
    LINE,
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
from schemas.fields import EVENT_ID, Amount, Choice, Day, Json, Name, Text, Whole
from schemas.invalid import Fault
from schemas.loading import Objects, Record

MOST = 10**15  # of a measure, before or after
MOST_GENERATIONS = 999_999


class EnterpriseRegistered(Record):
    """A firm of the zone, whether or not it has a project now. `contact` is a person's id: no name stands here."""

    name = Text(LINE, required=True)
    credit_code = Name(CREDIT_CODE, allow_none=True)
    zone = Name(allow_none=True)
    industry = Text(LINE, allow_none=True)
    chain = Text(LINE, allow_none=True)
    park = Text(LINE, allow_none=True)
    scale = Text(SHORT, allow_none=True)
    officer = Name(allow_none=True)
    contact = Name(allow_none=True)
    refs = Objects(Reference, 20, allow_none=True)
    source = Text(SHORT, allow_none=True)
    as_of = Day(partial=True, allow_none=True)
    note = a_note()


class EnterpriseAmended(EnterpriseRegistered):
    """Some fields of an enterprise change; a null clears. Its name can change but not be cleared."""

    name = Text(LINE)


class QualificationGranted(Record):
    """A qualification was granted. Without `valid_until` it holds as long as the rule behind its level says."""

    level = Text(LINE, required=True)
    date = Day(partial=True, allow_none=True)
    valid_until = Day(partial=True, allow_none=True)
    certificate = Text(LINE, allow_none=True)
    issuer = Text(LINE, allow_none=True)
    note = a_note()


class QualificationRenewed(Record):
    """The re-examination (复核) was passed: it holds until another day."""

    qualification_id = Name(EVENT_ID, required=True)
    date = Day(partial=True, required=True)
    valid_until = Day(partial=True, allow_none=True)
    certificate = Text(LINE, allow_none=True)
    note = a_note()


class QualificationEnded(Record):
    """The qualification holds no longer from this day on: revoked, given up, or the re-examination was failed."""

    qualification_id = Name(EVENT_ID, required=True)
    date = Day(required=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class ServiceGiven(Record):
    """An enterprise was helped: what kind of service, what was done, by which unit, with which partner."""

    kind = Choice("value", tuple(services.KINDS), required=True)
    date = Day(required=True)
    text = Text(NOTE, lines=True, allow_none=True)
    unit = Name(allow_none=True)
    partner = Text(LINE, allow_none=True)
    note = a_note()


class MeasureReported(Record):
    """A number before and after an upgrade, or how much it changed in percent. `before_word`, `word`: 超过, 约, 余."""

    also: ClassVar[Json] = {"anyOf": [some(name) for name in ("before", "after", "change")]}

    name = Text(LINE, required=True)
    unit = Text(SHORT, allow_none=True)
    before = Amount(MOST, decimals=4, allow_none=True)
    before_word = Text(SHORT, allow_none=True)
    after = Amount(MOST, decimals=4, allow_none=True)
    word = Text(SHORT, allow_none=True)
    change = Amount(MOST, decimals=4, low=-100, allow_none=True)
    date = Day(partial=True, allow_none=True)
    source = Text(LINE, allow_none=True)
    note = a_note()


class RequestRaised(Record):
    """An enterprise asks for something. `link` is set by ingest: the generation of the link that it came through."""

    kind = Choice("value", BLOCKER_KINDS, allow_none=True)
    text = Text(NOTE, lines=True, required=True)
    project_id = Name(allow_none=True)
    link = Whole(0, MOST_GENERATIONS, allow_none=True)
    note = a_note()


class LinkRequest(Record):
    """What an enterprise says itself, through its link."""

    kind = Choice("value", BLOCKER_KINDS, allow_none=True)
    text = Text(NOTE, lines=True, required=True)
    project_id = Name(allow_none=True)


class RequestAnswered(Record):
    """What the enterprise is told. `text` is for the enterprise to read, `note` is not."""

    request_id = Name(EVENT_ID, required=True)
    text = Text(NOTE, lines=True, required=True)
    unit = Name(allow_none=True)
    note = a_note()


class RequestAccepted(Record):
    """The request is worked off as a blocker of one of the enterprise's projects, which was raised there."""

    request_id = Name(EVENT_ID, required=True)
    project_id = Name(required=True)
    blocker_id = Name(EVENT_ID, required=True)
    note = a_note()


class LinkRevoked(Record):
    """The links that the enterprise holds are good no longer; one made from now on is."""

    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


def _holds_for_some_time(data: Data) -> Iterator[tuple[str, Fault]]:
    date, until = data.get("date"), data.get("valid_until")
    if date is not None and until is not None and last_day(until) < first_day(date):
        yield "valid_until", Fault("before-date")


ROWS = (
    EventType(
        enterprises.ENTERPRISE_REGISTERED,
        ENTERPRISE,
        EnterpriseRegistered,
        "/v1/enterprises",
        "登记企业 · Register an enterprise",
    ),
    amendment(enterprises.ENTERPRISE_AMENDED, ENTERPRISE, EnterpriseAmended, "修改企业 · Amend an enterprise"),
    EventType(
        qualifications.QUALIFICATION_GRANTED,
        ENTERPRISE,
        QualificationGranted,
        f"{SUBJECT}/qualifications",
        "资质认定 · Record a qualification",
        happened=("date",),
        rules=(_holds_for_some_time,),
    ),
    EventType(
        qualifications.QUALIFICATION_RENEWED,
        ENTERPRISE,
        QualificationRenewed,
        f"{SUBJECT}/qualifications/{{qualification_id}}/renew",
        "复核通过 · Renew a qualification",
        happened=("date",),
        rules=(_holds_for_some_time,),
    ),
    EventType(
        qualifications.QUALIFICATION_ENDED,
        ENTERPRISE,
        QualificationEnded,
        f"{SUBJECT}/qualifications/{{qualification_id}}/end",
        "资质终止 · End a qualification",
        happened=("date",),
    ),
    EventType(
        services.ENTERPRISE_SERVED,
        ENTERPRISE,
        ServiceGiven,
        f"{SUBJECT}/services",
        "企业服务 · Record a service given to an enterprise",
        happened=("date",),
    ),
    EventType(
        services.SERVICE_GIVEN,
        PROJECT,
        ServiceGiven,
        f"{SUBJECT}/services",
        "项目服务 · Record a service given for a project",
        happened=("date",),
    ),
    EventType(
        upgrades.MEASURE_REPORTED,
        PROJECT,
        MeasureReported,
        f"{SUBJECT}/measures",
        "改造前后对比 · Report what an upgrade changed",
        happened=("date",),
        rules=(says_something("before", "after", "change"),),
    ),
    EventType(
        enterprises.REQUEST_RAISED,
        ENTERPRISE,
        RequestRaised,
        f"{SUBJECT}/requests",
        "企业诉求 · Record a request of an enterprise",
        ours=frozenset({"link"}),
    ),
    EventType(
        enterprises.REQUEST_ANSWERED,
        ENTERPRISE,
        RequestAnswered,
        f"{SUBJECT}/requests/{{request_id}}/answer",
        "答复诉求 · Answer a request",
    ),
    EventType(
        enterprises.REQUEST_ACCEPTED,
        ENTERPRISE,
        RequestAccepted,
        f"{SUBJECT}/requests/{{request_id}}/accept",
        "受理诉求 · Accept a request as a blocker",
    ),
    EventType(
        enterprises.LINK_REVOKED,
        ENTERPRISE,
        LinkRevoked,
        f"{SUBJECT}/link/revoke",
        "收回诉求链接 · Revoke the links of an enterprise",
    ),
)
