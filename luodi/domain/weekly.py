"""周报: what a week brought for one project, read off its events: 本周进展, 下周计划, 存在问题, 需协调.

Nobody types a weekly report. What happened is what was recorded within the week, whatever day it speaks of: a late
report would else stand in none. What comes next, what is in the way and what needs a leader is the record as it stood
at the end of the week, or as it stands now in a week that is not over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from luodi.domain import events, money, procedures, reasons, services
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import RED, YELLOW, in_force, light_at, shown_at
from luodi.domain.days import first_day, is_approximate, last_ordinal
from luodi.domain.events import Event
from luodi.domain.performance import PERFORMANCE_REPORTED
from luodi.domain.reasons import ZH
from luodi.domain.stages import Language, gap_name, name
from luodi.domain.taskforce import FOLLOWUP_LOGGED

Document = Mapping[str, Any]
Line = dict[str, Any]

DAYS = 7
HEAVY = ("协调", "重大")
"""The levels of a blocker that somebody above the task force must see to."""

_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Week:
    """A week from Monday to Sunday, by the ordinal of its Monday."""

    monday: int

    @classmethod
    def of(cls, day: date) -> Week:
        """The week in which a business date lies."""
        return cls(day.toordinal() - day.weekday())

    @classmethod
    def parse(cls, text: str) -> Week:
        """The week that `2026-W10` (ISO 8601) or a business date of it stands for. Raises ValueError."""
        found = _WEEK.fullmatch(text)
        if found is None:
            return cls.of(date.fromisoformat(text))
        return cls(date.fromisocalendar(int(found[1]), int(found[2]), 1).toordinal())

    @property
    def text(self) -> str:
        """`2026-W10`."""
        year, week, _ = date.fromordinal(self.monday).isocalendar()
        return f"{year:04d}-W{week:02d}"

    @property
    def first(self) -> date:
        return date.fromordinal(self.monday)

    @property
    def last(self) -> date:
        return date.fromordinal(self.monday + DAYS - 1)

    @property
    def next(self) -> Week:
        return Week(self.monday + DAYS)

    def begins(self, calendar: Calendar) -> str:
        """The instant at which it begins."""
        return calendar.midnight_of(self.monday)

    def covers(self, day: str) -> bool:
        """Whether the last day of a business date lies in it."""
        return self.monday <= last_ordinal(day) < self.monday + DAYS


@dataclass(frozen=True, slots=True)
class Scene:
    """A project at the end of a week: its document, what is recorded of it, when and in which language it is told."""

    document: Document
    recorded: Sequence[Event]
    gone: Collection[str]  # ids of the events that were retracted
    week: Week
    moment: str
    calendar: Calendar
    language: Language

    @property
    def today(self) -> date:
        return self.calendar.business_date(self.moment)

    def say(self, zh: str, en: str) -> str:
        return zh if self.language == ZH else en

    @property
    def stands(self) -> Document | None:
        """The follow-up that stands."""
        told: Document | None = (self.document.get("followups") or {}).get("stands")
        return told

    def procedures(self) -> Sequence[Document]:
        """Those that were told of."""
        rows: Sequence[Document] = self.document.get("procedures", ())
        return rows

    def called(self, procedure: Document) -> str:
        """What a procedure is called."""
        name: str = procedure["name"]["zh" if self.language == ZH else "en"]
        return name

    def blockers(self) -> Iterator[Document]:
        """Those that stand in the way."""
        return (blocker for blocker in self.document["blockers"] if blocker["cleared"] is None)


def report(scene: Scene) -> dict[str, Any]:
    """The weekly report of a project.

    `updated`: something was recorded in the week; `unchanged`: 本周无变化 was all of it. `text` is the whole of it as a
    paragraph that can be read out.
    """
    begin, end = scene.week.begins(scene.calendar), scene.week.next.begins(scene.calendar)
    told = [event for event in scene.recorded if begin <= event.recordedtime < end and event.id not in scene.gone]
    progress = [_line(text, event) for event in told if (text := _happened(event, scene)) is not None]
    said_so = [event for event in told if event.type == FOLLOWUP_LOGGED and event.data.get("unchanged")]
    unchanged = not progress and bool(said_so)
    if unchanged:
        progress = [_line(scene.say("本周无变化", "Nothing changed this week"), said_so[-1])]
    parts = {
        "progress": progress,
        "plan": [*_planned(scene)],
        "problems": [*_problems(scene)],
        "coordination": [*_coordination(scene)],
    }
    return {
        "updated": bool(told),
        "unchanged": unchanged,
        **parts,
        "text": _paragraph(parts, scene),
    }


def _line(text: str, event: Event) -> Line:
    return {"text": text, "date": event.data.get("date"), "event_id": event.id, "actor": event.actor}


def _standing(text: str, day: str | None = None) -> Line:
    return {"text": text, "date": day, "event_id": None, "actor": None}


def _paragraph(parts: Mapping[str, Sequence[Line]], scene: Scene) -> str:
    none, stop = scene.say("无", "none"), scene.say("。", ".")
    said = []
    for part, (zh, en) in TITLES.items():
        lines = [line["text"].rstrip("。.；;") for line in parts[part]] or [none]
        said.append(f"{scene.say(zh, en)}{scene.say('：', ': ')}{scene.say('；', '; ').join(lines)}{stop}")
    return scene.say("", " ").join(said)


TITLES: Mapping[str, tuple[str, str]] = {
    "progress": ("本周进展", "This week"),
    "plan": ("下周计划", "Next week"),
    "problems": ("存在问题", "Problems"),
    "coordination": ("需协调", "To be coordinated"),
}
"""The parts of a weekly report -> their titles."""


# -- 本周进展 ---------------------------------------------------------------------------------------------------------


def _happened(event: Event, scene: Scene) -> str | None:
    told = HAPPENED.get(event.type)
    return None if told is None else told(event.data, scene)


def _reached(data: Mapping[str, Any], scene: Scene) -> str:
    stage = name(scene.document.get("route"), data["stage"], scene.language)
    day = _day(data.get("date"), scene)
    return scene.say(f"{stage}（{day}）", f"{stage} ({day})")


def _progressed(data: Mapping[str, Any], scene: Scene) -> str | None:
    parts = [data["appearance"]] if data.get("appearance") else []
    if data.get("percent") is not None:
        parts.append(scene.say(f"形象进度{data['percent']}%", f"{data['percent']}% built"))
    for field, zh, en in (
        ("invested_total", "累计完成投资", "invested so far"),
        ("arrived_total", "累计到位资金", "arrived"),
    ):
        if data.get(field) is not None:
            amount = money.yi(data[field])
            parts.append(scene.say(f"{zh}{amount}亿元", f"{en} {amount} 亿 yuan"))
    return scene.say("，", ", ").join(parts) or None


def _performed(data: Mapping[str, Any], scene: Scene) -> str:
    parts = [
        scene.say(f"{zh}{money.yi(data[field])}亿元", f"{en} {money.yi(data[field])} 亿 yuan")
        for field, zh, en in (
            ("output", "产值", "output"),
            ("tax", "税收", "tax"),
            ("invested_total", "累计完成投资", "invested so far"),
        )
        if data.get(field) is not None
    ]
    if data.get("capacity_percent") is not None:
        parts.append(scene.say(f"达产率{data['capacity_percent']}%", f"{data['capacity_percent']}% of the capacity"))
    if data.get("jobs") is not None:
        parts.append(scene.say(f"用工{data['jobs']}人", f"{data['jobs']} jobs"))
    period = reasons.period_name(data["period"], scene.language)
    return f"{period}{scene.say('：', ': ')}{scene.say('，', ', ').join(parts)}"


def _followed_up(data: Mapping[str, Any], scene: Scene) -> str | None:
    done: str | None = data.get("done")
    if done is None or data.get("way") is None:
        return done
    return scene.say(f"{data['way']}：{done}", f"{_WAYS[data['way']]}: {done}")


def _cleared(data: Mapping[str, Any], scene: Scene) -> str | None:
    found = (blocker for blocker in scene.document["blockers"] if blocker["id"] == data["blocker_id"])
    blocker = next(found, None)
    if blocker is None:
        return None
    kind = reasons.kind_name(blocker["kind"], scene.language)
    return scene.say(f"{kind}问题已解决", f"the blocker of {kind} was cleared")


def _contracted(data: Mapping[str, Any], scene: Scene) -> str:
    number = data.get("contract_no")
    named = "" if number is None else scene.say(f"（{number}）", f" ({number})")
    return scene.say(f"签订土地合同{named}", f"the land contract was signed{named}")


def _in_library(data: Mapping[str, Any], scene: Scene) -> str | None:
    return scene.say("已入统计库", "entered the statistical library") if data["in_library"] else None


def _begun(data: Mapping[str, Any], scene: Scene) -> str:
    named = next((row for row in scene.procedures() if row["kind"] == data["kind"]), None)
    return _procedure(data["kind"] if named is None else scene.called(named), data["state"], scene)


def _moved(data: Mapping[str, Any], scene: Scene) -> str | None:
    named = next((row for row in scene.procedures() if row["id"] == data["procedure_id"]), None)
    return None if named is None else _procedure(scene.called(named), data["state"], scene)


def _procedure(name: str, state: str, scene: Scene) -> str:
    return scene.say(f"{name}{state}", f"{name}: {_STATES.get(state, state)}")


def _served(data: Mapping[str, Any], scene: Scene) -> str:
    said = scene.say(*services.KINDS.get(data["kind"], (data["kind"], data["kind"])))
    text = data.get("text")
    return said if text is None else scene.say(f"{said}：{text}", f"{said}: {text}")


def _because(zh: str, en: str) -> Telling:
    def told(data: Mapping[str, Any], scene: Scene) -> str:
        reason = data.get("reason")
        said = scene.say(zh, en)
        return said if reason is None else scene.say(f"{said}：{reason}", f"{said}: {reason}")

    return told


def _day(day: str | None, scene: Scene) -> str:
    if day is None:
        return scene.say("日期不详", "date unknown")
    return scene.say(f"约{day}", f"about {day}") if is_approximate(day) else day


Telling = Callable[[Mapping[str, Any], Scene], str | None]

HAPPENED: Mapping[str, Telling] = {
    events.MILESTONE_REPORTED: _reached,
    events.PROGRESS_REPORTED: _progressed,
    PERFORMANCE_REPORTED: _performed,
    FOLLOWUP_LOGGED: _followed_up,
    events.BLOCKER_CLEARED: _cleared,
    events.LAND_CONTRACT_RECORDED: _contracted,
    events.STATISTICS_REPORTED: _in_library,
    procedures.PROCEDURE_BEGUN: _begun,
    procedures.PROCEDURE_MOVED: _moved,
    services.SERVICE_GIVEN: _served,
    events.SUSPENSION_BEGUN: _because("停工", "work stopped"),
    events.SUSPENSION_ENDED: _because("复工", "work goes on"),
    events.PROJECT_WITHDRAWN: _because("退出", "withdrawn"),
}
"""Event type -> what it brought, in words; None where it brought nothing that people report."""

_STATES: Mapping[str, str] = {
    procedures.EARLY: "talked over before the application",
    procedures.ACCEPTED: "accepted",
    procedures.INCOMPLETE: "accepted with papers missing",
    procedures.PLEDGED: "accepted upon a pledge",
    procedures.CORRECTING: "to be corrected",
    procedures.ENDED: "decided",
}
"""State of a procedure -> what it is called in a report."""

_WAYS: Mapping[str, str] = {"走访": "visit", "电话": "call", "现场": "on site", "例会": "meeting"}


# -- 下周计划, 存在问题, 需协调 ---------------------------------------------------------------------------------------


def _planned(scene: Scene) -> Iterator[Line]:
    """What the last follow-up says comes next, and what is due by the end of the week after."""
    document, until = scene.document, scene.week.next.last
    stands = scene.stands
    if stands is not None and stands["next"] is not None:
        day = stands["next_date"]
        by = "" if day is None else scene.say(f"（{day}前）", f" (by {day})")
        yield _standing(f"{stands['next']}{by}", day)
    for clock in document["clocks"]:
        due = in_force(clock, scene.today)["due"]
        if scene.week.next.covers(due):
            gap = gap_name(document.get("route"), clock["gap"], scene.language)
            yield _standing(scene.say(f"{gap}期限{due}", f"{gap} is due by {due}"), due)
    for blocker in scene.blockers():
        promise = blocker["promise"]
        if promise is not None and scene.today <= first_day(promise) and last_ordinal(promise) <= until.toordinal():
            owner, kind = _owner_and_kind(blocker, scene)
            yield _standing(scene.say(f"{owner}{promise}前解决{kind}", f"{owner} settles {kind} by {promise}"), promise)


def _problems(scene: Scene) -> Iterator[Line]:
    """Why the project is red or yellow (but for a blocker's promise), procedures that are, and open blockers."""
    shown = shown_at(scene.document["lights"], scene.moment, scene.document)
    if shown["light"] in (RED, YELLOW) and "blocker" not in shown["reason"]:
        yield _standing(reasons.text(shown["reason"], scene.language, scene.today).rstrip("。."))
    for procedure in scene.procedures():
        lit = light_at(procedure["lights"], scene.moment)
        if lit["light"] in (RED, YELLOW):
            yield _standing(reasons.text(lit["reason"], scene.language, scene.today).rstrip("。."), procedure["due"])
    for blocker in scene.blockers():
        owner, kind = _owner_and_kind(blocker, scene)
        note, promise = blocker["note"], blocker["promise"]
        said = kind if note is None else scene.say(f"{kind}（{note}）", f"{kind} ({note})")
        if promise is None:
            by = scene.say("未承诺时限", "no date promised")
        elif last_ordinal(promise) < scene.today.toordinal():
            over = reasons.days_name(scene.today.toordinal() - last_ordinal(promise), scene.language)
            by = scene.say(f"承诺{promise}，已超{over}", f"promised by {promise}, {over} over")
        else:
            by = scene.say(f"承诺{promise}", f"promised by {promise}")
        yield _standing(scene.say(f"{said}，{owner}，{by}", f"{said}, {owner}, {by}"), blocker["date"])


def _coordination(scene: Scene) -> Iterator[Line]:
    """What the last follow-up needs a leader for, blockers that nobody has taken, and those of a heavy level."""
    stands = scene.stands
    if stands is not None and stands["needs_leader"]:
        about = stands["next"] or stands["done"]
        yield _standing(scene.say(f"请领导协调：{about}", f"a leader is needed: {about}"), stands["date"])
    for blocker in scene.blockers():
        owner, kind = _owner_and_kind(blocker, scene)
        if blocker["owner"] is None:
            yield _standing(scene.say(f"{kind}待认领", f"nobody has taken on {kind}"), blocker["date"])
        elif blocker["level"] in HEAVY:
            level = blocker["level"]
            yield _standing(
                scene.say(f"{level}：{kind}，{owner}", f"{_LEVELS[level]}: {kind}, {owner}"), blocker["date"]
            )


_LEVELS: Mapping[str, str] = {"协调": "to be coordinated", "重大": "grave"}


def _owner_and_kind(blocker: Document, scene: Scene) -> tuple[str, str]:
    return reasons.owner_name(blocker["owner"], scene.language), reasons.kind_name(blocker["kind"], scene.language)
