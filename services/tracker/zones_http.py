"""The routes of what stands on zones: figures, our own counts, targets, annual plans, publications."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from flask import Flask, Response, request
from marshmallow import ValidationError
from pymongo.database import Database

from luodi.domain.calendar import Calendar
from luodi.domain.figures import FIGURES, Breakdown, Figure, figures_of, newest, part_of_year, year_of
from luodi.domain.investing import MONTHS
from luodi.domain.measures import MEASURES
from luodi.domain.publishing import PUBLICATIONS
from luodi.runtime import http
from luodi.runtime.clock import Clock
from luodi.runtime.problems import FieldError, ProblemError
from schemas.fields import Span
from services.tracker import aims, filters, paces
from services.tracker.folding import Folder
from services.tracker.measured import Measured, Scope, item, total
from services.tracker.paces import Paces
from services.tracker.past import When
from services.tracker.pool_http import Held
from services.tracker.ports import Document, Journal
from services.tracker.publications import Publications, corrected_item, explained, head
from services.tracker.queries import Queries
from services.tracker.recall import Recall
from services.tracker.reported import Owns, figure_item
from services.tracker.zones import Zones, ZonesOfThePast

FIRST_YEAR, LAST_YEAR = 1980, 2100


@dataclass(frozen=True, slots=True)
class Desk:
    """What these routes ask."""

    zones: Zones
    queries: Queries
    measured: Measured
    plans: Paces
    publications: Publications
    recall: Recall
    folder: Callable[[], Folder]
    held: Held

    @classmethod
    def of(
        cls,
        database: Database[Document],
        queries: Queries,
        journal: Journal,
        recall: Recall,
        folder: Callable[[], Folder],
        held: Held,
    ) -> Desk:
        zones = Zones(database)
        publications = Publications(zones, ZonesOfThePast(journal), journal, recall, folder)
        return cls(zones, queries, Measured(database, queries), Paces(database), publications, recall, folder, held)

    def naming(self, asked: Mapping[str, str | None]) -> Mapping[str, Collection[str]]:
        """By field all the ids under which a project may name what comes down today to whom is asked for."""
        return self.all_naming({name: (id_,) for name, id_ in asked.items() if id_ is not None})

    def all_naming(self, asked: Mapping[str, Collection[str]]) -> Mapping[str, Collection[str]]:
        """The same of several ids by field."""
        resolved = self.held([{name: {"$in": sorted(ids)}} for name, ids in asked.items()])
        return {name: found["$in"] for condition in resolved for name, found in condition.items()}


def add_routes(app: Flask, desk: Desk, await_position: Callable[[], None], clock: Clock) -> None:
    """All of them. Each takes `after=<position>` and then answers nothing older than that position."""
    zones, queries, measured, publications = desk.zones, desk.queries, desk.measured, desk.publications

    def calendar() -> Calendar:
        return desk.folder().calendar

    def today() -> date:
        return calendar().business_date(clock.now_text())

    def answer(body: dict[str, Any]) -> Response:
        return http.tagged(body)

    @app.get("/v1/figures")
    def figures() -> Response:
        http.known_parameters("zone", "figure", "period", "history", "after")
        asked = {name: filters.values(request.args, name) for name in ("zone", "figure", "period")}
        all_of_them = filters.flag(request.args, "history")
        await_position()
        found = []
        for zone, rows in zones.rows(FIGURES, asked["zone"]):
            chosen = rows if all_of_them or asked["period"] else newest(rows)
            if asked["figure"]:
                chosen = [row for row in chosen if row["figure"] in asked["figure"]]
            if asked["period"]:
                chosen = [row for row in chosen if (row.get("period") or row["as_of"]) in asked["period"]]
            found += figures_of(zone, chosen)
        counts = Counts(queries, measured)
        found.sort(key=lambda each: isinstance(each, Breakdown))
        items = [figure_item(figure, counts.beside(figure), http.language()) for figure in found]
        http.tell(items=len(items))
        return answer({"items": items, "next": None})

    @app.get("/v1/measures/<measure>")
    def behind(measure: str) -> Response:
        http.known_parameters("zone", "year", "period", "unit", "leader", "limit", "cursor", "after")
        if measure not in MEASURES:
            raise ProblemError("not-found", what=measure)
        told = MEASURES[measure]
        zone, unit, leader = (_one(name) for name in ("zone", "unit", "leader"))
        query = filters.listed(request.args, ())
        if zone is None:
            raise ProblemError("bad-query", errors=[FieldError("zone", "required", {})])
        period = _period()
        year = _year(today().year if period is None else year_of(period))
        if period is not None and (not told.yearly or year != year_of(period)):
            raise ProblemError("bad-query", errors=[FieldError("period", "bad-span", {})])
        await_position()
        named = desk.naming({"lead_unit": unit, "leader": leader})
        rows = measured.behind(measure, Scope(zone, year, named, part_of_year(period)))
        own = total(measure, rows)
        last = "" if query.after is None else query.after[1]
        page = [row for row in rows if row.id > last][: query.limit + 1]
        shown = page[: query.limit]
        following = query.cursor((None, shown[-1].id)) if len(page) > len(shown) else None
        http.tell(items=len(shown))
        return answer(
            {
                "measure": measure,
                "name": told.words(http.language()),
                "zone": zone,
                "year": year if told.yearly else None,
                "period": period,
                "unit": unit,
                "leader": leader,
                "own": {"count": own.count, "amount": own.amount},
                "items": [item(row) for row in shown],
                "next": following,
            }
        )

    @app.get("/v1/targets")
    def targets() -> Response:
        http.known_parameters("zone", "year", "month", "measure", "unit", "leader", "after")
        year, month = _year_and_month(today())
        asked = aims.Asked(
            filters.values(request.args, "zone"),
            year,
            month,
            filters.chosen(request.args, "measure", tuple(MEASURES)),
            filters.values(request.args, "unit"),
            filters.values(request.args, "leader"),
        )
        await_position()
        items = aims.aims(asked, zones, measured, queries, desk.naming, http.language())
        http.tell(items=len(items))
        return answer({"year": year, "month": month, "items": items, "next": None})

    @app.get("/v1/annual-plans")
    def annual_plans() -> Response:
        parameters = ("zone", "year", "month", *paces.FILTERS, "behind", "group_by", "limit", "cursor", "after")
        http.known_parameters(*parameters)
        year, month = _year_and_month(today())
        query, zones_asked = filters.listed(request.args, ()), filters.values(request.args, "zone")
        wanted = {name: values for name in paces.FILTERS if (values := filters.values(request.args, name))}
        group_by = next(iter(filters.chosen(request.args, "group_by", paces.GROUPS)), None)
        only_behind = filters.flag(request.args, "behind")
        await_position()
        rows = desk.plans.of(zones_asked, year, month, desk.all_naming(wanted))
        body: dict[str, Any] = {"year": year, "month": month, "zone": ",".join(zones_asked) or None}
        body["summary"] = paces.summary(rows, year, month, http.language())
        if group_by is not None:
            body |= {"group_by": group_by, "groups": [*paces.groups(rows, group_by, year, month, http.language())]}
        listed = [row for row in rows if row.pace.is_behind] if only_behind else rows
        if query.after is not None:
            points, last = query.after
            if not isinstance(points, int | float):
                raise ProblemError("bad-query", errors=[FieldError("cursor", "bad-cursor", {})])
            listed = [row for row in listed if paces.key(row) > (points, last)]
        page = listed[: query.limit]
        http.tell(items=len(page))
        body["items"] = [paces.paced_item(row, http.language()) for row in page]
        body["next"] = query.cursor(paces.key(page[-1])) if len(listed) > len(page) else None
        return answer(body)

    @app.get("/v1/publications")
    def published() -> Response:
        http.known_parameters("zone", "period", "limit", "cursor", "after")
        zones_asked, periods = filters.values(request.args, "zone"), filters.values(request.args, "period")
        query = filters.listed(request.args, ())
        await_position()
        heads = [head(zone, row) for zone, rows in zones.rows(PUBLICATIONS, zones_asked) for row in rows]
        heads = [each for each in heads if not periods or each["period"] in periods]
        heads.sort(key=_newest, reverse=True)
        if query.after is not None:
            heads = [each for each in heads if _newest(each) < (query.after[0] or "", query.after[1])]
        page = heads[: query.limit]
        http.tell(items=len(page))
        following = query.cursor(_newest(page[-1])) if len(heads) > len(page) else None
        return answer({"items": page, "next": following})

    @app.get("/v1/zones/<zone>/publications/<publication>")
    def publication(zone: str, publication: str) -> Response:
        http.known_parameters("after")
        await_position()
        return answer(publications.published(zone, publications.one(zone, publication), http.language()))

    @app.get("/v1/zones/<zone>/publications/<publication>/corrections")
    def corrections(zone: str, publication: str) -> Response:
        http.known_parameters("known_at", "limit", "cursor", "after")
        query = filters.listed(request.args, ())
        when = filters.when(request.args, clock.now_text(), calendar())
        await_position()
        row = publications.one(zone, publication)
        asked = When(when.known_at, date.fromisoformat(row["as_of"]))
        until = desk.recall.settled(asked, query, clock.now_text(), fresh="after" in request.args).known_at
        assert until is not None
        until = max(until, row["recorded_at"])
        last = "" if query.after is None else query.after[1]
        found = list(islice(publications.corrected(zone, row, until, last), query.limit + 1))
        page = found[: query.limit]
        http.tell(items=len(page))
        differences = publications.differences(zone, row, until, http.language())
        return answer(
            {
                "publication": head(zone, row),
                "until": until,
                "text": explained(row, differences["numbers"], http.language()),
                **differences,
                "items": [corrected_item(each, http.language()) for each in page],
                "next": query.cursor((until, page[-1].project_id)) if len(found) > len(page) else None,
            }
        )


class Counts:
    """Our own counts beside the figures of one answer, each made once."""

    def __init__(self, queries: Queries, measured: Measured) -> None:
        self._queries = queries
        self._measured = measured
        self._owns: dict[tuple[str, str, int | None, tuple[date, date] | None], Owns] = {}

    def beside(self, figure: Figure | Breakdown) -> Owns:
        """The count that a figure is set beside; nothing where it names no measure, or one of a newer version."""
        measure = figure.measure or ""
        if measure not in MEASURES:
            return {}
        yearly, year, part = (
            MEASURES[measure].yearly,
            year_of(figure.period or figure.as_of),
            part_of_year(figure.period),
        )
        place = (figure.zone, measure, year, part) if yearly else (figure.zone, "", None, None)
        if place not in self._owns:
            scope = Scope(figure.zone, place[2], part=place[3])
            own = {measure: self._measured.own(measure, scope)} if yearly else self._queries.owns(figure.zone)
            self._owns[place] = own
        return self._owns[place]


def _newest(publication: dict[str, Any]) -> tuple[str, str]:
    return publication["known_at"], f"{publication['zone']}/{publication['id']}"


def _one(name: str) -> str | None:
    """The one value of a parameter; None where it is not given. Raises ProblemError `bad-query` for several."""
    found = filters.values(request.args, name)
    if len(found) > 1:
        raise ProblemError("bad-query", errors=[FieldError(name, "one-value", {})])
    return found[0] if found else None


def _year(usual: int) -> int:
    return filters.whole(request.args, "year", FIRST_YEAR, LAST_YEAR) or usual


def _period() -> str | None:
    """The period asked for, `2026-01/2026-10`. Raises the problem `bad-query`."""
    text = _one("period")
    try:
        return None if text is None else Span().check(text)
    except ValidationError as exc:
        raise ProblemError("bad-query", errors=[FieldError("period", "bad-span", {})]) from exc


def _year_and_month(today: date) -> tuple[int, int]:
    """The year asked for, this one where none is, and how many of its months are over; `month` asks for another."""
    year = _year(today.year)
    over = MONTHS if year < today.year else 0 if year > today.year else today.month - 1
    month = filters.whole(request.args, "month", 1, MONTHS)
    return year, over if month is None else month
