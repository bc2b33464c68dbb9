"""The tracker put together: one process, its loops, its queries, its state in memory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from flask import Flask
from pymongo.database import Database

from luodi.domain.calendar import Calendar
from luodi.domain.rules import Rules
from luodi.runtime import configuration, kafka, lifecycle, mongo
from luodi.runtime import http as web
from luodi.runtime.clock import Clock, SystemClock
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from luodi.runtime.mongo import translated
from luodi.runtime.probes import Probes
from luodi.runtime.settings import Settings
from services.tracker import (
    blockers_http,
    decisions_http,
    drives_http,
    enterprises_http,
    http,
    places_http,
    pool_http,
    procedures_http,
    registry_http,
    rulesets,
    taskforce_http,
    zones_http,
)
from services.tracker.ahead import Ahead
from services.tracker.blockers import Blockers
from services.tracker.days import Days
from services.tracker.decisions import Decisions
from services.tracker.drives import Drives
from services.tracker.enterprises import Enterprises
from services.tracker.filters import Condition
from services.tracker.folding import Folder
from services.tracker.history import Historian, MongoHistories
from services.tracker.journal import MongoJournal
from services.tracker.mirror import Mirror
from services.tracker.outbox import KafkaOutbox
from services.tracker.outlooks import Forecaster, MongoOutlooks
from services.tracker.past import Past, When
from services.tracker.places_http import Places
from services.tracker.pool import Pool
from services.tracker.ports import Document
from services.tracker.procedures import Procedures
from services.tracker.projector import Hands, Outboxes, Projector, Stores
from services.tracker.queries import Queries
from services.tracker.recall import Recall
from services.tracker.registry import Registry
from services.tracker.renewal import Renewal
from services.tracker.rollups import Follower, MongoRollUps
from services.tracker.rulesets import Content, MongoRulesets, Regime
from services.tracker.source import KafkaSource
from services.tracker.stores import MongoFuses, MongoPositions, MongoProjects
from services.tracker.subjects import MongoOthers, MongoSubjects
from services.tracker.tail import Behind, KafkaTailSource, Published, Tail
from services.tracker.taskforce import TaskForces
from services.tracker.upkeep import Upkeep
from services.tracker.views import Viewer
from services.tracker.visibility import WAITERS, Visibility
from services.tracker.zones_http import Desk

T = TypeVar("T")

HTTP_THREADS = WAITERS + 8  # the waiters of `after=` may fill their places and others are still answered
START_AGAIN_S = 0.5
CLOSE_S = 2.0
START_BOUND_S = 60.0  # Kafka or MongoDB may come up later than we do
PRODUCER = {"linger_ms": 25, "batch_size": 256 * 1024, "delivery_timeout_ms": 12_000, "max_block_ms": 5_000}


class Tracker:
    """The service. `app` answers queries as soon as the stores do; `start` begins the loops."""

    def __init__(
        self,
        settings: Settings,
        stop: Stop,
        app: Flask,
        loops: dict[str, Callable[[Stop], None]],
        published: Published,
    ) -> None:
        self.app = app
        self._published = published
        self._stop = stop
        self._loops = loops
        self._closing = contextlib.ExitStack()
        self._running: list[Thread] = []
        self._server = web.Server(app, settings.tracker_listen, HTTP_THREADS)

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""
        return self._server.address.url

    @property
    def owned(self) -> frozenset[int]:
        """The partitions this process looks after."""
        return self._published.owned

    def start(self) -> None:
        """Listen, then begin the loops, each in a thread whose failure ends the process."""
        self._server.start()
        self._running = [
            lifecycle.spawn(name, partial(loop, self._stop), self._stop) for name, loop in self._loops.items()
        ]

    def stop(self, bound_s: float) -> None:
        """End the turn that runs, close the clients, stop listening."""
        deadline = time.monotonic() + bound_s
        self._stop.ask()
        for thread in self._running:
            thread.join(max(0.1, deadline - time.monotonic() - 2))
        self._server.stop(max(0.1, min(2.0, deadline - time.monotonic())))
        self._closing.close()

    def closes(self, opened: contextlib.ExitStack) -> None:
        """Hand over what `stop` closes in the end."""
        self._closing = opened


def build(settings: Settings, stop: Stop, **overrides: Any) -> Tracker:
    """Put the tracker together. Connects to both servers; raises TransientError when one stays away, FatalError when
    this is an old deploy.

    Overrides (for tests): `clock`, `metrics`, `database`, `topic`, `max_poll_records`, and `through(name, port)`, which
    gives back what shall stand in the place of each of the projector's ports.
    """
    with contextlib.ExitStack() as opened:
        tracker = _build(settings, stop, overrides, opened)
        tracker.closes(opened.pop_all())
        return tracker


def _build(settings: Settings, stop: Stop, overrides: dict[str, Any], opened: contextlib.ExitStack) -> Tracker:
    clock: Clock = overrides.get("clock") or SystemClock(settings.clock_offset_s)
    metrics: Metrics = overrides.get("metrics") or Metrics()
    config = configuration.load(settings)
    topic: TopicInfo = overrides.get("topic") or _patiently(stop, lambda: kafka.ensure_topics(settings))
    # Retried by the driver a guarded bulk costs the server much more, and the loop repeats what failed anyway.
    database: Database[Document] = overrides.get("database") or mongo.connect(settings, retryWrites=False)
    opened.callback(database.client.close)
    ahead = Ahead(database)
    journal, projects, others = MongoJournal(database, ahead=ahead), MongoProjects(database), MongoOthers(database)
    projected = MongoSubjects(MongoProjects(database, ahead=ahead), MongoOthers(database, ahead=ahead))
    documents = MongoSubjects(projects, others)
    positions, fuses = MongoPositions(database, topic.tag), MongoFuses(database, topic.tag)
    rollups, outlooks = MongoRollUps(database), MongoOutlooks(database)
    histories = MongoHistories(database, topic.tag)
    enterprises = Enterprises(database)
    content, activations = Content.of(config.rules, config.calendar), MongoRulesets(database)

    def prepare() -> int:
        journal.ensure_indexes()
        projects.ensure_indexes()
        others.ensure_indexes()
        rollups.ensure_indexes()
        outlooks.ensure_indexes()
        enterprises.ensure_indexes()
        histories.ensure_indexes()
        today = config.calendar.business_date(clock.now_text())
        return rulesets.at_start(activations, content, clock.wall_text(), today)

    number = _patiently(stop, prepare)

    def reload() -> tuple[Rules, Calendar]:
        read = configuration.load(settings)
        return read.rules, read.calendar

    regime = Regime(activations, Folder(config.rules, config.calendar, number), reload)
    producers = kafka.Producers(settings, **PRODUCER)
    opened.callback(producers.close, CLOSE_S)

    published, visibility = Published(), Visibility(positions)
    hands = Hands(ThreadPoolExecutor(1, "scribe"), ThreadPoolExecutor(1, "hand"), ThreadPoolExecutor(1, "keeper"))
    for executor in (hands.scribe, hands.hand, hands.keeper):
        opened.callback(executor.shutdown, wait=False, cancel_futures=True)
    through = overrides.get("through") or (lambda _, port: port)
    source = KafkaSource(settings, **_given(overrides, "max_poll_records"))
    opened.callback(_courteously, source.close)
    projector = Projector(
        through("source", source),
        Outboxes(
            through("outbox", KafkaOutbox(settings, producers)),
            through("outbox", KafkaOutbox(settings, producers)),
        ),
        Stores(
            through("journal", journal),
            through("projects", projected),
            through("positions", positions),
            through("fuses", fuses),
            ahead,
        ),
        regime,
        published,
        visibility,
        hands,
        clock,
        metrics,
        settings.timezone,
    )
    tail_source = KafkaTailSource(settings)
    opened.callback(_courteously, tail_source.close)
    follower = Follower(rollups, projects, metrics)
    historian = Historian(histories, journal, regime, clock, metrics)
    behind: list[Behind] = [follower, historian]
    tail = Tail(tail_source, documents, KafkaOutbox(settings, producers), published, clock, metrics, behind)
    renewal = Renewal(regime, journal, documents, KafkaOutbox(settings, producers), metrics)

    def ping() -> None:
        with translated():
            database.command("ping")

    upkeep = Upkeep(tail, renewal, follower, regime, published, ping, clock, metrics)

    probes = Probes()
    probes.add("events", projector.not_ready)
    probes.add("rejects", projector.standing_still)
    probes.add("mongodb", upkeep.mongo_away)
    app = web.create_app("tracker", settings, clock, metrics, probes)
    queries = Queries(database)
    past = Past(journal, lambda: regime.folder)
    mirror = Mirror(histories, topic.partitions, metrics)
    recall = Recall(mirror, past, lambda: regime.folder.calendar)
    forces = TaskForces(database, lambda: regime.folder)
    http.add_routes(app, queries, forces, past, recall, visibility, topic, clock, lambda: regime.folder.calendar)

    def viewer() -> Viewer:
        return Viewer.at(clock.now_text(), web.language(), regime.folder.calendar)

    def held(conditions: Sequence[Condition]) -> list[Condition]:
        return forces.holders.resolved(conditions, viewer().today.isoformat())

    visible = partial(http.await_position, visibility, topic)
    procedures_http.add_routes(app, Procedures(database), visible, viewer)
    desk = Desk.of(database, queries, journal, recall, lambda: regime.folder, held)
    zones_http.add_routes(app, desk, visible, clock)
    days = Days(mirror.columns, forces.holders, lambda: regime.folder.calendar)
    taskforce_http.add_routes(app, forces, days, visible, partial(recall.settled, When(), None), viewer)

    registry = Registry(database)
    registry_http.add_routes(app, registry, visible, lambda: regime.folder.calendar.business_date(clock.now_text()))
    pool_http.add_routes(app, Pool(database), visible, held)
    blockers_http.add_routes(app, Blockers(database, lambda: regime.folder.rules), visible, viewer, held)
    drives_http.add_routes(app, Drives(database, registry, recall), visible, viewer)
    decisions_http.add_routes(app, Decisions(database), visible, viewer, held)
    places_http.add_routes(app, Places.of(database), visible, lambda: viewer().today, held)
    enterprises_http.add_routes(
        app,
        enterprises,
        queries,
        visible,
        clock,
        lambda: regime.folder.calendar,
        settings.link_secret,
    )

    forecaster = Forecaster(outlooks, positions, topic.partitions, config.calendar, clock, metrics)
    loops: dict[str, Callable[[Stop], None]] = {
        "projector": projector.run,
        "upkeep": upkeep.run,
        "forecaster": forecaster.run,
        "history": historian.run,
        "mirror": mirror.run,
    }
    return Tracker(settings, stop, app, loops, published)


def _courteously(close: Callable[[], None]) -> None:
    """Leaving in order is a courtesy to the broker, not a duty."""
    with contextlib.suppress(TransientError, FatalError):
        close()


def _patiently(stop: Stop, attempt: Callable[[], T]) -> T:
    """Try until it succeeds, the end is asked for, or the time is up."""
    deadline = time.monotonic() + START_BOUND_S
    while True:
        try:
            return attempt()
        except TransientError:
            if time.monotonic() > deadline or stop.wait(START_AGAIN_S):
                raise


def _given(overrides: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: overrides[name] for name in names if name in overrides}
