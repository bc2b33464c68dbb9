"""What the tracker does beside the projector: the tail, roll-ups, renewed documents, the activation, the pulse."""

from __future__ import annotations

from collections.abc import Callable

from luodi.runtime import logging
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.tracker.renewal import Renewal
from services.tracker.rollups import Follower
from services.tracker.rulesets import Regime
from services.tracker.tail import Published, Tail

TURN_S = 0.5
REST_S = 1.0
PULSE_EVERY_S = 2.0
RECHECK_EVERY_S = 5.0
PULSE_FRESH_S = 10.0

log = logging.get("upkeep")


class Upkeep:
    """One thread calls `run`; `mongo_away` may be asked by others."""

    def __init__(
        self,
        tail: Tail,
        renewal: Renewal,
        rollups: Follower,
        regime: Regime,
        published: Published,
        ping: Callable[[], None],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._tail = tail
        self._renewal = renewal
        self._rollups = rollups
        self._regime = regime
        self._published = published
        self._ping = ping
        self._clock = clock
        self._metrics = metrics
        self._pulse_at: float | None = None
        self._next_pulse = 0.0
        self._next_recheck = 0.0
        self._renewing = False
        self._making_all = True

    def run(self, stop: Stop) -> None:
        """Go round until `stop` asks for the end. Raises FatalError when this process is the old deploy."""
        while not stop.asked:
            try:
                self.turn()
            except TransientError as exc:
                self._metrics.transient.labels("upkeep").inc()
                log.warning("upkeep.begun_again", error=str(exc))
                stop.wait(REST_S)
            else:
                if not self._published.owned:
                    stop.wait(TURN_S)

    def turn(self) -> None:
        """One round. Raises TransientError; nothing is lost then and the next round goes on."""
        now = self._clock.monotonic()
        if now >= self._next_pulse:
            self._next_pulse = now + PULSE_EVERY_S
            self._ping()
            self._pulse_at = self._clock.monotonic()
        if now >= self._next_recheck:
            self._next_recheck = now + RECHECK_EVERY_S
            self._regime.recheck()
            # An older deploy may have written new documents since the last look.
            self._renewing = not self._regime.is_held(self._clock.wall_text())
        if self._renewing:
            self._renewing = self._renewal.step(self._published.owned) > 0
        elif self._making_all:
            self._making_all = self._rollups.make_all()
        self._tail.turn(0.0 if self._renewing or self._making_all else TURN_S)

    def mongo_away(self) -> str | None:
        """None when MongoDB answered within the last seconds."""
        if self._pulse_at is None or self._clock.monotonic() - self._pulse_at > PULSE_FRESH_S:
            return "MongoDB does not answer"
        return None
