"""A document of the product held against a verdict of the slow walk, day by day."""

from __future__ import annotations

from datetime import date, timedelta

from luodi.domain.assess import days_used
from tests.unit.domain.builders import Document, every_day, published
from tests.unit.domain.oracle import Closed, Verdict


def days_from(begin: date, end: date) -> list[date]:
    """The days from the first up to, and without, the last."""
    return [begin + timedelta(days=number) for number in range((end - begin).days)]


Shown = dict[date, tuple[str, str]]


def differing(product: Shown, walk: Shown) -> list[tuple[str, tuple[str, str], tuple[str, str]]]:
    """The days on which they differ, what the product shows and what the walk found."""
    return [(day.isoformat(), product[day], walk[day]) for day in walk if product[day] != walk[day]]


def agree(document: Document, verdict: Verdict, *, whole: bool = True) -> None:
    """Every clock, every promise and the project itself show the same on every day that was walked over."""
    assert (document["stage"], document["next_stage"]) == (verdict.stage, verdict.awaited)
    assert [clock["rule"] for clock in document["clocks"]] == [*verdict.clocks]
    for clock in document["clocks"]:
        walk = verdict.clocks[clock["rule"]]
        assert clock["start"] == walk.start.isoformat()
        assert clock["due"] == walk.due.isoformat()
        assert clock["limit_days"] == walk.length
        assert clock["provisional"] == walk.provisional
        assert differing(every_day(clock["lights"], walk.lights), walk.lights) == [], clock["rule"]
        owners = {
            day: pause["owner"]
            for pause in clock["paused_by"] or ()
            for day in days_from(date.fromisoformat(pause["from"]), date.fromisoformat(pause["to"]))
        }
        assert owners == {day: blocker.owner for day, (_, blocker) in walk.paused.items()}
        for day, used in walk.used.items():
            assert days_used(clock, published(), day) == used, day
    lit = {blocker["id"]: blocker["lights"] for blocker in document["blockers"] if blocker["lights"]}
    assert lit.keys() == verdict.promises.keys()
    for blocker, walk in verdict.promises.items():
        assert differing(every_day(lit[blocker], walk.lights), walk.lights) == [], blocker
    if whole:
        for day, (light, _) in every_day(document["lights"], verdict.days()).items():
            assert light == verdict.light(day), day


def agree_on_closed_gaps(document: Document, verdict: Verdict) -> None:
    """Every closed gap ended the same: how many days it took, and whether it was late."""
    product = [
        Closed(
            (entry["gap"][0], entry["gap"][1]),
            entry["rule"],
            date.fromisoformat(entry["start"]),
            date.fromisoformat(entry["closed"]),
            date.fromisoformat(entry["due"]),
            entry["days"],
            entry["over"],
            entry["verdict"] == "late",
        )
        for entry in document["closed"]
    ]
    assert product == verdict.closed
