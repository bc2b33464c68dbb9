from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from luodi.domain.events import MILESTONE_REPORTED, PLAN_SET, PROJECT_REGISTERED
from luodi.domain.figures import FIGURE_REPORTED, Breakdown, figures_of
from luodi.domain.money import yi
from luodi.domain.subjects import id_of
from luodi.domain.zones import ZONE_REGISTERED
from seeds.facts import published_events

PUBLISHED_ZONES = ("qingyuan", "weinan", "yichang", "qingdao", "kunshan", "changzhi", "urumqi")
FIGURES = [
    (id_of(event.subject), {**event.data, "id": event.id, "recorded_at": "", "corrected": 0})
    for event in published_events()
    if event.type == FIGURE_REPORTED
]


def of(zone: str) -> dict[str, dict[str, Any]]:
    return {row["figure"]: row for of_zone, row in FIGURES if of_zone == zone}


def the_weinan_sum() -> Breakdown:
    (found,) = figures_of("weinan", of("weinan").values())
    assert isinstance(found, Breakdown)
    return found


def test_the_zones_are_the_demonstration_zone_and_the_seven_published_ones() -> None:
    rows = tomllib.loads(files("seeds").joinpath("zones.toml").read_text(encoding="utf-8"))["zone"]
    assert [row["id"] for row in rows] == ["demo", *PUBLISHED_ZONES]
    assert [row["id"] for row in rows if row["demo"]] == ["demo"]
    assert tuple(row["id"] for row in rows if row["published"]) == PUBLISHED_ZONES
    assert len({row["code"] for row in rows}) == len(rows)


def test_every_published_zone_is_registered_and_has_facts_with_their_source_and_date() -> None:
    registered = [id_of(event.subject) for event in published_events() if event.type == ZONE_REGISTERED]
    assert registered == list(PUBLISHED_ZONES)
    assert {zone for zone, _ in FIGURES} == set(PUBLISHED_ZONES)
    assert {row["as_of"] for _, row in FIGURES} == {"2024-09-30"}
    assert all(row["source"] for _, row in FIGURES)


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
    figures = of("qingyuan")
    taken_in, producing = figures["enterprises-taken-in"]["value"], figures["enterprises-producing"]["value"]
    assert (taken_in, producing) == (518, 169)
    assert figures["enterprises-producing-rate"]["value"] == round(100 * 169 / 518, 1) == 32.6


def test_amounts_of_figures_are_whole_yuan() -> None:
    assert all(isinstance(row["value"], int) for _, row in FIGURES if row.get("unit") == "元")


def test_figures_are_told_apart_by_zone_and_id() -> None:
    names = [(zone, row["figure"]) for zone, row in FIGURES]
    assert len(names) == len(set(names))


def test_figures_name_only_projects_that_are_published() -> None:
    subjects = {event.subject for event in published_events()}
    assert {row["project"] for _, row in FIGURES if "project" in row} <= subjects


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
