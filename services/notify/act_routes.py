"""The routes by which people act on a matter."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from marshmallow import ValidationError

from luodi.runtime import http
from luodi.runtime.problems import FieldError, ProblemError
from schemas.acts import ACTS
from schemas.invalid import flatten
from schemas.loading import REFUSE, Record, loader
from services.notify.acts import Acts
from services.notify.matters import Matter

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
NAMESPACE = uuid.UUID("0e0d0f8b-4f5c-5e0b-9d53-7d1d9c1d7f02")  # ours, for ever: another one would make retries doubles


def act_routes(app: Flask, acts: Acts, shown: Callable[[Matter], dict[str, Any]]) -> None:
    """Put the routes on the application; `shown` is a matter as callers see it."""

    @app.post("/v1/matters/<path:matter_id>/<any(sign,feedback,review,close):act>")
    def do(matter_id: str, act: str) -> Response:
        http.known_parameters()
        body = read_act(act)
        entry_id = body.pop("id", None) or chosen_id()
        actor = body.pop("actor")
        matter = acts.do(act, matter_id, entry_id, actor, body)
        return http.answer({"act": entry_id, "matter": shown(matter)}, headers={"Vary": "Accept-Language"})


def read_body(schema: type[Record]) -> dict[str, Any]:
    """A body without what is not told in it. Raises ProblemError."""
    try:
        body = loader(schema, REFUSE).load(http.read_json())
    except ValidationError as exc:
        raise ProblemError("invalid", errors=flatten(exc.messages)) from exc
    return {name: value for name, value in body.items() if value is not None}


def read_act(act: str) -> dict[str, Any]:
    """The body of an act without what is not told in it. Raises ProblemError."""
    said = read_body(ACTS[act][0])
    if said.get("accepted") is False and "reason" not in said:
        raise ProblemError("invalid", errors=[FieldError("/reason", "required")])
    return said


def chosen_id() -> str:
    """The id of an act that names none: from the `Idempotency-Key`, if any, so that a retry is the same act."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return uuid.uuid4().hex
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise ProblemError("bad-request", reason="Idempotency-Key: 1 to 255 visible ASCII characters")
    return uuid.uuid5(NAMESPACE, f"{http.caller()} {request.path} {key}").hex
