"""The steps of a delivery, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from luodi.domain.days import END_OF_TIME, instant, parse_instant
from services.notify.digest import digest_of
from services.notify.matters import opened
from services.notify.notifications import MAX_TRIED, SCHEDULE_S, Delivery, Notification, Sheet, notification_id
from tests.unit.notify.builders import COMPOSER, at, open_matter, opening

CHANNELS = ("inbox", "log", "webhook")
MORNING = date(2026, 3, 6)
TO_WHOM: dict[str, Any] = {"partition": 0, "missing": (), "public_url": None, "now": at(0), "wall": at(0)}


def row() -> Notification:
    (made,) = COMPOSER.openings(open_matter(complete=False), CHANNELS, at(0))
    return made


def delivery(of: Notification, channel: str = "webhook") -> Delivery:
    found = of.delivery(channel)
    assert found is not None
    return found


def step(after: Notification | None) -> Notification:
    assert after is not None
    return after


def under_way(lease: str = "l1") -> Notification:
    return step(row().begun("webhook", at(0), lease, at(60)))


def later(seconds: float) -> str:
    return instant(parse_instant(at(0)) + timedelta(seconds=seconds))


def test_the_inbox_is_done_with_its_row_and_the_others_are_due_at_once() -> None:
    made = row()
    assert (delivery(made, "inbox").status, delivery(made, "inbox").attempts) == ("sent", 1)
    assert (delivery(made).status, delivery(made).attempts, delivery(made).due_at) == ("queued", 0, at(0))
    assert made.attempted == ("inbox",)


def test_what_is_taken_counts_as_attempted_in_the_same_step() -> None:
    taken = under_way()
    assert (delivery(taken).status, delivery(taken).attempts, delivery(taken).due_at) == ("sending", 1, at(60))
    assert taken.version == 2
    assert taken.attempted == ("inbox", "webhook")


def test_what_is_taken_cannot_be_moved_by_others_until_its_lease_has_run_out() -> None:
    taken = under_way()
    assert taken.begun("webhook", at(59.999), "l2", at(120)) is None
    assert taken.postponed("webhook", at(59.999), at(99)) is None
    assert taken.given_up("webhook", at(59.999), "no-address") is None
    again = step(taken.begun("webhook", at(60), "l2", at(120)))
    assert (delivery(again).lease, delivery(again).attempts) == ("l2", 2)


def test_what_waits_is_not_due_before_its_time() -> None:
    waiting = step(row().postponed("webhook", at(0), at(30), waited=False))
    assert (delivery(waiting).status, delivery(waiting).due_at, delivery(waiting).waited) == ("queued", at(30), False)
    assert waiting.begun("webhook", at(29.999), "l1", at(90)) is None
    assert delivery(step(waiting.postponed("webhook", at(30), at(60)))).waited
    ended = delivery(step(waiting.given_up("webhook", at(30), "no-address")))
    assert (ended.status, ended.error, ended.attempts, ended.due_at) == ("failed", "no-address", 0, END_OF_TIME)


def test_whoever_lost_the_lease_can_no_longer_move_it() -> None:
    taken = step(under_way("l1").begun("webhook", at(60), "l2", at(120)))
    assert taken.sent("webhook", "l1", at(61)) is None
    assert taken.failed("webhook", "l1", "gone", at(61)) is None
    assert taken.retried("webhook", "l1", "x", later, 0, 0) is None


def test_sent_is_the_end() -> None:
    done = step(under_way().sent("webhook", "l1", at(3)))
    assert (delivery(done).status, delivery(done).sent_at, delivery(done).due_at) == ("sent", at(3), END_OF_TIME)
    assert done.begun("webhook", at(9999), "l2", at(10059)) is None
    assert done.hurried("webhook", at(9)) is None


def test_failed_attempts_follow_the_schedule_and_end_dead() -> None:
    now, made, waits = 0.0, row(), []
    for _ in SCHEDULE_S:
        made = step(made.begun("webhook", later(now), "l", later(now + 60)))
        made = step(made.retried("webhook", "l", "http-500", partial(_from, now), 0, 0))
        if delivery(made).status == "dead":
            break
        waits.append((parse_instant(delivery(made).due_at) - parse_instant(later(now))).total_seconds())
        now += waits[-1]
    assert waits == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert (delivery(made).status, delivery(made).attempts) == ("dead", 8)


def dead(made: Notification, now: float = 0.0) -> Notification:
    """After the whole schedule."""
    for _ in SCHEDULE_S:
        made = step(made.begun("webhook", later(now), "l", later(now + 60)))
        made = step(made.retried("webhook", "l", "http-500", partial(_from, now), 0, 0))
        now += 40_000
    assert delivery(made).status == "dead"
    return made


def test_what_was_given_up_goes_again_on_a_schedule_that_begins_anew_and_keeps_its_history() -> None:
    again = step(dead(row()).resent("webhook", later(400_000), "u-it"))
    found = delivery(again)
    assert (found.status, found.due_at, found.attempts, found.error) == ("queued", later(400_000), 8, None)
    assert [tried.what for tried in found.tried] == ["not-taken"] * 8 + ["resent"]
    assert (found.tried[-1].by, found.tried[0].error, found.tried[0].at) == ("u-it", "http-500", later(0.0))
    assert again.message_id == row().message_id
    taken = step(again.begun("webhook", later(400_000), "l", later(400_060)))
    waits = step(taken.retried("webhook", "l", "http-503", partial(_from, 400_000.0), 0, 0))
    assert delivery(waits).due_at == later(400_005), "as after a first attempt"
    assert delivery(step(dead(again, 500_000.0).resent("webhook", later(10**6), "u-it"))).base == 16


def test_what_goes_again_is_not_sent_when_it_no_longer_holds() -> None:
    again = step(dead(row()).resent("webhook", later(400_000), "u-it"))
    assert delivery(step(again.superseded())).status == "superseded"
    taken = step(again.begun("webhook", later(400_000), "l", later(400_060)))
    others = taken.superseded() or taken
    assert delivery(others).status == "sending", "from here on it is seen through"


def test_nothing_but_what_was_given_up_goes_again() -> None:
    assert row().resent("webhook", at(1), "u-it") is None
    assert under_way().resent("webhook", at(1), "u-it") is None
    assert step(under_way().sent("webhook", "l1", at(3))).resent("webhook", at(4), "u-it") is None
    assert step(row().superseded()).resent("webhook", at(4), "u-it") is None
    refused = step(row().given_up("webhook", at(30), "no-address"))
    assert delivery(step(refused.resent("webhook", at(31), "u-it"))).untried


def test_of_a_long_history_the_last_are_kept() -> None:
    made = dead(row())
    for turn in range(1, 5):
        made = dead(step(made.resent("webhook", later(turn * 10**6), "u-it")), turn * 10.0**6)
    assert len(delivery(made).tried) == MAX_TRIED
    assert delivery(made).attempts == 40


def _from(begin: float, seconds: float) -> str:
    return later(begin + seconds)


def test_jitter_only_adds_up_to_a_tenth() -> None:
    assert delivery(step(under_way().retried("webhook", "l1", "x", later, 0, 0))).due_at == later(5)
    assert delivery(step(under_way().retried("webhook", "l1", "x", later, 0, 1))).due_at == later(5.5)


def test_a_receiver_may_ask_for_more_time_but_not_for_less_nor_for_ever() -> None:
    assert delivery(step(under_way().retried("webhook", "l1", "x", later, 120, 0))).due_at == later(120)
    assert delivery(step(under_way().retried("webhook", "l1", "x", later, 1, 0))).due_at == later(5)
    assert delivery(step(under_way().retried("webhook", "l1", "x", later, 1e9, 0))).due_at == later(86_400)


def test_only_what_was_never_attempted_is_superseded() -> None:
    over = step(step(row().postponed("log", at(0), at(60))).superseded())
    assert [(d.channel, d.status) for d in over.deliveries] == [
        ("inbox", "sent"),
        ("log", "superseded"),
        ("webhook", "superseded"),
    ]
    assert over.begun("log", at(99), "l2", at(160)) is None
    assert over.superseded() is None
    attempted = step(under_way().superseded())
    assert [(d.channel, d.status) for d in attempted.deliveries] == [
        ("inbox", "sent"),
        ("log", "superseded"),
        ("webhook", "sending"),
    ]


def test_only_the_digest_that_carries_a_message_gives_it_back_or_takes_it_to_its_end() -> None:
    held = replace(row(), deliveries=(Delivery("wecom", "held", 0, END_OF_TIME),))
    mine = digest_of("u-zhang", "wecom", MORNING, Sheet((), (held.id,)), **TO_WHOM)
    other = digest_of("u-zhang", "wecom", MORNING + timedelta(days=1), Sheet((), ()), **TO_WHOM)
    carried = step(held.carried("wecom", mine.id))
    ended = (Delivery("wecom", "sent", 1, END_OF_TIME, sent_at=at(9)),)
    assert carried.released("wecom", other.id) is None
    assert carried.arrived("wecom", replace(other, deliveries=ended)) is None
    assert carried.arrived("wecom", mine) is None, "it is still on its way"
    assert delivery(step(carried.released("wecom", mine.id)), "wecom") == held.deliveries[0]
    arrived = delivery(step(carried.arrived("wecom", replace(mine, deliveries=ended))), "wecom")
    assert (arrived.status, arrived.sent_at, arrived.attempts) == ("sent", at(9), 1)
    assert held.released("wecom", mine.id) is None
    assert held.arrived("wecom", replace(mine, deliveries=ended)) is None


def test_what_waits_can_be_hurried_but_not_what_is_under_way() -> None:
    waiting = step(under_way().retried("webhook", "l1", "x", later, 3600, 0))
    assert delivery(step(waiting.hurried("webhook", later(9)))).due_at == later(9)
    assert under_way().hurried("webhook", at(9)) is None


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        (("sent",), "sent"),
        (("sent", "queued"), "queued"),
        (("sent", "sending"), "queued"),
        (("sent", "superseded"), "sent"),
        (("sent", "failed"), "failed"),
        (("failed", "dead"), "dead"),
        (("superseded",), "superseded"),
    ],
)
def test_the_state_of_the_whole(statuses: tuple[str, ...], shown: str) -> None:
    deliveries = tuple(Delivery(str(n), s, 1, END_OF_TIME) for n, s in enumerate(statuses))  # type: ignore[arg-type]  # statuses of the table
    assert replace(row(), deliveries=deliveries).status == shown


def test_the_message_id_is_constant_and_fits_a_header_whatever_the_ids_hold() -> None:
    strange = opening(matter="p-1:blocker:电力 \r\n x", blocker="电力 \r\n x")
    (one,) = COMPOSER.openings(opened(None, strange, at(0)), CHANNELS, at(0))
    (same,) = COMPOSER.openings(opened(None, strange, at(0)), CHANNELS, at(77))
    assert one.message_id == same.message_id
    assert one.message_id.isascii()
    assert one.message_id.replace("_", "").isalnum()


def test_ids_tell_apart_matter_episode_round_kind_level_and_recipient() -> None:
    variants = {
        notification_id(*key)
        for key in (
            ("m", 1, 1, "stalled", 0, "u"),
            ("n", 1, 1, "stalled", 0, "u"),
            ("m", 2, 1, "stalled", 0, "u"),
            ("m", 1, 2, "stalled", 0, "u"),
            ("m", 1, 1, "cleared", 0, "u"),
            ("m", 1, 1, "stalled", 1, "u"),
            ("m", 1, 1, "stalled", 0, "v"),
        )
    }
    assert len(variants) == 7
