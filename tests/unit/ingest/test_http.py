from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from luodi.domain.subjects import subject_of
from luodi.runtime import configuration
from luodi.runtime.rates import RateLimit
from schemas import position
from schemas.events import ENDPOINTS, SUBJECTS, Endpoint
from services.ingest.limits import Gate
from services.ingest.posting import REPORTS_REMEMBERED
from tests.unit.ingest.world import World
from tests.unit.schemas.builders import GOOD

MILESTONE = {"project_id": "p1", "stage": "started", "date": "2026-03-05", "note": "桩基施工"}
PROJECT = {"name": "示例项目", "zone": "demo", "route": "land"}


NAMES = {kind.id_field: "p1" for kind in SUBJECTS.values()}


def subject(endpoint: Endpoint) -> str:
    return subject_of(endpoint.subject.kind, "p1")


def address(endpoint: Endpoint) -> str:
    """Its address for the subject `p1`; whatever else stands in it is what the type is tried with."""
    return endpoint.path.format(**NAMES, **{name: GOOD[endpoint.row.type][name] for name in endpoint.path_fields})


def body(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    fields = {name: value for name, value in GOOD[endpoint.row.type].items() if name not in endpoint.path_fields}
    return fields | ({} if endpoint.subject_in_path else {endpoint.subject.id_field: "p1"}) | more


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_every_type_of_the_table_has_its_endpoints(world: World, endpoint: Endpoint) -> None:
    row = endpoint.row
    answer = world.post(address(endpoint), body(endpoint, id="e1", actor="u1"), method=row.method)
    assert answer.status_code == 202, answer.text
    (event,) = world.events
    assert (event.subject, event.id, event.type, event.actor) == (subject(endpoint), "e1", row.type, "u1")
    assert event.data == GOOD[row.type]
    assert event.recordedtime == "2026-03-05T04:00:00.000Z"
    assert event.sequence == 0
    assert answer.json is not None
    assert answer.json["id"] == "e1"
    assert answer.json[endpoint.subject.id_field] == "p1"
    offsets = position.decode(answer.json["position"], world.log.tag)
    assert offsets == {answer.json["partition"]: answer.json["offset"]}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_every_type_may_come_as_a_cloudevent_with_the_same_content(world: World, endpoint: Endpoint) -> None:
    row = endpoint.row
    named = {"specversion": "1.0", "id": "e1", "source": "/oa", "type": row.type, "actor": "u1"}
    event = named | {"subject": subject(endpoint)}
    structured = world.post(
        "/v1/events", {**event, "data": GOOD[row.type]}, Content_Type="application/cloudevents+json"
    )
    assert structured.status_code == 202, structured.text
    batched = world.post(
        "/v1/events", [{**event, "data": GOOD[row.type]}], Content_Type="application/cloudevents-batch+json"
    )
    assert batched.status_code == 202, batched.text
    binary = world.post("/v1/events", GOOD[row.type], **{f"ce_{name}": value for name, value in event.items()})
    assert binary.status_code == 202, binary.text
    direct = world.post(address(endpoint), body(endpoint, id="e1", actor="u1"), method=row.method)
    assert direct.status_code == 202, direct.text
    assert len({(e.subject, e.type, str(e.data), e.actor) for e in world.events}) == 1


@pytest.mark.parametrize(
    ("type_", "subject"), [("unit.amended", "p1"), ("milestone.reported", "unit:p1"), ("note.added", "planet:demo")]
)
def test_an_event_about_another_kind_of_subject_is_refused(world: World, type_: str, subject: str) -> None:
    event = {"specversion": "1.0", "id": "e1", "source": "/oa", "type": type_, "subject": subject, "data": GOOD[type_]}
    answer = world.post("/v1/events", event, Content_Type="application/cloudevents+json")
    assert answer.status_code == 422
    assert answer.json is not None
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [("/subject", "bad-id")]


def test_one_id_may_name_a_project_a_unit_a_person_and_a_post_and_each_is_another_subject(world: World) -> None:
    for resource, name in (("units", "unit_id"), ("people", "person_id"), ("posts", "post_id")):
        told = {name: "p1", "id": "e1"} | ({} if name == "person_id" else {"name": "示例"})
        answer = world.post(f"/v1/{resource}", told)
        assert answer.status_code == 202, answer.text
        assert answer.json is not None
        assert answer.json[name] == "p1"
    assert {event.subject for event in world.events} == {"unit:p1", "person:p1", "post:p1"}


def test_a_unit_of_a_zone_that_nobody_knows_is_refused(world: World) -> None:
    answer = world.post("/v1/units", {"unit_id": "u", "name": "示例", "zone": "atlantis"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [("/zone", "unknown-zone")]


OF_THE_OA = {"specversion": "1.0", "id": "e1", "source": "/oa"}
FIGURE = {"figure": "f", "name": "企业", "source": "月报", "as_of": "2026-01-31"}


def test_what_is_told_of_a_zone_that_nobody_knows_is_refused(world: World) -> None:
    target = {"year": 2026, "measure": "signed", "value": 60}
    answers = [
        (world.post("/v1/zones/atlantis/targets", target), "/zone_id"),
        (world.post("/v1/publications", {"zone_id": "atlantis", "period": "2026", "as_of": "2026-01-01"}), "/zone_id"),
        (
            world.client.post(
                "/v1/events",
                json=OF_THE_OA | {"type": "target.set", "subject": "zone:atlantis", "data": target},
                content_type="application/cloudevents+json",
            ),
            "/subject",
        ),
    ]
    for answer, pointer in answers:
        assert answer.status_code == 422
        assert answer.json is not None
        assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, "unknown-zone")]
    assert world.events == []


@pytest.mark.parametrize(
    ("path", "told", "pointer", "code"),
    [
        ("/v1/zones/demo/figures", FIGURE, "", "nothing-amended"),
        ("/v1/zones/demo/figures", FIGURE | {"value": 1.5, "unit": "元", "count": 2}, "/value", "whole-yuan"),
        ("/v1/zones/demo/figures", FIGURE | {"value": 5, "count": 2}, "/unit", "whole-yuan"),
        ("/v1/zones/demo/figures", FIGURE | {"value": 5, "unit": "元", "parts": []}, "/count", "required"),
        ("/v1/zones/demo/figures", FIGURE | {"value": 1, "period": "2026-05/2026-01"}, "/period", "bad-span"),
        ("/v1/zones/demo/figures", FIGURE | {"value": 0.12345}, "/value", "too-precise"),
        ("/v1/zones/demo/targets", {"year": 2026, "value": 5}, "", "nothing-amended"),
        ("/v1/zones/demo/targets", {"year": 2026, "measure": "signed", "value": 0}, "/value", "out-of-range"),
        ("/v1/zones/demo/targets", {"year": 2026, "measure": "luck", "value": 1}, "/measure", "unknown-value"),
        (
            "/v1/publications",
            {"zone_id": "demo", "period": "2026-01", "as_of": "2030-01-31"},
            "/as_of",
            "date-in-future",
        ),
    ],
)
def test_what_is_told_of_a_zone_is_read_strictly(
    world: World, path: str, told: dict[str, Any], pointer: str, code: str
) -> None:
    answer = world.post(path, told)
    assert answer.status_code == 422
    assert answer.json is not None
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in answer.json["errors"]]
    assert world.events == []


@pytest.mark.parametrize(
    ("path", "told", "pointer", "code"),
    [
        ("/v1/people", {"person_id": "u1", "works_from": "09:00"}, "/works_until", "hours-together"),
        (
            "/v1/people",
            {"person_id": "u1", "works_from": "18:00", "works_until": "09:00"},
            "/works_until",
            "before-begin",
        ),
        ("/v1/people", {"person_id": "u1", "works_from": "9:00", "works_until": "17:00"}, "/works_from", "bad-time"),
        ("/v1/people/u1/leave", {"date": "2026-03-09", "until": "2026-03-08"}, "/until", "before-date"),
        ("/v1/people/u1/leave", {"date": "2026-03-09"}, "/until", "required"),
        ("/v1/people", {"person_id": "u1", "name": "某人"}, "/name", "unknown-field"),
        ("/v1/posts/h1/holders", {"date": "2026-03-09"}, "/holder", "required"),
        ("/v1/posts/h1/holders", {"holder": "u1", "date": "2026-03"}, "/date", "bad-date"),
    ],
)
def test_what_is_told_of_people_is_checked(
    world: World, path: str, told: dict[str, Any], pointer: str, code: str
) -> None:
    answer = world.post(path, told)
    assert answer.status_code == 422
    assert answer.json is not None
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]


def test_hours_are_cleared_together(world: World) -> None:
    assert world.post("/v1/people/u1", {"works_from": None}, method="PATCH").status_code == 422
    cleared = world.post("/v1/people/u1", {"works_from": None, "works_until": None}, method="PATCH")
    assert cleared.status_code == 202
    assert world.events[-1].data == {"works_from": None, "works_until": None}


def test_a_post_that_becomes_vacant_says_so_with_null(world: World) -> None:
    assert world.post("/v1/posts/h1/holders", {"holder": None, "date": "2026-03-09"}).status_code == 202
    assert world.events[-1].data == {"holder": None, "date": "2026-03-09"}


def test_a_milestone_answers_with_its_receipt(world: World) -> None:
    answer = world.post("/v1/milestones", {**MILESTONE, "id": "e1"})
    assert answer.json == {
        "id": "e1",
        "project_id": "p1",
        "stage": "started",
        "partition": 2,
        "offset": 0,
        "position": "0000abcd~2.0",
    }


def test_an_array_answers_item_by_item_and_keeps_the_good_ones(world: World) -> None:
    items = [MILESTONE, {**MILESTONE, "stage": "exploded"}, {**MILESTONE, "project_id": "p2"}, 7]
    answer = world.post("/v1/milestones", items, Accept_Language="en")
    assert answer.status_code == 207
    told = answer.json
    assert told is not None
    assert (told["accepted"], told["refused"], told["unknown"]) == (2, 2, 0)
    assert [item["status"] for item in told["items"]] == [202, 422, 202, 422]
    assert told["items"][1]["errors"][0]["pointer"] == "/stage"
    assert "There is no such stage" in told["items"][1]["errors"][0]["detail"]
    assert told["items"][3]["errors"] == [
        {"pointer": "", "code": "wrong-type", "detail": "The wrong type: expected object"}
    ]
    assert {event.sequence for event in world.events} == {0, 2}
    covered = position.decode(told["position"], world.log.tag)
    assert covered == {item["partition"]: item["offset"] for item in told["items"] if item["status"] == 202}


def test_a_position_covers_the_last_offset_of_every_partition(world: World) -> None:
    answer = world.post("/v1/milestones", [{**MILESTONE, "project_id": f"p{n}"} for n in range(50)])
    assert answer.json is not None
    covered = position.decode(answer.json["position"], world.log.tag)
    assert covered == {n: len(held) - 1 for n, held in enumerate(world.log.partitions) if held}


def test_arrays_that_are_all_of_one_outcome_say_so_at_the_top(world: World) -> None:
    assert world.post("/v1/milestones", [MILESTONE]).status_code == 202
    world.post("/v1/milestones", {**MILESTONE, "id": "e1"})
    refused = world.post("/v1/milestones", [{}, {**MILESTONE, "id": "e1", "stage": "signed"}])
    assert refused.status_code == 422
    assert refused.json is not None
    assert refused.json["position"] is None
    world.log.away = True
    unknown = world.post("/v1/milestones", [MILESTONE, MILESTONE])
    assert unknown.status_code == 503
    assert unknown.headers["Retry-After"]
    assert world.post("/v1/milestones", [MILESTONE, {}]).status_code == 207


@pytest.mark.parametrize("size", [0, 1001])
def test_an_array_holds_one_to_a_thousand_items(world: World, size: int) -> None:
    assert world.post("/v1/milestones", [MILESTONE] * size).status_code == 422
    assert world.events == []


def test_a_thousand_items_are_taken(world: World) -> None:
    answer = world.post("/v1/milestones", [MILESTONE] * 1000)
    assert answer.status_code == 202
    assert [event.sequence for event in world.events] == list(range(1000))


def test_a_patch_takes_one_object(world: World) -> None:
    assert world.post("/v1/projects/p1", [{"officer": None}], method="PATCH").status_code == 422


@pytest.mark.parametrize("project_id", ["-p", "a:b", "x" * 65, "%20", "项目"])
def test_an_address_that_names_no_project_is_refused(world: World, project_id: str) -> None:
    answer = world.post(f"/v1/projects/{project_id}/notes", {"text": "x"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["pointer"] == "/project_id"


def test_a_project_without_an_id_gets_one_of_its_zone_and_year(world: World) -> None:
    answer = world.post("/v1/projects", PROJECT)
    assert answer.json is not None
    assert re.fullmatch(r"demo-2026-[0-9A-HJKMNP-TV-Z]{10}", answer.json["project_id"])
    assert [event.subject for event in world.events] == [answer.json["project_id"]]


def test_an_idempotency_key_makes_a_retry_the_same_event_also_after_new_year(world: World) -> None:
    first = world.post("/v1/projects", PROJECT, Idempotency_Key="abc")
    world.clock.advance(400 * 86_400)
    second = world.post("/v1/projects", PROJECT, Idempotency_Key="abc")
    assert first.json is not None
    assert second.json is not None
    assert [first.json["id"], first.json["project_id"]] == [second.json["id"], second.json["project_id"]]


def test_an_idempotency_key_of_an_array_gives_each_place_its_own_id(world: World) -> None:
    first = world.post("/v1/milestones", [MILESTONE, MILESTONE], Idempotency_Key="abc")
    second = world.post("/v1/milestones", [MILESTONE, MILESTONE], Idempotency_Key="abc")
    assert first.json is not None
    assert second.json is not None
    ids = [item["id"] for item in first.json["items"]]
    assert len(set(ids)) == 2
    assert ids == [item["id"] for item in second.json["items"]]


@pytest.mark.parametrize("key", ["", " ", "ä", "x" * 256])
def test_a_key_that_cannot_be_kept_apart_is_refused(world: World, key: str) -> None:
    answer = world.client.post("/v1/milestones", json=MILESTONE, headers={"Idempotency-Key": key})
    assert answer.status_code == 400


def test_the_same_id_with_another_content_is_a_conflict(world: World) -> None:
    assert world.post("/v1/milestones", {**MILESTONE, "id": "e1"}).status_code == 202
    assert world.post("/v1/milestones", {**MILESTONE, "id": "e1"}).status_code == 202
    conflict = world.post("/v1/milestones", {**MILESTONE, "id": "e1", "date": "2026-03-04"})
    assert conflict.status_code == 409
    assert conflict.json is not None
    assert conflict.json["code"] == "conflict"
    assert world.post("/v1/milestones", {**MILESTONE, "id": "e1", "project_id": "p2"}).status_code == 202
    assert len(world.events) == 3


def test_a_conflict_within_an_array_keeps_the_first(world: World) -> None:
    items = [{**MILESTONE, "id": "e1"}, {**MILESTONE, "id": "e1", "stage": "signed"}, {**MILESTONE, "id": "e1"}]
    answer = world.post("/v1/milestones", items)
    assert answer.json is not None
    assert [item["status"] for item in answer.json["items"]] == [202, 409, 202]
    assert {event.data["stage"] for event in world.events} == {"started"}


VERIFY = "/v1/projects/p1/milestones/m1/verify"


def test_a_report_is_returned_with_a_reason(world: World) -> None:
    refused = world.post(VERIFY, {"result": "returned", "actor": "u-head"})
    assert refused.status_code == 422
    assert refused.json is not None
    assert [(error["pointer"], error["code"]) for error in refused.json["errors"]] == [("/reason", "required")]
    assert world.post(VERIFY, {"result": "returned", "reason": "只有围挡", "actor": "u-head"}).status_code == 202
    assert world.post(VERIFY, {"result": "confirmed", "actor": "u-head"}).status_code == 202
    assert world.post(VERIFY, {"result": "seen", "actor": "u-head"}).status_code == 422
    assert [event.data["event_id"] for event in world.events] == ["m1", "m1"]


@pytest.mark.parametrize("result", ["confirmed", "returned"])
def test_a_reporter_who_is_remembered_is_told_that_others_verify_his_report(world: World, result: str) -> None:
    told = {"result": result, "reason": "看过"}
    assert world.post("/v1/milestones", {**MILESTONE, "id": "m1", "actor": "u-zhang"}).status_code == 202
    refused = world.post(VERIFY, {**told, "actor": "u-zhang"})
    assert refused.status_code == 403
    assert refused.json is not None
    assert refused.json["code"] == "own-report"
    assert [error["pointer"] for error in refused.json["errors"]] == ["/actor"]
    assert world.post(VERIFY, {**told, "actor": "u-head"}).status_code == 202
    other = "/v1/projects/p2/milestones/m1/verify"
    assert world.post(other, {**told, "actor": "u-zhang"}).status_code == 202, "a report of another project"


def test_in_an_array_only_ones_own_report_is_refused(world: World) -> None:
    world.post("/v1/milestones", {**MILESTONE, "id": "m1", "actor": "u-zhang"})
    items = [{"result": "confirmed", "actor": actor} for actor in ("u-zhang", "u-head")]
    answer = world.post(VERIFY, items)
    assert answer.status_code == 207
    assert answer.json is not None
    assert [(item["status"], item.get("code")) for item in answer.json["items"]] == [(403, "own-report"), (202, None)]


def test_a_report_and_its_verification_by_one_person_in_one_request_are_told_apart(world: World) -> None:
    named = {"specversion": "1.0", "source": "/oa", "subject": "p1", "actor": "u-zhang"}
    events = [
        {**named, "id": "m1", "type": "milestone.reported", "data": GOOD["milestone.reported"]},
        {**named, "id": "v1", "type": "milestone.verified", "data": {"event_id": "m1", "result": "confirmed"}},
    ]
    answer = world.post("/v1/events", events, Content_Type="application/cloudevents-batch+json")
    assert answer.json is not None
    assert [item["status"] for item in answer.json["items"]] == [202, 403]


def test_the_reporters_of_a_large_array_are_not_remembered_and_left_to_the_fold(world: World) -> None:
    reports = [{**MILESTONE, "id": f"m{number}", "actor": "u-zhang"} for number in range(REPORTS_REMEMBERED + 1)]
    assert world.post("/v1/milestones", reports).status_code == 202
    assert world.post(VERIFY, {"result": "confirmed", "actor": "u-zhang"}).status_code == 202


def test_what_was_not_acknowledged_does_not_conflict_with_its_correction(world: World) -> None:
    world.log.unknown_after = 0
    assert world.post("/v1/milestones", {**MILESTONE, "id": "e1"}).status_code == 503
    world.log.unknown_after = None
    assert world.post("/v1/milestones", {**MILESTONE, "id": "e1", "date": "2026-03-04"}).status_code == 202


def test_a_log_that_is_away_answers_503_with_the_ids_chosen(world: World) -> None:
    world.log.away = True
    answer = world.post("/v1/projects", PROJECT, Idempotency_Key="abc")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.json is not None
    world.log.away = False
    retried = world.post("/v1/projects", PROJECT, Idempotency_Key="abc")
    assert retried.json is not None
    assert (answer.json["id"], answer.json["project_id"]) == (retried.json["id"], retried.json["project_id"])


def test_no_acknowledgement_answers_503_outcome_unknown_with_the_ids_chosen(world: World) -> None:
    world.log.unknown_after = 0
    answer = world.post("/v1/milestones", MILESTONE)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "outcome-unknown"
    assert answer.json["project_id"] == "p1"
    assert answer.json["id"]


def test_an_array_half_acknowledged_says_which_half(world: World) -> None:
    world.log.unknown_after = 1
    answer = world.post("/v1/milestones", [MILESTONE, MILESTONE])
    assert answer.status_code == 207
    assert answer.json is not None
    assert [item["status"] for item in answer.json["items"]] == [202, 503]
    assert answer.json["items"][1]["id"]
    assert answer.json["unknown"] == 1


def test_a_zone_must_be_known(world: World) -> None:
    for method, path in (("POST", "/v1/projects"), ("PATCH", "/v1/projects/p1")):
        answer = world.post(path, {**PROJECT, "zone": "atlantis"}, method=method, Accept_Language="en")
        assert answer.status_code == 422
        assert answer.json is not None
        assert answer.json["errors"][0]["pointer"] == "/zone"
        assert "demo" in answer.json["errors"][0]["detail"]


def test_zones_come_from_the_configuration(tmp_path: Path) -> None:
    world = World(tmp_path)
    for zone in configuration.load(world.settings).zones:
        assert world.post("/v1/projects", {**PROJECT, "zone": zone}).status_code == 202


def test_an_amount_that_looks_like_a_slip_asks_for_confirmation(world: World) -> None:
    answer = world.post("/v1/projects", {**PROJECT, "investment": 60})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["code"] == "needs-confirmation"
    assert answer.json["errors"][0]["pointer"] == "/investment"
    assert world.post("/v1/projects", {**PROJECT, "investment": 60, "confirm": ["investment"]}).status_code == 202
    amended = world.post("/v1/projects/p1", {"phase_investment": 10**11}, method="PATCH")
    assert amended.status_code == 422


def test_who_does_not_say_who_acts_is_taken_by_how_he_came_in(tmp_path: Path) -> None:
    open_world = World(tmp_path)
    open_world.post("/v1/milestones", MILESTONE)
    assert [event.actor for event in open_world.events] == ["anonymous"]
    locked = World(tmp_path, environ={"LUODI_API_KEY": "k"})
    assert locked.post("/v1/milestones", MILESTONE).status_code == 401
    assert locked.post("/v1/milestones", MILESTONE, Authorization="Bearer k").status_code == 202
    assert [event.actor for event in locked.events] == ["key"]


def test_today_is_the_business_date_of_the_stamp(tmp_path: Path) -> None:
    world = World(tmp_path, environ={"LUODI_CLOCK_OFFSET": str(10 * 86_400)})
    assert world.post("/v1/milestones", {**MILESTONE, "date": "2026-03-16"}).status_code == 202
    assert world.post("/v1/milestones", {**MILESTONE, "date": "2026-03-17"}).status_code == 422
    assert [event.recordedtime for event in world.events] == ["2026-03-15T04:00:00.000Z"]


def test_whatever_is_accepted_at_midnight_is_readable_by_every_consumer(world: World) -> None:
    # The broker's clock is behind ours: for it, today is still yesterday.
    world.log.now_ms = lambda: int(world.clock.wall().timestamp() * 1000) - 900
    world.post("/v1/milestones", MILESTONE)
    world.clock.advance(12 * 3600 + 0.5)  # 00:00:00.500 of 6 March in Shanghai by our clock
    assert world.post("/v1/milestones", {**MILESTONE, "date": "2026-03-07"}).status_code == 422
    world.clock.advance(1)
    assert world.post("/v1/milestones", {**MILESTONE, "date": "2026-03-07"}).status_code == 202
    assert len(world.events) == 2


def test_the_trace_of_the_request_is_carried_in_the_event(world: World) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = world.post("/v1/milestones", MILESTONE, traceparent=trace)
    assert answer.headers["traceparent"] == trace
    assert [event.traceparent for event in world.events] == [trace]


def test_a_cloudevent_brings_its_own_trace_and_cannot_bring_its_own_time(world: World) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/oa",
        "type": "note.added",
        "subject": "p1",
        "recordedtime": "1999-01-01T00:00:00.000Z",
        "sequence": 99,
        "time": "1999-01-01T00:00:00Z",
        "traceparent": trace,
        "data": {"text": "x"},
    }
    assert world.post("/v1/events", event, Content_Type="application/cloudevents+json").status_code == 202
    (recorded,) = world.events
    assert (recorded.recordedtime, recorded.sequence) == ("2026-03-05T04:00:00.000Z", 0)
    assert recorded.traceparent == trace


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "project.exploded"}, "/type"),
        ({"type": "matter.signed", "data": {"matter": "p1:signed-started"}}, "/type"),  # told by notify alone
        ({"specversion": "0.3"}, "/specversion"),
        ({"subject": "planet:demo"}, "/subject"),
        ({"subject": None}, "/subject"),
        ({"id": "a/b"}, "/id"),
        ({"data": {"text": 7}}, "/data/text"),
        ({"data": None}, "/data"),
        ({"data": []}, "/data"),
        ({"datacontenttype": "text/xml"}, "/datacontenttype"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_a_cloudevent_is_checked_attribute_by_attribute(world: World, change: dict[str, Any], pointer: str) -> None:
    event = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/oa",
        "type": "note.added",
        "subject": "p1",
        "data": {"text": "x"},
    }
    answer = world.post("/v1/events", {**event, **change}, Content_Type="application/cloudevents+json")
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("data", "pointer"), [({"zone": "atlantis"}, "/data/zone"), ({"investment": 60}, "/data/investment")]
)
def test_doubts_about_a_cloudevent_point_into_its_data(world: World, data: dict[str, Any], pointer: str) -> None:
    event = {"specversion": "1.0", "id": "e1", "source": "/oa", "type": "project.registered", "subject": "p1"}
    answer = world.post(
        "/v1/events", {**event, "data": {**PROJECT, **data}}, Content_Type="application/cloudevents+json"
    )
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["pointer"] == pointer


def test_events_that_do_not_say_which_mode_they_come_in_are_refused(world: World) -> None:
    assert world.post("/v1/events", {"text": "x"}).status_code == 415
    one = world.post("/v1/events", {}, Content_Type="application/cloudevents-batch+json")
    assert one.status_code == 422


def test_another_content_type_is_refused(world: World) -> None:
    assert world.post("/v1/milestones", MILESTONE, Content_Type="text/plain").status_code == 415


def test_a_body_of_ten_megabytes_is_refused_as_too_large(world: World) -> None:
    answer = world.post("/v1/milestones", {**MILESTONE, "note": "x" * 10_000_000})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"project_id": NaN}',
        b'{"project_id": 1e999}',
        b'{"project_id": "p1", "project_id": "p2"}',
        b'{"note": "\\ud800"}',
        b'{"note": "\xff"}',
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5000,
    ],
)
def test_json_that_could_be_read_two_ways_or_not_at_all_is_refused(world: World, raw: bytes) -> None:
    answer = world.client.post("/v1/milestones", data=raw, content_type="application/json")
    assert answer.status_code in {400, 422}
    assert answer.content_type == "application/problem+json"


def test_a_caller_beyond_its_rate_is_told_when_to_come_back(tmp_path: Path) -> None:
    clock = World(tmp_path).clock
    world = World(tmp_path, overrides={"rate": RateLimit(clock.monotonic, per_second=1, burst=2)})
    assert world.post("/v1/milestones", [MILESTONE, MILESTONE]).status_code == 202
    answer = world.post("/v1/milestones", MILESTONE)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "2"


def test_beyond_what_can_wait_for_kafka_the_answer_is_overloaded_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, overrides={"gate": Gate(0)})
    answer = world.post("/v1/milestones", MILESTONE)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["code"] == "overloaded"
    assert answer.headers["Retry-After"]


def test_readiness_names_the_broker_and_the_clock(world: World) -> None:
    assert world.client.get("/ready").status_code == 200
    world.log.now_ms = lambda: int(world.clock.wall().timestamp() * 1000) + 6_000
    world.post("/v1/milestones", MILESTONE)
    world.log.away = True
    answer = world.client.get("/ready")
    assert answer.status_code == 503
    assert answer.json is not None
    assert [missing["check"] for missing in answer.json["missing"]] == ["kafka", "clock"]


def test_the_metrics_tell_what_became_of_events(world: World) -> None:
    world.post("/v1/milestones", [MILESTONE, {}])
    world.log.unknown_after = 0
    world.post("/v1/milestones", MILESTONE)
    text = world.client.get("/metrics").text
    assert "luodi_ingest_events_acked_total 1.0" in text
    assert 'luodi_ingest_events_refused_total{code="invalid"} 1.0' in text
    assert "luodi_ingest_events_unknown_total 1.0" in text
    assert "luodi_clock_skew_seconds 0.0" in text


def test_the_contract_is_served(world: World) -> None:
    document = orjson.loads(world.client.get("/v1/openapi.json").data)
    assert set(document["paths"]) >= {endpoint.path for endpoint in ENDPOINTS} | {"/v1/events"}


def test_problems_speak_the_callers_language(world: World) -> None:
    chinese = world.post("/v1/milestones", {})
    english = world.post("/v1/milestones", {}, Accept_Language="en")
    assert chinese.json is not None
    assert english.json is not None
    assert chinese.json["title"] == "内容不符合要求"
    assert english.json["title"] == "The content does not fit the rules"
