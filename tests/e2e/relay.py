"""A TCP relay on loopback that can go silent: connections stay open and nothing passes any more."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from luodi.runtime.settings import Address


class Relay:
    """Passes bytes both ways between whoever connects to `listen` and `target`."""

    def __init__(self, listen: Address, target: Address) -> None:
        self._target = target
        self._passing = threading.Event()
        self._passing.set()
        self._closed = False
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server((listen.host, listen.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Hold everything back from now on; new connections are accepted and answered by nobody."""
        self._passing.clear()

    def pass_on(self) -> None:
        """Pass on what was held back, and everything from now on."""
        self._passing.set()

    def close(self) -> None:
        """Close every connection."""
        self._closed = True
        self._passing.set()
        for one in (self._server, *self._sockets):
            with contextlib.suppress(OSError):
                one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed:
                near, _ = self._server.accept()
                self._sockets.append(near)
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._passing.wait()
        try:
            far = socket.create_connection((self._target.host, self._target.port), timeout=5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        self._sockets.append(far)
        threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
        self._pump(far, near)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self._passing.wait()
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relay(listen: Address, target: Address) -> Iterator[Relay]:
    """A relay for the time of the block."""
    one = Relay(listen, target)
    try:
        yield one
    finally:
        one.close()
