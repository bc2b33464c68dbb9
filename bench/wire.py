"""A cheap HTTP/1.1 load generator: prebuilt requests over keep-alive connections, one request under way on each."""

from __future__ import annotations

import asyncio
import itertools
import json
import selectors
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from luodi.runtime.settings import Address

TIMEOUT_S = 20.0  # for one answer; a service that needs longer has failed
ACCEPTED = 202


class BrokenAnswerError(Exception):
    """The server closed the connection, or answered something that is no HTTP/1.1 answer with a length."""


def post(address: Address, path: str, body: Any) -> bytes:
    """A request that posts `body` as JSON."""
    content = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    )
    return head.encode() + b"\r\n\r\n" + content


def get(address: Address, path: str) -> bytes:
    """A request that asks for `path`."""
    return f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode()


class Reader:
    """Puts one answer after the other together from what arrives."""

    __slots__ = ("_held", "_length", "status")

    def __init__(self) -> None:
        self._held = b""
        self._length: int | None = None  # of the body, once the head is here
        self.status = 0

    def feed(self, data: bytes) -> bytes | None:
        """The body once the answer is complete, else None. Raises BrokenAnswerError."""
        if not data:
            raise BrokenAnswerError("the connection was closed")
        self._held += data
        if self._length is None:
            head, blank, rest = self._held.partition(b"\r\n\r\n")
            if not blank:
                return None
            self.status, self._length = parse_head(head)
            self._held = rest
        if len(self._held) < self._length:
            return None
        body, self._held = self._held[: self._length], self._held[self._length :]
        self._length = None
        return body


def parse_head(head: bytes) -> tuple[int, int]:
    """Status and content length. Raises BrokenAnswerError."""
    first, *fields = head.split(b"\r\n")
    if not first.startswith(b"HTTP/1.1 "):
        raise BrokenAnswerError(f"not HTTP/1.1: {first[:40]!r}")
    for line in fields:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(first[9:12]), int(value)
    raise BrokenAnswerError("an answer without Content-Length")


@dataclass(slots=True)
class Load:
    """What a closed loop saw in its window.

    `credit` counts accepted requests; one that crosses an edge of the window counts by the part of its time inside.
    """

    seconds: float
    credit: float = 0.0
    finished: int = 0  # accepted requests of the whole run, ramp and end included
    latencies: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    generator_cpu: float = 0.0  # share of one core that the generator itself used

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.credit / self.seconds


@dataclass(slots=True)
class _Connection:
    link: socket.socket
    reader: Reader = field(default_factory=Reader)
    began: float = 0.0


def closed_loop(
    address: Address, requests: Sequence[bytes], connections: int, seconds: float, ramp_s: float = 1.0
) -> Load:
    """Keeps one request under way on each connection; counts what is accepted after the first `ramp_s` seconds.

    Raises BrokenAnswerError, or TimeoutError when a server does not answer.
    """
    supply = itertools.cycle(requests)
    with selectors.DefaultSelector() as selector:
        try:
            opened = time.monotonic()
            begin, end = opened + ramp_s, opened + ramp_s + seconds
            load = Load(seconds)
            for _ in range(connections):
                link = socket.create_connection((address.host, address.port), TIMEOUT_S)
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = _Connection(link, began=time.monotonic())
                selector.register(link, selectors.EVENT_READ, connection)
                link.sendall(next(supply))
            cpu = time.process_time()
            under_way = connections
            while under_way:
                ready = selector.select(TIMEOUT_S)
                if not ready:
                    raise TimeoutError(f"{under_way} requests without an answer after {TIMEOUT_S:.0f} s")
                for key, _ in ready:
                    connection = key.data
                    if connection.reader.feed(connection.link.recv(65_536)) is None:
                        continue
                    now = time.monotonic()
                    _count(load, connection, now, begin, end)
                    if now < end:
                        connection.began = now
                        connection.link.sendall(next(supply))
                    else:
                        under_way -= 1
            load.generator_cpu = (time.process_time() - cpu) / (time.monotonic() - opened)
            return load
        finally:
            for key in list(selector.get_map().values()):
                key.data.link.close()


def _count(load: Load, connection: _Connection, now: float, begin: float, end: float) -> None:
    status = connection.reader.status
    load.finished += status == ACCEPTED
    inside = overlap(connection.began, now, begin, end)
    if inside <= 0:
        return
    if status == ACCEPTED:
        load.credit += inside
        load.latencies.append(now - connection.began)
    else:
        load.refused[status] = load.refused.get(status, 0) + 1


def overlap(start: float, stop: float, begin: float, end: float) -> float:
    """Which part of the time from `start` to `stop` lies between `begin` and `end`, 0 to 1."""
    if stop <= start:
        return 1.0 if begin <= start < end else 0.0
    return max(0.0, min(stop, end) - max(start, begin)) / (stop - start)


class Pool:
    """Keep-alive connections of an event loop; a caller takes one, uses it alone and gives it back."""

    def __init__(self, address: Address, size: int) -> None:
        self.address = address
        self._size = size
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def open(self) -> None:
        """Connect all."""
        for _ in range(self._size):
            reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
            self._free.put_nowait((reader, writer))

    async def close(self) -> None:
        """Close those that are free."""
        while not self._free.empty():
            _, writer = self._free.get_nowait()
            writer.close()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. Raises BrokenAnswerError, TimeoutError."""
        pair = await self._free.get()
        reader, writer = pair
        answer = Reader()
        async with asyncio.timeout(TIMEOUT_S):
            writer.write(request)
            body = None
            while body is None:
                body = answer.feed(await reader.read(65_536))
        self._free.put_nowait(pair)
        return answer.status, body


def each_posted(address: Address, path: str, bodies: Iterable[Any]) -> list[bytes]:
    """Prebuilt posts, one per body."""
    return [post(address, path, body) for body in bodies]
