from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import luodi.domain
from luodi.domain.assess import assess
from luodi.domain.clocks import LIGHTS
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.reasons import LIGHT_NAMES, SENTENCES, light_name, text
from luodi.domain.stages import Language
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, UNHURRIED, Story, light_on, published, whole
from tests.unit.domain.strategies import histories

CHINESE = re.compile("[\u4e00-\u9fff]")
CODE = re.compile(r"[a-z]+(-[a-z]+)+|finished|overdue|paused|phased|published|withdrawn")
MODULES = (
    *("assess", "awaiting", "blockers", "clocks", "counting", "courses", "lights", "rollup", "verifying"),
    *("performance", "procedures", "taskforce"),
    *("decisions", "enterprises", "qualifications"),
)
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


def codes_in_the_source() -> set[str]:
    """Every text constant of the rooms that give reasons that stands where a code stands."""
    found = set()
    for module in MODULES:
        tree = ast.parse((Path(luodi.domain.__path__[0]) / f"{module}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant):
                        found.add(str(value.value))
            elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "said":
                said = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
                found |= {str(said.value)} if isinstance(said, ast.Constant) else set()
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                names = [element.id for element in node.targets[0].elts if isinstance(element, ast.Name)]
                if "code" in names:
                    constants = [c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)]
                    found |= {str(value) for value in constants if CODE.fullmatch(str(value))}
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("_CODES"):
                found |= {str(c.value) for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
    return found


def test_every_code_in_use_has_a_sentence_and_every_sentence_a_use() -> None:
    assert codes_in_the_source() == set(SENTENCES)


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_a_code_without_any_values_is_still_a_sentence_in_both_languages(code: str) -> None:
    for language in LANGUAGES:
        for today in (None, date(2026, 3, 5)):
            sentence = text({"code": code}, language, today)
            assert sentence
            assert "{" not in sentence
            assert bool(CHINESE.search(sentence)) is (language == "zh-CN")


def test_an_unknown_code_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        text({"code": "unheard-of"}, "en")


@settings(UNHURRIED, max_examples=100)
@given(histories())
def test_every_reason_and_warning_of_a_document_can_be_said(events: list[Event]) -> None:
    document = whole(assess(SUBJECT, fold(events), DEFAULT_RULES, published()))
    lights = [*document["lights"]]
    for track in (*document["clocks"], *document["blockers"]):
        lights += track["lights"]
    for reason in [step["reason"] for step in lights] + document["warnings"]:
        assert CHINESE.search(text(reason, "zh-CN", date(2026, 3, 5)))
        assert text(reason, "en", date(2026, 3, 5))


def signed(day: str = "2025-12-05") -> Story:
    story = Story()
    story.registered()
    story.reached("signed", day)
    return story


def said(story: Story, day: str, *, today: bool = True) -> tuple[str, str]:
    reason = light_on(story.document()["lights"], day)["reason"]
    asked = date.fromisoformat(day) if today else None
    return text(reason, "zh-CN", asked), text(reason, "en", asked)


def test_an_overdue_gap_says_since_when_and_by_how_much() -> None:
    assert said(signed(), "2026-03-17") == (
        "应于2026-03-05前供地，已超期12天（2025-12-05签约，限90天）",
        "Overdue: land supply was due by 2026-03-05, 12 days over (90 days from the signature on 2025-12-05)",
    )


def test_a_stored_reason_depends_on_no_day() -> None:
    assert said(signed(), "2026-03-17", today=False) == (
        "应于2026-03-05前供地（2025-12-05签约，限90天）",
        "Overdue: land supply was due by 2026-03-05 (90 days from the signature on 2025-12-05)",
    )


def test_a_gap_in_time_says_how_long_is_left() -> None:
    assert said(signed(), "2026-02-03")[0] == "应于2026-03-05前供地，还有30天（2025-12-05签约，限90天）"
    assert said(signed(), "2026-03-04")[1].startswith("Due soon: land supply is due by 2026-03-05, 1 day left")
    assert said(signed(), "2026-03-05")[0].startswith("期限临近：应于2026-03-05前供地，今天到期")
    assert said(signed(), "2026-03-05")[1].startswith("Due soon: land supply is due by 2026-03-05, today")


def test_a_pause_says_why_until_when_and_whose_it_is() -> None:
    story = signed()
    story.paused("2026-01-01", "2026-01-10")
    assert said(story, "2026-01-05") == (
        "因用电问题暂停计时至2026-01-10，由u-power负责；应于2026-03-15前供地（2025-12-05签约，限90天，扣除暂停10天）",
        "Paused until 2026-01-10 because of a blocker (power) that u-power must clear; land supply is due by 2026-03-15"
        " (90 days from the signature on 2025-12-05, 10 days paused left out)",
    )


def test_a_pause_that_came_too_late_says_so() -> None:
    story = signed()
    story.paused("2026-03-06", "2026-03-20")
    chinese, english = said(story, "2026-03-12")
    assert "扣除" not in chinese
    assert "已超期7天；超期之后因用电问题暂停至2026-03-20" in chinese
    assert "7 days over; the pause until 2026-03-20 (power, u-power) began later" in english


def test_dates_known_to_the_month_are_said_to_be_about() -> None:
    assert said(signed("2025-12"), "2026-01-05")[0] == "应于约2026-03-31前供地，还有85天（约2025-12-31签约，限90天）"
    assert "due by about 2026-03-31" in said(signed("2025-12"), "2026-01-05")[1]


def test_the_stages_bear_the_names_of_the_route() -> None:
    story = Story()
    story.registered(route="plant")
    story.reached("started", "2026-01-10")
    assert said(story, "2026-07-11")[0] == "应于2026-07-10前装修完成，已超期1天（2026-01-10进场装修，限6个月）"


@pytest.mark.parametrize(
    ("reason", "chinese", "english"),
    [
        ({"code": "published", "as_of": "2024-09-30"}, "资料截至2024年9月", "Published facts as of September 2024"),
        ({"code": "published", "as_of": "2024-09"}, "资料截至2024年9月", "Published facts as of September 2024"),
        (
            {"code": "published", "as_of": "2024-09-10"},
            "资料截至2024年9月10日",
            "Published facts as of 10 September 2024",
        ),
        ({"code": "published", "as_of": "2024"}, "资料截至2024年", "Published facts as of 2024"),
        ({"code": "published", "as_of": None}, "公开资料", "Published facts"),
        ({"code": "no-milestone"}, "尚无节点", "No milestone has been reported yet"),
        (
            {"code": "withdrawn", "date": "2026-02-01", "why": "投资方放弃"},
            "已退出（2026-02-01）：投资方放弃",
            "Withdrawn (2026-02-01): 投资方放弃",
        ),
        ({"code": "withdrawn", "date": None, "why": None}, "已退出（日期不详）", "Withdrawn (an unknown date)"),
        (
            {"code": "finished", "route": "land", "stage": "producing"},
            "已投产，全程节点完成",
            "All stages are reached, production the last",
        ),
        (
            {"code": "promise-overdue", "owner": None, "kind": "用水", "due": "2026-02-01"},
            "责任单位（待认领）承诺于2026-02-01前解决用水问题，尚未销号，已超期1天",
            "Overdue: a unit still to be named promised to clear the blocker (water) by 2026-02-01, 1 day over",
        ),
        (
            {
                "code": "dates-out-of-order",
                "route": "land",
                "stage": "completed",
                "date": "2026-05-01",
                "later": "producing",
                "later_date": "2026-03",
            },
            "日期顺序有误：竣工（2026-05-01）晚于投产（2026-03）",
            "Dates out of order: completion on 2026-05-01 is later than production on 2026-03",
        ),
    ],
    ids=lambda value: value["code"] if isinstance(value, dict) else "",
)
def test_a_reason_is_a_sentence_people_understand(reason: dict[str, Any], chinese: str, english: str) -> None:
    assert text(reason, "zh-CN", date(2026, 2, 2)) == chinese
    assert text(reason, "en", date(2026, 2, 2)) == english


def test_every_light_has_a_name() -> None:
    assert set(LIGHT_NAMES) == set(LIGHTS)
    assert (light_name("red", "zh-CN"), light_name("red", "en")) == ("红灯", "red")
