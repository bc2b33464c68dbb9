"""The zones' own practices, each from HTTP through Kafka and MongoDB to the query that answers it.

One test (or more) per practice of the table in docs/guide.md, named after it; its docstring is the practice in the
zones' words. All but those that move the clock share one running system, and work with projects, units and people of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas import position
from tests.e2e.stack import Stack, eventually, stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

TAG = 8  # letters of a position that name its topic
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def in_days(days: int) -> str:
    return days_ago(-days)


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    with stack(tmp_path_factory.mktemp("practices"), LUODI_SETTLE_S="1", LUODI_PARTITIONS="4") as system:
        yield Zone(system)


class Zone:
    """The staff of a zone at work: they tell, and ask for what they have told."""

    def __init__(self, system: Stack) -> None:
        self.system = system
        self._told: list[str] = []

    def tell(self, path: str, **body: Any) -> dict[str, Any]:
        """Post to ingest; the answer, which was 202."""
        status, answer = self.system.post(path, body)
        assert status == 202, (path, answer)
        self._told = [*self._told, answer["position"]]
        return dict(answer)

    def registered(self, project_id: str, *stages: tuple[str, str], **fields: Any) -> str:
        """A registered project that reached these stages on these days."""
        told = {"name": f"示例 {project_id}", "zone": "demo", "route": "land", "kind": "factory", "industry": "新材料"}
        self.tell("/v1/projects", project_id=project_id, **{**told, **fields})
        for stage, date in stages:
            self.tell("/v1/milestones", project_id=project_id, stage=stage, date=date)
        return project_id

    def ask(self, path: str, **fields: str) -> dict[str, Any]:
        """A query of the tracker, which sees everything told before."""
        offsets: dict[int, int] = {}
        for text in self._told:
            for partition, offset in position.decode(text, text[:TAG]).items():
                offsets[partition] = max(offset, offsets.get(partition, 0))
        after = {"after": position.encode(self._told[0][:TAG], offsets)} if self._told else {}
        status, body = self.system.get(f"{self.system.tracker}{path}", **fields, **after)
        assert status == 200, (path, body)
        return dict(body)

    def matters(self, **fields: str) -> list[dict[str, Any]]:
        """The matters that fit, as notify has them by now."""
        status, body = self.system.get(f"{self.system.notify}/v1/matters", **fields)
        assert status == 200, body
        return list(body["items"])


def test_named_leaders_a_stall_nobody_signs_for_climbs_to_the_leader_who_holds_the_post(tmp_path: Path) -> None:
    """重点项目领导包干责任制。"""
    with stack(tmp_path / "leader", LUODI_SETTLE_S="1", LUODI_PARTITIONS="4") as system:
        zone = Zone(system)
        people = {"officer": "u-officer", "leader": "post-leader"}
        zone.tell("/v1/people", person_id="u-officer", role="专员")
        zone.tell("/v1/people", person_id="u-leader", role="包干领导")
        zone.tell("/v1/posts", post_id="post-leader", name="包干领导")
        zone.tell("/v1/posts/post-leader/holders", holder="u-leader", date=days_ago(30))
        project = zone.registered("leader-1", ("signed", days_ago(400)), key=True, **people)
        assert zone.ask("/v1/stalled", leader="post-leader")["items"][0]["project_id"] == project

        def opened(state: str = "open") -> list[dict[str, Any]]:
            return [m for m in zone.matters(state=state) if m["project_id"] == project]

        (matter,) = eventually(opened, "a matter of the stall", 60)
        assert matter["recipients"] == ["u-officer"], "a new red is told to those who can verify it"
        assert matter["ladder"]["next"] == {"role": "leader", "recipient": "u-leader"}

        system.down()
        system.environ["LUODI_CLOCK_OFFSET"] = str(14 * 24 * 3600)
        system.up()
        climbed = eventually(
            lambda: system.notifications(project_id=project, recipient="u-leader", kind="escalated"), "the climb", 90
        )
        assert len(climbed) == 1
        assert climbed[0]["level"] == 3


def test_whatever_can_be_asked_over_http_can_be_asked_at_a_terminal(zone: Zone) -> None:
    project = zone.registered("asked-1", ("signed", days_ago(2)), officer="u-asked")
    zone.ask("/v1/projects", officer="u-asked")  # from now on the tracker shows it
    listed = zone.system.luodi("ask")
    assert listed.returncode == 0, listed.stderr
    assert "funnel" in listed.stdout
    assert "link/requests" not in listed.stdout, "what is for enterprises alone opens to no key"
    table = zone.system.luodi("ask", "projects", "officer=u-asked", "--columns", "id,stage,light")
    assert [line.split() for line in table.stdout.splitlines()] == [
        ["id", "stage", "light"],
        [project, "signed", "green"],
    ]
    refused = zone.system.luodi("ask", "projects", "light=pink", "--en")
    assert (refused.returncode, "light: " in refused.stderr) == (1, True)
    unknown = zone.system.luodi("ask", "projects/nobody")
    assert unknown.returncode == 1


def test_the_five_drives_tell_what_is_open_in_each_and_output_that_was_promised_is_asked_for(zone: Zone) -> None:
    """签约项目抓供地、供地项目抓动工、在建项目抓提速、建成项目抓投产、存量项目抓提效。"""
    here = {"zone": "changzhi", "officer": "drives-officer", "area_mu": 20}
    built = (("signed", 900), ("land_supplied", 840), ("started", 780), ("completed", 300), ("producing", 250))
    for name, stages in {
        "land": built[:1],  # no land after 900 days
        "start": (("signed", 100), ("land_supplied", 20)),
        "building": (("signed", 200), ("land_supplied", 150), ("started", 100)),
        "production": (*built[:3], ("completed", 20)),
        "performance": built,
    }.items():
        zone.registered(f"drives-{name}", *((stage, days_ago(ago)) for stage, ago in stages), **here)
    commitments = "/v1/projects/drives-performance/commitments"
    zone.tell(commitments, measure="full_production", due=days_ago(10), value=100_000_000)

    def drives() -> dict[str, Any]:
        return {drive["drive"]: drive for drive in zone.ask("/v1/drives", zone="changzhi")["drives"]}

    found = drives()
    assert {name: (drive["open"], drive["red"]) for name, drive in found.items()} == {
        "land": (1, 1),
        "start": (1, 0),
        "building": (1, 0),
        "production": (1, 0),
        "performance": (1, 1),
    }
    (worst,) = found["performance"]["worst"]
    assert (worst["project_id"], worst["days_over"]) == ("drives-performance", 10)
    assert worst["next"] == {"role": "officer", "who": "drives-officer", "acting": "drives-officer"}
    assert "达产（年产值1亿元）" in worst["reason"]["text"]
    assert found["land"]["trend"][-1]["known"]["open"] == 0, "last week nobody knew of it"
    assert found["land"]["trend"][-1]["actual"]["red"] == 1

    def told(kind: str) -> list[dict[str, Any]]:
        told_of = zone.system.notifications(project_id="drives-performance", kind=kind)
        return [row for row in told_of if row["gap"] == ["producing", "performing"]]

    (row,) = eventually(lambda: told("stalled"), "the notice of what was promised", 60)
    assert row["recipient"] == "drives-officer"
    assert "达产达效超期10天" in row["title"]
    assert "补报经营数据" in row["text"]

    zone.tell("/v1/projects/drives-performance/performance", period=str(TODAY.year - 1), output=120_000_000)
    project = zone.ask("/v1/projects/drives-performance")
    assert (project["light"], project["commitments"][0]["met"]) == ("blue", f"{TODAY.year - 1}-12-31")
    assert drives()["performance"]["open"] == 0
    (row,) = eventually(lambda: told("cleared"), "the all-clear", 60)
    assert "已达到承诺指标" in row["title"]


def test_blockers_what_a_unit_owes_is_one_request_and_only_the_enterprise_s_word_closes_it(zone: Zone) -> None:
    """资金、用水、用电、用能作为“拦路虎”：问题清单、承诺、回复、企业确认、销号。"""
    zone.tell("/v1/units", unit_id="grid-1", name="示例供电局", head="u-grid")
    project = zone.registered("blocked-1", ("signed", days_ago(20)), group_head="u-head", officer="u-officer")
    about = f"/v1/projects/{project}/blockers"
    owed = {"kind": "用电", "cause": "utility", "owner": "grid-1", "date": days_ago(15)}
    late = zone.tell(about, **owed, promise=days_ago(5))["id"]
    zone.tell(about, **owed, promise=in_days(40))
    zone.tell(f"{about}/{late}/update", promise=days_ago(2), reason="设备未到")
    zone.tell(f"{about}/{late}/reply", text="线路已列入检修计划")
    answer = zone.ask("/v1/blockers", owner="grid-1")
    summary = answer["summary"]
    assert (summary["open"], summary["overdue"], summary["postponed"], summary["unanswered"]) == (2, 1, 1, 1)
    assert (answer["items"][0]["id"], answer["items"][0]["days_over"]) == (late, 2)
    assert answer["items"][0]["replies"][0]["text"] == "线路已列入检修计划"

    def matter(state: str) -> list[dict[str, Any]]:
        return [m for m in zone.matters(state=state) if m["id"] == f"{project}:blocker:{late}"]

    (opened,) = eventually(lambda: matter("open"), "a matter of the broken promise", 60)
    assert "u-grid" in opened["recipients"], "whoever leads the unit is told"
    zone.tell(f"{about}/{late}/clear", date=days_ago(0))
    eventually(lambda: matter("cleared"), "the end of the red", 60)

    def close() -> tuple[int, Any]:
        return zone.system.post(f"/v1/matters/{opened['id']}/close", {"actor": "u-head"}, to=zone.system.notify)

    status, refused = close()
    assert (status, refused["code"]) == (409, "not-confirmed")
    assert zone.ask("/v1/blockers", project_id=project, status="cleared")["summary"]["cleared"] == 1
    zone.tell(f"{about}/{late}/confirm", by="p-contact", satisfied=True)
    assert eventually(lambda: close()[0] == 200, "the enterprise's word to reach notify", 30)
    assert [item["id"] for item in zone.ask("/v1/blockers", owner="grid-1", status="confirmed")["items"]] == [late]


def test_procedures_are_followed_from_the_first_talk_and_what_is_missing_has_its_day(zone: Zone) -> None:
    """提前介入、绿色通道、容缺受理、告知承诺制。"""
    project = zone.registered("permits-1", ("signed", days_ago(40)), lanes=["绿色通道"])
    path = f"/v1/projects/{project}/procedures"
    missing = [{"what": "资金证明", "due": in_days(5)}]
    talks = zone.tell(path, id="talks", kind="环评", state="提前介入", date=days_ago(20))
    zone.tell(path, id="permit", kind="施工许可", state="容缺受理", date=days_ago(1), missing=missing)
    zone.tell(f"{path}/talks/states", state="告知承诺", date=days_ago(0), missing=[{"what": "监测报告"}])
    assert talks["id"] == "talks"

    def listed(**asked: str) -> dict[str, Any]:
        found = zone.ask("/v1/procedures", project_id=project, **asked)["items"]
        return {item["id"]: item for item in found}

    waiting = listed(state="容缺受理", due_before=in_days(6))
    assert waiting.keys() == {"permit"}
    assert waiting["permit"]["unit"] == "demo-unit-02", "the zone's files say who decides"
    assert waiting["permit"]["limit"] == {
        "amount": 4,
        "unit": "working_days",
        "statutory": 7,
        "extended": 0,
        "lane": "绿色通道",
    }
    assert listed(state="告知承诺")["talks"]["limit"]["amount"] == 1
    zone.tell(f"{path}/permit/supplies", what="资金证明", date=days_ago(0))
    assert listed(state="容缺受理", due_before=in_days(6)).get("permit", {"missing_due": None})["missing_due"] is None
    zone.tell(f"{path}/permit/states", state="办结", date=days_ago(0), document="建字第1号")
    done = listed(state="办结")["permit"]
    assert (done["verdict"], done["light"], done["result"]) == ("in_time", "blue", "granted")
    (unit,) = zone.ask("/v1/procedures/summary", project_id=project, unit="demo-unit-02")["items"]
    assert (unit["open"], unit["in_time"]) == (0, 1)


def test_a_project_that_starts_on_receiving_its_land_has_a_short_limit_and_starts_by_no_rule(zone: Zone) -> None:
    """带方案出让"拿地即开工"。"""
    reached = (("signed", days_ago(60)), ("land_supplied", days_ago(45)))
    fast = zone.registered("lane-1", *reached, lanes=["拿地即开工"])
    slow = zone.registered("lane-2", *reached)
    clocks = {project: zone.ask(f"/v1/projects/{project}/clock")["clocks"][0] for project in (fast, slow)}
    assert [clocks[project]["days"]["limit"] for project in (fast, slow)] == [20, 60]
    assert [clocks[project]["days"]["unit"] for project in (fast, slow)] == ["working_days"] * 2
    document = zone.ask(f"/v1/projects/{fast}")
    assert (document["stage"], document["light"]) == ("land_supplied", "red"), "the lane starts nothing by itself"
    assert [item["project_id"] for item in zone.ask("/v1/stalled", lane="拿地即开工")["items"]] == [fast]
    zone.tell("/v1/milestones", project_id=fast, stage="started", date=days_ago(1))
    assert zone.ask(f"/v1/projects/{fast}")["light"] == "green"


def test_land_and_plants_what_is_freed_is_offered_to_who_waits_and_taken(zone: Zone) -> None:
    """“三块地”：低效用地、闲置用地、低效厂房；标准厂房、工业上楼。"""
    plot = "/v1/resources/places-plot"
    area = {"area_mu": 80, "park": "示例东园", "unit": "unit-places-land"}
    zone.tell("/v1/resources", resource_id="places-plot", name="东园旧厂区", kind="低效用地", zone="kunshan", **area)
    zone.tell(f"{plot}/states", state="盘活中", date=days_ago(60))
    waits = zone.registered("places-land", ("signed", days_ago(20)), zone="kunshan", area_mu=34, park="示例东园")
    assert zone.ask("/v1/resources", zone="kunshan", state="盘活中")["items"][0]["id"] == "places-plot"
    assert zone.ask("/v1/matches", zone="kunshan")["items"][0]["none"]["code"] == "nothing-free"

    zone.tell(f"{plot}/states", state="可供", date=days_ago(1))
    (item,) = zone.ask("/v1/matches", zone="kunshan")["items"]
    assert (item["project_id"], item["matches"][0]["id"]) == (waits, "places-plot")
    assert item["matches"][0]["text"] == "需34亩，空余80亩；同在示例东园；不限产业"

    zone.tell(f"{plot}/assignments", project_id=waits, date=days_ago(0), area_mu=34)
    assert zone.ask("/v1/matches", zone="kunshan")["items"] == [], "who has a place waits no longer"
    held = zone.ask("/v1/resources", project_id=waits)["items"][0]
    assert (held["state"], held["free"], held["projects"]) == ("可供", 46, [waits])

    built = [(stage, days_ago(ago)) for stage, ago in (("signed", 900), ("land_supplied", 800), ("completed", 30))]
    hall = zone.registered("places-hall", *built, zone="kunshan", kind="carrier", floor_m2=20_000)
    zone.registered(
        "places-tenant", ("signed", days_ago(9)), zone="kunshan", route="plant", carrier=hall, floor_m2=5_000
    )

    def vacant() -> bool:
        return [row["vacant_m2"] for row in zone.ask("/v1/carriers", zone="kunshan")["items"]] == [15_000]

    eventually(vacant, "the vacancy of the carrier")
    zone.registered("places-plant", ("signed", days_ago(9)), zone="kunshan", route="plant", floor_m2=6_000)
    (item,) = zone.ask("/v1/matches", zone="kunshan", seeks="plant")["items"]
    assert (item["project_id"], item["matches"][0]["id"]) == ("places-plant", hall)


def test_the_pool_is_talked_with_and_its_success_is_counted(zone: Zone) -> None:
    """招商储备项目，常态化政企对接，提高项目对接成功率。"""
    prospects = [zone.registered(f"pool-{number}", zone="urumqi") for number in (1, 2, 3)]
    for prospect in prospects:
        zone.tell(f"/v1/projects/{prospect}/pool", date=days_ago(90), introducer="链主", introduced_by="示例链主")
    for prospect in prospects[:2]:
        said = {"way": "来访", "text": "实地看场地", "next": "报送方案", "next_date": days_ago(3)}
        zone.tell(f"/v1/projects/{prospect}/talks", date=days_ago(30), **said)
    body = zone.ask("/v1/pool", zone="urumqi")
    standings = {item["project_id"]: item["standing"] for item in body["items"]}
    assert standings == {"pool-1": "talking", "pool-2": "talking", "pool-3": "reserve"}
    assert zone.ask("/v1/funnel", zone="urumqi")["total"]["projects"] == 0
    assert zone.ask("/v1/projects/pool-1")["light"] is None
    due = zone.ask("/v1/pool", zone="urumqi", next_before=days_ago(0))["items"]
    assert {item["project_id"] for item in due} == {"pool-1", "pool-2"}

    zone.tell("/v1/milestones", project_id="pool-1", stage="signed", date=days_ago(2))
    zone.tell("/v1/projects/pool-2/drop", date=days_ago(1), reason="改投外地")
    summary = zone.ask("/v1/pool", zone="urumqi")["summary"]
    assert (summary["entered"], summary["signed"], summary["dropped"], summary["reserve"]) == (3, 1, 1, 1)
    assert summary["success"] == {"numerator": 1, "denominator": 2, "rate": 0.5}
    signed = zone.ask("/v1/projects/pool-1")
    assert (signed["status"], signed["light"], signed["pool"]["introducer"]) == ("active", "green", "链主")
    assert zone.ask("/v1/funnel", zone="urumqi")["total"]["projects"] == 1


def test_decisions_of_a_meeting_are_told_signed_for_and_closed_like_any_stall(zone: Zone) -> None:
    """调度会、领导交办：责任单位、时限、延期、签收、反馈、复核、办结、销号。"""
    zone.tell("/v1/units", unit_id="planning-1", name="示例规划局", head="u-planner")
    told = {"zone": "demo", "meeting": "示例调度会", "owner": "planning-1", "supervisor": "u-supervisor"}
    decision, named = "decided-1", {"decision_id": "decided-1", "text": "出具规划条件", "date": days_ago(20)}
    zone.tell("/v1/decisions", **named, **told, due=days_ago(6))
    zone.tell(f"/v1/decisions/{decision}/report", text="已初审")
    zone.tell(f"/v1/decisions/{decision}/extend", due=days_ago(3), reason="补充勘测", approver="u-leader")
    answer = zone.ask("/v1/decisions", owner="planning-1")
    summary = answer["summary"]
    assert (summary["open"], summary["overdue"], summary["extended"], summary["unreported"]) == (1, 1, 1, 0)
    (item,) = answer["items"]
    assert (item["first_due"], item["due"], item["days_over"], item["light"]) == (days_ago(6), days_ago(3), 3, "red")

    def matter(state: str) -> list[dict[str, Any]]:
        return [m for m in zone.matters(state=state) if m["id"] == f"decision:{decision}"]

    def act(what: str, actor: str, **body: Any) -> int:
        path = f"/v1/matters/decision:{decision}/{what}"
        return zone.system.post(path, {"actor": actor, **body}, to=zone.system.notify)[0]

    (opened,) = eventually(lambda: matter("open"), "a matter of the decision", 60)
    assert opened["recipients"] == ["u-planner", "u-supervisor"], "whoever leads the unit, and whoever follows it up"
    assert act("sign", "u-planner") == 200
    assert act("feedback", "u-planner", text="本周出具", recovery=in_days(3)) == 200
    assert act("review", "u-supervisor", accepted=True) == 200
    zone.tell(f"/v1/decisions/{decision}/done", date=days_ago(0))
    eventually(lambda: matter("cleared"), "the end of the red", 60)
    assert act("close", "u-supervisor") == 200
    assert zone.ask("/v1/decisions", status="done", owner="planning-1")["items"][0]["done"] == days_ago(0)

    def acts() -> set[str]:
        return {event["type"] for event in zone.ask(f"/v1/decisions/{decision}/timeline")["items"]}

    wanted = {"matter.signed", "matter.answered", "matter.reviewed", "matter.closed"}
    assert eventually(lambda: wanted <= acts(), "what was done to stand among the events of the decision", 30)


def test_services_for_an_upgrade_are_counted_and_what_it_changed_stands_before_and_after(zone: Zone) -> None:
    """技改、智改：代办手续，对接高校和服务商，专家上门。"""
    zone.tell("/v1/enterprises", enterprise_id="e-upgrade", name="示例技改企业", zone="demo")
    project = zone.registered(
        "upgrade-1", ("signed", days_ago(60)), kind="upgrade", route="expansion", enterprise="示例技改企业"
    )
    this_month, last_month = TODAY.strftime("%Y-%m"), (TODAY.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    zone.tell(f"/v1/projects/{project}/services", kind="代办", date=f"{last_month}-02", text="代办备案和环评")
    zone.tell("/v1/enterprises/e-upgrade/services", kind="对接", date=f"{last_month}-15", partner="示例大学")
    zone.tell("/v1/enterprises/e-upgrade/services", kind="专家上门", date=f"{this_month}-01", text="智能化诊断")
    counted = zone.ask("/v1/services", enterprise_id="e-upgrade")
    (row,) = counted["items"]
    assert (row["enterprise"], row["count"]) == ("示例技改企业", 3)
    assert row["months"] == {last_month: 2, this_month: 1}
    assert row["kinds"] == {"代办": 1, "对接": 1, "专家上门": 1}
    one_month = zone.ask("/v1/services", enterprise_id="e-upgrade", since=last_month, until=last_month)
    assert one_month["summary"]["count"] == 2

    zone.tell(f"/v1/projects/{project}/measures", name="月产", unit="万片", before=30, after=65)
    zone.tell(f"/v1/projects/{project}/measures", name="成品率", unit="%", before=97, after=98.7)
    (told,) = zone.ask("/v1/measures", project_id=project)["items"]
    changes = [(row["name"], row["change"], row["change_unit"]) for row in told["measures"]]
    assert changes == [("月产", 116.67, "%"), ("成品率", 1.7, "points")]
    assert [row["id"] for row in zone.ask("/v1/enterprises/e-upgrade/projects")["items"]] == [project]


def test_qualifications_climb_their_ladder_and_are_warned_of_before_they_end(zone: Zone) -> None:
    """梯度培育：创新型中小企业 → 专精特新中小企业 → 专精特新“小巨人”企业；到期前复核。"""
    zone.tell("/v1/enterprises", enterprise_id="e-growing", name="示例成长企业", zone="demo")
    path = "/v1/enterprises/e-growing/qualifications"
    zone.tell(path, id="q-first", level="创新型中小企业", date=days_ago(1000), valid_until=in_days(90))
    zone.tell(path, level="专精特新中小企业", date=days_ago(200), valid_until=in_days(91))
    ending = {"enterprise_id": "e-growing", "state": "recheck"}
    assert [row["id"] for row in zone.ask("/v1/qualifications", **ending)["items"]] == ["q-first"]
    (best,) = zone.ask("/v1/enterprises/e-growing")["holds"]
    assert (best["level_id"], best["step"], best["next"]) == ("specialised", 2, "专精特新“小巨人”企业")

    zone.tell(f"{path}/q-first/renew", date=days_ago(0), valid_until=in_days(1095))
    zone.tell(path, level="小巨人", date=days_ago(3))
    assert zone.ask("/v1/qualifications", **ending)["items"] == []
    (best,) = zone.ask("/v1/enterprises/e-growing")["holds"]
    assert (best["level_id"], best["next"]) == ("little-giant", None)
    counts = zone.ask("/v1/qualifications", enterprise_id="e-growing", year=days_ago(3)[:4])["summary"]["levels"]
    giants = next(row for row in counts if row["level_id"] == "little-giant")
    assert (giants["new"], giants["valid"]) == (1, 1)


def test_an_enterprise_asks_by_its_link_and_sees_what_became_of_its_own_requests_alone(zone: Zone) -> None:
    """企业诉求：一个工作日内首次答复，受理为困难或答复；企业凭链接只看到自己的诉求。"""
    zone.tell("/v1/enterprises", enterprise_id="e-asking", name="示例诉求企业", zone="demo")
    zone.tell("/v1/enterprises", enterprise_id="e-other", name="示例另一企业", zone="demo")
    project = zone.registered("asking-1", ("signed", days_ago(10)), enterprise="示例诉求企业")
    zone.tell("/v1/enterprises/e-other/requests", text="别家的诉求")

    def token(enterprise: str, *options: str) -> dict[str, str]:
        made = zone.system.luodi("link", enterprise, *options)
        assert made.returncode == 0, made.stderr
        return {"Authorization": "Bearer " + made.stdout.partition("token: ")[2].split()[0]}

    mine = token("e-asking")
    status, receipt = zone.system.post("/v1/link/requests", {"kind": "用电", "text": "变压器容量不足"}, mine)
    assert status == 202, receipt

    def seen(by: dict[str, str]) -> tuple[int, Any]:
        url = f"{zone.system.tracker}/v1/link/requests?after={receipt['position']}"
        answer = zone.system.http.request("GET", url, headers=by)
        return answer.status, answer.json()

    (asked,) = seen(mine)[1]["items"]
    assert (asked["id"], asked["state"], asked["light"]) == (receipt["id"], "open", "green")
    (waiting,) = zone.ask("/v1/requests", enterprise_id="e-asking")["items"]
    assert (waiting["by_link"], waiting["due"]) == (True, asked["due"])

    zone.tell(f"/v1/projects/{project}/blockers", id=asked["id"], kind="用电", owner="u-power", date=days_ago(0))
    accept = {"project_id": project, "blocker_id": asked["id"], "note": "先内部协调"}
    receipt["position"] = zone.tell(f"/v1/enterprises/e-asking/requests/{asked['id']}/accept", **accept)["position"]
    zone.ask("/v1/requests")  # from now on the tracker shows the blocker, too
    (asked,) = seen(mine)[1]["items"]
    assert (asked["state"], asked["blocker"]["project_id"]) == ("accepted", project)
    assert "别家" not in str(asked)
    assert "内部" not in str(asked)
    assert seen(token("e-other"))[1]["items"][0]["text"] == "别家的诉求"

    renewed = token("e-asking", "--revoke", "--reason", "经办人离职")
    assert seen(mine)[0] == 401
    assert [row["id"] for row in seen(renewed)[1]["items"]] == [asked["id"]]
    status, receipt = zone.system.post("/v1/link/requests", {"text": "凭旧链接"}, mine)
    assert status == 202, "ingest looks nothing up"
    assert [row["id"] for row in seen(renewed)[1]["items"]] == [asked["id"]], "and the fold gives it no effect"


def test_a_task_force_follows_each_project_and_its_weekly_report_writes_itself(zone: Zone) -> None:
    """项目跟踪服务专班，“保姆”式、全天候、全过程、零距离。"""
    zone.tell("/v1/posts", post_id="post-force", name="专班组长")
    zone.tell("/v1/posts/post-force/holders", holder="u-force-head", date=days_ago(100))
    zone.tell("/v1/teams", team_id="force", name="示例专班", zone="demo", head="post-force", members=["u-force-1"])
    followed = zone.registered("force-1", ("signed", days_ago(10)), officer="u-force-1", key=True)
    quiet = zone.registered("force-2", ("signed", days_ago(20)), officer="u-other", group_head="post-force")
    path = f"/v1/projects/{followed}/followups"
    visit = {
        "way": "走访",
        "done": "核对供电方案",
        "next": "组织现场踏勘",
        "next_date": in_days(3),
        "needs_leader": True,
    }
    zone.tell(path, date=days_ago(0), actor="u-force-1", **visit)
    zone.tell(f"/v1/projects/{quiet}/followups", date=days_ago(0), unchanged=True)
    zone.tell(f"/v1/projects/{quiet}/blockers", kind="用电", date=days_ago(1), owner="u-power", level="协调")

    logged = zone.ask("/v1/followups", team="force")["items"]
    assert {(item["project_id"], item["way"], item["unchanged"]) for item in logged} == {
        (followed, "走访", False),
        (quiet, None, True),
    }
    (asks,) = zone.ask("/v1/followups", team="force", needs_leader="true")["items"]
    assert (asks["project_id"], asks["next"]) == (followed, "组织现场踏勘")
    week = zone.ask("/v1/weekly", team="force")
    assert (week["counts"]["projects"], week["counts"]["updated"], week["counts"]["to_coordinate"]) == (2, 2, 2)
    one, two = week["items"]
    assert f"走访：核对供电方案。下周计划：组织现场踏勘（{in_days(3)}前）" in one["text"]
    assert one["text"].endswith("需协调：请领导协调：组织现场踏勘。")
    assert [line["text"] for line in two["coordination"]] == ["协调：用电，u-power"]
    assert zone.ask("/v1/projects", team="force", stale="true")["items"] == [], "both were updated today"


def test_one_event_hands_all_projects_and_open_matters_of_a_person_over(zone: Zone) -> None:
    """人员调整：一次交接，项目和未办结事项整体移交；任职期间的天数留给原任职人。"""
    late = zone.registered("handed-1", ("signed", days_ago(400)), officer="u-leaving", group_head="u-handing-head")
    other = zone.registered("handed-2", ("signed", days_ago(5)), officer="u-leaving")

    def signers() -> list[str]:
        found = [m for m in zone.matters(state="open") if m["project_id"] == late]
        return list(found[0]["ladder"]["to_sign"]) if found else []

    assert "u-leaving" in eventually(signers, "a matter of the stall", 60)
    zone.tell("/v1/people/u-leaving/handover", to="u-taking", date=days_ago(0))
    assert [item["id"] for item in zone.ask("/v1/projects", officer="u-taking")["items"]] == [late, other]
    assert zone.ask("/v1/projects", officer="u-leaving")["items"] == []
    project = zone.ask(f"/v1/projects/{late}")
    assert (project["officer"], project["holders"]["officer"]) == ("u-leaving", "u-taking")
    eventually(lambda: "u-taking" in (to_sign := signers()) and "u-leaving" not in to_sign, "the matter follows", 60)
    assert any(matter["project_id"] == late for matter in zone.matters(state="open", person="u-taking"))
    before = zone.ask("/v1/people/u-leaving/days", until=days_ago(1))["totals"]["officer"]
    assert (before["projects"], before["days"]["red"] > 200) == (2, True), "days stay with whoever held the post"
    after = zone.ask("/v1/people/u-taking/days")["totals"]["officer"]["days"]
    assert (after["held"], after["red"]) == (2, 1)


def test_a_reported_figure_keeps_its_difference_and_a_publication_its_numbers(zone: Zone) -> None:
    """上报数、系统数、差额并列；年度目标与序时进度；月报发布后不变，其后的更正列出差异说明。"""
    parts = [("印刷包装", 5, 1_656_000_000), ("装备制造", 9, 3_927_000_000), ("生物医药", 10, 12_306_000_000)]
    told_parts = [{"name": name, "count": count, "amount": amount} for name, count, amount in parts]
    reported = {"figure": "signed-key-projects", "name": "签约重点项目", "source": "月报", "as_of": "2024-09-30"}
    sum_ = {"value": 24_898_000_000, "unit": "元", "count": 24, "word": "主要", "parts": told_parts}
    zone.tell("/v1/zones/weinan/figures", **reported, **sum_, measure="key_projects")
    zone.registered("figures-key", ("signed", days_ago(9)), zone="weinan", key=True, investment=3_250_000_000)
    (figure,) = zone.ask("/v1/figures", zone="weinan")["items"]
    assert (figure["reported"]["amount"], figure["parts_sum"]["amount"]) == (24_898_000_000, 17_889_000_000)
    assert figure["difference"] == {"count": 0, "amount": 7_009_000_000}
    assert "主要：" in figure["text"]
    assert figure["text"].endswith("合计24个178.89亿元，差额70.09亿元")
    assert figure["own_difference"] == {"count": 23, "amount": 21_648_000_000}
    assert figure["list"] == "/v1/measures/key_projects?zone=weinan"
    assert [row["id"] for row in zone.ask("/v1/measures/key_projects", zone="weinan")["items"]] == ["figures-key"]

    zone.tell("/v1/zones/weinan/targets", year=TODAY.year, measure="signed", value=4, leader="post-l1")
    zone.registered("figures-late", ("signed", f"{TODAY.year}"), zone="weinan", leader="post-l1", investment=10**8)
    (target,) = zone.ask("/v1/targets", zone="weinan", leader="post-l1")["items"]
    assert (target["own"], target["percent"]) == (1, 25.0)
    zone.tell("/v1/projects/figures-late/annual-plan", year=TODAY.year, amount=120_000_000)
    zone.tell("/v1/projects/figures-late/progress", date=f"{TODAY.year}-01-01", invested_total=6_000_000)
    (pace,) = zone.ask("/v1/annual-plans", zone="weinan", month="1")["items"]
    assert (pace["planned"], pace["invested"], pace["percent"], pace["points"]) == (10_000_000, 6_000_000, 5.0, -3.3)

    zone.tell("/v1/publications", zone_id="weinan", id="first", period=f"{TODAY.year}", as_of=days_ago(0))
    (head,) = zone.ask("/v1/publications", zone="weinan")["items"]
    address = head["url"]

    def asked(path: str) -> dict[str, Any]:
        """As `ask`; histories follow the projects at their own pace."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            status, body = zone.system.get(f"{zone.system.tracker}{path}")
            assert status in {200, 503}, body
            found[:] = [body]
            return status == 200 and body.get("settled", True)

        eventually(look, path)
        return found[0]

    published = asked(address)
    assert published["funnel"]["total"]["investment"] == 3_350_000_000
    assert asked(f"{address}/corrections")["items"] == []

    answer = zone.system.http.request(
        "PATCH", f"{zone.system.ingest}/v1/projects/figures-late", json={"investment": 2 * 10**8}
    )
    assert answer.status == 202, answer.data
    after = answer.json()["position"]

    def corrected() -> bool:
        status, body = zone.system.get(f"{zone.system.tracker}{address}/corrections", after=after)
        return status == 200 and [row["project_id"] for row in body["items"]] == ["figures-late"]

    eventually(corrected, "the correction")
    told = asked(f"{address}/corrections")
    (row,) = told["items"]
    assert row["text"] == "总投资由1亿元改为2亿元"
    assert [event["type"] for event in row["events"]] == ["project.amended"]
    assert asked(address)["funnel"] == published["funnel"]
