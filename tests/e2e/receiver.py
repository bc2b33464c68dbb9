"""A webhook receiver on loopback that remembers what it was sent and answers as told."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # a test value in the form of the standard


@dataclass
class Receiver:
    """What arrived, each message verified with the reference library before it is kept."""

    url: str = ""
    status: int = 204
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def by_id(self) -> dict[str, list[dict[str, Any]]]:
        """Bodies by message id: more than one under an id means sent again."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self.lock:
            for key, body in self.messages:
                found.setdefault(key, []).append(body)
        return found


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """Listen on a free port of 127.0.0.1."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                Webhook(SECRET).verify(raw, headers)
            except Exception as exc:  # noqa: BLE001  # whatever the library objects to is a forgery here
                kept.forged.append(repr(exc))
            with kept.lock:
                kept.messages.append((headers["webhook-id"], json.loads(raw)))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/luodi"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
