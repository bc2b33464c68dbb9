"""The land and buildings of the demonstration zone, looked at through the domain's own rules."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from luodi.domain.calendar import Calendar
from luodi.domain.events import Event
from luodi.domain.fold import fold
from luodi.domain.kinds import KINDS
from luodi.domain.resources import RESOURCE_KINDS, STATES, stand_on
from luodi.domain.subjects import RESOURCE, kind_of
from seeds import demo
from seeds.plots import LOTS
from tests.rules import DEFAULT_RULES

DAY = date(2026, 3, 5)
CALENDAR = Calendar.build(ZoneInfo("Asia/Shanghai"), {})


@cache
def documents() -> dict[str, dict[str, Any]]:
    told: dict[str, list[Event]] = {}
    for place, event in enumerate(demo.events(DAY)):
        if kind_of(event.subject) == RESOURCE:
            at = f"{DAY}T02:00:{place // 1000:02d}.{place % 1000:03d}Z"
            row = Event(event.subject, event.id, event.type, at, 0, event.actor, event.data)
            told.setdefault(event.subject, []).append(row)
    kind = KINDS[RESOURCE]
    return {s: kind.document(s, fold(rows, kind.empty), DEFAULT_RULES, CALENDAR) for s, rows in told.items()}


def test_every_kind_and_every_state_occurs() -> None:
    found = documents().values()
    assert len(found) == sum(lot.count for lot in LOTS) == 41
    assert {document["kind"] for document in found} == {*RESOURCE_KINDS}
    assert {stand_on(document, DAY.isoformat())["state"] for document in found} == {*STATES}
    assert all(document["name"].startswith("示例") for document in found)


def test_projects_of_the_zone_have_some_of_it_and_others_gave_theirs_up() -> None:
    projects = {project.id for project in demo.projects(DAY)}
    rows = [row for document in documents().values() for row in document.get("assignments", [])]
    assert {row["project_id"] for row in rows} <= projects
    assert {row["ended"] is None for row in rows} == {True, False}
    assert not any(stand_on(document, DAY.isoformat())["over"] for document in documents().values())


def test_much_of_it_is_to_be_had() -> None:
    stands = [stand_on(document, DAY.isoformat()) for document in documents().values()]
    assert len([stand for stand in stands if stand["state"] == "可供" and stand["free"]]) > 15
