"""The routes of land and buildings, of carriers, and of the projects that wait for either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Flask, Response, request
from pymongo.database import Database

from luodi.domain.carriers import definitions
from luodi.domain.subjects import RESOURCE
from luodi.runtime import http
from luodi.runtime.problems import ProblemError
from schemas.events import SUBJECTS
from services.tracker import carriers, filters, matches, resources
from services.tracker.carriers import Carriers
from services.tracker.matches import Matches
from services.tracker.pool_http import Held
from services.tracker.ports import Document
from services.tracker.registry import Registry
from services.tracker.resources import Resources


@dataclass(frozen=True, slots=True)
class Places:
    """What the routes ask."""

    registry: Registry
    resources: Resources
    carriers: Carriers
    matches: Matches

    @classmethod
    def of(cls, database: Database[Document]) -> Places:
        found, lettings = Resources(database), Carriers(database)
        return cls(Registry(database), found, lettings, Matches(database, found, lettings))


def add_routes(
    app: Flask, places: Places, await_position: Callable[[], None], today: Callable[[], date], held: Held
) -> None:
    """`today` is the business date now. With `after=<position>` nothing older is answered."""
    base = SUBJECTS[RESOURCE].resource

    @app.get(base)
    def list_resources() -> Response:
        http.known_parameters(*resources.PARAMETERS)
        question = resources.asked(request.args, today())
        await_position()
        items, following = places.resources.page(question)
        http.tell(items=len(items))
        return _answer(
            {"on": question.on, "items": items, "next": following, "summary": places.resources.summary(question)}
        )

    @app.get(f"{base}/<id_>")
    def show_resource(id_: str) -> Response:
        http.known_parameters("on", "after")
        on = (filters.day(request.args, "on") or today()).isoformat()
        await_position()
        document = places.registry.one(RESOURCE, id_)
        if document is None:
            raise ProblemError("not-found", what=id_)
        return _answer(resources.shown(document, on))

    @app.get(f"{base}/<id_>/timeline")
    def show_resource_timeline(id_: str) -> Response:
        http.known_parameters("after")
        await_position()
        items = places.registry.timeline(RESOURCE, id_, http.language())
        if not items:
            raise ProblemError("not-found", what=id_)
        return _answer({"items": items, "next": None})

    @app.get("/v1/carriers")
    def list_carriers() -> Response:
        http.known_parameters(*carriers.PARAMETERS)
        question = carriers.asked(request.args)
        await_position()
        question = replace(question, conditions=held(question.conditions))
        found = places.carriers.find(question)
        http.tell(items=len(found.items))
        body: dict[str, Any] = {"items": found.items, "next": found.following, "summary": found.summary}
        return _answer(body | {"definitions": definitions(http.language())})

    @app.get("/v1/matches")
    def list_matches() -> Response:
        http.known_parameters(*matches.PARAMETERS)
        question, on = matches.asked(request.args), today().isoformat()
        await_position()
        question = replace(question, conditions=held(question.conditions))
        items, following = places.matches.page(question, on, http.language())
        http.tell(items=len(items))
        return _answer({"on": on, "items": items, "next": following})


def _answer(body: Any) -> Response:
    return http.tagged(body)
