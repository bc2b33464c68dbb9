"""A matter: one project's gap, one promise, or one fault of the system itself, with its episodes.

An episode begins when the matter is found yellow or red (or the fault is found) and ends when it no longer is. What
people are told in it are its tellings, what they do about it its entries, both in their order. Every change of a matter
is a compare-and-set on its `version`; `complete` says that the messages which the change calls for are written, so that
whoever finds an incomplete matter can finish what another began.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from luodi.domain import events
from luodi.domain.events import Event
from services.notify.watches import MatterKind, Watch

MatterState = Literal["warned", "open", "cleared"]
TellingKind = Literal["warning", "stalled", "escalated", "handover", "recovered", "operations"]
EntryKind = Literal["signed", "feedback", "reviewed", "closed"]

SIGNED: EntryKind = "signed"
FEEDBACK: EntryKind = "feedback"
REVIEWED: EntryKind = "reviewed"
CLOSED: EntryKind = "closed"

HANDOVER: TellingKind = "handover"  # to whoever has taken over a step that had been told: it moves no ladder

NAMESPACE = uuid.UUID("5b7f5d2c-6f0e-5a59-8a1e-2b8e4c0f9d11")  # ours, for ever: another one would record acts twice
NO_PARTITION = -1  # of a matter that belongs to no partition: any notifier looks after it
MAX_HISTORY = 50  # episodes kept in the matter itself; every message of every episode stays in the ledger
FIRST_LEVEL = 0

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """One time that people are told: of what kind, on which level of the ladder, who, and why.

    `facts` are what its messages say besides the facts of the matter.
    """

    kind: TellingKind
    level: int
    round: int
    at: str
    role: str
    recipients: tuple[str, ...]
    why: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person has done about a matter. `telling`: how many tellings there had been that an act answers."""

    id: str
    kind: EntryKind
    by: str
    at: str
    telling: int
    data: Facts


@dataclass(frozen=True, slots=True)
class Matter:
    """The state of one matter. `facts` are those on which the present episode was opened, as JSON."""

    id: str
    kind: MatterKind
    partition: int
    project_id: str | None
    zone: str | None
    state: MatterState
    complete: bool
    episode: int
    round: int
    version: int
    recipients: tuple[str, ...]
    people: tuple[str, ...]  # everyone it concerns: recipients and those responsible
    opened_at: str
    cleared_at: str | None
    facts: Facts
    clearing: Facts | None = None  # why the episode ended: {"code": …}
    traceparent: str | None = None
    history: tuple[Facts, ...] = ()  # earlier episodes, oldest first
    tellings: tuple[Telling, ...] = ()
    entries: tuple[Entry, ...] = ()
    outbox: tuple[Event, ...] = ()  # what was done and does not stand among the project's events yet

    @property
    def last_telling(self) -> Telling:
        """What people were told last; whoever has taken over since was told the same, and that moves no ladder."""
        last = next((telling for telling in reversed(self.tellings) if telling.kind != HANDOVER), None)
        if last is not None:
            return last
        # Of an episode that an earlier version opened only its opening is known.
        kind: TellingKind = "operations" if self.kind == "operations" else "stalled"
        role = str(self.facts.get("role", ""))
        return Telling(kind, FIRST_LEVEL, self.round, self.opened_at, role, self.recipients, "stalled")

    @property
    def all_tellings(self) -> tuple[Telling, ...]:
        return self.tellings or (self.last_telling,)

    @property
    def newest_telling(self) -> Telling:
        """The last of all, to whoever has taken over included: the one whose messages may still have to be written."""
        return self.all_tellings[-1]

    @property
    def steps_told(self) -> int:
        """How many tellings there were that an act answers: those to whoever has taken over are none of them."""
        return sum(telling.kind != HANDOVER for telling in self.tellings)

    @property
    def was_red(self) -> bool:
        """Whether people were told of more than a warning in this episode."""
        return any(telling.kind != "warning" for telling in self.all_tellings)

    @property
    def is_told_last(self) -> bool:
        """Whether its last change is told by its last telling, and not by an all-clear."""
        return self.state != "cleared" or self.last_telling.kind == "recovered"

    def entries_since(self) -> tuple[Entry, ...]:
        """What was done since people were told last."""
        return tuple(entry for entry in self.entries if entry.telling == self.steps_told)

    def completed(self, **clearing: Any) -> Matter:
        """The messages of the last change are written. `clearing`: what is to be added about how the episode ended."""
        ended = {**self.clearing, **clearing} if self.clearing is not None else None
        return replace(self, complete=True, version=self.version + 1, clearing=ended)

    def cleared(self, now: str, clearing: Facts, traceparent: str | None) -> Matter:
        """The episode ends; its all-clears are still to be written."""
        return replace(
            self,
            state="cleared",
            complete=False,
            version=self.version + 1,
            cleared_at=now,
            clearing=clearing,
            traceparent=traceparent or self.traceparent,
        )

    def resumed(self) -> Matter:
        """The episode goes on as if it had not ended: nobody is told anew."""
        return replace(self, state="open", version=self.version + 1, cleared_at=None, clearing=None)

    def told(self, telling: Telling, traceparent: str | None, **facts: Any) -> Matter:
        """People are to be told again in the same episode: of the next step, or in a new round. `facts` that changed.

        What was done before covers nothing any more: the next signature is for this telling; but a handover leaves
        things as they stand.
        """
        return replace(
            self,
            complete=False,
            version=self.version + 1,
            round=telling.round,
            people=tuple(dict.fromkeys([*self.people, *telling.recipients])),
            facts={**self.facts, **facts},
            traceparent=traceparent or self.traceparent,
            tellings=(*self.all_tellings, telling),
        )

    def regraded(self, **facts: Any) -> Matter:
        """It climbs by another ladder from now on; nobody is told of that by itself."""
        return replace(self, version=self.version + 1, facts={**self.facts, **facts})

    def entered(self, entry: Entry) -> Matter:
        """A person has done something about it; the event that tells of it is still to be recorded."""
        return replace(
            self,
            version=self.version + 1,
            entries=(*self.entries, entry),
            outbox=(*self.outbox, _event_of(self, entry)),
        )

    def recorded(self) -> Matter:
        """What was done stands among the project's events."""
        return replace(self, version=self.version + 1, outbox=())


@dataclass(frozen=True, slots=True)
class Standing:
    """What a look needs to know of a matter, however much has happened in it."""

    id: str
    project_id: str | None
    state: MatterState
    episode: int

    @classmethod
    def of(cls, matter: Matter) -> Standing:
        """That of a matter as it is known."""
        return cls(matter.id, matter.project_id, matter.state, matter.episode)


RECOVERED_UNSEEN = "recovered-unseen"  # the clearing of an episode that was over before anybody could be told
RULES_CHANGED = "rules-changed"  # the clearing of an episode that other rules ended: nobody is told of it


@dataclass(frozen=True, slots=True)
class Opening:
    """What is needed to open an episode, or to have one that was only warned of turn red."""

    id: str
    kind: MatterKind
    partition: int
    project_id: str | None
    zone: str | None
    recipients: tuple[str, ...]
    people: tuple[str, ...]
    facts: Facts
    traceparent: str | None = None
    telling: TellingKind = "stalled"
    why: str = "stalled"
    told: Facts = field(default_factory=dict)  # what the messages of the opening say besides


def opened(before: Matter | None, opening: Opening, now: str) -> Matter:
    """The matter with a new episode, or with its warning become a stall; its messages are still to be written.

    Raises ValueError when an episode is open or the messages of the last one are not all written.
    """
    goes_on = before is not None and before.state == "warned" and opening.telling != "warning"
    if before is not None and not goes_on and (before.state != "cleared" or not before.complete):
        raise ValueError(f"{before.id}: the episode before is not over")
    role = str(opening.facts.get("role", ""))
    telling = Telling(opening.telling, FIRST_LEVEL, 1, now, role, opening.recipients, opening.why, opening.told)
    history = before.history if before is not None else ()
    if before is not None and not goes_on:
        history = (*history, _past(before))[-MAX_HISTORY:]
    return Matter(
        id=opening.id,
        kind=opening.kind,
        partition=opening.partition,
        project_id=opening.project_id,
        zone=opening.zone,
        state="warned" if opening.telling == "warning" else "open",
        complete=False,
        episode=1 if before is None else before.episode + (not goes_on),
        round=1,
        version=before.version + 1 if before is not None else 1,
        recipients=opening.recipients,
        people=opening.people,
        opened_at=now,
        cleared_at=None,
        facts=opening.facts,
        traceparent=opening.traceparent,
        history=history,
        tellings=(*before.tellings, telling) if before is not None and goes_on else (telling,),
        outbox=before.outbox if before is not None else (),
    )


def ended_unseen(before: Matter | None, opening: Opening, now: str, clearing: Facts) -> Matter:
    """The matter with an episode that was over when it became known: begun and ended in one change.

    Raises ValueError like `opened`.
    """
    begun = opened(before, opening, now)
    return replace(begun, state="cleared", cleared_at=now, clearing=clearing)


def _event_of(matter: Matter, entry: Entry) -> Event:
    """The event that tells of an act: always the same one, whoever makes it."""
    if matter.project_id is None:
        raise ValueError(f"{matter.id} is about no project")
    return Event(
        subject=matter.project_id,
        id=uuid.uuid5(NAMESPACE, f"{matter.id} {matter.episode} {entry.id}").hex,
        type=EVENT_TYPES[entry.kind],
        recordedtime=entry.at,
        sequence=0,
        actor=entry.by,
        data={"matter": matter.id, **entry.data},
        traceparent=None,
    )


EVENT_TYPES: Mapping[EntryKind, str] = {
    SIGNED: events.MATTER_SIGNED,
    FEEDBACK: events.MATTER_ANSWERED,
    REVIEWED: events.MATTER_REVIEWED,
    CLOSED: events.MATTER_CLOSED,
}
"""What a person does about a matter -> the type of the event that tells of it."""


def _past(matter: Matter) -> Facts:
    return {
        "episode": matter.episode,
        "opened_at": matter.opened_at,
        "cleared_at": matter.cleared_at,
        "facts": matter.facts,
        "clearing": matter.clearing,
        "level": max(telling.level for telling in matter.all_tellings),
    }


def still_holds(matter: Matter | Standing, watch: Watch | None, now: str) -> bool:
    """Whether what was told of a matter is still so, as far as its project is known: it is red; or as warned, yellow;
    or over, as told of one that has recovered.

    A watermark may have to come before the matter itself is found over; a message about it must not go meanwhile.
    """
    if matter.project_id is None or watch is None or watch.unreadable:
        return True
    if matter.state == "cleared":
        return watch.recovery(matter.id) is not None
    deadline = watch.deadline(matter.id)
    if deadline is None:
        return False
    lit = deadline.yellow_at(now) if matter.state == "warned" else deadline.red_at(now)
    return lit is not None
