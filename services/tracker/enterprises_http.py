"""The routes of enterprises beside their register: projects, requests, qualifications, services, measures; and the one
by which an enterprise itself reads what became of its requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from luodi.domain import enterprises as domain
from luodi.domain import qualifications, services
from luodi.domain.calendar import Calendar
from luodi.domain.clocks import LIGHTS
from luodi.domain.subjects import ENTERPRISE
from luodi.runtime import http
from luodi.runtime.clock import Clock
from luodi.runtime.links import Link
from luodi.runtime.problems import FieldError, ProblemError
from luodi.runtime.rates import RateLimit
from schemas.catalog.blockers import BLOCKER_KINDS
from services.tracker import enterprises, filters
from services.tracker.enterprises import MEASURES, QUALIFICATIONS, REQUESTS, SERVICES, Enterprises, Wanted, paged
from services.tracker.queries import Queries
from services.tracker.registry import shown
from services.tracker.views import Viewer

PRIVATE = {"Vary": "Accept-Language, Authorization", "Cache-Control": "no-store"}

LINK_READS_PER_S = 1.0  # of one enterprise, through its link
LINK_READ_BURST = 10.0  # fewer than may wait for a position at once: no link can take all their places

COMMON = ("zone", "limit", "cursor", "after")
REQUEST_PARAMETERS = (*COMMON, "enterprise_id", "state", "light", "kind", "due_before")
QUALIFICATION_PARAMETERS = (*COMMON, "enterprise_id", "level", "ladder", "state", "due_before", "year")
SERVICE_PARAMETERS = (*COMMON, "enterprise_id", "project_id", "kind", "since", "until")
MEASURE_PARAMETERS = (*COMMON, "project_id")

_MONTH_CHARS = 7


def add_routes(
    app: Flask,
    asked_of: Enterprises,
    queries: Queries,
    await_position: Callable[[], None],
    clock: Clock,
    calendar: Callable[[], Calendar],
    link_secret: str | None,
) -> None:
    """All routes. Each takes `after=<position>` and then answers nothing older than that position."""

    def viewer() -> Viewer:
        return Viewer.at(clock.now_text(), http.language(), calendar())

    def answer(view: Viewer, body: Any) -> Response:
        http.tell(items=len(body["items"]))
        return http.tagged(body, view.today)

    def due_before() -> str | None:
        day = filters.day(request.args, "due_before")
        return None if day is None else day.isoformat()

    @app.get("/v1/enterprises/<enterprise_id>")
    def enterprise(enterprise_id: str) -> Response:
        http.known_parameters("after")
        await_position()
        document = asked_of.one(enterprise_id)
        if document is None:
            raise ProblemError("not-found", what=enterprise_id)
        view = viewer()
        body = shown(ENTERPRISE, document, brief=True) | asked_of.chapters(document, view)
        return http.tagged(body, view.today)

    @app.get("/v1/enterprises/<enterprise_id>/projects")
    def projects_of_enterprise(enterprise_id: str) -> Response:
        http.known_parameters("limit", "cursor", "after")
        asked = filters.listed(request.args, ())
        await_position()
        enterprise = asked_of.one(enterprise_id)
        if enterprise is None:
            raise ProblemError("not-found", what=enterprise_id)
        view = viewer()
        page, following = asked_of.projects_of(enterprise, asked)
        beside = queries.beside(page)
        return answer(view, {"items": [view.project(document, beside) for document in page], "next": following})

    @app.get("/v1/requests")
    def requests() -> Response:
        http.known_parameters(*REQUEST_PARAMETERS)
        asked = filters.listed(request.args, ())
        wanted = Wanted(
            {
                "state": filters.chosen(request.args, "state", tuple(domain.STATES)),
                "light": filters.chosen(request.args, "light", LIGHTS),
                "kind": filters.chosen(request.args, "kind", BLOCKER_KINDS),
            },
            due_before(),
        )
        await_position()
        view = viewer()
        zones = filters.values(request.args, "zone")
        documents = asked_of.telling(REQUESTS, zones, request.args.get("enterprise_id"))
        projects = asked_of.blockers(stored for document in documents for stored in document[REQUESTS])
        everything = enterprises.requests_of(documents, projects, view)
        rows = [row for row in everything if wanted.takes(row, row["due"] if row["state"] == domain.OPEN else None)]
        items, following = paged(rows, enterprises.by_recording, asked)
        summary = enterprises.request_summary(rows, view.today.isoformat())
        return answer(view, {"items": items, "next": following, "summary": summary})

    @app.get("/v1/qualifications")
    def qualifications_listed() -> Response:
        http.known_parameters(*QUALIFICATION_PARAMETERS)
        asked = filters.listed(request.args, ())
        levels = tuple(map(qualifications.level_id, filters.values(request.args, "level")))
        states = tuple(qualifications.STATES.values())
        wanted = Wanted(
            {
                "level_id": levels,
                "ladder": filters.chosen(request.args, "ladder", [ladder.id for ladder in qualifications.LADDERS]),
                "state": filters.chosen(request.args, "state", states),
            },
            due_before(),
        )
        await_position()
        view = viewer()
        year = filters.whole(request.args, "year", 1980, 2100) or view.today.year
        zones = filters.values(request.args, "zone")
        documents = asked_of.telling(QUALIFICATIONS, zones, request.args.get("enterprise_id"))
        everything = enterprises.qualifications_of(documents, view)
        rows = [row for row in everything if wanted.takes(row, row["valid_until"])]
        items, following = paged(rows, enterprises.by_due, asked)
        counts = enterprises.level_counts(rows, str(year), view.language)
        return answer(view, {"items": items, "next": following, "summary": {"year": year, "levels": counts}})

    @app.get("/v1/ladders")
    def ladders() -> Response:
        http.known_parameters()
        view = viewer()
        return answer(view, {"items": enterprises.ladders(view.language), "next": None})

    @app.get("/v1/services")
    def services_counted() -> Response:
        http.known_parameters(*SERVICE_PARAMETERS)
        asked = filters.listed(request.args, ())
        kinds = filters.chosen(request.args, "kind", tuple(services.KINDS))
        since, until = _month("since"), _month("until")
        await_position()
        view = viewer()
        zones = filters.values(request.args, "zone")
        enterprise_id, project_id = request.args.get("enterprise_id"), request.args.get("project_id")

        def takes(month: str, kind: str) -> bool:
            return (since or month) <= month <= (until or month) and (not kinds or kind in kinds)

        documents = [] if project_id else asked_of.telling(SERVICES, zones, enterprise_id)
        projects = asked_of.projects_telling(SERVICES, zones, project_id)
        rows = enterprises.services_by_enterprise(documents, projects, asked_of.registered(zones), takes)
        if enterprise_id is not None:
            rows = [row for row in rows if row["enterprise_id"] == enterprise_id]
        items, following = paged(rows, enterprises.by_count, asked)
        return answer(view, {"items": items, "next": following, "summary": enterprises.service_summary(rows)})

    @app.get("/v1/measures")
    def measures() -> Response:
        http.known_parameters(*MEASURE_PARAMETERS)
        asked = filters.listed(request.args, ())
        await_position()
        view = viewer()
        zones = filters.values(request.args, "zone")
        documents = asked_of.projects_telling(MEASURES, zones, request.args.get("project_id"))
        rows = [
            {
                "project_id": document["_id"],
                **{name: document.get(name) for name in ("name", "zone", "kind", "enterprise")},
                "measures": document[MEASURES],
            }
            for document in documents
        ]
        items, following = paged(rows, lambda row: ("", row["project_id"]), asked)
        return answer(view, {"items": items, "next": following})

    if link_secret is not None:
        _add_link_route(app, asked_of, await_position, clock, calendar, viewer, link_secret)


def _add_link_route(
    app: Flask,
    asked_of: Enterprises,
    await_position: Callable[[], None],
    clock: Clock,
    calendar: Callable[[], Calendar],
    viewer: Callable[[], Viewer],
    secret: str,
) -> None:
    """The enterprise's own address: whose requests are shown stands in the token of its link alone."""
    rate = RateLimit(clock.monotonic, LINK_READS_PER_S, LINK_READ_BURST)

    @app.get("/v1/link/requests")
    def own_requests() -> Response:
        http.known_parameters("after")
        link: Link = http.shown_link(secret, clock.wall().astimezone(calendar().timezone).date())
        http.tell(enterprise_id=link.enterprise)
        wait_s = rate.take(link.holder, 1)
        if wait_s > 0:
            seconds = str(int(wait_s) + 1)
            raise ProblemError("too-many-requests", seconds=seconds, headers={"Retry-After": seconds})
        await_position()
        document = asked_of.one(link.enterprise)
        counted = ((document or {}).get("link") or {"generation": 0})["generation"]
        if link.generation != counted:
            raise http.bad_link()
        view = viewer()
        rows: list[dict[str, Any]] = []
        if document is not None and REQUESTS in document:
            projects = asked_of.blockers(document[REQUESTS])
            found = enterprises.requests_of([document], projects, view)
            rows = [enterprises.own_request(row) for row in sorted(found, key=enterprises.by_recording)]
        http.tell(items=len(rows))
        body = {
            "enterprise": (document or {}).get("name"),
            "good_until": link.until.isoformat(),
            "items": rows,
            "next": None,
        }
        return http.answer(body, headers={"Content-Language": view.language, **PRIVATE})


def _month(name: str) -> str | None:
    """A month asked for, `2026-03`. Raises the problem `bad-query`."""
    text = request.args.get(name)
    if text is None:
        return None
    if len(text) != _MONTH_CHARS or not filters.is_period(text):
        raise ProblemError("bad-query", errors=[FieldError(name, "bad-month", {})])
    return text
