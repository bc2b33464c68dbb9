"""The pool before signing (招商储备): projects that are talked about and not yet signed.

A project enters the pool only by an event that says so, never because it has no milestone. It leaves it by its first
milestone, under the same id: from then on it is a project like any other, and what was told of it in the pool stays on
record. It may also be dropped, with a reason: it stays in the pool, for nothing was ever signed, and entered again it
is taken up again. What is given up (退出) before anything was signed is dropped, too.

What is in the pool shows no light and has no clock; the funnel leaves it out, and so does every list that does not ask
for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from luodi.domain.chapters import Chapter, Telling
from luodi.domain.days import first_day, last_day
from luodi.domain.events import Event
from luodi.domain.handlers import Handler, State, entry
from luodi.domain.stages import Language, stages_of
from luodi.domain.subjects import PROJECT

PROJECT_POOLED = "project.pooled"
PROJECT_DROPPED = "project.dropped"
TALK_HELD = "talk.held"

INTRODUCERS = ("链主", "商会", "在园企业", "中介机构", "自主招商", "其他")
"""Who brought a project: the leading firm of a chain, a chamber, a firm already in the zone, an agency, the zone's own
staff, somebody else."""

WAYS = ("来访", "走访", "电话", "视频", "推介会", "其他")
"""How a talk was held: they came, we went, by telephone, by video, at a presentation, otherwise."""

# What has become of a project that entered the pool.
RESERVE = "reserve"  # 储备: nobody has talked with it yet
TALKING = "talking"  # 在谈
SIGNED = "signed"  # 签约: a project like any other now
DROPPED = "dropped"  # 放弃
STANDINGS = (RESERVE, TALKING, SIGNED, DROPPED)

TALKS_KEPT = 60  # of a project in its document; its timeline has them all

_POOL = "pool"
_TALKS = "talks"


def _enter(state: State, event: Event) -> None:
    """Told again it is a correction, and takes up what was dropped."""
    _keep(state, event, dropped=False)


def _drop(state: State, event: Event) -> None:
    _keep(state, event, dropped=True)


def _keep(state: State, event: Event, *, dropped: bool) -> None:
    # One slot for both: which of them was recorded last decides.
    told = {**event.data, "dropped": dropped, "actor": event.actor, "recorded_at": event.recordedtime}
    state["entries"][_POOL] = state["entries"].get(_POOL, {}) | {event.id: told}


def is_pooled(state: State) -> bool:
    """Whether the project has entered the pool; it is in it until its first milestone."""
    return any(not act["dropped"] for act in state["entries"].get(_POOL, {}).values())


def _told(telling: Telling) -> dict[str, Any]:
    """What is known of a project from before its signature: who brought it, how the talks went, what came of it.

    ``standing`` and ``date`` are None where it never was in the pool: talks alone bring no project into it, nor does
    entering one that had signed before, which would flatter the rate of success.
    """
    state = telling.state
    acts = list(telling.rows(_POOL))
    talks = sorted(telling.rows(_TALKS), key=lambda talk: str(telling.day_of(talk)))
    last = talks[-1] if talks else {}
    signed = _signed(state)
    entered = next((act for act in reversed(acts) if not act["dropped"]), None)
    if entered is not None and signed is not None and _is_before(signed["date"], telling.day_of(entered)):
        entered = None
    dropped = None if signed is not None or entered is None else _dropped(acts, telling)
    about = entered or {}
    return {
        "standing": None if entered is None else _standing(signed, dropped, talks),
        "date": None if entered is None else telling.day_of(entered),
        "introducer": about.get("introducer"),
        "introduced_by": about.get("introduced_by"),
        "contacts": about.get("contacts", []),
        "note": about.get("note"),
        "talks": state["counted"].get(_TALKS, 0),
        "last_talk": last.get("date"),
        "next": last.get("next"),
        "next_date": last.get("next_date"),
        "signed": signed,
        "dropped": dropped,
        "log": talks,
    }


def _signed(state: State) -> dict[str, Any] | None:
    """The first stage of its route that the project has reached: most often the signature, which may be missing."""
    stages, milestones = stages_of(state["fields"].get("route")), state["milestones"]
    found = next((stage for stage in stages if stage in milestones), None)
    return None if found is None else {"stage": found, "date": milestones[found]["date"]}


def _is_before(date: str | None, day: str) -> bool:
    """Whether a date, known to the day, month or year, is certainly before another."""
    return date is not None and last_day(date) < first_day(day)


def _dropped(acts: list[dict[str, Any]], telling: Telling) -> dict[str, Any] | None:
    """When and why it was dropped; None where it has been taken up since."""
    withdrawn = telling.state["withdrawn"]
    act = acts[-1] if acts[-1]["dropped"] else withdrawn
    if act is None:
        return None
    return {"date": telling.day_of(act), "reason": act.get("reason"), "actor": act["actor"]}


def _standing(signed: Mapping[str, Any] | None, dropped: Mapping[str, Any] | None, talks: Iterable[Any]) -> str:
    if signed is not None:
        return SIGNED
    if dropped is not None:
        return DROPPED
    return TALKING if any(talks) else RESERVE


def pooled_on(document: Mapping[str, Any]) -> str | None:
    """The day on which a project entered the pool, the first one where only the month or year is known."""
    pool = document.get("pool")
    return first_day(pool["date"]).isoformat() if pool is not None and pool["standing"] is not None else None


def success(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """对接成功率 of projects that entered the pool, given as ``{standing, talked, count}``: of those that were talked
    with, the share that signed. None where nobody was talked with."""
    counts = dict.fromkeys(STANDINGS, 0)
    talked = 0
    for row in rows:
        counts[row["standing"]] += row["count"]
        # Whoever signed was talked with, whether or not anybody wrote it down.
        talked += row["count"] if row["talked"] or row["standing"] == SIGNED else 0
    signed = counts[SIGNED]
    return {
        "entered": sum(counts.values()),
        **counts,
        "talked": talked,
        "success": {"numerator": signed, "denominator": talked, "rate": round(signed / talked, 4) if talked else None},
    }


def definitions(language: Language) -> dict[str, str]:
    """What the numbers of the pool mean."""
    return {name: words[0 if language == "zh-CN" else 1] for name, words in _DEFINITIONS.items()}


_DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "entered": ("入库的储备项目，含已签约和已放弃", "Projects that entered the pool, signed and dropped ones included"),
    "reserve": ("储备：尚无对接记录", "In reserve: no talk is on record"),
    "talking": ("在谈：已有对接记录，未签约、未放弃", "In talks: talked with, neither signed nor dropped"),
    "signed": (
        "已签约：以同一编号转为正式项目（已有任一节点）",
        "Signed: a project like any other under the same id, with its first milestone reported",
    ),
    "dropped": ("已放弃：签约前放弃或退出", "Dropped or given up before anything was signed"),
    "talked": (
        "已对接：有对接记录或已签约的储备项目，含已放弃",
        "Talked with: a talk is on record, or it has signed; dropped ones included",
    ),
    "success": (
        "对接成功率 = 已签约 ÷ 已对接；分母含已放弃，不含尚未对接的储备项目",
        "Success of talks: projects signed ÷ projects talked with; dropped ones stay in the denominator, those nobody "
        "has talked with are left out",
    ),
}

HANDLERS: Mapping[str, Handler] = {
    PROJECT_POOLED: Handler(_enter, slots=("entries",)),
    PROJECT_DROPPED: Handler(_drop, slots=("entries",)),
    TALK_HELD: entry(_TALKS, keep=TALKS_KEPT),
}
"""Event type -> what it does."""

CHAPTERS: tuple[Chapter, ...] = (Chapter(PROJECT, "pool", (_POOL, _TALKS), _told),)

FIELDS: Mapping[str, tuple[str, ...]] = {}
