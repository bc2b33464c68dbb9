"""The routes of ingest: one per event type, made from the table of event types, and one for CloudEvents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Flask, Response, g, request

from luodi.domain import events as domain
from luodi.domain.subjects import id_of, kind_of
from luodi.runtime import http
from luodi.runtime.problems import Language, ProblemError, error_body
from luodi.runtime.rates import RateLimit
from schemas import position
from schemas.events import ENDPOINTS, SUBJECTS, Endpoint
from schemas.fields import EVENT_ID, ID
from schemas.invalid import FieldError
from services.ingest.drafts import Reader, binary_cloudevent, body_reader, from_cloudevent
from services.ingest.limits import Gate
from services.ingest.posting import Accepted, Asked, Outcome, Posted, Posting, Refused

MAX_ITEMS = 1_000
RETRY_AFTER_S = "2"
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
STATUS = {"invalid": 422, "needs-confirmation": 422, "conflict": 409, "own-report": 403}

POSTED = "luodi.posted"
"""In the WSGI environment: what became of this very request before it came here."""

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_PATH_IDS = {subject.id_field: ID for subject in SUBJECTS.values()}
_ID_FIELDS = {kind: subject.id_field for kind, subject in SUBJECTS.items()}


def add_routes(app: Flask, posting: Posting, rate: RateLimit, gate: Gate) -> None:
    """Add every route to the application."""
    for endpoint in ENDPOINTS:
        rule = re.sub(r"\{([a-z_]+)\}", r"<\1>", endpoint.path)
        view = _endpoint(endpoint, posting, rate, gate)
        app.add_url_rule(rule, endpoint.name, view, methods=[endpoint.row.method])
    app.add_url_rule("/v1/events", "events", lambda: _cloudevents(posting, rate, gate), methods=["POST"])


def _endpoint(taking: Endpoint, posting: Posting, rate: RateLimit, gate: Gate) -> Callable[..., Response]:
    takes_arrays = taking.row.method == "POST"

    def endpoint(**address: str) -> Response:
        _check_address(address)
        read = body_reader(taking, address)
        body = http.read_json()
        if takes_arrays and isinstance(body, list):
            return _answer_batch(_post(posting, rate, gate, _checked_batch(body), read))
        return _answer_single(_post(posting, rate, gate, [body], read))

    return endpoint


def _cloudevents(posting: Posting, rate: RateLimit, gate: Gate) -> Response:
    if request.mimetype == BATCHED:
        body = http.read_json(BATCHED)
        if not isinstance(body, list):
            raise ProblemError("invalid", errors=[FieldError("", "wrong-type", {"expected": "array"})])
        return _answer_batch(_post(posting, rate, gate, _checked_batch(body), from_cloudevent))
    if request.mimetype == STRUCTURED:
        event = http.read_json(STRUCTURED)
    elif "ce-specversion" in request.headers:
        event = binary_cloudevent(dict(request.headers), http.read_json())
    else:
        raise ProblemError("unsupported-media-type", expected=f"{STRUCTURED} / {BATCHED} / application/json + ce-*")
    return _answer_single(_post(posting, rate, gate, [event], from_cloudevent))


def _checked_batch(body: Sequence[Any]) -> Sequence[Any]:
    if not body:
        raise ProblemError("invalid", errors=[FieldError("", "empty")])
    if len(body) > MAX_ITEMS:
        raise ProblemError("invalid", errors=[FieldError("", "too-many", {"limit": MAX_ITEMS})])
    return body


def _check_address(address: Mapping[str, str]) -> None:
    wrong = [
        FieldError(f"/{name}", "bad-id", {"pattern": pattern.pattern})
        for name, value in address.items()
        if not (pattern := _PATH_IDS.get(name, EVENT_ID)).fullmatch(value)
    ]
    if wrong:
        raise ProblemError("invalid", errors=wrong)


def _post(posting: Posting, rate: RateLimit, gate: Gate, items: Sequence[object], read: Reader) -> Posted:
    posted: Posted | None = request.environ.pop(POSTED, None)
    if posted is None:
        posted = _post_now(posting, rate, gate, items, read)
    http.tell(**facts_of(posted))
    return posted


def _post_now(posting: Posting, rate: RateLimit, gate: Gate, items: Sequence[object], read: Reader) -> Posted:
    key = idempotency_key()
    caller = http.caller()
    wait_s = rate.take(f"{caller} {request.remote_addr}", len(items))
    if wait_s > 0:
        seconds = str(int(wait_s) + 1)
        raise ProblemError("too-many-requests", seconds=seconds, headers={"Retry-After": seconds})
    with gate.enter() as entered:
        if not entered:
            raise ProblemError("overloaded", headers={"Retry-After": RETRY_AFTER_S})
        return posting.post(items, read, Asked(caller, request.path, key, g.traceparent))


def idempotency_key() -> str | None:
    """The caller's key; 400 when it is none."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise ProblemError("bad-request", reason="Idempotency-Key: 1 to 255 visible ASCII characters")
    return key


def facts_of(posted: Posted) -> dict[str, object]:
    """What the request's log line says of it."""
    if len(posted.outcomes) > 1:
        return {"events": len(posted.outcomes), "accepted": posted.accepted}
    outcome = posted.outcomes[0]
    if isinstance(outcome, Accepted):
        return {**named(outcome.event.subject), "event_id": outcome.event.id, "type": outcome.event.type}
    return {}


def named(subject: str | None) -> dict[str, Any]:
    """The subject as answers name it: `project_id`, `unit_id` … with its id; nothing where there is none."""
    return {} if subject is None else {_ID_FIELDS[kind_of(subject)]: id_of(subject)}


def _answer_single(posted: Posted) -> Response:
    (outcome,) = posted.outcomes
    if isinstance(outcome, Accepted):
        return http.answer(receipt_of(posted), 202)
    if isinstance(outcome, Refused):
        raise ProblemError(outcome.code, errors=outcome.errors, id=outcome.id, subject=id_of(outcome.subject or ""))
    members = {"id": outcome.event.id, **named(outcome.event.subject)}
    raise ProblemError(outcome.code, members=members, headers={"Retry-After": RETRY_AFTER_S}, what="Kafka")


def _answer_batch(posted: Posted) -> Response:
    refused = len(posted.outcomes) - posted.accepted - posted.unknown
    all_alike = {posted.accepted: 202, posted.unknown: 503, refused: 422}
    headers = {"Retry-After": RETRY_AFTER_S} if posted.unknown else {}
    answer = receipts_of(posted, http.language())
    return http.answer(answer, all_alike.get(len(posted.outcomes), 207), headers)


def receipts_of(posted: Posted, language: Language) -> dict[str, Any]:
    """The answer to an array: what became of each item."""
    return {
        "position": position.encode(posted.tag, posted.offsets) if posted.offsets else None,
        "accepted": posted.accepted,
        "refused": len(posted.outcomes) - posted.accepted - posted.unknown,
        "unknown": posted.unknown,
        "items": [_item(outcome, language) for outcome in posted.outcomes],
    }


def _item(outcome: Outcome, language: Language) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return _receipt(outcome, {"status": 202})
    if isinstance(outcome, Refused):
        item: dict[str, Any] = {"status": STATUS[outcome.code], "code": outcome.code}
        if outcome.id is not None:
            item["id"] = outcome.id
        return item | {"errors": [error_body(error, language) for error in outcome.errors]}
    return {"status": 503, "code": outcome.code, "id": outcome.event.id, **named(outcome.event.subject)}


def receipt_of(posted: Posted) -> dict[str, Any]:
    """The answer to the one event that was posted and accepted."""
    (outcome,) = posted.outcomes
    assert isinstance(outcome, Accepted)
    receipt = _receipt(outcome, {})
    receipt["position"] = position.encode(posted.tag, posted.offsets)
    return receipt


def _receipt(accepted: Accepted, receipt: dict[str, Any]) -> dict[str, Any]:
    event, partition, offset = accepted
    receipt["id"] = event.id
    receipt |= named(event.subject)
    if event.type == domain.MILESTONE_REPORTED:
        receipt["stage"] = event.data["stage"]
    receipt["partition"] = partition
    receipt["offset"] = offset
    return receipt
