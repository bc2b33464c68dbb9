"""Addresses of the stack: how to reach them, and whether somebody already sits there."""

from __future__ import annotations

import errno
import http.client
import secrets
import socket

from luodi.runtime.settings import Address

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here: these are looked for
PROBE_TIMEOUT_S = 2.0
OK = 200
# Below the ports that outgoing connections take on Linux, macOS and Windows: one of those may be taken by any client
# between the look and the server's own bind.
FREE_PORTS = range(12_000, 32_000)
LOOKS = 200

_given: set[int] = set()  # a port that was given away and is not yet bound must not be given to another


def reachable(address: Address) -> Address:
    """The address to call a server that listens here: a wildcard is reached over loopback."""
    return Address(WILDCARDS.get(address.host, address.host), address.port)


def free_address(host: str = "127.0.0.1") -> Address:
    """An address that nobody uses now, and that this process has not given away before.

    Raises OSError when none was found.
    """
    for _ in range(LOOKS):
        address = Address(host, secrets.choice(FREE_PORTS))  # not `random`: tests seed that one
        if address.port not in _given and bind_fault(address) is None:
            _given.add(address.port)
            return address
    raise OSError(errno.EADDRINUSE, f"no free port found on {host}")


def bind_fault(address: Address) -> str | None:
    """Why nobody could listen on this address now, or None when somebody could."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no user
            probe.bind(place)
            probe.listen(1)
    except OSError as exc:
        return "is in use" if exc.errno == errno.EADDRINUSE else f"cannot be listened on ({exc.strerror or exc})"
    return None


def unready_reason(address: Address) -> str | None:
    """Why a service does not answer `GET /ready` with 200, or None when it does."""
    at = reachable(address)
    link = http.client.HTTPConnection(at.host, at.port, timeout=PROBE_TIMEOUT_S)
    try:
        link.request("GET", "/ready")
        answer = link.getresponse()
        body = answer.read(4096).decode("utf-8", errors="replace").strip()
    except (OSError, http.client.HTTPException) as exc:
        return f"no answer ({exc})"
    finally:
        link.close()
    return None if answer.status == OK else f"HTTP {answer.status} {body}"
