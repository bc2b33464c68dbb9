"""The surroundings of a notifier are those of its integration tests."""

from __future__ import annotations

from tests.integration.notify.conftest import peer, world

__all__ = ["peer", "world"]
