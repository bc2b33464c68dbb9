"""What the watch over ourselves relies on in its stores, proved on the fakes and on a real MongoDB alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from pymongo import MongoClient

from luodi.local.harness import Servers
from services.notify.beats import Beat
from services.notify.reach import Failing, Reached
from services.notify.selfwatch_store import MongoBeats, MongoReach
from tests.unit.notify.watched import MemoryBeats, MemoryReach, after

pytestmark = [pytest.mark.timeout(60)]

BEAT = Beat("host-1.a", after(0), frozenset([0, 3]), {"sweep": after(-1)}, {0: after(-2), 3: ""})
ROW = Failing("wecom/$k.1", "wecom", "u-zhang", None, 2, after(10), after(20), "timed-out")


@dataclass(frozen=True)
class Stores:
    """One of each."""

    beats: MemoryBeats | MongoBeats
    reach: MemoryReach | MongoReach


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.stack)])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """The fakes, then the real ones."""
    if request.param == "memory":
        yield Stores(MemoryBeats(), MemoryReach())
        return
    servers: Servers = request.getfixturevalue("servers")
    client: MongoClient[dict[str, object]] = MongoClient(servers.mongodb_uri)
    database = client[f"selfwatch_{abs(hash(request.node.name)):x}"[:30]]
    client.drop_database(database)
    yield Stores(MongoBeats(database), MongoReach(database))
    client.drop_database(database)
    client.close()


def test_the_last_beat_of_each_notifier_comes_back_as_it_was(stores: Stores) -> None:
    stores.beats.note(BEAT)
    other = replace(BEAT, slot="b", partitions=frozenset(), passed={})
    stores.beats.note(other)
    assert stores.beats.read() == [other, BEAT]
    again = replace(BEAT, at=after(5), passed={0: after(4)})
    stores.beats.note(again)
    assert stores.beats.read() == [other, again]


def test_a_notifier_that_was_heard_of_since_is_not_forgotten(stores: Stores) -> None:
    stores.beats.note(BEAT)
    stores.beats.forget(["host-1.a", "none"], after(-1))
    assert stores.beats.read() == [BEAT]
    stores.beats.forget(["host-1.a"], after(0))
    assert stores.beats.read() == []


def test_what_several_heard_of_one_address_is_added_up(stores: Stores) -> None:
    stores.reach.add([ROW])
    stores.reach.add([replace(ROW, attempts=3, since=after(5), last=after(15), error="http-503")])
    both = replace(ROW, attempts=5, since=after(5), last=after(20), error="http-503")
    assert stores.reach.read() == Reached([both], {})


def test_an_address_is_forgotten_with_what_was_known_up_to_then(stores: Stores) -> None:
    other = replace(ROW, endpoint="feishu/x", recipient=None, shown="receiver.example")
    stores.reach.add([ROW, other])
    stores.reach.forget([ROW.endpoint, "none"], after(9))
    assert stores.reach.read().failing == [other, ROW]
    stores.reach.forget([ROW.endpoint], after(10))
    assert stores.reach.read().failing == [other]


def test_when_a_channel_took_anything_last_is_told_beside_what_fails(stores: Stores) -> None:
    stores.reach.note_taken({"wecom": after(30), "email": after(1)})
    assert stores.reach.read() == Reached([], {}), "nothing fails, so nobody asks"
    stores.reach.add([ROW])
    stores.reach.note_taken({"wecom": after(7)})
    assert stores.reach.read() == Reached([ROW], {"wecom": after(30), "email": after(1)})
