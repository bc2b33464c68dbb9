"""What a funnel counts: roots once, increments as money, withdrawn ones in every denominator."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.domain.counting import Cell, Funnel, Rate, Sums, arrived, has_landed, sameness

ALL = ("signed", "land_supplied", "started", "completed", "producing")


def cell(*reached: str, route: str = "land", **more: Any) -> Cell:
    return Cell(route, reached[-1] if reached else None, frozenset(reached), **more)


def funnel(*parts: tuple[Cell, Sums]) -> Funnel:
    made = Funnel()
    for part in parts:
        made.add(*part)
    return made


def stage(made: Funnel, name: str) -> dict[str, int]:
    return next({**row} for row in made.answer()["stages"] if row["stage"] == name)


def test_a_withdrawn_project_stays_in_every_denominator_and_leaves_the_current_stage() -> None:
    made = funnel(
        (cell("signed", "land_supplied", "started"), Sums(1, 300)),
        (cell("signed", withdrawn=True), Sums(1, 100)),
    )
    assert made.answer()["total"]["projects"] == 2
    assert made.answer()["total"]["withdrawn"] == 1
    assert made.rates()["started"] == Rate(1, 2)
    assert made.rates()["landed"] == Rate(1, 2)
    assert stage(made, "signed")["reached"] == 2
    assert stage(made, "signed")["current"] == 0


def test_an_increment_adds_its_money_and_is_no_project() -> None:
    made = funnel(
        (cell(*ALL), Sums(1, 1_000)),
        (cell("signed", "started", route="expansion", increment=True), Sums(1, 500)),
    )
    total = made.answer()["total"]
    assert (total["projects"], total["increments"]) == (1, 1)
    assert (total["investment"], total["increment_investment"]) == (1_500, 500)
    assert stage(made, "started") == {
        "stage": "started",
        "reached": 1,
        "verified": 0,
        "current": 0,
        "missing": 0,
        "not_applicable": 0,
        "investment": 1_500,
    }
    assert made.rates()["started"] == Rate(1, 1)


def test_a_stage_nobody_reported_is_missing_in_the_funnel_and_counts_for_the_rates() -> None:
    made = funnel((cell("started"), Sums(2)), (cell("signed"), Sums(1)))
    assert (stage(made, "signed")["reached"], stage(made, "signed")["missing"]) == (1, 2)
    assert stage(made, "completed")["missing"] == 0
    assert made.rates()["started"] == Rate(2, 3)
    assert made.rates()["landed"] == Rate(2, 3)


def test_an_agreement_is_counted_and_left_out_of_the_rates() -> None:
    made = funnel((cell("signed", agreement=True), Sums(1, 10, arrived=5)), (cell("signed"), Sums(1, 100, arrived=50)))
    assert made.answer()["total"]["agreements"] == 1
    assert made.answer()["total"]["projects"] == 2
    assert made.rates()["producing"] == Rate(0, 1)
    assert made.rates()["funds_arrived"] == Rate(50, 100, None)


def test_beside_what_was_reported_stands_what_was_verified() -> None:
    """已核实 n / 已报 m: a stage by its own report, a rate by that of the stage or of a later one."""
    made = funnel(
        (cell("signed", "land_supplied", "started", verified=frozenset({"signed", "started"})), Sums(2)),
        (cell("signed", "land_supplied", "started"), Sums(3)),
        (cell("signed", "started", route="plant", verified=frozenset({"started"})), Sums(1)),
        (cell("signed", verified=frozenset({"signed"}), withdrawn=True), Sums(1)),
        (cell("signed", "started", route="expansion", increment=True, verified=frozenset({"started"})), Sums(1)),
    )
    told = {row["stage"]: (row["verified"], row["reached"]) for row in made.answer()["stages"]}
    assert told["signed"] == (3, 7)
    assert told["land_supplied"] == (0, 5)
    assert told["started"] == (3, 6)
    assert made.rates()["started"] == Rate(6, 7, 3)
    assert made.rates()["landed"] == Rate(6, 7, 3)
    assert made.rates()["producing"] == Rate(0, 7, 0)
    assert made.answer()["rates"]["landed"]["verified"] == 3
    assert made.answer()["rates"]["funds_arrived"]["verified"] is None


def test_a_project_without_a_milestone_is_not_signed() -> None:
    made = funnel((cell(), Sums(3)), (cell("signed"), Sums(1)))
    assert made.answer()["total"]["projects"] == 4
    assert made.rates()["started"].denominator == 1


@pytest.mark.parametrize(
    ("counted", "landed"),
    [
        (cell("signed"), False),
        (cell("signed", landed=True), True),
        (cell("signed", "land_supplied"), True),
        (cell("signed", "started"), True),
        (cell("signed", route="plant"), False),
        (cell("signed", "started", route="plant"), True),
    ],
)
def test_land_is_landed_with_its_contract_and_a_plant_when_fitting_out_begins(counted: Cell, landed: bool) -> None:
    assert has_landed(counted) is landed


def test_an_expansion_on_its_own_site_has_nowhere_to_land() -> None:
    made = funnel((cell("signed", "started", route="expansion"), Sums(1)))
    assert made.rates()["landed"] == Rate(0, 0)
    assert stage(made, "land_supplied")["not_applicable"] == 1


@pytest.mark.parametrize(
    ("rate", "percent"),
    [
        (Rate(169, 518), 32.6),
        (Rate(1, 2000), 0.1),
        (Rate(1, 2001), 0.0),
        (Rate(1, 3), 33.3),
        (Rate(3, 2), 150.0),
        (Rate(0, 0), None),
    ],
)
def test_a_rate_is_rounded_half_up_to_one_decimal(rate: Rate, percent: float | None) -> None:
    assert rate.percent == percent


def test_what_has_arrived_is_the_last_report_else_what_was_registered() -> None:
    assert arrived({"paid_in": 5, "progress": {"arrived_total": 7}}) == 7
    assert arrived({"paid_in": 5, "progress": {"arrived_total": None}}) == 5
    assert arrived({"paid_in": 5, "progress": {"arrived_total": 0}}) == 0
    assert arrived({"paid_in": None, "progress": None}) is None


def test_one_investor_on_one_parcel_is_the_same_however_it_is_spelt() -> None:
    one = sameness({"investor": "示例（中国）Ltd. ", "parcel": "Ａ-12"})
    assert one == sameness({"investor": "示例(中国)ltd.", "parcel": "a- 12"})
    assert one != sameness({"investor": "示例(中国)ltd.", "parcel": "a-13"})
    assert sameness({"investor": "示例", "parcel": None}) is None
    assert sameness({"investor": " ", "parcel": "A-1"}) is None
