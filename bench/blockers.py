"""`python -m bench.blockers`: how long the question takes what a unit owes (问题清单).

Writes invented projects into a database of its own, as the tracker would have: five blockers on each of some of them,
cleared, overdue, postponed, paused, unclaimed, of so many units; and others without any. Then asks over HTTP (Flask's
test client: no network) for one unit after the other, and for wider lists, which take turns. The first answers of each
kind are not counted. Says by `explain` which index answered, and how many documents it read.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import secrets
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from logging import WARNING
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.database import Database

from bench.machine import describe
from bench.past import COLLECT_AFTER, NOW, SEED, mongodb, percentile, settings_of
from luodi.domain.days import instant
from luodi.domain.events import (
    BLOCKER_CLEARED,
    BLOCKER_PAUSED,
    BLOCKER_RAISED,
    BLOCKER_UPDATED,
    MILESTONE_REPORTED,
    PROJECT_REGISTERED,
    Event,
)
from luodi.domain.rules import CAUSES
from luodi.runtime import configuration, logging
from luodi.runtime import http as web
from luodi.runtime.clock import ManualClock
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from schemas.catalog.blockers import BLOCKER_KINDS
from services.tracker import blockers_http
from services.tracker.blockers import Blockers
from services.tracker.folding import Folder
from services.tracker.stores import MongoProjects
from services.tracker.views import Viewer

EACH = 5  # blockers of a project that has any
UNITS = 60
ZONES = 8
CHUNK = 2_000
WANTED_MS = 50  # p95 of the question of one unit

QUESTIONS: Mapping[str, str] = {
    "one unit": "owner={unit}",
    "one unit, open": "owner={unit}&status=open",
    "one unit in one zone, overdue": "owner={unit}&zone=zone1&status=overdue",
    "all units of a zone, by unit": "zone=zone1&status=open&group_by=owner",
    "everything, by unit": "group_by=owner",
}


def life(number: int, draw: random.Random, *, hampered: bool) -> list[Event]:
    """One invented project, with or without blockers."""
    subject, signed = f"p{number:06d}", NOW.date() - timedelta(days=draw.randrange(30, 600))
    events: list[Event] = []

    def tell(type_: str, day: date, id_: str, **data: Any) -> None:
        recorded = f"{day}T02:{len(events) // 60:02d}:{len(events) % 60:02d}.000Z"
        events.append(Event(subject, id_, type_, recorded, 0, "u", data))

    tell(
        PROJECT_REGISTERED, signed, "r", name=f"项目{number}", zone=f"zone{number % ZONES}", route="land",
        officer=f"o{number % 80:02d}", group_head=f"g{number % 12:02d}", lead_unit=f"u{number % UNITS:02d}",
        investment=draw.randrange(10**6, 10**9), enterprise=f"企业{number}",
    )  # fmt: skip
    tell(MILESTONE_REPORTED, signed, "s", stage="signed", date=str(signed))
    for place in range(EACH if hampered else 0):
        raised = signed + timedelta(days=draw.randrange(1, 30))
        promise = raised + timedelta(days=draw.randrange(5, 200))
        owner = {} if draw.random() < 0.05 else {"owner": f"u{draw.randrange(UNITS):02d}"}
        kind, cause = draw.choice(BLOCKER_KINDS), draw.choice(CAUSES)
        told = {"kind": kind, "cause": cause, "date": str(raised), "promise": str(promise), "level": "一般", **owner}
        tell(BLOCKER_RAISED, raised, f"b{place}", **told)
        named = {"blocker_id": f"b{place}"}
        if draw.random() < 0.3:
            later = str(promise + timedelta(days=10))
            tell(BLOCKER_UPDATED, raised + timedelta(days=3), f"m{place}", promise=later, reason="设备未到", **named)
        if draw.random() < 0.1:
            until = str(raised + timedelta(days=20))
            tell(BLOCKER_PAUSED, raised, f"p{place}", date=str(raised), approver="l1", until=until, **named)
        if draw.random() < 0.5:
            tell(BLOCKER_CLEARED, raised + timedelta(days=25), f"c{place}", date=str(raised + timedelta(24)), **named)
    return events


def fill(database: Database[dict[str, Any]], folder: Folder, projects: int, others: int) -> None:
    """Write the documents."""
    documents = MongoProjects(database)
    documents.ensure_indexes()
    draw = random.Random(SEED)  # invented data, not a secret
    for begin in range(0, projects + others, CHUNK):
        numbers = range(begin, min(begin + CHUNK, projects + others))
        stored = [
            folder.refold(f"p{number:06d}", 0, life(number, draw, hampered=number < projects)) for number in numbers
        ]
        database["projects"].insert_many(stored, ordered=False)
        sys.stderr.write(f"  {begin + len(stored)} projects written\n")


def served(database: Database[dict[str, Any]], folder: Folder, uri: str) -> Flask:
    """The route on this database."""
    app = web.create_app("tracker", settings_of(uri), ManualClock(NOW), Metrics(), Probes())
    blockers_http.add_routes(
        app,
        Blockers(database, lambda: folder.rules),
        lambda: None,
        lambda: Viewer.at(instant(NOW), web.language(), folder.calendar),
        list,  # nobody has handed anything over
    )
    return app


def measure(client: FlaskClient, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each question, taking turns; a round asks once for every unit."""
    taken: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for round_ in range(-1, rounds):
        for number in range(UNITS):
            for name, question in QUESTIONS.items():
                if "{unit}" not in question and number % 20:
                    continue  # three times a round
                path = "/v1/blockers?" + question.format(unit=f"u{number:02d}")
                began = time.perf_counter()
                response = client.get(path)
                milliseconds = (time.perf_counter() - began) * 1000
                if response.status_code != 200:
                    raise RuntimeError(f"{path}: {response.status_code} {response.data[:300]!r}")
                if round_ >= 0:
                    taken[name].append(milliseconds)
    return taken


def explained(database: Database[dict[str, Any]]) -> str:
    """Which index answers the question of one unit, and what it reads."""
    condition = {"$and": [{"status": {"$in": ["active", "suspended"]}}, {"owing": {"$in": ["done:u07", "open:u07"]}}]}
    plan = database["projects"].find(condition, {"blockers": 1}).hint("owing").explain()
    stats, index = plan["executionStats"], plan["queryPlanner"]["winningPlan"]
    while "indexName" not in index:
        index = index["inputStage"]
    return f"index {index['indexName']}: {stats['totalKeysExamined']} keys, {stats['totalDocsExamined']} documents read"


def main(words: Sequence[str] | None = None) -> int:
    """The command. Exit code 1: the p95 of one unit's question is above what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.blockers", description=__doc__)
    parser.add_argument("--projects", type=int, default=2_000, help="projects with five blockers each")
    parser.add_argument("--others", type=int, default=0, help="projects without any")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--mongo", help="a MongoDB that runs already; a database of its own is made and dropped")
    parser.add_argument("--json", type=Path, help="write every reading here")
    asked = parser.parse_args(words)
    logging.configure("bench", level=WARNING)  # the figures stand alone
    with ExitStack() as stack:
        uri = stack.enter_context(mongodb(asked.mongo))
        config = configuration.load(settings_of(uri))
        folder = Folder(config.rules, config.calendar, 1)
        client: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(uri))
        name = f"bench_blockers_{secrets.token_hex(4)}"
        stack.callback(client.drop_database, name)
        fill(client[name], folder, asked.projects, asked.others)
        app = served(client[name], folder, uri)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        taken = measure(app.test_client(), asked.rounds)
        print(f"{asked.projects * EACH} blockers of {UNITS} units on {asked.projects} projects, {asked.others} others")
        print("| question | p50 ms | p95 ms | most ms |\n|---|---|---|---|")
        for question, ms in taken.items():
            print(f"| {question} | {statistics.median(ms):.1f} | {percentile(ms, 0.95):.1f} | {max(ms):.1f} |")
        print(explained(client[name]))
        if asked.json is not None:
            asked.json.write_text(json.dumps({"machine": describe(), "ms": taken}, ensure_ascii=False))
        return int(percentile(taken["one unit"], 0.95) > WANTED_MS)


if __name__ == "__main__":
    sys.exit(main())
