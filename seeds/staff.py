"""Who works in the demonstration zone: its units, the posts in them, and the persons who hold those.

Officers (专员) are named in projects as persons; heads of task forces, leaders and units as posts and units, so that
handing over a post hands over all of its projects. All of them are ids that begin with `demo-`: nobody has a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from luodi.domain.subjects import PERSON, POST, UNIT, subject_of
from seeds.event import SeedEvent
from seeds.story import APPROVER, HEADS, LEAD_UNITS, LEADERS, OFFICERS, VICE_LEADERS, ZONE

UNITS: tuple[tuple[str, str, str], ...] = (
    ("demo-unit-power", "示例供电公司（演示）", "公用事业"),
    ("demo-unit-water", "示例供水公司（演示）", "公用事业"),
    ("demo-unit-energy", "示例能源公司（演示）", "公用事业"),
    ("demo-unit-land", "示例土地储备中心（演示）", "政府部门"),
    ("demo-unit-environment", "示例生态环境分局（演示）", "政府部门"),
    ("demo-unit-planning", "示例规划分局（演示）", "政府部门"),
    ("demo-unit-finance", "示例金融服务中心（演示）", "政府部门"),
    ("demo-unit-labour", "示例人力资源中心（演示）", "政府部门"),
    ("demo-unit-emergency", "示例应急管理局（演示）", "政府部门"),
    ("demo-unit-survey", "示例勘测院（演示）", "技术单位"),
    *(
        (f"demo-unit-{number:02d}", f"示例牵头单位{number:02d}（演示）", "牵头单位")
        for number in range(1, LEAD_UNITS + 1)
    ),
)
"""Id, name and kind."""

POSTS: tuple[tuple[str, str, int], ...] = (
    ("demo-leader", "包干领导", LEADERS),
    ("demo-vice", "分管领导", VICE_LEADERS),
    ("demo-head", "专班组长", HEADS),
)
"""How the posts of a kind are called, and how many there are."""

HANDED_OVER = "demo-head-03"  # to another, 40 days before loading
AWAY = "demo-officer-07"  # on leave on the day of loading
BACK = "demo-officer-11"  # on leave before it
TAKEN_UP = 400  # days before loading since when posts have been held


@dataclass
class Telling:
    """Everybody while they are being told."""

    day: date
    edition: str
    events: list[SeedEvent] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def ago(self, days: int) -> str:
        """The business date so many days before the day of loading (negative: after it)."""
        return (self.day - timedelta(days=days)).isoformat()

    def tell(self, kind: str, id_: str, event_type: str, data: dict[str, Any], *, wave: int = 0) -> None:
        """Add an event; its id holds day and edition, as those of the projects do."""
        subject = subject_of(kind, id_)
        self.told[subject] += 1
        event_id = f"s{self.day:%Y%m%d}-{self.edition}-{self.told[subject]:02d}"
        self.events.append(SeedEvent(subject, event_id, event_type, data, APPROVER, wave))

    def post(self, id_: str, name: str, unit: str | None, role: str) -> str:
        """A post and the person who has held it all the time; returns the person."""
        person = f"{id_}-holder"
        belongs = {"unit": unit} if unit else {}
        self.tell(POST, id_, "post.registered", {"name": name, "zone": ZONE, **belongs})
        self.tell(PERSON, person, "person.registered", {"zone": ZONE, **belongs, "role": role})
        self.tell(POST, id_, "post.handed_over", {"holder": person, "date": self.ago(TAKEN_UP)})
        return person


def events(day: date, edition: str) -> tuple[SeedEvent, ...]:
    """What is told of them on the day of loading."""
    telling = Telling(day, edition)
    for tell in (_units, _posts, _officers, _changes):
        tell(telling)
    return tuple(telling.events)


def ids() -> Iterator[str]:
    """The ids that projects may name: units, posts and officers."""
    yield from (unit for unit, _, _ in UNITS)
    for prefix, _, count in POSTS:
        yield from (f"{prefix}-{number:02d}" for number in range(1, count + 1))
    yield from (_officer(index) for index in range(OFFICERS))


def _units(telling: Telling) -> None:
    for unit, name, kind in UNITS:
        head = f"{unit}-head"
        telling.tell(UNIT, unit, "unit.registered", {"name": name, "zone": ZONE, "kind": kind, "head": head})
        telling.post(head, f"{name}负责人", unit, "单位负责人")


def _posts(telling: Telling) -> None:
    for prefix, name, count in POSTS:
        for number in range(1, count + 1):
            telling.post(f"{prefix}-{number:02d}", f"示例{name}{number:02d}（演示）", None, name)


def _officers(telling: Telling) -> None:
    """Each is stood in for by the next one of the same task force."""
    for index in range(OFFICERS):
        deputy = _officer((index + HEADS) if index + HEADS < OFFICERS else index % HEADS)
        data = {"zone": ZONE, "role": "专员", "deputies": [deputy]}
        telling.tell(PERSON, _officer(index), "person.registered", data)


def _changes(telling: Telling) -> None:
    """What happens to people: a post handed over, leaves, a later start of the day, another name."""
    successor = f"{HANDED_OVER}-successor"
    telling.tell(PERSON, successor, "person.registered", {"zone": ZONE, "role": "专班组长"})
    telling.tell(POST, HANDED_OVER, "post.handed_over", {"holder": successor, "date": telling.ago(40)}, wave=1)
    telling.tell(
        POST, HANDED_OVER, "post.amended", {"note": "轮岗（演示）", "name": "示例专班组长03（演示，轮岗）"}, wave=1
    )
    telling.tell(PERSON, AWAY, "leave.granted", {"date": telling.ago(1), "until": telling.ago(-4)}, wave=1)
    telling.tell(PERSON, BACK, "leave.granted", {"date": telling.ago(30), "until": telling.ago(21)}, wave=1)
    telling.tell(PERSON, BACK, "person.amended", {"works_from": "09:00", "works_until": "18:00"}, wave=1)
    telling.tell(UNIT, "demo-unit-survey", "unit.amended", {"kind": "勘测单位"}, wave=1)


def _officer(index: int) -> str:
    return f"demo-officer-{1 + index:02d}"
