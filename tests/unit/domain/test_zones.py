"""What stands on a zone: figures, targets and publications, each folded from events in any order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luodi.domain.calendar import Calendar
from luodi.domain.corrections import Change, changes, sentence, summary
from luodi.domain.events import EVENT_RETRACTED, Event
from luodi.domain.figures import FIGURE_REPORTED, Breakdown, Figure, figures_of, newest, of_year
from luodi.domain.fold import fold
from luodi.domain.kinds import KINDS
from luodi.domain.publishing import PUBLICATION_MADE
from luodi.domain.targets import TARGET_SET, attainment, expected
from luodi.domain.targets import sentence as target_sentence
from luodi.domain.zones import ZONE_AMENDED, ZONE_REGISTERED
from tests.rules import DEFAULT_RULES

CALENDAR = Calendar.build(ZoneInfo("Asia/Shanghai"), {})
YI = 100_000_000
HEAD = {"name": "企业", "name_en": "enterprises", "source": "月报", "as_of": "2026-05-31"}


def event(number: int, type_: str, data: Mapping[str, Any], id_: str | None = None) -> Event:
    at = f"2026-06-01T00:{number // 60:02d}:{number % 60:02d}.000Z"
    return Event("zone:demo", id_ or f"e{number}", type_, at, 0, "u-clerk", data)


def document(*events: Event) -> dict[str, Any]:
    kind = KINDS["zone"]
    told = [kind.document("zone:demo", fold(each, kind.empty), DEFAULT_RULES, CALENDAR) for each in shuffled(events)]
    assert all(each == told[0] for each in told)
    return told[0]


def shuffled(events: tuple[Event, ...]) -> list[list[Event]]:
    """The events as recorded, and in other orders of arrival, some twice."""
    dice = random.Random(7)
    return [list(events), *(dice.sample([*events, *events], 2 * len(events)) for _ in range(4))]


def figure(number: int, name: str = "f", **data: Any) -> Event:
    return event(number, FIGURE_REPORTED, {"figure": name, **HEAD, **data})


def target(number: int, **data: Any) -> Event:
    return event(number, TARGET_SET, {"year": 2026, "measure": "signed", "value": 60, **data})


def test_a_zone_without_figures_has_no_chapter_of_them() -> None:
    told = document(event(1, ZONE_REGISTERED, {"name": "示例"}), event(2, ZONE_AMENDED, {"place": "某市"}))
    assert told == {"registered": True, "name": "示例", "place": "某市", "updated_at": "2026-06-01T00:00:02.000Z"}


def test_a_figure_reported_again_for_its_period_is_a_correction() -> None:
    told = document(figure(1, value=12, period="2026-05"), figure(2, value=13, period="2026-05", as_of="2026-06-02"))
    (row,) = told["figures"]
    assert (row["value"], row["as_of"], row["corrected"], row["id"]) == (13, "2026-06-02", 1, "e2")


def test_of_a_later_period_both_stand_and_the_newest_is_shown() -> None:
    told = document(figure(1, value=12), figure(2, "g", value=1), figure(3, value=14, as_of="2026-06-30"))
    assert [(row["figure"], row["value"]) for row in told["figures"]] == [("f", 12), ("g", 1), ("f", 14)]
    assert [(row["figure"], row["value"]) for row in newest(told["figures"])] == [("f", 14), ("g", 1)]


def test_a_retracted_correction_leaves_the_figure_before_it() -> None:
    told = document(
        figure(1, value=12), figure(2, value=13), event(3, EVENT_RETRACTED, {"event_id": "e2", "reason": "误报"})
    )
    (row,) = told["figures"]
    assert (row["value"], row["corrected"]) == (12, 0)


def test_a_reported_sum_keeps_its_difference_to_the_parts() -> None:
    parts = [
        {"name": "印刷包装", "name_en": "printing", "count": 5, "amount": 1_656_000_000},
        {"name": "生物医药", "count": 18, "amount": 123 * YI},
    ]
    told = document(figure(1, count=24, value=24_898_000_000, unit="元", word="主要", word_en="mainly", parts=parts))
    (sum_,) = figures_of("demo", told["figures"])
    assert isinstance(sum_, Breakdown)
    assert (sum_.difference, sum_.difference_count) == (24_898_000_000 - 13_956_000_000, 1)
    assert sum_.sentence() == (
        "企业24个，248.98亿元；主要：印刷包装5个16.56亿元、生物医药18个123亿元，合计23个139.56亿元，差额1个109.42亿元"
    )
    assert sum_.sentence("en").endswith("together 23 for 139.56: a difference of 1 and 109.42")


def test_a_sum_without_parts_says_only_itself() -> None:
    (sum_,) = figures_of("demo", document(figure(1, count=2, value=YI, unit="元"))["figures"])
    assert isinstance(sum_, Breakdown)
    assert (sum_.sentence(), sum_.sentence("en")) == ("企业2个，1亿元", "2 enterprises, 1 hundred million yuan")


def test_words_are_a_figure_too() -> None:
    (told,) = figures_of("demo", document(figure(1, words=["新材料", "电子信息"]))["figures"])
    assert isinstance(told, Figure)
    assert (told.value, told.words) == (None, ("新材料", "电子信息"))


@pytest.mark.parametrize(
    ("data", "year"), [({"period": "2025-01/2025-09"}, 2025), ({"period": "2024"}, 2024), ({}, 2026)]
)
def test_a_figure_is_of_the_year_in_which_its_period_ends(data: dict[str, Any], year: int) -> None:
    rows = document(figure(1, value=1, **data))["figures"]
    assert of_year(rows, "f", year) is not None
    assert of_year(rows, "f", year + 1) is None
    assert of_year(rows, "g", year) is None


def test_a_target_set_again_keeps_its_first_value_and_counts_the_changes() -> None:
    told = document(target(1), target(2, value=64), target(3, value=64, reason="重申"), target(4, unit="u-1", value=6))
    zone, unit = told["targets"]
    assert (zone["value"], zone["first"], zone["changes"], zone["reason"]) == (64, 60, 1, "重申")
    assert (unit["unit"], unit["value"], unit["changes"]) == ("u-1", 6, 0)


def test_a_yearly_target_is_held_against_the_months_that_are_over() -> None:
    row = {"year": 2026, "measure": "started", "value": 48, "by_month": [2, 2, 5, *[39 / 9] * 9]}
    found = attainment(row, 12, 3, "个")
    assert (found.percent, found.expected, found.points, found.difference, found.reached) == (25.0, 9, 6.2, -36, False)
    assert target_sentence("当年开工项目", row, found, "个", "zh-CN") == (
        "2026年目标：当年开工项目48个；已完成12个，完成25.0%，快于序时6.2个百分点"
    )
    assert "6.2 points ahead of the year" in target_sentence("started", row, found, "projects", "en")


def test_a_target_of_how_things_stand_has_no_share_of_the_year() -> None:
    found = attainment({"year": 2026, "measure": "enterprises", "value": 540}, 518, 5, "家")
    assert (found.percent, found.expected, found.points) == (95.9, None, None)


def test_a_target_of_a_growth_rate_is_told_by_its_difference_alone() -> None:
    found = attainment({"year": 2026, "figure": "f", "value": 12.5}, 13.1, 5, "%")
    assert (found.percent, found.difference, found.reached) == (None, 0.6, True)


def test_a_target_of_which_nothing_is_known_says_so() -> None:
    row = {"year": 2026, "figure": "f", "value": 5}
    found = attainment(row, None, 5, "")
    assert (found.percent, found.difference, found.reached) == (None, None, None)
    assert target_sentence("f", row, found, "", "zh-CN") == "2026年目标：f5；尚无数据"


def test_money_of_a_target_is_told_in_ten_thousands() -> None:
    row = {"year": 2026, "measure": "signed_investment", "value": 2 * YI}
    text = target_sentence("签约额", row, attainment(row, 120_500_000, 12, "元"), "元", "zh-CN")
    assert text == "2026年目标：签约额20000万元；已完成12050万元，完成60.3%，慢于序时39.7个百分点"


def test_without_months_an_equal_share_of_the_year_is_due() -> None:
    assert (expected(60, None, 5), expected(61, None, 5), expected(60, None, 0)) == (25, 25.42, 0)


def test_publications_of_one_period_are_numbered_and_name_the_one_before() -> None:
    may = {"period": "2026-05", "as_of": "2026-05-31"}
    told = document(
        event(1, PUBLICATION_MADE, may),
        event(2, PUBLICATION_MADE, {"period": "2026-04", "as_of": "2026-04-30"}),
        event(3, PUBLICATION_MADE, may),
    )
    assert [(row["id"], row["number"], row["replaces"]) for row in told["publications"]] == [
        ("e1", 1, None),
        ("e2", 1, None),
        ("e3", 2, "e1"),
    ]


def test_what_differs_is_told_in_the_order_of_the_list_and_in_words() -> None:
    before = {"status": "active", "investment": YI, "light": "red", "reached.signed": "2026-01-05", "key": None}
    after = {
        "status": "active",
        "investment": 2 * YI,
        "light": "green",
        "stage": "started",
        "reached.signed": "2026-01-05",
        "reached.started": "",
        "key": True,
    }
    found = changes(before, after)
    assert found == (
        Change("light", "red", "green"),
        Change("stage", None, "started"),
        Change("reached.started", None, ""),
        Change("investment", YI, 2 * YI),
        Change("key", None, True),
    )
    assert sentence(found, "plant", "zh-CN") == (
        "灯色由红灯改为绿灯；当前节点由无改为进场装修；进场装修日期由无改为日期不详；总投资由1亿元改为2亿元；重点由无改为是"
    )
    assert sentence(found[:1], "plant", "en") == "light: red, now green"


def test_of_a_project_that_was_not_there_nothing_is_said() -> None:
    assert summary(None, "2026-06-01T00:00:00.000Z") == {}
