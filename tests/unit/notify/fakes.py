"""Stores in memory that keep the ports of notify, and things that break on purpose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Collection as AnyOf
from dataclasses import replace
from datetime import date
from typing import Any

from luodi.domain.subjects import is_project
from services.notify.channels import Outcome, Unshaped
from services.notify.digest_store import Morning
from services.notify.directory import Entry
from services.notify.looking import Ahead
from services.notify.matters import Matter, Standing
from services.notify.notifications import Delivery, Notification
from services.notify.outlines import Project
from services.notify.silences import Silence
from services.notify.units import Lead
from services.notify.watches import Watch


class MemoryWatches:
    """See `WatchStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Watch] = {}

    def get_many(self, project_ids: Iterable[str]) -> dict[str, Watch]:
        return {i: replace(self.rows[i], outline=None) for i in project_ids if i in self.rows}

    def put(self, watches: Sequence[Watch]) -> None:
        for watch in watches:
            kept = self.rows.get(watch.project_id)
            if kept is None or kept.may_be_replaced_by(watch):
                marked = kept is not None and watch.unreadable
                self.rows[watch.project_id] = replace(kept, unreadable=True) if kept and marked else watch

    def due(self, partition: int, until: str, limit: int) -> list[Watch]:
        found = [w for w in self.rows.values() if w.partition == partition and w.next_due <= until]
        return [replace(w, outline=None) for w in sorted(found, key=lambda w: w.next_due)[:limit]]

    def any_due(self, until: Mapping[int, str]) -> bool:
        return any(w.partition in until and w.next_due <= until[w.partition] for w in self.rows.values())

    def put_off(self, looks: Sequence[tuple[Watch, str]]) -> None:
        for watch, again in looks:
            kept = self.rows.get(watch.project_id)
            if kept is not None and _guard(kept) == _guard(watch):
                self.rows[watch.project_id] = replace(kept, next_due=again)

    def recall(self, project_ids: Sequence[str], now: str) -> None:
        for project_id in project_ids:
            kept = self.rows.get(project_id)
            if kept is not None:
                self.rows[project_id] = replace(kept, next_due=min(kept.next_due, now))

    def unreadable(self, partitions: Iterable[int]) -> dict[int, list[str]]:
        wanted = set(partitions)
        found: dict[int, list[str]] = {}
        for watch in self.rows.values():
            if watch.unreadable and watch.partition in wanted:
                found.setdefault(watch.partition, []).append(watch.project_id)
        return found

    def people(self) -> set[str]:
        return {who for watch in self.rows.values() for who in watch.people.values()}

    def naming(self, ids: AnyOf[str]) -> list[Project]:
        found = [w for w in self.rows.values() if set(w.people.values()) & set(ids) and is_project(w.project_id)]
        return [Project(w.project_id, w.name, w.zone, w.route, w.status, w.outline) for w in found]

    def count(self) -> int:
        return len(self.rows)


def _guard(watch: Watch) -> tuple[int, int, bool]:
    return watch.events, watch.ruleset, watch.unreadable


class MemoryUnits:
    """See `UnitStore`; on the same watches."""

    def __init__(self, watches: MemoryWatches) -> None:
        self._watches = watches

    def latest(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for watch in self._watches.rows.values():
            if unit := watch.people.get("lead_unit"):
                found[unit] = max(found.get(unit, ""), watch.reported_at)
        return found

    def lead(self, unit: str) -> Lead | None:
        led = [w for w in self._watches.rows.values() if w.people.get("lead_unit") == unit]
        ticking = [watch for watch in led if watch.deadlines]
        if not ticking:
            return None
        heads = {watch.people["group_head"] for watch in ticking if "group_head" in watch.people}
        zones = sorted({watch.zone for watch in ticking if watch.zone})
        unknown = [watch.changed_at for watch in led if not watch.reported_at]
        return Lead(next(iter(zones), None), tuple(sorted(heads)), max(unknown, default=""))


class MemoryDirectory:
    """See `DirectoryStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Entry] = {}

    def put(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            kept = self.rows.get(entry.subject)
            if kept is None or kept.may_be_replaced_by(entry):
                self.rows[entry.subject] = entry

    def read(self, subjects: AnyOf[str]) -> dict[str, Entry]:
        return {subject: self.rows[subject] for subject in subjects if subject in self.rows}

    def naming(self, ids: AnyOf[str]) -> list[str]:
        return [subject for subject, entry in self.rows.items() if set(entry.names) & set(ids)]

    def beginnings(self) -> set[str]:
        return {entry.told["works_from"] for entry in self.rows.values() if "works_from" in entry.told}


class MemoryMatters:
    """See `MatterStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Matter] = {}

    def get(self, matter_id: str) -> Matter | None:
        return self.rows.get(matter_id)

    def standings(self, matter_ids: AnyOf[str]) -> dict[str, Standing]:
        return {matter_id: Standing.of(self.rows[matter_id]) for matter_id in matter_ids if matter_id in self.rows}

    def of_projects(self, project_ids: Sequence[str]) -> dict[str, list[Matter]]:
        found: dict[str, list[Matter]] = {}
        for matter in self.rows.values():
            if matter.project_id in project_ids and matter.project_id is not None:
                found.setdefault(matter.project_id, []).append(matter)
        return found

    def compare_and_set(self, changes: Sequence[tuple[Matter | None, Matter]]) -> None:
        for before, after in changes:
            kept = self.rows.get(after.id)
            if (kept.version if kept else None) == (before.version if before else None):
                self.rows[after.id] = after

    def incomplete(self, partitions: Iterable[int], limit: int) -> list[Matter]:
        wanted = set(partitions)
        return [m for m in self.rows.values() if not m.complete and m.partition in wanted][:limit]

    def unrecorded(self, partitions: AnyOf[int], limit: int) -> list[Matter]:
        return [m for m in self.rows.values() if m.outbox and m.partition in partitions][:limit]

    def open_faults(self, partitions: AnyOf[int] | None) -> list[Matter]:
        found = [m for m in self.rows.values() if m.state == "open" and m.kind == "operations"]
        return [m for m in found if partitions is None or m.partition in partitions]

    def open_of_units(self) -> list[Matter]:
        return [m for m in self.rows.values() if m.state == "open" and m.kind == "unit"]

    def page(
        self,
        *,
        zone: str | None,
        state: str | None,
        people: AnyOf[str] | None,
        before: tuple[str, str] | None,
        limit: int,
    ) -> list[Matter]:
        found = [
            m
            for m in self.rows.values()
            if zone in (None, m.zone)
            and state in (None, m.state)
            and (people is not None or m.kind != "unit")
            and (people is None or set(people) & set(m.people))
            and (before is None or (m.opened_at, m.id) < before)
        ]
        return sorted(found, key=lambda m: (m.opened_at, m.id), reverse=True)[:limit]

    def count_open(self) -> int:
        return sum(m.state == "open" for m in self.rows.values())


class MemorySilences:
    """See `SilenceStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Silence] = {}

    def get(self, silence_id: str) -> Silence | None:
        return self.rows.get(silence_id)

    def compare_and_set(self, changes: Sequence[tuple[Silence | None, Silence]]) -> None:
        for before, after in changes:
            kept = self.rows.get(after.id)
            if (kept.version if kept else None) == (before.version if before else None):
                self.rows[after.id] = after

    def lasting(self, projects: AnyOf[str], now: str) -> list[Silence]:
        return [s for s in self.rows.values() if s.project_id in projects and s.over_at > now]

    def unrecorded(self, partitions: AnyOf[int], limit: int) -> list[Silence]:
        return [s for s in self.rows.values() if s.outbox and s.partition in partitions][:limit]

    def page(self, project_id: str | None, before: tuple[str, str] | None, limit: int) -> list[Silence]:
        found = [
            s
            for s in self.rows.values()
            if project_id in (None, s.project_id) and (before is None or (s.begins_at, s.id) < before)
        ]
        return sorted(found, key=lambda s: (s.begins_at, s.id), reverse=True)[:limit]


def _besides(kept: Notification, row: Notification, channel: str | None) -> tuple[Delivery, ...]:
    """The deliveries as kept, but the one on the channel as in the new row."""
    return tuple(
        new if new.channel == channel else old for old, new in zip(kept.deliveries, row.deliveries, strict=True)
    )


class MemoryNotifications:
    """See `NotificationStore`."""

    def __init__(self) -> None:
        self.rows: dict[str, Notification] = {}
        self._lock = threading.Lock()

    def insert(self, rows: Sequence[Notification]) -> set[str]:
        written = set()
        with self._lock:
            for row in rows:
                if row.id not in self.rows:
                    self.rows[row.id] = row
                    written.add(row.id)
        return written

    def get(self, notification_id: str) -> Notification | None:
        return self.rows.get(notification_id)

    def of_episode(self, matter: str, episode: int) -> list[Notification]:
        found = [r for r in self.rows.values() if r.matter == matter and r.episode == episode]
        return sorted(found, key=lambda r: r.order)

    def of_matter(self, matter: str, limit: int) -> list[Notification]:
        found = [r for r in self.rows.values() if r.matter == matter]
        return sorted(found, key=lambda r: r.order, reverse=True)[:limit]

    def replace(self, row: Notification) -> bool:
        with self._lock:
            kept = self.rows.get(row.id)
            if kept is None or kept.version != row.version - 1:
                return False
            self.rows[row.id] = row
            return True

    def replace_many(self, rows: Sequence[Notification], channel: str | None = None) -> set[str]:
        for row in rows if channel is not None else ():
            kept = self.rows.get(row.id)
            if kept is not None and kept.version == row.version - 1:  # else it is not written
                assert replace(kept, version=row.version, deliveries=_besides(kept, row, channel)) == row
        return {row.id for row in rows if self.replace(row)}

    def due(
        self,
        channel: str,
        wall: str,
        limit: int,
        partitions: AnyOf[int] | None = None,
        besides: AnyOf[str] = (),
    ) -> list[Notification]:
        found = [
            (d.due_at, row.id)
            for row in list(self.rows.values())
            for d in row.deliveries
            if d.channel == channel
            and d.due_at <= wall
            and (partitions is None or row.partition in partitions)
            and row.id not in besides
        ]
        return [self.rows[row_id] for _, row_id in sorted(found)][:limit]

    def any_due(self, channels: AnyOf[str], wall: str) -> bool:
        return any(self.due(channel, wall, 1) for channel in channels)

    def ahead_of(self, rows: Sequence[Notification], channel: str, *, own: bool) -> dict[str, Ahead]:
        found: dict[str, Ahead] = {}
        for row in rows:
            others = [
                (other.order, other.id, delivery.due_at)
                for other in self.rows.values()
                if other.matter == row.matter
                and (not own or other.recipient == row.recipient)
                and other.order < row.order
                for delivery in other.deliveries
                if delivery.channel == channel and delivery.pending
            ]
            if others:
                _, other_id, due_at = min(others)
                found[row.id] = Ahead(other_id, due_at)
        return found

    def page(
        self,
        *,
        recipient: str | None,
        project_id: str | None,
        kind: str | None,
        status: str | None,
        since: str | None,
        before: tuple[str, str] | None,
        limit: int,
    ) -> list[Notification]:
        found = [
            r
            for r in self.rows.values()
            if recipient in (None, r.recipient)
            and project_id in (None, r.project_id)
            and kind in (None, r.kind)
            and status in (None, r.status)
            and (since is None or r.created_at >= since)
            and (before is None or (r.created_at, r.id) < before)
        ]
        return sorted(found, key=lambda r: (r.created_at, r.id), reverse=True)[:limit]


class MemoryDigests:
    """See `DigestStore`; on the same rows as the ledger."""

    def __init__(self, notifications: MemoryNotifications) -> None:
        self._notifications = notifications
        self.mornings: dict[date, Morning] = {}

    def waiting(self) -> set[str]:
        return {row.recipient for row in self._notifications.rows.values() if row.in_digest}

    def held(self, recipient: str, channel: str, limit: int) -> list[Notification]:
        return self._with(recipient, channel, "held")[:limit]

    def carried(self, recipient: str, channel: str) -> list[Notification]:
        return self._with(recipient, channel, "carried")

    def unsettled(self, partitions: AnyOf[int]) -> list[Notification]:
        rows = self._notifications.rows.values()
        return [r for r in rows if r.sheet is not None and not r.sheet.settled and r.partition in partitions]

    def told(self, recipient: str, matters: AnyOf[str]) -> list[Notification]:
        rows = self._notifications.rows.values()
        return [r for r in rows if r.recipient == recipient and r.matter in matters]

    def mark_settled(self, digest: str) -> None:
        row = self._notifications.rows[digest]
        assert row.sheet is not None
        self._notifications.rows[digest] = replace(row, sheet=replace(row.sheet, settled=True))

    def morning(self, day: date) -> Morning:
        return self.mornings.get(day, Morning())

    def note_known(self, day: date, partitions: Iterable[int], until: str) -> None:
        morning = self.morning(day)
        self.mornings[day] = replace(morning, known=_raised(morning.known, partitions, until))

    def note_done(self, day: date, partitions: Iterable[int], until: str) -> None:
        morning = self.morning(day)
        self.mornings[day] = replace(morning, done=_raised(morning.done, partitions, until))

    def _with(self, recipient: str, channel: str, status: str) -> list[Notification]:
        rows = [
            row
            for row in self._notifications.rows.values()
            if row.recipient == recipient and any(d.channel == channel and d.status == status for d in row.deliveries)
        ]
        return sorted(rows, key=lambda row: row.created_at)


def _raised(known: Mapping[int, str], partitions: Iterable[int], until: str) -> dict[int, str]:
    return {**known, **{p: max(until, known.get(p, "")) for p in partitions}}


class MemoryEndpoints:
    """See `Endpoints`."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, str, str | None]] = {}

    def is_disabled(self, endpoint: str) -> bool:
        return endpoint in self.rows

    def disable(self, endpoint: str, reason: str, at: str, recipient: str | None = None) -> None:
        self.rows.setdefault(endpoint, (reason, at, recipient))

    def disabled(self, endpoints: AnyOf[str]) -> set[str]:
        return set(endpoints) & set(self.rows)

    def of_recipients(self) -> dict[str, tuple[str, str]]:
        return {e: (who, reason) for e, (reason, _, who) in self.rows.items() if who is not None}

    def forget(self, endpoints: AnyOf[str]) -> None:
        for endpoint in endpoints:
            self.rows.pop(endpoint, None)


class Receiver(Unshaped):
    """A channel whose receiver answers as told and remembers every message it was given, in order."""

    threads = 2

    def __init__(self, name: str = "webhook", endpoint: str | None = "webhook/test") -> None:
        self.name = name
        self.endpoint = endpoint
        self.shown = "receiver.example"
        self.got: list[tuple[str, str, str, int]] = []  # (message id, kind, matter, episode)
        self.answers: list[Outcome | BaseException] = []
        self.default = Outcome("sent")

    def send(self, row: Notification) -> Outcome:
        answer = self.answers.pop(0) if self.answers else self.default
        if isinstance(answer, BaseException):
            self.got.append((row.message_id, row.kind, row.matter, row.episode))
            raise answer
        if answer.kind == "sent":
            self.got.append((row.message_id, row.kind, row.matter, row.episode))
        return answer


class CrashError(BaseException):
    """The process is killed here: nothing may catch it."""


class Crashing:
    """Wraps a port; kills the process before or after the call with a given number, counted over all wrapped ports."""

    def __init__(self, inner: Any, counter: CallCounter) -> None:
        self._inner = inner
        self._counter = counter

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._counter.call(lambda: value(*args, **kwargs))

        return call


class CallCounter:
    """Counts I/O calls and breaks off at one of them."""

    def __init__(self) -> None:
        self.count = 0
        self.crash_at: int | None = None
        self.after = False  # break off after the call has had its effect

    def call(self, action: Callable[[], Any]) -> Any:
        self.count += 1
        here = self.count == self.crash_at
        if here and not self.after:
            raise CrashError(f"before call {self.count}")
        result = action()
        if here:
            raise CrashError(f"after call {self.count}")
        return result
