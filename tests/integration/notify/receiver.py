"""A webhook receiver on loopback that answers by a script and checks every signature with the reference library."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="

Answer = Callable[["Handler"], None]


@dataclass
class Message:
    """One request as it arrived."""

    headers: dict[str, str]
    body: dict[str, Any]
    path: str
    at: float  # monotonic, when it had arrived
    fair: bool  # it is answered in the ordinary way: taken


@dataclass
class Receiver:
    """What arrived, and what to answer: the next of `answers`, else 204."""

    secret: str = SECRET
    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    weather: Callable[[str, str], Answer | None] | None = None  # path and webhook-id: drawn where no answer is set
    got: list[Message] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)  # ends every silence

    def about(self, project_id: str, kind: str | None = None) -> list[Message]:
        """What arrived about a project."""
        with self.lock:
            return [
                m
                for m in self.got
                if m.body["data"]["project_id"] == project_id and kind in (None, m.body["data"]["kind"])
            ]


class Handler(BaseHTTPRequestHandler):
    """Reads the whole request, keeps it, answers by the script."""

    protocol_version = "HTTP/1.1"
    kept: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        raw = self.rfile.read(length)
        if len(raw) < length:  # whoever sent it was killed between head and body: no message, and no forgery
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        kept = self.kept
        try:
            Webhook(kept.secret).verify(raw, headers)
        except WebhookVerificationError as exc:
            kept.forged.append(str(exc))
        with kept.lock:
            answer = kept.answers.pop(0) if kept.answers else None
            if answer is None and kept.weather is not None:
                answer = kept.weather(self.path, headers["webhook-id"])
            kept.got.append(Message(headers, json.loads(raw), self.path, time.monotonic(), answer is None))
        with contextlib.suppress(OSError):
            (answer or status(204))(self)

    def do_GET(self) -> None:
        status(200)(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """Stay silent."""


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and no body."""

    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def reset(handler: Handler) -> None:
    """Take the whole message and reset the connection instead of answering."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def reset_after_status(handler: Handler) -> None:
    """Say 200 and promise a body, then reset the connection before the body."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    handler.wfile.flush()
    time.sleep(0.2)  # the head must have left before the connection is gone: this is the fault played, no condition
    reset(handler)


def silence(handler: Handler) -> None:
    """Take the message and say nothing until the test is over."""
    handler.kept.released.wait(60)
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Answer one byte of the head at a time, for ever."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(600):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
    handler.close_connection = True


def endless_body(handler: Handler) -> None:
    """Say 200 and go on talking."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(600):
            handler.wfile.write(b"1\r\nx\r\n")
            handler.wfile.flush()
            time.sleep(0.05)
    handler.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection broken on purpose is no error of the test."""


@contextlib.contextmanager
def receiver(secret: str = SECRET, port: int = 0, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """Listen on loopback."""
    kept = Receiver(secret)
    server = _Server((host, port), type("Bound", (Handler,), {"kept": kept}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/luodi?key=s3cret"
    try:
        yield kept
    finally:
        kept.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
