"""Units that report nothing: who hears of it, when, and what ends it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from luodi.domain.days import instant, parse_instant
from luodi.runtime.clock import ManualClock
from services.notify.beats import Beat
from services.notify.composing import is_urgent
from services.notify.matters import NO_PARTITION
from services.notify.units import SilentUnits, falls_silent, known_until
from services.notify.watches import watch_of
from tests.unit.notify.builders import CALENDAR, COMPOSER, clock, state
from tests.unit.notify.fakes import MemoryMatters, MemoryUnits, MemoryWatches
from tests.unit.notify.test_ladder import local
from tests.unit.notify.world import Notifier, World

MONDAY = "02 10:00:00"  # 2 March 2026
FIRST = "10 00:00:05"  # Tuesday: five working days, 3 to 9 March, are over
SECOND = "18 00:00:05"  # Wednesday: five more, 11 to 17 March, since it was told on the 10th


class Story:
    """A unit that leads projects, and somebody who looks."""

    def __init__(self, days: int = 5) -> None:
        self.days = days
        self.world = World(webhook=False)
        self.world.clock = self.clock = ManualClock(parse_instant(local(MONDAY)))
        self.watches: MemoryWatches = self.world.watches
        self.matters: MemoryMatters = self.world.matters
        self.acting: dict[str, str] = {"power": "u-head"}
        self.known: str | None = None  # "" or an instant; None: it keeps up
        self.events = 0

    def reports(self, project: str = "p-1", unit: str = "power", **fields: Any) -> None:
        """Something is recorded about a project."""
        self.events += 1
        told = {"lead_unit": unit, "group_head": "g-1", "clocks": [clock(local("28 00:00:00"))], **fields}
        record = state(project, self.events, updated_at=self.clock.now_text(), **told)
        self.watches.put([watch_of(record, self.watches.rows.get(project), self.clock.now_text(), 0)])

    def until(self, text: str) -> None:
        """Time passes to this moment, with a look then."""
        self.clock.advance((parse_instant(local(text)) - self.clock.now()).total_seconds())
        self.look()

    def look(self) -> None:
        sweep = Notifier(self.world).sweeper
        SilentUnits(
            days=self.days,
            units=MemoryUnits(self.watches),
            matters=self.matters,
            known=lambda: self.clock.now_text() if self.known is None else self.known,
            acting=self._acting,
            calendar=CALENDAR,
            finish=lambda: sweep.finish([NO_PARTITION]),
            clock=self.clock,
        ).look()

    def _acting(self, ids: Collection[str]) -> Mapping[str, str]:
        return {id_: self.acting.get(id_, id_) for id_ in ids}

    def told(self) -> list[tuple[str, str]]:
        rows = sorted(self.world.inbox(), key=lambda row: (row.created_at, row.order, row.recipient))
        return [(row.kind, row.recipient) for row in rows]


@pytest.fixture
def story() -> Story:
    made = Story()
    made.reports()
    return made


def test_after_five_working_days_without_any_report_the_group_head_is_told_once(story: Story) -> None:
    story.until("09 23:59:59")
    assert story.told() == []
    story.until(FIRST)
    assert story.told() == [("stalled", "g-1")]
    story.until("17 23:00:00")
    assert story.told() == [("stalled", "g-1")]
    (row,) = story.world.inbox()
    assert "power自2026-03-02起未报" in row.texts.title_zh
    assert "5 working days" in row.texts.text_en


def test_after_as_many_again_the_head_of_the_unit_and_the_operators_are_told(story: Story) -> None:
    story.until(FIRST)
    story.until("17 23:59:59")
    assert len(story.told()) == 1
    story.until(SECOND)
    assert story.told()[1:] == [("escalated", "operators"), ("escalated", "u-head")]
    story.until("31 12:00:00")
    assert len(story.told()) == 3, "there is nobody above them"


def test_any_report_on_any_of_its_projects_ends_it_for_everybody_who_was_told(story: Story) -> None:
    story.until(FIRST)
    story.until(SECOND)
    story.reports("p-2", clocks=[], reached={"signed": "2025-12-01"})
    story.look()
    assert story.told()[3:] == [("cleared", who) for who in ("g-1", "operators", "u-head")]


def test_a_unit_that_falls_silent_again_is_told_again(story: Story) -> None:
    story.until(FIRST)
    story.reports()
    story.look()
    story.until("17 23:00:00")
    assert [kind for kind, _ in story.told()] == ["stalled", "cleared"]
    story.until(SECOND)
    assert [kind for kind, _ in story.told()] == ["stalled", "cleared", "stalled"]


def test_a_report_on_one_project_speaks_for_the_unit(story: Story) -> None:
    story.reports("p-2")
    story.until("06 09:00:00")
    story.reports("p-2")
    story.until("13 23:00:00")
    assert story.told() == []
    story.until("16 00:00:05")  # Monday
    assert story.told() == [("stalled", "g-1")]


def test_a_unit_without_an_open_clock_need_not_report_and_one_that_loses_its_last_is_left_alone(story: Story) -> None:
    story.reports("p-3", "water", clocks=[])
    story.until(FIRST)
    assert story.told() == [("stalled", "g-1")]
    rows = story.watches.rows
    rows["p-1"] = watch_of(
        state("p-1", 99, updated_at=rows["p-1"].reported_at, status="withdrawn", lead_unit="power"),
        rows["p-1"],
        local(FIRST),
        0,
    )
    story.look()
    assert [kind for kind, _ in story.told()] == ["stalled", "cleared"]


def test_nothing_is_told_before_every_partition_s_news_up_to_then_is_known(story: Story) -> None:
    for known in ("", local("09 23:00:00"), local("10 00:00:04")):
        story.known = known
        story.until("12 09:00:00") if known == "" else story.look()
        assert story.told() == []
    story.known = local(FIRST)
    story.look()
    assert story.told() == [("stalled", "g-1")]
    story.clock.advance(timedelta(days=20).total_seconds())
    story.look()
    assert len(story.told()) == 1, "nor does it climb"


def test_a_report_ends_it_whatever_else_is_known(story: Story) -> None:
    story.until(FIRST)
    story.known = ""
    story.reports()
    story.look()
    assert [kind for kind, _ in story.told()] == ["stalled", "cleared"]


def test_the_group_heads_of_all_its_projects_are_told_each_through_whoever_acts_for_them(story: Story) -> None:
    story.reports("p-2", group_head="g-2")
    story.reports("p-3", group_head="g-3")
    story.acting["g-3"] = "g-1"
    story.until(FIRST)
    assert story.told() == [("stalled", "g-1"), ("stalled", "g-2")]


@pytest.mark.parametrize(
    ("acting", "told"), [({"power": "u-head"}, "u-head"), ({}, "zone:demo")], ids=["the unit's head", "the zone's desk"]
)
def test_without_a_group_head_others_are_told(acting: dict[str, str], told: str) -> None:
    story = Story()
    story.acting = acting
    story.reports(group_head=None)
    story.until(FIRST)
    assert story.told() == [("stalled", told)]


def test_a_unit_that_nobody_leads_climbs_to_the_operators_alone(story: Story) -> None:
    story.acting = {}
    story.until(FIRST)
    story.until(SECOND)
    assert story.told()[1:] == [("escalated", "operators")]


def test_it_waits_for_the_digest_and_stands_in_no_list_but_those_of_the_people_it_concerns(story: Story) -> None:
    story.until(FIRST)
    (matter,) = story.matters.rows.values()
    assert not is_urgent(matter, matter.last_telling)
    (row,) = COMPOSER.openings(matter, ["inbox"], local(FIRST))
    assert not row.urgent
    listed: dict[str, Any] = {"zone": None, "state": "open", "before": None, "limit": 9}
    assert story.matters.page(people=None, **listed) == []
    assert story.matters.page(people=["g-1"], **listed) == [matter]


def test_with_zero_days_nobody_is_told_and_what_was_told_ends(story: Story) -> None:
    story.until(FIRST)
    story.days = 0
    story.look()
    story.until("31 12:00:00")
    assert [kind for kind, _ in story.told()] == ["stalled", "cleared"]


def test_two_notifiers_that_look_at_once_tell_it_once(story: Story) -> None:
    story.until(FIRST)
    story.look()
    story.look()
    assert story.told() == [("stalled", "g-1")]


def test_of_a_project_taken_over_by_an_earlier_version_its_last_change_counts(story: Story) -> None:
    row = story.watches.rows["p-1"]
    story.watches.rows["p-1"] = replace(row, reported_at="")
    story.until("09 23:59:59")
    assert story.told() == []
    story.until(FIRST)
    assert story.told() == [("stalled", "g-1")]


@pytest.mark.parametrize(
    ("reported", "silent"),
    [
        ("02 10:00:00", "10 00:00:00"),
        ("02 23:59:59", "10 00:00:00"),
        ("03 00:00:00", "11 00:00:00"),
        ("06 18:00:00", "16 00:00:00"),  # Friday: the five are over on Friday night, told on Monday
        ("07 09:00:00", "16 00:00:00"),  # on a Saturday
    ],
)
def test_whole_working_days_after_the_day_of_the_report_are_counted(reported: str, silent: str) -> None:
    assert falls_silent(local(reported), 5, CALENDAR) == local(silent)


def test_what_is_known_is_what_of_the_slowest_partition_is() -> None:
    def at(hour: int) -> str:
        return instant(datetime(2026, 3, 5, hour, tzinfo=UTC))

    beats = [
        Beat("a", at(9), frozenset([0, 1]), {}, {0: at(8), 1: at(4)}),
        Beat("b", at(9), frozenset([1, 2]), {}, {1: at(7), 2: at(6)}),  # has 1 from the first
    ]
    assert known_until(beats, 3) == at(6)
    assert known_until(beats, 4) == "", "of one nothing is"
    assert known_until(beats, 0) == "", "how many there are is not known yet"
