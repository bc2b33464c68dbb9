"""`python -m bench.drives`: how long the five drives take over many projects, for all zones and for one of eight.

Writes the invented projects of `bench.past` into a database of its own and asks over HTTP (Flask's test client: no
network). The first answers are not counted.
"""

from __future__ import annotations

import argparse
import gc
import secrets
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from logging import WARNING
from typing import Any

from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from bench.past import COLLECT_AFTER, NOW, TOPIC, fill, mongodb, percentile, settings_of
from luodi.runtime import configuration, logging
from luodi.runtime import http as web
from luodi.runtime.clock import ManualClock
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from services.tracker import drives_http
from services.tracker.drives import Drives
from services.tracker.folding import Folder
from services.tracker.history import MongoHistories
from services.tracker.journal import MongoJournal
from services.tracker.mirror import Mirror
from services.tracker.past import Past
from services.tracker.recall import Recall
from services.tracker.registry import Registry
from services.tracker.views import Viewer

QUESTIONS = {"all zones": "/v1/drives", "one zone of eight": "/v1/drives?zone=zone1"}
WANTED_MS = 300  # for all zones, at 20,000 projects


def served(database: Database[dict[str, Any]], folder: Folder, uri: str) -> Flask:
    """The route on this database, its histories taken over."""
    mirror = Mirror(MongoHistories(database, TOPIC.tag), TOPIC.partitions, Metrics())
    mirror.look()
    clock = ManualClock(NOW)
    app = web.create_app("tracker", settings_of(uri), clock, Metrics(), Probes())
    recall = Recall(mirror, Past(MongoJournal(database), lambda: folder), lambda: folder.calendar)
    drives_http.add_routes(
        app,
        Drives(database, Registry(database), recall),
        lambda: None,
        lambda: Viewer.at(clock.now_text(), web.language(), folder.calendar),
    )
    return app


def measure(app: Flask, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each question, taking turns."""
    client = app.test_client()
    taken: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for round_ in range(-2, rounds):
        for name, path in QUESTIONS.items():
            began = time.perf_counter()
            response = client.get(path)
            milliseconds = (time.perf_counter() - began) * 1000
            if response.status_code != 200:
                raise RuntimeError(f"{path}: {response.status_code} {response.data[:300]!r}")
            if round_ >= 0:
                taken[name].append(milliseconds)
    return taken


def main(words: Sequence[str] | None = None) -> int:
    """The command. Exit code 1: the p95 over all zones is above what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.drives", description=__doc__)
    parser.add_argument("--projects", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--mongo", help="a MongoDB that runs already; a database of its own is made and dropped")
    parser.add_argument("--database", help="measure on this database, filled before by bench.past, and leave it")
    asked = parser.parse_args(words)
    logging.configure("bench", level=WARNING)  # the figures stand alone
    with ExitStack() as stack:
        uri = stack.enter_context(mongodb(asked.mongo))
        config = configuration.load(settings_of(uri))
        folder = Folder(config.rules, config.calendar, 1)
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(uri))
        name = asked.database or f"bench_drives_{secrets.token_hex(4)}"
        if not asked.database:
            stack.callback(client.drop_database, name)
            fill(client[name], folder, asked.projects)
        app = served(client[name], folder, uri)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        taken = measure(app, asked.rounds)
    print("| the five drives | p50 ms | p95 ms |\n|---|---|---|")
    for question, values in taken.items():
        print(f"| {question} | {statistics.median(values):.0f} | {percentile(values, 0.95):.0f} |")
    return int(percentile(taken["all zones"], 0.95) > WANTED_MS)


if __name__ == "__main__":
    sys.exit(main())
