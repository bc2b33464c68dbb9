"""What the record means: the document that people and programs read, made from a project's state.

No clock is read here. Whatever depends on the day is written as a step function of time, so the document is true until
the next event, and two documents made from the same events are equal byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain import areas, blockers, clocks, performance, pool
from luodi.domain.blockers import day_of
from luodi.domain.calendar import Calendar
from luodi.domain.chapters import Telling, written
from luodi.domain.clocks import BLUE, GREY, days_used, in_force, light_at
from luodi.domain.days import BEGINNING, first_day, last_day
from luodi.domain.events import REGISTERED_FIELDS
from luodi.domain.gaps import Facts, Gap
from luodi.domain.greys import greys
from luodi.domain.handlers import State
from luodi.domain.performance import Target
from luodi.domain.rules import Profile, Rules
from luodi.domain.stages import AGREEMENT, FACTORY, LAND, PERFORMING, ROUTES, STAGES, stages_of
from luodi.domain.subjects import PROJECT

__all__ = ["assess", "days_used", "in_force", "light_at"]

ACTIVE = "active"
SUSPENDED = "suspended"
WITHDRAWN = "withdrawn"
POOL = "pool"  # before the signature, and only by an event that says so
STATUSES = (ACTIVE, SUSPENDED, WITHDRAWN, POOL)

PUBLISHED = "published"  # the ``source`` of facts taken from the press: no clock, no matter, no person

NO_FIELDS: Mapping[str, Any] = dict.fromkeys(REGISTERED_FIELDS)
"""A document leaves out the fields that are not known; with these before it, it has them all."""


def assess(subject: str, state: State, rules: Rules, calendar: Calendar) -> dict[str, Any]:
    """Make the document of a project; the caller adds where it is kept (partition, ruleset, folded state).

    Steps: 1. join what belongs together (pauses, updates and clears to blockers, ends to suspensions); 2. find the
    stage and the open gap; 3. run the clocks of the gap and those of the promises; 4. show the worst of them;
    5. judge the closed gaps.
    """
    fields, milestones = state["fields"], state["milestones"]
    calendar = calendar.of(fields.get("zone"))
    route = fields.get("route")
    if route not in ROUTES:
        route = LAND  # not registered yet, or of a route that only a newer version knows
    stages = stages_of(route)
    reached = {stage: milestones[stage]["date"] for stage in stages if stage in milestones}
    stage = next(reversed(reached), None)
    place = -1 if stage is None else stages.index(stage)
    awaited = stages[place + 1] if place + 1 < len(stages) else None
    held_up = blockers.joined(state, calendar)
    suspensions = _suspensions(state, calendar) if state["suspensions"] else []
    pooled = stage is None and bool(state["entries"]) and pool.is_pooled(state)
    committed = performance.of_state(state) if awaited is None and state["entries"] else ()
    standing = IN_THE_POOL if pooled else _standing(state, route, stage, awaited, reached, committed)
    facts = Facts(
        plans=state["plans"],
        blockers=held_up,
        fields=fields,
        land_contract=state["land_contract"],
        annual_plans=state["annual_plans"],
        statistics=state["statistics"],
        progress=state["progress"],
        reports=state["reports"],
        milestones=milestones,
        suspensions=suspensions,
        pauses={},
        stops={},
    )
    profile = rules.profile(fields, route)
    gap_clocks, lights = _lights(standing, committed, held_up, facts, profile, rules, calendar)
    judged = fields.get("source") != PUBLISHED and not fields.get("phased") and fields.get("kind") != AGREEMENT
    closed = _closed(reached, stages, route, facts, profile, rules, calendar) if judged else []
    if committed and judged and stage is not None and reached[stage] is not None:
        closed += performance.verdicts(Gap(route, stage, PERFORMING, reached[stage]), committed)

    known = fields.copy()  # the fold keeps no field that was cleared
    if state["registered"]:
        known.setdefault("kind", FACTORY)
    document = {
        "_id": subject,
        "events": state["events"],
        "registered": state["registered"],
        **known,
        "status": POOL if pooled else _status(state, suspensions),
        "stage": stage,
        "stage_since": None if stage is None else reached[stage],
        "next_stage": awaited,
        "missing": [earlier for earlier in stages[:place] if earlier not in reached] if len(reached) <= place else [],
        "warnings": _warnings(state, route, reached, held_up, rules),
        "reached": reached,
        "lights": lights,
        "greys": greys(lights, _since(state, standing, calendar)),
        "clocks": gap_clocks,
        "closed": closed,
        "verified": [stage for stage in reached if milestones[stage]["verified"] is not None],
        "milestones": [{"stage": name, **milestones[name]} for name in STAGES if name in milestones],
        "returned": [*state["returned"].values()],
        "plans": [_plan(name, state["plans"][name]) for name in STAGES if name in state["plans"]],
        "progress": state["progress"],
        "blockers": held_up,
        "suspensions": suspensions,
        "withdrawn": state["withdrawn"],
        "land_contract": state["land_contract"],
        "annual_plans": [state["annual_plans"][year] for year in sorted(state["annual_plans"])],
        "statistics": state["statistics"],
        "created_at": state["first"],
        "updated_at": state["last"][0],
        "version": state["events"],
    }
    if state["entries"]:
        document |= written(areas.CHAPTERS.get(PROJECT, ()), Telling(subject, state, rules, calendar))
    return document


@dataclass(frozen=True, slots=True)
class Standing:
    """A project without a running clock: its one light and why. ``silent``: its blockers' promises do not count."""

    light: str
    reason: Mapping[str, Any]
    silent: bool = False


IN_THE_POOL = Standing(GREY, {"code": "pool"}, silent=True)
"""Stored as grey, for whoever reads steps; people are shown no light."""


def _silence(state: State) -> Standing | None:
    """Projects that are grey whatever else is known of them."""
    fields, withdrawn = state["fields"], state["withdrawn"]
    if withdrawn is not None:
        return Standing(GREY, {"code": "withdrawn", "date": withdrawn["date"], "why": withdrawn["reason"]}, silent=True)
    if fields.get("source") == PUBLISHED:
        return Standing(GREY, {"code": "published", "as_of": fields.get("as_of")}, silent=True)
    if fields.get("phased"):
        return Standing(GREY, {"code": "phased"}, silent=True)
    return None


def _standing(
    state: State,
    route: str,
    stage: str | None,
    awaited: str | None,
    reached: Mapping[str, str | None],
    committed: Sequence[Target],
) -> Standing | Gap:
    """The open gap, or why there is none."""
    fields = state["fields"]
    silent = _silence(state)
    if silent is not None:
        return silent
    if fields.get("kind") == AGREEMENT:
        return Standing(GREY, {"code": "no-clock"})
    if stage is None:
        return Standing(GREY, {"code": "no-milestone"})
    if awaited is None:
        finished = {"route": route, "stage": stage}
        if not committed:
            return Standing(BLUE, {"code": "finished", **finished})
        if all(target.met is not None for target in committed):
            return Standing(BLUE, {"code": "commitments-met", **finished})
        awaited = PERFORMING
    start = reached[stage]
    if start is None:
        return Standing(GREY, {"code": "date-unknown", "route": route, "stage": stage})
    return Gap(route, stage, awaited, start)


def _lights(
    standing: Standing | Gap,
    committed: Sequence[Target],
    held_up: Sequence[dict[str, Any]],
    facts: Facts,
    profile: Profile,
    rules: Rules,
    calendar: Calendar,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The clocks of the open gap and the worst of all lights; the promises' own are put with their blockers.

    The light of a project without a clock stands beside the promises like any other: 尚无节点 (grey) is not hidden by
    a promise that is still in time.
    """
    gap_clocks: list[dict[str, Any]] = []
    if isinstance(standing, Gap):
        if committed:
            runs = performance.gap_clocks(standing, committed, calendar)
        else:
            runs = clocks.gap_clocks(standing, facts, profile, rules, calendar)
        tracks = []
        for clock, steps in runs:
            gap_clocks.append(clock)
            tracks.append(steps)
        tracks = [clocks.worst(tracks) if tracks else clocks.steady(GREY, clocks.no_limit(standing))]
        if not gap_clocks or not clocks.is_always_set(gap_clocks[0]):
            tracks = [clocks.present(tracks[0])]
    else:
        tracks = [clocks.steady(standing.light, standing.reason)]
        if standing.silent:
            return [], clocks.render(tracks[0], calendar)
    for number, blocker in enumerate(held_up):
        if blocker["promise"] is not None and blocker["cleared"] is None:
            promise = clocks.promise_steps(blocker, number)
            blocker["lights"] = clocks.render(promise, calendar)
            tracks.append(promise)
    return gap_clocks, clocks.render(clocks.worst(tracks), calendar)


def _closed(
    reached: Mapping[str, str | None],
    stages: Sequence[str],
    route: str,
    facts: Facts,
    profile: Profile,
    rules: Rules,
    calendar: Calendar,
) -> list[dict[str, Any]]:
    """The verdicts on the gaps between two stages of the route of which both dates are known."""
    found: list[dict[str, Any]] = []
    if len(reached) < 2:
        return found
    before, start = "", None
    for stage in stages:
        end = reached.get(stage)
        if start is not None and end is not None:
            found += clocks.closed_clocks(Gap(route, before, stage, start, end), facts, profile, rules, calendar)
        before, start = stage, end
    return found


def _since(state: State, standing: Standing | Gap, calendar: Calendar) -> str:
    """Since when the project stands where it stands: a light without a clock has no beginning of its own."""
    if isinstance(standing, Gap):
        return calendar.midnight(last_day(standing.start))
    if standing.reason["code"] == "date-unknown":
        recorded: str = state["milestones"][standing.reason["stage"]]["recorded_at"]
        return recorded
    return state["first"] or BEGINNING


def _status(state: State, suspensions: Sequence[Mapping[str, Any]]) -> str:
    if state["withdrawn"] is not None:
        return WITHDRAWN
    if not suspensions:
        return ACTIVE
    return SUSPENDED if any(suspension["ended"] is None for suspension in suspensions) else ACTIVE


def _suspensions(state: State, calendar: Calendar) -> list[dict[str, Any]]:
    ends = state["suspension_ends"]
    return [
        {
            "id": suspension_id,
            "date": day_of(suspension, calendar),
            "reason": suspension["reason"],
            "ended": day_of(ends[suspension_id], calendar) if suspension_id in ends else None,
        }
        for suspension_id, suspension in state["suspensions"].items()
    ]


def _plan(stage: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stage": stage,
        "baseline": plan["baseline"],
        "date": plan["date"],
        "changes": len(plan["changes"]),
        "refused": plan["refused"],
        "history": plan["changes"],
    }


def _warnings(
    state: State,
    route: str,
    reached: Mapping[str, str | None],
    held_up: Sequence[Mapping[str, Any]],
    rules: Rules,
) -> list[dict[str, Any]]:
    """What in the record does not fit together; none of it changes a light."""
    warnings: list[dict[str, Any]] = []
    before, before_date = "", ""
    for stage, date in reached.items():
        if date is None:
            continue
        # The text of a later day is greater; only then it matters what period each stands for.
        if before and before_date > date and first_day(before_date) > last_day(date):
            order = {"stage": before, "date": before_date, "later": stage, "later_date": date}
            warnings.append({"code": "dates-out-of-order", "route": route, **order})
        before, before_date = stage, date
    if len(state["milestones"]) > len(reached):
        for stage, milestone in state["milestones"].items():
            if stage not in reached:
                warnings.append({"code": "stage-not-on-route", "stage": stage, "date": milestone["date"]})
    for stage, plan in state["plans"].items():
        if plan["refused"]:
            warnings.append({"code": "plan-change-refused", "route": route, "stage": stage, "times": plan["refused"]})
    for plan in state["annual_plans"].values():
        if plan["by_month"] and plan["amount"] is not None and (months := sum(plan["by_month"])) != plan["amount"]:
            told = {"year": plan["year"], "amount": plan["amount"], "sum": months}
            warnings.append({"code": "annual-plan-differs", **told})
    if held_up or state["pauses"] or state["updates"] or state["clears"]:
        warnings += blockers.warnings(state, held_up, rules.pausing_causes(state["fields"].get("zone")))
    for suspension in state["suspension_ends"]:
        if suspension not in state["suspensions"]:
            warnings.append({"code": "unknown-suspension", "suspension": suspension})
    return warnings
