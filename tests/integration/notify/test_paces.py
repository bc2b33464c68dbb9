"""Paces on a real MongoDB: never more than the limit in any window, however many take at once."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from luodi.local.harness import Servers
from luodi.runtime.mongo import Document
from services.notify.contact_store import MongoContacts, MongoPaces, ensure_indexes
from services.notify.contacts import Contact, Way
from services.notify.shaping import Pace

pytestmark = [pytest.mark.stack, pytest.mark.timeout(60)]


@pytest.fixture
def database(servers: Servers) -> Iterator[Database[Document]]:
    client: MongoClient[Document] = MongoClient(servers.mongodb_uri)
    name = f"notify-paces-{uuid.uuid4().hex[:12]}"
    ensure_indexes(client[name])
    yield client[name]
    client.drop_database(name)
    client.close()


def test_in_no_window_more_is_granted_than_the_limit_however_many_ask(database: Database[Document]) -> None:
    pace = Pace(5, window_s=0.8)
    spans: list[tuple[float, float]] = []
    ended = time.monotonic() + 4

    def run() -> None:
        paces = MongoPaces(database)
        while time.monotonic() < ended:
            asked = time.monotonic()
            permit = paces.take("a", pace, uuid.uuid4().hex, 0.5)
            if permit.id is None:
                assert permit.wait_s > 0
                time.sleep(min(permit.wait_s, 0.02))
                continue
            spans.append((asked, time.monotonic()))
            paces.done("a", permit.id, pace)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    granted = sorted(at for _, at in spans)
    assert max(sum(1 for t in granted if start <= t < start + 0.75) for start in granted) <= 5
    assert len(granted) >= 15  # and it is used


def test_places_in_the_queue_follow_each_other_up_to_the_horizon(database: Database[Document]) -> None:
    paces = MongoPaces(database)
    pace = Pace(2, window_s=10, horizon_s=20)
    assert [paces.take("a", pace, f"p{n}", 0.0).id for n in range(2)] == ["p0", "p1"]
    waits = [paces.take("a", pace, f"q{n}", 0.0).wait_s for n in range(4)]
    assert [round(wait / 5) for wait in waits] == [2, 3, 4, 4]


def test_who_dies_with_a_permit_holds_it_for_as_long_as_a_request_can_take(database: Database[Document]) -> None:
    paces = MongoPaces(database)
    pace = Pace(1, window_s=0.1)
    assert paces.take("a", pace, "dead", 0.3).id == "dead"
    began = time.monotonic()
    while paces.take("a", pace, "next", 0.3).id is None:
        time.sleep(0.01)
        assert time.monotonic() - began < 10
    assert time.monotonic() - began >= 0.3


def test_a_robot_that_asks_for_quiet_gets_it_from_all(database: Database[Document]) -> None:
    MongoPaces(database).rest("a", 600)
    MongoPaces(database).rest("a", 1)  # a shorter one does not end it
    permit = MongoPaces(database).take("a", Pace(20, horizon_s=900), "p", 1)
    assert permit.id is None
    assert 590 < permit.wait_s <= 600
    assert MongoPaces(database).take("b", Pace(20), "p", 1).id == "p"


def test_of_two_who_write_a_contact_one_does_and_an_erased_one_does_not_come_back(database: Database[Document]) -> None:
    store = MongoContacts(database)
    way = Way("wecom", "https://x?key=$1", "秘", "m", "text", "ab")
    first = Contact("u.$x", "名", None, "en", (way,), "2026-03-05T04:00:00.000Z")
    assert store.put(first)
    assert not store.put(first)
    assert store.get("u.$x") == first
    assert store.get_many({"u.$x", "none"}) == {"u.$x": first}
    second = Contact("u.$x", None, None, "en", (), first.updated_at, version=2)
    assert store.erase("u.$x") == first
    assert not store.put(second)
    assert store.page(None, 5) == []
