"""Targets, annual plans and publications over HTTP, from a real MongoDB."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from luodi.domain.events import (
    ANNUAL_PLAN_SET,
    EVENT_RETRACTED,
    MILESTONE_REPORTED,
    PROGRESS_REPORTED,
    PROJECT_AMENDED,
    PROJECT_REGISTERED,
    PROJECT_WITHDRAWN,
    Event,
)
from luodi.domain.figures import FIGURE_REPORTED
from luodi.domain.publishing import PUBLICATION_MADE
from luodi.domain.targets import TARGET_SET
from tests.integration.tracker.test_queries import OPENAPI, Desk
from tests.integration.tracker.test_queries import desk as desk

pytestmark = pytest.mark.stack

WAN = 10_000


def valid(body: Any, name: str) -> Any:
    jsonschema.validate(body, {"$ref": f"#/components/schemas/{name}", "components": OPENAPI["components"]})
    return body


# Targets. Today is 1 June 2026: five months are over.


def target(desk: Desk, **data: Any) -> Event:
    return desk.recorder.event("zone:demo", TARGET_SET, {"year": 2026, **data})


@pytest.fixture
def aimed(desk: Desk) -> Desk:
    """Started in 2026: two by unit u1, one of them leader l1's, one by u2; one in phases, one in 2025, an agreement."""
    r = desk.recorder
    desk.put(
        r.registered("a", lead_unit="u1", leader="l1", investment=100),
        r.milestone("a", "signed", "2026-01-05"),
        r.milestone("a", "started", "2026-03"),
        r.registered("b", lead_unit="u1", investment=200, enterprise="甲"),
        r.milestone("b", "started", "2026-05-30"),
        r.registered("c", lead_unit="u2", leader="l1", investment=400, enterprise="甲"),
        r.milestone("c", "started", "2025-12-31"),
        r.registered("d", lead_unit="u2", investment=800, phased=True),
        r.registered("d1", lead_unit="u2", investment=300, parent="d"),
        r.milestone("d1", "started", "2026-04-01"),
        r.registered("d2", lead_unit="u2", parent="d"),
        r.milestone("d2", "started", "2026-05-01"),
        r.registered("e", kind="agreement"),
        r.milestone("e", "signed", "2026-02-01"),
    )
    return desk


def aims(desk: Desk, query: str = "", language: str = "zh-CN") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = valid(desk.get(f"/v1/targets?zone=demo{query}", language).json, "Targets")["items"]
    return items


def test_targets_of_zone_unit_and_leader_stand_beside_what_was_reached_and_its_list(aimed: Desk) -> None:
    aimed.put(
        target(aimed, measure="started", value=10),
        target(aimed, measure="started", value=4, unit="u1"),
        target(aimed, measure="started", value=2, leader="l1"),
        target(aimed, measure="started", value=1, unit="u2", leader="l1"),
        target(aimed, measure="signed_investment", value=1_000),
        target(aimed, measure="projects", value=8),
        target(aimed, measure="enterprises", value=2, unit="u1"),
    )
    found = {(row["measure"], row["owner"], row["leader"]): row for row in aims(aimed)}
    assert {place: row["own"] for place, row in found.items()} == {
        ("started", None, None): 3,
        ("started", "u1", None): 2,
        ("started", None, "l1"): 1,
        ("started", "u2", "l1"): 0,
        ("signed_investment", None, None): 100,
        ("projects", None, None): 4,
        ("enterprises", "u1", None): 1,
    }
    for row in found.values():
        counted = aimed.get(row["list"]).json["own"]
        assert row["own"] == counted["amount" if row["measure"] == "signed_investment" else "count"]
    zone = found["started", None, None]
    assert (zone["percent"], zone["expected"], zone["points"], zone["difference"]) == (30.0, 4.17, -11.7, -7)
    assert zone["text"] == (
        "2026年目标：当年开工项目（分期项目以首个开工的分期为准）10个；已完成3个，完成30.0%，慢于序时11.7个百分点"
    )
    in_phases = [row["id"] for row in aimed.items(zone["list"])]
    assert in_phases == ["a", "b", "d"]


def test_targets_are_chosen_by_year_measure_unit_and_leader_and_judged_up_to_a_month(aimed: Desk) -> None:
    aimed.put(
        target(aimed, measure="started", value=12, by_month=[1] * 12),
        target(aimed, measure="started", value=4, unit="u1"),
        target(aimed, measure="producing", value=4),
        aimed.recorder.event("zone:demo", TARGET_SET, {"year": 2025, "measure": "started", "value": 1}),
    )
    assert [(row["measure"], row["owner"]) for row in aims(aimed, "&measure=started&unit=u1")] == [("started", "u1")]
    (last_year,) = aims(aimed, "&year=2025")
    assert (last_year["own"], last_year["month"], last_year["expected"], last_year["reached"]) == (1, 12, 1, True)
    march = aims(aimed, "&month=3&measure=started")[0]
    assert (march["month"], march["expected"]) == (3, 3)


def test_a_target_of_whoever_holds_a_post_counts_what_names_the_post(aimed: Desk) -> None:
    r = aimed.recorder
    aimed.put(
        r.event("post:l1", "post.registered", {"name": "包干领导"}),
        r.event("post:l1", "post.handed_over", {"holder": "u-li", "date": "2026-01-01"}),
        target(aimed, measure="started", value=2, leader="u-li"),
        plan(aimed, "a", 100),
    )
    (row,) = aims(aimed)
    assert row["own"] == aimed.get(row["list"]).json["own"]["count"] == 1
    assert [item["project_id"] for item in paces(aimed, "leader=u-li")["items"]] == ["a"]


def test_a_target_of_a_reported_figure_is_held_against_what_was_reported_of_the_year(aimed: Desk) -> None:
    told = {"figure": "growth", "name": "工业投资同比", "name_en": "growth", "unit": "%", "source": "月报"}
    aimed.put(
        target(aimed, figure="growth", value=12.5),
        target(aimed, figure="unheard-of", value=1),
        aimed.recorder.event("zone:demo", FIGURE_REPORTED, {**told, "value": 9.9, "as_of": "2025-12-31"}),
        aimed.recorder.event("zone:demo", FIGURE_REPORTED, {**told, "value": 13.1, "as_of": "2026-04-30"}),
    )
    growth, unknown = aims(aimed)
    assert (growth["name"], growth["own"], growth["difference"], growth["percent"], growth["reached"]) == (
        "工业投资同比",
        13.1,
        0.6,
        None,
        True,
    )
    assert (unknown["own"], unknown["text"]) == (None, "2026年目标：unheard-of1；尚无数据")


# Annual plans (序时进度).


def plan(desk: Desk, project: str, amount: int, year: int = 2026, by_month: list[int] | None = None) -> Event:
    data = {"year": year, "amount": amount} | ({"by_month": by_month} if by_month else {})
    return desk.recorder.event(project, ANNUAL_PLAN_SET, data)


def money(desk: Desk, project: str, date: str, invested: int, arrived: int | None = None) -> Event:
    data = {"date": date, "invested_total": invested} | ({} if arrived is None else {"arrived_total": arrived})
    return desk.recorder.event(project, PROGRESS_REPORTED, data)


@pytest.fixture
def planned(desk: Desk) -> Desk:
    """Four projects with a plan for 2026: ahead, behind, silent, and a phase of the one behind; one without a plan."""
    r = desk.recorder
    desk.put(
        r.registered("ahead", lead_unit="u1"),
        r.milestone("ahead", "signed", "2026-01-05"),
        plan(desk, "ahead", 1200 * WAN),
        money(desk, "ahead", "2026-05-31", 700 * WAN, 900 * WAN),
        r.registered("behind", lead_unit="u2"),
        r.milestone("behind", "signed", "2024-01-05"),
        plan(desk, "behind", 2400 * WAN, by_month=[0, 0, *[240 * WAN] * 10]),
        money(desk, "behind", "2025-12-20", 5000 * WAN),
        money(desk, "behind", "2026-04-30", 5100 * WAN),
        r.registered("phase", parent="behind", lead_unit="u2"),
        plan(desk, "phase", 600 * WAN),
        r.registered("silent", lead_unit="u1", zone="qingyuan"),
        plan(desk, "silent", 100 * WAN),
        plan(desk, "silent", 100 * WAN, year=2025),
        r.registered("none"),
        money(desk, "none", "2026-02-28", 10),
        money(desk, "none", "2026-03-31", 25),
    )
    return desk


def paces(desk: Desk, query: str = "", language: str = "zh-CN") -> dict[str, Any]:
    body: dict[str, Any] = valid(desk.get(f"/v1/annual-plans?{query}", language).json, "AnnualPlans")
    return body


def test_plans_of_a_zone_stand_beside_what_was_invested_those_furthest_behind_first(planned: Desk) -> None:
    body = paces(planned, "zone=demo")
    assert (body["year"], body["month"]) == (2026, 5)
    told = {row["project_id"]: (row["points"], row["invested"], row["planned"]) for row in body["items"]}
    assert list(told) == ["phase", "behind", "ahead"]
    assert told == {
        "phase": (-41.7, 0, 250 * WAN),
        "behind": (-25.8, 100 * WAN, 720 * WAN),
        "ahead": (16.6, 700 * WAN, 500 * WAN),
    }
    ahead = body["items"][-1]
    assert ahead["counted_since"] is None
    assert ahead["text"] == (
        "2026年计划投资0.12亿元；至5月底序时应完成0.05亿元（41.7%），实际完成0.07亿元（58.3%），快于序时16.6个百分点"
    )
    assert body["items"][1]["counted_since"] == "2025-12-20"


def test_a_phase_of_a_planned_project_is_listed_and_not_added_twice(planned: Desk) -> None:
    body = paces(planned, "zone=demo&group_by=lead_unit")
    assert {row["project_id"]: row["in_sums"] for row in body["items"]} == {
        "phase": False,
        "behind": True,
        "ahead": True,
    }
    summary = body["summary"]
    assert (summary["plans"], summary["behind"], summary["unreported"]) == (2, 1, 0)
    assert (summary["amount"], summary["planned"], summary["invested"]) == (3600 * WAN, 1220 * WAN, 800 * WAN)
    assert [(group["key"], group["plans"], group["points"]) for group in body["groups"]] == [
        ("u1", 1, 16.6),
        ("u2", 1, -25.8),
    ]


def test_a_phase_two_levels_below_a_planned_project_is_not_added_either(planned: Desk) -> None:
    r = planned.recorder
    planned.put(
        r.registered("middle", parent="behind"),
        r.registered("lowest", parent="middle"),
        plan(planned, "lowest", 300 * WAN),
    )
    body = paces(planned, "zone=demo")
    assert {row["project_id"]: row["in_sums"] for row in body["items"]}["lowest"] is False
    assert (body["summary"]["plans"], body["summary"]["amount"]) == (2, 3600 * WAN)


def test_plans_are_chosen_by_year_month_and_holder_and_come_in_pages(planned: Desk) -> None:
    assert [row["project_id"] for row in paces(planned, "year=2025")["items"]] == ["silent"]
    assert [row["project_id"] for row in paces(planned, "lead_unit=u1")["items"]] == ["silent", "ahead"]
    assert [row["project_id"] for row in paces(planned, "behind=true&zone=demo")["items"]] == ["phase", "behind"]
    february = {row["project_id"]: row["planned"] for row in paces(planned, "month=2&zone=demo")["items"]}
    assert february == {"behind": 0, "phase": 100 * WAN, "ahead": 200 * WAN}
    first = paces(planned, "limit=2")
    second = paces(planned, f"limit=2&cursor={first['next']}")
    assert [row["project_id"] for row in (*first["items"], *second["items"])] == ["phase", "silent", "behind", "ahead"]
    assert second["next"] is None
    assert first["summary"] == second["summary"]


def test_what_was_invested_and_what_arrived_are_measures_of_a_year(planned: Desk) -> None:
    invested = planned.get("/v1/measures/invested?zone=demo&year=2026").json
    assert {row["id"]: row["amount"] for row in invested["items"]} == {
        "ahead": 700 * WAN,
        "behind": 100 * WAN,
        "none": 15,
    }
    assert invested["own"] == {"count": 3, "amount": 800 * WAN + 15}
    arrived = planned.get("/v1/measures/arrived?zone=demo&year=2026").json
    assert arrived["own"] == {"count": 1, "amount": 900 * WAN}


def test_plans_are_found_by_the_index_of_those_that_have_one(planned: Desk) -> None:
    planned.put(*(planned.recorder.registered(f"other{number}") for number in range(50)))
    planned.commands.clear()
    paces(planned, "zone=demo")
    command = next(command for command in planned.commands if command.get("find") == "projects")
    explained = planned.database.command(
        "explain", {name: command[name] for name in ("find", "filter", "hint")}, verbosity="executionStats"
    )
    assert "COLLSCAN" not in str(explained["queryPlanner"]["winningPlan"])
    assert explained["executionStats"]["totalDocsExamined"] <= 4


def test_the_money_of_a_project_is_shown_as_of_a_day(planned: Desk) -> None:
    then = planned.get("/v1/projects/behind?as_of=2026-03-31").json
    assert [row["year"] for row in then["money"]] == [2025]
    now = planned.get("/v1/projects/behind").json
    assert [row["year"] for row in now["money"]] == [2025, 2026]
    assert "planned_years" not in now


# Publications. Recorded at the instants named, in the order in which they happened.


def at(subject: str, id_: str, recorded: str, type_: str, **data: Any) -> Event:
    return Event(subject, id_, type_, recorded, 0, "u-test", data)


def registered(subject: str, recorded: str, **fields: Any) -> Event:
    told = {"name": f"项目{subject}", "zone": "demo", "route": "land", **fields}
    return at(subject, f"r-{subject}", recorded, PROJECT_REGISTERED, **told)


def reached(subject: str, id_: str, recorded: str, stage: str, date: str) -> Event:
    return at(subject, id_, recorded, MILESTONE_REPORTED, stage=stage, date=date)


PUBLISHED = "2026-05-02T01:00:00.000Z"
BEFORE, AFTER = "2026-04-20T01:00:00.000Z", "2026-05-10T01:00:00.000Z"
FIGURE = {"figure": "f", "name": "企业", "source": "月报", "as_of": "2026-04-30"}
PUBLICATION = "/v1/zones/demo/publications/may"


@pytest.fixture
def published(desk: Desk) -> Desk:
    """April published on 2 May; afterwards a late report, a raised amount, a retraction, and what is of May alone."""
    desk.put(
        registered("late", BEFORE, investment=100, enterprise="甲"),
        reached("late", "s1", BEFORE, "signed", "2026-04-01"),
        registered("raised", BEFORE, investment=200, enterprise="乙"),
        reached("raised", "s2", BEFORE, "signed", "2026-03-01"),
        registered("taken", BEFORE, investment=300, key=True),
        reached("taken", "s3", BEFORE, "signed", "2026-03-01"),
        reached("taken", "l3", BEFORE, "land_supplied", "2026-04-15"),
        registered("same", BEFORE, investment=400),
        reached("same", "s4", BEFORE, "signed", "2026-03-01"),
        at("zone:demo", "f", BEFORE, FIGURE_REPORTED, **FIGURE, value=5, measure="enterprises"),
        at("zone:demo", "may", PUBLISHED, PUBLICATION_MADE, period="2026-04", as_of="2026-04-30", title="四月月报"),
        reached("late", "l1", AFTER, "land_supplied", "2026-04-28"),
        at("raised", "a2", AFTER, PROJECT_AMENDED, investment=250),
        at("taken", "x3", AFTER, EVENT_RETRACTED, event_id="l3", reason="仅签意向，未供地"),
        reached("same", "l4", AFTER, "land_supplied", "2026-05-08"),
        at("same", "n4", AFTER, PROJECT_AMENDED, content="只改了建设内容"),
        registered("new", AFTER, investment=500),
        reached("new", "s5", AFTER, "signed", "2026-05-09"),
        at("zone:demo", "f2", AFTER, FIGURE_REPORTED, **FIGURE, value=4),
    )
    return desk


def test_a_publication_shows_what_was_known_when_it_was_made_whatever_came_later(published: Desk) -> None:
    body = valid(published.get(PUBLICATION, "zh-CN").json, "Publication")
    assert (body["known_at"], body["as_of"], body["number"], body["settled"]) == (PUBLISHED, "2026-04-30", 1, True)
    assert body["funnel"]["total"]["projects"] == 4
    assert body["funnel"]["total"]["investment"] == 1_000
    reached_ = {row["stage"]: row["reached"] for row in body["funnel"]["stages"]}
    assert (reached_["signed"], reached_["land_supplied"]) == (4, 1)
    assert sum(body["lights"].values()) == 4
    assert body["own"]["key_projects"] == {"count": 1, "amount": 300}
    (figure,) = body["figures"]
    assert (figure["value"], figure["own"], figure["difference"], figure["list"]) == (5, 2, 3, None)
    past = published.get(f"/v1/funnel?zone=demo&as_of=2026-04-30&known_at={PUBLISHED}").json
    assert {name: past[name] for name in ("total", "stages", "rates")} == body["funnel"]


def test_corrections_name_the_projects_and_the_events_that_changed_a_published_number(published: Desk) -> None:
    body = valid(published.get(f"{PUBLICATION}/corrections", "zh-CN").json, "Corrections")
    assert [row["project_id"] for row in body["items"]] == ["late", "raised", "taken"]
    late, raised, taken = body["items"]
    assert late["text"] == "当前节点由签约改为供地；供地日期由无改为2026-04-28"
    assert [(event["id"], event["date"], event["changes"]) for event in late["events"]] == [
        ("l1", "2026-04-28", ["stage", "reached.land_supplied"])
    ]
    assert raised["text"] == "总投资由0.000002亿元改为0.0000025亿元"
    assert [event["id"] for event in raised["events"]] == ["a2"]
    assert [(event["id"], event["type"], event["reason"]) for event in taken["events"]] == [
        ("x3", "event.retracted", "仅签意向，未供地")
    ]
    numbers = {row["name"]: (row["published"], row["now"], row["difference"]) for row in body["numbers"]}
    assert numbers["total.investment"] == (1_000, 1_050, 50)
    assert "stages.land_supplied.reached" not in numbers  # one was added and one taken back
    assert "total.projects" not in numbers  # the new one was signed in May
    (figure,) = body["figures"]
    assert (figure["published"], figure["now"], figure["event_id"]) == (5, 4, "f2")
    assert "总投资由0.00001亿元改为0.0000105亿元" in body["text"]


def test_corrections_come_in_pages_that_know_no_more_than_the_first(published: Desk) -> None:
    address = f"{PUBLICATION}/corrections?limit=2"
    first = published.get(address).json
    published.put(at("same", "w4", "2026-06-01T04:00:01.000Z", PROJECT_WITHDRAWN, date="2026-04-02", reason="退出"))
    second = published.get(f"{address}&cursor={first['next']}").json
    assert [row["project_id"] for row in (*first["items"], *second["items"])] == ["late", "raised", "taken"]
    assert second["until"] == first["until"]
    assert second["next"] is None


def test_what_was_corrected_by_a_day_is_asked_for_with_known_at(published: Desk) -> None:
    body = published.get(f"{PUBLICATION}/corrections?known_at=2026-05-05", "zh-CN").json
    assert body["items"] == body["numbers"] == body["figures"] == []
    assert body["text"] == "2026-04所发布的数据（截至2026-04-30）与现有记录一致"


def test_publications_are_listed_the_newest_first_and_a_second_of_a_period_names_the_one_before(
    published: Desk,
) -> None:
    published.put(
        at("zone:demo", "again", "2026-05-20T01:00:00.000Z", PUBLICATION_MADE, period="2026-04", as_of="2026-04-30"),
        at("zone:weinan", "w", "2026-05-21T01:00:00.000Z", PUBLICATION_MADE, period="2026", as_of="2026-04-30"),
    )
    page = published.get("/v1/publications?limit=2").json
    for item in page["items"]:
        valid(item, "PublicationHead")
    assert [(item["zone"], item["id"]) for item in page["items"]] == [("weinan", "w"), ("demo", "again")]
    rest = published.get(f"/v1/publications?limit=2&cursor={page['next']}").json
    assert [item["id"] for item in rest["items"]] == ["may"]
    again = published.get("/v1/publications?zone=demo&period=2026-04").json["items"][0]
    assert (again["number"], again["replaces"]) == (2, "may")
    assert published.get(again["url"]).json["funnel"]["total"]["investment"] == 1_050
    assert published.get(again["corrections"]).json["items"] == []
