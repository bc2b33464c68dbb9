"""Files of reported figures: the operator's replace the packaged ones, and every fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from luodi.domain.figures import Breakdown, Part
from luodi.runtime.figures import load, packaged

HEAD = 'source = "月报"\nas_of = "2026-06"\n'
FIGURE = '[[figure]]\nid = "f"\nname = "企业"\nname_en = "enterprises"\n'


def written(folder: Path, text: str, zone: str = "demo") -> Path:
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / f"{zone}.toml").write_text(text, encoding="utf-8")
    return folder


def test_an_operators_file_replaces_the_packaged_one_of_its_zone(tmp_path: Path) -> None:
    faults: list[str] = []
    found = load(written(tmp_path, HEAD + FIGURE + "value = 12\n", "weinan"), {"weinan"}, faults)
    assert [fault for fault in faults if "weinan" in fault] == []
    assert [(figure.id, figure.value, figure.as_of) for figure in found.of(["weinan"]).figures] == [
        ("f", 12, "2026-06")
    ]
    assert found.of(["weinan"]).breakdowns == ()
    assert packaged().of(["weinan"]).breakdowns
    assert found.of([]) is found


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, HEAD + "colour = 1\n" + FIGURE + 'value = "12"\nmeasure = "luck"\n' + FIGURE + "value = 1\n")
    written(tmp_path, "[[figure", "qingyuan")
    written(tmp_path, HEAD + FIGURE + "value = 1\n", "nowhere")
    faults: list[str] = []
    zones = {"demo", "qingyuan", "weinan", "yichang", "qingdao", "kunshan", "changzhi", "urumqi"}
    load(tmp_path, zones, faults)
    told = "\n".join(faults)
    for expected in (
        "unknown key 'colour'",
        "demo.toml: figure 1: value must be int or Decimal",
        "demo.toml: figure 2: id 'f' stands twice",
        "qingyuan.toml",
        "there is no zone 'nowhere'",
    ):
        assert expected in told
    assert len(faults) == 5


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (FIGURE + "value = 1\n", "source is missing"),
        ('source = "月报"\nas_of = "gestern"\n' + FIGURE + "value = 1\n", "as_of = 'gestern' is no date"),
        (HEAD + FIGURE, "either a value or words"),
        (HEAD + FIGURE + 'value = 1\nmeasure = "luck"\n', "measure is one of projects"),
        (HEAD + "[figure]\n", "stands in double brackets"),
        (HEAD + '[[breakdown]]\nid = "b"\n[[breakdown.part]]\nname = "甲"\n', "name_en is missing"),
    ],
)
def test_a_fault_says_what_is_expected(tmp_path: Path, text: str, fault: str) -> None:
    faults: list[str] = []
    load(written(tmp_path, text), None, faults)
    assert any(fault in told for told in faults), faults


def test_parts_that_lack_projects_too_say_how_many() -> None:
    row = Breakdown(
        "z", "s", "签约", "signed", "月报", "2026", 5, 500_000_000, "主要", "mainly", (Part("甲", "A", 3, 10**8),)
    )
    assert row.sentence() == "签约5个，5亿元；主要：甲3个1亿元，合计3个1亿元，差额2个4亿元"
    assert row.sentence("en").endswith("a difference of 2 and 4")
