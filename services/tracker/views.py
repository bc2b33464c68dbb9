"""What callers see of a stored document: lights and reasons as of now, in their language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from luodi.domain import explain, forecast, history, reasons
from luodi.domain.assess import NO_FIELDS, POOL, in_force
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import RED, Step, days_used, shown_at
from luodi.domain.courses import paused
from luodi.domain.days import day_text, days_over, first_day
from luodi.domain.events import Event
from luodi.domain.fold import Standing, standing
from luodi.domain.forecast import Curve, Group
from luodi.domain.greys import grey_since
from luodi.domain.pauses import charged, held_by
from luodi.domain.reasons import ZH
from luodi.domain.stages import Language
from luodi.domain.worked_off import CONFIRMATIONS, REPLIES
from services.tracker.ports import Document
from services.tracker.procedure_view import procedure
from services.tracker.relations import Beside

_INTERNAL = frozenset(
    {
        *("_id", "partition", "events", "ruleset", "fold", "lights", "greys", "due", "sameness", "awaits_since"),
        *("pooled_on", "followed_on", "owing", "procedures_in", "seeks", "planned_years"),
        *(REPLIES, CONFIRMATIONS),  # these stand with the blockers that they are about
    }
)


NO_CHAPTERS: Mapping[str, Any] = {"commitments": (), "performance": ()}
"""What a project is told to have where a document has no such chapter."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """When and in which language a document is looked at."""

    now: str
    today: date
    language: Language
    calendar: Calendar

    @classmethod
    def at(cls, now: str, language: Language, calendar: Calendar) -> Viewer:
        return cls(now, calendar.business_date(now), language, calendar)

    def project(self, document: Document, beside: Beside) -> dict[str, Any]:
        """A project as answered: every registered field, the light now and why, the open clocks, what is below it."""
        rollup, warnings = beside.rollup(document, self.now), beside.warnings(document)
        holders = beside.holders(document)
        document = beside.shown(document)
        shown = self._shown(document["lights"], document)
        lit = document["status"] != POOL
        return {
            "id": document["_id"],
            "light": shown["light"] if lit else None,
            "reason": self._reason(shown["reason"]) if lit else None,
            "grey_since": self._day_of(grey_since(document["greys"], self.now)),
            **NO_FIELDS,
            **NO_CHAPTERS,
            **{name: value for name, value in document.items() if name not in _INTERNAL},
            "warnings": [self._reason(warning) for warning in [*document["warnings"], *warnings]],
            "clocks": [self.clock(clock, document) for clock in document["clocks"]],
            "blockers": [self.blocker(blocker, document) for blocker in document["blockers"]],
            "awaiting": [self._awaits(report) for report in document.get("awaiting", ())],
            "pool": document.get("pool"),
            "procedures": [self.procedure(row, document) for row in document.get("procedures", ())],
            "services": document.get("services"),
            "measures": document.get("measures", []),
            "rollup": rollup,
            "holders": holders,
            "stale": self._stale(document),
            "followups": document.get("followups"),
        }

    def _stale(self, document: Document) -> dict[str, Any] | None:
        """未更新: since when and why; None for a project that is kept up."""
        stale = document.get("stale")
        if stale is None or self.now < stale["from"]:
            return None
        reason, calendar = stale["reason"], self.calendar.of(document.get("zone"))
        passed = calendar.count(self.today.toordinal()) - calendar.count(first_day(reason["date"]).toordinal())
        return {
            "since": self._day_of(stale["from"]),
            "workdays": passed,
            "reason": self._reason({**reason, "workdays": passed}),
        }

    def procedure(self, row: Mapping[str, Any], document: Document) -> dict[str, Any]:
        """A procedure of a project as answered."""
        calendar = self.calendar.of(document.get("zone"))
        return procedure(row, self.now, self.today, self.language, calendar)

    def _awaits(self, report: Mapping[str, Any]) -> dict[str, Any]:
        return {**report, "reasons": [self._reason(reason) for reason in report["reasons"]]}

    def awaited(self, document: Document) -> Iterator[dict[str, Any]]:
        """The reports of a project that wait to be verified."""
        for report in document["awaiting"]:
            yield {
                "project_id": document["_id"],
                **{
                    name: document.get(name)
                    for name in ("name", "zone", "parent", "lead_unit", "group_head", "officer")
                },
                **self._awaits(report),
            }

    def clock(self, stored: Mapping[str, Any], document: Document) -> dict[str, Any]:
        """A clock of a project as answered. `days` are counted: of a limit in months, calendar days."""
        clock = in_force(stored, self.today)
        shown = self._shown(stored["lights"], document)
        return {
            "gap": clock["gap"],
            "rule": clock["rule"],
            "preset": clock["preset"],
            "version": clock["version"],
            **{name: self._said(clock.get(name)) for name in ("basis", "title", "consequence")},
            "link": clock.get("link"),
            "kind": clock["kind"],
            "counted_from": clock["counted_from"],
            "light": shown["light"],
            "start": clock["start"],
            "due": clock["due"],
            "warn": clock["warn"],
            "days": {
                "used": days_used(clock, self.calendar.of(document.get("zone")), self.today),
                "limit": clock["limit_days"],
                "unit": "working_days" if clock["unit"] == "working_days" else "calendar_days",
            },
            "limit": {"amount": clock["limit"], "unit": clock["unit"]},
            "paused": paused(clock),
            "charged": charged(clock["paused_by"], self.today.toordinal(), held_by(document["blockers"])),
            "provisional": clock["provisional"],
            "approximate": clock["approximate"],
            "reason": self._reason(shown["reason"]),
        }

    def history(
        self,
        project_id: str,
        spans: Sequence[history.Span],
        was_red: Sequence[Mapping[str, Any]],
        reporting: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What was true on each day by what is known, when red was shown, how late the milestones were reported.

        The track ends with today: a light still to come is a clock's affair.
        """
        today = self.today.toordinal()
        past = [history.as_text(span, today) for span in spans if span.begin <= today]
        return {
            "project_id": project_id,
            "known_at": self.now,
            "track": [{**span, "reason": self._reason(span["reason"])} for span in past],
            "was_red": [dict(stretch) for stretch in was_red],
            "reporting": dict(reporting),
        }

    def clocks(self, document: Document, beside: Beside, curves: Mapping[Group, Curve]) -> dict[str, Any]:
        """The clocks of a project alone, explained, with the promises of its open blockers and the gaps it closed.

        `curves`: what like projects took, for the forecast of each clock; empty where none is to be made.
        """
        document = beside.shown(document)
        calendar = self.calendar.of(document.get("zone"))
        shown = self._shown(document["lights"], document)
        lit = document["status"] != POOL
        told = (document, self.today, calendar, self.language)
        return {
            "project_id": document["_id"],
            "as_of": self.today.isoformat(),
            "light": shown["light"] if lit else None,
            "reason": self._reason(shown["reason"]) if lit else None,
            "clocks": [
                self.clock(clock, document)
                | explain.clock(clock, *told)
                | {"forecast": self._forecast(document, in_force(clock, self.today), curves)}
                for clock in document["clocks"]
            ],
            "promises": [
                self.blocker(blocker, document) | explain.promise(blocker, *told)
                for blocker in document["blockers"]
                if blocker["lights"]
            ],
            "closed": [closed | explain.closed(closed, document, self.language) for closed in document["closed"]],
        }

    def stalls(self, document: Document, lights: tuple[str, ...] = (RED,)) -> Iterator[dict[str, Any]]:
        """Every clock of a project, of its gap and of its promises, that shows one of these lights now."""
        for clock in document["clocks"]:
            current = in_force(clock, self.today)
            yield from self._stall(document, clock["lights"], current, lights, {"gap": clock["gap"], "blocker": None})
        for blocker in document["blockers"]:
            if blocker["lights"]:
                promise = {"due": blocker["promise"], "rule": "promise"}
                named = {"gap": None, "blocker": blocker["id"]}
                yield from self._stall(document, blocker["lights"], promise, lights, named)

    def _stall(
        self,
        document: Document,
        steps: list[dict[str, Any]],
        clock: Mapping[str, Any],
        lights: tuple[str, ...],
        named: dict[str, Any],
    ) -> Iterator[dict[str, Any]]:
        shown = self._shown(steps, document)
        if shown["light"] not in lights:
            return
        yield {
            "project_id": document["_id"],
            "name": document.get("name"),
            "zone": document.get("zone"),
            "parent": document.get("parent"),
            **named,
            "light": shown["light"],
            "due": clock["due"],
            "days_over": days_over(clock["due"], self.today),
            "leader": document.get("leader"),
            "officer": document.get("officer"),
            "reason": self._reason(shown["reason"]),
            "rule": clock["rule"],
        }

    def _forecast(
        self, document: Document, clock: Mapping[str, Any], curves: Mapping[Group, Curve]
    ) -> dict[str, Any] | None:
        found = forecast.outlook(document, clock, curves.get, self.today.toordinal())
        if found is None:
            return None
        return {
            "route": found.group.route,
            "industry": found.group.industry,
            "n": found.n,
            "ended": found.ended,
            "p50": None if found.p50 is None else day_text(found.p50),
            "p85": None if found.p85 is None else day_text(found.p85),
            "chance": None if found.chance is None else round(found.chance, 3),
            "text": forecast.sentence(found, clock, self.language),
        }

    def blocker(self, blocker: Mapping[str, Any], document: Document) -> dict[str, Any]:
        """A blocker of a project as answered, with what the unit replied and what the enterprise said last."""
        shown = self._shown(blocker["lights"], document) if blocker["lights"] else None
        named = [
            [row for row in document.get(name, ()) if row["blocker_id"] == blocker["id"]]
            for name in (REPLIES, CONFIRMATIONS)
        ]
        replies, confirmations = ([_without_name(row) for row in rows] for rows in named)
        return {
            **{name: value for name, value in blocker.items() if name != "lights"},
            "held_by": blocker.get("held_by", []),
            "replies": replies,
            "confirmation": confirmations[-1] if confirmations else None,
            "light": None if shown is None else shown["light"],
            "reason": None if shown is None else self._reason(shown["reason"]),
        }

    def _shown(self, lights: Sequence[Step], document: Document) -> Step:
        return shown_at(lights, self.now, document)

    def _day_of(self, moment: str | None) -> str | None:
        return None if moment is None else self.calendar.business_date(moment).isoformat()

    def _said(self, words: Mapping[str, str] | None) -> str | None:
        return None if words is None else words["zh" if self.language == ZH else "en"]

    def _reason(self, reason: Mapping[str, Any]) -> dict[str, Any]:
        return {"code": reason["code"], "text": reasons.text(reason, self.language, self.today)}


def _without_name(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "blocker_id"}


def timeline(events: Sequence[Event], language: Language) -> list[dict[str, Any]]:
    """The events of a subject as recorded, each with what became of it."""
    stood = standing(events)
    return [_timeline_item(event, stood, language) for event in events]


def _timeline_item(event: Event, stood: Standing, language: Language) -> dict[str, Any]:
    idle = stood.without_effect.get(event.id)
    return {
        "id": event.id,
        "type": event.type,
        "date": event.data.get("date"),
        "recorded_at": event.recordedtime,
        "actor": event.actor,
        "data": event.data,
        "retracted": event.id in stood.retracted,
        "verified": stood.verified.get(event.id),
        "without_effect": None if idle is None else {"code": idle, "text": reasons.text({"code": idle}, language)},
    }
