"""Addresses that would make us knock at a door inside our own network, in every spelling we know of.

Each is written for a port on which a canary listens on every address of this machine.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Found = tuple[int, tuple[object, ...]]
Answers = dict[str, list[Sequence[str]]]  # name -> what it answers, each time it is asked

SPELLINGS_OF_LOOPBACK = (
    "127.0.0.1",
    "127.0.0.1.",
    "127.0.1",
    "127.1",
    "127.1.",
    "127.127.127.127",
    "127.255.255.254",
    "127.0.0.2",
    "2130706433",
    "2130706433.",
    "02130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "00177.0.0.1",
    "0177.1",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f.0.0.0x1",
    "0x000000007f000001",
    "0x100007f000001",
    "4294967297",
    "6425673729",
    "127.0.0.01",
    "127.00.0.1",
    "127.0.0.0x1",
    "127.0x0.1",
    "127.0.65535",
    "127.16777215",
    "0",
    "0.0.0.0",
    "0.0.0.0.",
    "00.0.0.0",
    "0x0",
    "0.1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "１２７.0.0.1",
    "127。0。0。1",
    "127．0．0．1",
    "①②⑦.0.0.1",
    "𝟏𝟐𝟕.0.0.1",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "loc\u00adalhost",
    "localhost",
    "LOCALHOST",
    "LocalHost.",
    "localhost..",
    "a.localhost",
    "a.b.LOCALHOST.",
    "localhost%00.hook.example",
    "127.0.0.1%00.hook.example",
    "[::1]",
    "[::1.]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::0:1]",
    "[::]",
    "[::%25lo]",
    "[::1%25lo]",
    "[::1%lo]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[0:0:0:0:ffff:0:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::]",
    "[2001::80ff:fffe]",
    "[2a00::5efe:7f00:1]",
    "[2a00::200:5efe:7f00:1]",
    "[fe80::5efe:127.0.0.1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[febf::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00::1]",
    "[ff02::1]",
    "[ff01::1]",
    "[100::1]",
    "[5f00::1]",
)

PRIVATE_NUMBERS = (
    "0.0.0.1",
    "0.255.255.255",
    "10.0.0.1",
    "10.255.255.254",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "127.0.0.53",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.17.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.254",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
)

WHOLE = (
    "http://hook.example@127.0.0.1:{port}/x",
    "http://hook.example:80@127.0.0.1:{port}/x",
    "http://hook.example%40127.0.0.1:{port}/x",
    "http://127.0.0.1:{port}@hook.example/x",
    "http://127.0.0.1:{port}#@hook.example/x",
    "http://127.0.0.1:{port}?@hook.example/x",
    "http://127.0.0.1:{port}\\@hook.example/x",
    "http://hook.example\\@127.0.0.1:{port}/x",
    "http://hook.example\\.127.0.0.1:{port}/x",
    "http:\\\\127.0.0.1:{port}\\x",
    "http:/\\127.0.0.1:{port}/x",
    "http:/127.0.0.1:{port}/x",
    "http:127.0.0.1:{port}/x",
    "http:///127.0.0.1:{port}/x",
    "http:////127.0.0.1:{port}/x",
    "//127.0.0.1:{port}/x",
    "127.0.0.1:{port}/x",
    " http://127.0.0.1:{port}/x",
    "http://127.0.0.1:{port}/x\r\nHost: hook.example",
    "http://hook.example\r\n@127.0.0.1:{port}/x",
    "http://hook.example\t@127.0.0.1:{port}/x",
    "http://hook.example @127.0.0.1:{port}/x",
    "ht\ntp://127.0.0.1:{port}/x",
    "http://127.0.0.1:{port}%2fx",
    "http://127.0.0.1:0{port}/x",
    "http://127.0.0.1:{port}:80/x",
    "http://127.0.0.1::{port}/x",
    "http://127.0.0.1;hook.example:{port}/x",
    "http://127.0.0.1,hook.example:{port}/x",
    "http://127.0.0.1&hook.example:{port}/x",
    "http://{{127.0.0.1}}:{port}/x",
    "http://[127.0.0.1]:{port}/x",
    "http://[::1]127.0.0.1:{port}/x",
    "http://[::1:{port}/x",
    "http://[hook.example]:{port}/x",
    "http://[v1.127.0.0.1]:{port}/x",
    "http://0://127.0.0.1:{port}/x",
    "http://:{port}/x",
    "http://*:{port}/x",
    "https://127.0.0.1:{port}/x",
    "HTTP://127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/_x",
    "dict://127.0.0.1:{port}/x",
    "ldap://127.0.0.1:{port}/x",
    "ws://127.0.0.1:{port}/x",
    "tcp://127.0.0.1:{port}",
    "jar:http://127.0.0.1:{port}/x!/",
    "url:http://127.0.0.1:{port}/x",
    "feed:http://127.0.0.1:{port}/x",
    "view-source:http://127.0.0.1:{port}/x",
    "http+unix://%2Fvar%2Frun%2Fx.sock/x",
    "unix:/var/run/x.sock",
    "file:///etc/hostname",
    "file://127.0.0.1/etc/hostname",
    "data:text/plain,x",
    "javascript:0",
)

PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")  # of nobody we ask: never connected to here


@dataclass
class Names:
    """A resolver of our own: what each name answers, the next of its answers each time, the last one for ever."""

    answers: Answers = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> Sequence[Found]:
        self.asked.append(host)
        answers = self.answers.get(host.lower().removesuffix("."))
        if not answers:  # a number, or a name of this machine: the system knows
            return [(row[0], row[4]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        numbers = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6, (number, port, 0, 0)) if ":" in number else (socket.AF_INET, (number, port))
            for number in numbers
        ]


def hostile_names(own: Sequence[str], innocent: str) -> Answers:
    """Names that lead inside: at once, beside a public number, or only when they are asked again.

    `own` are numbers of this machine; `innocent` is one that may be connected to.
    """
    loopback = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "0.0.0.0", "::"]
    found: Answers = {}
    for place, number in enumerate([*loopback, *own, *PRIVATE_NUMBERS]):
        found[f"inside-{place}.hook.example"] = [[number]]
    for place, number in enumerate([*loopback, *own]):
        found[f"beside-{place}.hook.example"] = [[PUBLIC[0], number]]
        found[f"before-{place}.hook.example"] = [[number, *PUBLIC]]
        found[f"with-innocent-{place}.hook.example"] = [[innocent, number]]
    return found


def hostile_addresses(port: int, names: Mapping[str, object], own: Sequence[str]) -> list[str]:
    """All of them, each for a port on which nobody may knock."""
    mine = [f"[{number}]" if ":" in number else number for number in own]
    hosts = [*SPELLINGS_OF_LOOPBACK, *mine, *PRIVATE_NUMBERS, *names, socket.gethostname()]
    found = [f"http://{host}:{port}/x" for host in hosts]
    found += [f"https://{host}:{port}/x" for host in (*SPELLINGS_OF_LOOPBACK, *mine)]
    found += [text.format(port=port) for text in WHOLE]
    return list(dict.fromkeys(found))


@dataclass
class Canary:
    """Listens on a port on every address of this machine, and tells who came."""

    port: int
    visits: list[str] = field(default_factory=list)


@contextlib.contextmanager
def canary() -> Iterator[Canary]:
    """A running one."""
    sockets = [socket.create_server(("0.0.0.0", 0), backlog=64)]
    port = sockets[0].getsockname()[1]
    with contextlib.suppress(OSError):  # a machine without IPv6
        six = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        six.bind(("::", port))
        six.listen(64)
        sockets.append(six)
    made, ended = Canary(port), threading.Event()
    watched = selectors.DefaultSelector()
    for one in sockets:
        watched.register(one, selectors.EVENT_READ)

    def run() -> None:
        while not ended.is_set():
            for key, _ in watched.select(0.05):
                assert isinstance(key.fileobj, socket.socket)
                visitor, place = key.fileobj.accept()
                made.visits.append(f"{place[0]} -> {visitor.getsockname()[0]}")
                visitor.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join(5)
        watched.close()
        for one in sockets:
            one.close()
