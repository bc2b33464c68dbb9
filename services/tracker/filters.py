"""Query parameters of the lists, read strictly: from text to a MongoDB condition, or a problem that names them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from werkzeug.datastructures import MultiDict

from luodi.domain.assess import ACTIVE, STATUSES, SUSPENDED
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import LIGHTS
from luodi.domain.days import first_day, instant, parse_instant
from luodi.domain.stages import KINDS, ROUTES, STAGES
from luodi.runtime.problems import FieldError, ProblemError
from services.tracker.past import When, last_moment

MAX_LIMIT = 500
DEFAULT_LIMIT = 100
MAX_VALUES = 50  # per parameter
MAX_TEXT = 200
DAY_CHARS = 10
MAX_GREY_DAYS = 10_000

Condition = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sort:
    """A key to sort by; equal ones stand in the order of their ids, in the same direction."""

    field: str
    descending: bool

    @property
    def text(self) -> str:
        return f"-{self.field}" if self.descending else self.field

    @property
    def path(self) -> str:
        return "_id" if self.field == "id" else self.field

    def keys(self) -> list[tuple[str, int]]:
        direction = -1 if self.descending else 1
        return [(self.path, direction)] if self.path == "_id" else [(self.path, direction), ("_id", direction)]

    def after(self, value: Any, last_id: str) -> Condition:
        """What comes after (value, id). A missing value sorts before every other."""
        step = "$lt" if self.descending else "$gt"
        if self.path == "_id":
            return {"_id": {step: last_id}}
        same: Condition = {self.path: value, "_id": {step: last_id}}
        if value is None:
            return same if self.descending else {"$or": [same, {self.path: {"$ne": None}}]}
        further: list[Condition] = [same, {self.path: {step: value}}]
        return {"$or": [*further, {self.path: None}] if self.descending else further}


@dataclass(frozen=True, slots=True)
class Query:
    """A list that was asked for: which projects, in which order, from where on, how many."""

    conditions: list[Condition]
    lights: tuple[str, ...]
    stages: tuple[str, ...]
    sort: Sort
    limit: int
    zones: tuple[str, ...]
    after: tuple[Any, str] | None  # sort value and id of the last project that is shown wholly
    skip: int  # of the next project's items, those shown already
    digest: str  # of everything but the cursor and the limit
    grey_over: int | None = None  # days: only projects that have been grey for longer
    stale: bool | None = None  # only projects that are not kept up, or only those that are
    teams: tuple[str, ...] = ()  # only projects that one of these task forces follows

    def cursor(self, after: tuple[Any, str] | None, skip: int = 0) -> str:
        """Where the next page begins, opaque to the caller."""
        return base64.urlsafe_b64encode(orjson.dumps([self.digest, after, skip])).decode().rstrip("=")


def read(args: MultiDict[str, str], midnight: Callable[[str], str]) -> Query:
    """The query of a list. `midnight` gives the instant at which a business date begins.

    Raises ProblemError `bad-query`, naming every parameter that is wrong.
    """
    faults: list[FieldError] = []
    zones = tuple(_values(args, "zone", faults))
    lights = tuple(_chosen(args, "light", LIGHTS, faults))
    stages = tuple(_chosen(args, "stage", STAGES, faults))
    conditions = _equals(args, faults)
    conditions += _dates(args, midnight, faults)
    conditions += _search(args, faults)
    sort = _sort(args, faults)
    limit = _limit(args, faults)
    grey_over = _grey_over(args, faults)
    stale = _chosen(args, "stale", ("true", "false"), faults)
    teams = tuple(_values(args, "team", faults))
    digest = _digest(args)
    after, skip = _cursor(args, digest, faults)
    if faults:
        raise ProblemError("bad-query", errors=faults)
    asked = stale == ["true"] if len(stale) == 1 else None
    return Query(conditions, lights, stages, sort, limit, zones, after, skip, digest, grey_over, asked, teams)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is filtered by besides the light, as plain values: an empty tuple or None asks for nothing."""

    statuses: tuple[str, ...]
    stages: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]  # of the registered fields
    key: bool | None
    blockers: tuple[str, ...]  # kinds of those open
    due_before: str | None
    updated_before: str | None  # an instant
    text: str


def wanted(args: MultiDict[str, str], midnight: Callable[[str], str]) -> Wanted:
    """The same filters as `read`, which the caller has called before: faults are named there."""
    faults: list[FieldError] = []
    updated = args.get("updated_before")
    key = _chosen(args, "key", ("true", "false"), faults)
    names = (*TEXTS, *(name for name in CHOICES if name != "stage"))
    found = {name: tuple(_values(args, name, faults)) for name in names}
    return Wanted(
        statuses=tuple(_values(args, "status", faults)) or (ACTIVE, SUSPENDED),
        stages=tuple(_values(args, "stage", faults)),
        fields={name: values for name, values in found.items() if values},
        key=key == ["true"] if len(key) == 1 else None,
        blockers=tuple(_values(args, "blocker", faults)),
        due_before=args.get("due_before"),
        updated_before=None if updated is None else midnight(updated) if _is_day(updated) else _instant(updated),
        text=args.get("q", "").strip(),
    )


def listed(args: MultiDict[str, str], names: Sequence[str]) -> Query:
    """The query of a list of units and the like: by these fields, by part of the name or id, in the order of the ids.

    Raises ProblemError `bad-query`, naming every parameter that is wrong.
    """
    faults: list[FieldError] = []
    chosen = [(name, _values(args, name, faults)) for name in names]
    conditions: list[Condition] = [{name: {"$in": values}} for name, values in chosen if values]
    conditions += _search(args, faults)
    limit = _limit(args, faults)
    digest = _digest(args)
    after, _ = _cursor(args, digest, faults)
    if faults:
        raise ProblemError("bad-query", errors=faults)
    return Query(conditions, (), (), Sort("id", descending=False), limit, (), after, 0, digest)


class Reader:
    """Reads the parameters of a list of its own kind one by one; what is wrong with any is told together by `done`."""

    def __init__(self, args: MultiDict[str, str]) -> None:
        self._args = args
        self._faults: list[FieldError] = []
        self._digest = _digest(args)

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a parameter that may be repeated or hold a list with commas."""
        return tuple(_values(self._args, name, self._faults))

    def chosen(self, name: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """The same of a closed list of values."""
        return tuple(_chosen(self._args, name, allowed, self._faults))

    def one_of(self, name: str, allowed: Sequence[str]) -> str | None:
        """One value of a closed list; None where none is named."""
        text = self._args.get(name)
        if text is not None and text not in allowed:
            self._faults.append(FieldError(name, "not-allowed", {"allowed": ", ".join(allowed)}))
        return text

    def day(self, name: str) -> date | None:
        """A business date; None where none is named."""
        text = self._args.get(name)
        if text is None:
            return None
        if not _is_day(text):
            self._faults.append(FieldError(name, "bad-day", {}))
            return None
        return first_day(text)

    def flag(self, name: str) -> bool | None:
        """`true` or `false`; None where neither is said."""
        text = self.one_of(name, ("true", "false"))
        return None if text is None else text == "true"

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number between two others, both included."""
        text = self._args.get(name, str(default))
        if text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high:
            return int(text)
        self._faults.append(FieldError(name, "not-allowed", {"allowed": f"{low} – {high}"}))
        return default

    def search(self) -> list[Condition]:
        """Part of the name or the id, as `q`."""
        return _search(self._args, self._faults)

    def limit(self) -> int:
        """How many items a page holds."""
        return _limit(self._args, self._faults)

    def after(self) -> tuple[Any, str] | None:
        """Sort value and id of the last item before this page; None on the first one."""
        return _cursor(self._args, self._digest, self._faults)[0]

    def cursor(self, value: Any, last_id: str) -> str:
        """Where the next page begins, for `after` of the same question."""
        return base64.urlsafe_b64encode(orjson.dumps([self._digest, (value, last_id), 0])).decode().rstrip("=")

    def done(self) -> None:
        """Raises ProblemError `bad-query`, naming every parameter that is wrong."""
        if self._faults:
            raise ProblemError("bad-query", errors=self._faults)


def values(args: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """The values of one parameter that may be repeated or hold a list with commas. Raises ProblemError `bad-query`."""
    faults: list[FieldError] = []
    found = _values(args, name, faults)
    if faults:
        raise ProblemError("bad-query", errors=faults)
    return tuple(found)


def chosen(args: MultiDict[str, str], name: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """The values of one parameter that has a closed list of them. Raises ProblemError `bad-query`."""
    faults: list[FieldError] = []
    found = _chosen(args, name, allowed, faults)
    if faults:
        raise ProblemError("bad-query", errors=faults)
    return tuple(found)


def flag(args: MultiDict[str, str], name: str) -> bool:
    """A parameter that is `true` or `false`; false where it is not given. Raises ProblemError `bad-query`."""
    return chosen(args, name, ("true", "false")) == ("true",)


def whole(args: MultiDict[str, str], name: str, low: int, high: int) -> int | None:
    """A whole number; None where it is not given. Raises ProblemError `bad-query`."""
    text = args.get(name)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high:
        return int(text)
    raise ProblemError("bad-query", errors=[FieldError(name, "not-allowed", {"allowed": f"{low} – {high}"})])


def is_period(text: str) -> bool:
    """Whether it is a day, a month or a year."""
    try:
        first_day(text)
    except ValueError:
        return False
    return True


def day(args: MultiDict[str, str], name: str) -> date | None:
    """A business date of any time; None where none is named. Raises ProblemError `bad-query`."""
    text = args.get(name)
    if text is None:
        return None
    if not _is_day(text):
        raise ProblemError("bad-query", errors=[FieldError(name, "bad-day", {})])
    return first_day(text)


def when(args: MultiDict[str, str], now: str, calendar: Calendar) -> When:
    """From when to look: `known_at` (an instant, or a business date: its last moment) and `as_of` (a business date).

    Neither may lie in the future. Raises ProblemError `bad-query`.
    """
    faults: list[FieldError] = []
    today = calendar.business_date(now)
    as_of: date | None = None
    text = args.get("as_of")
    if text is not None:
        if not _is_day(text):
            faults.append(FieldError("as_of", "bad-day", {}))
        elif (as_of := first_day(text)) > today:
            faults.append(FieldError("as_of", "in-the-future", {}))
    known_at: str | None = None
    text = args.get("known_at")
    if text is not None:
        known_at = _moment_known(text, now, calendar)
        if known_at is None:
            faults.append(FieldError("known_at", "bad-moment", {}))
        elif known_at > now:
            faults.append(FieldError("known_at", "in-the-future", {}))
    if faults:
        raise ProblemError("bad-query", errors=faults)
    return When(known_at, as_of)


def _moment_known(text: str, now: str, calendar: Calendar) -> str | None:
    """The instant meant; of a business date its last one, of today now."""
    if not _is_day(text):
        return _instant(text)
    day = first_day(text)
    return now if day == calendar.business_date(now) else last_moment(day, calendar)


def lit(lights: Sequence[str], now: str, path: str = "lights") -> Condition:
    """Projects that show one of these lights at `now`."""
    step = {"light": {"$in": list(lights)}, "from": {"$lte": now}, "to": {"$gt": now}}
    return {path: {"$elemMatch": step}}


def not_updated(now: str, *, stale: bool) -> Condition:
    """Projects that count as not updated at `now`, or those that do not."""
    passed: Condition = {"stale.from": {"$lte": now}}
    return passed if stale else {"$nor": [passed]}


def grey(days: int, now: str) -> Condition:
    """Projects that are grey at `now` and have been for more than so many days, the first one counted."""
    begun = instant(parse_instant(now) - timedelta(days=days))
    return {"greys": {"$elemMatch": {"from": {"$lte": begun}, "to": {"$gt": now}}}}


def _equals(args: MultiDict[str, str], faults: list[FieldError]) -> list[Condition]:
    conditions: list[Condition] = []
    statuses = _chosen(args, "status", STATUSES, faults)
    conditions.append({"status": {"$in": statuses or [ACTIVE, SUSPENDED]}})
    for name, allowed in CHOICES.items():
        chosen = _chosen(args, name, allowed, faults)
        if chosen:
            conditions.append({name: {"$in": chosen}})
    for name in TEXTS:
        values = _values(args, name, faults)
        if values:
            conditions.append({name: {"$in": values}})
    key = _chosen(args, "key", ("true", "false"), faults)
    if len(key) == 1:
        conditions.append({"key": True} if key == ["true"] else {"key": {"$ne": True}})
    lanes = _values(args, "lane", faults)
    if lanes:
        conditions.append({"lanes": {"$in": lanes}})
        # The histories that answer for the past do not keep them.
        faults += [FieldError("lane", "not-of-the-past", {}) for name in ("as_of", "known_at") if name in args]
    blockers = _values(args, "blocker", faults)
    if blockers:
        conditions.append({"blockers": {"$elemMatch": {"kind": {"$in": blockers}, "cleared": None}}})
    return conditions


def _dates(args: MultiDict[str, str], midnight: Callable[[str], str], faults: list[FieldError]) -> list[Condition]:
    conditions: list[Condition] = []
    due = args.get("due_before")
    if due is not None:
        if _is_day(due):
            conditions.append({"clocks": {"$elemMatch": {"due": {"$lt": due}}}})
        else:
            faults.append(FieldError("due_before", "bad-day", {}))
    updated = args.get("updated_before")
    if updated is not None:
        moment = midnight(updated) if _is_day(updated) else _instant(updated)
        if moment is None:
            faults.append(FieldError("updated_before", "bad-moment", {}))
        else:
            conditions.append({"updated_at": {"$lt": moment}})
    return conditions


def _search(args: MultiDict[str, str], faults: list[FieldError]) -> list[Condition]:
    text = args.get("q", "").strip()
    if len(text) > MAX_TEXT:
        faults.append(FieldError("q", "too-long-text", {"limit": MAX_TEXT}))
        return []
    if not text:
        return []
    found = {"$regex": re.escape(text), "$options": "i"}
    return [{"$or": [{"name": found}, {"_id": found}]}]


def _sort(args: MultiDict[str, str], faults: list[FieldError]) -> Sort:
    text = args.get("sort", "id")
    sort = Sort(text.removeprefix("-"), text.startswith("-"))
    if sort.field not in SORTS:
        faults.append(FieldError("sort", "not-allowed", {"allowed": ", ".join(SORTS)}))
    return sort


def _limit(args: MultiDict[str, str], faults: list[FieldError]) -> int:
    text = args.get("limit", str(DEFAULT_LIMIT))
    if text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    faults.append(FieldError("limit", "not-allowed", {"allowed": f"1 – {MAX_LIMIT}"}))
    return DEFAULT_LIMIT


def _grey_over(args: MultiDict[str, str], faults: list[FieldError]) -> int | None:
    text = args.get("grey_over")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_GREY_DAYS)) and int(text) <= MAX_GREY_DAYS:
        return int(text)
    faults.append(FieldError("grey_over", "not-allowed", {"allowed": f"0 – {MAX_GREY_DAYS}"}))
    return None


def _digest(args: MultiDict[str, str]) -> str:
    """What a query asks for, whichever page of it and however long the pages."""
    told = sorted((name, sorted(args.getlist(name))) for name in args if name not in {"cursor", "limit", "after"})
    return hashlib.blake2s(orjson.dumps(told), digest_size=8).hexdigest()


def _cursor(args: MultiDict[str, str], digest: str, faults: list[FieldError]) -> tuple[tuple[Any, str] | None, int]:
    text = args.get("cursor")
    if not text:
        return None, 0
    try:
        held, after, skip = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        value, last_id = after or (None, "")
    except (binascii.Error, ValueError, TypeError):
        held, after, skip, value, last_id = None, None, 0, None, ""
    if held != digest or type(skip) is not int or not isinstance(last_id, str) or isinstance(value, (dict, list)):
        faults.append(FieldError("cursor", "bad-cursor", {}))
        return None, 0
    return ((value, last_id) if after else None), skip


def _values(args: MultiDict[str, str], name: str, faults: list[FieldError]) -> list[str]:
    """The values of a parameter that may be repeated or hold a list with commas."""
    values = [value.strip() for text in args.getlist(name) for value in text.split(",")]
    values = [value for value in dict.fromkeys(values) if value]
    if len(values) > MAX_VALUES or any(len(value) > MAX_TEXT for value in values):
        faults.append(FieldError(name, "too-long-text", {"limit": MAX_TEXT}))
        return []
    return values


def _chosen(args: MultiDict[str, str], name: str, allowed: Sequence[str], faults: list[FieldError]) -> list[str]:
    values = _values(args, name, faults)
    if any(value not in allowed for value in values):
        faults.append(FieldError(name, "not-allowed", {"allowed": ", ".join(allowed)}))
        return []
    return values


def _is_day(text: str) -> bool:
    try:
        first_day(text)
    except ValueError:
        return False
    return len(text) == DAY_CHARS


def _instant(text: str) -> str | None:
    try:
        return instant(parse_instant(text))
    except ValueError:
        return None


CHOICES: Mapping[str, Sequence[str]] = {"route": tuple(ROUTES), "kind": KINDS}
"""Parameters with a closed list of values, each the field of that name."""

TEXTS = (
    "zone",
    "class",
    "industry",
    "chain",
    "park",
    "leader",
    "vice_leader",
    "lead_unit",
    "group_head",
    "officer",
    "parent",
    "carrier",
)
"""Parameters that name values of the field of that name."""

SORTS = ("id", "name", "updated_at", "stage_since", "investment", "due")
"""What can be sorted by: the field of that name."""

PARAMETERS = (
    *TEXTS,
    *CHOICES,
    "stage",
    "light",
    "status",
    "key",
    "lane",
    "blocker",
    "due_before",
    "updated_before",
    "grey_over",
    "stale",
    "team",
    "q",
    "sort",
    "limit",
    "cursor",
    "known_at",
    "as_of",
    "after",
)
"""Every query parameter of the lists."""

VERIFICATION_PARAMETERS = (*TEXTS, *CHOICES, "status", "key", "q", "limit", "cursor", "after")
"""Every query parameter of the list of reports that wait to be verified."""
