"""Addresses for servers that are about to start."""

from __future__ import annotations

import random
import socket

from luodi.local import net


def test_no_address_is_given_twice_though_none_is_bound_yet() -> None:
    given = []
    for _ in range(300):
        random.seed(1)  # as a test runner does before each test
        given.append(net.free_address())
    assert len(set(given)) == len(given)


def test_an_address_lies_below_the_ports_of_outgoing_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        outgoing = client.getsockname()[1]
    assert net.free_address().port <= max(net.FREE_PORTS) < outgoing
