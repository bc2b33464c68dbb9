"""Decisions (交办) as they are asked for: what is open, overdue and due this week, by whoever must do it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from luodi.domain import decisions, reasons
from luodi.domain.days import days_over, last_day
from luodi.domain.decisions import NAMES, Standing, Tally
from luodi.domain.stages import Language
from luodi.domain.subjects import DECISION, SEPARATOR, id_of, subject_of
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Reader
from services.tracker.journal import MongoJournal
from services.tracker.ports import Document
from services.tracker.subjects import OTHERS
from services.tracker.views import Viewer, timeline

TEXTS = ("zone", "owner", "leader", "supervisor", "meeting", "project_id", "level")
"""Parameters that name values of the field of that name."""

PARAMETERS = (*TEXTS, "status", "due_before", "group_by", "limit", "cursor", "after")

GROUPS = ("owner", "leader", "meeting", "zone", "level")
"""What the numbers can be divided by: the field of that name."""

_WITHOUT_FOLD = {"fold": 0}
_BOUND: Condition = {"$gt": f"{DECISION}{SEPARATOR}", "$lt": f"{DECISION}{chr(ord(SEPARATOR) + 1)}"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about decisions; what is empty or None asks for nothing."""

    conditions: Sequence[Condition]  # on the fields
    statuses: tuple[str, ...]
    due_before: date | None
    group_by: str | None
    limit: int
    after: tuple[Any, str] | None
    cursor: Callable[[Any, str], str]

    def holds(self, item: Standing) -> bool:
        """Whether a decision that was found is asked for."""
        if self.statuses and not any(item.is_(status) for status in self.statuses):
            return False
        return self.due_before is None or (item.due is not None and last_day(item.due) < self.due_before)


def asked(args: MultiDict[str, str]) -> Asked:
    """The question in the parameters. Raises ProblemError `bad-query`, naming every one that is wrong."""
    reader = Reader(args)
    found = Asked(
        conditions=[{name: {"$in": [*values]}} for name in TEXTS if (values := reader.values(name))],
        statuses=reader.chosen("status", decisions.STATUSES),
        due_before=reader.day("due_before"),
        group_by=reader.one_of("group_by", GROUPS),
        limit=reader.limit(),
        after=reader.after(),
        cursor=reader.cursor,
    )
    reader.done()
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """The answer: one page, the numbers of all that match, and the cursor of the next page."""

    items: list[dict[str, Any]]
    summary: dict[str, Any]
    groups: list[dict[str, Any]] | None
    following: str | None


class Decisions:
    """What the routes ask the store. Every call raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document]) -> None:
        self._documents: MongoCollection[Document] = database[OTHERS]
        self._journal = MongoJournal(database)

    def find(self, question: Asked, view: Viewer) -> Found:
        """Everything that matches is counted; the page begins with what is due first."""
        summary, groups = Tally(), dict[Any, Tally]()
        rows: list[tuple[str, str, Standing]] = []
        for document in self._matching(question):
            item = Standing(document, view.now)
            if not question.holds(item):
                continue
            summary.add(item, view.today)
            if question.group_by is not None:
                groups.setdefault(document.get(question.group_by), Tally()).add(item, view.today)
            rows.append((item.urgency, document["_id"], item))
        rows.sort(key=_place)
        after = question.after
        begin = 0 if after is None else bisect_right(rows, (after[0], after[1]), key=_place)
        page = rows[begin : begin + question.limit]
        more = len(rows) > begin + len(page)
        most_open = sorted(groups.items(), key=lambda group: (-group[1].open, group[0] is None, str(group[0])))
        return Found(
            [shown(item, view) for _, _, item in page],
            asdict(summary),
            None if question.group_by is None else [{"key": key, **asdict(tally)} for key, tally in most_open],
            question.cursor(*_place(page[-1])) if more else None,
        )

    def _matching(self, question: Asked) -> list[Document]:
        conditions: list[Condition] = [{"_id": _BOUND}, {"registered": True}, *question.conditions]
        with translated():
            return list(self._documents.find({"$and": conditions}, _WITHOUT_FOLD).hint("_id_"))

    def one(self, id_: str, view: Viewer) -> dict[str, Any] | None:
        """One decision; None where nothing is recorded of it."""
        with translated():
            document = self._documents.find_one({"_id": subject_of(DECISION, id_)}, _WITHOUT_FOLD)
        return None if document is None else shown(Standing(document, view.now), view)

    def timeline(self, id_: str, language: Language) -> list[dict[str, Any]]:
        """Its events, oldest first; empty when there are none."""
        subject = subject_of(DECISION, id_)
        return timeline(self._journal.read([subject]).get(subject, []), language)


def shown(item: Standing, view: Viewer) -> dict[str, Any]:
    """A decision as answered: every field, how far it has come, its light now and why."""
    document, course, lit = item.decision, item.course, item.lit
    told = lit["reason"] if lit is not None else None
    return {
        "id": id_of(document["_id"]),
        "registered": document["registered"],
        **{name: document.get(name) for name in NAMES},
        "date": document.get("date") or course.get("begun"),
        "status": decisions.OPEN if item.done is None else decisions.DONE,
        "first_due": course.get("first_due"),
        "extended": course.get("extended", 0),
        "extensions": course.get("extensions", []),
        "reports": course.get("reports", []),
        "done": item.done,
        "overdue": item.overdue,
        "days_over": days_over(item.due, view.today) if item.overdue and item.due is not None else 0,
        "light": None if lit is None else lit["light"],
        "reason": None
        if told is None
        else {"code": told["code"], "text": reasons.text(told, view.language, view.today)},
        "version": document["events"],
        "updated_at": document["updated_at"],
    }


def _place(row: tuple[str, str, Standing]) -> tuple[str, str]:
    return row[0], row[1]


def definitions(language: Language) -> dict[str, str]:
    """What the numbers mean, in the caller's language."""
    column = 0 if language == "zh-CN" else 1
    return {name: words[column] for name, words in decisions.DEFINITIONS.items()}
