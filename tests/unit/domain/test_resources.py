"""Land and buildings: their state day by day, what is assigned of them, and what is left."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.domain.events import EVENT_RETRACTED, Event
from luodi.domain.fold import advance, fold
from luodi.domain.kinds import KINDS
from luodi.domain.resources import (
    FIRST,
    LAST,
    RESOURCE_AMENDED,
    RESOURCE_ASSIGNED,
    RESOURCE_KINDS,
    RESOURCE_REGISTERED,
    RESOURCE_RELEASED,
    RESOURCE_STATE_CHANGED,
    STATES,
    stand_on,
    tally,
)
from luodi.domain.subjects import RESOURCE
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import UNHURRIED, published

PLOT = "resource:demo-plot-1"


class Plot:
    """What was told of one resource, recorded one second after the other."""

    def __init__(self, **fields: Any) -> None:
        self.events: list[Event] = []
        self._numbers = count(1)
        self.tell(RESOURCE_REGISTERED, **{"name": "一号地", "zone": "demo", "kind": "净地", "area_mu": 100} | fields)

    def tell(self, type_: str, /, **data: Any) -> str:
        number = next(self._numbers)
        self.events.append(Event(PLOT, f"e{number}", type_, f"2026-06-01T01:00:{number:02d}.000Z", 0, "u-zhang", data))
        return f"e{number}"

    def becomes(self, state: str, date: str) -> str:
        return self.tell(RESOURCE_STATE_CHANGED, state=state, date=date)

    def assigned(self, project: str, date: str, **amount: float) -> str:
        return self.tell(RESOURCE_ASSIGNED, project_id=project, date=date, **amount)

    def released(self, assignment: str, date: str, **more: str) -> str:
        return self.tell(RESOURCE_RELEASED, assignment_id=assignment, date=date, **more)

    def document(self) -> dict[str, Any]:
        return told(self.events)

    def on(self, day: str) -> tuple[str, float | None]:
        """State and what is left on a day."""
        stand = stand_on(self.document(), day)
        return stand["state"], stand["free"]


def told(events: list[Event]) -> dict[str, Any]:
    state = fold(events, KINDS[RESOURCE].empty)
    return KINDS[RESOURCE].document(PLOT, state, DEFAULT_RULES, published())


@pytest.mark.parametrize(
    ("kind", "state"),
    [("净地", "可供"), ("标准厂房", "可供"), ("低效用地", "待盘活"), ("闲置用地", "待盘活"), ("低效厂房", "待盘活")],
)
def test_what_was_never_in_bad_use_is_to_be_had_and_the_rest_waits_to_be_freed(kind: str, state: str) -> None:
    assert Plot(kind=kind).on("2026-03-01")[0] == state


def test_a_state_holds_from_its_day_on_until_the_next() -> None:
    plot = Plot(kind="低效用地")
    plot.becomes("盘活中", "2026-02-01")
    plot.becomes("可供", "2026-04-01")
    days = ("2026-01-31", "2026-02-01", "2026-03-31", "2026-04-01")
    assert [plot.on(day)[0] for day in days] == ["待盘活", "盘活中", "盘活中", "可供"]


def test_of_two_states_of_one_day_the_last_recorded_holds() -> None:
    plot = Plot(kind="低效用地")
    plot.becomes("可供", "2026-02-01")
    plot.becomes("盘活中", "2026-02-01")
    assert plot.on("2026-02-01")[0] == "盘活中"


def test_land_is_measured_in_mu_and_a_building_by_its_floor() -> None:
    assert Plot(kind="净地", area_mu=100, floor_m2=5).document()["area_mu"] == 100
    hall = Plot(kind="标准厂房", area_mu=10, floor_m2=8000)
    hall.assigned("p-1", "2026-02-01", floor_m2=3000)
    assert hall.on("2026-02-01") == ("可供", 5000)


def test_a_part_is_assigned_and_the_rest_is_still_to_be_had() -> None:
    plot = Plot()
    plot.assigned("p-1", "2026-02-01", area_mu=34.5)
    assert plot.on("2026-01-31") == ("可供", 100)
    assert plot.on("2026-02-01") == ("可供", 65.5)


def test_assigned_to_the_last_bit_it_is_taken_until_it_is_released() -> None:
    plot = Plot()
    plot.assigned("p-1", "2026-02-01", area_mu=60)
    rest = plot.assigned("p-2", "2026-03-01", area_mu=40)
    plot.released(rest, "2026-05-01", reason="项目退出")
    assert plot.on("2026-02-28") == ("可供", 40)
    assert plot.on("2026-03-01") == ("已供", 0)
    assert plot.on("2026-04-30") == ("已供", 0)
    assert plot.on("2026-05-01") == ("可供", 40)


def test_an_assignment_without_an_amount_is_of_the_whole() -> None:
    plot = Plot(area_mu=None)
    plot.assigned("p-1", "2026-02-01")
    assert plot.on("2026-02-01") == ("已供", 0)


def test_of_unknown_size_nobody_can_say_what_is_left() -> None:
    plot = Plot(area_mu=None)
    plot.assigned("p-1", "2026-02-01", area_mu=3)
    assert plot.on("2026-02-01") == ("可供", None)


def test_intended_for_a_project_while_it_is_freed_it_is_reserved_and_not_yet_supplied() -> None:
    plot = Plot(kind="低效用地")
    plot.becomes("盘活中", "2026-02-01")
    plot.assigned("p-1", "2026-02-10", area_mu=100)
    plot.becomes("可供", "2026-04-01")
    assert plot.on("2026-03-01") == ("盘活中", 0)
    assert plot.on("2026-04-01") == ("已供", 0)


def test_said_to_be_taken_nothing_of_it_is_left_whoever_has_it() -> None:
    plot = Plot()
    plot.becomes("已供", "2026-02-01")
    assert plot.on("2026-02-01") == ("已供", 0)


def test_assigned_more_than_there_is_shows_by_how_much() -> None:
    plot = Plot()
    plot.assigned("p-1", "2026-02-01", area_mu=60)
    plot.assigned("p-2", "2026-03-01", area_mu=60)
    assert stand_on(plot.document(), "2026-03-01") | {"from": None} == {
        "state": "已供",
        "free": 0,
        "over": 20,
        "projects": ["p-1", "p-2"],
        "from": None,
        "to": LAST,
    }


def test_the_whole_assigned_twice_is_one_whole_too_much() -> None:
    plot = Plot()
    plot.assigned("p-1", "2026-02-01")
    plot.assigned("p-2", "2026-03-01")
    assert stand_on(plot.document(), "2026-03-01")["over"] == 100


def test_who_has_it_and_who_had_it_stands_by_the_day() -> None:
    plot = Plot()
    late = plot.assigned("p-2", "2026-03-01", area_mu=40)
    plot.assigned("p-1", "2026-02-01", area_mu=60)
    plot.released(late, "2026-05-01", reason="项目退出")
    rows = [(row["project_id"], row["date"], row["ended"], row["reason"]) for row in plot.document()["assignments"]]
    assert rows == [("p-1", "2026-02-01", None, None), ("p-2", "2026-03-01", "2026-05-01", "项目退出")]


def test_a_release_of_what_was_never_assigned_changes_nothing() -> None:
    plot = Plot()
    plot.released("unheard-of", "2026-02-01")
    assert plot.on("2026-02-01") == ("可供", 100)


def test_a_release_taken_back_leaves_it_assigned() -> None:
    plot = Plot()
    release = plot.released(plot.assigned("p-1", "2026-02-01", area_mu=60), "2026-03-01")
    plot.tell(EVENT_RETRACTED, event_id=release, reason="误报")
    assert plot.on("2026-04-01") == ("可供", 40)


def test_a_larger_survey_frees_more() -> None:
    plot = Plot()
    plot.assigned("p-1", "2026-02-01", area_mu=60)
    plot.tell(RESOURCE_AMENDED, area_mu=120)
    assert plot.on("2026-02-01") == ("可供", 60)


def test_fractions_leave_no_dust() -> None:
    plot = Plot(area_mu=0.3)
    plot.assigned("p-1", "2026-02-01", area_mu=0.1)
    assert plot.on("2026-02-01") == ("可供", 0.2)


def test_resources_are_counted_by_kind_and_state_with_what_is_left() -> None:
    one, two, unknown = Plot(), Plot(area_mu=40.5), Plot(area_mu=None)
    one.assigned("p-1", "2026-02-01", area_mu=60.25)
    rows = tally([plot.document() for plot in (one, two, unknown)], "2026-03-01")
    assert rows == [
        {"kind": "净地", "state": "可供", "measure": "mu", "count": 3, "unknown": 1, "size": 140.5, "free": 80.25}
    ]
    assert [row["state"] for row in tally([Plot(kind="低效用地").document()], "2026-03-01")] == ["待盘活"]


_DAYS = st.sampled_from(["2026-01-10", "2026-02-10", "2026-03-10", "2026-04-10"])
_TOLD = st.one_of(
    st.tuples(
        st.just(RESOURCE_STATE_CHANGED), st.fixed_dictionaries({"state": st.sampled_from(STATES), "date": _DAYS})
    ),
    st.tuples(
        st.just(RESOURCE_ASSIGNED),
        st.fixed_dictionaries(
            {"project_id": st.sampled_from(["p-1", "p-2"]), "date": _DAYS},
            optional={"area_mu": st.integers(1, 80), "floor_m2": st.integers(1, 80)},
        ),
    ),
    st.tuples(
        st.just(RESOURCE_RELEASED),
        st.fixed_dictionaries({"assignment_id": st.sampled_from(["x1", "x3"]), "date": _DAYS}),
    ),
    st.tuples(
        st.just(RESOURCE_REGISTERED),
        st.fixed_dictionaries({"kind": st.sampled_from(RESOURCE_KINDS)}, optional={"area_mu": st.integers(1, 99)}),
    ),
)


@UNHURRIED
@given(st.lists(_TOLD, min_size=1, max_size=10), st.randoms())
def test_any_order_of_arrival_makes_the_same_document_and_its_days_have_no_hole(told_: Any, random: Any) -> None:
    events = [
        Event(PLOT, f"x{number}", type_, f"2026-06-01T01:00:{number // 2:02d}.000Z", 0, None, data)
        for number, (type_, data) in enumerate(told_)
    ]
    shuffled = [*events, *events[:3]]
    random.shuffle(shuffled)
    document = told(events)
    assert told(shuffled) == document
    state = KINDS[RESOURCE].empty()
    for event in sorted(events, key=lambda event: event.order):
        state = advance(state, event) or state
    assert KINDS[RESOURCE].document(PLOT, state, DEFAULT_RULES, published()) == document
    stands = document.get("stands", [])
    if stands:
        assert (stands[0]["from"], stands[-1]["to"]) == (FIRST, LAST)
        assert all(one["to"] == other["from"] for one, other in pairwise(stands))
        assert all(stand["free"] is None or stand["free"] >= 0 for stand in stands)
        assert all(stand["free"] == 0 for stand in stands if stand["state"] == "已供")
