"""Cells and columns: any question about what was known and what was true meets what a fold of that moment says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.assess import POOL
from luodi.domain.clocks import LIGHTS, light_at
from luodi.domain.events import MILESTONE_REPORTED, NOTE_ADDED, PROJECT_AMENDED, PROJECT_REGISTERED, Event
from luodi.domain.history import state_at
from luodi.domain.stages import STAGES
from services.tracker.cells import DATED, KNOWN_FOR_EVER, LIVE, NO_LIGHT, STATUSES, face_of, milliseconds
from services.tracker.columns import FIRST_CAPACITY, Columns
from services.tracker.folding import Folder
from services.tracker.history import Row, carried, meaning, row_of
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, UNHURRIED, published
from tests.unit.domain.strategies import INSTANTS, histories

FOLDER = Folder(DEFAULT_RULES, published(), 1)
MOMENTS = st.sampled_from(
    [*INSTANTS, "2026-02-28T23:00:00.000Z", "2026-03-02T12:00:00.000Z", "2026-05-01T00:00:00.000Z"]
)
DAYS = st.integers(date(2024, 12, 1).toordinal(), date(2027, 6, 30).toordinal())


def row(events: Sequence[Event], stored: Row | None = None, at: int = 1, subject: str = SUBJECT) -> Row:
    return row_of(subject, (0, at), events, carried(subject, events, stored, FOLDER), FOLDER.ruleset)


def columns(*rows: Row) -> Columns:
    made = Columns()
    made.put(rows)
    return made


def answered(store: Columns, moment: str, day: int, shows: int) -> tuple[Any, ...] | None:
    """(stage, status, light, officer) of the one project as the columns have it."""
    picked = store.pick(milliseconds(moment), day, shows)
    assert len(picked) <= 1, "one cell of a project at most"
    if not len(picked):
        return None
    stage, light = int(picked.cells["stage"][0]), int(picked.cells["light"][0])
    return (
        STAGES[stage - 1] if stage else None,
        STATUSES[int(picked.cells["status"][0])],
        None if light == NO_LIGHT else LIGHTS[light],
        store.words("officer")[int(store.face(picked, "officer")[0])],
    )


def folded(events: Sequence[Event], moment: str, day: int | None) -> tuple[Any, ...] | None:
    """The same by folding what was known."""
    state = state_at(events, moment, day, published())
    if state is None:
        return None
    document = FOLDER.assess(SUBJECT, state)
    seen = moment if day is None else published().midnight_of(day)
    light = None if document["status"] == POOL else light_at(document["lights"], seen)["light"]
    return document["stage"], document["status"], light, document.get("officer")


@given(histories(), MOMENTS, DAYS)
@settings(UNHURRIED, max_examples=60)
def test_what_was_true_on_a_day_by_what_was_known(events: list[Event], moment: str, day: int) -> None:
    if events:
        assert answered(columns(row(events)), moment, day, DATED) == folded(events, moment, day)


@given(histories(), MOMENTS)
@settings(UNHURRIED, max_examples=60)
def test_what_was_shown_at_a_moment(events: list[Event], moment: str) -> None:
    if events:
        today = published().business_day(moment)
        assert answered(columns(row(events)), moment, today, LIVE) == folded(events, moment, None)


@given(histories(), st.data())
@settings(UNHURRIED, max_examples=40)
def test_a_history_carried_on_is_the_history_made_anew(events: list[Event], data: st.DataObject) -> None:
    stored: Row | None = None
    known: list[Event] = []
    for event in data.draw(st.permutations(events)):  # as they arrive: not always in the order of recording
        known.append(event)
        stored = row(known, stored)
    if stored is None:
        return
    assert meaning(stored) == meaning(row(events))
    assert (stored.events, stored.times) == (len(events), sorted(milliseconds(e.recordedtime) for e in events))


def told(id_: str, recorded: str, type_: str = MILESTONE_REPORTED, **data: Any) -> Event:
    return Event(SUBJECT, id_, type_, recorded, 0, None, data)


FIRST = told("r", "2026-01-05T01:00:00.000Z", PROJECT_REGISTERED, name="一", zone="demo", route="land", officer="o1")
SIGNED = told("s", "2026-01-06T01:00:00.000Z", stage="signed", date="2026-01-05")


def test_a_remark_makes_no_new_cells() -> None:
    before = row([FIRST, SIGNED])
    after = row([FIRST, SIGNED, told("n", "2026-01-07T01:00:00.000Z", NOTE_ADDED, text="电话")], before)
    assert after.cells == before.cells
    assert len(after.times) == 3


def test_new_knowledge_closes_what_it_contradicts_and_leaves_the_rest_open() -> None:
    before = row([FIRST, SIGNED])
    supplied = told("l", "2026-04-20T01:00:00.000Z", stage="land_supplied", date="2026-04-01")
    after = row([FIRST, SIGNED, supplied], before)
    closed = {cell for cell in meaning(before)[-1] if cell[1] == KNOWN_FOR_EVER} - meaning(after)[-1]
    lights = sorted(LIGHTS[cell[-3]] for cell in closed)
    assert lights == ["red", "yellow"], "the green until the middle of March was and is true"


def test_a_milestone_of_tomorrow_counts_at_once_in_what_is_known_and_tomorrow_in_what_is_true() -> None:
    store = columns(row([FIRST, told("s", "2026-01-06T01:00:00.000Z", stage="signed", date="2026-01-07")]))
    moment, today = "2026-01-06T02:00:00.000Z", date(2026, 1, 6).toordinal()
    known, true, tomorrow = (
        answered(store, moment, today, LIVE),
        answered(store, moment, today, DATED),
        answered(store, moment, today + 1, DATED),
    )
    assert known is not None
    assert true is not None
    assert tomorrow is not None
    assert (known[0], true[0], tomorrow[0]) == ("signed", None, "signed")


def test_a_sweep_leaves_every_answer_as_it_was() -> None:
    store = Columns()
    names = [f"p{number}" for number in range(60)]
    for turn in range(40):
        moved = told("a", f"2026-02-{turn % 28 + 1:02d}T01:00:00.000Z", PROJECT_AMENDED, officer=f"o{turn}")
        store.put([row([FIRST, SIGNED, moved], at=turn, subject=name) for name in names])
    assert store._cells.count < 2 * FIRST_CAPACITY, "what was struck out was swept up"
    picked = store.pick(milliseconds("2026-03-01T00:00:00.000Z"), date(2026, 2, 15).toordinal(), DATED)
    assert sorted(store.subjects[owner] for owner in picked.owner.tolist()) == sorted(names)
    assert {store.words("officer")[code] for code in store.face(picked, "officer").tolist()} == {"o39"}


def test_a_face_holds_what_lists_and_funnels_ask_for() -> None:
    state = state_at([FIRST, SIGNED], None, None, published())
    assert state is not None
    face = face_of(FOLDER.assess(SUBJECT, state))
    assert face[:4] == (True, "一", "demo", "land")


def test_times_told_again_count_once_and_the_last_one_known_is_found() -> None:
    store = Columns()
    for turn in range(3):
        store.put([row([FIRST, SIGNED], at=turn, subject=name) for name in ("p1", "p2")])
    day = date(2026, 2, 1).toordinal()
    early, late = milliseconds("2026-01-05T12:00:00.000Z"), milliseconds("2026-02-01T00:00:00.000Z")
    for moment, expected in ((early, FIRST), (late, SIGNED)):
        picked = store.pick(moment, day, DATED)
        assert set(store.updated(picked, moment).tolist()) == {milliseconds(expected.recordedtime)}
