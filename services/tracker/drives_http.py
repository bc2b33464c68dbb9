"""The route of the five drives (五个抓)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request

from luodi.domain.drives import definitions
from luodi.runtime import http
from services.tracker import filters
from services.tracker.drives import Drives
from services.tracker.views import Viewer


def add_routes(app: Flask, drives: Drives, await_position: Callable[[], None], viewer: Callable[[], Viewer]) -> None:
    """`viewer` looks as of now, in the caller's language. With `after=<position>` nothing older is answered."""

    @app.get("/v1/drives")
    def five_drives() -> Response:
        http.known_parameters("zone", "after")
        zones = filters.values(request.args, "zone")
        await_position()
        view = viewer()
        body = {
            "as_of": view.today.isoformat(),
            "zone": ",".join(zones) or None,
            "drives": drives.answer(zones, view, fresh="after" in request.args),
            "definitions": definitions(view.language),
        }
        return http.tagged(body)
