"""Blockers worked off (问题清单): what the unit that must act replied, what the enterprise confirmed, what is owed.

A blocker is dealt with (销号) when it is cleared and the enterprise has confirmed that it is: the unit's own word is
not enough. A confirmation speaks of the clear before it. One recorded earlier, or whose clear was taken back,
confirms nothing; of several the last recorded counts, so that a no can become a yes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from luodi.domain.blockers import GRADES
from luodi.domain.chapters import Chapter, Row, Telling
from luodi.domain.clocks import RED, light_at
from luodi.domain.days import days_over, last_day
from luodi.domain.handlers import Handler, entry
from luodi.domain.pauses import allowed, approvals, charged, held_by, told
from luodi.domain.subjects import PROJECT

BLOCKER_REPLIED = "blocker.replied"
BLOCKER_CONFIRMED = "blocker.confirmed"
BLOCKER_GRADED = "blocker.graded"

REPLIES = "replies"
CONFIRMATIONS = "confirmations"

OPEN = "open"
OVERDUE = "overdue"
UNCLAIMED = "unclaimed"
CLEARED = "cleared"
CONFIRMED = "confirmed"
STATUSES = (OPEN, OVERDUE, UNCLAIMED, CLEARED, CONFIRMED)
"""What a list of blockers can be asked for. An overdue one, and one that no unit has taken (待认领), are open, too; one
that is cleared waits for the enterprise until it is confirmed."""

_DONE = "done"
_AFTER = ";"  # follows the colon in ASCII

Blocker = Mapping[str, Any]
Document = Mapping[str, Any]


def _replies(telling: Telling) -> list[Row]:
    return [
        {"id": row["id"], "blocker_id": row["blocker_id"], "text": row["text"], **_by(row)}
        for row in telling.rows(REPLIES)
    ]


def _confirmations(telling: Telling) -> list[Row]:
    """Of each cleared blocker what the enterprise said last about the clear."""
    clears = telling.state["clears"]
    counting: dict[str, Row] = {}
    for row in telling.rows(CONFIRMATIONS):
        cleared = clears.get(row["blocker_id"])
        # A corrected day of the clear is the same clear.
        if cleared is not None and row["recorded_at"] >= cleared["first_recorded_at"]:
            counting[row["blocker_id"]] = {
                "id": row["id"],
                "blocker_id": row["blocker_id"],
                "by": row["by"],
                "satisfied": row["satisfied"],
                **_by(row),
            }
    return list(counting.values())


def _by(row: Row) -> Row:
    return {"note": row.get("note"), "actor": row["actor"], "recorded_at": row["recorded_at"]}


# What is owed.


def marks(blockers: Iterable[Blocker]) -> list[str]:
    """What lists find a project by: each unit that has, or had, to act on one of its blockers, open or done."""
    found = {
        f"{OPEN if blocker['cleared'] is None else _DONE}:{owner or ''}"
        for blocker in blockers
        for owner in (blocker["owner"], *(earlier["owner"] for earlier in blocker.get("held_by", ())))
    }
    return sorted(found)


def marks_of(owners: Sequence[str], statuses: Sequence[str]) -> list[str]:
    """The marks of projects where one of these units may have a blocker of one of these statuses; none asks for all."""
    return [f"{kind}:{owner}" for kind in _kinds(statuses) for owner in owners]


def mark_range(statuses: Sequence[str]) -> tuple[str, str]:
    """The same of any unit: from, and up to without."""
    kinds = sorted(_kinds(statuses))
    return f"{kinds[0]}:", f"{kinds[-1]}{_AFTER}"


def _kinds(statuses: Sequence[str]) -> tuple[str, ...]:
    asked = {_DONE if status in (CLEARED, CONFIRMED) else OPEN for status in statuses}
    return tuple(sorted(asked)) or (_DONE, OPEN)


@dataclass(frozen=True, slots=True)
class Owed:
    """One blocker as it stands on a day.

    `charged` are the days for which it stopped a clock, by the unit that had to act on them; `replies` what was
    replied, `confirmation` what the enterprise said last.
    """

    blocker: Blocker
    status: str
    overdue: bool
    charged: Mapping[str | None, int]
    replies: Sequence[Row]
    confirmation: Row | None

    @property
    def owner(self) -> str | None:
        """The unit that must act now; None: nobody has taken it."""
        owner: str | None = self.blocker["owner"]
        return owner

    def is_(self, status: str) -> bool:
        """Whether it is one of those that a list of this status holds."""
        if status == OVERDUE:
            return self.overdue
        if status == UNCLAIMED:
            return self.status == OPEN and self.owner is None
        return self.status == status

    def days_over(self, today: date) -> int:
        """Calendar days past the promise; 0 where it is none."""
        return days_over(self.blocker["promise"], today) if self.overdue else 0

    def is_due_in(self, first: date, last: date) -> bool:
        """Whether it is open and promised for a day of these."""
        promise = self.blocker["promise"]
        return self.status == OPEN and promise is not None and first <= last_day(promise) <= last


def owed(document: Document, causes: Iterable[str], now: str, today: date) -> list[Owed]:
    """The blockers of a project as they stand. `causes`: those for which a clock may be paused in its zone."""
    blockers = document["blockers"]
    days = _charged(blockers, frozenset(causes), today)
    replies: dict[str, list[Row]] = {}
    for reply in document.get(REPLIES, ()):
        replies.setdefault(reply["blocker_id"], []).append(reply)
    confirmations = {row["blocker_id"]: row for row in document.get(CONFIRMATIONS, ())}
    found = []
    for blocker in blockers:
        confirmation = confirmations.get(blocker["id"])
        lights = blocker["lights"]
        found.append(
            Owed(
                blocker,
                _status(blocker, confirmation),
                bool(lights) and light_at(lights, now)["light"] == RED,
                days.get(blocker["id"], {}),
                replies.get(blocker["id"], ()),
                confirmation,
            )
        )
    return found


def _status(blocker: Blocker, confirmation: Row | None) -> str:
    if blocker["cleared"] is None:
        return OPEN
    return CONFIRMED if confirmation is not None and confirmation["satisfied"] else CLEARED


def _charged(blockers: Sequence[Blocker], causes: frozenset[str], today: date) -> dict[str, dict[str | None, int]]:
    """Blocker -> the paused days up to today charged to each unit. A day under two approved pauses is charged once."""
    if not any(blocker["pauses"] for blocker in blockers):
        return {}
    changed_hands = held_by(blockers)
    found: dict[str, dict[str | None, int]] = {}
    for pause in allowed(approvals(blockers), causes):
        days = found.setdefault(pause.blocker["id"], {})
        for row in charged([told(pause)], today.toordinal(), changed_hands):
            days[row["owner"]] = days.get(row["owner"], 0) + row["days"]
    return found


def urgency(item: Owed) -> str:
    """What lists are sorted by: the open ones by the day promised, then those without a promise, then those that wait
    for the enterprise, then those dealt with, each from the oldest day."""
    blocker = item.blocker
    if item.status != OPEN:
        return f"{2 if item.status == CLEARED else 3} {blocker['cleared']}"
    if blocker["promise"] is None:
        return f"1 {blocker['date']}"
    return f"0 {last_day(blocker['promise']).isoformat()}"


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the week in which a day lies."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


@dataclass(slots=True)
class Tally:
    """Blockers counted; see `DEFINITIONS`."""

    blockers: int = 0
    open: int = 0
    overdue: int = 0
    due_this_week: int = 0
    unclaimed: int = 0
    unanswered: int = 0
    cleared: int = 0
    confirmed: int = 0
    postponed: int = 0
    days_charged: int = 0

    def add(self, item: Owed, today: date) -> None:
        """Count one more; its days are charged apart, for they may be another unit's."""
        is_open = item.status == OPEN
        self.blockers += 1
        self.open += is_open
        self.overdue += item.overdue
        self.due_this_week += item.is_due_in(*week_of(today))
        self.unclaimed += is_open and item.owner is None
        self.unanswered += is_open and not item.replies
        self.cleared += item.status == CLEARED
        self.confirmed += item.status == CONFIRMED
        self.postponed += item.blocker["postponed"]


DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "blockers": ("符合条件的全部问题", "All blockers that match"),
    "open": ("未解决", "Not cleared"),
    "overdue": ("其中已过承诺时限", "Of the open ones those past their promise"),
    "due_this_week": (
        "其中承诺时限在本周（周一至周日）内，含本周内已过的",
        "Of the open ones those promised for a day of this week, Monday to Sunday, days past included",
    ),
    "unclaimed": ("其中尚无责任单位（待认领）", "Of the open ones those that no unit has taken"),
    "unanswered": ("其中责任单位尚未回复", "Of the open ones those to which no unit has replied"),
    "cleared": (
        "已解决，待企业确认（企业未确认或表示未解决，不得销号）",
        "Cleared, and not yet confirmed by the enterprise: not dealt with",
    ),
    "confirmed": ("已解决并经企业确认（可销号）", "Cleared and confirmed by the enterprise: dealt with"),
    "postponed": ("延期次数合计：承诺时限推迟一次计一次", "How often their promises were moved to a later day, in all"),
    "days_charged": (
        "计入责任单位的暂停天数（日历日，截至今日）：经批准的暂停由该问题引起，换过责任单位的按各自负责的日子分别计算",
        "Calendar days up to today for which an approved pause for one of them stopped a clock, charged to the unit "
        "that had to act on the day; of blockers that changed hands each unit bears its own days",
    ),
}
"""What the numbers mean, in Chinese and English."""

HANDLERS: Mapping[str, Handler] = {
    BLOCKER_REPLIED: entry(REPLIES),
    BLOCKER_CONFIRMED: entry(CONFIRMATIONS),
    BLOCKER_GRADED: entry(GRADES),
}

CHAPTERS: tuple[Chapter, ...] = (
    Chapter(PROJECT, REPLIES, (REPLIES,), _replies),
    Chapter(PROJECT, CONFIRMATIONS, (CONFIRMATIONS,), _confirmations),
)

FIELDS: Mapping[str, tuple[str, ...]] = {}
"""It registers no kind of subject."""
