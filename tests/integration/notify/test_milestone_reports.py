"""Reports of milestones on real servers: who is told that one waits or was returned, once, whoever tells it."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.domain.days import instant
from luodi.runtime.clock import SystemClock
from tests.integration.notify.test_http import fits
from tests.integration.notify.world import World, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

PEOPLE: dict[str, Any] = {"officer": "u-zhang", "group_head": "u-li"}
REASONS = [
    {"code": "reported-late", "route": "land", "stage": "started", "date": "2026-02-10", "workdays": 9},
    {"code": "ended-red", "route": "land", "stage": "started", "due": "2026-02-20"},
]


def test_that_a_report_waits_and_that_it_was_returned_is_told_once_by_any_notifier(world: World) -> None:
    now = instant(SystemClock(0).now())
    report = {"event_id": "e7", "stage": "started", "date": "2026-02-10", "recorded_at": now, "actor": "u-zhang"}
    first = world.notifier()
    world.watermarks_run()
    world.publish("p-1", awaiting=[{**report, "note": None, "reasons": REASONS}], **PEOPLE)
    (row,) = until(lambda: world.notifications("project_id=p-1"), "the group head told")
    fits(row, "Notification")
    assert (row["kind"], row["recipient"], row["gap"]) == ("verification", "u-li", None)
    assert "期限2026-02-20" in row["text"]
    world.end(first)
    world.notifier()  # another process, which remembers nothing
    verdict = {"result": "returned", "by": "u-li", "at": now, "reason": "只有围挡", "event_id": "v1"}
    world.publish("p-1", returned=[{**report, "note": None, "verified": verdict}], **PEOPLE)
    (told,) = until(lambda: world.notifications("project_id=p-1&kind=returned&status=sent"), "the reporter told")
    fits(told, "Notification")
    assert told["recipient"] == "u-zhang"
    world.publish("p-1", returned=[{**report, "note": "again", "verified": verdict}], **PEOPLE)
    world.publish("p-2", returned=[{**report, "note": None, "verified": verdict}], **PEOPLE)
    until(lambda: world.notifications("project_id=p-2"), "another project told after it")
    assert len(world.notifications("project_id=p-1")) == 2
