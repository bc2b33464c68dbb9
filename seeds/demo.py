"""The demonstration zone: 518 invented enterprises with one project each, generated from a fixed seed,
and the people who work on them.

Everything here is fictitious and says so: firms are called 示例…, persons and units are ids that begin with `demo-`.
Who and what comes from the seed alone, so a project keeps its id, name and amounts for ever; only the dates are
relative to the day of loading, so that the zone looks alive whenever it is loaded.

Beside the 518 stand the phases of some of them and what was invested in others later: projects with clocks and lights,
which the funnel counts with the one they belong to.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from seeds import firms, forces, minutes, permits, plots, prospects, staff, zone
from seeds.event import SeedEvent
from seeds.families import Part, Tell, followed_by_phases, in_phases, raised, split_into
from seeds.story import (
    AFTER_PUBLICATION,
    APPROVER,
    BLOCKERS,
    PARKS,
    PAUSING,
    SEED,
    STAGES,
    WAN,
    Story,
    project_id,
    register,
    rounded,
)

MARK = "luodi-sample"  # system name in `refs` of the first project; its id there is the telling: day and edition
FULL = 100  # percent of the designed capacity
ENTERPRISES = 518
PRODUCING = 169


@dataclass(frozen=True, slots=True)
class Scenario:
    """A kind of story, how many projects live it, and the light it shows on the day of loading."""

    name: str
    count: int
    route: str
    light: str
    tell: Tell
    fields: tuple[tuple[str, Any], ...] = ()
    lets: bool = False  # a building that stands: some of the projects that rent a plant rent it here


@dataclass(frozen=True, slots=True)
class DemoProject:
    """One generated project: its scenario by name, the light expected on the day of loading, its events.

    `part_of` is the project that it is a phase or an increment of.
    """

    id: str
    scenario: str
    light: str
    part_of: str | None
    events: tuple[SeedEvent, ...]


@cache
def edition() -> str:
    """What this version of the stories is called: it changes with every word and date of them."""
    content = [[event.subject, event.type, event.data] for event in _all(date(2020, 1, 1), "")]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:6]


def projects(day: date) -> tuple[DemoProject, ...]:
    """All projects as they stand on the day of loading, each followed by its parts."""
    return _told(day, edition())


def mark(day: date) -> str:
    """How the first project tells which telling this is."""
    return f"{day} {edition()}"


def events(day: date) -> tuple[SeedEvent, ...]:
    """All events of the zone, wave by wave, in the order in which they are to be posted: those of people first."""
    return tuple(sorted(_all(day, edition()), key=lambda event: event.wave))


def _all(day: date, edition: str) -> list[SeedEvent]:
    told = _told(day, edition)
    of_projects = (event for project in told for event in project.events)
    beside = [
        *prospects.events(day, edition, told),
        *plots.events(day, edition, told),
        *firms.events(day, edition, told),
        *zone.events(day, edition),
        *minutes.events(day, edition),
        *forces.events(day, edition),
    ]
    return [*staff.events(day, edition), *of_projects, *beside]


def _told(day: date, edition: str) -> tuple[DemoProject, ...]:
    cast = tuple(enumerate((scenario for scenario in SCENARIOS for _ in range(scenario.count)), start=1))
    lets = [project_id(number) for number, scenario in cast if scenario.lets]
    told: list[DemoProject] = []
    for number, scenario in cast:
        story = Story(number, scenario.route, day, edition, scenario.name, scenario.light)
        register(story, _more(story, lets) | dict(scenario.fields))
        scenario.tell(story)
        permits.tell(story)
        forces.tell(story)
        told += [
            DemoProject(each.subject, each.scenario, each.light, each.part_of, tuple(each.events))
            for each in story.whole()
        ]
    return tuple(told)


def _more(story: Story, lets: list[str]) -> dict[str, Any]:
    """What a project is registered with for its place among the others: the mark of the telling, its lane, its
    landlord."""
    more: dict[str, Any] = {"lanes": [permits.GREEN_LANE]} if permits.on_the_green_lane(story.number) else {}
    if story.number == 1:
        more["refs"] = [{"system": MARK, "id": f"{story.day} {story.edition}"}]
    if story.route == "plant":
        lodging = random.Random(f"{SEED}/{story.number}/lodging")  # noqa: S311  # a story, no secret; it must repeat
        more["carrier"] = lodging.choice([*lets, None])
    return more


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
            if story.number % 3 == 0 and (total := story.fields.get("investment")):
                story.tell("annual_plan.set", {"year": story.day.year, "amount": rounded(total // 2)})
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
            month = rounded(total // 24)
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
    story.confirm(cleared, satisfied=True)


def _blocked(ago: int, promise: int | None) -> Callable[[Story], None]:
    """Otherwise in time, with an open blocker; each project of the scenario has the next kind."""

    def tell(story: Story) -> None:
        story.climb("started", story.dice.randint(60, 120))
        row = BLOCKERS[story.number % len(BLOCKERS)]
        if promise is None or promise > 0 or story.number % 2:
            blocker = story.blocker(row, ago, promise=promise)
        else:
            blocker = story.blocker(row, ago, promise=promise - ago // 2)
            moved = {"blocker_id": blocker, "promise": story.ago(-promise), "reason": "备件到货推迟（演示）"}
            story.tell("blocker.updated", moved, wave=1)
        if story.number % 3:
            reply = {"blocker_id": blocker, "text": "已现场勘察，正在办理（演示）"}
            story.tell("blocker.replied", reply, wave=1, actor=row[2])
        if story.number % 4 == 0:
            level = {
                "blocker_id": blocker,
                "level": "重大" if story.number % 8 else "协调",
                "reason": "调度会议定（演示）",
            }
            story.tell("blocker.graded", level, wave=1, actor=story.fields["group_head"])

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
    if story.number % 3:  # of the others the enterprise has said nothing yet
        story.confirm(blocker, satisfied=story.number % 3 == 1)


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
    """The start was reported with a wrong date and put right: a late report, which mostly waits to be verified."""
    story.climb("started", story.dice.randint(60, 200))
    story.reach("started", story.ago(story.dice.randint(40, 55)), wave=1, note="更正动工日期（演示）")
    if story.number % 4 == 0:
        story.verify("started", wave=2)


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


def _returned(low: int, high: int) -> Callable[[Story], None]:
    """A start was reported that the group head did not find on the site: the report counts no longer."""

    def tell(story: Story) -> None:
        story.climb("land_supplied", story.dice.randint(low, high))
        story.reach("started", story.ago(5))
        story.verify("started", returned="现场只有围挡，桩基未施工（演示）")

    return tell


def _amended(story: Story) -> None:
    """Handed to another officer, and the investment raised; once more after the zone has published its 月报."""
    story.climb("started", story.dice.randint(20, 110))
    raised = rounded(story.fields.get("investment", 5_000 * WAN) * 12 // 10)
    story.tell("project.amended", {"officer": "demo-officer-01", "investment": raised}, wave=1, actor=APPROVER)
    story.tell("note.added", {"text": "专员调整，总投资增加两成（演示）"}, wave=1)
    again = {"investment": rounded(raised * 11 // 10), "note": "月报发布后更正总投资（演示）"}
    story.tell("project.amended", again, wave=AFTER_PUBLICATION, actor=APPROVER)


def _produces(story: Story) -> None:
    story.climb("producing", story.dice.randint(5, 900))
    if story.number % 3:
        story.verify("producing")


def _committed(due: int, capacity: tuple[int, int]) -> Callable[[Story], None]:
    """Produces, and is to reach full production `due` days after loading; the last quarters told its `capacity`.

    The investment per mu that was agreed is there already; the tax per mu is a matter of years, where it is agreed.
    """

    def tell(story: Story) -> None:
        story.climb("producing", story.dice.randint(400, 800))
        agreed = {"document": f"示例投资协议{story.number:03d}号"}
        area, investment = story.fields["area_mu"], story.fields.get("investment")
        story.tell("commitment.made", {"measure": "full_production", "due": story.ago(-due), **agreed})
        if investment:
            per_mu = {"value": rounded(investment * 9 // 10 // area), "due": story.ago(100)}
            story.tell("commitment.made", {"measure": "investment_intensity", **per_mu, **agreed})
            story.progress(100, 380)
        if capacity[1] < FULL and due > 0:
            tax = {"value": 15 * WAN, "due": story.ago(-due - 720)}
            story.tell("commitment.made", {"measure": "tax_per_mu", **tax, **agreed})
        reached = sorted(story.dice.randint(*capacity) for _ in range(2))
        for period, percent in zip(story.quarters(2), reached, strict=True):
            output = area * 80 * WAN * percent // FULL
            figures = {"output": output, "tax": output // 25, "capacity_percent": percent}
            story.tell("performance.reported", {"period": period, **figures, "jobs": story.fields["jobs"]})

    return tell


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
PHASED = (("phased", True),)
CARRIER = (("kind", "carrier"), ("park", PARKS[-1]), ("floor_m2", 380_000))
PACKAGE = (("title", "打包项目"),)

_PRODUCING = Part("一期", "blue", _at("producing", 200, 900))
_BUILDING = Part("一期", "green", _at("started", 30, 300))
_PAUSED = Part("一期", "grey", _paused)
_SECOND_PRODUCING = Part("二期", "blue", _at("producing", 5, 150))
_SECOND_BUILDING = Part("二期", "green", _at("started", 30, 300))
_SOON_DUE = Part("二期", "yellow", _at("completed", 152, 172))
_LATE = Part("二期", "red", _at("land_supplied", 130, 170))
_ON_RECEIVING_LAND = Part("二期", "green", _at("land_supplied", 2, 12), fields=LANE)
_JUST_SIGNED = Part("二期", "green", _at("signed", 3, 60))
_GIVEN_UP = Part("二期", "grey", _withdrawn)
_THIRD_SIGNED = Part("三期", "green", _at("signed", 3, 60))
_HALLS = (_PRODUCING, _SECOND_PRODUCING, Part("三期", "green", _at("started", 5, 30)))
_LOTS = (
    Part("甲标段", "yellow", _at("signed", 76, 86)),
    Part("乙标段", "green", _at("signed", 3, 45), "plant"),
    Part("丙标段", "green", _at("started", 20, 300), "expansion"),
)
_LOTS_IN_PHASES = (
    Part("甲标段", "green", in_phases(_BUILDING, _JUST_SIGNED), fields=PHASED),
    Part("乙标段", "green", _at("land_supplied", 3, 50)),
)
_RAISE_SIGNED = Part("增资", "green", _at("signed", 3, 45), "expansion")
_RAISE_LATE = Part("增资", "red", _at("started", 380, 420), "expansion")
_RAISE_PRODUCING = Part("增资", "blue", _at("producing", 5, 200), "expansion")
_RAISES = (
    Part("增资", "green", _at("started", 20, 300), "expansion"),
    Part("二次增资", "yellow", _at("completed", 77, 86), "expansion"),
)

TOUR = Scenario("tour", 1, "land", "red", _at("land_supplied", 130, 130))
"""The project of the first commands to try: long without a start, so that reporting one turns its light."""

SCENARIOS: tuple[Scenario, ...] = (
    TOUR,
    Scenario("signed", 32, "land", "green", _at("signed", 3, 60)),
    Scenario("signed, land soon due", 9, "land", "yellow", _at("signed", 76, 86)),
    Scenario("signed, land overdue", 6, "land", "red", _at("signed", 96, 150)),
    Scenario("land supplied", 28, "land", "green", _at("land_supplied", 3, 50)),
    Scenario("land supplied, lane", 8, "land", "green", _at("land_supplied", 2, 12), LANE),
    Scenario("land supplied, lane, start overdue", 3, "land", "red", _at("land_supplied", 65, 80), LANE),
    Scenario("land supplied, start overdue", 5, "land", "red", _at("land_supplied", 130, 170)),
    Scenario("land supplied, behind plan", 3, "land", "yellow", _behind_plan),
    Scenario("started", 23, "land", "green", _at("started", 30, 600)),
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
    Scenario("paused", 5, "land", "grey", _paused),
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
    Scenario("start retracted", 1, "land", "green", _retracted(15, 35)),
    Scenario("start returned", 1, "land", "green", _returned(15, 35)),
    Scenario("start retracted, overdue", 1, "land", "red", _retracted(130, 150)),
    Scenario("amended", 4, "plant", "green", _amended),
    Scenario("producing on own land", 38, "land", "blue", _produces),
    Scenario("producing, commitments ahead", 8, "land", "green", _committed(240, (45, 85))),
    Scenario("producing, commitment soon due", 4, "land", "yellow", _committed(18, (70, 95))),
    Scenario("producing, commitment missed", 1, "land", "red", _committed(-12, (55, 80))),
    Scenario("producing, commitments met", 4, "land", "blue", _committed(-60, (100, 112))),
    Scenario("producing in a plant", 56, "plant", "blue", _produces),
    Scenario("producing after expansion", 25, "expansion", "blue", _produces),
    Scenario("producing, completion not reported", 6, "land", "blue", _produces_unreported),
    Scenario("producing on trial", 4, "land", "blue", _produces_on_trial),
    Scenario("producing since some month", 4, "expansion", "blue", _produces_since_some_month),
    Scenario("in phases, building", 2, "land", "green", in_phases(_BUILDING, _ON_RECEIVING_LAND), PHASED),
    Scenario("in phases, second late", 1, "land", "red", in_phases(_BUILDING, _LATE), PHASED),
    Scenario("in phases, one paused", 1, "land", "grey", in_phases(_PAUSED, _JUST_SIGNED), PHASED),
    Scenario("in phases, one withdrawn", 1, "land", "green", in_phases(_BUILDING, _GIVEN_UP), PHASED),
    Scenario("in phases, none registered yet", 1, "land", "grey", _at("signed", 3, 60), PHASED),
    Scenario(
        "started, next phase signed", 2, "land", "green", followed_by_phases(_at("started", 30, 600), _JUST_SIGNED)
    ),
    Scenario("package split", 2, "land", "yellow", split_into(70, *_LOTS), PACKAGE),
    Scenario("package with phases", 1, "land", "green", split_into(90, *_LOTS_IN_PHASES), PACKAGE),
    Scenario("producing in phases", 4, "land", "green", in_phases(_PRODUCING, _SECOND_BUILDING, _THIRD_SIGNED), PHASED),
    Scenario("producing in phases, second soon due", 2, "land", "yellow", in_phases(_PRODUCING, _SOON_DUE), PHASED),
    Scenario("producing in phases, second late", 1, "land", "red", in_phases(_PRODUCING, _LATE), PHASED),
    Scenario("producing in every phase", 2, "land", "blue", in_phases(_PRODUCING, _SECOND_PRODUCING), PHASED),
    Scenario("producing carrier", 3, "land", "blue", _produces, CARRIER, lets=True),
    Scenario("producing carrier in phases", 1, "land", "green", in_phases(*_HALLS), (*CARRIER, *PHASED), lets=True),
    Scenario("producing, increment signed", 2, "land", "blue", raised(_produces, _RAISE_SIGNED)),
    Scenario("producing, increments building", 2, "land", "blue", raised(_produces, *_RAISES)),
    Scenario("producing, increment late", 1, "land", "blue", raised(_produces, _RAISE_LATE)),
    Scenario("producing, increment producing", 1, "land", "blue", raised(_produces, _RAISE_PRODUCING)),
)
"""Every story of the zone; the counts add up to ENTERPRISES, those that begin with `producing` to PRODUCING."""
