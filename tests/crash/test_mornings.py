"""Mornings: many stages turn red right before the working hours begin, and everybody has one digest that names all.

With two notifiers, one of which is killed while it writes the digests, nobody's is lost and nobody has two.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from luodi.domain.days import parse_instant
from luodi.local.harness import Servers
from luodi.local.net import free_address
from schemas import states
from services.notify.contact_store import MongoContacts
from services.notify.contacts import Contact, Way
from tests.integration.notify.receiver import OTHER_SECRET, Message, Receiver, receiver
from tests.integration.notify.test_digests import ZONE, world_at
from tests.integration.notify.world import World, now, until
from tests.unit.notify.builders import clock, state

ROOT = Path(__file__).parents[2]
SAID_S = 120.0  # within so long of the beginning of the working hours everybody has the digest

pytestmark = [pytest.mark.stack]


@dataclass(frozen=True)
class Size:
    """How many stages turn red in the same moment, `ahead_s` before the hours begin, and whose they are."""

    stages: int
    officers: int
    heads: int
    ahead_s: float


@dataclass
class Morning:
    """One morning: its people and what each of them must be told."""

    size: Size
    world: World
    sink: Receiver

    def __post_init__(self) -> None:
        self.theirs: dict[str, set[str]] = defaultdict(set)
        self.people = {number: self.people_of(number) for number in range(self.size.stages)}
        for number, named in self.people.items():
            for who in named.values():
                self.theirs[who].add(f"p-{number}")

    def people_of(self, number: int) -> dict[str, str]:
        """Who is responsible for a project."""
        return {
            "officer": f"u-{number % self.size.officers}",
            "group_head": f"u-head-{number % self.size.heads}",
        }

    def introduce(self) -> None:
        """Give everybody a webhook of their own: it is told every line, however many there are."""
        contacts = MongoContacts(self.world.database)
        for number, who in enumerate(sorted(self.theirs)):
            way = Way("webhook", f"{self.sink.url}&to={who}", OTHER_SECRET, None, None, f"{number:016x}")
            assert contacts.put(Contact(who, None, None, "zh-CN", (way,), "2026-03-05T00:00:00.000Z"))

    def turns_red(self, since: str) -> None:
        """All stages are known to turn red at an instant."""
        lights = [{"light": "red", "from": since, "to": "9999-12-31T00:00:00.000Z", "reason": {"code": "no-limit"}}]
        sent = []
        for number, named in self.people.items():
            name = f"p-{number}"
            known = {"name": f"示例{number}厂", "clocks": [clock(since)], "lights": lights, **named}
            document = {"_id": name, **state(name, 1, zone=ZONE, **known)}
            sent.append(
                self.world.producer.send(
                    self.world.settings.topics.states,
                    key=name.encode(),
                    value=states.encode_state(document),
                    headers=states.guard_headers(document),
                    partition=self.world.partition(name),
                )
            )
        for future in sent:
            future.get(timeout=60)

    @contextmanager
    def notifier(self, slot: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """One process, ready."""
        port = self.world.port if slot == "one" else free_address().port
        environ = {**os.environ, **self.world.environ, "LUODI_SLOT": slot, "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{port}"}
        with log.open("wb") as stream:
            child = subprocess.Popen([sys.executable, "-m", "services.notify"], cwd=ROOT, env=environ, stderr=stream)
        try:
            base = f"http://127.0.0.1:{port}"
            until(lambda: child.poll() is not None or self.world.ready(base), f"{slot} ready", 60)
            assert child.poll() is None, log.read_text()[-4000:]
            yield child
        finally:
            child.kill()
            child.wait(10)

    def written(self) -> int:
        """How many digests stand in the ledger for channels outside."""
        return self.world.database["notifications"].count_documents({"_id": {"$regex": "^digest:.*:own-webhook:"}})

    def arrived(self) -> dict[str, list[Message]]:
        """What each person was sent."""
        found: dict[str, list[Message]] = defaultdict(list)
        with self.sink.lock:
            for got in self.sink.got:
                found[got.path.partition("&to=")[2]].append(got)
        return found

    def check(self, copies: int) -> None:
        """Everybody has exactly one digest that names all of theirs; `copies` of one may have come in between."""
        arrived = self.arrived()
        assert set(arrived) == set(self.theirs)
        for who, messages in arrived.items():
            assert {message.headers["webhook-id"] for message in messages} == {messages[0].headers["webhook-id"]}, who
            data = messages[0].body["data"]
            assert data["kind"] == "digest"
            named = Counter(line["project_id"] for line in data["items"] if line["group"] == "new")
            assert named == dict.fromkeys(self.theirs[who], 1), who
        doubled = sum(len(messages) - 1 for messages in arrived.values())
        assert doubled <= copies
        assert self.sink.forged == []


@contextmanager
def morning(servers: Servers, home: Path, size: Size, start: tuple[int, int, int], *, first: bool) -> Iterator[Morning]:
    with receiver(OTHER_SECRET) as sink:
        world = world_at(servers, home, *start, first=first)
        world.environ["LUODI_WEBHOOK_ALLOW"] = "127.0.0.1"
        try:
            made = Morning(size, world, sink)
            made.introduce()
            yield made
        finally:
            world.close()


def opens_in(world: World) -> float:
    """Seconds until the working hours begin."""
    moment = parse_instant(now(world.offset_s))
    return (moment.replace(hour=0, minute=30, second=0, microsecond=0) - moment).total_seconds()


@pytest.mark.timeout(300)
def test_one_of_two_that_is_killed_while_it_writes_the_digests_leaves_none_out_and_doubles_none(
    servers: Servers, tmp_path: Path
) -> None:
    size = Size(stages=300, officers=90, heads=10, ahead_s=14)
    with morning(servers, tmp_path, size, (8, 29, 30), first=False) as made:
        world = made.world
        with made.notifier("one", tmp_path / "one.log") as one, made.notifier("two", tmp_path / "two.log"):
            world.watermarks_run()
            made.turns_red(now(world.offset_s + max(0.0, opens_in(world) - size.ahead_s)))
            until(lambda: made.written() >= 5, "the first digests written", 90)
            one.kill()
            one.wait(10)
            assert made.written() < len(made.theirs), "it was to be killed in the middle"
            until(lambda: made.written() == len(made.theirs), "all digests written", 120)
            until(lambda: len(made.arrived()) == len(made.theirs), "and sent", 120)
            until(lambda: not pending(world), "and marked", 120)
        made.check(copies=8)  # as many as one process may have under way on a channel


def pending(world: World) -> int:
    """Messages whose way to somebody's own address is not at its end."""
    under_way = {"channel": "own-webhook", "status": {"$in": ["held", "carried", "queued", "sending"]}}
    return world.database["notifications"].count_documents({"deliveries": {"$elemMatch": under_way}})


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", [False, True], ids=["any morning", "the first of a week"])
def test_ten_thousand_stages_turn_red_and_everybody_has_one_digest_that_names_all_within_two_minutes(
    servers: Servers, tmp_path: Path, *, first: bool
) -> None:
    size = Size(stages=10_000, officers=180, heads=20, ahead_s=60)
    with morning(servers, tmp_path, size, (8, 28, 15), first=first) as made:
        world = made.world
        with made.notifier("one", tmp_path / "one.log"):
            world.watermarks_run()
            made.turns_red(now(world.offset_s + max(0.0, opens_in(world) - size.ahead_s)))
            assert opens_in(world) > size.ahead_s, "they were to be known before they turn red"
            until(lambda: opens_in(world) <= 0, "the working hours begin", 200)
            opened = time.monotonic()
            until(lambda: len(made.arrived()) == len(made.theirs), "a digest for everybody", SAID_S)
            took = time.monotonic() - opened
            until(lambda: not pending(world), "and marked", 120)
            log = (tmp_path / "one.log").read_text()
        made.check(copies=0)
        for who, messages in made.arrived().items():
            listed = {x["project_id"] for x in messages[0].body["data"]["items"] if x["group"] == "projects"}
            assert listed == (made.theirs[who] if first else set()), who
        assert "maximum number of running instances" not in log
        print(f"{size.stages} stages, {len(made.theirs)} people: all told {took:.1f} s after the opening")  # noqa: T201
