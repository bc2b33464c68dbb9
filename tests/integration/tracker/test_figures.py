"""Reported figures over HTTP: 上报数, 系统数 and 差额 side by side, each with the list behind our own number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from luodi.domain.events import EVENT_RETRACTED, PROGRESS_REPORTED, Event
from luodi.domain.figures import FIGURE_REPORTED
from luodi.domain.investing import share
from luodi.domain.subjects import is_project
from luodi.local.harness import Servers
from seeds.facts import published_events
from tests.integration.tracker.test_queries import OPENAPI, Desk

pytestmark = pytest.mark.stack


@pytest.fixture
def desk(servers: Servers) -> Iterator[Desk]:
    """A tracker that holds the published figures, and no project."""
    made = Desk(servers)
    told = [event for event in published_events() if not is_project(event.subject)]
    made.put(*(made.recorder.event(event.subject, event.type, event.data, event.id) for event in told))
    yield made
    made.close()


def figure(desk: Desk, zone: str, **data: Any) -> Event:
    told = {"figure": "f", "name": "企业", "source": "月报", "as_of": "2026-05-31", **data}
    return desk.recorder.event(f"zone:{zone}", FIGURE_REPORTED, told)


def reported(desk: Desk, zone: str, language: str = "en", more: str = "") -> dict[str, dict[str, Any]]:
    items = desk.get(f"/v1/figures?zone={zone}{more}", language).json["items"]
    for item in items:
        jsonschema.validate(item, {"$ref": "#/components/schemas/ReportedFigure", "components": OPENAPI["components"]})
    return {item["id"]: item for item in items}


def behind(desk: Desk, address: str) -> dict[str, Any]:
    body = desk.get(address).json
    jsonschema.validate(body, {"$ref": "#/components/schemas/Counted", "components": OPENAPI["components"]})
    assert isinstance(body, dict)
    return body


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


def test_a_reported_figure_stands_beside_our_own_count_and_the_list_behind_it(desk: Desk) -> None:
    r = desk.recorder
    desk.put(
        r.registered("k1", zone="weinan", key=True, investment=3_250_000_000),
        r.registered("k2", zone="weinan", key=True, investment=3_200_000_000, parent="k1"),
        r.registered("k3", zone="weinan", key=True, investment=50_000_000, increment_of="k1"),
        r.registered("k4", zone="weinan", investment=7),
        r.registered("k5", zone="weinan", key=True, kind="agreement"),
        r.registered("q1", zone="qingyuan", kind="carrier", enterprise="甲", credit_code="91440000000000001X"),
        r.milestone("q1", "producing", "2024-05"),
        r.registered("q2", zone="qingyuan", enterprise="乙"),
        r.registered("q3", zone="qingyuan", enterprise="甲"),
    )
    item = reported(desk, "weinan")["signed-key-projects"]
    assert item["own"] == {"count": 1, "amount": 3_300_000_000}
    assert item["own_difference"] == {"count": 23, "amount": 21_598_000_000}
    list_ = behind(desk, item["list"])
    assert list_["own"] == item["own"]
    assert [(row["id"], row["counts"], row["amount"]) for row in list_["items"]] == [
        ("k1", 1, 3_250_000_000),
        ("k3", 0, 50_000_000),
    ]
    qingyuan = reported(desk, "qingyuan")
    measured = {id_: row for id_, row in qingyuan.items() if row["measure"]}
    assert {id_: (row["value"], row["own"], row["difference"]) for id_, row in measured.items()} == {
        "enterprises-taken-in": (518, 2, 516),
        "enterprises-producing": (169, 1, 168),
        "standard-factory-carriers": (36, 1, 35),
    }
    for row in measured.values():
        list_ = behind(desk, row["list"])
        assert list_["own"]["count"] == row["own"] == sum(item["counts"] for item in list_["items"])
    assert share(169, 518) == qingyuan["enterprises-producing-rate"]["value"]
    growth = qingyuan["industrial-value-added"]
    assert (growth["value"], growth["own"], growth["measure"], growth["list"]) == (16.4, None, None, None)


def test_the_list_of_enterprises_names_the_projects_of_each(desk: Desk) -> None:
    r = desk.recorder
    desk.put(
        r.registered("q1", zone="qingyuan", enterprise="甲", credit_code="91440000000000001X"),
        r.registered("q2", zone="qingyuan", enterprise="乙"),
        r.registered("q3", zone="qingyuan", enterprise="甲"),
    )
    items = behind(desk, "/v1/measures/enterprises?zone=qingyuan")["items"]
    assert [(row["id"], row["name"], row["projects"]) for row in items] == [
        ("91440000000000001X", "甲", ["q1", "q3"]),
        ("乙", "乙", ["q2"]),
    ]


def test_a_list_behind_a_number_comes_in_pages_and_each_tells_the_whole_number(desk: Desk) -> None:
    desk.put(*(desk.recorder.registered(f"p{number}", zone="weinan") for number in range(5)))
    seen: list[str] = []
    address: str | None = "/v1/measures/projects?zone=weinan&limit=2"
    while address is not None:
        body = behind(desk, address)
        assert body["own"]["count"] == 5
        seen += [row["id"] for row in body["items"]]
        following = body["next"]
        address = following and f"/v1/measures/projects?zone=weinan&limit=2&cursor={following}"
    assert seen == [f"p{number}" for number in range(5)]


def test_a_correction_replaces_a_figure_and_a_later_period_leaves_it_to_be_asked_for(desk: Desk) -> None:
    desk.put(
        figure(desk, "kunshan", value=5, period="2026-04"),
        figure(desk, "kunshan", value=6, period="2026-04"),
        figure(desk, "kunshan", value=9, period="2026-05", as_of="2026-06-01"),
        wrong := figure(desk, "kunshan", value=99, period="2026-05", as_of="2026-06-01"),
        desk.recorder.event("zone:kunshan", EVENT_RETRACTED, {"event_id": wrong.id, "reason": "误报"}),
    )
    newest = reported(desk, "kunshan", more="&figure=f")
    assert (newest["f"]["value"], newest["f"]["corrected"]) == (9, 0)
    april = reported(desk, "kunshan", more="&figure=f&period=2026-04")
    assert (april["f"]["value"], april["f"]["corrected"]) == (6, 1)
    every = desk.get("/v1/figures?zone=kunshan&figure=f&history=true").json["items"]
    assert [item["value"] for item in every] == [6, 9]


def test_a_figure_of_a_part_of_a_year_stands_beside_what_happened_in_that_part(desk: Desk) -> None:
    r = desk.recorder

    def invested(day: str, total: int) -> Event:
        return r.event("a", PROGRESS_REPORTED, {"date": day, "invested_total": total})

    desk.put(
        *(r.registered(id_, zone="kunshan", investment=amount) for id_, amount in (("a", 1), ("b", 20), ("c", 300))),
        *(
            r.milestone("abcd"[place], "signed", day)
            for place, day in enumerate(("2026-01-05", "2026-04", "2026-05-02"))
        ),
        r.registered("d", zone="kunshan", investment=4000),
        r.milestone("d", "signed", "2026"),  # some day of the year: it counts on the last one
        invested("2026-02-28", 100),
        invested("2026-04-30", 250),
        invested("2026-05-31", 400),
        figure(desk, "kunshan", value=3, unit="个", period="2026-01/2026-04", measure="signed"),
    )
    item = reported(desk, "kunshan", more="&figure=f")["f"]
    assert (item["own"], item["difference"]) == (2, 1)
    assert item["list"] == "/v1/measures/signed?zone=kunshan&year=2026&period=2026-01/2026-04"
    found = behind(desk, item["list"])
    assert ([row["id"] for row in found["items"]], found["period"]) == (["a", "b"], "2026-01/2026-04")
    assert behind(desk, "/v1/measures/signed?zone=kunshan&period=2026-05")["own"]["count"] == 1
    assert behind(desk, "/v1/measures/signed?zone=kunshan&year=2026")["own"]["count"] == 4
    for period, amount in (("2026-01/2026-04", 250), ("2026-04", 150), ("2026-04/2026-06", 300), ("2026", 400)):
        assert behind(desk, f"/v1/measures/invested?zone=kunshan&period={period}")["own"]["amount"] == amount
    for wrong in ("signed?period=2026-13", "signed?year=2025&period=2026-05", "projects?period=2026-05"):
        assert desk.get(f"/v1/measures/{wrong}&zone=kunshan").status_code == 400


def test_a_figure_of_a_year_stands_beside_what_happened_in_that_year(desk: Desk) -> None:
    r = desk.recorder
    desk.put(
        r.registered("a", zone="kunshan", investment=300),
        r.milestone("a", "signed", "2025-12-31"),
        r.registered("b", zone="kunshan", investment=500),
        r.milestone("b", "signed", "2026"),
        figure(desk, "kunshan", value=800, unit="元", period="2026", measure="signed_investment"),
    )
    item = reported(desk, "kunshan", more="&figure=f")["f"]
    assert (item["own"], item["difference"]) == (500, 300)
    assert item["list"] == "/v1/measures/signed_investment?zone=kunshan&year=2026"
    assert [row["id"] for row in behind(desk, item["list"])["items"]] == ["b"]


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
    tag = desk.get("/v1/figures").headers["ETag"]
    assert desk.get("/v1/figures", **{"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/v1/figures?colour=red", 400),
        ("/v1/figures?history=perhaps", 400),
        ("/v1/measures/luck?zone=weinan", 404),
        ("/v1/measures/projects", 400),
        ("/v1/measures/projects?zone=weinan&zone=demo", 400),
        ("/v1/measures/signed?zone=weinan&year=26", 400),
        ("/v1/targets?month=13", 400),
        ("/v1/targets?measure=luck", 400),
        ("/v1/annual-plans?group_by=luck", 400),
        ("/v1/annual-plans?year=soon", 400),
        ("/v1/zones/weinan/publications/none", 404),
    ],
)
def test_what_is_asked_for_is_read_strictly(desk: Desk, address: str, status: int) -> None:
    assert desk.get(address).status_code == status


def test_a_zone_is_listed_by_its_registration_and_told_with_its_figures(desk: Desk) -> None:
    listed = desk.items("/v1/zones?q=渭南")
    assert [(row["id"], row["name"], "figures" in row) for row in listed] == [("weinan", "渭南高新区", False)]
    one = desk.get("/v1/zones/weinan").json
    assert [row["figure"] for row in one["figures"]] == ["signed-key-projects"]
    assert one["targets"] == one["publications"] == []
    assert [row["type"] for row in desk.items("/v1/zones/weinan/timeline")] == ["zone.registered", "figure.reported"]
    for name, item in (("Zone", one), ("Zone", listed[0])):
        jsonschema.validate(item, {"$ref": f"#/components/schemas/{name}", "components": OPENAPI["components"]})


def test_zones_and_lists_are_found_by_an_index(desk: Desk) -> None:
    desk.put(desk.recorder.registered("k1", zone="weinan", key=True))
    desk.commands.clear()
    desk.get("/v1/figures?zone=weinan")
    desk.get("/v1/measures/key_projects?zone=weinan")
    desk.get("/v1/measures/started?zone=weinan&year=2026")
    desk.get("/v1/measures/invested?zone=weinan&year=2026")
    desk.get("/v1/measures/enterprises?zone=weinan")
    asked = [command for command in desk.commands if command.get("find") in {"projects", "subjects"}]
    assert len(asked) >= 5
    for command in asked:
        explained = desk.database.command(
            "explain", {name: command[name] for name in ("find", "filter", "hint") if name in command}
        )
        assert "COLLSCAN" not in str(explained["queryPlanner"]["winningPlan"]), command
