"""Notify as one process: a reader of states, a sweep, deliveries, and the HTTP side, built from settings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from apscheduler.executors.pool import ThreadPoolExecutor as JobThreads
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask, Response, request
from pymongo.database import Database
from pymongo.errors import PyMongoError

from luodi.runtime import configuration, http, kafka, logging, mongo
from luodi.runtime.clock import Clock, SystemClock
from luodi.runtime.errors import TransientError
from luodi.runtime.http import Server
from luodi.runtime.lifecycle import Stop, spawn
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from luodi.runtime.settings import Address, Settings
from services.notify import contact_store, directory_store, silence_store
from services.notify import streams as live
from services.notify.acts import Acts
from services.notify.alarms import Endpoint
from services.notify.beats import Pulse
from services.notify.channels import Channel
from services.notify.channels.addressed import AddressedChannel, Sender
from services.notify.channels.apprise import Apprise
from services.notify.channels.dingtalk import DingTalk
from services.notify.channels.email import Email
from services.notify.channels.feishu import Feishu
from services.notify.channels.inbox import NAME as INBOX
from services.notify.channels.log import LogChannel
from services.notify.channels.webhook import ContactWebhook, WebhookChannel
from services.notify.channels.wecom import WeCom
from services.notify.composing import Composer, OwnChannels
from services.notify.contact_routes import contact_routes
from services.notify.contact_store import MongoContacts, MongoPaces
from services.notify.contacts import Contacts, ContactStore, endpoint_of, zone_of
from services.notify.digest_routes import digest_routes
from services.notify.digest_store import MongoDigests
from services.notify.digesting import Digesting, Topic
from services.notify.directory import ActingWatches, Directory
from services.notify.directory_store import MongoDirectory
from services.notify.dispatching import Dispatcher
from services.notify.eventlog import KafkaEvents
from services.notify.guard import Allowed, Guard
from services.notify.hours import Hours, HoursOf, wait_s
from services.notify.http import routes
from services.notify.ledger import Ledger
from services.notify.looking import Looks
from services.notify.matters import NO_PARTITION
from services.notify.notifications import Notification
from services.notify.reach import Failing, Reach
from services.notify.recording import Recording
from services.notify.resending import Resending
from services.notify.selfwatch import SelfWatch
from services.notify.selfwatch_routes import selfwatch_routes
from services.notify.selfwatch_store import MongoBeats, MongoReach
from services.notify.shaping import Lanes
from services.notify.silence_routes import silence_routes
from services.notify.silence_store import MongoSilences
from services.notify.silences import Silences
from services.notify.source import KafkaSource
from services.notify.stores import Stores, ensure_indexes
from services.notify.streams import MongoFeed, Streams
from services.notify.sweep import Sweep
from services.notify.telling import Teller
from services.notify.turns import Turns
from services.notify.unit_store import MongoUnits
from services.notify.units import SilentUnits, known_until
from services.notify.watching import Source, Watching
from services.notify.weekly import Weekly

SWEEP_S = 1.0
DELIVERY_S = 1.0
RECORDING_S = 5.0  # of acts that another notifier took and could not record; its own it records at once
FIRST_OF_REFUSALS = 400
DIGESTS_S = 1.0
GAUGES_S = 5.0
SELFWATCH_S = 5.0
HTTP_THREADS = live.MAX_STREAMS + 8  # streams hold their threads: eight are always left for everyone else
CONNECT_RETRY_S = 1.0
EVENTS_CLOSE_S = 2.0
PROBE_MS = 1_000
LATE_SWEEP_S = 30.0

log = logging.get("notify")


class Service:
    """The running notify. `app` answers HTTP; the address is known after `start`."""

    def __init__(
        self,
        *,
        listen: Address,
        stop: Stop,
        app: Flask,
        database: Database[mongo.Document],
        watching: Watching,
        sweep: Sweep,
        recording: Recording,
        dispatcher: Dispatcher,
        digesting: Digesting | None,
        gauges: Callable[[], None],
        selfwatch: SelfWatch,
        units: SilentUnits,
        pulse: Pulse,
        metrics: Metrics,
        connect: Callable[[], Source],
        release: Callable[[], None],
    ) -> None:
        self.app = app
        self.watching = watching
        self._stop = stop
        self._database = database
        self.sweep = sweep
        self._records = Turns(self._guarded("record", recording.run), stop)
        app.after_request(self._acted)
        self._dispatcher = dispatcher
        self._sweeps = Turns(self._guarded("sweep", self._swept), stop)
        self._deliveries = Turns(self._guarded("deliver", dispatcher.tick), stop)
        watching.opened = self._sweeps.nudge
        # A morning with many people takes longer than a second: jobs beside it would be skipped, each with a warning.
        self._digests = Turns(self._guarded("digests", digesting.run), stop) if digesting is not None else None
        self._gauges = gauges
        self.selfwatch = selfwatch
        self._units = units
        self._pulse = pulse
        self._metrics = metrics
        self._connect = connect
        self._release = release
        self._server = Server(app, listen, HTTP_THREADS)
        self._threads: list[threading.Thread] = []
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": JobThreads(5)},
            # A job that was late runs once, as soon as it can, never beside itself.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._server.address

    def start(self) -> None:
        """Listen at once; read, sweep and deliver as soon as MongoDB and Kafka are there."""
        self._server.start()
        self._threads.append(spawn("work", self._work, self._stop))

    def stop(self, bound_s: float) -> None:
        """End the streams and the loops, finish the attempts under way, stop listening."""
        self._stop.ask()
        self._sweeps.nudge()
        self._deliveries.nudge()
        self._records.nudge()
        if self._digests is not None:
            self._digests.nudge()
        for thread in self._threads:
            thread.join(bound_s / 2)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self._dispatcher.close()
        self._release()
        self._server.stop(bound_s / 4)
        self._database.client.close()

    def _work(self) -> None:
        while not self._stop.asked:
            try:
                ensure_indexes(self._database)
                contact_store.ensure_indexes(self._database)
                directory_store.ensure_indexes(self._database)
                silence_store.ensure_indexes(self._database)
                break
            except TransientError as exc:
                log.warning("watching.deferred", error=str(exc), failures=0)
                self._stop.wait(CONNECT_RETRY_S)
        if self._stop.asked:
            return
        loops = [
            ("sweep", self._sweeps, SWEEP_S),
            ("deliver", self._deliveries, DELIVERY_S),
            ("record", self._records, RECORDING_S),
        ]
        if self._digests is not None:
            loops.append(("digests", self._digests, DIGESTS_S))
        for name, turns, seconds in loops:
            self._threads.append(spawn(name, turns.run, self._stop))
            self._scheduler.add_job(turns.due, "interval", args=(seconds,), seconds=seconds, id=name)
        self._scheduler.add_job(self._guarded("gauges", self._gauges), "interval", seconds=GAUGES_S, id="gauges")
        self._scheduler.start()
        # Not a job of the scheduler, nor in a thread of any: it must run when they all hang.
        self._threads.append(spawn("selfwatch", self._watch_ourselves, self._stop))
        self.watching.run(self._connect)

    def _swept(self) -> None:
        if self.sweep.run().written:
            self._deliveries.nudge()

    def _acted(self, answer: Response) -> Response:
        """Whoever signs or silences finds it in the project's timeline at once."""
        if request.method != "GET" and answer.status_code < FIRST_OF_REFUSALS:
            self._records.nudge()
        return answer

    def _watch_ourselves(self) -> None:
        look = self._guarded("selfwatch", self.selfwatch.run)
        look_at_units = self._guarded("units", self._units.run)
        while not self._stop.wait(SELFWATCH_S):
            look()
            look_at_units()

    def _guarded(self, name: str, job: Callable[[], object]) -> Callable[[], None]:
        """An exception out of a job would only become an event that nobody hears."""

        def run() -> None:
            if self._stop.asked:
                return
            try:
                job()
                self._pulse.beat(name)
            except TransientError as exc:
                self._metrics.transient.labels(name).inc()
                log.warning("job.deferred", job=name, error=str(exc))
            except Exception as exc:  # noqa: BLE001  # the boundary of a job: the process ends, it does not limp
                self._stop.fail(exc)

        return run


def build(
    settings: Settings,
    stop: Stop,
    *,
    clock: Clock | None = None,
    metrics: Metrics | None = None,
    database: Database[mongo.Document] | None = None,
    channels: Sequence[Channel] | None = None,
    connect: Callable[[], Source] | None = None,
) -> Service:
    """Build notify; nothing is opened or connected yet. The keyword arguments are the seams of the tests.

    Raises InvalidSettingsError.
    """
    clock = clock or SystemClock(settings.clock_offset_s)
    metrics = metrics or Metrics()
    database = database if database is not None else mongo.connect(settings)
    config = configuration.load(settings)
    stores = Stores.on(database)
    ways = {channel.name: channel for channel in (channels if channels is not None else _channels(settings, clock))}
    guard = Guard(Allowed.of(settings.webhook_allow))
    long_tail = Apprise(settings.webhook_allow, clock)
    senders = {sender.channel: sender for sender in _senders(settings, guard, clock, long_tail)}
    reached = MongoContacts(database)
    lanes, paces = Lanes(clock.monotonic), MongoPaces(database)
    entries = MongoDirectory(database)
    directory = Directory(entries)
    always = settings.working_hours is None
    hours = HoursOf(Hours() if settings.working_hours is None else Hours(*settings.working_hours), directory)

    def quiet(row: Notification) -> float:
        if always or row.urgent:
            return 0.0
        own = hours.of([row.recipient])[row.recipient]
        return wait_s(clock.now_text(), own, config.calendar_of(zone_of(row.recipient)))

    addressed = {s.name: AddressedChannel(s, reached, lanes, paces, quiet) for s in senders.values()}
    contacts = Contacts(reached, stores.endpoints, senders, config.zones, clock)

    def today() -> date:
        return config.calendar.business_date(clock.now_text())

    watching = Watching(stores.watches, entries, clock, metrics, stop)
    teller = Teller(config.zones, config.calendar, config.rules)
    acting = ActingWatches(stores.watches, directory, today, teller.head_of)
    own = _own_channels(stores, reached, senders)
    digested = () if always else tuple(addressed)
    composer = Composer(config.zones, config.calendar, settings.public_url, digested, hours.usual)
    sweep = Sweep(
        watches=acting,
        matters=stores.matters,
        notifications=stores.notifications,
        gate=lambda: watching.gate,
        given_up=_given_up(stores, ways, reached),
        channels=_names_in_use(stores, ways),
        own=own,
        teller=teller,
        composer=composer,
        clock=clock,
        settle_s=settings.settle_s,
        metrics=metrics,
    )
    events = KafkaEvents(settings)

    def release() -> None:
        long_tail.close()
        events.close(EVENTS_CLOSE_S)

    silences = MongoSilences(database)
    heard = Reach()
    ledger = Ledger(
        notifications=stores.notifications,
        matters=stores.matters,
        watches=stores.watches,
        silences=silences,
        endpoints=stores.endpoints,
        channels=ways,
        addressed=addressed,
        owned=lambda: watching.gate.partitions,
        clock=clock,
        metrics=metrics,
        heard=heard.heard,
    )
    partitions = _Partitions()

    def topic() -> Topic | None:
        return Topic(partitions.count, sweep.passed) if partitions.count else None

    weekly = Weekly(stores.watches, directory, composer)
    digesting = Digesting(
        notifications=stores.notifications,
        digests=MongoDigests(database),
        matters=stores.matters,
        contacts=reached,
        own=own,
        addressed=addressed,
        looks=Looks(stores.notifications, stores.endpoints, stores.matters, acting, silences),
        composer=composer,
        weekly=weekly,
        topic=topic,
        hours=hours,
        head_of=teller.head_of,
        clock=clock,
        metrics=metrics,
        stopped=lambda: stop.asked,
    )
    pulse = Pulse(clock, ("sweep", "deliver", "record", *(() if always else ("digests",))))
    pulse.moves("sweep", sweep.idle_s)
    beats, reach = MongoBeats(database), MongoReach(database)
    selfwatch = SelfWatch(
        slot=settings.slot,
        pulse=pulse,
        beats=beats,
        heard=heard,
        reached=reach,
        in_use=_in_use(stores, ways, reached),
        matters=stores.matters,
        finish=lambda: sweep.finish([NO_PARTITION]),
        passed=lambda: {p: sweep.passed.get(p, "") for p in watching.gate.partitions},
        clock=clock,
        metrics=metrics,
    )
    units = SilentUnits(
        days=settings.silent_unit_days,
        units=MongoUnits(database),
        matters=stores.matters,
        known=lambda: known_until(beats.read(), partitions.count),
        acting=lambda ids: directory.acting(ids, today().isoformat()),
        calendar=config.calendar,
        finish=lambda: sweep.finish([NO_PARTITION]),
        clock=clock,
    )
    probes = Probes()
    probes.add("mongodb", lambda: _mongodb_missing(database))
    probes.add("states", watching.missing)
    probes.add("sweep", lambda: sweep.missing(LATE_SWEEP_S))
    probes.add("jobs", pulse.missing)
    app = http.create_app("notify", settings, clock, metrics, probes)
    feeds = Streams(lambda after, recipient: MongoFeed(database, after, recipient), stop, metrics, clock.monotonic)

    resending = Resending(stores.notifications, clock)
    acts = Acts(stores.matters, acting, teller, clock)
    routes(app, stores, feeds, acts, today, lambda person: directory.acts_for(person, today().isoformat()), resending)
    silence_routes(
        app,
        Silences(silences, stores.matters, acting, teller, clock),
        silences,
        now=clock.now_text,
    )
    contact_routes(app, contacts, stores.endpoints)
    digest_routes(app, digesting, weekly, clock, always=always)
    selfwatch_routes(app, stores.matters, beats, reach, composer, clock, today)

    def gauges() -> None:
        metrics.watches.set(stores.watches.count())
        metrics.open_matters.set(stores.matters.count_open())

    return Service(
        listen=settings.notify_listen,
        stop=stop,
        app=app,
        database=database,
        watching=watching,
        sweep=sweep,
        recording=Recording([stores.matters, silences], events, lambda: watching.gate.partitions),
        dispatcher=Dispatcher(ledger, {**ways, **addressed}, stop),
        digesting=None if always else digesting,
        gauges=gauges,
        selfwatch=selfwatch,
        units=units,
        pulse=pulse,
        metrics=metrics,
        connect=connect or (lambda: _connect(settings, partitions)),
        release=release,
    )


@dataclass(slots=True)
class _Partitions:
    """How many partitions the topics have; 0 until that is known."""

    count: int = 0


def _connect(settings: Settings, partitions: _Partitions) -> Source:
    partitions.count = kafka.ensure_topics(settings).partitions
    return KafkaSource(settings)


def _channels(settings: Settings, clock: Clock) -> list[Channel]:
    found: list[Channel] = [LogChannel()]
    if settings.webhook_url and settings.webhook_secret:
        found.append(WebhookChannel(settings.webhook_url, settings.webhook_secret, clock))
    return found


def _names_in_use(stores: Stores, channels: Mapping[str, Channel]) -> Callable[[], list[str]]:
    def names() -> list[str]:
        usable = (c for c in channels.values() if c.endpoint is None or not stores.endpoints.is_disabled(c.endpoint))
        return [INBOX, *(channel.name for channel in usable)]

    return names


def _senders(settings: Settings, guard: Guard, clock: Clock, long_tail: Sender) -> list[Sender]:
    return [
        WeCom(guard, clock),
        DingTalk(guard, clock),
        Feishu(guard, clock),
        Email(settings.smtp, clock),
        ContactWebhook(guard, clock),
        long_tail,
    ]


def _own_channels(
    stores: Stores, contacts: ContactStore, senders: Mapping[str, Sender]
) -> Callable[[Collection[str]], OwnChannels]:
    """The channels on which each recipient can be reached now: those that were given up are left out."""

    def own(recipients: Collection[str]) -> OwnChannels:
        found = contacts.get_many(recipients)
        ways = [way for contact in found.values() for way in contact.ways]
        if not ways:
            return {}
        gone = stores.endpoints.disabled([endpoint_of(way) for way in ways])
        return {
            who: [senders[way.channel].name for way in contact.ways if endpoint_of(way) not in gone]
            for who, contact in found.items()
        }

    return own


def _given_up(
    stores: Stores, channels: Mapping[str, Channel], contacts: ContactStore
) -> Callable[[], Sequence[Endpoint]]:
    def given_up() -> list[Endpoint]:
        found = [
            Endpoint(channel.endpoint, channel.shown)
            for channel in channels.values()
            if channel.endpoint is not None and stores.endpoints.is_disabled(channel.endpoint)
        ]
        gone = stores.endpoints.of_recipients()
        # An address that was replaced or erased while its last message was under way is nobody's any more.
        for contact in contacts.get_many({recipient for recipient, _ in gone.values()}).values():
            for way in contact.ways:
                endpoint = endpoint_of(way)
                if endpoint in gone:
                    found.append(Endpoint(endpoint, way.channel, contact.recipient, gone[endpoint][1]))
        return found

    return given_up


def _in_use(
    stores: Stores, channels: Mapping[str, Channel], contacts: ContactStore
) -> Callable[[Sequence[Failing]], Collection[str]]:
    """Which addresses that fail are used still: one that was written anew, erased or given up is not."""

    def used(rows: Sequence[Failing]) -> set[str]:
        found = contacts.get_many({row.recipient for row in rows if row.recipient is not None})
        theirs = {endpoint_of(way) for contact in found.values() for way in contact.ways}
        ours = {channel.endpoint for channel in channels.values() if channel.endpoint is not None}
        return (theirs | ours) - stores.endpoints.disabled([row.endpoint for row in rows])

    return used


def _mongodb_missing(database: Database[mongo.Document]) -> str | None:
    try:
        database.command("ping", maxTimeMS=PROBE_MS)
    except PyMongoError as exc:
        return f"MongoDB does not answer: {exc}"
    return None
