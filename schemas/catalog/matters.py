"""What is done about a stall, told by notify."""

from __future__ import annotations

from luodi.domain import events as domain
from luodi.domain.subjects import PROJECT
from schemas.catalog.rows import (
    ANY_KIND,
    LINE,
    NOTE,
    REASON,
    EventType,
    a_note,
)
from schemas.fields import (
    EVENT_ID,
    Day,
    Flag,
    Name,
    Text,
)
from schemas.loading import Record


class MatterSigned(Record):
    """签收: somebody took a stall on. Told by notify, as all that is done about a matter."""

    matter = Text(LINE, required=True)
    note = a_note()


class MatterAnswered(Record):
    """反馈: what is being done about a stall, and the day by which it will be over."""

    matter = Text(LINE, required=True)
    text = Text(NOTE, lines=True, required=True)
    recovery = Day(required=True)
    note = a_note()


class MatterReviewed(Record):
    """复核: a feedback was accepted, which holds the ladder until its date, or refused with a reason."""

    matter = Text(LINE, required=True)
    accepted = Flag(required=True)
    reason = Text(REASON, lines=True, allow_none=True)
    note = a_note()


class MatterClosed(Record):
    """销号: a stall that is over was put on record as dealt with."""

    matter = Text(LINE, required=True)
    note = a_note()


class SilenceBegun(Record):
    """静默: until a day nothing about a matter, or about the project and its parts, goes out. Told by notify."""

    silence = Name(EVENT_ID, required=True)
    matter = Text(LINE, allow_none=True)
    reason = Text(REASON, lines=True, required=True)
    until = Day(required=True)
    replaces = Name(EVENT_ID, allow_none=True)
    note = a_note()


class SilenceEnded(Record):
    """A silence ended before its time."""

    silence = Name(EVENT_ID, required=True)
    note = a_note()


ROWS = (
    EventType(domain.MATTER_SIGNED, ANY_KIND, MatterSigned, "", "签收 · A stall was signed for"),
    EventType(domain.MATTER_ANSWERED, ANY_KIND, MatterAnswered, "", "反馈 · A stall was answered"),
    EventType(domain.MATTER_REVIEWED, ANY_KIND, MatterReviewed, "", "复核 · An answer was reviewed"),
    EventType(domain.MATTER_CLOSED, ANY_KIND, MatterClosed, "", "销号 · A matter was closed"),
    EventType(domain.SILENCE_BEGUN, PROJECT, SilenceBegun, "", "静默 · A silence began"),
    EventType(domain.SILENCE_ENDED, PROJECT, SilenceEnded, "", "解除静默 · A silence ended early"),
)
