"""The baseline must be an honest one: it takes what the product takes and refuses what is plainly wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from marshmallow import ValidationError

from bench.baseline.ingest import MilestoneSchema
from bench.baseline.tracker import apply
from bench.milestones import of_project
from bench.sides import Baseline, Product
from schemas import codec


def test_the_baseline_takes_the_posts_of_the_load() -> None:
    posted = of_project("bench-00001", 3).payload()
    loaded = MilestoneSchema().load(posted)
    assert {**loaded, "date": loaded["date"].isoformat()} == posted


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "finished"},
        {"date": "2026-02-30"},
        {"date": "9999-01-01"},
        {"project_id": "a/b"},
        {"colour": "red"},
        {"evidence": [{"kind": "permit"}]},
    ],
    ids=str,
)
def test_the_baseline_refuses_what_is_plainly_wrong(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MilestoneSchema().load({**of_project("bench-00001", 3).payload(), **change})


class Recorded:
    """Stands for the collection; keeps what it was asked to do."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, Any], dict[str, Any], bool]] = []

    def update_one(self, query: dict[str, Any], change: dict[str, Any], upsert: bool) -> None:
        self.calls.append((query, change, upsert))


def test_the_baseline_writes_each_message_with_one_upsert_that_its_query_shows() -> None:
    milestone = of_project("p1", 2)
    collection = Recorded()
    apply(collection, {**milestone.payload(), "recorded_at": "2026-03-05T01:02:03.004+00:00"})  # type: ignore[arg-type]  # a stand-in
    ((query, change, upsert),) = collection.calls
    assert (query, upsert) == ({"_id": "p1"}, True)
    stored = {"milestones": {"started": change["$set"]["milestones.started"]}}
    side = Baseline.__new__(Baseline)
    assert side.shows(stored, milestone)
    assert not side.shows(stored, of_project("p1", 7))


def test_a_milestone_is_seen_in_the_product_only_with_its_own_stage_and_date() -> None:
    side = Product.__new__(Product)
    milestone = of_project("p1", 2)
    row = {"stage": milestone.stage, "date": milestone.date}
    assert side.shows({"milestones": [{"stage": "signed", "date": "2019-01-01"}, row]}, milestone)
    assert not side.shows({"milestones": [{**row, "date": "2019-01-08"}]}, milestone)
    assert not side.shows({}, milestone)


def test_both_sides_are_given_the_same_milestones_to_apply() -> None:
    milestone, recorded = of_project("p1", 2), datetime(2026, 3, 5, tzinfo=UTC)
    event = codec.decode(Product.__new__(Product).record(milestone, 17, recorded), b"p1", UTC)
    record = json.loads(Baseline.__new__(Baseline).record(milestone, 17, recorded))
    assert record == {
        **milestone.payload(),
        "id": "bench-00000017",
        "recorded_at": "2026-03-05T00:00:00.017+00:00",
    }
    assert (event.subject, event.id, event.recordedtime) == ("p1", record["id"], "2026-03-05T00:00:00.017Z")
    assert {"project_id": event.subject, "actor": event.actor, **event.data} == milestone.payload()
