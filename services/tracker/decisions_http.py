"""The routes of decisions (交办): a list with numbers, one of them, and its timeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask, Response, request

from luodi.runtime import http
from luodi.runtime.problems import ProblemError
from services.tracker.decisions import PARAMETERS, Decisions, asked, definitions
from services.tracker.pool_http import Held
from services.tracker.views import Viewer


def add_routes(
    app: Flask,
    decisions: Decisions,
    await_position: Callable[[], None],
    viewer: Callable[[], Viewer],
    held: Held,
) -> None:
    """`viewer` looks as of now, in the caller's language; `held`: see there. With `after=<position>` nothing older is
    answered."""

    @app.get("/v1/decisions")
    def decided() -> Response:
        http.known_parameters(*PARAMETERS)
        question = asked(request.args)
        await_position()
        question, view = replace(question, conditions=held(question.conditions)), viewer()
        found = decisions.find(question, view)
        http.tell(items=len(found.items))
        body: dict[str, Any] = {"as_of": view.today.isoformat(), "items": found.items, "next": found.following}
        body["summary"] = found.summary
        if question.group_by is not None:
            body |= {"group_by": question.group_by, "groups": found.groups}
        body["definitions"] = definitions(view.language)
        return _answer(body, view)

    @app.get("/v1/decisions/<id_>")
    def decision(id_: str) -> Response:
        http.known_parameters("after")
        await_position()
        view = viewer()
        body = decisions.one(id_, view)
        if body is None:
            raise ProblemError("not-found", what=id_)
        return _answer(body, view)

    @app.get("/v1/decisions/<id_>/timeline")
    def decision_timeline(id_: str) -> Response:
        http.known_parameters("after")
        await_position()
        view = viewer()
        items = decisions.timeline(id_, view.language)
        if not items:
            raise ProblemError("not-found", what=id_)
        return _answer({"items": items, "next": None}, view)


def _answer(body: Any, view: Viewer) -> Response:
    return http.tagged(body, view.today)
