"""Each suite runs twice: on the fakes and on the real server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from luodi.local.harness import Servers
from services.tracker.ahead import Ahead
from services.tracker.history import Histories, MongoHistories
from services.tracker.journal import MongoJournal
from services.tracker.ports import Fuses, Journal, Leading, Positions, Projects
from services.tracker.rollups import MongoRollUps, RollUps
from services.tracker.rulesets import MongoRulesets, Rulesets
from services.tracker.stores import MongoFuses, MongoPositions, MongoProjects
from services.tracker.subjects import MongoOthers, MongoSubjects
from tests.parity.tracker.fakes import (
    MemoryFuses,
    MemoryHistories,
    MemoryJournal,
    MemoryPositions,
    MemoryProjects,
    MemoryRollUps,
    MemoryRulesets,
)

TAG = "0badcafe"


@dataclass
class AllStores:
    """One set of stores, all empty."""

    journal: Journal
    projects: Projects
    positions: Positions
    fuses: Fuses
    rulesets: Rulesets
    rollups: RollUps
    histories: Histories
    leading: Leading


@pytest.fixture(
    params=[
        "memory",
        pytest.param("mongodb", marks=pytest.mark.stack),
        pytest.param("mongodb, by kinds", marks=pytest.mark.stack),
    ]
)
def stores(request: pytest.FixtureRequest) -> Iterator[AllStores]:
    """The stores in memory, then those on a real MongoDB, then with the documents of other kinds beside projects."""
    if request.param == "memory":
        memory, journaled = MemoryProjects(), MemoryJournal()
        journaled.primary = memory.primary
        yield AllStores(
            journaled,
            memory,
            MemoryPositions(),
            MemoryFuses(),
            MemoryRulesets(),
            MemoryRollUps(memory),
            MemoryHistories(),
            memory.primary,
        )
        return
    servers: Servers = request.getfixturevalue("servers")
    client: MongoClient[dict[str, Any]] = MongoClient(servers.mongodb_uri, retryWrites=False)
    database: Database[dict[str, Any]] = client.get_database(
        f"parity_{secrets.token_hex(4)}",
        write_concern=WriteConcern(w="majority", j=True),
        read_concern=ReadConcern("majority"),
    )
    ahead = Ahead(database)
    journal = MongoJournal(database, ahead=ahead)
    projects, others = MongoProjects(database, ahead=ahead), MongoOthers(database, ahead=ahead)
    journal.ensure_indexes()
    projects.ensure_indexes()
    others.ensure_indexes()
    rollups = MongoRollUps(database)
    rollups.ensure_indexes()
    histories = MongoHistories(database, TAG)
    histories.ensure_indexes()
    yield AllStores(
        journal,
        projects if request.param == "mongodb" else MongoSubjects(projects, others),
        MongoPositions(database, TAG),
        MongoFuses(database, TAG),
        MongoRulesets(database),
        rollups,
        histories,
        ahead,
    )
    client.drop_database(database.name)
    client.close()
