"""One digest per person and working morning: what it says, when it goes, and that no message is in two or in none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from luodi.domain.calendar import Calendar, YearDays
from services.notify.channels import Outcome
from services.notify.directory import Entry
from services.notify.notifications import Notification
from services.notify.silences import Silence
from tests.unit.notify.builders import clock
from tests.unit.notify.fakes import CallCounter, CrashError
from tests.unit.notify.mornings import WECOM, WHO, Mornings, Notifier, rests


def statuses(world: Mornings, kind: str = "stalled") -> list[str]:
    rows = sorted(world.notifications.rows.values(), key=lambda r: (r.matter, r.order))
    return [d.status for row in rows if row.kind == kind for d in row.deliveries if d.channel == WECOM]


def told_at_night(*projects: str, partitions: int = 1) -> tuple[Mornings, Notifier]:
    world = Mornings(partitions=partitions)
    notifier = Notifier(world)
    for project in projects or ("p-1",):
        world.overdue(project)
    world.clock.advance(61)
    notifier.sweep()
    return world, notifier


def test_by_night_a_stall_is_in_the_inbox_and_waits_for_the_morning_elsewhere() -> None:
    world, notifier = told_at_night()
    notifier.morning()
    notifier.deliver()
    (row,) = world.notifications.rows.values()
    assert [(d.channel, d.status, d.attempts) for d in row.deliveries] == [("inbox", "sent", 1), (WECOM, "held", 0)]
    assert row.status == "queued"
    assert world.got == []


def test_in_the_morning_one_message_names_all_that_is_new() -> None:
    world, notifier = told_at_night("p-1", "p-2", "p-3")
    world.until(5, 8, 30)
    assert notifier.morning() == 1
    notifier.deliver()
    assert world.heard() == [[("new", "p-1"), ("new", "p-2"), ("new", "p-3")]]
    world.clock.advance(6)
    notifier.digesting.run()
    assert statuses(world) == ["sent"] * 3
    assert not any(row.in_digest for row in world.notifications.rows.values())


def test_a_report_that_waits_to_be_verified_stands_among_the_new_once() -> None:
    world = Mornings()
    notifier = Notifier(world)
    report = {"event_id": "e7", "stage": "started", "date": "2026-02-10", "recorded_at": "2026-03-04T09:00:00.000Z"}
    reason = {"code": "reported-late", "route": "land", "stage": "started", "date": "2026-02-10", "workdays": 9}
    waits = [{**report, "actor": "u-officer", "note": None, "reasons": [reason]}]
    world.hears("p-1", awaiting=waits, group_head=WHO)
    world.hears("p-2", awaiting=waits, group_head=WHO)
    world.clock.advance(61)
    notifier.sweep()
    world.hears("p-2", group_head=WHO)  # verified before the morning
    world.until(5, 8, 30)
    notifier.morning()
    notifier.deliver()
    assert world.heard() == [[("new", "p-1")]]
    assert "u-officer上报开工" in str(world.got[0].sheet)
    world.until(6, 8, 31)
    notifier.morning()
    notifier.deliver()
    assert len(world.heard()) == 1, "nothing of it is told on another morning"


def test_a_digest_is_written_once_a_morning_and_what_comes_later_waits_for_the_next() -> None:
    world, notifier = told_at_night()
    world.until(5, 8, 30)
    assert notifier.morning() == 1
    world.overdue("p-2")
    world.until(5, 10)
    assert notifier.morning() == 0
    assert Notifier(world).morning() == 0  # another process, which remembers nothing
    notifier.deliver()
    world.until(6, 8, 31)
    assert notifier.morning() == 1
    notifier.deliver()
    assert world.heard() == [[("new", "p-1")], [("new", "p-2"), ("overdue", "p-1")]]


def test_what_ended_before_the_morning_is_left_out() -> None:
    world, notifier = told_at_night("p-1", "p-2")
    world.reported("p-1")
    world.clock.advance(61)
    notifier.sweep()
    world.until(5, 8, 30)
    notifier.morning()
    notifier.deliver()
    assert world.heard() == [[("new", "p-2")]]
    assert statuses(world) == ["superseded", "carried"]
    assert statuses(world, "cleared") == []


def test_what_is_about_to_end_is_left_out_too() -> None:
    world, notifier = told_at_night()
    world.until(5, 8, 30)
    notifier.sweep()
    world.reported()  # known, but its watermark is not there yet
    assert notifier.digesting.run() == 0
    assert statuses(world) == ["held"]


def test_the_end_of_what_a_digest_told_is_told_by_a_digest() -> None:
    world, notifier = told_at_night()
    world.until(5, 8, 30)
    notifier.morning()
    notifier.deliver()
    world.reported()
    world.clock.advance(61)
    notifier.morning()
    notifier.deliver()
    assert len(world.got) == 1  # the all-clear waits for its morning
    world.until(6, 8, 30)
    notifier.morning()
    notifier.deliver()
    assert world.heard() == [[("new", "p-1")], [("cleared", "p-1")]]
    world.until(9, 8, 31)
    assert notifier.morning() == 2  # a new week, in which all projects are listed, in the inbox, too


@pytest.mark.parametrize(("day", "hour"), [(5, 8), (5, 18), (7, 9), (8, 12)])
def test_outside_the_hours_of_a_working_day_nothing_is_written(day: int, hour: int) -> None:
    world, notifier = told_at_night()
    world.until(day, hour)
    assert notifier.morning() == 0


def test_a_worked_saturday_has_its_digest_and_a_holiday_has_none() -> None:
    year = YearDays(off=frozenset({date(2026, 3, 5)}), made_up=frozenset({date(2026, 3, 7)}))
    world = Mornings(Calendar.build(ZoneInfo("Asia/Shanghai"), {2026: year}))
    notifier = Notifier(world)
    world.overdue()
    for day, digests in ((5, 0), (6, 1), (7, 1), (8, 0)):
        world.until(day, 9)
        assert notifier.morning() == digests, day


def test_a_morning_waits_for_every_partition_and_then_names_what_is_missing() -> None:
    world, notifier = told_at_night(partitions=3)
    world.stuck = {2}
    world.until(5, 8, 30)
    assert notifier.morning() == 0
    world.clock.advance(59)
    assert notifier.morning() == 0
    world.clock.advance(1)
    assert notifier.morning() == 1
    notifier.deliver()
    assert "分区 2 " in world.got[0].texts.text_zh


def test_whoever_comes_late_to_a_morning_waits_for_every_partition_all_the_same() -> None:
    world, _ = told_at_night(partitions=3)
    world.stuck = {2}
    world.until(5, 9, 30)
    late = Notifier(world)
    assert late.morning() == 0
    world.clock.advance(59)
    assert late.morning() == 0
    world.clock.advance(1)
    assert late.morning() == 1


def test_a_partition_that_is_known_in_another_process_is_not_waited_for() -> None:
    world, notifier = told_at_night(partitions=3)
    world.stuck = {2}
    world.until(5, 8, 30)
    now = world.clock.now_text()
    world.digests.note_known(world.calendar.business_date(now), [2], now)
    assert notifier.morning() == 1
    notifier.deliver()
    assert "分区" not in world.got[0].texts.text_zh


def test_a_person_whose_day_begins_later_is_told_later() -> None:
    world, notifier = told_at_night()
    world.people = [WHO, "u-late"]
    world.overdue("p-2", officer="u-late")
    world.own_hours["u-late"] = ("09:30", "18:00")
    world.until(5, 8, 40)
    assert notifier.morning() == 1
    world.until(5, 9, 31)
    assert notifier.morning() == 1
    notifier.deliver()
    assert world.heard("u-late") == [[("new", "p-2")]]


def test_an_early_day_and_one_that_begins_in_the_evening_have_their_digests_too() -> None:
    world, notifier = told_at_night()
    world.people = [WHO, "u-early", "u-night"]
    for who, hours in (("u-early", ("06:30", "15:00")), ("u-night", ("20:00", "23:30"))):
        world.own_hours[who] = hours
        world.overdue(f"p-{who}", officer=who)
    world.clock.advance(61)
    for hour, minute, digests in ((6, 29, 0), (6, 30, 1), (8, 30, 1), (19, 59, 0), (20, 0, 1), (23, 31, 0)):
        world.until(5, hour, minute)
        assert notifier.morning() == digests, hour
        notifier.deliver()
    assert [world.heard(who) for who in world.people] == [
        [[("new", "p-1")]],
        [[("new", "p-u-early")]],
        [[("new", "p-u-night")]],
    ]


def test_whoever_waits_for_a_later_beginning_gives_nobody_a_second_chance() -> None:
    world, notifier = told_at_night()
    world.people = [WHO, "u-late"]
    world.own_hours["u-late"] = ("09:30", "18:00")
    world.until(5, 8, 30)
    assert notifier.morning() == 1
    world.people.append("u-idle")
    world.overdue("p-2", officer="u-idle")  # after the beginning of the day
    for minute in (32, 40, 59):
        world.until(5, 8, minute)
        assert Notifier(world).morning() == 0
    world.until(5, 9, 31)
    assert notifier.morning() == 0
    world.until(6, 8, 31)
    assert notifier.morning() == 2


def test_nothing_is_written_for_whoever_has_gone_home() -> None:
    world, notifier = told_at_night()
    world.own_hours[WHO] = ("07:00", "11:00")
    world.until(5, 11)
    assert notifier.morning() == 0
    world.until(6, 7)
    assert notifier.morning() == 1


@pytest.mark.parametrize(
    ("told", "ended", "urgent", "status"),
    [
        ((5, 0, 20), (5, 3, 0), True, "sent"),  # the same night
        ((5, 0, 20), (5, 10, 0), False, "sent"),  # by day
        ((5, 0, 20), (6, 3, 0), False, "held"),  # another night: nobody is woken by good news
        ((5, 10, 0), (5, 17, 0), False, "sent"),
        ((5, 10, 0), (5, 20, 0), False, "held"),  # nobody was woken
        ((6, 20, 0), (8, 12, 0), True, "sent"),  # the same weekend
    ],
)
def test_whoever_was_told_urgently_hears_of_the_end_at_once_but_is_not_woken_for_it(
    told: tuple[int, int, int], ended: tuple[int, int, int], urgent: bool, status: str
) -> None:
    world = Mornings()
    notifier = Notifier(world)
    world.until(*told)
    world.woken()
    for _ in range(4):
        world.clock.advance(61)
        notifier.sweep()
        notifier.deliver()
    assert [row.kind for row in world.got][:1] == ["stalled"]
    world.until(*ended)
    world.reported()
    world.clock.advance(61)
    notifier.sweep()
    notifier.deliver()
    cleared = [row for row in world.notifications.rows.values() if row.kind == "cleared"]
    assert [row.urgent for row in cleared] == [urgent]
    assert statuses(world, "cleared") == [status]


def test_an_end_does_not_overtake_the_digest_that_tells_of_its_beginning() -> None:
    world = Mornings()
    notifier = Notifier(world)
    world.overdue()
    world.clock.advance(61)
    notifier.sweep()
    world.until(5, 8, 30)
    notifier.morning()  # a digest is on its way
    red = clock("2026-03-01T00:00:00.000Z", rule="jiangdong")
    both = [clock("2026-03-01T00:00:00.000Z"), {**red, "preset": "jiangdong"}]
    world.hears(clocks=both, leader=WHO)
    world.clock.advance(61)
    notifier.sweep()  # and now another rule calls for its reader at once
    assert any(row.urgent for row in world.notifications.rows.values())
    due = [row for row in notifier.ledger.due(WECOM) if row.kind != "digest"]
    assert [row.kind for row in due][:1] == ["stalled"]
    notifier.ledger.deliver(due, WECOM)
    world.reported()
    world.clock.advance(61)
    notifier.sweep()
    assert statuses(world, "cleared") == ["held"]


def test_whoever_has_no_address_any_more_is_waited_for_no_longer() -> None:
    world, notifier = told_at_night()
    world.people = []
    world.until(5, 8, 30)
    assert notifier.morning() == 0
    assert statuses(world) == ["failed"]
    assert not any(row.in_digest for row in world.notifications.rows.values())


def test_an_address_that_was_given_up_gets_no_digest() -> None:
    world, notifier = told_at_night()
    world.endpoints.disable(f"wecom/{WHO}", "code-93000", "", WHO)
    world.until(5, 8, 30)
    assert notifier.morning() == 0
    assert statuses(world) == ["failed"]


def test_when_the_digest_is_refused_for_good_so_is_what_it_carried() -> None:
    world, notifier = told_at_night()
    world.until(5, 8, 30)
    notifier.morning()
    world.answers = [Outcome("refused", "code-45002")]
    notifier.deliver()
    world.clock.advance(6)
    notifier.digesting.run()
    assert statuses(world) == ["failed"]


def test_a_digest_that_was_never_sent_goes_up_in_the_next_one() -> None:
    world, notifier = told_at_night()
    world.until(5, 8, 30)
    assert notifier.morning() == 1  # its robot takes nothing all day, so no attempt is made
    world.overdue("p-2")
    world.until(6, 8, 30)
    assert notifier.morning() == 1
    notifier.deliver()
    assert world.heard() == [[("new", "p-1"), ("new", "p-2")]]


def test_what_was_marked_for_a_digest_that_another_wrote_without_it_waits_for_the_next_at_once() -> None:
    """Two write the same digest: one asks what waits when the other has written, and a stall came in between."""
    world, other = told_at_night()
    world.until(5, 8, 30)
    other.sweep()
    slow = Notifier(world)
    slow.sweep()
    held, others = world.digests.held, iter([other])

    def held_up(recipient: str, channel: str, limit: int) -> Sequence[Notification]:
        for one in others:
            assert one.digesting.run() == 1
            world.overdue("p-2")
            world.clock.advance(61)
            one.sweep()
        return held(recipient, channel, limit)

    world.digests.held = held_up  # type: ignore[assignment]  # a stub in place of a method
    assert slow.digesting.run() == 0
    assert statuses(world) == ["carried", "held"]
    other.deliver()
    world.until(6, 8, 31)
    other.morning()
    other.deliver()
    assert world.heard() == [[("new", "p-1")], [("new", "p-2"), ("overdue", "p-1")]]


def test_an_all_clear_of_what_was_never_sent_is_not_sent() -> None:
    world, notifier = told_at_night()
    world.until(5, 8, 30)
    notifier.morning()
    world.reported()
    world.clock.advance(61)
    notifier.sweep()
    assert statuses(world, "cleared") == ["held"]
    world.until(6, 8, 30)
    assert notifier.morning() == 0
    assert statuses(world, "cleared") == ["superseded"]
    assert statuses(world) == ["superseded"]


def holds(world: Mornings, *holders: tuple[str, str]) -> None:
    """The post `desk-1` is held by each of these from a day on."""
    ends = [(date.fromisoformat(begin) - timedelta(days=1)).isoformat() for _, begin in holders[1:]]
    rows = [
        {"holder": holder, "date": begin, "until": until}
        for (holder, begin), until in zip(holders, [*ends, None], strict=True)
    ]
    told = {"registered": True, "holders": rows}
    world.directory.put([Entry("post:desk-1", 0, len(holders), 1, told)])


def test_whoever_takes_over_a_post_is_told_of_all_that_is_open_by_the_next_digest() -> None:
    world = Mornings()
    world.people = [WHO, "u-li"]
    holds(world, (WHO, "2026-01-01"))
    notifier = Notifier(world)
    for project in ("p-1", "p-2"):
        world.overdue(project, officer="desk-1")
    world.clock.advance(61)
    notifier.sweep()
    world.until(5, 8, 30)
    notifier.morning()
    notifier.deliver()
    assert (len(world.heard(WHO)), world.heard("u-li")) == (1, [])
    holds(world, (WHO, "2026-01-01"), ("u-li", "2026-03-06"))  # said a day ahead: no event comes on the day itself
    world.overdue("p-3", officer="desk-1")
    world.until(5, 12)
    notifier.sweep()
    world.until(6, 7, 1)
    notifier.sweep()
    told = [row.kind for row in world.notifications.rows.values() if row.recipient == "u-li"]
    assert told == ["handover"] * 3  # the inbox knows before the hours begin
    world.until(6, 8, 30)
    notifier.morning()
    notifier.deliver()
    assert world.heard("u-li") == [[("overdue", "p-1"), ("overdue", "p-2"), ("overdue", "p-3")]]
    (line, *_) = next(row.sheet.lines for row in world.got if row.recipient == "u-li" and row.sheet is not None)
    assert "现由专员 u-li接手" in line.zh
    assert world.heard(WHO)[1:] == [[("new", "p-3")]]  # told on the 5th, when the post was still theirs
    world.until(9, 8, 31)
    notifier.morning()
    notifier.deliver()
    climbed = [("overdue", "p-1"), ("overdue", "p-2"), ("overdue", "p-3")]
    listed = [("projects", "p-1"), ("projects", "p-2"), ("projects", "p-3")]  # a new week
    assert world.heard("u-li")[1:] == [[*climbed, *listed]]
    assert len(world.heard(WHO)) == 2  # what another has taken over stands in no digest of theirs any more
    for project in ("p-1", "p-2", "p-3"):
        world.reported(project)
    world.clock.advance(61)
    notifier.sweep()
    world.until(10, 8, 31)
    notifier.morning()
    notifier.deliver()
    over = [("cleared", "p-1"), ("cleared", "p-2"), ("cleared", "p-3")]
    assert (world.heard("u-li")[2:], world.heard(WHO)[2:]) == ([over], [over])


def test_what_is_silenced_or_paused_stands_in_no_digest_and_comes_back() -> None:
    world, notifier = told_at_night("p-1", "p-2", "p-3")
    world.until(5, 8, 30)
    notifier.morning()
    notifier.deliver()
    over = "2026-03-08T16:00:00.000Z"  # the midnight that begins Monday the 9th
    silence = Silence("s1", "p-1", None, 0, WHO, "整改中", "2026-03-08", world.clock.now_text(), over)
    world.silences.rows = {"s1": silence}
    paused = clock("2026-03-01T00:00:00.000Z")
    paused["lights"][-1]["reason"] = {"code": "overdue-paused"}
    world.hears("p-2", clocks=[paused])
    world.until(6, 8, 30)
    notifier.morning()
    notifier.deliver()
    assert world.heard()[1:] == [[("overdue", "p-3")]]
    world.overdue("p-2")
    world.until(9, 8, 30)
    notifier.morning()
    notifier.deliver()
    back = [line for line in world.heard()[-1] if line[0] != "projects"]
    assert sorted(back) == [("overdue", "p-1"), ("overdue", "p-2"), ("overdue", "p-3")]


def test_who_was_told_of_an_earlier_stall_reads_nothing_of_the_next_one_before_being_told_of_it() -> None:
    world, notifier = told_at_night()
    world.until(5, 8, 30)
    notifier.morning()
    notifier.deliver()
    world.reported()
    world.until(6, 8, 30)
    notifier.morning()
    notifier.deliver()
    world.people = [WHO, "u-li"]
    world.overdue(officer="u-li", lead_unit=WHO)  # the report was wrong; above those who are told first
    world.clock.advance(61)
    notifier.sweep()
    world.overdue("p-2")
    world.until(7, 12)
    notifier.sweep()
    world.until(9, 8, 31)
    notifier.morning()
    notifier.deliver()
    first_of_the_week = [line for line in world.heard()[-1] if line[0] != "projects"]
    assert first_of_the_week == [("new", "p-2")]
    assert world.heard("u-li")[0][0] == ("new", "p-1")
    assert world.heard()[:-1] == [[("new", "p-1")], [("cleared", "p-1")]]


def test_a_preview_says_the_same_and_changes_nothing() -> None:
    world, notifier = told_at_night("p-1", "p-2")
    before = dict(world.notifications.rows)
    sheet, _ = notifier.digesting.preview(WHO, WECOM)
    assert [(line.group, line.project_id) for line in sheet.lines] == [("new", "p-1"), ("new", "p-2")]
    assert world.notifications.rows == before


# -- killed at any call ------------------------------------------------------------------------------------------------

Step = Callable[[Mornings, Notifier], object]

STORY: Sequence[Step] = (
    lambda world, _: world.overdue("p-1"),
    lambda world, _: world.overdue("p-2"),
    lambda world, _: world.clock.advance(61),
    lambda _, notifier: notifier.sweep(),
    lambda world, _: world.until(5, 8, 30),
    lambda _, notifier: notifier.morning(),
    lambda _, notifier: notifier.deliver(),
    lambda world, _: world.clock.advance(6),
    lambda _, notifier: notifier.digesting.run(),
    lambda world, _: world.reported("p-1"),
    lambda world, _: world.clock.advance(61),
    lambda _, notifier: notifier.sweep(),
    lambda world, _: world.until(6, 8, 30),
    lambda _, notifier: notifier.morning(),
    lambda _, notifier: notifier.deliver(),
)
TOLD = [[("new", "p-1"), ("new", "p-2")], [("overdue", "p-2"), ("cleared", "p-1")]]


def told_through(crash_at: int | None, after: bool) -> tuple[Mornings, CallCounter]:
    world, counter = Mornings(), CallCounter()
    counter.crash_at, counter.after = crash_at, after
    notifier = Notifier(world, counter)
    for step in STORY:
        try:
            step(world, notifier)
        except CrashError:
            notifier = Notifier(world)
            world.clock.advance(31)  # its lease runs out
            step(world, notifier)
    return world, counter


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_at_any_call_the_digests_are_the_same(after: bool) -> None:
    _, counter = told_through(None, False)
    assert counter.count > 50
    for number in range(1, counter.count + 1):
        world, _ = told_through(number, after)
        assert world.heard() == TOLD, number
        rests(world)
        carried = Counter(i for r in world.notifications.rows.values() if r.sheet for i in r.sheet.carries)
        assert set(carried.values()) == {1}, number
        assert len(carried) == 3, number
        assert Counter(row.id for row in world.got).most_common(1)[0][1] <= 2, number


@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
def test_killed_and_overtaken_by_the_next_morning_nothing_is_in_two_digests_or_in_none(after: bool) -> None:
    _, counter = told_through(None, False)
    for number in range(1, counter.count + 1):
        world, crash = Mornings(), CallCounter()
        crash.crash_at, crash.after = number, after
        notifier = Notifier(world, crash)
        for step in STORY:
            try:
                step(world, notifier)
            except CrashError:
                notifier = Notifier(world)
        rests(world)
        sent = {row.id: row for row in world.got}
        carried = Counter(i for row in sent.values() if row.sheet for i in row.sheet.carries)
        assert set(carried.values()) <= {1}, number
        for row in world.notifications.rows.values():
            delivery = row.delivery(WECOM)
            if row.kind != "digest" and delivery is not None:
                assert (delivery.status == "sent") == (carried[row.id] == 1), (number, row.id)
                assert delivery.status in {"sent", "superseded"}, (number, row.id)
        heard = [line for digest in world.heard() for line in digest]
        for project in ("p-1", "p-2"):
            groups = [group for group, about in heard if about == project]
            assert groups[:1] != ["cleared"], number  # no all-clear before its stall
