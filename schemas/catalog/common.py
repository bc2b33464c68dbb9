"""What can be told of any subject."""

from __future__ import annotations

from luodi.domain import events as domain
from schemas.catalog.rows import (
    ANY_KIND,
    LONG,
    REASON,
    SUBJECT,
    EventType,
    a_note,
)
from schemas.fields import (
    EVENT_ID,
    Name,
    Text,
)
from schemas.loading import Record


class NoteAdded(Record):
    """A remark in the timeline of the subject."""

    text = Text(LONG, lines=True, required=True)
    note = a_note()


class EventRetracted(Record):
    """An earlier event is taken back, as if it had never been reported; the record of it stays."""

    event_id = Name(EVENT_ID, required=True)
    reason = Text(REASON, lines=True, required=True)
    note = a_note()


ROWS = (
    EventType(domain.NOTE_ADDED, ANY_KIND, NoteAdded, f"{SUBJECT}/notes", "记事 · Add a note"),
    EventType(domain.EVENT_RETRACTED, ANY_KIND, EventRetracted, f"{SUBJECT}/retractions", "撤回 · Retract an event"),
)
