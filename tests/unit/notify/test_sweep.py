"""The sweep: what it tells, whom, on what knowledge, and what it says about the system itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from luodi.domain.days import END_OF_TIME, instant
from luodi.runtime.errors import TransientError
from services.notify.gate import Gate
from services.notify.matters import Matter, opened
from services.notify.recipients import recipients
from services.notify.watches import unreadable
from tests.unit.notify.builders import HOUR, MATTER, PROJECT, at, clock, deadline, open_matter, opening, red, watch
from tests.unit.notify.fakes import MemoryMatters
from tests.unit.notify.world import Notifier, World


def test_a_stage_reported_in_time_is_never_told() -> None:
    world = World()
    world.hears(clocks=[clock(at(100))])
    world.passes(90)
    Notifier(world).sweep()
    world.stage_is_reached()
    world.passes(3600)
    Notifier(world).sweep()
    assert world.inbox() == []


def test_a_deadline_that_passes_is_told_once_both_clocks_have_passed_grace() -> None:
    world = World()
    world.hears(clocks=[clock(at(100))])
    world.passes(104)
    assert Notifier(world).sweep().written == 0
    world.clock.advance(60)  # the watermark stands still: nobody knows what was reported meanwhile
    assert Notifier(world).sweep().written == 0
    world.watermark_keeps_up()
    assert Notifier(world).sweep().written == 1
    assert world.told() == [("stalled", 1)]
    assert Notifier(world).sweep().idle


def test_a_backlog_that_holds_the_report_in_time_tells_nothing_false() -> None:
    world = World()
    world.hears(clocks=[clock(at(100))])
    world.passes(90)
    Notifier(world).sweep()
    world.clock.advance(7200)  # the tracker is away for two hours; the report stands in the backlog
    Notifier(world).sweep()
    world.stage_is_reached()  # it comes back: first the states,
    Notifier(world).sweep()
    world.watermark_keeps_up()  # then the watermark that vouches for them
    Notifier(world).sweep()
    assert world.told() == []
    assert [row.kind for row in world.inbox()] == ["operations", "cleared"]  # only that the watermark stood still


def test_without_any_watermark_nothing_is_told() -> None:
    world = World()
    world.turns_red()
    world.clock.advance(3600)
    Notifier(world).sweep()
    assert [row for row in world.inbox() if row.kind != "operations"] == []


def test_a_partition_of_another_notifier_is_not_swept() -> None:
    world = World()
    world.turns_red()
    world.watches.rows[PROJECT] = replace(world.watches.rows[PROJECT], partition=5)
    world.passes(3600)
    Notifier(world).sweep()
    assert world.inbox() == []


def test_a_correction_that_keeps_it_red_is_not_told_again() -> None:
    world = World()
    world.turns_red()
    world.passes(61)
    Notifier(world).sweep()
    world.hears(clocks=[clock("2026-02-20T00:00:00.000Z")])
    world.passes(61)
    assert Notifier(world).sweep().idle
    assert world.told() == [("stalled", 1)]


def test_a_stall_over_before_its_message_was_written_is_never_shown() -> None:
    world = World()
    world.turns_red()
    world.matters.rows[MATTER] = opened(None, opening(), at(0))  # killed right after this
    world.stage_is_reached()
    world.passes(61)
    Notifier(world).sweep()
    assert world.inbox() == []
    assert [row.status for row in world.notifications.rows.values()] == ["superseded"]
    assert world.matters.rows[MATTER].state == "cleared"


def test_an_opening_waits_when_the_project_seems_to_have_moved_on() -> None:
    world = World()
    world.turns_red()
    world.passes(61)
    world.matters.rows[MATTER] = open_matter(complete=False)
    world.clock.advance(5)
    world.stage_is_reached()  # the watermark does not vouch for it yet
    Notifier(world).sweep()
    assert world.inbox() == []
    assert world.matters.rows[MATTER].state == "open"
    world.watermark_keeps_up()
    Notifier(world).sweep()
    Notifier(world).sweep()
    assert world.matters.rows[MATTER].state == "cleared"
    assert world.inbox() == []


def test_gap_and_promise_are_told_apart_and_each_gets_its_own_all_clear() -> None:
    world = World()
    promise = {
        "id": "b1",
        "owner": "供电公司",
        "promise": "2026-03-01",
        "cleared": None,
        "lights": [
            {
                "light": "red",
                "from": "2026-03-02T00:00:00.000Z",
                "to": END_OF_TIME,
                "reason": {"code": "promise-overdue"},
            }
        ],
    }
    world.hears(clocks=[clock("2026-03-01T00:00:00.000Z")], blockers=[promise])
    world.passes(61)
    Notifier(world).sweep()
    assert {row.matter for row in world.inbox("stalled")} == {MATTER, f"{PROJECT}:blocker:b1"}
    world.hears(clocks=[clock("2026-03-01T00:00:00.000Z")], blockers=[{**promise, "cleared": "2026-03-05"}])
    world.passes(61)
    Notifier(world).sweep()
    (cleared,) = world.inbox("cleared")
    assert cleared.matter == f"{PROJECT}:blocker:b1"
    assert "2026-03-05" in cleared.texts.text_zh


def test_a_promise_that_is_moved_to_a_later_day_lifts_the_notice_and_says_so() -> None:
    def promised(day: str, red_from: str) -> dict[str, Any]:
        red = {"light": "red", "from": red_from, "to": END_OF_TIME, "reason": {"code": "promise-overdue"}}
        return {"id": "b1", "owner": "供电公司", "promise": day, "cleared": None, "lights": [red]}

    world = World()
    world.hears(clocks=[], blockers=[promised("2026-03-01", "2026-03-02T00:00:00.000Z")])
    world.passes(61)
    Notifier(world).sweep()
    world.hears(clocks=[], blockers=[promised("2026-04-30", "2026-04-30T16:00:00.000Z")])
    world.passes(61)
    Notifier(world).sweep()
    (lifted,) = world.inbox("cleared")
    assert "供电公司把承诺时限由2026-03-01推迟到2026-04-30" in lifted.texts.text_zh
    assert "moved the promise from 2026-03-01 to 2026-04-30" in lifted.texts.text_en
    assert world.matters.rows[f"{PROJECT}:blocker:b1"].state == "cleared"


@pytest.mark.parametrize(
    ("people", "zone", "told"),
    [
        ({"leader": "l", "lead_unit": "u", "group_head": "g", "officer": "o"}, "demo", ("o", "g")),
        ({"group_head": "g", "officer": "g"}, "demo", ("g",)),
        ({"leader": "l", "lead_unit": "u", "group_head": "g"}, "demo", ("g",)),
        ({"leader": "l", "lead_unit": "u"}, "demo", ("u",)),
        ({"leader": "l", "vice_leader": "v"}, "demo", ("l",)),
        ({"vice_leader": "v"}, "demo", ("v",)),
        ({}, "demo", ("zone:demo",)),
        ({}, None, ("operators",)),
    ],
)
def test_officer_and_group_head_are_told_first_else_the_next_who_is_named(
    people: dict[str, str], zone: str | None, told: tuple[str, ...]
) -> None:
    assert recipients(watch(people=people, zone=zone)) == told


def test_an_unregistered_project_is_told_to_the_operators() -> None:
    world = World()
    world.hears(
        clocks=[clock("2026-03-01T00:00:00.000Z")], registered=False, name=None, zone=None, route=None, officer=None
    )
    world.passes(61)
    Notifier(world).sweep()
    (row,) = world.inbox()
    assert (row.recipient, row.texts.title_zh.startswith(f"未登记项目 {PROJECT}")) == ("operators", True)


def test_a_message_says_what_is_overdue_since_when_who_acts_and_where() -> None:
    world = World()
    world.turns_red()
    world.passes(61)
    Notifier(world).sweep()
    (row,) = world.inbox()
    assert row.texts.title_zh == "示例精密部件：开工超期0天"
    for part in ("示例高新区", "应于2026-03-05前开工", "专员 u-zhang", "补报节点"):
        assert part in row.texts.text_zh
    for part in ("Example Zone", "start of construction", "2026-03-05", "Officer u-zhang"):
        assert part in row.texts.text_en
    assert row.url == f"https://luodi.example/matters/{PROJECT}%3Asigned-started"
    assert row.demo is True
    assert (row.gap, row.rule, row.level, row.project_id) == (("signed", "started"), "zone-default", 0, PROJECT)


def test_days_over_are_those_of_the_business_date() -> None:
    world = World()
    world.turns_red()
    world.passes(13 * 3600)  # 01:00 of 6 March in Shanghai, still 5 March in UTC
    Notifier(world).sweep()
    assert world.inbox()[0].texts.title_en == "示例精密部件: the start of construction is 1 day overdue"


def test_the_trace_of_the_last_event_is_carried_by_each_message() -> None:
    world = World()
    world.turns_red()
    world.passes(61)
    Notifier(world).sweep()
    assert world.inbox()[0].traceparent == "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


def test_an_episode_keeps_the_ones_before_it() -> None:
    world = World()
    for _ in range(3):
        world.turns_red()
        world.passes(61)
        Notifier(world).sweep()
        world.stage_is_reached()
        world.passes(61)
        Notifier(world).sweep()
    matter = world.matters.rows[MATTER]
    assert [past["episode"] for past in matter.history] == [1, 2]
    assert (matter.episode, matter.state) == (3, "cleared")
    assert [past["clearing"]["code"] for past in matter.history] == ["stage-reached"] * 2


def test_an_open_episode_cannot_be_opened_over() -> None:
    for before in (open_matter(), open_matter(complete=False)):
        with pytest.raises(ValueError, match="not over"):
            opened(before, opening(), at(9))


def test_more_watches_than_one_batch_are_all_looked_at_in_one_sweep() -> None:
    world = World(webhook=False)
    for number in range(1200):
        known = watch(deadline(red(0), seen=50), changed=50, project_id=f"p{number}", people={"officer": f"u{number}"})
        mine = replace(known, deadlines=(replace(known.deadlines[0], matter=f"p{number}:signed-started"),))
        world.watches.rows[mine.project_id] = mine
    world.passes(120)
    assert Notifier(world).sweep().written == 1200
    assert all(w.next_due > world.clock.now_text() for w in world.watches.rows.values())


# -- the system itself -------------------------------------------------------------------------------------------------


def faults(world: World) -> list[tuple[str, str, int]]:
    return [(row.matter, row.kind, row.episode) for row in world.inbox() if row.project_id is None]


def test_a_watermark_that_stops_is_told_to_the_operators_once_and_its_return_once() -> None:
    world = World()
    world.watermark_keeps_up()
    world.clock.advance(60)
    Notifier(world).sweep()
    assert faults(world) == []
    world.clock.advance(1)
    for _ in range(3):
        Notifier(world).sweep()
        world.clock.advance(30)
    assert faults(world) == [("operations:watermark:0", "operations", 1)]
    assert {row.recipient for row in world.inbox()} == {"operators"}
    world.watermark_keeps_up()
    for _ in range(3):
        Notifier(world).sweep()
    assert faults(world) == [("operations:watermark:0", "operations", 1), ("operations:watermark:0", "cleared", 1)]


def test_a_watermark_that_stops_again_is_a_new_episode() -> None:
    world = World()
    for _ in range(2):
        world.watermark_keeps_up()
        Notifier(world).sweep()
        world.clock.advance(90)
        Notifier(world).sweep()
    assert [(kind, episode) for _, kind, episode in faults(world)] == [
        ("operations", 1),
        ("cleared", 1),
        ("operations", 2),
    ]


def test_a_watermark_between_the_two_bounds_neither_begins_nor_ends_an_alarm() -> None:
    world = World()
    world.watermark_keeps_up()
    world.clock.advance(61)
    Notifier(world).sweep()
    world.watermark_keeps_up()
    world.clock.advance(45)
    Notifier(world).sweep()
    assert [kind for _, kind, _ in faults(world)] == ["operations"]


def test_a_notifier_that_has_only_just_started_does_not_cry_over_an_old_watermark() -> None:
    world = World()
    world.clock.advance(7200)
    notifier = Notifier(world)
    started = world.clock.now_text()
    stale = Gate().assigned([0], started).read(0, instant(HOUR)).asked(0, instant(HOUR), 1).reached(0, 1, started)
    notifier.sweeper._gate = lambda: stale
    notifier.sweep()
    assert faults(world) == []
    world.clock.advance(61)
    notifier.sweep()
    assert faults(world) == [("operations:watermark:0", "operations", 1)]


def test_a_backlog_that_is_being_read_is_no_alarm_until_it_stops_moving() -> None:
    world = World()
    notifier = Notifier(world)
    gate = Gate().assigned([0], at(0))
    for position in range(1, 6):
        world.clock.advance(50)
        gate = gate.reached(0, position, world.clock.now_text())
        notifier.sweeper._gate = lambda gate=gate: gate  # type: ignore[misc]  # bound on purpose
        notifier.sweep()
    assert faults(world) == []
    world.clock.advance(61)
    notifier.sweep()
    assert faults(world) == [("operations:watermark:0", "operations", 1)]


def test_another_owner_does_not_call_off_an_alarm_before_it_knows_better() -> None:
    world = World()
    world.watermark_keeps_up()
    world.clock.advance(61)
    Notifier(world).sweep()
    other = Notifier(world)
    now = world.clock.now_text()
    other.sweeper._gate = lambda: Gate().assigned([0], now)
    other.sweep()
    assert [kind for _, kind, _ in faults(world)] == ["operations"]


def test_records_that_cannot_be_read_are_told_until_they_can() -> None:
    world = World()
    kept = world.turns_red()
    world.watches.put([unreadable(PROJECT, kept, 0, world.clock.now_text())])
    world.passes(61)
    Notifier(world).sweep()
    assert faults(world) == [("operations:unreadable:0", "operations", 1)]
    assert PROJECT in world.inbox()[0].texts.text_en
    assert world.told() == []  # and nothing is concluded from what was known before
    world.turns_red()
    world.passes(61)
    Notifier(world).sweep()
    assert faults(world)[-1] == ("operations:unreadable:0", "cleared", 1)
    assert world.told() == [("stalled", 1)]


class Failing(MemoryMatters):
    """A server that goes away between looking and changing."""

    def compare_and_set(self, changes: object) -> None:
        raise TransientError("MongoDB", "away")


def test_a_sweep_that_meets_a_passing_fault_says_so_and_the_next_one_goes_on() -> None:
    world = World()
    world.turns_red()
    world.passes(61)
    away = Notifier(world)
    away.sweeper._matters = Failing()
    with pytest.raises(TransientError):
        away.sweep()
    assert away.sweeper.missing(30) is None
    world.passes(31)
    assert "31 s" in str(away.sweeper.missing(30))
    Notifier(world).sweep()
    assert world.told() == [("stalled", 1)]


def test_a_matter_remembers_on_what_it_was_decided() -> None:
    world = World()
    world.turns_red()
    world.passes(61)
    Notifier(world).sweep()
    matter: Matter = world.matters.rows[MATTER]
    assert (matter.facts["decided"], matter.facts["guard"]) == ("stalled-when-first-seen", [1, 1])


def test_what_is_due_has_been_told_up_to_the_watermark_and_no_further() -> None:
    world = World()
    world.hears()
    notifier = Notifier(world)
    notifier.sweep()
    assert notifier.sweeper.passed == {0: ""}  # nothing is known of the partition yet
    world.passes(61)
    told = world.w
    notifier.sweep()  # which looks at the project
    assert notifier.sweeper.passed == {0: told}
    world.clock.advance(20)
    notifier.sweep()  # which finds nothing to look at
    assert notifier.sweeper.passed == {0: told}
    world.turns_red()
    assert notifier.sweep().looked == 0  # before the watermark has come so far there is nothing to be found out
    assert notifier.sweeper.passed == {0: told}
