"""The tracker's routes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Flask, Response, request

from luodi.domain.calendar import Calendar
from luodi.domain.forecast import MIN_ENDED
from luodi.runtime import http
from luodi.runtime.clock import Clock
from luodi.runtime.figures import Figures
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.problems import FieldError, ProblemError
from schemas import position
from services.tracker import filters
from services.tracker.past import Past, When
from services.tracker.ports import Document
from services.tracker.queries import GROUPS, Queries, definitions
from services.tracker.relations import Beside
from services.tracker.reported import figure_item, sum_item
from services.tracker.views import Viewer
from services.tracker.visibility import WAIT_S, Visibility

VARY = {"Vary": "Accept-Language", "Cache-Control": "no-cache"}


def add_routes(
    app: Flask,
    queries: Queries,
    past: Past,
    visibility: Visibility,
    topic: TopicInfo,
    clock: Clock,
    calendar: Callable[[], Calendar],
    figures: Figures,
) -> None:
    """All queries. Each takes `after=<position>` and then answers nothing older than that position.

    `calendar` gives the one in force now.
    """

    def viewer() -> Viewer:
        return Viewer.at(clock.now_text(), http.language(), calendar())

    def query() -> filters.Query:
        return filters.read(request.args, lambda day: calendar().midnight(date.fromisoformat(day)))

    def tagged(view: Viewer, *parts: object) -> str:
        # Lights turn at midnight without an event, and texts say how many days are left.
        return http.etag(request.full_path, view.today, view.language, *parts)

    def answer(tag: str, body: Any) -> Response:
        return http.answer(body, headers={"ETag": tag, "Content-Language": http.language(), **VARY})

    @app.get("/v1/projects")
    def projects() -> Response:
        http.known_parameters(*filters.PARAMETERS)
        asked = query()
        _wait(visibility, topic)
        view = viewer()
        page, following = queries.projects(asked, view.now)
        beside = queries.beside(page)
        tag = tagged(view, [(d["_id"], d["events"], d["ruleset"], beside.tag(d)) for d in page], following)
        http.tell(items=len(page))
        return http.not_modified(tag) or answer(
            tag, {"items": [view.project(document, beside) for document in page], "next": following}
        )

    @app.get("/v1/stalled")
    def stalled() -> Response:
        http.known_parameters(*filters.PARAMETERS)
        asked = query()
        _wait(visibility, topic)
        view = viewer()
        items, following = queries.stalls(asked, view)
        http.tell(items=len(items))
        tag = tagged(view, items, following)
        return http.not_modified(tag) or answer(tag, {"items": items, "next": following})

    @app.get("/v1/funnel")
    def funnel() -> Response:
        http.known_parameters("zone", "group_by", "after")
        zones = filters.values(request.args, "zone")
        group_by = request.args.get("group_by")
        if group_by is not None and group_by not in GROUPS:
            fault = FieldError("group_by", "not-allowed", {"allowed": ", ".join(GROUPS)})
            raise ProblemError("bad-query", errors=[fault])
        _wait(visibility, topic)
        view = viewer()
        body: dict[str, Any] = {"as_of": view.today.isoformat(), "zone": ",".join(zones) or None}
        whole = queries.funnel(zones, None)[0]
        body |= whole
        if group_by is not None:
            body |= {"group_by": group_by, "groups": queries.funnel(zones, group_by)}
        body["definitions"] = definitions(view.language)
        tag = tagged(view, body)
        return http.not_modified(tag) or answer(tag, body)

    @app.get("/v1/figures")
    def reported() -> Response:
        http.known_parameters("zone", "after")
        asked = figures.of(filters.values(request.args, "zone"))
        _wait(visibility, topic)
        view = viewer()
        owns = {zone: queries.owns(zone) for zone in asked.measured_zones()}
        items = [figure_item(row, owns.get(row.zone, {}), view.language) for row in asked.figures]
        items += [sum_item(row, owns.get(row.zone, {}), view.language) for row in asked.breakdowns]
        tag = tagged(view, items)
        return http.not_modified(tag) or answer(tag, {"items": items, "next": None})

    @app.get("/v1/forecast")
    def forecast() -> Response:
        http.known_parameters("zone", "after")
        zones = filters.values(request.args, "zone")
        _wait(visibility, topic)
        view = viewer()
        items = queries.outlooks(zones)
        http.tell(items=len(items))
        tag = tagged(view, items)
        return http.not_modified(tag) or answer(tag, {"items": items, "next": None, "least": MIN_ENDED})

    def looked_up(project_id: str) -> tuple[When, Viewer, Document, Beside]:
        """A project as asked for: live, or as it was; and what stands beside it."""
        when = filters.when(request.args, clock.now_text(), calendar())
        _wait(visibility, topic)
        view = when.viewer(clock.now_text(), http.language(), calendar())
        document = queries.project(project_id) if when.is_live else past.project(project_id, when)
        if document is None:
            raise _no_project(project_id)
        beside = (
            queries.beside([document]) if when.is_live else past.beside(document, queries.members(project_id), when)
        )
        return when, view, document, beside

    @app.get("/v1/projects/<project_id>")
    def project(project_id: str) -> Response:
        http.known_parameters("known_at", "as_of", "after")
        when, view, document, beside = looked_up(project_id)
        tag = tagged(view, document["events"], document["ruleset"], beside.tag(document))
        asked = {} if when.is_live else {"asked": when.answer()}
        return http.not_modified(tag) or answer(tag, view.project(document, beside) | asked)

    @app.get("/v1/projects/<project_id>/clock")
    def clocks(project_id: str) -> Response:
        http.known_parameters("known_at", "as_of", "after")
        when, view, document, beside = looked_up(project_id)
        # What like projects have taken until now is no measure of what could be expected in the past.
        curves = queries.curves(document) if when.is_live else {}
        seen = [(curve.n, curve.ended) for curve in curves.values()]
        tag = tagged(view, document["events"], document["ruleset"], beside.tag(document), seen)
        return http.not_modified(tag) or answer(tag, view.clocks(document, beside, curves))

    @app.get("/v1/projects/<project_id>/history")
    def history(project_id: str) -> Response:
        http.known_parameters("known_at", "after")
        when = filters.when(request.args, clock.now_text(), calendar())
        _wait(visibility, topic)
        now = clock.now_text()
        view = when.viewer(now, http.language(), calendar())
        found = past.history(project_id, when, now)
        if found is None:
            raise _no_project(project_id)
        body = view.history(project_id, found.spans, found.was_red, found.reporting)
        tag = tagged(view, body)
        return http.not_modified(tag) or answer(tag, body)

    @app.get("/v1/projects/<project_id>/timeline")
    def timeline(project_id: str) -> Response:
        http.known_parameters("known_at", "after")
        when = filters.when(request.args, clock.now_text(), calendar())
        _wait(visibility, topic)
        view = viewer()
        items = queries.timeline(project_id, when.known_at)
        if not items:
            raise _no_project(project_id)
        tag = tagged(view, len(items))
        return http.not_modified(tag) or answer(tag, {"items": items, "next": None})


def _wait(visibility: Visibility, topic: TopicInfo) -> None:
    """Wait until the position in `after` is visible; 400 when it is none of ours, 503 when the time is up."""
    text = request.args.get("after")
    if text is None:
        return
    try:
        offsets = position.decode(text, topic.tag)
    except (position.Malformed, position.Foreign) as exc:
        raise ProblemError("bad-position") from exc
    if max(offsets) >= topic.partitions:
        raise ProblemError("bad-position")
    if not visibility.wait(offsets):
        raise ProblemError("not-yet-visible", seconds=round(WAIT_S), headers={"Retry-After": "1"})


def _no_project(project_id: str) -> ProblemError:
    return ProblemError("not-found", what=project_id)
