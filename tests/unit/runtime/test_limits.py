"""Rules made of files: what they may say, whose file holds, and how their faults are told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from luodi.domain.rules import Case, Ladder, Limit, Red, Rules, Yellow
from luodi.runtime import configuration, limits, settings
from luodi.runtime.errors import InvalidSettingsError

ZONES = {"demo": ("zone-default",), "mine": ("mine", "zone-default")}
LOCAL = {"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "k:1", "MONGODB_URI": "mongodb://m"}

HEAD = """
[[rule]]
id = "mine"
valid_from = 2026-01-01
basis = { zh = "园区文件", en = "a paper of the zone" }
"""
CASE = 'case = [{ gap = ["land_supplied", "started"], working_days = 40 }]\n'
MINE = HEAD + CASE


def written(tmp_path: Path, files: dict[str, str]) -> Path:
    folder = tmp_path / "limits"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def rules(tmp_path: Path, **files: str) -> Rules:
    faults: list[str] = []
    found = limits.load(written(tmp_path, files), ZONES, faults)
    assert faults == []
    return found


def faults_of(tmp_path: Path, text: str) -> list[str]:
    faults: list[str] = []
    limits.load(written(tmp_path, {"mine": text}), ZONES, faults)
    return [fault.partition("mine.toml: ")[2] for fault in faults]


def test_an_operators_file_adds_a_preset_that_zones_may_list(tmp_path: Path) -> None:
    found = rules(tmp_path, mine=MINE)
    assert found.active("mine") == ("zone-default", "mine")  # the zone's default gives the first clock
    assert found.active("demo") == found.active(None) == ("zone-default",)
    (version,) = found.presets["mine"]
    assert version.cases == (Case(Limit(40, "working_days"), ("land_supplied", "started")),)
    assert (version.valid_from, version.basis["zh"], version.link) == (date(2026, 1, 1), "园区文件", None)


def test_an_operators_file_takes_the_place_of_the_packaged_one_of_its_name(tmp_path: Path) -> None:
    own = MINE.replace('"mine"', '"zone-default"')
    found = rules(tmp_path, **{"zone-default": own, "mine": MINE})
    assert len(found.presets["zone-default"][0].cases) == 1
    assert found.fingerprint() != limits.packaged().fingerprint()


def test_everything_a_rule_may_say_is_kept(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
link = "https://example.org/rule"
title = { zh = "标题", en = "title" }
consequence = { zh = "后果", en = "consequence" }
since = "agreed_start"
pausing_causes = ["government", "preliminary_work"]
needs_document = true
plan_for = ["completed"]
monthly = true
satisfied_by = "in_library"
invested_below_percent = 25
yellow = { used_percent = 80, days_before = 30, over_months = 6, over_days = 183, behind_plan = true }
ladder = { waits = [1, 2], same_day = true }
levels = { "重大" = { waits = [1], same_day = true }, "协调" = { waits = [2, 3] } }

[[rule.case]]
gap = ["signed", "started"]
route = "plant"
kind = "factory"
class = "A"
industry = "新材料"
zone = "demo"
lane = "快"
investment_from = 1
investment_to = 9
months = 3

[[rule]]
id = "mine-rounds"
valid_from = 2026-01-01
basis = { zh = "园区文件", en = "a paper of the zone" }
yellow = { plan_passed = true, postponed = true, points = 10 }
red = { rounds = 3, points = 30 }
case = [{}]

[[rule]]
id = "mine-date"
valid_from = 2026-01-01
basis = { zh = "园区文件", en = "a paper of the zone" }
until = "agreed_completion"
yellow = { days_before = 10 }
case = [{}]

[[rule]]
id = "mine-reports"
valid_from = 2026-01-01
basis = { zh = "园区文件", en = "a paper of the zone" }
since = "last_report"
yellow = { after = { calendar_days = 20 } }
case = [{ months = 1 }]
"""
    )
    first, second, third, fourth = rules(tmp_path, mine=text).presets["mine"]
    assert first.link == "https://example.org/rule"
    assert (first.title, first.consequence) == ({"zh": "标题", "en": "title"}, {"zh": "后果", "en": "consequence"})
    assert (first.since, first.needs_document, first.monthly) == ("agreed_start", True, True)
    assert first.pausing_causes == {"government", "preliminary_work"}
    assert first.plan_for == {"completed"}
    assert (first.satisfied_by, first.invested_below_percent) == ("in_library", 25)
    assert first.yellow == Yellow(used_percent=80, days_before=30, over_months=6, over_days=183, behind_plan=True)
    assert first.ladder == Ladder((1, 2), same_day=True)
    assert first.levels == {"重大": Ladder((1,), same_day=True), "协调": Ladder((2, 3))}
    (case,) = first.cases
    traits = {"route": "plant", "kind": "factory", "class": "A", "industry": "新材料", "zone": "demo"}
    assert case == Case(Limit(3, "months"), ("signed", "started"), "快", traits, at_least=1, below=9)
    assert (second.yellow, second.red) == (Yellow(plan_passed=True, postponed=True, points=10), Red(3, 30))
    assert (third.until, third.cases) == ("agreed_completion", (Case(),))
    assert (fourth.since, fourth.yellow.after) == ("last_report", Limit(20, "calendar_days"))


def test_versions_of_a_rule_stand_one_after_the_other_and_may_end_it(tmp_path: Path) -> None:
    later = MINE.replace("2026-01-01", "2027-01-01").replace("40", "30")
    ended = '[[rule]]\nid = "mine"\nvalid_from = 2028-01-01\nrepealed = true\n'
    found = rules(tmp_path, mine=MINE + later + ended)
    assert [len(version.cases) for version in found.presets["mine"]] == [1, 1, 0]
    before = found.in_force("mine", date(2027, 12, 31))
    assert before is not None
    assert before.cases[0].limit == Limit(30, "working_days")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[rule]\n", "Expected"),
        ("", "there is no [[rule]]"),
        ("rule = 7\n", "there is no [[rule]]"),
        ("rule = [7]\n", "rule 1: Invalid input type."),
        (MINE + "[rules]\nx = 1\n", "unknown key 'rules'"),
        (MINE.replace("basis", "bases"), "rule 1 (mine): bases: Unknown field."),
        (MINE.replace("basis = { zh", "basis = { cn"), "rule 1 (mine): basis: zh: Missing data for required field."),
        (HEAD, "rule 1 (mine): case: is missing"),
        (HEAD + "case = []\n", "rule 1 (mine): case: Shorter than minimum length 1."),
        (MINE.replace('"mine"', '"Mine"'), "rule 1 (Mine): id: String does not match expected pattern."),
        (MINE.replace('"mine"', '"plan"'), "rule 1 (plan): id: Invalid input."),
        (MINE.replace("2026-01-01", '"2026-01-01"'), "valid_from: Not a date: write 2027-01-01 without quotes."),
        (MINE.replace("2026-01-01", "2026-01-01T00:00:00"), "valid_from: Not a date"),
        (MINE + "monthly = 1\n", "monthly: Not true or false."),
        (MINE.replace("working_days = 40", 'working_days = "40"'), "case 1: working_days: Not a valid integer."),
        (MINE.replace("working_days = 40", "working_days = 0"), "case 1: working_days: Must be greater than"),
        (MINE.replace("working_days = 40", "months = 121"), "case 1: months: Must be greater than"),
        (MINE.replace("working_days = 40", "working_days = 40, months = 1"), "case 1: one of working_days,"),
        (MINE.replace(", working_days = 40", ""), "case 1: one of working_days, calendar_days, months is needed"),
        (MINE.replace('"started"', '"opened"'), "case 1: gap 2: Must be one of: signed"),
        (MINE.replace('["land_supplied", "started"]', '["started"]'), "case 1: gap: Length must be 2."),
        (MINE.replace('"land_supplied"', '"completed"'), "case 1: gap: completed is not followed by started on any"),
        (MINE.replace("{ gap", '{ route = "plant", gap'), "land_supplied is not followed by started on the route"),
        (MINE.replace("{ gap", '{ zone = "nowhere", gap'), "case 1: zone: there is no zone 'nowhere'"),
        (MINE.replace("{ gap", "{ investment_from = 9, investment_to = 9, gap"), "case 1: investment_to: must be more"),
        (MINE + 'pausing_causes = ["weather"]\n', "pausing_causes 1: Must be one of: enterprise, government"),
        (MINE + 'since = "yesterday"\n', "since: Must be one of: stage, agreed_start"),
        (MINE + 'since = "plan"\nuntil = "plan"\n', "since: a clock until a date runs from the stage reached"),
        (MINE + 'until = "plan"\n', "case 1: working_days: this rule has no limit of its own"),
        (MINE + 'link = "ftp://x"\n', "link: Not a valid URL."),
        (MINE + "yellow = { points = 5 }\n", "yellow: points: only rounds look for it (red = { rounds = … })"),
        (MINE + "yellow = { used_percent = 101 }\n", "yellow: used_percent: Must be greater than"),
        (MINE + "yellow = { over_months = 6 }\n", "yellow: over_months: decides between used_percent and days_before"),
        (MINE + "yellow = { after = { months = 1 }, days_before = 3 }\n", "yellow: after: goes with no other time"),
        (MINE + "yellow = { after = {} }\n", "yellow: after: one of working_days, calendar_days, months is needed"),
        (MINE + "red = { rounds = 3 }\n", "yellow: rounds look for at least one of plan_passed"),
        (MINE + "red = { points = 3 }\n", "red: rounds: Missing data for required field."),
        (
            HEAD + "case = [{}]\nyellow = { points = 9 }\nred = { rounds = 3, points = 8 }\n",
            "red: points: must be more",
        ),
        (HEAD + 'case = [{}]\nsince = "plan"\nred = { rounds = 1 }\n', "since: rounds are held against the plan"),
        (
            HEAD + "case = [{}]\nyellow = { behind_plan = true }\nred = { rounds = 1 }\n",
            "behind_plan: rounds do not look",
        ),
        (MINE + "ladder = { waits = [] }\n", "ladder: waits: Length must be between 1 and 10."),
        (
            MINE + 'levels = { "重大" = { waits = [] } }\n',
            "levels: 重大: value: waits: Length must be between 1 and 10.",
        ),
        (MINE + "repealed = true\n", "rule 1 (mine): basis: a repealed rule says nothing else"),
        (MINE + MINE, "rule mine has two versions of 2026-01-01"),
        (
            HEAD + 'case = [{ class = "A", months = 1 }, { industry = "x", months = 2 }]\n',
            "cases (class A) and (industry x) tie",
        ),
    ],
)
def test_what_a_file_may_not_say_is_named(tmp_path: Path, text: str, expected: str) -> None:
    found = faults_of(tmp_path, text)
    assert any(expected in fault for fault in found), found


def test_a_rule_stands_in_one_preset_alone(tmp_path: Path) -> None:
    faults: list[str] = []
    limits.load(written(tmp_path, {"mine": MINE, "other": MINE}), ZONES, faults)
    assert faults == ["rule mine stands in mine.toml and in other.toml"]


def test_a_file_names_its_preset_as_ids_are_written(tmp_path: Path) -> None:
    faults: list[str] = []
    limits.load(written(tmp_path, {"mine": MINE, "Other One": MINE}), ZONES, faults)
    assert len(faults) == 1
    assert "the file's name must match" in faults[0]


def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    folder = written(tmp_path, {"mine": MINE})
    (folder / "limits" / "broken.toml").write_bytes(b"\xff\xfe\x00")
    faults: list[str] = []
    limits.load(folder, ZONES, faults)
    assert len(faults) == 1
    assert "broken.toml" in faults[0]


def test_every_fault_of_every_file_is_listed_at_the_start(tmp_path: Path) -> None:
    written(tmp_path, {"one": MINE.replace("40", "0"), "two": MINE.replace("2026-01-01", "7") + "since = 3\n"})
    (tmp_path / "zones.toml").write_text(
        '[[zone]]\nid = "a"\ncode = "a"\nname = "甲"\nname_en = "A"\nlimits = ["nowhere"]\n'
        '[[zone]]\nid = "b"\ncode = "b"\nname = "乙"\nname_en = "B"\nlimits = []\n'
        '[[zone]]\nid = "c"\ncode = "c"\nname = "丙"\nname_en = "C"\nlimits = ["idle-land", "idle-land"]\n',
        encoding="utf-8",
    )
    with pytest.raises(InvalidSettingsError) as caught:
        configuration.load(settings.read({**LOCAL, "LUODI_CONFIG_DIR": str(tmp_path)}))
    told = "\n".join(caught.value.faults)
    for fault in (
        "limits must name at least one preset",
        "limits names a preset twice",
        "one.toml: rule 1 (mine): case 1: working_days",
        "two.toml: rule 1 (mine): valid_from",
        "two.toml: rule 1 (mine): since",
        "zone a: limits: there is no preset 'nowhere' (limits/nowhere.toml)",
    ):
        assert fault in told


def test_a_zone_lists_its_presets_in_its_file(tmp_path: Path) -> None:
    row = '[[zone]]\nid = "weinan"\ncode = "wn"\nname = "渭南高新区"\nname_en = "Weinan"\n'
    row += 'limits = ["idle-land", "zone-default"]\n'
    (tmp_path / "zones.toml").write_text(row, encoding="utf-8")
    config = configuration.load(settings.read({**LOCAL, "LUODI_CONFIG_DIR": str(tmp_path)}))
    assert config.zones["weinan"].limits == ("idle-land", "zone-default")
    assert config.rules.active("weinan") == ("zone-default", "idle-land")
    assert config.rules.active("demo") == ("zone-default",)
    assert config.rules.fingerprint() != limits.packaged().fingerprint()


def test_the_packaged_presets_say_where_they_come_from_in_both_languages() -> None:
    for version in limits.packaged().versions():
        assert version.basis["zh"]
        assert version.basis["en"]
        assert version.rule == "zone-default" or version.title is not None
