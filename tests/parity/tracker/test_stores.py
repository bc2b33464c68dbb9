"""What the projector relies on in its stores, proved on the fakes and on a real MongoDB alike."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import orjson
import pytest

from luodi.domain.events import PROJECT_REGISTERED, Event, digest
from luodi.runtime.errors import FatalError, TransientError
from services.tracker import rulesets
from services.tracker.history import Row, Written
from services.tracker.ports import Arrival, Base, Document, Fuse, Journaled, Outdated, TooLargeError
from services.tracker.rulesets import Content
from tests.parity.tracker.conftest import AllStores
from tests.unit.tracker.plant import event

NOW, DAY = "2026-03-02T01:00:00.000Z", date(2026, 3, 2)


def arrival(of: Event, offset: int = 0, partition: int = 0) -> Arrival:
    return Arrival(of, partition, offset, digest(of), orjson.dumps(of.data))


def document(subject: str = "p1", events: int = 1, ruleset: int = 1, fold: bytes = b"{}", **more: Any) -> Document:
    return {"_id": subject, "partition": 0, "events": events, "ruleset": ruleset, "fold": fold, "name": "甲", **more}


# -- journal


def test_the_journal_keeps_each_event_once_and_tells_what_it_had(stores: AllStores) -> None:
    first, other = arrival(event("p1", "a", 1), 10), arrival(event("p1", "b", 2), 11)
    assert stores.journal.add([first]) == {}
    rival = arrival(event("p1", "a", 9, date="2026-02-02"), 12)
    known = stores.journal.add([rival, other])
    assert known == {("p1", "a"): Journaled(first.digest, 0, 10)}
    assert stores.journal.read(["p1"]) == {"p1": [first.event, other.event]}


def test_the_same_id_in_another_project_is_another_event(stores: AllStores) -> None:
    assert stores.journal.add([arrival(event("p1", "a", 1)), arrival(event("p2", "a", 1))]) == {}
    assert stores.journal.read(["p1", "p2", "p3"]).keys() == {"p1", "p2"}
    assert stores.journal.ids(["p1", "p2", "p3"]) == {"p1": {"a"}, "p2": {"a"}}


def test_the_journal_gives_events_back_as_they_were_in_the_order_of_the_fold(stores: AllStores) -> None:
    tricky = {"name": "a.b", "zone": "demo", "refs": [{"system": "$where", "id": "x.$gt"}], "jobs": None}
    late = Event("p1", "z", PROJECT_REGISTERED, "2026-03-02T01:00:00.001Z", 1, None, tricky, "00-" + "a" * 52)
    same_instant = dataclasses.replace(late, id="y", sequence=0, traceparent=None)
    early = dataclasses.replace(late, id="zz", recordedtime="2026-03-02T01:00:00.000Z", sequence=9)
    stores.journal.add([arrival(late), arrival(early), arrival(same_instant)])
    assert stores.journal.read(["p1"])["p1"] == [early, same_instant, late]


def test_nothing_in_nothing_out(stores: AllStores) -> None:
    assert stores.journal.add([]) == {}
    assert stores.journal.read([]) == {}
    assert stores.journal.ids([]) == {}
    assert stores.projects.swap([]) == set()
    stores.projects.offer([])
    assert stores.projects.read([]) == {}
    assert stores.projects.bases([]) == {}
    assert stores.projects.guards([]) == {}
    stores.positions.advance({})


# -- projects


def test_a_first_document_is_inserted_once(stores: AllStores) -> None:
    assert stores.projects.swap([(None, document(fold=b"mine"))]) == set()
    assert stores.projects.swap([(None, document(fold=b"theirs"))]) == {"p1"}
    assert stores.projects.bases(["p1"]) == {"p1": Base(1, 1, b"mine")}


def test_bases_are_read_in_the_order_of_the_ids_a_few_at_a_time(stores: AllStores) -> None:
    placed = [("p3", 0), ("p1", 0), ("p2", 1), ("p4", 2), ("p5", 0)]
    stores.projects.swap([(None, document(subject, partition=partition)) for subject, partition in placed])
    assert list(stores.projects.standing([0, 1], "", 3)) == ["p1", "p2", "p3"]
    assert list(stores.projects.standing([0, 1], "p3", 3)) == ["p5"]
    assert stores.projects.standing([1], "", 9) == stores.projects.bases(["p2"])
    assert stores.projects.standing([0, 1], "p5", 3) == {}


def test_a_swap_holds_only_against_its_exact_base(stores: AllStores) -> None:
    stores.projects.swap([(None, document("p1", 3)), (None, document("p2", 3))])
    current, stale = Base(3, 1, b"{}"), Base(2, 1, b"{}")
    refused = stores.projects.swap([(stale, document("p1", 9, fold=b"x")), (current, document("p2", 4))])
    assert refused == {"p1"}
    assert stores.projects.guards(["p1", "p2", "p3"]) == {"p1": (3, 1), "p2": (4, 1)}


def test_a_swap_against_a_document_that_does_not_exist_is_refused(stores: AllStores) -> None:
    assert stores.projects.swap([(Base(1, 1, b"{}"), document(events=2))]) == {"p1"}
    assert stores.projects.read(["p1"]) == {}


def test_a_swap_is_not_taken_for_done_because_another_worker_reached_the_same_guard(stores: AllStores) -> None:
    stores.projects.swap([(None, document(events=2, fold=b"with theirs"))])
    assert stores.projects.swap([(Base(1, 1, b"{}"), document(events=2, fold=b"with mine"))]) == {"p1"}


def test_a_swap_that_is_repeated_after_an_unknown_outcome_counts_as_done(stores: AllStores) -> None:
    stores.projects.swap([(None, document(events=1))])
    change = (Base(1, 1, b"{}"), document(events=2, fold=b"new"))
    assert stores.projects.swap([change]) == set()
    assert stores.projects.swap([change]) == set()


@pytest.mark.parametrize(
    ("events", "ruleset", "taken"),
    [(3, 2, False), (4, 2, True), (3, 3, True), (4, 3, True), (2, 2, False), (4, 1, False), (2, 3, False)],
)
def test_an_offer_is_taken_only_when_neither_falls_and_one_rises(
    stores: AllStores, events: int, ruleset: int, taken: bool
) -> None:
    stores.projects.offer([document(events=3, ruleset=2, fold=b"stored")])
    stores.projects.offer([document(events=events, ruleset=ruleset, fold=b"offered")])
    assert stores.projects.read(["p1"])["p1"]["fold"] == (b"offered" if taken else b"stored")


def test_offers_are_judged_one_by_one(stores: AllStores) -> None:
    stores.projects.offer([document("p1", 5), document("p2", 5)])
    stores.projects.offer([document("p1", 4, fold=b"older"), document("p2", 6, fold=b"newer"), document("p3", 1)])
    found = stores.projects.bases(["p1", "p2", "p3"])
    assert (found["p1"].fold, found["p2"].fold, found["p3"].events) == (b"{}", b"newer", 1)


def test_documents_come_back_as_they_went_in(stores: AllStores) -> None:
    mine = document(lights=[{"light": "red", "from": NOW, "to": NOW, "reason": {"code": "x"}}], money=10**15, none=None)
    stores.projects.offer([mine])
    back = stores.projects.read(["p1"])["p1"]
    assert back == mine
    assert list(back) == list(mine), "the order of the fields is kept"


def test_a_document_that_outgrows_the_store_is_named(stores: AllStores) -> None:
    huge = document("huge", fold=b"x" * (17 * 1024 * 1024), partition=3)
    with pytest.raises(TooLargeError, match="huge") as caught:
        stores.projects.swap([(None, document("p1")), (None, huge)])
    assert caught.value.partition == 3
    with pytest.raises(TooLargeError, match="huge"):
        stores.projects.offer([huge])


def test_outdated_documents_are_found_by_partition_a_few_at_a_time(stores: AllStores) -> None:
    old = [document(f"p{n}", ruleset=1, partition=n % 2) for n in range(6)]
    stores.projects.offer([*old, document("new", ruleset=2)])
    found = stores.projects.outdated([1], 2, 10)
    assert found == {f"p{n}": Outdated(1, Base(1, 1, old[n]["fold"])) for n in (1, 3, 5)}
    assert len(stores.projects.outdated([0, 1], 2, 4)) == 4
    assert stores.projects.outdated([0, 1], 1, 10) == {}


def test_documents_of_all_kinds_are_kept_and_guarded_side_by_side(stores: AllStores) -> None:
    subjects = ["p1", "unit:p1", "person:p1", "post:p1"]
    assert stores.projects.swap([(None, document(subject, fold=subject.encode())) for subject in subjects]) == set()
    assert stores.projects.read(subjects).keys() == stores.projects.guards(subjects).keys() == set(subjects)
    assert {base.fold for base in stores.projects.bases(subjects).values()} == {s.encode() for s in subjects}
    current, stale = Base(1, 1, b"unit:p1"), Base(2, 1, b"another")
    refused = stores.projects.swap(
        [(current, document("unit:p1", 2)), (stale, document("p1", 3)), (stale, document("post:p1", 3))]
    )
    assert refused == {"p1", "post:p1"}
    stores.projects.offer([document("person:p1", 3), document("p1", 3), document("unit:p1", 1, fold=b"older")])
    guards = {"p1": (3, 1), "unit:p1": (2, 1), "person:p1": (3, 1), "post:p1": (1, 1)}
    assert stores.projects.guards(subjects) == guards


def test_outdated_documents_of_all_kinds_are_found(stores: AllStores) -> None:
    subjects = ["p1", "p2", "unit:u", "person:u", "post:u"]
    stores.projects.offer([document(subject) for subject in subjects])
    assert stores.projects.outdated([0], 2, 10).keys() == set(subjects)
    assert len(stores.projects.outdated([0], 2, 3)) == 3
    stores.projects.offer([document("p1", ruleset=2), document("p2", ruleset=2)])
    assert stores.projects.outdated([0], 2, 2).keys() <= {"unit:u", "person:u", "post:u"}
    assert len(stores.projects.outdated([0], 2, 2)) == 2


# -- ahead of the majority


def test_what_is_written_ahead_is_read_back_and_guarded_as_any_other(stores: AllStores) -> None:
    new = [(None, document("p1")), (None, document("p2"))]
    assert stores.projects.swap_ahead(new) == set()
    assert stores.projects.swap_ahead(new) == set(), "repeated after an unknown outcome"
    current, stale = Base(1, 1, b"{}"), Base(3, 1, b"{}")
    changes = [
        (current, document("p1", 2)),
        (stale, document("p2", 4)),
        (None, document("p3")),
        (None, document("p1", 9, fold=b"theirs")),
    ]
    assert stores.projects.swap_ahead(changes[:3]) == {"p2"}
    assert stores.projects.swap_ahead(changes[3:]) == {"p1"}
    assert stores.projects.guards(["p1", "p2", "p3"]) == {"p1": (2, 1), "p2": (1, 1), "p3": (1, 1)}
    election = stores.leading.election
    assert election is not None
    assert stores.journal.settle([arrival(event("p1", "a", 1), 7), arrival(event("p2", "a", 1), 8)], {election})
    assert stores.leading.election == election
    assert stores.journal.read(["p1", "p2"]).keys() == {"p1", "p2"}


def test_settling_says_when_somebody_else_was_quicker(stores: AllStores) -> None:
    first, other = arrival(event("p1", "a", 1), 10), arrival(event("p1", "b", 2), 11)
    stores.journal.add([first])
    again = dataclasses.replace(first)  # read from the topic anew
    assert not stores.journal.settle([again, other], {None})
    assert stores.journal.ids(["p1"]) == {"p1": {"a", "b"}}


def test_what_was_written_in_another_election_is_not_settled(stores: AllStores) -> None:
    stores.projects.swap_ahead([(None, document("p1"))])
    with pytest.raises(TransientError, match="another primary"):
        stores.journal.settle([arrival(event("p1", "a", 1))], {"the one before"})


def test_a_document_too_large_to_be_written_ahead_is_named(stores: AllStores) -> None:
    huge = document("huge", fold=b"x" * (17 * 1024 * 1024), partition=3)
    with pytest.raises(TooLargeError, match="huge") as caught:
        stores.projects.swap_ahead([(None, huge)])
    assert caught.value.partition == 3


# -- positions and fuses


def test_positions_never_fall(stores: AllStores) -> None:
    stores.positions.advance({0: 10, 1: 5})
    stores.positions.advance({0: 8, 1: 6})
    assert stores.positions.read([0, 1, 2]) == {0: 10, 1: 6}


def test_a_fuse_stands_until_it_is_mended(stores: AllStores) -> None:
    fuse = Fuse(3, 1_000, "1000 rejects in a row", NOW)
    stores.fuses.blow(fuse)
    stores.fuses.blow(dataclasses.replace(fuse, offset=1_001))
    assert stores.fuses.blown() == {3: dataclasses.replace(fuse, offset=1_001)}
    assert stores.fuses.mend(3)
    assert not stores.fuses.mend(3)
    assert stores.fuses.blown() == {}


# -- rulesets


def test_content_never_seen_is_activated_by_the_first_that_starts_with_it(stores: AllStores) -> None:
    first, second = Content(1, "r1", "c1"), Content(1, "r2", "c1")
    assert rulesets.at_start(stores.rulesets, first, NOW, DAY) == 1
    assert rulesets.at_start(stores.rulesets, first, NOW, DAY) == 1, "a restart changes nothing"
    assert rulesets.at_start(stores.rulesets, second, NOW, DAY) == 2
    assert [row.number for row in stores.rulesets.all()] == [1, 2]


def test_an_old_deploy_refuses_to_start_and_the_operator_may_go_back(stores: AllStores) -> None:
    first, second = Content(1, "r1", "c1"), Content(2, "r1", "c1")
    rulesets.at_start(stores.rulesets, first, NOW, DAY)
    rulesets.at_start(stores.rulesets, second, NOW, DAY)
    with pytest.raises(FatalError, match="luodi config apply"):
        rulesets.at_start(stores.rulesets, first, NOW, DAY)
    assert rulesets.activate(stores.rulesets, first, NOW, DAY, by="test").number == 3
    assert rulesets.at_start(stores.rulesets, first, NOW, DAY) == 3
    with pytest.raises(FatalError):
        rulesets.at_start(stores.rulesets, second, NOW, DAY)


def test_an_activation_is_read_as_it_was_written_and_held_as_long_as_asked(stores: AllStores) -> None:
    content = Content(1, "r1", "c1", {"rules": {}, "presets": {}, "zones": {}, "default": []})
    rulesets.at_start(stores.rulesets, content, NOW, DAY)
    later = dataclasses.replace(content, calendar="c2")
    row = rulesets.activate(stores.rulesets, later, NOW, DAY, by="u-clerk", held_until=NOW, afresh=True)
    assert (row.number, row.changes, row.told is None) == (2, ("calendar changed",), False)
    assert stores.rulesets.latest() == row
    stores.rulesets.hold(2, None)
    assert stores.rulesets.all()[1] == dataclasses.replace(row, held_until=None)


def test_of_two_that_take_the_same_number_one_gets_it(stores: AllStores) -> None:
    rulesets.at_start(stores.rulesets, Content(1, "r1", "c1"), NOW, DAY)
    row = stores.rulesets.latest()
    assert row is not None
    assert stores.rulesets.add(dataclasses.replace(row, number=2, digest="x"))
    assert not stores.rulesets.add(dataclasses.replace(row, number=2, digest="y"))
    latest = stores.rulesets.latest()
    assert latest is not None
    assert latest.digest == "x"


# -- histories


def history(subject: str = "p1", at: int = 1, partition: int = 0, ruleset: int = 1) -> Row:
    face = ["$where", None, True, 5, "a.b"]
    return Row(subject, partition, at, ruleset, 1, (NOW, 0, "e"), b"cells" + bytes([at]), [face], [1_772_413_200_000])


def test_a_history_is_given_back_as_it_was_written(stores: AllStores) -> None:
    stores.histories.write([history(), history("p2", 3, 1)])
    assert stores.histories.read(["p1", "p2", "p3"]) == {"p1": history(), "p2": history("p2", 3, 1)}
    assert stores.histories.read([]) == {}
    stores.histories.write([])


def test_a_history_gives_way_to_a_later_one_only(stores: AllStores) -> None:
    stores.histories.write([history(at=5)])
    stores.histories.write([history(at=4), history("p2", 1)])
    stores.histories.write([history(at=5, ruleset=2)])
    assert stores.histories.read(["p1", "p2"]) == {"p1": history(at=5), "p2": history("p2", 1)}
    stores.histories.write([history(at=6, ruleset=1)])
    assert stores.histories.read(["p1"]) == {"p1": history(at=6)}


def test_changes_are_found_by_partition_and_offset(stores: AllStores) -> None:
    stores.histories.write([history(f"p{n}", n) for n in range(5)] + [history("q", 3, partition=1)])
    assert {row.subject for row in stores.histories.changed(0, 1, 4)} == {"p2", "p3"}
    assert {row.subject for row in stores.histories.changed(1, -1, 4)} == {"q"}
    assert not list(stores.histories.changed(2, -1, 100))


def test_what_is_written_never_falls(stores: AllStores) -> None:
    assert stores.histories.written() == {}
    stores.histories.advance({0: Written(5, None), 1: Written(2, "2026-03-02T01:00:00.000Z")})
    stores.histories.advance({0: Written(4, NOW), 1: Written(3, "2026-03-02T00:00:00.000Z")})
    assert stores.histories.written() == {0: Written(5, NOW), 1: Written(3, "2026-03-02T01:00:00.000Z")}
    stores.histories.advance({1: Written(7, None)})
    assert stores.histories.written()[1] == Written(7, "2026-03-02T01:00:00.000Z")
