"""Pages of a list that is sorted by an instant and an id, newest first: the cursor, the limit, the answer."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from flask import Response, request

from luodi.domain.days import parse_instant
from luodi.runtime import http
from luodi.runtime.problems import FieldError, ProblemError

DEFAULT_LIMIT = 100
MAX_LIMIT = 500

Row = TypeVar("Row")


def paged(
    rows: list[Row], limit: int, body: Callable[[Row], dict[str, Any]], place: Callable[[Row], tuple[str, str]]
) -> Response:
    """The answer: the first `limit` of the rows, one more of which says that there is another page."""
    shown = rows[:limit]
    cursor = _cursor(place(shown[-1])) if len(rows) > limit else None
    return http.answer({"items": [body(row) for row in shown], "next": cursor}, headers={"Vary": "Accept-Language"})


def _cursor(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def asked_place() -> tuple[str, str] | None:
    """The place after which the page begins. Raises ProblemError."""
    text = request.args.get("cursor")
    if text is None:
        return None
    try:
        place = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment, row_id = map(str, place)
        parse_instant(moment)
    except (binascii.Error, ValueError, TypeError) as exc:
        raise bad_parameter("cursor", "bad-cursor") from exc
    return moment, row_id


def asked_limit() -> int:
    """How many rows are asked for. Raises ProblemError."""
    text = request.args.get("limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MAX_LIMIT):
        raise bad_parameter("limit", "not-allowed", allowed=f"1–{MAX_LIMIT}")
    return int(text)


def bad_parameter(name: str, code: str, **params: Any) -> ProblemError:
    """The refusal of a parameter of the query."""
    return ProblemError("bad-query", errors=[FieldError(name, code, params)])
