"""Jobs that hang: seen from inside, from other notifiers, and not where somebody else does the work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from luodi.runtime.errors import TransientError
from services.notify.beats import BOUNDS_S, Beat, Late, Pulse, late
from services.notify.sweep import OURSELVES_S
from tests.unit.notify.watched import JOBS, MemoryBeats, Notifiers, after
from tests.unit.notify.world import Notifier

HANGS = [("a", "sweep")]
TOLD, OVER = ("late:a:sweep", "operations"), ("late:a:sweep", "cleared")


@pytest.fixture
def notifiers() -> Notifiers:
    made = Notifiers()
    made.begins("a", lambda: [0, 1])
    return made


def test_a_sweep_that_hangs_is_told_once_by_the_notifier_itself_and_so_is_its_end(notifiers: Notifiers) -> None:
    notifiers.passes(60, hang=HANGS)
    assert notifiers.told() == []
    notifiers.passes(600, hang=HANGS)
    (row,) = notifiers.told()
    assert (row.kind, row.recipient, row.urgent) == ("operations", "operators", True)
    assert "sweep" in row.texts.title_en
    assert "0, 1" in row.texts.text_zh
    notifiers.passes(10)
    assert notifiers.kinds() == [TOLD, OVER]


def test_one_that_hangs_altogether_is_missed_by_another_which_tells_it_once(notifiers: Notifiers) -> None:
    notifiers.begins("b", lambda: [2, 3])
    notifiers.passes(20)
    notifiers.passes(120, gone=["a"])
    assert ("late:a:sweep", "operations") in notifiers.kinds()
    assert {matter for matter, _ in notifiers.kinds()} == {"late:a:sweep", "late:a:deliver"}
    notifiers.passes(10)
    assert sorted(notifiers.kinds())[-2:] == sorted([TOLD, OVER])


def test_one_that_is_gone_and_whose_partitions_another_has_is_no_fault_and_is_forgotten_in_time(
    notifiers: Notifiers,
) -> None:
    mine = [2, 3]
    notifiers.begins("b", lambda: mine)
    notifiers.passes(20)
    mine += [0, 1]  # they have come to the other one
    notifiers.passes(600, gone=["a"])
    assert notifiers.told() == []
    assert set(notifiers.beats.rows) == {"a", "b"}
    notifiers.clock.advance(86_400)
    notifiers.passes(15, gone=["a"])
    assert set(notifiers.beats.rows) == {"b"}
    assert notifiers.told() == []


def test_only_the_partitions_that_nobody_looks_after_are_named(notifiers: Notifiers) -> None:
    notifiers.begins("b", lambda: [1, 2])
    notifiers.passes(600, hang=HANGS)
    (row,) = notifiers.told()
    assert row.texts.text_en.endswith("partitions 0. Look at the log of that process; restart it if need be.")


def test_two_that_hang_do_not_vouch_for_one_another(notifiers: Notifiers) -> None:
    notifiers.begins("b", lambda: [0, 1])
    notifiers.passes(600, hang=[("a", "sweep"), ("b", "sweep")])
    assert notifiers.kinds() == [TOLD, ("late:b:sweep", "operations")]


def test_while_mongodb_is_away_all_stands_still_and_when_it_is_back_nobody_is_late() -> None:
    class Away(MemoryBeats):
        away = False

        def note(self, beat: Beat) -> None:
            if self.away:
                raise TransientError("MongoDB", "away")
            super().note(beat)

    notifiers = Notifiers()
    notifiers.beats = store = Away()
    watch = notifiers.begins("a", lambda: [0])
    notifiers.passes(10)
    store.away = True
    for _ in range(60):
        notifiers.clock.advance(5)
        with pytest.raises(TransientError):
            watch.run()
    store.away = False
    watch.run()  # it is back, and this looks first
    notifiers.passes(60)
    assert notifiers.told() == []


def test_what_another_notifier_found_stays_open_while_a_new_one_has_not_looked_long_enough(
    notifiers: Notifiers,
) -> None:
    notifiers.passes(90, hang=HANGS)
    assert notifiers.kinds() == [TOLD]
    notifiers.begins("b", lambda: [5])
    notifiers.passes(5, hang=HANGS)
    assert notifiers.kinds() == [TOLD]


@pytest.mark.parametrize("job", JOBS)
def test_every_job_has_a_bound_of_its_own(notifiers: Notifiers, job: str) -> None:
    notifiers.passes(BOUNDS_S[job], hang=[("a", job)])
    assert notifiers.told() == []
    notifiers.passes(20, hang=[("a", job)])
    assert notifiers.kinds() == [(f"late:a:{job}", "operations")]


def test_a_notifier_that_stands_by_without_a_partition_is_never_late() -> None:
    beat = Beat("a", after(0), frozenset(), {"sweep": after(0)})
    assert late([beat], after(3600)) == []
    owner = Beat("a", after(0), frozenset([3]), {"sweep": after(0)})
    assert late([owner], after(3600)) == [Late("a", "sweep", after(0), (3,))]


def test_a_long_sweep_that_gets_on_is_not_late(notifiers: Notifiers) -> None:
    notifiers.pulses["a"].moves("sweep", lambda: 1.0)
    notifiers.passes(600, hang=HANGS)
    assert notifiers.told() == []


def test_readiness_names_the_jobs_that_hang(notifiers: Notifiers) -> None:
    pulse = Pulse(notifiers.clock, ("sweep", "record"))
    notifiers.clock.advance(61)
    pulse.beat("gauges")  # is not watched
    assert pulse.missing() == "sweep: nothing done for 61 s"
    pulse.beat("sweep")
    assert pulse.missing() is None


def test_a_message_is_written_by_another_look_where_the_first_was_killed_before_it(notifiers: Notifiers) -> None:
    notifiers.passes(90, hang=HANGS)
    (row,) = notifiers.told()
    del notifiers.world.notifications.rows[row.id]
    rows = notifiers.matters.rows
    rows[row.matter] = replace(rows[row.matter], complete=False)
    notifiers.passes(5, hang=HANGS)
    assert notifiers.kinds() == [TOLD]


def test_the_sweep_and_the_watch_leave_each_other_s_faults_alone(notifiers: Notifiers) -> None:
    notifiers.passes(90, hang=HANGS)  # and no watermark comes
    sweeper = Notifier(notifiers.world)
    sweeper.sweep()
    notifiers.passes(5, hang=HANGS)
    sweeper.sweep()
    assert notifiers.kinds() == [TOLD, ("watermark:0", "operations")]
    notifiers.world.watermark_keeps_up()
    notifiers.world.clock.advance(OURSELVES_S)
    sweeper.sweep()
    notifiers.passes(5)
    assert notifiers.kinds()[2:] == [("watermark:0", "cleared"), OVER]
