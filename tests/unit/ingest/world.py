"""Ingest with a log in memory and a clock that is turned by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from werkzeug.test import Client, TestResponse

from luodi.domain.events import Event
from luodi.runtime import configuration, settings
from luodi.runtime.clock import ManualClock
from luodi.runtime.configuration import Configuration
from luodi.runtime.settings import Settings
from schemas import codec
from services.ingest.app import Ingest, build
from services.ingest.memory import MemoryLog

NOON = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)  # noon in Shanghai
ENVIRON = {
    "LUODI_MODE": "local",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "MONGODB_URI": "mongodb://127.0.0.1:1",
}


def read_settings(home: Path, **environ: str) -> Settings:
    return settings.read({**ENVIRON, "LUODI_HOME": str(home), **environ})


@cache
def _packaged() -> Configuration:
    """What the packaged files hold, and a zone with the id that tests give to whatever an event is about: a tenth of a
    second to read, the same for every test."""
    config = configuration.load(settings.read(ENVIRON))
    return replace(config, zones={**config.zones, "p1": configuration.Zone("p1", "pone", "示例", "Example")})


@dataclass
class World:
    """One process of ingest, and what a test looks at."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = read_settings(self.home, **self.environ)
        self.clock = ManualClock(NOON, self.settings.clock_offset_s)
        self.log = MemoryLog(now_ms=lambda: int(self.clock.wall().timestamp() * 1000))
        parts = {"config": _packaged() if self.settings.config_dir is None else None} | self.overrides
        self.ingest: Ingest = build(self.settings, clock=self.clock, event_log=self.log, **parts)
        self.client = Client(self.ingest.wsgi)

    def post(self, path: str, body: Any, method: str = "POST", **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            path, method=method, data=orjson.dumps(body), headers={"Content-Type": "application/json", **named}
        )

    @property
    def events(self) -> list[Event]:
        """What stands in the log, read as every consumer reads it."""
        return [
            codec.decode(record.value, record.subject.encode(), self.settings.timezone)
            for partition in self.log.partitions
            for record in partition
        ]
