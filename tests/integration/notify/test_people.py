"""Who is told and may sign where a project names a post or somebody on leave, on a real Kafka and a real MongoDB."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from luodi.domain.days import END_OF_TIME
from tests.integration.notify.test_http import fits
from tests.integration.notify.world import LONG_AGO, World, now, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


def day(ahead: int = 0) -> str:
    """The business date so many days from now."""
    return (datetime.now(UTC) + timedelta(days=ahead)).astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()


def tell(world: World, subject: str, events: int = 1, **told: Any) -> None:
    """Publish the state of a unit, a person or a post, and wait until notify knows it."""
    guard = {"id": subject, "events": events, "ruleset": 1}
    world.publish_record({**guard, "registered": True, "updated_at": now(), **told})
    until(lambda: world.database["directory"].find_one({"_id": subject, "events": events}), f"{subject} known")


def held(*holders: tuple[str, str]) -> list[dict[str, Any]]:
    """Who held a post from which day on; the next one ends it."""
    return [
        {
            "holder": holder,
            "date": date,
            "until": None if place + 1 == len(holders) else day(-1),
            "event_id": f"e{place}",
            "recorded_at": now(),
        }
        for place, (holder, date) in enumerate(holders)
    ]


def recipients(world: World, project_id: str) -> list[str]:
    """Who was told of the stall of a project, in any order."""
    until(lambda: world.told(project_id), f"{project_id} told")
    return sorted({notice["recipient"] for notice in world.notifications(f"project_id={project_id}")})


def post(world: World, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = world.http.request(
        "POST", f"{world.base}{path}", body=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    return answer.status, json.loads(answer.data)


def test_whoever_holds_the_post_a_project_names_is_told_and_takes_over_with_it(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    tell(world, "post:head", holders=held(("u-zhang", "2026-01-01")))
    tell(world, "unit:power", head="head")
    world.overdue("p-1", officer="head")
    assert recipients(world, "p-1") == ["u-zhang"]
    tell(world, "post:head", 2, holders=held(("u-zhang", "2026-01-01"), ("u-li", day())))
    world.overdue("p-2", officer="power")
    assert recipients(world, "p-2") == ["u-li"]
    # Of what was told before, whoever takes over hears at the next look at it, by the next morning at the latest.
    told = [row["recipient"] for row in world.notifications("project_id=p-1")]
    assert told in (["u-zhang"], ["u-li", "u-zhang"]), "what was told stays told, and nobody hears of it twice"
    # What is open is the new holder's, too, though somebody else had been told of it.
    (matter,) = (m for m in world.get("/v1/matters?person=u-li")[1]["items"] if m["project_id"] == "p-1")
    assert post(world, f"/v1/matters/{matter['id']}/sign", {"actor": "u-zhang"})[0] == 403
    status, signed = post(world, f"/v1/matters/{matter['id']}/sign", {"actor": "u-li"})
    assert status == 200, signed
    assert world.database["watches"].count_documents({"_id": {"$regex": ":"}}) == 0


def test_whoever_takes_over_is_told_of_what_is_open_and_it_goes_on_as_it_stood(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    tell(world, "post:head", holders=held(("u-zhang", "2026-01-01")))
    world.overdue("p-1", officer="u-wu", group_head="head")
    assert recipients(world, "p-1") == ["u-wu", "u-zhang"]
    matter = world.database["matters"].find_one({"project_id": "p-1"})
    assert matter is not None
    assert post(world, f"/v1/matters/{matter['_id']}/sign", {"actor": "u-wu"})[0] == 200
    tell(world, "post:head", 2, holders=held(("u-zhang", "2026-01-01"), ("u-li", day())))
    world.overdue("p-1", officer="u-sun", group_head="head")
    until(lambda: len(recipients(world, "p-1")) == 4, "both newcomers told")
    told = {(row["recipient"], row["kind"]) for row in world.notifications("project_id=p-1")}
    first = {("u-wu", "stalled"), ("u-zhang", "stalled")}
    assert told == first | {("u-sun", "handover"), ("u-li", "handover")}
    _, shown = world.get(f"/v1/matters/{matter['_id']}")
    fits(shown, "Matter")
    assert (shown["ladder"]["phase"], shown["ladder"]["to_sign"][:2]) == ("signed", ["u-sun", "u-li"])
    (handover,) = world.notifications("recipient=u-li&kind=handover")
    fits(handover, "Notification")
    assert "现由专班组长 u-li接手" in handover["text"]
    world.reached("p-1")
    until(lambda: len(world.notifications("project_id=p-1&kind=cleared")) == 4, "all four hear that it is over")


def test_the_deputy_of_somebody_on_leave_is_told_until_the_leave_is_over(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    away = {"id": "e1", "date": day(-1), "until": day(1), "deputy": None}
    tell(world, "person:u-zhang", deputies=["u-li"], leaves=[away])
    world.overdue("p-1", officer="u-zhang")
    assert recipients(world, "p-1") == ["u-li"]
    tell(world, "person:u-zhang", 2, deputies=["u-li"], leaves=[{**away, "until": day(-1)}])
    world.overdue("p-2", officer="u-zhang")
    assert recipients(world, "p-2") == ["u-zhang"]


def test_an_entry_that_cannot_be_read_holds_up_nobody(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    tell(world, "post:head", holders=held(("u-zhang", "2026-01-01")))
    world.write("post:head", b"{")
    world.write("unit:head", b'{"id": "unit:other"}')
    world.overdue("p-1", officer="head")
    assert recipients(world, "p-1") == ["u-zhang"]


def test_whoever_acts_for_the_unit_that_broke_its_promise_is_told_and_may_sign(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    tell(world, "unit:power", head="u-wang")
    red = {"light": "red", "from": LONG_AGO, "to": END_OF_TIME}
    reason = {"code": "promise-overdue", "owner": "power", "kind": "用电", "due": "2025-12-31"}
    blocker = {
        "id": "b1",
        "owner": "power",
        "promise": "2025-12-31",
        "cleared": None,
        "lights": [red | {"reason": reason}],
    }
    world.publish("p-1", officer="u-zhang", blockers=[blocker])
    assert recipients(world, "p-1") == ["u-wang", "u-zhang"]
    (matter,) = world.get("/v1/matters?person=u-wang")[1]["items"]
    assert (matter["kind"], matter["owner"]) == ("promise", "power")
    assert post(world, f"/v1/matters/{matter['id']}/sign", {"actor": "u-wang"})[0] == 200
