"""HTTP as every service speaks it: strict bodies in, problem+json out, the caller's language, one line of log each."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from importlib import resources
from logging import ERROR
from typing import Any

import orjson
from cheroot import wsgi
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from luodi.runtime import links, logging, problems, trace
from luodi.runtime.clock import Clock
from luodi.runtime.errors import TransientError
from luodi.runtime.links import BadTokenError, Link
from luodi.runtime.metrics import Metrics
from luodi.runtime.probes import Probes
from luodi.runtime.problems import FieldError, Language, ProblemError
from luodi.runtime.settings import Address, Settings

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_DRAIN_BYTES = 64 * 1024 * 1024  # read and thrown away, so that the caller reads its 413, not a broken pipe
MAX_DEPTH = 32
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
OPEN_PATHS = frozenset({"/live", "/ready", "/metrics", "/v1/openapi.json", "/v1/docs"})
LINK_ROUTES = "/v1/link/"  # routes below it ask for the token of a link (`shown_link`), never for the key

log = logging.get("http")


def create_app(service: str, settings: Settings, clock: Clock, metrics: Metrics, probes: Probes) -> Flask:
    """A Flask application with all that is the same in each service: probes, metrics, contract, key, errors, log."""
    app = Flask(service, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    _guard(app, settings, clock, metrics)
    _answer_problems(app)

    @app.get("/live")
    def live() -> Response:
        return answer({"live": True})

    @app.get("/ready")
    def ready() -> Response:
        missing = probes.missing()
        if missing:
            raise ProblemError("not-ready", members={"ready": False, "missing": missing}, headers={"Retry-After": "1"})
        return answer({"ready": True})

    @app.get("/metrics")
    def show_metrics() -> Response:
        return Response(metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8")

    contract = resources.files("schemas").joinpath("generated", f"openapi-{service}.json")

    @app.get("/v1/openapi.json")
    def openapi() -> Response:
        return Response(contract.read_bytes(), content_type="application/json")

    @app.get("/v1/docs")
    def docs() -> Response:
        page = resources.files("luodi.runtime").joinpath("contract.html").read_bytes()
        return Response(page, content_type="text/html; charset=utf-8")

    return app


VARY = {"Vary": "Accept-Language", "Cache-Control": "no-cache"}
"""Of an answer that is in the caller's language and is asked for anew each time, by its tag."""


def answer(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None, content_type: str = "application/json"
) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status=status, headers=dict(headers or {}), content_type=content_type)


def language() -> Language:
    """The caller's language: Chinese unless `Accept-Language` prefers English."""
    header = request.headers.get("Accept-Language")
    if not header:
        return "zh-CN"
    best = request.accept_languages.best_match(["zh-CN", "zh", "en", "en-US", "en-GB"], default="zh-CN")
    return "en" if best.startswith("en") else "zh-CN"


def require_json(*extra: str) -> None:
    """Refuse a body that does not call itself JSON (415). `extra` names further accepted content types."""
    accepted = ("application/json", *extra)
    if request.mimetype not in accepted:
        raise ProblemError("unsupported-media-type", expected=" / ".join(accepted))


def read_body(limit: int = MAX_BODY_BYTES) -> bytes:
    """The body, at most `limit` bytes; a larger one is drained and answered with 413."""
    length = request.content_length
    if length is None or length <= limit:
        raw = request.stream.read(limit + 1)
        if len(raw) <= limit:
            return raw
    drained = 0
    while drained < MAX_DRAIN_BYTES:
        chunk = request.stream.read(1024 * 1024)
        if not chunk:
            break
        drained += len(chunk)
    raise ProblemError("too-large", limit=limit)


def read_json(*extra_types: str) -> Any:
    """The body as JSON, strictly; raises a problem 400, 413 or 415.

    Refused: duplicate keys, NaN and infinities, lone surrogates, more than `MAX_DEPTH` levels, an empty body.
    """
    require_json(*extra_types)
    return parse_json(read_body())


def parse_json(raw: bytes) -> Any:
    """`raw` as strict JSON; raises the problem `bad-json`."""
    try:
        value = orjson.loads(raw)  # refuses NaN, lone surrogates and invalid UTF-8
    except orjson.JSONDecodeError as exc:
        raise ProblemError("bad-json", reason=str(exc)) from exc
    keys = _count_keys(value, 1)
    # Each key brings one colon, so as many colons as keys means that no key was dropped as a duplicate. A colon inside
    # a string only makes the count higher: then the slower look decides.
    if raw.count(b":") != keys:
        json.loads(raw, object_pairs_hook=_refuse_duplicates)
    return value


def _count_keys(value: Any, depth: int) -> int:
    """The keys of all objects in it. Types are asked exactly and in one loop: it is done for every body."""
    if depth > MAX_DEPTH:
        raise ProblemError("bad-json", reason=f"more than {MAX_DEPTH} levels")
    members: Iterable[Any]
    if type(value) is dict:
        count, members = len(value), value.values()
    elif type(value) is list:
        count, members = 0, value
    else:
        return 0
    for member in members:
        kind = type(member)
        if kind is dict or kind is list:
            count += _count_keys(member, depth + 1)
    return count


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ProblemError("bad-json", reason=f"duplicate key {twice!r}")
    return found


def etag(*parts: object) -> str:
    """A strong entity tag over everything that the answer depends on."""
    return f'"{hashlib.blake2s(repr(parts).encode(), digest_size=12).hexdigest()}"'


def not_modified(tag: str) -> Response | None:
    """The 304 for a caller who already holds `tag`, else None."""
    if request.if_none_match.contains(tag.strip('"')):
        return Response(status=304, headers={"ETag": tag})
    return None


def tagged(body: Any, *parts: object) -> Response:
    """A JSON answer in the caller's language, or 304 for a caller who already holds it.

    `parts`: what the answer depends on besides the address, the language and itself, such as the business date: lights
    turn at midnight without an event, and texts say how many days are left.
    """
    spoken = language()
    tag = etag(request.full_path, spoken, *parts, body)
    return not_modified(tag) or answer(body, headers={"ETag": tag, "Content-Language": spoken, **VARY})


def caller() -> str:
    """Who is asking: `key` when the key was shown, else `anonymous` (an open local stack)."""
    return str(g.get("caller", "anonymous"))


def shown_link(secret: str, today: date) -> Link:
    """The link whose token the caller shows. Raises the problem `bad-link` without saying what is wrong with it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        return links.read(secret, token if scheme.lower() == "bearer" else "", today)
    except BadTokenError as exc:
        raise bad_link() from exc


def bad_link() -> ProblemError:
    """The one answer to every token that is not good, whatever the reason."""
    return ProblemError("bad-link", headers={"WWW-Authenticate": 'Bearer realm="luodi link"'})


def known_parameters(*allowed: str) -> None:
    """Refuse a query parameter that does not exist: a misspelt filter must not silently answer everything."""
    unknown = sorted(set(request.args) - set(allowed))
    if unknown:
        shown = ", ".join(sorted(allowed))
        raise ProblemError(
            "bad-query", errors=[FieldError(name, "unknown-parameter", {"allowed": shown}) for name in unknown]
        )


class Door:
    """Who may come in. Without a key in the settings everybody may, unnamed."""

    def __init__(self, settings: Settings) -> None:
        self._expected = f"Bearer {settings.api_key}".encode() if settings.api_key else None
        self.caller = "anonymous" if self._expected is None else "key"

    def opens(self, authorization: str) -> bool:
        """Whether this `Authorization` header lets in."""
        return self._expected is None or hmac.compare_digest(authorization.encode(), self._expected)


def log_answered(
    method: str, path: str, status: int, seconds: float, traceparent: str, facts: Mapping[str, object]
) -> None:
    """Write the one log line of a request."""
    ms = round(seconds * 1000, 1)
    log.info("http.answered", method=method, path=path, status=status, ms=ms, traceparent=traceparent, **facts)


def _guard(app: Flask, settings: Settings, clock: Clock, metrics: Metrics) -> None:
    door = Door(settings)

    @app.before_request
    def begin() -> None:
        g.began = clock.monotonic()
        g.traceparent = trace.accept(request.headers.get("traceparent"))
        # By the route, not by the path: what matches none of them is nobody's business without the key.
        by_link = request.url_rule is not None and request.url_rule.rule.startswith(LINK_ROUTES)
        if request.path not in OPEN_PATHS and not by_link:
            if not door.opens(request.headers.get("Authorization", "")):
                raise ProblemError("unauthorized", headers={"WWW-Authenticate": 'Bearer realm="luodi"'})
            g.caller = door.caller

    @app.after_request
    def end(response: Response) -> Response:
        seconds = clock.monotonic() - g.began
        route = request.url_rule.rule if request.url_rule else "unknown"
        metrics.requests.labels(route, str(response.status_code)).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        response.headers["traceparent"] = g.traceparent
        if route not in OPEN_PATHS:
            facts = g.get("facts", {})
            log_answered(request.method, request.path, response.status_code, seconds, g.traceparent, facts)
        return response


def tell(**facts: object) -> None:
    """Add facts to the request's log line."""
    g.setdefault("facts", {}).update(facts)


def problem_response(problem: ProblemError) -> Response:
    """The problem as an answer in the caller's language."""
    content = problems.body(problem, language(), request.path)
    headers = {"Content-Language": language(), "Vary": "Accept-Language", **problem.headers}
    return answer(content, problem.status, headers, "application/problem+json")


def _answer_problems(app: Flask) -> None:
    @app.errorhandler(ProblemError)
    def problem(exc: ProblemError) -> Response:
        return problem_response(exc)

    @app.errorhandler(TransientError)
    def transient(exc: TransientError) -> Response:
        tell(error=str(exc))
        what = str(exc.args[0]) if exc.args else "service"
        return problem_response(ProblemError("unavailable", what=what, headers={"Retry-After": "2"}))

    @app.errorhandler(HTTPException)
    def http(exc: HTTPException) -> Response:
        if isinstance(exc, NotFound):
            return problem_response(ProblemError("not-found", what=request.path))
        if isinstance(exc, MethodNotAllowed):
            allowed = ", ".join(sorted(exc.valid_methods or ()))
            return problem_response(ProblemError("method-not-allowed", allowed=allowed, headers={"Allow": allowed}))
        return problem_response(ProblemError("bad-request", reason=exc.description or exc.name))

    @app.errorhandler(Exception)
    def unforeseen(exc: Exception) -> Response:
        log.error("http.failed", path=request.path, traceparent=g.traceparent, exc_info=exc)
        return problem_response(ProblemError("internal", trace_id=trace.trace_id(g.traceparent)))


class Server:
    """A threaded HTTP server inside this process, for services whose state lives in memory beside their routes."""

    def __init__(self, app: Callable[..., Any], address: Address, threads: int) -> None:
        self.address = address
        self._server = wsgi.Server((address.host, address.port), app, numthreads=threads, server_name="luodi")
        self._server.shutdown_timeout = 5
        self._server.error_log = _log_server_error  # type: ignore[method-assign]  # cheroot's own hook for a logger
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Bind and serve in the background. Raises OSError when the address is taken."""
        self._server.prepare()
        host, port = self._server.bind_addr[:2]
        self.address = Address(str(host), int(port))
        self._thread = threading.Thread(target=self._server.serve, name="http", daemon=True)
        self._thread.start()

    def stop(self, bound_s: float) -> None:
        """Stop accepting, finish what runs, within about `bound_s` seconds."""
        if self._thread is None:
            return
        self._server.shutdown_timeout = bound_s
        self._server.stop()
        self._thread.join(bound_s)
        self._thread = None


def _log_server_error(msg: str = "", level: int = 20, traceback: bool = False) -> None:
    if level >= ERROR or traceback:
        log.error("http.failed", error=msg, exc_info=traceback)


def wait_until(condition: Callable[[], bool], timeout_s: float, step_s: float = 0.02) -> bool:
    """Poll `condition` until it holds or the time is up; says whether it held."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_s)
    return True
