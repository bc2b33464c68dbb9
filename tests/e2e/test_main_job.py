"""The main job, end to end, through the real command, a real Kafka and a real MongoDB."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.receiver import SECRET, Receiver, receiver
from tests.e2e.stack import PROCESSES, Stack, eventually, stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
PLANT = {"name": "示例精密部件", "zone": "demo", "route": "plant", "officer": "p-officer-1", "kind": "factory"}


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


@pytest.fixture(scope="module")
def webhook() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, webhook: Receiver) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("main-job")
    with stack(
        home, LUODI_SETTLE_S="1", LUODI_WEBHOOK_URL=webhook.url, LUODI_WEBHOOK_SECRET=SECRET, LUODI_PARTITIONS="4"
    ) as one:
        yield one


def register(system: Stack, project_id: str, *milestones: dict[str, object], **fields: object) -> str:
    """Register a project with milestones; returns the position that covers them."""
    status, body = system.post("/v1/projects", {**PLANT, **fields, "project_id": project_id})
    assert status == 202, body
    position: str = body["position"]
    if milestones:
        status, body = system.post("/v1/milestones", [{"project_id": project_id, **one} for one in milestones])
        assert status == 202, body
        position = body["position"]
    return position


def stalls(system: Stack, project_id: str, kind: str = "stalled") -> list[dict[str, object]]:
    return system.notifications(project_id=project_id, kind=kind)


def test_a_posted_milestone_moves_the_project_and_reads_its_own_write(system: Stack) -> None:
    position = register(system, "main-1", {"stage": "signed", "date": days_ago(3)})
    got = system.project("main-1", after=position)
    assert (got["stage"], got["stage_since"], got["next_stage"], got["light"]) == (
        "signed",
        days_ago(3),
        "started",
        "green",
    )
    status, body = system.post(
        "/v1/milestones", {"project_id": "main-1", "stage": "started", "date": days_ago(0), "actor": "p-officer-1"}
    )
    assert status == 202, body
    got = system.project("main-1", after=body["position"])
    assert (got["stage"], got["registered"], got["status"], got["version"]) == ("started", True, "active", 3)


def test_a_stalled_stage_reaches_its_officer_once_by_inbox_and_signed_webhook(system: Stack, webhook: Receiver) -> None:
    register(system, "main-2", {"stage": "signed", "date": days_ago(400)})
    (notice,) = eventually(lambda: stalls(system, "main-2"), "a stall notification", 90)
    assert (notice["recipient"], notice["gap"]) == ("p-officer-1", ["signed", "started"])
    sent = eventually(
        lambda: [m for ms in webhook.by_id().values() for m in ms if "main-2" in str(m)], "the webhook", 30
    )
    assert len(sent) == 1
    assert webhook.forged == []


def test_a_cleared_stall_is_told_once_and_one_that_returns_by_retraction_is_told_again_once(system: Stack) -> None:
    register(system, "main-3", {"stage": "signed", "date": days_ago(400)})
    eventually(lambda: len(stalls(system, "main-3")) == 1, "the first stall", 90)
    status, body = system.post("/v1/milestones", {"project_id": "main-3", "stage": "started", "date": days_ago(1)})
    assert status == 202, body
    eventually(lambda: len(stalls(system, "main-3", "cleared")) == 1, "the all-clear", 60)
    status, body = system.post("/v1/projects/main-3/retractions", {"event_id": body["id"], "reason": "报错项目"})
    assert status == 202, body
    eventually(lambda: len(stalls(system, "main-3")) == 2, "the stall told again", 90)
    register(system, "main-4", {"stage": "signed", "date": days_ago(400)})
    eventually(lambda: len(stalls(system, "main-4")) == 1, "a later stall", 90)
    assert (len(stalls(system, "main-3")), len(stalls(system, "main-3", "cleared"))) == (2, 1)


def test_a_stage_left_in_time_is_never_told(system: Stack) -> None:
    register(
        system,
        "main-5",
        {"stage": "signed", "date": days_ago(400)},
        {"stage": "started", "date": days_ago(2)},
    )
    register(system, "main-6", {"stage": "signed", "date": days_ago(400)})
    eventually(lambda: stalls(system, "main-6"), "a stall posted later", 90)
    assert stalls(system, "main-5") == []


def test_a_report_waits_to_be_verified_is_returned_and_its_reporter_hears_why(system: Stack) -> None:
    people = {"officer": "p-officer-8", "group_head": "p-head-8"}
    first: dict[str, object] = {"stage": "signed", "date": days_ago(10), "actor": "p-officer-8"}
    register(system, "main-8", first, **people)
    status, late = system.post(
        "/v1/milestones", {"project_id": "main-8", "stage": "signed", "date": days_ago(40), "actor": "p-officer-8"}
    )
    assert status == 202, late
    queue = f"{system.tracker}/v1/verifications"
    _, waiting = system.get(queue, group_head="p-head-8", after=late["position"])
    assert [(one["event_id"], one["reasons"][0]["code"]) for one in waiting["items"]] == [(late["id"], "reported-late")]
    eventually(lambda: system.notifications(recipient="p-head-8", kind="verification"), "the group head told", 60)

    verify = f"/v1/projects/main-8/milestones/{late['id']}/verify"
    status, refused = system.post(verify, {"result": "confirmed", "actor": "p-officer-8"})
    assert (status, refused["code"]) == (403, "own-report")
    status, returned = system.post(verify, {"result": "returned", "reason": "合同未签", "actor": "p-head-8"})
    assert status == 202, returned
    got = system.project("main-8", after=returned["position"])
    assert (got["stage_since"], got["awaiting"]) == (days_ago(10), [])
    assert [(one["event_id"], one["verified"]["reason"]) for one in got["returned"]] == [(late["id"], "合同未签")]
    assert system.get(queue, group_head="p-head-8")[1]["items"] == []
    told = eventually(lambda: system.notifications(recipient="p-officer-8", kind="returned"), "the reporter told", 60)
    assert ["合同未签" in row["text"] for row in told] == [True]

    counted = got["milestones"][0]["event_id"]
    status, body = system.post(
        f"/v1/projects/main-8/milestones/{counted}/verify", {"result": "confirmed", "actor": "p-head-8"}
    )
    assert status == 202, body
    _, funnel = system.get(f"{system.tracker}/v1/funnel", after=body["position"])
    assert {row["stage"]: row["verified"] for row in funnel["stages"]}["signed"] == 1
    assert len(system.notifications(recipient="p-head-8", kind="verification")) == 1


def test_bad_input_is_explained_per_item_and_good_items_are_kept(system: Stack) -> None:
    good = {"project_id": "main-7", "stage": "signed", "date": days_ago(1)}
    status, body = system.post(
        "/v1/milestones",
        [good, {**good, "stage": "finished"}, {**good, "date": "2026-02-30"}],
        {"Accept-Language": "en"},
    )
    assert (status, body["accepted"], body["refused"]) == (207, 1, 2)
    assert [item["status"] for item in body["items"]] == [202, 422, 422]
    assert body["items"][1]["errors"][0]["pointer"] == "/stage"
    assert system.project("main-7", after=body["position"])["registered"] is False


def test_every_process_tells_its_pid_address_and_state(system: Stack) -> None:
    told = system.status()
    assert set(PROCESSES) <= set(told["processes"])
    assert {row["state"] for row in told["processes"].values()} == {"ready"}
    assert all(row["pid"] > 0 and row["address"] for row in told["processes"].values())


def test_the_contract_and_its_page_are_served_by_each_service(system: Stack) -> None:
    for base in (system.ingest, system.tracker, system.notify):
        status, contract = system.get(f"{base}/v1/openapi.json")
        assert (status, contract["openapi"][:3]) == (200, "3.1")
        page = system.http.request("GET", f"{base}/v1/docs").data.decode()
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page


def test_refolding_everything_from_kafka_finds_no_difference(system: Stack) -> None:
    done = system.luodi("rebuild", "--compare")
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_survives_a_stop_and_a_start(system: Stack) -> None:
    position = register(system, "main-10", {"stage": "signed", "date": days_ago(2)})
    before = system.project("main-10", after=position)
    notices = {notice["id"] for notice in system.notifications()}
    system.down()
    system.up()
    assert system.project("main-10") == before
    assert {notice["id"] for notice in system.notifications()} == notices
