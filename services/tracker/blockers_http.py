"""The route of the blockers of all projects (问题清单)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask, Response, request

from luodi.runtime import http
from services.tracker.blockers import PARAMETERS, Blockers, asked, definitions
from services.tracker.pool_http import Held
from services.tracker.views import Viewer


def add_routes(
    app: Flask, blockers: Blockers, await_position: Callable[[], None], viewer: Callable[[], Viewer], held: Held
) -> None:
    """`viewer` looks as of now, in the caller's language; `held`: see there. With `after=<position>` nothing older is
    answered."""

    @app.get("/v1/blockers")
    def list_blockers() -> Response:
        http.known_parameters(*PARAMETERS)
        question = asked(request.args)
        await_position()
        question, view = replace(question, conditions=held(question.conditions)), viewer()
        found = blockers.find(question, view)
        http.tell(items=len(found.items))
        body: dict[str, Any] = {"as_of": view.today.isoformat(), "items": found.items, "next": found.following}
        body["summary"] = found.summary
        if question.group_by is not None:
            body |= {"group_by": question.group_by, "groups": found.groups}
        body["definitions"] = definitions(view.language)
        return http.tagged(body, view.today)
