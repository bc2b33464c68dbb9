"""The directory: what of a state is kept, and how those who act today are read beside a watch."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.notify.directory import ActingWatches, Directory, Entry, entry_of
from services.notify.recipients import ladder_steps, told_again
from services.notify.watches import Watch
from tests.unit.notify.builders import at, watch
from tests.unit.notify.fakes import MemoryDirectory, MemoryWatches

TODAY = date(2026, 3, 10)


def held(by: str, events: int = 1) -> Entry:
    rows = [{"holder": by, "date": "2026-01-01", "until": None}]
    return Entry("post:head", 0, events, 1, {"registered": True, "holders": rows})


def test_an_entry_keeps_what_says_who_acts_and_nothing_else() -> None:
    state = {
        "id": "post:head",
        "partition": 2,
        "events": 3,
        "ruleset": 1,
        "registered": True,
        "name": "组长",
        "unit": "power",
        "holders": [{"holder": "zhang", "date": "2026-01-01", "until": None}],
        "updated_at": at(0),
    }
    entry = entry_of(state, 2)
    assert (entry.subject, entry.partition, entry.events, entry.ruleset) == ("post:head", 2, 3, 1)
    assert entry.told.keys() == {"registered", "unit", "holders"}
    assert entry.names == ["power", "zhang"]


def test_a_watch_that_is_read_says_who_acts_and_the_one_that_is_kept_does_not() -> None:
    rows, directory = MemoryWatches(), MemoryDirectory()
    rows.put([watch(people={"officer": "u-zhang", "group_head": "head"}), watch(project_id="p2", people={})])
    acting = ActingWatches(rows, Directory(directory), lambda: TODAY, lambda _zone: None)
    directory.put([held("u-li")])
    (read,) = acting.due(0, at(1), 1)
    assert read.people == {"officer": "u-zhang", "group_head": "head"}
    assert read.responsible == {"officer": "u-zhang", "group_head": "u-li"}
    assert acting.get_many([read.project_id, "p2", "p3"])["p2"].responsible == {}
    directory.put([held("u-wang", 2)])
    assert acting.get_many([read.project_id])[read.project_id].responsible["group_head"] == "u-wang"
    assert rows.rows[read.project_id].acting == {}


def test_the_head_of_a_zone_may_be_a_post() -> None:
    rows, directory = MemoryWatches(), MemoryDirectory()
    rows.put([watch(key=True)])
    directory.put([held("u-li")])
    acting = ActingWatches(rows, Directory(directory), lambda: TODAY, lambda _zone: "head")
    (read,) = acting.due(0, at(1), 1)
    assert [rung.recipient for rung in ladder_steps(read, "head")] == ["u-li"]
    assert [rung.recipient for rung in ladder_steps(read, None)] == ["zone:demo"]


@pytest.mark.parametrize(
    ("level", "told"),
    [(0, ("u-zhang", "u-li")), (1, ("u-zhang", "u-li")), (2, ("u-zhang", "u-li", "power")), (4, ("u-zhang", "u-li"))],
)
def test_of_what_becomes_worse_those_are_told_who_now_hold_the_steps_it_had_reached(
    level: int, told: tuple[str, ...]
) -> None:
    named = {"officer": "u-zhang", "group_head": "head", "lead_unit": "power", "leader": "chief"}
    acting = {"head": "u-li", "power": "power", "chief": "u-li"}
    assert told_again(replace(watch(people=named, key=True), acting=acting), level, "u-li") == told


def test_everything_else_goes_through_to_the_watches_that_are_kept() -> None:
    rows = MemoryWatches()
    acting = ActingWatches(rows, Directory(MemoryDirectory()), lambda: TODAY, lambda _zone: None)
    kept = watch()
    acting.put([kept])
    acting.put_off([(kept, at(100))])
    assert _next(rows, kept) == at(100)
    acting.recall([kept.project_id], at(5))
    assert _next(rows, kept) == at(5)
    assert acting.unreadable([0]) == {}


def _next(rows: MemoryWatches, of: Watch) -> str:
    return rows.rows[of.project_id].next_due


def test_whoever_took_over_from_a_person_acts_for_all_that_names_the_person_and_may_ask_for_it() -> None:
    rows, directory = MemoryWatches(), MemoryDirectory()
    rows.put([watch(people={"officer": "u-zhang", "group_head": "head"})])
    acting = ActingWatches(rows, Directory(directory), lambda: TODAY, lambda _zone: None)
    handed = [{"to": "u-li", "date": "2026-03-10", "until": None}]
    directory.put(
        [held("u-zhang"), Entry("person:u-zhang", 1, 1, 1, {"registered": True, "leaves": [], "handovers": handed})]
    )
    (read,) = acting.due(0, at(1), 1)
    assert read.responsible == {"officer": "u-li", "group_head": "u-li"}
    assert Directory(directory).acts_for("u-li", "2026-03-10") == {"u-li", "u-zhang", "head"}
    assert Directory(directory).acts_for("u-zhang", "2026-03-10") == frozenset()
    assert Directory(directory).acts_for("u-zhang", "2026-03-09") == {"u-zhang", "head"}
