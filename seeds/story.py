"""How a project of the demonstration zone is told: who it is, what it reports, and the parts it is made of.

Who and what comes from the seed alone, so a project keeps its id, name and amounts for ever; only the dates are
relative to the day of loading.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from seeds.event import SeedEvent

ZONE = "demo"
SEED = "luodi-demo-1"  # another seed is another zone: ids, names and amounts all change
ISSUED_YEAR = 2025  # stands in the project ids, which must not depend on the day of loading

LEADERS, VICE_LEADERS, LEAD_UNITS, HEADS = 8, 5, 9, 12
OFFICERS = 80  # one 专员 follows six or seven of the 518
APPROVER = "demo-leader-01"
AFTER_PUBLICATION = 100  # a wave later than any other: what is corrected after the zone's 月报 was published

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
WAN = 10_000  # yuan
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
    scenario: str
    light: str  # expected on the day of loading
    place: str = ""  # of a part within the project of this number: "2", or "1/2" for a part of a part
    first_wave: int = 0
    part_of: str | None = None  # the project it is a phase or an increment of
    events: list[SeedEvent] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    reached: dict[str, str] = field(default_factory=dict)  # stage -> id of the event that reported it
    parts: list[Story] = field(default_factory=list)
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(_seed(self.number, self.place))  # noqa: S311  # a story, no secret; it must repeat

    @property
    def subject(self) -> str:
        return project_id(self.number, self.place)

    @property
    def officer(self) -> str:
        return f"demo-officer-{1 + self.number % OFFICERS:02d}"

    def ago(self, days: int) -> str:
        """The business date so many days before the day of loading (negative: after it)."""
        return (self.day - timedelta(days=days)).isoformat()

    def tell(self, event_type: str, data: dict[str, Any], *, wave: int = 0, actor: str | None = None) -> str:
        """Add an event and return its id, which holds day and edition: another telling never claims the same ids."""
        event_id = f"s{self.day:%Y%m%d}-{self.edition}-{len(self.events) + 1:02d}"
        wave += self.first_wave
        self.events.append(SeedEvent(self.subject, event_id, event_type, data, actor or self.officer, wave))
        return event_id

    def reach(self, stage: str, when: str | None, *, wave: int = 0, note: str | None = None) -> None:
        data = {"stage": stage, "date": when} | ({"note": note} if note else {})
        self.reached[stage] = self.tell("milestone.reported", data, wave=wave)

    def verify(self, stage: str, *, returned: str | None = None, wave: int = 1) -> None:
        """The group head looks at the report of a stage: confirms it, or returns it with this reason."""
        data: dict[str, Any] = {"event_id": self.reached[stage], "result": "returned" if returned else "confirmed"}
        if returned:
            data["reason"] = returned
        self.tell("milestone.verified", data, wave=wave, actor=self.fields["group_head"])

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
            data["invested_total"] = rounded(total * percent // 100)
            data["arrived_total"] = rounded(total * min(100, percent + 10) // 100)
        self.tell("progress.reported", data)

    def quarters(self, number: int) -> list[str]:
        """The last so many whole quarters before the day of loading, oldest first."""
        this = self.day.year * 4 + (self.day.month - 1) // 3
        return [f"{quarter // 4}-Q{quarter % 4 + 1}" for quarter in range(this - number, this)]

    def land_contract(self, ago: int) -> None:
        """The land contract, signed when the land was supplied; the start is agreed for half a year later."""
        area = self.fields["area_mu"]
        contract = {
            "contract_no": self.fields["parcel"],
            "parcel": self.fields["parcel"],
            "area_mu": area,
            "price": area * 40 * WAN,
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

    def confirm(self, blocker: str, *, satisfied: bool) -> None:
        """The enterprise says whether a blocker that was cleared is out of the way."""
        contact = self.fields["company_contact"]
        told = {"blocker_id": blocker, "by": contact, "satisfied": satisfied}
        self.tell("blocker.confirmed", told, wave=2, actor=contact)

    def part(self, light: str, route: str, *, wave: int = 0) -> Story:
        """Begin a part of this project, which is a project of its own; nothing is told of it yet."""
        number = len(self.parts) + 1
        place = f"{self.place}/{number}" if self.place else str(number)
        scenario, wave = f"{self.scenario}, part {number}", self.first_wave + wave
        part = Story(self.number, route, self.day, self.edition, scenario, light, place, wave, self.subject)
        self.parts.append(part)
        return part

    def whole(self) -> Iterator[Story]:
        """The project, and everything it is made of."""
        yield self
        for part in self.parts:
            yield from part.whole()


def project_id(number: int, place: str = "") -> str:
    """The id of the `number`-th project or of a part of it, in the form that ingest issues: the same on every day."""
    digest = int.from_bytes(hashlib.sha256(_seed(number, place).encode()).digest()[:8], "big")
    return f"{ZONE}-{ISSUED_YEAR}-" + "".join(_BASE32[(digest >> 5 * digit) & 31] for digit in range(10))


def _seed(number: int, place: str) -> str:
    return f"{SEED}/{number}/{place}" if place else f"{SEED}/{number}"


def register(story: Story, extra: dict[str, Any]) -> None:
    """Who the project is: drawn from the seed alone."""
    number, dice = story.number, story.dice
    industry, chain, word = INDUSTRIES[number % len(INDUSTRIES)]
    firm = f"示例{_FIRST[number % len(_FIRST)]}{_SECOND[number // len(_FIRST)]}{word}"
    kind = extra.pop("kind", None) or _kind(story)
    key = number % 9 == 1
    data: dict[str, Any] = {
        "name": f"{firm}{extra.pop('title', _WHAT[kind])}",
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
    investment = rounded(
        dice.choice((2_000, 5_000, 12_000, 30_000, 80_000, 200_000)) * WAN * dice.randint(80, 150) // 100
    )
    if number % 23:  # every 23rd amount is unknown
        data["investment"] = investment
        data["paid_in"] = rounded(investment * dice.randint(0, 60) // 100)
    if story.route == "land":
        data |= {"area_mu": dice.randint(12, 180), "parcel": f"DEMO-{number:03d}"}
    if story.route == "plant":
        data["floor_m2"] = dice.randrange(1_500, 24_000, 100)
    if kind == "carrier":
        data["floor_m2"] = 60_000 + number * 100
    if key:
        data |= {
            "key": True,
            "level": dice.choice(("省", "市", "区")),
            "leader": f"demo-leader-{1 + number % LEADERS:02d}",
        }
    story.fields = {name: value for name, value in (data | extra).items() if value is not None}
    story.tell("project.registered", story.fields)


def register_part(part: Story, whole: Story, title: str, share: int, extra: dict[str, Any]) -> None:
    """Who a part is: the whole's name, firm and people, and one of `share` equal shares of its size.

    `extra` says what it is to the whole, a phase (`parent`) or more invested in it (`increment_of`), and may say else.
    """
    size: dict[str, Any] = {"jobs": whole.fields["jobs"] // share}
    for name in ("investment", "paid_in"):
        if name in whole.fields:
            size[name] = rounded(whole.fields[name] // share)
    if part.route == "land":
        size |= {"area_mu": part.dice.randint(6, 60), "parcel": whole.fields.get("parcel", f"DEMO-{part.number:03d}")}
    if part.route == "plant":
        size |= {"floor_m2": part.dice.randrange(1_500, 12_000, 100), "park": PARKS[-1]}
    same = {name: whole.fields[name] for name in _SAME if name in whole.fields}
    kind = whole.fields["kind"] if part.route == whole.route else "factory"
    part.fields = {"name": f"{whole.fields['name']}{title}", "route": part.route, "kind": kind, **same, **size, **extra}
    part.tell("project.registered", part.fields)


_SAME = (
    *("zone", "content", "industry", "chain", "investor", "enterprise", "origin", "park", "class", "key", "level"),
    *("leader", "vice_leader", "lead_unit", "group_head", "officer", "company_contact", "source"),
)
"""What a part has in common with the whole."""


def _kind(story: Story) -> str:
    if story.route == "expansion":
        return "upgrade" if story.number % 2 else "factory"
    return "carrier" if story.route == "land" and story.number % 17 == 0 else "factory"


def rounded(amount: int) -> int:
    """Down to whole 10,000 yuan, as amounts are reported."""
    return amount // WAN * WAN


def _appearance(percent: int) -> str:
    return next(text for limit, text in _APPEARANCES if percent <= limit)


_WHAT = {"factory": "项目", "carrier": "产业园", "upgrade": "技术改造", "agreement": "合作协议"}
_APPEARANCES = ((20, "桩基施工"), (50, "主体施工"), (80, "主体封顶"), (99, "设备安装"), (100, "收尾验收"))
