"""Notify never speaks from stale knowledge: our own outage raises no false alarm and hides no true one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import urllib3

from luodi.local.harness import Servers, servers
from luodi.local.kafka import Relayed
from luodi.local.net import free_address
from tests.e2e.relay import relay
from tests.e2e.stack import Stack, eventually, stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

ZONE = ZoneInfo("Asia/Shanghai")
OTHERS = ("kafka", "mongodb", "notify")  # a minute each, so in the long run only
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


@contextlib.contextmanager
def services(servers: Servers, tmp_path: Path, tracker_bootstrap: str, **settings: str) -> Iterator[Stack]:
    """The three services as processes of their own, the tracker with an address of Kafka of its own."""
    listens = {f"LUODI_{name}_LISTEN": str(free_address()) for name in ("INGEST", "TRACKER", "NOTIFY")}
    environ = {
        **os.environ,
        **listens,
        **settings,
        "LUODI_MODE": "local",
        "LUODI_HOME": str(tmp_path / "home"),
        "KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap,
        "MONGODB_URI": servers.mongodb_uri,
    }
    system = Stack(tmp_path / "home", environ)
    with contextlib.ExitStack() as running:
        for name in ("ingest", "tracker", "notify"):
            own = {"KAFKA_BOOTSTRAP_SERVERS": tracker_bootstrap} if name == "tracker" else {}
            log = running.enter_context((tmp_path / f"{name}.log").open("wb"))
            child = subprocess.Popen([sys.executable, "-m", f"services.{name}"], env=environ | own, stderr=log)
            running.callback(child.wait, 30)
            running.callback(child.terminate)
        bases = (system.ingest, system.tracker, system.notify)
        eventually(lambda: all(is_ready(system, base) for base in bases), "all services ready")
        yield system


def is_ready(system: Stack, base: str) -> bool:
    try:
        return system.http.request("GET", f"{base}/ready").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_a_tracker_cut_off_from_kafka_lets_nobody_be_alarmed_by_what_it_did_not_hear(tmp_path: Path) -> None:
    offset, midnight = offset_to_just_before_midnight()
    last_day = midnight.date() - timedelta(days=1)
    signed = (last_day - timedelta(days=90)).isoformat()
    relayed = Relayed(free_address(), free_address())
    settings = {"LUODI_CLOCK_OFFSET": str(offset), "LUODI_SETTLE_S": "2", "LUODI_PARTITIONS": "2"}
    with (
        servers(tmp_path / "servers", relayed=relayed) as pair,
        relay(relayed.relay, relayed.listen) as line,
        services(pair, tmp_path, str(relayed.relay), **settings) as system,
    ):
        for project in ("in-time", "stalled"):
            position = post(system, project, "signed", signed)
            assert system.project(project, after=position)["light"] == "yellow"
        left_s = (midnight.astimezone(UTC) - datetime.now(UTC)).total_seconds() - offset
        assert left_s > 10, "the start took too long for this test: raise BEFORE_MIDNIGHT_S"
        line.fall_silent()
        post(system, "in-time", "land_supplied", last_day.isoformat())
        time.sleep(left_s + 12)  # the deadline and its 5 s pass while the tracker hears nothing
        assert system.notifications(kind="stalled") == []
        line.pass_on()
        told = eventually(lambda: system.notifications(kind="stalled"), "the true stall", 90)
        assert [n["project_id"] for n in told] == ["stalled"]
        assert eventually(lambda: system.project("in-time")["stage"] == "land_supplied", "the backlog applied", 30)
        assert [n["project_id"] for n in system.notifications(kind="stalled")] == ["stalled"]


@pytest.mark.parametrize("outage", ["tracker", *(pytest.param(name, marks=pytest.mark.soak) for name in OTHERS)])
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
