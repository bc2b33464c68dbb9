"""kill -9 of every process in turn under a running load: nothing acknowledged is lost, nothing is told twice."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import urllib3
from pymongo import MongoClient

from tests.e2e.receiver import SECRET, receiver
from tests.e2e.stack import PROCESSES, Stack, eventually, stack

ROUNDS = int(os.environ.get("LUODI_KILL_ROUNDS", "5"))  # each kills all five processes once
SEED = int(os.environ.get("LUODI_KILL_SEED", "20260305"))
RETRY_S = 120.0  # how long one post is retried with its own ids before the test gives up on it

pytestmark = [pytest.mark.stack, pytest.mark.timeout(ROUNDS * 150 + 420)]

TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


@dataclass
class Load:
    """Posts projects of three fates until told to stop, retrying each post under the same ids until it is acknowledged.

    `stuck` stay in a stage past its limit; `late` are stuck and leave it some seconds later; `intime` enter and leave a
    stage in one request, so nobody may ever hear of them.
    """

    system: Stack
    name: str
    stop: threading.Event
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)  # journal id -> milestone
    stuck: set[str] = field(default_factory=set)
    late: dict[str, float] = field(default_factory=dict)
    intime: set[str] = field(default_factory=set)
    split: set[str] = field(default_factory=set)  # acknowledged in pieces: a notice in between would be right
    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        random_ = random.Random(f"{SEED}-{self.name}")
        number = 0
        while not self.stop.is_set():
            number += 1
            fate = random_.choices(("stuck", "late", "intime", "plain"), (1, 1, 2, 6))[0]
            project = f"{self.name}-{number}-{fate}"
            entered = {"project_id": project, "stage": "signed", "date": days_ago(400), "id": f"{project}-e1"}
            left = {"project_id": project, "stage": "started", "date": days_ago(3), "id": f"{project}-e2"}
            if fate == "plain":
                entered["date"] = days_ago(5)
            items = [entered, left] if fate == "intime" else [entered]
            in_one = self.post(items)
            if fate == "stuck":
                self.stuck.add(project)
            elif fate == "late":
                self.late[project] = time.monotonic() + 25
            elif fate == "intime":
                (self.intime if in_one else self.split).add(project)
            self._leave_due()
            time.sleep(0.02)
        self._leave_due(everything=True)

    def _leave_due(self, *, everything: bool = False) -> None:
        for project, due in list(self.late.items()):
            if due > 0 and (everything or due < time.monotonic()):
                self.post([{"project_id": project, "stage": "started", "date": days_ago(3), "id": f"{project}-e2"}])
                self.late[project] = 0

    def post(self, items: list[dict[str, Any]]) -> bool:
        """Post until every item is acknowledged; True when the first answer acknowledged them all together."""
        deadline = time.monotonic() + RETRY_S
        first = True
        while True:
            try:
                status, body = self.system.post("/v1/milestones", items)
            except urllib3.exceptions.HTTPError:
                status, body = 0, {}
            self.answers[status] += 1
            if status in {202, 207}:
                for item, told in zip(items, body["items"], strict=True):
                    if told["status"] == 202:
                        self.acknowledged[f"{item['project_id']}/{item['id']}"] = item
                    elif told["status"] != 503:
                        self.failures.append(f"{item} -> {told}")
            if status == 202:
                return first
            if status not in {0, 207, 429, 500, 503} or time.monotonic() > deadline:
                self.failures.append(f"{items} -> {status} {body}")
                return False
            first = False
            time.sleep(0.2)


def test_no_kill_loses_or_doubles_anything(tmp_path: Path) -> None:
    random_ = random.Random(SEED)
    stop = threading.Event()
    with (
        receiver() as webhook,
        stack(
            tmp_path,
            LUODI_SETTLE_S="2",
            LUODI_PARTITIONS="4",
            LUODI_WEBHOOK_URL=webhook.url,
            LUODI_WEBHOOK_SECRET=SECRET,
        ) as system,
    ):
        loads = [Load(system, f"kill{n}", stop) for n in range(2)]
        threads = [threading.Thread(target=load.run, name=load.name) for load in loads]
        for thread in threads:
            thread.start()
        kills = 0
        try:
            for _ in range(ROUNDS):
                for name in random_.sample(PROCESSES, len(PROCESSES)):
                    time.sleep(random_.uniform(0.5, 2.5))
                    killed = system.signal(name, signal.SIGKILL)
                    kills += 1
                    await_restart(system, name, killed)
                eventually(
                    lambda: all(p["state"] == "ready" for p in system.status()["processes"].values()),
                    "all ready again",
                    120,
                )
        finally:
            stop.set()
            for thread in threads:
                thread.join(RETRY_S + 60)
        assert kills == ROUNDS * len(PROCESSES)
        assert [failure for load in loads for failure in load.failures] == []

        acknowledged = {key: item for load in loads for key, item in load.acknowledged.items()}
        check_nothing_is_lost_or_doubled(system, acknowledged)
        check_each_stall_is_told_once(system, loads)
        resent = check_the_webhook_heard_the_same(webhook.by_id(), loads)
        assert webhook.forged == []
        answers = sum((load.answers for load in loads), Counter[int]())
        record_figures(kills, len(acknowledged), answers, resent)


def record_figures(kills: int, acknowledged: int, answers: Counter[int], resent: int) -> None:
    """Put what was seen beside the log of the run."""
    sys.stderr.write(
        f"\n{kills} kills, {acknowledged} acknowledged events, answers {dict(answers)}, {resent} messages sent again\n"
    )


def await_restart(system: Stack, name: str, killed: int) -> None:
    eventually(
        lambda: system.status()["processes"][name]["pid"] not in {None, killed}, f"{name} started again", timeout_s=60
    )


def check_nothing_is_lost_or_doubled(system: Stack, acknowledged: dict[str, dict[str, Any]]) -> None:
    """Every 202 is in the journal, each once, and the documents are what a fold of Kafka's record gives."""
    with MongoClient[dict[str, Any]](system.mongodb_uri) as client:
        journal = client["luodi"]["journal"]
        eventually(
            lambda: journal.count_documents({"_id": {"$in": list(acknowledged)}}) == len(acknowledged),
            "every acknowledged event in the journal",
            60,
        )
        projects = client["luodi"]["projects"]
        for row in projects.find({}, {"events": 1}):
            assert row["events"] == journal.count_documents({"subject": row["_id"]}), row["_id"]
    done = system.luodi("rebuild", "--compare")
    assert done.returncode == 0, done.stdout + done.stderr


def check_each_stall_is_told_once(system: Stack, loads: list[Load]) -> None:
    """One stall notice per stuck project, one and its all-clear per late one at most, none for those left in time."""
    stuck = {project for load in loads for project in load.stuck}
    late = {project for load in loads for project in load.late}
    intime = {project for load in loads for project in load.intime}

    def told(kind: str) -> set[str]:
        # Who left the stage before anybody heard of the stall has a superseded row, and no all-clear.
        return {n["project_id"] for n in system.notifications(kind=kind) if n["status"] != "superseded"}

    eventually(lambda: told("stalled") >= stuck, "every stuck one told", 120)
    eventually(
        lambda: told("stalled") & late == told("cleared") & late,
        "every late one that was told has its all-clear",
        120,
    )
    stalled = Counter(n["project_id"] for n in system.notifications(kind="stalled"))
    cleared = Counter(n["project_id"] for n in system.notifications(kind="cleared"))
    assert {project: stalled[project] for project in stuck} == dict.fromkeys(stuck, 1)
    assert {project: stalled[project] for project in late if stalled[project] > 1} == {}
    assert {project: cleared[project] for project in cleared if cleared[project] > 1} == {}
    assert set(cleared) & stuck == set()
    assert set(stalled) & intime == set()
    assert len(stuck) >= 5
    assert len(intime) >= 5


def check_the_webhook_heard_the_same(by_id: dict[str, list[dict[str, Any]]], loads: list[Load]) -> int:
    """Messages sent again carry the same id and body; returns how many were."""
    stuck = {project for load in loads for project in load.stuck}
    for bodies in by_id.values():
        assert all(body == bodies[0] for body in bodies)
    told = Counter(
        bodies[0]["data"]["project_id"] for bodies in by_id.values() if bodies[0]["type"].endswith("stalled")
    )
    assert {project: told[project] for project in stuck if told[project] > 1} == {}
    return sum(len(bodies) - 1 for bodies in by_id.values())
