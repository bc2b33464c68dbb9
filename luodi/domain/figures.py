"""Reported figures: numbers somebody has published, told as they were published and beside what is counted here.

A reported sum is never made to fit its parts, nor a reported count our own: both are shown, with the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from luodi.domain.money import yi
from luodi.domain.stages import Language

MEASURES: Mapping[str, tuple[str, str]] = {
    "projects": ("已登记项目（不含合作协议）", "registered projects, agreements left out"),
    "key_projects": ("已登记重点项目（不含合作协议）", "registered key projects, agreements left out"),
    "carriers": ("已登记载体", "registered carriers"),
    "enterprises": ("已登记项目的企业", "enterprises of registered projects"),
    "enterprises_producing": ("其中有项目投产的企业", "enterprises with a project in production"),
}
"""What of our own count a figure may be set beside, in words."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Something that was reported of a zone, under a name, by somebody, as of a day."""

    zone: str
    id: str
    name: str
    name_en: str
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Figure(Reported):
    """One reported number (or list of words) of a zone.

    ``value`` and ``before`` are in ``unit``; amounts are whole yuan (unit 元). ``word`` stands before the value (超过,
    约), ``change`` is the change on the year before in percent, ``project`` the project it belongs to. ``measure``
    names what of our own count it is set beside.
    """

    value: int | Decimal | None = None
    unit: str = ""
    word: str = ""
    before: int | Decimal | None = None
    before_word: str = ""
    change: int | Decimal | None = None
    period: str | None = None
    project: str | None = None
    words: tuple[str, ...] = ()
    measure: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One named part of a reported sum; ``amount`` in yuan."""

    name: str
    name_en: str
    count: int
    amount: int


@dataclass(frozen=True, slots=True)
class Breakdown(Reported):
    """A reported sum beside its reported parts, which need not add up; amounts in yuan.

    ``word`` says how the parts stand to the whole (主要: the main ones only).
    """

    count: int
    amount: int
    word: str
    word_en: str
    parts: tuple[Part, ...]
    named_amounts: tuple[int, ...] = ()
    measure: str | None = None

    @property
    def parts_count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def parts_amount(self) -> int:
        return sum(part.amount for part in self.parts)

    @property
    def difference(self) -> int:
        """The reported sum less the reported parts, in yuan."""
        return self.amount - self.parts_amount

    @property
    def difference_count(self) -> int:
        return self.count - self.parts_count

    def sentence(self, language: Language = "zh-CN") -> str:
        """The sum, its parts and what they leave open, as it must be shown."""
        return _zh(self) if language == "zh-CN" else _en(self)


def _zh(sum_: Breakdown) -> str:
    parts = "、".join(f"{part.name}{part.count}个{yi(part.amount)}亿元" for part in sum_.parts)
    lacking = f"{sum_.difference_count}个" if sum_.difference_count else ""
    return (
        f"{sum_.name}{sum_.count}个，{yi(sum_.amount)}亿元；{sum_.word}：{parts}，"
        f"合计{sum_.parts_count}个{yi(sum_.parts_amount)}亿元，差额{lacking}{yi(sum_.difference)}亿元"
    )


def _en(sum_: Breakdown) -> str:
    parts = ", ".join(f"{part.name_en} {part.count} for {yi(part.amount)}" for part in sum_.parts)
    lacking = f"{sum_.difference_count} and " if sum_.difference_count else ""
    return (
        f"{sum_.count} {sum_.name_en}, {yi(sum_.amount)} hundred million yuan; {sum_.word_en} {parts}, "
        f"together {sum_.parts_count} for {yi(sum_.parts_amount)}: a difference of {lacking}{yi(sum_.difference)}"
    )
