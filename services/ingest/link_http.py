"""The one route that an enterprise itself posts to, with the token of its link instead of the key.

Whom the request is about stands in the token alone: nothing in the address or the body can name another enterprise.
Whether the token's generation still counts is not known here; a request that came through a revoked link is accepted
as durable and has no effect once it is folded (see `luodi.domain.enterprises`).
"""

from __future__ import annotations

from datetime import date, tzinfo
from functools import partial

from flask import Flask, Response, g, request
from marshmallow import ValidationError

from luodi.domain.enterprises import REQUEST_RAISED
from luodi.domain.subjects import ENTERPRISE, subject_of
from luodi.runtime import http
from luodi.runtime.clock import Clock
from luodi.runtime.links import Link
from luodi.runtime.problems import ProblemError
from luodi.runtime.rates import RateLimit
from schemas import position
from schemas.catalog.enterprises import LinkRequest
from schemas.events import EVENT_TYPES, load_http
from schemas.invalid import Invalid, flatten
from schemas.loading import REFUSE, loader
from services.ingest.drafts import Draft
from services.ingest.http import RETRY_AFTER_S, idempotency_key
from services.ingest.limits import Gate
from services.ingest.posting import Accepted, Asked, Posting, Refused

MAX_BODY_BYTES = 32 * 1024  # the longest text there may be, however it is escaped, and little more
ACTOR = "link"  # who reports, where an enterprise does so itself: no person is named
PATH = "/v1/link/requests"


def add_routes(
    app: Flask, posting: Posting, gate: Gate, rate: RateLimit, secret: str, clock: Clock, timezone: tzinfo
) -> None:
    """Add the route. `rate` is by holder of links; `timezone` is that of business dates."""

    @app.post(PATH)
    def request_through_link() -> Response:
        # Tokens live by the real time: a shifted business clock neither revives nor ends one.
        link = http.shown_link(secret, clock.wall().astimezone(timezone).date())
        http.tell(enterprise_id=link.enterprise)
        http.require_json()
        body = http.parse_json(http.read_body(MAX_BODY_BYTES))
        key = idempotency_key()
        wait_s = rate.take(link.holder, 1)
        if wait_s > 0:
            seconds = str(int(wait_s) + 1)
            raise ProblemError("too-many-requests", seconds=seconds, headers={"Retry-After": seconds})
        asked = Asked(f"{ACTOR} {link.enterprise}", request.path, key, g.traceparent)
        with gate.enter() as entered:
            if not entered:
                raise ProblemError("overloaded", headers={"Retry-After": RETRY_AFTER_S})
            posted = posting.post([body], partial(draft, link), asked)
        (outcome,) = posted.outcomes
        if isinstance(outcome, Accepted):
            receipt = {"id": outcome.event.id, "position": position.encode(posted.tag, posted.offsets)}
            return http.answer(receipt, 202)
        if isinstance(outcome, Refused):
            raise ProblemError(outcome.code, errors=outcome.errors, id=outcome.id, subject=link.enterprise)
        members = {"id": outcome.event.id}
        raise ProblemError(outcome.code, members=members, headers={"Retry-After": RETRY_AFTER_S}, what="Kafka")


def draft(link: Link, item: object, today: date) -> Draft:
    """The request in a body, about the enterprise of the link. Raises Invalid."""
    try:
        told = loader(LinkRequest, REFUSE).load(item)
    except ValidationError as exc:
        errors = flatten(exc.messages)
        raise Invalid(errors[0].code, f"{errors[0].pointer}: {errors[0].code}", errors) from exc
    data = load_http(REQUEST_RAISED, {**told, "link": link.generation}, today)
    return Draft(EVENT_TYPES[REQUEST_RAISED], None, subject_of(ENTERPRISE, link.enterprise), ACTOR, data)
