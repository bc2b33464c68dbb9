"""Decisions (交办): their day as a clock, extensions counted, done and taken back."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

from luodi.domain import registers
from luodi.domain.decisions import (
    DECISION_AMENDED,
    DECISION_DONE,
    DECISION_EXTENDED,
    DECISION_REGISTERED,
    DECISION_REPORTED,
    Standing,
    Tally,
)
from luodi.domain.events import EVENT_RETRACTED, Event
from luodi.domain.fold import fold
from luodi.domain.subjects import unrecorded
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import light_on, published

SUBJECT = "decision:d1"
TODAY = date(2026, 6, 3)  # a Wednesday
NOW = "2026-06-03T04:00:00.000Z"


class Minutes:
    """What is told of one decision, one second after the other on 1 June."""

    def __init__(self, **fields: Any) -> None:
        self.events: list[Event] = []
        self._numbers = count(1)
        told = {"text": "完成线路迁改", "meeting": "调度会", "zone": "demo", "owner": "power", "due": "2026-06-11"}
        self.tell(DECISION_REGISTERED, **told | {"date": "2026-06-01"} | fields)

    def tell(self, type_: str, **data: Any) -> str:
        number = next(self._numbers)
        event = Event(SUBJECT, f"e{number}", type_, f"2026-06-01T01:00:{number:02d}.000Z", 0, "u-office", data)
        self.events.append(event)
        return event.id

    def document(self) -> dict[str, Any]:
        return registers.told(SUBJECT, fold(self.events, unrecorded), DEFAULT_RULES, published())

    @property
    def course(self) -> dict[str, Any]:
        course: dict[str, Any] = self.document()["course"]
        return course

    def light(self, day: str) -> str:
        return str(light_on(self.course["lights"], day)["light"])

    def standing(self, now: str = NOW) -> Standing:
        return Standing(self.document(), now)


def test_its_day_is_in_time_yellow_from_four_fifths_and_the_day_itself_is_still_in_time() -> None:
    told = Minutes()  # ten days: 1 to 11 June
    assert {day: told.light(f"2026-06-{day:02d}") for day in (8, 9, 11, 12)} == {
        8: "green",
        9: "yellow",
        11: "yellow",
        12: "red",
    }
    reason = light_on(told.course["lights"], "2026-06-12")["reason"]
    assert (reason["code"], reason["owner"], reason["due"]) == ("decision-overdue", "power", "2026-06-11")


def test_without_a_date_it_was_decided_on_the_day_it_was_recorded() -> None:
    assert Minutes(date=None).course["begun"] == "2026-06-01"


def test_a_later_day_is_counted_however_it_is_told_and_the_first_is_kept() -> None:
    told = Minutes()
    told.tell(DECISION_EXTENDED, due="2026-06-20", reason="设备未到", approver="l-1")
    told.tell(DECISION_AMENDED, due="2026-06-30")
    told.tell(DECISION_EXTENDED, due="2026-06-25", reason="提前到货", approver="l-1")
    told.tell(DECISION_AMENDED, level="重大")
    assert told.document()["due"] == "2026-06-25"
    assert (told.course["first_due"], told.course["extended"]) == ("2026-06-11", 2), "a day brought forward is none"
    assert [row["due"] for row in told.course["extensions"]] == ["2026-06-20", "2026-06-30", "2026-06-25"]
    assert told.light("2026-06-26") == "red"
    assert told.document()["level"] == "重大"


def test_a_retracted_extension_never_was() -> None:
    told = Minutes()
    extension = told.tell(DECISION_EXTENDED, due="2026-06-20", reason="设备未到", approver="l-1")
    told.tell(EVENT_RETRACTED, event_id=extension, reason="未批准")
    assert (told.document()["due"], told.course["extended"]) == ("2026-06-11", 0)


def test_done_it_has_no_light_and_taken_back_it_has_one_again() -> None:
    told = Minutes(due="2026-06-02")
    assert told.standing().overdue
    done = told.tell(DECISION_DONE, date="2026-06-03")
    assert (told.course["status"], told.course["done"], told.course["lights"]) == ("done", "2026-06-03", [])
    assert not told.standing().overdue
    told.tell(EVENT_RETRACTED, event_id=done, reason="未完成")
    assert (told.course["status"], told.light("2026-06-03")) == ("open", "red")


def test_reports_stand_in_the_order_of_recording() -> None:
    told = Minutes()
    told.tell(DECISION_REPORTED, text="塔基完成")
    told.tell(DECISION_REPORTED, text="架线", note="附照片")
    assert [(row["text"], row["note"]) for row in told.course["reports"]] == [("塔基完成", None), ("架线", "附照片")]


def test_what_came_before_the_registration_waits_for_it() -> None:
    told = Minutes()
    registration, report = told.events[0], told.tell(DECISION_REPORTED, text="已开始")
    told.events = [event for event in told.events if event.id == report]
    early = told.document()
    assert (early["registered"], early["course"]["lights"], early["course"]["first_due"]) == (False, [], None)
    assert Standing(early, NOW).is_("open")
    told.events.append(registration)
    assert told.light("2026-06-12") == "red"


def test_the_numbers_count_what_their_definitions_say() -> None:
    tally = Tally()
    for fields, done in (
        ({"due": "2026-06-02"}, None),
        ({"due": "2026-06-07"}, None),
        ({"due": "2026-06-08"}, None),
        ({"due": "2026-06"}, None),
        ({"due": "2026-06-01"}, "2026-06-02"),
        ({"due": "2026-06-02"}, "2026-06-02"),
    ):
        told = Minutes(**fields)
        if done:
            told.tell(DECISION_DONE, date=done)
        tally.add(told.standing(), TODAY)
    assert (tally.decisions, tally.open, tally.overdue, tally.due_this_week) == (6, 4, 1, 2)
    assert (tally.done, tally.done_late, tally.unreported, tally.extended) == (2, 1, 4, 0)
