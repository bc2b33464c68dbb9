"""Our own outages on a real Kafka and a real MongoDB: parts that stand still while a midnight passes.

In each story reports are acknowledged before, in and behind the outage; nothing false may be told, nothing hidden, and
what overran and recovered unseen is told once, as recovered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from luodi.local.harness import Servers, servers
from tests.integration.drill import LAND_DAYS, SHANGHAI, Drill
from tests.integration.notify.world import until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

BEFORE = timedelta(minutes=10)  # so long before midnight a story begins
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
GRACE = timedelta(minutes=1)  # an outage that is over by then hides no stall

IN_TIME, STALLED, RECOVERED, HISTORY = "in-time", "stalled", "recovered", "history"
ALLOWED: dict[str, set[tuple[str, ...]]] = {
    IN_TIME: {()},
    STALLED: {("stalled",)},
    RECOVERED: {("recovered",)},
    HISTORY: {()},
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of our own, which these stories may end."""
    with servers(tmp_path_factory.mktemp("outages")) as made:
        yield made
        made.kill_kafka()  # a clean stop would take longer than a story


@pytest.fixture
def drill(pair: Servers, tmp_path: Path) -> Iterator[Drill]:
    tomorrow = datetime.now(SHANGHAI).date() + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=SHANGHAI)
    made = Drill(pair, tmp_path, midnight - BEFORE)
    try:
        yield made
    finally:
        made.close()


def _services(*parts: str) -> Callable[[Drill], contextlib.AbstractContextManager[None]]:
    @contextlib.contextmanager
    def away(drill: Drill) -> Iterator[None]:
        drill.ends(*parts)
        yield
        drill.starts(*parts)

    return away


@contextlib.contextmanager
def _mongodb_killed(drill: Drill) -> Iterator[None]:
    drill.pair.kill_mongodb()
    yield
    drill.pair.start_mongodb()


@contextlib.contextmanager
def _mongodb_frozen(drill: Drill) -> Iterator[None]:
    drill.pair.pause("mongodb")
    yield
    drill.pair.resume("mongodb")


@contextlib.contextmanager
def _kafka_killed(drill: Drill) -> Iterator[None]:
    drill.pair.kill_kafka()
    yield
    drill.pair.start_kafka()


@contextlib.contextmanager
def _tracker_and_mongodb(drill: Drill) -> Iterator[None]:
    drill.ends("tracker")
    with _mongodb_killed(drill):
        yield
    drill.starts("tracker")


OUTAGES: dict[str, tuple[Callable[[Drill], contextlib.AbstractContextManager[None]], timedelta]] = {
    "the tracker is away for two hours": (_services("tracker"), 2 * HOUR),
    "notify is away for two hours": (_services("notify"), 2 * HOUR),
    "notify is away for the second of midnight": (_services("notify"), SECOND),
    "tracker and notify are away for the night": (_services("tracker", "notify"), 10 * HOUR),
    "MongoDB is killed and comes back after an hour": (_mongodb_killed, HOUR),
    "MongoDB stands still for ten minutes": (_mongodb_frozen, timedelta(minutes=10)),
    "the tracker and MongoDB are away for an hour": (_tracker_and_mongodb, HOUR),
}


def midnight_of(drill: Drill) -> datetime:
    """The midnight at which what is due turns red."""
    return drill.start + BEFORE


def enters(drill: Drill) -> date:
    """Three projects whose stage is due today are known everywhere. Returns the day."""
    drill.starts("tracker", "notify")
    due = midnight_of(drill).date() - timedelta(days=1)
    for project in (IN_TIME, STALLED, RECOVERED):
        drill.signs(project, due - timedelta(days=LAND_DAYS))
    until(lambda: all(map(drill.knows, (IN_TIME, STALLED, RECOVERED))), "their deadlines known to notify")
    return due


@pytest.mark.parametrize("story", OUTAGES)
def test_after_an_outage_over_midnight_only_what_is_true_is_told_and_all_of_it(drill: Drill, story: str) -> None:
    outage, length = OUTAGES[story]
    due = enters(drill)
    with outage(drill):
        drill.reports_stage(IN_TIME, "land_supplied", due)  # acknowledged in time, and heard of only afterwards
        drill.clock.goes_to(midnight_of(drill) + length)
        if length > GRACE:  # else it is inside the grace, in which nothing counts as a stall
            drill.reports_stage(RECOVERED, "land_supplied", midnight_of(drill).date())
            drill.signs(HISTORY, due - timedelta(days=300))
            drill.reports_stage(HISTORY, "land_supplied", due - timedelta(days=20))
        if drill.notify is not None and drill.told(STALLED) != ("away",):
            drill.looks_again()
        told = {drill.told(project) for project in (IN_TIME, STALLED, RECOVERED)}
        assert told <= {(), ("away",)}, "somebody spoke from stale knowledge"
    until(lambda: drill.told(STALLED) == ("stalled",), "the true stall told", 60)
    drill.rests()
    found = {project: drill.told(project) for project in ALLOWED}
    allowed = ALLOWED if length > GRACE else ALLOWED | {RECOVERED: {("stalled",)}}
    assert {project: told for project, told in found.items() if told not in allowed[project]} == {}


def test_while_kafka_is_away_nobody_is_told_and_afterwards_only_what_is_true(drill: Drill) -> None:
    due = enters(drill)
    drill.reports_stage(IN_TIME, "land_supplied", due)  # what Kafka cannot take is not acknowledged: it comes before
    with _kafka_killed(drill):
        drill.clock.goes_to(midnight_of(drill) + HOUR)
        drill.looks_again()
        assert {drill.told(project) for project in (IN_TIME, STALLED, RECOVERED)} == {()}
    drill.reports_stage(RECOVERED, "land_supplied", midnight_of(drill).date())  # as soon as it takes anything again
    until(lambda: drill.told(STALLED) == ("stalled",), "the true stall told", 60)
    until(lambda: drill.told(RECOVERED) in {("recovered",), ("stalled", "cleared")}, "the end of the other told", 60)
    drill.rests()
    assert (drill.told(IN_TIME), drill.told(STALLED)) == ((), ("stalled",))
    assert drill.told(RECOVERED) in {("recovered",), ("stalled", "cleared")}
