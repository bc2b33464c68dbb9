"""待核实: which reports a second person should look at, and which need nobody."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from luodi.domain.assess import assess
from luodi.domain.awaiting import awaiting
from luodi.domain.events import PROJECT_AMENDED, PROJECT_WITHDRAWN
from luodi.domain.fold import fold
from luodi.domain.reasons import text
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, Story, published

NOON = "T04:00:00.000Z"  # in the zone


class Told(Story):
    """A story of which each event is recorded at noon of the day that is named."""

    day = ""

    def on(self, day: str) -> Told:
        self.day = day
        return self

    def tell(self, type_: str, /, by: str | None = "u-zhang", **data: Any) -> str:
        event_id = super().tell(type_, by, **data)
        self.events[-1] = replace(self.events[-1], recordedtime=self.day + NOON, sequence=len(self.events))
        return event_id

    def waiting(self) -> dict[str, list[str]]:
        """By stage, the codes of the reasons why its report waits."""
        return {report["stage"]: [reason["code"] for reason in report["reasons"]] for report in self.reports()}

    def reports(self) -> list[dict[str, Any]]:
        state, assessed = fold(self.events), partial(assess, SUBJECT, rules=DEFAULT_RULES, calendar=published())
        return awaiting(state, assessed(state), assessed, published())


def signed(day: str = "2026-01-05", recorded: str | None = None, **fields: Any) -> Told:
    """Registered on the first working day of the year; the signature is recorded on its own day."""
    story = Told().on("2026-01-04")
    story.registered(**{"route": "plant"} | fields)
    story.on(recorded or day).reached("signed", day)
    return story


@pytest.mark.parametrize(
    ("date", "recorded", "waits"),
    [
        ("2026-01-12", "2026-01-12", False),
        ("2026-01-12", "2026-01-19", False),  # Monday to Monday: five working days later
        ("2026-01-12", "2026-01-20", True),
        ("2026-02-13", "2026-02-25", False),  # the Spring Festival lies between: two working days
        ("2026-02-14", "2026-02-27", False),
        ("2026-02-13", "2026-03-03", True),
        ("2026-01", "2026-02-06", False),  # known to the month: from its last day
        ("2026-01", "2026-02-09", True),
        (None, "2026-03-20", False),
        ("2026-01-13", "2026-01-12", False),
    ],
)
def test_a_report_dated_more_than_five_working_days_back_waits(date: str | None, recorded: str, *, waits: bool) -> None:
    story = signed()
    story.on(recorded).reached("started", date)
    assert story.waiting() == ({"started": ["reported-late"]} if waits else {})


def test_it_says_which_report_by_whom_and_why_in_both_languages() -> None:
    story = signed()
    report = story.on("2026-01-20").reached("started", "2026-01-12", note="进场")
    (waiting,) = story.reports()
    assert {name: waiting[name] for name in waiting if name != "reasons"} == {
        "event_id": report,
        "stage": "started",
        "date": "2026-01-12",
        "recorded_at": "2026-01-20T04:00:00.000Z",
        "actor": "u-zhang",
        "note": "进场",
    }
    (reason,) = waiting["reasons"]
    assert text(reason, "zh-CN") == "进场装修日期2026-01-12，6个工作日后才上报"
    assert text(reason, "en").endswith("of 2026-01-12 was reported 6 working days later")


def test_what_was_verified_waits_no_longer_and_what_was_returned_is_no_report() -> None:
    story = signed()
    report = story.on("2026-01-20").reached("started", "2026-01-12")
    own = story.on("2026-01-21").verified(report, "u-zhang")
    assert story.waiting() == {"started": ["reported-late"]}
    confirmed = story.verified(report)
    assert own != confirmed
    assert story.waiting() == {}
    story.retracted(confirmed)
    assert story.waiting() == {"started": ["reported-late"]}
    story.returned(report)
    assert story.waiting() == {}


def test_what_is_taken_over_with_the_project_on_its_first_day_waits_for_nobody() -> None:
    story = Told().on("2026-03-02")
    story.registered(route="plant")
    story.reached("signed", "2024-01-08")
    story.reached("started", "2025-01-06")
    assert story.waiting() == {}
    story.reached("started", "2025-01-08")  # a correction is a report, also on that day
    assert story.waiting() == {"started": ["reported-late"]}


@pytest.mark.parametrize(
    ("type_", "data"), [(PROJECT_AMENDED, {"source": "published"}), (PROJECT_WITHDRAWN, {"date": "2026-03-02"})]
)
def test_published_facts_and_projects_given_up_wait_for_nobody(type_: str, data: dict[str, Any]) -> None:
    story = signed()
    story.on("2026-03-02").reached("started", "2026-01-12")
    story.tell(type_, **data)
    assert story.waiting() == {}


def test_what_is_not_registered_waits_for_nobody() -> None:
    story = Told().on("2026-01-05")
    story.reached("signed", "2026-01-05")
    story.on("2026-03-02").reached("started", "2026-01-12")
    assert story.waiting() == {}


# What ended a red light. On the route `plant` the start is due 60 working days after the signature: on 2026-04-03.


@pytest.mark.parametrize(("recorded", "waits"), [("2026-04-03", []), ("2026-04-07", ["ended-red"])])
def test_a_report_that_ended_a_red_light_waits(recorded: str, waits: list[str]) -> None:
    story = signed()
    story.on(recorded).reached("started", recorded)
    assert story.waiting() == ({"started": waits} if waits else {})


def test_so_does_one_that_says_the_stage_was_reached_in_time() -> None:
    story = signed()
    story.on("2026-04-07").reached("started", "2026-04-02")
    (report,) = story.reports()
    assert [(reason["code"], reason["due"]) for reason in report["reasons"]] == [("ended-red", "2026-04-03")]
    assert text(report["reasons"][0], "zh-CN") == "上报进场装修时已超期，由此解除红灯（期限2026-04-03）"


def test_a_correction_of_what_ended_a_red_light_waits_too_one_of_what_was_in_time_does_not() -> None:
    late, early = signed(), signed()
    late.on("2026-04-07").reached("started", "2026-04-07")
    late.on("2026-04-08").reached("started", "2026-04-03")
    assert late.waiting() == {"started": ["ended-red"]}
    early.on("2026-04-02").reached("started", "2026-04-02")
    early.on("2026-04-08").reached("started", "2026-04-07")
    assert early.waiting() == {}


def test_a_report_that_passes_over_a_stage_ended_the_red_of_the_gap_before_it() -> None:
    story = signed()
    story.on("2026-04-07").reached("completed", "2026-04-07")
    assert story.waiting() == {"completed": ["ended-red"]}
    in_time = signed()
    in_time.on("2026-04-03").reached("completed", "2026-04-03")
    assert in_time.waiting() == {}


def test_one_that_fills_a_hole_behind_a_later_stage_ended_nothing() -> None:
    story = signed()
    story.on("2026-04-03").reached("completed", "2026-04-03")
    story.on("2026-04-08").reached("started", "2026-04-02")
    assert story.waiting() == {}


def test_of_two_stages_told_in_one_request_the_first_ended_the_red() -> None:
    story = signed()
    story.on("2026-11-02").reached("started", "2026-04-08")
    story.reached("completed", "2026-11-02")
    assert story.waiting() == {"started": ["reported-late", "ended-red"]}


def test_a_start_that_was_reported_together_with_its_late_end_was_never_red() -> None:
    story = Told().on("2026-01-04")
    story.registered(route="plant")
    story.on("2026-06-01").reached("signed", None)
    story.reached("started", "2026-05-29")
    assert story.waiting() == {}
