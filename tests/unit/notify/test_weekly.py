"""The weekly report: whose projects it lists, what it says of each, when it goes, and that it goes once."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.days import BEGINNING, END_OF_TIME
from services.notify.channels.writing import lines, markdown, message_of
from services.notify.digesting import Digesting
from services.notify.directory import Entry
from services.notify.notifications import INBOX, Notification
from services.notify.outlines import outline_document, outline_from, outline_of
from tests.unit.notify.builders import clock, state
from tests.unit.notify.fakes import CallCounter, CrashError
from tests.unit.notify.mornings import WECOM, WHO, Mornings, Notifier

NOW = "2026-03-09T00:30:00.000Z"  # Monday, half past eight


def step(light: str, since: str = BEGINNING, until: str = END_OF_TIME, **reason: Any) -> dict[str, Any]:
    return {"light": light, "from": since, "to": until, "reason": {"code": "no-limit", **reason}}


def project(world: Mornings, name: str, light: str = "green", **fields: Any) -> None:
    told = {"stage": "signed", "stage_since": "2026-03-01", "next_stage": "land_supplied", "officer": WHO, **fields}
    world.hears(name, name=f"示例{name}厂", lights=[step(light)], **told)


def reported(digesting: Digesting, who: str = WHO) -> list[str]:
    report, _ = digesting.report(who)
    return [entry.project.id for entry in report.entries]


def digests(world: Mornings) -> list[Notification]:
    rows = [row for row in world.notifications.rows.values() if row.kind == "digest"]
    return sorted(rows, key=lambda row: (row.recipient, row.deliveries[0].channel))


def test_on_the_first_working_morning_every_project_is_listed_the_worst_first() -> None:
    world = Mornings()
    notifier = Notifier(world)
    for name, light in (("p-1", "green"), ("p-2", "red"), ("p-3", "blue"), ("p-4", "yellow"), ("p-5", "grey")):
        project(world, name, light)
    world.until(6, 8, 31)
    assert notifier.morning() == 0  # a Friday on which there is nothing to tell
    world.until(9, 8, 31)
    assert notifier.morning() == 2
    notifier.deliver()
    inbox, wecom = digests(world)
    assert [row.deliveries[0].channel for row in (inbox, wecom)] == [INBOX, WECOM]
    assert world.heard() == [[("projects", f"p-{number}") for number in (2, 4, 5, 1, 3)]]
    assert inbox.sheet is not None
    assert wecom.sheet is not None
    assert inbox.sheet.lines == wecom.sheet.lines
    assert [line.light for line in inbox.sheet.lines] == ["red", "yellow", "grey", "green", "blue"]
    assert inbox.texts.title_zh == "每周汇总 2026-03-09"
    assert inbox.texts.text_zh == "全部项目 5（红灯 1、黄灯 1、灰灯 1、绿灯 1、蓝灯 1）"
    assert inbox.texts.text_en == "All projects 5 (red 1, yellow 1, grey 1, green 1, blue 1)"
    assert not inbox.in_digest
    world.until(10, 8, 31)
    assert notifier.morning() == 0  # a Tuesday


def test_a_line_says_light_stage_days_in_it_what_is_due_and_why() -> None:
    world = Mornings()
    notifier = Notifier(world)
    reason: dict[str, Any] = {
        "code": "in-time",
        "route": "land",
        "gap": ["signed", "land_supplied"],
        "due": "2026-05-30",
    }
    basis: dict[str, Any] = {"start": "2026-03-01", "limit": 90, "unit": "calendar_days"}
    clocks = [{**clock(None, gap=("signed", "land_supplied")), "due": "2026-05-30"}]
    world.hears(
        "p-1",
        name="示例厂",
        lights=[step("green", **reason, **basis)],
        clocks=clocks,
        reached={"signed": "2026-03-01"},
        stage="signed",
        stage_since="2026-03-01",
    )
    world.until(9, 8, 31)
    (line,) = notifier.digesting.preview(WHO, WECOM)[0].lines or (None,)
    report, _ = notifier.digesting.report(WHO)
    assert [(e.days, e.due, e.lit.light if e.lit else None) for e in report.entries] == [(8, "2026-05-30", "green")]
    assert line is None  # the next digest is that of Tuesday
    world.until(6 + 7, 20)  # the evening of the Friday after
    (line,) = notifier.digesting.preview(WHO, WECOM)[0].lines
    assert line is not None
    assert line.zh.startswith(
        "绿灯 示例厂（某高新区）：签约，停留12天；下一期限2026-05-30；应于2026-05-30前供地，还有78天"
    )
    assert line.en.startswith("green 示例厂 (Some Zone): Signed for 12 days; next due 2026-05-30; In time: ")
    assert (line.number, line.url) == ("", "https://luodi.example/projects/p-1")


def test_all_who_are_named_have_it_through_posts_units_and_deputies() -> None:
    world = Mornings()
    notifier = Notifier(world)
    tenure = [{"holder": "u-post", "date": "2026-01-01", "until": None}]
    leave = [{"date": "2026-03-02", "until": "2026-03-20", "deputy": "u-deputy"}]
    people: dict[str, dict[str, Any]] = {
        "post:head": {"holders": tenure},
        "unit:power": {"head": "u-unit"},
        "person:u-away": {"leaves": leave},
    }
    world.directory.put([Entry(name, 0, 1, 1, {"registered": True, **told}) for name, told in people.items()])
    named = {"officer": "u-away", "group_head": "u-g", "lead_unit": "power", "leader": "head", "vice_leader": "u-v"}
    project(world, "p-1", **named)
    world.until(9, 8, 31)
    assert notifier.morning() == 5
    assert [row.recipient for row in digests(world)] == ["u-deputy", "u-g", "u-post", "u-unit", "u-v"]
    assert reported(notifier.digesting, "u-away") == []
    assert reported(notifier.digesting, "u-unit") == ["p-1"]
    assert reported(notifier.digesting, "u-other") == []


def test_withdrawn_projects_are_left_out_and_those_before_signing_have_no_light() -> None:
    world = Mornings()
    notifier = Notifier(world)
    project(world, "p-1", status="withdrawn")
    assert notifier.digesting.preview(WHO, WECOM)[1].title_zh == "每日汇总 2026-03-05"
    world.until(9, 8, 31)
    assert notifier.morning() == 0  # there is nothing to list
    project(world, "p-2", status="pool", stage=None)
    report, texts = notifier.digesting.report(WHO)
    assert [(entry.project.id, entry.lit) for entry in report.entries] == [("p-2", None)]
    assert texts.text_zh == "全部项目 1（无灯 1）"


def test_of_invented_projects_only_the_inbox_tells() -> None:
    world = Mornings()
    notifier = Notifier(world)
    project(world, "p-1", zone="demo")
    world.until(9, 8, 31)
    assert notifier.morning() == 1
    assert [row.deliveries[0].channel for row in digests(world)] == [INBOX]


def test_after_a_holiday_the_week_begins_with_its_first_worked_day() -> None:
    year = YearDays(off=frozenset({date(2026, 3, 9)}), made_up=frozenset())
    world = Mornings(Calendar.build(ZoneInfo("Asia/Shanghai"), {2026: year}))
    notifier = Notifier(world)
    project(world, "p-1")
    now = world.clock.now_text()
    assert notifier.digesting.reports_at(WHO, now) == "2026-03-10T00:30:00.000Z"
    for day, written in ((6, 0), (9, 0), (10, 2), (11, 0)):
        world.until(day, 8, 31)
        assert notifier.morning() == written, day


def test_a_week_whose_first_morning_was_missed_begins_when_notify_is_back() -> None:
    world = Mornings()
    project(world, "p-1")
    for day, written in ((5, 0), (6, 0), (11, 2), (12, 0)):  # away from Friday to Wednesday
        world.until(day, 8, 31)
        assert Notifier(world).morning() == written, day
    world.until(16, 8, 31)
    assert Notifier(world).morning() == 2


def test_what_is_told_that_morning_stands_before_the_projects_in_the_same_message() -> None:
    world = Mornings()
    notifier = Notifier(world)
    project(world, "p-1")
    world.overdue("p-2", lights=[step("red")])
    world.until(9, 8, 31)
    notifier.morning()
    notifier.deliver()
    assert world.heard() == [[("new", "p-2"), ("projects", "p-2"), ("projects", "p-1")]]


def test_a_robot_is_told_how_many_had_no_room() -> None:
    world = Mornings()
    notifier = Notifier(world)
    for number in range(200):
        project(world, f"p-{number:03}")
    world.until(9, 8, 31)
    notifier.morning()
    _, row = digests(world)
    for written in (lines, markdown):
        said = written(message_of(row, "zh-CN"), 2048)
        shown = said.count("绿灯 示例p-")
        assert 0 < shown < 200
        assert f"另有 {200 - shown} 项" in said
        assert len(said.encode()) <= 2048
        assert "编号 [" not in said
    assert "[查看](https://luodi.example/projects/p-000)" in markdown(message_of(row, "zh-CN"), 2048)


def test_an_outline_keeps_what_is_still_to_come_and_the_dates_of_every_version() -> None:
    one = {**clock(None, gap=("signed", "land_supplied")), "due": "2026-03-05"}
    versions = [{"version": "2026-01-01", "due": "2026-03-05"}, {"version": "2026-04-01", "due": "2026-02-01"}]
    gone = step("green", until="2026-03-08T16:00:00.000Z")
    shown = [gone, step("yellow", "2026-03-08T16:00:00.000Z", "2026-03-31T16:00:00.000Z"), step("red", NOW)]
    blocker = {"id": "b", "promise": "2026-06-01", "lights": [gone], "cleared": None}
    over = {**blocker, "id": "c", "promise": "2026-03-20", "cleared": "2026-03-01"}
    passed = {**one, "gap": ["before", "signed"], "due": "2026-04-20"}
    clocks = [{**one, "versions": versions}, passed]
    record = state(clocks=clocks, lights=shown, blockers=[blocker, over])
    found = outline_of(record, NOW)
    assert [lit.light for lit in found.lights] == ["yellow", "red"]
    assert found.next_due("2026-03-05") == "2026-03-05"
    assert found.next_due("2026-03-06") == "2026-06-01"
    assert found.next_due("2026-07-01") == "2026-02-01"
    assert outline_from(outline_document(found)) == found
    light = found.lit_at("2026-03-01T00:00:00.000Z")
    assert light is not None
    assert light.light == "yellow"


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_at_any_call_each_person_has_one_report_in_each_place(after: bool) -> None:
    def morning(crash_at: int | None) -> tuple[Mornings, int]:
        world, counter = Mornings(), CallCounter()
        counter.crash_at, counter.after = crash_at, after
        project(world, "p-1")
        world.overdue("p-2", group_head="u-g")
        world.until(9, 8, 31)
        notifier = Notifier(world, counter)
        for _ in range(2):
            try:
                notifier.morning()
                notifier.deliver()
            except CrashError:
                notifier = Notifier(world)
                world.clock.advance(31)
        return world, counter.count

    whole, calls = morning(None)
    assert [row.recipient for row in digests(whole)] == ["u-g", WHO, WHO]
    for number in range(1, calls + 1):
        world, _ = morning(number)
        Notifier(world).morning()
        assert [row.id for row in digests(world)] == [row.id for row in digests(whole)], number
        said = [row.sheet.lines for row in digests(world) if row.sheet is not None]
        assert said == [row.sheet.lines for row in digests(whole) if row.sheet is not None], number
