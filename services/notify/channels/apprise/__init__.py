"""The long tail of services, through the Apprise library: its addresses, like `tgram://…` or `ntfys://…`.

The library speaks HTTP in its own way, to wherever an address leads. So it lives in processes of its own (`confined`)
which connect only to addresses that the guard lets through, follow no redirect, start no program and write no file; one
that is silent too long is ended. Only the services of a list are let in, each of which takes a message by one or a few
HTTP requests; the robots, webhooks and e-mail that notify knows itself are none of them. Taken is what the library
calls delivered and the service answered with 2xx.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from services.notify.channels import Outcome
from services.notify.channels.webhook import STATUS_GONE, STATUSES_THAT_NAME_A_TIME, wait_of
from services.notify.channels.wire import TIMEOUT_S, FailedError
from services.notify.channels.writing import Message, cut, plain
from services.notify.contacts import Way, beside_the_address
from services.notify.shaping import Pace

THREADS = 2  # processes, each with the whole library in its memory
TITLE_BYTES = 200
BODY_BYTES = 1000  # the least that the listed services take

SERVICES = frozenset(
    {
        *("bark", "barks"),
        "discord",
        "flock",
        "gchat",
        *("gotify", "gotifys"),
        "ilert",
        "kook",
        "line",
        *("matrix", "matrixs"),
        *("mmost", "mmosts"),
        *("ncloud", "nclouds"),
        *("nctalk", "nctalks"),
        *("ntfy", "ntfys"),
        "opsgenie",
        "pagerduty",
        "pbul",
        "pover",
        *("pushdeer", "pushdeers"),
        "pushme",
        "pushplus",
        *("rocket", "rockets"),
        "ryver",
        "schan",
        *("signal", "signals"),
        "signl4",
        "slack",
        "spugpush",
        *("synology", "synologys"),
        "tgram",
        "threema",
        "twist",
        "webex",
        "workflows",
        "wpush",
        "wxpusher",
        "zulip",
    }
)
"""The schemas that an address may have."""

_INHERITED = ("PATH", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class Apprise:
    """Sends through confined processes, made when they are needed first."""

    name = "apprise"
    channel = "apprise"
    threads = THREADS
    pace: Pace | None = None

    def __init__(self, allow: Sequence[str], clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        """`allow`: the hosts and ranges of numbers inside our network that the operator allows."""
        self._allow = list(allow)
        self._clock = clock
        self._timeout_s = timeout_s
        self._idle: queue.LifoQueue[Confined] = queue.LifoQueue()

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """What of a contact's way cannot be used. Raises TransientError when the library does not answer."""
        found = []
        if schema_of(way.address) not in SERVICES:
            found.append(("address", "no-such-service"))
        else:
            try:
                fault = self._ask({"check": way.address})["fault"]
            except FailedError as exc:
                raise TransientError("apprise", str(exc)) from exc
            if fault is not None:
                found.append(("address", fault))
        return found + beside_the_address(way)

    def shown(self, address: str) -> str:
        """Only the service: a key may stand anywhere else."""
        return f"{schema_of(address)}://…"

    def send(self, message: Message, way: Way, message_id: str) -> Outcome:  # noqa: ARG002  # these services know no idempotency
        """Make one attempt, over after `timeout_s` whatever the service does."""
        if schema_of(way.address) not in SERVICES:  # written under other rules
            return Outcome("gone", "no-such-service")
        title = cut(plain(message.title), TITLE_BYTES)
        try:
            met = self._ask({"send": way.address, "title": title, "body": body(message)})
        except FailedError as exc:
            return Outcome("retry", str(exc))
        return judge(met, self._clock)

    def close(self) -> None:
        """End the processes that wait."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().end()

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Put a question to a process. Raises FailedError; a process that failed is not used again."""
        try:
            one = self._idle.get_nowait()
        except queue.Empty:
            one = Confined(self._allow)
        try:
            answer = one.ask(question, self._timeout_s)
        except BaseException:
            one.end()
            raise
        self._idle.put(one)
        return answer


class Confined:
    """A process with the library in it. It ends by itself when the one that made it is gone."""

    def __init__(self, allow: Sequence[str]) -> None:
        environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        command = (sys.executable, "-m", f"{__name__}.confined", orjson.dumps(list(allow)).decode())
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the library logs addresses
            env=environ,
            bufsize=0,
        )

    def ask(self, question: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """One line there, one line back. Raises FailedError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        try:
            self._process.stdin.write(orjson.dumps(question) + b"\n")
        except OSError as exc:
            raise FailedError("process-ended") from exc
        answers, line = self._process.stdout.fileno(), b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([answers], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                raise FailedError("timed-out")
            part = os.read(answers, 65536)
            if not part:
                raise FailedError("process-ended")
            line += part
        found: dict[str, Any] = orjson.loads(line)
        return found

    def end(self) -> None:
        """Kill it: nothing that it does needs to be finished."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def judge(met: Mapping[str, Any], clock: Clock) -> Outcome:
    """What an attempt came to: the library's verdict, and the statuses that it got to see."""
    if met["forbidden"] is not None:
        return Outcome("gone", met["forbidden"])
    statuses: list[tuple[int, str | None]] = [(status, after) for status, after in met["statuses"]]
    bad = next((found for found in statuses if not 200 <= found[0] < 300), None)
    if bad is None:
        return Outcome("sent") if met["taken"] and statuses else Outcome("retry", "not-taken")
    status, after = bad
    if status == STATUS_GONE:
        return Outcome("gone", f"http-{status}")
    wait = wait_of(after, clock.wall()) if status in STATUSES_THAT_NAME_A_TIME else 0.0
    return Outcome("retry", f"http-{status}", wait)


def body(message: Message) -> str:
    """Text, link and number as plain lines."""
    ends = [f"{message.link}：{message.url}"] if message.url else []
    rest = "\n".join([*ends, message.footer])
    return f"{cut(plain(message.text), max(BODY_BYTES - len(rest.encode()), 0))}\n{rest}"


def schema_of(address: str) -> str:
    """What stands before `://`, in small letters."""
    return address.partition("://")[0].lower() if "://" in address else ""
