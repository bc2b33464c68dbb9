"""`python -m bench.past`: how long lists and funnels take over many projects, live and of the past.

Writes invented projects of eight zones into a database of its own, as the tracker would have: their events, documents
and histories. Then asks over HTTP (Flask's test client: no network) for a random day, a random moment of knowledge,
both, and live; the four take turns. The page of a list is 100 projects. The first answers of each kind are not counted.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from logging import WARNING
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from pymongo import MongoClient
from pymongo.database import Database

from bench.machine import describe
from luodi.domain.events import (
    BLOCKER_CLEARED,
    BLOCKER_RAISED,
    MILESTONE_REPORTED,
    PROGRESS_REPORTED,
    PROJECT_AMENDED,
    PROJECT_REGISTERED,
    Event,
    digest,
)
from luodi.domain.stages import stages_of
from luodi.local.harness import servers
from luodi.runtime import configuration, logging
from luodi.runtime import http as web
from luodi.runtime import settings as settings_module
from luodi.runtime.clock import ManualClock
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from luodi.runtime.settings import Settings
from services.tracker import http
from services.tracker.folding import Folder
from services.tracker.history import MongoHistories, Written, carried, row_of
from services.tracker.journal import MongoJournal
from services.tracker.journal import row_of as journal_row
from services.tracker.mirror import Mirror
from services.tracker.past import Past
from services.tracker.ports import Arrival
from services.tracker.queries import Queries
from services.tracker.recall import Recall
from services.tracker.stores import MongoPositions, MongoProjects
from services.tracker.taskforce import TaskForces
from services.tracker.visibility import Visibility

TEMPLATES = 2_000  # different lives; projects beyond them live one of these again under another id
CHUNK = 2_000
ZONES = 8
FIRST = date(2023, 1, 2)
NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
TOPIC = TopicInfo(8, "0badcafe")
SEED = 20_260_601
ROUTES = ("land", "plant", "expansion")
WANTED_MS = 300
COLLECT_AFTER = (50_000, 20, 100)  # as the tracker's process sets its collector

Json = Mapping[str, Any]


def life(number: int, draw: random.Random) -> list[Event]:
    """One invented project: registered, signed, as far as it got, with corrections, progress and blockers."""
    subject = f"t{number:05d}"
    zone, route, officer = f"zone{number % ZONES}", draw.choice(ROUTES), f"o{number % 80:02d}"
    begun = FIRST + timedelta(days=draw.randrange(1_100))
    told: list[tuple[date, str, dict[str, Any]]] = []
    registered = {
        "name": f"项目{number}",
        "zone": zone,
        "route": route,
        "industry": draw.choice(("新材料", "电子信息", "生物医药", "高端装备制造")),
        "park": f"{number % 5}园",
        "leader": f"l{number % 12:02d}",
        "officer": officer,
        "enterprise": f"企业{number}",
        "investment": draw.randrange(10**6, 10**9),
        "key": number % 10 == 0,
    }
    told.append((begun, PROJECT_REGISTERED, registered))
    day = begun
    for stage in stages_of(route)[: draw.randrange(1, 6)]:
        told.append((day + timedelta(days=draw.randrange(6)), MILESTONE_REPORTED, {"stage": stage, "date": str(day)}))
        if draw.random() < 0.2:
            moved = day - timedelta(days=draw.randrange(1, 9))
            told.append((day + timedelta(days=9), MILESTONE_REPORTED, {"stage": stage, "date": str(moved)}))
        if draw.random() < 0.5:
            progress = {"date": str(day + timedelta(days=20)), "percent": 40, "arrived_total": 10**6}
            told.append((day + timedelta(days=20), PROGRESS_REPORTED, progress))
        day += timedelta(days=draw.randrange(30, 300))
    blocker = {"kind": "用电", "cause": "utility", "owner": "u-power", "date": str(begun + timedelta(days=15))}
    told.append((begun + timedelta(days=15), BLOCKER_RAISED, blocker | {"promise": str(begun + timedelta(days=40))}))
    told.append((begun + timedelta(days=60), BLOCKER_CLEARED, {"blocker_id": "b", "date": str(begun + timedelta(50))}))
    told.append((begun + timedelta(days=90), PROJECT_AMENDED, {"officer": f"o{(number + 1) % 80:02d}"}))
    known = [(on, type_, data) for on, type_, data in told if on <= NOW.date() - timedelta(days=1)]
    events = []
    for place, (on, type_, data) in enumerate(sorted(known, key=lambda row: row[0])):
        recorded = f"{on}T0{place % 9}:00:{place:02d}.000Z"
        events.append(Event(subject, "b" if type_ == BLOCKER_RAISED else f"e{place}", type_, recorded, 0, "u", data))
    return events


def renamed(events: Sequence[Event], subject: str, parent: str | None) -> list[Event]:
    """The same life under another id, some as a phase of another project."""
    return [
        Event(
            subject,
            event.id,
            event.type,
            event.recordedtime,
            event.sequence,
            event.actor,
            {**event.data, "parent": parent} if parent and event.type == PROJECT_REGISTERED else event.data,
        )
        for event in events
    ]


def fill(database: Database[dict[str, Any]], folder: Folder, projects: int, tell: bool = True) -> int:
    """Write everything; returns the number of events."""
    journal, documents = MongoJournal(database), MongoProjects(database)
    histories = MongoHistories(database, TOPIC.tag)
    for store in (journal, documents, histories):
        store.ensure_indexes()
    draw = random.Random(SEED)  # invented data, not a secret
    lives = [life(number, draw) for number in range(min(TEMPLATES, projects))]
    total = 0
    for begin in range(0, projects, CHUNK):
        journaled, stored, rows = [], [], []
        for number in range(begin, min(begin + CHUNK, projects)):
            subject = f"p{number:06d}"
            parent = f"p{number - 1:06d}" if number % 40 == 1 else None  # 2.5 % are phases
            events = renamed(lives[number % len(lives)], subject, parent)
            total += len(events)
            journaled += [
                journal_row(Arrival(event, number % TOPIC.partitions, 0, digest(event), orjson.dumps(event.data)))
                for event in events
            ]
            stored.append(folder.refold(subject, number % TOPIC.partitions, events))
            place = (number % TOPIC.partitions, number + 1)
            rows.append(row_of(subject, place, events, carried(subject, events, None, folder), folder.ruleset))
        database["journal"].insert_many(journaled, ordered=False)
        database["projects"].insert_many(stored, ordered=False)
        histories.write(rows)
        if tell:
            sys.stderr.write(f"  {begin + len(stored)} projects written\n")
    until = NOW.isoformat(timespec="milliseconds")[:23] + "Z"
    histories.advance({partition: Written(projects + 1, until) for partition in range(TOPIC.partitions)})
    return total


def settings_of(uri: str) -> Settings:
    """Settings of a tracker without a Kafka."""
    return settings_module.read({"LUODI_MODE": "local", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "MONGODB_URI": uri})


def served(database: Database[dict[str, Any]], folder: Folder, uri: str) -> tuple[Flask, float, Mirror]:
    """The tracker's routes on this database, and the seconds that taking over all histories took."""
    mirror = Mirror(MongoHistories(database, TOPIC.tag), TOPIC.partitions, Metrics())
    began = time.perf_counter()
    mirror.look()
    seconds = time.perf_counter() - began
    settings = settings_of(uri)
    clock = ManualClock(NOW)
    app = web.create_app("tracker", settings, clock, Metrics(), Probes())
    past = Past(MongoJournal(database), lambda: folder)
    recall = Recall(mirror, past, lambda: folder.calendar)
    visibility = Visibility(MongoPositions(database, TOPIC.tag))
    forces = TaskForces(database, lambda: folder)
    http.add_routes(app, Queries(database), forces, past, recall, visibility, TOPIC, clock, lambda: folder.calendar)
    return app, seconds, mirror


QUESTIONS = {
    "list, one zone, red, by due date": "/v1/projects?zone=zone1&light=red&sort=due",
    "list, all zones, yellow": "/v1/projects?light=yellow",
    "list, all zones, by investment": "/v1/projects?sort=-investment",
    "stalled, all zones, by due date": "/v1/stalled?sort=due",
    "funnel, all zones": "/v1/funnel?",
    "funnel, all zones, by industry": "/v1/funnel?group_by=industry",
    "funnel, one zone, by leader": "/v1/funnel?zone=zone1&group_by=leader",
}


def when(kind: str, draw: random.Random) -> str:
    """The parameters of one question of a kind."""
    day = FIRST + timedelta(days=200 + draw.randrange(1_000))
    known = f"{FIRST + timedelta(days=200 + draw.randrange(1_000))}T09:00:00.000Z"
    return {
        "live": "",
        "as_of": f"&as_of={day}",
        "known_at": f"&known_at={known}",
        "both": f"&as_of={day}&known_at={known}",
    }[kind]


KINDS = ("as_of", "known_at", "both", "live")


def measure(app: Flask, rounds: int, kinds: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of each question and kind, taking turns."""
    client, draw = app.test_client(), random.Random(SEED)  # not a secret
    taken: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in kinds} for name in QUESTIONS}
    for round_ in range(-1, rounds):
        for name, path in QUESTIONS.items():
            for kind in kinds:
                asked = path + when(kind, draw)
                began = time.perf_counter()
                response = client.get(asked)
                milliseconds = (time.perf_counter() - began) * 1000
                if response.status_code != 200:
                    raise RuntimeError(f"{asked}: {response.status_code} {response.data[:300]!r}")
                if round_ >= 0:
                    taken[name][kind].append(milliseconds)
    return taken


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all lies at or below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def report(taken: Mapping[str, Mapping[str, Sequence[float]]], kinds: Sequence[str]) -> str:
    """The table: p50 / p95 in milliseconds."""
    lines = ["| question | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
    for name, by_kind in taken.items():
        cells = [f"{statistics.median(by_kind[k]):.0f} / {percentile(by_kind[k], 0.95):.0f}" for k in kinds]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@contextmanager
def mongodb(uri: str | None) -> Iterator[str]:
    """The server named, else one of our own."""
    if uri is not None:
        yield uri
        return
    with tempfile.TemporaryDirectory() as home, servers(Path(home)) as pair:
        yield pair.mongodb_uri


def main(words: Sequence[str] | None = None) -> int:
    """The command. Exit code 1: a p95 of the past is above what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.past", description=__doc__)
    parser.add_argument("--projects", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--mongo", help="a MongoDB that runs already; a database of its own is made and dropped")
    parser.add_argument("--database", help="measure on this database, filled before, and leave it")
    parser.add_argument("--only-fill", action="store_true", help="fill the database named, do not measure")
    parser.add_argument("--without-live", action="store_true", help="ask for the past alone")
    parser.add_argument("--json", type=Path, help="write every reading here")
    asked = parser.parse_args(words)
    logging.configure("bench", level=WARNING)  # the figures stand alone
    kinds = KINDS[:-1] if asked.without_live else KINDS
    with ExitStack() as stack:
        uri = stack.enter_context(mongodb(asked.mongo))
        settings = settings_of(uri)
        config = configuration.load(settings)
        folder = Folder(config.rules, config.calendar, 1)
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(uri))
        name = asked.database or f"bench_past_{secrets.token_hex(4)}"
        database = client[name]
        if not asked.database:
            stack.callback(client.drop_database, name)
        if asked.only_fill or not asked.database:
            began = time.perf_counter()
            events = fill(database, folder, asked.projects)
            print(f"{asked.projects} projects, {events} events written in {time.perf_counter() - began:.0f} s")
        if asked.only_fill:
            return 0
        app, seconds, mirror = served(database, folder, uri)
        print(f"{len(mirror.columns)} histories taken over in {seconds:.1f} s")
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        taken = measure(app, asked.rounds, kinds)
        print(report(taken, kinds))
        if asked.json is not None:
            asked.json.write_text(json.dumps({"machine": describe(), "ms": taken}, ensure_ascii=False))
        past = [ms for by_kind in taken.values() for kind in KINDS[:-1] for ms in by_kind[kind]]
        slowest = max(percentile(by_kind[kind], 0.95) for by_kind in taken.values() for kind in KINDS[:-1])
        print(f"p95 of all questions of the past: {percentile(past, 0.95):.0f} ms; of the slowest: {slowest:.0f} ms")
        return int(slowest > WANTED_MS)


if __name__ == "__main__":
    sys.exit(main())
