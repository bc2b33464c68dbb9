"""The blockers of all projects (问题清单): what a unit owes, item by item and in numbers.

Projects are found by the marks of their blockers, which only projects with blockers have; the rest is done on what was
found, for one project has few. So a question costs what the blockers it finds cost, however many projects there are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.database import Database
from werkzeug.datastructures import MultiDict

from luodi.domain import worked_off
from luodi.domain.assess import ACTIVE, SUSPENDED
from luodi.domain.days import last_day
from luodi.domain.rules import CAUSES, Rules
from luodi.domain.stages import Language
from luodi.domain.worked_off import Owed, Tally, mark_range, marks_of, owed, urgency
from luodi.runtime.mongo import translated
from services.tracker.filters import Condition, Reader
from services.tracker.ports import Document
from services.tracker.views import Viewer

GROUPS: Mapping[str, Callable[[Document, Owed], Any]] = {
    "owner": lambda _document, item: item.owner,
    "kind": lambda _document, item: item.blocker["kind"],
    "cause": lambda _document, item: item.blocker["cause"],
    "level": lambda _document, item: item.blocker["level"],
    "zone": lambda document, _item: document.get("zone"),
}
"""What the numbers can be divided by."""

PARAMETERS = (
    *("zone", "project_id", "owner", "kind", "side", "cause", "level", "status", "due_before", "officer", "group_head"),
    *("group_by", "limit", "cursor", "after"),
)

_TOLD = ("name", "zone", "lead_unit", "leader", "group_head", "officer", "company_contact")
Row = tuple[str, str, Document, Owed]  # what it is sorted by, its id among all, its project, itself
_READ = dict.fromkeys((*_TOLD, "status", "blockers", worked_off.REPLIES, worked_off.CONFIRMATIONS), 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about blockers; what is empty or None asks for nothing."""

    zones: tuple[str, ...]
    projects: tuple[str, ...]
    owners: tuple[str, ...]
    kinds: tuple[str, ...]
    causes: tuple[str, ...]
    levels: tuple[str, ...]
    statuses: tuple[str, ...]
    due_before: date | None
    conditions: Sequence[Condition]  # on who is responsible for the projects
    group_by: str | None
    limit: int
    after: tuple[Any, str] | None
    cursor: Callable[[Any, str], str]

    def holds(self, item: Owed) -> bool:
        """Whether a blocker of a project that was found is asked for."""
        blocker = item.blocker
        named = (
            (self.owners, item.owner),
            (self.kinds, blocker["kind"]),
            (self.causes, blocker["cause"]),
            (self.levels, blocker["level"]),
        )
        if any(wanted and value not in wanted for wanted, value in named):
            return False
        if self.statuses and not any(item.is_(status) for status in self.statuses):
            return False
        return self.due_before is None or (
            blocker["promise"] is not None and last_day(blocker["promise"]) < self.due_before
        )


def asked(args: MultiDict[str, str]) -> Asked:
    """The question in the parameters. Raises ProblemError `bad-query`, naming every one that is wrong."""
    reader = Reader(args)
    found = Asked(
        zones=reader.values("zone"),
        projects=reader.values("project_id"),
        owners=reader.values("owner"),
        kinds=reader.values("kind"),
        causes=(*reader.chosen("side", CAUSES), *reader.chosen("cause", CAUSES)),
        levels=reader.values("level"),
        statuses=reader.chosen("status", worked_off.STATUSES),
        due_before=reader.day("due_before"),
        conditions=[
            {name: {"$in": [*values]}} for name in ("officer", "group_head") if (values := reader.values(name))
        ],
        group_by=reader.one_of("group_by", tuple(GROUPS)),
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


class Blockers:
    """What the route asks the store. Raises TransientError when MongoDB is away."""

    def __init__(self, database: Database[Document], rules: Callable[[], Rules]) -> None:
        """`rules` gives those in force."""
        self._documents: MongoCollection[Document] = database["projects"]
        self._rules = rules

    def find(self, question: Asked, view: Viewer) -> Found:
        """Everything that matches is counted; the page begins with what is due first."""
        summary, groups = Tally(), dict[Any, Tally]()
        anybody = replace(question, owners=())  # days may be charged to a unit that has handed a blocker over
        rows: list[Row] = []
        rules = self._rules()
        for document in self._projects(question):
            causes = rules.pausing_causes(document.get("zone"))
            for item in owed(document, causes, view.now, view.today):
                if item.charged and anybody.holds(item):
                    _charge(question, document, item, summary, groups)
                if not question.holds(item):
                    continue
                summary.add(item, view.today)
                if question.group_by is not None:
                    groups.setdefault(GROUPS[question.group_by](document, item), Tally()).add(item, view.today)
                rows.append((urgency(item), f"{document['_id']}/{item.blocker['id']}", document, item))
        rows.sort(key=_place)
        page, following = _page(rows, question)
        return Found(
            [self._item(document, item, view) for _, _, document, item in page],
            asdict(summary),
            None if question.group_by is None else list(_grouped(groups)),
            following,
        )

    def _projects(self, question: Asked) -> list[Document]:
        conditions: list[Condition] = [{"status": {"$in": [ACTIVE, SUSPENDED]}}]
        if question.zones:
            conditions.append({"zone": {"$in": [*question.zones]}})
        conditions += question.conditions
        hint = "owing"
        if question.projects:
            conditions.append({"_id": {"$in": [*question.projects]}})
            hint = "_id_"
        if question.owners:
            conditions.append({"owing": {"$in": marks_of(question.owners, question.statuses)}})
        else:
            begin, end = mark_range(question.statuses)
            conditions.append({"owing": {"$elemMatch": {"$gte": begin, "$lt": end}}})
        with translated():
            return list(self._documents.find({"$and": conditions}, _READ).hint(hint))

    @staticmethod
    def _item(document: Document, item: Owed, view: Viewer) -> dict[str, Any]:
        return {
            "project_id": document["_id"],
            **{name: document.get(name) for name in _TOLD},
            **view.blocker(item.blocker, document),
            "status": item.status,
            "overdue": item.overdue,
            "days_over": item.days_over(view.today),
            "charged": [{"owner": owner, "days": days} for owner, days in item.charged.items()],
        }


def _charge(question: Asked, document: Document, item: Owed, summary: Tally, groups: dict[Any, Tally]) -> None:
    """The days of a blocker are the units' that had to act on them, whoever must act on it now."""
    for owner, days in item.charged.items():
        if question.owners and owner not in question.owners:
            continue
        summary.days_charged += days
        if question.group_by is not None:
            key = owner if question.group_by == "owner" else GROUPS[question.group_by](document, item)
            groups.setdefault(key, Tally()).days_charged += days


def _page(rows: Sequence[Row], question: Asked) -> tuple[Sequence[Row], str | None]:
    """The rows of the page, and where the next one begins."""
    after = question.after
    begin = 0 if after is None else bisect_right(rows, (after[0], after[1]), key=_place)
    page = rows[begin : begin + question.limit]
    return page, question.cursor(*_place(page[-1])) if len(rows) > begin + len(page) else None


def _place(row: Row) -> tuple[str, str]:
    return row[0], row[1]


def _grouped(groups: Mapping[Any, Tally]) -> Iterator[dict[str, Any]]:
    """The numbers of each group, those with the most open first; null: nothing is known of what they are grouped by."""
    for key, tally in sorted(groups.items(), key=lambda group: (-group[1].open, group[0] is None, str(group[0]))):
        yield {"key": key, **asdict(tally)}


def definitions(language: Language) -> dict[str, str]:
    """What the numbers mean, in the caller's language."""
    column = 0 if language == "zh-CN" else 1
    return {name: words[column] for name, words in worked_off.DEFINITIONS.items()}
