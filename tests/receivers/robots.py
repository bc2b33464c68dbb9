"""Group robots of 企业微信, 钉钉 and 飞书 on loopback, as strict as the real ones.

Each address (its key) is a robot of its own. They check key, signature and body, count every request in a sliding
window, and answer refusals under HTTP 200. A script makes them misbehave.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

DINGTALK_SECRET = "SEC0123456789abcdef0123456789abcdef"
FEISHU_SECRET = "fs0123456789abcdef"
WINDOW_S = 60.0
LIMITS = {"wecom": 20, "dingtalk": 20, "feishu": 100}
SKEW_S = 3600.0

Play = Callable[["Handler"], None]


@dataclass
class Said:
    """One message that a robot took, or refused."""

    robot: str
    key: str
    body: dict[str, Any]
    at: float
    code: int
    host: str

    @property
    def text(self) -> str:
        """Everything in it that people read."""
        return json.dumps(self.body, ensure_ascii=False)


@dataclass
class Robots:
    """What arrived, and what the next requests meet instead of an ordinary answer."""

    port: int = 0
    plays: list[Play] = field(default_factory=list)
    weather: Callable[[str, str, dict[str, Any]], Play | None] | None = None  # robot, key, body: drawn for each request
    removed: set[str] = field(default_factory=set)  # keys whose robot is gone
    said: list[Said] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)

    def address(self, robot: str, key: str, host: str = "127.0.0.1") -> str:
        """The address of a robot, as people copy it from its settings."""
        path = {
            "wecom": f"/cgi-bin/webhook/send?key={key}",
            "dingtalk": f"/robot/send?access_token={key}",
            "feishu": f"/open-apis/bot/v2/hook/{key}",
        }[robot]
        return f"http://{host}:{self.port}{path}"

    def taken(self, key: str) -> list[Said]:
        """What a robot took."""
        with self.lock:
            return [said for said in self.said if said.key == key and said.code == 0]

    def most_in_a_window(self, key: str, window_s: float = WINDOW_S) -> int:
        """The most requests to a robot in any sliding window."""
        with self.lock:
            times = sorted(said.at for said in self.said if said.key == key)
        return max((sum(1 for t in times if start <= t < start + window_s) for start in times), default=0)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, judges it as the real robot would, answers."""

    protocol_version = "HTTP/1.1"
    kept: Robots

    def do_POST(self) -> None:
        at = time.monotonic()
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        robot, key = _robot(parts.path, query)
        kept = self.kept
        body = json.loads(raw)
        with kept.lock:
            code = _judge(kept, robot, key, query, body, at)
            play = kept.plays.pop(0) if kept.plays else None
            if play is None and code == 0 and kept.weather is not None:
                play = kept.weather(robot, key, body)
            kept.said.append(Said(robot, key, body, at, code if play is None else -99, str(self.headers.get("Host"))))
        with contextlib.suppress(OSError):
            if play is not None:
                play(self)
            else:
                self.answer(200, _words(robot, code))

    def answer(self, status: int, body: dict[str, Any] | None, **headers: str) -> None:
        """An answer with JSON, or with nothing."""
        content = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """Stay silent."""


def status(code: int, body: dict[str, Any] | None = None, **headers: str) -> Play:
    """Answer so, whatever was sent."""
    return lambda handler: handler.answer(code, body, **headers)


def reset(handler: Handler) -> None:
    """Take the whole message and reset the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def silence(handler: Handler) -> None:
    """Take the whole message and say nothing until the test is over."""
    handler.kept.released.wait(60)
    handler.close_connection = True


def broken_body(handler: Handler) -> None:
    """Say 200 and reset in the middle of the body."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"errcode":0')
    handler.wfile.flush()
    time.sleep(0.1)  # the head must have left before the connection is gone: this is the fault played, no condition
    reset(handler)


def _robot(path: str, query: dict[str, str]) -> tuple[str, str]:
    if path == "/cgi-bin/webhook/send":
        return "wecom", query.get("key", "")
    if path == "/robot/send":
        return "dingtalk", query.get("access_token", "")
    return "feishu", path.rpartition("/")[2]


NO_ROBOT = {"wecom": 93000, "dingtalk": 300001, "feishu": 19001}
TOO_FAST = {"wecom": 45009, "dingtalk": 130101, "feishu": 11232}


def _judge(kept: Robots, robot: str, key: str, query: dict[str, str], body: dict[str, Any], at: float) -> int:
    if key in kept.removed or not key:
        return NO_ROBOT[robot]
    signed = "signed" in key
    if robot == "dingtalk" and signed:
        stamp = query.get("timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) / 1000 - time.time()) > SKEW_S:
            return 310000
        mac = hmac.new(DINGTALK_SECRET.encode(), f"{stamp}\n{DINGTALK_SECRET}".encode(), hashlib.sha256).digest()
        if query.get("sign") != base64.b64encode(mac).decode():
            return 310000
    if robot == "feishu" and signed:
        stamp = str(body.get("timestamp", ""))
        if not stamp.isdigit() or abs(int(stamp) - time.time()) > SKEW_S:
            return 19021
        mac = hmac.new(f"{stamp}\n{FEISHU_SECRET}".encode(), b"", hashlib.sha256).digest()
        if body.get("sign") != base64.b64encode(mac).decode():
            return 19021
    kind = body.get("msg_type" if robot == "feishu" else "msgtype")
    content = {"feishu": {"text": "content", "interactive": "card"}}.get(
        robot, {"text": "text", "markdown": "markdown"}
    )
    if kind not in content or not isinstance(body.get(content[str(kind)]), dict):
        return {"wecom": 40008, "dingtalk": 400105, "feishu": 19002}[robot]
    recent = sum(1 for said in kept.said if said.key == key and said.at > at - WINDOW_S)
    return TOO_FAST[robot] if recent >= LIMITS[robot] else 0


def _words(robot: str, code: int) -> dict[str, Any]:
    said = "ok" if code == 0 else "refused"
    return {"code": code, "msg": said, "data": {}} if robot == "feishu" else {"errcode": code, "errmsg": said}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection broken on purpose is no error of the test."""


@contextlib.contextmanager
def robots() -> Iterator[Robots]:
    """Listen on 127.0.0.1."""
    kept = Robots()
    server = _Server(("127.0.0.1", 0), type("Bound", (Handler,), {"kept": kept}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    kept.port = int(server.server_address[1])
    try:
        yield kept
    finally:
        kept.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
