"""`luodi rebuild [--compare]`: fold everything again from Kafka, the one source of truth.

With `--compare` beside the running system: into shadow collections, which are compared with the live ones byte for byte
and dropped. Without, the live journal is completed from Kafka and every document made anew under a new activation
number of the same rules, so that also a document that was tampered with gives way. Roll-ups are made from the documents
again, or held against them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection as MongoCollection

from luodi.domain.subjects import is_project
from luodi.runtime import kafka
from luodi.runtime.clock import SystemClock
from luodi.runtime.errors import FatalError
from luodi.runtime.mongo import translated
from services.tracker import console, intake, rulesets
from services.tracker.console import Connections, Progress, TopicReader
from services.tracker.folding import Folder
from services.tracker.history import MongoHistories, carried, meaning, row_of
from services.tracker.journal import MongoJournal
from services.tracker.outbox import KafkaOutbox
from services.tracker.rollups import Maker, MongoRollUps, chunks
from services.tracker.rulesets import Content, MongoRulesets
from services.tracker.stores import MongoPositions, MongoProjects
from services.tracker.subjects import OTHERS, MongoOthers, MongoSubjects

SHADOW_JOURNAL, SHADOW_PROJECTS, SHADOW_OTHERS = "shadow_journal", "shadow_projects", "shadow_subjects"
SHADOWS = (("projects", SHADOW_PROJECTS), (OTHERS, SHADOW_OTHERS))  # of documents: the live collection, its shadow
CHUNK = 500  # subjects folded at a time
ROUNDS = 10  # of looking again at documents that moved on while they were compared
PATIENCE_S = 60.0  # for the live tracker to get any further
LOOK_EVERY_S = 0.2
ROLLUPS_LOOK_EVERY_S = 0.5
SHOWN = 20  # differences printed for people


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as it should be.

    `where` is `journal`, `projects`, `subjects`, `rollups` or `history`, `what` is missing, extra or different.
    """

    where: str
    id: str
    what: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """What a comparison found."""

    records: int = 0
    events: int = 0
    rejects: int = 0
    projects: int = 0
    others: int = 0  # subjects that are no projects
    differences: list[Difference] = field(default_factory=list)


def main(words: Sequence[str]) -> int:
    """The command. Exit code 1: there is a difference, or the live system did not catch up."""
    parser = argparse.ArgumentParser(prog="luodi rebuild", description="Fold everything again from Kafka.")
    parser.add_argument("--compare", action="store_true", help="change nothing: compare, and report every difference")
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = parser.parse_args(words)
    command: Callable[..., int] = compare if asked.compare else repair
    return console.run("rebuild", lambda c: command(c, as_json=asked.json))


def compare(connections: Connections, *, as_json: bool = False) -> int:
    """Fold into shadows, compare, report."""
    with ExitStack() as stack:
        report = Comparison(connections, stack).run()
    if as_json:
        console.say_json(
            {
                "records": report.records,
                "events": report.events,
                "rejects": report.rejects,
                "projects": report.projects,
                "subjects": report.others,
                "differences": [
                    {"where": d.where, "id": d.id, "what": d.what, "fields": list(d.fields)} for d in report.differences
                ],
            }
        )
    else:
        console.say(
            f"{report.records} records: {report.events} events of {report.projects} projects and {report.others} units "
            f"and the like, {report.rejects} rejects"
        )
        for difference in report.differences[:SHOWN]:
            named = f" in {', '.join(difference.fields)}" if difference.fields else ""
            console.say(f"  {difference.where} {difference.id}: {difference.what}{named}")
        count = len(report.differences)
        console.say("no difference" if count == 0 else f"{count} differences: `luodi rebuild` makes them anew")
    return console.EXIT_FAILED if report.differences else 0


def repair(connections: Connections, *, as_json: bool = False) -> int:
    """Complete the journal, then make every document anew under a new number and publish it. Safe beside trackers."""
    progress = Progress()
    journal = MongoJournal(connections.database)
    projects, others = MongoProjects(connections.database), MongoOthers(connections.database)
    journal.ensure_indexes()
    projects.ensure_indexes()
    others.ensure_indexes()
    stored = MongoSubjects(projects, others)
    reader = TopicReader(connections.settings, connections.settings.topics.events)
    added = records = 0
    try:
        ends = reader.ends()
        for batch in reader.read(ends):
            claims = intake.read(batch, connections.settings.timezone).first_claims()
            added += len(claims) - len(journal.add(claims))
            records += sum(map(len, batch.values()))
            progress.tell(f"{records} of {sum(ends.values())} records read")
    finally:
        reader.close()
    content = Content.of(connections.config.rules, connections.config.calendar)
    clock = SystemClock(connections.settings.clock_offset_s)
    today = connections.config.calendar.business_date(clock.now_text())
    activation = rulesets.activate(
        MongoRulesets(connections.database), content, clock.wall_text(), today, by="rebuild", afresh=True
    )
    number = activation.number
    folder = Folder(connections.config.rules, connections.config.calendar, number)
    producers = kafka.Producers(connections.settings)
    done = 0
    try:
        outbox = KafkaOutbox(connections.settings, producers)
        for subjects in _chunks(journal.subjects(), CHUNK):
            partitions = journal.partitions(subjects)
            documents = [
                folder.refold(subject, partitions[subject], events)
                for subject, events in journal.read(subjects).items()
            ]
            for document in documents:
                outbox.state(document, None)
            outbox.sent().result()
            stored.offer(documents)
            done += len(documents)
            progress.tell(f"{done} documents made anew")
    finally:
        producers.close(10)
    rolled = _roll_up(connections, progress)
    if as_json:
        console.say_json(
            {"records": records, "journaled": added, "projects": done, "rollups": rolled, "ruleset": number}
        )
    else:
        console.say(f"{records} records read, {added} of them were missing in the journal")
        console.say(f"{done} documents made anew and published under activation {number}")
        console.say(f"{rolled} roll-ups made anew")
    return 0


def _roll_up(connections: Connections, progress: Progress) -> int:
    """Make every roll-up anew from the documents; returns how many."""
    rollups = MongoRollUps(connections.database)
    rollups.ensure_indexes()
    maker, done = Maker(rollups), 0
    for chunk in chunks(rollups.named()):
        maker.make(chunk)
        done += len(chunk)
        progress.tell(f"{done} roll-ups made anew")
    return done


class Comparison:
    """The shadow and its comparison with the live collections."""

    def __init__(self, connections: Connections, stack: ExitStack) -> None:
        self._connections = connections
        self._progress = Progress()
        self._report = Report()
        self._folder = self._live_folder()
        self._live = MongoSubjects(MongoProjects(connections.database), MongoOthers(connections.database))
        self._positions = MongoPositions(connections.database, connections.topic.tag)
        self._shadow_journal = MongoJournal(connections.database, SHADOW_JOURNAL)
        self._shadow = MongoSubjects(
            MongoProjects(connections.database, SHADOW_PROJECTS), MongoOthers(connections.database, SHADOW_OTHERS)
        )
        self._drop()
        self._shadow_journal.ensure_indexes()
        stack.callback(self._drop)
        self._reader = TopicReader(connections.settings, connections.settings.topics.events)
        stack.callback(self._reader.close)

    def run(self) -> Report:
        """Read, fold, wait for the live system, compare; look again at what moved on meanwhile."""
        ends = self._reader.ends()
        self._read(ends)
        self._fold(self._shadow_journal.subjects())
        self._await_live(ends)
        suspects = [d.id for d in self._documents(None)]
        for _ in range(ROUNDS):
            ends = self._reader.ends()
            touched = self._read(ends)
            if not suspects and not touched:
                break
            looked_at = sorted({*suspects, *touched})
            self._fold(iter(looked_at))
            self._await_live(ends)
            suspects = [d.id for d in self._documents(looked_at)]
            if not suspects:
                break
        self._report.differences = [
            *_differing(self._raw("journal", ends), self._raw(SHADOW_JOURNAL), "journal", None),
            *self._documents(suspects),
            *self._histories(),
            *self._rollups(),
        ]
        with translated():
            self._report.projects = self._connections.database[SHADOW_PROJECTS].estimated_document_count()
            self._report.others = self._connections.database[SHADOW_OTHERS].estimated_document_count()
        return self._report

    def _documents(self, ids: Collection[str] | None) -> Iterator[Difference]:
        """Documents of every kind that are not what the shadow holds; `ids` None: of all."""
        for name, shadow in SHADOWS:
            yield from _differing(self._raw(name), self._raw(shadow), name, ids)

    def _rollups(self) -> list[Difference]:
        """Roll-ups that are not what the live documents say, and do not become it: they follow in about a second."""
        rollups = MongoRollUps(self._connections.database)
        rollups.ensure_indexes()
        found = rollups.differing(rollups.named())
        for _ in range(ROUNDS):
            if not found:
                break
            self._progress.tell(f"waiting for {len(found)} roll-ups")
            time.sleep(ROLLUPS_LOOK_EVERY_S)
            found = rollups.differing(sorted(found))
        return [Difference("rollups", id_, what) for id_, what in found.items()]

    def _read(self, ends: dict[int, int]) -> set[str]:
        """Read on up to these ends; returns the subjects that have new events."""
        touched: set[str] = set()
        for records in self._reader.read(ends):
            batch = intake.read(records, self._connections.settings.timezone)
            verdict = intake.judge(batch, self._shadow_journal.add(batch.first_claims()))
            touched |= verdict.place.keys()
            self._report.records += sum(map(len, records.values()))
            self._report.events += verdict.new
            self._report.rejects += len(verdict.rejects)
            self._progress.tell(f"{self._report.records} of {sum(ends.values())} records read")
        return touched

    def _fold(self, subjects: Iterator[str]) -> None:
        done = 0
        for chunk in _chunks(subjects, CHUNK):
            partitions = self._shadow_journal.partitions(chunk)
            histories = self._shadow_journal.read(chunk)
            self._shadow.offer([self._folder.refold(s, partitions[s], events) for s, events in histories.items()])
            done += len(chunk)
            self._progress.tell(f"{done} projects folded")

    def _histories(self) -> Iterator[Difference]:
        """Histories that are not what the live journal makes them; one that is behind is waited for."""
        live = MongoHistories(self._connections.database, self._connections.topic.tag)
        journal = MongoJournal(self._connections.database)
        done = 0
        for chunk in _chunks(filter(is_project, self._shadow_journal.subjects()), CHUNK):
            waiting, rows = chunk, live.read(chunk)
            deadline = time.monotonic() + PATIENCE_S
            while waiting:
                events = journal.read(waiting)  # after the rows: it may hold more than they do, never less
                late = []
                for subject in waiting:
                    row, told = rows.get(subject), events.get(subject, [])
                    if not told:
                        continue  # missing in the journal: that is told already
                    if row is None or row.events < len(told) or row.ruleset < self._folder.ruleset:
                        late.append(subject)
                        continue
                    place = (row.partition, row.at)
                    made = row_of(subject, place, told, carried(subject, told, None, self._folder), row.ruleset)
                    if meaning(row) != meaning(made):
                        yield Difference("history", subject, "different")
                waiting = late
                if time.monotonic() > deadline:
                    break
                if waiting:
                    time.sleep(LOOK_EVERY_S)
                    rows = live.read(waiting)
            yield from (Difference("history", subject, "missing") for subject in waiting)
            done += len(chunk)
            self._progress.tell(f"{done} histories compared")

    def _await_live(self, ends: dict[int, int]) -> None:
        """Wait until the live tracker has applied everything below `ends` and renewed every document."""
        deadline, last = time.monotonic() + PATIENCE_S, -1
        while True:
            applied = self._positions.read(ends)
            behind = sum(max(0, end - applied.get(p, 0)) for p, end in ends.items())
            if behind == 0 and not self._live.outdated(list(ends), self._folder.ruleset, 1):
                return
            if behind != last:
                deadline, last = time.monotonic() + PATIENCE_S, behind
            if time.monotonic() > deadline:
                raise FatalError(
                    f"the tracker is {behind} records behind and got no further for {PATIENCE_S:.0f} s: does it run?"
                )
            self._progress.tell(f"waiting for the tracker: {behind} records behind")
            time.sleep(LOOK_EVERY_S)

    def _live_folder(self) -> Folder:
        config = self._connections.config
        latest = MongoRulesets(self._connections.database).latest()
        if latest is None or latest.digest != Content.of(config.rules, config.calendar).digest:
            raise FatalError(
                "the rules in force are not those of this version: compare with the version that runs "
                "(`luodi config show`)"
            )
        return Folder(config.rules, config.calendar, latest.number)

    def _raw(self, name: str, ends: dict[int, int] | None = None) -> _Side:
        options: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
        return _Side(self._connections.database.get_collection(name, codec_options=options), ends)

    def _drop(self) -> None:
        MongoJournal(self._connections.database, SHADOW_JOURNAL).drop()
        for _, shadow in SHADOWS:
            MongoProjects(self._connections.database, shadow).drop()


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a comparison; journal rows at or behind `ends` are not yet part of it."""

    rows: MongoCollection[Any]
    ends: dict[int, int] | None

    def read(self, ids: Collection[str] | None) -> Iterator[RawBSONDocument]:
        condition = {"_id": {"$gt": ""}} if ids is None else {"_id": {"$in": list(ids)}}
        with translated():
            for row in self.rows.find(condition).sort("_id"):
                if self.ends is None or row["offset"] < self.ends.get(row["partition"], 0):
                    yield row


def _differing(live: _Side, shadow: _Side, where: str, ids: Collection[str] | None) -> Iterator[Difference]:
    """Walk both sides in the order of their ids."""
    mine, theirs = live.read(ids), shadow.read(ids)
    row, expected = next(mine, None), next(theirs, None)
    while row is not None or expected is not None:
        if expected is None or (row is not None and row["_id"] < expected["_id"]):
            assert row is not None
            yield Difference(where, row["_id"], "extra")
            row = next(mine, None)
        elif row is None or expected["_id"] < row["_id"]:
            yield Difference(where, expected["_id"], "missing")
            expected = next(theirs, None)
        else:
            if row.raw != expected.raw:
                names = sorted({*row.keys(), *expected.keys()})
                changed = tuple(name for name in names if row.get(name) != expected.get(name))
                yield Difference(where, row["_id"], "different", changed or ("order of fields",))
            row, expected = next(mine, None), next(theirs, None)


def _chunks(values: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(values, size)):
        yield chunk
