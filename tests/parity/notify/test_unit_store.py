"""What is asked of the watches about units, on the fake and on a real MongoDB alike; and at what cost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pymongo import MongoClient

from luodi.local.harness import Servers
from services.notify.stores import MongoWatches, ensure_indexes
from services.notify.unit_store import LATEST, MongoUnits
from services.notify.units import Lead
from tests.unit.notify.builders import at, deadline, red, watch
from tests.unit.notify.fakes import MemoryUnits, MemoryWatches

pytestmark = [pytest.mark.timeout(60)]

POWER = {"lead_unit": "power", "group_head": "g-1"}
CLOCK = deadline(red(100))


@dataclass(frozen=True)
class Stores:
    """The watches, and the units that they tell of."""

    watches: MemoryWatches | MongoWatches
    units: MemoryUnits | MongoUnits
    database: Any = None


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.stack)])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """The fakes, then the real ones."""
    if request.param == "memory":
        watches = MemoryWatches()
        yield Stores(watches, MemoryUnits(watches))
        return
    servers: Servers = request.getfixturevalue("servers")
    client: MongoClient[dict[str, Any]] = MongoClient(servers.mongodb_uri)
    database = client[f"units_{uuid.uuid4().hex[:12]}"]
    ensure_indexes(database)
    yield Stores(MongoWatches(database), MongoUnits(database), database)
    client.drop_database(database)
    client.close()


def test_each_unit_is_told_with_the_last_of_its_reports(stores: Stores) -> None:
    stores.watches.put(
        [
            watch(CLOCK, project_id="p-1", people=POWER, reported_at=at(5)),
            watch(project_id="p-2", people=POWER, reported_at=at(9)),
            watch(CLOCK, project_id="p-3", people={"lead_unit": "$water.1"}, reported_at=at(1)),
            watch(CLOCK, project_id="p-4", people={"officer": "o"}, reported_at=at(99)),
        ]
    )
    assert stores.units.latest() == {"power": at(9), "$water.1": at(1)}


def test_of_what_it_leads_only_projects_with_an_open_clock_count(stores: Stores) -> None:
    stores.watches.put(
        [
            watch(CLOCK, project_id="p-1", people=POWER, reported_at=at(5), zone=None),
            watch(CLOCK, project_id="p-2", people={**POWER, "group_head": "g-0"}, reported_at=at(5), zone="real"),
            watch(project_id="p-3", people={**POWER, "group_head": "g-9"}, reported_at=at(5)),
            watch(project_id="p-4", people={"lead_unit": "water"}, reported_at=at(5)),
        ]
    )
    assert stores.units.lead("power") == Lead("real", ("g-0", "g-1"))
    assert stores.units.lead("water") is None
    assert stores.units.lead("nobody") is None


def test_a_watch_that_does_not_say_when_anything_was_recorded_says_when_it_changed(stores: Stores) -> None:
    old = watch(CLOCK, project_id="p-1", people=POWER, changed=30)
    stores.watches.put([old, watch(project_id="p-2", people=POWER, reported_at=at(5), changed=70)])
    if stores.database is not None:  # as an earlier version wrote it
        stores.database["watches"].update_one({"_id": "p-1"}, {"$unset": {"reported_at": ""}})
    assert stores.units.latest() == {"power": at(5)}
    assert stores.units.lead("power") == Lead("demo", ("g-1",), at(30))


@pytest.mark.stack
def test_mongodb_reads_one_entry_of_the_index_per_unit(servers: Servers) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(servers.mongodb_uri)
    database = client[f"units_{uuid.uuid4().hex[:12]}"]
    try:
        ensure_indexes(database)
        units, each = 20, 250
        made = watch(CLOCK, reported_at=at(5))
        MongoWatches(database).put(
            [
                replace(made, project_id=f"p-{n}", people={"lead_unit": f"unit-{n % units}"}, reported_at=at(n))
                for n in range(units * each)
            ]
        )
        assert len(MongoUnits(database).latest()) == units
        told = database.command(
            "explain",
            {"aggregate": "watches", "pipeline": LATEST, "hint": "led", "cursor": {}},
            verbosity="executionStats",
        )
        text = str(told)
        assert "DISTINCT_SCAN" in text, text
        stats = told.get("executionStats") or told["stages"][0]["$cursor"]["executionStats"]
        assert stats["totalKeysExamined"] <= 2 * units + 2, stats
        assert stats["totalDocsExamined"] <= units, stats
    finally:
        client.drop_database(database)
        client.close()
