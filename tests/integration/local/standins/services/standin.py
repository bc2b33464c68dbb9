"""A process that behaves towards the supervisor as a service does: answers /ready, has a worker, stops on SIGTERM.

`STANDIN_<NAME>` in the environment asks for a fault: `exit:<code>` at once, `unready`, `deaf` (ignores SIGTERM).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def main(name: str) -> int:
    fault = os.environ.get(f"STANDIN_{name.upper()}", "")
    if fault.startswith("exit:"):
        tell(f"{name} has a fault")
        return int(fault.removeprefix("exit:"))

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if fault == "unready" else 200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: None if fault == "deaf" else stop.set())
    worker = subprocess.Popen((sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"))
    tell(f"{name} worker {worker.pid}")
    tell(f"{name} kafka {os.environ['KAFKA_BOOTSTRAP_SERVERS']} mongodb {os.environ['MONGODB_URI']}")
    host, _, port = os.environ[f"LUODI_{name.upper()}_LISTEN"].rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stop.wait()
    worker.kill()
    worker.wait()
    server.server_close()
    tell(f"{name} stopped in order")
    return 0


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
