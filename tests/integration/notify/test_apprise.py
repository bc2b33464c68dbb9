"""The long tail of services, against receivers on loopback: what arrives, what an answer means, what is impossible."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import apprise
import pytest

from luodi.local.harness import Servers
from luodi.runtime.clock import SystemClock
from services.notify.channels import Outcome
from services.notify.channels.apprise import SERVICES, Apprise
from services.notify.channels.writing import Message, message_of, number_of
from services.notify.contacts import Way
from tests.integration.notify.hostile import canary
from tests.integration.notify.test_contacts import ask, deliveries, put
from tests.integration.notify.world import World, until
from tests.unit.notify.builders import COMPOSER, at, open_matter

pytestmark = pytest.mark.timeout(120)

CLOCK = SystemClock()
Answer = tuple[int, dict[str, str]]


@dataclass
class Service:
    """A server of push messages, as people run one themselves."""

    port: int = 0
    answers: list[Answer | None] = field(default_factory=list)  # None: silence
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"gotify://127.0.0.1:{self.port}/AbCdEfGhIjKlMnO"


@contextlib.contextmanager
def running() -> Iterator[Service]:
    kept = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((self.path, json.loads(raw)))
            answer = kept.answers.pop(0) if kept.answers else (200, {})
            if answer is None:
                kept.released.wait(30)
                self.close_connection = True
                return
            self.send_response(answer[0])
            for name, value in answer[1].items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield kept
        finally:
            kept.released.set()
            server.shutdown()
            thread.join(5)


@pytest.fixture
def service() -> Iterator[Service]:
    with running() as one:
        yield one


@pytest.fixture(scope="module")
def channel() -> Iterator[Apprise]:
    made = Apprise(["127.0.0.1"], CLOCK)
    yield made
    made.close()


def way(address: str, secret: str | None = None, mention: str | None = None) -> Way:
    return Way("apprise", address, secret, mention, None, "0011223344556677")


def message(**facts: Any) -> Message:
    (row,) = COMPOSER.openings(open_matter(**facts), ("inbox",), at(0))
    return message_of(row, "zh-CN")


def send(channel: Apprise, address: str, told: Message | None = None) -> Outcome:
    return channel.send(told or message(), way(address), "msg_1")


def test_a_message_arrives_with_its_link_its_number_and_who_acts_next(channel: Apprise, service: Service) -> None:
    (row,) = COMPOSER.openings(open_matter(), ("inbox",), at(0))
    assert send(channel, service.address, message_of(row, "zh-CN")) == Outcome("sent")
    ((path, body),) = service.got
    assert path.startswith("/message")
    assert "示例精密部件" in body["title"]
    for part in (f"编号 {number_of(row)}", "https://luodi.example/matters/", "专员 u-zhang"):
        assert part in body["message"]


def test_only_a_2xx_is_success_410_is_the_end_and_a_redirect_is_not_followed(
    channel: Apprise, service: Service
) -> None:
    with running() as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/message"
        for code, outcome in {
            302: Outcome("retry", "http-302"),
            307: Outcome("retry", "http-307"),
            404: Outcome("retry", "http-404"),
            410: Outcome("gone", "http-410"),
            429: Outcome("retry", "http-429", 7.0),
            500: Outcome("retry", "http-500"),
            503: Outcome("retry", "http-503", 7.0),
        }.items():
            service.answers = [(code, {"Location": target, "Retry-After": "7"})]
            assert send(channel, service.address) == outcome, code
        assert elsewhere.got == []
    assert send(channel, service.address) == Outcome("sent")


def test_a_service_that_is_silent_is_cut_off_and_the_next_message_goes(service: Service) -> None:
    hasty = Apprise(["127.0.0.1"], CLOCK, timeout_s=3)
    try:
        service.answers = [None]
        began = time.monotonic()
        assert send(hasty, f"{service.address}?rto=60") == Outcome("retry", "timed-out")
        assert time.monotonic() - began < 20
        assert send(hasty, service.address) == Outcome("sent")
    finally:
        hasty.close()


@pytest.mark.parametrize(
    "address",
    [
        "gotify://127.0.0.1:{port}/AbCdEfGhIjKlMnO",
        "gotifys://127.0.0.1:{port}/AbCdEfGhIjKlMnO",
        "gotify://localhost:{port}/AbCdEfGhIjKlMnO",
        "gotify://127.1:{port}/AbCdEfGhIjKlMnO",
        "gotify://0:{port}/AbCdEfGhIjKlMnO",
        "gotify://2130706433:{port}/AbCdEfGhIjKlMnO",
        "gotify://0x7f000001:{port}/AbCdEfGhIjKlMnO",
        "ntfy://127.0.0.1:{port}/topic",
        "ntfy://user:pass@127.0.0.1:{port}/topic",
        "bark://127.0.0.1:{port}/device",
        "mmost://127.0.0.1:{port}/abcdefghijklmnopqrstuvwx",
        "rocket://user:pass@127.0.0.1:{port}/#channel",
        "matrix://user:pass@127.0.0.1:{port}/#room",
        "synology://127.0.0.1:{port}/token",
        "signal://127.0.0.1:{port}/15550001111/15550002222",
    ],
)
def test_without_leave_nobody_inside_is_knocked_at(address: str) -> None:
    closed = Apprise([], CLOCK)
    try:
        with canary() as door:
            outcome = send(closed, address.format(port=door.port))
            assert outcome.kind != "sent"
            assert door.visits == []
    finally:
        closed.close()


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("gotify://push.example/AbCdEfGhIjKlMnO", None),
        ("tgram://123456789:abcdefghijklmnopqrstuvwxyz123456789/12345", None),
        ("GOTIFYS://push.example/AbCdEfGhIjKlMnO", None),
        ("gotify://10.0.0.1/AbCdEfGhIjKlMnO", "address-forbidden"),
        ("gotify://0x7f000001/AbCdEfGhIjKlMnO", "address-odd"),
        ("gotify://push.example/", "not-apprise"),
        ("tgram://nothing", "not-apprise"),
        *(
            (address, "no-such-service")
            for address in (
                "wecombot://key",
                "wecom://key",
                "dingtalk://token",
                "feishu://token",
                "lark://token",
                "json://hook.example/x",
                "jsons://hook.example/x",
                "xml://hook.example/x",
                "forms://hook.example/x",
                "mailto://user:pass@mail.example",
                "mailtos://user:pass@mail.example",
                "syslog://",
                "rsyslog://hook.example",
                "dbus://",
                "gnome://",
                "mqtt://hook.example/topic",
                "xmpp://user:pass@hook.example",
                "apprise://hook.example/key",
                "file:///etc/hostname",
                "https://hook.example/x",
                "gotify:push.example",
                "",
            )
        ),
    ],
)
def test_what_cannot_be_used_is_named(channel: Apprise, address: str, fault: str | None) -> None:
    assert channel.faults(way(address)) == ([("address", fault)] if fault is not None else [])


def test_neither_secret_nor_mention_belong_to_it_and_only_the_service_is_shown(channel: Apprise) -> None:
    address = "gotify://push.example/AbCdEfGhIjKlMnO"
    assert channel.faults(way(address, "s", "m")) == [("secret", "no-secret-here"), ("mention", "no-mention-here")]
    assert channel.shown(address) == "gotify://…"


def test_words_that_people_typed_call_nobody(channel: Apprise, service: Service) -> None:
    hostile = "@everyone <!channel> @here [点此](http://evil.example) **b** `c`\n# 标题\u202e"
    assert send(channel, service.address, message(name=hostile)) == Outcome("sent")
    ((_, body),) = service.got
    for text in (body["title"], body["message"]):
        assert not any(sign in text for sign in ("@everyone", "<!", "@here", "](", "http://evil", "\u202e", "**"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of modules that some of its plugins load
def test_each_listed_service_is_one_that_the_library_knows_and_speaks_http() -> None:
    known: Any = apprise.manager_plugins
    for schema in SERVICES:
        plugin = known.NotificationManager()[schema]
        assert "requests" in vars(sys.modules[plugin.__module__]), schema


def test_a_process_that_was_killed_costs_one_attempt(service: Service) -> None:
    channel = Apprise(["127.0.0.1"], CLOCK)
    try:
        assert send(channel, service.address) == Outcome("sent")
        one = channel._idle.queue[0]
        os.kill(one._process.pid, signal.SIGKILL)
        one._process.wait(10)
        assert send(channel, service.address) == Outcome("retry", "process-ended")
        assert send(channel, service.address) == Outcome("sent")
    finally:
        channel.close()


CONFINED = """
import os, socket, subprocess, sys, traceback
from services.notify.channels.apprise.confined import Confinement
from services.notify.guard import Allowed
confinement = Confinement(Allowed.of([]))
confinement.close()
confinement.begin()
try:
    {deed}
except OSError:
    traceback.print_exc()
"""


@pytest.mark.parametrize(
    "deed",
    [
        "socket.create_connection(('127.0.0.1', {port}), 2)",
        "socket.socket().connect(('127.0.0.1', {port}))",
        "socket.socket().connect_ex(('127.0.0.1', {port}))",
        "socket.socket().connect(('localhost', {port}))",
        "socket.socket(socket.AF_INET6).connect(('::1', {port}))",
        "socket.socket(socket.AF_UNIX).connect('/tmp/x.sock')",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
        "socket.socket().bind(('127.0.0.1', 0))",
        "__import__('requests').get('http://127.0.0.1:{port}/')",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:{port}/')",
        "subprocess.run(['true'])",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "open('{folder}/written', 'w')",
        "os.remove('{folder}/kept')",
    ],
)
def test_the_confinement_cannot_be_left(tmp_path: Path, deed: str) -> None:
    (tmp_path / "kept").write_text("kept")
    with canary() as door:
        script = CONFINED.format(deed=deed.format(port=door.port, folder=tmp_path))
        done = subprocess.run([sys.executable, "-B", "-W", "ignore", "-c", script], capture_output=True, timeout=30)
        assert b"RefusedError" in done.stderr, done.stderr.decode()
        assert door.visits == []
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.stack
def test_a_contact_hears_of_its_stalls_through_a_service(servers: Servers, tmp_path: Path, service: Service) -> None:
    world = World(servers, tmp_path, LUODI_WEBHOOK_ALLOW="127.0.0.1")
    try:
        world.notifier()
        world.watermarks_run()
        status, body = put(world, "u-tail", {"channel": "apprise", "address": service.address})
        assert status == 200
        assert "AbCdEf" not in json.dumps(body)
        assert body["channels"][0]["address"] == "gotify://…"
        assert put(world, "u-tail", {"channel": "apprise", "address": "json://hook.example/x"})[0] == 422
        world.overdue("p-tail", officer="u-tail", zone="qingyuan")
        until(lambda: service.got, "told")
        until(lambda: [row["apprise"] for row in deliveries(world, "project_id=p-tail")] == ["sent"], "marked")
        assert ask(world, "GET", "/v1/contacts/u-tail")[1]["channels"][0]["disabled"] is False
    finally:
        world.close()
