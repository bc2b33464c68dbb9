"""Which addresses a contact may name: nobody may make us knock at a door inside our own network.

A contact's address is chosen by whoever may write contacts, and what it points to can change after it was written. So
it is looked at twice: when it is written (`fault_of`, its spelling and literal numbers), and whenever a connection is
opened (`connect`): the name is resolved once, every address that comes back is checked, and the connection goes to one
of exactly these, while Host and TLS keep the name. The standard library's `is_private` lets translated and tunnelled
addresses through (NAT64, 6to4, Teredo), so the ranges stand here, after the IANA special-purpose registries.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

MAX_URL = 2048
RESOLVE_S = 5.0  # how long a name server may take
CONNECT_S = 5.0  # how long all attempts to connect may take together

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Found = tuple[int, Any]  # address family and socket address, as getaddrinfo tells them
Resolve = Callable[[str, int], Sequence[Found]]

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")

FORBIDDEN: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; some clouds answer questions about the machine there
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own service, though the number looks public
        "169.254.0.0/16",  # link-local, the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
"""Never connected to, unless the operator allows it by name."""

GLOBAL_V6 = IPv6Network("2000::/3")
"""Of IPv6 only this part is the public internet: loopback, mapped, NAT64, private, link- and site-local lie outside."""

_ISATAP = (0x00005EFE, 0x02005EFE)  # the third quarter of an address that carries an IPv4 address in its last one


class ForbiddenError(Exception):
    """The address must not be connected to. The argument is the code of the reason."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows beyond the public internet: hosts by their exact name, and ranges of numbers."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, words: Iterable[str]) -> Allowed:
        """From names, numbers and ranges. Raises ValueError for a word that is none."""
        hosts, networks = set(), []
        for word in words:
            if "/" in word or ":" in word or _QUAD.fullmatch(word):
                networks.append(ip_network(word))
            elif _HOST.fullmatch(word) and not _is_number(word):
                hosts.add(_name(word))
            else:
                raise ValueError(word)
        return cls(frozenset(hosts), tuple(networks))

    def host(self, host: str) -> bool:
        return _name(host) in self.hosts

    def number(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)


class Guard:
    """Looks at addresses before anything is sent to them."""

    def __init__(self, allowed: Allowed | None = None, resolve: Resolve | None = None) -> None:
        self._allowed = allowed or Allowed()
        self._resolve = resolve or resolved

    def fault_of(self, url: str) -> str | None:
        """The code of what is wrong with the spelling of an address, None when nothing is. Asks no name server."""
        if len(url) > MAX_URL or not _PRINTABLE.fullmatch(url) or "\\" in url:
            return "not-http"
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return "not-http"
        if parts.scheme not in {"http", "https"} or not host:
            return "not-http"
        if "@" in parts.netloc:
            return "address-with-credentials"
        return self.fault_of_host(host)

    def fault_of_host(self, host: str) -> str | None:
        """The same for a host alone: a name, or a number as a URL's parser gives it (without brackets)."""
        if self._allowed.host(host):
            return None
        if ":" in host or _is_number(host):
            literal = _literal(host)
            if literal is None:
                return "address-odd"
            return None if self._may(literal) else "address-forbidden"
        if not _HOST.fullmatch(host):
            return "address-odd"
        name = _name(host)
        return "address-forbidden" if name == "localhost" or name.endswith(".localhost") else None

    def checked(self, host: str, port: int, timeout_s: float = RESOLVE_S) -> list[Found]:
        """The addresses of a host, all of them allowed. Raises ForbiddenError, OSError when it has none."""
        fault = self.fault_of_host(host)
        if fault is not None:
            raise ForbiddenError(fault)
        found = _within(timeout_s, lambda: self._resolve(host, port))
        if not found:
            raise OSError("the name has no address")
        if not self._allowed.host(host):
            for _, place in found:
                literal = _literal(str(place[0]))
                if literal is None or not self._may(literal):
                    raise ForbiddenError("address-forbidden")
        return list(found)

    def connect(self, host: str, port: int, timeout_s: float = CONNECT_S) -> socket.socket:
        """A connection to an address that was checked. Raises ForbiddenError, TimeoutError, OSError."""
        deadline = time.monotonic() + timeout_s
        refused: OSError | None = None
        for family, place in self.checked(host, port):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the host does not answer")
            opened = socket.socket(family, socket.SOCK_STREAM)
            try:
                opened.settimeout(left)
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                opened.connect(place)
            except OSError as exc:
                opened.close()
                refused = exc
                continue
            return opened
        raise refused or OSError("the name has no address")

    def _may(self, address: Address) -> bool:
        return self._allowed.number(address) or not is_forbidden(address)


def is_forbidden(address: Address) -> bool:
    """Whether a number lies outside the public internet."""
    if isinstance(address, IPv6Address):
        carries_v4 = (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
        if carries_v4 or address.scope_id is not None or address not in GLOBAL_V6:
            return True
    return any(address.version == network.version and address in network for network in FORBIDDEN)


def resolved(host: str, port: int) -> Sequence[Found]:
    """What the system's resolver knows."""
    return [(row[0], row[4]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _literal(host: str) -> Address | None:
    """The number that a host is, in its one ordinary spelling; None for anything else."""
    try:
        return ip_address(host) if ":" in host or _QUAD.fullmatch(host) else None
    except ValueError:
        return None


def _is_number(host: str) -> bool:
    """Whether resolvers take it for an IPv4 number: 127.1, 0x7f000001, 2130706433 and 0177.0.0.1 are all loopback."""
    return bool(_NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]))


def _name(host: str) -> str:
    return host.lower().removesuffix(".")


def _within(seconds: float, ask: Callable[[], Sequence[Found]]) -> Sequence[Found]:
    """What `ask` answers, if it does so in time: the system's resolver knows no time-out of its own."""
    answers: list[Sequence[Found]] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as exc:  # noqa: BLE001  # the boundary of a thread: it is raised again by who asked
            faults.append(exc)

    thread = threading.Thread(target=run, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if faults:
        raise faults[0]
    if not answers:
        raise TimeoutError("no name server answers")
    return answers[0]
