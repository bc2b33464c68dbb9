"""What the system counts by itself, by name: what a reported figure is set beside and a target is held against.

Counts are of roots: a phase counts with the project it belongs to, an increment (增资) adds its money and is no
project, the pool before the signature is left out, withdrawn projects stay in. Money is in yuan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from luodi.domain.stages import COMPLETED, LAND_SUPPLIED, PRODUCING, SIGNED, STARTED, Language

Counts = Literal["projects", "enterprises", "money"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One of our own counts, in words; ``counts`` says what its number is a number of.

    A *yearly* measure counts what happened in one year, any other how things stand. ``stage``: the projects that
    reached it in the year.
    """

    zh: str
    en: str
    counts: Counts = "projects"
    yearly: bool = False
    stage: str | None = None

    def words(self, language: Language) -> str:
        """What it counts, in one line."""
        return self.zh if language == "zh-CN" else self.en


ENTERPRISES = "enterprises"
ENTERPRISES_PRODUCING = "enterprises_producing"
INVESTED = "invested"
ARRIVED = "arrived"

MEASURES: Mapping[str, Measure] = {
    "projects": Measure("已登记项目（不含合作协议）", "registered projects, agreements left out"),
    "key_projects": Measure("已登记重点项目（不含合作协议）", "registered key projects, agreements left out"),
    "carriers": Measure("已登记载体", "registered carriers"),
    ENTERPRISES: Measure("已登记项目的企业", "enterprises of registered projects", "enterprises"),
    ENTERPRISES_PRODUCING: Measure("其中有项目投产的企业", "enterprises with a project in production", "enterprises"),
    "signed": Measure(
        "当年签约项目（不含合作协议；签约额含增资）",
        "projects signed in the year, agreements left out; their amount includes increments",
        yearly=True,
        stage=SIGNED,
    ),
    "signed_investment": Measure(
        "当年签约额（元；含增资，不含合作协议）",
        "investment signed in the year in yuan, increments included, agreements left out",
        "money",
        yearly=True,
        stage=SIGNED,
    ),
    "land_supplied": Measure(
        "当年供地项目", "projects whose land was supplied in the year", yearly=True, stage=LAND_SUPPLIED
    ),
    "started": Measure(
        "当年开工项目（分期项目以首个开工的分期为准）",
        "projects started in the year; one in phases when its first phase did",
        yearly=True,
        stage=STARTED,
    ),
    "completed": Measure(
        "当年竣工项目（分期项目以首个竣工的分期为准）",
        "projects completed in the year; one in phases when its first phase was",
        yearly=True,
        stage=COMPLETED,
    ),
    "producing": Measure(
        "当年投产项目（分期项目以首个投产的分期为准）",
        "projects in production since this year; one in phases since its first phase was",
        yearly=True,
        stage=PRODUCING,
    ),
    INVESTED: Measure(
        "当年完成投资（元；年末累计减上年末累计，按上报）",
        "invested in the year in yuan: the total reported last less that of the year before",
        "money",
        yearly=True,
    ),
    ARRIVED: Measure(
        "当年到位资金（元；年末累计减上年末累计，按上报）",
        "money arrived in the year in yuan: the total reported last less that of the year before",
        "money",
        yearly=True,
    ),
}
"""By name; the first five say how things stand, the others what happened in a year."""

STANDING = tuple(name for name, measure in MEASURES.items() if not measure.yearly)
YEARLY = tuple(name for name, measure in MEASURES.items() if measure.yearly)
