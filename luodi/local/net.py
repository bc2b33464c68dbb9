"""Addresses of the stack: reading them, and finding out whether somebody already sits there."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

MAX_PORT = 65535
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here: these are looked for


@dataclass(frozen=True)
class Address:
    """A host and a port; `str()` gives `host:port`, with brackets around an IPv6 host."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Reads `host:port` or `[host]:port`.

        Raises:
            ValueError: it is neither; the message says why.
        """
        host, colon, port = text.strip().rpartition(":")
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= MAX_PORT:
            raise ValueError(f"{text!r} is not host:port")
        return cls(host, int(port))

    @property
    def pair(self) -> tuple[str, int]:
        """What the socket functions take."""
        return self.host, self.port

    @property
    def reachable(self) -> Address:
        """The address to call a server that listens here: a wildcard is reached over loopback."""
        return Address(WILDCARDS.get(self.host, self.host), self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def free_address(host: str = "127.0.0.1") -> Address:
    """An address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return Address(host, probe.getsockname()[1])


def bind_fault(address: Address) -> str | None:
    """Why nobody could listen on this address now, or None when somebody could."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(*address.pair, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no user
            probe.bind(place)
            probe.listen(1)
    except OSError as exc:
        return "is in use" if exc.errno == errno.EADDRINUSE else f"cannot be listened on ({exc.strerror or exc})"
    return None
