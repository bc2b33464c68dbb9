"""The surroundings of a notifier, new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from luodi.local.harness import Servers
from tests.integration.notify.receiver import SECRET, Receiver, receiver
from tests.integration.notify.world import World


@pytest.fixture
def peer() -> Iterator[Receiver]:
    """A webhook receiver that takes everything unless told otherwise."""
    with receiver() as one:
        yield one


@pytest.fixture
def world(servers: Servers, tmp_path: Path, peer: Receiver) -> Iterator[World]:
    """Topics, groups and a database of this test's own, and the webhook set to `peer`."""
    made = World(servers, tmp_path, LUODI_WEBHOOK_URL=peer.url, LUODI_WEBHOOK_SECRET=SECRET)
    yield made
    made.close()
