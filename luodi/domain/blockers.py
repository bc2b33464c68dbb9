"""Blockers as a whole: what was raised, with the pauses approved for it, the changes of its promise, and its clear."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from luodi.domain.calendar import Calendar
from luodi.domain.days import day_text, last_ordinal
from luodi.domain.fold import State
from luodi.domain.pauses import is_too_long, last_paused


def joined(state: State, calendar: Calendar) -> list[dict[str, Any]]:
    """Blockers with all that was told of them, in the order they were recorded.

    ``owner`` and ``promise`` are those in force; ``first_promise`` is the one given first and ``postponed`` counts the
    times it was moved to a later day.
    """
    if not state["blockers"]:
        return []
    clears, updates, pauses = state["clears"], state["updates"], _pauses(state, calendar)
    found: list[dict[str, Any]] = []
    for blocker_id, blocker in state["blockers"].items():
        promise = blocker["promise"]
        entry = {
            "id": blocker_id,
            "kind": blocker["kind"],
            "cause": blocker["cause"],
            "owner": blocker["owner"],
            "date": blocker["date"] or day_of(blocker, calendar),
            "promise": promise,
            "first_promise": promise,
            "postponed": 0,
            "level": blocker["level"],
            "cleared": day_of(clears[blocker_id], calendar) if blocker_id in clears else None,
            "note": blocker["note"],
            "actor": blocker["actor"],
            "recorded_at": blocker["recorded_at"],
            "pauses": pauses.get(blocker_id) or [],
            "updates": [],
            "lights": [],
        }
        if blocker_id in updates:
            entry |= _in_force(blocker, updates[blocker_id])
            entry["updates"] = updates[blocker_id]
        found.append(entry)
    return found


def _in_force(blocker: Mapping[str, Any], updates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Unit and promise after all updates. A promise brought forward is no postponement."""
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
    return {"owner": owner, "promise": promise, "first_promise": first, "postponed": postponed}


def _pauses(state: State, calendar: Calendar) -> dict[str, list[dict[str, Any]]]:
    """Approved pauses by blocker. ``end`` is the first day that counts again; ``number`` the order of recording."""
    if not state["pauses"]:
        return {}
    clears = state["clears"]
    found: dict[str, list[dict[str, Any]]] = {}
    for number, (event_id, approval) in enumerate(state["pauses"].items(), 1):
        blocker_id = approval["blocker_id"]
        begin = day_of(approval, calendar)
        until = approval["until"]
        first, end = last_ordinal(begin), last_paused(begin, until) + 1
        if blocker_id in clears:
            end = min(end, last_ordinal(day_of(clears[blocker_id], calendar)))
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
    known, pauses, updates, clears = state["blockers"], state["pauses"], state["updates"], state["clears"]
    named = {pause["blocker_id"] for pause in pauses.values()}
    if not (updates.keys() <= known.keys() and clears.keys() <= known.keys() and named <= known.keys()):
        unknown = [*(pause["blocker_id"] for pause in pauses.values()), *updates, *clears]
        found += [{"code": "unknown-blocker", "blocker": name} for name in dict.fromkeys(unknown) if name not in known]
    return found


def day_of(entry: Mapping[str, Any], calendar: Calendar) -> str:
    """The business date of an entry; that of its recording where none was given."""
    return entry["date"] or calendar.business_date(entry["recorded_at"]).isoformat()
