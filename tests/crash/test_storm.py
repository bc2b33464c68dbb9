"""A storm: every kind of receiver misbehaves at random while notify is killed again and again.

Each message arrives, unless its receiver is gone for good. It is taken twice only where a kill cut it off on its way.
No robot hears more than its limit in any minute; nobody is told under a second id; a redirect leads nowhere; an address
that said it is gone hears no more, and operators are told of it once.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from luodi.domain.days import parse_instant
from luodi.local.harness import Servers
from luodi.runtime.clock import SystemClock
from services.notify.contact_store import MongoContacts
from services.notify.contacts import Contact, Way, delivery_name
from services.notify.ledger import LOOK_S
from services.notify.notifications import Notification
from services.notify.stores import Stores
from services.notify.trial import trial
from tests.integration.notify import receiver as webhooks
from tests.integration.notify.receiver import OTHER_SECRET, SECRET, Receiver, receiver
from tests.integration.notify.world import World, until
from tests.receivers import robots as groups
from tests.receivers.mail import Mailbox, mailbox
from tests.receivers.robots import DINGTALK_SECRET, FEISHU_SECRET, LIMITS, TOO_FAST, Play, Robots, robots
from tests.receivers.weather import Weather

SEED = int(os.environ.get("LUODI_STORM_SEED", "20260305"))
SHARE = 0.3
WORST = 3  # faults of one message at one receiver; after the eighth attempt it would be dead, and rightly so

ROBOT_FAULTS = {
    "status-302": 2,
    "status-404": 1,
    "status-429": 2,
    "status-500": 2,
    "status-503": 1,
    "busy": 2,
    "throttled": 1,
    "no-code": 1,
    "reset": 2,
    "broken-body": 1,
    "silence": 1,
}
MAIL_FAULTS = {"421 4.3.2 later": 2, "451 4.7.1 greylisted": 2, "452 4.2.2 full": 1, "LOST": 2, "SILENT": 1}
WEBHOOK_FAULTS = {
    "status-302": 2,
    "status-404": 1,
    "status-429": 2,
    "status-500": 2,
    "status-503": 1,
    "reset": 2,
    "silence": 1,
}
BUSY = {"wecom": -1, "dingtalk": -1, "feishu": 2200}  # an error inside the service itself
ENOUGH = 50  # kills, to judge how many messages one of them doubles on the whole
BUSY_S = 5.0  # how long a request that was looked at in time may take to its receiver on a busy machine
NUMBER = re.compile(r"编号 ([0-9A-F]{8})")


@dataclass(frozen=True)
class Size:
    """How big a storm is."""

    recipients: dict[str, int]  # channel -> recipients with an address of their own there
    messages: int  # to each of them
    projects: int  # stalls, told to the operator's receiver
    kills: int
    gone: int  # recipients whose receiver is gone for good after some requests
    up_s: tuple[float, float]  # how long a notifier lives, at least and at most
    block_s: float
    calm_s: float  # how long the end may take after the last kill

    @property
    def total(self) -> int:
        return sum(self.recipients.values()) * self.messages + self.projects


SMALL = Size({"wecom": 4, "dingtalk": 4, "feishu": 4, "email": 4, "webhook": 4}, 6, 30, 4, 3, (0.1, 1), 3, 120)
MANY = {"wecom": 60, "dingtalk": 60, "feishu": 60, "email": 40, "webhook": 30}
FULL = Size(MANY, 16, 1000, 52, 20, (0.5, 5), 60, 1500)

pytestmark = [pytest.mark.stack]


@dataclass(frozen=True)
class Kill:
    """One kill: when, and the numbers of the messages that had been taken from the ledger and not been marked."""

    at: float
    cut_off: frozenset[str]


@dataclass
class Storm:
    """One run: its receivers, and what was to be told."""

    size: Size
    world: World
    group: Robots
    box: Mailbox
    sink: Receiver  # of contacts
    operators: Receiver
    weather: Weather
    rows: list[Notification] = field(default_factory=list)
    contacts: dict[str, str] = field(default_factory=dict)  # recipient -> its one channel
    keys: dict[str, str] = field(default_factory=dict)  # recipient -> the key of its address
    kills: list[Kill] = field(default_factory=list)
    doomed: dict[str, int] = field(default_factory=dict)  # recipient -> requests until its receiver is gone
    gone_at: dict[str, float] = field(default_factory=dict)  # recipient -> when its receiver first said that it is gone
    _held: set[tuple[str, str]] = field(default_factory=set)  # message and lease that a kill has cut off

    def __post_init__(self) -> None:
        self.group.weather = self._at_a_robot
        self.box.weather = lambda message_id: self.weather.draw("mail", message_id, MAIL_FAULTS)
        self.sink.weather = lambda path, message: self._at_a_webhook(self.sink, path, message)
        self.operators.weather = lambda path, message: self._at_a_webhook(self.operators, path, message)

    def _is_gone(self, who: str) -> bool:
        """Whether the receiver has ceased to exist by this request to it."""
        if who not in self.doomed:
            return False
        self.doomed[who] -= 1
        if self.doomed[who] < 0:
            self.gone_at.setdefault(who, time.monotonic())
        return who in self.gone_at

    def _at_a_robot(self, robot: str, key: str, body: dict[str, Any]) -> Play | None:
        if self._is_gone(key.removeprefix("signed-")):
            return groups.status(410, {"code": 0, "errcode": 0})
        fault = self.weather.draw(f"{robot}/{key}", number_in(json.dumps(body, ensure_ascii=False)), ROBOT_FAULTS)
        code = "code" if robot == "feishu" else "errcode"
        plays: dict[str, Play] = {
            "busy": groups.status(200, {code: BUSY[robot]}),
            "throttled": groups.status(200, {code: TOO_FAST[robot]}),
            "no-code": groups.status(200, {"message": "ok"}),
            "reset": groups.reset,
            "broken-body": groups.broken_body,
            "silence": groups.silence,
        }
        if fault is None or not fault.startswith("status-"):
            return plays[fault] if fault is not None else None
        headers = {"Location": self.group.address(robot, "elsewhere"), "Retry-After": "1"}
        return groups.status(int(fault.removeprefix("status-")), {code: 0}, **headers)

    def _at_a_webhook(self, sink: Receiver, path: str, message: str) -> webhooks.Answer | None:
        if self._is_gone(path.partition("&to=")[2]):
            return webhooks.status(410)
        fault = self.weather.draw(path, message, WEBHOOK_FAULTS)
        plays = {"reset": webhooks.reset, "silence": webhooks.silence}
        if fault is None or not fault.startswith("status-"):
            return plays[fault] if fault is not None else None
        elsewhere = sink.url.replace("/luodi", "/elsewhere")
        return webhooks.status(int(fault.removeprefix("status-")), Location=elsewhere, Retry_After="1")

    # -- what is to be told -------------------------------------------------------------------------------------------

    def introduce(self) -> None:
        """Everybody has one way."""
        contacts = MongoContacts(self.world.database)
        for channel, count in self.size.recipients.items():
            for number in range(count):
                who = f"u-{channel}-{number}"
                self.contacts[who] = channel
                address = {
                    "email": f"{who}@mail.test",
                    "webhook": f"{self.sink.url}&to={who}",
                }.get(channel) or self.group.address(channel, f"signed-{who}")
                secret = {"dingtalk": DINGTALK_SECRET, "feishu": FEISHU_SECRET, "webhook": OTHER_SECRET}.get(channel)
                self.keys[who] = f"{number:016x}"
                way = Way(channel, address, secret, None, None, self.keys[who])
                assert contacts.put(Contact(who, None, None, "zh-CN", (way,), "2026-03-05T00:00:00.000Z"))

        dice = random.Random(f"{SEED}/gone")
        told = sorted(who for who, channel in self.contacts.items() if channel != "email")  # which knows no such answer
        self.doomed = {who: dice.randrange(self.size.messages) for who in dice.sample(told, self.size.gone)}

    def tell(self, share: range) -> None:
        """Write a share of the messages: so many per cent of them, each part in its turn."""
        clock = SystemClock()
        every = [(who, number) for number in range(self.size.messages) for who in sorted(self.contacts)]
        part = slice(len(every) * share.start // 100, len(every) * share.stop // 100)
        made = [trial(who, [delivery_name(self.contacts[who])], clock, f"{n:04}") for who, n in every[part]]
        Stores.on(self.world.database).notifications.insert(made)
        self.rows += made
        stalls = range(self.size.projects * share.start // 100, self.size.projects * share.stop // 100)
        for number in stalls:
            self.world.overdue(f"p-{number}", officer=f"u-nobody-{number}", zone="qingyuan")

    # -- the notifier -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def notifier(self, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        environ = {"PATH": os.environ["PATH"], **self.world.environ, "HURRIED_BLOCK_S": str(self.size.block_s)}
        environ |= {"LUODI_SLOT": "one", "LUODI_NOTIFY_LISTEN": f"127.0.0.1:{self.world.port}"}
        with log.open("ab") as stream:
            child = subprocess.Popen([sys.executable, "-m", "tests.crash.hurried"], env=environ, stderr=stream)
        try:
            until(lambda: child.poll() is not None or self.world.ready(), "the notifier ready", 300)
            assert child.poll() is None, log.read_text()[-4000:]
            yield child
        finally:
            if child.poll() is None:
                child.kill()
            child.wait(10)

    def wait_for_one(self) -> None:
        """Until another message has arrived somewhere, or none seems to come."""
        before, deadline = self._arrived(), time.monotonic() + 1
        while self._arrived() == before and time.monotonic() < deadline:
            time.sleep(0.0005)

    def _arrived(self) -> int:
        return len(self.group.said) + len(self.box.mails) + len(self.sink.got) + len(self.operators.got)

    def under_way(self) -> int:
        """Deliveries that are not at their end."""
        rows = self.world.database["notifications"]
        return rows.count_documents({"deliveries.status": {"$nin": ["sent", "failed", "dead", "superseded"]}}) + (
            rows.count_documents({"deliveries": {"$elemMatch": {"status": {"$in": ["queued", "sending"]}}}})
        )

    def killed(self) -> None:
        """Right after a kill: note what it cut off. What still has the lease of an earlier one was cut off by that."""
        at = time.monotonic()
        rows = self.world.database["notifications"].find({"deliveries.status": "sending"}, {"deliveries": 1})
        held = {(row["_id"], way["lease"]) for row in rows for way in row["deliveries"] if way["status"] == "sending"}
        numbers = frozenset(number_of(row_id) for row_id, _ in held - self._held)
        self._held |= held
        self.kills.append(Kill(at, numbers))

    def not_told(self) -> list[str]:
        told = {row["project_id"] for row in self.world.database["notifications"].find({"project_id": {"$ne": None}})}
        return [f"p-{n}" for n in range(self.size.projects) if f"p-{n}" not in told]

    def addresses_gone(self) -> set[str]:
        """The matters of the addresses that said they are gone."""
        return {f"operations:address:{self.contacts[who]}/{self.keys[who]}" for who in self.gone_at}

    def alarms(self) -> Counter[str]:
        """Matters of which operators were told about an address, each as often as they were told in other words."""
        told = {got.headers["webhook-id"]: got.body["data"] for got in [*self.operators.got] if got.fair}
        return Counter(data["matter"] for data in told.values() if data["matter"].startswith("operations:address:"))

    # -- what arrived -------------------------------------------------------------------------------------------------

    def takings(self) -> dict[tuple[str, str], list[float]]:
        """(receiver, message) -> when it was taken and its sender told so."""
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for said in self.group.said:
            if said.code == 0:
                found[said.key.removeprefix("signed-"), number_in(said.text)].append(said.at)
        for mail in self.box.mails:
            if mail.fair:
                found[mail.recipients[0].partition("@")[0], message_of(mail.parsed["Message-ID"])].append(mail.at)
        for got in self.sink.got:
            if got.fair:
                found[got.path.partition("&to=")[2], message_of(got.headers["webhook-id"])].append(got.at)
        return found


def number_in(text: str) -> str:
    """The number by which copies of a message are told from two messages."""
    found = NUMBER.search(text)
    assert found is not None, text
    return found[1]


def number_of(row_id: str) -> str:
    """The same of a row."""
    return hashlib.sha256(row_id.encode()).hexdigest()[:8].upper()


def message_of(message_id: str) -> str:
    """The same, made of the whole id."""
    return message_id.strip("<>").partition("@")[0].removeprefix("msg_")[:8].upper()


def weathered(size: Size, servers: Servers, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    print(f"seed {SEED}: LUODI_STORM_SEED makes the same storm again")  # noqa: T201  # shown where the test fails
    with robots() as group, mailbox() as box, receiver(OTHER_SECRET) as sink, receiver(SECRET) as operators:
        world = World(
            servers,
            tmp_path,
            LUODI_WEBHOOK_ALLOW="127.0.0.1",
            LUODI_WEBHOOK_URL=operators.url,
            LUODI_WEBHOOK_SECRET=SECRET,
            LUODI_SMTP_URL=f"smtp://127.0.0.1:{box.port}",
            LUODI_SMTP_FROM="luodi@example.com",
        )
        storm = Storm(size, world, group, box, sink, operators, Weather(SEED, SHARE, WORST))
        log = tmp_path / "notify.log"
        try:
            storm.introduce()
            world.watermarks_run()
            for number in range(size.kills):
                with storm.notifier(log) as child:
                    storm.tell(range(100 * number // size.kills, 100 * (number + 1) // size.kills))
                    time.sleep(dice.uniform(*size.up_s))  # the moment of a kill is chance: there is nothing to wait for
                    if number % 2:  # and every other one comes just when a message has been taken
                        storm.wait_for_one()
                    child.send_signal(signal.SIGKILL)
                    child.wait(10)
                    storm.killed()
            with storm.notifier(log):
                until(lambda: not storm.not_told(), "every stall noticed", size.calm_s)
                until(lambda: storm.alarms().keys() == storm.addresses_gone(), "operators told", size.calm_s)
                until(lambda: storm.under_way() == 0, "everything at its end", size.calm_s)
            check(storm)
        finally:
            world.close()


def check(storm: Storm) -> None:
    """What must hold after any storm."""
    check_arrivals(storm)
    check_operators(storm)
    doubled = check_doubles(storm)
    if len(storm.kills) >= ENOUGH:  # one kill may cut off several, most cut off none that was taken
        assert doubled.total() <= len(storm.kills), doubled
    check_the_gone(storm)

    assert storm.sink.forged == storm.operators.forged == []
    assert not any("elsewhere" in got.path for got in [*storm.sink.got, *storm.operators.got])
    assert not any(said.key == "elsewhere" for said in storm.group.said)
    keys = {(said.robot, said.key) for said in storm.group.said}
    busiest = {name: max(storm.group.most_in_a_window(k) for r, k in keys if r == name) for name in LIMITS}
    assert all(busiest[name] <= limit for name, limit in LIMITS.items()), busiest
    print(  # noqa: T201  # what happened, shown with -s and where the test fails
        f"{storm.size.total} messages, {len(storm.gone_at)} receivers gone, {dict(storm.weather.met)}; "
        f"busiest robots {busiest}; on the way at each of {len(storm.kills)} kills: "
        f"{[len(kill.cut_off) for kill in storm.kills]}, of these taken twice: "
        f"{[doubled[number] for number in range(len(storm.kills))]}, {doubled.total()} in all"
    )


def check_arrivals(storm: Storm) -> None:
    """Each message is taken; what was not had a receiver that is gone, and its end says so."""
    takings = storm.takings()
    told = {(row.recipient, message_of(row.message_id)) for row in storm.rows}
    assert len(told) == len(storm.rows)
    assert takings.keys() - told == set(), "taken under an id that no message has"
    rows = storm.world.database["notifications"].find({"kind": "test"})
    ends = {(row["recipient"], number_of(row["_id"])): row["deliveries"][-1]["status"] for row in rows}
    assert ends.keys() == told
    for name in told - takings.keys():
        assert name[0] in storm.gone_at, f"{name} was never taken"
        assert ends[name] == "failed", name
    for name, end in ends.items():
        assert end == "sent" or (end == "failed" and name[0] in storm.gone_at), (name, end)


def check_operators(storm: Storm) -> None:
    """They hear of each stall, and of each address that is gone, once."""
    fair = [got for got in storm.operators.got if got.fair]
    about = {got.body["data"]["project_id"] for got in fair}
    assert {f"p-{n}" for n in range(storm.size.projects)} - about == set(), "a stall that nobody heard of"
    per_matter = Counter(
        (got.body["data"]["matter"], got.body["data"]["kind"], got.body["data"]["recipient"])
        for got in {got.headers["webhook-id"]: got for got in storm.operators.got}.values()
    )
    assert max(per_matter.values()) == 1, "the same message under two ids"
    assert storm.alarms() == dict.fromkeys(storm.addresses_gone(), 1)


def check_doubles(storm: Storm) -> Counter[int]:
    """What is taken again was on its way when a kill came. Returns how many that were, by kill."""
    takings = storm.takings()
    for got in storm.operators.got:
        if got.fair:
            takings.setdefault(("operators", message_of(got.headers["webhook-id"])), []).append(got.at)
    doubled: Counter[int] = Counter()
    for (receiver_, message), moments in takings.items():
        for first, second in itertools.pairwise(sorted(moments)):
            number = next((n for n, kill in enumerate(storm.kills) if kill.at > first), None)
            assert number is not None, f"{message} twice at {receiver_}, and no kill since"
            assert storm.kills[number].at < second, f"{message} twice at {receiver_}, and no kill between"
            assert message in storm.kills[number].cut_off, f"{message} twice at {receiver_}, and not on its way"
            doubled[number] += 1
    return doubled


def check_the_gone(storm: Storm) -> None:
    """Who said that it is gone is asked no more, but for what was looked at before that was known."""
    assert len(storm.gone_at) == storm.size.gone, "some were never asked so often"
    known = {row["_id"]: row["disabled_at"] for row in storm.world.database["endpoints"].find()}
    wall_to_monotonic = time.monotonic() - time.time()
    asked: dict[str, float] = {}
    for said in storm.group.said:
        asked[said.key.removeprefix("signed-")] = said.at  # in the order in which they came
    for got in storm.sink.got:
        asked[got.path.partition("&to=")[2]] = got.at
    for who in storm.gone_at:
        since = parse_instant(known[f"{storm.contacts[who]}/{storm.keys[who]}"]).timestamp() + wall_to_monotonic
        assert asked[who] < since + LOOK_S + BUSY_S, f"{who} was asked {asked[who] - since:.1f} s after it was given up"


@pytest.mark.timeout(400)
def test_a_small_storm_loses_nothing_and_doubles_only_what_a_kill_cut_off(servers: Servers, tmp_path: Path) -> None:
    weathered(SMALL, servers, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_storm_loses_nothing_and_doubles_only_what_a_kill_cut_off(servers: Servers, tmp_path: Path) -> None:
    weathered(FULL, servers, tmp_path)
