"""The tracker's routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from flask import Flask, Response, request

from luodi.domain.calendar import Calendar
from luodi.domain.clocks import RED
from luodi.domain.forecast import MIN_ENDED
from luodi.domain.subjects import is_project
from luodi.runtime import http
from luodi.runtime.clock import Clock
from luodi.runtime.kafka import TopicInfo
from luodi.runtime.problems import FieldError, ProblemError
from schemas import position
from services.tracker import filters
from services.tracker.past import Past, When
from services.tracker.ports import Document
from services.tracker.queries import GROUPS, Queries, definitions, paged, showing
from services.tracker.recall import Recall
from services.tracker.relations import Beside
from services.tracker.taskforce import TaskForces, narrowed
from services.tracker.views import Viewer
from services.tracker.visibility import WAIT_S, Visibility


def add_routes(
    app: Flask,
    queries: Queries,
    forces: TaskForces,
    past: Past,
    recall: Recall,
    visibility: Visibility,
    topic: TopicInfo,
    clock: Clock,
    calendar: Callable[[], Calendar],
) -> None:
    """All queries. Each takes `after=<position>` and then answers nothing older than that position.

    `calendar` gives the one in force now.
    """

    holders = forces.holders

    def viewer() -> Viewer:
        return Viewer.at(clock.now_text(), http.language(), calendar())

    def query() -> filters.Query:
        return filters.read(request.args, lambda day: calendar().midnight(date.fromisoformat(day)))

    def wanted(view: Viewer) -> filters.Wanted:
        asked = filters.wanted(request.args, lambda day: calendar().midnight(date.fromisoformat(day)))
        return holders.wanted(asked, view.today.isoformat())

    def held(asked: filters.Query, view: Viewer) -> filters.Query:
        """Who holds what projects name, and what a task force follows, is found out when somebody asks, and after what
        was asked for is visible."""
        today = view.today.isoformat()
        conditions = forces.followed_by_any(asked.teams, today)
        if asked.stale is not None:
            conditions.append(filters.not_updated(view.now, stale=asked.stale))
        return narrowed(holders.asked(asked, today), conditions)

    def check_live(asked: filters.Query, when: When) -> None:
        """Some things are told of the present alone."""
        faults = [("stale", asked.stale is not None), ("team", bool(asked.teams))]
        if not when.is_live and any(given for _, given in faults):
            errors = [FieldError(name, "live-only", {}) for name, given in faults if given]
            raise ProblemError("bad-query", errors=errors)

    def when_asked() -> When:
        return filters.when(request.args, clock.now_text(), calendar())

    def settled(when: When, asked: filters.Query | None) -> tuple[When, Viewer]:
        """The moment of knowledge that answers a list of the past, and the eyes to look with."""
        when = recall.settled(when, asked, clock.now_text(), fresh="after" in request.args)
        return when, when.viewer(clock.now_text(), http.language(), calendar())

    def tagged(view: Viewer, *parts: object) -> str:
        # Lights turn at midnight without an event, and texts say how many days are left.
        return http.etag(request.full_path, view.today, view.language, *parts)

    def answer(tag: str, body: Any) -> Response:
        return http.answer(body, headers={"ETag": tag, "Content-Language": http.language(), **http.VARY})

    @app.get("/v1/projects")
    def projects() -> Response:
        http.known_parameters(*filters.PARAMETERS)
        when, asked = when_asked(), query()
        check_live(asked, when)
        await_position(visibility, topic)
        if when.is_live:
            view = viewer()
            page, following = queries.projects(held(asked, view), view.now)
            beside = queries.beside(page)
        else:
            when, view = settled(when, asked)
            found = recall.find(asked, wanted(view), asked.lights, when, asked.limit, phased=True)
            page = recall.documents(found.ids, when)
            beside = recall.beside(page, when)
            following = asked.cursor((when.known_at, found.ids[-1])) if found.more else None
        beside = holders.beside(page, beside, view.today.isoformat())
        tag = tagged(view, [(d["_id"], d["events"], d["ruleset"], beside.tag(d)) for d in page], following)
        http.tell(items=len(page))
        items = [view.project(document, beside) for document in page]
        return http.not_modified(tag) or answer(tag, {"items": items, "next": following, **when.asked})

    @app.get("/v1/stalled")
    def stalled() -> Response:
        http.known_parameters(*filters.PARAMETERS)
        when, asked = when_asked(), query()
        check_live(asked, when)
        await_position(visibility, topic)
        if when.is_live:
            view = viewer()
            items, following = queries.stalls(held(asked, view), view)
        else:
            when, view = settled(when, asked)
            found = recall.find(asked, wanted(view), showing(asked), when, asked.limit + 1, phased=False)
            documents = recall.documents(found.ids, when)
            shown = partial(view.stalls, lights=asked.lights or (RED,))
            items, following = paged(asked, documents, shown, lambda document: (when.known_at, document["_id"]))
        items = holders.told(items, view.today.isoformat())
        http.tell(items=len(items))
        tag = tagged(view, items, following)
        return http.not_modified(tag) or answer(tag, {"items": items, "next": following, **when.asked})

    @app.get("/v1/verifications")
    def verifications() -> Response:
        http.known_parameters(*filters.VERIFICATION_PARAMETERS)
        asked = query()
        await_position(visibility, topic)
        view = viewer()
        items, following = queries.verifications(held(asked, view), view)
        items = holders.told(items, view.today.isoformat())
        http.tell(items=len(items))
        tag = tagged(view, items, following)
        return http.not_modified(tag) or answer(tag, {"items": items, "next": following})

    @app.get("/v1/funnel")
    def funnel() -> Response:
        http.known_parameters("zone", "group_by", "known_at", "as_of", "after")
        when = when_asked()
        zones = filters.values(request.args, "zone")
        group_by = request.args.get("group_by")
        if group_by is not None and group_by not in GROUPS:
            fault = FieldError("group_by", "not-allowed", {"allowed": ", ".join(GROUPS)})
            raise ProblemError("bad-query", errors=[fault])
        await_position(visibility, topic)
        count: Callable[[str | None], list[dict[str, Any]]]
        if when.is_live:
            view, count = viewer(), partial(queries.funnel, zones)
        else:
            when, view = settled(when, None)
            count = recall.funnels(zones, when)
        body: dict[str, Any] = {"as_of": view.today.isoformat(), "zone": ",".join(zones) or None, **when.asked}
        body |= count(None)[0]
        if group_by is not None:
            body |= {"group_by": group_by, "groups": count(group_by)}
        body["definitions"] = definitions(view.language)
        tag = tagged(view, body)
        return http.not_modified(tag) or answer(tag, body)

    @app.get("/v1/forecast")
    def forecast() -> Response:
        http.known_parameters("zone", "after")
        zones = filters.values(request.args, "zone")
        await_position(visibility, topic)
        view = viewer()
        items = queries.outlooks(zones)
        http.tell(items=len(items))
        tag = tagged(view, items)
        return http.not_modified(tag) or answer(tag, {"items": items, "next": None, "least": MIN_ENDED})

    def looked_up(project_id: str) -> tuple[When, Viewer, Document, Beside]:
        """A project as asked for: live, or as it was; and what stands beside it."""
        _check_project(project_id)
        when = when_asked()
        offsets = _asked(topic)
        rollups = None
        if when.is_live and not visibility.reached(offsets):
            # They follow the projects at their own pace: the time of waiting is as good for a look at them.
            rollups = queries.rollups([project_id])
        _await(visibility, offsets, project_id if when.is_live else None)
        view = when.viewer(clock.now_text(), http.language(), calendar())
        if when.is_live:
            shown = visibility.shown(project_id, offsets) if offsets else None
            document = shown or visibility.newer(project_id, queries.project(project_id))
        else:
            document = past.project(project_id, when)
        if document is None:
            raise _no_project(project_id)
        if when.is_live:
            beside = queries.beside([document], rollups)
        else:
            beside = past.beside(document, queries.members(project_id), when)
        return when, view, document, holders.beside([document], beside, view.today.isoformat())

    @app.get("/v1/projects/<project_id>")
    def project(project_id: str) -> Response:
        http.known_parameters("known_at", "as_of", "after")
        when, view, document, beside = looked_up(project_id)
        tag = tagged(view, document["events"], document["ruleset"], beside.tag(document))
        return http.not_modified(tag) or answer(tag, view.project(document, beside) | when.asked)

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
        _check_project(project_id)
        when = when_asked()
        await_position(visibility, topic)
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
        _check_project(project_id)
        when = when_asked()
        await_position(visibility, topic)
        view = viewer()
        items = queries.timeline(project_id, view.language, when.known_at)
        if not items:
            raise _no_project(project_id)
        tag = tagged(view, len(items))
        return http.not_modified(tag) or answer(tag, {"items": items, "next": None})


def await_position(visibility: Visibility, topic: TopicInfo) -> None:
    """Wait until the position in `after` is visible; 400 when it is none of ours, 503 when the time is up."""
    _await(visibility, _asked(topic))


def _asked(topic: TopicInfo) -> Mapping[int, int]:
    """What the position in `after` covers; nothing without one. 400 when it is none of ours."""
    text = request.args.get("after")
    if text is None:
        return {}
    try:
        offsets = position.decode(text, topic.tag)
    except (position.Malformed, position.Foreign) as exc:
        raise ProblemError("bad-position") from exc
    if max(offsets) >= topic.partitions:
        raise ProblemError("bad-position")
    return offsets


def _await(visibility: Visibility, offsets: Mapping[int, int], subject: str | None = None) -> None:
    """Wait until these are visible, or all of one subject that they cover; 503 when the time is up."""
    if not visibility.wait(offsets, subject=subject):
        raise ProblemError("not-yet-visible", seconds=round(WAIT_S), headers={"Retry-After": "1"})


def _check_project(project_id: str) -> None:
    """The journal knows other kinds of subjects, too; none of them is a project."""
    if not is_project(project_id):
        raise _no_project(project_id)


def _no_project(project_id: str) -> ProblemError:
    return ProblemError("not-found", what=project_id)
