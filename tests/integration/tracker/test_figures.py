"""Reported figures over HTTP: 上报数, 系统数 and 差额 side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from luodi.local.harness import Servers
from tests.integration.tracker.test_queries import OPENAPI, Desk

pytestmark = pytest.mark.stack


@pytest.fixture
def desk(servers: Servers) -> Iterator[Desk]:
    made = Desk(servers)
    yield made
    made.close()


def reported(desk: Desk, zone: str, language: str = "en") -> dict[str, dict[str, Any]]:
    items = desk.get(f"/v1/figures?zone={zone}", language).json["items"]
    for item in items:
        jsonschema.validate(item, {"$ref": "#/components/schemas/ReportedFigure", "components": OPENAPI["components"]})
    return {item["id"]: item for item in items}


def test_a_reported_sum_stands_beside_its_parts_with_the_difference_and_the_word(desk: Desk) -> None:
    item = reported(desk, "weinan", "zh-CN")["signed-key-projects"]
    assert item["reported"] == {"count": 24, "amount": 24_898_000_000}
    assert item["parts_sum"] == {"count": 24, "amount": 17_889_000_000}
    assert item["difference"] == {"count": 0, "amount": 7_009_000_000}
    assert item["word"] == "主要"
    assert item["text"] == (
        "签约重点项目24个，248.98亿元；主要：印刷包装5个16.56亿元、装备制造9个39.27亿元、生物医药10个123.06亿元，"
        "合计24个178.89亿元，差额70.09亿元"
    )
    english = reported(desk, "weinan")["signed-key-projects"]
    assert english["word"] == "mainly"
    assert english["text"].endswith("together 24 for 178.89: a difference of 70.09")


def test_a_reported_figure_stands_beside_our_own_count(desk: Desk) -> None:
    r = desk.recorder
    desk.put(
        r.registered("k1", zone="weinan", key=True, investment=3_250_000_000),
        r.registered("k2", zone="weinan", key=True, investment=3_200_000_000, parent="k1"),
        r.registered("k3", zone="weinan", key=True, investment=50_000_000, increment_of="k1"),
        r.registered("k4", zone="weinan", investment=7),
        r.registered("k5", zone="weinan", key=True, kind="agreement"),
        r.registered("q1", zone="qingyuan", kind="carrier", enterprise="甲"),
        r.milestone("q1", "producing", "2024-05"),
        r.registered("q2", zone="qingyuan", enterprise="乙"),
    )
    item = reported(desk, "weinan")["signed-key-projects"]
    assert item["own"] == {"count": 1, "amount": 3_300_000_000}
    assert item["own_difference"] == {"count": 23, "amount": 21_598_000_000}
    qingyuan = reported(desk, "qingyuan")
    assert {id_: (row["value"], row["own"], row["difference"]) for id_, row in qingyuan.items() if row["measure"]} == {
        "enterprises-taken-in": (518, 2, 516),
        "enterprises-producing": (169, 1, 168),
        "standard-factory-carriers": (36, 1, 35),
    }
    growth = qingyuan["industrial-value-added"]
    assert (growth["value"], growth["own"], growth["measure"]) == (16.4, None, None)


def test_figures_of_all_zones_and_of_none(desk: Desk) -> None:
    everywhere = desk.get("/v1/figures").json["items"]
    assert {item["zone"] for item in everywhere} == {
        "qingyuan",
        "weinan",
        "yichang",
        "qingdao",
        "kunshan",
        "changzhi",
        "urumqi",
    }
    assert desk.get("/v1/figures?zone=demo").json == {"items": [], "next": None}
    assert desk.get("/v1/figures?colour=red").status_code == 400
    tag = desk.get("/v1/figures").headers["ETag"]
    assert desk.get("/v1/figures", **{"If-None-Match": tag}).status_code == 304
