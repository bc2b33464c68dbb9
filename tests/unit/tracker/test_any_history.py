"""Whatever happened, in whatever order, however often it was told and wherever the tracker died: one end."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.domain.events import (
    EVENT_RETRACTED,
    PLAN_SET,
    POST_HANDED_OVER,
    POST_REGISTERED,
    PROJECT_REGISTERED,
    Event,
)
from luodi.domain.stages import STAGES
from luodi.domain.subjects import is_project
from tests.parity.tracker.fakes import Crash, Faults, crash
from tests.unit.tracker.plant import HandsKind, Plant, event
from tests.unit.tracker.test_crash_at_every_call import HANDS

SUBJECTS = ("p1", "p2", "p3", "post:p1", "post:p4")


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of three projects and two posts: milestones, plans, posts handed over, retractions of each other, the same
    id said again or with more.
    """
    made: list[Event] = []
    for n in range(draw(st.integers(1, 14))):
        subject = draw(st.sampled_from(SUBJECTS))
        at = draw(st.integers(0, 20))
        kind = draw(st.sampled_from(["milestone", "milestone", "plan", "register", "retract", "again", "rival"]))
        mine = [held for held in made if held.subject == subject]
        if kind == "register":
            type_ = PROJECT_REGISTERED if is_project(subject) else POST_REGISTERED
            made.append(event(subject, f"e{n}", at, type_, name=f"n{n}"))
        elif kind == "plan" and is_project(subject):
            made.append(event(subject, f"e{n}", at, PLAN_SET, stage="started", date=f"2026-0{1 + n % 9}-01"))
        elif kind == "retract" and mine:
            made.append(
                event(subject, f"e{n}", at, EVENT_RETRACTED, event_id=draw(st.sampled_from(mine)).id, reason="误")
            )
        elif kind == "again" and mine:
            said = draw(st.sampled_from(mine))
            made.append(event(subject, said.id, at, said.type, **said.data))  # stamped anew
        elif not is_project(subject):
            id_ = draw(st.sampled_from(mine)).id if kind == "rival" and mine else f"e{n}"
            made.append(event(subject, id_, at, POST_HANDED_OVER, holder=f"u{n % 3}", date=f"2026-0{1 + n % 5}-01"))
        elif kind == "rival" and mine:
            made.append(
                event(subject, draw(st.sampled_from(mine)).id, at, stage="signed", date=f"2025-0{1 + n % 9}-11")
            )
        else:
            stage = draw(st.sampled_from(STAGES))
            made.append(event(subject, f"e{n}", at, stage=stage, date=f"2026-0{1 + n % 3}-0{1 + n % 9}"))
    return made


@settings(max_examples=120, deadline=None)
@given(
    histories(),
    st.integers(0, 2**16),
    st.integers(1, 5),
    st.integers(0, 40),
    st.booleans(),
    st.sampled_from(HANDS),
)
def test_every_telling_ends_in_the_documents_of_its_events(
    told: list[Event], seed: int, max_poll_records: int, at: int, after: bool, hands: HandsKind
) -> None:
    order = told + told[::2]
    random.Random(seed).shuffle(order)
    plant = Plant()
    plant.arrive(*order)
    worker = plant.worker(Faults(at, crash, after=after), max_poll_records, hands)
    try:
        worker.work(turns=200)
    except Crash:
        worker = plant.worker(max_poll_records=max_poll_records, hands=hands)
        worker.work(turns=200)
    plant.check_end()
