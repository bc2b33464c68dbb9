"""The demonstration zone, looked at through the domain's own rules on many days of loading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest

from luodi.domain import kinds, people, qualifications, services
from luodi.domain.assess import assess, light_at
from luodi.domain.awaiting import awaiting
from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.counting import Cell, Funnel, Sums
from luodi.domain.courses import paused as paused_days
from luodi.domain.days import first_day
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.people import subjects_named
from luodi.domain.performance import MEASURES
from luodi.domain.rollup import Family, roll_up
from luodi.domain.rules import CAUSES, LANE_START_ON_LAND
from luodi.domain.stages import KINDS, ROUTES
from luodi.domain.subjects import ENTERPRISE, kind_of
from schemas.catalog.blockers import BLOCKER_KINDS
from schemas.events import REQUESTS, load_http, unconfirmed
from seeds import demo, permits, staff
from seeds.demo import DemoProject
from seeds.facts import published_events
from seeds.story import project_id
from seeds.zone import PUBLISHED_WAVE
from services.tracker.relations import Beside
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import whole

DAY = date(2026, 3, 5)
DAYS = (
    date(2026, 1, 1),
    date(2026, 2, 24),  # after the longest holiday
    date(2026, 2, 28),
    DAY,
    date(2026, 10, 9),
    date(2026, 12, 31),
    date(2027, 3, 31),  # a year whose holidays are not published
    date(2028, 2, 29),
)


@cache
def calendar() -> Calendar:
    years = {day.year for day in chinese_calendar.constants.holidays}
    return Calendar.build(
        ZoneInfo("Asia/Shanghai"), {year: YearDays.observed(year, chinese_calendar.is_workday) for year in years}
    )


def recorded(project: DemoProject, day: date) -> list[Event]:
    """The project's events as a load records them: wave by wave, a moment apart."""
    ordered = sorted(project.events, key=lambda event: event.wave)
    return [
        Event(
            subject=event.subject,
            id=event.id,
            type=event.type,
            recordedtime=f"{day}T02:00:{place:02d}.000Z",
            sequence=0,
            actor=event.actor,
            data=event.data,
        )
        for place, event in enumerate(ordered)
    ]


@cache
def documents(day: date) -> dict[str, dict[str, Any]]:
    return {
        project.id: whole(assess(project.id, fold(recorded(project, day)), DEFAULT_RULES, calendar()))
        for project in demo.projects(day)
    }


@cache
def rollups(day: date) -> dict[str, dict[str, Any]]:
    """Of every project that others name as their parent or carrier."""
    family = Family.of(documents(day).values())
    return {id_: roll_up(id_, family) for id_ in family.phases.keys() | family.tenants.keys()}


def beside(day: date) -> Beside:
    return Beside(rollups(day))


def light(document: dict[str, Any], day: date) -> str:
    """The light that callers see: that of the phases where they stand for the project."""
    return str(light_at(beside(day).shown(document)["lights"], f"{day}T03:00:00.000Z")["light"])


def roots(day: date) -> list[dict[str, Any]]:
    """What is counted as a project: no phases, no increments."""
    return [d for d in documents(day).values() if d["parent"] is None and d["increment_of"] is None]


def count(day: date) -> dict[str, Any]:
    """The zone's funnel."""
    funnel = Funnel()
    for document in documents(day).values():
        if document["parent"] is None:
            shown = beside(day).shown(document)
            rolled = rollups(day).get(document["_id"])
            reached = rolled["reached"] if rolled and rolled["phases"] else shown["reached"]
            cell = Cell(
                document["route"],
                next(reversed(reached), None),
                frozenset(reached),
                withdrawn=document["status"] == "withdrawn",
                agreement=document["kind"] == "agreement",
                increment=document["increment_of"] in documents(day),
                landed=document["land_contract"] is not None,
            )
            funnel.add(cell, Sums(1, document["investment"] or 0))
    return funnel.answer()


def values(documents: Iterable[dict[str, Any]], name: str) -> set[Any]:
    return {document[name] for document in documents}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_project_shows_the_light_of_its_story_on_the_day_of_loading(day: date) -> None:
    wrong = {
        (project.scenario, project.light, shown)
        for project in demo.projects(day)
        if (shown := light(documents(day)[project.id], day)) != project.light
    }
    assert not wrong


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_518_are_signed_and_169_produce(day: date) -> None:
    assert len(roots(day)) == demo.ENTERPRISES == 518
    counted = count(day)
    reached = {row["stage"]: row["reached"] for row in counted["stages"]}
    assert counted["total"]["projects"] == 518
    assert reached["signed"] == 518
    assert reached["producing"] == demo.PRODUCING == 169


def test_518_enterprises_have_projects_and_169_of_them_produce() -> None:
    found = documents(DAY).values()
    assert len(values(found, "enterprise")) == 518
    assert len(values((document for document in found if "producing" in document["reached"]), "enterprise")) == 169


def test_every_part_is_one_of_the_whole_and_stands_behind_it() -> None:
    seen: dict[str, dict[str, Any]] = {}
    for project in demo.projects(DAY):
        document = seen[project.id] = documents(DAY)[project.id]
        assert project.part_of == (document["parent"] or document["increment_of"])
        if project.part_of is not None:
            whole = seen[project.part_of]
            same = ("enterprise", "officer", "group_head", "leader", "lead_unit", "industry", "key", "zone")
            assert all(document[name] == whole[name] for name in same)
            assert document["name"].startswith(whole["name"])
            assert (document["investment"] or 0) <= (whole["investment"] or 0)


def test_phases_show_every_light_and_their_worst_is_that_of_the_whole() -> None:
    phases = [document for document in documents(DAY).values() if document["parent"]]
    assert {light(document, DAY) for document in phases} == {"green", "yellow", "red", "grey", "blue"}
    phased = [document for document in documents(DAY).values() if document["phased"] and not document["parent"]]
    assert {light(document, DAY) for document in phased} == {"green", "yellow", "red", "grey", "blue"}
    assert not any(document["clocks"] for document in phased)


def test_packages_phases_of_phases_and_phases_beside_an_own_clock_occur() -> None:
    rows = rollups(DAY).values()
    assert {row["phased"] for row in rows if row["phases"]} == {True, False}
    assert {phase["depth"] for row in rows for phase in row["phases"]} == {1, 2}
    assert {row["all_producing"] for row in rows if row["reached"].get("producing")} == {True, False}
    assert any(phase["status"] == "withdrawn" for row in rows for phase in row["phases"])
    routes = [{documents(DAY)[phase["id"]]["route"] for phase in row["phases"]} for row in rows]
    assert set(ROUTES) in routes  # the lots of a package


def test_carriers_have_tenants_of_their_own_enterprises_at_every_stage() -> None:
    rows = [row for row in rollups(DAY).values() if row["tenants"]]
    assert len(rows) == 4
    for row in rows:
        assert documents(DAY)[row["_id"]]["kind"] == "carrier"
        assert len({tenant["enterprise"] for tenant in row["tenants"]}) == len(row["tenants"]) >= 15
    tenants = [tenant for row in rows for tenant in row["tenants"]]
    assert {tenant["stage"] for tenant in tenants} == {"signed", "started", "completed", "producing"}
    assert {documents(DAY)[tenant["id"]]["route"] for tenant in tenants} == {"plant"}
    alone = [d for d in documents(DAY).values() if d["route"] == "plant" and not d["carrier"] and not d["parent"]]
    assert alone


def test_increments_add_their_money_and_no_project() -> None:
    total = count(DAY)["total"]
    increments = [document for document in documents(DAY).values() if document["increment_of"]]
    assert total["increments"] == len(increments) == 8
    assert total["increment_investment"] == sum(document["investment"] or 0 for document in increments) > 0
    assert {light(document, DAY) for document in increments} == {"green", "yellow", "red", "blue"}


def test_every_light_occurs_and_the_reds_do_not_flood_the_inbox() -> None:
    lights = Counter(light(document, DAY) for document in documents(DAY).values())
    assert lights.keys() == {"green", "yellow", "red", "grey", "blue"}
    stalled = [d for d in documents(DAY).values() if not d["phased"] and light(d, DAY) == "red"]
    assert 35 <= len(stalled) <= 45


def test_every_status_route_kind_stage_blocker_kind_and_cause_occurs() -> None:
    found = documents(DAY).values()
    assert values(found, "status") == {"active", "suspended", "withdrawn"}
    assert values(found, "route") == set(ROUTES)
    assert values(found, "kind") == set(KINDS)
    followed = [document for document in found if not document["phased"]]
    assert values(followed, "stage") == {"signed", "land_supplied", "started", "completed", "producing"}
    blockers = [blocker for document in found for blocker in document["blockers"]]
    assert {blocker["kind"] for blocker in blockers} == set(BLOCKER_KINDS)
    assert {blocker["cause"] for blocker in blockers} == set(CAUSES)
    assert any(blocker["owner"] is None for blocker in blockers)
    assert {blocker["cleared"] is None for blocker in blockers} == {True, False}
    assert {bool(document["key"]) for document in found} == {True, False}
    lanes = {lane for document in found for lane in document["lanes"] or ()}
    assert lanes == {LANE_START_ON_LAND, permits.GREEN_LANE}


def test_every_type_of_event_that_callers_may_tell_occurs() -> None:
    assert {event.type for event in demo.events(DAY)} == set(REQUESTS)


def test_some_reports_are_verified_some_wait_and_one_was_returned() -> None:
    found = documents(DAY).values()
    assert len([document for document in found if document["returned"]]) == 1
    verified = sum(len(document["verified"]) for document in found)
    assert verified > 50
    assessed = {project.id: recorded(project, DAY) for project in demo.projects(DAY)}
    waiting = [id_ for id_, events in assessed.items() if awaited(id_, events)]
    assert 2 <= len(waiting) <= 8, "a queue that somebody can work off"


def awaited(subject: str, events: list[Event]) -> list[dict[str, Any]]:
    state, assessed = fold(events), partial(assess, subject, rules=DEFAULT_RULES, calendar=calendar())
    return awaiting(state, assessed(state), assessed, calendar())


def test_approvals_of_their_own_and_postponed_promises_occur() -> None:
    blockers = [blocker for document in documents(DAY).values() for blocker in document["blockers"]]
    assert {bool(pause["document"]) for blocker in blockers for pause in blocker["pauses"]} == {True, False}
    assert {blocker["postponed"] for blocker in blockers} == {0, 1}


def test_commitments_are_ahead_soon_due_missed_and_met() -> None:
    committed = [document for document in documents(DAY).values() if "commitments" in document]
    assert {light(document, DAY) for document in committed} == {"green", "yellow", "red", "blue"}
    told = [commitment for document in committed for commitment in document["commitments"]]
    assert {commitment["measure"] for commitment in told} == set(MEASURES)
    assert {commitment["met"] is None for commitment in told} == {True, False}
    assert all(len(document["performance"]) == 2 for document in committed)


def test_gaps_in_the_record_occur() -> None:
    found = documents(DAY).values()
    assert any(document["missing"] for document in found)
    assert any(document["warnings"] for document in found)
    dates = [reached for document in found for reached in document["reached"].values()]
    assert None in dates
    assert {len(reached) for reached in dates if reached} == {4, 7, 10}
    changed = [plan["changes"] for document in found for plan in document["plans"]]
    assert max(changed) == 1
    assert min(changed) == 0


def test_pauses_are_open_in_some_projects_and_over_in_others() -> None:
    paused = [
        document for document in documents(DAY).values() if any(paused_days(clock) for clock in document["clocks"])
    ]
    today = DAY.isoformat()
    states = {
        any(begin <= today < end for clock in document["clocks"] for begin, end in paused_days(clock))
        for document in paused
    }
    assert states == {True, False}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_every_event_of_the_sample_is_accepted_by_the_contract(day: date) -> None:
    for event in (*published_events(), *demo.events(day)):
        assert not unconfirmed(load_http(event.type, dict(event.data), day)), event


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_nothing_that_happened_lies_in_the_future(day: date) -> None:
    ahead = {
        "plan.set": {"date"},
        "blocker.raised": {"promise", "until"},
        "blocker.paused": {"until"},
        "land_contract.recorded": {"start_by", "complete_by"},
        "leave.granted": {"until"},
        "person.handed_over": {"until"},
    }
    for event in demo.events(day):
        for name in {"date", "promise", "until", "since", "start_by", "complete_by"} - ahead.get(event.type, set()):
            if event.data.get(name):
                assert first_day(event.data[name]) <= day, event


def test_ids_of_projects_are_issued_ids_that_never_change() -> None:
    ids = [project.id for project in demo.projects(DAY)]
    assert ids == [project.id for project in demo.projects(DAY + timedelta(days=400))]
    assert len(set(ids)) == len(ids)
    assert ids[0] == "demo-2025-ZMK32DPGG6"


def test_who_a_project_is_does_not_depend_on_the_day() -> None:
    for one, other in zip(demo.projects(DAY), demo.projects(DAY + timedelta(days=400)), strict=True):
        first, second = dict(one.events[0].data), dict(other.events[0].data)
        first.pop("refs", None)
        second.pop("refs", None)
        assert first == second


def test_the_same_day_tells_the_same_events_and_another_day_other_ids() -> None:
    assert demo.events(DAY) == demo.events(DAY)
    ids = {(event.subject, event.id) for event in demo.events(DAY)}
    assert len(ids) == len(demo.events(DAY))
    assert not ids & {(event.subject, event.id) for event in demo.events(DAY + timedelta(days=1))}


def test_ids_of_events_hold_the_edition_so_that_changed_stories_contradict_nothing() -> None:
    assert all(event.id.startswith(f"s20260305-{demo.edition()}-") for event in demo.events(DAY))


def test_the_first_project_tells_the_day_of_loading() -> None:
    first = demo.projects(DAY)[0]
    assert first.id == project_id(1)
    assert first.events[0].data["refs"] == [{"system": demo.MARK, "id": demo.mark(DAY)}]


def test_firms_are_plainly_fictitious_and_people_are_ids_of_the_demonstration() -> None:
    people = ("leader", "vice_leader", "lead_unit", "group_head", "officer", "company_contact")
    for document in documents(DAY).values():
        assert document["name"].startswith("示例")
        assert document["enterprise"].startswith("示例")
        assert document["zone"] == "demo"
        assert all(document[name] is None or document[name].startswith("demo-") for name in people)
        assert document["credit_code"] is None
    assert {event.actor for event in demo.events(DAY) if not str(event.actor).startswith("demo-")} == set()


def test_everybody_a_project_names_is_recorded_but_the_firms_own_people() -> None:
    named = ("leader", "vice_leader", "lead_unit", "group_head", "officer")
    found = documents(DAY).values()
    known = set(staff.ids())
    assert {document[name] for document in found for name in named if document[name]} <= known
    assert {b["owner"] for document in found for b in document["blockers"] if b["owner"]} <= known
    registered = {event.subject for event in demo.events(DAY) if event.type.endswith(".registered")}
    assert {id_ for id_ in known if not registered & set(subjects_named(id_))} == set()


def test_a_post_was_handed_over_and_somebody_is_on_leave_on_the_day_of_loading() -> None:
    told: dict[str, list[Event]] = {}
    for place, event in enumerate(demo.events(DAY)):
        if kind_of(event.subject) in people.NAMED:
            at = f"{DAY}T02:00:00.{place:03d}Z"
            row = Event(event.subject, event.id, event.type, at, 0, event.actor, event.data)
            told.setdefault(event.subject, []).append(row)
    known = {
        subject: people.told(subject, fold(events, kinds.KINDS[kind_of(subject)].empty))
        for subject, events in told.items()
        if kind_of(subject) in people.NAMED
    }

    def acting(id_: str, ago: int = 0) -> str:
        return people.resolve(id_, (DAY - timedelta(days=ago)).isoformat(), known.get)

    assert acting(staff.HANDED_OVER, 41) == f"{staff.HANDED_OVER}-holder"
    assert acting(staff.HANDED_OVER) == f"{staff.HANDED_OVER}-successor"
    assert acting(staff.AWAY) == "demo-officer-19"
    assert acting(staff.AWAY, 2) == staff.AWAY
    assert acting("demo-unit-power") == "demo-unit-power-head-holder"
    assert all(acting(id_).startswith("demo-") for id_ in staff.ids())


def test_the_enterprises_of_the_projects_are_registered_and_every_state_of_theirs_occurs() -> None:
    told: dict[str, list[Event]] = {}
    for place, event in enumerate(demo.events(DAY)):
        if kind_of(event.subject) == ENTERPRISE:
            at = f"{DAY}T02:{place // 60_000:02d}:{place // 1_000 % 60:02d}.{place % 1_000:03d}Z"
            row = Event(event.subject, event.id, event.type, at, 0, event.actor, event.data)
            told.setdefault(event.subject, []).append(row)
    kind = kinds.KINDS[ENTERPRISE]
    found = [kind.document(s, fold(events, kind.empty), DEFAULT_RULES, calendar()) for s, events in told.items()]
    assert len(found) == len({document["name"] for document in found}) == demo.ENTERPRISES
    owners = {project.events[0].data["enterprise"] for project in demo.projects(DAY)}
    assert owners == {document["name"] for document in found}
    now = f"{DAY}T04:00:00.000Z"
    held = [row for document in found for row in document.get("qualifications", ())]
    assert {qualifications.state_at(row, now) for row in held} == set(qualifications.STATES.values())
    assert {row["ladder"] for row in held} >= {"growth", "green-factory", "high-tech"}
    asked = [row for document in found for row in document.get("requests", ())]
    assert {row["state"] for row in asked} == {"open", "answered", "accepted"}
    assert {kind for d in found for m in d.get("services", {}).get("months", ()) for kind in m["kinds"]} == set(
        services.KINDS
    )
    assert any(document.get("link") for document in found)


def test_an_officer_follows_six_or_seven_projects() -> None:
    registered = [project.events[0].data["officer"] for project in demo.projects(DAY) if project.part_of is None]
    assert set(Counter(registered).values()) == {6, 7}


def test_what_builds_on_an_event_stands_in_a_later_wave() -> None:
    waves = {(event.subject, event.id): event.wave for event in demo.events(DAY)}
    reached: dict[tuple[str, str], int] = {}
    for event in demo.events(DAY):
        for name in ("event_id", "blocker_id", "suspension_id", "qualification_id", "request_id"):
            if name in event.data:
                # What is accepted as a blocker stands in the project that it names.
                about = event.data.get("project_id", event.subject) if name == "blocker_id" else event.subject
                assert waves[about, event.data[name]] < event.wave
        if event.type in {"milestone.reported", "plan.set"}:
            slot = (event.subject, f"{event.type} {event.data['stage']}")
            assert reached.get(slot, -1) < event.wave
            reached[slot] = event.wave
    assert max(wave for wave in waves.values() if wave < PUBLISHED_WAVE) == 2
