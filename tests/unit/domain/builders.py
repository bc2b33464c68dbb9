"""Short ways to say what happened, for the tests of the domain."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar
from hypothesis import HealthCheck, settings

from luodi.domain.assess import NO_FIELDS, assess
from luodi.domain.calendar import Calendar, YearDays
from luodi.domain.clocks import reason_of
from luodi.domain.days import BEGINNING
from luodi.domain.events import (
    BLOCKER_CLEARED,
    BLOCKER_PAUSED,
    BLOCKER_RAISED,
    BLOCKER_UPDATED,
    EVENT_RETRACTED,
    MILESTONE_REPORTED,
    MILESTONE_VERIFIED,
    PLAN_SET,
    PROJECT_REGISTERED,
    Event,
)
from luodi.domain.fold import fold
from luodi.domain.rules import Rules
from luodi.domain.verifying import CONFIRMED, RETURNED
from tests.rules import DEFAULT_RULES

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST_PUBLISHED = 2004
LAST_PUBLISHED = 2026
SUBJECT = "demo-2026-7K3F9A2M4Q"

Document = dict[str, Any]

# A busy machine is no fault of the rules: no test here is an assertion on time.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def published(first: int = FIRST_PUBLISHED, last: int = LAST_PUBLISHED) -> Calendar:
    """The calendar of the years that are published (or fewer of them)."""
    years = {year: YearDays.observed(year, chinese_calendar.is_workday) for year in range(first, last + 1)}
    return Calendar.build(SHANGHAI, years)


class Story:
    """Events of one project, recorded one second after the other."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._numbers = count(1)

    def tell(self, type_: str, /, by: str | None = "u-zhang", **data: Any) -> str:
        """Record an event; its id is returned."""
        number = next(self._numbers)
        minutes, seconds = divmod(number, 60)
        recorded = f"2026-06-01T01:{minutes:02d}:{seconds:02d}.000Z"
        event_id = f"e{number}"
        self.events.append(Event(SUBJECT, event_id, type_, recorded, 0, by, data))
        return event_id

    def registered(self, **fields: Any) -> str:
        return self.tell(PROJECT_REGISTERED, **{"name": "一号项目", "zone": "demo", "route": "land"} | fields)

    def reached(self, stage: str, day: str | None, **more: Any) -> str:
        return self.tell(MILESTONE_REPORTED, stage=stage, date=day, **more)

    def planned(self, stage: str, day: str, **more: Any) -> str:
        return self.tell(PLAN_SET, stage=stage, date=day, **more)

    def paused(self, begin: str, until: str, cleared: str | None = None, cause: str = "utility") -> str:
        """A blocker with an approved pause, and its clear."""
        blocker = self.tell(
            BLOCKER_RAISED, kind="用电", cause=cause, owner="u-power", date=begin, approver="u-chief", until=until
        )
        if cleared is not None:
            self.cleared(blocker, cleared)
        return blocker

    def blocked(self, begin: str, cause: str = "utility", owner: str = "u-power", **more: Any) -> str:
        """A blocker that pauses nothing until a pause is approved."""
        return self.tell(BLOCKER_RAISED, kind="用电", cause=cause, owner=owner, date=begin, **more)

    def approved(self, blocker: str, begin: str, until: str, document: str | None = None) -> str:
        """A pause approved for a blocker, as an act of its own."""
        more = {} if document is None else {"document": document}
        return self.tell(BLOCKER_PAUSED, blocker_id=blocker, date=begin, approver="u-chief", until=until, **more)

    def updated(self, blocker: str, **told: Any) -> str:
        return self.tell(BLOCKER_UPDATED, blocker_id=blocker, **told)

    def cleared(self, blocker: str, day: str | None) -> str:
        return self.tell(BLOCKER_CLEARED, blocker_id=blocker, date=day)

    def verified(self, report: str, by: str | None = "u-li", result: str = CONFIRMED, **more: Any) -> str:
        """Somebody looks at a report: its reporter is u-zhang."""
        return self.tell(MILESTONE_VERIFIED, by, event_id=report, result=result, **more)

    def returned(self, report: str, by: str | None = "u-li", reason: str = "现场未动工") -> str:
        return self.verified(report, by, RETURNED, reason=reason)

    def retracted(self, event_id: str) -> str:
        return self.tell(EVENT_RETRACTED, event_id=event_id, reason="误报")

    def document(self, rules: Rules = DEFAULT_RULES, calendar: Calendar | None = None) -> Document:
        """The document as it is read: see ``whole``."""
        return whole(assess(SUBJECT, fold(self.events), rules, calendar or published()))


def whole(document: Document) -> Document:
    """A stored document as it is read: every registered field, every light with its whole reason."""

    def told(track: dict[str, Any]) -> dict[str, Any]:
        return track | {"lights": [{**step, "reason": reason_of(step, document)} for step in track["lights"]]}

    return {
        **NO_FIELDS,
        **told(document),
        "clocks": [told(clock) for clock in document["clocks"]],
        "blockers": [told(blocker) for blocker in document["blockers"]],
    }


def light_on(lights: list[dict[str, Any]], day: date | str) -> dict[str, Any]:
    """The one step that covers a whole business day, from its first to its last millisecond."""
    calendar = published()
    day = date.fromisoformat(day) if isinstance(day, str) else day
    begin, end = calendar.midnight(day), calendar.midnight(day + timedelta(days=1))
    covering = [step for step in lights if step["from"] < end and step["to"] > begin]
    assert len(covering) == 1, f"the light changes within {day}"
    return covering[0]


def every_day(lights: list[dict[str, Any]], days: Iterable[date]) -> dict[date, tuple[str, str]]:
    """Light and code of its reason for each of the days; a light may turn at the midnights of business days alone."""
    calendar = published()
    begun = [calendar.business_date(step["from"]) for step in lights]
    for day, step in zip(begun, lights, strict=True):
        assert step["from"] in (calendar.midnight(day), BEGINNING), f"the light changes within {day}"
    steps = {day: lights[bisect_right(begun, day) - 1] for day in days}
    return {day: (step["light"], step["reason"]["code"]) for day, step in steps.items()}
