"""What a record of `project-states` makes notify watch, and since when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from luodi.domain.days import BEGINNING, END_OF_TIME
from services.notify.watches import Stretch, Watch, promise_matter, unreadable, watch_of
from tests.unit.notify.builders import GAP, MATTER, PROJECT, at, clock, overdue, state


def of(record: dict[str, Any], before: Watch | None = None, now: float = 0) -> Watch:
    return watch_of(record, before, at(now), 0)


def promise(red_from: str, cleared: str | None = None, blocker_id: str = "b1") -> dict[str, Any]:
    reason = {"code": "promise-overdue", "owner": "供电公司", "kind": "用电", "due": "2026-03-04"}
    return {
        "id": blocker_id,
        "owner": "供电公司",
        "promise": "2026-03-04",
        "cleared": cleared,
        "lights": [
            {"light": "green", "from": BEGINNING, "to": red_from, "reason": {"code": "promise-in-time"}},
            {"light": "red", "from": red_from, "to": END_OF_TIME, "reason": reason},
        ],
    }


def test_a_gap_is_watched_for_its_first_red() -> None:
    (deadline,) = of(state(clocks=[clock(at(100))])).deadlines
    assert (deadline.matter, deadline.kind, deadline.gap) == (MATTER, "gap", GAP)
    assert deadline.reds == (Stretch(at(100), END_OF_TIME, "zone-default", "2026-03-05", overdue()),)
    assert deadline.red_at(at(99.999)) is None
    assert deadline.red_at(at(100)) == deadline.reds[0]


def test_a_gap_that_never_turns_red_has_no_deadline() -> None:
    assert of(state()).deadlines == ()


def test_several_clocks_on_a_gap_are_one_matter_named_by_the_first_that_turns_red() -> None:
    law = clock(at(50), rule="law")
    (deadline,) = of(state(clocks=[clock(at(100)), law])).deadlines
    assert [(r.since, r.until, r.rule) for r in deadline.reds] == [(at(50), END_OF_TIME, "law")]


def test_stretches_that_lie_apart_stay_apart() -> None:
    first, second = clock(at(10), red_to=at(20)), clock(at(30), rule="law")
    (deadline,) = of(state(clocks=[second, first])).deadlines
    assert [(r.since, r.until) for r in deadline.reds] == [(at(10), at(20)), (at(30), END_OF_TIME)]
    assert deadline.next_red(at(15)) == deadline.reds[1]
    assert deadline.ended(at(25)) == at(20)


def test_a_red_that_goes_on_under_a_pause_is_one_stretch() -> None:
    made = clock(at(100))
    made["lights"][-1]["to"] = at(200)
    made["lights"].append(
        {"light": "red", "from": at(200), "to": END_OF_TIME, "reason": {**overdue(), "code": "overdue-paused"}}
    )
    (deadline,) = of(state(clocks=[made])).deadlines
    assert [(red.since, red.until) for red in deadline.reds] == [(at(100), END_OF_TIME)]
    assert [(b.stretch.since, b.paused) for b in deadline.broken] == [(at(100), False), (at(200), True)]


def test_a_promise_is_a_matter_of_its_own() -> None:
    known = of(state(clocks=[clock(at(100))], blockers=[promise(at(70))]))
    by_matter = {d.matter: d for d in known.deadlines}
    assert set(by_matter) == {MATTER, promise_matter(PROJECT, "b1")}
    kept = by_matter[promise_matter(PROJECT, "b1")]
    assert (kept.kind, kept.blocker, kept.owner, kept.reds[0].due) == ("promise", "b1", "供电公司", "2026-03-04")


def test_a_cleared_blocker_is_not_watched_but_remembered() -> None:
    known = of(state(blockers=[promise(at(70), cleared="2026-03-05")]))
    assert known.deadlines == ()
    assert known.blockers == {"b1": "2026-03-05"}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "withdrawn", "withdrawn": {"date": "2026-03-01", "reason": None}},
        {"status": "pool"},
        {"source": "published"},
        {"phased": True},
    ],
    ids=["withdrawn", "not signed yet", "published facts", "phased"],
)
def test_projects_without_a_clock_of_their_own_have_no_deadlines(fields: dict[str, Any]) -> None:
    assert of(state(clocks=[clock(at(100))], blockers=[promise(at(70))], **fields)).deadlines == ()


def test_a_suspended_and_an_unregistered_project_are_watched() -> None:
    assert of(state(clocks=[clock(at(100))], status="suspended")).deadlines
    known = of(state(clocks=[clock(at(100))], registered=False, name=None, zone=None, officer=None))
    assert known.deadlines
    assert (known.registered, known.name, known.zone, known.people) == (False, None, None, {})


def test_a_gap_that_was_passed_is_not_watched() -> None:
    reached = {"signed": "2025-12-01", "started": "2026-03-04"}
    assert of(state(clocks=[clock(at(100))], reached=reached)).deadlines == ()


def test_first_seen_is_kept_while_the_deadline_stands() -> None:
    first = of(state(clocks=[clock(at(100))]), now=1)
    later = of(state(events=2, clocks=[clock(at(100))]), first, now=50)
    assert [d.seen for d in later.deadlines] == [at(1)]
    assert later.changed_at == at(50)


def test_a_deadline_that_moves_is_seen_anew() -> None:
    first = of(state(clocks=[clock(at(100))]), now=1)
    for moved in (at(90), at(110)):
        assert [d.seen for d in of(state(events=2, clocks=[clock(moved)]), first, now=50).deadlines] == [at(50)]


def test_a_correction_that_moves_a_deadline_into_the_past_is_seen_when_it_comes() -> None:
    first = of(state(clocks=[clock(at(100))]), now=1)
    assert [d.seen for d in of(state(events=2, clocks=[clock(at(40))]), first, now=50).deadlines] == [at(50)]


def test_red_before_and_red_after_is_one_red_seen_since_the_first_time() -> None:
    # Otherwise a correction every few seconds would begin the last term of 60 s anew each time.
    first = of(state(clocks=[clock(at(10))]), now=20)
    assert [d.seen for d in of(state(events=2, clocks=[clock(at(15))]), first, now=50).deadlines] == [at(20)]


def test_a_red_that_comes_back_is_seen_anew() -> None:
    first = of(state(clocks=[clock(at(10))]), now=20)
    gone = of(state(events=2), first, now=30)
    assert [d.seen for d in of(state(events=3, clocks=[clock(at(10))]), gone, now=40).deadlines] == [at(40)]


def test_a_new_watch_is_looked_at_once_and_a_change_of_deadlines_again() -> None:
    first = of(state(clocks=[clock(at(100))]), now=1)
    assert first.next_due == at(1)
    put_off = replace(first, next_due=at(105))
    note = of(state(events=2, clocks=[clock(at(100))]), put_off, now=50)
    assert note.next_due == at(105)
    moved = of(state(events=3, clocks=[clock(at(200))]), note, now=60)
    assert moved.next_due == at(60)
    assert of(state(events=4), replace(moved, next_due=END_OF_TIME), now=70).next_due == at(70)


@pytest.mark.parametrize(
    ("guard", "replaces"),
    [
        ((6, 2), True),
        ((5, 3), True),
        ((6, 3), True),
        ((5, 2), False),
        ((4, 2), False),
        ((6, 1), False),
        ((4, 3), False),
    ],
)
def test_a_watch_gives_way_only_to_one_that_knows_more(guard: tuple[int, int], replaces: bool) -> None:
    kept = of(state(events=5) | {"ruleset": 2})
    assert kept.may_be_replaced_by(of(state(events=guard[0]) | {"ruleset": guard[1]})) is replaces


def test_a_record_that_cannot_be_read_marks_the_watch_and_the_next_good_one_mends_it() -> None:
    kept = of(state(events=5, clocks=[clock(at(100))]))
    marked = unreadable(PROJECT, kept, 0, at(1))
    assert kept.may_be_replaced_by(marked)
    assert not marked.may_be_replaced_by(marked)
    assert marked.deadlines == kept.deadlines
    assert marked.may_be_replaced_by(of(state(events=5)))  # the same state, published again
    assert not marked.may_be_replaced_by(of(state(events=4)))
    assert of(state(events=6, clocks=[clock(at(100))]), replace(marked, next_due=END_OF_TIME), 9).next_due == at(9)


def test_an_unreadable_record_of_an_unknown_project_is_remembered() -> None:
    marked = unreadable("p-new", None, 4, at(1))
    assert (marked.unreadable, marked.partition, marked.next_due) == (True, 4, END_OF_TIME)
    assert marked.may_be_replaced_by(of(state("p-new")))
