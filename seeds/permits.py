"""The procedures (审批事项) of the demonstration projects: every state, light and lane occurs.

Days are calendar days before loading, chosen so that the light holds whichever weekends and holidays lie between. Which
project tells what follows from its number alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from luodi.domain.days import first_day
from seeds.story import APPROVER, Story

GREEN_LANE = "绿色通道"
EVERY = 10  # of so many projects one is on the green lane
ON_IT = 3
LONG_BUILDING = 150  # days: whoever builds for longer may be nearly done
HALF_A_YEAR = 180


def on_the_green_lane(number: int) -> bool:
    """Whether a project is on the lane that shortens what procedures may take."""
    return number % EVERY == ON_IT


def tell(story: Story) -> None:
    """Tell of the procedures that go with the furthest stage that the story has reached, if it has any."""
    if story.fields.get("kind") == "agreement" or story.fields.get("phased"):
        return
    told_already = {event.type for event in story.events}
    if any(event.data.get("result") == "returned" for event in story.events):
        return
    if told_already & {"project.withdrawn", "event.retracted"} or story.number % 4 == 0:
        return  # most have told of some procedure
    stage = next(reversed(story.reached), None)
    choices = _BY_STAGE.get(stage or "")
    if choices:
        choices[story.number // 4 % len(choices)](story)


def _begin(story: Story, kind: str, state: str, ago: int, **more: Any) -> str:
    return story.tell("procedure.begun", {"kind": kind, "state": state, "date": story.ago(ago), **more})


def _move(story: Story, procedure: str, state: str, ago: int, **more: Any) -> None:
    story.tell("procedure.moved", {"procedure_id": procedure, "state": state, "date": story.ago(ago), **more})


def _missing(story: Story, what: str, due_in: int) -> list[dict[str, str]]:
    return [{"what": what, "due": story.ago(-due_in)}]


def _filed(story: Story) -> None:
    """立项备案 decided the day after its acceptance, and talks about the land."""
    filed = _begin(story, "立项备案", "受理", 40, number=f"示例备{story.number:03d}号")
    _move(story, filed, "办结", 39, document=f"示例备案{story.number:03d}号")
    _begin(story, "用地规划许可", "提前介入", 12, note="窗口前移，先行指导（演示）")


def _fresh(story: Story) -> None:
    _begin(story, "工程规划许可", "受理", 3)


def _incomplete(story: Story) -> None:
    """Accepted with papers missing: one came, another is due tomorrow."""
    papers = [*_missing(story, "资金证明", 0), *_missing(story, "设计合同", 1)]
    procedure = _begin(story, "工程规划许可", "容缺受理", 12, missing=papers)
    story.tell("procedure.supplied", {"procedure_id": procedure, "what": "资金证明", "date": story.ago(1)})


def _incomplete_too_long(story: Story) -> None:
    _begin(story, "施工许可", "容缺受理", 6, missing=_missing(story, "施工合同", -2))


def _pledged(story: Story) -> None:
    """Decided at once upon a pledge; the report of the measurement is still awaited."""
    procedure = _begin(story, "环评", "告知承诺", 9, missing=_missing(story, "环境监测报告", 40))
    _move(story, procedure, "办结", 8, document=f"示例环承诺{story.number:03d}号")


def _pledging(story: Story) -> None:
    _begin(story, "施工许可", "告知承诺", 0, missing=_missing(story, "人防审查意见", 20))


def _reviewed(story: Story) -> None:
    """A review by experts goes on: those days do not count."""
    procedure = _begin(story, "能评", "受理", 12)
    story.tell("procedure.paused", {"procedure_id": procedure, "why": "专家评审", "date": story.ago(7)})


def _heard(story: Story) -> None:
    """A hearing is over, and the time was extended."""
    procedure = _begin(story, "用地规划许可", "受理", 20)
    story.tell("procedure.paused", {"procedure_id": procedure, "why": "听证", "date": story.ago(15)})
    story.tell("procedure.resumed", {"procedure_id": procedure, "date": story.ago(10)})
    extension = {"procedure_id": procedure, "days": 10, "approver": APPROVER, "reason": "需征求多部门意见（演示）"}
    story.tell("procedure.extended", extension)


def _corrected(story: Story) -> None:
    """Papers were sent back, and are still being corrected."""
    procedure = _begin(story, "消防设计审查", "受理", 10)
    _move(story, procedure, "补正", 6, note="图纸深度不足（演示）")


def _overdue(story: Story) -> None:
    _begin(story, "施工许可", "受理", 60)


def _permitted(story: Story) -> None:
    """The permit with which construction began."""
    began = _ago(story, "started")
    procedure = _begin(story, "施工许可", "受理", began + 5)
    _move(story, procedure, "办结", began + 3, document=f"示例建字{story.number:03d}号")


def _permitted_late(story: Story) -> None:
    began = _ago(story, "started")
    procedure = _begin(story, "施工许可", "受理", began + 40)
    _move(story, procedure, "办结", began + 1, document=f"示例建字{story.number:03d}号")


def _refused_first(story: Story) -> None:
    began = _ago(story, "started")
    refused = _begin(story, "工程规划许可", "受理", began + 40)
    _move(story, refused, "办结", began + 35, result="refused", note="退线不足（演示）")
    again = _begin(story, "工程规划许可", "受理", began + 20)
    _move(story, again, "办结", began + 10, document=f"示例规字{story.number:03d}号")


def _taken_back(story: Story) -> None:
    """The application was withdrawn by the firm, and made anew for a smaller building."""
    began = _ago(story, "started")
    taken_back = _begin(story, "消防设计审查", "受理", began + 40)
    _move(story, taken_back, "办结", began + 35, result="withdrawn", note="方案调整（演示）")
    again = _begin(story, "消防设计审查", "受理", began + 20)
    _move(story, again, "办结", began + 12)


def _accepting(story: Story) -> None:
    """The building is nearly done: its acceptance has been asked for."""
    _permitted(story)
    if _ago(story, "started") > LONG_BUILDING:
        _begin(story, "竣工验收", "受理", 4)


def _accepted(story: Story) -> None:
    completed = _ago(story, "completed")
    procedure = _begin(story, "竣工验收", "受理", completed + 10)
    _move(story, procedure, "办结", completed + 1)
    _begin(story, "不动产登记", "受理", min(3, completed))


def _ago(story: Story, stage: str) -> int:
    """How many days before loading a stage was reached; half a year where its day is not known."""
    dates = [event.data["date"] for event in story.events if event.id == story.reached.get(stage)]
    known = [date for date in dates if date is not None and len(date) == len("2026-03-05")]
    return (story.day - first_day(known[0])).days if known else HALF_A_YEAR


_BY_STAGE: dict[str, tuple[Callable[[Story], None], ...]] = {
    "signed": (_filed, _fresh),
    "land_supplied": (
        *(_fresh, _incomplete, _incomplete_too_long, _pledged, _pledging, _reviewed, _heard, _corrected, _overdue),
    ),
    "started": (_permitted, _permitted_late, _accepting, _refused_first, _taken_back),
    "completed": (_accepted,),
}
