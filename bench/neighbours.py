"""How much longer other people wait while one receiver is dead and one project's records cannot be read.

`python -m bench.neighbours` runs one notifier as a process of its own and measures, calm and disturbed in turn, the
time from a record or message being written to its arrival: of stalls at the operator's receiver, and of messages to
people who share a channel with the dead one. Disturbed means: a receiver that takes each request and is silent for
30 s, with sixty messages waiting for it, and a project of which five unreadable records come every second.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from luodi.local.harness import Servers, servers
from luodi.runtime.clock import SystemClock
from services.notify.contact_store import MongoContacts
from services.notify.contacts import Contact, Way
from services.notify.stores import Stores
from services.notify.trial import trial
from tests.integration.notify import receiver as play
from tests.integration.notify.receiver import SECRET, Receiver, receiver
from tests.integration.notify.world import World, until

PEOPLE = 20
WAITING = 60  # messages to the dead one
EVERY_S = 0.1
POISON_EVERY_S = 0.2
WANTED = 0.05  # at most so much longer
KINDS = ("stalls", "messages")
Taken = dict[str, list[float]]


def main(words: Sequence[str] | None = None) -> int:
    """The command. Exit code 1: others wait more than a twentieth longer."""
    parser = argparse.ArgumentParser(prog="python -m bench.neighbours", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=150, help="of each kind, a round and condition")
    parser.add_argument("--kafka", help="a Kafka that runs already (host:port)")
    parser.add_argument("--mongo", help="a MongoDB that runs already")
    asked = parser.parse_args(words)
    calm: Taken = {kind: [] for kind in KINDS}
    disturbed: Taken = {kind: [] for kind in KINDS}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="luodi-neighbours-")))
        if asked.kafka and asked.mongo:
            pair = Servers(asked.kafka, asked.mongo, None)
        else:
            pair = stack.enter_context(servers(home / "servers"))
        sink = stack.enter_context(receiver(SECRET))
        dead = stack.enter_context(receiver(SECRET))
        dead.weather = lambda *_: play.silence
        world = World(
            pair,
            home,
            LUODI_WEBHOOK_ALLOW="127.0.0.1",
            LUODI_WEBHOOK_URL=sink.url,
            LUODI_WEBHOOK_SECRET=SECRET,
        )
        stack.callback(world.close)
        introduce(world, sink, dead)
        world.watermarks_run()
        stack.enter_context(notifier(world))
        measure(world, sink, 20)  # warm
        for _ in range(asked.rounds):
            add(calm, measure(world, sink, asked.messages))
            with trouble(world):
                add(disturbed, measure(world, sink, asked.messages))
    return report(calm, disturbed)


def introduce(world: World, sink: Receiver, dead: Receiver) -> None:
    """Everybody has a webhook of their own; one leads to the dead receiver."""
    contacts = MongoContacts(world.database)
    for number in range(PEOPLE + 1):
        who, url = ("u-dead", dead.url) if number == PEOPLE else (f"u-{number}", f"{sink.url}&to=u-{number}")
        way = Way("webhook", url, SECRET, None, None, f"{number:016x}")
        contacts.put(Contact(who, None, None, "zh-CN", (way,), "2026-03-05T00:00:00.000Z"))


@contextlib.contextmanager
def notifier(world: World) -> Iterator[None]:
    """The process that is measured."""
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", ""), **world.environ}
    environ |= {"LUODI_SLOT": "one", "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{world.port}"}
    child = subprocess.Popen([sys.executable, "-m", "services.notify"], env=environ, stderr=subprocess.DEVNULL)
    try:
        until(world.ready, "the notifier ready", 60)
        yield
    finally:
        child.terminate()
        child.wait(30)


@contextlib.contextmanager
def trouble(world: World) -> Iterator[None]:
    """One dead receiver with messages waiting, one project whose records cannot be read."""
    rows = [trial("u-dead", ["own-webhook"], SystemClock(), secrets.token_hex(4)) for _ in range(WAITING)]
    Stores.on(world.database).notifications.insert(rows)
    ended = threading.Event()

    def poison() -> None:
        while not ended.wait(POISON_EVERY_S):
            world.write("p-poison", b'{"id": "p-poison", "events": "many"}')

    thread = threading.Thread(target=poison, daemon=True)
    thread.start()
    time.sleep(3)
    try:
        yield
    finally:
        ended.set()
        thread.join(10)
        world.database["notifications"].delete_many({"recipient": "u-dead"})
        time.sleep(20)  # the last attempts end


def measure(world: World, sink: Receiver, count: int) -> Taken:
    """Write so many of each kind, spread over time, and wait for their arrival. Seconds."""
    clock, notifications = SystemClock(), Stores.on(world.database).notifications
    token = secrets.token_hex(4)
    written: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for number in range(count):
        row = trial(f"u-{number % PEOPLE}", ["own-webhook"], clock, f"{token}{number}")
        written[row.message_id] = time.monotonic()
        kinds[row.message_id] = "messages"
        notifications.insert([row])
        project = f"p-{token}-{number}"
        written[project] = time.monotonic()
        kinds[project] = "stalls"
        world.overdue(project, officer=f"u-nobody-{number}", zone="qingyuan")
        time.sleep(EVERY_S)
    until(lambda: len(arrivals(sink, written)) == len(written), "everything arrived", 120)
    found: Taken = {kind: [] for kind in KINDS}
    for name, at in arrivals(sink, written).items():
        found[kinds[name]].append(at - written[name])
    return found


def arrivals(sink: Receiver, names: dict[str, float]) -> dict[str, float]:
    """When each message or project was first heard of."""
    found: dict[str, float] = {}
    for got in list(sink.got):
        for name in (got.headers["webhook-id"], got.body["data"]["project_id"]):
            if name in names:
                found.setdefault(name, got.at)
    return found


def add(to: Taken, more: Taken) -> None:
    for kind in KINDS:
        to[kind] += more[kind]


def report(calm: Taken, disturbed: Taken) -> int:
    """Print the table; 1 where somebody waits too much longer."""
    print(f"{'':<10}{'':>8}{'mean':>10}{'median':>10}{'p95':>10}")
    worst = 0.0
    for kind in KINDS:
        for name, taken in (("calm", calm[kind]), ("disturbed", disturbed[kind])):
            p95 = statistics.quantiles(taken, n=20)[-1]
            row = (statistics.fmean(taken), statistics.median(taken), p95)
            print(f"{kind:<10}{name:>10}" + "".join(f"{1000 * value:>9.0f} ms" for value in row) + f"  n={len(taken)}")
        longer = statistics.fmean(disturbed[kind]) / statistics.fmean(calm[kind]) - 1
        worst = max(worst, longer)
        print(f"{kind}: others wait {100 * longer:+.1f} % longer (wanted: less than {100 * WANTED:.0f} %)")
    return int(worst >= WANTED)


if __name__ == "__main__":
    sys.exit(main())
