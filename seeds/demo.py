"""The demonstration zone: 518 invented enterprises with one project each, generated from a fixed seed.

Everything here is fictitious and says so: firms are called 示例…, persons and units are ids that begin with `demo-`.
Who and what comes from the seed alone, so a project keeps its id, name and amounts for ever; only the dates are
relative to the day of loading, so that the zone looks alive whenever it is loaded.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from seeds.event import SeedEvent

ZONE = "demo"
SEED = "luodi-demo-1"  # another seed is another zone: ids, names and amounts all change
ISSUED_YEAR = 2025  # stands in the project ids, which must not depend on the day of loading
MARK = "luodi-sample"  # system name in `refs` of the first project; its id there is the telling: day and edition
ENTERPRISES = 518
PRODUCING = 169

LEADERS, VICE_LEADERS, LEAD_UNITS, HEADS = 8, 5, 9, 12
OFFICERS = 80  # one 专员 follows six or seven of the 518
APPROVER = "demo-leader-01"

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WAN = 10_000  # yuan
_FIRST = "澜岭禾铄旻皓岚骁珩琅沅浔楷榕柏桐棠荻蔚芮朔霁昀曜睿恪谨慎勉衡"
_SECOND = "原川屿峰泽渊汀洲浦汇源拓创启承弘展跃腾驰达远航帆晟晖旭明朗清"

INDUSTRIES: tuple[tuple[str, str, str], ...] = (
    ("新材料", "先进材料链", "新材料"),
    ("高端装备制造", "智能装备链", "精密机械"),
    ("电子信息", "电子元件链", "电子科技"),
    ("生物医药", "医疗器械链", "生物科技"),
)
"""Industry, chain, and the word in the firm's name."""

PARKS = ("示例一园", "示例二园", "示例三园", "示例电子信息园", "示例标准厂房园")
ORIGINS = ("示例甲市", "示例乙市", "示例丙市", "示例丁市", "本地")

BLOCKERS: tuple[tuple[str, str, str], ...] = (
    ("用电", "utility", "demo-unit-power"),
    ("用水", "utility", "demo-unit-water"),
    ("用能", "utility", "demo-unit-energy"),
    ("用地", "government", "demo-unit-land"),
    ("环评", "government", "demo-unit-environment"),
    ("规划", "government", "demo-unit-planning"),
    ("资金", "enterprise", "demo-unit-finance"),
    ("用工", "enterprise", "demo-unit-labour"),
    ("其他", "force_majeure", "demo-unit-emergency"),
    ("规划", "preliminary_work", "demo-unit-survey"),
)
"""Kind, a cause that goes with it, the unit that must act: every kind and every cause."""

PAUSING = tuple(row for row in BLOCKERS if row[1] not in ("enterprise", "preliminary_work"))
"""What may pause a clock of the zone: nothing that the enterprise causes, nor work that any building site needs."""

STAGES = {
    "land": ("signed", "land_supplied", "started", "completed", "producing"),
    "plant": ("signed", "started", "completed", "producing"),
    "expansion": ("signed", "started", "completed", "producing"),
}

TYPICAL_DAYS: dict[tuple[str, str], tuple[int, int]] = {
    ("land", "land_supplied"): (35, 105),
    ("land", "started"): (30, 95),
    ("land", "completed"): (300, 780),
    ("land", "producing"): (60, 190),
    ("plant", "started"): (20, 90),
    ("plant", "completed"): (60, 190),
    ("plant", "producing"): (20, 95),
    ("expansion", "started"): (20, 90),
    ("expansion", "completed"): (120, 380),
    ("expansion", "producing"): (20, 95),
}
"""How long the gap before a stage usually took, calendar days: mostly in time, sometimes late."""


@dataclass
class Story:
    """One project while it is being told: who it is, its dice, and the events so far."""

    number: int  # 1 to 518
    route: str
    day: date  # the day of loading
    edition: str
    dice: random.Random
    events: list[SeedEvent] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    reached: dict[str, str] = field(default_factory=dict)  # stage -> id of the event that reported it

    @property
    def subject(self) -> str:
        return project_id(self.number)

    @property
    def officer(self) -> str:
        return f"demo-officer-{1 + self.number % OFFICERS:02d}"

    def ago(self, days: int) -> str:
        """The business date so many days before the day of loading (negative: after it)."""
        return (self.day - timedelta(days=days)).isoformat()

    def tell(self, event_type: str, data: dict[str, Any], *, wave: int = 0, actor: str | None = None) -> str:
        """Add an event and return its id, which holds day and edition: another telling never claims the same ids."""
        event_id = f"s{self.day:%Y%m%d}-{self.edition}-{len(self.events) + 1:02d}"
        self.events.append(SeedEvent(self.subject, event_id, event_type, data, actor or self.officer, wave))
        return event_id

    def reach(self, stage: str, when: str | None, *, wave: int = 0, note: str | None = None) -> None:
        data = {"stage": stage, "date": when} | ({"note": note} if note else {})
        self.reached[stage] = self.tell("milestone.reported", data, wave=wave)

    def climb(self, stage: str, ago: int, *, leave_out: Sequence[str] = ()) -> int:
        """Reach every stage up to `stage`, which was `ago` days before loading; returns the days since the signing."""
        stages = STAGES[self.route]
        stages = stages[: stages.index(stage) + 1]
        days = [ago]
        for later in reversed(stages[1:]):
            days.insert(0, days[0] + self.dice.randint(*TYPICAL_DAYS[self.route, later]))
        for name, when in zip(stages, days, strict=True):
            if name not in leave_out:
                self.reach(name, self.ago(when))
        return days[0]

    def progress(self, percent: int, ago: int) -> None:
        """A monthly report of the site, with the money spent and arrived so far."""
        data: dict[str, Any] = {"date": self.ago(ago), "percent": percent, "appearance": _appearance(percent)}
        if total := self.fields.get("investment"):
            data["invested_total"] = _round(total * percent // 100)
            data["arrived_total"] = _round(total * min(100, percent + 10) // 100)
        self.tell("progress.reported", data)

    def land_contract(self, ago: int) -> None:
        """The land contract, signed when the land was supplied; the start is agreed for half a year later."""
        area = self.fields["area_mu"]
        contract = {
            "contract_no": f"DEMO-{self.number:03d}",
            "parcel": self.fields["parcel"],
            "area_mu": area,
            "price": area * 40 * _WAN,
            "start_by": self.ago(ago - 180),
            "complete_by": self.ago(ago - 910),
        }
        self.tell("land_contract.recorded", contract)

    def blocker(
        self, row: tuple[str, str, str], ago: int, *, promise: int | None, pause_until: int | None = None
    ) -> str:
        """A blocker raised `ago` days before loading; `promise` and `pause_until` are days ahead of loading."""
        kind, cause, owner = row
        data: dict[str, Any] = {"kind": kind, "cause": cause, "owner": owner, "date": self.ago(ago), "level": "一般"}
        if promise is not None:
            data["promise"] = self.ago(-promise)
        if pause_until is not None:
            data |= {"approver": APPROVER, "until": self.ago(-pause_until)}
        return self.tell("blocker.raised", data | {"note": f"{kind}问题（演示）"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of story, how many projects live it, and the light it shows on the day of loading."""

    name: str
    count: int
    route: str
    light: str
    tell: Callable[[Story], Any]
    fields: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class DemoProject:
    """One generated project: its scenario by name, the light expected on the day of loading, its events."""

    id: str
    scenario: str
    light: str
    events: tuple[SeedEvent, ...]


def project_id(number: int) -> str:
    """The id of the `number`-th project, in the form that ingest issues: the same on every day."""
    digest = int.from_bytes(hashlib.sha256(f"{SEED}/{number}".encode()).digest()[:8], "big")
    return f"{ZONE}-{ISSUED_YEAR}-" + "".join(_BASE32[(digest >> 5 * place) & 31] for place in range(10))


@cache
def edition() -> str:
    """What this version of the stories is called: it changes with every word and date of them."""
    content = [
        [event.subject, event.type, event.data] for project in _told(date(2020, 1, 1), "") for event in project.events
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:6]


def projects(day: date) -> tuple[DemoProject, ...]:
    """All projects as they stand on the day of loading."""
    return _told(day, edition())


def mark(day: date) -> str:
    """How the first project tells which telling this is."""
    return f"{day} {edition()}"


def _told(day: date, edition: str) -> tuple[DemoProject, ...]:
    told: list[DemoProject] = []
    for scenario in SCENARIOS:
        for _ in range(scenario.count):
            number = len(told) + 1
            dice = random.Random(f"{SEED}/{number}")  # noqa: S311  # a story, not a secret; it must be repeatable
            story = Story(number, scenario.route, day, edition, dice)
            _register(story, dict(scenario.fields))
            scenario.tell(story)
            told.append(DemoProject(story.subject, scenario.name, scenario.light, tuple(story.events)))
    return tuple(told)


def events(day: date) -> tuple[SeedEvent, ...]:
    """All events of the zone, wave by wave, in the order in which they are to be posted."""
    return tuple(sorted((event for project in projects(day) for event in project.events), key=lambda e: e.wave))


def _register(story: Story, extra: dict[str, Any]) -> None:
    """Who the project is: drawn from the seed alone."""
    number, dice = story.number, story.dice
    industry, chain, word = INDUSTRIES[number % len(INDUSTRIES)]
    firm = f"示例{_FIRST[number % len(_FIRST)]}{_SECOND[number // len(_FIRST)]}{word}"
    kind = extra.pop("kind", None) or _kind(story)
    key = number % 9 == 1
    data: dict[str, Any] = {
        "name": f"{firm}{_WHAT[kind]}",
        "zone": ZONE,
        "route": story.route,
        "kind": kind,
        "content": f"{industry}{_WHAT[kind]}建设内容（演示数据）",
        "industry": industry,
        "chain": chain,
        "investor": f"{firm}有限公司",
        "enterprise": f"{firm}有限公司",
        "origin": dice.choice(ORIGINS),
        "park": PARKS[-1] if story.route == "plant" else dice.choice(PARKS[:-1]),
        "class": "产业",
        "vice_leader": f"demo-vice-{1 + number % VICE_LEADERS:02d}",
        "lead_unit": f"demo-unit-{1 + number % LEAD_UNITS:02d}",
        "group_head": f"demo-head-{1 + number % OFFICERS % HEADS:02d}",
        "officer": story.officer,
        "company_contact": f"demo-contact-{number:03d}",
        "jobs": dice.randrange(20, 600, 5),
        "source": "demo",
    }
    investment = _round(
        dice.choice((2_000, 5_000, 12_000, 30_000, 80_000, 200_000)) * _WAN * dice.randint(80, 150) // 100
    )
    if number % 23:  # every 23rd amount is unknown
        data["investment"] = investment
        data["paid_in"] = _round(investment * dice.randint(0, 60) // 100)
    if story.route == "land":
        data |= {"area_mu": dice.randint(12, 180), "parcel": f"DEMO-{number:03d}"}
    if story.route == "plant":
        data["floor_m2"] = dice.randrange(1_500, 24_000, 100)
    if key:
        data |= {
            "key": True,
            "level": dice.choice(("省", "市", "区")),
            "leader": f"demo-leader-{1 + number % LEADERS:02d}",
        }
    if number == 1:
        data["refs"] = [{"system": MARK, "id": f"{story.day} {story.edition}"}]
    story.fields = data | extra
    for name in [name for name, value in story.fields.items() if value is None]:
        del story.fields[name]
    story.tell("project.registered", story.fields)


def _kind(story: Story) -> str:
    if story.route == "expansion":
        return "upgrade" if story.number % 2 else "factory"
    return "carrier" if story.route == "land" and story.number % 17 == 0 else "factory"


def _round(amount: int) -> int:
    """Down to whole 10,000 yuan, as amounts are reported."""
    return amount // _WAN * _WAN


def _appearance(percent: int) -> str:
    return next(text for limit, text in _APPEARANCES if percent <= limit)


_WHAT = {"factory": "项目", "carrier": "产业园", "upgrade": "技术改造", "agreement": "合作协议"}
_APPEARANCES = ((20, "桩基施工"), (50, "主体施工"), (80, "主体封顶"), (99, "设备安装"), (100, "收尾验收"))

# The stories. Numbers are calendar days before loading, chosen well inside the limits of the routes (docs/domain.md),
# so that the light holds whichever weekends and holidays lie between.


def _at(stage: str, low: int, high: int) -> Callable[[Story], None]:
    """Stands at `stage`, reached `low` to `high` days before loading; a building site reports its progress."""

    def tell(story: Story) -> None:
        ago = story.dice.randint(low, high)
        story.climb(stage, ago)
        if stage == "land_supplied" and story.number % 3 == 0:
            story.land_contract(ago)
        if stage == "started":
            share = min(95, 5 + ago * 90 // high)
            for percent, when in ((share // 2, ago // 2), (share, 2)):
                story.progress(percent, when)
            if story.number % 2 == 0:
                in_library = ago > 60
                since = {"since": story.ago(ago - 45)} if in_library else {}
                story.tell("statistics.reported", {"in_library": in_library, **since})

    return tell


def _plan_for_completion(low: int, high: int) -> Callable[[Story], None]:
    """Under construction for most of a year, planned to be completed `low` to `high` days after loading."""

    def tell(story: Story) -> None:
        story.climb("started", story.dice.randint(260, 340))
        story.tell("plan.set", {"stage": "completed", "date": story.ago(-story.dice.randint(low, high))})
        story.progress(story.dice.randint(55, 85), 4)
        if total := story.fields.get("investment"):
            month = _round(total // 24)
            story.tell("annual_plan.set", {"year": story.day.year, "amount": 12 * month, "by_month": [month] * 12})

    return tell


def _plan_changed(story: Story) -> None:
    """The baseline has passed, but an approved change rules."""
    story.climb("started", story.dice.randint(300, 380))
    story.tell("plan.set", {"stage": "completed", "date": story.ago(20)})
    story.tell(
        "plan.set",
        {"stage": "completed", "date": story.ago(-150), "reason": "设计变更（演示）", "approver": APPROVER},
        wave=1,
    )


def _plan_change_unapproved(story: Story) -> None:
    """A later date without reason and approver: the first one goes on to rule."""
    story.climb("started", story.dice.randint(200, 260))
    story.tell("plan.set", {"stage": "completed", "date": story.ago(-90)})
    story.tell("plan.set", {"stage": "completed", "date": story.ago(-240)}, wave=1)


def _behind_plan(story: Story) -> None:
    """In time by the limit, but the planned date of the start has passed."""
    story.climb("land_supplied", story.dice.randint(15, 25))
    story.tell("plan.set", {"stage": "started", "date": story.ago(3)})


def _paused(story: Story) -> None:
    """An approved pause is open."""
    story.climb("land_supplied", story.dice.randint(30, 45))
    row = PAUSING[story.number % len(PAUSING)]
    if story.number % 2:
        story.blocker(row, 12, promise=30, pause_until=20)
        return
    approval = {"date": story.ago(10), "approver": APPROVER, "until": story.ago(-20), "document": "示例园管函1号"}
    blocker = story.blocker(row, 12, promise=30)
    story.tell("blocker.paused", {"blocker_id": blocker, **approval, "note": "专题会议同意（演示）"}, wave=1)


def _paused_too_late(story: Story) -> None:
    """Overdue already when the pause was approved."""
    story.climb("land_supplied", story.dice.randint(150, 170))
    story.blocker(PAUSING[story.number % len(PAUSING)], 8, promise=30, pause_until=20)


def _pause_over(story: Story) -> None:
    """One pause ended with its blocker, another with its last day."""
    story.climb("started", story.dice.randint(250, 350))
    cleared = story.blocker(PAUSING[story.number % len(PAUSING)], 120, promise=-80, pause_until=-70)
    ended = story.blocker(PAUSING[(story.number + 1) % len(PAUSING)], 60, promise=-30, pause_until=-40)
    story.tell("blocker.cleared", {"blocker_id": cleared, "date": story.ago(95)}, wave=1)
    story.tell("blocker.cleared", {"blocker_id": ended, "date": story.ago(35)}, wave=1)


def _blocked(ago: int, promise: int | None) -> Callable[[Story], None]:
    """Otherwise in time, with an open blocker; each project of the scenario has the next kind."""

    def tell(story: Story) -> None:
        story.climb("started", story.dice.randint(60, 120))
        row = BLOCKERS[story.number % len(BLOCKERS)]
        if promise is None or promise > 0 or story.number % 2:
            story.blocker(row, ago, promise=promise)
            return
        blocker = story.blocker(row, ago, promise=promise - ago // 2)
        moved = {"blocker_id": blocker, "promise": story.ago(-promise), "reason": "备件到货推迟（演示）"}
        story.tell("blocker.updated", moved, wave=1)

    return tell


def _unclaimed(story: Story) -> None:
    """A blocker that no unit has taken (待认领) and nobody has promised anything about."""
    story.climb("started", story.dice.randint(60, 120))
    story.tell(
        "blocker.raised", {"kind": "用工", "cause": "enterprise", "date": story.ago(9), "note": "待认领（演示）"}
    )


def _blocker_cleared(story: Story) -> None:
    story.climb("started", story.dice.randint(60, 120))
    blocker = story.blocker(BLOCKERS[story.number % len(BLOCKERS)], 40, promise=-10)
    story.tell("blocker.cleared", {"blocker_id": blocker, "date": story.ago(15)}, wave=1)


def _suspended(story: Story) -> None:
    story.climb("started", story.dice.randint(150, 300))
    story.tell("suspension.begun", {"date": story.ago(25), "reason": "企业资金安排（演示）"})


def _resumed(story: Story) -> None:
    story.climb("started", story.dice.randint(150, 300))
    begun = story.tell("suspension.begun", {"date": story.ago(70), "reason": "等待设备（演示）"})
    story.tell("suspension.ended", {"suspension_id": begun, "date": story.ago(30)}, wave=1)


def _withdrawn(story: Story) -> None:
    stages = STAGES[story.route]
    story.climb(stages[story.number % (len(stages) - 1)], story.dice.randint(60, 200))
    story.tell("project.withdrawn", {"date": story.ago(20), "reason": "企业调整布局（演示）"}, actor=APPROVER)


def _agreement(story: Story) -> None:
    story.reach("signed", story.ago(story.dice.randint(20, 400)))


def _unknown_date(story: Story) -> None:
    story.climb("land_supplied", story.dice.randint(100, 300))
    story.reach("started", None, note="动工日期待补（演示）")


def _month_known(story: Story) -> None:
    """Signed in a year, supplied in a month, started in a month: known no better."""
    when = story.day - timedelta(days=story.dice.randint(150, 320))
    story.reach("signed", str(when.year - 2))
    story.reach("land_supplied", (when - timedelta(days=70)).strftime("%Y-%m"))
    story.reach("started", when.strftime("%Y-%m"))


def _this_month(story: Story) -> None:
    """Dated to the current month: the days begin to count when it is over."""
    story.climb("signed", story.dice.randint(60, 80))
    story.reach("land_supplied", story.day.strftime("%Y-%m"))


def _not_reported(story: Story) -> None:
    """Completed, though its start was never reported."""
    story.climb("completed", story.dice.randint(10, 60), leave_out=("started",))


def _corrected(story: Story) -> None:
    """The start was reported with a wrong date and put right."""
    story.climb("started", story.dice.randint(60, 200))
    story.reach("started", story.ago(story.dice.randint(40, 55)), wave=1, note="更正动工日期（演示）")


def _correction_retracted(story: Story) -> None:
    """A correction that was itself wrong: the date before it holds again."""
    story.climb("started", story.dice.randint(60, 200))
    story.reach("started", story.ago(30), wave=1, note="误改（演示）")
    story.tell("event.retracted", {"event_id": story.reached["started"], "reason": "更正有误（演示）"}, wave=2)


def _retracted(low: int, high: int) -> Callable[[Story], None]:
    """奠基 was reported as a start and taken back: the gap before it is open as if it had never closed."""

    def tell(story: Story) -> None:
        story.climb("land_supplied", story.dice.randint(low, high))
        story.reach("started", story.ago(5))
        story.tell(
            "event.retracted", {"event_id": story.reached["started"], "reason": "仅奠基，未实际动工（演示）"}, wave=1
        )

    return tell


def _amended(story: Story) -> None:
    """Handed to another officer, and the investment raised."""
    story.climb("started", story.dice.randint(20, 110))
    raised = _round(story.fields.get("investment", 5_000 * _WAN) * 12 // 10)
    story.tell("project.amended", {"officer": "demo-officer-01", "investment": raised}, wave=1, actor=APPROVER)
    story.tell("note.added", {"text": "专员调整，总投资增加两成（演示）"}, wave=1)


def _produces(story: Story) -> None:
    story.climb("producing", story.dice.randint(5, 900))


def _produces_unreported(story: Story) -> None:
    story.climb("producing", story.dice.randint(30, 600), leave_out=("completed",))


def _produces_on_trial(story: Story) -> None:
    """投产 before 竣工: trial production, a warning only."""
    ago = story.dice.randint(90, 400)
    story.climb("started", ago + 500)
    story.reach("producing", story.ago(ago))
    story.reach("completed", story.ago(ago - 60))


def _produces_since_some_month(story: Story) -> None:
    when = story.day - timedelta(days=story.dice.randint(120, 600))
    story.reach("signed", None)
    story.reach("started", str(when.year - 2))
    story.reach("completed", (when - timedelta(days=80)).strftime("%Y-%m"))
    story.reach("producing", when.strftime("%Y-%m"))


LANE = (("lanes", ["拿地即开工"]),)

TOUR = Scenario("tour", 1, "land", "red", _at("land_supplied", 130, 130))
"""The project of the first commands to try: long without a start, so that reporting one turns its light."""

SCENARIOS: tuple[Scenario, ...] = (
    TOUR,
    Scenario("signed", 34, "land", "green", _at("signed", 3, 60)),
    Scenario("signed, land soon due", 10, "land", "yellow", _at("signed", 76, 86)),
    Scenario("signed, land overdue", 6, "land", "red", _at("signed", 96, 150)),
    Scenario("land supplied", 28, "land", "green", _at("land_supplied", 3, 50)),
    Scenario("land supplied, lane", 8, "land", "green", _at("land_supplied", 2, 12), LANE),
    Scenario("land supplied, lane, start overdue", 3, "land", "red", _at("land_supplied", 65, 80), LANE),
    Scenario("land supplied, start overdue", 5, "land", "red", _at("land_supplied", 130, 170)),
    Scenario("land supplied, behind plan", 3, "land", "yellow", _behind_plan),
    Scenario("started", 30, "land", "green", _at("started", 30, 600)),
    Scenario("started, completion soon due", 7, "land", "yellow", _at("started", 708, 722)),
    Scenario("started, completion overdue", 4, "land", "red", _at("started", 745, 800)),
    Scenario("plan soon due", 6, "land", "yellow", _plan_for_completion(5, 22)),
    Scenario("plan passed", 4, "land", "red", _plan_for_completion(-30, -8)),
    Scenario("plan changed with approval", 8, "land", "green", _plan_changed),
    Scenario("plan changed without approval", 2, "land", "green", _plan_change_unapproved),
    Scenario("completed", 14, "land", "green", _at("completed", 8, 110)),
    Scenario("completed, production soon due", 5, "land", "yellow", _at("completed", 152, 172)),
    Scenario("completed, production overdue", 3, "land", "red", _at("completed", 195, 240)),
    Scenario("plant signed", 16, "plant", "green", _at("signed", 3, 45)),
    Scenario("plant signed, start overdue", 2, "plant", "red", _at("signed", 130, 160)),
    Scenario("plant fitted out", 18, "plant", "green", _at("started", 8, 110)),
    Scenario("plant fitted out, soon due", 5, "plant", "yellow", _at("started", 152, 172)),
    Scenario("plant fitted out, overdue", 3, "plant", "red", _at("started", 195, 240)),
    Scenario("plant ready", 8, "plant", "green", _at("completed", 3, 55)),
    Scenario("plant ready, production soon due", 3, "plant", "yellow", _at("completed", 77, 86)),
    Scenario("plant ready, production overdue", 2, "plant", "red", _at("completed", 100, 130)),
    Scenario("expansion signed", 8, "expansion", "green", _at("signed", 3, 45)),
    Scenario("expansion started", 12, "expansion", "green", _at("started", 20, 300)),
    Scenario("expansion started, soon due", 3, "expansion", "yellow", _at("started", 342, 358)),
    Scenario("expansion started, overdue", 2, "expansion", "red", _at("started", 380, 420)),
    Scenario("expansion completed", 4, "expansion", "green", _at("completed", 3, 55)),
    Scenario("paused", 6, "land", "grey", _paused),
    Scenario("paused when overdue", 2, "land", "red", _paused_too_late),
    Scenario("pauses over", 5, "land", "green", _pause_over),
    Scenario("blocked, promise far", 9, "land", "green", _blocked(5, 40)),
    Scenario("blocked, promise near", 4, "land", "yellow", _blocked(18, 2)),
    Scenario("blocked, promise broken", 3, "land", "red", _blocked(30, -4)),
    Scenario("blocked, nobody's", 2, "plant", "green", _unclaimed),
    Scenario("blocker cleared", 3, "expansion", "green", _blocker_cleared),
    Scenario("suspended", 4, "land", "green", _suspended),
    Scenario("resumed", 3, "land", "green", _resumed),
    Scenario("withdrawn from land", 5, "land", "grey", _withdrawn),
    Scenario("withdrawn from a plant", 4, "plant", "grey", _withdrawn),
    Scenario("agreement", 5, "land", "grey", _agreement, (("kind", "agreement"), ("area_mu", None), ("parcel", None))),
    Scenario("start of unknown date", 3, "land", "grey", _unknown_date),
    Scenario("dates known to the month", 4, "land", "green", _month_known),
    Scenario("dated to the current month", 2, "land", "green", _this_month),
    Scenario("start not reported", 4, "land", "green", _not_reported),
    Scenario("start corrected", 5, "land", "green", _corrected),
    Scenario("correction retracted", 2, "land", "green", _correction_retracted),
    Scenario("start retracted", 2, "land", "green", _retracted(15, 35)),
    Scenario("start retracted, overdue", 1, "land", "red", _retracted(130, 150)),
    Scenario("amended", 4, "plant", "green", _amended),
    Scenario("producing on own land", 74, "land", "blue", _produces),
    Scenario("producing in a plant", 56, "plant", "blue", _produces),
    Scenario("producing after expansion", 25, "expansion", "blue", _produces),
    Scenario("producing, completion not reported", 6, "land", "blue", _produces_unreported),
    Scenario("producing on trial", 4, "land", "blue", _produces_on_trial),
    Scenario("producing since some month", 4, "expansion", "blue", _produces_since_some_month),
)
"""Every story of the zone; the counts add up to ENTERPRISES, those that begin with `producing` to PRODUCING."""
