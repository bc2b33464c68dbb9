"""After a change of rules or calendar: make every document anew in one go, and tell what has changed by it.

A document is made from its stored folded state; its events are read only where the fold itself has changed. It is
published before it is replaced, as `renewal` does it, and replaced only where it stands as it was read: what a tracker
wrote in between is found outdated again and done once more. So this may be broken off anywhere: the trackers finish it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database

from luodi.domain.assess import POOL, in_force, light_at
from luodi.domain.clocks import LIGHTS, RED
from luodi.runtime.errors import TransientError
from luodi.runtime.mongo import translated
from services.tracker.folding import Folder
from services.tracker.ports import Base, Document, Journal, Outbox, Outdated, Projects
from services.tracker.renewal import renewed

BATCH = 1_000
IN_FLIGHT = 2  # batches published and not yet replaced
ROUNDS = 20  # of looking for what others wrote meanwhile

_AS_IT_WAS = {
    "partition": 1,
    "events": 1,
    "ruleset": 1,
    "fold": 1,
    "status": 1,
    "lights.light": 1,
    "lights.from": 1,
    "closed.gap": 1,
    "closed.rule": 1,
    "closed.verdict": 1,
    "clocks.gap": 1,
    "clocks.rule": 1,
    "clocks.due": 1,
    "clocks.versions": 1,
    "clocks.lights.light": 1,
    "clocks.lights.from": 1,
}

Gap = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Face:
    """How a gap looks now: the worst of its clocks. Without a clock the light is the project's, without due date."""

    light: str
    due: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A gap that looks different under the new rules."""

    project_id: str
    name: str | None
    zone: str | None
    gap: Gap | None
    before: Face
    after: Face


@dataclass(slots=True)
class Outcome:
    """What was made anew, and what looks different by it."""

    documents: int = 0
    verdicts: int = 0  # of closed gaps that are others now
    changes: list[Change] = field(default_factory=list)

    def turns(self) -> list[tuple[str, str, int]]:
        """(light before, light after, how many), the worst news first. An equal light: only the due date moved."""
        counted = Counter((change.before.light, change.after.light) for change in self.changes)
        return [
            (*turn, counted[turn])
            for turn in sorted(counted, key=lambda turn: (LIGHTS.index(turn[1]), -LIGHTS.index(turn[0])))
        ]

    def new_reds(self) -> int:
        """Gaps that are red now and were not."""
        return sum(change.after.light == RED != change.before.light for change in self.changes)


class Recompute:
    """One pass over all documents. `outbox` None: nothing is written, only told (a dry run)."""

    def __init__(
        self,
        database: Database[Document],
        journal: Journal,
        projects: Projects,
        outbox: Outbox | None,
        folder: Folder,
        may_take_over: Callable[[int], bool],
    ) -> None:
        self._documents: MongoCollection[Document] = database["projects"]
        self._journal = journal
        self._projects = projects
        self._outbox = outbox
        self._folder = folder
        self._may_take_over = may_take_over
        self._in_flight: list[Future[None]] = []
        self._seen: set[str] = set()

    def outstanding(self) -> int:
        """How many documents are of an older activation."""
        with translated():
            return self._documents.count_documents(self._older())

    def run(self, now: str, tell: Callable[[int], None]) -> Outcome:
        """Make them all anew; `tell` is called with the number done so far. `now`: when lights are looked at.

        Raises TransientError, FatalError, TooLargeError; what is done stays done.
        """
        outcome, today = Outcome(), self._folder.calendar.business_date(now)
        with ThreadPoolExecutor(1, "settle") as settling:
            for _ in range(ROUNDS):
                for stored in self._batches():
                    self._make(stored, now, today, outcome, settling)
                    tell(outcome.documents)
                self._settle(0)
                if self._outbox is None or not self.outstanding():
                    return outcome
        raise TransientError("MongoDB", "documents of older rules keep being written: is another version running?")

    def _make(
        self, stored: Sequence[Document], now: str, today: date, outcome: Outcome, settling: ThreadPoolExecutor
    ) -> None:
        outdated = {
            row["_id"]: Outdated(row["partition"], Base(row["events"], row["ruleset"], row["fold"])) for row in stored
        }
        documents = {d["_id"]: d for d in renewed(self._folder, outdated, self._journal, self._may_take_over)}
        for row in stored:
            subject = row["_id"]
            if subject in documents and subject not in self._seen:
                self._seen.add(subject)  # done again because a tracker was quicker: what was told stays told
                outcome.documents += 1
                outcome.changes += changes(row, documents[subject], now, today)
                outcome.verdicts += verdicts_changed(row, documents[subject])
        if self._outbox is None:
            return
        for document in documents.values():
            self._outbox.state(document, None)
        sent = self._outbox.sent()
        replacing = [(outdated[subject].base, document) for subject, document in documents.items()]

        def settle() -> None:
            sent.result()
            self._projects.swap(replacing)

        self._in_flight.append(settling.submit(settle))
        self._settle(IN_FLIGHT)

    def _settle(self, left: int) -> None:
        while len(self._in_flight) > left:
            self._in_flight.pop(0).result()

    def _batches(self) -> Iterator[list[Document]]:
        with translated():
            batch: list[Document] = []
            for row in self._documents.find(self._older(), _AS_IT_WAS, batch_size=BATCH):
                batch.append(row)
                if len(batch) == BATCH:
                    yield batch
                    batch = []
            yield batch

    def _older(self) -> dict[str, Any]:
        # The partition bounds the index; every document has one.
        return {"partition": {"$gte": 0}, "ruleset": {"$lt": self._folder.ruleset}}


def changes(before: Document, after: Document, now: str, today: date) -> Iterator[Change]:
    """What looks different now in a document made anew."""
    if after["status"] == POOL:
        return
    was, is_now = _faces(before, now, today), _faces(after, now, today)
    if not was.keys() and not is_now.keys():
        was, is_now = {None: _whole(before, now)}, {None: _whole(after, now)}
    for gap in dict.fromkeys([*was, *is_now]):
        old, new = was.get(gap) or _whole(before, now), is_now.get(gap) or _whole(after, now)
        if (old.light, old.due) != (new.light, new.due):
            yield Change(after["_id"], after.get("name"), after.get("zone"), gap, old, new)


def verdicts_changed(before: Document, after: Document) -> int:
    """How many verdicts on closed gaps are others now, or gone. One of a rule that is new changes none."""
    is_now = _verdicts(after)
    return sum(is_now.get(key) != verdict for key, verdict in _verdicts(before).items())


def _verdicts(document: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
    return {(*closed["gap"], closed["rule"]): closed["verdict"] for closed in document.get("closed", ())}


def _faces(document: Mapping[str, Any], now: str, today: date) -> dict[Gap | None, Face]:
    faces: dict[Gap | None, Face] = {}
    for stored in document["clocks"]:
        clock = in_force(stored, today)
        face = Face(light_at(stored["lights"], now)["light"], clock["due"], clock["rule"])
        gap: Gap = (clock["gap"][0], clock["gap"][1])
        if gap not in faces or _urgency(face) < _urgency(faces[gap]):
            faces[gap] = face
    return faces


def _urgency(face: Face) -> tuple[int, str]:
    return LIGHTS.index(face.light), face.due or ""


def _whole(document: Mapping[str, Any], now: str) -> Face:
    return Face(light_at(document["lights"], now)["light"])
