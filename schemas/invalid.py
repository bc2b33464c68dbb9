"""What is wrong with a request or a record, said so that a program and a person can both act on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

MAX_ERRORS = 50  # a hostile body may hold a hundred thousand faults; nobody reads more than these
MAX_POINTER = 256  # characters; a key of a megabyte must not come back in the answer


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault at one place. `pointer` is a JSON pointer (RFC 6901) into the body; "" is the body itself.

    `code` is stable and meant for programs, `params` are the values its sentence needs (see `schemas.messages`).
    """

    pointer: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


class Invalid(Exception):  # noqa: N818 - named for what it says about the input; every caller writes `except Invalid`
    """The input breaks the contract and will break it again: refuse it, never retry it.

    `code` names the first reason, `detail` says it in English for logs, `errors` holds every fault found.
    """

    def __init__(self, code: str, detail: str, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = list(errors)


class Fault(str):
    """The code of a fault with the parameters of its sentence, in the place where marshmallow keeps a message."""

    __slots__ = ("params",)
    params: Mapping[str, Any]

    def __new__(cls, code: str, **params: Any) -> Self:
        fault = super().__new__(cls, code)
        fault.params = params
        return fault


def pointer(*segments: str | int) -> str:
    """The JSON pointer of a path of keys and places: `pointer("evidence", 0, "ref") == "/evidence/0/ref"`."""
    text = "".join("/" + str(segment).replace("~", "~0").replace("/", "~1") for segment in segments)
    # A key may hold a lone surrogate, which no answer could carry.
    return text[:MAX_POINTER].encode("utf-8", "replace").decode("utf-8")


def flatten(messages: Any) -> list[FieldError]:
    """marshmallow's tree of messages as a list in the order of the pointers, at most `MAX_ERRORS` long."""
    found = sorted(_walk(messages, ()), key=lambda error: (error.pointer, error.code))
    return found[:MAX_ERRORS]


def _walk(node: Any, path: tuple[str | int, ...]) -> Iterable[FieldError]:
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _walk(child, path if key == "_schema" else (*path, key))
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child, path)
    else:
        yield FieldError(pointer(*path), str(node), getattr(node, "params", {}))
