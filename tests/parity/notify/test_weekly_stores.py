"""What the weekly report relies on in the watches, proved on the fake and on a real MongoDB alike."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from luodi.runtime.mongo import Document
from services.notify import directory_store
from services.notify.directory import Entry
from services.notify.directory_store import MongoDirectory
from services.notify.outlines import Lit, Outline, Project
from services.notify.stores import MongoWatches, ensure_indexes
from services.notify.watches import unreadable
from tests.parity.notify.conftest import AllStores
from tests.unit.notify.builders import at, watch

TRICKY = {"code": "$where", "a.b": {"$gt": 1}, "汉字": ["\u0000", None, 1.5, True]}
OUTLINE = Outline(
    "signed",
    "2026-03",
    "land_supplied",
    (Lit("green", "", TRICKY), Lit("red", "2026-06-01T16:00:00.000Z", {"code": "overdue"})),
    ((("", "2026-06-01"),), (("2026-01-01", "2026-05-01"), ("2026-04-01", "2026-07-01"))),
)


def test_projects_are_found_by_any_id_that_they_name(stores: AllStores) -> None:
    one = watch(project_id="p-1", people={"officer": "zhang", "leader": "head"}, outline=OUTLINE)
    stores.watches.put([one, watch(project_id="p-2", people={"officer": "li"}), watch(project_id="p-3", people={})])
    stores.watches.put([watch(project_id="decision:d-1", people={"owner": "head"})])
    assert stores.watches.people() == {"zhang", "head", "li"}
    found = Project("p-1", one.name, one.zone, one.route, one.status, OUTLINE)
    assert list(stores.watches.naming(["head"])) == [found]
    assert [project.id for project in stores.watches.naming(["zhang", "head"])] == ["p-1"]
    assert {project.id for project in stores.watches.naming(["zhang", "li", "nobody"])} == {"p-1", "p-2"}
    assert list(stores.watches.naming([])) == []
    assert stores.watches.get_many(["p-1"]) == {"p-1": replace(one, outline=None)}  # which is read for reports alone
    stores.watches.put([unreadable("p-1", stores.watches.get_many(["p-1"])["p-1"], 0, at(9))])
    assert stores.watches.get_many(["p-1"])["p-1"].unreadable
    assert list(stores.watches.naming(["head"])) == [found]


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    client: MongoClient[Document] = MongoClient(request.getfixturevalue("servers").mongodb_uri)
    name = f"weekly-parity-{uuid.uuid4().hex[:12]}"
    try:
        yield client[name]
    finally:
        client.drop_database(name)
        client.close()


@pytest.mark.stack
def test_each_question_is_answered_by_an_index_however_many_projects_there_are(database: Any) -> None:
    ensure_indexes(database)
    directory_store.ensure_indexes(database)
    people = [{"officer": f"u-{number % 40}", "leader": "head"} for number in range(400)]
    MongoWatches(database).put([watch(project_id=f"p-{n}", people=named) for n, named in enumerate(people)])
    plan = database["watches"].find({"named": {"$in": ["u-1", "u-2"]}}).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 20
    explained = database.command(
        "explain", {"distinct": "watches", "key": "named", "query": {}}, verbosity="executionStats"
    )
    assert explained["executionStats"]["totalDocsExamined"] == 0
    assert explained["executionStats"]["totalKeysExamined"] <= 42
    entries = [Entry(f"person:u-{number}", 0, 1, 1, {"registered": True}) for number in range(300)]
    own = Entry("person:u-early", 0, 1, 1, {"works_from": "06:30", "works_until": "15:00"})
    MongoDirectory(database).put([*entries, own])
    asked = {"distinct": "directory", "key": "told.works_from", "query": {"told.works_from": {"$type": "string"}}}
    explained = database.command("explain", asked, verbosity="executionStats")
    assert explained["executionStats"]["totalDocsExamined"] <= 1


@pytest.mark.stack
def test_watches_of_an_earlier_version_are_found_by_whom_they_name(database: Any) -> None:
    ensure_indexes(database)
    store = MongoWatches(database)
    store.put([watch(project_id="p-1", people={"officer": "zhang", "leader": "zhang"})])
    database["watches"].update_one({"_id": "p-1"}, {"$unset": {"named": "", "outline": ""}})
    assert list(store.naming(["zhang"])) == []
    ensure_indexes(database)
    assert [(project.id, project.outline) for project in store.naming(["zhang"])] == [("p-1", None)]
    assert store.people() == {"zhang"}
    plan = database["watches"].find({"named": None}).explain()
    assert plan["executionStats"]["totalDocsExamined"] <= 1
