"""The pool of the demonstration zone: projects before their signature, and what went before the signature of some
that are signed now.

They stand beside the 518: the funnel does not count what is in the pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from luodi.domain.pool import INTRODUCERS, WAYS
from seeds.event import SeedEvent
from seeds.story import APPROVER, Story, register

FIRST_NUMBER = 519  # behind those of the zone's projects
IN_THE_POOL = 26
SIGNED_EVERY = 11  # of the signed projects one in so many came through the pool

_ROUTES = ("land", "land", "plant")
_BROUGHT_BY = {
    "链主": "示例链主企业（演示）",
    "商会": "示例商会（演示）",
    "在园企业": "示例在园企业（演示）",
    "中介机构": "示例中介机构（演示）",
    "自主招商": "示例招商小组（演示）",
}
_SAID = ("介绍园区和政策", "实地看场地", "谈用地和厂房", "谈能耗和环评", "谈投资协议条款")
_NEXT = ("报送项目方案", "安排考察", "测算用能", "召开预审会", "商定签约日期")
_DROPPED = ("改投外地", "母公司调整投资计划", "能耗指标不符合要求", "产业不符合园区定位")


class Told(Protocol):
    """A project of the zone as it was told."""

    @property
    def part_of(self) -> str | None: ...

    @property
    def events(self) -> tuple[SeedEvent, ...]: ...


@dataclass(frozen=True, slots=True)
class Talks:
    """How a project stands in the pool: how often it was talked with, the last time so many days before loading, when
    its next step is due (negative: it was due before loading), and what became of it."""

    count: int
    last: int
    next: int | None = None
    dropped: bool = False
    taken_up: bool = False


_STANDINGS = (
    Talks(0, 0),
    Talks(3, 6, next=9),
    Talks(1, 12, next=4),
    Talks(4, 20, next=-3),
    Talks(2, 45),
    Talks(5, 3, next=2),
    Talks(2, 70, dropped=True),
    Talks(0, 0),
    Talks(3, 9, next=-1),
    Talks(0, 0, dropped=True),
    Talks(2, 95, dropped=True, taken_up=True),
)


def events(day: date, edition: str, projects: Iterable[Told]) -> tuple[SeedEvent, ...]:
    """What is told of the pool on the day of loading."""
    pooled = [event for number in range(IN_THE_POOL) for event in _prospect(number, day, edition)]
    return (*pooled, *_before_signing(day, edition, projects))


def _prospect(number: int, day: date, edition: str) -> Sequence[SeedEvent]:
    """One project that is in the pool."""
    route, standing = _ROUTES[number % len(_ROUTES)], _STANDINGS[number % len(_STANDINGS)]
    story = Story(FIRST_NUMBER + number, route, day, edition, "pool", "")
    register(story, {"title": "储备项目", "kind": "factory", "parcel": None, "paid_in": None})
    entered = story.dice.randint(standing.last + 30, standing.last + 200)
    introducer = INTRODUCERS[number % (len(INTRODUCERS) - 1)]
    brought = {"introducer": introducer, "introduced_by": _BROUGHT_BY[introducer]}
    contacts = {"contacts": [story.fields["company_contact"]]}
    story.tell("project.pooled", {"date": story.ago(entered), **brought, **contacts})
    for place in range(standing.count):
        ago = standing.last + (standing.count - 1 - place) * 12
        data = {"date": story.ago(ago), "way": WAYS[(number + place) % (len(WAYS) - 1)], "text": _SAID[place]}
        data["contact"] = story.fields["company_contact"]
        if standing.next is not None and place == standing.count - 1:
            data |= {"next": _NEXT[place], "next_date": story.ago(-standing.next)}
        story.tell("talk.held", data)
    if standing.dropped:
        reason = f"{_DROPPED[number % len(_DROPPED)]}（演示）"
        story.tell("project.dropped", {"date": story.ago(max(0, standing.last - 10)), "reason": reason}, wave=1)
    if standing.taken_up:
        again = {"date": story.ago(15), **brought, **contacts, "note": "重新洽谈（演示）"}
        story.tell("project.pooled", again, wave=2, actor=APPROVER)
    return story.events


def _before_signing(day: date, edition: str, projects: Iterable[Told]) -> Iterator[SeedEvent]:
    """The pool as some of the zone's signed projects went through it."""
    roots = [project for project in projects if project.part_of is None]
    for number, project in enumerate(roots):
        signed = _signed_on(project.events)
        if number % SIGNED_EVERY != SIGNED_EVERY // 2 or signed is None:
            continue
        introducer = INTRODUCERS[number % (len(INTRODUCERS) - 1)]
        registration = project.events[0]
        told = [
            (
                "project.pooled",
                {"date": _before(signed, 150), "introducer": introducer, "introduced_by": _BROUGHT_BY[introducer]},
            ),
            ("talk.held", {"date": _before(signed, 110), "way": WAYS[number % 3], "text": _SAID[0]}),
            ("talk.held", {"date": _before(signed, 40), "way": WAYS[0], "text": _SAID[4], "next": _NEXT[4]}),
        ]
        for place, (type_, data) in enumerate(told, start=1):
            event_id = f"s{day:%Y%m%d}-{edition}-pool-{place}"
            yield SeedEvent(registration.subject, event_id, type_, data, registration.actor)


def _signed_on(events: Iterable[SeedEvent]) -> date | None:
    """The day of the signature, where it is known to the day and was told once."""
    dates = [e.data["date"] for e in events if e.type == "milestone.reported" and e.data["stage"] == "signed"]
    known = len(dates) == 1 and dates[0] is not None and len(dates[0]) == len("2026-03-05")
    return date.fromisoformat(dates[0]) if known else None


def _before(day: date, days: int) -> str:
    return (day - timedelta(days=days)).isoformat()
