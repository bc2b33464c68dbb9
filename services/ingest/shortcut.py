"""Ordinary milestones, answered in front of Flask.

Most of what ingest is asked is to take milestones, one or an array, that can all be accepted; and most of the time of
such a post is Flask's own dispatch. This WSGI callable answers just that post. Everything else, and every outcome but
*all accepted*, goes on to the application, with the body put back and with the outcome where there is one: nothing is
posted twice, and every problem is told in one place. A test holds both ways' answers against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import orjson
from flask import Flask

from luodi.domain import events as domain
from luodi.runtime import http, trace
from luodi.runtime.clock import Clock
from luodi.runtime.metrics import Metrics
from luodi.runtime.problems import Language, ProblemError
from luodi.runtime.rates import RateLimit
from luodi.runtime.settings import Settings
from schemas.events import ENDPOINTS
from services.ingest.drafts import body_reader
from services.ingest.http import MAX_ITEMS, POSTED, facts_of, receipt_of, receipts_of
from services.ingest.limits import Gate
from services.ingest.posting import Asked, Posting

MAX_BYTES = 1024 * 1024  # of a body; more goes the longer way

ZH: Language = "zh-CN"  # of receipts, in which no word stands

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Shortcut:
    """The WSGI application of a worker: `app`, and before it the short way for ordinary milestones."""

    def __init__(
        self,
        app: Flask,
        posting: Posting,
        rate: RateLimit,
        gate: Gate,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        (taking,) = (endpoint for endpoint in ENDPOINTS if endpoint.row.type == domain.MILESTONE_REPORTED)
        self._app = app
        self._posting = posting
        self._rate = rate
        self._gate = gate
        self._clock = clock
        self._path = taking.path
        self._read = body_reader(taking, {})
        self._door = http.Door(settings)
        self._answered = metrics.requests.labels(taking.path, "202")
        self._seconds = metrics.request_seconds.labels(taking.path)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        if not self._is_ordinary(environ):
            return self._app(environ, start_response)
        began = self._clock.monotonic()
        environ["HTTP_TRACEPARENT"] = traceparent = trace.accept(environ.get("HTTP_TRACEPARENT"))
        raw = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(raw)
        try:
            content = http.parse_json(raw)
        except ProblemError:
            return self._app(environ, start_response)
        items = content if isinstance(content, list) else [content]
        caller = self._door.caller
        if not 0 < len(items) <= MAX_ITEMS or self._rate.take(f"{caller} {environ.get('REMOTE_ADDR')}", len(items)) > 0:
            return self._app(environ, start_response)
        with self._gate.enter() as entered:
            if not entered:
                return self._app(environ, start_response)
            posted = self._posting.post(items, self._read, Asked(caller, self._path, None, traceparent))
        if posted.accepted < len(items):
            environ[POSTED] = posted
            return self._app(environ, start_response)
        body = orjson.dumps(receipts_of(posted, ZH) if items is content else receipt_of(posted))
        seconds = self._clock.monotonic() - began
        self._answered.inc()
        self._seconds.observe(seconds)
        http.log_answered("POST", self._path, 202, seconds, traceparent, facts_of(posted))
        head = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("traceparent", traceparent),
        ]
        start_response("202 ACCEPTED", head)
        return (body,)

    def _is_ordinary(self, environ: Environ) -> bool:
        length = environ.get("CONTENT_LENGTH", "")
        return (
            environ["PATH_INFO"] == self._path
            and environ["REQUEST_METHOD"] == "POST"
            and environ.get("CONTENT_TYPE") == "application/json"
            and "HTTP_IDEMPOTENCY_KEY" not in environ
            and length.isascii()
            and length.isdigit()
            and 0 < int(length) <= MAX_BYTES
            and self._door.opens(environ.get("HTTP_AUTHORIZATION", ""))
        )
