from __future__ import annotations

import pytest

from luodi.domain import stages
from luodi.domain.stages import ROUTES, STAGES


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
