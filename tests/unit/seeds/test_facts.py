from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files

from luodi.domain.events import MILESTONE_REPORTED, PLAN_SET, PROJECT_REGISTERED
from luodi.domain.figures import Breakdown
from luodi.domain.money import yi
from luodi.runtime.figures import packaged
from seeds.facts import published_events

PUBLISHED_ZONES = ("qingyuan", "weinan", "yichang", "qingdao", "kunshan", "changzhi", "urumqi")
FIGURES = packaged()


def the_weinan_sum() -> Breakdown:
    (found,) = packaged().of(["weinan"]).breakdowns
    return found


def test_the_zones_are_the_demonstration_zone_and_the_seven_published_ones() -> None:
    rows = tomllib.loads(files("seeds").joinpath("zones.toml").read_text(encoding="utf-8"))["zone"]
    assert [row["id"] for row in rows] == ["demo", *PUBLISHED_ZONES]
    assert [row["id"] for row in rows if row["demo"]] == ["demo"]
    assert tuple(row["id"] for row in rows if row["published"]) == PUBLISHED_ZONES
    assert len({row["code"] for row in rows}) == len(rows)


def test_every_published_zone_has_facts_with_their_source_and_date() -> None:
    assert {figure.zone for figure in FIGURES.figures} | {row.zone for row in FIGURES.breakdowns} == set(
        PUBLISHED_ZONES
    )
    assert {figure.as_of for figure in FIGURES.figures} | {row.as_of for row in FIGURES.breakdowns} == {"2024-09-30"}
    assert all([figure.source for figure in FIGURES.figures] + [row.source for row in FIGURES.breakdowns])


def test_the_weinan_sum_shows_the_difference_and_the_word_mainly() -> None:
    found = the_weinan_sum()
    assert (found.count, found.parts_count) == (24, 24)
    assert (yi(found.amount), yi(found.parts_amount), yi(found.difference)) == ("248.98", "178.89", "70.09")
    assert found.word == "主要"
    assert found.sentence() == (
        "签约重点项目24个，248.98亿元；主要：印刷包装5个16.56亿元、装备制造9个39.27亿元、生物医药10个123.06亿元，"
        "合计24个178.89亿元，差额70.09亿元"
    )
    assert [yi(amount) for amount in found.named_amounts] == ["32.5", "32", "20"]


def test_the_qingyuan_share_of_producing_enterprises_is_that_of_its_counts() -> None:
    by_id = {figure.id: figure.value for figure in packaged().of(["qingyuan"]).figures}
    taken_in, producing = by_id["enterprises-taken-in"], by_id["enterprises-producing"]
    assert (taken_in, producing) == (518, 169)
    share = Decimal(100) * Decimal(169) / Decimal(518)
    assert by_id["enterprises-producing-rate"] == round(share, 1) == Decimal("32.6")


def test_figures_are_exact_numbers_and_amounts_are_whole_yuan() -> None:
    for figure in FIGURES.figures:
        assert isinstance(figure.value, int | Decimal) or figure.words, figure
        if figure.unit == "元":
            assert isinstance(figure.value, int), figure


def test_figures_are_told_apart_by_zone_and_id() -> None:
    names = [(row.zone, row.id) for row in FIGURES.figures] + [(row.zone, row.id) for row in FIGURES.breakdowns]
    assert len(names) == len(set(names))


def test_figures_name_only_projects_that_are_published() -> None:
    subjects = {event.subject for event in published_events()}
    assert {figure.project for figure in FIGURES.figures if figure.project} <= subjects


def test_published_projects_are_marked_as_such_and_name_no_person() -> None:
    registered = [event.data for event in published_events() if event.type == PROJECT_REGISTERED]
    assert len(registered) == 9
    persons = {"leader", "vice_leader", "lead_unit", "group_head", "officer", "company_contact"}
    for data in registered:
        assert data["source"] == "published"
        assert data["as_of"] == "2024-09-30"
        assert not persons & data.keys()


def test_a_published_start_of_unknown_date_stays_unknown() -> None:
    reached = {event.subject: event.data for event in published_events() if event.type == MILESTONE_REPORTED}
    assert reached["qy-2024-4QGFXHXQ11"]["stage"] == "started"
    assert reached["qy-2024-4QGFXHXQ11"]["date"] is None
    plans = [event.data["date"] for event in published_events() if event.type == PLAN_SET]
    assert plans == ["2025-10"]


def test_a_laid_foundation_stone_is_no_start() -> None:
    of_fengying = [event.type for event in published_events() if event.subject == "qy-2024-P478VJE28F"]
    assert MILESTONE_REPORTED not in of_fengying


def test_money_of_a_phased_project_stands_on_its_root_only() -> None:
    registered = {event.subject: event.data for event in published_events() if event.type == PROJECT_REGISTERED}
    phases = [data for data in registered.values() if "parent" in data]
    assert len(phases) == 3
    assert all("investment" not in data for data in phases)
    root = registered[phases[0]["parent"]]
    assert root["phased"] is True
    assert yi(root["investment"]) == "60"
