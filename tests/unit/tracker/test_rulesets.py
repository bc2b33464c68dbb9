"""Which rules are in force, and how a process that runs goes over to others."""

from __future__ import annotations

import dataclasses
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.fold import FOLD_VERSION
from luodi.domain.rules import ZONE_DEFAULT, Limit, Rules
from luodi.runtime.errors import FatalError, InvalidSettingsError
from services.tracker import rulesets
from services.tracker.folding import Folder
from services.tracker.rulesets import Activation, Content, Regime, may_take_over
from tests.parity.tracker.fakes import MemoryRulesets
from tests.rules import DEFAULT_RULES, PACKAGED, with_limit
from tests.unit.tracker.plant import CALENDAR, Plant, event

NOW, DAY = "2026-03-02T02:00:00.000Z", date(2026, 3, 2)
OTHER = Calendar.build(ZoneInfo("Asia/Shanghai"), {2027: YearDays(off=frozenset({date(2027, 1, 1)}))})


class Files:
    """The configuration as it stands in its files."""

    def __init__(self) -> None:
        self.calendar = CALENDAR
        self.fault = ""

    def read(self) -> tuple[Rules, Calendar]:
        if self.fault:
            raise InvalidSettingsError([self.fault])
        return DEFAULT_RULES, self.calendar


def running(store: MemoryRulesets, files: Files) -> Regime:
    content = Content.of(DEFAULT_RULES, CALENDAR)
    return Regime(store, Folder(DEFAULT_RULES, CALENDAR, rulesets.at_start(store, content, NOW, DAY)), files.read)


def apply(store: MemoryRulesets, calendar: Calendar, held_until: str | None = None) -> Activation:
    return rulesets.activate(store, Content.of(DEFAULT_RULES, calendar), NOW, DAY, by="u-clerk", held_until=held_until)


def test_a_process_reads_its_files_again_when_others_are_in_force() -> None:
    store, files = MemoryRulesets(), Files()
    regime = running(store, files)
    files.calendar = OTHER
    regime.recheck()
    assert regime.folder.calendar is CALENDAR, "a file alone changes nothing"
    assert apply(store, OTHER).number == 2
    regime.recheck()
    assert (regime.folder.ruleset, regime.folder.calendar) == (2, OTHER)
    files.calendar = CALENDAR
    apply(store, CALENDAR)
    regime.recheck()
    assert (regime.folder.ruleset, regime.folder.calendar) == (3, CALENDAR), "and back again"


def test_a_process_whose_files_are_not_those_applied_ends() -> None:
    store, files = MemoryRulesets(), Files()
    regime = running(store, files)
    apply(store, OTHER)
    with pytest.raises(FatalError, match="another configuration folder"):
        regime.recheck()
    files.fault = "zones.toml: zone 1: code is missing"
    with pytest.raises(FatalError, match="code is missing"):
        regime.recheck()


def test_a_new_fold_cannot_be_read_from_files() -> None:
    store, files = MemoryRulesets(), Files()
    regime = running(store, files)
    content = dataclasses.replace(Content.of(DEFAULT_RULES, CALENDAR), fold_version=FOLD_VERSION + 1)
    rulesets.activate(store, content, NOW, DAY, by="tracker")
    with pytest.raises(FatalError, match="old deploy"):
        regime.recheck()


def test_a_command_holds_the_documents_until_it_is_done_or_says_no_more() -> None:
    store, files = MemoryRulesets(), Files()
    regime = running(store, files)
    files.calendar = OTHER
    number = apply(store, OTHER, held_until="2026-03-02T02:00:20.000Z").number
    regime.recheck()
    assert regime.is_held("2026-03-02T02:00:19.999Z")
    assert not regime.is_held("2026-03-02T02:00:20.000Z")
    store.hold(number, None)
    regime.recheck()
    assert not regime.is_held("2026-03-02T02:00:01.000Z")


def test_a_folded_state_is_taken_over_unless_the_fold_changed_or_all_was_to_be_folded_afresh() -> None:
    def row(number: int, fold_version: int = FOLD_VERSION, *, afresh: bool = False) -> Activation:
        return Activation(number, "d", fold_version, "r", "c", NOW, afresh=afresh)

    rows = {one.number: one for one in (row(1, FOLD_VERSION - 1), row(2), row(3), row(4, afresh=True), row(5))}
    taken_over = {(earlier, later) for earlier in rows for later in rows if earlier < later} - {
        (earlier, later)
        for earlier in rows
        for later in rows
        if earlier < later and not may_take_over(rows, earlier, later)
    }
    assert taken_over == {(2, 3), (4, 5)}
    assert not may_take_over(rows, 9, 10), "of a number that nobody gave"


def test_documents_are_renewed_without_reading_the_journal() -> None:
    plant = Plant(partitions=1)
    plant.arrive(event("p0", "a", 1), event("p0", "b", 2))
    worker = plant.worker()
    worker.turn(4)
    rows, plant.journal.rows = plant.journal.rows, {}
    number = rulesets.activate(plant.rulesets, Content.of(DEFAULT_RULES, CALENDAR), NOW, DAY, by="test").number
    worker.regime.recheck()
    assert worker.renewal.step([0]) == 1
    assert worker.renewal.step([0]) == 0
    plant.journal.rows = rows
    assert plant.projects.documents["p0"]["ruleset"] == number
    plant.check_end()


def test_what_is_to_be_folded_afresh_is_read_from_the_journal() -> None:
    plant = Plant(partitions=1)
    plant.arrive(event("p0", "a", 1))
    worker = plant.worker()
    worker.turn(4)
    plant.projects.documents["p0"]["fold"] = b"{}"  # tampered with
    rulesets.activate(plant.rulesets, Content.of(DEFAULT_RULES, CALENDAR), NOW, DAY, by="test", afresh=True)
    worker.regime.recheck()
    assert worker.renewal.step([0]) == 1
    plant.check_end()


def shorter(valid_from: date) -> Rules:
    """The packaged rules with 60 calendar days to the land, from this date on."""
    later = with_limit("land", "land_supplied", Limit(60, "calendar_days"), valid_from)
    versions = [version for version in PACKAGED.presets[ZONE_DEFAULT] if version.valid_from != valid_from]
    return dataclasses.replace(PACKAGED, presets={**PACKAGED.presets, ZONE_DEFAULT: (*versions, later)})


def test_a_process_does_not_start_with_files_that_would_change_verdicts_of_the_past() -> None:
    store, valid_from = MemoryRulesets(), PACKAGED.presets[ZONE_DEFAULT][0].valid_from
    rulesets.at_start(store, Content.of(PACKAGED, CALENDAR), NOW, DAY)
    rewritten = Content.of(shorter(valid_from), CALENDAR)
    with pytest.raises(FatalError, match=r"zone-default@1980-01-01 changed.*--rewrite-history"):
        rulesets.at_start(store, rewritten, NOW, DAY)
    row = rulesets.activate(store, rewritten, NOW, DAY, by="u-clerk")
    assert (row.number, row.changes) == (2, ("zone-default@1980-01-01 changed",))
    assert rulesets.at_start(store, rewritten, NOW, DAY) == 2
    to_come = Content.of(
        dataclasses.replace(shorter(valid_from), zones={"demo": ("zone-default", "idle-land")}), CALENDAR
    )
    assert rulesets.at_start(store, to_come, NOW, DAY) == 3
    assert store.rows[3].changes == ("idle-land in demo activated",)
