"""What digests rely on in their store, proved on the fake and on a real MongoDB alike."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from luodi.runtime.mongo import Document
from services.notify.digest import digest_of
from services.notify.digest_store import MongoDigests, Morning
from services.notify.notifications import Line, Notification, Sheet
from services.notify.stores import MongoNotifications, ensure_indexes
from tests.unit.notify.builders import COMPOSER, at, open_matter
from tests.unit.notify.fakes import MemoryDigests, MemoryNotifications

DAY = date(2026, 3, 5)
TRICKY = Line("new", "名.$字\u0000 <b>", "$where", "0A1B2C3D", None, "p.$1")


@dataclass(frozen=True)
class Both:
    """The ledger and the digests on it."""

    notifications: MemoryNotifications | MongoNotifications
    digests: MemoryDigests | MongoDigests
    raw: Any = None


@pytest.fixture(params=["in memory", pytest.param("MongoDB", marks=pytest.mark.stack)])
def stores(request: pytest.FixtureRequest) -> Iterator[Both]:
    if request.param == "in memory":
        rows = MemoryNotifications()
        yield Both(rows, MemoryDigests(rows))
        return
    client: MongoClient[Document] = MongoClient(request.getfixturevalue("servers").mongodb_uri)
    name = f"digest-parity-{uuid.uuid4().hex[:12]}"
    database = client.get_database(
        name, write_concern=WriteConcern("majority", j=True), read_concern=ReadConcern("majority")
    )
    try:
        ensure_indexes(database)
        yield Both(MongoNotifications(database), MongoDigests(database), database)
    finally:
        client.drop_database(name)
        client.close()


def held(matter: str = "p-1:signed-started") -> Notification:
    """A stall that waits for a digest on one channel of its recipient."""
    composer = replace(COMPOSER, digested=["wecom"])
    (row,) = composer.openings(
        replace(open_matter(), id=matter, zone="real"), ("inbox",), at(0), {"u-zhang": ["wecom"]}
    )
    return row


def digest(sheet: Sheet, partition: int = 3) -> Notification:
    return digest_of(
        "u-zhang", "wecom", DAY, sheet, partition=partition, missing=(), public_url=None, now=at(9), wall=at(9)
    )


def test_what_waits_is_found_by_recipient_and_channel_until_it_has_ended(stores: Both) -> None:
    row = held()
    stores.notifications.insert([row])
    assert stores.digests.waiting() == {"u-zhang"}
    assert stores.digests.held("u-zhang", "wecom", 10) == [row]
    assert stores.digests.held("u-zhang", "email", 10) == []
    assert stores.digests.held("u-li", "wecom", 10) == []
    carried = row.carried("wecom", "digest:one")
    assert carried is not None
    assert stores.notifications.replace(carried)
    assert stores.digests.held("u-zhang", "wecom", 10) == []
    assert stores.digests.carried("u-zhang", "wecom") == [carried]
    ended = digest(Sheet((), (row.id,)))
    sent = ended.begun("wecom", at(10), "l", at(40))
    assert sent is not None
    sent = sent.sent("wecom", "l", at(11))
    assert sent is not None
    arrived = carried.arrived("wecom", sent)
    assert arrived is None  # another digest carries it
    released = carried.released("wecom", "digest:one")
    assert released is not None
    assert stores.notifications.replace_many([released]) == {row.id}
    assert stores.digests.held("u-zhang", "wecom", 10) == [released]
    over = released.superseded()
    assert over is not None
    assert stores.notifications.replace(over)
    assert stores.digests.waiting() == set()
    assert stores.digests.held("u-zhang", "wecom", 10) == []


def test_no_more_is_read_than_was_asked_for_and_the_oldest_first(stores: Both) -> None:
    rows = [held(f"p-{number}:signed-started") for number in range(5)]
    stores.notifications.insert(rows)
    assert len(stores.digests.held("u-zhang", "wecom", 3)) == 3
    assert {row.matter for row in stores.digests.told("u-zhang", ["p-1:signed-started", "p-9:x"])} == {
        "p-1:signed-started"
    }
    assert stores.digests.told("u-li", ["p-1:signed-started"]) == []


def test_a_digest_comes_back_as_it_was_and_is_unsettled_until_it_is_marked(stores: Both) -> None:
    row = digest(Sheet((TRICKY,), ("a", "b")))
    assert stores.notifications.insert([row]) == {row.id}
    assert stores.notifications.insert([row]) == set()
    assert stores.notifications.get(row.id) == row
    assert stores.digests.unsettled([3]) == [row]
    assert stores.digests.unsettled([0, 1]) == []
    stores.digests.mark_settled(row.id)
    assert stores.digests.unsettled([3]) == []
    assert stores.digests.waiting() == set()
    kept = stores.notifications.get(row.id)
    assert kept is not None
    assert kept.sheet == Sheet((TRICKY,), ("a", "b"), settled=True)


def test_a_morning_is_kept_for_all(stores: Both) -> None:
    assert stores.digests.morning(DAY) == Morning()
    stores.digests.note_known(DAY, [2, 0], at(1))
    stores.digests.note_known(DAY, [0, 1], at(2))
    stores.digests.note_known(DAY, [0], at(0))  # late, and known better by now
    stores.digests.note_done(DAY, [5], at(1))
    assert stores.digests.morning(DAY) == Morning({0: at(2), 1: at(2), 2: at(1)}, {5: at(1)})
    assert stores.digests.morning(date(2026, 3, 6)) == Morning()


def test_every_question_is_answered_by_an_index(stores: Both) -> None:
    if stores.raw is None:
        return
    stores.notifications.insert([held(f"p-{number}:signed-started") for number in range(3)])
    rows = stores.raw["notifications"]
    for query, index in (
        ({"in_digest": True, "recipient": "u-zhang"}, "digest"),
        ({"sheet.settled": False, "partition": {"$in": [1, 2]}}, "unsettled"),
        ({"matter": {"$in": ["a"]}, "recipient": "u-zhang"}, "matter"),
    ):
        plan = rows.find(query).hint(index).explain()
        assert plan["executionStats"]["totalDocsExamined"] <= 3, query
        assert index in str(plan["queryPlanner"]["winningPlan"]), query
