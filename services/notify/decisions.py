"""Decisions (交办) as notify watches them: each like a project of which one day alone can be overdue.

Whoever must do it is told first, together with whoever follows it up; it climbs to the leader who decided it. A unit is
told through its head, a post through its holder, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_NAME = 60  # characters of a decision's text that name it in a message

DECISION_RULE = "decision"  # the rule of a deadline that a meeting or a leader has set


def as_watched(state: Mapping[str, Any]) -> dict[str, Any]:
    """A decision's state in the form in which a project's is read. One of which only later events came has no day."""
    course = state.get("course") or {}
    people = {name: state[name] for name in ("owner", "supervisor", "leader") if state.get(name)}
    return {
        "id": state["id"],
        "events": state["events"],
        "ruleset": state["ruleset"],
        "registered": state["registered"],
        "updated_at": state["updated_at"],
        "name": _named(state.get("text")),
        "zone": state.get("zone"),
        "status": "active",
        "stage": None,
        "lights": [],
        "clocks": [],
        "blockers": [],
        **people,
        "decision": {
            "due": state.get("due"),
            "by": state.get("meeting") or state.get("leader"),
            "done": course.get("done"),
            "level": state.get("level"),
            "lights": course.get("lights") or [],
        },
    }


def _named(text: str | None) -> str | None:
    if text is None:
        return None
    line = " ".join(text.split())
    return line if len(line) <= MAX_NAME else f"{line[: MAX_NAME - 1]}…"
