"""Roll-ups of running trackers: phases and parents on different partitions, of different processes."""

from __future__ import annotations

from typing import Any

import pytest

from luodi.domain.events import PROJECT_AMENDED
from luodi.domain.rollup import roll_up
from services.tracker.rollups import MongoRollUps
from tests.integration.tracker.world import World, shared, until

pytestmark = pytest.mark.stack

FAMILY = [f"p{n}" for n in range(8)]


def members(world: World, id_: str) -> list[str] | None:
    row = world.database["rollups"].find_one({"_id": id_})
    return None if row is None else list(row["members"])


def are_true(world: World) -> bool:
    """Whether every roll-up is what the stored documents say."""
    rollups = MongoRollUps(world.database)
    named = rollups.named()
    family = rollups.families(named)
    stored: dict[str, dict[str, Any]] = {row["_id"]: row for row in world.database["rollups"].find()}
    return stored.keys() == set(named) and all(
        {name: value for name, value in stored[id_].items() if name != "version"} == roll_up(id_, family)
        for id_ in named
    )


def test_phases_on_all_partitions_are_rolled_up_by_whichever_tracker_owns_them(world: World) -> None:
    r = world.recorder
    assert len({world.partition(subject) for subject in FAMILY}) > 1
    with world.tracker("one") as one, world.tracker("two") as two:
        until(lambda: shared(one, two), "the partitions are shared")
        world.send([r.registered("root", phased=True), *(r.registered(p, parent="root") for p in FAMILY)])
        until(lambda: members(world, "root") == FAMILY, "all phases are rolled up")
        world.send(r.milestone(p, "signed", "2026-01-05") for p in FAMILY)
        world.send([r.event("p3", PROJECT_AMENDED, {"parent": None}), r.event("p4", PROJECT_AMENDED, {"parent": "p5"})])
        until(lambda: members(world, "root") == [p for p in FAMILY if p not in {"p3", "p4"}] + ["p4"], "the moves show")
        until(lambda: are_true(world), "every roll-up is true")


def test_a_tracker_that_starts_makes_good_what_was_spoilt(world: World) -> None:
    r = world.recorder
    with world.tracker():
        world.send([r.registered("root", phased=True), r.registered("p1", parent="root")])
        until(lambda: members(world, "root") == ["p1"], "the phase is rolled up")
    world.database["rollups"].delete_one({"_id": "root"})
    with world.tracker():
        until(lambda: members(world, "root") == ["p1"], "it is made again")
