"""Blockers with what was told of them later: pauses, another unit, another promise."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from luodi.domain.courses import paused as paused_days
from luodi.domain.events import BLOCKER_CLEARED, BLOCKER_PAUSED, BLOCKER_RAISED, BLOCKER_UPDATED
from luodi.domain.pauses import approved, charged
from tests.unit.domain.builders import Story, light_on

ALL_CAUSES = ("enterprise", "government", "utility", "force_majeure")


def held_up(**more: Any) -> tuple[Story, str]:
    """A project whose land is due by 2026-04-10 and which has been waiting for power since 2026-02-01."""
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    raised = {"kind": "用电", "cause": "utility", "owner": "u-power", "date": "2026-02-01"} | more
    return story, story.tell(BLOCKER_RAISED, **raised)


def paused(story: Story, blocker: str, begin: str, until: str, **more: Any) -> str:
    data = {"blocker_id": blocker, "date": begin, "approver": "u-chief", "until": until} | more
    return story.tell(BLOCKER_PAUSED, **data)


def only(story: Story) -> dict[str, Any]:
    (blocker,) = story.document()["blockers"]
    return dict(blocker)


# Pauses.


def test_a_pause_approved_later_is_an_act_of_its_own_and_stops_the_clock() -> None:
    story, blocker = held_up()
    approval = paused(story, blocker, "2026-02-10", "2026-02-19", document="园管函〔2026〕3号", note="线路改造")
    assert only(story)["pauses"] == [
        {
            "from": "2026-02-10",
            "until": "2026-02-19",
            "end": "2026-02-20",
            "approver": "u-chief",
            "reason": "线路改造",
            "document": "园管函〔2026〕3号",
            "number": 1,
            "event_id": approval,
            "recorded_at": story.events[-1].recordedtime,
        }
    ]
    (clock,) = story.document()["clocks"]
    assert paused_days(clock) == [["2026-02-10", "2026-02-20"]]
    assert clock["due"] == "2026-04-20"
    lights = {day: light_on(clock["lights"], day)["light"] for day in ("2026-02-09", "2026-02-10", "2026-02-20")}
    assert lights == {"2026-02-09": "green", "2026-02-10": "grey", "2026-02-20": "green"}


def test_a_blocker_raised_with_an_approval_has_its_first_pause_from_then() -> None:
    story, blocker = held_up(approver="u-chief", until="2026-02-10")
    again = paused(story, blocker, "2026-02-15", "2026-02-20")
    assert [(pause["event_id"], pause["from"]) for pause in only(story)["pauses"]] == [
        (blocker, "2026-02-01"),
        (again, "2026-02-15"),
    ]


def test_a_retracted_approval_pauses_nothing_and_leaves_the_others() -> None:
    story, blocker = held_up(approver="u-chief", until="2026-02-10")
    story.retracted(paused(story, blocker, "2026-02-15", "2026-02-20"))
    assert [pause["event_id"] for pause in only(story)["pauses"]] == [blocker]


def test_a_clear_ends_every_pause_of_its_blocker_and_one_that_begins_later_has_no_day() -> None:
    story, blocker = held_up(approver="u-chief", until="2026-03-10")
    paused(story, blocker, "2026-03-11", "2026-03-20")
    story.tell(BLOCKER_CLEARED, blocker_id=blocker, date="2026-03-01")
    document = story.document()
    assert paused_days(document["clocks"][0]) == [["2026-02-01", "2026-03-01"]]
    assert [pause["end"] for pause in document["blockers"][0]["pauses"]] == ["2026-03-01", "2026-03-11"]


def test_an_approval_recorded_before_its_blocker_is_kept_for_it() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-01-10")
    paused(story, "e4", "2026-02-10", "2026-02-19")
    story.tell(BLOCKER_RAISED, kind="用电", cause="utility", owner="u-power", date="2026-02-01")
    assert paused_days(story.document()["clocks"][0]) == [["2026-02-10", "2026-02-20"]]


@pytest.mark.parametrize(("until", "codes"), [("2026-05-10", []), ("2026-05-11", ["pause-too-long"])])
def test_each_approval_reaches_90_days_and_no_further(until: str, codes: list[str]) -> None:
    story, blocker = held_up()
    paused(story, blocker, "2026-02-10", until)
    document = story.document()
    assert document["blockers"][0]["pauses"][0]["end"] == "2026-05-11"
    assert [warning["code"] for warning in document["warnings"]] == codes


def test_a_second_approval_goes_on_where_the_first_must_end() -> None:
    story, blocker = held_up()
    paused(story, blocker, "2026-02-10", "2026-05-10")
    paused(story, blocker, "2026-05-11", "2026-08-08")
    assert paused_days(story.document()["clocks"][0]) == [["2026-02-10", "2026-08-09"]]


def test_what_an_enterprise_causes_is_never_paused() -> None:
    story, blocker = held_up(cause="enterprise")
    paused(story, blocker, "2026-02-10", "2026-02-19")
    document = story.document()
    assert paused_days(document["clocks"][0]) == []
    assert [warning["code"] for warning in document["warnings"]] == ["pause-not-allowed"]


def test_where_a_document_is_needed_an_approval_without_one_does_not_count() -> None:
    story, blocker = held_up(approver="u-chief", until="2026-02-05")
    paused(story, blocker, "2026-02-10", "2026-02-19", document="园管函〔2026〕3号")
    blockers = story.document()["blockers"]
    assert [pause.approval["from"] for pause in approved(blockers, ALL_CAUSES)] == ["2026-02-01", "2026-02-10"]
    assert [pause.approval["from"] for pause in approved(blockers, ALL_CAUSES, needs_document=True)] == ["2026-02-10"]


@pytest.mark.parametrize("first", ["u-water", "u-power"])
def test_of_two_pauses_begun_on_one_day_the_one_recorded_first_has_the_day(first: str) -> None:
    """Recorded first is the approval, not the blocker."""
    story, power = held_up()
    water = story.tell(BLOCKER_RAISED, kind="用水", cause="utility", owner="u-water", date="2026-02-01")
    order = (water, power) if first == "u-water" else (power, water)
    for blocker in order:
        paused(story, blocker, "2026-02-10", "2026-02-19")
    (pause,) = approved(story.document()["blockers"], ALL_CAUSES)
    assert pause.blocker["owner"] == first


def test_days_under_several_pauses_belong_to_the_one_begun_first() -> None:
    story, power = held_up()
    water = story.tell(BLOCKER_RAISED, kind="用水", cause="utility", owner="u-water", date="2026-02-01")
    paused(story, water, "2026-02-15", "2026-02-25")
    paused(story, power, "2026-02-10", "2026-02-19")
    told = [
        (pause.blocker["owner"], pause.end - pause.begin)
        for pause in approved(story.document()["blockers"], ALL_CAUSES)
    ]
    assert told == [("u-power", 10), ("u-water", 6)]


def codes(document: dict[str, Any], *days: str) -> list[str]:
    return [light_on(document["clocks"][0]["lights"], day)["reason"]["code"] for day in days]


def test_three_working_days_before_its_last_day_a_pause_says_that_it_runs_out() -> None:
    story, blocker = held_up()
    paused(story, blocker, "2026-02-02", "2026-03-12")  # a Thursday
    document = story.document()
    assert codes(document, "2026-03-08", "2026-03-09", "2026-03-12", "2026-03-13") == [
        "paused",
        "pause-ending",
        "pause-ending",
        "in-time",
    ]
    assert light_on(document["clocks"][0]["lights"], "2026-03-09")["light"] == "grey"


def test_a_pause_that_ends_on_a_weekend_says_so_three_working_days_before_its_friday() -> None:
    story, blocker = held_up()
    paused(story, blocker, "2026-02-02", "2026-03-15")  # a Sunday
    assert codes(story.document(), "2026-03-09", "2026-03-10") == ["paused", "pause-ending"]


def test_a_short_pause_says_so_from_its_first_day() -> None:
    story, blocker = held_up()
    paused(story, blocker, "2026-03-11", "2026-03-12")
    assert codes(story.document(), "2026-03-10", "2026-03-11", "2026-03-12") == [
        "in-time",
        "pause-ending",
        "pause-ending",
    ]


def test_a_pause_that_goes_on_or_was_ended_by_its_clear_does_not_run_out() -> None:
    story, blocker = held_up()
    paused(story, blocker, "2026-02-02", "2026-03-12")
    paused(story, blocker, "2026-03-13", "2026-03-31")
    assert codes(story.document(), "2026-03-12", "2026-03-26", "2026-03-31") == [
        "paused",
        "pause-ending",
        "pause-ending",
    ]
    story.tell(BLOCKER_CLEARED, blocker_id=blocker, date="2026-03-12")
    assert codes(story.document(), "2026-03-10", "2026-03-11", "2026-03-12") == ["paused", "paused", "in-time"]


def test_paused_days_are_charged_to_the_unit_that_must_act_up_to_today() -> None:
    story, power = held_up()
    water = story.tell(BLOCKER_RAISED, kind="用水", cause="utility", owner=None, date="2026-02-01")
    paused(story, power, "2026-02-10", "2026-02-19")
    paused(story, water, "2026-02-15", "2026-02-25")
    (clock,) = story.document()["clocks"]
    assert [(pause["from"], pause["to"], pause["owner"], pause["approval"]) for pause in clock["paused_by"]] == [
        ("2026-02-10", "2026-02-20", "u-power", 1),
        ("2026-02-20", "2026-02-26", None, 2),
    ]

    def on(day: str) -> list[dict[str, Any]]:
        return charged(clock["paused_by"], date.fromisoformat(day).toordinal())

    assert on("2026-02-09") == []
    assert on("2026-02-10") == [{"owner": "u-power", "days": 1}]
    assert on("2026-03-31") == [{"owner": "u-power", "days": 10}, {"owner": None, "days": 6}]


# Promises.


def test_a_postponed_promise_rules_its_clock_and_the_first_one_is_kept() -> None:
    story, blocker = held_up(promise="2026-02-11")
    story.tell(BLOCKER_UPDATED, blocker_id=blocker, promise="2026-02-21", reason="备件未到")
    story.tell(BLOCKER_UPDATED, blocker_id=blocker, promise="2026-03-03", reason="备件仍未到")
    told = only(story)
    assert (told["promise"], told["first_promise"], told["postponed"]) == ("2026-03-03", "2026-02-11", 2)
    assert [update["reason"] for update in told["updates"]] == ["备件未到", "备件仍未到"]
    assert light_on(told["lights"], "2026-02-12")["light"] == "green"
    assert light_on(told["lights"], "2026-03-04")["light"] == "red"


def test_a_promise_brought_forward_is_no_postponement() -> None:
    story, blocker = held_up(promise="2026-02-21")
    story.tell(BLOCKER_UPDATED, blocker_id=blocker, promise="2026-02-11")
    story.tell(BLOCKER_UPDATED, blocker_id=blocker, promise="2026-02-11")
    told = only(story)
    assert (told["promise"], told["first_promise"], told["postponed"]) == ("2026-02-11", "2026-02-21", 0)


def test_a_promise_given_after_the_blocker_was_raised_is_the_first() -> None:
    story, blocker = held_up(owner=None)
    story.tell(BLOCKER_UPDATED, blocker_id=blocker, owner="u-power", promise="2026-02-11")
    told = only(story)
    assert (told["owner"], told["promise"], told["first_promise"], told["postponed"]) == (
        "u-power",
        "2026-02-11",
        "2026-02-11",
        0,
    )
    assert light_on(told["lights"], "2026-02-12")["reason"]["owner"] == "u-power"


def test_the_retraction_of_a_postponement_brings_the_promise_before_it_back() -> None:
    story, blocker = held_up(promise="2026-02-11")
    story.retracted(story.tell(BLOCKER_UPDATED, blocker_id=blocker, promise="2026-02-21"))
    told = only(story)
    assert (told["promise"], told["postponed"]) == ("2026-02-11", 0)
    assert light_on(told["lights"], "2026-02-12")["light"] == "red"


def test_dates_known_to_the_month_count_from_its_last_day_and_are_due_on_it() -> None:
    story, blocker = held_up(date="2026-02", promise="2026-03")
    story.tell(BLOCKER_UPDATED, blocker_id=blocker, promise="2026")
    told = only(story)
    assert (told["first_promise"], told["promise"], told["postponed"]) == ("2026-03", "2026", 1)
    last = light_on(told["lights"], "2026-12-31")
    assert (last["light"], last["reason"]["start"], last["reason"]["due"]) == ("yellow", "2026-02-28", "2026-12-31")
    assert last["reason"]["approximate"] is True
    assert light_on(told["lights"], "2027-01-01")["light"] == "red"


def test_a_blocker_cleared_in_some_month_pauses_until_its_last_day() -> None:
    story, blocker = held_up(approver="u-chief", until="2026-04-30")
    story.tell(BLOCKER_CLEARED, blocker_id=blocker, date="2026-03")
    assert paused_days(story.document()["clocks"][0]) == [["2026-02-01", "2026-03-31"]]


def test_what_is_told_of_an_unknown_blocker_is_one_warning() -> None:
    story = Story()
    story.registered()
    paused(story, "nobody", "2026-02-10", "2026-02-19")
    story.tell(BLOCKER_UPDATED, blocker_id="nobody", owner="u-power")
    story.tell(BLOCKER_CLEARED, blocker_id="nobody", date="2026-02-20")
    assert story.document()["warnings"] == [{"code": "unknown-blocker", "blocker": "nobody"}]
