"""Which rules are in force: a number for each activation of rules, calendar and fold version.

Numbers only rise, so a document made under a newer number is never replaced by one made under an older. Content never
seen before is activated by the first tracker that starts with it; going back to content seen earlier is the
operator's act (`luodi config activate`) and gets a new, higher number.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Protocol

from pymongo import DESCENDING
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from luodi.domain.calendar import Calendar
from luodi.domain.fold import FOLD_VERSION
from luodi.domain.rules import Rules
from luodi.runtime import logging
from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.mongo import translated
from services.tracker.folding import Folder
from services.tracker.ports import Document

ATTEMPTS = 20  # of taking the next number while others take it too

log = logging.get("rulesets")


@dataclass(frozen=True, slots=True)
class Content:
    """Everything besides the events that a document depends on."""

    fold_version: int
    rules: str
    calendar: str

    @classmethod
    def of(cls, rules: Rules, calendar: Calendar) -> Content:
        return cls(FOLD_VERSION, rules.fingerprint(), calendar.fingerprint())

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.fold_version}\n{self.rules}\n{self.calendar}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Activation:
    """One row: the number and what it stands for. `activated_at` is wall time."""

    number: int
    digest: str
    fold_version: int
    rules: str
    calendar: str
    activated_at: str


class Rulesets(Protocol):
    """All activations, in the order of their numbers."""

    def latest(self) -> Activation | None:
        """The one in force."""

    def seen(self, digest: str) -> bool:
        """Whether this content has ever been activated."""

    def add(self, activation: Activation) -> bool:
        """Add it; False when another worker took its number first."""

    def all(self) -> list[Activation]:
        """Every activation, oldest first."""


class MongoRulesets:
    """The collection `rulesets`: `{_id: number, digest, fold_version, rules, calendar, activated_at}`."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows: MongoCollection[Document] = database["rulesets"]

    def latest(self) -> Activation | None:
        with translated():
            row = self._rows.find_one(sort=[("_id", DESCENDING)])
        return _activation(row) if row else None

    def seen(self, digest: str) -> bool:
        with translated():
            # A handful of rows in the lifetime of a system: walking them by number needs no index of its own.
            return any(row["digest"] == digest for row in self._rows.find({"_id": {"$gt": 0}}, {"digest": 1}))

    def add(self, activation: Activation) -> bool:
        row: Document = {
            "_id": activation.number,
            "digest": activation.digest,
            "fold_version": activation.fold_version,
            "rules": activation.rules,
            "calendar": activation.calendar,
            "activated_at": activation.activated_at,
        }
        try:
            with translated():
                try:
                    self._rows.insert_one(row)
                except DuplicateKeyError:  # another worker got there first
                    return False
        except TransientError:
            # The outcome is unknown; ours stands there if it was written.
            return self.latest() == activation
        return True

    def all(self) -> list[Activation]:
        with translated():
            return [_activation(row) for row in self._rows.find({"_id": {"$gt": 0}}).sort("_id")]


def at_start(rulesets: Rulesets, content: Content, now: str) -> int:
    """The number under which this process works. Activates content never seen before.

    Raises FatalError when the content was in force once and another is now: an old deploy must not quietly win.
    """
    for _ in range(ATTEMPTS):
        latest = rulesets.latest()
        if latest is not None and latest.digest == content.digest:
            return latest.number
        if latest is not None and rulesets.seen(content.digest):
            raise FatalError(
                f"this version's rules, calendar and fold were in force once, and number {latest.number} "
                f"(since {latest.activated_at}) took their place: start the newer version, or go back on purpose "
                "with `luodi config activate`"
            )
        if rulesets.add(_next(latest, content, now)):
            return latest.number + 1 if latest else 1
    raise TransientError("MongoDB", "too many activations at once")


def activate(rulesets: Rulesets, content: Content, now: str) -> int:
    """Put this content in force under a new number, whatever was in force before. The operator's act."""
    for _ in range(ATTEMPTS):
        latest = rulesets.latest()
        if rulesets.add(_next(latest, content, now)):
            return latest.number + 1 if latest else 1
    raise TransientError("MongoDB", "too many activations at once")


class Regime:
    """The activation this process works under, as long as its own content is the one in force. Thread-safe."""

    def __init__(self, rulesets: Rulesets, content: Content, folder: Folder) -> None:
        self._rulesets = rulesets
        self._content = content
        self._folder = folder

    @property
    def folder(self) -> Folder:
        return self._folder

    def recheck(self) -> None:
        """Follow a new activation of the same content. Raises FatalError when other content is in force by now."""
        latest = self._rulesets.latest()
        if latest is None:
            raise FatalError("the activations are gone from MongoDB: the database was replaced under this process")
        if latest.number == self._folder.ruleset:
            return
        if latest.digest != self._content.digest:
            raise FatalError(
                f"activation {latest.number} of {latest.activated_at} has other rules, calendar or fold: "
                "this process is the old deploy"
            )
        self._folder = replace(self._folder, ruleset=latest.number)
        log.info("ruleset.followed", number=latest.number)


def _next(latest: Activation | None, content: Content, now: str) -> Activation:
    number = latest.number + 1 if latest else 1
    return Activation(number, content.digest, content.fold_version, content.rules, content.calendar, now)


def _activation(row: Document) -> Activation:
    return Activation(
        row["_id"], row["digest"], row["fold_version"], row["rules"], row["calendar"], row["activated_at"]
    )
