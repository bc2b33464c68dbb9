"""What a kind of event does to a state: one row each in the tables of the areas.

Most of what a zone does beside the stages is kept as it was told: `entry` makes the row for it. What belongs to an
earlier entry (an answer, a step, a confirmation) is an entry of its own that names it; they are joined when a document
is made, so whichever is recorded first makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from luodi.domain.events import Event

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Handler:
    """What one kind of event does to the state, and which of its slots it changes in place."""

    apply: Callable[[State, Event], None]
    slots: tuple[str, ...] = ()


def entry(slot: str, *, keep: int | None = None) -> Handler:
    """Keep what was told among the entries of `slot`, by the id of its event, in the order of recording.

    An entry is the event's data with `actor` and `recorded_at`. `keep`: of a log that grows without end only so many,
    the last recorded; `counted` then says how many there were. All of them stand in the timeline.
    """

    def apply(state: State, event: Event) -> None:
        entries: dict[str, Any] = state["entries"].get(slot, {}) | {
            event.id: {**event.data, "actor": event.actor, "recorded_at": event.recordedtime}
        }
        if keep is not None:
            state["counted"][slot] = state["counted"].get(slot, 0) + 1
            if len(entries) > keep:
                entries = dict(islice(entries.items(), len(entries) - keep, None))
        state["entries"][slot] = entries

    return Handler(apply, slots=("entries",) if keep is None else ("entries", "counted"))


def register(names: Sequence[str]) -> Handler:
    """A subject of a kind with these fields is registered: from now on it stands in the lists. See `amend`."""

    def apply(state: State, event: Event) -> None:
        state["registered"] = True
        _set(state["fields"], names, event.data)

    return Handler(apply, slots=("fields",))


def amend(names: Sequence[str]) -> Handler:
    """Per field the last recorded value holds; null clears."""
    return Handler(lambda state, event: _set(state["fields"], names, event.data), slots=("fields",))


def _set(fields: dict[str, Any], names: Sequence[str], data: Mapping[str, Any]) -> None:
    for name in names:
        if name not in data:
            continue
        if data[name] is None:
            fields.pop(name, None)
        else:
            fields[name] = data[name]


def stand(_state: State, _event: Event) -> None:
    """It stands in the journal and changes nothing; a retraction has acted before any handler is called."""
