"""The minutes of the demonstration zone: what its meetings and its leaders have decided (交办), and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from luodi.domain.subjects import DECISION
from seeds.event import SeedEvent
from seeds.staff import Telling
from seeds.story import APPROVER, ZONE, project_id


@dataclass(frozen=True, slots=True)
class Minute:
    """One decision: of how many days before loading, due so many days after it (negative: before), and what came of it.

    `said`: how often its unit has reported; `put_off`: by how many days it was extended; `done`: so many days before.
    """

    text: str
    owner: str
    ago: int
    due: int
    leader: str | None = None
    project: int | None = None
    level: str | None = None
    said: int = 0
    put_off: int = 0
    done: int | None = None


MINUTES = (
    Minute("协调完成一号园区110千伏线路迁改", "demo-unit-power", 20, -3, project=12, level="重大", said=1),
    Minute("两周内出具地块规划条件", "demo-unit-planning", 12, 2, project=31, level="协调", said=2),
    Minute("完成道路给水管网接入方案", "demo-unit-water", 10, 25, said=1),
    Minute("组织金融机构与企业对接会", "demo-unit-finance", 30, -8, leader="demo-leader-01", said=2, done=9),
    Minute("完成用工需求摸底并报清单", "demo-unit-labour", 25, -6, leader="demo-vice-02", said=1, done=4),
    Minute("净地交付前完成管线迁移", "demo-unit-land", 40, 6, project=57, level="协调", put_off=20, said=3),
    Minute("环评集中会审", "demo-unit-environment", 5, 9, leader="demo-leader-02", project=88),
    Minute("制定标准厂房消防整改方案", "demo-unit-emergency", 35, -1, put_off=14),
)
MEETING = "项目调度会（演示）"
SUPERVISOR = "demo-head-01"


def events(day: date, edition: str) -> tuple[SeedEvent, ...]:
    """What is told of them on the day of loading."""
    telling = Telling(day, edition)
    for number, minute in enumerate(MINUTES, 1):
        _tell(telling, f"demo-decision-{number:02d}", minute)
    return tuple(telling.events)


def _tell(telling: Telling, id_: str, minute: Minute) -> None:
    begun, due = telling.ago(minute.ago), telling.ago(-(minute.due - minute.put_off))
    told = {"text": f"{minute.text}（演示）", "date": begun, "zone": ZONE, "owner": minute.owner, "due": due}
    told |= {"leader": minute.leader} if minute.leader else {"meeting": MEETING, "leader": APPROVER}
    told["supervisor"] = SUPERVISOR
    if minute.project is not None:
        told["project_id"] = project_id(minute.project)
    telling.tell(DECISION, id_, "decision.registered", told)
    for number in range(minute.said):
        telling.tell(DECISION, id_, "decision.reported", {"text": f"第{number + 1}次报进展（演示）"}, wave=1)
    if minute.put_off:
        moved = {"due": telling.ago(-minute.due), "reason": "施工窗口期调整（演示）", "approver": APPROVER}
        telling.tell(DECISION, id_, "decision.extended", moved, wave=1)
    if minute.level is not None:
        telling.tell(DECISION, id_, "decision.amended", {"level": minute.level}, wave=1)
    if minute.done is not None:
        telling.tell(DECISION, id_, "decision.done", {"date": telling.ago(minute.done)}, wave=1)
