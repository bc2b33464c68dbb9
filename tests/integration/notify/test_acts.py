"""The ladder on real servers: a stall climbs until somebody signs, over HTTP, and everybody told hears of its end."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from kafka import TopicPartition

from luodi.domain.events import Event
from luodi.runtime import kafka
from schemas import codec
from tests.integration.notify.receiver import Receiver
from tests.integration.notify.test_http import fits
from tests.integration.notify.world import LONG_AGO, World, until
from tests.unit.notify.builders import MATTER, clock

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

PEOPLE: dict[str, Any] = {
    "officer": "u-zhang",
    "group_head": "u-li",
    "lead_unit": "d-land",
    "leader": "u-wang",
    "key": True,
}
PROJECT = MATTER.split(":", maxsplit=1)[0]


def post(world: World, matter: str, act: str, key: str | None = None, **body: Any) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
    path = f"{world.base}/v1/matters/{matter}/{act}"
    answer = world.http.request("POST", path, body=json.dumps(body), headers=headers)
    return answer.status, json.loads(answer.data)


def stalled(world: World, **fields: Any) -> None:
    """The project's stage has been overdue for long."""
    world.publish(PROJECT, clocks=[{**clock(LONG_AGO), **fields}], **PEOPLE)


def events(world: World) -> list[Event]:
    """What stands on `project-events`, each event once, by the time of its record: one may be written again."""
    consumer = kafka.consumer(world.settings, None)
    try:
        partitions = [TopicPartition(world.settings.topics.events, n) for n in range(world.topic.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions)
        found: list[Event] = []
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for records in consumer.poll(timeout_ms=200).values():
                found += [codec.decode(r.value, r.key, ZoneInfo("Asia/Shanghai")) for r in records]
        return sorted({event.id: event for event in found}.values(), key=lambda event: event.order)
    finally:
        consumer.close(autocommit=False)


def inbox(world: World) -> set[tuple[str, int, str]]:
    found = world.notifications(f"project_id={PROJECT}&status=sent")
    return {(row["kind"], row["level"], row["recipient"]) for row in found}


FIRST = {("stalled", 0, "u-zhang"), ("stalled", 0, "u-li")}


def test_a_stall_is_signed_for_answered_reviewed_and_closed(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    stalled(world)
    until(lambda: inbox(world) == FIRST, "officer and group head told")
    _, matter = world.get(f"/v1/matters/{MATTER}")
    fits(matter, "Matter")
    assert matter["ladder"]["phase"] == "to-verify"
    assert matter["ladder"]["to_sign"] == ["u-zhang", "u-li", "d-land", "u-wang", "demo-director-01"]
    assert matter["ladder"]["next"] == {"role": "group_head", "recipient": "u-li"}

    status, refused = post(world, MATTER, "sign", actor="u-stranger")
    assert (status, refused["code"]) == (403, "not-theirs")
    status, refused = post(world, MATTER, "sign")
    assert (status, refused["errors"][0]["pointer"]) == (422, "/actor")
    status, refused = post(world, "no-such:signed-started", "sign", actor="u-zhang")
    assert (status, refused["code"]) == (404, "not-found")

    status, signed = post(world, MATTER, "sign", "k1", actor="u-zhang", note="马上核实")
    assert status == 200
    assert (signed["matter"]["ladder"]["phase"], len(signed["matter"]["acts"])) == ("signed", 1)
    assert post(world, MATTER, "sign", "k1", actor="u-zhang", note="马上核实")[1] == signed

    told = until(lambda: events(world), "the signature among the events")
    assert [(event.type, event.actor, event.data["matter"]) for event in told] == [("matter.signed", "u-zhang", MATTER)]

    recovery = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    status, answered = post(world, MATTER, "feedback", actor="u-zhang", text="机械已进场", recovery=recovery)
    assert (status, answered["matter"]["ladder"]["phase"]) == (200, "in-review")
    assert answered["matter"]["ladder"]["to_review"][0] == "u-li"
    status, held = post(world, MATTER, "review", actor="u-li", accepted=True)
    assert (status, held["matter"]["ladder"]["phase"]) == (200, "held")
    assert held["matter"]["ladder"]["by"] == recovery
    status, refused = post(world, MATTER, "close", actor="u-li")
    assert (status, refused["code"]) == (409, "not-over")

    world.publish(PROJECT, reached={"signed": "2025-12-01", "started": "2026-03-04"}, **PEOPLE)
    over = FIRST | {("cleared", 0, "u-zhang"), ("cleared", 0, "u-li")}
    until(lambda: inbox(world) == over, "both hear that it is over")
    status, closed = post(world, MATTER, "close", actor="u-li", note="现场核实")
    assert (status, closed["matter"]["acts"][-1]["act"]) == (200, "closed")
    until(lambda: len(events(world)) == 4, "all four acts among the events")
    assert [event.type.removeprefix("matter.") for event in events(world)] == [
        "signed",
        "answered",
        "reviewed",
        "closed",
    ]
    _, matter = world.get(f"/v1/matters/{MATTER}", language="en")
    fits(matter, "Matter")
    assert matter["ladder"] is None


def test_a_rule_of_the_same_day_climbs_to_the_leader_at_once_and_all_hear_of_the_end(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    stalled(world, rule="jiangdong", preset="jiangdong")
    told = FIRST | {("escalated", 1, "u-li"), ("escalated", 2, "d-land"), ("escalated", 3, "u-wang")}
    until(lambda: inbox(world) == told, "the leader told")
    _, matter = world.get(f"/v1/matters/{MATTER}")
    fits(matter, "Matter")
    assert [telling["why"] for telling in matter["tellings"][1:]] == ["same-day"] * 3
    status, _ = post(world, MATTER, "sign", actor="u-wang")
    assert status == 200
    status, refused = post(world, MATTER, "sign", actor="u-zhang")  # it is the leader's by now
    assert (status, refused["code"]) == (403, "not-theirs")
    world.publish(PROJECT, status="withdrawn", withdrawn={"date": "2026-03-05"}, **PEOPLE)
    ends = {("cleared", 0, who) for who in ("u-zhang", "u-li", "d-land", "u-wang")}
    until(lambda: inbox(world) == told | ends, "all four hear that it is over")


def test_who_is_only_warned_hears_no_all_clear(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    ahead = clock("2999-01-01T00:00:00.000Z")
    soon = {**ahead["lights"][1], "light": "yellow", "from": LONG_AGO, "to": ahead["lights"][1]["from"]}
    ahead["lights"][0]["to"] = LONG_AGO
    ahead["lights"].insert(1, soon)
    world.publish(PROJECT, clocks=[ahead], **PEOPLE)
    warned = {("warning", 0, "u-zhang"), ("warning", 0, "u-li")}
    until(lambda: inbox(world) == warned, "both warned")
    _, matters = world.get("/v1/matters?state=warned")
    fits(matters["items"][0], "Matter")
    world.publish(PROJECT, reached={"signed": "2025-12-01", "started": "2026-03-04"}, **PEOPLE)
    until(lambda: world.get("/v1/matters?state=cleared")[1]["items"], "the warning over")
    assert inbox(world) == warned


def test_a_silenced_project_is_told_in_the_inbox_only_until_the_silence_is_ended(world: World, peer: Receiver) -> None:
    world.notifier()
    world.watermarks_run()
    world.publish(PROJECT, clocks=[clock("2999-01-01T00:00:00.000Z")], **PEOPLE)
    until(lambda: world.database["watches"].find_one({"_id": PROJECT}), "the project known")
    silences = f"{world.base}/v1/silences"
    until_day = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    asked = {"id": "s1", "actor": "u-li", "project_id": PROJECT, "reason": "整改中", "until": until_day}

    def say(method: str, path: str, **body: Any) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        answer = world.http.request(method, f"{silences}{path}", body=json.dumps(body), headers=headers)
        return answer.status, json.loads(answer.data)

    status, begun = say("POST", "", **asked)
    assert (status, begun["active"]) == (200, True)
    fits(begun, "Silence")
    assert say("POST", "", **{**asked, "matter": MATTER})[1]["errors"][0]["code"] == "one-of-two"
    assert say("POST", "", **{**asked, "actor": "u-zhang", "id": "s9"})[1]["code"] == "not-theirs"
    assert say("PATCH", "/s1", actor="u-li")[1]["errors"][0]["code"] == "nothing-amended"
    stalled(world)
    until(
        lambda: {row["recipient"] for row in world.notifications(f"project_id={PROJECT}")} == {"u-zhang", "u-li"},
        "told",
    )
    world.overdue("p-loud")
    until(lambda: peer.about("p-loud"), "what is not silenced goes out")
    assert peer.about(PROJECT) == []
    status, edited = say("PATCH", "/s1", actor="u-li", id="s2", reason="延期整改")
    assert (status, edited["replaces"], edited["active"]) == (200, "s1", True)
    _, listed = world.get(f"/v1/silences?project_id={PROJECT}")
    assert [(row["id"], row["active"]) for row in listed["items"]] == [("s2", True), ("s1", False)]
    status, ended = say("POST", "/s2/end", actor="u-wang")
    assert (status, ended["active"], ended["ended_by"]) == (200, False, "u-wang")
    assert say("PATCH", "/s2", actor="u-li", reason="…")[1]["code"] == "silence-over"
    until(lambda: len(peer.about(PROJECT, "stalled")) == 2, "both messages go out")
    types = until(lambda: len(found := events(world)) == 4 and found, "all of it among the events")
    assert [event.type for event in types].count("silence.ended") == 2
