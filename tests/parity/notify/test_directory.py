"""What the directory relies on in its store, proved in memory and on a real MongoDB alike."""

from __future__ import annotations

from typing import Any

import pytest

from services.notify.directory import Directory, Entry
from tests.parity.notify.conftest import AllStores


def entry(subject: str, events: int = 1, ruleset: int = 1, **told: Any) -> Entry:
    return Entry(subject, 0, events, ruleset, {"registered": True, **told})


def post(id_: str, holder: str, events: int = 1) -> Entry:
    return entry(f"post:{id_}", events, holders=[{"holder": holder, "date": "2026-01-01", "until": None}])


def test_entries_come_back_as_they_went_in(stores: AllStores) -> None:
    kept = [post("head", "zhang"), entry("unit:power", head="head"), entry("person:zhang", deputies=["li"], leaves=[])]
    stores.directory.put(kept)
    stores.directory.put([])
    assert stores.directory.read([e.subject for e in kept] + ["post:other"]) == {e.subject: e for e in kept}
    assert stores.directory.read([]) == {}


@pytest.mark.parametrize(
    ("events", "ruleset", "taken"),
    [(3, 2, False), (4, 2, True), (3, 3, True), (2, 3, False), (4, 1, False), (2, 2, False)],
)
def test_an_entry_is_replaced_only_by_one_that_knows_more(
    stores: AllStores, events: int, ruleset: int, taken: bool
) -> None:
    stores.directory.put([entry("unit:power", 3, 2, head="zhang")])
    stores.directory.put([entry("unit:power", events, ruleset, head="li"), entry("unit:water", head="wang")])
    found = stores.directory.read(["unit:power", "unit:water"])
    assert found["unit:power"].told["head"] == ("li" if taken else "zhang")
    assert found["unit:water"].told["head"] == "wang"


def test_entries_are_found_by_whom_they_name(stores: AllStores) -> None:
    stores.directory.put(
        [post("head", "zhang"), entry("unit:power", head="head"), entry("person:li", deputies=["zhang"])]
    )
    assert sorted(stores.directory.naming(["zhang"])) == ["person:li", "post:head"]
    assert stores.directory.naming(["head", "nobody"]) == ["unit:power"]
    stores.directory.put([post("head", "wang", 2)])
    assert stores.directory.naming(["zhang"]) == ["person:li"]


def test_who_acts_is_followed_as_far_as_it_leads(stores: AllStores) -> None:
    leave = {"id": "e1", "date": "2026-03-09", "until": "2026-03-13", "deputy": None}
    stores.directory.put(
        [
            entry("unit:power", head="head"),
            post("head", "zhang"),
            entry("person:zhang", deputies=["duty"], leaves=[leave]),
            post("duty", "li"),
        ]
    )
    directory = Directory(stores.directory)
    asked = ["power", "head", "zhang", "zone:demo", "u-9"]
    assert directory.acting(asked, "2026-03-08") == dict(
        zip(asked, ["zhang", "zhang", "zhang", "zone:demo", "u-9"], strict=True)
    )
    assert directory.acting(asked, "2026-03-09") == dict(
        zip(asked, ["li", "li", "li", "zone:demo", "u-9"], strict=True)
    )
    assert directory.acting([], "2026-03-09") == {}
    assert directory.acts_for("zhang", "2026-03-08") == {"zhang", "head", "power"}
    assert directory.acts_for("li", "2026-03-08") == {"li", "duty"}
    assert directory.acts_for("li", "2026-03-09") == {"li", "duty", "zhang", "head", "power"}
    assert directory.acts_for("zhang", "2026-03-09") == frozenset()


def test_those_with_hours_of_their_own_are_told(stores: AllStores) -> None:
    stores.directory.put([entry("person:zhang", works_from="09:00", works_until="17:00"), entry("person:li")])
    assert Directory(stores.directory).hours(["zhang", "li", "wang"]) == {"zhang": ("09:00", "17:00")}
    assert Directory(stores.directory).beginnings() == {"09:00"}
    stores.directory.put([entry("person:zhang", 2), entry("person:wang", works_from="07:30", works_until="15:00")])
    assert Directory(stores.directory).beginnings() == {"07:30"}
