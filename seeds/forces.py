"""The task forces (专班) of the demonstration zone, what they log on its projects, and who has handed over to whom.

Which project tells what follows from its number alone.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from luodi.domain.subjects import PERSON, TEAM
from seeds.event import SeedEvent
from seeds.staff import Telling
from seeds.story import INDUSTRIES, OFFICERS, ZONE, Story

EVERY = 3  # of so many projects under way one is followed up
FOLLOWED = 2
KEY_TEAM = "demo-team-key"
KEY_MEMBERS = ("demo-officer-03", "demo-officer-15", "demo-officer-27")
HANDED_OVER = ("demo-officer-23", "demo-officer-24", 15, None)  # for good, so many days before loading
STANDS_IN = ("demo-officer-31", "demo-officer-32", 5, -5)  # from so many days before loading until so many after it

LOG: tuple[tuple[str, str, str], ...] = (
    ("走访", "走访企业，核对施工计划（演示）", "督促总包单位报送进场计划（演示）"),
    ("现场", "现场查看桩基施工（演示）", "组织监理单位复核（演示）"),
    ("电话", "与企业负责人通话，了解设备到货（演示）", "协助办理设备进口手续（演示）"),
    ("例会", "专班例会研究用电接入（演示）", "请供电公司现场踏勘（演示）"),
)
"""How it was followed up, what was done, what comes next."""


def events(day: date, edition: str) -> tuple[SeedEvent, ...]:
    """What is told of the task forces, and of handovers, on the day of loading."""
    telling = Telling(day, edition)
    for number, (industry, chain, _) in enumerate(INDUSTRIES, 1):
        members = [f"demo-officer-{officer:02d}" for officer in range(number, OFFICERS + 1, len(INDUSTRIES))]
        told = {"name": f"示例{industry}专班（演示）", "zone": ZONE, "chain": chain, "head": f"demo-head-{number:02d}"}
        telling.tell(TEAM, f"demo-team-{number:02d}", "team.registered", {**told, "members": members})
    told = {"name": "示例重点项目专班（演示）", "zone": ZONE, "head": "demo-head-05"}
    telling.tell(TEAM, KEY_TEAM, "team.registered", {**told, "members": list(KEY_MEMBERS[:-1])})
    telling.tell(TEAM, KEY_TEAM, "team.amended", {"members": list(KEY_MEMBERS), "note": "增补成员（演示）"}, wave=1)
    for person, successor, ago, until in (HANDED_OVER, STANDS_IN):
        ends = {} if until is None else {"until": telling.ago(until)}
        data = {"to": successor, "date": telling.ago(ago), **ends, "note": "工作交接（演示）"}
        telling.tell(PERSON, person, "person.handed_over", data, wave=2)
    return tuple(_apart(telling.events))


def _apart(events: list[SeedEvent]) -> list[SeedEvent]:
    """Ids of their own beside those told of the same persons as staff."""
    return [SeedEvent(e.subject, f"{e.id}f", e.type, e.data, e.actor, e.wave) for e in events]


def tell(story: Story) -> None:
    """Log what a task force has done, on some of the projects that are under way."""
    if story.number % EVERY != FOLLOWED or story.light == "blue":
        return
    if story.fields.get("kind") == "agreement" or story.fields.get("phased"):
        return
    if any(event.type == "project.withdrawn" for event in story.events):
        return
    place = story.number // EVERY
    _log(story, place, ago=16)
    more: dict[str, Any] = {"next_date": story.ago(-(place % 7) + 2)}
    if place % 8 == 0:
        more["needs_leader"] = True
    _log(story, place + 1, ago=5 + place % 4, **more)
    if place % 5 == 0:
        story.tell("followup.logged", {"date": story.ago(1), "unchanged": True})


def _log(story: Story, place: int, ago: int, **more: Any) -> None:
    way, done, next_ = LOG[place % len(LOG)]
    story.tell("followup.logged", {"date": story.ago(ago), "way": way, "done": done, "next": next_, **more})
