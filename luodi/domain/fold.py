"""Fold the events of one subject into its state: a pure function of the set of its events.

The order of arrival never matters: events are put in the order in which they were recorded, each identity counts once,
and what was retracted is left out as if it had never been reported. The state is JSON with a fixed order of keys, so
equal sets of events give equal bytes.

A new kind of event is a row of ``HANDLERS``, or of those of its area (``luodi.domain.areas``). A handler may change
only the slots of the state that its row names, and only by setting or removing whole entries: ``advance`` copies those
slots and shares everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain import areas, events, verifying
from luodi.domain.events import Event
from luodi.domain.handlers import Handler, State, stand
from luodi.domain.subjects import unrecorded

FOLD_VERSION = 7  # raise it when the same events would make another state or document: every one is then made anew

_REGISTERED_FIELDS = frozenset(events.REGISTERED_FIELDS)
_TOTALS = ("invested_total", "arrived_total")
_CONTRACT_FIELDS = ("contract_no", "parcel", "area_mu", "price", "start_by", "complete_by", "produce_by")


def empty() -> State:
    """The state of a project of which nothing is recorded; every key is there, in its order."""
    return unrecorded() | {
        "milestones": {},  # by stage: the report that counts
        "returned": {},  # reports that were returned, by the id of their event, in the order they were recorded
        "plans": {},  # by stage
        "progress": None,
        "reports": {},  # percent by the business date of the progress; null where none was told
        "money": {},  # totals of money by the business date of the progress that told any
        "blockers": {},  # by id, in the order they were recorded
        # What tells of a blocker is kept apart from it, for it may be recorded before the blocker is.
        "pauses": {},  # approved pauses by the id of their event, in the order they were recorded
        "updates": {},  # by the id of the blocker: the changes of its unit and its promise
        "clears": {},  # by the id of the blocker
        "suspensions": {},  # by id
        "suspension_ends": {},  # by the id of the suspension, kept apart likewise
        "withdrawn": None,
        "land_contract": None,
        "annual_plans": {},  # by year, as text
        "statistics": None,
    }


def fold(recorded: Iterable[Event], begin: Callable[[], State] = empty) -> State:
    """The state after these events of one subject, given in any order and any number of times.

    `begin` makes the state of a subject of its kind of which nothing is recorded. Of events with one id the first
    recorded counts; the caller hands in one content per id.
    """
    ordered = _in_order(recorded)
    retracted = _retracted(ordered)
    verified = verifying.in_force(ordered, retracted)
    state = begin()
    for event in ordered:
        handler = HANDLERS.get(event.type)
        if event.id in retracted:
            state["retracted"] += 1
        elif handler is None:
            state["ignored"] += 1
        elif event.id in verified:
            _reach_as_verified(state, event, verified[event.id])
        else:
            handler.apply(state, event)
    if ordered:
        _keep_record(state, ordered[0], ordered[-1], len(ordered))
    return state


def advance(state: State, event: Event) -> State | None:
    """The state after one more event, or None when only a fold of all events can tell.

    That is so for a retraction, for a verification of anything but a report that counts and goes on to count, and for
    an event that does not sort after everything in the state. The state given is left as it was; the new one may share
    parts with it. The caller knows that the event's id is new.
    """
    if event.type == events.EVENT_RETRACTED or event.order <= tuple(state["last"]):
        return None
    if event.type == events.MILESTONE_VERIFIED and not _keeps_its_report(state, event):
        return None
    after = state.copy()
    handler = HANDLERS.get(event.type)
    if handler is None:
        after["ignored"] += 1
    else:
        for slot in handler.slots:
            after[slot] = after[slot].copy()
        handler.apply(after, event)
    _keep_record(after, event, event, 1)
    return after


def retracted(recorded: Iterable[Event]) -> frozenset[str]:
    """The ids of those events that others of them take back: what a timeline shows struck through."""
    return frozenset(_retracted(_in_order(recorded)))


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of recorded events: the ids of those retracted, the verdict on each report that was verified, and
    the code of the reason why a verification has no effect, both by the id of the event."""

    retracted: frozenset[str]
    verified: Mapping[str, dict[str, Any]]
    without_effect: Mapping[str, str]


def standing(recorded: Iterable[Event]) -> Standing:
    """What became of these events of one subject: what a timeline shows beside them."""
    ordered = _in_order(recorded)
    gone = frozenset(_retracted(ordered))
    verified = verifying.in_force(ordered, gone)
    return Standing(
        gone,
        {report: verifying.verdict(verification) for report, verification in verified.items()},
        verifying.without_effect(ordered, gone),
    )


def _keep_record(state: State, first: Event, last: Event, count: int) -> None:
    state["last"] = [last.recordedtime, last.sequence, last.id]
    state["first"] = state["first"] or first.recordedtime
    state["events"] += count


def _in_order(recorded: Iterable[Event]) -> list[Event]:
    """Each identity once, as recorded; of two claims to one identity the one recorded first."""
    ordered = sorted(recorded, key=_order)
    by_id: dict[str, Event] = {}
    for event in ordered:
        by_id.setdefault(event.id, event)
    return ordered if len(by_id) == len(ordered) else list(by_id.values())


def _order(event: Event) -> tuple[str, int, str]:
    return (event.recordedtime, event.sequence, event.id)


def _retracted(ordered: Sequence[Event]) -> frozenset[str] | set[str]:
    """Ids of the retracted events, retracted retractions included.

    Read backwards, everything that could undo a retraction is decided before the retraction itself is met. One that
    names an unknown event, or one recorded after it, does nothing.
    """
    if not any(event.type == events.EVENT_RETRACTED for event in ordered):
        return frozenset()
    places = {event.id: place for place, event in enumerate(ordered)}
    retracted: set[str] = set()
    for place in range(len(ordered) - 1, -1, -1):
        event = ordered[place]
        if event.type == events.EVENT_RETRACTED and event.id not in retracted:
            target = event.data["event_id"]
            if places.get(target, place) < place:
                retracted.add(target)
    return retracted


def _register(state: State, event: Event) -> None:
    state["registered"] = True
    _amend(state, event)


def _amend(state: State, event: Event) -> None:
    """Per field the last recorded value holds; null clears."""
    fields = state["fields"]
    for name, value in event.data.items():
        if name not in _REGISTERED_FIELDS:
            continue
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value


def _reach(state: State, event: Event) -> None:
    data, milestones = event.data, state["milestones"]
    before = milestones.get(data["stage"])
    milestones[data["stage"]] = {
        "date": data.get("date"),
        "recorded_at": event.recordedtime,
        "event_id": event.id,
        "actor": event.actor,
        "note": data.get("note"),
        "evidence": data.get("evidence"),
        "corrects": None if before is None else before["event_id"],
        "first_recorded_at": event.recordedtime if before is None else before["first_recorded_at"],
        "verified": None,
    }


def _reach_as_verified(state: State, event: Event, verification: Event) -> None:
    """A report on which somebody else has spoken; where he returned it, what counted before it goes on to count."""
    stage = event.data["stage"]
    reached = {"milestones": state["milestones"].copy()}
    _reach(reached, event)
    report = reached["milestones"][stage]
    report["verified"] = verifying.verdict(verification)
    if verification.data["result"] == verifying.RETURNED:
        state["returned"][event.id] = {"stage": stage, **report}
    else:
        state["milestones"][stage] = report


def _keeps_its_report(state: State, event: Event) -> bool:
    """Whether a verification is of a report that counts, and leaves it so."""
    report = _counting(state, event)
    return report is not None and (
        event.data["result"] != verifying.RETURNED or not verifying.may_verify(event.actor, report[1]["actor"])
    )


def _verify(state: State, event: Event) -> None:
    """Another person confirms a report that counts. What else a verification does only a fold of all can tell, which
    has done it when it met the report."""
    report = _counting(state, event)
    if report is not None and event.data["result"] != verifying.RETURNED:
        stage, milestone = report
        if verifying.may_verify(event.actor, milestone["actor"]):
            state["milestones"][stage] = milestone | {"verified": verifying.verdict(event)}


def _counting(state: State, event: Event) -> tuple[str, dict[str, Any]] | None:
    """The report that a verification names, with its stage, where it is the one that counts."""
    report_id = event.data["event_id"]
    found = (item for item in state["milestones"].items() if item[1]["event_id"] == report_id)
    return next(found, None)


def _plan(state: State, event: Event) -> None:
    """The first date of a stage is its baseline; another needs a reason and an approver, else the old one holds."""
    data = event.data
    plans, stage, date = state["plans"], data["stage"], data.get("date")
    plan = plans.get(stage)
    if plan is None:
        plans[stage] = {
            "baseline": date,
            "date": date,
            "refused": 0,
            "changes": [],
            "event_id": event.id,
            "recorded_at": event.recordedtime,
        }
    elif date == plan["date"]:
        pass  # said again: nothing was moved, so nothing is counted
    elif data.get("reason") and data.get("approver"):
        change = {
            "date": date,
            "reason": data["reason"],
            "approver": data["approver"],
            "event_id": event.id,
            "recorded_at": event.recordedtime,
        }
        plans[stage] = plan | {"date": date, "changes": [*plan["changes"], change]}
    else:
        plans[stage] = plan | {"refused": plan["refused"] + 1}


def _progress(state: State, event: Event) -> None:
    data = event.data
    state["progress"] = {
        "date": data.get("date"),
        "percent": data.get("percent"),
        "appearance": data.get("appearance"),
        "invested_total": data.get("invested_total"),
        "arrived_total": data.get("arrived_total"),
        "note": data.get("note"),
        "actor": event.actor,
        "event_id": event.id,
        "recorded_at": event.recordedtime,
    }
    if data.get("date") is not None:
        percent = data.get("percent")
        reports = state["reports"]
        reports[data["date"]] = reports.get(data["date"]) if percent is None else percent
        told = {name: data[name] for name in _TOTALS if data.get(name) is not None}
        if told:
            state["money"][data["date"]] = state["money"].get(data["date"], {}) | told


def _block(state: State, event: Event) -> None:
    data = event.data
    state["blockers"][event.id] = {
        "kind": data.get("kind"),
        "cause": data.get("cause"),
        "owner": data.get("owner"),
        "date": data.get("date"),
        "promise": data.get("promise"),
        "level": data.get("level"),
        "note": data.get("note"),
        "actor": event.actor,
        "recorded_at": event.recordedtime,
    }
    if data.get("approver") and data.get("until"):  # the first of its pauses was approved with it
        state["pauses"][event.id] = _approval(event, event.id)


def _pause(state: State, event: Event) -> None:
    state["pauses"][event.id] = _approval(event, event.data["blocker_id"])


def _approval(event: Event, blocker_id: str) -> dict[str, Any]:
    data = event.data
    return {
        "blocker_id": blocker_id,
        "date": data.get("date"),
        "approver": data.get("approver"),
        "until": data.get("until"),
        "document": data.get("document"),
        "reason": data.get("note"),
        "actor": event.actor,
        "recorded_at": event.recordedtime,
    }


def _update(state: State, event: Event) -> None:
    data, updates = event.data, state["updates"]
    update = {
        "owner": data.get("owner"),
        "promise": data.get("promise"),
        "reason": data.get("reason"),
        "note": data.get("note"),
        "actor": event.actor,
        "event_id": event.id,
        "recorded_at": event.recordedtime,
    }
    updates[data["blocker_id"]] = [*updates.get(data["blocker_id"], ()), update]


def _clear(state: State, event: Event) -> None:
    clears, blocker_id = state["clears"], event.data["blocker_id"]
    before = clears.get(blocker_id)
    first = event.recordedtime if before is None else before["first_recorded_at"]
    clears[blocker_id] = _dated(event) | {"first_recorded_at": first}


def _suspend(state: State, event: Event) -> None:
    state["suspensions"][event.id] = _dated(event)


def _resume(state: State, event: Event) -> None:
    state["suspension_ends"][event.data["suspension_id"]] = _dated(event)


def _withdraw(state: State, event: Event) -> None:
    state["withdrawn"] = _dated(event)


def _contract(state: State, event: Event) -> None:
    """The land contract as recorded last: a supplement is recorded with all that then holds."""
    data = event.data
    state["land_contract"] = {name: data.get(name) for name in _CONTRACT_FIELDS} | _told_by(event)


def _annual_plan(state: State, event: Event) -> None:
    data = event.data
    state["annual_plans"][str(data["year"])] = {
        "year": data["year"],
        "amount": data.get("amount"),
        "by_month": data.get("by_month"),
        **_told_by(event),
    }


def _statistics(state: State, event: Event) -> None:
    data = event.data
    state["statistics"] = {"in_library": data.get("in_library"), "since": data.get("since")} | _told_by(event)


def _told_by(event: Event) -> dict[str, Any]:
    return {
        "note": event.data.get("note"),
        "actor": event.actor,
        "event_id": event.id,
        "recorded_at": event.recordedtime,
    }


def _dated(event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "date": data.get("date"),
        "reason": data.get("reason"),
        "note": data.get("note"),
        "actor": event.actor,
        "event_id": event.id,
        "recorded_at": event.recordedtime,
    }


def _note(state: State, _event: Event) -> None:
    state["notes"] += 1


HANDLERS: dict[str, Handler] = {
    events.PROJECT_REGISTERED: Handler(_register, slots=("fields",)),
    events.PROJECT_AMENDED: Handler(_amend, slots=("fields",)),
    events.MILESTONE_REPORTED: Handler(_reach, slots=("milestones",)),
    events.MILESTONE_VERIFIED: Handler(_verify, slots=("milestones",)),
    events.PLAN_SET: Handler(_plan, slots=("plans",)),
    events.PROGRESS_REPORTED: Handler(_progress, slots=("reports", "money")),
    events.LAND_CONTRACT_RECORDED: Handler(_contract),
    events.ANNUAL_PLAN_SET: Handler(_annual_plan, slots=("annual_plans",)),
    events.STATISTICS_REPORTED: Handler(_statistics),
    events.BLOCKER_RAISED: Handler(_block, slots=("blockers", "pauses")),
    events.BLOCKER_PAUSED: Handler(_pause, slots=("pauses",)),
    events.BLOCKER_UPDATED: Handler(_update, slots=("updates",)),
    events.BLOCKER_CLEARED: Handler(_clear, slots=("clears",)),
    events.SUSPENSION_BEGUN: Handler(_suspend, slots=("suspensions",)),
    events.SUSPENSION_ENDED: Handler(_resume, slots=("suspension_ends",)),
    events.PROJECT_WITHDRAWN: Handler(_withdraw),
    # What people do about a stall stands in the timeline only: no light depends on it.
    events.MATTER_SIGNED: Handler(stand),
    events.MATTER_ANSWERED: Handler(stand),
    events.MATTER_REVIEWED: Handler(stand),
    events.MATTER_CLOSED: Handler(stand),
    events.SILENCE_BEGUN: Handler(stand),
    events.SILENCE_ENDED: Handler(stand),
    events.NOTE_ADDED: Handler(_note),
    events.EVENT_RETRACTED: Handler(stand),
    **areas.HANDLERS,
}
