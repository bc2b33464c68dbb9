"""The three services in one process, on a real Kafka and a real MongoDB, by a business clock that can jump.

Hours and days of the calendar pass in no time; all else is as always: HTTP, topics, watermarks, leases, waits.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import urllib3
from werkzeug.test import Client

from luodi.local.harness import Servers
from luodi.local.net import free_address
from luodi.runtime import kafka, mongo
from luodi.runtime import settings as settings_module
from luodi.runtime.clock import SystemClock
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from services.ingest.app import build as build_ingest
from services.notify.app import Service
from services.notify.app import build as build_notify
from services.tracker.app import Tracker
from services.tracker.app import build as build_tracker
from tests.integration.notify.world import until

SHANGHAI = ZoneInfo("Asia/Shanghai")
PARTITIONS = 2
ANSWER_S = 1.0  # notify without MongoDB answers late: then it is away
LAND_DAYS = 90  # from signature to land, in calendar days
ZONE = "qingyuan"
RED_KINDS = ("stalled", "escalated", "handover", "recovered", "cleared")


class JumpingClock(SystemClock):
    """The machine's clock, whose business time can be moved ahead."""

    def __init__(self, start: datetime) -> None:
        super().__init__((start - datetime.now(UTC)).total_seconds())

    def goes_to(self, moment: datetime) -> None:
        """Business time is `moment` now."""
        assert moment > self.now(), "it never falls"
        self._offset = moment - datetime.now(UTC)


@dataclass
class Drill:
    """Ingest, tracker and notify with topics and a database of their own; business time begins at `start`."""

    pair: Servers
    home: Path
    start: datetime
    environ: dict[str, str] = field(default_factory=dict)
    tracker: Tracker | None = None
    notify: Service | None = None
    stops: list[Stop] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock, self.metrics = JumpingClock(self.start), Metrics()
        name = f"o{secrets.token_hex(4)}-"
        self.settings = settings_module.read(
            {
                "LUODI_HOME": str(self.home),
                "LUODI_MODE": "local",
                "KAFKA_BOOTSTRAP_SERVERS": self.pair.bootstrap,
                "MONGODB_URI": self.pair.mongodb_uri,
                "LUODI_DATABASE": f"drill_{name[:-1]}",
                "LUODI_PARTITIONS": str(PARTITIONS),
                "LUODI_TOPIC_PREFIX": name,
                "LUODI_GROUP_PREFIX": name,
                "LUODI_SLOT": "one",
                "LUODI_SETTLE_S": "0.5",
                "LUODI_WORKING_HOURS": "always",
                "LUODI_TRACKER_LISTEN": str(free_address()),
                "LUODI_NOTIFY_LISTEN": str(free_address()),
                **self.environ,
            }
        )
        self.http = urllib3.PoolManager(retries=False, timeout=ANSWER_S)
        self.database = mongo.connect(self.settings)
        self.topic = kafka.ensure_topics(self.settings)
        self.ingest = build_ingest(self.settings, clock=self.clock, metrics=Metrics())
        self.ingest.start()
        self.reports = Client(self.ingest.wsgi)

    # -- the services -------------------------------------------------------------------------------------------------

    def starts(self, *parts: str) -> None:
        for part in parts:
            stop = Stop()
            self.stops.append(stop)
            if part == "tracker":
                self.tracker = build_tracker(self.settings, stop, clock=self.clock, topic=self.topic, metrics=Metrics())
                self.tracker.start()
            else:
                self.metrics = Metrics()
                self.notify = build_notify(self.settings, stop, clock=self.clock, metrics=self.metrics)
                self.notify.start()

    def ends(self, *parts: str) -> None:
        if "tracker" in parts and self.tracker is not None:
            self.tracker.stop(10)
            self.tracker = None
        if "notify" in parts and self.notify is not None:
            self.notify.stop(10)
            self.notify = None

    def close(self) -> None:
        self.ends("tracker", "notify")
        self.ingest.stop(5)
        self.database.client.drop_database(self.database.name)
        self.database.client.close()
        self.http.clear()
        failed = [stop.failure for stop in self.stops if stop.failure is not None]
        assert not failed, f"a service ended by itself: {failed!r}"

    # -- what people do -----------------------------------------------------------------------------------------------

    def posts(self, path: str, **body: Any) -> str:
        """A post to ingest, again under its own id until it is acknowledged. Returns the id of its event."""
        name = secrets.token_hex(8)
        text = json.dumps({"id": name, **body})

        def acknowledged() -> bool:
            answer = self.reports.post(path, data=text, content_type="application/json")
            assert answer.status_code in {202, 503}, answer.text
            return answer.status_code != 503

        until(acknowledged, f"{path} {body} acknowledged", 60)
        return name

    def reports_stage(self, project: str, stage: str, day: date) -> None:
        self.posts("/v1/milestones", project_id=project, stage=stage, date=day.isoformat(), actor=f"u-{project}")

    def signs(self, project: str, day: date, **fields: Any) -> None:
        """A project with an officer of its own, a group head and a lead unit, signed on a day."""
        people = {"officer": f"u-{project}", "group_head": "u-head", "lead_unit": "d-land", "vice_leader": "u-vice"}
        told = {"project_id": project, "name": project, "zone": ZONE, "route": "land", **people, **fields}
        self.posts("/v1/projects", **told)
        self.reports_stage(project, "signed", day)

    def acts(self, project: str, what: str, actor: str, **body: Any) -> tuple[int, Any]:
        """An act on the matter of the project's land, as notify answers it."""
        path = f"/v1/matters/{project}:signed-land_supplied/{what}"
        return self.ask("POST", path, actor=actor, **body)

    # -- what people see ----------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        """Notify's answer."""
        headers = {"Content-Type": "application/json"} if body else {}
        answer = self.http.request(
            method,
            f"http://{self.settings.notify_listen}{path}",
            body=json.dumps(body) if body else None,
            headers=headers,
            timeout=10,
        )
        return answer.status, json.loads(answer.data)

    def matter(self, project: str) -> dict[str, Any]:
        """The matter of the project's land."""
        status, body = self.ask("GET", f"/v1/matters/{project}:signed-land_supplied")
        assert status == 200, body
        return dict(body)

    def timeline(self, project: str) -> list[str]:
        """The types of the project's events, as the tracker tells them."""
        address = f"http://{self.settings.tracker_listen}/v1/projects/{project}/timeline"
        answer = self.http.request("GET", address, timeout=10)
        return [item["type"] for item in json.loads(answer.data)["items"]]

    def told(self, project: str, recipient: str | None = None) -> tuple[str, ...]:
        """Kinds of what the officer (or another) was told of a stall, oldest first; `away`: notify does not answer."""
        query = f"limit=100&project_id={project}&recipient={recipient or f'u-{project}'}"
        try:
            answer = self.http.request("GET", f"http://{self.settings.notify_listen}/v1/notifications?{query}")
        except urllib3.exceptions.HTTPError:
            return ("away",)
        if answer.status != 200:
            return ("away",)
        rows = [row for row in json.loads(answer.data)["items"] if row["status"] != "superseded"]
        return tuple(row["kind"] for row in reversed(rows) if row["kind"] in RED_KINDS)

    def sweeps(self) -> float:
        """How many sweeps of this notify have ended well."""
        return self.metrics.registry.get_sample_value("luodi_sweep_seconds_count") or 0.0

    def looks_again(self) -> None:
        """Wait until notify has looked at everything that is due twice more: once may have begun before."""
        before = self.sweeps()
        until(lambda: self.sweeps() >= before + 2, "two more sweeps")

    def knows(self, project: str) -> bool:
        """Whether notify has heard of the project's deadline."""
        row = self.database["watches"].find_one({"_id": project})
        return row is not None and bool(row["deadlines"])

    def rests(self) -> None:
        """Wait until what was acknowledged by now is judged on every partition: a stall of each was told since."""
        markers: dict[int, str] = {}
        while len(markers) < PARTITIONS:
            name = f"marker-{secrets.token_hex(4)}"
            markers.setdefault(kafka.partition_for(name, PARTITIONS), name)
        long_ago = self.clock.now().astimezone(SHANGHAI).date() - timedelta(days=400)
        for name in markers.values():
            self.signs(name, long_ago)
        until(lambda: all(self.told(name) for name in markers.values()), "the markers told", 60)
