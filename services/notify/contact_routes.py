"""The routes of contacts. Secrets, and addresses that give access, never leave by them."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Protocol

from flask import Flask, Response, request
from marshmallow import ValidationError

from luodi.runtime import http
from luodi.runtime.problems import FieldError, ProblemError
from schemas.contacts import RECIPIENT, ContactBody
from schemas.invalid import flatten
from schemas.loading import REFUSE, loader
from services.notify.contacts import Contact, Contacts, Way, endpoint_of

DEFAULT_LIMIT = 100
MAX_LIMIT = 500


class _Endpoints(Protocol):
    def disabled(self, endpoints: list[str]) -> set[str]: ...


def contact_routes(app: Flask, contacts: Contacts, endpoints: _Endpoints) -> None:
    """Put the routes on the application."""

    def shown(found: list[Contact]) -> list[dict[str, Any]]:
        gone = endpoints.disabled([endpoint_of(way) for contact in found for way in contact.ways])
        return [contact_body(contact, contacts, gone) for contact in found]

    @app.get("/v1/contacts")
    def listed() -> Response:
        http.known_parameters("limit", "cursor")
        limit = _limit()
        rows = contacts.store.page(_after(), limit + 1)
        cursor = base64.urlsafe_b64encode(rows[limit - 1].recipient.encode()).decode() if len(rows) > limit else None
        return http.answer({"items": shown(rows[:limit]), "next": cursor}, headers=PRIVATE)

    @app.get("/v1/contacts/<recipient>")
    def contact(recipient: str) -> Response:
        http.known_parameters()
        found = contacts.store.get(recipient)
        if found is None:
            raise ProblemError("not-found", what=recipient)
        return http.answer(shown([found])[0], headers=PRIVATE)

    @app.put("/v1/contacts/<recipient>")
    def put(recipient: str) -> Response:
        http.known_parameters()
        if not RECIPIENT.fullmatch(recipient):
            raise ProblemError("invalid", errors=[FieldError("recipient", "bad-id", {"pattern": RECIPIENT.pattern})])
        try:
            body = loader(ContactBody, REFUSE).load(http.read_json())
        except ValidationError as exc:
            raise ProblemError("invalid", errors=flatten(exc.messages)) from exc
        return http.answer(shown([contacts.put(recipient, body)])[0], headers=PRIVATE)

    @app.delete("/v1/contacts/<recipient>")
    def erase(recipient: str) -> Response:
        http.known_parameters()
        gone = contacts.erase(recipient)
        answer = {"recipient": recipient, "erased": gone is not None, "channels": len(gone.ways) if gone else 0}
        return http.answer(answer, headers=PRIVATE)


PRIVATE = {"Cache-Control": "no-store"}


def contact_body(contact: Contact, contacts: Contacts, gone: set[str]) -> dict[str, Any]:
    """A contact as callers see it."""
    return {
        "recipient": contact.recipient,
        "name": contact.name,
        "phone": contact.phone,
        "language": contact.language,
        "channels": [_way_body(way, contacts.shown(way), disabled=endpoint_of(way) in gone) for way in contact.ways],
        "updated_at": contact.updated_at,
    }


def _way_body(way: Way, shown: str, *, disabled: bool) -> dict[str, Any]:
    return {
        "channel": way.channel,
        "address": shown,
        "has_secret": way.secret is not None,
        "mention": way.mention,
        "style": way.style,
        "disabled": disabled,
    }


def _limit() -> int:
    text = request.args.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        raise ProblemError("bad-query", errors=[FieldError("limit", "not-allowed", {"allowed": f"1–{MAX_LIMIT}"})])
    return int(text)


def _after() -> str | None:
    text = request.args.get("cursor")
    if text is None:
        return None
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise ProblemError("bad-query", errors=[FieldError("cursor", "bad-cursor")]) from exc
