"""A digest in the words of a channel: whole lines as far as there is room, the count of the others, nothing broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from services.notify.channels import email, feishu, wecom
from services.notify.channels.writing import Message, lines, markdown, message_of, unmarked
from services.notify.contacts import Way
from services.notify.digest import digest_of
from services.notify.notifications import Line, Notification, Sheet
from tests.unit.notify.builders import at

HOSTILE = "@all [点此](http://evil.example) **b**"


def digest(count: int, text: str = "示例厂：开工超期3天。下一步：专员补报节点") -> Notification:
    found = [
        Line(
            "new" if n % 2 else "cleared", f"{n} {text}", f"{n} {text}", f"{n:08X}", f"https://l.example/{n}", f"p-{n}"
        )
        for n in range(count)
    ]
    found.sort(key=lambda line: line.group != "new")
    return digest_of(
        "u-1",
        "wecom",
        date(2026, 3, 5),
        Sheet(tuple(found), ()),
        partition=0,
        missing=(),
        public_url="https://luodi.example",
        now=at(0),
        wall=at(0),
    )


WRITERS: list[Callable[[Message, int], str]] = [lines, markdown, unmarked]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("limit", [300, 500, 1000, 2048, 4096])
def test_what_does_not_fit_is_counted_and_never_cut_in_two(write: Callable[[Message, int], str], limit: int) -> None:
    said = write(message_of(digest(60), "zh-CN"), limit)
    assert len(said.encode()) <= limit
    shown = [n for n in range(60) if f"https://l.example/{n}" in said.replace(")", " ").split() or f"/{n})" in said]
    assert f"另有 {60 - len(shown)} 项" in said
    assert not said.rstrip().endswith("】")


@pytest.mark.parametrize("write", WRITERS)
def test_what_fits_is_all_there_group_by_group(write: Callable[[Message, int], str]) -> None:
    said = write(message_of(digest(5), "zh-CN"), 4096)
    assert "另有" not in said
    assert said.rindex("新增 2") < said.index("00000001") < said.rindex("已解除 3") < said.index("00000004")
    english = write(message_of(digest(5), "en"), 4096)
    assert "All clear 3" in english


@pytest.mark.parametrize("write", [lines, markdown])
def test_words_that_people_typed_stay_harmless_in_a_line(write: Callable[[Message, int], str]) -> None:
    said = write(message_of(digest(2, HOSTILE), "zh-CN"), 4096)
    assert not any(sign in said for sign in ("@all", "http://evil", "](http://", "**b**"))


def test_robots_and_letters_show_every_line_with_its_link() -> None:
    message = message_of(digest(3), "zh-CN")
    way = Way("email", "a@example.com", None, None, None, "00")
    for said in (
        str(wecom.body(message, way)),
        str(feishu.body(message, way)),
        email._html(message),
        email._text(message),
    ):
        for number in range(3):
            assert f"https://l.example/{number}" in said
            assert f"{number:08X}" in said


def test_a_letter_holds_far_more_than_a_robots_message_and_counts_what_it_leaves_out() -> None:
    message = message_of(digest(3000), "zh-CN")
    said = email._text(message)
    shown = said.count("https://l.example/")
    assert 300 < shown < 3000
    assert f"另有 {3000 - shown} 项" in said
    assert email._html(message).count("<li>") == shown
