"""The enterprises of the demonstration zone: who has a project is registered; some are qualified, helped, and ask.

They stand beside the projects' own stories: no event here changes a light of a project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any, Protocol

from luodi.domain.subjects import ENTERPRISE, subject_of
from seeds.event import SeedEvent
from seeds.story import ZONE

YEAR_DAYS = 365
THREE_YEARS = 3 * YEAR_DAYS


class Told(Protocol):
    """A project of the zone as it was told."""

    @property
    def id(self) -> str: ...

    @property
    def part_of(self) -> str | None: ...

    @property
    def events(self) -> tuple[SeedEvent, ...]: ...


@dataclass(frozen=True, slots=True)
class Held:
    """One in `every` enterprises was granted a level, so many days before loading (and one day more for each of the
    first few of them)."""

    level: str
    every: int
    ago: int
    valid_for: int | None = THREE_YEARS


QUALIFICATIONS = (
    Held("创新型中小企业", 4, 300),
    Held("创新型中小企业", 40, THREE_YEARS - 60),  # to be examined again soon
    Held("专精特新中小企业", 9, 500),
    Held("专精特新中小企业", 90, THREE_YEARS + 20),  # expired, not renewed
    Held("专精特新“小巨人”企业", 37, 200),
    Held("市级绿色工厂", 30, 400, None),
    Held("省级绿色工厂", 65, 250, None),
    Held("国家级绿色工厂", 130, 150, None),
    Held("高新技术企业", 7, 600),
)

SERVICES = (
    ("代办", "代办环评手续（演示）", None),
    ("对接", "对接检测平台（演示）", "示例大学（演示）"),
    ("专家上门", "智能化改造诊断（演示）", "示例研究院（演示）"),
    ("培训", "安全生产培训（演示）", None),
    ("其他", "政策解读（演示）", None),
)
SERVED_EVERY = 6
LAST_SERVED = 170  # days before loading within which services were given

MEASURES = (
    ({"name": "产能提高", "change": 18.5, "unit": "%"}, 21),
    ({"name": "成品率", "before": 96.2, "after": 98.1, "unit": "%"}, 2),
    ({"name": "单机利用率", "before": 35, "after": 68, "unit": "%"}, 3),
    ({"name": "月产", "before": 12_000, "after": 19_500, "unit": "件/月", "word": "约"}, 1),
)
"""What upgrades have changed, and in how many projects one of them is told."""

ASKS_EVERY = 26
ASKS = (
    ("用电", "新增产线后变压器容量不足，申请增容（演示）"),
    ("用工", "普工缺口约二十人，希望对接人力资源市场（演示）"),
    ("资金", "设备贷款贴息材料一次未批，请指导（演示）"),
    ("其他", "园区公交末班车过早，夜班职工不便（演示）"),
)


@dataclass
class Firm:
    """One enterprise while it is being told."""

    number: int
    project: str
    name: str
    day: date
    edition: str
    events: list[SeedEvent] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def id(self) -> str:
        return f"demo-firm-{self.number:03d}"

    def ago(self, days: int) -> str:
        """The business date so many days before the day of loading (negative: after it)."""
        return (self.day - timedelta(days=days)).isoformat()

    def tell(
        self, event_type: str, data: dict[str, Any], *, wave: int = 0, subject: str | None = None, actor: str
    ) -> str:
        """Add an event, of the enterprise unless it is of its project, and return its id."""
        event_id = f"s{self.day:%Y%m%d}-{self.edition}-f{next(self._numbers):02d}"
        about = subject or subject_of(ENTERPRISE, self.id)
        self.events.append(SeedEvent(about, event_id, event_type, data, actor, wave))
        return event_id


def events(day: date, edition: str, projects: Sequence[Told]) -> Iterator[SeedEvent]:
    """What is told of the enterprises on the day of loading. `projects`: those of the zone, each with its parts."""
    roots = (project for project in projects if project.part_of is None)
    for number, project in enumerate(roots, start=1):
        registered = project.events[0]
        fields = registered.data
        firm = Firm(number, project.id, fields["enterprise"], day, edition)
        officer = fields["officer"]
        data = {name: fields[name] for name in ("industry", "chain", "park", "officer") if name in fields}
        data |= {"name": firm.name, "zone": ZONE, "contact": fields["company_contact"], "source": "demo"}
        data["scale"] = "规上" if number % 3 else "规下"
        firm.tell("enterprise.registered", data, actor=officer)
        _qualified(firm, officer)
        _served(firm, officer)
        if fields.get("kind") == "upgrade":
            _upgraded(firm, officer)
        if number % ASKS_EVERY == 1:
            _asks(firm, officer, project)
        if number == ASKS_EVERY + 1:
            firm.tell("link.revoked", {"reason": "经办人调岗（演示）"}, actor=officer)
            firm.tell("enterprise.amended", {"scale": "规上", "note": "升规（演示）"}, wave=1, actor=officer)
        yield from firm.events


def _qualified(firm: Firm, officer: str) -> None:
    for place, held in enumerate(QUALIFICATIONS):
        if firm.number % held.every != place % held.every:
            continue
        granted = held.ago + firm.number % 5
        data: dict[str, Any] = {"level": held.level, "date": firm.ago(granted), "issuer": "示例认定机关（演示）"}
        if held.valid_for is not None:
            data["valid_until"] = firm.ago(granted - held.valid_for + 1)
        granted_by = firm.tell("qualification.granted", data, actor=officer)
        if held.ago > YEAR_DAYS and held.valid_for is None and firm.number % 4 == 1:
            data = {"qualification_id": granted_by, "date": firm.ago(30), "reason": "企业申请撤销（演示）"}
            firm.tell("qualification.ended", data, wave=1, actor=officer)
        if held.level == "创新型中小企业" and granted > 2 * YEAR_DAYS and firm.number % 80 == 1:
            renewal = {"qualification_id": granted_by, "date": firm.ago(3), "valid_until": firm.ago(3 - THREE_YEARS)}
            firm.tell("qualification.renewed", renewal, wave=1, actor=officer)


def _served(firm: Firm, officer: str) -> None:
    if firm.number % SERVED_EVERY:
        return
    for turn in range(1 + firm.number % 3):
        kind, text, partner = SERVICES[(firm.number // SERVED_EVERY + turn) % len(SERVICES)]
        ago = (firm.number * 7 + turn * 53) % LAST_SERVED + 1
        data = {"kind": kind, "date": firm.ago(ago), "text": text} | ({"partner": partner} if partner else {})
        firm.tell("enterprise.served", data, actor=officer)


def _upgraded(firm: Firm, officer: str) -> None:
    """What was done for the project of an upgrade, and what it has changed."""
    data = {"kind": "代办", "date": firm.ago(firm.number % 60 + 5), "text": "代办技改备案（演示）"}
    firm.tell("service.given", data, subject=firm.project, actor=officer)
    for measure, share in MEASURES:
        if firm.number % share == 0 or share == 1:
            told = {**measure, "date": firm.ago(10), "source": "企业填报（演示）"}
            firm.tell("measure.reported", told, subject=firm.project, actor=officer)


def _asks(firm: Firm, officer: str, project: Told) -> None:
    """A request: one in three waits, one is answered, one was accepted as a blocker where the project has one."""
    turn = firm.number // ASKS_EVERY
    kind, text = ASKS[turn % len(ASKS)]
    blocker = next((event for event in project.events if event.type == "blocker.raised"), None)
    asked = firm.tell("request.raised", {"kind": kind, "text": text, "project_id": project.id}, actor=officer)
    if blocker is not None:
        data = {"request_id": asked, "project_id": project.id, "blocker_id": blocker.id}
        firm.tell("request.accepted", data, wave=1, actor=officer)
    elif turn % 2:
        answer = {"request_id": asked, "text": "已受理，本周内上门（演示）"}
        firm.tell("request.answered", answer, wave=1, actor=officer)
