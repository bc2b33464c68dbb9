"""The route of the pool before signing (储备项目)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from flask import Flask, Response, request

from luodi.domain.pool import definitions
from luodi.runtime import http
from services.tracker.filters import Condition
from services.tracker.pool import PARAMETERS, Pool, asked

Held = Callable[[Sequence[Condition]], list[Condition]]
"""Conditions -> those on who is responsible asking for whatever comes down to them today."""


def add_routes(app: Flask, pool: Pool, await_position: Callable[[], None], held: Held) -> None:
    """With `after=<position>` nothing older is answered."""

    @app.get("/v1/pool")
    def list_pool() -> Response:
        http.known_parameters(*PARAMETERS)
        question = asked(request.args)
        await_position()
        question = replace(question, conditions=held(question.conditions))
        items, following = pool.page(question)
        http.tell(items=len(items))
        body: dict[str, Any] = {"items": items, "next": following, "summary": pool.summary(question)}
        body["definitions"] = definitions(http.language())
        return http.tagged(body)
