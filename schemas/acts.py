"""What people may do about a matter: the bodies of `POST /v1/matters/{id}/…`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from schemas.fields import EVENT_ID, Day, Flag, Json, Name, Text
from schemas.loading import Record

_NOTE = 2000
_TEXT = 2000
_REASON = 500
_LINE = 200


class Signature(Record):
    """签收: whoever stands on the step that was told, or above it, takes note of a stall and takes it on."""

    id = Name(EVENT_ID, allow_none=True)
    actor = Name(required=True)
    note = Text(_NOTE, lines=True, allow_none=True)


class Feedback(Record):
    """反馈: what is being done, and the day by which the stall will be over."""

    id = Name(EVENT_ID, allow_none=True)
    actor = Name(required=True)
    text = Text(_TEXT, lines=True, required=True)
    recovery = Day(required=True)
    note = Text(_NOTE, lines=True, allow_none=True)


class Review(Record):
    """复核: the group head, or whoever stands above, accepts the last feedback, or refuses it with a reason."""

    also: ClassVar[Json] = {
        "anyOf": [
            {"properties": {"accepted": {"const": True}}},
            {"properties": {"reason": {"type": "string"}}, "required": ["reason"]},
        ]
    }

    id = Name(EVENT_ID, allow_none=True)
    actor = Name(required=True)
    accepted = Flag(required=True)
    reason = Text(_REASON, lines=True, allow_none=True)
    note = Text(_NOTE, lines=True, allow_none=True)


class Closing(Record):
    """销号: the group head, or whoever stands above, puts on record that a stall which is over is dealt with."""

    id = Name(EVENT_ID, allow_none=True)
    actor = Name(required=True)
    note = Text(_NOTE, lines=True, allow_none=True)


class Resend(Record):
    """再次发送: what was given up goes again, on one channel or on all that gave it up."""

    actor = Name(required=True)
    channel = Text(_LINE, allow_none=True)


class SilenceBegun(Record):
    """静默: for a while, and for a reason, nothing about a matter, or about a project and its parts, goes out."""

    also: ClassVar[Json] = {"oneOf": [{"required": ["project_id"]}, {"required": ["matter"]}]}

    id = Name(EVENT_ID, allow_none=True)
    actor = Name(required=True)
    project_id = Name()
    matter = Text(_LINE)
    reason = Text(_REASON, lines=True, required=True)
    until = Day(required=True)


class SilenceEdited(Record):
    """Another silence takes the place of one: with another reason, or until another day."""

    also: ClassVar[Json] = {"anyOf": [{"required": ["reason"]}, {"required": ["until"]}]}

    id = Name(EVENT_ID, allow_none=True)
    actor = Name(required=True)
    reason = Text(_REASON, lines=True)
    until = Day()


class SilenceEnded(Record):
    """A silence ends before its time."""

    id = Name(EVENT_ID, allow_none=True)
    actor = Name(required=True)


ACTS: Mapping[str, tuple[type[Record], str]] = {
    "sign": (Signature, "签收 · Sign for a stall"),
    "feedback": (Feedback, "反馈 · Say what is being done, and by when it will be over"),
    "review": (Review, "复核 · Accept a feedback, which holds the ladder until its date, or refuse it"),
    "close": (Closing, "销号 · Close a matter whose stall is over"),
}
"""The last part of an act's address -> its body, and what it is."""
