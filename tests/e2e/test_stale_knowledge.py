"""Notify never speaks from stale knowledge: our own outage raises no false alarm and hides no true one."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.stack import Stack, eventually, stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

ZONE = ZoneInfo("Asia/Shanghai")
BEFORE_MIDNIGHT_S = 45  # room for a start and the posts before the outage


def offset_to_just_before_midnight() -> tuple[float, datetime]:
    """Seconds that shift business time to shortly before a midnight to come, and that midnight."""
    now = datetime.now(ZONE)
    midnight = (now + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    return round((midnight - now).total_seconds() - BEFORE_MIDNIGHT_S, 3), midnight


def post(system: Stack, project: str, stage: str, date: str) -> str:
    status, body = system.post("/v1/milestones", {"project_id": project, "stage": stage, "date": date})
    assert status == 202, body
    return str(body["position"])


@pytest.mark.parametrize("outage", ["tracker", "kafka", "mongodb", "notify"])
def test_a_milestone_in_time_that_waits_in_the_backlog_raises_no_alarm(tmp_path: Path, outage: str) -> None:
    offset, midnight = offset_to_just_before_midnight()
    last_day = midnight.date() - timedelta(days=1)
    signed = (last_day - timedelta(days=90)).isoformat()  # land within 90 calendar days: due on the last day
    with stack(tmp_path, LUODI_CLOCK_OFFSET=str(offset), LUODI_SETTLE_S="2", LUODI_PARTITIONS="2") as system:
        positions = {project: post(system, project, "signed", signed) for project in ("in-time", "stalled")}
        for project, position in positions.items():
            got = system.project(project, after=position)
            assert (got["light"], got["clocks"][0]["due"]) == ("yellow", last_day.isoformat())
        left_s = (midnight.astimezone(UTC) - datetime.now(UTC)).total_seconds() - offset
        assert left_s > 10, "the start took too long for this test: raise BEFORE_MIDNIGHT_S"
        if outage == "kafka":  # what cannot reach the log is not acknowledged, so the post comes before
            post(system, "in-time", "land_supplied", last_day.isoformat())
        pid = system.signal(outage, signal.SIGSTOP)
        if outage != "kafka":
            post(system, "in-time", "land_supplied", last_day.isoformat())
        time.sleep(max(left_s, 0) + 12)  # the deadline and its 5 s pass while the outage lasts
        if outage in {"tracker", "kafka"}:  # notify answers, and has stayed silent
            assert [n for n in system.notifications() if n["kind"] == "stalled"] == []
        os.kill(pid, signal.SIGCONT)
        told = eventually(lambda: system.notifications(kind="stalled"), "the true stall", 90)
        assert [n["project_id"] for n in told] == ["stalled"]
        assert eventually(lambda: system.project("in-time")["stage"] == "land_supplied", "the backlog applied", 30)
        assert [n["project_id"] for n in system.notifications(kind="stalled")] == ["stalled"]
