"""Delivering: one attempt at a time, under one id, in order, as long as it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from luodi.domain.days import instant
from luodi.runtime.errors import TransientError
from services.notify.channels import Outcome
from services.notify.ledger import LEFT_EVERY_S, LEFT_S
from services.notify.matters import NO_PARTITION
from services.notify.notifications import LEASE_S, SCHEDULE_S, Notification
from tests.unit.notify.builders import MATTER
from tests.unit.notify.fakes import CallCounter
from tests.unit.notify.test_crashes import Interrupted
from tests.unit.notify.world import Notifier, World, settled

REFUSED = Outcome("retry", "http-500")


def stalled() -> World:
    """A world in which one stall has just been told."""
    world = World()
    world.turns_red()
    world.passes(61)
    Notifier(world).sweep()
    return world


def statuses(world: World, kind: str = "stalled") -> list[str]:
    return [d.status for row in world.inbox(kind) for d in row.deliveries if d.channel == "webhook"]


def test_what_was_taken_is_sent_once() -> None:
    world = stalled()
    assert Notifier(world).deliver() == ["sent"]
    assert Notifier(world).deliver() == []
    assert statuses(world) == ["sent"]


def test_a_refused_message_goes_again_by_the_schedule_under_the_same_id_and_ends_dead() -> None:
    world = stalled()
    world.receiver.default = REFUSED
    results = []
    for wait in (0, *SCHEDULE_S[1:]):
        world.clock.advance(wait - 0.001)
        assert Notifier(world).deliver() == []
        world.clock.advance(0.001)
        results += Notifier(world).deliver()
    assert results == ["retried"] * 7 + ["dead"]
    world.clock.advance(1e6)
    assert Notifier(world).deliver() == []
    assert world.inbox()[0].status == "dead"


def test_the_schedule_survives_restarts_since_every_notifier_here_is_a_new_one() -> None:
    world = stalled()
    world.receiver.answers = [REFUSED]
    Notifier(world).deliver()
    world.clock.advance(5)
    assert Notifier(world).deliver() == ["sent"]


def test_a_shifted_business_clock_shifts_no_lease_and_no_wait() -> None:
    world = stalled()
    (row,) = world.inbox()
    delivery = row.delivery("webhook")
    assert delivery is not None
    assert delivery.due_at == instant(world.clock.wall())


def test_a_receiver_that_breaks_the_connection_after_taking_it_gets_it_again_under_the_same_id() -> None:
    world = stalled()
    world.receiver.answers = [ConnectionResetError("after the body")]
    assert Notifier(world).deliver() == ["retried"]
    world.clock.advance(5)
    assert Notifier(world).deliver() == ["sent"]
    assert list(Counter(got[0] for got in world.receiver.got).values()) == [2]


def test_a_stall_over_before_the_first_attempt_is_not_sent_and_needs_no_all_clear() -> None:
    world = stalled()
    world.stage_is_reached()
    world.passes(61)
    Notifier(world).sweep()
    assert statuses(world) == ["superseded"]
    assert Notifier(world).deliver() == []
    assert world.receiver.got == []
    assert statuses(world, "cleared") == []
    assert world.told() == [("stalled", 1), ("cleared", 1)]  # the inbox had shown it


def test_a_stall_that_seems_over_is_held_back_until_the_watermark_decides() -> None:
    world = stalled()
    world.stage_is_reached()
    assert Notifier(world).deliver() == ["postponed"]
    world.turns_red()  # it was not over after all
    world.clock.advance(2)
    assert Notifier(world).deliver() == ["sent"]


def test_a_stall_cleared_a_moment_ago_is_not_sent_though_its_row_still_waits() -> None:
    world = stalled()
    matter = world.matters.rows[MATTER]
    cleared = matter.cleared(world.clock.now_text(), {"code": "stage-reached", "date": None}, None)
    world.matters.rows[MATTER] = cleared  # its messages are not written yet
    assert Notifier(world).deliver() == ["superseded"]
    assert world.receiver.got == []


def test_an_attempted_stall_is_seen_through_before_its_all_clear() -> None:
    world = stalled()
    world.receiver.answers = [REFUSED, REFUSED]
    Notifier(world).deliver()
    world.stage_is_reached()
    world.passes(1)
    Notifier(world).sweep()
    settled(world)
    assert world.heard() == [("stalled", 1), ("cleared", 1)]


def test_an_all_clear_waits_until_its_stall_is_dead_and_then_goes() -> None:
    world = stalled()
    world.receiver.answers = [REFUSED] * len(SCHEDULE_S)
    Notifier(world).deliver()
    world.stage_is_reached()
    world.passes(1)
    Notifier(world).sweep()
    settled(world, rounds=5000)
    assert statuses(world) == ["dead"]
    assert statuses(world, "cleared") == ["sent"]


def test_a_new_message_behind_a_waiting_one_gives_that_one_an_attempt_at_once() -> None:
    world = stalled()
    world.receiver.answers = [REFUSED] * 4
    for wait in (0, 5, 300, 1800):
        world.clock.advance(wait)
        Notifier(world).deliver()  # the next attempt is two hours away
    world.stage_is_reached()
    world.passes(1)
    Notifier(world).sweep()
    assert Notifier(world).deliver() == ["postponed"]
    world.clock.advance(1)  # not two hours
    assert Notifier(world).deliver() == ["sent", "sent"]
    assert world.heard() == [("stalled", 1), ("cleared", 1)]


def test_an_address_given_up_is_persisted_told_to_the_operators_and_used_no_more() -> None:
    world = stalled()
    world.receiver.answers = [Outcome("gone", "http-410")]
    assert Notifier(world).deliver() == ["failed"]
    assert world.endpoints.is_disabled("webhook/test")
    Notifier(world).sweep()
    operations = world.inbox("operations")
    assert [(row.matter, row.recipient) for row in operations] == [("operations:endpoint:webhook/test", "operators")]
    assert "receiver.example" in operations[0].texts.text_en


def test_what_waits_for_an_address_that_was_given_up_fails_without_a_request() -> None:
    world = stalled()
    world.endpoints.disable("webhook/test", "http-410", "now")
    assert Notifier(world).deliver() == ["failed"]
    assert world.receiver.got == []


def test_killed_in_the_middle_of_a_request_it_goes_again_when_the_lease_has_run_out() -> None:
    world = stalled()
    counter = CallCounter()
    notifier = Notifier(world, counter)
    notifier.ledger.due("webhook")
    world.receiver.answers = [KeyboardInterrupt("killed after the receiver took it")]
    with pytest.raises(KeyboardInterrupt):
        notifier.deliver()
    assert statuses(world) == ["sending"]
    world.clock.advance(LEASE_S - 1)
    assert Notifier(world).deliver() == []
    world.clock.advance(1)
    assert Notifier(world).deliver() == ["sent"]
    assert len({got[0] for got in world.receiver.got}) == 1
    assert len(world.receiver.got) == 2


def test_of_two_notifiers_that_want_the_same_message_one_gets_it() -> None:
    alone = CallCounter()
    Notifier(stalled(), alone).deliver()
    assert alone.count > 5
    for at in range(1, alone.count + 1):
        world = stalled()
        counter = Interrupted()
        counter.plans[at] = Notifier(world).deliver
        Notifier(world, counter).deliver()
        assert len(world.receiver.got) == 1, at


def test_a_row_that_changes_at_every_step_is_left_to_the_next_round() -> None:
    world = stalled()
    world.notifications.replace = lambda row: False  # type: ignore[method-assign]  # somebody is always first
    with pytest.raises(TransientError):
        Notifier(world).deliver()
    assert world.receiver.got == []


def test_a_message_marked_on_another_channel_meanwhile_goes_at_once_all_the_same() -> None:
    world = stalled()
    (row,) = world.inbox()
    replace_many = world.notifications.replace_many

    def after_another(rows: Sequence[Notification], channel: str | None = None) -> set[str]:
        world.notifications.replace_many = replace_many  # type: ignore[method-assign]  # once
        assert world.notifications.replace(replace(row, version=row.version + 1))
        return replace_many(rows, channel)

    world.notifications.replace_many = after_another  # type: ignore[method-assign]  # it comes first
    assert Notifier(world).deliver() == ["sent"]


def test_an_answer_that_can_never_be_marked_is_a_passing_fault() -> None:
    world = stalled()
    replace, calls = world.notifications.replace, iter(range(99))
    world.notifications.replace = lambda row: next(calls) == 0 and replace(row)  # type: ignore[method-assign]  # as above, but for the first
    with pytest.raises(TransientError):
        Notifier(world).deliver()
    assert len(world.receiver.got) == 1


def test_a_notifier_held_up_between_taking_and_sending_leaves_it_to_whoever_has_it_now() -> None:
    world = stalled()
    zombie = Notifier(world)
    replace_many = world.notifications.replace_many

    def frozen(rows: Sequence[Notification], channel: str | None = None) -> set[str]:
        written = replace_many(rows, channel)
        world.notifications.replace_many = replace_many  # type: ignore[method-assign]  # frozen once
        world.clock.advance(LEASE_S)
        assert Notifier(world).deliver() == ["sent"]
        return written

    world.notifications.replace_many = frozen  # type: ignore[method-assign]  # the process is stopped in this call
    assert zombie.deliver() == ["taken"]
    assert len(world.receiver.got) == 1


def test_what_a_receiver_took_is_marked_before_its_place_is_given_back() -> None:
    world = stalled()
    seen: list[str] = []

    def leave() -> None:
        seen.extend(statuses(world))
        raise TransientError("MongoDB", "away")

    world.receiver.leave = leave  # type: ignore[method-assign]  # the place cannot be given back
    with pytest.raises(TransientError):
        Notifier(world).deliver()
    assert seen == statuses(world) == ["sent"]
    world.clock.advance(LEASE_S)
    assert Notifier(world).deliver() == []


def test_messages_of_one_matter_go_one_after_the_other_and_of_many_matters_together() -> None:
    world = stalled()
    (first,) = world.inbox()
    others = [replace(first, id=f"{n}", matter=f"test:{n % 3}", order=n, kind="test", version=1) for n in range(9)]
    world.notifications.insert(others)
    counter = CallCounter()
    assert Notifier(world, counter).deliver() == ["sent"] * 10
    matters = [matter for _, _, matter, _ in world.receiver.got]
    assert {tuple(sorted(matters[begin : begin + 3])) for begin in (4, 7)} == {("test:0", "test:1", "test:2")}
    for number in range(3):
        wanted = [one.message_id for one in others if one.matter == f"test:{number}"]
        assert [got[0] for got in world.receiver.got if got[2] == f"test:{number}"] == wanted


def test_a_channel_that_costs_nothing_takes_and_marks_all_of_a_round_at_once() -> None:
    calls = []
    for many in (1, 50):
        world = stalled()
        world.receiver.batch = 200
        (first,) = world.inbox()
        rows = [replace(first, id=f"{n}", matter=f"test:{n}", kind="test") for n in range(many)]
        world.notifications.insert(rows)
        counter = CallCounter()
        assert Notifier(world, counter).deliver() == ["sent"] * (many + 1)
        assert len(world.receiver.got) == many + 1
        calls.append(counter.count - 3 * (many + 1))  # the receiver's own: enter, send, leave
    assert calls[0] == calls[1]


def test_rows_of_other_partitions_are_left_to_their_notifier_for_a_while() -> None:
    world = stalled()
    (first,) = world.inbox()
    world.notifications.insert(
        [
            replace(first, id="elsewhere", matter="test:1", kind="test", partition=7),
            replace(first, id="nowhere", matter="test:2", kind="test", partition=NO_PARTITION),
        ]
    )
    notifier = Notifier(world)
    assert {row.id for row in notifier.ledger.due("webhook")} == {first.id, "nowhere"}
    world.clock.advance(LEFT_S - 0.001)
    assert {row.id for row in notifier.ledger.due("webhook")} == {first.id, "nowhere"}
    world.clock.advance(LEFT_EVERY_S)
    assert {row.id for row in notifier.ledger.due("webhook")} == {first.id, "nowhere", "elsewhere"}
    assert len(notifier.ledger.due("webhook")) == 2
