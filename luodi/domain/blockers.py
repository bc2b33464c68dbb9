"""Blockers as a whole: what was raised, with the pauses approved for it, the changes of its promise, and its clear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.days import day_text, last_ordinal
from luodi.domain.handlers import State
from luodi.domain.pauses import is_too_long, last_paused

GRADES = "grades"  # the slot of the entries that say of which level a blocker is now; the last recorded holds


def joined(state: State, calendar: Calendar) -> list[dict[str, Any]]:
    """Blockers with all that was told of them, in the order they were recorded.

    ``owner`` and ``promise`` are those in force; ``first_promise`` is the one given first and ``postponed`` counts the
    times it was moved to a later day. One that changed hands has ``held_by``: the units before, each with the day from
    which it is no longer the one that must act.
    """
    if not state["blockers"]:
        return []
    clears, updates, pauses = state["clears"], state["updates"], _pauses(state, calendar)
    found: list[dict[str, Any]] = []
    for blocker_id, blocker in state["blockers"].items():
        changes = updates.get(blocker_id, [])
        owner, promise, first_promise, postponed = _in_force(blocker, changes)
        found.append(
            {
                "id": blocker_id,
                "kind": blocker["kind"],
                "cause": blocker["cause"],
                "owner": owner,
                "date": blocker["date"] or day_of(blocker, calendar),
                "promise": promise,
                "first_promise": first_promise,
                "postponed": postponed,
                "level": blocker["level"],
                "cleared": day_of(clears[blocker_id], calendar) if blocker_id in clears else None,
                "note": blocker["note"],
                "actor": blocker["actor"],
                "recorded_at": blocker["recorded_at"],
                "pauses": pauses.get(blocker_id) or [],
                "updates": changes,
                "lights": [],
            }
        )
        if changes:
            earlier = _held_by(blocker["owner"], changes, calendar)
            if earlier:
                found[-1]["held_by"] = earlier
    if GRADES in state["entries"]:
        levels = {grade["blocker_id"]: grade["level"] for grade in state["entries"][GRADES].values()}
        for row in found:
            row["level"] = levels.get(row["id"], row["level"])
    return found


def _held_by(first: str | None, changes: Sequence[Mapping[str, Any]], calendar: Calendar) -> list[dict[str, Any]]:
    """The units before the one in force; the day on which a change is recorded is already the next one's."""
    earlier: list[dict[str, Any]] = []
    owner = first
    for change in changes:
        if change["owner"] is not None and change["owner"] != owner:
            earlier.append({"owner": owner, "to": calendar.business_date(change["recorded_at"]).isoformat()})
            owner = change["owner"]
    return earlier


def _in_force(
    blocker: Mapping[str, Any], updates: Sequence[Mapping[str, Any]]
) -> tuple[str | None, str | None, str | None, int]:
    """Unit and promise after all updates, the promise given first, how often it was postponed. A promise brought
    forward is no postponement."""
    owner, promise, first, postponed = blocker["owner"], blocker["promise"], blocker["promise"], 0
    for update in updates:
        owner = update["owner"] or owner
        moved = update["promise"]
        if moved is None:
            continue
        if promise is None:
            first = moved
        elif last_ordinal(moved) > last_ordinal(promise):
            postponed += 1
        promise = moved
    return owner, promise, first, postponed


def _pauses(state: State, calendar: Calendar) -> dict[str, list[dict[str, Any]]]:
    """Approved pauses by blocker. ``end`` is the first day that counts again; ``number`` the order of recording."""
    if not state["pauses"]:
        return {}
    clears = state["clears"]
    found: dict[str, list[dict[str, Any]]] = {}
    for number, (event_id, approval) in enumerate(state["pauses"].items(), 1):
        blocker_id = approval["blocker_id"]
        begin, until = approval["date"] or day_of(approval, calendar), approval["until"]
        first, end = last_ordinal(begin), last_paused(begin, until) + 1
        if blocker_id in clears:
            cleared = last_ordinal(day_of(clears[blocker_id], calendar))
            if cleared < end:
                end = cleared
        pause = {
            "from": begin,
            "until": until,
            "end": day_text(max(first, end)),
            "approver": approval["approver"],
            "reason": approval["reason"],
            "document": approval["document"],
            "number": number,
            "event_id": event_id,
            "recorded_at": approval["recorded_at"],
        }
        found.setdefault(blocker_id, []).append(pause)
    return found


def warnings(state: State, blockers: Sequence[Mapping[str, Any]], causes: Collection[str]) -> list[dict[str, Any]]:
    """What was told of blockers and does not hold. ``causes``: those for which any clock may be paused."""
    found: list[dict[str, Any]] = []
    for blocker in blockers:
        if blocker["pauses"] and blocker["cause"] not in causes:
            found.append({"code": "pause-not-allowed", "blocker": blocker["id"], "cause": blocker["cause"]})
            continue
        for pause in blocker["pauses"]:
            begin, until = pause["from"], pause["until"]
            if pause["end"] <= until and is_too_long(begin, until):
                end = day_text(last_paused(begin, until))
                found.append({"code": "pause-too-long", "blocker": blocker["id"], "until": end})
    named = [*(pause["blocker_id"] for pause in state["pauses"].values()), *state["updates"], *state["clears"]]
    unknown = dict.fromkeys(name for name in named if name not in state["blockers"])
    found += [{"code": "unknown-blocker", "blocker": name} for name in unknown]
    return found


def day_of(entry: Mapping[str, Any], calendar: Calendar) -> str:
    """The business date of an entry; that of its recording where none was given."""
    return entry["date"] or calendar.business_date(entry["recorded_at"]).isoformat()
