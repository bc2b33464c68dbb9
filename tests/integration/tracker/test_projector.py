"""The projector on a real Kafka and a real MongoDB: however events arrive, they end in the documents of their set."""

from __future__ import annotations

import random

import orjson
import pytest

from luodi.domain.fold import fold
from schemas import states
from tests.integration.tracker.world import World

pytestmark = pytest.mark.stack


def test_events_end_in_documents_on_the_topic_and_in_committed_offsets(world: World) -> None:
    events = [world.recorder.registered("p1"), world.recorder.milestone("p1"), world.recorder.registered("p2")]
    last = world.send(events)
    with world.tracker():
        world.await_applied(last)
    documents = world.documents()
    assert documents["p1"]["stage"] == "signed"
    assert (documents["p1"]["events"], documents["p2"]["events"]) == (2, 1)
    assert orjson.loads(documents["p1"]["fold"]) == fold(events[:2])
    published = world.published()
    assert published["p1"] == orjson.loads(states.encode_state(documents["p1"]))
    assert {p: o for p, o in world.committed().items() if p in last} == {p: o + 1 for p, o in last.items()}


def test_any_order_and_any_repetition_end_in_the_same_documents(world: World) -> None:
    rng = random.Random(7)
    events = []
    for n in range(30):
        subject = f"p{n % 6}"
        events.append(world.recorder.registered(subject) if n < 6 else world.recorder.milestone(subject, "started"))
    shuffled = events * 3
    rng.shuffle(shuffled)
    last = world.send(shuffled)
    with world.tracker(max_poll_records=7):
        world.await_applied(last)
    for subject, document in world.documents().items():
        mine = [event for event in events if event.subject == subject]
        assert document["events"] == len(mine)
        assert document["fold"] == orjson.dumps(fold(mine))
