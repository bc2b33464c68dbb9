"""`python -m bench.recompute`: how long a change of rules takes over many open projects.

Writes invented open projects into a database of its own, as the tracker would have: their events and documents under
the packaged rules. Then puts a shorter limit in force from today on; the two sides take turns over the rounds:

- the product: `luodi config apply` as its user runs it, with its progress and its list of what looks different; every
  document is made anew, guarded, and published to a real Kafka;
- the baseline: a textbook loop over a sample of the same projects, one after the other: read the events, fold, replace,
  send and wait. Its rate is that of the sample.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from pymongo import MongoClient
from pymongo.database import Database

from bench.machine import Meter, describe
from bench.past import SEED, TOPIC, life, renamed
from luodi.domain.assess import assess
from luodi.domain.events import Event, digest
from luodi.domain.fold import fold
from luodi.local.harness import servers
from luodi.runtime import configuration, kafka
from luodi.runtime import settings as settings_module
from luodi.runtime.settings import Settings
from schemas import states
from services.tracker.folding import Folder
from services.tracker.journal import MongoJournal
from services.tracker.journal import row_of as journal_row
from services.tracker.ports import Arrival
from services.tracker.rulesets import Content, MongoRulesets, at_start
from services.tracker.stores import MongoProjects

WANTED_S = 60.0
TEMPLATES = 2_000  # different lives of open projects; those beyond live one of these again under another id
CHUNK = 2_000
SAMPLE = 1_000  # projects of the baseline
LIMITS = (45, 50, 40, 55, 35)  # working days from land to start, one for each round: each is another change

Json = dict[str, Any]


def open_lives(folder: Folder, wanted: int) -> list[list[Event]]:
    """Invented projects of which a clock runs."""
    draw = random.Random(SEED)  # invented data, not a secret
    found: list[list[Event]] = []
    number = 0
    while len(found) < wanted:
        events = life(number, draw)
        number += 1
        if events and folder.assess(events[0].subject, fold(events))["clocks"]:
            found.append(events)
    return found


def fill(database: Database[Json], folder: Folder, projects: int) -> None:
    """Write the projects: events and documents."""
    journal, documents = MongoJournal(database), MongoProjects(database)
    journal.ensure_indexes()
    documents.ensure_indexes()
    lives = open_lives(folder, min(TEMPLATES, projects))
    for begin in range(0, projects, CHUNK):
        journaled, stored = [], []
        for number in range(begin, min(begin + CHUNK, projects)):
            partition = number % TOPIC.partitions
            events = renamed(lives[number % len(lives)], _name(number), None)
            journaled += [
                journal_row(Arrival(event, partition, 0, digest(event), orjson.dumps(event.data))) for event in events
            ]
            stored.append(folder.refold(_name(number), partition, events))
        database["journal"].insert_many(journaled, ordered=False)
        database["projects"].insert_many(stored, ordered=False)
        sys.stderr.write(f"  {begin + len(stored)} projects written\n")


def _name(number: int) -> str:
    return f"p{number:06d}"


def shortened(folder: Path, days: int) -> None:
    """The operator's files: the zone default with a shorter limit from land to start, from today on."""
    text = resources.files("seeds").joinpath("limits", "zone-default.toml").read_text("utf-8")
    rule = text[text.index("[[rule]]") :]
    today = datetime.now(UTC).date()
    changed = rule.replace("valid_from = 1980-01-01", f"valid_from = {today}").replace(
        'gap = ["land_supplied", "started"], working_days = 60',
        f'gap = ["land_supplied", "started"], working_days = {days}',
    )
    if changed == rule or str(days) not in changed:
        raise RuntimeError("the packaged limits have another form: nothing would change")
    (folder / "limits").mkdir(parents=True, exist_ok=True)
    (folder / "limits" / "zone-default.toml").write_text(f"{text}\n{changed}", "utf-8")


def environ(pair: Any, home: Path, name: str) -> dict[str, str]:
    """Settings of the command, nothing of the caller's own among them."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LUODI_", "KAFKA_", "MONGODB_"))}
    return kept | {
        "LUODI_MODE": "local",
        "LUODI_HOME": str(home / "luodi"),
        "LUODI_CONFIG_DIR": str(home / "config"),
        "LUODI_DATABASE": name,
        "LUODI_TOPIC_PREFIX": f"{name.replace('_', '-')}-",
        "KAFKA_BOOTSTRAP_SERVERS": pair.bootstrap,
        "MONGODB_URI": pair.mongodb_uri,
    }


def product(settings: dict[str, str], rows: int) -> tuple[float, str]:
    """Seconds of the command from its start to its end, and what it printed."""
    began = time.perf_counter()
    command = (
        Path(sys.executable).with_name("luodi"),
        "config",
        "apply",
        "--by",
        "bench",
        "--rewrite-history",
        "--rows",
        str(rows),
    )
    done = subprocess.run(command, env=settings, stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - began, done.stdout


def textbook(database: Database[Json], settings: Settings, sample: Sequence[str]) -> float:
    """Projects a second of the loop that does one after the other."""
    config = configuration.load(settings)
    journal, rows = MongoJournal(database), database["textbook"]
    rows.drop()
    topic = settings.topics.states
    producer = kafka.producer(settings)
    try:
        began = time.perf_counter()
        for subject in sample:
            document = assess(subject, fold(journal.read([subject])[subject]), config.rules, config.calendar)
            rows.replace_one({"_id": subject}, document, upsert=True)
            producer.send(topic, key=subject.encode(), value=states.encode_state(document)).get(timeout=10)
        return len(sample) / (time.perf_counter() - began)
    finally:
        producer.close()


def main(words: Sequence[str] | None = None) -> int:
    """The command. Exit code 1: a change took longer than wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.recompute", description=__doc__)
    parser.add_argument("--projects", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2, choices=range(1, len(LIMITS) + 1))
    parser.add_argument("--rows", type=int, default=5, help="rows of the list of changes to show")
    parser.add_argument("--json", type=Path, help="write every reading here")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place, servers(Path(place) / "servers") as pair:
        home, name = Path(place), "bench_recompute"
        (home / "config").mkdir()
        variables = environ(pair, home, name)
        settings = settings_module.read(variables)
        kafka.ensure_topics(settings)
        config = configuration.load(settings)
        client: MongoClient[Json] = MongoClient(pair.mongodb_uri)
        database = client[name]
        now = datetime.now(UTC)
        instant = now.isoformat(timespec="milliseconds")[:23] + "Z"
        number = at_start(MongoRulesets(database), Content.of(config.rules, config.calendar), instant, now.date())
        fill(database, Folder(config.rules, config.calendar, number), asked.projects)
        sample = [_name(n) for n in range(min(SAMPLE, asked.projects))]
        readings: list[dict[str, float]] = []
        for days in LIMITS[: asked.rounds]:
            shortened(home / "config", days)
            meter = Meter()
            seconds, said = product(variables, asked.rows)
            spent = meter.spent()
            rate = textbook(database, settings, sample)
            readings.append(
                {"seconds": seconds, "rate": asked.projects / seconds, "textbook": rate, "steal": spent.steal}
            )
            print(said)
        client.close()
    print("| round | seconds | projects/s | textbook, projects/s | ratio | steal % |\n|---|---|---|---|---|---|")
    for place_, row in enumerate(readings, 1):
        ratio = row["rate"] / row["textbook"]
        figures = (
            f"{row['seconds']:.1f} | {row['rate']:,.0f} | {row['textbook']:,.0f} | {ratio:.1f} | {row['steal']:.1f}"
        )
        print(f"| {place_} | {figures} |")
    slowest = max(row["seconds"] for row in readings)
    print(f"\n{asked.projects} open projects: at most {slowest:.1f} s, wanted ≤ {WANTED_S:.0f} s")
    if asked.json is not None:
        asked.json.write_text(json.dumps({"machine": describe(), "rounds": readings}, ensure_ascii=False), "utf-8")
    return int(slowest > WANTED_S)


if __name__ == "__main__":
    sys.exit(main())
