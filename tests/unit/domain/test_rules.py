from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from luodi.domain.rules import (
    LANE_START_ON_LAND,
    ZONE_DEFAULT,
    Case,
    Ladder,
    Limit,
    Profile,
    Red,
    Rules,
    Version,
    Yellow,
)
from luodi.domain.stages import ROUTES
from tests.rules import DEFAULT_RULES, ONLY, PACKAGED, limit_of, rules_of, with_limit

YI = 100_000_000
TRAITS = ("route", "kind", "class", "industry", "zone")
GAP = ("land_supplied", "started")


def version(
    *cases: Case, rule: str = "r", preset: str = "p", valid_from: date = date(1980, 1, 1), **more: Any
) -> Version:
    return Version(rule=rule, preset=preset, valid_from=valid_from, cases=cases, **more)


def profile(rules: Rules, route: str = "land", **fields: Any) -> Profile:
    return rules.profile(fields, route)


def days(rules: Rules, day: date = date(2026, 3, 5), route: str = "land", **fields: Any) -> int | None:
    """The limit on the gap from land to start, by the first rule that runs on it."""
    tracks = rules.tracks(GAP, profile(rules, route, **fields))
    held = tracks[0].on(day.toordinal()) if tracks else None
    return None if held is None or held[1].limit is None else held[1].limit.amount


def of(amount: int, **named: Any) -> Case:
    traits: dict[str, str] = {
        name: named.pop(name) for name in ("route", "kind", "class", "industry", "zone") if name in named
    }
    return Case(Limit(amount, "working_days"), GAP, traits=traits, **named)


# The zone's default.


@pytest.mark.parametrize(
    ("route", "stage", "amount", "unit"),
    [
        ("land", "land_supplied", 90, "calendar_days"),
        ("land", "started", 60, "working_days"),
        ("land", "completed", 24, "months"),
        ("land", "producing", 6, "months"),
        ("plant", "started", 60, "working_days"),
        ("plant", "completed", 6, "months"),
        ("plant", "producing", 3, "months"),
        ("expansion", "started", 60, "working_days"),
        ("expansion", "completed", 12, "months"),
        ("expansion", "producing", 3, "months"),
    ],
)
def test_the_limits_are_those_of_the_table(route: str, stage: str, amount: int, unit: str) -> None:
    limit = limit_of(route, stage)
    assert limit is not None
    assert (limit.amount, limit.unit) == (amount, unit)


def test_every_gap_of_every_route_has_a_default_limit_and_no_other() -> None:
    gaps = {(route.id, gap) for route in ROUTES.values() for gap in zip(route.stages, route.stages[1:], strict=False)}
    assert {(case.traits["route"], case.gap) for case in ONLY.cases} == gaps
    assert [case.lane for case in ONLY.cases if case.lane] == [LANE_START_ON_LAND]


def test_a_lane_with_a_limit_of_its_own_goes_before_the_route() -> None:
    assert days(DEFAULT_RULES) == 60
    assert days(DEFAULT_RULES, lanes=["容缺受理", LANE_START_ON_LAND]) == 20
    assert days(DEFAULT_RULES, route="plant", lanes=[LANE_START_ON_LAND]) is None  # a gap that the route does not have


def test_only_the_zones_default_is_active_where_nothing_else_is_listed() -> None:
    assert PACKAGED.active(None) == PACKAGED.active("demo") == (ZONE_DEFAULT,)
    assert set(PACKAGED.presets) == {ZONE_DEFAULT, "yinchuan-2025", "handan-2024", "jiangdong", "idle-land"}


# Which case holds.


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 60),
        ({"class": "A"}, 50),
        ({"class": "A", "industry": "生物医药"}, 40),
        ({"class": "B", "industry": "生物医药"}, 60),
        ({"kind": "carrier"}, 55),
        ({"kind": "factory"}, 60),
        ({"investment": 10 * YI}, 30),
        ({"investment": 10 * YI - 1}, 60),
        ({"investment": 50 * YI}, 60),
        ({"investment": None}, 60),
        ({"zone": "weinan"}, 45),
        ({"zone": "weinan", "class": "A", "industry": "生物医药", "lanes": ["快"]}, 40),
        ({"lanes": ["快"]}, 20),
        ({"lanes": ["慢", "快"]}, 70),
        ({"lanes": ["快", "慢"]}, 20),
    ],
    ids=str,
)
def test_of_the_cases_that_admit_a_project_the_one_that_names_most_holds(fields: dict[str, Any], expected: int) -> None:
    rules = rules_of(
        version(
            of(60),
            of(50, **{"class": "A"}),
            of(40, **{"class": "A", "industry": "生物医药"}),
            of(55, kind="carrier"),
            of(30, at_least=10 * YI, below=50 * YI),
            of(45, zone="weinan"),
            of(20, lane="快"),
            of(70, lane="慢"),
        )
    )
    assert days(rules, **fields) == expected


def test_a_case_without_a_gap_holds_for_every_gap() -> None:
    rules = rules_of(version(Case(Limit(7, "months"))))
    for gap in (("signed", "started"), ("completed", "producing")):
        (track,) = rules.tracks(gap, profile(rules))
        assert track.pieces[0][2] == Case(Limit(7, "months"))


def test_a_project_of_an_unknown_kind_is_a_factory() -> None:
    assert days(rules_of(version(of(60), of(50, kind="factory")))) == 50


@pytest.mark.parametrize(
    ("cases", "ties"),
    [
        ([of(1, **{"class": "A"}), of(2, industry="x")], 1),
        ([of(1, **{"class": "A"}), of(2, industry="x"), of(3, **{"class": "A", "industry": "x"})], 0),
        ([of(1, **{"class": "A"}), of(2, **{"class": "B"})], 0),
        ([of(1, **{"class": "A"}), of(2, **{"class": "A"})], 1),
        ([of(1, lane="a"), of(2, lane="b")], 0),
        ([of(1, lane="a"), of(2, **{"class": "A"})], 1),
        ([of(1, at_least=1, below=5), of(2, at_least=5)], 0),
        ([of(1, at_least=1, below=6), of(2, at_least=5)], 1),
        ([of(1, at_least=1, below=6), of(2, at_least=5), of(3, at_least=5, below=6, **{"class": "A"})], 1),
        ([of(1, at_least=1), of(2, **{"class": "A"}), of(3, at_least=0, **{"class": "A"})], 0),
        ([of(1), Case(Limit(1, "months"), traits={"route": "land"})], 1),
        ([of(1), of(2, route="land")], 0),
    ],
)
def test_cases_tie_when_both_admit_a_project_and_none_that_names_more_decides(cases: list[Case], ties: int) -> None:
    assert len(list(version(*cases).ties())) == ties


def test_what_no_case_names_does_not_tell_projects_apart() -> None:
    """Or every text that people write into a field would be remembered for ever."""
    one = DEFAULT_RULES.profile({"industry": "新材料", "class": "A", "investment": 5, "zone": "demo"}, "land")
    other = DEFAULT_RULES.profile({"lanes": ["慢"], "kind": "carrier"}, "land")
    assert one is other
    assert one.key != DEFAULT_RULES.profile({}, "plant").key
    named = rules_of(version(of(1, industry="新材料"), of(2)))
    assert profile(named, industry="x").key == profile(named, industry="y").key
    assert profile(named, industry="新材料").key != profile(named).key


# Versions.


def test_a_rule_holds_from_its_first_version_on_and_each_version_until_the_next() -> None:
    rules = rules_of(
        version(of(60), valid_from=date(2025, 1, 1)),
        version(of(40), valid_from=date(2026, 3, 1)),
        version(valid_from=date(2027, 1, 1)),
    )
    for day, expected in [("2024-12-31", None), ("2025-01-01", 60), ("2026-02-28", 60), ("2026-03-01", 40)]:
        assert days(rules, date.fromisoformat(day)) == expected
    assert days(rules, date(2027, 1, 1)) is None
    in_force = rules.in_force("r", date(2026, 2, 28))
    assert in_force is not None
    assert in_force.valid_from == date(2025, 1, 1)
    assert rules.in_force("r", date(2024, 12, 31)) is None
    assert rules.in_force("another", date(2026, 1, 1)) is None


def test_versions_may_stand_in_any_order() -> None:
    late, early = version(of(40), valid_from=date(2026, 3, 1)), version(of(60))
    assert days(rules_of(late, early), date(2026, 2, 28)) == 60
    assert rules_of(late, early).fingerprint() == rules_of(early, late).fingerprint()


def test_one_rule_may_not_stand_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        rules_of(version(of(1)), version(of(2)))
    with pytest.raises(ValueError, match="twice"):
        rules_of(version(of(1)), version(of(2), preset="q", valid_from=date(2026, 1, 1)))


def test_a_preset_that_is_not_on_file_cannot_be_active() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        replace(PACKAGED, zones={"demo": ("nowhere",)})


def test_the_causes_that_may_pause_a_zone_are_those_of_its_presets() -> None:
    both = replace(PACKAGED, zones={"demo": (ZONE_DEFAULT, "idle-land")})
    assert both.pausing_causes("weinan") == {"government", "utility", "force_majeure"}
    assert both.pausing_causes("demo") == {"government", "utility", "force_majeure", "preliminary_work"}


# The fingerprint.


def test_equal_rules_have_equal_fingerprints_whatever_the_order_of_their_tables() -> None:
    shuffled = replace(ONLY, cases=ONLY.cases[::-1], pausing_causes=frozenset(ONLY.pausing_causes))
    assert rules_of(shuffled).fingerprint() == rules_of(ONLY).fingerprint()


def test_a_zone_that_lists_the_default_alone_changes_no_fingerprint() -> None:
    assert replace(PACKAGED, zones={"weinan": (ZONE_DEFAULT,)}).fingerprint() == PACKAGED.fingerprint()
    assert replace(PACKAGED, zones={"weinan": ("idle-land",)}).fingerprint() != PACKAGED.fingerprint()


@pytest.mark.parametrize(
    "changed",
    [
        with_limit("land", "started", Limit(61, "working_days")),
        replace(ONLY, cases=tuple(case for case in ONLY.cases if case.lane is None)),
        replace(ONLY, pausing_causes=frozenset({"utility"})),
        replace(ONLY, valid_from=date(1980, 1, 2)),
        replace(ONLY, yellow=Yellow(used_percent=50)),
        replace(ONLY, red=Red(3)),
        replace(ONLY, plan_for=frozenset()),
        replace(ONLY, basis={"zh": "另一依据", "en": "another basis"}),
        replace(ONLY, ladder=Ladder((1,), same_day=True)),
        replace(ONLY, levels={"重大": Ladder((1,), same_day=True)}),
        replace(ONLY, needs_document=True),
        replace(ONLY, monthly=True),
        replace(ONLY, link="https://example.org/"),
        replace(ONLY, since="agreed_start"),
    ],
)
def test_rules_that_differ_in_anything_have_another_fingerprint(changed: Version) -> None:
    assert rules_of(changed).fingerprint() != rules_of(ONLY).fingerprint()
