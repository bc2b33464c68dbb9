"""Verification of milestones: what one person reported and another has looked at.

A report moves the light at once and is 已报 (reported) until a person other than its reporter verifies it (已核实) or
returns it. A returned report no longer counts, as if it had been retracted, but it is shown as returned, with the
reason and by whom; an earlier report of the same stage counts again. A verification acts on a report recorded before
it; of several of one report the last recorded one holds. One by the reporter himself has no effect.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from luodi.domain.events import MILESTONE_REPORTED, MILESTONE_VERIFIED, Event

CONFIRMED = "confirmed"
RETURNED = "returned"
RESULTS = (CONFIRMED, RETURNED)

NO_EFFECT_CODES = ("no-report", "report-retracted", "own-report", "verified-again")
"""Why a verification has no effect: codes of reasons."""
NO_REPORT, REPORT_RETRACTED, OWN_REPORT, VERIFIED_AGAIN = NO_EFFECT_CODES


def may_verify(verifier: str | None, reporter: str | None) -> bool:
    """Whether it is another person who looked at the report; nobody known is nobody else."""
    return verifier is not None and verifier != reporter


def in_force(ordered: Sequence[Event], gone: Collection[str]) -> dict[str, Event]:
    """By the id of the report, the verification of it that holds; `ordered` as recorded, `gone` what was retracted."""
    if not any(event.type == MILESTONE_VERIFIED for event in ordered):
        return {}
    reporters: dict[str, str | None] = {}
    found: dict[str, Event] = {}
    for event in ordered:
        if event.id in gone:
            continue
        if event.type == MILESTONE_REPORTED:
            reporters[event.id] = event.actor
        elif event.type == MILESTONE_VERIFIED:
            report = event.data["event_id"]
            if report in reporters and may_verify(event.actor, reporters[report]):
                found[report] = event
    return found


def without_effect(ordered: Sequence[Event], gone: Collection[str]) -> dict[str, str]:
    """By their ids, the verifications that change nothing, each with the code of the reason why."""
    holding = {verification.id for verification in in_force(ordered, gone).values()}
    reports: dict[str, Event] = {}
    found: dict[str, str] = {}
    for event in ordered:
        if event.type == MILESTONE_REPORTED:
            reports[event.id] = event
        if event.type != MILESTONE_VERIFIED or event.id in gone or event.id in holding:
            continue
        report = reports.get(event.data["event_id"])
        if report is None:
            found[event.id] = NO_REPORT
        elif report.id in gone:
            found[event.id] = REPORT_RETRACTED
        else:
            found[event.id] = VERIFIED_AGAIN if may_verify(event.actor, report.actor) else OWN_REPORT
    return found


def verdict(verification: Event) -> dict[str, Any]:
    """What a verification says of its report, as it stands beside it."""
    data: Mapping[str, Any] = verification.data
    return {
        "result": data["result"],
        "by": verification.actor,
        "at": verification.recordedtime,
        "reason": data.get("reason"),
        "event_id": verification.id,
    }
