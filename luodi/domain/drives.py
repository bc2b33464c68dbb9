"""The five drives (五个抓): one for each gap on the way from a signature to output, and what each counts.

A drive counts what has clocks of its own: projects and phases alike, a project that shows the lights of its phases by
those phases. A project is in the drive of the stage that it awaits; one that has reached the last stage of its route is
in the fifth while anything is left to do there: a commitment that is not met, a blocker that is not cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from luodi.domain.clocks import BLUE, GREEN, GREY, RED, YELLOW
from luodi.domain.stages import (
    COMPLETED,
    LAND_SUPPLIED,
    PERFORMING,
    PRODUCING,
    SIGNED,
    STARTED,
    Language,
    next_stage,
)

ZH: Language = "zh-CN"

LAND = "land"
START = "start"
BUILDING = "building"
PRODUCTION = "production"
PERFORMANCE = "performance"

Gap = tuple[str, str]
Words = tuple[str, str]  # Chinese, English


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive: the gaps it is about, its name, and what it counts."""

    gaps: tuple[Gap, ...]
    name: Words
    definition: Words


@dataclass(slots=True)
class Counts:
    """The projects of a drive by what they show."""

    open: int = 0
    red: int = 0
    yellow: int = 0
    green: int = 0
    paused: int = 0
    grey: int = 0  # without a clock, for another reason than a pause

    def add(self, drive: str, light: str, projects: int, *, clocked: bool) -> None:
        """Count projects that are alike. ``clocked``: a limit is set to the gap they are in."""
        if drive == PERFORMANCE and (light == BLUE or (light == GREY and not clocked)):
            return  # nothing is committed, or all of it is met
        name = _NAMES.get(light)
        if name is None:
            return
        if light == GREY and clocked:
            name = "paused"
        self.open += projects
        setattr(self, name, getattr(self, name) + projects)

    def answer(self) -> dict[str, int]:
        """As told."""
        return {name: getattr(self, name) for name in COUNTED}


COUNTED = ("open", "red", "yellow", "green", "paused", "grey")
_NAMES = {RED: "red", YELLOW: "yellow", GREEN: "green", GREY: "grey"}


def drive_of(route: str | None, stage: str) -> str:
    """The drive of a project that has come to a stage of its route."""
    return _BY_AWAITED[next_stage(route, stage)]


def name(drive: str, language: Language) -> str:
    """What a drive is called."""
    return DRIVES[drive].name[0 if language == ZH else 1]


def definition(drive: str, language: Language) -> str:
    """What a drive counts."""
    return DRIVES[drive].definition[0 if language == ZH else 1]


def definitions(language: Language) -> dict[str, str]:
    """What its numbers mean."""
    return {name: words[0 if language == ZH else 1] for name, words in _DEFINITIONS.items()}


_BY_AWAITED: Mapping[str | None, str] = {
    LAND_SUPPLIED: LAND,
    STARTED: START,
    COMPLETED: BUILDING,
    PRODUCING: PRODUCTION,
    None: PERFORMANCE,
}

DRIVES: Mapping[str, Drive] = {
    LAND: Drive(
        ((SIGNED, LAND_SUPPLIED),),
        ("签约项目抓供地", "Signed: drive to land"),
        ("已签约、路径含供地而尚未供地的项目", "Signed projects whose route includes land and that have none yet"),
    ),
    START: Drive(
        ((LAND_SUPPLIED, STARTED), (SIGNED, STARTED)),
        ("供地项目抓动工", "Land supplied: drive to a start"),
        (
            "已供地而尚未开工的项目；路径不含供地的（厂房、增资），为已签约而尚未进场或开工的项目",
            "Projects with land that have not started; on routes without land (plant, expansion) signed ones that have "
            "not started",
        ),
    ),
    BUILDING: Drive(
        ((STARTED, COMPLETED),),
        ("在建项目抓提速", "Building: drive to speed"),
        ("已开工而尚未竣工的项目", "Projects that have started and are not completed"),
    ),
    PRODUCTION: Drive(
        ((COMPLETED, PRODUCING),),
        ("建成项目抓投产", "Built: drive to production"),
        ("已竣工而尚未投产的项目", "Projects that are completed and do not produce yet"),
    ),
    PERFORMANCE: Drive(
        ((PRODUCING, PERFORMING),),
        ("存量项目抓提效", "Producing: drive to more output"),
        (
            "已投产，投资协议的承诺（达产、投资强度、亩均税收）尚未全部达到，或尚有问题未销号的项目",
            "Projects that produce and have not met all that the agreement commits them to (full production, "
            "investment and tax per mu), or have a blocker with a promise that is not cleared",
        ),
    ),
}
"""The drives in their order."""

_DEFINITIONS: Mapping[str, Words] = {
    "open": (
        "在办：有自身时限的项目和分期（分期项目以各期计），含停工，不含储备、退出和合作协议",
        "Projects and phases with clocks of their own (a phased project is counted by its phases), suspended ones "
        "included; the pool, withdrawn projects and agreements left out",
    ),
    "red": ("红灯：任一时限或责任单位的承诺已超期", "Red: a clock of theirs, or a promise of a unit, is overdue"),
    "yellow": ("黄灯：临近期限或落后于计划", "Yellow: due soon, or behind plan"),
    "green": ("绿灯：在期限内", "Green: in time"),
    "paused": ("暂停：经批准暂停计时且未超期", "Paused with approval, and not overdue"),
    "grey": ("其他灰灯：无时限或资料不全", "Grey for another reason: no clock, or the record is not complete"),
    "worst": (
        "最差十项：先红灯，按超期天数；再黄灯，按期限先后",
        "The worst ten: red ones by the days over, then yellow ones by their due date",
    ),
    "next": (
        "下一步由谁办：有未销号问题且已明确责任单位的为责任单位，其余为最先告知的人；acting为今天实际履职的人",
        "Who acts next: the unit that must clear an open blocker, else whoever is told first; `acting` is who that is "
        "today",
    ),
    "trend": (
        "近八周每周末（周日24时）：known为当时所知，actual为按现在所知当时的实际情况",
        "The last eight weeks at their end (Sunday, midnight): `known` by what was known then, `actual` as it was by "
        "what is known now",
    ),
}
