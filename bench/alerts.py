"""`python -m bench.alerts`: how many alerts notify takes in hand a second, how soon one is sent, what idling costs.

Three questions, on a real Kafka and a real MongoDB of the command's own:

- `queue`: messages that are due are looked at again (does it still hold, whose turn is it), taken with a lease, counted
  as attempted, handed to their sender and marked. The baseline claims them one by one with `find_one_and_update`, looks
  at nothing and marks nothing. Both take turns.
- `first`: milliseconds from the moment that the watermark which opens the gate is readable in Kafka until the message
  stands at a webhook receiver, notify being a process of its own.
- `idle`: the share of a core that notify takes while nothing happens, without a deadline and with a million of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from logging import ERROR
from pathlib import Path
from statistics import median
from typing import Any

from kafka import KafkaProducer
from pymongo import ASCENDING, MongoClient
from pymongo.database import Database

from bench.figures import percentile
from bench.machine import Meter, cpu_seconds_of, describe
from luodi.domain.days import BEGINNING, END_OF_TIME, instant
from luodi.local.harness import Servers, servers
from luodi.local.net import free_address
from luodi.runtime import kafka, logging, mongo
from luodi.runtime import settings as settings_module
from luodi.runtime.clock import SystemClock
from luodi.runtime.lifecycle import Stop, collect_seldom
from luodi.runtime.metrics import Metrics
from luodi.runtime.settings import Settings
from schemas import states
from services.notify import silence_store
from services.notify.__main__ import SWITCH_S
from services.notify.app import DELIVERY_S
from services.notify.channels import Outcome, Unshaped
from services.notify.dispatching import Dispatcher
from services.notify.documents import watch_document
from services.notify.ledger import Ledger
from services.notify.matters import Opening, opened
from services.notify.notifications import Notification
from services.notify.silence_store import MongoSilences
from services.notify.stores import Stores, ensure_indexes
from services.notify.trial import trial
from services.notify.watches import gap_matter, watch_of

QUEUE_BOUND = 5_000.0  # alerts a second
FIRST_P50_MS, FIRST_P99_MS = 100.0, 500.0
IDLE_BOUND = 1.0  # percent of a core
GAP = ("signed", "started")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the example of the specification
WRITE_BATCH = 5_000
SETTLE_S = 0.5
WATERMARK_S = 1.0
READY_S = 60.0
SEED = 20261123

Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    value: str
    wanted: str
    kept: bool | None


def state(project_id: str, red_from: str, events: int = 1) -> Json:
    """A record of `project-states`: one open gap that is red from an instant on."""
    green = {"light": "green", "from": BEGINNING, "to": red_from, "reason": {"code": "in-time"}}
    reason: Json = {"code": "overdue", "route": "land", "gap": list(GAP), "due": "2026-03-05", "start": "2025-12-01"}
    reason |= {"limit": 60, "unit": "working_days"}
    red = {"light": "red", "from": red_from, "to": END_OF_TIME, "reason": reason}
    clock = {"gap": list(GAP), "rule": "zone-default", "kind": "gap", "due": "2026-03-05", "lights": [green, red]}
    return {
        "_id": project_id, "id": project_id, "events": events, "ruleset": 1, "registered": True, "name": "示例精密部件",
        "zone": "bench", "route": "land", "status": "active", "stage": "signed", "reached": {"signed": "2025-12-01"},
        "lights": [], "clocks": [clock], "blockers": [], "withdrawn": None, "officer": f"u-{project_id}",
        "updated_at": BEGINNING,
    }  # fmt: skip


# -- queue


class Desk(Unshaped):
    """A channel whose sender only has to be handed the message."""

    name = "desk"
    threads = 2
    batch = 250
    endpoint = None
    shown = "desk"

    def __init__(self, count: int) -> None:
        self.queue: list[str] = []
        self.all_queued = threading.Event()
        self._count = count

    def send(self, row: Notification) -> Outcome:
        """Queue it."""
        self.queue.append(row.id)
        if len(self.queue) >= self._count:
            self.all_queued.set()
        return Outcome("sent")


def fill(stores: Stores, count: int, clock: SystemClock) -> None:
    """So many projects overdue, each with its open matter and a message that is due."""
    pattern = trial("u", [Desk.name], clock, "bench")
    for begin in range(0, count, WRITE_BATCH):
        watches, matters, rows = [], [], []
        for number in range(begin, min(begin + WRITE_BATCH, count)):
            project = f"p{number:07}"
            watch = watch_of(state(project, BEGINNING), None, clock.now_text(), 0, None)
            matter = opened(None, _opening(project), clock.now_text()).completed()
            watches.append(watch)
            matters.append((None, matter))
            rows.append(
                replace(pattern, id=f"{matter.id}:1.1:stalled:0:u", matter=matter.id, kind="stalled", partition=0)
            )
        stores.watches.put(watches)
        stores.matters.compare_and_set(matters)
        stores.notifications.insert(rows)


def _opening(project: str) -> Opening:
    return Opening(
        id=gap_matter(project, GAP),
        kind="gap",
        partition=0,
        project_id=project,
        zone="bench",
        recipients=("u",),
        people=("u",),
        facts={"name": "示例精密部件", "route": "land", "gap": list(GAP), "rule": "zone-default", "due": "2026-03-05"},
    )


def queued(database: Database[Json], count: int) -> tuple[float, float]:
    """The product: messages a second, and processor microseconds of notify for each."""
    clock, stop, desk = SystemClock(), Stop(), Desk(count)
    ensure_indexes(database)
    silence_store.ensure_indexes(database)
    collect_seldom()  # this and the next as the service does
    sys.setswitchinterval(SWITCH_S)
    stores = Stores.on(database)
    fill(stores, count, clock)
    ledger = Ledger(
        notifications=stores.notifications,
        matters=stores.matters,
        watches=stores.watches,
        silences=MongoSilences(database),
        endpoints=stores.endpoints,
        channels={desk.name: desk},
        clock=clock,
        metrics=Metrics(),
        owned=lambda: [0],
    )
    dispatcher = Dispatcher(ledger, {desk.name: desk}, stop)
    began, spent = time.perf_counter(), time.process_time()
    while len(desk.queue) < count and not stop.asked:
        dispatcher.tick()
        desk.all_queued.wait(DELIVERY_S)  # as often as the service looks whether anything is due
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    stop.ask()
    dispatcher.close()
    if stop.failure is not None or len(set(desk.queue)) != count or len(desk.queue) != count:
        raise AssertionError(f"{len(desk.queue)} of {count} were queued") from stop.failure
    return count / seconds, spent / count * 1e6


def claimed(database: Database[Json], count: int) -> tuple[float, float]:
    """The baseline: claims a second, one by one."""
    rows = database["textbook"]
    rows.create_index([("status", ASCENDING), ("due_at", ASCENDING)])
    now, later = instant(datetime.now(UTC)), instant(datetime.now(UTC) + timedelta(seconds=30))
    text = {"title": "超期未动工", "text": "x" * 400}
    rows.insert_many([{"_id": f"n{n}", "status": "queued", "due_at": now, **text} for n in range(count)])
    queue: list[str] = []
    began, spent = time.perf_counter(), time.process_time()
    while row := rows.find_one_and_update(
        {"status": "queued", "due_at": {"$lte": now}},
        {"$set": {"status": "sending", "due_at": later}, "$inc": {"attempts": 1}},
        sort=[("due_at", ASCENDING)],
    ):
        queue.append(row["_id"])
    return count / (time.perf_counter() - began), (time.process_time() - spent) / count * 1e6


def measure_queue(pair: Servers, rows: int, rounds: int) -> list[Row]:
    """Both sides in turns."""
    rates, costs, ratios = [], [], []
    for turn in range(rounds):
        with _database(pair, f"bench_queue_{turn}") as database:
            baseline, its_cost = claimed(database, max(rows // 10, 500))
            rate, cost = queued(database, rows)
        print(
            f"  queue round {turn + 1}: {rate:,.0f}/s ({cost:.0f} µs), one by one {baseline:,.0f}/s ({its_cost:.0f} µs)"
        )
        rates.append(rate)
        costs.append(cost)
        ratios.append(rate / baseline)
    rate = median(rates)
    return [
        Row("queue: alerts a second", f"{rate:,.0f}", f"≥ {QUEUE_BOUND:,.0f}", rate >= QUEUE_BOUND),
        Row("queue: processor µs each", f"{median(costs):.0f}", "", None),
        Row("queue: times the baseline", f"{median(ratios):.1f}", "", None),
    ]


@contextmanager
def _database(pair: Servers, name: str) -> Iterator[Database[Json]]:
    servers_of = {"MONGODB_URI": pair.mongodb_uri, "KAFKA_BOOTSTRAP_SERVERS": pair.bootstrap}
    settings = settings_module.read({**servers_of, "LUODI_DATABASE": name, "LUODI_MODE": "local"})
    database = mongo.connect(settings)
    try:
        yield database
    finally:
        database.client.drop_database(name)
        database.client.close()


# -- notify as a process


class Surroundings:
    """Topics, a database and a receiver of notify's own, and a hand that plays the tracker."""

    def __init__(self, pair: Servers, home: Path, name: str) -> None:
        self.arrived: dict[str, float] = {}
        self._receiver = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._receiver.daemon_threads = True
        threading.Thread(target=self._receiver.serve_forever, daemon=True).start()
        self.port = free_address().port
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith(("LUODI_", "KAFKA_"))} | {
            "LUODI_HOME": str(home / name),
            "LUODI_MODE": "local",
            "KAFKA_BOOTSTRAP_SERVERS": pair.bootstrap,
            "MONGODB_URI": pair.mongodb_uri,
            "LUODI_DATABASE": name,
            "LUODI_TOPIC_PREFIX": f"{name}-",
            "LUODI_GROUP_PREFIX": f"{name}-",
            "LUODI_SETTLE_S": str(SETTLE_S),
            "LUODI_WEBHOOK_URL": f"http://127.0.0.1:{self._receiver.server_address[1]}/",
            "LUODI_WEBHOOK_SECRET": SECRET,
            "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{self.port}",
        }
        self.settings: Settings = settings_module.read(self.environ)
        self.topic = kafka.ensure_topics(self.settings)
        self.producer: KafkaProducer = kafka.producer(self.settings)
        self._log = home / f"{name}.log"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                at = time.perf_counter()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                arrived.setdefault(body["data"]["project_id"], at)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    @contextmanager
    def notify(self) -> Iterator[int]:
        """`python -m services.notify`, ready; its process id."""
        with self._log.open("wb") as stream:
            child = subprocess.Popen([sys.executable, "-m", "services.notify"], env=self.environ, stderr=stream)
        try:
            deadline = time.monotonic() + READY_S
            while not self._ready():
                if child.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"notify is not ready: {self._log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield child.pid
        finally:
            child.terminate()
            child.wait(30)

    def _ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def publish(self, key: bytes, value: bytes, partition: int, headers: Any = None) -> None:
        """A record, readable when this returns."""
        topic = self.settings.topics.states
        self.producer.send(topic, key=key, value=value, partition=partition, headers=headers or []).get(timeout=10)

    def state(self, project_id: str, red_from: str) -> int:
        """A project's state; its partition."""
        partition = kafka.partition_for(project_id, self.topic.partitions)
        document = state(project_id, red_from)
        self.publish(project_id.encode(), states.encode_state(document), partition, states.guard_headers(document))
        return partition

    def watermark(self, partition: int) -> None:
        """All until now is known."""
        self.publish(states.WATERMARK_KEY, states.encode_watermark(instant(datetime.now(UTC))), partition)

    def close(self) -> None:
        self.producer.close(timeout=5)
        self._receiver.shutdown()
        self._receiver.server_close()


def measure_first(pair: Servers, home: Path, wanted: int) -> list[Row]:
    """One project on each partition overdue, then the watermark of each partition at a moment of its own, again and
    again: no two alerts open at the same moment, and no two rounds are in step with the notifier's own beat."""
    place, draw = Surroundings(pair, home, "bench-first"), random.Random(SEED)
    taken: list[float] = []
    try:
        with place.notify():
            turn = 0
            while len(taken) < wanted:
                # As if the tracker's watermarks came: whatever waits is told before the round begins.
                names = _one_on_each(place, turn)
                for name in names.values():
                    place.state(name, instant(datetime.now(UTC) - timedelta(hours=1)))
                time.sleep(SETTLE_S + 0.3 + draw.random() * 0.5)
                opened_at: dict[str, float] = {}
                for partition, name in names.items():
                    place.watermark(partition)
                    opened_at[name] = time.perf_counter()
                    time.sleep(draw.uniform(0.05, 0.25))
                deadline = time.monotonic() + 10
                while not all(name in place.arrived for name in opened_at) and time.monotonic() < deadline:
                    time.sleep(0.005)
                missing = [name for name in opened_at if name not in place.arrived]
                if missing:
                    raise AssertionError(f"never told: {missing}")
                if turn:  # the first round warms the process up
                    taken += [(place.arrived[name] - at) * 1000 for name, at in opened_at.items()]
                turn += 1
    finally:
        place.close()
    p50, p99 = percentile(taken, 50), percentile(taken, 99)
    print(
        f"  first: {len(taken)} alerts, least {min(taken):.0f} ms, p50 {p50:.0f}, p99 {p99:.0f}, most {max(taken):.0f}"
    )
    return [
        Row("first: p50 ms", f"{p50:.0f}", f"≤ {FIRST_P50_MS:.0f}", p50 <= FIRST_P50_MS),
        Row("first: p99 ms", f"{p99:.0f}", f"≤ {FIRST_P99_MS:.0f}", p99 <= FIRST_P99_MS),
    ]


def _one_on_each(place: Surroundings, turn: int) -> dict[int, str]:
    found: dict[int, str] = {}
    number = 0
    while len(found) < place.topic.partitions:
        name = f"p{turn}-{number}"
        found.setdefault(kafka.partition_for(name, place.topic.partitions), name)
        number += 1
    return found


def measure_idle(pair: Servers, home: Path, deadlines: int, seconds: float) -> list[Row]:
    """The same process without a deadline and with so many, watermarks coming as from a tracker."""
    place = Surroundings(pair, home, "bench-idle")
    try:
        without, mongod_without = _idle(place, pair, seconds)
        database = mongo.connect(place.settings)
        ensure_indexes(database)
        far = instant(datetime.now(UTC) + timedelta(days=30))
        pattern = watch_document(watch_of(state("p", far), None, instant(datetime.now(UTC)), 0, None))
        for begin in range(0, deadlines, WRITE_BATCH):
            numbers = range(begin, min(begin + WRITE_BATCH, deadlines))
            mine = {"next_due": far}  # as a first look leaves it
            rows = [{**pattern, **mine, "_id": f"p{n:07}", "partition": n % place.topic.partitions} for n in numbers]
            database["watches"].insert_many(rows, ordered=False)
        database.client.close()
        with_them, mongod_with = _idle(place, pair, seconds)
    finally:
        place.close()
    more = with_them - without
    both = more + mongod_with - mongod_without
    print(f"  idle: notify {without:.2f} % of a core without a deadline, {with_them:.2f} % with {deadlines:,}; ")
    print(f"  MongoDB {mongod_without:.2f} % and {mongod_with:.2f} %")
    return [
        Row("idle: notify, % of a core", f"{with_them:.2f}", "", None),
        Row(f"idle: of it for {deadlines:,} deadlines", f"{more:.2f}", f"≤ {IDLE_BOUND:g}", more <= IDLE_BOUND),
        Row("idle: MongoDB's part counted in", f"{both:.2f}", f"≤ {IDLE_BOUND:g}", both <= IDLE_BOUND),
    ]


def _idle(place: Surroundings, pair: Servers, seconds: float) -> tuple[float, float]:
    ended = threading.Event()

    def tracker() -> None:
        while not ended.wait(WATERMARK_S):
            for partition in range(place.topic.partitions):
                place.watermark(partition)

    with place.notify() as pid:
        thread = threading.Thread(target=tracker, daemon=True)
        thread.start()
        time.sleep(5)
        server = _mongod(pair)
        before = [cpu_seconds_of(pid), cpu_seconds_of(server)]
        began = time.perf_counter()
        time.sleep(seconds)
        passed = time.perf_counter() - began
        after = [cpu_seconds_of(pid), cpu_seconds_of(server)]
        ended.set()
        thread.join(10)
    notify, mongod = ((b - a) / passed * 100 for a, b in zip(before, after, strict=True))
    return notify, mongod


def _mongod(pair: Servers) -> int:
    client: MongoClient[Json] = MongoClient(pair.mongodb_uri)
    try:
        return int(client.admin.command("serverStatus")["pid"])
    finally:
        client.close()


def main(words: Sequence[str] | None = None) -> int:
    """The command. Returns 0 when the figures keep their bounds, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.alerts", description=__doc__)
    parser.add_argument("--only", default="queue,first,idle", help="some of queue,first,idle")
    parser.add_argument("--rounds", type=int, default=3, help="of queue")
    parser.add_argument("--rows", type=int, default=20_000, help="messages of a round of queue")
    parser.add_argument("--alerts", type=int, default=200, help="of first")
    parser.add_argument("--deadlines", type=int, default=1_000_000, help="of idle")
    parser.add_argument("--seconds", type=float, default=30.0, help="of idle, each of two times")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    asked = parser.parse_args(words)
    logging.configure("bench", ERROR)
    described, meter = describe(), Meter()
    print(f"machine: {', '.join(f'{name} {value}' for name, value in described.items())}")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder) / "servers") as pair:
        home = Path(folder)
        parts: dict[str, Callable[[], list[Row]]] = {
            "queue": lambda: measure_queue(pair, asked.rows, asked.rounds),
            "first": lambda: measure_first(pair, home, asked.alerts),
            "idle": lambda: measure_idle(pair, home, asked.deadlines, asked.seconds),
        }
        for name in asked.only.split(","):
            rows += parts[name]()
    print("\n| figure | value | wanted |\n|---|---|---|")
    for row in rows:
        print(
            f"| {row.name} | {row.value} | {row.wanted}{'' if row.kept is None else ': yes' if row.kept else ': NO'} |"
        )
    print(f"\nsteal {meter.spent().steal:.1f} %")
    if asked.json is not None:
        content = {"machine": described, "rows": [vars(row) for row in rows]}
        asked.json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(any(row.kept is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
