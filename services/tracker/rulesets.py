"""Which rules are in force: a number for each activation of rules, calendar and fold version.

Numbers only rise, so a document made under a newer number is never replaced by one made under an older. Content never
seen before is activated by the first tracker that starts with it; going back to content seen earlier is the
operator's act (`luodi config apply` or `activate`) and gets a new, higher number.

A tracker that runs looks every few seconds. When other content is in force by then it reads its configuration again,
and goes on under the new number if that is what was activated; otherwise it is an old deploy and ends.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Protocol

import orjson
from pymongo import DESCENDING
from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from luodi.domain.amendments import Amendment, amendments
from luodi.domain.calendar import Calendar
from luodi.domain.fold import FOLD_VERSION
from luodi.domain.rules import Rules
from luodi.runtime import logging
from luodi.runtime.errors import FatalError, InvalidSettingsError, TransientError
from luodi.runtime.mongo import translated
from services.tracker.folding import Folder
from services.tracker.ports import Document

ATTEMPTS = 20  # of taking the next number while others take it too
BY_TRACKER = "tracker"  # the first that started with content never seen before

log = logging.get("rulesets")


@dataclass(frozen=True, slots=True)
class Content:
    """Everything besides the events that a document depends on."""

    fold_version: int
    rules: str
    calendar: str
    told: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)  # all that the rules say, as JSON

    @classmethod
    def of(cls, rules: Rules, calendar: Calendar) -> Content:
        return cls(FOLD_VERSION, rules.fingerprint(), calendar.fingerprint(), rules.content())

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.fold_version}\n{self.rules}\n{self.calendar}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Activation:
    """One row: the number and what it stands for. Times are wall time.

    `told`: all that the rules say, as JSON in bytes. `changes`: what of them is another than before, for people.
    `afresh`: documents are to be folded from their events, whatever folded state is stored. `held_until`: until then
    the command that activated it makes the documents anew, and the trackers leave them to it.
    """

    number: int
    digest: str
    fold_version: int
    rules: str
    calendar: str
    activated_at: str
    by: str = ""  # not known of rows of earlier versions
    told: bytes | None = field(default=None, repr=False)
    changes: tuple[str, ...] = ()
    afresh: bool = False
    held_until: str | None = None


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

    def hold(self, number: int, until: str | None) -> None:
        """Set `held_until` of an activation."""


class MongoRulesets:
    """The collection `rulesets`: an activation per row, its number as `_id`."""

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
        row: Document = {"_id": activation.number}
        row |= {name: getattr(activation, name) for name in _FIELDS} | {"changes": list(activation.changes)}
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

    def hold(self, number: int, until: str | None) -> None:
        with translated():
            self._rows.update_one({"_id": number}, {"$set": {"held_until": until}})


def at_start(rulesets: Rulesets, content: Content, now: str, today: date) -> int:
    """The number under which this process works. Activates content never seen before.

    Raises FatalError when the content was in force once and another is now: an old deploy must not quietly win; and
    when it would change verdicts of the past, which is for the operator to order.
    """
    for _ in range(ATTEMPTS):
        latest = rulesets.latest()
        if latest is not None and latest.digest == content.digest:
            return latest.number
        if latest is not None and rulesets.seen(content.digest):
            raise FatalError(
                f"this version's rules, calendar and fold were in force once, and number {latest.number} "
                f"(since {latest.activated_at}) took their place: start the newer version, or go back on purpose "
                "with `luodi config apply`"
            )
        rewriting = [change for change in changes(latest, content, today) if change.rewrites]
        if rewriting:
            raise FatalError(
                f"the rules in the files would change verdicts of the past ({'; '.join(map(str, rewriting))}): give "
                "the rule a new version with a later valid_from, or order it with "
                "`luodi config apply --rewrite-history`"
            )
        activation = _next(latest, content, now, today, by=BY_TRACKER)
        if rulesets.add(activation):
            return activation.number
    raise TransientError("MongoDB", "too many activations at once")


def activate(rulesets: Rulesets, content: Content, now: str, today: date, by: str, **more: Any) -> Activation:
    """Put this content in force under a new number, whatever was in force before. The operator's act.

    `more`: `afresh` and `held_until` of the activation.
    """
    for _ in range(ATTEMPTS):
        activation = _next(rulesets.latest(), content, now, today, by=by, **more)
        if rulesets.add(activation):
            return activation
    raise TransientError("MongoDB", "too many activations at once")


class Regime:
    """The activation this process works under, as long as its own content is the one in force. Thread-safe.

    `reload` reads the rules and the calendar of this process again.
    """

    def __init__(
        self, rulesets: Rulesets, folder: Folder, reload: Callable[[], tuple[Rules, Calendar]] | None = None
    ) -> None:
        self._rulesets = rulesets
        self._folder = folder
        self._reload = reload
        self._digest = Content.of(folder.rules, folder.calendar).digest
        self._latest: Activation | None = None
        self._rows: dict[int, Activation] = {}
        self._lock = threading.Lock()

    @property
    def folder(self) -> Folder:
        return self._folder

    def recheck(self) -> None:
        """Follow a new activation. Raises FatalError when it is not of what this process can read."""
        with self._lock:
            latest = self._rulesets.latest()
            if latest is None:
                raise FatalError("the activations are gone from MongoDB: the database was replaced under this process")
            if latest.number != self._folder.ruleset:
                self._follow(latest)
            self._latest = latest

    def is_held(self, wall: str) -> bool:
        """Whether a command makes the documents anew at this time, as of the last `recheck`."""
        return self._latest is not None and (self._latest.held_until or "") > wall

    def may_take_over(self, ruleset: int) -> bool:
        """Whether the folded state of documents of an earlier activation may be assessed as it stands."""
        with self._lock:
            if self._folder.ruleset not in self._rows:
                self._rows = {row.number: row for row in self._rulesets.all()}
            return may_take_over(self._rows, ruleset, self._folder.ruleset)

    def _follow(self, latest: Activation) -> None:
        if latest.digest == self._digest:
            self._folder = replace(self._folder, ruleset=latest.number)
            log.info("ruleset.followed", number=latest.number)
            return
        try:
            read = None if self._reload is None else self._reload()
        except InvalidSettingsError as exc:
            raise FatalError(
                f"activation {latest.number} is in force, and the configuration has faults: {exc}"
            ) from exc
        if read is None or Content.of(*read).digest != latest.digest:
            raise FatalError(
                f"activation {latest.number} of {latest.activated_at} has other rules, calendar or fold: "
                "this process is the old deploy, or reads another configuration folder"
            )
        self._folder, self._digest = Folder(*read, latest.number), latest.digest
        log.info("ruleset.reloaded", number=latest.number, by=latest.by)


def may_take_over(rows: Mapping[int, Activation], earlier: int, later: int) -> bool:
    """Whether a state folded under one activation may be assessed under a later one, by this process.

    Not when the fold has changed since, nor when an activation after it asked to fold everything afresh.
    """
    first = rows.get(earlier)
    if first is None or first.fold_version != FOLD_VERSION:
        return False
    return not any(row.afresh for number, row in rows.items() if earlier < number <= later)


def changes(latest: Activation | None, content: Content, today: date) -> list[Amendment]:
    """What the rules of this content change of those in force; nothing where those are not known any more."""
    if latest is None or latest.told is None or content.told is None:
        return []
    return amendments(orjson.loads(latest.told), content.told, today)


def _next(latest: Activation | None, content: Content, now: str, today: date, **more: Any) -> Activation:
    return Activation(
        number=latest.number + 1 if latest else 1,
        digest=content.digest,
        fold_version=content.fold_version,
        rules=content.rules,
        calendar=content.calendar,
        activated_at=now,
        told=None if content.told is None else orjson.dumps(content.told),
        changes=tuple(_told(latest, content, today)),
        **more,
    )


def _told(latest: Activation | None, content: Content, today: date) -> list[str]:
    told = [str(change) for change in changes(latest, content, today)]
    if latest is not None and latest.calendar != content.calendar:
        told.append("calendar changed")
    if latest is not None and latest.fold_version != content.fold_version:
        told.append("fold changed")
    return told


def _activation(row: Document) -> Activation:
    found = {name: row[name] for name in _FIELDS if name in row}
    return Activation(row["_id"], **found | {"changes": tuple(found.get("changes", ()))})


_FIELDS = tuple(field.name for field in fields(Activation) if field.name != "number")
