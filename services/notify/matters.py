"""A matter: one project's gap, one promise, or one fault of the system itself, with its episodes.

An episode begins when the matter is found red (or the fault is found) and ends when it no longer is. Every change of a
matter is a compare-and-set on its `version`; `complete` says that the messages which the change calls for are written,
so that whoever finds an incomplete matter can finish what another began.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from services.notify.watches import MatterKind

MatterState = Literal["open", "cleared"]
NO_PARTITION = -1  # of a matter that belongs to no partition: any notifier looks after it
MAX_HISTORY = 50  # episodes kept in the matter itself; every message of every episode stays in the ledger

Facts = Mapping[str, Any]


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


RULES_CHANGED = "rules-changed"  # the clearing of an episode that other rules ended: nobody is told of it


@dataclass(frozen=True, slots=True)
class Opening:
    """What is needed to open an episode."""

    id: str
    kind: MatterKind
    partition: int
    project_id: str | None
    zone: str | None
    recipients: tuple[str, ...]
    people: tuple[str, ...]
    facts: Facts
    traceparent: str | None = None


def opened(before: Matter | None, opening: Opening, now: str) -> Matter:
    """The matter with a new episode, whose messages are still to be written.

    Raises ValueError when an episode is open or the messages of the last one are not all written.
    """
    if before is not None and (before.state == "open" or not before.complete):
        raise ValueError(f"{before.id}: the episode before is not over")
    history = before.history if before is not None else ()
    if before is not None:
        past = {
            "episode": before.episode,
            "opened_at": before.opened_at,
            "cleared_at": before.cleared_at,
            "facts": before.facts,
            "clearing": before.clearing,
        }
        history = (*history, past)[-MAX_HISTORY:]
    return Matter(
        id=opening.id,
        kind=opening.kind,
        partition=opening.partition,
        project_id=opening.project_id,
        zone=opening.zone,
        state="open",
        complete=False,
        episode=before.episode + 1 if before is not None else 1,
        round=1,
        version=before.version + 1 if before is not None else 1,
        recipients=opening.recipients,
        people=opening.people,
        opened_at=now,
        cleared_at=None,
        facts=opening.facts,
        traceparent=opening.traceparent,
        history=history,
    )
