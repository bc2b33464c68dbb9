"""What every tier of tests shares: one real Kafka and one real MongoDB per session, made on first use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from luodi.local.faults import LocalError
from luodi.local.harness import Servers
from luodi.local.harness import servers as started_servers

if TYPE_CHECKING:
    from collections.abc import Iterator


# A property is judged by its truth: on a busy machine an example may take long for no fault of ours.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A real Kafka and a real MongoDB.

    `LUODI_TEST_KAFKA` (host:port) and `LUODI_TEST_MONGO` (a mongodb:// URI) borrow a pair that already runs. Other
    tests use the same pair: name topics, groups and databases uniquely, and start a pair of your own
    (`luodi.local.harness.servers`) to end or pause one. A machine that cannot have servers skips; with `CI=true` it
    fails.
    """
    kafka, mongo = os.environ.get("LUODI_TEST_KAFKA"), os.environ.get("LUODI_TEST_MONGO")
    if kafka and mongo:
        yield Servers(kafka, mongo, None)
        return
    try:
        context = started_servers(tmp_path_factory.mktemp("servers"))
        pair = context.__enter__()
    except LocalError as fault:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no servers on this machine: {fault}")
    try:
        yield pair
    finally:
        context.__exit__(None, None, None)
