"""The pool of the demonstration zone, looked at through the domain's own rules."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from luodi.domain.assess import assess
from luodi.domain.calendar import Calendar
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.pool import INTRODUCERS, STANDINGS, success
from seeds import demo
from seeds.prospects import FIRST_NUMBER, IN_THE_POOL
from seeds.story import project_id
from tests.rules import DEFAULT_RULES

DAY = date(2026, 3, 5)
CALENDAR = Calendar.build(ZoneInfo("Asia/Shanghai"), {})


@cache
def documents() -> dict[str, dict[str, Any]]:
    """Every project of which the pool tells."""
    told: dict[str, list[Event]] = {}
    for place, event in enumerate(demo.events(DAY)):
        at = f"{DAY}T{2 + place // 3600:02d}:{place // 60 % 60:02d}:{place % 60:02d}.000Z"
        row = Event(event.subject, event.id, event.type, at, 0, event.actor, event.data)
        told.setdefault(event.subject, []).append(row)
    pooled = {s: rows for s, rows in told.items() if any(row.type == "project.pooled" for row in rows)}
    return {s: assess(s, fold(rows), DEFAULT_RULES, CALENDAR) for s, rows in pooled.items()}


def test_the_pool_stands_beside_the_518_and_shows_every_standing() -> None:
    own = [project_id(FIRST_NUMBER + number) for number in range(IN_THE_POOL)]
    found = documents()
    assert {found[id_]["status"] for id_ in own} == {"pool"}
    assert not {project.id for project in demo.projects(DAY)} & {*own}
    assert {document["pool"]["standing"] for document in found.values()} == {*STANDINGS}
    assert all(found[id_]["name"].startswith("示例") for id_ in own)
    assert all(found[id_]["enterprise"].startswith("示例") for id_ in own)


def test_some_of_the_signed_came_through_the_pool_and_most_who_were_talked_with_signed() -> None:
    standings = Counter(
        (document["pool"]["standing"], document["pool"]["talks"] > 0) for document in documents().values()
    )
    told = success({"standing": s, "talked": talked, "count": n} for (s, talked), n in standings.items())
    assert told["signed"] > 20
    assert 0.5 < told["success"]["rate"] < 0.9


def test_every_way_in_occurs_and_some_next_steps_are_overdue() -> None:
    pools = [document["pool"] for document in documents().values()]
    assert {pool["introducer"] for pool in pools} == {*INTRODUCERS} - {"其他"}
    talking = [pool for pool in pools if pool["standing"] == "talking"]
    ahead = {pool["next_date"] > DAY.isoformat() for pool in talking if pool["next_date"]}
    assert ahead == {True, False}
