"""A clock in full: what was counted, what was left out and why, what comes next, in words."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain import explain
from luodi.domain.assess import assess
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import light_at
from luodi.domain.events import BLOCKER_PAUSED, BLOCKER_RAISED, BLOCKER_UPDATED, LAND_CONTRACT_RECORDED, Event
from luodi.domain.fold import fold
from luodi.domain.stages import ROUTES, Language
from luodi.runtime.calendars import published_by_library
from tests.rules import PACKAGED, with_presets
from tests.unit.domain.builders import SHANGHAI, SUBJECT, UNHURRIED, Story
from tests.unit.domain.strategies import histories

CHINESE = re.compile("[\u4e00-\u9fff]")
ZH: Language = "zh-CN"
EN: Language = "en"


@cache
def named() -> Calendar:
    """The published years with the names of their holidays."""
    return Calendar.build(SHANGHAI, published_by_library())


def site(**fields: Any) -> Story:
    """Land supplied on 2026-02-06: the start is due within 60 working days, across the Spring Festival."""
    story = Story()
    story.registered(**{"officer": "u-li"} | fields)
    story.reached("signed", "2025-12-01")
    story.reached("land_supplied", "2026-02-06")
    return story


def explained(story: Story, day: str, language: Language = ZH, place: int = 0) -> dict[str, Any]:
    document = story.document(calendar=named())
    return explain.clock(document["clocks"][place], document, date.fromisoformat(day), named(), language)


# What was counted.


def test_every_day_after_day_0_is_counted_or_left_out_for_a_reason() -> None:
    counting = explained(site(), "2026-03-05")["counting"]
    assert (counting["from"], counting["through"], counting["calendar_days"]) == ("2026-02-07", "2026-03-05", 27)
    assert [(entry["why"], entry.get("name"), entry["days"]) for entry in counting["excluded"]] == [
        ("holiday", "春节", 9),
        ("weekend", None, 3),
    ]
    assert (counting["excluded"][0]["from"], counting["excluded"][0]["to"]) == ("2026-02-15", "2026-02-23")
    assert counting["made_up"] == [{"date": "2026-02-14", "name": "春节"}, {"date": "2026-02-28", "name": "春节"}]
    assert counting["counted"] == 27 - 9 - 3


def test_a_holiday_has_its_name_in_the_language_of_the_reader() -> None:
    assert explained(site(), "2026-03-05", EN)["counting"]["excluded"][0]["name"] == "Spring Festival"


def test_a_paused_day_that_is_no_working_day_anyway_is_left_out_once() -> None:
    story = site()
    story.paused("2026-02-13", "2026-03-02")
    counting = explained(story, "2026-03-05")["counting"]
    assert [(entry["why"], entry["days"]) for entry in counting["excluded"]] == [
        ("holiday", 9),
        ("weekend", 3),
        ("pause", 8),  # 13, 14 (made up), 24 to 27, 28 (made up) February and 2 March
    ]
    assert counting["calendar_days"] == counting["counted"] + sum(entry["days"] for entry in counting["excluded"])
    assert counting["made_up"] == []


def test_calendar_days_leave_out_pauses_only() -> None:
    story = Story()
    story.registered()
    story.reached("signed", "2026-02-06")
    story.paused("2026-02-13", "2026-03-02")
    counting = explained(story, "2026-03-05")["counting"]
    assert counting["unit"] == "calendar_days"
    assert [(entry["why"], entry["days"], entry["owner"]) for entry in counting["excluded"]] == [
        ("pause", 18, "u-power")
    ]
    assert counting["counted"] == 27 - 18


@pytest.mark.parametrize("day", ["2026-02-06", "2026-01-01"])
def test_on_day_0_and_before_nothing_is_counted(day: str) -> None:
    told = explained(site(), day)
    assert (told["counting"]["calendar_days"], told["counting"]["counted"], told["counting"]["excluded"]) == (0, 0, [])
    assert "尚未开始计时" in told["text"]


@st.composite
def sites(draw: st.DrawFn) -> tuple[Story, date]:
    """A project on any route with up to four pauses, and a day on which somebody asks."""
    route = draw(st.sampled_from(sorted(ROUTES)))
    start = draw(st.dates(date(2005, 1, 1), date(2028, 1, 1)))
    story = Story()
    story.registered(route=route)
    story.reached(draw(st.sampled_from(ROUTES[route].stages[:-1])), start.isoformat())
    for begin, length, cause in draw(
        st.lists(
            st.tuples(st.integers(-30, 200), st.integers(0, 89), st.sampled_from(["utility", "enterprise"])), max_size=4
        )
    ):
        first = start + timedelta(days=begin)
        story.paused(first.isoformat(), (first + timedelta(days=length)).isoformat(), cause=cause)
    return story, start + timedelta(days=draw(st.integers(-5, 400)))


@settings(UNHURRIED, max_examples=80)
@given(sites())
def test_the_arithmetic_is_open(case: tuple[Story, date]) -> None:
    """Calendar days = counted days + days left out, whatever was paused and whichever days were free."""
    story, day = case
    document = story.document(calendar=named())
    (clock,) = document["clocks"]
    told = explain.clock(clock, document, day, named(), ZH)
    counting = told["counting"]
    assert counting["calendar_days"] == counting["counted"] + sum(entry["days"] for entry in counting["excluded"])
    assert all(entry["days"] > 0 for entry in counting["excluded"])
    for entry in counting["excluded"]:
        if "from" in entry:
            assert counting["from"] <= entry["from"] <= entry["to"] <= counting["through"]


# What comes next, and who is told.


def test_the_changes_ahead_end_with_red_and_the_one_who_is_told() -> None:
    coming = explained(site(), "2026-03-05")["next"]
    assert [(change["on"], change["light"], change["tell"]) for change in coming] == [
        ("2026-04-22", "yellow", []),
        ("2026-05-13", "red", [{"role": "officer", "who": "u-li"}]),
    ]


def test_what_is_told_of_the_changes_ahead_is_what_the_lights_will_show() -> None:
    story = site()
    story.paused("2026-03-10", "2026-04-20")
    document = story.document(calendar=named())
    (clock,) = document["clocks"]
    coming = explain.clock(clock, document, date(2026, 3, 5), named(), ZH)["next"]
    assert [(change["light"], change["reason"]["code"]) for change in coming] == [
        ("grey", "paused"),
        ("grey", "pause-ending"),
        ("green", "in-time"),
        ("yellow", "due-soon"),
        ("red", "overdue"),
    ]
    for change in coming:
        shown = light_at(clock["lights"], named().midnight(date.fromisoformat(change["on"])))
        assert (shown["light"], shown["reason"]["code"]) == (change["light"], change["reason"]["code"])


def test_after_red_nothing_is_ahead() -> None:
    told = explained(site(), "2026-06-01")
    assert told["next"] == []
    assert "由专员u-li跟进" in told["text"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, ("officer", "u-li")),
        ({"officer": None, "group_head": "u-wang", "leader": "u-chief"}, ("group_head", "u-wang")),
        ({"officer": None, "lead_unit": "unit-1"}, ("lead_unit", "unit-1")),
        ({"officer": None, "leader": "u-chief"}, ("leader", "u-chief")),
        ({"officer": None}, ("zone", "demo")),
    ],
)
def test_the_first_of_those_responsible_is_told(fields: dict[str, Any], told: tuple[str, str]) -> None:
    document = site(**fields).document()
    assert explain.told_first(document) == {"role": told[0], "who": told[1]}


def test_of_a_project_of_no_zone_the_operators_are_told() -> None:
    story = Story()
    story.reached("signed", "2026-02-06")
    document = story.document()
    assert explain.told_first(document) == {"role": "operators", "who": None}


# In words.


@pytest.mark.parametrize(
    ("day", "language", "text"),
    [
        (
            "2026-03-05",
            ZH,
            "绿灯：应于2026-05-12前开工，还有68天（2026-02-06供地，限60个工作日）；如无进展，2026-04-22转黄灯，"
            "2026-05-13转红灯并通知专员u-li。自2026-02-07起已计15个工作日，限60个工作日，未计春节9天、周末3天，补班2天照计。",
        ),
        (
            "2026-03-05",
            EN,
            "Green. In time: the start of construction is due by 2026-05-12, 68 days left (60 working days from land "
            "supply on 2026-02-06); unless something is reported, yellow from 2026-04-22, red from 2026-05-13 with a "
            "notice to officer u-li. Since 2026-02-07 15 working days were counted of 60, leaving out 9 days of Spring "
            "Festival, 3 days of weekends; make-up workdays counted: 2.",
        ),
        (
            "2026-05-20",
            ZH,
            "红灯：应于2026-05-12前开工，已超期8天（2026-02-06供地，限60个工作日）；由专员u-li跟进。自2026-02-07起已计66个"
            "工作日，限60个工作日，未计春节9天、清明3天、劳动节5天、周末20天，补班3天照计。",
        ),
    ],
)
def test_a_clock_in_two_sentences(day: str, language: Language, text: str) -> None:
    assert explained(site(), day, language)["text"] == text


def test_a_pause_names_who_approved_it_by_which_paper_and_who_must_act() -> None:
    story = site()
    blocker = story.tell(BLOCKER_RAISED, kind="用电", cause="utility", owner="u-power", date="2026-03-01")
    approval = {"approver": "u-chief", "until": "2026-04-30", "document": "园管函〔2026〕3号", "note": "线路改造"}
    story.tell(BLOCKER_PAUSED, blocker_id=blocker, date="2026-03-02", **approval)
    told = explained(story, "2026-03-12")
    assert told["pauses"] == [
        {
            "from": "2026-03-02",
            "to": "2026-04-30",
            "open": True,
            "blocker": blocker,
            "kind": "用电",
            "kind_name": "用电",
            "cause": "utility",
            "owner": "u-power",
            "approver": "u-chief",
            "document": "园管函〔2026〕3号",
            "until": "2026-04-30",
            "reason": "线路改造",
        }
    ]
    assert "2026-05-01恢复计时（绿灯）" in told["text"]
    assert "用电问题暂停9天（u-power负责）" in told["text"]


def test_a_due_date_in_a_year_that_is_not_published_is_provisional_and_says_so() -> None:
    story = Story()
    story.registered()
    story.reached("land_supplied", "2026-12-01")
    assert explained(story, "2026-12-10")["text"].endswith("2027年放假安排尚未公布，期限为暂估。")
    assert "holidays of 2027 are not published yet" in explained(story, "2026-12-10", EN)["text"]


def test_a_postponed_promise_says_what_was_promised_first() -> None:
    story = site()
    raised = {"kind": "用水", "cause": "utility", "owner": "u-water", "date": "2026-03-01", "promise": "2026-03-10"}
    blocker = story.tell(BLOCKER_RAISED, **raised)
    for day in ("2026-03-20", "2026-04-01"):
        story.tell(BLOCKER_UPDATED, blocker_id=blocker, promise=day)
    document = story.document(calendar=named())
    told = {
        language: explain.promise(document["blockers"][0], document, date(2026, 3, 5), named(), language)["text"]
        for language in (ZH, EN)
    }
    assert told[ZH].endswith("原承诺2026-03-10，已推迟2次。")
    assert told[EN].endswith("First promised for 2026-03-10, postponed 2 times.")


def test_a_clock_of_law_says_what_follows_and_stands_still_only_for_an_approval_with_a_document() -> None:
    story = site()
    story.tell(LAND_CONTRACT_RECORDED, start_by="2026-03-31")
    blocker = story.tell(BLOCKER_RAISED, kind="规划", cause="government", owner="unit-plan", date="2026-06-01")
    for begin, document in (("2026-06-01", None), ("2026-07-01", "自然资函〔2026〕9号")):
        until = (date.fromisoformat(begin) + timedelta(days=29)).isoformat()
        approval = {"date": begin, "approver": "u-chief", "until": until, "document": document}
        story.tell(BLOCKER_PAUSED, blocker_id=blocker, **approval)
    found = story.document(with_presets("zone-default", "idle-land"), named())
    day = date(2026, 10, 1)
    told = {c["rule"]: explain.clock(c, found, day, named(), ZH) for c in found["clocks"]}
    assert [(pause["from"], pause["document"]) for pause in told["zone-default"]["pauses"]] == [
        ("2026-06-01", None),
        ("2026-07-01", "自然资函〔2026〕9号"),
    ]
    fee = told["idle-land-fee"]
    assert [pause["document"] for pause in fee["pauses"]] == ["自然资函〔2026〕9号"]
    assert fee["counting"]["from"] == "2026-04-01"
    assert "规划问题暂停30天（unit-plan负责）" in fee["text"]
    assert fee["text"].endswith("逾期后果：可按土地价款的20%以内征缴土地闲置费。")
    assert [change["on"] for change in fee["next"] if change["light"] == "red"] == ["2027-05-01"]


def test_a_plan_in_the_place_of_a_limit_counts_calendar_days() -> None:
    story = site()
    story.reached("started", "2026-03-01")
    story.planned("completed", "2026-12-31")
    told = explained(story, "2026-03-31")
    assert (told["name"], told["counting"]["counted"], told["counting"]["excluded"]) == ("开工→竣工", 30, [])
    assert "计划于2026-12-31前竣工" in told["text"]


@pytest.mark.parametrize(
    ("verdict", "over", "language", "text"),
    [
        ("in_time", 0, ZH, "签约→供地：2026-01-10至2026-03-01，用50天，期限2026-04-10，按期。"),
        ("late", 12, ZH, "签约→供地：2026-01-10至2026-03-01，用50天，期限2026-04-10，超期12天。"),
        (
            "late",
            1,
            EN,
            "Signed → Land supplied: 2026-01-10 to 2026-03-01, 50 days used, due by 2026-04-10, 1 day late.",
        ),
    ],
)
def test_a_closed_gap_in_a_sentence(verdict: str, over: int, language: Language, text: str) -> None:
    gap = {"gap": ["signed", "land_supplied"], "rule": "zone-default", "start": "2026-01-10", "closed": "2026-03-01"}
    closed = gap | {"due": "2026-04-10", "days": 50, "over": over, "verdict": verdict}
    assert explain.closed(closed, {"route": "land"}, language)["text"] == text


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("zone-default", ("签约→供地", "Signed → Land supplied")),
        ("plan", ("签约→供地（按计划）", "Signed → Land supplied (by plan)")),
        ("idle-land-fee", ("签约→供地（idle-land-fee）", "Signed → Land supplied (idle-land-fee)")),
    ],
)
def test_a_closed_gap_names_the_rule_where_it_is_not_the_zones_default(rule: str, names: tuple[str, str]) -> None:
    gap = {"gap": ["signed", "land_supplied"], "rule": rule, "start": "2026-01-10", "closed": "2026-03-01"}
    closed = gap | {"due": "2026-04-10", "days": 50, "over": 0, "verdict": "in_time"}
    assert tuple(explain.closed(closed, {"route": "land"}, language)["name"] for language in (ZH, EN)) == names


def test_a_changed_plan_says_what_was_planned_first() -> None:
    story = site()
    story.reached("started", "2026-03-01")
    story.planned("completed", "2026-12-31")
    assert "原定" not in explained(story, "2026-03-31")["text"]
    story.planned("completed", "2027-03-31", reason="设计变更", approver="u-chief")
    assert explained(story, "2026-03-31")["text"].endswith("原定2026-12-31，现定2027-03-31，已调整1次。")
    assert (
        "First planned for 2026-12-31, now for 2027-03-31, changed once" in explained(story, "2026-03-31", EN)["text"]
    )


@settings(UNHURRIED, max_examples=60)
@given(histories(), st.dates(date(2025, 1, 1), date(2028, 1, 1)))
def test_every_clock_of_any_history_is_explained_in_both_languages(events: list[Event], day: date) -> None:
    document = assess(SUBJECT, fold(events), with_presets(*PACKAGED.presets), named())
    for language in (ZH, EN):
        for clock in document["clocks"]:
            text = explain.clock(clock, document, day, named(), language)["text"]
            assert "{" not in text
            assert language == ZH or not CHINESE.search(text), text
        for blocker in document["blockers"]:
            if blocker["lights"]:
                assert explain.promise(blocker, document, day, named(), language)["text"]
        for gap in document["closed"]:
            assert explain.closed(gap, document, language)["text"]
