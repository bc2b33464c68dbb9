"""Beats: what each notifier does, noted where all of them see it, so that one that hangs is missed by the others.

A job of a notifier is late when it has not got anywhere for longer than its bound and nobody else does its work: no
other notifier, whose own job is in time, has the same partitions. The notifier itself notes its beats from a thread of
its own, so a job that hangs is seen from inside, too; a process that is gone altogether is seen by the others, unless
they have taken over its partitions, and then nothing is late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from luodi.domain.days import instant
from luodi.runtime.clock import Clock
from services.notify.alarms import age_s, opening_of
from services.notify.matters import NO_PARTITION, Opening

LATE = "late"

BOUNDS_S: Mapping[str, float] = {
    "sweep": 60.0,  # a sweep with much to tell gets somewhere every second, and says so
    "deliver": 60.0,  # it only sets threads to work
    "record": 300.0,  # waits for Kafka, which may be away for a while
    "digests": 900.0,  # one turn writes the digests of a whole morning
}
"""Job -> for how long it may get nowhere, in seconds."""

CONFIRM_S = 10.0  # and for so long it must have been seen late: MongoDB that comes back lets all go on at once


@dataclass(frozen=True, slots=True)
class Beat:
    """What one notifier last said of itself. Instants are wall time."""

    slot: str
    at: str
    partitions: frozenset[int]
    jobs: Mapping[str, str]  # job -> when it last got somewhere
    passed: Mapping[int, str] = field(default_factory=dict)  # partition -> until when all that was due has been told


class BeatStore(Protocol):
    """Where the beats are kept. Every call may raise TransientError."""

    def note(self, beat: Beat) -> None:
        """In the place of the same slot's last one."""

    def read(self) -> list[Beat]:
        """The last one of each slot."""

    def forget(self, slots: Sequence[str], at_or_before: str) -> None:
        """These slots, unless they have been heard of since."""


class Pulse:
    """When each job of this process last got somewhere. Any thread may call it."""

    def __init__(self, clock: Clock, jobs: Iterable[str]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        now = clock.monotonic()
        self._at = dict.fromkeys(jobs, now)
        self._others: dict[str, Callable[[], float]] = {}

    def beat(self, job: str) -> None:
        """A turn of the job has ended well. Other jobs than those named at the beginning are not watched."""
        with self._lock:
            if job in self._at:
                self._at[job] = self._clock.monotonic()

    def moves(self, job: str, idle_s: Callable[[], float]) -> None:
        """`idle_s` knows better how long the job has got nowhere: its turns may be long."""
        self._others[job] = idle_s

    def ages(self) -> dict[str, float]:
        """Job -> seconds since it last got somewhere."""
        with self._lock:
            ages = {job: self._clock.monotonic() - at for job, at in self._at.items()}
        return {job: self._others[job]() if job in self._others else age for job, age in ages.items()}

    def instants(self) -> dict[str, str]:
        """The same as instants of wall time."""
        wall = self._clock.wall()
        return {job: instant(wall - timedelta(seconds=age)) for job, age in self.ages().items()}

    def missing(self) -> str | None:
        """What keeps this process from being ready; None when every job gets somewhere."""
        late = {job: age for job, age in self.ages().items() if age > BOUNDS_S[job]}
        return ", ".join(f"{job}: nothing done for {age:.0f} s" for job, age in sorted(late.items())) or None


@dataclass(frozen=True, slots=True)
class Late:
    """A job that is late: whose, since when, and the partitions on which nobody does its work."""

    slot: str
    job: str
    since: str
    partitions: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.slot}:{self.job}"

    def opening(self) -> Opening:
        """Of its matter."""
        partitions = ", ".join(map(str, self.partitions))
        facts = {"slot": self.slot, "job": self.job, "since": self.since, "partitions": partitions, "id": self.name}
        return opening_of(LATE, self.name, NO_PARTITION, facts)


def late(beats: Sequence[Beat], wall: str) -> list[Late]:
    """Every job that is late at an instant of wall time, as all notifiers' beats tell."""
    found = []
    for beat in beats:
        for job, at in sorted(beat.jobs.items()):
            if not _is_late(job, at, wall):
                continue
            others = [
                o for o in beats if o.slot != beat.slot and job in o.jobs and not _is_late(job, o.jobs[job], wall)
            ]
            done = {p for other in others if age_s(other.at, wall) <= BOUNDS_S["sweep"] for p in other.partitions}
            left = tuple(sorted(beat.partitions - done))
            if left:
                found.append(Late(beat.slot, job, at, left))
    return found


def _is_late(job: str, at: str, wall: str) -> bool:
    return age_s(at, wall) > BOUNDS_S.get(job, BOUNDS_S["sweep"])
