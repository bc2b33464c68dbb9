"""The routes of the registered kinds of subjects: a list of each, one of them, of people on a day, its timeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from flask import Flask, Response, request

from luodi.domain.people import NAMED
from luodi.domain.subjects import ENTERPRISE, PERSON, POST, TEAM, UNIT, ZONE
from luodi.runtime import http
from luodi.runtime.problems import ProblemError
from schemas.events import SUBJECTS
from services.tracker import filters
from services.tracker.registry import Registry, shown


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind: by which of its fields its list is filtered; `brief`: the list leaves out the chapters; `apart`: one of
    it is answered by a route of its own."""

    kind: str
    filters: tuple[str, ...]
    brief: bool = False
    apart: bool = False


SHELVES: Sequence[Shelf] = (
    Shelf(UNIT, ("zone", "kind", "parent", "head", "group_head")),
    Shelf(PERSON, ("zone", "unit", "role")),
    Shelf(POST, ("zone", "unit")),
    Shelf(ENTERPRISE, ("zone", "industry", "chain", "park", "scale", "officer"), brief=True, apart=True),
    Shelf(ZONE, ("level",), brief=True),
    Shelf(TEAM, ("zone", "chain", "head", "members")),
)


def add_routes(app: Flask, registry: Registry, await_position: Callable[[], None], today: Callable[[], date]) -> None:
    """All routes of all kinds. Each takes `after=<position>` and then answers nothing older than that position.

    `today` is the business date now.
    """
    for shelf in SHELVES:
        kind = SUBJECTS[shelf.kind]
        rule = f"{kind.resource}/<id_>"
        for path, name, view in (
            (kind.resource, "list", _list),
            (rule, "one", partial(_one, today)),
            (f"{rule}/timeline", "timeline", _timeline),
        ):
            endpoint = f"{shelf.kind}.{name}"
            if shelf.apart and name == "one":
                continue
            app.add_url_rule(path, endpoint, partial(view, registry, shelf, await_position))


def _list(registry: Registry, shelf: Shelf, await_position: Callable[[], None]) -> Response:
    http.known_parameters(*shelf.filters, "q", "limit", "cursor", "after")
    query = filters.listed(request.args, shelf.filters)
    await_position()
    listed = registry.page(shelf.kind, query)
    http.tell(items=len(listed.documents))
    items = [shown(shelf.kind, document, brief=shelf.brief) for document in listed.documents]
    return _answer({"items": items, "next": listed.following})


def _one(
    today: Callable[[], date], registry: Registry, shelf: Shelf, await_position: Callable[[], None], id_: str
) -> Response:
    of_people = shelf.kind in NAMED  # only who stands for a person changes with the day
    http.known_parameters(*(("on",) if of_people else ()), "after")
    on = filters.day(request.args, "on") or today()
    await_position()
    document = registry.one(shelf.kind, id_)
    if document is None:
        raise ProblemError("not-found", what=id_)
    on_day = registry.on_day(shelf.kind, document, on.isoformat()) if of_people else {}
    return _answer(shown(shelf.kind, document) | on_day)


def _timeline(registry: Registry, shelf: Shelf, await_position: Callable[[], None], id_: str) -> Response:
    http.known_parameters("after")
    await_position()
    items = registry.timeline(shelf.kind, id_, http.language())
    if not items:
        raise ProblemError("not-found", what=id_)
    return _answer({"items": items, "next": None})


def _answer(body: Any) -> Response:
    return http.tagged(body)
