"""Addresses that contacts may not name: none of three hundred opens a connection to a canary on this machine."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address

import pytest

from services.notify.channels.wire import FailedError, Wire
from services.notify.guard import Allowed, ForbiddenError, Found, Guard, is_forbidden

INSIDE = (
    *("127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255"),
    *("100.64.0.1", "100.100.100.200", "100.127.255.255", "168.63.129.16", "169.254.169.254", "169.254.0.1"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1"),
    *("192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"),
    *("240.0.0.1", "255.255.255.255"),
    *("::1", "::", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::", "2001::1", "2001:0:1::1"),
    *("2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1"),
    *("ff02::1", "5f00::1", "2400:3200::5efe:7f00:1", "2400:3200::200:5efe:a00:1"),
)
ODD = (
    *(
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0x7f.1",
        "127.0.0.01",
    ),
    *(
        "00127.0.0.1",
        "127.0.0.1.",
        "0",
        "0x0",
        "4294967295",
        "127.0.0.0x1",
        "1.2.3.4.5",
        "256.1.1.1",
        "10.1",
        "3232235521",
    ),
    *(
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "foo.LocalHost.",
        "１２７.0.0.1",
        "ⓛocalhost",
        "127。0。0。1",
    ),
    *("%31%32%37.0.0.1", "127.0.0.1%2f", "fe80::1%25lo", "::1%1", "-", ".", "..", "a b", "exa\tmple", "0x7f000001."),
)
FORMS = (
    "http://{host}:{port}/send?key=1",
    "https://{host}:{port}/send?key=1",
    "http://user:pw@{host}:{port}/",
    "http://good.example@{host}:{port}/",
)
LISTED = [form.format(host=f"[{h}]" if ":" in h else h, port="{port}") for h in (*INSIDE, *ODD) for form in FORMS]


@pytest.fixture
def canary() -> Iterator[tuple[int, list[object]]]:
    """Listens on every IPv4 and IPv6 address of this machine and counts who knocks."""
    heard: list[object] = []
    four = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = int(four.getsockname()[1])
    listening = [four, socket.create_server(("127.0.0.2", port))]
    if socket.has_ipv6:
        with contextlib.suppress(OSError):  # a machine without IPv6 has no such canary
            listening.append(socket.create_server(("::1", port), family=socket.AF_INET6))

    def run(server: socket.socket) -> None:
        while True:
            try:
                peer, where = server.accept()
            except OSError:
                return
            heard.append(where)
            peer.close()

    threads = [threading.Thread(target=run, args=(server,), daemon=True) for server in listening]
    for thread in threads:
        thread.start()
    yield port, heard
    for server in listening:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join(5)


def to(*numbers: str) -> Callable[[str, int], Sequence[Found]]:
    """A name server that knows one answer."""

    def resolve(_: str, port: int) -> Sequence[Found]:
        return [
            (socket.AF_INET6, (number, port, 0, 0)) if ":" in number else (socket.AF_INET, (number, port))
            for number in numbers
        ]

    return resolve


def test_no_hostile_address_opens_a_connection(canary: tuple[int, list[object]]) -> None:
    port, heard = canary
    wire = Wire(1, timeout_s=2.0, guard=Guard())
    hostile = [url.format(port=port) for url in LISTED]
    for url in hostile:
        assert Guard().fault_of(url) is not None, url
        # Past the first look, as an address that was written before the rules knew it.
        with pytest.raises((ForbiddenError, FailedError, ValueError)):
            wire.post(url, b"{}", {})
    # Names that are good to look at and lead inside.
    names = 0
    for number in INSIDE:
        for answers in ((number,), ("8.8.8.8", number)):
            guard = Guard(resolve=to(*answers))
            url = f"http://looks-good.example:{port}/send"
            assert guard.fault_of(url) is None
            with pytest.raises(ForbiddenError):
                Wire(1, timeout_s=2.0, guard=guard).post(url, b"{}", {})
            names += 1
    assert len(hostile) + names >= 300
    assert heard == []


def test_fifty_good_names_are_delivered_to_the_address_that_was_checked(canary: tuple[int, list[object]]) -> None:
    port, heard = canary
    for number in range(50):
        asked: list[str] = []

        def once(host: str, port: int, asked: list[str] = asked) -> Sequence[Found]:
            asked.append(host)  # a second question would be answered with another address
            return to("127.0.0.1" if len(asked) == 1 else "127.0.0.2")(host, port)

        host = f"good-{number}.example"
        opened = Guard(Allowed.of([host]), once).connect(host, port)
        assert opened.getpeername() == ("127.0.0.1", port)
        opened.close()
        assert asked == [host]
    for _ in range(200):
        if len(heard) == 50:
            break
        threading.Event().wait(0.01)
    assert len(heard) == 50


@pytest.mark.parametrize(
    "number", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2400:3200::1"]
)
def test_the_public_internet_is_not_forbidden(number: str) -> None:
    assert not is_forbidden(ip_address(number))


def test_the_operator_allows_hosts_and_ranges_by_name() -> None:
    guard = Guard(Allowed.of(["relay.local", "10.1.0.0/16", "::1"]), to("10.1.2.3"))
    assert guard.fault_of("http://10.1.2.3/") is None
    assert guard.fault_of("http://[::1]:8080/") is None
    assert guard.fault_of("http://10.2.0.1/") == "address-forbidden"
    assert guard.checked("anything.example", 80)
    assert Guard(Allowed.of(["relay.local"]), to("192.168.0.9")).checked("RELAY.local.", 80)
    for word in ("http://x", "10.0.0.0/40", "a b", "1.2.3"):
        with pytest.raises(ValueError):  # noqa: PT011  # the word itself is the message
            Allowed.of([word])


def test_a_name_server_that_is_silent_is_not_waited_for() -> None:
    released = threading.Event()

    def silent(_: str, __: int) -> Sequence[Found]:
        released.wait(20)
        return []

    with pytest.raises(TimeoutError):
        Guard(resolve=silent).checked("slow.example", 80, timeout_s=0.05)
    released.set()
