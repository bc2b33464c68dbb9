"""The surroundings of a tracker, new for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from luodi.local.harness import Servers
from tests.integration.tracker.world import World


@pytest.fixture
def world(servers: Servers, tmp_path: Path) -> Iterator[World]:
    """Topics, groups and a database of this test's own."""
    made = World(servers, tmp_path)
    yield made
    made.close()
