"""The routes of silences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flask import Flask, Response, request
from marshmallow import ValidationError

from luodi.runtime import http
from luodi.runtime.problems import FieldError, ProblemError
from schemas.acts import SilenceBegun, SilenceEdited, SilenceEnded
from schemas.invalid import flatten
from schemas.loading import REFUSE, Record, loader
from services.notify.act_routes import chosen_id
from services.notify.paging import asked_limit, asked_place, paged
from services.notify.silences import Silence, Silences


class _Store(Protocol):
    def page(self, project_id: str | None, before: tuple[str, str] | None, limit: int) -> list[Silence]: ...


def silence_routes(app: Flask, silences: Silences, store: _Store, now: Callable[[], str]) -> None:
    """Put the routes on the application."""

    @app.get("/v1/silences")
    def silences_listed() -> Response:
        http.known_parameters("project_id", "limit", "cursor")
        limit, moment = asked_limit(), now()
        rows = store.page(request.args.get("project_id"), asked_place(), limit + 1)
        return paged(rows, limit, lambda s: silence_body(s, moment), lambda s: (s.begins_at, s.id))

    @app.post("/v1/silences")
    def begin_silence() -> Response:
        body, silence_id, actor = _read(SilenceBegun)
        if ("matter" in body) == ("project_id" in body):
            raise ProblemError("invalid", errors=[FieldError("/matter", "one-of-two")])
        return http.answer(silence_body(silences.begin(silence_id, actor, body), now()))

    @app.patch("/v1/silences/<silence_id>")
    def edit_silence(silence_id: str) -> Response:
        body, new_id, actor = _read(SilenceEdited)
        if not body:
            raise ProblemError("invalid", errors=[FieldError("", "nothing-amended")])
        return http.answer(silence_body(silences.edit(silence_id, new_id, actor, body), now()))

    @app.post("/v1/silences/<silence_id>/end")
    def end_silence(silence_id: str) -> Response:
        _, _, actor = _read(SilenceEnded)
        return http.answer(silence_body(silences.end(silence_id, actor), now()))


def silence_body(silence: Silence, now: str) -> dict[str, Any]:
    """A silence as callers see it."""
    return {
        "id": silence.id,
        "project_id": silence.project_id,
        "matter": silence.matter,
        "author": silence.author,
        "reason": silence.reason,
        "until": silence.until,
        "active": silence.begins_at <= now < silence.over_at,
        "begins_at": silence.begins_at,
        "over_at": silence.over_at,
        "replaces": silence.replaces,
        "ended_by": silence.ended_by,
    }


def _read(record: type[Record]) -> tuple[dict[str, Any], str, str]:
    """What is told in the body, the id of the act, and who does it. Raises ProblemError."""
    http.known_parameters()
    try:
        body = loader(record, REFUSE).load(http.read_json())
    except ValidationError as exc:
        raise ProblemError("invalid", errors=flatten(exc.messages)) from exc
    said = {name: value for name, value in body.items() if value is not None}
    return said, said.pop("id", None) or chosen_id(), said.pop("actor")
