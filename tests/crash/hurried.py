"""Notify with shorter waits: between attempts, and for how long a robot is left alone that was sent to too fast.

Everything else is as always. With the ordinary waits a message that fails three times takes an hour, and a robot that
blocked ten minutes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from luodi.runtime.lifecycle import Stop, run_service
from luodi.runtime.settings import Settings
from services.notify import notifications
from services.notify.__main__ import as_a_process
from services.notify.app import Service
from services.notify.channels import dingtalk, feishu, robots, wecom
from services.notify.channels.robots import Meaning

SCHEDULE_S = (0.0, 0.5, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0)


class _ShortBlocks(robots.Words):
    """See `Words`."""

    def __init__(self, fields: tuple[str, ...], codes: Mapping[int, Meaning], block_s: float) -> None:
        super().__init__(fields, codes, min(block_s, float(os.environ["HURRIED_BLOCK_S"])))


def hurried(settings: Settings, stop: Stop) -> Service:
    """The service, built as always but for the waits."""
    assert len(notifications.SCHEDULE_S) == len(SCHEDULE_S)
    notifications.SCHEDULE_S = SCHEDULE_S
    for module in (dingtalk, feishu, wecom):
        assert vars(module)["Words"] is robots.Words
        vars(module)["Words"] = _ShortBlocks
    return as_a_process(settings, stop)


if __name__ == "__main__":
    sys.exit(run_service("notify", hurried))
