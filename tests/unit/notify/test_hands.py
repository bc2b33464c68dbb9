"""How many messages are on their way at one moment, and whom that keeps waiting."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace

from luodi.runtime.lifecycle import Stop
from services.notify.channels import Outcome
from services.notify.dispatching import Dispatcher
from services.notify.hands import PATIENCE_S, Hands
from services.notify.notifications import Notification, fresh_deliveries
from tests.unit.notify.fakes import Receiver
from tests.unit.notify.test_dispatching import until
from tests.unit.notify.test_ledger import stalled
from tests.unit.notify.world import Notifier

LONG_S = 60.0
SOON_S = 5.0


def test_a_hand_is_free_again_when_it_is_given_back_and_not_before() -> None:
    hands, entered = Hands(2, LONG_S), threading.Event()

    def third() -> None:
        with hands.one():
            entered.set()

    with hands.one():
        with hands.one():
            thread = threading.Thread(target=third)
            thread.start()
            assert not entered.wait(0.1)
        assert entered.wait(SOON_S)
        thread.join(SOON_S)


def test_whoever_hears_nothing_for_a_while_is_not_waited_for() -> None:
    now = [0.0]
    hands = Hands(1, PATIENCE_S, lambda: now[0])
    with ExitStack() as silent:
        for _ in range(20):
            silent.enter_context(hands.one())
            now[0] += PATIENCE_S
        with hands.one():
            pass
    with hands.one():
        pass


def test_a_hand_waits_for_the_silence_to_last_long_enough_by_itself() -> None:
    hands = Hands(1, 0.05)
    with hands.one(), hands.one():  # the second would wait for ever if somebody had to give one back
        pass


class Counting(Receiver):
    """Knows how many messages it and others of its kind are given at the same moment."""

    lock = threading.Lock()
    together = 0
    most = 0

    def send(self, row: Notification) -> Outcome:
        with self.lock:
            Counting.together += 1
            Counting.most = max(self.most, self.together)
        try:
            threading.Event().wait(0.002)  # a receiver takes its time
            return super().send(row)
        finally:
            with self.lock:
                Counting.together -= 1


def test_all_channels_together_hand_over_no_more_at_once_than_there_are_hands() -> None:
    world = stalled()
    (first,) = world.inbox()
    channels = {name: Counting(name) for name in ("webhook", "mail", "robot")}
    for channel in channels.values():
        channel.threads = 5
    wall = world.clock.wall_text()
    deliveries = fresh_deliveries([*channels], wall, wall)
    world.notifications.insert(
        [replace(first, id=f"n{n}", matter=f"test:{n}", kind="test", deliveries=deliveries) for n in range(60)]
    )
    notifier = Notifier(world)
    notifier.ledger._channels = channels  # a world has one receiver
    stop = Stop()
    one = Dispatcher(notifier.ledger, channels, stop, Hands(2, LONG_S))
    one.tick()
    until(lambda: all(len(channel.got) >= 60 for channel in channels.values()), "all delivered")
    stop.ask()
    one.close()
    assert stop.failure is None
    assert Counting.most == 2
