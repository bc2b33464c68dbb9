"""差异说明: what was corrected after a publication, project by project, and by which events.

A published number is what was known at an instant of a business date. Whatever was recorded later may change what is
known of that date now: the two are compared here, and each difference is laid to the events that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.domain import reasons, stages
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import light_at
from luodi.domain.counting import arrived
from luodi.domain.events import Event
from luodi.domain.history import Assess, known, state_at
from luodi.domain.money import yi
from luodi.domain.stages import STAGES, Language

Document = Mapping[str, Any]

COUNTED = (
    "registered",
    "status",
    "stage",
    "zone",
    "route",
    "kind",
    "key",
    "parent",
    "increment_of",
    "investment",
    "enterprise",
    "credit_code",
    "industry",
    "chain",
    "park",
    "origin",
    "leader",
    "lead_unit",
)
"""Fields of a document that a published number may depend on."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing of a project that differs; None where nothing was known, or is known any more."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Correction:
    """An event recorded after the publication that made a difference to what it published, and which."""

    event: Event
    changes: tuple[Change, ...]


def summary(document: Document | None, moment: str) -> dict[str, Any]:
    """What of a project goes into a publication, flat; nothing where there was no project. ``moment``: when its light
    is read."""
    if document is None:
        return {}
    said = {name: document.get(name) for name in COUNTED}
    said |= {f"reached.{stage}": date or "" for stage, date in document["reached"].items()}
    said |= {f"verified.{stage}": True for stage in document["verified"]}
    said["arrived"] = arrived(document)
    said["land_contract"] = True if document.get("land_contract") is not None else None
    said["light"] = light_at(document["lights"], moment)["light"]
    return said


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Where two summaries differ, in the order in which things are told."""
    names = sorted({*before, *after}, key=_place)
    return tuple(
        Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def corrections(
    recorded: Sequence[Event], since: str, until: str, as_of: int, moment: str, assessed: Assess, calendar: Calendar
) -> Iterator[Correction]:
    """The events recorded after ``since`` and until ``until`` that changed what is said of a business date (an
    ordinal), each with what it changed. One that another took back again is among them, and so is that one.

    ``assessed`` makes the document of a state; ``moment`` is the instant at which lights are read.
    """

    def said(events: Sequence[Event]) -> dict[str, Any]:
        state = state_at(events, None, as_of, calendar) if events else None
        return summary(None if state is None else assessed(state), moment)

    held = known(recorded, since)
    later = sorted((event for event in recorded if since < event.recordedtime <= until), key=_order)
    before = said(held)
    for event in later:
        held.append(event)
        after = said(held)
        if found := changes(before, after):
            yield Correction(event, found)
        before = after


def sentence(found: Sequence[Change], route: str | None, language: Language) -> str:
    """What differs of a project, in one sentence: of each thing what was published and what is known now."""
    zh = language == "zh-CN"
    told = [
        _TOLD[0 if zh else 1].format(
            title=title(change.field, route, language),
            before=_value(change.field, change.before, route, language),
            after=_value(change.field, change.after, route, language),
        )
        for change in found
    ]
    return ("；" if zh else "; ").join(told)


def title(field: str, route: str | None, language: Language) -> str:
    """What a field is called."""
    what, _, stage = field.partition(".")
    words = _TITLES[what][0 if language == "zh-CN" else 1]
    return words.format(stage=stages.name(route, stage, language)) if stage else words


def _value(field: str, value: Any, route: str | None, language: Language) -> str:
    zh, what = language == "zh-CN", field.partition(".")[0]
    if value is None:
        return "无" if zh else "none"
    if value is True:
        return "是" if zh else "yes"
    if value is False:
        return "否" if zh else "no"
    if what == "reached":
        return value or ("日期不详" if zh else "day unknown")
    if what == "light":
        return reasons.light_name(value, language)
    if what == "stage":
        return stages.name(route, value, language)
    if value in _WORDS.get(what, ()):
        return _WORDS[what][value][0 if zh else 1]
    if what in {"investment", "arrived"}:
        return f"{yi(value)}亿元" if zh else f"{yi(value)} hundred million yuan"
    return str(value)


_WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "status": {
        "active": ("推进中", "active"),
        "suspended": ("停工", "suspended"),
        "withdrawn": ("退出", "withdrawn"),
        "pool": ("储备", "in the pool"),
    },
    "route": {
        "land": ("供地", "land"),
        "plant": ("厂房", "plant"),
        "expansion": ("增资扩产", "expansion"),
    },
    "kind": {
        "factory": ("工厂", "factory"),
        "carrier": ("载体", "carrier"),
        "upgrade": ("技改", "upgrade"),
        "agreement": ("合作协议", "agreement"),
    },
}
"""Field -> what each of its values is called."""


def _order(event: Event) -> tuple[str, int, str]:
    return event.order


def _place(name: str) -> tuple[int, str]:
    return (_PLACES.get(name, len(_PLACES)), name)


_FIRST = (
    "registered",
    "status",
    "light",
    "stage",
    *(f"{what}.{stage}" for stage in STAGES for what in ("reached", "verified")),
    "investment",
    "arrived",
    "land_contract",
)
_PLACES = {name: place for place, name in enumerate(dict.fromkeys((*_FIRST, *COUNTED)))}

_TOLD = ("{title}由{before}改为{after}", "{title}: {before}, now {after}")
_TITLES: Mapping[str, tuple[str, str]] = {
    "registered": ("登记", "registered"),
    "status": ("状态", "status"),
    "light": ("灯色", "light"),
    "stage": ("当前节点", "stage"),
    "reached": ("{stage}日期", "{stage}"),
    "verified": ("{stage}已核实", "{stage} verified"),
    "investment": ("总投资", "investment"),
    "arrived": ("到位资金", "money arrived"),
    "land_contract": ("土地合同", "land contract"),
    "zone": ("园区", "zone"),
    "route": ("路径", "route"),
    "kind": ("类别", "kind"),
    "key": ("重点", "key project"),
    "parent": ("上级项目", "phase of"),
    "increment_of": ("增资所属项目", "increment of"),
    "enterprise": ("企业", "enterprise"),
    "credit_code": ("统一社会信用代码", "credit code"),
    "industry": ("行业", "industry"),
    "chain": ("产业链", "chain"),
    "park": ("园区/载体", "park"),
    "origin": ("来源地", "origin"),
    "leader": ("责任领导", "leader"),
    "lead_unit": ("牵头单位", "lead unit"),
}
"""What each thing that may differ is called, in Chinese and English."""
