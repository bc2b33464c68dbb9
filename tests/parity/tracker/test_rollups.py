"""What keeps the roll-ups, proved on the fake and on a real MongoDB alike."""

from __future__ import annotations

from typing import Any

from luodi.domain.rollup import roll_up
from services.tracker.ports import Document
from services.tracker.rollups import Maker, RollUps
from tests.parity.tracker.conftest import AllStores

LIGHTS = [{"light": "green", "from": "1970-01-01T00:00:00.000Z", "to": "9999-12-31T00:00:00.000Z", "reason": {}}]


def document(subject: str, **fields: Any) -> Document:
    return {
        "_id": subject,
        "partition": 0,
        "events": 1,
        "ruleset": 1,
        "fold": b"{}",
        "status": "active",
        "registered": True,
        "reached": {},
        "lights": LIGHTS,
        "parent": None,
        "carrier": None,
        **fields,
    }


def made(rollups: RollUps, id_: str) -> dict[str, Any]:
    return roll_up(id_, rollups.families([id_]))


def test_a_family_is_read_three_levels_down_with_tenants_and_the_parents_above(stores: AllStores) -> None:
    stores.projects.offer(
        [
            document("top"),
            document("p", parent="top", phased=True),
            document("a", parent="p"),
            document("b", parent="a"),
            document("c", parent="b"),
            document("d", parent="c"),
            document("t", carrier="p", phased=True),
            document("t1", parent="t"),
            document("elsewhere", parent="somebody"),
        ]
    )
    row = made(stores.rollups, "p")
    assert row["members"] == ["a", "b", "c", "t"]
    assert [tenant["id"] for tenant in row["tenants"]] == ["t"]
    assert row["roots"] == []
    assert made(stores.rollups, "somebody")["roots"] == ["elsewhere"]
    assert stores.rollups.named() == ["a", "b", "c", "p", "somebody", "t", "top"]
    assert stores.rollups.links(["a", "t", "nobody"]) == {"a": ("p", None), "t": (None, "p")}


def test_what_is_above_a_project_is_found_as_far_as_a_roll_up_looks_down(stores: AllStores) -> None:
    stores.projects.offer([document("p", carrier="hall"), document("a", parent="p"), document("b", parent="a")])
    maker = Maker(stores.rollups)
    assert maker.above(["a"]) == {"a", "p", "hall"}
    assert maker.above(["nobody"]) == {"nobody"}


def test_a_roll_up_is_written_only_over_the_version_that_was_read(stores: AllStores) -> None:
    stores.projects.offer([document("p"), document("a", parent="p")])
    rollups, row = stores.rollups, made(stores.rollups, "p")
    assert rollups.versions(["p"]) == {}
    assert rollups.swap([row], {}) is True
    assert rollups.versions(["p", "x"]) == {"p": 1}
    assert rollups.swap([row], {}) is False, "it exists by now"
    assert rollups.swap([row], {"p": 1}) is True
    assert rollups.swap([row], {"p": 1}) is False
    assert rollups.versions(["p"]) == {"p": 2}


def test_a_subject_touches_the_roll_ups_it_is_in_and_its_own(stores: AllStores) -> None:
    stores.projects.offer(
        [document("p"), document("a", parent="p", carrier="hall"), document("b", parent="a"), document("x")]
    )
    Maker(stores.rollups).make(stores.rollups.named())
    assert stores.rollups.touched(["a", "b", "p", "x"]) == {"a": {"a", "p", "hall"}, "b": {"a", "p"}, "p": {"p"}}


def test_a_member_that_leaves_touches_what_it_was_in(stores: AllStores) -> None:
    stores.projects.offer([document("p"), document("a", parent="p")])
    Maker(stores.rollups).make(["p"])
    stores.projects.offer([document("a") | {"events": 2}])
    assert stores.rollups.touched(["a"]) == {"a": {"p"}}
    Maker(stores.rollups).make(["p"])
    assert stores.rollups.touched(["a"]) == {}
    assert made(stores.rollups, "p")["members"] == []
    assert stores.rollups.named() == ["p"], "an empty one stays, for its version must never fall"
