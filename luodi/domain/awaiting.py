"""待核实: which reports of milestones somebody other than their reporter should look at.

Most reports need no second look. These do, until they are confirmed or returned:

* one dated more than five working days before the day it was recorded;
* one that ended a red light, by what is known now: the gap that was open when the stage was first reported was overdue.

What was taken over together with the project, on the business day of its first record, is history that nobody reports;
a correction of it is a report. Published facts and projects that were given up have no reports to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from luodi.domain.assess import PUBLISHED
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import RED, light_at
from luodi.domain.days import day_text, last_ordinal
from luodi.domain.handlers import State
from luodi.domain.stages import LAND, ROUTES, stages_of

LATE_AFTER_WORKDAYS = 5  # a report dated further back is looked at

Document = Mapping[str, Any]
Assess = Callable[[State], Document]  # ``assess`` of the project under the rules and calendar that hold for it


def awaiting(state: State, document: Document, assessed: Assess, calendar: Calendar) -> list[dict[str, Any]]:
    """The reports that wait for verification, in the order of the stages, each with the reasons why.

    ``document`` is what ``assessed`` made of the state.
    """
    fields = state["fields"]
    if not state["registered"] or state["withdrawn"] is not None or fields.get("source") == PUBLISHED:
        return []
    calendar = calendar.of(fields.get("zone"))
    begun = calendar.business_day(state["first"])
    route = fields["route"] if fields.get("route") in ROUTES else LAND
    found: list[dict[str, Any]] = []
    for report in document["milestones"]:
        if report["verified"] is not None:
            continue
        told = calendar.business_day(report["recorded_at"])
        if told == begun and report["corrects"] is None:
            continue
        about = {"route": route, "stage": report["stage"]}
        reasons = [
            *_late(report, told, about, calendar),
            *_ended_red(report, begun, about, document, state, assessed, calendar),
        ]
        if reasons:
            told_of = {name: report[name] for name in ("event_id", "stage", "date", "recorded_at", "actor", "note")}
            found.append({**told_of, "reasons": reasons})
    return found


def _late(report: Document, told: int, about: Document, calendar: Calendar) -> Iterator[dict[str, Any]]:
    """A date known to the month or year counts from its last day, as it does for the clocks."""
    if report["date"] is not None:
        waited = calendar.count(told) - calendar.count(last_ordinal(report["date"]))
        if waited > LATE_AFTER_WORKDAYS:
            yield {"code": "reported-late", **about, "date": report["date"], "workdays": waited}


def _ended_red(
    report: Document,
    begun: int,
    about: Document,
    document: Document,
    state: State,
    assessed: Assess,
    calendar: Calendar,
) -> Iterator[dict[str, Any]]:
    """Corrections do not change what ended the red: the moment of the first report does."""
    stage, moment = report["stage"], report["first_recorded_at"]
    day = calendar.business_day(moment)
    reached = document["reached"]
    if day == begun or stage not in reached:
        return
    text = day_text(day)
    overdue = [clock["due"] for clock in document["closed"] if clock["gap"][1] == stage and clock["due"] < text]
    if not overdue and not document["missing"]:
        return  # most end here: the gap before it closed in time
    stages = stages_of(about["route"])
    place = stages.index(stage)
    first_told = {name: state["milestones"][name]["first_recorded_at"] for name in reached}
    if any(first_told[later] < moment for later in stages[place + 1 :] if later in reached):
        return  # it fills a hole: no clock ran on the gap that it closes
    before = max((n for n in range(place) if stages[n] in reached and first_told[stages[n]] < moment), default=None)
    if before is None or any(first_told.get(stages[n]) == moment for n in range(before + 1, place)):
        return  # nothing was open, or what was told together with it ended the gap
    if before + 1 < place:  # stages between were not reported then: no verdict tells of the gap that was open
        kept = {n: m for n, m in state["milestones"].items() if m["first_recorded_at"] < moment}
        overdue = [
            clock["due"]
            for clock in assessed({**state, "milestones": kept})["clocks"]
            if light_at(clock["lights"], moment)["light"] == RED
        ]
    if overdue:
        yield {"code": "ended-red", **about, "due": min(overdue)}
