"""Short ways to say what notify knows, for its tests. Instants are told as minutes and seconds of one hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from luodi.domain.calendar import Calendar
from luodi.domain.days import BEGINNING, END_OF_TIME, instant
from luodi.runtime import limits
from luodi.runtime.configuration import Zone
from services.notify.composing import Composer
from services.notify.matters import Matter, Opening, opened
from services.notify.telling import Teller
from services.notify.watches import Deadline, Stretch, Watch, gap_matter

HOUR = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
GAP = ("signed", "started")
PROJECT = "demo-2026-7K3F9A2M4Q"
MATTER = gap_matter(PROJECT, GAP)
SETTLE_S = 10.0

ZONES = {
    "demo": Zone("demo", "demo", "示例高新区", "Example Zone", demo=True),
    "real": Zone("real", "rl", "某高新区", "Some Zone"),
}
CALENDAR = Calendar.build(ZoneInfo("Asia/Shanghai"), {})
RULES = limits.load(None, dict.fromkeys(ZONES, ("zone-default", "jiangdong")), [])
COMPOSER = Composer(ZONES, CALENDAR, "https://luodi.example")
TELLER = Teller(ZONES, CALENDAR, RULES)


def at(seconds: float) -> str:
    """The instant so many seconds after the hour of the story."""
    return instant(HOUR + timedelta(seconds=seconds))


def overdue(due: str = "2026-03-05", route: str = "land", gap: Sequence[str] = GAP) -> dict[str, Any]:
    """The reason of a red gap as the domain writes it."""
    basis = {"start": "2025-12-01", "limit": 60, "unit": "working_days"}
    return {"code": "overdue", "route": route, "gap": list(gap), "due": due, **basis}


def steps(red_from: str | None, red_to: str = END_OF_TIME, due: str = "2026-03-05") -> list[dict[str, Any]]:
    """A clock's lights: green, then red from an instant to another."""
    if red_from is None:
        return [{"light": "green", "from": BEGINNING, "to": END_OF_TIME, "reason": {"code": "in-time"}}]
    lights = [
        {"light": "green", "from": BEGINNING, "to": red_from, "reason": {"code": "in-time"}},
        {"light": "red", "from": red_from, "to": red_to, "reason": overdue(due)},
    ]
    if red_to != END_OF_TIME:
        lights.append({"light": "green", "from": red_to, "to": END_OF_TIME, "reason": {"code": "in-time"}})
    return lights


def clock(
    red_from: str | None, gap: Sequence[str] = GAP, rule: str = "zone-default", red_to: str = END_OF_TIME
) -> dict[str, Any]:
    """A clock of a document."""
    return {"gap": list(gap), "rule": rule, "kind": "gap", "due": "2026-03-05", "lights": steps(red_from, red_to)}


def state(project_id: str = PROJECT, events: int = 1, **fields: Any) -> dict[str, Any]:
    """A record of `project-states`; by default one whose gap never turns red."""
    return {
        "id": project_id,
        "events": events,
        "ruleset": 1,
        "registered": True,
        "name": "示例精密部件",
        "zone": "demo",
        "route": "land",
        "status": "active",
        "stage": "signed",
        "reached": {"signed": "2025-12-01"},
        "lights": [],
        "clocks": [clock(None)],
        "blockers": [],
        "withdrawn": None,
        "officer": "u-zhang",
        "updated_at": at(0),
        **fields,
    }


def red(since: float, until: str = END_OF_TIME, due: str = "2026-03-05") -> Stretch:
    """A stretch of red."""
    return Stretch(at(since), until, "zone-default", due, overdue(due))


def deadline(*reds: Stretch, seen: float = 0, matter: str = MATTER, gap: tuple[str, str] | None = GAP) -> Deadline:
    """A deadline of a gap."""
    return Deadline(matter, "gap", gap, None, None, reds, at(seen))


def watch(
    *deadlines: Deadline,
    changed: float = 0,
    project_id: str = PROJECT,
    events: int = 1,
    people: Mapping[str, str] | None = None,
    **fields: Any,
) -> Watch:
    """A watch of the first partition."""
    values: dict[str, Any] = {
        "partition": 0,
        "ruleset": 1,
        "name": "示例精密部件",
        "zone": "demo",
        "route": "land",
        "status": "active",
        "registered": True,
        "withdrawn": None,
        "reached": {"signed": "2025-12-01"},
        "blockers": {},
        "next_due": at(changed),
        **fields,
    }
    return Watch(
        project_id=project_id,
        events=events,
        people={"officer": "u-zhang"} if people is None else people,
        deadlines=deadlines,
        changed_at=at(changed),
        **values,
    )


def opening(matter: str = MATTER, **facts: Any) -> Opening:
    """The opening of a stall's episode."""
    return Opening(
        id=matter,
        kind="gap",
        partition=0,
        project_id=PROJECT,
        zone="demo",
        recipients=("u-zhang",),
        people=("u-zhang",),
        facts={
            "name": "示例精密部件",
            "route": "land",
            "gap": list(GAP),
            "blocker": None,
            "owner": None,
            "rule": "zone-default",
            "due": "2026-03-05",
            "red_since": at(0),
            "reason": overdue(),
            "told": "u-zhang",
            "role": "officer",
            **facts,
        },
    )


def open_matter(*, complete: bool = True, **facts: Any) -> Matter:
    """A matter in its first episode."""
    matter = opened(None, opening(**facts), at(0))
    return matter.completed() if complete else matter


def cleared_matter(*, complete: bool = True) -> Matter:
    """A matter whose first episode is over."""
    matter = open_matter().cleared(at(1), {"code": "stage-reached", "date": "2026-03-05"}, None)
    return matter.completed() if complete else matter


def lifted_matter(*, told: bool = True, events: int = 1) -> Matter:
    """A matter whose first episode was ended by other rules, when so many events were known."""
    ended = {"code": "rules-changed", "date": None, "events": events, "ruleset": 2}
    return open_matter().cleared(at(1), ended, None).completed(told=told)
