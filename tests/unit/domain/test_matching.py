"""Projects that wait for land or a plant × what fits, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from luodi.domain.carriers import definitions, houses, letting, together
from luodi.domain.matching import (
    SENTENCES,
    Match,
    Need,
    Offer,
    matches,
    need_of,
    offer_of,
    seeks,
    sentence,
    vacancy_of,
)
from luodi.domain.pool import PROJECT_POOLED
from luodi.domain.resources import M2, MU
from tests.unit.domain.builders import Story

NEED = Need("p-1", "demo", "land", 34, "东园", None, ("电子信息", "集成电路"))
PLOT = Offer("resource", "r-1", "一号地", "净地", "demo", MU, 40, "可供", None, "东园", "DK-1", ())


def found(need: Need, *offers: Offer, most: int = 10) -> list[Match]:
    return matches(need, offers, most)[0]


def none(need: Need, *offers: Offer) -> str:
    listed, why = matches(need, offers, 10)
    assert listed == []
    assert why is not None
    return sentence([why], "zh-CN")


def best(need: Need, *offers: Offer) -> list[str]:
    return [match.offer.id for match in found(need, *offers)]


# Who waits.


def story(*stages: tuple[str, str], **fields: Any) -> Story:
    told = Story()
    told.registered(**fields)
    for stage, day in stages:
        told.reached(stage, day)
    return told


SIGNED = ("signed", "2026-01-05")


@pytest.mark.parametrize(
    ("stages", "fields", "sought"),
    [
        ([SIGNED], {}, "land"),
        ([SIGNED], {"route": "plant"}, "plant"),
        ([SIGNED], {"route": "expansion"}, None),  # it builds on its own site
        ([], {}, None),
        ([SIGNED, ("land_supplied", "2026-03-01")], {}, None),
        ([SIGNED, ("started", "2026-03-01")], {"route": "plant"}, None),
        ([SIGNED], {"route": "plant", "carrier": "demo-carrier"}, None),
        ([SIGNED], {"source": "published", "as_of": "2024-09-30"}, None),
        ([SIGNED], {"kind": "agreement"}, None),
        ([SIGNED], {"phased": True}, None),
    ],
)
def test_a_project_waits_from_its_signature_until_it_has_what_its_route_needs(
    stages: list[tuple[str, str]], fields: dict[str, Any], sought: str | None
) -> None:
    assert seeks(story(*stages, **fields).document()) == sought


def test_a_project_in_the_pool_waits_already() -> None:
    told = story(route="plant")
    told.tell(PROJECT_POOLED, date="2026-01-05")
    assert seeks(told.document()) == "plant"


def test_a_project_nobody_has_registered_waits_for_nothing() -> None:
    told = Story()
    told.reached(*SIGNED)
    assert seeks(told.document()) is None


def test_what_it_needs_is_told_by_its_fields() -> None:
    document = story(SIGNED, route="plant", floor_m2=3000, industry="电子信息", chain="电子信息").document()
    need = need_of(document | {"seeks": "plant"})
    assert (need.amount, need.measure, need.trades) == (3000, M2, ("电子信息",))


# What is offered.


def test_a_resource_offers_what_is_free_on_the_day() -> None:
    stands = [
        {"state": "可供", "free": 100, "over": 0, "projects": [], "from": "1970-01-01", "to": "2026-03-01"},
        {"state": "已供", "free": 0, "over": 0, "projects": ["p-9"], "from": "2026-03-01", "to": "9999-12-31"},
    ]
    plot = {"kind": "净地", "zone": "demo", "area_mu": 100, "stands": stands}
    offered = offer_of(plot, "r-1", "2026-02-28")
    assert offered is not None
    assert offered.free == 100
    assert offer_of(plot, "r-1", "2026-03-01") is None


def test_of_unknown_size_nothing_is_offered() -> None:
    assert offer_of({"kind": "净地", "zone": "demo"}, "r-1", "2026-02-28") is None


@pytest.mark.parametrize(("reached", "offers"), [({"started": "2026-01-01"}, False), ({"completed": None}, True)])
def test_a_carrier_offers_its_vacancy_once_it_stands(reached: dict[str, Any], offers: bool) -> None:
    (house,) = houses([carrier("c-1", 900, reached=reached)], {"c-1": [tenant(400)]})
    assert (vacancy_of(house) is not None) is offers


def test_a_carrier_full_or_with_a_tenant_that_has_not_said_how_much_it_takes_offers_nothing() -> None:
    for floor, *tenants in ((400, tenant(400)), (900, tenant(400), tenant(None)), (None, tenant(400))):
        (house,) = houses([carrier("c-1", floor)], {"c-1": tenants})
        assert vacancy_of(house) is None


# What is vacant.


def tenant(floor: float | None, status: str = "active") -> dict[str, Any]:
    return {"status": status, "floor_m2": floor}


def test_what_is_let_is_what_the_living_tenants_take() -> None:
    tenants = [tenant(400), tenant(100.5), tenant(50, "withdrawn"), tenant(70, "pool"), tenant(None)]
    assert letting(1000, tenants) == {
        "floor_m2": 1000,
        "let_m2": 500.5,
        "vacant_m2": 499.5,
        "over_m2": 0,
        "rate": 0.4995,
        "tenants": 3,
        "untold": 1,
    }


def test_more_let_than_there_is_leaves_nothing_vacant_and_is_said() -> None:
    told = letting(300, [tenant(400)])
    assert (told["vacant_m2"], told["over_m2"], told["rate"]) == (0, 100, 0)


def carrier(id_: str, floor: float | None, **fields: Any) -> dict[str, Any]:
    return {"_id": id_, "zone": "demo", "floor_m2": floor, "reached": {"completed": "2026-01-01"}, **fields}


def test_several_carriers_are_summed_where_their_floor_is_known() -> None:
    carriers = [carrier("a", 1000), carrier("b", None), carrier("c", 1000)]
    told = together(houses(carriers, {"a": [tenant(250)], "b": [tenant(70)]}))
    assert (told["carriers"], told["unknown"], told["floor_m2"], told["let_m2"]) == (3, 1, 2000, 250)
    assert (told["vacant_m2"], told["rate"], told["tenants"]) == (1750, 0.875, 2)
    assert together([])["rate"] is None


def test_floor_is_counted_once_where_a_carrier_tells_it_with_its_phases() -> None:
    family = [carrier("root", 1000, reached={}), carrier("one", 600, parent="root"), carrier("two", 400, parent="root")]
    made = houses(family, {"root": [tenant(100)], "one": [tenant(300)]})
    assert [(house.letting["vacant_m2"], house.built, house.counts) for house in made] == [
        (600, True, True),
        (300, True, False),
        (400, True, False),
    ]
    told = together(made)
    assert (told["carriers"], told["floor_m2"], told["let_m2"], told["tenants"]) == (1, 1000, 400, 2)
    assert [vacancy_of(house) is not None for house in made] == [True, False, False]


def test_phases_stand_for_themselves_where_the_root_has_told_no_floor() -> None:
    family = [
        carrier("root", None, reached={}),
        carrier("one", 600, parent="root"),
        carrier("two", 400, parent="root", reached={"started": None}),
    ]
    made = houses(family, {"one": [tenant(100)]})
    assert [(house.built, house.counts) for house in made] == [(False, False), (True, True), (False, True)]
    told = together(made)
    assert (told["carriers"], told["unknown"], told["floor_m2"], told["vacant_m2"]) == (1, 0, 1000, 900)
    assert [vacancy_of(house) is not None for house in made] == [False, True, False]


def test_a_ring_of_parents_ends() -> None:
    assert len(houses([carrier("a", 1, parent="b"), carrier("b", 1, parent="a")], {})) == 2


def test_every_sum_says_what_it_means_in_both_languages() -> None:
    assert set(definitions("zh-CN")) == set(together([])) == set(definitions("en"))


# What fits.


def test_enough_land_in_the_zone_fits_and_its_sentence_says_why() -> None:
    (match,) = found(NEED, replace(PLOT, trades=("电子信息",)))
    assert match.spare == 6
    assert sentence(match.why, "zh-CN") == "需34亩，空余40亩；同在东园；可入电子信息"
    assert sentence(match.why, "en") == "needs 34 mu, 40 mu free; in its park, 东园; takes 电子信息"


def test_just_enough_is_enough() -> None:
    assert found(replace(NEED, amount=40), PLOT)[0].spare == 0
    assert found(replace(NEED, amount=40.5), PLOT) == []


@pytest.mark.parametrize("other", [{"zone": "yichang"}, {"measure": M2}])
def test_another_zone_or_a_building_does_not_fit_who_needs_land(other: dict[str, Any]) -> None:
    assert none(NEED, replace(PLOT, **other)) == "本区暂无空余用地"


def test_land_for_other_industries_does_not_fit() -> None:
    assert none(NEED, replace(PLOT, trades=("生物医药",))) == "1处面积够，但不接受电子信息、集成电路"


def test_land_for_some_industries_does_not_fit_who_told_none() -> None:
    untold = replace(NEED, trades=())
    assert found(untold, PLOT)
    assert none(untold, replace(PLOT, trades=("生物医药",))) == "1处面积够，但均限定产业，项目未报产业"


def test_the_chain_counts_as_the_industry_does() -> None:
    assert found(NEED, replace(PLOT, trades=("集成电路",)))


def test_who_has_not_said_how_much_is_asked_for_it() -> None:
    assert none(replace(NEED, amount=None), PLOT) == "项目未报用地亩数"


def test_too_little_says_how_much_there_is() -> None:
    assert none(replace(NEED, amount=100), PLOT, replace(PLOT, id="r-2", free=60)) == "需100亩，最大空余60亩"


def test_another_park_rules_nothing_out_and_is_said() -> None:
    (match,) = found(NEED, replace(PLOT, park="西园"))
    assert "在西园，不在其意向园区" in sentence(match.why, "zh-CN")


def test_the_best_come_first() -> None:
    tight = replace(PLOT, id="tight", free=35)
    wide = replace(PLOT, id="wide", free=90)
    named = replace(PLOT, id="named", free=90, trades=("电子信息",))
    elsewhere = replace(PLOT, id="elsewhere", free=34, park="西园")
    later = replace(PLOT, id="later", free=34, state="盘活中", ready_by="2026-09-30")
    its_own = replace(PLOT, id="its-own", free=300, park="西园", parcel="DK-7", state="盘活中")
    offers = (wide, elsewhere, later, its_own, tight, named)
    need = replace(NEED, parcel="DK-7")
    assert best(need, *offers) == ["its-own", "named", "tight", "wide", "elsewhere", "later"]
    assert [match.offer.id for match in found(need, *offers, most=2)] == ["its-own", "named"]


def test_what_is_still_being_freed_says_until_when() -> None:
    (match,) = found(NEED, replace(PLOT, state="盘活中", ready_by="2026-09-30"))
    assert "盘活中，预计2026-09-30可供" in sentence(match.why, "zh-CN")
    assert "not free yet, expected by 2026-09-30" in sentence(match.why, "en")


REASONS = [
    {"code": code, "measure": measure, "amount": 3000, "free": 1234.5, "parcel": "DK-1", "park": "东园"}
    | {"trades": trades, "places": 2, "state": "盘活中", "day": day}
    for code in SENTENCES
    for measure in (MU, M2)
    for trades in ([], ["电子信息"])
    for day in (None, "2026-09-30")
]


def test_every_reason_is_a_sentence_in_both_languages() -> None:
    for reason in REASONS:
        for said in (sentence([reason], "zh-CN"), sentence([reason], "en")):
            assert said
            assert "None" not in said
