"""Enterprises: what one is registered with, its requests (企业诉求), and the link by which it raises them.

A request is answered, or accepted as a blocker of one of the enterprise's projects; either is a first answer, which is
due within one working day. What becomes of the blocker stands in the project, never here: a fold looks at one subject.

The link holds a number, its generation. A revocation raises the number that counts, and a request that came through an
older link after that is nothing: it stands in the journal and changes no more than a count. Which links are old follows
from the order of recording alone, so whoever takes requests in needs to know of no revocation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.chapters import Chapter, Row, Telling
from luodi.domain.days import day_text
from luodi.domain.events import Event
from luodi.domain.handlers import Handler, State, amend, entry, register
from luodi.domain.lights import FIRST_DAY, GREEN, RED, YELLOW, DayStep, render
from luodi.domain.subjects import ENTERPRISE

ENTERPRISE_REGISTERED = "enterprise.registered"
ENTERPRISE_AMENDED = "enterprise.amended"
REQUEST_RAISED = "request.raised"
REQUEST_ANSWERED = "request.answered"
REQUEST_ACCEPTED = "request.accepted"
LINK_REVOKED = "link.revoked"

FIRST_ANSWER_WORKDAYS = 1  # after the day on which the request was recorded

OPEN, ANSWERED, ACCEPTED, RESOLVED = "open", "answered", "accepted", "resolved"
STATES: Mapping[str, tuple[str, str]] = {
    OPEN: ("待答复", "open"),
    ANSWERED: ("已答复", "answered"),
    ACCEPTED: ("已受理", "accepted as a blocker"),
    RESOLVED: ("已解决", "resolved: the blocker is cleared"),  # known only where the project is looked at, too
}
"""State of a request -> what it is called."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    ENTERPRISE: (
        *("name", "credit_code", "zone", "industry", "chain", "park", "scale", "officer", "contact"),
        *("refs", "source", "as_of"),
    )
}

REQUESTS_KEPT = 300  # of one enterprise; whoever holds a link may write, and a document has its size
REVOCATIONS = "revocations"
REFUSED = "refused_requests"


def generation(state: State) -> int:
    """The generation of the links that hold: 0 at first, one more with each revocation."""
    return len(state["entries"].get(REVOCATIONS, ()))


def _raise(state: State, event: Event) -> None:
    link = event.data.get("link")
    if link is not None and link != generation(state):
        state["counted"][REFUSED] = state["counted"].get(REFUSED, 0) + 1
    else:
        _KEEP.apply(state, event)


_KEEP = entry("requests", keep=REQUESTS_KEPT)


def requests(telling: Telling) -> list[Row]:
    """The requests, in the order of recording, each with the clock of its first answer and with what became of it."""
    answers = telling.by("request_answers", "request_id")
    acceptances = telling.by("request_acceptances", "request_id")
    return [
        _request(row, answers.get(row["id"], []), acceptances.get(row["id"], []), telling.calendar)
        for row in telling.rows("requests")
    ]


def _request(row: Row, answers: list[Row], acceptances: list[Row], calendar: Calendar) -> Row:
    received = calendar.business_day(row["recorded_at"])
    due = calendar.nth(calendar.count(received) + FIRST_ANSWER_WORKDAYS)
    first = min((told["recorded_at"] for told in (*answers, *acceptances)), default=None)
    accepted = acceptances[-1] if acceptances else None
    text = day_text(due)
    return {
        "id": row["id"],
        "kind": row.get("kind"),
        "text": row["text"],
        "project_id": row.get("project_id"),
        "by_link": row.get("link") is not None,
        "note": row.get("note"),
        "actor": row["actor"],
        "recorded_at": row["recorded_at"],
        "state": ACCEPTED if accepted else ANSWERED if answers else OPEN,
        "due": text,
        "first_answer_at": first,
        "in_time": None if first is None else calendar.business_day(first) <= due,
        "answers": [
            {name: told.get(name) for name in ("id", "text", "unit", "note", "actor", "recorded_at")}
            for told in answers
        ],
        "accepted": None
        if accepted is None
        else {name: accepted.get(name) for name in ("id", "project_id", "blocker_id", "note", "actor", "recorded_at")},
        "lights": [] if first is not None else render(first_answer_steps(received, due), calendar),
    }


def first_answer_steps(received: int, due: int) -> list[DayStep]:
    """The lights of the first answer that a request waits for, by day (ordinals): yellow on the due day, red after."""
    told = {"start": day_text(received), "due": day_text(due)}
    return [
        (FIRST_DAY, GREEN, {"code": "first-answer-in-time", **told}),
        (due, YELLOW, {"code": "first-answer-due", **told}),
        (due + 1, RED, {"code": "first-answer-overdue", **told}),
    ]


def owns(enterprise_id: str, enterprise: Mapping[str, Any], project: Mapping[str, Any]) -> bool:
    """Whether a project is the enterprise's: by the credit code where both have one, else by its name or id."""
    code, told = enterprise.get("credit_code"), project.get("credit_code")
    if code is not None and told is not None:
        return bool(code == told)
    return project.get("enterprise") in (enterprise_id, enterprise.get("name")) and bool(project.get("enterprise"))


def link(telling: Telling) -> dict[str, Any]:
    """The generation of the links that hold, and how many requests came through older ones."""
    return {"generation": generation(telling.state), "refused": telling.state["counted"].get(REFUSED, 0)}


HANDLERS: Mapping[str, Handler] = {
    ENTERPRISE_REGISTERED: register(FIELDS[ENTERPRISE]),
    ENTERPRISE_AMENDED: amend(FIELDS[ENTERPRISE]),
    REQUEST_RAISED: Handler(_raise, slots=_KEEP.slots),
    REQUEST_ANSWERED: entry("request_answers"),
    REQUEST_ACCEPTED: entry("request_acceptances"),
    LINK_REVOKED: entry(REVOCATIONS),
}

CHAPTERS: tuple[Chapter, ...] = (
    Chapter(ENTERPRISE, "requests", ("requests",), requests),
    Chapter(ENTERPRISE, "link", (REVOCATIONS,), link),
)
