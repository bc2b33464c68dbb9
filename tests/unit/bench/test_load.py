"""The load generator against a small server on loopback: what it counts, and that it never counts a failure."""

from __future__ import annotations

import asyncio
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bench.machine import memory_of
from bench.wire import BrokenAnswerError, Pool, closed_loop, get, post
from luodi.runtime.settings import Address


@contextmanager
def a_server(*answers: bytes) -> Iterator[Address]:
    """Gives the answers in turn, one per request, on each connection; an empty one closes the connection."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            turn = 0
            while (line := self.rfile.readline()) != b"":
                length = 0
                while line not in {b"\r\n", b""}:
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    line = self.rfile.readline()
                self.rfile.read(length)
                answer = answers[turn % len(answers)]
                if not answer:
                    return
                self.wfile.write(answer)
                turn += 1

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield Address("127.0.0.1", server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"


def test_every_answer_in_the_window_is_counted_and_refusals_are_told_apart() -> None:
    with a_server(ACCEPTED, REFUSED) as address:
        load = closed_loop(address, [post(address, "/", {"a": 1})], connections=3, seconds=0.2, ramp_s=0.05)
    assert load.latencies
    assert abs(load.credit - len(load.latencies)) <= 2 * 3  # only those at the edges count in part
    assert load.refused.keys() == {503}
    assert abs(load.refused[503] - len(load.latencies)) <= 2 * 3
    assert load.rate == load.credit / 0.2


def test_a_server_that_hangs_up_ends_the_measurement() -> None:
    with a_server(ACCEPTED, b"") as address, pytest.raises(BrokenAnswerError):
        closed_loop(address, [get(address, "/")], connections=2, seconds=0.2)


def test_a_pool_shares_its_connections_among_all_who_ask() -> None:
    async def ask(address: Address) -> list[tuple[int, bytes]]:
        pool = Pool(address, 2)
        await pool.open()
        answers: list[Any] = await asyncio.gather(*(pool.ask(get(address, "/")) for _ in range(10)))
        await pool.close()
        return answers

    with a_server(ACCEPTED) as address:
        assert asyncio.run(ask(address)) == [(202, b"{}")] * 10


def test_the_memory_of_a_process_counts_its_pages_once() -> None:
    held = memory_of(os.getpid())
    assert 0 < held.pss <= held.rss
    assert held.processes >= 1
