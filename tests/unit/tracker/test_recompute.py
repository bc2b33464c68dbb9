"""What a change of rules does to what people see: the list of before and after."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.tracker.recompute import Change, Face, Outcome, changes, verdicts_changed

NOW, TODAY = "2026-06-01T04:00:00.000Z", date(2026, 6, 1)
GAP = ["started", "completed"]


def lights(*steps: tuple[str, str]) -> list[dict[str, str]]:
    return [{"from": since, "light": light} for since, light in steps]


def clock(light: str, due: str, rule: str = "zone-default", **more: Any) -> dict[str, Any]:
    return {"gap": GAP, "rule": rule, "due": due, "lights": lights(("", light)), **more}


def document(*clocks: dict[str, Any], light: str = "green", status: str = "active") -> dict[str, Any]:
    identity = {"_id": "p1", "name": "一号项目", "zone": "demo", "status": status}
    return {**identity, "clocks": list(clocks), "lights": lights(("", light))}


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[Face, Face]]:
    return [(change.before, change.after) for change in changes(before, after, NOW, TODAY)]


def test_a_gap_that_looks_the_same_is_not_told() -> None:
    one = document(clock("green", "2026-07-01"))
    later = document(clock("green", "2026-07-01", warn="2026-06-20"))
    assert told(one, later) == []


def test_another_light_or_due_date_is_told() -> None:
    before, after = document(clock("green", "2026-07-01")), document(clock("red", "2026-05-01"))
    assert told(before, after) == [
        (Face("green", "2026-07-01", "zone-default"), Face("red", "2026-05-01", "zone-default"))
    ]
    moved = document(clock("green", "2026-07-02"))
    assert [(old.due, new.due) for old, new in told(before, moved)] == [("2026-07-01", "2026-07-02")]


def test_the_light_is_that_of_the_present_moment() -> None:
    turning = clock("green", "2026-05-31") | {"lights": lights(("", "green"), ("2026-05-31T16:00:00.000Z", "red"))}
    assert told(document(turning), document(clock("red", "2026-05-31"))) == []


def test_of_several_clocks_on_a_gap_the_worst_stands_for_it() -> None:
    before = document(clock("green", "2026-07-01"), clock("yellow", "2026-06-02", "idle-land-1"))
    after = document(clock("green", "2026-07-01"), clock("red", "2026-05-30", "idle-land-1"))
    assert told(before, after) == [
        (Face("yellow", "2026-06-02", "idle-land-1"), Face("red", "2026-05-30", "idle-land-1"))
    ]


def test_of_a_clock_with_versions_the_one_in_force_counts() -> None:
    versions = [
        {"version": "1980-01-01", "due": "2026-07-01", "rule": "zone-default"},
        {"version": "2026-06-15", "due": "2026-08-01", "rule": "zone-default"},
    ]
    before, after = clock("green", "2026-07-01"), clock("green", "2026-08-01", versions=versions)
    assert told(document(before), document(after)) == []


def test_a_gap_that_lost_its_clock_shows_the_light_of_the_project() -> None:
    before, after = document(clock("red", "2026-05-01"), light="red"), document(light="grey")
    assert told(before, after) == [(Face("red", "2026-05-01", "zone-default"), Face("grey"))]
    assert told(after, before) == [(Face("grey"), Face("red", "2026-05-01", "zone-default"))]
    assert told(document(light="grey"), document(light="blue")) == [(Face("grey"), Face("blue"))]


def test_the_pool_has_no_light_to_change() -> None:
    assert told(document(light="green", status="pool"), document(light="red", status="pool")) == []


def test_the_sums_begin_with_the_worst_news() -> None:
    def change(before: str, after: str) -> Change:
        return Change("p1", None, None, None, Face(before), Face(after))

    turns = [("green", "green"), ("red", "green"), ("green", "red"), ("yellow", "red"), ("green", "red")]
    outcome = Outcome(9, 0, [change(*turn) for turn in turns])
    assert outcome.turns() == [
        ("green", "red", 2),
        ("yellow", "red", 1),
        ("green", "green", 1),
        ("red", "green", 1),
    ]
    assert outcome.new_reds() == 3


def test_a_verdict_that_is_another_or_gone_is_counted_and_one_of_a_new_rule_is_not() -> None:
    def judged(*closed: tuple[str, str]) -> dict[str, Any]:
        return {"closed": [{"gap": GAP, "rule": rule, "verdict": verdict} for rule, verdict in closed]}

    before = judged(("zone-default", "in_time"), ("idle-land-fee", "late"))
    assert verdicts_changed(before, before) == 0
    assert verdicts_changed(before, judged(("zone-default", "late"), ("idle-land-fee", "late"))) == 1
    assert verdicts_changed(before, judged(("zone-default", "in_time"))) == 1
    assert verdicts_changed(judged(("zone-default", "in_time")), before) == 0
    assert verdicts_changed({}, before) == 0, "of a document of an earlier version"
