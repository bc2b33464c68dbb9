"""Notify on a real Kafka and a real MongoDB: from states and watermarks to the inbox, the stream and the webhook."""

from __future__ import annotations

from functools import partial

import pytest

from tests.integration.notify import receiver as play
from tests.integration.notify.receiver import Receiver
from tests.integration.notify.world import REACHED, World, now, until
from tests.unit.notify.builders import clock, state

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


def settled(world: World) -> None:
    """Wait until a stall published now has been told: by then everything published before has been looked at."""
    for partition in range(world.topic.partitions):
        names = (f"marker-{partition}-{number}" for number in range(1000))
        marker = next(name for name in names if world.partition(name) == partition)
        before = world.told(marker)
        if before:
            world.reached(marker)
        else:
            world.overdue(marker)
        until(partial(_has_more, world, marker, len(before)), f"the marker {marker} told")


def _has_more(world: World, project_id: str, than: int) -> bool:
    return len(world.told(project_id)) > than


def test_a_stall_reaches_inbox_and_webhook_its_end_too_and_its_return_is_told_again(
    world: World, peer: Receiver
) -> None:
    world.notifier()
    world.watermarks_run()
    world.overdue("p-1", traceparent=TRACE, officer="u-li")
    until(lambda: world.told("p-1") == [("stalled", 1)], "the stall told")
    (notice,) = world.notifications("project_id=p-1")
    assert (notice["kind"], notice["recipient"], notice["gap"]) == ("stalled", "u-li", ["signed", "started"])
    until(lambda: peer.about("p-1"), "the webhook")
    (message,) = peer.about("p-1", "stalled")
    assert message.headers["traceparent"].startswith("00-" + "ab" * 16)
    assert message.body["data"]["id"] == notice["id"]
    until(lambda: world.notifications("project_id=p-1&status=sent"), "all deliveries done")
    world.reached("p-1")
    until(lambda: peer.about("p-1", "cleared"), "the all-clear at the webhook")
    world.overdue("p-1")
    until(lambda: len(peer.about("p-1", "stalled")) == 2, "the stall told again")
    settled(world)
    assert world.told("p-1") == [("stalled", 1), ("cleared", 1), ("stalled", 2)]
    assert [m.body["data"]["kind"] for m in peer.about("p-1")] == ["stalled", "cleared", "stalled"]
    assert len({m.headers["webhook-id"] for m in peer.about("p-1")}) == 3
    assert peer.forged == []


def test_a_backlog_that_holds_reports_in_time_tells_nothing_false(world: World) -> None:
    # While notify was away the tracker published both states, and a watermark between them.
    for number in range(20):
        world.overdue(f"p-{number}")
    world.watermark(now(-3600))
    for number in range(20):
        world.reached(f"p-{number}")
    world.overdue("p-stalled")
    world.notifier()
    world.watermarks_run()
    until(lambda: world.told("p-stalled"), "the true stall")
    settled(world)
    assert [n["project_id"] for n in world.notifications("kind=stalled") if n["project_id"].startswith("p-")] == [
        "p-stalled"
    ]


def test_a_deadline_that_passes_while_the_tracker_is_away_is_told_only_if_it_is_true(world: World) -> None:
    world.notifier()
    soon = clock(now(2))
    for name in ("p-in-time", "p-late"):
        world.publish(name, clocks=[soon])
    world.watermark()
    until(lambda: world.database["watches"].count_documents({}) == 2, "both watched")
    # The tracker is away while the deadline and its grace of 5 s pass; the report in time waits in its backlog.
    until(lambda: now() > soon["lights"][1]["from"] and now(-7) > soon["lights"][1]["from"], "grace passed")
    assert world.notifications() == []
    world.reached("p-in-time")
    world.publish("p-late", clocks=[soon])
    world.watermarks_run()
    until(lambda: world.told("p-late"), "the true stall told")
    settled(world)
    assert world.told("p-in-time") == []


def test_a_late_write_of_an_older_state_changes_nothing(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    world.publish_record(state("p-1", events=3, reached=REACHED))
    world.publish_record(state("p-1", events=2, clocks=[clock("2026-01-01T00:00:00.000Z")]))
    settled(world)
    assert world.told("p-1") == []
    row = world.database["watches"].find_one({"_id": "p-1"})
    assert row is not None
    assert row["events"] == 3


def test_a_record_that_cannot_be_read_holds_up_nobody_and_is_told_to_the_operators(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    world.overdue("p-bad")
    until(lambda: world.told("p-bad") == [("stalled", 1)], "told while it could be read")
    world.write("p-bad", b"{")
    until(lambda: world.notifications("kind=operations"), "the operators told")
    world.overdue("p-good")
    until(lambda: world.told("p-good"), "another project told meanwhile")
    assert world.told("p-bad") == [("stalled", 1)]  # nothing is concluded from what cannot be read
    world.publish("p-bad", reached=REACHED)
    until(lambda: world.told("p-bad") == [("stalled", 1), ("cleared", 1)], "readable again")
    until(lambda: world.notifications("kind=cleared&recipient=operators"), "the operators' all-clear")


def test_published_withdrawn_and_phased_projects_are_never_told(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    world.overdue("p-published", source="published")
    world.overdue("p-withdrawn", status="withdrawn", withdrawn={"date": "2026-03-01", "reason": None})
    world.overdue("p-phased", phased=True)
    settled(world)
    assert {n["project_id"] for n in world.notifications()} & {"p-published", "p-withdrawn", "p-phased"} == set()


def test_a_receiver_that_is_gone_is_given_up_and_the_operators_hear_of_it_in_the_inbox(
    world: World, peer: Receiver
) -> None:
    peer.answers = [play.status(410)]
    first = world.notifier()
    world.watermarks_run()
    world.overdue("p-1")
    (notice,) = until(lambda: world.notifications("kind=operations"), "the operators told")
    assert notice["recipient"] == "operators"
    assert "127.0.0.1" in notice["text"]
    assert "s3cret" not in str(notice)
    assert [d["channel"] for d in notice["deliveries"]] == ["inbox", "log"]
    world.end(first)
    world.notifier()  # the address stays given up
    world.overdue("p-2")
    until(lambda: world.told("p-2"), "the next stall told")
    (row,) = world.notifications("project_id=p-2")
    assert "webhook" not in [d["channel"] for d in row["deliveries"]]
    assert len(peer.got) == 1


def test_a_refused_message_is_sent_again_under_the_same_id_also_after_a_restart(world: World, peer: Receiver) -> None:
    peer.answers = [play.status(503)]
    first = world.notifier()
    world.watermarks_run()
    world.overdue("p-1")
    until(lambda: len(peer.got) == 1, "the first attempt")
    until(lambda: world.notifications("project_id=p-1&status=queued"), "it waits")
    world.end(first)
    world.notifier()
    until(lambda: len(peer.got) == 2, "the second attempt")
    until(lambda: world.notifications("project_id=p-1&status=sent"), "it is marked")
    assert len({m.headers["webhook-id"] for m in peer.got}) == 1
    (row,) = world.notifications("project_id=p-1")
    assert [d["attempts"] for d in row["deliveries"] if d["channel"] == "webhook"] == [2]


def test_a_slow_receiver_does_not_delay_the_inbox_or_the_log(world: World, peer: Receiver) -> None:
    peer.answers = [play.silence] * 40
    world.notifier()
    world.watermarks_run()
    for number in range(20):
        world.overdue(f"p-{number}")
    until(lambda: len(world.notifications("kind=stalled")) == 20, "all in the inbox")

    def logged() -> bool:
        rows = world.notifications("kind=stalled")
        return all(d["status"] == "sent" for row in rows for d in row["deliveries"] if d["channel"] == "log")

    until(logged, "all in the log", 10)
    peer.released.set()


def test_two_notifiers_share_the_partitions_and_whoever_is_left_takes_over(world: World, peer: Receiver) -> None:
    one = world.notifier("one")
    two = world.notifier("two")
    until(
        lambda: (
            one.watching.gate.partitions
            and two.watching.gate.partitions
            and len({**one.watching.gate.partitions, **two.watching.gate.partitions}) == 4
        ),
        "the partitions shared",
    )
    world.watermarks_run()
    for number in range(30):
        world.overdue(f"p-{number}")
    until(lambda: len(world.notifications("kind=stalled")) == 30, "all told")
    world.end(two)
    for number in range(30):
        world.reached(f"p-{number}")
    until(lambda: len(one.watching.gate.partitions) == 4, "all taken over")
    until(lambda: len(world.notifications("kind=cleared")) == 30, "all clear")
    three = world.notifier("three")
    until(lambda: three.watching.gate.partitions, "a third one has some")
    settled(world)
    for number in range(30):
        assert world.told(f"p-{number}") == [("stalled", 1), ("cleared", 1)]
    by_id: dict[str, int] = {}
    for message in list(peer.got):
        by_id[message.headers["webhook-id"]] = by_id.get(message.headers["webhook-id"], 0) + 1
    assert set(by_id.values()) == {1}


def test_after_a_restart_in_order_the_next_one_goes_on_at_once_and_repeats_nothing(world: World) -> None:
    first = world.notifier()
    world.watermarks_run()
    world.overdue("p-1")
    until(lambda: world.told("p-1"), "told")
    world.end(first)
    world.overdue("p-2")
    world.notifier()
    until(lambda: world.told("p-2"), "what came meanwhile")
    settled(world)
    assert world.told("p-1") == [("stalled", 1)]


def test_ready_names_what_is_missing_and_metrics_tell_what_was_done(world: World) -> None:
    world.notifier()
    world.watermarks_run()
    world.overdue("p-1")
    until(lambda: world.notifications("project_id=p-1&status=sent"), "delivered")
    text = world.http.request("GET", f"{world.base}/metrics").data.decode()
    assert 'luodi_deliveries_total{channel="webhook",outcome="sent"} 1.0' in text
    assert 'luodi_notifications_total{kind="stalled"} 1.0' in text
    assert 'luodi_watermark_age_seconds{partition="0"}' in text
    assert "luodi_sweep_age_seconds" in text
    until(
        lambda: "luodi_notify_open_matters 1.0" in world.http.request("GET", f"{world.base}/metrics").data.decode(),
        "the gauges looked",
        25,
    )
