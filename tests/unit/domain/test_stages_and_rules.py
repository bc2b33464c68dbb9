from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from luodi.domain import stages
from luodi.domain.rules import LANE_START_ON_LAND, Limit, Rules
from luodi.domain.stages import ROUTES, STAGES
from tests.rules import DEFAULT_RULES

ONLY = DEFAULT_RULES.versions[0]


def test_every_route_runs_through_known_stages_in_their_order() -> None:
    for route in ROUTES.values():
        assert list(route.stages) == [stage for stage in STAGES if stage in route.stages]
        assert route.stages[0] == "signed"
        assert route.stages[-1] == "producing"


def test_only_land_has_a_land_supply() -> None:
    assert [route.id for route in ROUTES.values() if "land_supplied" in route.stages] == ["land"]


@pytest.mark.parametrize(
    ("route", "stage", "zh", "en"),
    [
        ("land", "completed", "竣工", "Completed"),
        ("plant", "started", "进场装修", "Fitting out"),
        ("plant", "completed", "装修完成", "Fitted out"),
        ("expansion", "signed", "签约/备案", "Signed or filed"),
        ("expansion", "completed", "完工", "Completed"),
        (None, "started", "开工", "Started"),
        ("plant", "land_supplied", "供地", "Land supplied"),
        ("a route of a later version", "producing", "投产", "Producing"),
    ],
)
def test_a_stage_is_called_as_on_its_route(route: str | None, stage: str, zh: str, en: str) -> None:
    assert stages.name(route, stage, "zh-CN") == zh
    assert stages.name(route, stage, "en") == en


def test_a_gap_is_named_by_its_two_stages() -> None:
    assert stages.gap_name("plant", ["signed", "started"], "zh-CN") == "签约→进场装修"
    assert stages.gap_name("land", ["signed", "land_supplied"], "en") == "Signed → Land supplied"


def test_the_next_stage_is_that_of_the_route() -> None:
    assert stages.next_stage("plant", "signed") == "started"
    assert stages.next_stage(None, "signed") == "land_supplied"
    assert stages.next_stage("plant", "producing") is None
    assert stages.next_stage("plant", "land_supplied") is None


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
    limit = ONLY.limit(route, stage)
    assert limit is not None
    assert (limit.amount, limit.unit) == (amount, unit)


def test_every_stage_after_the_first_of_every_route_has_a_limit_and_no_other() -> None:
    gaps = {(route.id, stage) for route in ROUTES.values() for stage in route.stages[1:]}
    assert set(ONLY.limits) == gaps


def test_a_lane_with_a_limit_of_its_own_goes_before_the_route() -> None:
    assert ONLY.limit("land", "started", ["容缺受理", LANE_START_ON_LAND]) == Limit(20, "working_days")
    assert ONLY.limit("land", "completed", [LANE_START_ON_LAND]) == Limit(24, "months")


def test_equal_rules_have_equal_fingerprints_whatever_the_order_of_their_tables() -> None:
    shuffled = replace(
        ONLY, limits=dict(reversed(list(ONLY.limits.items()))), pausing_causes=frozenset(ONLY.pausing_causes)
    )
    assert Rules((shuffled,)).fingerprint() == DEFAULT_RULES.fingerprint()


@pytest.mark.parametrize(
    "changes",
    [
        {"limits": {**ONLY.limits, ("land", "started"): Limit(61, "working_days")}},
        {"lanes": {}},
        {"pausing_causes": frozenset({"utility"})},
        {"valid_from": date(1980, 1, 2)},
        {"warn_share": (1, 2)},
        {"warn_days": 31},
        {"long_months": 7},
        {"long_plan_days": 200},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_rules_that_differ_in_anything_have_another_fingerprint(changes: dict[str, object]) -> None:
    assert Rules((replace(ONLY, **changes),)).fingerprint() != DEFAULT_RULES.fingerprint()  # type: ignore[arg-type]  # each row fits its field


def test_rules_need_versions_in_the_order_of_their_dates() -> None:
    later = replace(ONLY, valid_from=date(2027, 1, 1))
    assert Rules((ONLY, later)).versions == (ONLY, later)
    for versions in ((), (later, ONLY), (ONLY, ONLY)):
        with pytest.raises(ValueError, match="ascending"):
            Rules(versions)
