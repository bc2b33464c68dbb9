"""The documents that the domain really makes, read as notify reads them from the topic."""

from __future__ import annotations

from typing import Any

from luodi.domain.assess import assess
from luodi.domain.fold import fold
from schemas import states
from services.notify.watches import Watch, promise_matter, watch_of
from tests.rules import DEFAULT_RULES
from tests.unit.domain.builders import SUBJECT, Story, published

NOW = "2026-09-01T00:00:00.000Z"


def read(story: Story, before: Watch | None = None) -> Watch:
    """Fold, assess, write and read one project's record."""
    document: dict[str, Any] = assess(SUBJECT, fold(story.events), DEFAULT_RULES, published())
    record = states.decode_state(states.encode_state(document | {"partition": 0, "ruleset": 1, "fold": b""}))
    return watch_of(record, before, NOW, 0)


def test_the_open_gap_is_watched_for_the_first_red_of_its_clock() -> None:
    story = Story()
    story.registered(officer="u-zhang", leader="u-li")
    story.tell("milestone.reported", stage="signed", date="2026-01-05", note=None, evidence=[])
    known = read(story)
    (deadline,) = known.deadlines
    assert (deadline.gap, deadline.kind) == (("signed", "land_supplied"), "gap")
    assert [(red.since, red.due, red.rule) for red in deadline.reds] == [
        ("2026-04-05T16:00:00.000Z", "2026-04-05", "zone-default")
    ]
    assert deadline.reds[0].reason["code"] == "overdue"
    assert known.people == {"officer": "u-zhang", "leader": "u-li"}


def test_a_reported_stage_moves_the_watch_to_the_next_gap() -> None:
    story = Story()
    story.registered()
    story.tell("milestone.reported", stage="signed", date="2026-01-05", note=None, evidence=[])
    story.tell("milestone.reported", stage="land_supplied", date="2026-03-05", note=None, evidence=[])
    known = read(story)
    assert [d.gap for d in known.deadlines] == [("land_supplied", "started")]
    assert known.reached == {"signed": "2026-01-05", "land_supplied": "2026-03-05"}


def test_a_plan_and_a_promise_are_watched_and_a_cleared_blocker_no_more() -> None:
    story = Story()
    story.registered(route="plant")
    story.tell("milestone.reported", stage="started", date="2026-01-05", note=None, evidence=[])
    story.tell("plan.set", stage="completed", date="2026-05-01", reason=None, approver=None, note=None)
    blocker = story.tell(
        "blocker.raised", kind="用电", cause="utility", owner="供电公司", date="2026-06-01", promise="2026-06-20",
        level=None, approver=None, until=None, note=None,
    )  # fmt: skip
    known = read(story)
    by_matter = {d.matter: d for d in known.deadlines}
    promise = by_matter[promise_matter(SUBJECT, blocker)]
    assert (promise.owner, promise.reds[0].due, promise.reds[0].since) == (
        "供电公司",
        "2026-06-20",
        "2026-06-20T16:00:00.000Z",
    )
    assert [d.reds[0].rule for d in known.deadlines if d.gap] == ["plan"]
    story.tell("blocker.cleared", blocker_id=blocker, date="2026-06-18", note=None)
    after = read(story, known)
    assert promise_matter(SUBJECT, blocker) not in {d.matter for d in after.deadlines}
    assert after.blockers == {blocker: "2026-06-18"}


def test_withdrawn_published_phased_and_finished_projects_have_nothing_to_watch() -> None:
    for fields, events in (
        ({"source": "published", "as_of": "2024-09-30"}, ()),
        ({"phased": True}, ()),
        ({}, (("project.withdrawn", {"date": "2026-03-01", "reason": "市场变化", "note": None}),)),
        ({}, (("milestone.reported", {"stage": "producing", "date": "2026-03-01", "note": None, "evidence": []}),)),
    ):
        story = Story()
        story.registered(**fields)
        story.tell("milestone.reported", stage="signed", date="2025-01-05", note=None, evidence=[])
        for type_, data in events:
            story.tell(type_, **data)
        assert read(story).deadlines == (), fields


def committed() -> Story:
    """A project that produces and is to reach full production by June and a tax per mu by August."""
    story = Story()
    story.registered(route="plant", area_mu=10)
    story.reached("producing", "2026-01-05")
    story.tell("commitment.made", measure="full_production", due="2026-06-30")
    story.tell("commitment.made", measure="tax_per_mu", due="2026-08-31", value=100_000)
    return story


def test_commitments_that_are_not_met_are_watched_on_the_gap_behind_the_last_stage() -> None:
    known = read(committed())
    (deadline,) = known.deadlines
    assert (deadline.gap, deadline.kind) == (("producing", "performing"), "gap")
    assert deadline.matter == f"{SUBJECT}:producing-performing"
    assert [(red.since, red.rule) for red in deadline.reds] == [("2026-06-30T16:00:00.000Z", "full_production")]
    assert {broken.rule for broken in deadline.broken} == {"full_production", "tax_per_mu"}


def test_a_commitment_that_is_met_is_known_with_its_day() -> None:
    story = committed()
    before = read(story)
    story.tell("performance.reported", period="2026-Q3", capacity_percent=100)
    known = read(story, before)
    assert known.performed == {"full_production": "2026-09-30"}
    assert [red.since for red in known.deadlines[0].reds] == ["2026-08-31T16:00:00.000Z"]


def test_a_project_not_yet_registered_is_watched_on_the_default_route() -> None:
    story = Story()
    story.tell("milestone.reported", stage="signed", date="2025-01-05", note=None, evidence=[])
    known = read(story)
    assert (known.registered, known.name, known.zone) == (False, None, None)
    assert [d.gap for d in known.deadlines] == [("signed", "land_supplied")]
