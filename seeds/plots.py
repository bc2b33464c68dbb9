"""The land and buildings of the demonstration zone (三块地): every kind and every state, some of them taken by its
projects, some released again, and enough to be had that most who wait find something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from luodi.domain.resources import BEGINS_AS, FREEING, LAND, OFFERED, TAKEN, TO_FREE
from luodi.domain.subjects import RESOURCE, subject_of
from seeds.event import SeedEvent
from seeds.story import APPROVER, INDUSTRIES, PARKS, ZONE


class Told(Protocol):
    """A project of the zone as it was told."""

    @property
    def id(self) -> str: ...

    @property
    def scenario(self) -> str: ...

    @property
    def part_of(self) -> str | None: ...

    @property
    def events(self) -> tuple[SeedEvent, ...]: ...


@dataclass(frozen=True, slots=True)
class Lot:
    """Some resources that are alike. `states`: what was told of them and how many days before loading."""

    kind: str
    count: int
    sizes: Sequence[int]  # mu of land, square metres of a building; one after the other
    states: tuple[tuple[str, int], ...] = ()
    taken_by: str = ""  # the scenario whose projects have them
    ready_in: int | None = None  # days after loading
    trades: bool = False  # it takes one industry only


LOTS: tuple[Lot, ...] = (
    Lot("净地", 5, (25, 60, 110, 130, 150)),
    Lot("净地", 3, (40, 90, 150), trades=True),
    Lot("净地", 6, (182,), taken_by="land supplied"),
    Lot("低效用地", 3, (35, 70, 130), ((FREEING, 200), (OFFERED, 30))),
    Lot("低效用地", 3, (50, 95, 180), ((FREEING, 60),), ready_in=90),
    Lot("低效用地", 2, (80, 20)),
    Lot("闲置用地", 2, (45, 75), ((FREEING, 150), (OFFERED, 12))),
    Lot("闲置用地", 2, (30, 120), ((TO_FREE, 300),)),
    Lot("闲置用地", 1, (66,), ((FREEING, 250), (OFFERED, 120), (TAKEN, 40))),
    Lot("低效厂房", 3, (3_000, 9_000, 16_000), ((FREEING, 120), (OFFERED, 20))),
    Lot("低效厂房", 2, (5_000, 12_000), ((FREEING, 45),), ready_in=60),
    Lot("低效厂房", 1, (7_500,)),
    Lot("标准厂房", 4, (2_400, 6_000, 12_000, 24_000)),
    Lot("标准厂房", 4, (30_000,), taken_by="plant fitted out"),
)

_STOREYS = {"标准厂房": 6, "低效厂房": 2}  # 工业上楼: a factory above another


@dataclass
class Telling:
    """The resources while they are being told."""

    day: date
    edition: str
    events: list[SeedEvent] = field(default_factory=list)

    def ago(self, days: int) -> str:
        """The business date so many days before the day of loading (negative: after it)."""
        return (self.day - timedelta(days=days)).isoformat()

    def tell(self, number: int, place: int, type_: str, data: dict[str, Any], wave: int = 0) -> str:
        """Add an event of one resource, its `place`-th; its id holds day and edition, as those of the projects do."""
        event_id = f"s{self.day:%Y%m%d}-{self.edition}-{place:02d}"
        self.events.append(SeedEvent(subject_of(RESOURCE, id_of(number)), event_id, type_, data, APPROVER, wave))
        return event_id


def id_of(number: int) -> str:
    """The id of the `number`-th resource."""
    return f"demo-resource-{number:02d}"


def events(day: date, edition: str, projects: Iterable[Told]) -> tuple[SeedEvent, ...]:
    """What is told of them on the day of loading."""
    telling = Telling(day, edition)
    roots = [project for project in projects if project.part_of is None]
    number = 0
    for lot in LOTS:
        takers = [project for project in roots if project.scenario == lot.taken_by]
        leavers = [project for project in roots if project.scenario == _LEFT[lot.kind in LAND]]
        for place in range(lot.count):
            number += 1
            told = _register(telling, number, lot, lot.sizes[place % len(lot.sizes)])
            if takers:
                _assign(telling, number, told, takers[place], leavers[place] if place < len(leavers) else None)
    return tuple(telling.events)


_LEFT = {True: "withdrawn from land", False: "withdrawn from a plant"}


def _register(telling: Telling, number: int, lot: Lot, size: int) -> int:
    """What it is, and its states so far; returns how many events that took."""
    is_land = lot.kind in LAND
    data: dict[str, Any] = {
        "name": f"示例{lot.kind}{number:02d}（演示）",
        "kind": lot.kind,
        "zone": ZONE,
        "park": PARKS[number % (len(PARKS) - 1)] if is_land else PARKS[-1],
        "parcel": f"DEMO-R{number:02d}",
        "unit": "demo-unit-land",
        "source": "demo",
    }
    data |= {"area_mu": size} if is_land else {"floor_m2": size, "storeys": _STOREYS[lot.kind]}
    if lot.kind not in BEGINS_AS:
        data["holder"] = f"示例原使用企业{number:02d}（演示）"
    if lot.trades:
        data["industries"] = [INDUSTRIES[number % len(INDUSTRIES)][0]]
    if lot.ready_in is not None:
        data["ready_by"] = telling.ago(-lot.ready_in)
    telling.tell(number, 1, "resource.registered", data)
    for place, (state, ago) in enumerate(lot.states, start=2):
        telling.tell(number, place, "resource.state_changed", {"state": state, "date": telling.ago(ago)})
    told = 1 + len(lot.states)
    if number == 1:
        told += 1
        telling.tell(number, told, "resource.amended", {"name": f"{data['name']}甲地块"}, wave=1)
    return told


def _assign(telling: Telling, number: int, told: int, taker: Told, leaver: Told | None) -> None:
    """A project has as much of it as it needs, since it got it; before that another had it and gave it up."""
    fields = taker.events[0].data
    amount = {name: fields[name] for name in ("area_mu", "floor_m2") if name in fields}
    since = max(event.data["date"] for event in taker.events if event.type == "milestone.reported")
    telling.tell(number, told + 1, "resource.assigned", {"project_id": taker.id, "date": since, **amount})
    if leaver is not None:
        earlier = {"project_id": leaver.id, "date": telling.ago(500), **amount}
        assigned = telling.tell(number, told + 2, "resource.assigned", earlier)
        release = {"assignment_id": assigned, "date": telling.ago(420), "reason": "项目未能推进（演示）"}
        telling.tell(number, told + 3, "resource.released", release, wave=1)
