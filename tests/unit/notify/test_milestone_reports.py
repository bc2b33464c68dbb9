"""待核实 and 退回: who is told of a report of a milestone, once, and when nobody is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from luodi.domain.days import instant
from services.notify.documents import watch_document, watch_from
from services.notify.milestone_reports import TOLD_WITHIN, receivers
from services.notify.silences import Silence
from services.notify.watches import watch_of
from tests.unit.notify.builders import HOUR, PROJECT, SETTLE_S, at, state
from tests.unit.notify.world import Notifier, World, settled

PEOPLE: dict[str, Any] = {"officer": "o", "group_head": "g", "lead_unit": "u", "vice_leader": "v"}
REASON = {"code": "reported-late", "route": "land", "stage": "started", "date": "2026-02-10", "workdays": 9}


def waits(event_id: str = "e7", actor: str | None = "o", recorded_at: str = at(0), **more: Any) -> dict[str, Any]:
    """A report that waits, as the tracker writes it."""
    told = {"event_id": event_id, "stage": "started", "date": "2026-02-10", "recorded_at": recorded_at}
    return {**told, "actor": actor, "note": None, "reasons": [REASON], **more}


def sent_back(event_id: str = "v1", by: str = "g", moment: str = at(0), actor: str | None = "o") -> dict[str, Any]:
    """A report that was returned, as the tracker writes it."""
    verdict = {"result": "returned", "by": by, "at": moment, "reason": "只有*围挡*", "event_id": event_id}
    told = {"event_id": "e7", "stage": "started", "date": "2026-02-10", "recorded_at": at(-60)}
    return {**told, "actor": actor, "note": None, "verified": verdict}


@pytest.fixture
def world() -> World:
    return World()


def look(world: World, seconds: float = SETTLE_S + 1) -> None:
    """Time passes, and a notifier does whatever there is to do."""
    world.passes(seconds)
    notifier = Notifier(world)
    while not notifier.sweep().idle:
        pass
    while notifier.deliver():
        pass


def told(world: World) -> list[tuple[str, str]]:
    return [(row.kind, row.recipient) for row in world.inbox()]


def test_the_group_head_is_told_once_that_a_report_waits(world: World) -> None:
    world.hears(awaiting=[waits()], **PEOPLE)
    look(world)
    assert told(world) == [("verification", "g")]
    (row,) = world.inbox()
    assert row.texts.title_zh == "待核实：示例精密部件开工"
    assert "o上报开工（2026-02-10），开工日期2026-02-10，9个工作日后才上报" in row.texts.text_zh
    assert row.texts.text_en.endswith("Next: g looks at it, and confirms it or returns it.")
    assert (row.urgent, row.project_id, row.url) == (False, PROJECT, f"https://luodi.example/projects/{PROJECT}")
    world.hears(awaiting=[waits()], progress=None, **PEOPLE)
    look(world)
    assert told(world) == [("verification", "g")]
    settled(world)


def test_nobody_is_told_before_the_record_has_settled(world: World) -> None:
    world.hears(awaiting=[waits()], **PEOPLE)
    look(world, SETTLE_S - 1)
    assert told(world) == []
    world.hears(awaiting=[], **PEOPLE)  # verified in the same minute
    look(world)
    assert told(world) == []


def test_who_reported_it_does_not_verify_it(world: World) -> None:
    world.hears(awaiting=[waits(actor="g"), waits("e9", actor="g")], **PEOPLE)
    look(world)
    assert told(world) == [("verification", "u"), ("verification", "u")]


def test_where_nobody_above_is_named_the_desk_of_the_zone_is_told(world: World) -> None:
    world.hears(awaiting=[waits()], officer="o")
    look(world)
    assert told(world) == [("verification", "zone:demo")]


def test_the_reporter_and_the_officer_are_told_that_a_report_was_returned_and_why(world: World) -> None:
    world.hears(returned=[sent_back(actor="u-wang")], **PEOPLE)
    look(world)
    assert sorted(told(world)) == [("returned", "o"), ("returned", "u-wang")]
    row = world.inbox()[0]
    assert row.texts.title_zh == "退回：示例精密部件开工的上报"
    assert "u-wang上报的开工（2026-02-10）经g核实后退回：只有*围挡*" in row.texts.text_zh
    assert "Next: u-wang reports anew." in row.texts.text_en


def test_one_who_is_both_is_told_once_and_one_nobody_knows_is_not_told(world: World) -> None:
    world.hears(returned=[sent_back(), sent_back("v2", actor=None)], **PEOPLE)
    look(world)
    assert told(world) == [("returned", "o"), ("returned", "o")]


def test_each_return_of_a_report_is_told(world: World) -> None:
    world.hears(returned=[sent_back()], **PEOPLE)
    look(world)
    world.hears(returned=[], **PEOPLE)  # the group head thought better of it
    look(world)
    world.hears(returned=[sent_back("v3", moment=world.clock.now_text())], **PEOPLE)
    look(world)
    assert [row.matter for row in world.inbox("returned")] == [f"{PROJECT}:report:v1", f"{PROJECT}:report:v3"]


def test_what_is_older_than_a_fortnight_is_not_told(world: World) -> None:
    edge = HOUR - TOLD_WITHIN
    found = [waits("old", recorded_at=instant(edge - timedelta(seconds=1))), waits("new", recorded_at=instant(edge))]
    world.hears(awaiting=found, returned=[sent_back(moment=instant(edge - timedelta(seconds=1)))], **PEOPLE)
    look(world)
    assert [row.matter for row in world.inbox()] == [f"{PROJECT}:report:new"]


def test_outside_it_is_left_out_when_the_report_was_verified_before_it_went(world: World) -> None:
    world.hears(awaiting=[waits()], **PEOPLE)
    world.passes(SETTLE_S + 1)
    notifier = Notifier(world)
    while not notifier.sweep().idle:
        pass
    world.hears(awaiting=[], **PEOPLE)
    look(world)
    (row,) = world.inbox()
    assert [(d.channel, d.status) for d in row.deliveries] == [("inbox", "sent"), ("webhook", "superseded")]
    assert world.receiver.got == []


def test_a_silence_on_the_project_holds_it_back_and_lets_it_go_when_it_is_over(world: World) -> None:
    world.silences.rows["s1"] = Silence("s1", PROJECT, None, 0, "g", "整改中", "2026-03-05", at(0), at(3600))
    world.hears(awaiting=[waits()], **PEOPLE)
    look(world)
    assert told(world) == [("verification", "g")]  # the inbox knows
    assert world.receiver.got == []
    look(world, 3600)
    assert [kind for _, kind, _, _ in world.receiver.got] == ["verification"]


def test_a_killed_notifier_leaves_nothing_untold_and_nothing_told_twice(world: World) -> None:
    world.hears(awaiting=[waits()], returned=[sent_back()], **PEOPLE)
    world.passes(SETTLE_S + 1)
    watch = world.watches.get_many([PROJECT])[PROJECT]
    Notifier(world).sweep()
    world.watches.rows[PROJECT] = watch  # killed before it was put off: it is due again
    look(world, 1)
    assert sorted(told(world)) == [("returned", "o"), ("verification", "g")]


def test_a_watch_keeps_its_reports_in_the_store() -> None:
    watch = watch_of(state(awaiting=[waits()], returned=[sent_back()], **PEOPLE), None, at(0), 0)
    stored = watch_from(watch_document(watch))
    assert stored.reports == watch.reports
    assert len(stored.reports) == 2
    assert receivers(watch, watch.reports[0], "zone:demo") == ("g",)
    earlier = watch_document(watch)
    del earlier["reports"]
    assert watch_from(earlier).reports == ()


# 未更新: nobody keeps the record of a project up.


def kept_up_until(seconds: float) -> dict[str, Any]:
    """From when on a project counts as not updated, as the tracker writes it."""
    reason = {"code": "not-updated", "date": "2026-03-04", "workdays": 5}
    return {"from": at(seconds), "reason": reason}


def test_the_group_head_is_told_once_when_a_project_has_not_been_updated(world: World) -> None:
    world.hears(stale=kept_up_until(3600), **PEOPLE)
    look(world)
    look(world, 3600 - SETTLE_S - 1)
    assert told(world) == [], "the moment itself is not over, and not all news of it is known"
    look(world, 10)
    assert told(world) == [("stale", "g")]
    (row,) = world.inbox()
    assert row.texts.title_zh == "未更新：示例精密部件"
    assert "2026-03-04以来未更新，已过5个工作日" in row.texts.text_zh
    assert "Not updated since 2026-03-04: 5 working days have passed" in row.texts.text_en
    assert (row.urgent, row.project_id) == (False, PROJECT)
    look(world, 7 * 24 * 3600)
    world.hears(stale=kept_up_until(3600), progress=None, **PEOPLE)
    look(world)
    assert told(world) == [("stale", "g")], "as long as it lasts, and no matter opens: it is never a red"
    settled(world)


def test_what_is_updated_in_time_is_told_to_nobody_and_the_next_time_is_told_anew(world: World) -> None:
    world.hears(stale=kept_up_until(3600), **PEOPLE)
    world.hears(stale=kept_up_until(7200), **PEOPLE)
    look(world, 5000)
    assert told(world) == []
    look(world, 3000)
    assert told(world) == [("stale", "g")]
    world.hears(stale=kept_up_until(90_000), **PEOPLE)
    look(world, 90_000)
    assert told(world) == [("stale", "g"), ("stale", "g")]


def test_where_no_group_head_is_named_whoever_stands_above_is_told(world: World) -> None:
    world.hears(stale=kept_up_until(0), officer="o", vice_leader="v")
    look(world)
    assert told(world) == [("stale", "v")]
