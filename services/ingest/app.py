"""Ingest put together: one process's worth, without the server around it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask

from luodi.runtime import configuration, http, logging
from luodi.runtime.clock import Clock, SystemClock
from luodi.runtime.configuration import Configuration
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from luodi.runtime.rates import RateLimit
from luodi.runtime.settings import Settings
from services.ingest import link_http
from services.ingest.http import add_routes
from services.ingest.limits import BURST, EVENTS_PER_S, LINK_BURST, LINK_REQUESTS_PER_S, Gate, Recent
from services.ingest.ports import EventLog
from services.ingest.posting import Posting
from services.ingest.publisher import KafkaLog
from services.ingest.shortcut import Shortcut
from services.ingest.stamp import REFUSE_S, Stamper

log = logging.get("ingest")


@dataclass(frozen=True, slots=True)
class Ingest:
    """The service of one process: a WSGI application and the log behind it. `app` is the part of it made by Flask."""

    wsgi: Shortcut
    app: Flask
    log: EventLog
    posting: Posting
    stamper: Stamper
    metrics: Metrics

    def start(self) -> None:
        """Begin to look for Kafka; until it is found, posts answer 503 and `/ready` says so."""
        self.log.start()

    def stop(self, bound_s: float) -> None:
        """Let what is underway be acknowledged, then close, within about `bound_s` seconds."""
        self.log.stop(bound_s)


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    event_log: EventLog | None = None,
    config: Configuration | None = None,
    metrics: Metrics | None = None,
    recent: Recent | None = None,
    rate: RateLimit | None = None,
    gate: Gate | None = None,
) -> Ingest:
    """Put the service together; nothing is opened or connected here. Raises InvalidSettingsError.

    The keyword arguments replace the parts that the settings would choose.
    """
    clock = clock or SystemClock(settings.clock_offset_s)
    config = config or configuration.load(settings)
    metrics = metrics or Metrics()
    event_log = event_log or KafkaLog(settings, observe_unacked=metrics.unacknowledged.set)
    stamper = Stamper(clock, observe=metrics.clock_skew.set, alarm=_alarm)
    posting = Posting(event_log, stamper, config.zones, settings.timezone, metrics, recent=recent)
    probes = Probes()
    probes.add("kafka", event_log.missing)
    probes.add("clock", stamper.missing)
    app = http.create_app("ingest", settings, clock, metrics, probes)
    rate, gate = rate or RateLimit(clock.monotonic, EVENTS_PER_S, BURST), gate or Gate()
    add_routes(app, posting, rate, gate)
    if settings.link_secret is not None:
        by_link = RateLimit(clock.monotonic, LINK_REQUESTS_PER_S, LINK_BURST)
        link_http.add_routes(app, posting, gate, by_link, settings.link_secret, clock, settings.timezone)
    wsgi = Shortcut(app, posting, rate, gate, settings, clock, metrics)
    return Ingest(wsgi, app, event_log, posting, stamper, metrics)


def _alarm(skew_s: float) -> None:
    log.warning("clock.skewed", skew_s=round(skew_s, 3), not_ready_from_s=REFUSE_S)
