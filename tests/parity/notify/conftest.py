"""The stores of notify twice: in memory, and on a real MongoDB with a database of the test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from luodi.runtime.mongo import Document
from services.notify import directory_store
from services.notify.directory_store import MongoDirectory
from services.notify.stores import (
    MongoEndpoints,
    MongoMatters,
    MongoNotifications,
    MongoWatches,
    Stores,
    ensure_indexes,
)
from tests.unit.notify.fakes import MemoryDirectory, MemoryEndpoints, MemoryMatters, MemoryNotifications, MemoryWatches


@dataclass(frozen=True)
class AllStores:
    """One of each port."""

    watches: MemoryWatches | MongoWatches
    matters: MemoryMatters | MongoMatters
    notifications: MemoryNotifications | MongoNotifications
    endpoints: MemoryEndpoints | MongoEndpoints
    directory: MemoryDirectory | MongoDirectory


@pytest.fixture(params=["in memory", pytest.param("MongoDB", marks=pytest.mark.stack)])
def stores(request: pytest.FixtureRequest) -> Iterator[AllStores]:
    if request.param == "in memory":
        yield AllStores(MemoryWatches(), MemoryMatters(), MemoryNotifications(), MemoryEndpoints(), MemoryDirectory())
        return
    client: MongoClient[Document] = MongoClient(request.getfixturevalue("servers").mongodb_uri)
    name = f"notify-parity-{uuid.uuid4().hex[:12]}"
    database = client.get_database(
        name, write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")
    )
    try:
        ensure_indexes(database)
        directory_store.ensure_indexes(database)
        real = Stores.on(database)
        yield AllStores(real.watches, real.matters, real.notifications, real.endpoints, MongoDirectory(database))
    finally:
        client.drop_database(name)
        client.close()
