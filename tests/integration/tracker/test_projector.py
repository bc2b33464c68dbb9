"""The projector on a real Kafka and a real MongoDB: however events arrive, they end in the documents of their set."""

from __future__ import annotations

import random
import threading
from typing import Any

import orjson
import pytest

from luodi.domain.events import EVENT_RETRACTED, Event
from luodi.domain.fold import fold
from luodi.runtime import kafka
from luodi.runtime.errors import FatalError
from luodi.runtime.lifecycle import Stop
from luodi.runtime.metrics import Metrics
from schemas import codec, states
from services.tracker.app import build
from services.tracker.journal import MongoJournal
from services.tracker.ports import Document
from services.tracker.stores import MongoProjects
from tests.integration.tracker.world import World, shared, until
from tests.parity.tracker.fakes import Faults, passing

pytestmark = pytest.mark.stack


def check(world: World, events: list[Event]) -> None:
    """Documents, the last states and the committed offsets are those of this set of events."""
    documents = world.documents()
    published = world.published()
    assert documents.keys() == published.keys() == {event.subject for event in events}
    for subject, document in documents.items():
        mine = {event.id: event for event in events if event.subject == subject}
        assert document["fold"] == orjson.dumps(fold(mine.values())), subject
        assert published[subject] == orjson.loads(states.encode_state(document)), subject
    until(lambda: world.committed() == {p: end for p, end in ends(world).items() if end}, "everything committed")


def ends(world: World) -> dict[int, int]:
    last: dict[int, int] = dict.fromkeys(range(world.topic.partitions), 0)
    for record in world.records(world.settings.topics.events):
        last[record.partition] = max(last[record.partition], record.offset + 1)
    return last


def test_events_end_in_documents_on_the_topic_and_in_committed_offsets(world: World) -> None:
    events = [world.recorder.registered("p1"), world.recorder.milestone("p1"), world.recorder.registered("p2")]
    last = world.send(events)
    with world.tracker():
        world.await_applied(last)
    assert world.documents()["p1"]["stage"] == "signed"
    check(world, events)


def test_any_order_repetition_and_retraction_end_in_the_same_documents(world: World) -> None:
    rng = random.Random(7)
    events = []
    for n in range(40):
        subject = f"p{n % 6}"
        events.append(world.recorder.registered(subject) if n < 6 else world.recorder.milestone(subject, "started"))
    taken_back = {"event_id": events[12].id, "reason": "看错了"}
    events.append(world.recorder.event(events[12].subject, EVENT_RETRACTED, taken_back))
    shuffled = events * 3
    rng.shuffle(shuffled)
    last = world.send(shuffled)
    with world.tracker(max_poll_records=7):
        world.await_applied(last)
    check(world, events)
    assert world.rejected() == []


def test_a_poisoned_record_delays_nobody_and_is_found_in_the_rejected_topic_with_its_reason(world: World) -> None:
    r = world.recorder
    subject = "p1"
    partition, key = world.partition(subject), subject.encode()
    wrong = [
        (b"{", "bad-json"),
        (b'["no", "object"]', "wrong-type"),
        (codec.encode(r.milestone(subject, "flying")), "unknown-stage"),
        (codec.encode(r.milestone(subject, "signed", "9999-01-01")), "bad-date"),
        (codec.encode(r.milestone(subject, "signed", "2026-02-30")), "bad-date"),
        (b"\xff\xfe", "bad-json"),
        (None, "null-value"),
    ]
    good = [r.registered(subject), r.milestone(subject), r.registered("p2"), r.registered("p3")]
    world.send(good[:1])
    world.send_raw((partition, key, value) for value, _ in wrong)
    rival = Event(subject, good[0].id, good[0].type, good[0].recordedtime, 0, "u-other", good[0].data)
    last = world.send([rival, *good[1:]])
    with world.tracker():
        world.await_applied(last)
    check(world, good)
    rejected = world.rejected()
    assert [row["reason"] for row in rejected] == [reason for _, reason in wrong] + ["conflict"]
    assert {row["origin"]["partition"] for row in rejected} == {partition}
    assert rejected[0]["id"] == f"{world.settings.topics.events}-{partition}-1"
    assert states.original(rejected[5]) == (key, b"\xff\xfe")
    assert states.original(rejected[6]) == (key, None)


@pytest.mark.parametrize(
    "broken",
    [
        "journal.add",
        "projects.swap",
        "projects.offer",
        "projects.read",
        "positions.advance",
        "outbox.sent",
        "source.commit",
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_a_fault_in_a_step_is_outlived_and_the_records_come_again(world: World, broken: str, after: bool) -> None:
    events = [
        world.recorder.registered(f"p{n % 5}") if n < 5 else world.recorder.milestone(f"p{n % 5}") for n in range(30)
    ]
    with world.tracker(max_poll_records=8, through=_once(broken, after)):
        last = world.send(events)
        world.await_applied(last)
        world.await_applied(world.send([world.recorder.registered("done")]))
    events = [*events, Event(**_fields(world.records(world.settings.topics.events)[-1], "done", world))]
    check(world, events)


def _fields(_: Any, subject: str, world: World) -> dict[str, Any]:
    found = MongoJournal(world.database).read([subject])[subject][0]
    return {name: getattr(found, name) for name in found.__slots__}


def _once(broken: str, after: bool) -> Any:
    port, _, method = broken.partition(".")
    calls = 0

    class Second(Faults):
        def call(self, name: str, method_: Any, args: Any, kwargs: Any) -> Any:
            nonlocal calls
            if name.rpartition(".")[2] != method:
                return method_(*args, **kwargs)
            calls += 1
            if calls == 2 and not after:
                passing(name)
            answer = method_(*args, **kwargs)
            if calls == 2 and after:
                passing(name)
            return answer

    faults = Second(0, passing, after=after)

    def through(name: str, real: Any) -> Any:
        return faults.through(real) if name == port else real

    return through


def test_two_trackers_share_the_partitions_and_one_takes_over_when_the_other_goes(world: World) -> None:
    events = [world.recorder.registered(f"p{n}") for n in range(40)]
    with world.tracker("one") as one:
        world.await_applied(world.send(events[:20]))
        with world.tracker("two") as two:
            until(lambda: shared(one, two), "each owns a part")
            world.await_applied(world.send(events[20:30]))
        # A static member that goes keeps its partitions for the session timeout: then the other takes them over.
        world.await_applied(world.send(events[30:]))
        until(lambda: one.owned == {0, 1, 2, 3}, "one owns everything again")
    check(world, events)


def test_a_late_replace_with_an_older_guard_is_refused_and_a_late_record_is_followed_by_the_stored_one(
    world: World,
) -> None:
    events = [world.recorder.registered("p1"), world.recorder.milestone("p1"), world.recorder.registered("p2")]
    metrics = Metrics()
    with world.tracker(metrics=metrics):
        world.await_applied(world.send(events[:1]))
        old = world.documents()["p1"]
        world.await_applied(world.send(events[1:]))
        newest = world.documents()["p1"]
        assert newest["events"] == 2
        # What a tracker does that was stopped after its fold, and goes on after another took its partition over:
        projects = MongoProjects(world.database)
        projects.offer([old])
        assert world.documents()["p1"] == newest
        world.producer.send(
            world.settings.topics.states,
            value=states.encode_state(old),
            key=b"p1",
            headers=states.guard_headers(old),
            partition=old["partition"],
        ).get(timeout=10)
        until(lambda: world.published()["p1"]["events"] == 2, "the stored document is published again")
        assert metrics.healed._value.get() == 1
    check(world, events)


def test_the_next_owner_heals_what_came_last_while_nobody_looked(world: World) -> None:
    events = [world.recorder.registered("p1"), world.recorder.milestone("p1")]
    with world.tracker():
        world.await_applied(world.send(events[:1]))
        old = world.documents()["p1"]
        world.await_applied(world.send(events[1:]))
    world.producer.send(
        world.settings.topics.states,
        value=states.encode_state(old),
        key=b"p1",
        headers=states.guard_headers(old),
        partition=old["partition"],
    ).get(timeout=10)
    with world.tracker():
        until(lambda: world.published()["p1"]["events"] == 2, "the stored document is published again")


def test_watermarks_rise_on_every_partition_also_without_events(world: World) -> None:
    with world.tracker():

        def risen() -> bool:
            marks: dict[int, list[str]] = {}
            for record in world.records(world.settings.topics.states):
                if record.key == states.WATERMARK_KEY:
                    marks.setdefault(record.partition, []).append(states.decode_watermark(record.value))
            return len(marks) == world.topic.partitions and all(
                len(rising) > 1 and rising == sorted(set(rising)) for rising in marks.values()
            )

        until(risen, "two rising watermarks on each partition")


def test_documents_of_older_rules_are_made_anew_and_published(world: World) -> None:
    events = [world.recorder.registered(f"p{n}") for n in range(12)]
    with world.tracker():
        world.await_applied(world.send(events))
    world.database["rulesets"].update_one({"_id": 1}, {"$set": {"digest": "what an older version had"}})
    with world.tracker():
        until(lambda: {d["ruleset"] for d in world.documents().values()} == {2}, "every document is renewed")
        until(lambda: {d["ruleset"] for d in world.published().values()} == {2}, "every document is published")
    check(world, events)


def test_an_old_deploy_does_not_start(world: World) -> None:
    with world.tracker():
        pass
    row: Document = world.database["rulesets"].find_one({"_id": 1}) or {}
    world.database["rulesets"].insert_one({**row, "_id": 2, "digest": "of a newer version"})
    with pytest.raises(FatalError, match="luodi config apply"):
        build(world.settings, Stop(), topic=world.topic)


def test_a_tracker_with_the_slot_of_another_makes_that_one_leave(world: World) -> None:
    stop = Stop()
    first = build(world.settings, stop, topic=world.topic)
    first.start()
    try:
        until(lambda: first.owned, "the first owns partitions")
        with world.tracker("one") as second:
            until(lambda: second.owned, "the second took the place over")
            # Both hear of the next event; the first may not commit it and ends.
            world.await_applied(world.send([world.recorder.registered("p1")]))
            until(lambda: stop.asked, "the first noticed")
            assert isinstance(stop.failure, FatalError)
    finally:
        first.stop(10)


def test_one_member_at_a_time_may_be_asked_from_many_threads_while_it_works(world: World) -> None:
    """Readiness is asked by HTTP threads while the loop turns."""
    with world.tracker() as tracker:
        client = tracker.app.test_client()
        answers: list[int] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                answers.append(client.get("/ready").status_code)

        thread = threading.Thread(target=ask)
        thread.start()
        world.await_applied(world.send([world.recorder.registered(f"p{n}") for n in range(200)]))
        until(lambda: client.get("/ready").status_code == 200, "ready")
        done.set()
        thread.join()
    assert set(answers) <= {200, 503}


def test_nothing_is_consumed_twice_in_effect_when_the_topic_is_read_from_the_start_again(world: World) -> None:
    events = [world.recorder.registered("p1"), world.recorder.milestone("p1"), world.recorder.registered("p2")]
    with world.tracker():
        world.await_applied(world.send(events))
    before = world.documents()
    admin = kafka.admin(world.settings)
    admin.delete_groups([f"{world.name}-luodi-tracker"])
    admin.close()
    with world.tracker() as tracker:
        until(lambda: tracker.owned, "partitions")
        until(lambda: world.committed() == {p: end for p, end in ends(world).items() if end}, "everything committed")
    assert world.documents() == before
    check(world, events)
