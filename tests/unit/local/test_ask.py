"""What `luodi ask` makes of answers: tables, outlines, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.local.ask import Question, cell, len_of, listed, outline, refusal, shown, table

ITEMS: list[dict[str, Any]] = [
    {
        "id": "p1",
        "name": "示例一号",
        "light": "red",
        "reason": {"code": "x", "text": "已超期"},
        "key": True,
        "clocks": [{}],
    },
    {"id": "p2", "name": None, "light": "green", "reason": None, "key": False, "clocks": []},
]


def test_columns_hold_what_fits_a_cell_and_stand_under_each_other_in_any_script() -> None:
    assert list(table(ITEMS, None, None)) == [
        "id  name      light  reason  key",
        "p1  示例一号  red    已超期  ✓",
        "p2            green",
    ]


def test_a_narrow_terminal_leaves_out_the_last_columns_and_names_them() -> None:
    head, *_, last = table(ITEMS, None, 22)
    assert (head, last) == ("id  name      light", "(reason, key)")


def test_whoever_names_columns_gets_those_however_wide() -> None:
    assert list(table(ITEMS, ["light", "id"], 3)) == ["light  id", "red    p1", "green  p2"]


def test_an_answer_without_items_is_an_outline_without_what_is_unknown() -> None:
    told = {"as_of": "2026-03-05", "zone": None, "stages": [{"stage": "signed", "reached": 0}], "empty": []}
    assert list(outline(told)) == ["as_of: 2026-03-05", "stages:", "  1:", "    stage: signed", "    reached: 0"]


def test_what_stands_beside_the_items_comes_before_them_and_an_empty_list_says_so() -> None:
    assert shown({"items": [], "next": None, "summary": {"open": 2}}, None, None) == "summary:\n  open: 2\n\n—\n"


def test_more_than_was_asked_for_is_hinted_at() -> None:
    assert shown({"items": ITEMS, "next": "c"}, ["id"], None).splitlines()[-1] == "… --limit N shows more"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("two\nlines", "two lines"),
        ("\x1b[31mred", "[31mred"),
        ("\u202eevil", "evil"),
        (None, ""),
        (0, "0"),
        (True, "✓"),
        (["a", "b"], "a, b"),
        ({"text": "因为"}, "因为"),
        ({"code": "x"}, None),
        ([{}], None),
    ],
)
def test_a_cell_is_one_line_of_what_can_be_seen(value: object, text: str | None) -> None:
    assert cell(value) == text


def test_chinese_takes_two_columns_a_character() -> None:
    assert len_of("红red") == 5


def test_a_question_is_known_by_its_address_with_ids_in_it() -> None:
    one = Question("tracker", "projects/{project_id}/clock", "", ())
    assert one.fits("projects/demo-1/clock")
    assert not one.fits("projects/demo-1")
    assert not one.fits("projects/a/b/clock")


def test_what_can_be_asked_is_listed_with_its_parameters() -> None:
    text = listed([Question("tracker", "stalled", "停滞", ("zone", "cursor", "limit", "after"))])
    assert "  stalled  停滞\n" in text
    assert "zone=\n" in text


def test_a_refusal_names_each_fault() -> None:
    problem = {"title": "Bad", "detail": "请更正。", "errors": [{"pointer": "light", "detail": "取值不对"}]}
    assert list(refusal(problem)) == ["请更正。", "light: 取值不对"]
