"""The routes of procedures: a list across projects, and what each unit has to decide on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from luodi.domain.assess import ACTIVE, STATUSES, SUSPENDED
from luodi.domain.clocks import LIGHTS
from luodi.domain.procedures import OPEN, STATES
from luodi.runtime import http
from luodi.runtime.problems import FieldError, ProblemError
from services.tracker import filters
from services.tracker.procedures import GROUPS, Procedures, Wanted, definitions
from services.tracker.views import Viewer

PARAMETERS = ("state", "kind", "unit", "light", "lane", "zone", "project_id", "status", "due_before", "q")
"""What both questions are filtered by."""


def add_routes(
    app: Flask, procedures: Procedures, await_position: Callable[[], None], viewer: Callable[[], Viewer]
) -> None:
    """Both take `after=<position>` and then answer nothing older than that position. `viewer` looks as of now."""

    @app.get("/v1/procedures")
    def list_procedures() -> Response:
        http.known_parameters(*PARAMETERS, "limit", "cursor", "after")
        wanted, query = _wanted(OPEN), filters.listed(request.args, ("zone",))
        await_position()
        view = viewer()
        items, following = procedures.page(wanted, query, view)
        http.tell(items=len(items))
        return _answer(view, {"items": items, "next": following})

    @app.get("/v1/procedures/summary")
    def summarize_procedures() -> Response:
        http.known_parameters(*PARAMETERS, "group_by", "after")
        wanted, query = _wanted(STATES), filters.listed(request.args, ("zone",))
        group_by = request.args.get("group_by", GROUPS[0])
        if group_by not in GROUPS:
            fault = FieldError("group_by", "not-allowed", {"allowed": ", ".join(GROUPS)})
            raise ProblemError("bad-query", errors=[fault])
        await_position()
        view = viewer()
        items = procedures.summary(wanted, query, view, group_by)
        body = {"as_of": view.today.isoformat(), "group_by": group_by, "items": items, "next": None}
        return _answer(view, body | {"definitions": definitions(view.language)})


def _wanted(states: tuple[str, ...]) -> Wanted:
    """What is asked for; of these states where none is named."""
    args = request.args
    due_before = filters.day(args, "due_before")
    return Wanted(
        states=filters.chosen(args, "state", STATES) or states,
        statuses=filters.chosen(args, "status", STATUSES) or (ACTIVE, SUSPENDED),
        kinds=filters.values(args, "kind"),
        units=filters.values(args, "unit"),
        lights=filters.chosen(args, "light", LIGHTS),
        lanes=filters.values(args, "lane"),
        projects=filters.values(args, "project_id"),
        due_before=None if due_before is None else due_before.isoformat(),
    )


def _answer(view: Viewer, body: Any) -> Response:
    return http.tagged(body, view.today)
