"""What happened to a subject, as it was recorded: one value, its order, and the identity of its content.

An event type is a row of a table: its name here or in the module of its area, its wire form in ``schemas.catalog``,
what it does in ``luodi.domain.fold.HANDLERS``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROJECT_REGISTERED = "project.registered"
PROJECT_AMENDED = "project.amended"
PROJECT_WITHDRAWN = "project.withdrawn"
MILESTONE_REPORTED = "milestone.reported"
MILESTONE_VERIFIED = "milestone.verified"
PLAN_SET = "plan.set"
PROGRESS_REPORTED = "progress.reported"
BLOCKER_RAISED = "blocker.raised"
BLOCKER_PAUSED = "blocker.paused"
BLOCKER_UPDATED = "blocker.updated"
BLOCKER_CLEARED = "blocker.cleared"
SUSPENSION_BEGUN = "suspension.begun"
SUSPENSION_ENDED = "suspension.ended"
LAND_CONTRACT_RECORDED = "land_contract.recorded"
ANNUAL_PLAN_SET = "annual_plan.set"
STATISTICS_REPORTED = "statistics.reported"
UNIT_REGISTERED = "unit.registered"
UNIT_AMENDED = "unit.amended"
PERSON_REGISTERED = "person.registered"
PERSON_AMENDED = "person.amended"
LEAVE_GRANTED = "leave.granted"
PERSON_HANDED_OVER = "person.handed_over"
POST_REGISTERED = "post.registered"
POST_AMENDED = "post.amended"
POST_HANDED_OVER = "post.handed_over"
MATTER_SIGNED = "matter.signed"
MATTER_ANSWERED = "matter.answered"
MATTER_REVIEWED = "matter.reviewed"
MATTER_CLOSED = "matter.closed"
SILENCE_BEGUN = "silence.begun"
SILENCE_ENDED = "silence.ended"
NOTE_ADDED = "note.added"
EVENT_RETRACTED = "event.retracted"

# The fields a project is registered with. ``confirm`` is not one: it answers ingest's question about a value.
REGISTERED_FIELDS = (
    "name",
    "zone",
    "route",
    "kind",
    "content",
    "phased",
    "lanes",
    "industry",
    "chain",
    "investor",
    "enterprise",
    "credit_code",
    "approval_code",
    "origin",
    "park",
    "parcel",
    "carrier",
    "parent",
    "key",
    "level",
    "class",
    "investment",
    "phase_investment",
    "paid_in",
    "area_mu",
    "floor_m2",
    "jobs",
    "agreed_start_date",
    "leader",
    "vice_leader",
    "lead_unit",
    "group_head",
    "officer",
    "company_contact",
    "introduced_by",
    "increment_of",
    "refs",
    "source",
    "as_of",
)


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded fact about one subject. ``data`` is JSON and is never changed after the event is made."""

    subject: str
    id: str  # unique within the subject
    type: str
    recordedtime: str  # instant, set by ingest
    sequence: int  # place in the request
    actor: str | None
    data: Mapping[str, Any]
    traceparent: str | None = None

    @property
    def order(self) -> tuple[str, int, str]:
        """Where two reports of one thing differ, the one that sorts last by this holds."""
        return (self.recordedtime, self.sequence, self.id)


def content(event: Event) -> bytes:
    """The canonical JSON of what an event says: type, data and actor. Its id, place and time are not part of it."""
    return json.dumps(
        [event.type, event.data, event.actor], sort_keys=True, separators=(",", ":"), ensure_ascii=True
    ).encode()


def digest(event: Event) -> str:
    """The SHA-256 of the content, in hex: the same id with another digest is another claim to the same identity."""
    return hashlib.sha256(content(event)).hexdigest()
