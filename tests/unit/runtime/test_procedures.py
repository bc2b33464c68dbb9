"""Statutes of procedures made of files: what they may say, whose file holds, and how their faults are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from luodi.domain.amendments import amendments
from luodi.domain.statutes import Statute, Statutes
from luodi.runtime import limits, procedures

ZONES = ("demo", "mine")
ROW = """
[[procedure]]
kind = "水保方案"
name_en = "soil and water plan"
valid_from = 2026-01-01
working_days = 10
basis = { zh = "依据", en = "basis" }
"""


def written(tmp_path: Path, files: dict[str, str]) -> Path:
    folder = tmp_path / "procedures"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def statutes(tmp_path: Path, **files: str) -> Statutes:
    faults: list[str] = []
    found = procedures.load(written(tmp_path, files), ZONES, faults)
    assert faults == []
    return found


def faults_of(tmp_path: Path, text: str) -> list[str]:
    faults: list[str] = []
    procedures.load(written(tmp_path, {"mine": text}), ZONES, faults)
    return [fault.partition("mine.toml: ")[2] or fault for fault in faults]


def test_the_packaged_statutes_name_what_every_project_passes_through_with_their_basis() -> None:
    found = procedures.packaged()
    assert {"立项备案", "能评", "环评", "用地规划许可", "工程规划许可", "施工许可", "竣工验收"} <= set(found.kinds())
    for statute in found.rows:
        assert statute.basis["zh"]
        assert statute.basis["en"]
        assert statute.lanes["绿色通道"] < statute.amount
        assert found.unit_of(statute.kind, "demo")


def test_an_operators_file_adds_a_kind_and_says_who_decides(tmp_path: Path) -> None:
    units = '\n[[zone]]\nid = "mine"\nunits = { "水保方案" = "u-water", "施工许可" = "u-housing" }\n'
    found = statutes(tmp_path, mine=ROW + 'pledged = 1\nextendable = 5\nlanes = { "绿色通道" = 4 }\n' + units)
    held = found.on("水保方案", date(2026, 1, 1))
    assert held is not None
    assert (held.amount, held.unit, held.pledged, held.extendable) == (10, "working_days", 1, 5)
    assert held.limit(("拿地即开工", "绿色通道"), pledged=False) == (4, "绿色通道")
    assert held.limit((), pledged=True) == (1, None)
    assert found.on("水保方案", date(2025, 12, 31)) is None
    assert (found.unit_of("施工许可", "mine"), found.unit_of("施工许可", None)) == ("u-housing", None)


def test_an_operators_file_takes_the_place_of_the_packaged_one_of_its_name(tmp_path: Path) -> None:
    found = statutes(tmp_path, statutory=ROW, demo="")
    assert found.kinds() == ("水保方案",)


def test_a_later_version_of_a_kind_holds_from_its_day(tmp_path: Path) -> None:
    later = ROW.replace("2026-01-01", "2027-01-01").replace("10", "8")
    found = statutes(tmp_path, mine=later + ROW)
    amounts = [found.on("水保方案", date(2026, 12, 31)), found.on("水保方案", date(2027, 1, 1))]
    assert [statute.amount for statute in amounts if statute] == [10, 8]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[procedure", "Expected ']]' at the end of an array declaration "),
        ("[[rule]]\n", "unknown key 'rule'"),
        (ROW.replace("working_days = 10\n", ""), "procedure 1: one of working_days, calendar_days is needed"),
        (ROW + "calendar_days = 4\n", "procedure 1: one of working_days, calendar_days is needed"),
        (ROW + 'days = "4"\n', "procedure 1: days: Unknown field."),
        (ROW + 'lanes = { "绿色通道" = 11 }\n', "procedure 1: lanes: 绿色通道 takes longer than the 10 days of all"),
        (ROW + ROW, "procedure 2: 水保方案@2026-01-01 stands in"),
        ('[[zone]]\nid = "elsewhere"\nunits = {}\n', "zone 1: there is no zone 'elsewhere'"),
        ('[[zone]]\nid = "mine"\nunits = { "无此事项" = "u" }\n', "zone mine: there is no procedure '无此事项'"),
    ],
)
def test_a_fault_names_its_file_and_row(tmp_path: Path, text: str, fault: str) -> None:
    (found,) = faults_of(tmp_path, text)
    assert fault in found


def test_the_rules_hold_the_statutes_and_their_fingerprint_tells_them_apart() -> None:
    rules = limits.packaged()
    assert rules.statutes.content() == procedures.packaged().content()
    assert replace(rules, statutes=Statutes()).fingerprint() != rules.fingerprint()


def test_a_statute_that_holds_already_is_not_to_be_changed_but_its_words_and_units_may() -> None:
    rules = limits.packaged()
    first, *others = rules.statutes.rows

    def told(*rows: Statute, units: dict[str, dict[str, str]] | None = None) -> list[tuple[str, bool]]:
        changed = replace(rules, statutes=Statutes(rows, rules.statutes.units if units is None else units))
        found = amendments(rules.content(), changed.content(), date(2026, 6, 15))
        return [(str(change), change.rewrites) for change in found]

    assert told(first, *others) == []
    assert told(replace(first, amount=99), *others) == [(f"{first.key} changed", True)]
    assert told(replace(first, basis={"zh": "一", "en": "a"}), *others) == [(f"{first.key} changed", False)]
    assert told(*others) == [(f"{first.key} removed", True)]
    later = replace(first, valid_from=date(2026, 7, 1))
    assert told(first, later, *others) == [(f"{later.key} added", False)]
    new = replace(first, kind="水保方案")
    assert told(first, new, *others) == [(f"{new.key} added", False)]
    assert told(first, *others, units={}) == [("units of procedures in demo changed", False)]


def test_rules_stored_before_there_were_statutes_are_no_change_of_them() -> None:
    rules = limits.packaged()
    before = {name: told for name, told in rules.content().items() if name != "procedures"}
    assert amendments(before, rules.content(), date(2026, 6, 15)) == []


def test_two_statutes_of_one_kind_and_day_are_refused() -> None:
    first = procedures.packaged().rows[0]
    with pytest.raises(ValueError, match="stands twice"):
        Statutes((first, first))
