"""What silences rely on in their store, proved on the fake and on a real MongoDB alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pymongo import MongoClient

from luodi.domain.events import Event
from luodi.local.harness import Servers
from services.notify.silence_store import MongoSilences, ensure_indexes
from services.notify.silences import Silence, SilenceStore
from tests.unit.notify.builders import MATTER, PROJECT, at
from tests.unit.notify.fakes import MemorySilences

pytestmark = [pytest.mark.timeout(60)]

BEGUN = Event(PROJECT, "e1", "silence.begun", at(0), 0, "g", {"silence": "s1", "reason": "$整.改"})
ONE = Silence("s1", PROJECT, MATTER, 0, "g", "$整.改\n中", "2026-03-16", at(0), at(900), outbox=(BEGUN,))


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.stack)])
def store(request: pytest.FixtureRequest) -> Iterator[MemorySilences | MongoSilences]:
    """The fake, then the real one."""
    if request.param == "memory":
        yield MemorySilences()
        return
    servers: Servers = request.getfixturevalue("servers")
    client: MongoClient[dict[str, object]] = MongoClient(servers.mongodb_uri)
    database = client[f"silences_{request.node.name[:20].strip('[]')}"]
    client.drop_database(database)
    ensure_indexes(database)
    yield MongoSilences(database)
    client.drop_database(database)
    client.close()


def ids(found: list[Silence]) -> list[str]:
    return sorted(silence.id for silence in found)


def test_a_silence_comes_back_as_it_was(store: SilenceStore) -> None:
    store.compare_and_set([(None, ONE)])
    assert store.get("s1") == ONE
    assert store.get("none") is None


def test_of_two_who_begin_or_end_the_same_one_does(store: SilenceStore) -> None:
    store.compare_and_set([(None, ONE)])
    store.compare_and_set([(None, replace(ONE, reason="another"))])
    assert store.get("s1") == ONE
    ended = ONE.ended("u", at(9))
    store.compare_and_set([(ONE, ended)])
    store.compare_and_set([(ONE, ONE.ended("v", at(10)))])
    assert store.get("s1") == ended


def test_those_that_last_are_found_by_project(store: SilenceStore) -> None:
    other = replace(ONE, id="s2", project_id="p-2", matter=None)
    over = replace(ONE, id="s3", over_at=at(5))
    store.compare_and_set([(None, ONE), (None, other), (None, over)])
    assert ids(store.lasting([PROJECT, "p-2"], at(5))) == ["s1", "s2"]
    assert ids(store.lasting([PROJECT], at(4))) == ["s1", "s3"]
    assert store.lasting([PROJECT], at(900)) == []


def test_they_wait_to_be_recorded_and_are_listed_newest_first(store: MemorySilences | MongoSilences) -> None:
    later = replace(ONE, id="s2", begins_at=at(7), outbox=())
    store.compare_and_set([(None, ONE), (None, later)])
    assert ids(store.unrecorded([0], 9)) == ["s1"]
    assert store.unrecorded([1], 9) == []
    store.compare_and_set([(ONE, ONE.recorded())])
    assert store.unrecorded([0], 9) == []
    assert [silence.id for silence in store.page(PROJECT, None, 9)] == ["s2", "s1"]
    assert [silence.id for silence in store.page(None, (at(7), "s2"), 9)] == ["s1"]
    assert store.page("none", None, 9) == []
