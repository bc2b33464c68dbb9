"""What is answered of enterprises, from a real MongoDB: their page, requests, qualifications, services, measures; and
that who comes by a link sees what is its own and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import jsonschema
import pytest

from luodi.domain.days import instant
from luodi.domain.enterprises import (
    ENTERPRISE_REGISTERED,
    LINK_REVOKED,
    REQUEST_ACCEPTED,
    REQUEST_ANSWERED,
    REQUEST_RAISED,
)
from luodi.domain.events import BLOCKER_CLEARED, BLOCKER_RAISED, Event
from luodi.domain.qualifications import QUALIFICATION_GRANTED
from luodi.domain.services import ENTERPRISE_SERVED, SERVICE_GIVEN
from luodi.domain.upgrades import MEASURE_REPORTED
from luodi.local.harness import Servers
from luodi.runtime.links import Link, issue
from services.tracker import enterprises_http
from services.tracker.enterprises import Enterprises
from services.tracker.enterprises_http import LINK_READ_BURST
from services.tracker.queries import Queries
from tests.integration.tracker.test_queries import CALENDAR, OPENAPI, TODAY, Answer, Desk, _stages

pytestmark = pytest.mark.stack

SECRET = "a-secret-of-thirty-two-characters"  # of these tests alone
CODES = ("91441802MA0000000X", "91441802MA0000001X")
ASKED = "2026-05-29T04:00:00.000Z"  # the Friday before TODAY, which is a Monday


class Window:
    """A desk where enterprises are asked for, and where they come themselves."""

    def __init__(self, servers: Servers) -> None:
        self.desk = Desk(servers)
        enterprises = Enterprises(self.desk.database)
        enterprises.ensure_indexes()
        app = self.desk.client.application
        enterprises_http.add_routes(
            app, enterprises, Queries(self.desk.database), _nothing, self.desk.clock, lambda: CALENDAR, SECRET
        )

    def tell(self, subject: str, type_: str, at: str | None = None, id_: str | None = None, **data: Any) -> str:
        event = self.desk.recorder.event(subject, type_, data, id_)
        if at is not None:
            event = Event(subject, event.id, type_, at, event.sequence, event.actor, data)
        self.desk.put(event)
        return event.id

    def firm(self, id_: str, **fields: Any) -> None:
        self.tell(f"enterprise:{id_}", ENTERPRISE_REGISTERED, **{"name": f"示例{id_}有限公司", "zone": "demo"} | fields)

    def project(self, id_: str, **fields: Any) -> None:
        self.desk.put(self.desk.recorder.registered(id_, **fields))

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        answer = self.desk.get(path, **headers)
        assert answer.status_code == status, answer.data
        return answer.json

    def pages(self, path: str) -> Iterator[str]:
        """The ids of a list, page by page to its end."""
        page = self.get(path)
        yield from (row["id"] for row in page["items"])
        while page["next"]:
            page = self.get(f"{path}&cursor={page['next']}")
            yield from (row["id"] for row in page["items"])

    def fits(self, path: str, template: str | None = None) -> Any:
        """The answer, which is what the contract says."""
        body = self.get(path)
        template = template or path.partition("?")[0]
        schema = OPENAPI["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(body, {**schema, "components": OPENAPI["components"]})
        return body

    def by_link(self, enterprise: str = "a", generation: int = 0, until: date = date(2026, 12, 31)) -> Answer:
        token = issue(SECRET, Link(enterprise, generation, until))
        return self.desk.get("/v1/link/requests", Authorization=f"Bearer {token}")


def _nothing() -> None:
    """Everything is visible at once."""


@pytest.fixture
def window(servers: Servers) -> Iterator[Window]:
    made = Window(servers)
    yield made
    made.desk.close()


def request(window: Window, firm: str, text: str, at: str = ASKED, **data: Any) -> str:
    return window.tell(f"enterprise:{firm}", REQUEST_RAISED, at, text=text, **data)


def test_the_page_of_an_enterprise_holds_what_is_told_of_it(window: Window) -> None:
    window.firm("a", scale="规上")
    window.tell("enterprise:a", QUALIFICATION_GRANTED, level="专精特新中小企业", date="2023-07-01")
    window.tell("enterprise:a", ENTERPRISE_SERVED, kind="培训", date="2026-05-20")
    request(window, "a", "用电")
    page = window.fits("/v1/enterprises/a", "/v1/enterprises/{enterprise_id}")
    assert (page["name"], page["scale"], page["credit_code"]) == ("示例a有限公司", "规上", None)
    assert page["holds"] == [
        {
            "level": "专精特新中小企业",
            "level_id": "specialised",
            "ladder": "growth",
            "step": 2,
            "valid_until": "2026-06-30",
            "next": "specialised 'little giant' firm",
        }
    ]
    (held,) = page["qualifications"]
    assert (held["state"], held["light"], held["by_rule"]) == ("recheck", "yellow", True)
    assert held["reason"]["text"] == "To be examined again by 2026-06-30, 29 days left"
    assert page["services"]["months"] == [{"month": "2026-05", "count": 1, "kinds": {"培训": 1}}]
    assert page["requests"][0]["light"] == "yellow"
    assert page["link"] == {"generation": 0, "refused": 0}
    listed = window.fits("/v1/enterprises?zone=demo&scale=规上")
    assert [item["id"] for item in listed["items"]] == ["a"]
    assert "requests" not in listed["items"][0], "the list holds who they are, not what they ask for"
    assert window.get("/v1/enterprises/a/timeline")["items"]
    window.get("/v1/enterprises/nobody", 404)


def test_an_enterprise_has_the_projects_of_its_credit_code_and_those_of_its_name_that_have_none(window: Window) -> None:
    window.firm("a", credit_code=CODES[0])
    window.project("by-code", credit_code=CODES[0], enterprise="旧名称")
    window.project("by-name", enterprise="示例a有限公司")
    window.project("by-id", enterprise="a")
    window.project("namesake", enterprise="示例a有限公司", credit_code=CODES[1])
    window.project("other-zone", enterprise="a", zone="qingyuan")
    window.project("nobodys")
    found = window.fits("/v1/enterprises/a/projects", "/v1/enterprises/{enterprise_id}/projects")
    assert [item["id"] for item in found["items"]] == ["by-code", "by-id", "by-name"]
    first = window.get("/v1/enterprises/a/projects?limit=2")
    rest = window.get(f"/v1/enterprises/a/projects?limit=2&cursor={first['next']}")
    assert ([i["id"] for i in first["items"] + rest["items"]], rest["next"]) == (["by-code", "by-id", "by-name"], None)


def test_an_enterprise_without_a_name_has_no_project_that_names_nobody(window: Window) -> None:
    request(window, "a", "未登记的企业")
    window.project("nobodys")
    assert window.get("/v1/enterprises/a/projects")["items"] == []


def test_requests_are_listed_with_their_clock_and_counted(window: Window) -> None:
    window.firm("a")
    window.firm("b", zone="qingyuan")
    late = request(window, "a", "上周三提的", "2026-05-27T04:00:00.000Z", kind="用电")
    due = request(window, "a", "周五提的")
    answered = request(window, "b", "已答", kind="用水")
    window.tell("enterprise:b", REQUEST_ANSWERED, instant(TODAY), request_id=answered, text="本周接通")
    body = window.fits("/v1/requests")
    assert [(row["id"], row["light"], row["state"]) for row in body["items"]] == [
        (late, "red", "open"),
        (due, "yellow", "open"),
        (answered, None, "answered"),
    ]
    assert body["summary"] == {
        "open": 2,
        "answered": 1,
        "accepted": 0,
        "resolved": 0,
        "overdue": 1,
        "due_today": 1,
        "answered_in_time": 1,
        "answered_late": 0,
    }
    assert body["items"][0]["reason"]["text"] == "Overdue: the first answer was due by 2026-05-28, 4 days over"
    for query, wanted in (
        ("zone=demo", [late, due]),
        ("light=red", [late]),
        ("state=answered", [answered]),
        ("kind=用电,用水", [late, answered]),
        ("enterprise_id=b", [answered]),
        ("due_before=2026-06-01", [late]),
        ("state=open&zone=qingyuan", []),
    ):
        assert [row["id"] for row in window.get(f"/v1/requests?{query}")["items"]] == wanted, query
    assert list(window.pages("/v1/requests?limit=1")) == [late, due, answered]
    assert window.get("/v1/requests?colour=red", 400)["code"] == "bad-query"
    assert window.get("/v1/requests?state=closed", 400)["errors"][0]["pointer"] == "state"


def test_a_request_accepted_as_a_blocker_is_resolved_when_that_is_cleared(window: Window) -> None:
    window.firm("a")
    window.project("p1", enterprise="a")
    asked = request(window, "a", "变压器容量不足", kind="用电")
    window.tell("p1", BLOCKER_RAISED, instant(TODAY), asked, kind="用电", owner="power", date="2026-06-01")
    window.tell("enterprise:a", REQUEST_ACCEPTED, instant(TODAY), request_id=asked, project_id="p1", blocker_id=asked)
    (row,) = window.fits("/v1/requests")["items"]
    assert (row["state"], row["in_time"], row["blocker"]["owner"]) == ("accepted", True, "power")
    window.tell("p1", BLOCKER_CLEARED, blocker_id=asked, date="2026-06-01")
    (row,) = window.fits("/v1/requests?state=resolved")["items"]
    assert (row["state"], row["blocker"]["cleared"]) == ("resolved", "2026-06-01")


def test_by_its_link_an_enterprise_sees_its_own_requests_and_no_more_of_them_than_concerns_it(window: Window) -> None:
    window.firm("a")
    window.firm("b")
    window.project("p1", enterprise="a")
    asked = request(window, "a", "变压器容量不足", note="老问题，内部")
    request(window, "b", "别家的诉求")
    window.tell("p1", BLOCKER_RAISED, None, "b1", kind="用电", owner="power", date="2026-06-01", note="内部意见")
    window.tell(
        "enterprise:a", REQUEST_ANSWERED, None, request_id=asked, text="三日内到现场", note="先安抚", unit="power"
    )
    window.tell("enterprise:a", REQUEST_ACCEPTED, None, request_id=asked, project_id="p1", blocker_id="b1", note="转办")
    answer = window.by_link()
    assert answer.status_code == 200
    schema = OPENAPI["paths"]["/v1/link/requests"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json, {**schema, "components": OPENAPI["components"]})
    (row,) = answer.json["items"]
    assert (row["text"], row["state"]) == ("变压器容量不足", "accepted")
    assert [told["text"] for told in row["answers"]] == ["三日内到现场"]
    assert row["blocker"]["project_id"] == "p1"
    text = answer.data.decode()
    for hidden in ("别家", "内部", "安抚", "转办", "u-test", "power", "note", "actor"):
        assert hidden not in text, hidden
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_request_accepted_in_a_project_of_another_enterprise_shows_nothing_of_it(window: Window) -> None:
    window.firm("a", credit_code=CODES[0])
    window.project("foreign", enterprise="示例a有限公司", credit_code=CODES[1], name="别家的秘密项目")
    asked = request(window, "a", "用电")
    window.tell("foreign", BLOCKER_RAISED, None, "b1", kind="用电", owner="power", date="2026-06-01")
    window.tell("enterprise:a", REQUEST_ACCEPTED, None, request_id=asked, project_id="foreign", blocker_id="b1")
    answer = window.by_link()
    assert (answer.json["items"][0]["state"], answer.json["items"][0]["blocker"]) == ("accepted", None)
    assert "foreign" not in answer.data.decode()
    assert "秘密" not in answer.data.decode()
    (row,) = window.get("/v1/requests")["items"]
    assert (row["accepted"]["project_id"], row["blocker"]) == ("foreign", None), "staff see what does not fit"


def test_a_revoked_link_opens_nothing_and_a_new_one_does(window: Window) -> None:
    window.firm("a")
    request(window, "a", "收回之前", link=0)
    assert window.by_link().status_code == 200
    window.tell("enterprise:a", LINK_REVOKED, "2026-05-30T00:00:00.000Z", reason="外泄")
    request(window, "a", "收回之后", "2026-05-31T00:00:00.000Z", link=0)
    assert (window.by_link().status_code, window.by_link().json["code"]) == (401, "bad-link")
    assert window.by_link(generation=2).status_code == 401
    seen = window.by_link(generation=1).json["items"]
    assert [row["text"] for row in seen] == ["收回之前"], "what came through the revoked link is nothing"
    assert window.get("/v1/enterprises/a")["link"] == {"generation": 1, "refused": 1}


@pytest.mark.parametrize("path", ["/v1/link/requests?enterprise_id=b", "/v1/link/requests?zone=demo"])
def test_whose_requests_are_shown_cannot_be_asked_for(window: Window, path: str) -> None:
    window.firm("b")
    request(window, "b", "别家的诉求")
    token = issue(SECRET, Link("a", 0, date(2026, 12, 31)))
    assert window.desk.get(path, Authorization=f"Bearer {token}").status_code == 400


def test_an_expired_or_forged_token_opens_nothing(window: Window) -> None:
    window.firm("a")
    assert window.by_link(until=date(2026, 6, 1)).status_code == 200
    assert window.by_link(until=date(2026, 5, 31)).status_code == 401
    token = issue(SECRET, Link("b", 0, date(2026, 12, 31))).replace("~b~", "~a~")
    for shown in (token, issue("t" * 32, Link("a", 0, date(2026, 12, 31))), ""):
        answer = window.desk.get("/v1/link/requests", Authorization=f"Bearer {shown}")
        assert (answer.status_code, answer.json["code"]) == (401, "bad-link")
    assert window.desk.get("/v1/link/requests").status_code == 401


def test_a_link_is_read_only_so_often_and_others_are_not_held_up(window: Window) -> None:
    answers = [window.by_link("nobody").status_code for _ in range(int(LINK_READ_BURST) + 1)]
    assert answers == [200] * int(LINK_READ_BURST) + [429]
    assert window.by_link("somebody").json["items"] == []
    # Nor is whoever was given a new link by whoever has an old one.
    assert window.by_link("nobody", generation=1).status_code == 401


def test_qualifications_are_listed_by_their_end_and_counted_by_level(window: Window) -> None:
    window.firm("a")
    window.firm("b")
    tell = window.tell
    soon = tell("enterprise:a", QUALIFICATION_GRANTED, level="专精特新中小企业", date="2023-07-01")
    giant = tell("enterprise:a", QUALIFICATION_GRANTED, level="专精特新“小巨人”企业", date="2026-01-15")
    gone = tell("enterprise:b", QUALIFICATION_GRANTED, level="创新型中小企业", date="2022-01-15")
    own = tell("enterprise:b", QUALIFICATION_GRANTED, level="市长质量奖", date="2026-03-01")
    body = window.fits("/v1/qualifications?zone=demo")
    assert [(row["id"], row["state"]) for row in body["items"]] == [
        (gone, "expired"),
        (soon, "recheck"),
        (giant, "valid"),
        (own, "valid"),
    ]
    counts = {row["level_id"]: (row["new"], row["valid"], row["expired"]) for row in body["summary"]["levels"]}
    assert body["summary"]["year"] == 2026
    assert counts == {
        "innovative": (0, 0, 1),
        "specialised": (0, 1, 0),
        "little-giant": (1, 1, 0),
        "市长质量奖": (1, 1, 0),
    }
    for query, wanted in (
        ("level=小巨人", [giant]),
        ("level=little-giant", [giant]),
        ("ladder=growth&state=recheck", [soon]),
        ("due_before=2026-07-01", [gone, soon]),
        ("enterprise_id=b&state=valid", [own]),
        ("zone=qingyuan", []),
    ):
        assert [row["id"] for row in window.get(f"/v1/qualifications?{query}")["items"]] == wanted, query
    by_year = window.get("/v1/qualifications?year=2023")["summary"]["levels"]
    assert {row["level_id"]: row["new"] for row in by_year}["specialised"] == 1
    window.desk.clock.advance(30 * 86_400)  # 1 July: not renewed
    assert window.get("/v1/qualifications?state=expired")["items"][-1]["id"] == soon
    ladders = window.fits("/v1/ladders")["items"]
    assert [level["step"] for level in ladders[0]["levels"]] == [1, 2, 3]


def test_services_are_counted_per_month_and_enterprise_whether_told_of_it_or_of_its_project(window: Window) -> None:
    window.firm("a", credit_code=CODES[0])
    window.firm("b")
    window.project("p1", enterprise="随便", credit_code=CODES[0])
    window.project("p2", enterprise="未登记企业")
    window.tell("enterprise:a", ENTERPRISE_SERVED, kind="培训", date="2026-04-10")
    window.tell("enterprise:b", ENTERPRISE_SERVED, kind="专家上门", date="2026-05-10")
    window.tell("p1", SERVICE_GIVEN, kind="代办", date="2026-05-11", text="代办环评")
    window.tell("p1", SERVICE_GIVEN, kind="代办", date="2026-05-12")
    window.tell("p2", SERVICE_GIVEN, kind="对接", date="2026-05-12")
    body = window.fits("/v1/services?zone=demo")
    assert [(row["enterprise_id"], row["enterprise"], row["count"]) for row in body["items"]] == [
        ("a", "示例a有限公司", 3),
        (None, "未登记企业", 1),
        ("b", "示例b有限公司", 1),
    ]
    assert body["items"][0]["months"] == {"2026-04": 1, "2026-05": 2}
    assert body["summary"] == {
        "count": 5,
        "enterprises": 3,
        "kinds": {"专家上门": 1, "代办": 2, "培训": 1, "对接": 1},
        "months": {"2026-04": 1, "2026-05": 4},
    }
    for query, wanted in (
        ("since=2026-05&until=2026-05&kind=代办", 2),
        ("enterprise_id=a", 3),
        ("project_id=p1", 2),
        ("until=2026-03", 0),
    ):
        assert window.get(f"/v1/services?{query}")["summary"]["count"] == wanted, query
    assert window.get("/v1/services?since=2026", 400)["errors"][0]["code"] == "bad-month"
    assert window.get("/v1/projects/p1")["services"]["count"] == 2


def test_measures_of_upgrades_are_listed_by_project(window: Window) -> None:
    window.project("up", kind="upgrade", route="expansion")
    window.project("plain")
    window.tell("up", MEASURE_REPORTED, name="成品率", before=97, after=98.7, unit="%")
    body = window.fits("/v1/measures?zone=demo")
    (item,) = body["items"]
    assert (item["project_id"], item["kind"]) == ("up", "upgrade")
    assert (item["measures"][0]["change"], item["measures"][0]["change_unit"]) == (1.7, "points")
    assert window.fits("/v1/projects/up", "/v1/projects/{project_id}")["measures"] == item["measures"]
    assert window.fits("/v1/projects/plain", "/v1/projects/{project_id}")["measures"] == []


def test_no_query_reads_more_than_its_index_holds(window: Window) -> None:
    window.firm("a", credit_code=CODES[0])
    window.project("p1", credit_code=CODES[0])
    window.tell("enterprise:a", QUALIFICATION_GRANTED, level="小巨人", date="2025-07-01")
    window.tell("enterprise:a", ENTERPRISE_SERVED, kind="培训", date="2026-04-10")
    window.tell("p1", SERVICE_GIVEN, kind="代办", date="2026-05-11")
    window.tell("p1", MEASURE_REPORTED, name="成品率", change=1)
    asked = request(window, "a", "用电")
    window.tell("enterprise:a", REQUEST_ACCEPTED, request_id=asked, project_id="p1", blocker_id="b1")
    indexes = {
        "/v1/requests": {"requests", "_id_"},
        "/v1/requests?zone=demo": {"requests", "_id_"},
        "/v1/requests?enterprise_id=a": {"_id_"},
        "/v1/qualifications?zone=demo": {"qualifications"},
        "/v1/services?zone=demo": {"services", "_id_"},
        "/v1/services?project_id=p1": {"_id_"},
        "/v1/measures": {"measures"},
        "/v1/measures?zone=demo": {"measures"},
    }
    for path, expected in indexes.items():
        window.desk.commands.clear()
        window.get(path)
        used = set()
        for sent in window.desk.commands:
            command = {k: v for k, v in sent.items() if k not in {"lsid", "$db", "$clusterTime", "readConcern"}}
            plan = window.desk.database.command("explain", command, verbosity="queryPlanner")
            assert "COLLSCAN" not in set(_stages(plan)), (path, command)
            used |= set(_names(plan["queryPlanner"]["winningPlan"]))
        assert used == expected, path
    window.desk.commands.clear()
    window.get("/v1/enterprises/a/projects")
    (asked_of,) = [sent for sent in window.desk.commands if sent.get("find") == "projects"]
    assert asked_of["hint"] == "zone"


def _names(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        if "indexName" in plan:
            yield plan["indexName"]
        if plan.get("stage") == "IDHACK":
            yield "_id_"
        for inner in plan.values():
            yield from _names(inner)
    elif isinstance(plan, list):
        for inner in plan:
            yield from _names(inner)
