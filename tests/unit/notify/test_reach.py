"""Addresses that fail: when the operators hear of it, by which way, and when it is over."""

from __future__ import annotations

import pytest

from luodi.runtime.errors import TransientError
from services.notify.channels import Outcome
from services.notify.reach import MIN_ATTEMPTS, SPAN_S, Failing, Reached, failing
from tests.unit.notify.builders import COMPOSER
from tests.unit.notify.fakes import Receiver
from tests.unit.notify.watched import MemoryReach, Notifiers, after, receiver

FAILED, TAKEN = Outcome("retry", "timed-out"), Outcome("sent")
ZHANG = receiver("u-zhang")
TOLD = ("unreached:wecom/u-zhang", "operations")
OVER = ("unreached:wecom/u-zhang", "cleared")


@pytest.fixture
def notifiers() -> Notifiers:
    made = Notifiers()
    made.begins("a", lambda: [0])
    return made


def fails(notifiers: Notifiers, times: int, every_s: float, *to: Receiver, slot: str = "a") -> None:
    """So many attempts at each of these addresses, none of which is taken."""
    for _ in range(times):
        for one in to:
            notifiers.tries(one, FAILED, slot)
        notifiers.passes(every_s)


def test_an_address_that_took_nothing_in_five_attempts_over_a_quarter_of_an_hour_is_told_once(
    notifiers: Notifiers,
) -> None:
    fails(notifiers, MIN_ATTEMPTS - 1, 225, ZHANG)
    assert notifiers.told() == [], "four attempts are not five"
    fails(notifiers, 8, 300, ZHANG)
    (row,) = notifiers.told()
    assert (row.matter, row.kind, row.recipient, row.urgent) == (
        f"operations:{TOLD[0]}",
        "operations",
        "operators",
        True,
    )
    assert "u-zhang" in row.texts.title_zh
    assert "timed-out" in row.texts.text_en


def test_many_attempts_in_a_few_minutes_are_not_told_yet(notifiers: Notifiers) -> None:
    fails(notifiers, 12, 60, ZHANG)
    assert notifiers.told() == []
    fails(notifiers, 4, 60, ZHANG)
    assert notifiers.kinds() == [TOLD]


def test_anything_that_is_taken_begins_the_count_anew(notifiers: Notifiers) -> None:
    fails(notifiers, 4, 200, ZHANG)
    notifiers.tries(ZHANG, TAKEN)
    fails(notifiers, 4, 200, ZHANG)
    assert notifiers.told() == []


def test_it_is_over_with_the_first_message_that_is_taken_and_told_anew_when_it_comes_back(notifiers: Notifiers) -> None:
    fails(notifiers, 5, 300, ZHANG)
    notifiers.passes(7200)
    assert notifiers.kinds() == [TOLD], "that nothing is tried says nothing"
    notifiers.tries(ZHANG, TAKEN)
    notifiers.passes(5)
    assert notifiers.kinds() == [TOLD, OVER]
    fails(notifiers, 5, 300, ZHANG)
    assert notifiers.kinds() == [TOLD, OVER, TOLD]


def test_what_two_notifiers_try_counts_together_and_is_told_once(notifiers: Notifiers) -> None:
    notifiers.begins("b", lambda: [1])
    for _ in range(3):
        fails(notifiers, 1, 200, ZHANG)
        fails(notifiers, 1, 200, ZHANG, slot="b")
    assert notifiers.kinds() == [TOLD]
    notifiers.tries(ZHANG, TAKEN, "b")
    notifiers.passes(5)
    assert notifiers.kinds() == [TOLD, OVER]


def test_messages_that_are_refused_one_by_one_count_too(notifiers: Notifiers) -> None:
    for _ in range(5):
        notifiers.tries(ZHANG, Outcome("refused", "code-40008"))
        notifiers.passes(300)
    assert notifiers.kinds() == [TOLD]


@pytest.mark.parametrize("how", ["given up", "written anew or erased"])
def test_an_address_that_is_in_use_no_more_is_no_fault(notifiers: Notifiers, how: str) -> None:
    fails(notifiers, 5, 300, ZHANG)
    if how == "given up":
        notifiers.tries(ZHANG, Outcome("gone", "code-93000"))
    else:
        notifiers.unused.add("wecom/u-zhang")
    notifiers.passes(5)
    assert notifiers.kinds() == [TOLD, OVER]
    assert notifiers.reach.rows == {}


def test_a_channel_that_fails_as_a_whole_is_told_once_and_not_address_by_address(notifiers: Notifiers) -> None:
    people = [receiver(f"u-{number}", "email") for number in range(9)]
    fails(notifiers, 4, 300, *people)
    (row,) = notifiers.told()
    assert row.matter == "operations:channel:email"
    assert "9 个地址" in row.texts.text_zh
    notifiers.tries(people[0], TAKEN)
    notifiers.passes(5)
    assert notifiers.kinds() == [("channel:email", "operations"), ("channel:email", "cleared")]
    notifiers.passes(600)
    assert len(notifiers.told()) == 2, "the others have not been tried since"
    notifiers.tries(people[1], FAILED)
    notifiers.passes(5)
    assert notifiers.kinds()[2:] == [("unreached:email/u-1", "operations")], "one of them has, and failed"


def test_where_others_take_their_messages_the_channel_is_not_to_blame(notifiers: Notifiers) -> None:
    broken, well = [receiver("u-1", "email"), receiver("u-2", "email")], receiver("u-3", "email")
    for _ in range(5):
        fails(notifiers, 1, 150, *broken)
        notifiers.tries(well, TAKEN)
        notifiers.passes(150)
    assert sorted(notifiers.kinds()) == [("unreached:email/u-1", "operations"), ("unreached:email/u-2", "operations")]


def test_the_operators_hear_of_their_own_address_and_of_their_receiver_by_another_way(notifiers: Notifiers) -> None:
    fails(notifiers, 5, 300, receiver("operators", "email"), receiver(None, "webhook"))
    avoided = {matter.id: matter.facts.get("avoids") for matter in notifiers.matters.rows.values()}
    assert avoided == {
        "operations:unreached:email/operators": "email",
        "operations:receiver:webhook/k": "webhook",
    }


def test_of_a_fault_nothing_goes_by_the_channel_that_it_is_about(notifiers: Notifiers) -> None:
    fails(notifiers, 5, 300, receiver("operators", "email"), ZHANG)
    by_id = notifiers.matters.rows
    ways = ["inbox", "log", "webhook"]
    own = {"operators": ["email", "wecom"]}
    (theirs,) = COMPOSER.openings(by_id["operations:unreached:email/operators"], ways, after(0), own)
    assert [d.channel for d in theirs.deliveries] == ["inbox", "log", "webhook", "wecom"]
    (another,) = COMPOSER.openings(by_id["operations:unreached:wecom/u-zhang"], ways, after(0), own)
    assert [d.channel for d in another.deliveries] == ["inbox", "log", "webhook", "email", "wecom"]


def test_the_log_channel_has_no_address_and_is_not_judged(notifiers: Notifiers) -> None:
    notifiers.tries(Receiver("log", None), FAILED)
    notifiers.passes(5)
    assert notifiers.reach.rows == {}


def test_what_was_heard_is_kept_while_the_store_is_away() -> None:
    class Away(MemoryReach):
        away = True

        def read(self) -> Reached:
            if self.away:
                raise TransientError("MongoDB", "away")
            return super().read()

    notifiers = Notifiers()
    notifiers.reach = store = Away()
    notifiers.begins("a", lambda: [0])
    for _ in range(3):
        notifiers.tries(ZHANG, FAILED)
        with pytest.raises(TransientError):
            notifiers.passes(5)
    store.away = False
    notifiers.passes(5)
    assert (store.rows["wecom/u-zhang"].attempts, store.rows["wecom/u-zhang"].since) == (3, after(0))


def test_a_success_that_could_not_be_handed_over_outweighs_the_failures_before_it() -> None:
    class Away(MemoryReach):
        away = True

        def read(self) -> Reached:
            if self.away:
                raise TransientError("MongoDB", "away")
            return super().read()

    notifiers = Notifiers()
    notifiers.reach = store = Away()
    notifiers.begins("a", lambda: [0])
    for outcome in (FAILED, TAKEN):
        notifiers.tries(ZHANG, outcome)
        with pytest.raises(TransientError):
            notifiers.passes(5)
    store.away = False
    notifiers.passes(5)
    assert store.rows == {}


@pytest.mark.parametrize(
    ("attempts", "since", "told"),
    [(5, 0.0, True), (4, 0.0, False), (500, 1.0, False)],
    ids=["just", "one attempt less", "a second less"],
)
def test_the_bounds_are_met_exactly(attempts: int, since: float, told: bool) -> None:
    row = Failing("wecom/k", "wecom", "u-zhang", None, attempts, after(since), after(SPAN_S), "timed-out")
    assert bool(list(failing(Reached([row], {}), after(SPAN_S)))) is told
